"""Lists of a project with very many records: what they read, how far they count, and that paging leaves nothing out."""

import asyncio
import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import closing
from datetime import date, time, timedelta
from itertools import product
from typing import Any

import pytest
from sqlalchemy import Connection, insert, text, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col, select

from benchmarks.data import fill
from benchmarks.plans import Sent, Watch, _nodes
from benchmarks.slack import PERSON, TEAM
from bot import migrate
from models import operations, ranks, sqlite
from models.database import Database, sqlite_path
from models.filters import NOBODY, Filters, Search, read_filters, read_search
from models.kinds.action import ACTION
from models.kinds.issue import ISSUE, Severity
from models.kinds.risk import RISK
from models.labels import Priority
from models.permissions import Actor, Standing, actor_of
from models.tables import Comment, Project, Record, table_of
from reports.finding import found
from reports.work import Page, listed
from tests.databases import Databases
from tests.support import NOW, WORKSPACE, make_person, make_record
from tests.test_migrations import ask

COUNTED = 20

READER = Actor(PERSON, Standing.MEMBER)
# What is listed of each of two projects, and of all. What somebody owns in one is looked for among all that they own.
OF_PROJECT = ("", "risks", "risks <=25", "all", "closed", "actions closed", "no date", "due this week", "waiting on me")
OF_ALL = ("", "closed", "no date", "@me", "@nobody", "@me @nobody", "@me helping", "waiting on me", "#none")
IN_COMMENTS = ("find firmware old", "")
LINES = [*product(OF_PROJECT, ("large", "small")), *product(OF_ALL, ("",))]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> int:
    """Lists count no further than that."""
    for module in ("reports.work", "reports.finding"):
        monkeypatch.setattr(f"{module}.MOST_COUNTED", COUNTED)
    return COUNTED


async def fill_two(database: Database, records: int) -> None:
    """So many records, of which two hundred are in a project of their own."""
    await fill(database, records)
    async with database.unit(TEAM) as session:
        large = (await session.exec(select(Project))).one()
        small = Project(**large.model_dump(exclude={"id", "version"}))
        large.name, small.name = "large", "small"
        session.add(small)
        await session.flush()
        its_own = col(Record.id) <= 1_000, col(Record.id) % 5 == 1
        await session.exec(update(Record).where(*its_own).values(project_id=small.id))


async def sent_for(database: Database, line: str, name: str) -> Sequence[Sent]:
    """The statements by which a page of a list, or of what is found, is drawn; of a project, or of all."""
    watch = Watch()
    async with database.unit(TEAM, writes=False) as session:
        projects = [*await session.exec(select(Project).where(col(Project.name) == name))] or None
        with watch.on(database, line):
            if line.startswith("find "):
                await found(session, READER, read_search([line.removeprefix("find ")]), now=NOW)
            else:
                await listed(session, READER, read_filters([line]), now=NOW, projects=projects)
    return [*watch.sent]


async def common_words(database: Database) -> Sequence[str]:
    """The two words that are in most titles."""
    async with database.unit(TEAM, writes=False) as session:
        titles = await session.exec(select(Record.title_words))
    (first, _), (second, _) = Counter(" ".join(title.split("‖")[1] for title in titles).split()).most_common(2)
    return first, second


def steps(url: str, sent: Sequence[Sent]) -> int:
    """Of how many hundred instructions of SQLite's machine the statements are."""
    taken = 0

    def count() -> None:
        nonlocal taken
        taken += 1

    with closing(sqlite3.connect(str(sqlite_path(url)))) as connection:
        sqlite.add_functions(connection)
        connection.set_progress_handler(count, 100)
        for each in sent:
            connection.execute(each.statement, each.arguments).fetchall()
    return taken


