"""Every change of a record: what it stores, what it writes into the history, what it owes, and what it refuses."""

from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import operations
from models.database import Database
from models.errors import Conflict, IllegalTransition, InvalidFields, NotAllowed, NotFound
from models.kinds import KINDS, Item, Kind
from models.kinds.action import ACTION
from models.kinds.assumption import Confidence
from models.kinds.decision import DECISION, Reversibility
from models.kinds.dependency import Confirmation, Direction, Light
from models.kinds.issue import ISSUE, IssueType, Severity
from models.kinds.risk import RISK, Category, Nature, Proximity, ResponseStrategy, RiskEnd
from models.labels import Confidentiality, EscalationLevel, Priority
from models.money import Money
from models.permissions import Actor, actor_of
from models.tables import Act, Delivery, Person, Project
from tests.support import NOW, WORKSPACE, make_channel, make_person, make_project, make_record, undo

FRIDAY = date(2026, 3, 6)
LATER = NOW + timedelta(hours=1)


@dataclass
class Team:
    """A project of Ana's in #move, with Ben in it, Gus as a guest, and Zoe who is not in the channel."""

    session: AsyncSession
    project: Project
    ana: Person
    ben: Person
    gus: Person
    zoe: Person

    async def log(self, kind: Kind = ACTION, *, by: Person | None = None, **values: Any) -> Item:
        return await make_record(self.session, kind, project=self.project, by=by or self.ben, **values)

    async def change(
        self, item: Item, *, by: Person | None = None, version: int | None = None, why_moved: str = "", **values: Any
    ) -> Item:
        return await operations.change(
            self.session,
            actor_of(by or self.ben),
            item,
            self.project,
            values,
            version=version or item.record.version,
            now=LATER,
            via="form",
            why=why_moved,
        )

    async def step(self, item: Item, words: str, *, by: Person | None = None) -> Item:
        """Take the step as `take_step` is called for typed words: the step, its choice, a remark."""
        word, _, note = words.partition(" ")
        step = item.kind.step_named(word)
        assert step is not None
        choices = item.kind.choices_of(step)
        answer, note = choices.at_start(note) if choices else (None, note)
        return await operations.take_step(
            self.session,
            actor_of(by or self.ben),
            item,
            self.project,
            step,
            now=LATER,
            via="button",
            note=note,
            answer=answer,
        )

    async def undo(self, item: Item, *, by: Person | None = None, version: int | None = None) -> None:
        """Undo the change that made the version, the latest one unless another is given."""
        version = version or item.record.version
        await undo(self.session, actor_of(by or self.ben), item, self.project, version=version, now=LATER)

    async def read_again(self, item: Item) -> Item:
        """The record as the database has it."""
        await self.session.flush()
        self.session.expunge(item.record)
        self.session.expunge(item.own)
        return (await operations.find(self.session, actor_of(self.ben), item.kind, item.record.number))[0]

    async def history(self, item: Item) -> list[tuple[Any, ...]]:
        rows = await operations.history(self.session, item)
        return [(row.version, row.actor_id, str(row.act), row.field, row.before, row.after) for row in rows]

    async def owed(self) -> list[tuple[str, str]]:
        rows = await self.session.exec(select(Delivery).order_by(col(Delivery.id)))
        return [(row.dedupe_key, row.target) for row in rows]


@pytest.fixture
async def team(database: Database) -> Any:
    async with database.unit(WORKSPACE) as session:
        ana = await make_person(session, "ana")
        ben = await make_person(session, "ben")
        gus = await make_person(session, "gus", is_guest=True)
        zoe = await make_person(session, "zoe")
        channel = await make_channel(session, members=[ana, ben, gus])
        project = await make_project(session, by=ana, channel=channel)
        yield Team(session, project, ana, ben, gus, zoe)


