"""What climbs when nobody says a word about it, whom it is asked of next, and when.

A record says itself at which instant there may be something to do about it (`climb_at`), so that a tick costs what is
due. That instant is planned with each change of the record, from its fields and its project's calendar alone; at the
instant everything else is looked at anew: who is there, in which zone, what was said meanwhile. So whatever moved since
then, a person or a setting, needs no planning of its own.

One step is one `Escalation`: planned, then asked once its message stands in Slack, ended by any answer.
"""

from collections import Counter as Counting
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, or_, update
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import absences, directory, manners, outbox
from models.clock import today_in
from models.inserting import add_rows
from models.items import with_own_rows
from models.kinds import Item, Kind, kind_of
from models.kinds.base import Concern
from models.labels import EscalationLevel
from models.ladder import LATE_LIMIT, Away, after_grace, asking_hour, begin_of, climbs, first_concern, rungs_left
from models.permissions import Actor, Right, actor_of, require, visible_records
from models.recurrences import instant_of
from models.tables import (
    Act,
    Comment,
    Delivery,
    DeliveryState,
    Escalation,
    History,
    Person,
    Project,
    Record,
    Rung,
    Workspace,
)

KIND = "escalation"
AGAIN = "escalation_again"
ASK = "ask"
VIA = "the escalation"
# By then a step that was planned has been sent, or never will be.
SETTLED_AFTER = LATE_LIMIT + timedelta(minutes=10)
# A step is noted as asked so long after its message was due, at most.
ASKED_WITHIN = timedelta(days=1)

AT_END = "Nobody is left to ask. It waits for an answer, or for somebody who can be asked."

# How many records one tick looks at, and how many one message asks about.
AT_ONCE = 500
MOST_ASKED = 10

# What somebody says by changing a record is a word about it; what Steward notes there is none.
NO_WORD = (Act.ASKED, Act.SOURCE)

# What Slack says of Steward itself: nobody was asked, and nobody can be until that is mended.
NOBODYS_FAULT = frozenset({"invalid_auth", "account_inactive", "token_revoked", "missing_scope", "not_authed"})

Pair = tuple[Item, Project]


async def end(session: AsyncSession, record_ids: Sequence[int | None], by: str | None, now: datetime) -> None:
    """End the climbs of these records; `by` is whoever answered. The messages that asked are owed anew."""
    statement = (
        update(Escalation)
        .where(col(Escalation.record_id).in_(record_ids), col(Escalation.ended_at).is_(None))
        .values(ended_at=now, ended_by=by)
        .returning(col(Escalation.id), col(Escalation.person_id), col(Escalation.asked_at))
    )
    ended = await session.exec(statement, execution_options={"synchronize_session": False})
    asked = [(step_id, person_id, at) for step_id, person_id, at in ended.all() if person_id and at]
    if not asked:
        return
    query = select(Delivery).where(
        # As the condition of the index says it.
        col(Delivery.is_nag),
        col(Delivery.target).in_({person_id for _, person_id, _ in asked}),
        col(Delivery.due_at) >= min(at for _, _, at in asked) - ASKED_WITHIN,
        col(Delivery.kind) == KIND,
        col(Delivery.state) == DeliveryState.SENT,
    )
    ids = {step_id for step_id, _, _ in asked}
    sent = [each for each in await session.exec(query) if ids.intersection(each.payload.get("steps", ()))]
    await outbox.put_all(session, [_again(each, now) for each in sent])


async def note_sent(session: AsyncSession, sent: Delivery, step_ids: Collection[int], now: datetime) -> None:
    """Keep which steps the message spoke of, to draw it anew: at once where somebody was faster than it."""
    sent.payload = sent.payload | {"steps": sorted(step_ids)}
    session.add(sent)
    ended = select(Escalation.id).where(col(Escalation.id).in_(step_ids), col(Escalation.ended_at).is_not(None))
    if (await session.exec(ended.limit(1))).first() is not None:
        await outbox.put_all(session, [_again(sent, now)])


