"""What comes again: how a rule is read, when the next one is due, and that it is made once."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import col, select

from models import links, operations, repeating, undoing
from models.database import Database
from models.errors import Conflict, InvalidFields, Unread
from models.kinds import Item
from models.kinds.action import ACTION
from models.labels import LinkType
from models.permissions import actor_of
from models.repeat_words import from_day, next_day, read_repeat, repeat_in_words
from models.tables import Person, Project, Record
from tests.support import NOW, WORKSPACE, make_person, make_project, make_record

sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

WEDNESDAY = date(2026, 3, 4)
RULES = {
    "every monday": ("every Monday", "2026-03-09", "2026-03-16"),
    "Mondays": ("every Monday", "2026-03-09", "2026-03-16"),
    "every 2 weeks": ("every 2 weeks on Wednesday", "2026-03-18", "2026-04-01"),
    "every other friday": ("every 2 weeks on Friday", "2026-03-06", "2026-03-20"),
    "weekly on tue and thu": ("every Tuesday and Thursday", "2026-03-05", "2026-03-10"),
    "every weekday": ("every weekday", "2026-03-05", "2026-03-06"),
    "every 3 days": ("every 3 days", "2026-03-07", "2026-03-10"),
    "monthly": ("every month on the 4th", "2026-04-04", "2026-05-04"),
    "monthly on the 1st": ("every month on the 1st", "2026-04-01", "2026-05-01"),
    "the 15th of every month": ("every month on the 15th", "2026-03-15", "2026-04-15"),
    "every month on the 31st": ("every month on the last day", "2026-03-31", "2026-04-30"),
    "every last friday": ("every month on the last Friday", "2026-03-27", "2026-04-24"),
    "first monday of the month": ("every month on the first Monday", "2026-04-06", "2026-05-04"),
    "quarterly": ("every 3 months on the 4th", "2026-06-04", "2026-09-04"),
    "yearly": ("every 12 months on the 4th", "2027-03-04", "2028-03-04"),
}


@pytest.mark.parametrize("typed", RULES)
def test_a_rule_is_read_and_shown_in_words_that_are_read_as_the_same(typed: str) -> None:
    words, *days = RULES[typed]
    rule = from_day(read_repeat(typed), WEDNESDAY)

    assert repeat_in_words(rule) == words
    assert from_day(read_repeat(words), WEDNESDAY) == from_day(read_repeat(rule), WEDNESDAY) == rule
    assert [str(next_day(rule, WEDNESDAY)), str(next_day(rule, next_day(rule, WEDNESDAY)))] == days


@pytest.mark.parametrize(
    "typed",
    ["soon", "every", "biweekly", "every second monday", "every 0 weeks", "every 99 weeks", "monthly on the 32nd"],
)
def test_what_is_no_rule_or_may_be_two_is_asked_about(typed: str) -> None:
    with pytest.raises(Unread):
        read_repeat(typed)


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_words_are_a_rule_or_refused(typed: str) -> None:
    try:
        rule = from_day(read_repeat(typed), WEDNESDAY)
    except Unread:
        return

    assert next_day(rule, WEDNESDAY) > WEDNESDAY


@settings(deadline=None)
@given(st.sampled_from(sorted(RULES)), st.dates(date(2026, 1, 1), date(2030, 12, 31)), st.integers(0, 800))
def test_the_next_day_is_later_than_any_day_it_is_asked_for(typed: str, start: date, later: int) -> None:
    day = start + timedelta(days=later)

    assert day < next_day(from_day(read_repeat(typed), start), day) <= day + timedelta(days=800)


# Completing one ----------------------------------------------------------------------------------------------------


class Series:
    """Ana's repeating action, and what is done with it."""

    def __init__(self, session: Any, ana: Person, project: Project) -> None:
        self.session, self.ana, self.project = session, ana, project

    async def log(self, **values: Any) -> Item:
        return await make_record(self.session, ACTION, project=self.project, by=self.ana, **values)

    async def step(self, item: Item, word: str, note: str = "", *, later: timedelta = timedelta()) -> Item | None:
        """As in a unit of its own."""
        self.session.sync_session.info.pop("batch", None)
        step, now = ACTION.step_named(word), NOW + later
        assert step is not None
        return await repeating.take_step(
            self.session, actor_of(self.ana), item, self.project, step, now=now, via="form", note=note
        )

    async def undo(self, item: Item) -> undoing.TakenBack:
        change = await undoing.last_on(self.session, item, self.project)
        assert change is not None
        batch = change.batch
        whole = await undoing.of_batch(self.session, actor_of(self.ana), batch) if batch else change
        assert whole is not None
        return await undoing.take_back(self.session, actor_of(self.ana), whole, now=NOW, via="undo")

    async def open_ones(self) -> list[int]:
        query = select(Record.number).where(col(Record.is_open), col(Record.is_archived).is_(False))
        return sorted(await self.session.exec(query))