# What a kind's own fields can hold, for the tests that go through all kinds.
OWN_VALUES: dict[str, dict[str, Any]] = {
    "action": {
        "done_when": "The vendor confirmed in writing",
        "effort": "Two days",
        "repeats": "FREQ=WEEKLY;INTERVAL=1;BYDAY=FR;WKST=MO from 2026-03-06",
        "result": "Signed by both",
    },
    "risk": {
        "probability": 4,
        "impact": 5,
        "impact_schedule": 5,
        "impact_cost": 2,
        "impact_scope": 1,
        "impact_quality": 3,
        "objective": "Open by May",
        "cost": Money(Decimal("1200.50"), "EUR"),
        "contingency_budget": Money(Decimal(90), "JPY"),
        "escalation_level": EscalationLevel.SPONSOR,
        "accepted_by": "UANA",
        "response": ResponseStrategy.TRANSFER,
        "cause": "Only one supplier",
        "effect": "The pilot slips",
        "nature": Nature.THREAT,
        "category": Category.VENDOR,
        "proximity": Proximity.STAGE,
        "trigger_date": date(2026, 4, 1),
        "trigger_sign": "No shipping notice",
        "contingency": "Rent one",
        "residual_probability": 2,
        "residual_impact": 3,
        "closed_as": RiskEnd.EXPIRED,
    },
    "issue": {
        "severity": Severity.MAJOR,
        "workaround": "Use the old VPN",
        "issue_type": IssueType.DEFECT,
        "effect": "Two days lost",
        "schedule_days": 2,
        "cost": Money(Decimal("0.10"), "EUR"),
        "scope_effect": "No second line",
        "quality_effect": "Slower at noon",
        "decide_by": FRIDAY,
        "escalation_level": EscalationLevel.COORDINATOR,
        "escalated_on": FRIDAY,
        "resolved_on": FRIDAY,
        "root_cause": "An expired certificate",
        "decider_id": "UANA",
        "escalated_to": "UZOE",
        "resolution": "Renewed",
        "ticket": "INC-4711",
    },
    "decision": {
        "rationale": "Cheaper",
        "alternatives": "Buy a third rack",
        "deciders": ["UANA", "UZOE"],
        "problem": "No room left",
        "drivers": "Cost",
        "consequences": "A longer cable",
        "effect": "Two days later",
        "confirmation": "The contract is signed",
        "reversibility": Reversibility.COSTLY,
        "consulted": ["UBEN"],
        "informed": ["UGUS"],
    },
    "assumption": {
        "basis": "Plans of 1998",
        "confidence": Confidence.MEDIUM,
        "if_false": "Racks in two rooms",
        "validator_id": "UZOE",
        "how_checked": "Ask the building's engineer",
    },
    "dependency": {
        "provider": "The security team",
        "promised": FRIDAY,
        "confirmation": Confirmation.WRITTEN,
        "light": Light.AMBER,
        "direction": Direction.GETS,
        "if_late": "No tests before May",
    },
}


def full_values(kind: Kind) -> dict[str, Any]:
    return {
        "title": "Order racks",
        "details": "Twelve of them",
        "owner_id": "UANA",
        "due_date": FRIDAY,
        "due_time": time(15, 0),
        "priority": Priority.HIGH,
        "tags": "network pilot",
        "helpers": ["UBEN"],
        "confidentiality": Confidentiality.CONFIDENTIAL,
        "next_review": date(2026, 3, 20),
    } | OWN_VALUES[kind.key]


# Creating ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
async def test_a_new_record_holds_everything_that_was_filled_in(team: Team, kind: Kind) -> None:
    values = full_values(kind)
    assert set(values) == {field.key for field in kind.all_fields}, "a field without a value here is not tested"

    logged = await team.log(kind, **values, source_link="https://example.test/p1")
    item = await team.read_again(logged)

    assert {field.key: item.value(field.key) for field in kind.all_fields} == values
    assert item.reference == f"{kind.letter}1"
    assert item.status is kind.first_status
    record = item.record
    assert (record.is_open, record.is_archived, record.version, record.closed_at) == (True, False, 1, None)
    assert (record.created_at, record.updated_at, record.raised_by) == (NOW, NOW, "UBEN")
    assert (record.source_link, record.channel_id) == ("https://example.test/p1", "CMOVE")
    assert record.project_id == team.project.id


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
async def test_only_a_title_is_needed(team: Team, kind: Kind) -> None:
    item = await team.log(kind, **{field.key: None for field in kind.all_fields if field.choices}, title="Racks")

    assert (item.record.title, item.record.priority, item.record.details) == ("Racks", Priority.NORMAL, "")
    assert (item.record.owner_id, item.record.due_date, item.record.due_time) == (None, None, None)