def _again(sent: Delivery, now: datetime) -> outbox.Owed:
    lane = f"{AGAIN}:{sent.id}"
    return outbox.owed(
        AGAIN, key=f"{lane}:{now.isoformat()}", lane=lane, target=sent.target, payload={"of": sent.id}, due_at=now
    )


async def heard(session: AsyncSession, record: Record, by: str, now: datetime) -> None:
    """End the record's climb, if it is on one, because of a word that changes nothing of the record, its version too.

    No statement where it is on none: that there was a word is found when its instant comes.
    """
    if record.climb_rung is None:
        return
    await end(session, [record.id], by, now)
    fresh = {"climb_at": now, "climb_rung": None, "climb_since": None}
    await _set(session, [record.id], **fresh)
    for key, value in fresh.items():
        set_committed_value(record, key, value)


async def answer(
    session: AsyncSession, actor: Actor, item: Item, project: Project, said: str, *, now: datetime, via: str
) -> None:
    """Note in the history what somebody says to being asked, which ends the climb. Raises NotAllowed."""
    require(actor, Right.COMMENT, project, item)
    session.add(_noted(item.record, actor.id, Act.ANSWERED, said, via, now))
    await session.flush()
    await heard(session, item.record, actor.id, now)


async def ask_owner(
    session: AsyncSession, actor: Actor, item: Item, project: Project, words: str, owner: str, *, now: datetime
) -> None:
    """Owe the owner somebody's own question, in their words, which ends the climb. Raises NotAllowed."""
    await answer(session, actor, item, project, f"asked {owner}: {words}", now=now, via="form")
    record = item.record
    await outbox.put(
        session,
        ASK,
        key=f"{ASK}:{record.id}:{actor.id}:{now.isoformat()}",
        target=str(record.owner_id),
        record_id=record.id,
        payload={"by": actor.id, "words": words},
        due_at=now,
    )


async def advance(session: AsyncSession, now: datetime) -> None:
    """Take the next step with every record whose instant has come; one question where there is none."""
    pairs = await _due(session, now)
    if not pairs:
        return
    ids = [item.record.id for item, _ in pairs]
    steps, words = await open_steps(session, ids), await last_words(session, ids)
    tick = _Tick(session, now, ids, await _hands(session, pairs, now))
    for item, project in pairs:
        record_id = item.record.id or 0
        await tick.take(item, project, steps.get(record_id, ()), words.get(record_id, item.record.created_at))
    await tick.store()


async def next_at(session: AsyncSession) -> datetime | None:
    """The first instant at which a record may climb."""
    return (await session.exec(select(func.min(Record.climb_at)).where(col(Record.climb_at).is_not(None)))).one()


async def _due(session: AsyncSession, now: datetime) -> list[Pair]:
    query = (
        select(Record, Project)
        .join(Project, col(Project.id) == col(Record.project_id))
        .where(col(Record.climb_at) <= now)
        # What one owner is asked at one moment is best asked together, however many others are.
        .order_by(col(Record.climb_at), col(Record.owner_id), col(Record.id))
        .limit(AT_ONCE)
        # Of two workers that look at the same moment, one takes a record.
        .with_for_update(of=Record, skip_locked=True)
    )
    return await with_own_rows(session, [(record, project) for record, project in await session.exec(query)])


async def open_steps(session: AsyncSession, record_ids: Iterable[int | None]) -> dict[int, list[Escalation]]:
    """The steps of these records' climbs that nobody has ended, by record, lowest first."""
    query = (
        select(Escalation)
        .where(col(Escalation.record_id).in_(set(record_ids)), col(Escalation.ended_at).is_(None))
        .order_by(col(Escalation.record_id), col(Escalation.id))
    )
    return {key: list(steps) for key, steps in groupby(await session.exec(query), key=lambda step: step.record_id)}


