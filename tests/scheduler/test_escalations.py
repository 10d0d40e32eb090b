"""Whom a record climbs to, and when: the rules alone, and the clock's work over days without a Slack in between."""

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import comments, escalations, operations, projects
from models.absences import Leave
from models.database import Database
from models.kinds import Item
from models.kinds.action import ACTION
from models.kinds.risk import RISK, ResponseStrategy
from models.ladder import LATE_LIMIT, after_grace, asking_hour, first_concern, hour_of, rungs_left
from models.permissions import actor_of
from models.recurrences import exists
from models.tables import (
    Absence,
    Act,
    Delivery,
    DeliveryState,
    Escalation,
    History,
    Mute,
    Person,
    Project,
    Record,
    Rung,
)
from models.working_days import is_working_day
from reports.escalations import climbing
from scheduler.deliveries import Draft, drawn
from scheduler.notices.escalation import ASK, ESCALATION
from tests.support import (
    NOW,
    WORKSPACE,
    make_channel,
    make_person,
    make_project,
    make_record,
    make_workspace,
    undo,
)
from views.blocks import Message

on_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

# NOW is Monday 2 March 2026, 09:00 UTC; the project and most people are in Berlin, where the clocks change on the 29th.
DUE = date(2026, 3, 3)
ZONES = sorted(zone for zone in available_timezones() if "/" in zone)


def a_project(**values: Any) -> Project:
    base: dict[str, Any] = {"name": "Move", "timezone": "Europe/Berlin", "created_by": "UANA", "home_channel_id": "C1"}
    return Project(**(base | {"created_at": NOW} | values))


def a_person(id: str, zone: str = "Europe/Berlin") -> Person:
    return Person(workspace_id=WORKSPACE, id=id, name=id.lower(), real_name=id, timezone=zone)


def a_record(**values: Any) -> Record:
    return Record(
        **{"channel_id": "C1", "kind": "action", "number": 1, "title": "T", "status": "open", "raised_by": "UANA"}
        | {"project_id": 1, "created_at": NOW, "updated_at": NOW}
        | values
    )


names = st.sampled_from(["UANA", "UBEN", "UKAVYA", None])


@given(
    owner=names,
    deputy=names,
    coordinator=names,
    sponsor=names,
    away=st.sets(st.sampled_from(["UANA", "UBEN", "UKAVYA"])),
    above=st.sampled_from([None, *list(Rung)[:4]]),
)
def test_nobody_is_asked_twice_or_while_away_and_never_downwards(
    owner: str | None, deputy: str | None, coordinator: str | None, sponsor: str | None, away: set[str], above: Any
) -> None:
    """Whoever is who."""
    absences = {
        each: Leave((Absence(person_id=each, first_day=DUE, last_day=DUE, deputy_id=deputy, created_at=NOW),))
        for each in away
    }
    record, project = a_record(owner_id=owner), a_project(coordinator_id=coordinator, sponsor_id=sponsor)

    left = rungs_left(record, project, absences, above=above, asked=("UANA",))

    people = [person_id for _, person_id in left]
    assert len(people) == len(set(people))
    assert not {"UANA", None, *away} & set(people)
    assert [rung.rank for rung, _ in left] == sorted({rung.rank for rung, _ in left})
    assert all(above is None or rung.rank > above.rank for rung, _ in left)
    assert all(person_id == owner for rung, person_id in left if rung is Rung.OWNER)
    assert owner in away or Rung.DEPUTY not in {rung for rung, _ in left}


@given(
    zone=st.sampled_from(ZONES),
    projects_zone=st.sampled_from(ZONES),
    hours=st.integers(0, 2 * 366 * 24),
    lead=st.integers(-40, 40),
    wants_digest=st.booleans(),
    days=st.lists(st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), min_size=1, unique=True),
)
@example(zone="Pacific/Apia", projects_zone="UTC", hours=0, lead=0, wants_digest=True, days=["fri"])
def test_people_are_asked_at_their_hour_on_a_working_day_neither_early_nor_too_late(
    zone: str, projects_zone: str, hours: int, lead: int, wants_digest: bool, days: list[str]
) -> None:
    """In any two zones, on either side of any clock change."""
    now = NOW + timedelta(hours=hours)
    project = a_project(timezone=projects_zone, working_days=" ".join(days))
    ready = now + timedelta(hours=lead)

    ben = a_person("UBEN", zone)
    ben.wants_digest = wants_digest

    at = asking_hour(ben, project, ready, now)

    local = at.astimezone(ZoneInfo(zone))
    assert at >= ready
    assert at > now - LATE_LIMIT
    assert at < max(ready, now) + timedelta(days=9)
    assert is_working_day(project, local.date())
    assert local.time() >= hour_of(ben)
    assert local.time() == hour_of(ben) or not _is_there(zone, local.date(), hour_of(ben))