async def test_a_creation_leaves_one_history_row_and_owes_the_card(team: Team) -> None:
    item = await team.log(title="Order racks", owner_id="UANA")

    assert await team.history(item) == [(1, "UBEN", "created", None, None, "Order racks")]
    assert await team.owed() == [(f"card:{item.record.id}:1", "CMOVE")], "the card itself tells the owner"


async def test_a_time_without_a_day_is_not_kept(team: Team) -> None:
    item = await team.log(due_time=time(15, 0))

    assert item.record.due_time is None


TITLE = "title"
REFUSED_VALUES = {
    "no title": (ACTION, {"title": ""}, TITLE, "A title is needed"),
    "a blank title": (ACTION, {"title": " \t\n "}, TITLE, "A title is needed"),
    "a title of nothing": (ACTION, {"title": None}, TITLE, "A title is needed"),
    "a long title": (ACTION, {"title": "x" * 10_000}, TITLE, "At most 250 characters; this has 10,000"),
    "long details": (ACTION, {"details": "x" * 40_001}, "details", "At most 40,000 characters"),
    "a long text": (ACTION, {"done_when": "x" * 3_001}, "done_when", "At most 3,000 characters"),
    "yesterday": (ACTION, {"due_date": date(2026, 3, 1)}, "due_date", "Sun 1 Mar 2026 is past"),
    "a review yesterday": (RISK, {"next_review": date(2026, 3, 1)}, "next_review", "Sun 1 Mar 2026 is past"),
    "a time whose day was cleared": (ACTION, {"due_date": None, "due_time": time(9)}, "due_time", "A time needs a day"),
    "a scale below one": (RISK, {"probability": 0}, "probability", "from 1 to 5"),
    "a scale above five": (RISK, {"impact": 6}, "impact", "from 1 to 5"),
    "no such choice": (ISSUE, {"severity": "9"}, "severity", "Choose one of: 1 Critical, 2 Major"),
    "no such priority": (ISSUE, {"priority": "urgent"}, "priority", "Choose one of: Low, Normal, High, Critical"),
    "an unknown owner": (ACTION, {"owner_id": "UNOBODY"}, "owner_id", "does not know that person"),
    "a bot": (ACTION, {"owner_id": "URO"}, "owner_id", "is an app and cannot own"),
    "somebody deactivated": (ACTION, {"owner_id": "UOLD"}, "owner_id", "account is deactivated"),
    "a guest from elsewhere": (ACTION, {"owner_id": "UFAR"}, "owner_id", "cannot see Data centre move"),
}


@pytest.mark.parametrize(("kind", "values", "key", "sentence"), REFUSED_VALUES.values(), ids=REFUSED_VALUES.keys())
async def test_a_bad_value_is_refused_beside_its_field_and_nothing_is_stored(
    database: Database, kind: Kind, values: dict[str, Any], key: str, sentence: str
) -> None:
    async def log() -> None:
        async with database.unit(WORKSPACE) as session:
            await make_person(session, "ro", is_bot=True)
            await make_person(session, "old", is_active=False)
            await make_person(session, "far", is_guest=True)
            await make_record(session, kind, **values)

    with pytest.raises(InvalidFields) as refusal:
        await log()

    assert list(refusal.value.problems) == [key]
    assert sentence in refusal.value.problems[key]
    async with database.unit(WORKSPACE, writes=False) as session:
        assert (await session.exec(select(Delivery))).all() == []
        assert (await session.exec(select(Project))).all() == []


