"""Somebody is erased: no table, and no byte of a SQLite file, leads back to them, and the log stays whole."""

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import JSON, Column, Table, insert, literal, select, text, update
from sqlmodel import SQLModel, col
from sqlmodel import select as select_of

from bot import erase as bot_erase
from bot.settings import Settings
from models import erased, erasing, letting_go
from models.database import Database, sqlite_path
from models.kinds.action import ACTION
from models.serving import SERVING
from models.tables import Person, Record, RecordTag, scope_of, table_of
from tests.databases import Databases
from tests.filled import AFTERWARDS, fill
from tests.processes import until_it_is
from tests.support import WORKSPACE, make_channel, make_person, make_project, make_record, make_workspace

WHO = "UBEN"
NAMES = {"name": "zebedee", "real_name": "Zébedee Quaxford"}
ADDRESS = "zq@northwind.example"
SAID = (
    f"<@{WHO}> and <@{WHO}|zebedee>, @zebedee's Zebedee Quaxford (Quaxford, Zébedee), "
    f"zebedee.quaxford@northwind.example {ADDRESS} {WHO}"
)
TRACE = re.compile(r"uben|zebedee|z(é|\\u00e9)bedee|quaxford|zq@", re.IGNORECASE)

# Texts that are words of the product's own, or of Slack's: nobody types them.
NOT_TYPED = {
    *("kind", "status", "rule", "zone", "timezone", "working_days", "days_off", "summary_day", "currency", "lane"),
    *(
        "holiday_country",
        "holiday_subdivision",
        "repeats",
        "concern",
        "field",
        "claimed_by",
        "slack_channel",
        "slack_ts",
    ),
    *("channel_id", "home_channel_id", "source_channel_id", "source_ts", "source_thread_ts", "digest_channel"),
    *("digest_ts", "reply_ts", "ts", "tag", "tags", "name_", "target", "batch", "call"),
}


def typed_columns() -> Iterator[tuple[Table, Column[Any]]]:
    for table in SQLModel.metadata.sorted_tables:
        if scope_of(table) is None or table.name in erasing.UNTOUCHED:
            continue
        for column in table.c:
            is_person = column.name.endswith("_id") or column.name in ("raised_by", "created_by", "by", "made_by")
            is_typed = column.name not in NOT_TYPED and not is_person and column.name != "workspace_id"
            if erasing.is_searched(column) and is_typed:
                yield table, column


def with_traces(value: Any) -> Any:
    if isinstance(value, list):
        return [*value, SAID]
    return {**value, WHO: SAID} if isinstance(value, dict) else f"{value} {SAID}"


Rows = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Outcome:
    """A workspace that spoke of one person in every text, before and after they were erased, and erased again."""

    before: Rows
    after: Rows
    again: Rows
    found: erasing.Erasure
    found_again: erasing.Erasure
    bytes_before: str = ""
    bytes_after: str = ""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def outcome(request: pytest.FixtureRequest) -> Iterator[Outcome]:
    databases: Databases = request.getfixturevalue(f"{request.param}_databases")
    url = databases.create(migrated=True)
    yield asyncio.run(_outcome(url))
    databases.drop(url)


async def _outcome(url: str) -> Outcome:
    async with Database(url) as database:
        await fill(database, WORKSPACE)
        await speak_of_them(database)
        before, bytes_before = await everything(database), written(url)
        found = await erase(database)
        after = await everything(database)
        found_again = await erase(database)
        assert await database.scrub()
        return Outcome(before, after, await everything(database), found, found_again, bytes_before, written(url))


async def erase(database: Database) -> erasing.Erasure:
    async with database.unit(WORKSPACE) as session:
        return await erasing.erase(session, WHO, also=[ADDRESS], now=AFTERWARDS)