async def last_words(session: AsyncSession, record_ids: Sequence[int | None]) -> dict[int, datetime]:
    """When somebody last said or did something about each of these records."""
    told = (
        select(History.record_id, func.max(History.at))
        .where(col(History.record_id).in_(record_ids), col(History.act).not_in(NO_WORD))
        .group_by(col(History.record_id))
    )
    said = (
        select(Comment.record_id, func.max(Comment.at))
        .where(col(Comment.record_id).in_(record_ids))
        .group_by(col(Comment.record_id))
    )
    words: dict[int, datetime] = {}
    for query in (told, said):
        for record_id, at in await session.exec(query):
            words[record_id or 0] = max(at, words.get(record_id or 0, at))
    return words


@dataclass(frozen=True)
class Hands:
    """The people whom a tick may ask, who of them is away, and which of the records they want to hear nothing of.

    `told` are the keys of the messages that they got before this tick.
    """

    people: Mapping[str, Person]
    away: Away
    muted: Collection[tuple[str, int]]
    told: Collection[str]


class _Tick:
    """One look at the records that are due: what becomes of each is gathered, and stored in a few statements."""

    def __init__(self, session: AsyncSession, now: datetime, ids: Sequence[int | None], hands: Hands) -> None:
        self._session = session
        self._now = now
        self._ids = ids
        self._hands = hands
        self._seen: dict[str, Collection[int | None]] = {}
        self._plans: dict[datetime | None, list[int | None]] = {}
        self._ended: list[int | None] = []
        self._dropped: list[int | None] = []
        self._at_end: list[Record] = []
        self._new: list[Escalation] = []
        self._messages: Counting[str] = Counting()
        self._owed: dict[str, outbox.Owed] = {}

    async def take(self, item: Item, project: Project, steps: Sequence[Escalation], word: datetime) -> None:
        """Decide what becomes of one record, of which the last word was said at `word`."""
        record, now = item.record, self._now
        planned = [step for step in steps if step.asked_at is None]
        if any(_is_under_way(step, word, now) for step in planned):
            self._plan(record, planned[-1].planned_at + SETTLED_AFTER)
            return
        self._dropped += [step.id for step in planned]
        asked = [step for step in steps if step.asked_at is not None]
        heard_on = today_in(project.timezone, word)
        found = first_concern(item, project, heard_on)
        if asked and (found is None or _asked_last(asked) < word):
            self._ended.append(record.id)
            asked = []
        if found is None:
            self._plan(record, None)
            return
        day, concern = found
        ready = _ready_after(asked, project) if asked else begin_of(day, project)
        step = Escalation(
            record_id=record.id or 0, concern=concern.key, rung=Rung.NOBODY, heard_on=heard_on, planned_at=now
        )
        if ready > now:
            self._plan(record, ready)
        elif (chosen := await self._next(item, project, asked)) is None:
            self._stop(record, step, asked)
        else:
            step.rung, person = chosen
            self._ask(record, step, person, self._hour(person, project, ready))

    async def _next(self, item: Item, project: Project, asked: Sequence[Escalation]) -> tuple[Rung, Person] | None:
        """Who is asked next; whoever may not see the record, or wants to hear nothing of it, is passed over."""
        tried = [step for step in asked if step.rung is not Rung.NOBODY]
        above = max((step.rung for step in tried), key=lambda rung: rung.rank, default=None)
        been = {step.person_id for step in tried}
        for rung, person_id in rungs_left(item.record, project, self._hands.away, above=above, asked=been):
            person = self._hands.people.get(person_id)
            if person is None or not person.nags_a_day or (person_id, item.record.id) in self._hands.muted:
                continue
            if item.record.id in await self._sees(person):
                return rung, person
        return None

    async def _sees(self, person: Person) -> Collection[int | None]:
        """Which of the tick's records the person may see, if they are here at all; one statement a person."""
        if person.id not in self._seen:
            query = (
                select(Record.id)
                .join(Project, col(Project.id) == col(Record.project_id))
                .where(col(Record.id).in_(self._ids), visible_records(actor_of(person)))
            )
            self._seen[person.id] = set(await self._session.exec(query))
        return self._seen[person.id]

    def _hour(self, person: Person, project: Project, ready: datetime) -> datetime:
        """When the person is asked: of one day's message the next ones are too late, and it takes only so many."""
        at = asking_hour(person, project, ready, self._now)
        day = today_in(person.timezone, at)
        key = message_key(person.id, day)
        if key in self._hands.told or self._messages[key] >= MOST_ASKED:
            tomorrow = instant_of(day + timedelta(days=1), time(0), person.timezone)
            return asking_hour(person, project, max(ready, tomorrow), self._now)
        return at

    def _ask(self, record: Record, step: Escalation, person: Person, at: datetime) -> None:
        if at > self._now:
            self._plan(record, at)
            return
        step.person_id = person.id
        self._new.append(step)
        self._plan(record, self._now + SETTLED_AFTER)
        key = message_key(person.id, today_in(person.timezone, at))
        self._messages[key] += 1
        self._owed[key] = outbox.owed(KIND, key=key, target=person.id, due_at=at)

    def _stop(self, record: Record, step: Escalation, asked: Sequence[Escalation]) -> None:
        """Say once that nobody is left, and rest until somebody answers or a setting changes."""
        self._plan(record, None)
        if all(each.rung is not Rung.NOBODY for each in asked):
            step.asked_at = self._now
            self._new.append(step)
            self._at_end.append(record)

    def _plan(self, record: Record, at: datetime | None) -> None:
        self._plans.setdefault(at, []).append(record.id)

    async def store(self) -> None:
        """Store what was decided."""
        session, now = self._session, self._now
        if self._ended:
            await end(session, self._ended, None, now)
            await _set(session, self._ended, climb_rung=None, climb_since=None)
        if self._dropped:
            await session.exec(delete(Escalation).where(col(Escalation.id).in_(self._dropped)))
        for at, ids in self._plans.items():
            await _set(session, ids, climb_at=at)
        if self._at_end:
            actor_id = await _own_id(session)
            await add_rows(session, [_noted(each, actor_id, Act.ASKED, AT_END, VIA, now) for each in self._at_end])
            fresh = [each.id for each in self._at_end if each.climb_rung is None or each.id in self._ended]
            await _set(session, fresh, climb_rung=Rung.NOBODY, climb_since=now)
        await add_rows(session, self._new)
        await outbox.put_all(session, list(self._owed.values()))