async def test_all_faults_are_told_at_once(team: Team) -> None:
    with pytest.raises(InvalidFields) as refusal:
        await team.log(RISK, title="", due_date=date(2026, 1, 1), probability=7, owner_id="UNOBODY")

    assert set(refusal.value.problems) == {"title", "due_date", "probability", "owner_id"}
    assert all(sentence in str(refusal.value) for sentence in refusal.value.problems.values())


@pytest.mark.parametrize(
    ("zone", "is_past"), [("Pacific/Auckland", True), ("Europe/Berlin", False), ("America/New_York", False)]
)
async def test_today_is_the_projects_today(team: Team, zone: str, is_past: bool) -> None:
    team.project.timezone = zone
    late = NOW.replace(hour=12)  # Monday everywhere but in Auckland, where it is Tuesday

    problems = operations.field_problems(
        ACTION, {"due_date": date(2026, 3, 2)}, today=operations.today_in(zone, late), before=None
    )

    assert bool(problems) is is_past


async def test_a_title_of_exactly_the_limit_is_fine(team: Team) -> None:
    item = await team.log(title="ü" * 250)

    assert len(item.record.title) == 250


# Finding -----------------------------------------------------------------------------------------------------------


async def test_a_reference_that_is_not_there_is_refused_with_what_to_do(team: Team) -> None:
    await team.log(ACTION)

    for kind, number in ((ACTION, 2), (RISK, 1)):
        with pytest.raises(NotFound, match=f"no {kind.letter}{number} here that you can see. `/steward list`"):
            await operations.find(team.session, actor_of(team.ben), kind, number)


async def test_an_archived_record_is_found_only_by_who_asks_for_archived_ones(team: Team) -> None:
    item = await team.log()
    await team.undo(item)

    with pytest.raises(NotFound):
        await operations.find(team.session, actor_of(team.ben), ACTION, 1)
    found, _ = await operations.find(team.session, actor_of(team.ben), ACTION, 1, with_archived=True)
    assert found.record.is_archived


# Changing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
async def test_a_change_is_stored_with_one_history_row_for_each_field(team: Team, kind: Kind) -> None:
    item = await team.log(kind, title="Racks")
    before = {field.key: item.value(field.key) for field in kind.all_fields}

    await team.change(item, **full_values(kind))
    found = await team.read_again(item)

    assert {field.key: found.value(field.key) for field in kind.all_fields} == full_values(kind)
    assert (found.record.version, found.record.updated_at, found.record.created_at) == (2, LATER, NOW)
    rows = operations.told(row for row in await operations.history(team.session, found) if row.version == 2)
    assert {row.field: (row.before, row.after) for row in rows} == {
        key: (_plain(before[key]), _plain(value)) for key, value in full_values(kind).items()
    }
    assert {(row.actor_id, row.act, row.via, row.at) for row in rows} == {("UBEN", Act.CHANGED, "form", LATER)}


def _plain(value: Any) -> Any:
    if isinstance(value, Money):
        return str(value)
    return value.isoformat() if isinstance(value, date | time) else value


async def test_a_change_owes_the_card_again_and_a_word_to_a_new_owner(team: Team) -> None:
    item = await team.log()

    await team.change(item, owner_id="UANA")

    number = item.record.id
    assert await team.owed() == [
        (f"card:{number}:1", "CMOVE"),
        (f"card:{number}:2", "CMOVE"),
        (f"assigned:{number}:UANA:2", "UANA"),
    ]


async def test_nobody_is_told_of_their_own_act(team: Team) -> None:
    item = await team.log()

    await team.change(item, owner_id="UBEN")

    assert [target for _, target in await team.owed()] == ["CMOVE", "CMOVE"]


async def test_a_change_that_changes_nothing_leaves_no_trace(team: Team) -> None:
    item = await team.log(title="Racks", due_date=FRIDAY)

    await team.change(item, title="Racks", due_date=FRIDAY)

    assert item.record.version == 1
    assert len(await team.history(item)) == 1
    assert len(await team.owed()) == 1


