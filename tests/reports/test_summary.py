"""The weekly numbers, counted by the database, against a recount in plain Python over a project's made-up past."""

import os
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, true
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import operations, undoing
from models.clock import today_in
from models.database import Database
from models.items import with_own_rows
from models.kinds import KINDS, Item
from models.kinds.issue import ISSUE, Severity
from models.kinds.risk import HIGH, RISK
from models.labels import Priority
from models.moves import Destination
from models.permissions import actor_of
from models.summaries import Period
from models.tables import Person, Project, Record
from reports.summary import (
    CRITICAL,
    DECIDED,
    DROPPED,
    STARTED,
    UNDECIDED,
    URGENT,
    WEEK,
    Colour,
    Numbers,
    Summary,
    judged,
    summary,
)
from tests.support import (
    NOW,
    WORKSPACE,
    FixedClock,
    make_channel,
    make_person,
    make_project,
    make_record,
    make_workspace,
)

DAYS = 35
ACTS = 50
EVERYTHING = true()

# One made-up past for each database; a soak tries as many as it is told.
SEEDS = range(1, 1 + int(os.environ.get("SUMMARY_SEEDS", "1")))


@dataclass(frozen=True)
class Shot:
    """One record as it was at an instant."""

    at: datetime
    kind: str
    status: str
    due: date | None
    priority: Priority
    points: int | None
    severity: str | None
    is_archived: bool


Past = dict[int, list[Shot]]


def shot(item: Item, at: datetime) -> Shot:
    record = item.record
    points = None
    if item.kind is RISK and item.value("probability") and item.value("impact"):
        points = item.value("probability") * item.value("impact")
    severity = item.value("severity") if item.kind is ISSUE else None
    return Shot(
        at, item.kind.key, record.status, record.due_date, record.priority, points, severity, record.is_archived
    )