def _is_there(zone: str, day: date, hour: time) -> bool:
    """Whether the clock change leaves that hour on that day."""
    at = datetime.combine(day, hour, ZoneInfo(zone))
    return exists(day, zone) and at.astimezone(UTC).astimezone(ZoneInfo(zone)).time() == hour


@given(zone=st.sampled_from(ZONES), hours=st.integers(0, 366 * 24), grace=st.integers(1, 10))
def test_grace_is_so_many_working_days_of_the_project(zone: str, hours: int, grace: int) -> None:
    """Counted by hand."""
    project = a_project(timezone=zone, grace_days=grace)
    asked = NOW + timedelta(hours=hours)

    ready = after_grace(project, asked).astimezone(ZoneInfo(zone))

    first = asked.astimezone(ZoneInfo(zone)).date()
    while first.weekday() > 4:
        first += timedelta(days=1)
    between = [first + timedelta(days=n) for n in range(1, (ready.date() - first).days + 1)]
    assert sum(day.weekday() < 5 for day in between) == grace
    assert ready.date().weekday() < 5


def test_what_climbs_and_from_which_day() -> None:
    """Overdue; a high risk without a response, past its review, or whose trigger date has passed; nothing else."""
    project = a_project(grace_days=2)

    def climbs(record: dict[str, Any], **own: Any) -> str | None:
        kind = RISK if own else ACTION
        item = Item(kind, a_record(**record), kind.model(**own))
        found = first_concern(item, project, NOW.date())
        return f"{found[1].key} {found[0]:%d %b}" if found else None

    high = {"probability": 4, "impact": 3}
    assert climbs({"due_date": DUE}) == "overdue 05 Mar"
    assert climbs({"due_date": date(2026, 3, 6)}) == "overdue 10 Mar"
    assert climbs({"due_date": date(2026, 3, 7)}) == "overdue 11 Mar"
    assert climbs({"due_date": date(2026, 2, 2)}) == "overdue 04 Mar"
    assert climbs({}, **high) == "unanswered 04 Mar"
    assert climbs({}, **high, response=ResponseStrategy.ACCEPT) is None
    assert climbs({"status": "accepted"}, **high) is None
    assert climbs({"next_review": DUE}, **high, response=ResponseStrategy.AVOID) == "review 05 Mar"
    assert climbs({"next_review": DUE}, probability=2, impact=5) is None
    assert climbs({}, probability=1, impact=1, trigger_date=DUE) == "expired 05 Mar"
    for silent in ({"is_open": False}, {"is_draft": True}, {"is_archived": True}, {"due_date": None}):
        assert climbs({"due_date": DUE} | silent) is None
    for off in ({"escalates": False}, {"archived_at": NOW}):
        project = a_project(**off)
        assert climbs({"due_date": DUE}) is None


