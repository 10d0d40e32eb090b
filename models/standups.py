"""Stand-ups: planned as recurrences, held as rounds, answered by each person at their own time.

A round is one local date. Everybody's part in it is planned when it opens; who is away that day is not asked. An answer
can be given and changed until the next round opens, also after the window, when it is marked as late.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, update
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import absences, directory, leaving, manners, outbox
from models.clock import zone_or_utc
from models.errors import Conflict, InvalidFields, NotAllowed, NotFound
from models.outbox import Owed
from models.permissions import Actor, Right, Standing, may, may_see_standup
from models.recurrences import Occurrence, Recurrence, Rule, instant_of
from models.tables import (
    Channel,
    ChannelMember,
    EntryState,
    Person,
    Project,
    Standup,
    StandupEntry,
    StandupReport,
    StandupRound,
)
from models.working_days import holiday_on

NAME_MAX = 80
QUESTION_MAX = 150
QUESTIONS_MAX = 8
ANSWER_MAX = 3_000
WINDOW_MIN, WINDOW_MAX = 15, 24 * 60
LATE_LIMIT = timedelta(minutes=60)  # a prompt that is later than this is not sent any more

# A question that begins so asks what is in the way; its answers are blockers.
BLOCKER_MARK = "!"
CLASSIC = (
    "What did you get done since last time?",
    "What will you do next?",
    f"{BLOCKER_MARK} What is in your way?",
)
NOTHING = frozenset({"", "-", "–", "no", "none", "nothing", "nope", "n/a", "na", "nil"})

# Where a local date begins first of all; a round of everybody's own hour may begin there.
EARLIEST_ZONE = "Etc/GMT-14"
LATEST_ZONE = "Etc/GMT+12"
# By then a day's hour has come everywhere, also for whoever had quiet hours then.
EVERYWHERE = timedelta(days=2)

IsSkipped = Callable[[date], bool]


def never(day: date) -> bool:
    """No date is skipped."""
    return False


def read_questions(typed: str) -> list[str]:
    """The questions, one a line, in their order."""
    return [" ".join(line.split()) for line in typed.splitlines() if line.strip()]


def asked(question: str) -> str:
    """The question as people read it, without the mark."""
    return question.removeprefix(BLOCKER_MARK).strip()


def is_about_blockers(question: str) -> bool:
    return question.startswith(BLOCKER_MARK)


def blockers(entry: StandupEntry, questions: Sequence[str]) -> list[str]:
    """What the person says is in their way; words such as “none” are none."""
    pairs = zip(questions, entry.answers, strict=False)
    return [answer for question, answer in pairs if is_about_blockers(question) and not is_nothing(answer)]


def is_nothing(answer: str) -> bool:
    return answer.strip().rstrip(".!").lower() in NOTHING


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the form of a stand-up holds. `zone` None asks everybody at their own hour."""

    channel_id: str
    name: str
    questions: Sequence[str]
    asks_mood: bool
    weekdays: Sequence[int]
    every_weeks: int
    at: time | None
    zone: str | None
    window_minutes: int
    nudge_minutes: int
    participants: Sequence[str]
    report: StandupReport
    missing_to: str | None
    makes_issues: bool


def problems(plan: Plan) -> dict[str, str]:
    """What cannot be stored, key -> sentence."""
    found = {}
    if not plan.name.strip():
        found["name"] = "Give it a name, such as “Daily”."
    elif len(plan.name) > NAME_MAX:
        found["name"] = f"At most {NAME_MAX} characters; this has {len(plan.name):,}."
    if problem := _question_problem(plan.questions):
        found["questions"] = problem
    if not plan.channel_id:
        found["channel"] = "Choose the channel that reads the answers."
    if not plan.weekdays:
        found["weekdays"] = "Choose at least one day."
    if plan.at is None:
        found["at"] = "Choose the time at which people are asked."
    if plan.zone is not None and zone_or_utc(plan.zone) == ZoneInfo("UTC") and plan.zone != "UTC":
        found["zone"] = "I do not know this time zone. Choose one from the list."
    if not WINDOW_MIN <= plan.window_minutes <= WINDOW_MAX:
        found["window"] = f"The window is {WINDOW_MIN} minutes to {WINDOW_MAX // 60} hours."
    if plan.nudge_minutes and plan.nudge_minutes >= plan.window_minutes:
        found["nudge"] = "The reminder would come before the question. Choose fewer minutes than the window has."
    return found