async def live(database: Database, seed: int) -> tuple[Past, Project]:
    """Five weeks of a project in which people log, re-date, score, move on, remove and undo."""
    chance, clock, past = random.Random(seed), FixedClock(), Past()
    async with database.unit(WORKSPACE) as session:
        await make_workspace(session)
        ana = await make_person(session)
        project = await make_project(session, by=ana)
    for _ in range(ACTS):
        now = clock.move(minutes=chance.randrange(60, 60 * 24 * DAYS * 2 // ACTS))
        async with database.unit(WORKSPACE) as session:
            await something(session, chance, ana, project, past, now)
            for item in await everything(session):
                past.setdefault(item.record.id or 0, []).append(shot(item, now))
    return past, project


async def something(
    session: AsyncSession, chance: random.Random, ana: Person, project: Project, past: Past, now: datetime
) -> None:
    """One act of somebody's day."""
    actor, today = actor_of(ana), today_in(project.timezone, now)
    days = [None, *(today + timedelta(days=ahead) for ahead in (0, 1, 3, 8, 15, 30))]
    values: dict[str, Any] = {"due_date": chance.choice(days), "priority": chance.choice(list(Priority))}
    scores = {"probability": chance.choice([1, 3, 5]), "impact": chance.choice([2, 4, 5])}
    if len(past) < 8 or chance.random() < 0.25:
        kind = chance.choice(KINDS)
        scored: dict[str, Any] = scores if kind is RISK and chance.random() < 0.7 else {}
        scored |= {"severity": chance.choice(list(Severity))} if kind is ISSUE else {}
        await make_record(session, kind, project=project, by=ana, now=now, **values, **scored)
        return
    item = chance.choice([each for each in await everything(session) if each.record.id in past])
    act = chance.random()
    steps = item.kind.steps_from(item.record.status)
    if act < 0.5 and steps and not item.record.is_archived:
        step = chance.choice(steps)
        choices = item.kind.choices_of(step)
        answer = chance.choice(list(choices)) if choices else None
        await operations.take_step(
            session, actor, item, project, step, now=now, via="test", note="because", answer=answer
        )
    elif act < 0.65:
        if change := await undoing.last_of(session, actor):
            await undoing.take_back(session, actor, change, now=now, via="test")
    elif item.kind.is_editable(item) and not item.record.is_archived:
        changed = values | (scores if item.kind is RISK else {})
        version = item.record.version
        await operations.change(session, actor, item, project, changed, version=version, now=now, via="test")


async def everything(session: AsyncSession) -> list[Item]:
    """Every record, removed ones too."""
    query = select(Record, Project).join(Project, col(Project.id) == col(Record.project_id)).order_by(col(Record.id))
    return [item for item, _ in await with_own_rows(session, list((await session.exec(query)).all()))]


def at(shots: Sequence[Shot], moment: datetime) -> Shot | None:
    """The record as it was then; None before it was logged."""
    return next((each for each in reversed(shots) if each.at <= moment), None)


def recount(past: Past, project: Project, end: datetime) -> Numbers:
    closed = {kind.key: {str(status.value) for status in kind.closed} for kind in KINDS}
    today, begin = today_in(project.timezone, end), end - WEEK
    totals = dict.fromkeys(asdict(Numbers()), 0)
    for shots in past.values():
        now, before = at(shots, end), at(shots, begin)
        if now is None or shots[-1].is_archived:
            continue
        is_open = now.status not in closed[now.kind]
        was_open = before is not None and before.status not in closed[before.kind]
        is_new = before is None
        late = (today - now.due).days if is_open and now.due else 0
        decision, risk, issue = (now.kind == kind for kind in ("decision", "risk", "issue"))
        needed = decision and now.status in UNDECIDED
        truths = {
            "open": is_open,
            "raised": is_new,
            "done": not is_open and (is_new or was_open) and not decision and now.status not in DROPPED,
            "started": now.status in STARTED and (before is None or before.status not in STARTED),
            "slipped": bool(is_open and before and before.due and now.due and now.due > before.due),
            "due_next": bool(is_open and now.due and 0 < (now.due - today).days <= 7),
            "overdue": late > 0,
            "overdue_over_a_week": late > 7,
            "overdue_over_two_weeks": late > 14,
            "overdue_urgent": late > 0 and now.priority in URGENT,
            "risks": is_open and risk,
            "new_risks": is_open and risk and is_new,
            "high_risks": is_open and risk and HIGH <= (now.points or 0) < CRITICAL,
            "critical_risks": is_open and risk and (now.points or 0) >= CRITICAL,
            "issues": is_open and issue,
            "new_issues": is_open and issue and is_new,
            "critical_issues": is_open and issue and now.severity == "1",
            "major_issues": is_open and issue and now.severity == "2",
            "decisions_made": decision and now.status in DECIDED and (before is None or before.status not in DECIDED),
            "decisions_needed": needed,
            "decisions_late": needed and late > 0,
        }
        for key, holds in truths.items():
            totals[key] += holds
    return Numbers(**totals)


async def week_of(session: AsyncSession, project: Project, end: datetime) -> Summary:
    return await summary(session, project, Period(end - WEEK, end), seen=EVERYTHING, lines=5)


def asked(database: Database) -> list[str]:
    """What is asked of the database from now on."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    return seen


@pytest.mark.parametrize("seed", SEEDS)
async def test_the_numbers_are_those_of_a_recount_as_of_any_day(database: Database, seed: int) -> None:
    past, project = await live(database, seed)
    moments = [NOW + timedelta(days=days, hours=days % 7) for days in range(-4, 2 * DAYS, 13)]
    statements = asked(database)

    async with database.unit(WORKSPACE, writes=False) as session:
        for moment in moments:
            statements.clear()
            found = await week_of(session, project, moment)

            # The numbers, the lists, their records, the rows of each kind among them, and the stand-ups.
            assert len(statements) <= 4 + len(KINDS), "\n".join(statements)

            assert found.now == recount(past, project, moment), moment
            assert found.before == recount(past, project, moment - WEEK), moment
            for name, lines in found.lists.items():
                assert len(lines) == min(5, getattr(found.now, name)), name
            assert all(line.due > line.due_before for line in found.lists.get("slipped", ()))
            scores = [line.score or 0 for line in found.lists.get("risks", ())]
            assert scores == sorted(scores, reverse=True)


def test_the_colour_says_why() -> None:
    assert (judged(Numbers()).colour, judged(Numbers(overdue=1)).colour) == (Colour.GREEN, Colour.AMBER)
    assert judged(Numbers(overdue=1)).reasons == ["1 record overdue"]
    assert judged(Numbers(slipped=2, high_risks=1)).reasons == ["2 due dates moved back", "1 high risk open"]
    red = judged(Numbers(overdue=3, overdue_urgent=1, critical_risks=1))
    assert red.colour is Colour.RED
    assert red.reasons == ["1 urgent record overdue", "1 critical risk open"]


def test_three_amber_areas_make_the_whole_red() -> None:
    assert judged(Numbers(overdue=1, slipped=1, high_risks=1)).colour is Colour.AMBER

    whole = judged(Numbers(overdue=1, high_risks=1, major_issues=1))

    assert whole.colour is Colour.RED
    assert whole.reasons[0] == "3 areas are amber"


async def test_a_risk_tells_how_its_score_moved(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        await make_workspace(session)
        ana = await make_person(session)
        item = await make_record(session, RISK, by=ana, probability=3, impact=4)
        found = await operations.find(session, actor_of(ana), RISK, item.record.number)
        later = NOW + timedelta(days=8)
        await operations.change(session, actor_of(ana), *found, {"probability": 4}, version=1, now=later, via="test")

        moved, at_rest, first = [
            (await week_of(session, found[1], NOW + timedelta(days=days))).lists["risks"] for days in (9, 20, 1)
        ]

    assert [(line.score, line.score_before, line.is_new) for line in moved] == [(16, 12, False)]
    assert [(line.score, line.score_before, line.is_new) for line in at_rest] == [(16, 16, False)]
    assert [(line.score, line.score_before, line.is_new) for line in first] == [(12, None, True)]


async def test_what_was_removed_moved_away_or_is_a_draft_counts_nowhere(database: Database) -> None:
    """Removing and moving are of today: no summary of a past week brings a record back into sight."""
    async with database.unit(WORKSPACE) as session:
        await make_workspace(session)
        ana = await make_person(session)
        project = await make_project(session, by=ana)
        other = await make_project(session, by=ana, channel=await make_channel(session, "office", members=[ana]))
        kept, removed, moved, draft = [await make_record(session, RISK, project=project, by=ana) for _ in range(4)]
        now = NOW + timedelta(days=8)
        await operations.archive(session, actor_of(ana), removed, project, now=now, via="test")
        await operations.move(
            session, actor_of(ana), moved, project, Destination(other, other.home_channel_id), now=now, via="test"
        )
        draft.record.is_draft = True
        session.add(draft.record)
        await session.flush()

        then = await week_of(session, project, NOW + timedelta(days=1))
        elsewhere = await week_of(session, other, NOW + timedelta(days=9))

    assert [line.item.reference for line in then.lists["risks"]] == [kept.reference]
    assert (then.now.risks, then.now.raised) == (1, 1)
    assert (elsewhere.now.risks, elsewhere.now.raised) == (1, 0), "moved in, but not new"