async def rows_read(connection: AsyncConnection, sent: Sequence[Sent]) -> int:
    """How many records PostgreSQL looks at for the statements."""
    read = 0
    for each in sent:
        explained = await connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {each.statement}", each.arguments)
        plan: Any = explained.scalar_one()
        for node, _ in _nodes((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]):
            if node.get("Relation Name") == "record":
                read += (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
    return int(read)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_list_takes_sqlite_as_many_steps_over_many_records_as_over_few(
    databases: Databases, counted: int
) -> None:
    taken: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for records in (1_000, 6_000):
        url = databases.create(migrated=True)
        async with Database(url) as database:
            await fill_two(database, records)
            one, two = await common_words(database)
            for line, name in (*LINES, ("find {one}", ""), ("find {one} {two} open", "")):
                sent = await sent_for(database, line.format(one=one, two=two), name)
                taken[line, name].append(steps(url, sent))

    assert {what: pair for what, pair in taken.items() if pair[1] > 1.2 * pair[0] + 5} == {}


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_what_a_kind_or_a_priority_leaves_out_of_a_list_is_not_read(database: Database) -> None:
    """Where it is rare, the index in the list's order is gone through, but it says enough of each record."""
    open_ones, closed = "is_open IS 1", "is_open IS 0"
    by_due_date, by_end = "due_date, place, id", "closed_at DESC, id DESC"
    lists = {
        "ix_record_due": (open_ones, by_due_date),
        "ix_record_owner": (f"owner_id = 'U' AND {open_ones}", by_due_date),
        "ix_record_listed": (f"project_id = 1 AND {open_ones}", by_due_date),
        "ix_record_ended": (closed, by_end),
        "ix_record_closed": (f"project_id = 1 AND {closed}", by_end),
    }
    limits = "kind <> 'risk' AND priority = 'high' AND confidentiality = 'open' AND is_archived IS 0"
    plans = {}
    async with database.engine.connect() as connection:
        for index, (which, order) in lists.items():
            query = f"SELECT id FROM record WHERE workspace_id = 'T' AND {which} AND {limits} ORDER BY {order}"
            plans[index] = [row[-1] for row in await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}")]

    assert {index: plan for index, plan in plans.items() if f"USING COVERING INDEX {index} " not in plan[0]} == {}
    assert {len(plan) for plan in plans.values()} == {1}, "nothing is sorted"


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_a_list_looks_at_no_more_records_on_postgresql_than_it_counts(database: Database, counted: int) -> None:
    await fill_two(database, 8_000)
    said = {"workspace_id": TEAM, "author_id": PERSON, "at": NOW, "text": "-", "words": "firmware old"}
    rows = [said | {"record_id": number} for number in range(1, 8_000, 10)]
    async with database.engine.begin() as connection:
        await connection.execute(insert(table_of(Comment)), rows)
    async with database.engine.connect() as connection:
        await connection.execute(text("ANALYZE"))
        read = {what: await rows_read(connection, await sent_for(database, *what)) for what in (*LINES, IN_COMMENTS)}

    # Of each of two ways to be in it as many as are counted, and then those on the page.
    assert {what: rows for what, rows in read.items() if rows > 3 * (counted + 10)} == {}


async def test_paging_through_a_long_list_leaves_nothing_out_and_shows_nothing_twice(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database.unit(WORKSPACE) as session:
        ana = await make_person(session)
        for number in range(23):
            kind, due = (RISK, ISSUE, ACTION)[number % 3], NOW.date() + timedelta(days=number % 4)
            values = {"due_date": due if number % 5 else None, "owner_id": ana.id if number % 2 else None}
            item = await make_record(session, kind, by=ana, **values)
            if number % 4 == 0:
                step = next(each for each in kind.steps if each.to in kind.closed and item.status in each.begins)
                project = (await session.exec(select(Project))).one()
                answer = next(iter(kind.field(step.asks).choices or ())) if step.asks else None
                await operations.take_step(
                    session, actor_of(ana), item, project, step, now=NOW, via="test", note="So", answer=answer
                )

    async def page(line: str, number: int, size: int = 2) -> Page:
        async with database.unit(WORKSPACE, writes=False) as session:
            return await listed(session, actor_of(ana), read_filters([line]), now=NOW, number=number, size=size)

    for line in ("", "risks", "all", "closed", "@me @nobody", "@me helping all"):
        whole = await page(line, 0, 50)
        monkeypatch.setattr("reports.work.MOST_COUNTED", 5)
        pages = [await page(line, number) for number in range((whole.total + 1) // 2)]
        monkeypatch.undo()

        assert references(*pages) == references(whole), line
        assert [each.is_last for each in pages] == [False] * (len(pages) - 1) + [True], line
        assert not whole.is_cut
        assert pages[0].is_cut == (whole.total > 5), line
        assert {each.total for each in pages if each.is_cut} <= {5}, "on a page beyond the bound too"
        assert [(each.total, each.is_cut) for each in pages[-1:]] == [(whole.total, False)], line


async def test_a_line_full_of_owners_is_a_list_of_what_they_own(database: Database) -> None:
    """As many as a line holds, each found in several ways: SQLite takes no statement of so many parts."""
    owners = ["UANA", *(f"U{number:08}" for number in range(140))]
    async with database.unit(WORKSPACE) as session:
        ana, ben = await make_person(session), await make_person(session, "ben")
        for owner, day in ((ana, 1), (ben, 2), (ana, 3), (None, 4)):
            due_date, owner_id = NOW.date() + timedelta(days=9 - day), owner and owner.id
            await make_record(session, ACTION, by=ana, title="Order racks", due_date=due_date, owner_id=owner_id)
        search = Search(Filters(owners=tuple(owners), waiting=True), words=("racks",))

        theirs = await listed(session, actor_of(ana), Filters(owners=(*owners, NOBODY)), now=NOW)
        late = await found(session, actor_of(ana), search, now=NOW + timedelta(days=20))

    assert references(theirs) == ["A4", "A3", "A1"]
    assert sorted(references(late)) == ["A1", "A3"]


def references(*pages: Page) -> list[str]:
    return [line.item.reference for page in pages for line in page.lines]


def test_places_are_in_the_order_of_due_date_due_time_and_priority() -> None:
    days, times = [date(2026, 3, 2), date(2026, 3, 3), date.max, None], [time(0), time(9, 30), time(23, 59), None]
    dated = [each for each in product(days, times, reversed(Priority)) if each[0] or not each[1]]

    places = [ranks.place(*each) for each in dated]

    assert places == sorted(set(places))


async def test_a_change_of_what_orders_a_list_moves_the_record_in_it(database: Database) -> None:
    changes: Sequence[tuple[dict[str, Any], list[str]]] = (
        ({"priority": Priority.CRITICAL}, ["I2", "I1"]),
        ({"priority": Priority.LOW}, ["I1", "I2"]),
        ({"due_date": NOW.date(), "due_time": time(8)}, ["I2", "I1"]),
        ({"due_time": time(10)}, ["I1", "I2"]),
        ({"severity": Severity.CRITICAL}, ["I2", "I1"]),
        ({"severity": None}, ["I1", "I2"]),
    )
    async with database.unit(WORKSPACE) as session:
        ana = await make_person(session)
        values: dict[str, Any] = {"severity": Severity.MINOR, "due_date": NOW.date(), "due_time": time(9)}
        await make_record(session, ISSUE, by=ana, **values)
        item = await make_record(session, ISSUE, by=ana, **values)
        project = (await session.exec(select(Project))).one()
        for change, expected in changes:
            await operations.change(
                session, actor_of(ana), item, project, change, version=item.record.version, now=NOW, via="test"
            )
            page = await listed(session, actor_of(ana), read_filters(["issues"]), now=NOW)
            assert references(page) == expected, change


def test_the_step_that_brought_the_places_finds_those_that_the_program_notes(filled_url: str) -> None:
    def places(connection: Connection) -> list[Any]:
        query = text("SELECT id, place, kind_rank FROM record WHERE workspace_id = :of ORDER BY id")
        return [*connection.execute(query, {"of": WORKSPACE})]

    noted = asyncio.run(ask(filled_url, places))

    migrate.downgrade(filled_url, "0023")
    migrate.upgrade(filled_url)

    assert len({row.place for row in noted}) > 3
    assert len({row.kind_rank for row in noted}) > 3
    assert asyncio.run(ask(filled_url, places)) == noted