def _is_under_way(step: Escalation, word: datetime, now: datetime) -> bool:
    """Whether a planned step may still be sent: nobody said anything since, and it is not too late for it."""
    return word <= step.planned_at and now < step.planned_at + SETTLED_AFTER


def _asked_last(asked: Sequence[Escalation]) -> datetime:
    at = asked[-1].asked_at
    assert at is not None
    return at


def _ready_after(asked: Sequence[Escalation], project: Project) -> datetime:
    """From when on the next one may be asked: at once after somebody who could not be."""
    at = _asked_last(asked)
    return at if asked[-1].trouble else after_grace(project, at)


async def _hands(session: AsyncSession, pairs: Sequence[Pair], now: datetime) -> Hands:
    """Everybody whom these records may climb to, deputies included; a few statements."""
    people = await directory.people(session, {person_id for pair in pairs for person_id in _hands_of(*pair)})
    away = await absences.away_now(session, people.values(), now)
    deputies = await directory.people(session, {absence.deputy_id for absence in away.values()} - people.keys())
    away |= await absences.away_now(session, deputies.values(), now)
    people |= deputies
    days = {(each.id, today_in(each.timezone, at)) for each in people.values() for at in (now, now - LATE_LIMIT)}
    keys = [message_key(*each) for each in days]
    told = await session.exec(select(Delivery.dedupe_key).where(col(Delivery.dedupe_key).in_(keys)))
    muted = await manners.mutes(session, people, [item.record.id or 0 for item, _ in pairs])
    return Hands(people, away, muted, set(told))