async def speak_of_them(database: Database) -> None:
    """Put the person into every text and every JSON value."""
    person, record, tag = table_of(Person), table_of(Record), table_of(RecordTag)
    async with database.outside(writes=True) as connection:
        await connection.execute(update(person).where(person.c.id == WHO).values(NAMES))
        for table, column in typed_columns():
            if not isinstance(column.type, JSON):
                await connection.execute(update(table).values({column.name: column + f" {SAID}"}))
                continue
            for row in (await connection.execute(select(table).where(column.is_not(None)))).mappings().all():
                is_row = [each == row[each.name] for each in table.primary_key]
                changed = {column.name: with_traces(row[column.name])}
                await connection.execute(update(table).where(*is_row).values(changed))
        await connection.execute(update(record).values(tags=record.c.tags + " zebedee quaxford-zebedee"))
        for each in ("zebedee", "quaxford-zebedee"):
            tagged = select(record.c.workspace_id, record.c.id, literal(each))
            await connection.execute(insert(tag).from_select(["workspace_id", "record_id", "tag"], tagged))


async def everything(database: Database) -> Rows:
    """Every row of every table."""
    async with database.engine.connect() as connection:
        return {
            table.name: [
                dict(row)
                for row in (await connection.execute(select(table).order_by(*table.primary_key))).mappings().all()
            ]
            for table in SQLModel.metadata.sorted_tables
        }


def written(url: str) -> str:
    """Each byte of a SQLite file, and of the log beside it, as a character."""
    path = sqlite_path(url)
    files = [path, path.with_name(f"{path.name}-wal")] if path else []
    return "".join(file.read_bytes().decode("latin-1") for file in files)


def as_text(row: dict[str, Any]) -> str:
    return json.dumps(row, default=str, ensure_ascii=False)


def test_no_column_of_any_table_leads_back_to_somebody_who_was_erased(outcome: Outcome) -> None:
    speaking = {name for name, rows in outcome.before.items() if any(TRACE.search(as_text(row)) for row in rows)}
    typed = {table.name for table, _ in typed_columns() if outcome.before[table.name]}
    assert typed <= speaking, "what does not speak of them proves nothing"

    traces = [as_text(row) for rows in outcome.after.values() for row in rows if TRACE.search(as_text(row))]

    assert traces == []


def test_no_byte_of_the_file_leads_back_to_them(outcome: Outcome) -> None:
    """Not in pages that are free either, in the index of words, or in the log beside the file."""
    assert bool(TRACE.search(outcome.bytes_before)) == bool(outcome.bytes_before)

    assert TRACE.search(outcome.bytes_after) is None


def test_the_log_stays_whole_around_one_stand_in(outcome: Outcome) -> None:
    before, after = outcome.before, outcome.after
    authors = {row["author_id"] for row in after["comment"]} | {row["owner_id"] for row in after["record"]}
    tags = {(row["record_id"], row["tag"]) for row in after["record_tag"]}

    for table in ("project", "record", "comment", "link", "card", "escalation", "weekly_summary", "standup_round"):
        assert len(after[table]) == len(before[table]), table
    assert len({each for each in authors if each and erased.is_stand_in(each)}) == 1
    assert tags == {(row["id"], tag) for row in after["record"] for tag in row["tags"].split()}
    assert all("erased person" in row["words"] and "erased-person" in row["tags"] for row in after["record"])


def test_what_is_theirs_goes(outcome: Outcome) -> None:
    for table, column in (
        ("person", "id"),
        ("channel_member", "person_id"),
        ("absence", "person_id"),
        ("standup_entry", "person_id"),
        ("delivery", "target"),
    ):
        assert any(row[column] == WHO for row in outcome.before[table]), table
        people = {row[column] for row in outcome.after[table]}
        assert not [each for each in people if each == WHO or erased.is_stand_in(each)], table


def test_their_open_records_have_no_owner_and_the_coordinator_is_told_once(outcome: Outcome) -> None:
    in_use = {row["id"] for row in outcome.before["project"] if row["archived_at"] is None}
    owned = [row for row in outcome.before["record"] if row["owner_id"] == WHO and row["is_open"]]
    owners = {row["id"]: row["owner_id"] for row in outcome.after["record"]}
    told = [row for row in outcome.after["delivery"] if row["kind"] == letting_go.OWNERLESS]

    assert owned
    assert {owners[row["id"]] for row in owned if not row["is_archived"]} == {None}
    assert [row["target"] for row in told] == ["UANA"]
    assert told[0]["payload"]["records"] == [row["id"] for row in owned if row["project_id"] in in_use]