async def test_clearing_the_day_clears_its_time(team: Team) -> None:
    item = await team.log(due_date=FRIDAY, due_time=time(15, 0))

    await team.change(item, due_date=None)

    assert (item.record.due_date, item.record.due_time) == (None, None)


# Days that a due date takes one after another (0 is none), and how often it has moved since the first promise.
MOVES = {
    "never": ([6], 0),
    "to the same day": ([6, 6], 0),
    "later": ([6, 9], 1),
    "later and back": ([6, 9, 6], 2),
    "earlier": ([6, 5], 1),
    "cleared": ([6, 0], 0),
    "cleared and promised again": ([6, 0, 6], 0),
    "cleared and promised later": ([6, 0, 9], 1),
    "first promised afterwards": ([0, 6], 0),
    "first promised afterwards, then later": ([0, 6, 9, 10], 2),
}


@pytest.mark.parametrize(("days", "moves"), MOVES.values(), ids=MOVES.keys())
async def test_a_due_date_that_moves_keeps_the_first_promise_and_is_counted(
    team: Team, days: list[int], moves: int
) -> None:
    dates = [date(2026, 3, day) if day else None for day in days]
    item = await team.log(due_date=dates[0])

    for day in dates[1:]:
        await team.change(item, due_date=day, title="Racks")

    assert (item.record.first_due_date, item.record.due_moves) == (FRIDAY, moves)


async def test_the_reason_of_a_move_stands_in_the_history_of_the_date_alone(team: Team) -> None:
    item = await team.log(due_date=FRIDAY)

    await team.change(item, due_date=date(2026, 3, 9), title="Racks", why_moved=" The vendor is late ")

    rows = await operations.history(team.session, item, version=2)
    assert {row.field: row.note for row in operations.told(rows)} == {"due_date": "The vendor is late", "title": None}


async def test_a_move_that_is_undone_never_was(team: Team) -> None:
    item = await team.log()
    await team.change(item, due_date=FRIDAY)
    await team.change(item, due_date=date(2026, 3, 9))

    await team.undo(item)
    assert (item.record.due_date, item.record.first_due_date, item.record.due_moves) == (FRIDAY, FRIDAY, 0)
    await team.undo(item)
    assert (item.record.due_date, item.record.due_moves) == (date(2026, 3, 9), 1)


async def test_a_first_promise_that_is_undone_is_none_and_comes_back_as_a_day(team: Team) -> None:
    item = await team.log()
    await team.change(item, due_date=FRIDAY)

    await team.undo(item)
    item = await team.read_again(item)
    assert item.record.first_due_date is None
    await team.undo(item)

    assert (await team.read_again(item)).record.first_due_date == FRIDAY


async def test_a_time_is_refused_where_there_is_no_day(team: Team) -> None:
    item = await team.log()

    with pytest.raises(InvalidFields, match="A time needs a day"):
        await team.change(item, due_time=time(15, 0))


async def test_a_time_alone_can_be_set_where_there_is_a_day(team: Team) -> None:
    item = await team.log(due_date=FRIDAY)

    await team.change(item, due_time=time(15, 0))

    assert (item.record.due_date, item.record.due_time) == (FRIDAY, time(15, 0))


async def test_a_due_date_that_has_passed_may_stay_but_no_other_past_one_may_come(team: Team) -> None:
    item = await team.log(due_date=date(2026, 3, 2))
    a_week_later = NOW + timedelta(days=7)

    async def change(values: dict[str, Any]) -> Item:
        return await operations.change(
            team.session,
            actor_of(team.ben),
            item,
            team.project,
            values,
            version=item.record.version,
            now=a_week_later,
            via="form",
        )

    await change({"title": "Still late", "due_date": date(2026, 3, 2)})
    assert item.record.title == "Still late"
    with pytest.raises(InvalidFields, match="Tue 3 Mar 2026 is past"):
        await change({"due_date": date(2026, 3, 3)})


