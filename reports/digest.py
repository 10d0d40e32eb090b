"""What a person's daily digest says: what is due of what they own, help with or stand in for, to review, to decide."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import absences, digests
from models.clock import today_in
from models.items import with_own_rows
from models.kinds import Item, read_reference
from models.labels import Labelled
from models.manners import muted_by
from models.permissions import actor_of, decides_for, visible_records
from models.recurrences import instant_of
from models.tables import Absence, Act, History, Mute, Person, Project, Record, RecordHelper, in_use
from models.working_days import is_working_day
from reports.filtering import awaits_approval
from reports.work import items_of

LINES_MAX = 12
# What deals with a line, when its reader changes it; other changes leave it as it is.
DEALT_WITH = ("status", "due_date", "next_review", "owner_id", "helpers")
# So many lines each part gets before the first parts get more.
LINES_EACH = 2


class Group(Labelled):
    """The parts of a digest, in their order."""

    OVERDUE = "overdue", "Overdue"
    TODAY = "today", "Due today"
    SOON = "soon", "Due soon"
    REVIEW = "review", "To review"
    DECIDE = "decide", "Waiting for your decision"


@dataclass(frozen=True)
class Done:
    """What the reader did to a line since it came: the rows of their latest change, or none where they muted it."""

    rows: tuple[History, ...] = ()


@dataclass(frozen=True)
class DigestLine:
    """One record of a digest. `absence` is that of its owner, where the reader stands in for them."""

    group: Group
    item: Item
    project: Project
    absence: Absence | None = None
    done: Done | None = None


@dataclass(frozen=True)
class Digest:
    """A person's digest of a local date: the first lines of each part, and how many each part holds.

    It `is_news` unless all there is was logged that day by the reader; it `is_work` where one of the projects it speaks
    of works on that day.
    """

    person: Person
    day: date
    lines: tuple[DigestLine, ...]
    totals: Mapping[Group, int]
    is_news: bool = False
    is_work: bool = False

    @property
    def total(self) -> int:
        return sum(self.totals.values())


@dataclass(frozen=True)
class _Found:
    """A record that the digest speaks of, in as much as it takes to choose."""

    row: Any
    project: Project
    group: Group
    absence: Absence | None = None


async def digest_of(session: AsyncSession, person: Person, day: date) -> Digest:
    """The person's digest of that local date, from what is stored now. The statements do not grow with the records."""
    begins = instant_of(day, time(0), person.timezone)
    # A record that belongs to several parts stands in the first of them, once.
    found: dict[int, _Found] = {}
    for each in [*await _to_do(session, person, day), *await _to_decide(session, person)]:
        found.setdefault(each.row.id, each)
    chosen = _chosen(sorted(found.values(), key=_urgency))
    return Digest(
        person=person,
        day=day,
        lines=tuple(await _whole(session, chosen)),
        totals=Counter(each.group for each in found.values()),
        is_news=any(each.row.raised_by != person.id or each.row.created_at < begins for each in found.values()),
        is_work=any(is_working_day(each.project, day) for each in found.values()),
    )


async def next_days(session: AsyncSession, person: Person, day: date) -> Digest:
    """The digest of that date or, where no project that it speaks of works then, of the next date on which one does."""
    found = await digest_of(session, person, day)
    if found.is_work or not found.lines:
        return found
    works = min(digests.next_working_day(line.project, day) for line in found.lines)
    return await digest_of(session, person, works)


async def _to_do(session: AsyncSession, person: Person, day: date) -> list[_Found]:
    """What is due of what the person owns, helps with or stands in for, and what they should look at again."""
    at = instant_of(day, person.digest_at, person.timezone)
    is_due = col(Record.due_date) <= day + await digests.looks_ahead(session)
    stands_in = await _stands_in_for(session, person.id, day)
    helps = select(RecordHelper.record_id).where(col(RecordHelper.person_id) == person.id)
    wanted = [
        (col(Record.owner_id) == person.id, or_(is_due, _to_review(day, at))),
        (col(Record.id).in_(helps), is_due),
    ]
    wanted += [(col(Record.owner_id).in_(stands_in), is_due)] if stands_in else []
    found = []
    for conditions in wanted:
        for row, project in await _rows(session, person, conditions):
            group = _group(row, project, day, at)
            # Whether it still holds is its owner's question.
            if group is not None and (group is not Group.REVIEW or row.owner_id == person.id):
                found.append(_Found(row, project, group, stands_in.get(row.owner_id)))
    return found