class Days:
    """A workspace whose clock is moved from one thing to do to the next; `asked` is (when, whom, which records)."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = NOW
        self.asked: list[tuple[str, str, str]] = []
        self.refused: dict[str, str] = {}
        self.words: list[str] = []

    async def until(self, day: int, hour: int = 23) -> None:
        """Up to that hour of a day of March 2026, in Berlin."""
        end = datetime.combine(date(2026, 3, 1) + timedelta(days=day - 1), time(hour), ZoneInfo("Europe/Berlin"))
        while True:
            async with self.database.unit(WORKSPACE) as session:
                await escalations.advance(session, self.now)
                await self._send(session)
                following = await escalations.next_at(session)
            assert following is None or following >= self.now
            if following is None or following > end:
                self.now = end.astimezone(UTC)
                return
            self.now = following

    async def _send(self, session: AsyncSession) -> None:
        """What the sender does, without Slack."""
        query = select(Delivery).where(
            col(Delivery.kind) == ESCALATION.key,
            col(Delivery.state) == DeliveryState.DUE,
            col(Delivery.due_at) <= self.now,
        )
        for row in (await session.exec(query.order_by(col(Delivery.id)))).all():
            assert ESCALATION.sent
            assert ESCALATION.failed
            row.state, row.last_error = DeliveryState.SENT, self.refused.get(row.target)
            draft = await drawn(session, row, ESCALATION, now=self.now)
            if draft is not None and row.last_error:
                await ESCALATION.failed(session, row, self.now)
            elif draft is not None:
                self.asked.append((f"{self.now:%d %b %H:%M}", row.target, await self._references(session, draft)))
                self.words += draft.told.values()
                await ESCALATION.sent(session, row, draft, self.now)
            await session.flush()

    async def _references(self, session: AsyncSession, draft: Draft) -> str:
        query = select(Record).join(Escalation, col(Escalation.record_id) == col(Record.id))
        found = await session.exec(query.where(col(Escalation.id).in_(draft.told)).order_by(col(Record.number)))
        return " ".join(f"{record.kind[0].upper()}{record.number}" for record in found)


async def begin(database: Database, **values: Any) -> Project:
    """Ana coordinates the project, Eva sponsors it; Ben and Dan are members."""
    async with database.unit(WORKSPACE) as session:
        await make_workspace(session)
        ana = await make_person(session, "ana")
        for name in ("ben", "dan", "eva"):
            await make_person(session, name)
        project = await make_project(session, by=ana)
        await change(session, project, NOW, sponsor_id="UEVA", **values)
        return project


async def change(session: AsyncSession, project: Project, now: datetime, **values: Any) -> None:
    ana = await make_person(session, "ana")
    found = await projects.find(session, actor_of(ana), project.id or 0)
    await projects.change_settings(session, actor_of(ana), found, values, version=found.version, now=now)


async def log(database: Database, project: Project, *owners: str, **values: Any) -> None:
    async with database.unit(WORKSPACE) as session:
        for owner in owners:
            await make_record(session, ACTION, project=project, owner_id=owner or None, **({"due_date": DUE} | values))


async def away(database: Database, person_id: str, first: int, last: int, deputy_id: str | None) -> None:
    days = [date(2026, 3, day) for day in (first, last)]
    async with database.unit(WORKSPACE) as session:
        session.add(
            Absence(person_id=person_id, first_day=days[0], last_day=days[1], deputy_id=deputy_id, created_at=NOW)
        )


async def test_the_whole_ladder_and_its_end(database: Database) -> None:
    """Owner, coordinator, sponsor, two working days each; over a weekend; then it rests."""
    project = await begin(database)
    await log(database, project, "UBEN")
    days = Days(database)

    await days.until(31)

    assert days.asked == [
        ("05 Mar 08:00", "UBEN", "A1"),
        ("09 Mar 08:00", "UANA", "A1"),
        ("11 Mar 08:00", "UEVA", "A1"),
    ]
    async with database.unit(WORKSPACE) as session:
        steps = (await session.exec(select(Escalation).order_by(col(Escalation.id)))).all()
        notes = (await session.exec(select(History).where(col(History.act) == Act.ASKED))).all()
        climbs, more = await climbing(session, actor_of(await make_person(session, "dan")), at_most=5)
    assert [step.rung for step in steps] == [Rung.OWNER, Rung.COORDINATOR, Rung.SPONSOR, Rung.NOBODY]
    assert notes[-1].note == escalations.AT_END
    assert [(climb.item.reference, len(climb.steps)) for climb in climbs] == [("A1", 4)]
    assert more == 0


async def test_two_workers_at_the_same_moment_plan_a_step_once(database: Database) -> None:
    """One takes the record, the other finds nothing to do."""
    project = await begin(database)
    await log(database, project, "UBEN", "UDAN")

    async def tick() -> None:
        async with database.unit(WORKSPACE) as session:
            await escalations.advance(session, datetime(2026, 3, 5, 8, tzinfo=UTC))

    await asyncio.gather(*(tick() for _ in range(4)))

    async with database.unit(WORKSPACE) as session:
        steps = (await session.exec(select(Escalation.record_id).order_by(col(Escalation.id)))).all()
    assert sorted(steps) == [1, 2]


@on_sqlite
async def test_a_deputy_stands_in_and_whoever_is_both_is_asked_once(database: Database) -> None:
    """An owner away with a deputy, one away without, an owner who coordinates, a coordinator away with a deputy."""
    project = await begin(database)
    await log(database, project, "UBEN", "UDAN", "UANA")
    await away(database, "UBEN", 1, 20, "UDAN")
    days = Days(database)

    await days.until(5)
    await away(database, "UANA", 9, 9, "UBEN")
    await away(database, "UDAN", 9, 9, None)
    await days.until(12)

    # Ben stands in for Ana, but is away himself.
    assert sorted(days.asked) == [
        ("05 Mar 08:00", "UANA", "A3"),
        ("05 Mar 08:00", "UDAN", "A1 A2"),
        ("09 Mar 08:00", "UEVA", "A1 A2 A3"),
    ]


@on_sqlite
async def test_a_lead_who_is_away_has_a_stand_in_and_an_undone_record_is_left_alone(database: Database) -> None:
    """Who stands in is told for whom; what has no owner goes to the coordinator at once."""
    project = await begin(database)
    await log(database, project, *[""] * 2)
    await away(database, "UANA", 1, 20, "UDAN")
    days = Days(database)
    await days.until(5)
    async with database.unit(WORKSPACE) as session:
        ana = actor_of(await make_person(session, "ana"))
        item, here = await operations.find(session, ana, ACTION, 2)
        await undo(session, ana, item, here, version=1, now=days.now)
    await days.until(9)

    assert [(who, what) for _, who, what in days.asked] == [("UDAN", "A1 A2"), ("UEVA", "A1")]
    assert "You stand in for Ana Example, who is away. A1 “One action to look at” was due" in days.words[0]
    assert "It has no owner. Could you find somebody for it" in days.words[0]
    async with database.unit(WORKSPACE) as session:
        (ended,) = (await session.exec(select(Escalation).where(col(Escalation.ended_at).is_not(None)))).all()
    assert (ended.record_id, ended.ended_by) == (2, "UANA")


@on_sqlite
async def test_a_lead_is_told_that_slack_would_not_deliver_their_question(database: Database) -> None:
    """Once, with what to do."""
    project = await begin(database)
    await log(database, project, "UBEN")
    async with database.unit(WORKSPACE) as session:
        ana = actor_of(await make_person(session, "ana"))
        item, here = await operations.find(session, ana, ACTION, 1)
        await escalations.ask_owner(session, ana, item, here, "What is missing?", "Ben", now=NOW)
        (question,) = (await session.exec(select(Delivery).where(col(Delivery.kind) == ASK.key))).all()
        assert await ASK.draw(session, question, NOW) is not None
        assert ASK.failed
        await ASK.failed(session, question, NOW)
        (told,) = (await session.exec(select(Delivery).where(col(Delivery.kind) == "word"))).all()

    assert told.target == "UANA"
    assert "would not let me write to Ben Example about A1" in told.payload["sentence"]


@on_sqlite
async def test_holidays_and_a_clock_change_count_as_they_should(database: Database) -> None:
    """The project is free on the 30th, the clocks change on the 29th: nine o'clock is an hour earlier in UTC."""
    project = await begin(database, days_off="2026-03-30")
    await log(database, project, "UBEN", due_date=date(2026, 3, 26))
    days = Days(database)

    await days.until(31)

    assert days.asked == [("31 Mar 07:00", "UBEN", "A1")]