def _question_problem(questions: Sequence[str]) -> str:
    """What is wrong with the questions, in a sentence; empty when nothing is."""
    if not questions:
        return "Write at least one question, one a line."
    if len(questions) > QUESTIONS_MAX:
        return f"At most {QUESTIONS_MAX} questions; these are {len(questions)}."
    for question in questions:
        if len(question) > QUESTION_MAX:
            return f"At most {QUESTION_MAX} characters a question: “{question[:40]}…”"
        if not asked(question):
            return f"A question is missing after “{BLOCKER_MARK}”."
    return ""


def recurrence(standup: Standup, zone: str, is_skipped: IsSkipped = never) -> Recurrence:
    """The stand-up's days at its hour in `zone`."""
    return Recurrence(Rule(standup.rule, standup.start), standup.at, zone, is_skipped)


def next_round(standup: Standup, after: datetime, is_skipped: IsSkipped = never) -> Occurrence | None:
    """The first round whose beginning lies after that instant: its day, and the first instant of it anywhere."""
    return recurrence(standup, standup.zone or EARLIEST_ZONE, is_skipped).after(after)


def upcoming(standup: Standup, now: datetime, is_skipped: IsSkipped = never) -> date | None:
    """The day of the next round; of a paused stand-up, the one on which it would be."""
    if standup.next_day is not None:
        return standup.next_day
    found = next_round(standup, now, is_skipped)
    return found.day if found else None


def preview(standup: Standup, people: Iterable[Person], day: date) -> list[tuple[Person, datetime]]:
    """Whom a round of that day asks when, the earliest first."""
    plans = [(person, asked_at(standup, person, day)) for person in people]
    return sorted(plans, key=lambda each: (each[1], each[0].shown_name))


def asked_at(standup: Standup, person: Person, day: date) -> datetime:
    """When a round of that day asks the person: at its hour, or when their quiet hours end."""
    return manners.not_before(person, instant_of(day, standup.at, standup.zone or person.timezone))


async def create(
    session: AsyncSession, actor: Actor, plan: Plan, *, today: date, now: datetime, is_skipped: IsSkipped = never
) -> Standup:
    """Store a new stand-up and plan its first round. Raises InvalidFields and NotAllowed."""
    require_member(actor)
    if found := problems(plan):
        raise InvalidFields(found)
    standup = Standup(created_by=actor.id, created_at=now, start=today, **_columns(plan, today))
    await _plan(session, standup, now, is_skipped)
    session.add(standup)
    await session.flush()
    return standup


async def change(
    session: AsyncSession, standup: Standup, plan: Plan, *, version: int, now: datetime, is_skipped: IsSkipped = never
) -> Standup:
    """Store the changed form; a round that is under way goes on as it began. Raises InvalidFields and Conflict."""
    if standup.version != version:
        raise Conflict("Somebody changed this stand-up meanwhile. Close this form and open it again.")
    if found := problems(plan):
        raise InvalidFields(found)
    for key, value in _columns(plan, standup.start).items():
        setattr(standup, key, value)
    await _plan(session, standup, now, is_skipped)
    session.add(standup)
    await session.flush()
    return standup


async def pause(session: AsyncSession, standup: Standup, *, now: datetime, is_skipped: IsSkipped = never) -> Standup:
    """Pause the stand-up, or resume it; the next round is then the next one from now on."""
    standup.is_paused = not standup.is_paused
    await _plan(session, standup, now, is_skipped)
    session.add(standup)
    await session.flush()
    return standup


async def archive(session: AsyncSession, standup: Standup, *, now: datetime) -> Standup:
    """Remove the stand-up from every list, or bring it back; what was answered stays."""
    standup.is_archived = not standup.is_archived
    await _plan(session, standup, now)
    session.add(standup)
    await session.flush()
    return standup


def may_change(actor: Actor, standup: Standup, project: Project | None) -> bool:
    """Whoever set it up, the coordinator and sponsor of the channel's project, and workspace admins."""
    return may(actor, Right.STANDUP, project, made_by=standup.created_by)