async def _stands_in_for(session: AsyncSession, person_id: str, day: date) -> dict[str, Absence]:
    """The absences of those for whom the person stands in on that day, by who is away."""
    found = await absences.stood_in_for(session, person_id, day)
    return {each.person_id: each for each in found if each.first_day <= day <= each.last_day}


def _to_review(day: date, at: datetime) -> ColumnElement[bool]:
    """What its owner should look at again, as a condition on `Record`; on Mondays also what nobody has touched."""
    is_review_due = col(Record.next_review) <= day
    return or_(is_review_due, _is_stale(at)) if day.weekday() == digests.MONDAY else is_review_due


def _is_stale(at: datetime) -> ColumnElement[bool]:
    return and_(
        col(Record.due_date).is_(None),
        col(Record.next_review).is_(None),
        col(Record.updated_at) < at - digests.STALE_AFTER,
    )


def _group(row: Any, project: Project, day: date, at: datetime) -> Group | None:
    """The part in which the record stands, None where it is for a later day.

    The day is the reader's; overdue is only what is so in the project's zone as well.
    """
    due = row.due_date
    if due is not None and due <= day:
        return Group.OVERDUE if due < min(day, today_in(project.timezone, at)) else Group.TODAY
    if due is not None and due <= digests.soon_until(project, day):
        return Group.SOON
    if row.next_review is not None:
        return Group.REVIEW if row.next_review <= day else None
    return Group.REVIEW if due is None else None


async def _to_decide(session: AsyncSession, person: Person) -> list[_Found]:
    """What the person is to approve."""
    rows = await _rows(session, person, [decides_for(actor_of(person)), awaits_approval()])
    return [_Found(row, project, Group.DECIDE) for row, project in rows]


_COLUMNS: Sequence[Any] = (
    Record.id,
    Record.project_id,
    Record.owner_id,
    Record.due_date,
    Record.due_time,
    Record.next_review,
    Record.raised_by,
    Record.created_at,
)

_LIVE = (col(Record.is_open), col(Record.is_archived).is_(False), col(Record.is_draft).is_(False))


async def _rows(
    session: AsyncSession, person: Person, conditions: Sequence[ColumnElement[bool]]
) -> list[tuple[Any, Project]]:
    """The open records like that which the person may see and has not muted: what it takes to choose among them."""
    query: Any = (
        select(*_COLUMNS)
        .join(Project, col(Project.id) == col(Record.project_id))
        .where(*conditions, *_LIVE, in_use(), visible_records(actor_of(person)), ~muted_by(person.id))
    )
    rows = (await session.exec(query)).all()
    projects = {}
    if rows:
        spoken_of = select(Project).where(col(Project.id).in_({row.project_id for row in rows}))
        projects = {project.id: project for project in await session.exec(spoken_of)}
    return [(row, projects[row.project_id]) for row in rows]


def _urgency(each: _Found) -> tuple[Any, ...]:
    row = each.row
    return each.group.rank, row.due_date or row.next_review or date.max, row.due_time or time.max, row.id


def _chosen(found: Sequence[_Found]) -> list[_Found]:
    """The lines of a message: some of each part, then more of the first ones, in their order."""
    nth: Counter[Group] = Counter()
    ranked = []
    for each in found:
        nth[each.group] += 1
        ranked.append((nth[each.group] > LINES_EACH, each))
    first = [each for is_more, each in sorted(ranked, key=lambda pair: pair[0])[:LINES_MAX]]
    return sorted(first, key=_urgency)