@on_sqlite
async def test_a_private_project_asks_only_who_may_see_it(database: Database) -> None:
    """A coordinator who left the channel is passed over, and so is a guest who is not in it."""
    async with database.unit(WORKSPACE) as session:
        await make_workspace(session)
        ana, ben = await make_person(session, "ana"), await make_person(session, "ben")
        eva = await make_person(session, "eva")
        channel = await make_channel(session, "board", is_private=True, members=[ana, ben, eva])
        project = await make_project(session, by=ana, channel=channel)
        await change(session, project, NOW, sponsor_id="UEVA")
        await make_record(session, ACTION, project=project, owner_id="UBEN", due_date=DUE)
        await make_channel(session, "board", is_private=True, members=[ben, eva])
    days = Days(database)

    await days.until(20)

    assert [(who, what) for _, who, what in days.asked] == [("UBEN", "A1"), ("UEVA", "A1")]


@on_sqlite
async def test_many_records_of_one_person_come_in_one_message_a_day(database: Database) -> None:
    """Ten at most, the oldest first; the rest on the next working day."""
    project = await begin(database)
    await log(database, project, *["UBEN"] * 12)
    days = Days(database)

    await days.until(6)

    assert [(when, len(what.split())) for when, _, what in days.asked] == [("05 Mar 08:00", 10), ("06 Mar 08:00", 2)]