@pytest.fixture
async def series(database: Database) -> Any:
    async with database.unit(WORKSPACE) as session:
        ana = await make_person(session)
        yield Series(session, ana, await make_project(session, by=ana))


@sqlite_only
async def test_the_next_one_takes_over_what_lasts_and_is_due_on_a_working_day(series: Series) -> None:
    series.project.days_off = "2026-03-09"
    texts = {"title": "Look at the backups", "effort": "An hour", "tags": "pilot", "owner_id": "UANA"}
    item = await series.log(**texts, result="All there", repeats="every monday", due_date=date(2026, 3, 2))

    new = await series.step(item, "done")

    assert new is not None
    assert {key: new.value(key) for key in texts} == texts
    assert new.record.due_date == date(2026, 3, 10)
    assert (new.value("result"), new.value("repeats"), new.record.due_moves) == ("", item.value("repeats"), 0)
    assert [(each.word, each.reference) for each in await links.links_of(series.session, new)] == [("Follows", "A1")]
    again = await series.step(new, "done", later=timedelta(days=8))
    assert again is not None
    assert again.record.due_date == date(2026, 3, 16)


@sqlite_only
async def test_a_late_one_skips_what_has_passed_and_a_second_completion_makes_no_second(series: Series) -> None:
    item = await series.log(repeats="every 2 weeks", due_date=date(2026, 3, 4))

    new = await series.step(item, "done", later=timedelta(days=30))
    await series.step(item, "reopen")

    assert new is not None
    assert new.record.due_date == date(2026, 4, 15)
    assert await series.step(item, "done") is None
    assert await series.open_ones() == [2]


@sqlite_only
async def test_undo_takes_the_next_one_back_unless_somebody_touched_it(series: Series) -> None:
    item = await series.log(repeats="daily", due_date=WEDNESDAY)
    await series.step(item, "done")

    outcome = await series.undo(item)
    assert (len(outcome.done), await series.open_ones()) == (2, [1])
    new = await series.step(item, "done")
    assert new is not None
    series.session.sync_session.info.pop("batch")
    values, version = {"title": "Another one"}, new.record.version
    await operations.change(
        series.session, actor_of(series.ana), new, series.project, values, version=version, now=NOW, via="form"
    )

    outcome = await series.undo(item)

    assert [each.part.item.reference for each in outcome.kept] == [new.reference]
    assert await series.open_ones() == [1, 3]
    assert await series.step(item, "done") is None


@sqlite_only
async def test_a_cancelled_one_ends_the_series(series: Series) -> None:
    item = await series.log(repeats="daily", due_date=WEDNESDAY)

    assert await series.step(item, "cancel", "Not needed any more") is None
    assert await series.open_ones() == []


@sqlite_only
async def test_what_repeats_needs_a_due_date_and_counts_from_it_until_the_rule_changes(series: Series) -> None:
    with pytest.raises(InvalidFields, match="needs a due date"):
        await series.log(repeats="daily")
    item = await series.log(repeats="every 2 weeks", due_date=WEDNESDAY)

    async def change(**values: Any) -> None:
        actor, version = actor_of(series.ana), item.record.version
        await operations.change(
            series.session, actor, item, series.project, values, version=version, now=NOW, via="form"
        )

    await change(repeats="every 2 weeks on Wednesday", due_date=date(2026, 3, 12))
    assert item.value("repeats").endswith("BYDAY=WE;WKST=MO from 2026-03-04")
    await change(repeats="every week")
    assert item.value("repeats").endswith("BYDAY=TH;WKST=MO from 2026-03-12")


# Parts ---------------------------------------------------------------------------------------------------------------


@sqlite_only
async def test_a_record_is_part_of_one_other_and_never_of_itself(series: Series) -> None:
    one, two, three = [(await series.log(title=title), series.project) for title in ("Whole", "Part", "Smaller")]
    actor = actor_of(series.ana)

    async def part_of(part: tuple[Item, Project], whole: tuple[Item, Project]) -> None:
        await links.make(series.session, actor, part, LinkType.PART_OF, whole, now=NOW, via="form")

    await part_of(two, one)
    await part_of(three, two)
    with pytest.raises(Conflict, match="the other way round"):
        await part_of(one, three)
    with pytest.raises(Conflict, match="part of another record already"):
        await part_of(three, one)
    assert [each.word for each in await links.links_of(series.session, two[0])] == ["Part of", "Has part"]

    await links.unmake(series.session, actor, two, one, now=NOW, via="form")
    await part_of(one, three)
    rows = await operations.history(series.session, two[0])
    outcome = await undoing.take_back(
        series.session,
        actor,
        undoing.Change((undoing.Part(two[0], series.project, (rows[-1],)),)),
        now=NOW,
        via="undo",
    )
    assert len(outcome.kept) == 1