async def test_an_owner_who_left_may_stay_while_other_fields_change(team: Team) -> None:
    item = await team.log(owner_id="UZOE")
    team.zoe.is_active = False

    await team.change(item, title="Hers no more?", owner_id="UZOE")

    assert item.record.title == "Hers no more?"


async def test_a_change_is_refused_to_a_guest_who_neither_owns_nor_raised_it(team: Team) -> None:
    item = await team.log()

    with pytest.raises(NotAllowed, match="Guests can change only what they own or raised"):
        await team.change(item, by=team.gus, title="Mine now")


async def test_a_guest_changes_what_they_raised(team: Team) -> None:
    item = await team.log(by=team.gus)

    await team.change(item, by=team.gus, title="Better words")

    assert item.record.title == "Better words"


async def test_a_change_seen_from_an_old_version_is_refused(team: Team) -> None:
    item = await team.log()
    await team.change(item, title="First")

    with pytest.raises(Conflict, match=r"Ben Example changed A1 meanwhile \(title\)"):
        await team.change(item, by=team.ana, version=1, title="Second")


async def test_an_approved_decision_stands(team: Team) -> None:
    item = await team.log(DECISION)
    await team.step(item, "approve", by=team.ana)

    with pytest.raises(NotAllowed, match=r"D1 is approved, so its text stands. `/steward D1 supersede` begins a new"):
        await team.change(item, by=team.ana, title="Something else")


@pytest.mark.parametrize("word", ["defer", "reject"])
async def test_a_decision_that_is_not_approved_can_be_edited(team: Team, word: str) -> None:
    item = await team.log(DECISION)
    await team.step(item, word, by=team.ana)

    await team.change(item, title="Clearer words")

    assert item.record.title == "Clearer words"


# Steps -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
async def test_each_step_is_taken_exactly_from_where_it_begins(team: Team, kind: Kind) -> None:
    for step in kind.steps:
        for begin in kind.statuses:
            item = await team.log(kind)
            item.record.status = begin
            await team.session.flush()
            version = item.record.version
            choices = kind.choices_of(step)
            words = f"{step.key} {next(iter(choices)).label if choices else ''} as agreed"

            if begin in step.begins:
                sets = step.sets(item, "UANA", LATER.date())
                await team.step(item, words, by=team.ana)

                assert item.status is step.to
                assert item.record.is_open is (step.to not in kind.closed)
                assert item.record.closed_at == (None if item.record.is_open else LATER)
                row, *others = await operations.history(team.session, item, version=item.record.version)
                also = {"remark", *([step.asks] if step.asks else []), *(key for key, value in sets.items() if value)}
                assert {other.field for other in others} == also
                assert item.record.remark == "as agreed"
                assert (row.act, row.field, row.before, row.after) == (Act.STEPPED, "status", begin, step.to)
                assert (row.note, row.via, row.actor_id) == ("as agreed", "button", "UANA")
            else:
                why = " already" if begin == step.to else ", so"
                with pytest.raises(IllegalTransition, match=rf"^{item.reference} is {begin.label.lower()}{why}"):
                    await team.step(item, words, by=team.ana)
                assert (item.record.status, item.record.version) == (begin, version)


async def test_an_impossible_step_names_the_possible_ones(team: Team) -> None:
    item = await team.log()
    await team.step(item, "done")

    possible = "Possible: `/steward A1 verify`, `/steward A1 reopen`."
    with pytest.raises(IllegalTransition, match=f"so “start” is not possible now. {possible}"):
        await team.step(item, "start")


async def test_a_step_that_needs_a_reason_is_refused_without_one_and_says_how_to_type_it(team: Team) -> None:
    item = await team.log()

    for words in ("cancel", "cancel    "):
        with pytest.raises(InvalidFields, match=r"any more\? Say it after the step: `/steward A1 cancel …`") as refusal:
            await team.step(item, words)
        assert list(refusal.value.problems) == ["remark"]
    await team.step(item, "cancel No longer needed")

    assert (item.record.status, item.record.remark) == ("cancelled", "No longer needed")