@on_sqlite
async def test_downtime_delays_and_repeats_nothing(database: Database) -> None:
    """Four hours late is still today; later than that waits for the next working day; a week is one question."""
    project = await begin(database)
    await log(database, project, "UBEN", due_date=date(2026, 3, 5))
    await log(database, project, "UDAN")
    days = Days(database)

    await days.until(5, hour=8)
    days.now += timedelta(hours=4, minutes=30)
    await days.until(5)
    days.now += timedelta(days=7)
    await days.until(13)

    assert sorted(days.asked) == [
        ("05 Mar 11:30", "UDAN", "A2"),
        ("13 Mar 08:00", "UANA", "A2"),
        ("13 Mar 08:00", "UBEN", "A1"),
    ]


@on_sqlite
async def test_a_word_ends_it_and_an_undo_plans_it_again(database: Database) -> None:
    """A comment costs the record no version; what is done by mistake is asked about again, from its owner on."""
    project = await begin(database)
    await log(database, project, "UBEN", "UBEN")
    days = Days(database)
    await days.until(5)

    async with database.unit(WORKSPACE) as session:
        ben = actor_of(await make_person(session, "ben"))
        first, here = await operations.find(session, ben, ACTION, 1)
        await comments.add(session, ben, first, here, "On it", now=days.now)
        second, _ = await operations.find(session, ben, ACTION, 2)
        done = next(step for step in ACTION.steps if step.is_main)
        await operations.take_step(session, ben, second, here, done, now=days.now, via="test")
        planned = second.record.climb_at
        await undo(session, ben, second, here, version=second.record.version, now=days.now)
        assert first.record.version == 1
    await days.until(9)

    assert planned is None
    assert days.asked == [("05 Mar 08:00", "UBEN", "A1 A2"), ("09 Mar 08:00", "UBEN", "A1 A2")]
    async with database.unit(WORKSPACE) as session:
        ended = (await session.exec(select(Escalation).where(col(Escalation.ended_at).is_not(None)))).all()
    assert [step.ended_by for step in ended] == ["UBEN", "UBEN"]


@on_sqlite
async def test_changed_settings_plan_the_records_of_the_project_anew(database: Database) -> None:
    """Less grace, switched off, on again, and a coordinator named after nobody was left."""
    project = await begin(database, grace_days=5)
    await log(database, project, "UBEN")
    days = Days(database)

    async def now_set(**values: Any) -> None:
        async with database.unit(WORKSPACE) as session:
            await change(session, project, days.now, **values)

    await days.until(5)
    await now_set(grace_days=1)
    await days.until(6)
    await now_set(escalates=False)
    await days.until(16)
    await now_set(escalates=True, sponsor_id=None)
    await days.until(20)
    await now_set(sponsor_id="UEVA")
    await days.until(24)

    assert days.asked == [
        ("06 Mar 08:00", "UBEN", "A1"),
        ("17 Mar 08:00", "UBEN", "A1"),
        ("18 Mar 08:00", "UANA", "A1"),
        ("23 Mar 08:00", "UEVA", "A1"),
    ]


@on_sqlite
async def test_who_takes_no_messages_is_passed_over_but_nobody_when_slack_takes_none_of_ours(
    database: Database,
) -> None:
    """The next one is asked at their next hour; without a token the same one is asked on another day."""
    project = await begin(database)
    await log(database, project, "UBEN")
    await log(database, project, "UDAN")
    days = Days(database)
    days.refused = {"UBEN": "cannot_dm_bot", "UDAN": "token_revoked"}

    await days.until(5)
    days.refused = {}
    await days.until(6)

    assert days.asked == [("05 Mar 08:00", "UANA", "A1"), ("06 Mar 08:00", "UDAN", "A2")]