async def in_channel(session: AsyncSession, channel_id: str) -> list[Standup]:
    """The stand-ups of a channel, by name."""
    query = (
        select(Standup)
        .where(col(Standup.channel_id) == channel_id, col(Standup.is_archived).is_(False))
        .order_by(col(Standup.name), col(Standup.id))
    )
    return list(await session.exec(query))


async def find(session: AsyncSession, actor: Actor, standup_id: int) -> tuple[Standup, Channel, Project | None]:
    """The stand-up with its channel and that one's project, if the actor is in the channel or it is a public one.

    Raises NotFound, the same for hidden and absent.
    """
    query = (
        select(Standup, Channel, Project)
        .join(Channel, col(Channel.id) == col(Standup.channel_id))
        .join(Project, col(Project.id) == col(Channel.project_id), isouter=True)
        .where(col(Standup.id) == standup_id)
    )
    found = (await session.exec(query)).first()
    if found is None or not await sees(session, actor, found[0], found[1]):
        raise NotFound("There is no such stand-up that you can see.")
    return found


async def sees(session: AsyncSession, actor: Actor, standup: Standup, channel: Channel) -> bool:
    """Whether the person may know of it; asks who is in the channel only where that decides."""
    if may_see_standup(actor, standup, channel, is_member=False):
        return True
    is_member = await directory.is_member(session, channel.id, actor.id)
    return may_see_standup(actor, standup, channel, is_member=is_member)


async def participants(session: AsyncSession, standup: Standup) -> list[Person]:
    """Who is asked: the chosen people, or whoever is in the channel; without apps and those who left."""
    wanted: Any = standup.participants
    if not wanted:
        wanted = select(ChannelMember.person_id).where(col(ChannelMember.channel_id) == standup.channel_id)
    query = (
        select(Person)
        .where(col(Person.id).in_(wanted), col(Person.is_active), col(Person.is_bot).is_(False))
        .order_by(col(Person.real_name), col(Person.id))
    )
    return list(await session.exec(query))


async def due(session: AsyncSession, now: datetime) -> list[tuple[Standup, Project | None]]:
    """The stand-ups of which a round may have something to do, with the project of their channel."""
    query = (
        select(Standup, Project)
        .join(Channel, col(Channel.id) == col(Standup.channel_id))
        .join(Project, col(Project.id) == col(Channel.project_id), isouter=True)
        .where(col(Standup.next_at) <= now)
        .order_by(col(Standup.id))
        # Of two workers that look at the same moment one opens a round; who changes the stand-up waits for it.
        .with_for_update(of=Standup, skip_locked=True)
    )
    return list((await session.exec(query)).all())


def days_off(project: Project | None) -> IsSkipped:
    """The dates that a stand-up of the project leaves out: its public holidays and its own days off."""
    return (lambda day: holiday_on(project, day) is not None) if project is not None else never


async def open_round(
    session: AsyncSession, standup: Standup, day: date, *, now: datetime, at_once: bool = False
) -> StandupRound | None:
    """Begin the round of that day: everybody's part and what they are owed.

    None when it is over, began before or has nobody in it; the last is told to whoever set the stand-up up, once.
    """
    people = await participants(session, standup)
    if not people:
        await _owe_nobody(session, standup, now)
    window = timedelta(minutes=standup.window_minutes)
    if at_once:
        begins = [(person, manners.not_before(person, now)) for person in people]
    else:
        # Who came or moved meanwhile to where their hour was before it is asked when the round begins, not never.
        begins = [(person, max(at, standup.next_at or at)) for person, at in preview(standup, people, day)]
    planned = [(person, at, at + window) for person, at in begins]
    last = max((closes for _, _, closes in planned), default=now)
    if last <= now or await _has_begun(session, standup, day):
        return None
    assert standup.id is not None
    begun = StandupRound(
        standup_id=standup.id,
        day=day,
        questions=list(standup.questions),
        asks_mood=standup.asks_mood,
        opens_at=min(at for _, at, _ in planned),
        closes_at=last,
    )
    session.add(begun)
    await session.flush()
    assert begun.id is not None
    away = await absences.of(session, [person.id for person in people], day)
    owed: list[Owed] = []
    for person, opens, closes in planned:
        entry = StandupEntry(
            round_id=begun.id,
            person_id=person.id,
            zone=person.timezone,
            opens_at=opens,
            closes_at=closes,
            state=EntryState.AWAY if person.id in away else EntryState.WAITING,
        )
        session.add(entry)
        if entry.state is EntryState.WAITING:
            owed += _prompts(standup, entry)
    await outbox.put_all(session, owed)
    await session.flush()
    return begun