def _hands_of(item: Item, project: Project) -> tuple[str | None, ...]:
    return item.record.owner_id, project.coordinator_id, project.sponsor_id


def message_key(person_id: str, day: date) -> str:
    """The key of the one message that asks a person on a day of theirs."""
    return f"{KIND}:{person_id}:{day.isoformat()}"


async def _set(session: AsyncSession, record_ids: Sequence[int | None], **values: Any) -> None:
    """Note on the records where they are on the ladder: no change of theirs, and no new version."""
    statement = update(Record).where(col(Record.id).in_(record_ids)).values(**values)
    await session.exec(statement, execution_options={"synchronize_session": False})


async def _own_id(session: AsyncSession) -> str:
    """As whom Steward itself stands in histories."""
    return (await session.exec(select(Workspace.bot_user_id))).one()


def _noted(record: Record, actor_id: str, act: Act, said: str, via: str, now: datetime) -> History:
    return History(
        record_id=record.id,
        project_id=record.project_id,
        version=record.version,
        at=now,
        actor_id=actor_id,
        act=act,
        via=via,
        note=said,
    )


@dataclass(frozen=True)
class Ask:
    """What one step asks of its person: `earlier` are the steps before it, `away` who of the project is away."""

    item: Item
    project: Project
    step: Escalation
    earlier: tuple[Escalation, ...]
    away: Away

    @property
    def concern(self) -> Concern:
        return next(each for each in self.item.kind.concerns if each.key == self.step.concern)


async def planned_for(session: AsyncSession, person: Person, now: datetime) -> list[Ask]:
    """What the person is to be asked now: what is planned, may be seen by them and has had no word meanwhile."""
    query = (
        select(Escalation)
        .join(Record, col(Record.id) == col(Escalation.record_id))
        .where(
            col(Escalation.person_id) == person.id,
            col(Escalation.asked_at).is_(None),
            col(Escalation.ended_at).is_(None),
            ~manners.muted_by(person.id),
        )
    )
    asks = await _asks(session, person, (await session.exec(query.order_by(col(Escalation.id)))).all(), now)
    words = await last_words(session, [ask.item.record.id for ask in asks])
    return [
        ask
        for ask in asks
        if climbs(ask.item.record, ask.project) and _is_under_way(ask.step, words[ask.step.record_id], now)
    ]


async def asked_of(
    session: AsyncSession, person: Person, references: Collection[tuple[Kind, int]], now: datetime
) -> list[Ask]:
    """What the person was last asked about each of these records, answered or not, as far as they may see them."""
    conditions = [and_(col(Record.kind) == kind.key, col(Record.number) == number) for kind, number in references]
    latest = (
        select(func.max(Escalation.id))
        .join(Record, col(Record.id) == col(Escalation.record_id))
        .where(col(Escalation.person_id) == person.id, col(Escalation.asked_at).is_not(None), or_(*conditions))
        .group_by(col(Escalation.record_id))
    )
    query = select(Escalation).where(col(Escalation.id).in_(latest)).order_by(col(Escalation.id))
    return await _asks(session, person, (await session.exec(query)).all(), now)


async def asked_in(session: AsyncSession, person: Person, step_ids: Collection[int], now: datetime) -> list[Ask]:
    """What these steps asked of the person, answered or not, as far as they may see it still."""
    query = select(Escalation).where(col(Escalation.id).in_(step_ids)).order_by(col(Escalation.id))
    return await _asks(session, person, (await session.exec(query)).all(), now)


