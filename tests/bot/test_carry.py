"""A workspace is exported, and imported elsewhere: by the other engine, beside others, all of it, and goes on there."""

import asyncio
import gzip
import json
import re
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Integer, func, update
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot import carry
from bot.opening import CannotStart
from models import carrying, operations
from models.database import Database
from models.kinds.action import ACTION
from models.tables import Card, Counter, Delivery, DeliveryState, Record
from scheduler.deliveries import Draft
from scheduler.jobs import JOBS
from scheduler.notices import DELIVERY_KINDS
from scheduler.notices.card import CARD
from tests.filled import AFTERWARDS, KEYS_FROM, find, make, post_what_is_due, take_keys
from tests.support import WORKSPACE, make_record, make_workspace

T = TypeVar("T")

# Keys that other workspaces have taken where the filled one comes in; all of its own stand below.
TAKEN = KEYS_FROM + 50_000
IMPORTED = AFTERWARDS + timedelta(days=2)
MONDAY_AFTER = IMPORTED + timedelta(hours=15)

on_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

# Table -> its rows, by column.
Content = dict[str, list[dict[str, Any]]]


@pytest.fixture
def other_url(engine: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database of the engine that is not the test's, in which another workspace lives."""
    other = {"sqlite": "postgresql", "postgresql": "sqlite"}[engine]
    databases = request.getfixturevalue(f"{other}_databases")
    url = databases.create(migrated=True)
    in_database(url, live_elsewhere)
    yield url
    databases.drop(url)


def in_database(url: str, work: Callable[[Database], Coroutine[Any, Any, T]]) -> T:
    async def main() -> T:
        async with Database(url) as database:
            return await work(database)

    return asyncio.run(main())


async def live_elsewhere(database: Database) -> None:
    """T0002 with a record whose card is being sent, after T0000 has taken keys."""
    await take_keys(database, TAKEN)
    if not database.is_sqlite:
        async with database.outside(writes=True) as connection:
            await carrying.shift_for(connection, TAKEN + 1, TAKEN + 1)
    async with database.unit("T0002") as session:
        await make_workspace(session, "Elsewhere")
        await make_record(session, ACTION)
        await session.exec(update(Delivery).values(state=DeliveryState.SENDING))


def content(file: Path) -> tuple[dict[str, Any], Content]:
    """What the file says of itself, and every row in it."""
    lines = (gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()).decode().splitlines()
    about, found, table = json.loads(lines[0]), Content(), ""
    names: list[str] = []
    for line in map(json.loads, lines[1:-1]):
        if isinstance(line, dict):
            table, names = line["table"], line["columns"]
            found[table] = []
        else:
            found[table].append(dict(zip(names, line, strict=True)))
    return about, found


def rows_in(url: str, workspace_id: str, *, moved_by: int = 0) -> Content:
    """Every row of the workspace as the database has it, with its keys moved as an import moves them."""

    async def ask(database: Database) -> Content:
        found = Content()
        async with database.engine.connect() as connection:
            for table in carrying.tables():
                of = table.c["id" if table.name == "workspace" else "workspace_id"]
                found[table.name] = [
                    dict(row._mapping) for row in await connection.execute(table.select().where(of == workspace_id))
                ]
                for row in found[table.name]:
                    carrying.move_keys(table, row, moved_by)
        return {name: sorted(rows, key=repr) for name, rows in found.items()}

    return in_database(url, ask)


def test_a_workspace_is_in_the_other_engine_as_it_was_but_for_its_keys(
    filled_url: str, other_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrying, "PAGE", 20)
    file, elsewhere = tmp_path / "workspace.jsonl.gz", rows_in(other_url, "T0002")

    written = carry.write(filled_url, WORKSPACE, file, now=IMPORTED)
    read = carry.read(other_url, file, now=IMPORTED)

    there = rows_in(other_url, WORKSPACE)
    shift = min(row["id"] for row in there["project"]) - min(
        row["id"] for row in rows_in(filled_url, WORKSPACE)["project"]
    )
    expected = rows_in(filled_url, WORKSPACE, moved_by=shift)
    expected["workspace"][0]["restored_at"] = IMPORTED
    for row in expected["delivery"]:
        row["state"] = DeliveryState.UNCONFIRMED if row["state"] is DeliveryState.SENDING else row["state"]
    expected["delivery"].sort(key=repr)
    assert {name: rows for name, rows in there.items() if rows != expected[name]} == {}
    assert (read.workspace_id, read.rows) == (WORKSPACE, sum(map(len, there.values())))
    assert written == read
    assert shift > TAKEN - KEYS_FROM
    assert rows_in(other_url, "T0002") == elsewhere


@on_sqlite
def test_no_key_of_old_is_left_anywhere_in_what_was_imported(filled_url: str, databases: Any, tmp_path: Path) -> None:
    """Keys are great numbers here, so one that was not moved is seen wherever it stands."""
    url, first, second = databases.create(migrated=True), tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    in_database(url, live_elsewhere)
    about = carry.write(filled_url, WORKSPACE, first, now=IMPORTED) and content(first)[0]
    of_old = re.compile(r"\b70\d{5}\b")

    carry.read(url, first, now=IMPORTED)
    carry.write(url, WORKSPACE, second, now=IMPORTED)

    kept = {
        f"{name}.{column}: {value}"
        for name, rows in content(second)[1].items()
        for row in rows
        for column, value in row.items()
        if any(about["keys"][0] <= int(number) <= about["keys"][1] for number in of_old.findall(json.dumps(value)))
    }
    assert kept == set()
    places = {
        f"{name}.{column}"
        for name, rows in content(first)[1].items()
        for row in rows
        for column, value in row.items()
        if of_old.search(json.dumps(value))
    }
    apart = {"delivery.dedupe_key", "delivery.lane", "delivery.payload", "history.before", "history.after"}
    assert places >= apart | {"person.current_project_id", "action.next_id", "standup_entry.issue_id"}


def test_what_was_imported_goes_on_and_nothing_is_sent_a_second_time(
    filled_url: str, other_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "workspace.jsonl"
    carry.write(filled_url, WORKSPACE, file, now=IMPORTED)
    carry.read(other_url, file, now=IMPORTED)

    in_database(other_url, goes_on)


async def goes_on(database: Database) -> None:
    """The clock's work, a new record, a stand-up and a card that stands in Slack."""
    async with database.unit(WORKSPACE) as session:
        before = await sent(session)
    await tick(database, IMPORTED)
    async with database.unit(WORKSPACE) as session:
        assert await sent(session) == before

        last = (await session.exec(select(Counter).where(col(Counter.kind) == "action"))).one().last
        greatest = (await session.exec(select(func.max(Record.id)))).one()
        logged = (await make(session, ACTION, IMPORTED)).record
        assert logged.number == last + 1
        assert (logged.id or 0) > greatest  # so it takes the key of none that comes later

        risk, _ = await find(session, "R1")
        card = await session.get(Card, risk.record.id)
        await operations.owe_card(session, risk.record, IMPORTED, because=":moved")
        owed = (await session.exec(select(Delivery).where(col(Delivery.dedupe_key).endswith(":moved")))).one()
        drawn = await CARD.draw(session, owed, IMPORTED)
        assert isinstance(drawn, Draft)
        assert card is not None
        assert (drawn.method, drawn.ts) == ("update", card.ts)
    await tick(database, MONDAY_AFTER)
    async with database.unit(WORKSPACE) as session:
        prompts = select(Delivery.target).where(
            col(Delivery.kind) == "standup_prompt",
            col(Delivery.due_at) > IMPORTED,
            col(Delivery.state) == DeliveryState.SENT,
        )
        assert set(await session.exec(prompts)) == {"UBEN"}  # in New York it is night


async def tick(database: Database, now: datetime) -> None:
    async with database.unit(WORKSPACE) as session:
        for job in JOBS:
            await job.run(session, now)
    await post_what_is_due(database, WORKSPACE, now)


async def sent(session: AsyncSession) -> int:
    return len((await session.exec(select(Delivery.id).where(col(Delivery.state) == DeliveryState.SENT))).all())


# What cannot be imported -------------------------------------------------------------------------------------------


def cut(lines: list[bytes]) -> list[bytes]:
    return lines[: len(lines) // 2]


def cut_within(lines: list[bytes]) -> list[bytes]:
    return [*lines[:40], lines[40][:-9]]


def changed(lines: list[bytes]) -> list[bytes]:
    return [line.replace(b"One risk", b"Two risk") for line in lines]


def doubled(lines: list[bytes]) -> list[bytes]:
    return [*lines[:3], lines[2], *lines[3:]]


def without_the_end(lines: list[bytes]) -> list[bytes]:
    return lines[:-1]


def of_step(step: str) -> Callable[[list[bytes]], list[bytes]]:
    return lambda lines: [re.sub(rb'"step":"\d+"', f'"step":"{step}"'.encode(), lines[0]), *lines[1:]]


@on_sqlite
@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (cut, "it ends too early"),
        (cut_within, "it ends too early"),
        (without_the_end, "it ends too early"),
        (changed, "its checksum is another"),
        (doubled, "its rows do not fit together (IntegrityError)"),
        (lambda lines: [b"{\n", b'  "workspace": {}\n', b"}\n"], "it is no workspace that `steward export FILE` wrote"),
        (lambda lines: [b"\x00\xff\n"], "it is no workspace that `steward export FILE` wrote"),
        (lambda lines: [lines[0], b"[1]\n"], "a line of it is not where it belongs"),
        (
            lambda lines: [lines[0], b'{"table":"secrets","columns":[]}\n'],
            "its table secrets is not as this release has it",
        ),
        (lambda lines: [lines[0], b"nothing\n"], "a line of it cannot be read"),
        (lambda lines: [lines[0], b"[" * 200_000 + b"\n"], "a line of it cannot be read"),
        (of_step("9999"), "knows only up to step"),
        (of_step("0001"), "install this release, run `steward migrate`, and export again"),
    ],
)
def test_a_file_that_is_not_as_it_was_written_is_refused_and_nothing_stays_of_it(
    filled_file: str, database_url: str, tmp_path: Path, spoil: Callable[[list[bytes]], list[bytes]], said: str
) -> None:
    file = tmp_path / "workspace.jsonl"
    carry.write(filled_file, WORKSPACE, file, now=IMPORTED)
    file.write_bytes(b"".join(spoil(file.read_bytes().splitlines(keepends=True))))

    with pytest.raises(CannotStart, match=re.escape(said)) as refused:
        carry.read(database_url, file, now=IMPORTED)

    assert "One risk" not in str(refused.value)
    assert in_database(database_url, all_rows) == 0


@on_sqlite
def test_a_file_that_was_made_to_fill_the_machine_is_refused_before_it_does(
    filled_file: str, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No more of it is unpacked than an export may hold."""
    whole, bomb = tmp_path / "workspace.jsonl.gz", tmp_path / "bomb.jsonl.gz"
    carry.write(filled_file, WORKSPACE, whole, now=IMPORTED)
    lines = gzip.decompress(whole.read_bytes()).splitlines(keepends=True)
    bomb.write_bytes(gzip.compress(b"".join([*lines[:2], b"[", b" " * 9 * 2**20, b"]\n"])))

    with pytest.raises(CannotStart, match=r"a line of it is longer than 8 MiB.* Nothing was stored\."):
        carry.read(database_url, bomb, now=IMPORTED)
    with monkeypatch.context() as patch:
        patch.setattr(carry, "RATIO_MAX", 2)
        with pytest.raises(CannotStart, match=r"more than 2 times .* Nothing was stored\."):
            carry.read(database_url, whole, now=IMPORTED)
    assert in_database(database_url, all_rows) == 0

    monkeypatch.setattr(carry, "LINE_MAX_BYTES", max(map(len, lines)))
    assert carry.read(database_url, whole, now=IMPORTED).rows > 0, "also in short pages"
    assert sum(map(len, lines)) / whole.stat().st_size < carry.RATIO_MAX / 5


async def all_rows(database: Database) -> int:
    async with database.engine.connect() as connection:
        return sum([len((await connection.execute(select(table))).all()) for table in carrying.tables()])


def forged(file: Path, change: Callable[[str, dict[str, Any], dict[str, Any]], Any]) -> None:
    """Change rows of the file (their table, their values, the header) and make its checksum right again."""
    about, *lines = map(json.loads, file.read_bytes().splitlines())
    table, names, written = "", [], []
    for line in lines[:-1]:
        if isinstance(line, dict):
            table, names = line["table"], line["columns"]
        else:
            row = dict(zip(names, line, strict=True))
            change(table, row, about)
            line = list(row.values())
        written.append(json.dumps(line).encode() + b"\n")
    text = b"".join([json.dumps(about).encode() + b"\n", *written])
    end = {"rows": lines[-1]["rows"], "sha256": sha256(text).hexdigest()}
    file.write_bytes(text + json.dumps(end).encode() + b"\n")


def set_in(where: str, **values: Any) -> Callable[[str, dict[str, Any], dict[str, Any]], None]:
    return lambda table, row, about: row.update(values) if table == where else None


def into_anothers_project(table: str, row: dict[str, Any], about: dict[str, Any]) -> None:
    """The key that becomes another workspace's by what an import adds to it."""
    if table == "record":
        row["project_id"] = about["keys"][0] - carrying.GAP


@on_sqlite
@pytest.mark.parametrize(
    ("change", "why"),
    [
        (set_in("person", workspace_id="T0002"), "Misfit"),
        (set_in("workspace", id="T0003"), "Misfit"),
        (into_anothers_project, "Misfit"),
        (set_in("record", version="1"), "TypeError"),
        (set_in("record", version=2**70), "OverflowError"),
        (set_in("record", title=["One"]), "AttributeError"),
        (set_in("record", id=True), "TypeError"),
        (lambda table, row, about: about.update(keys=["1", 2]), "TypeError"),
        (lambda table, row, about: about.update(workspace=["T0001"]), "ProgrammingError"),
    ],
)
def test_a_forged_file_stores_nothing_and_least_of_all_in_another_workspace(
    filled_file: str, database_url: str, tmp_path: Path, change: Any, why: str
) -> None:
    file = tmp_path / "workspace.jsonl"
    carry.write(filled_file, WORKSPACE, file, now=IMPORTED)
    forged(file, change)
    in_database(database_url, live_elsewhere)
    before = in_database(database_url, all_rows)

    with pytest.raises(CannotStart, match=re.escape(f"its rows do not fit together ({why})")):
        carry.read(database_url, file, now=IMPORTED)

    assert in_database(database_url, all_rows) == before


@on_sqlite
def test_a_packed_file_that_is_damaged_is_refused(filled_file: str, database_url: str, tmp_path: Path) -> None:
    file, not_packed = tmp_path / "workspace.jsonl.gz", tmp_path / "other.gz"
    carry.write(filled_file, WORKSPACE, file, now=IMPORTED)
    file.write_bytes(file.read_bytes()[:5_000])
    not_packed.write_bytes(b"{}")

    for each in (file, not_packed):
        with pytest.raises(CannotStart, match=r"cannot be imported: .* Nothing was stored"):
            carry.read(database_url, each, now=IMPORTED)
    assert in_database(database_url, all_rows) == 0


def test_a_workspace_that_is_there_already_stays_as_it_is(filled_url: str, tmp_path: Path) -> None:
    file, again = tmp_path / "workspace.jsonl", tmp_path / "again.jsonl"
    carry.write(filled_url, WORKSPACE, file, now=IMPORTED)

    with pytest.raises(CannotStart, match=f"{WORKSPACE} is in this database already, so nothing was stored"):
        carry.read(filled_url, file, now=IMPORTED)

    carry.write(filled_url, WORKSPACE, again, now=IMPORTED)
    assert file.read_bytes() == again.read_bytes()


@on_sqlite
def test_where_keys_would_grow_too_great_nothing_is_stored(database_url: str) -> None:
    async def ask(database: Database) -> None:
        await take_keys(database, carrying.KEY_MAX - 2_000)
        async with carrying.stored_at_once(database) as connection:
            assert await carrying.shift_for(connection, 1, 900) == carrying.KEY_MAX - 1_001
            with pytest.raises(carrying.NoRoom):
                await carrying.shift_for(connection, 1, 1_100)

    in_database(database_url, ask)


def test_of_two_imports_at_once_one_stores_the_workspace(filled_file: str, database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "workspace.jsonl"
    carry.write(filled_file, WORKSPACE, file, now=IMPORTED)

    with ThreadPoolExecutor() as side_by_side:
        begun = [side_by_side.submit(carry.read, database_url, file, now=IMPORTED) for _ in range(2)]
        refused = [str(each.exception()) for each in begun if each.exception()]
        stored = [each.result().rows for each in begun if not each.exception()]

    assert [said.partition(",")[0] for said in refused] == [f"{WORKSPACE} is in this database already"]
    assert in_database(database_url, all_rows) == sum(stored)


def test_an_export_is_for_its_owner_alone_and_takes_no_file_that_is_there(filled_file: str, tmp_path: Path) -> None:
    file = tmp_path / "workspace.jsonl"
    carry.write(filled_file, WORKSPACE, file, now=IMPORTED)

    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(CannotStart, match=r"is there already\. Name another file"):
        carry.write(filled_file, WORKSPACE, file, now=IMPORTED)
    with pytest.raises(CannotStart, match="There is no workspace T9 here"):
        carry.write(filled_file, "T9", tmp_path / "other.jsonl", now=IMPORTED)
    assert list(tmp_path.iterdir()) == [file]


# What is carried ---------------------------------------------------------------------------------------------------


def test_every_table_is_carried_or_said_to_stay_behind_with_a_reason() -> None:
    """A table without a workspace cannot be carried: it has to be named in `carrying.LEFT_BEHIND`."""
    carried = carrying.tables()

    assert [table.name for table in carried if not {"workspace_id"} & {*table.columns.keys()}] == ["workspace"]
    assert all(reason.endswith(".") for reason in carrying.LEFT_BEHIND.values())


def test_nothing_that_is_named_like_a_secret_is_carried() -> None:
    secret = re.compile("token|secret|sealed|password|hash")

    named = [f"{table.name}.{column.name}" for table in carrying.tables() for column in carrying.columns(table)]

    assert [name for name in named if secret.search(name)] == []


def test_every_column_that_points_at_a_row_with_a_key_is_known_as_a_key() -> None:
    for table in carrying.tables():
        pointing = {key.parent.name for key in table.foreign_keys if isinstance(key.parent.type, Integer)}

        assert pointing <= {column.name for column in carrying.keys(table)}


def not_filled(n: int) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """Kind -> keys and payloads as it has them, about rows whose key is n: what the filled workspace has none of."""
    at = "2026-03-02T09:00:00+00:00"
    return {
        "answer": [("answer:Ev7", {"text": "7", "channel": "CMOVE", "thread_ts": "7.7"})],
        "away_hint": [(f"away_hint:UANA:palm_tree:{at}", {"until": "2026-03-07"})],
        "begun": [(f"begun:{n}", {"project": n, "by": "UANA", "records": [n, n + 1]})],
        "deputy_again": [(f"deputy:{n}:UCLEO:{at}", {"absence": n, "person": "UBEN"})],
        "digest_again": [(f"digest_again:{n}:{at}:done", {"of": n})],
        "due_soon": [(f"due_soon:{n}:2026-03-07 15:00", {"value": "7", "owner": "UANA"})],
        "erased_reply": [(f"erased_reply:{n}:7.7", {"ts": "7.7"})],
        "hello": [("hello:CMOVE:7.7", {})],
        "how_to": [("answer:DANA:7.7", {})],
        "left_behind": [(f"left_behind:UBEN:UANA:{at}", {"person": "UBEN", "vacated": [n]})],
        "nobodys": [(f"nobodys:{n}:7", {"by": "UANA", "why": "7"})],
        "ownerless": [(f"ownerless:UANA:{at}", {"records": [n, n + 1], "vacated": [n]})],
        "so_far": [(f"so_far:CMOVE:{at}", {"records": [n, n + 1]})],
        "standup_nobody": [(f"standup_nobody:{n}:UANA:UBEN,UCLEO", {"standup": n})],
        "summary": [
            (f"summary:{n}:again {n}", {"project": n, "day": None}),
            (f"summary:{n}:until {at}", {"project": n}),
        ],
        "summary_trouble": [
            (f"summary_trouble:{n}:{n}:unsure", {"project": n, "of": n}),
            (f"summary_trouble:{n}:CMOVE:not_in_channel", {"project": n, "of": n}),
        ],
        "trouble": [(f"trouble:card:{n}:not_in_channel", {"code": "not_in_channel", "channel": "CMOVE"})],
        "word": [
            (f"away_ended:{n}:2026-03-07:UANA:2026-03-07", {"sentence": "7"}),
            (f"channel_reminder_failed:{n}:CMOVE:not_in_channel:UANA", {"sentence": "7"}),
        ],
    }


def test_the_keys_in_every_kind_of_delivery_are_moved(filled_file: str, tmp_path: Path) -> None:
    file, owed = tmp_path / "workspace.jsonl", not_filled(7)
    carry.write(filled_file, WORKSPACE, file, now=IMPORTED)
    filled = {row["kind"] for row in content(file)[1]["delivery"]}

    assert {kind.key for kind in DELIVERY_KINDS} == filled | owed.keys()
    assert {kind: [moved_delivery(*each) for each in several] for kind, several in owed.items()} == not_filled(1_007)


def moved_delivery(key: str, payload: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    row = {"dedupe_key": key, "lane": key, "payload": payload}
    carrying.move_keys(SQLModel.metadata.tables["delivery"], row, 1_000)
    assert row["lane"] == row["dedupe_key"]
    return row["dedupe_key"], row["payload"]