async def _has_begun(session: AsyncSession, standup: Standup, day: date) -> bool:
    known = select(StandupRound.id).where(col(StandupRound.standup_id) == standup.id, col(StandupRound.day) == day)
    return (await session.exec(known)).first() is not None


async def organiser(session: AsyncSession, standup: Standup) -> str:
    """Who is told what goes wrong: whoever set it up, or once they left, who answers for the channel's project."""
    person = await directory.person(session, standup.created_by)
    place = await directory.channel(session, standup.channel_id)
    if (person is not None and person.is_active) or place is None or place[1] is None:
        return standup.created_by
    heirs = await leaving.heirs_of(session, place[1])
    return heirs[0] if heirs else standup.created_by


async def _owe_nobody(session: AsyncSession, standup: Standup, now: datetime) -> None:
    told = await organiser(session, standup)
    await outbox.put(
        session,
        "standup_nobody",
        key=f"standup_nobody:{standup.id}:{told}:{','.join(standup.participants)}",
        target=told,
        payload={"standup": standup.id},
        due_at=now,
    )


def _prompts(standup: Standup, entry: StandupEntry) -> list[Owed]:
    """The questions, and the reminder before the window ends, to be owed, once for each hour that is planned."""
    opens_at = entry.opens_at.isoformat()
    # Where a downtime ends so late that the reminder is due as well, it comes instead of the questions.
    lane = f"standup:{entry.round_id}:{entry.person_id}:{opens_at}"
    payload = {"round": entry.round_id, "opens_at": opens_at}
    prompt = outbox.owed(
        "standup_prompt",
        key=lane,
        lane=lane,
        target=entry.person_id,
        payload=payload,
        due_at=entry.opens_at,
        expires_at=min(entry.opens_at + LATE_LIMIT, entry.closes_at),
    )
    if not standup.nudge_minutes:
        return [prompt]
    nudge = outbox.owed(
        "standup_nudge",
        key=f"standup_nudge:{entry.round_id}:{entry.person_id}:{opens_at}",
        lane=lane,
        target=entry.person_id,
        payload=payload,
        due_at=entry.closes_at - timedelta(minutes=standup.nudge_minutes),
        expires_at=entry.closes_at,
    )
    return [prompt, nudge]


async def run_now(session: AsyncSession, standup: Standup, *, today: date, now: datetime) -> StandupRound | None:
    """Ask everybody at this moment, as the round of today; None when there is nobody. Raises Conflict."""
    if await _has_begun(session, standup, today):
        raise Conflict("Today's round has begun already. `/standup answer` opens it.")
    return await open_round(session, standup, today, now=now, at_once=True)


async def bring_forward(session: AsyncSession, person: Person, now: datetime) -> None:
    """Let no first round begin after the hour at which it asks this person where they live by now.

    Other rounds begin before it is that hour anywhere, and then follow who moves.
    """
    query = select(Standup).where(col(Standup.zone).is_(None), col(Standup.next_at) > now)
    for standup in await session.exec(query):
        assert standup.next_at is not None
        assert standup.next_day is not None
        # Where their hour has passed they are asked now rather than not at all.
        at = max(now, asked_at(standup, person, standup.next_day))
        if at < standup.next_at and person.id in {each.id for each in await participants(session, standup)}:
            await _store_plan(session, standup, standup.next_day, at)