@on_sqlite
async def test_quiet_hours_the_cap_on_nags_and_a_mute_are_respected(database: Database) -> None:
    """Quiet hours move it, a day that is full leaves it to the next, a muted record goes on to the coordinator."""
    project = await begin(database)
    await log(database, project, "UBEN")
    await log(database, project, "UDAN")
    await log(database, project, "UEVA")
    async with database.unit(WORKSPACE) as session:
        ben, dan = await make_person(session, "ben"), await make_person(session, "dan")
        ben.quiet_from, ben.quiet_until, dan.nags_a_day = time(20), time(11), 1
        nag = {"dedupe_key": "nag", "lane": "nag", "target": "UDAN", "is_nag": True, "state": DeliveryState.SENT}
        session.add(Delivery(kind="due_soon", due_at=datetime(2026, 3, 5, 7, tzinfo=UTC), **nag))
        muted, _ = await operations.find(session, actor_of(ben), ACTION, 3)
        session.add_all([ben, dan, Mute(person_id="UEVA", record_id=muted.record.id, at=NOW)])
    days = Days(database)

    await days.until(6)

    assert sorted(days.asked) == [
        ("05 Mar 08:00", "UANA", "A3"),
        ("05 Mar 10:00", "UBEN", "A1"),
        ("06 Mar 08:00", "UDAN", "A2"),
    ]


@on_sqlite
async def test_who_takes_no_nags_is_passed_over_and_holds_nothing_up(database: Database) -> None:
    project = await begin(database)
    await log(database, project, "UBEN")
    async with database.unit(WORKSPACE) as session:
        (await make_person(session, "ben")).nags_a_day = 0
    days = Days(database)

    await days.until(5)

    assert days.asked == [("05 Mar 08:00", "UANA", "A1")]


@on_sqlite
@pytest.mark.parametrize("is_found", [True, False])
async def test_what_may_have_arrived_counts_as_asked(database: Database, is_found: bool) -> None:
    """Whether it was found in Slack afterwards or nobody can say: the next one is asked, and Ben not again."""
    project = await begin(database)
    await log(database, project, "UBEN")
    days, now = Days(database), datetime(2026, 3, 5, 8, tzinfo=UTC)
    async with database.unit(WORKSPACE) as session:
        await escalations.advance(session, now)
        (row,) = (await session.exec(select(Delivery).where(col(Delivery.kind) == ESCALATION.key))).all()
        row.state = DeliveryState.UNCONFIRMED
        assert ESCALATION.sent
        assert ESCALATION.unsure
        if is_found:
            await ESCALATION.sent(session, row, Draft("post", "UBEN", Message("Found", [])), now)
        else:
            await ESCALATION.unsure(session, row, now)
    days.now = now

    await days.until(10)

    assert days.asked == [("09 Mar 08:00", "UANA", "A1")]


@on_sqlite
async def test_what_was_answered_in_the_last_moment_is_not_asked(database: Database) -> None:
    """Between planning and drawing, and between drawing and Slack's answer."""
    project = await begin(database)
    await log(database, project, "UBEN", "UBEN")
    now = datetime(2026, 3, 5, 9, tzinfo=UTC)
    async with database.unit(WORKSPACE) as session:
        await escalations.advance(session, now)
        (row,) = (await session.exec(select(Delivery).where(col(Delivery.kind) == ESCALATION.key))).all()
        ben = actor_of(await make_person(session, "ben"))
        for number, seconds in ((1, 1), (2, 2)):
            item, here = await operations.find(session, ben, ACTION, number)
            at = now + timedelta(seconds=seconds)
            draft = await ESCALATION.draw(session, row, at)
            assert draft is not None
            assert len(draft.told) == 3 - number
            await operations.change(
                session, ben, item, here, {"title": f"Later {number}"}, version=1, now=at, via="test"
            )
        assert ESCALATION.sent
        await ESCALATION.sent(session, row, draft, now + timedelta(seconds=3))
        records = (await session.exec(select(Record))).all()
        steps = (await session.exec(select(Escalation).where(col(Escalation.asked_at).is_not(None)))).all()
        again = (await session.exec(select(Delivery).where(col(Delivery.kind) == escalations.AGAIN))).all()

    assert [record.climb_rung for record in records] == [None, None]
    assert [each.payload for each in again] == [{"of": row.id}], "it is said in the message, which has buttons for it"
    assert [step.ended_at is not None for step in steps] == [True]
    assert isinstance(draft.message, Message)