async def _whole(session: AsyncSession, chosen: Sequence[_Found]) -> list[DigestLine]:
    projects = {each.row.id: each.project for each in chosen}
    query = select(Record).where(col(Record.id).in_(projects))
    records = list(await session.exec(query)) if chosen else []
    found = await with_own_rows(session, [(record, projects[record.id]) for record in records])
    items = {item.record.id: item for item, _ in found}
    # A record may have gone since it was chosen.
    return [
        DigestLine(each.group, items[each.row.id], each.project, each.absence)
        for each in chosen
        if each.row.id in items
    ]


# A line as the stored message keeps it: the part it stands in, and the record's reference.
Mark = tuple[str, str]


async def as_it_became(
    session: AsyncSession, person: Person, day: date, marks: Collection[Mark], since: datetime
) -> list[DigestLine]:
    """The lines of a digest that was sent at the instant `since`, with what the reader did to each since then."""
    groups = {reference: Group(group) for group, reference in marks}
    wanted = [found for reference in groups if (found := read_reference(reference))]
    items = await items_of(session, actor_of(person), wanted) if wanted else []
    done = await _done(session, person, [item for item, _ in items], since)
    stands_in = await _stands_in_for(session, person.id, day)
    return [
        DigestLine(
            groups[item.reference],
            item,
            project,
            stands_in.get(item.record.owner_id or ""),
            done.get(item.record.id),
        )
        for item, project in items
    ]


async def _done(
    session: AsyncSession, person: Person, items: Iterable[Item], since: datetime
) -> dict[int | None, Done]:
    """What the person did to these records since, as far as it is in effect: by record."""
    ids = [item.record.id for item in items]
    muted = select(Mute.record_id).where(
        col(Mute.person_id) == person.id, col(Mute.record_id).in_(ids), col(Mute.at) >= since
    )
    done: dict[int | None, Done] = {record_id: Done() for record_id in await session.exec(muted)}
    query = (
        select(History)
        .where(
            col(History.record_id).in_(ids),
            col(History.actor_id) == person.id,
            col(History.at) >= since,
            col(History.act).in_((Act.CHANGED, Act.STEPPED)),
            col(History.field).in_(DEALT_WITH),
            col(History.undone_by).is_(None),
        )
        .order_by(col(History.id))
    )
    for row in await session.exec(query):
        known = done.get(row.record_id)
        same = known is not None and known.rows and known.rows[0].version == row.version
        done[row.record_id] = Done((*known.rows, row) if known and same else (row,))
    return done


def may_concern(day: date, until: date, at: datetime) -> ColumnElement[bool]:
    """Whoever may have something to say in the digest of that date, as a condition on `Person`.

    It asks more people than get one, and nobody who owns, helps with, decides or stands in for nothing: what the digest
    says is decided when it is sent.
    """
    is_due = col(Record.due_date) <= until
    its_project = (
        col(Project.workspace_id) == col(Record.workspace_id),
        col(Project.id) == col(Record.project_id),
        in_use(),
    )
    # Each by itself, so that an index leads to it.
    own = [
        exists().where(
            col(Record.workspace_id) == col(Person.workspace_id),
            col(Record.owner_id) == col(Person.id),
            is_for_them,
            *its_project,
            *_LIVE,
        )
        for is_for_them in (is_due, _to_review(day, at))
    ]
    helps = exists().where(
        col(RecordHelper.workspace_id) == col(Person.workspace_id),
        col(RecordHelper.person_id) == col(Person.id),
        col(Record.workspace_id) == col(RecordHelper.workspace_id),
        col(Record.id) == col(RecordHelper.record_id),
        is_due,
        *its_project,
        *_LIVE,
    )
    decides = exists().where(
        *its_project,
        or_(
            col(Project.coordinator_id) == col(Person.id),
            col(Project.sponsor_id) == col(Person.id),
            col(Person.is_admin) & col(Project.coordinator_id).is_(None),
        ),
        col(Record.workspace_id) == col(Person.workspace_id),
        awaits_approval(),
        *_LIVE,
    )
    stands_in = exists().where(
        col(Absence.workspace_id) == col(Person.workspace_id),
        col(Absence.deputy_id) == col(Person.id),
        col(Absence.first_day) <= day,
        col(Absence.last_day) >= day,
    )
    return or_(*own, helps, decides, stands_in)