async def follow_moves(session: AsyncSession, now: datetime) -> None:
    """Plan anew for whoever changed zones before their hour came, in rounds that ask each at their own."""
    query = (
        select(StandupEntry, StandupRound, Standup, Person)
        .join(StandupRound, col(StandupRound.id) == col(StandupEntry.round_id))
        .join(Standup, col(Standup.id) == col(StandupRound.standup_id))
        .join(Person, col(Person.id) == col(StandupEntry.person_id))
        .where(
            col(StandupRound.is_open),
            col(Standup.zone).is_(None),
            col(StandupEntry.state) == EntryState.WAITING,
            col(StandupEntry.opens_at) > now,
            col(StandupEntry.zone) != col(Person.timezone),
        )
    )
    for entry, round_, standup, person in (await session.exec(query)).all():
        # Somebody whose hour has passed in the new zone is asked now rather than not at all.
        entry.zone = person.timezone
        entry.opens_at = max(now, asked_at(standup, person, round_.day))
        entry.closes_at = entry.opens_at + timedelta(minutes=standup.window_minutes)
        round_.closes_at = max(round_.closes_at, entry.closes_at)
        session.add_all([entry, round_])
        # Adds nothing where that hour was planned before: another zone may have the same one.
        await outbox.put_all(session, _prompts(standup, entry))
    await session.flush()


async def follow_absences(session: AsyncSession, person_id: str, now: datetime) -> None:
    """Bring the person's parts in open rounds in line with their absences.

    Whoever is away and has not answered is not asked any more; whoever is back before their hour is asked again.
    """
    query = _parts(person_id).where(col(StandupRound.is_open), col(StandupEntry.answered_at).is_(None))
    for entry, round_, standup in (await session.exec(query)).all():
        is_away = person_id in await absences.of(session, [person_id], round_.day)
        if is_away and entry.state is EntryState.WAITING:
            entry.state = EntryState.AWAY
            if round_.digest_ts:
                await owe_digest(session, round_, standup, now)
        elif not is_away and entry.state is EntryState.AWAY and entry.opens_at > now:
            entry.state = EntryState.WAITING
            # Adds nothing where it was planned before they went.
            await outbox.put_all(session, _prompts(standup, entry))
        session.add(entry)
    await session.flush()


async def close_due(session: AsyncSession, now: datetime) -> list[tuple[Standup, StandupRound]]:
    """Close the rounds whose last window has ended: who did not answer has missed it. What follows is owed."""
    query = (
        select(Standup, StandupRound)
        .join(StandupRound, col(StandupRound.standup_id) == col(Standup.id))
        .where(col(StandupRound.is_open), col(StandupRound.closes_at) <= now)
    )
    closed = list((await session.exec(query)).all())
    for standup, round_ in closed:
        round_.is_open = False
        session.add(round_)
        missing = await session.exec(
            update(StandupEntry)
            .where(col(StandupEntry.round_id) == round_.id, col(StandupEntry.state) == EntryState.WAITING)
            .values(state=EntryState.MISSED, version=col(StandupEntry.version) + 1),
            execution_options={"synchronize_session": False},
        )
        await owe_digest(session, round_, standup, now)
        if missing.rowcount and standup.missing_to:
            await outbox.put(
                session,
                "standup_missing",
                key=f"standup_missing:{round_.id}",
                target=standup.missing_to,
                payload={"round": round_.id},
                due_at=now,
            )
    await session.flush()
    return closed


async def owe_digest(session: AsyncSession, round_: StandupRound, standup: Standup, now: datetime) -> None:
    """Owe the channel the round's message as it now is."""
    round_.drawn += 1
    session.add(round_)
    await outbox.put(
        session,
        "standup_digest",
        key=f"standup_digest:{round_.id}:{round_.drawn}",
        lane=f"standup_digest:{round_.id}",
        target=standup.channel_id,
        payload={"round": round_.id},
        due_at=now,
    )


async def round_of(session: AsyncSession, round_id: int) -> tuple[StandupRound, Standup] | None:
    """The round with its stand-up."""
    query = (
        select(StandupRound, Standup)
        .join(Standup, col(Standup.id) == col(StandupRound.standup_id))
        .where(col(StandupRound.id) == round_id)
    )
    return (await session.exec(query)).first()


async def entries(session: AsyncSession, round_: StandupRound) -> list[StandupEntry]:
    """Everybody's part in a round, in the order in which they answered; those who did not come last."""
    query = (
        select(StandupEntry)
        .where(col(StandupEntry.round_id) == round_.id)
        .order_by(col(StandupEntry.answered_at).is_(None), col(StandupEntry.answered_at), col(StandupEntry.person_id))
    )
    return list(await session.exec(query))


@dataclass(frozen=True)
class Part:
    """One person's part in a round, with what it belongs to."""

    entry: StandupEntry
    round: StandupRound
    standup: Standup


