"""What a list holds and in which order, asked of both databases."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from models import operations
from models.database import Database
from models.filters import Filters, read_filters
from models.kinds import KINDS, Kind
from models.kinds.action import ACTION
from models.kinds.decision import DECISION
from models.kinds.issue import ISSUE, Severity
from models.kinds.risk import RISK, RiskEnd
from models.permissions import actor_of
from models.tables import Person
from reports.work import Page, listed
from tests.support import NOW, WORKSPACE, make_channel, make_person, make_project, make_record, make_workspace

TODAY = NOW.date()  # a Monday

ITEMS: tuple[tuple[Kind, dict[str, Any]], ...] = (
    (RISK, {"title": "Slight", "probability": 1, "impact": 2, "due_date": TODAY}),
    (RISK, {"title": "Unknown", "probability": 5, "tags": "pilot"}),
    (RISK, {"title": "Grave", "probability": 5, "impact": 4, "owner_id": "UBEN"}),
    (RISK, {"title": "Grave and soon", "probability": 4, "impact": 5, "due_date": TODAY + timedelta(days=1)}),
    (ISSUE, {"title": "Minor", "severity": Severity.MINOR, "due_date": TODAY}),
    (ISSUE, {"title": "Somehow"}),
    (ISSUE, {"title": "Critical", "severity": Severity.CRITICAL}),
    (ACTION, {"title": "Later", "due_date": TODAY + timedelta(days=30), "tags": "wan pilot"}),
    (ACTION, {"title": "High Sunday", "due_date": TODAY + timedelta(days=6), "priority": "high"}),
    (ACTION, {"title": "Next Monday 50% off_er", "due_date": TODAY + timedelta(days=7), "owner_id": "UANA"}),
    (DECISION, {"title": "Use ÄRGER fibre"}),
)


async def fill(database: Database) -> Person:
    """The items above in Ana's project, where Ben is too."""
    async with database.unit(WORKSPACE) as session:
        await make_workspace(session)
        ana, ben = await make_person(session), await make_person(session, "ben")
        await make_project(session, by=ana, channel=await make_channel(session, members=[ana, ben]))
        for kind, values in ITEMS:
            await make_record(session, kind, by=ana, **values)
        return ana


async def asked(
    database: Database, line: str | Filters, by: Person, *, now: Any = NOW, number: int = 0, size: int = 20
) -> Page:
    filters = read_filters([line]) if isinstance(line, str) else line
    async with database.unit(WORKSPACE, writes=False) as session:
        return await listed(session, actor_of(by), filters, now=now, number=number, size=size)


def titles(page: Page) -> list[str]:
    return [line.item.record.title for line in page.lines]


ANSWERS: Sequence[tuple[str, list[str]]] = (
    ("risks", ["Grave and soon", "Grave", "Slight", "Unknown"]),
    ("issues", ["Critical", "Minor", "Somehow"]),
    ("actions", ["High Sunday", "Next Monday 50% off_er", "Later"]),
    (">=12", ["Grave and soon", "Grave"]),
    ("<12", ["Slight"]),
    ("risks =20 @me", []),
    ("high", ["High Sunday"]),
    ("nobody risks", ["Grave and soon", "Slight", "Unknown"]),
    ("@me", ["Next Monday 50% off_er"]),
    ("actions @me @b @c @d @e @f", ["Next Monday 50% off_er"]),
    ("due today", ["Slight", "Minor"]),
    ("due this week", ["Slight", "Minor", "Grave and soon", "High Sunday"]),
    ("no date risks", ["Grave", "Unknown"]),
    ("overdue", []),
    ("#pilot", ["Later", "Unknown"]),
    ("#Pilot #wan", ["Later"]),
    ("#pil", []),
    ('"ärger"', ["Use ÄRGER fibre"]),
    ('"50% OFF_"', ["Next Monday 50% off_er"]),
    ('"grave" "soon"', ["Grave and soon"]),
    ("proposed", ["Use ÄRGER fibre"]),
    ("closed", []),
    ("waiting on me", ["Use ÄRGER fibre"]),
)


async def test_a_list_holds_what_was_asked_for_and_what_matters_for_its_kind_comes_first(database: Database) -> None:
    ana = await fill(database)

    for line, expected in ANSWERS:
        assert titles(await asked(database, line, ana)) == expected, line