async def _asks(session: AsyncSession, person: Person, steps: Sequence[Escalation], now: datetime) -> list[Ask]:
    """The steps with all that is told with them, as far as the person may see the records."""
    ids = [step.record_id for step in steps]
    query = (
        select(Record, Project)
        .join(Project, col(Project.id) == col(Record.project_id))
        .where(col(Record.id).in_(ids), col(Record.is_archived).is_(False), visible_records(actor_of(person)))
    )
    found = await with_own_rows(session, [(record, project) for record, project in await session.exec(query)])
    pairs = {item.record.id: (item, project) for item, project in found}
    hands = await directory.people(session, {person_id for pair in found for person_id in _hands_of(*pair)})
    away = await absences.away_now(session, hands.values(), now)
    before = await open_steps(session, ids)
    return [
        Ask(
            *pairs[step.record_id],
            step,
            tuple(each for each in before.get(step.record_id, ()) if (each.id or 0) < (step.id or 0)),
            away,
        )
        for step in steps
        if step.record_id in pairs
    ]


async def note_asked(session: AsyncSession, told: Mapping[int, str], now: datetime) -> list[Record]:
    """Note that these steps were taken, in these words, and plan the next ones; the records still on their climb."""
    climbing = []
    actor_id = await _own_id(session)
    for step, record, project, word in await _unasked(session, col(Escalation.id).in_(told)):
        step.asked_at = now
        session.add(step)
        session.add(_noted(record, actor_id, Act.ASKED, told[step.id or 0], VIA, now))
        if word > step.planned_at:
            # Somebody was faster than the message.
            step.ended_at = now
            continue
        climbing.append(record)
        at = after_grace(project, now)
        await _set(session, [record.id], climb_at=at, climb_rung=step.rung, climb_since=now)
        await _note_level(session, record, step.rung)
    await session.flush()
    return climbing


# Whom a record counts as raised to when somebody on the rung was asked. That its owner was asked is on no card.
LEVELS: Mapping[Rung, EscalationLevel] = {
    Rung.COORDINATOR: EscalationLevel.COORDINATOR,
    Rung.SPONSOR: EscalationLevel.SPONSOR,
}


async def _note_level(session: AsyncSession, record: Record, rung: Rung) -> None:
    """Keep to whom a record was raised last, where its kind has a field for it; the step is its history."""
    model: Any = kind_of(record.kind).model
    if "escalation_level" in model.model_fields and rung in LEVELS:
        statement = update(model).where(model.record_id == record.id).values(escalation_level=LEVELS[rung])
        await session.exec(statement, execution_options={"synchronize_session": False})


async def note_unasked(session: AsyncSession, person_id: str, trouble: str, said: str, now: datetime) -> None:
    """Note that Slack would not take what was planned for the person, so that the next one is asked at once.

    Where it takes nothing from Steward at all, the same one is asked on another day.
    """
    actor_id = await _own_id(session)
    for step, record, _, _ in await _unasked(session, col(Escalation.person_id) == person_id):
        if trouble in NOBODYS_FAULT:
            await session.delete(step)
        else:
            step.asked_at, step.trouble = now, trouble
            session.add_all([step, _noted(record, actor_id, Act.ASKED, said, VIA, now)])
        await _set(session, [record.id], climb_at=now)
    await session.flush()


async def unasked_ids(session: AsyncSession, person_id: str) -> list[int]:
    """The planned steps of the person."""
    return [step.id or 0 for step, _, _, _ in await _unasked(session, col(Escalation.person_id) == person_id)]


async def _unasked(
    session: AsyncSession, condition: ColumnElement[bool]
) -> list[tuple[Escalation, Record, Project, datetime]]:
    """Planned steps with their record, its project and when the last word about it was said."""
    query = (
        select(Escalation, Record, Project)
        .join(Record, col(Record.id) == col(Escalation.record_id))
        .join(Project, col(Project.id) == col(Record.project_id))
        .where(condition, col(Escalation.asked_at).is_(None), col(Escalation.ended_at).is_(None))
        .order_by(col(Escalation.id))
    )
    found = (await session.exec(query)).all()
    words = await last_words(session, [record.id for _, record, _ in found])
    return [(step, record, project, words.get(record.id or 0, record.created_at)) for step, record, project in found]