async def test_a_risk_is_closed_with_its_reason_which_goes_when_it_is_reopened(team: Team) -> None:
    item = await team.log(RISK)

    with pytest.raises(InvalidFields, match="closing reason is needed: mitigated, expired") as refusal:
        await team.step(item, "close just because")
    assert list(refusal.value.problems) == ["closed_as"]
    await team.step(item, "close Not valid, as the vendor says")
    assert (item.value("closed_as"), item.record.remark) == (RiskEnd.NOT_VALID, "as the vendor says")
    with pytest.raises(InvalidFields, match="What has changed"):
        await team.step(item, "reopen")
    await team.step(item, "reopen The vendor was wrong")
    assert (item.value("closed_as"), item.record.remark) == (None, "The vendor was wrong")
    await team.undo(item)

    assert (item.value("closed_as"), item.record.remark) == (RiskEnd.NOT_VALID, "as the vendor says")
    assert item.status.label == "Closed"


@pytest.mark.parametrize(("impact", "is_high"), [(3, False), (4, True), (None, False)])
async def test_a_risk_of_twelve_or_more_is_accepted_by_the_coordinator_only(
    team: Team, impact: int | None, is_high: bool
) -> None:
    item = await team.log(RISK, probability=3, impact=impact)

    if is_high:
        with pytest.raises(NotAllowed, match="Only the coordinator of Data centre move can decide this"):
            await team.step(item, "accept It is insured")
    else:
        await team.step(item, "accept It is insured")
        await team.undo(item)
    await team.step(item, "accept It is insured", by=team.ana)

    assert (item.record.status, item.record.is_open) == ("accepted", True)


async def test_reopening_an_issue_is_counted(team: Team) -> None:
    item = await team.log(ISSUE)
    for word in ("resolve", "reopen", "close", "reopen"):
        await team.step(item, word)

    assert item.value("reopened") == 2
    assert ISSUE.derived["Reopened"](item, FRIDAY) == "2 times"
    await team.undo(item)
    assert ISSUE.derived["Reopened"](item, FRIDAY) == "once"


async def test_a_reopened_record_is_open_again_and_has_no_end(team: Team) -> None:
    item = await team.log()
    await team.step(item, "done")
    await team.step(item, "reopen")

    assert (item.record.is_open, item.record.closed_at, item.record.version) == (True, None, 3)


@pytest.mark.parametrize("word", ["approve", "reject"])
async def test_only_the_coordinator_decides(team: Team, word: str) -> None:
    item = await team.log(DECISION)

    with pytest.raises(NotAllowed, match="Only the coordinator of Data centre move can decide this"):
        await team.step(item, word, by=team.ben)
    await team.step(item, word, by=team.ana)
    assert not item.record.is_open


async def test_an_admin_decides_too(team: Team) -> None:
    item = await team.log(DECISION)
    team.zoe.is_admin = True

    await team.step(item, "approve", by=team.zoe)

    assert item.record.status == "approved"


# Undoing -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
async def test_undoing_a_change_brings_every_field_back(team: Team, kind: Kind) -> None:
    item = await team.log(kind, title="Racks")
    before = {field.key: item.value(field.key) for field in kind.all_fields}
    await team.change(item, **full_values(kind))

    await team.undo(item)
    found = await team.read_again(item)

    assert {field.key: found.value(field.key) for field in kind.all_fields} == before
    assert found.record.version == 3


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
async def test_undoing_the_undoing_of_a_change_brings_the_change_back(team: Team, kind: Kind) -> None:
    item = await team.log(kind, title="Racks")
    await team.change(item, **full_values(kind))

    await team.undo(item)
    await team.undo(item)

    assert {field.key: item.value(field.key) for field in kind.all_fields} == full_values(kind)
    assert [row[2] for row in await team.history(item)][-1] == "undone"