NOT_ASKED = "You were not asked in that round. `/standup answer` shows where you are."


async def part(session: AsyncSession, person_id: str, round_id: int) -> Part:
    """The person's own part. Raises NotFound."""
    query = _parts(person_id).where(col(StandupEntry.round_id) == round_id)
    found = (await session.exec(query)).first()
    if found is None:
        raise NotFound(NOT_ASKED)
    return Part(*found)


async def answerable(session: AsyncSession, person_id: str, now: datetime) -> list[Part]:
    """The person's parts that can be answered or changed now: of each stand-up the newest round that has begun."""
    newest = (
        select(func.max(StandupRound.id))
        .join(StandupEntry, col(StandupEntry.round_id) == col(StandupRound.id))
        .where(col(StandupEntry.person_id) == person_id, col(StandupEntry.opens_at) <= now)
        .group_by(col(StandupRound.standup_id))
    )
    query = _parts(person_id).where(col(StandupRound.id).in_(newest), col(Standup.is_archived).is_(False))
    return [Part(*found) for found in await session.exec(query.order_by(col(Standup.name)))]


async def before(session: AsyncSession, at: Part) -> StandupEntry | None:
    """The person's last answered part in the same stand-up before this one."""
    query = (
        select(StandupEntry)
        .join(StandupRound, col(StandupRound.id) == col(StandupEntry.round_id))
        .where(
            col(StandupEntry.person_id) == at.entry.person_id,
            col(StandupRound.standup_id) == at.standup.id,
            col(StandupRound.day) < at.round.day,
            col(StandupEntry.answered_at).is_not(None),
        )
        .order_by(col(StandupRound.day).desc())
        .limit(1)
    )
    return (await session.exec(query)).first()


def _parts(person_id: str) -> Any:
    return (
        select(StandupEntry, StandupRound, Standup)
        .join(StandupRound, col(StandupRound.id) == col(StandupEntry.round_id))
        .join(Standup, col(Standup.id) == col(StandupRound.standup_id))
        .where(col(StandupEntry.person_id) == person_id)
    )


async def answer(
    session: AsyncSession, at: Part, answers: Sequence[str], *, mood: int | None, now: datetime
) -> StandupEntry:
    """Store the answers, or change them. Raises InvalidFields, and Conflict once the next round has begun."""
    await require_current(session, at, now, then="Copy your words, then answer that one")
    if not any(words.strip() for words in answers):
        raise InvalidFields({"answer:0": "Answer at least one question, or press Cancel and then Skip today."})
    entry = at.entry
    if entry.answered_at is None:
        entry.answered_at = now
        entry.state = EntryState.LATE if now > entry.closes_at else EntryState.ANSWERED
    else:
        entry.edited_at = now
        entry.state = EntryState.ANSWERED if entry.state is EntryState.SKIPPED else entry.state
    entry.answers, entry.mood = list(answers), mood
    session.add(entry)
    await owe_digest(session, at.round, at.standup, now)
    await session.flush()
    return entry


async def skip(session: AsyncSession, at: Part, state: EntryState, *, now: datetime) -> StandupEntry:
    """Leave this round out, or be away for it. An answer that was given stays."""
    await require_current(session, at, now)
    if at.entry.answered_at is not None:
        raise Conflict("You have answered already. Change your answers instead: `/standup answer`.")
    at.entry.state = state
    session.add(at.entry)
    if at.round.digest_ts:
        await owe_digest(session, at.round, at.standup, now)
    await session.flush()
    return at.entry


async def require_current(session: AsyncSession, at: Part, now: datetime, *, then: str = "Answer that one") -> None:
    """Raise Conflict, with what to do `then`, once the stand-up has asked the person anew."""
    later = (
        select(StandupRound.id)
        .join(StandupEntry, col(StandupEntry.round_id) == col(StandupRound.id))
        .where(
            col(StandupRound.standup_id) == at.standup.id,
            col(StandupRound.day) > at.round.day,
            col(StandupEntry.person_id) == at.entry.person_id,
            col(StandupEntry.opens_at) <= now,
        )
        .limit(1)
    )
    if (await session.exec(later)).first() is not None:
        raise Conflict(
            f"The round of {at.round.day:%a} {at.round.day.day} {at.round.day:%b} is over, the next one has begun. "
            f"{then}: `/standup answer`."
        )