def test_what_stands_in_slack_is_owed_anew(outcome: Outcome) -> None:
    known = {row["id"] for row in outcome.before["delivery"]}
    owed = [row for row in outcome.after["delivery"] if row["id"] not in known]
    answered = [row for row in outcome.before["standup_entry"] if row["person_id"] == WHO and row["answered_at"]]
    kinds = [row["kind"] for row in owed]

    cards = {row["record_id"] for row in owed if row["kind"] == "card"}
    assert {row["record_id"] for row in outcome.before["card"]} <= cards
    assert kinds.count("standup_digest") == len(answered)
    assert kinds.count(letting_go.REPLY) == sum(1 for row in answered if row["reply_ts"]) > 0


def test_what_was_there_is_counted_and_nothing_that_the_erasure_wrote(outcome: Outcome) -> None:
    keys = {table.name: [column.name for column in table.primary_key] for table in SQLModel.metadata.sorted_tables}
    there = {name: {tuple(row[key] for key in keys[name]) for row in rows} for name, rows in outcome.before.items()}

    assert outcome.found.changed["history"] > 0
    assert {
        name: found - there[name] for name, found in outcome.found.changed_keys.items() if found - there[name]
    } == {}
    assert [name for name, count in outcome.found.deleted.items() if count > len(there[name])] == []
    theirs = [row for row in outcome.before["delivery"] if row["target"] == WHO]
    assert outcome.found.deleted["delivery"] == len(theirs)


def test_erased_again_there_is_nothing_to_find(outcome: Outcome) -> None:
    assert (outcome.found_again.deleted.total(), outcome.found_again.changed.total()) == (0, 0)
    assert outcome.again == outcome.after


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_what_others_write_of_them_meanwhile_is_erased_too(database: Database, database_url: str) -> None:
    """One has changed a record that speaks of them, and is overtaken by nothing; one is about to write of them."""
    async with database.unit(WORKSPACE) as session:
        await make_workspace(session)
        ana = await make_person(session, "ana")
        session.add(Person(id=WHO, timezone="UTC", **NAMES))
        project = await make_project(session, by=ana, channel=await make_channel(session, "move", members=[ana]))
        for title in ("Ask Zébedee Quaxford", "Check the fans"):
            await make_record(session, ACTION, project=project, by=ana, title=title)

    async with (
        Database(database_url, application=SERVING) as elsewhere,
        AsyncExitStack() as hers,
        AsyncExitStack() as his,
    ):
        await change(hers, elsewhere, 1, title="Ask Zébedee Quaxford again")
        await change(his, elsewhere, 2, title="Zebedee's fans")
        said: list[str] = []
        told = {"also": (), "spared": (), "only_counts": False}
        erasing_them = asyncio.create_task(
            bot_erase.person(Settings(database_url=database_url), None, WHO, said.append, **told)
        )
        await until_it_is(1, lambda: count(database, "pg_locks WHERE NOT granted"))
        await hers.aclose()
        await until_it_is(0, lambda: count(database, f"person WHERE id = '{WHO}'"))
        await his.aclose()
        await erasing_them

    rows = await everything(database)
    assert [row["title"] for row in rows["record"]] == [f"Ask {erased.NAME} again", f"{erased.NAME}'s fans"]
    assert not [row for table in rows.values() for row in table if TRACE.search(as_text(row))]
    assert ["record", "0", "2"] in [line.split() for line in said]


async def change(stack: AsyncExitStack, database: Database, number: int, *, title: str) -> None:
    """Change the record in a unit that ends with the stack."""
    session = await stack.enter_async_context(database.unit(WORKSPACE))
    record = (await session.exec(select_of(Record).where(col(Record.number) == number))).one()
    record.title = title
    await session.flush()


async def count(database: Database, what: str) -> int:
    async with database.engine.connect() as connection:
        return (await connection.execute(text(f"SELECT count(*) FROM {what}"))).scalar_one()