async def test_undoing_a_step_opens_what_it_closed(team: Team) -> None:
    item = await team.log()
    await team.step(item, "done")

    await team.undo(item)

    assert (item.record.status, item.record.is_open, item.record.closed_at) == ("open", True, None)
    assert await team.history(item) == [
        (1, "UBEN", "created", None, None, "One action to look at"),
        (2, "UBEN", "stepped", "status", "open", "done"),
        (3, "UBEN", "undone", "status", "done", "open"),
    ]


async def test_undoing_a_creation_archives_and_undoing_that_brings_it_back(team: Team) -> None:
    item = await team.log(title="Racks")

    await team.undo(item)
    assert item.record.is_archived
    await team.undo(item)
    assert not item.record.is_archived

    assert [row[2:] for row in await team.history(item)] == [
        ("created", None, None, "Racks"),
        ("undone", "is_archived", False, True),
        ("undone", "is_archived", True, False),
    ]
    assert [key for key, _ in await team.owed()] == [f"card:{item.record.id}:{version}" for version in (1, 2, 3)]


async def test_an_undo_is_refused_once_somebody_changed_it_again(team: Team) -> None:
    item = await team.log()
    await team.change(item, title="Mine")
    await team.change(item, by=team.ana, title="Hers")

    with pytest.raises(Conflict):
        await team.undo(item, version=2)
    assert item.record.title == "Hers"


async def test_a_double_undo_takes_effect_once(team: Team) -> None:
    item = await team.log()
    await team.change(item, title="Mine")
    await team.undo(item, version=2)

    with pytest.raises(Conflict):
        await team.undo(item, version=2)
    assert item.record.version == 3


async def test_only_who_raised_it_or_leads_takes_a_creation_back(team: Team) -> None:
    for by, is_allowed in ((team.zoe, False), (team.ben, True), (team.ana, True)):
        item = await team.log(by=team.ben)
        if is_allowed:
            await team.undo(item, by=by)
        else:
            with pytest.raises(NotAllowed, match="Only the coordinator of Data centre move can remove this"):
                await team.undo(item, by=by)
        assert item.record.is_archived is is_allowed


async def test_a_member_cannot_archive_by_undoing_the_return_of_a_record(team: Team) -> None:
    item = await team.log(by=team.ben)
    await team.undo(item, by=team.ben)
    await team.undo(item, by=team.ben)

    with pytest.raises(NotAllowed):
        await team.undo(item, by=team.zoe, version=1)
    assert not item.record.is_archived


async def test_a_member_neither_takes_an_approval_back_nor_gives_it_by_undoing(team: Team) -> None:
    item = await team.log(DECISION)
    await team.step(item, "approve", by=team.ana)

    with pytest.raises(NotAllowed):
        await team.undo(item, by=team.ben)
    await team.undo(item, by=team.ana)
    with pytest.raises(NotAllowed):
        await team.undo(item, by=team.ben)

    assert item.record.status == "proposed"


async def test_a_member_undoes_their_edit_of_a_rejected_decision(team: Team) -> None:
    item = await team.log(DECISION, title="Rent")
    await team.step(item, "reject", by=team.ana)
    await team.change(item, title="Rent a cage")

    await team.undo(item, by=team.ben)

    assert (item.record.title, item.record.status) == ("Rent", "rejected")


async def test_undoing_a_hand_over_tells_the_one_who_gets_it_back(team: Team) -> None:
    item = await team.log(owner_id="UANA")
    await team.change(item, owner_id="UZOE")

    await team.undo(item)

    assert [target for key, target in await team.owed() if key.startswith("assigned:")] == ["UZOE", "UANA"]


def test_an_actor_without_standing_may_not_even_create() -> None:
    nobody = actor_of(Person(id="UOLD", name="old", real_name="", is_active=False))

    with pytest.raises(NotAllowed):
        operations.require(nobody, operations.Right.CREATE, None)
    assert isinstance(nobody, Actor)