def require_member(actor: Actor) -> None:
    """Raise NotAllowed unless the person may set up stand-ups: full members may."""
    if actor.standing is not Standing.MEMBER:
        raise NotAllowed("Guests cannot set up a stand-up. Ask a member of the channel to do it.")


def _columns(plan: Plan, start: date) -> Mapping[str, Any]:
    """The plan as columns."""
    return {
        "channel_id": plan.channel_id,
        "name": " ".join(plan.name.split()),
        "questions": list(plan.questions),
        "asks_mood": plan.asks_mood,
        "rule": Rule.weekly(plan.weekdays, start, every=plan.every_weeks).words,
        "at": plan.at,
        "zone": plan.zone,
        "window_minutes": plan.window_minutes,
        "nudge_minutes": plan.nudge_minutes,
        "participants": list(plan.participants),
        "report": plan.report,
        "missing_to": plan.missing_to,
        "makes_issues": plan.makes_issues,
    }


async def _plan(session: AsyncSession, standup: Standup, now: datetime, is_skipped: IsSkipped = never) -> None:
    """Plan the next round from now on: also that of a day which has begun on earth, if nobody would be asked late."""
    standup.next_day, standup.next_at = _next_plan(standup, now, is_skipped)
    if standup.next_day is None or standup.zone is not None:
        return
    begun = [each.day for each in recurrence(standup, EARLIEST_ZONE, is_skipped).between(now - EVERYWHERE, now)]
    with session.no_autoflush:  # a change is one version
        for day, first in await _first_hours(session, standup, begun):
            if first > now and not await _has_begun(session, standup, day):
                standup.next_day, standup.next_at = day, first
                return


async def _first_hours(session: AsyncSession, standup: Standup, days: Sequence[date]) -> list[tuple[date, datetime]]:
    """When each of the days first asks anybody; while nobody is known, its hour in the project's zone."""
    if not days:
        return []
    if people := await participants(session, standup):
        return [(day, min(asked_at(standup, person, day) for person in people)) for day in days]
    place = await directory.channel(session, standup.channel_id)
    zone = place[1].timezone if place and place[1] else EARLIEST_ZONE
    return [(day, instant_of(day, standup.at, zone)) for day in days]


def _next_plan(standup: Standup, after: datetime, is_skipped: IsSkipped) -> tuple[date | None, datetime | None]:
    """The next round's day, and when the stand-up has something to do for it; never, while it is paused or removed."""
    found = None if standup.is_paused or standup.is_archived else next_round(standup, after, is_skipped)
    return (found.day, found.at) if found else (None, None)


async def _store_plan(session: AsyncSession, standup: Standup, day: date | None, at: datetime | None) -> None:
    """Note when the next round is. It is no change of the stand-up, so its version stays."""
    statement = update(Standup).where(col(Standup.id) == standup.id).values(next_day=day, next_at=at)
    await session.exec(statement, execution_options={"synchronize_session": False})
    set_committed_value(standup, "next_day", day)
    set_committed_value(standup, "next_at", at)


async def advance(
    session: AsyncSession, standup: Standup, *, now: datetime, is_skipped: IsSkipped = never, rests: bool = False
) -> None:
    """Open every round of the stand-up that has come, as far as it is not over, and plan the one after it.

    After a downtime the rounds that are over stay unheld: nobody is asked about a day that has gone. While it `rests`,
    as with an archived project, none is held.
    """
    while standup.next_at is not None and standup.next_day is not None and standup.next_at <= now:
        if not rests and now < _over_everywhere(standup, standup.next_day):
            await open_round(session, standup, standup.next_day, now=now)
        # From where that day began first: a round may have waited until after the next one's beginning there.
        begun = instant_of(standup.next_day, standup.at, standup.zone or EARLIEST_ZONE)
        await _store_plan(session, standup, *_next_plan(standup, begun, is_skipped))


def _over_everywhere(standup: Standup, day: date) -> datetime:
    """The instant from which on nobody's window of that day can be open."""
    return instant_of(day, standup.at, standup.zone or LATEST_ZONE) + timedelta(minutes=standup.window_minutes)