async def test_overdue_and_waiting_follow_the_day_of_the_projects_own_zone(database: Database) -> None:
    ana = await fill(database)
    late_evening = NOW.replace(hour=22, minute=59)  # still Monday in Berlin
    after_midnight = NOW.replace(hour=23, minute=1)  # Tuesday there, Monday in UTC

    assert titles(await asked(database, "overdue", ana, now=late_evening)) == []
    assert titles(await asked(database, "overdue", ana, now=after_midnight)) == ["Slight", "Minor"]
    in_a_fortnight = NOW + timedelta(days=14)
    assert titles(await asked(database, "waiting on me", ana, now=in_a_fortnight)) == [
        "Next Monday 50% off_er",
        "Use ÄRGER fibre",
    ]


async def test_decisions_wait_for_their_coordinator_and_where_there_is_none_for_an_admin(database: Database) -> None:
    ana = await fill(database)
    async with database.unit(WORKSPACE) as session:
        ben = await make_person(session, "ben", is_admin=True)
        guest = await make_person(session, "guest", is_guest=True)
        orphan = await make_project(session, by=guest, channel=await make_channel(session, "side", members=[guest]))
        await make_record(session, DECISION, project=orphan, by=guest, title="Nobody leads here")

    assert titles(await asked(database, "waiting on me", ana)) == ["Use ÄRGER fibre"]
    assert titles(await asked(database, "waiting on me", ben)) == ["Nobody leads here"]
    assert titles(await asked(database, "waiting on me", guest)) == []


async def test_pages_follow_the_order_of_the_kind_and_closed_ones_the_day_they_were_closed(database: Database) -> None:
    ana = await fill(database)
    pages = [await asked(database, "risks", ana, number=number, size=2) for number in (0, 1)]
    async with database.unit(WORKSPACE) as session:
        for minutes, number in enumerate((2, 1, 3)):
            item, project = await operations.find(session, actor_of(ana), RISK, number)
            now = NOW + timedelta(minutes=minutes)
            close = RISK.steps[0]
            await operations.take_step(
                session, actor_of(ana), item, project, close, now=now, via="test", answer=RiskEnd.MITIGATED
            )

    assert [titles(page) for page in pages] == [["Grave and soon", "Grave"], ["Slight", "Unknown"]]
    assert titles(await asked(database, "closed", ana)) == ["Grave", "Slight", "Unknown"]
    assert titles(await asked(database, "risks all", ana)) == ["Grave and soon", "Grave", "Slight", "Unknown"]


async def test_a_list_never_holds_what_its_reader_may_not_see(database: Database) -> None:
    await fill(database)
    async with database.unit(WORKSPACE) as session:
        kim = await make_person(session, "kim")
        hidden = await make_channel(session, "hidden", members=[kim], is_private=True)
        secret = await make_project(session, by=kim, channel=hidden)
        for kind in KINDS:
            await make_record(session, kind, project=secret, by=kim, title="Secret", due_date=TODAY)
        stranger = await make_person(session, "stranger", is_external=True)
        ben = await make_person(session, "ben")

    for line in ("", "all", "risks", "everywhere", "waiting on me", "due today", '"secret"', "@UKIM"):
        filters = Filters(owners=("UKIM",)) if line == "@UKIM" else read_filters([line])
        assert "Secret" not in titles(await asked(database, filters, ben)), line
        assert titles(await asked(database, filters, stranger)) == [], line


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_page_takes_as_many_statements_however_many_records_there_are(database: Database) -> None:
    ana = await fill(database)
    statements: list[str] = []
    event.listen(database.engine.sync_engine, "before_cursor_execute", lambda *about: statements.append(about[2]))

    async def counted(line: str) -> int:
        statements.clear()
        await asked(database, line, ana, size=5)
        return len([statement for statement in statements if statement.startswith("SELECT")])

    lines = ("", "risks", "overdue", "waiting on me", 'risks >=1 due this week "a"', "all")
    before = [await counted(line) for line in lines]
    async with database.unit(WORKSPACE) as session:
        for kind, values in ITEMS * 2:
            await make_record(session, kind, by=ana, **values)

    # Zones, count, page, and the kinds' own rows on it.
    assert max(before) <= 3 + len(KINDS)
    assert max([await counted(line) for line in lines]) <= 3 + len(KINDS)
    assert await counted("risks") == 4
