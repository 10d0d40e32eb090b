"""Stand-ups: setting one up, answering at any time, looking at what came of it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import time

from handlers import away as away_handlers
from handlers import records
from handlers.replies import OpenForm, Reply, Tell
from handlers.request import Deps, Request
from models import absences, directory, operations, projects, standups
from models.clock import today_in
from models.errors import InvalidFields, NotAllowed, NotFound
from models.kinds.issue import ISSUE
from models.operations import TITLE_MAX
from models.permissions import Standing, actor_of
from models.standups import CLASSIC, Part, Plan
from models.tables import Channel, EntryState, Project, Standup, StandupReport
from reports import standups as reports
from views import forms
from views import standups as views
from views.blocks import Block, Message, cut, esc, mrkdwn, plain, section
from views.forms import FormContext
from views.values import day, name_of

OLD = "This button is from an older version of Steward. Ask for the stand-ups again: `/standup`."
WORKDAYS = (0, 1, 2, 3, 4)
MORNING = time(9, 30)


@dataclass(frozen=True)
class Word:
    """A word after `/standup`: what it does, and what help shows."""

    run: Callable[[Request, Deps], Awaitable[Reply]]
    summary: str


async def here(request: Request, deps: Deps) -> Reply:
    """The stand-ups of the channel, or the form of the first one; in a direct message what can be answered."""
    if request.channel is None:
        return await answer(request, deps)
    found = await standups.in_channel(deps.session, request.channel_id)
    if not found:
        return await new(request, deps)
    return await overview(request, deps)


async def overview(request: Request, deps: Deps) -> Reply:
    """The stand-ups of the channel with what can be done to each."""
    found = await standups.in_channel(deps.session, request.channel_id)
    shown = [(each, standups.may_change(request.actor, each, request.project)) for each in found]
    days = {each.id or 0: _next_words(each) for each in found}
    return Tell(views.overview(shown, next_days=days, channel_id=request.channel_id))


async def new(request: Request, deps: Deps) -> Reply:
    """The form of a new stand-up, filled with what most teams want."""
    standups.require_member(request.actor)
    plan = Plan(
        channel_id=request.value or request.channel_id if _is_channel(request.value or request.channel_id) else "",
        name="Daily",
        questions=CLASSIC,
        asks_mood=False,
        weekdays=WORKDAYS,
        every_weeks=1,
        at=MORNING,
        zone=None,
        window_minutes=180,
        nudge_minutes=30,
        participants=(),
        report=StandupReport.DIGEST,
        missing_to=None,
        makes_issues=False,
    )
    return OpenForm(views.form(None, plan, _context(request), team_zone=_team_zone(request, request.project)))


async def submitted(request: Request, deps: Deps) -> Reply:
    """Store the form of a new or changed stand-up. Raises InvalidFields, whose keys are the form's block ids."""
    channel_id = views.read_conversation(request.state, "channel")
    place = await directory.channel(deps.session, channel_id) if channel_id else None
    if place is None:
        raise InvalidFields({"channel": "Choose a channel that I am in: invite me there with `/invite @Steward`."})
    channel, project = place
    plan = views.read_form(
        request.state,
        team_zone=_team_zone(request, project),
        questions=standups.read_questions(forms.read_choice(request.state, "questions")),
    )
    await _require_reader(request, deps, channel)
    skipped = standups.days_off(project)
    if not request.context.reference:
        today = today_in(plan.zone or request.person.timezone, deps.now)
        standup = await standups.create(
            deps.session, request.actor, plan, today=today, now=deps.now, is_skipped=skipped
        )
        said = "New stand-up"
    else:
        standup = await _changeable(request, deps, request.context.reference)
        standup = await standups.change(
            deps.session, standup, plan, version=request.context.version, now=deps.now, is_skipped=skipped
        )
        said = "Changed"
    return Tell(views.saved(standup, said, next_day=_next_words(standup), hints=await _hints(deps, standup, channel)))


async def edit(request: Request, deps: Deps) -> Reply:
    """The form with what is stored."""
    standup = await _changeable(request, deps, request.value)
    context = replace(_context(request), reference=str(standup.id), version=standup.version)
    return OpenForm(views.form(standup, views.plan_of(standup), context, team_zone=_team_zone(request, None)))


async def copy(request: Request, deps: Deps) -> Reply:
    """The form of a new stand-up like this one."""
    standup, _, project = await standups.find(deps.session, request.actor, _number(request.value))
    standups.require_member(request.actor)
    plan = views.plan_of(standup)
    plan = replace(plan, name=cut(f"{plan.name} (copy)", standups.NAME_MAX))
    return OpenForm(views.form(None, plan, _context(request), team_zone=_team_zone(request, project)))


async def pause(request: Request, deps: Deps) -> Reply:
    """Pause or resume."""
    standup = await _changeable(request, deps, request.value)
    _, _, project = await standups.find(deps.session, request.actor, standup.id or 0)
    await standups.pause(deps.session, standup, now=deps.now, is_skipped=standups.days_off(project))
    said = "Paused" if standup.is_paused else "Resumed"
    return Tell(views.saved(standup, said, next_day=_next_words(standup)))


async def remove(request: Request, deps: Deps) -> Reply:
    """Remove, or bring back; what was answered stays either way."""
    standup = await _changeable(request, deps, request.value)
    await standups.archive(deps.session, standup, now=deps.now)
    said = "Removed" if standup.is_archived else "Brought back"
    return Tell(views.saved(standup, said, next_day=_next_words(standup)))


async def run_now(request: Request, deps: Deps) -> Reply:
    """Ask everybody at once, today."""
    standup = await _changeable(request, deps, request.value)
    round_ = await standups.run_now(
        deps.session, standup, today=today_in(standup.zone or request.person.timezone, deps.now), now=deps.now
    )
    text = f"{standup.name}: everybody is being asked now, until {views.in_hours(standup.window_minutes)} from now."
    if round_ is None:
        text = f"{standup.name}: there is nobody to ask. Invite me to the channel, or choose people."
    return Tell(Message(esc(text), [section(plain(text))]))


async def preview(request: Request, deps: Deps) -> Reply:
    """What people will get, when, in their zone."""
    standup, _, project = await standups.find(deps.session, request.actor, _number(request.value))
    following = standups.upcoming(standup, deps.now, standups.days_off(project))
    if following is None:
        raise NotFound("This stand-up has no day to come: every one of its days is left out. Change its days.")
    people = await standups.participants(deps.session, standup)
    away = await absences.of(deps.session, [person.id for person in people], following)
    asked = [
        (person.shown_name, standup.zone or person.timezone, at)
        for person, at in standups.preview(standup, people, following)
        if person.id not in away
    ]
    names = [person.shown_name for person in people if person.id in away]
    return Tell(views.preview(standup, following, asked, names))


async def history(request: Request, deps: Deps) -> Reply:
    """Rounds and participation: everybody's for whoever leads, else one's own."""
    if request.value:
        standup, _, project = await standups.find(deps.session, request.actor, _number(request.value))
    else:
        found = await standups.in_channel(deps.session, request.channel_id)
        if len(found) != 1:
            return await overview(request, deps)
        standup, project = found[0], request.project
    leads = standups.may_change(request.actor, standup, project)
    whose = None if leads else request.actor.id
    told = await reports.history(deps.session, standup.id or 0, person_id=whose, now=deps.now)
    people = await directory.people(deps.session, {each.person_id for each in told.people})
    return Tell(views.history(standup, told, people, own_only=not leads))


async def answer(request: Request, deps: Deps) -> Reply:
    """The answer form of a round: the one the button names, else the only one that is open, else a choice.

    Raises Conflict for a round that is over, before anybody types in vain.
    """
    if request.value:
        at = await _part(request, deps)
        await standups.require_current(deps.session, at, deps.now)
        return await _answer_form(request, deps, at)
    found = await standups.answerable(deps.session, request.actor.id, deps.now)
    if not found:
        raise NotFound("Nothing to answer yet. When your stand-up begins, I write to you.")
    if len(found) == 1:
        return await _answer_form(request, deps, found[0])
    return Tell(views.choice([(each.standup, each.round, each.entry) for each in found]))


async def answer_submitted(request: Request, deps: Deps) -> Reply:
    """Store the answers. Raises InvalidFields and Conflict, which keep what was typed in the form."""
    at = await standups.part(deps.session, request.actor.id, _number(request.context.reference))
    answers, mood = views.read_answers(request.state, len(at.round.questions))
    await standups.answer(deps.session, at, answers, mood=mood, now=deps.now)
    blocked = bool(standups.blockers(at.entry, at.round.questions)) and at.entry.issue_id is None
    made: list[Block] = []
    if blocked and at.standup.makes_issues:
        made, blocked = (await _make_issue(request, deps, at)).blocks, False
    late = ", marked as late" if at.entry.state is EntryState.LATE else ""
    told = views.answered(at.standup, at.round, f"Thank you: your answers are in{late}.", blocked=blocked)
    return Tell(replace(told, blocks=[*told.blocks, *made]))


async def skip(request: Request, deps: Deps) -> Reply:
    """Leave today's round out."""
    return await _leave_out(request, deps, EntryState.SKIPPED, "You skip")


async def away(request: Request, deps: Deps) -> Reply:
    """Away for the round, which is noted at once; the form asks whether it is for longer."""
    at = await _part(request, deps)
    await standups.skip(deps.session, at, EntryState.AWAY, now=deps.now)
    return await away_handlers.stood_up(request, deps, f"{at.standup.name}, {day(at.round.day)},")


async def issue(request: Request, deps: Deps) -> Reply:
    """Make an issue of somebody's blocker, owned by them."""
    number, _, person_id = request.value.partition(" ")
    at = await standups.part(deps.session, person_id or request.actor.id, _number(number))
    place = await directory.channel(deps.session, at.standup.channel_id)
    if place is None or not await standups.sees(deps.session, request.actor, at.standup, place[0]):
        raise NotFound(standups.NOT_ASKED)
    made = await _make_issue(request, deps, at)
    return Tell(made)


async def _make_issue(request: Request, deps: Deps, at: Part) -> Message:
    said = standups.blockers(at.entry, at.round.questions)
    if at.entry.issue_id is not None or not said:
        raise NotFound("This blocker is an issue already, or is none any more. The channel's message shows it.")
    place = await directory.channel(deps.session, at.standup.channel_id)
    assert place is not None
    channel, project = place
    began = project is None
    if project is None:
        project = await projects.begin(
            deps.session,
            request.actor,
            channel,
            name=channel.name,
            timezone=request.person.timezone,
            now=deps.now,
        )
    text = "\n".join(said)
    person = await directory.person(deps.session, at.entry.person_id)
    owner = at.entry.person_id if person and await projects.can_see(deps.session, project, person) else None
    item = await operations.create(
        deps.session,
        request.actor,
        ISSUE,
        {
            "title": cut(" ".join(text.split()), TITLE_MAX),
            "details": text if len(text.split("\n")) > 1 or len(text) > TITLE_MAX else "",
            "owner_id": owner,
        },
        project=project,
        channel_id=channel.id,
        now=deps.now,
        via="stand-up",
    )
    at.entry.issue_id = item.record.id
    deps.session.add(at.entry)
    await standups.owe_digest(deps.session, at.round, at.standup, deps.now)
    people = await directory.people(deps.session, {item.record.owner_id})
    words = f"Logged {item.reference}, owner {name_of(people, item.record.owner_id)}: {item.record.title}"
    hints = records.about_place(request, project, began)
    return Message(esc(words), [section(plain(words)), *(section(mrkdwn(hint)) for hint in hints)])


async def _leave_out(request: Request, deps: Deps, state: EntryState, said: str) -> Reply:
    at = await _part(request, deps)
    await standups.skip(deps.session, at, state, now=deps.now)
    message = views.answered(at.standup, at.round, said, blocked=False)
    return Tell(message, redraw=message)


async def _answer_form(request: Request, deps: Deps, at: Part) -> Reply:
    today = today_in(request.person.timezone, deps.now)
    known = await reports.prefill(deps.session, actor_of(request.person), at, today=today)
    context = replace(_context(request), reference=str(at.round.id))
    return OpenForm(views.answer_form(at.standup, at.round, known, at.entry.mood, context))


async def _part(request: Request, deps: Deps) -> Part:
    return await standups.part(deps.session, request.actor.id, _number(request.value))


async def _changeable(request: Request, deps: Deps, value: str) -> Standup:
    """The stand-up, if this person may change it. Raises NotFound and NotAllowed."""
    standup, _, project = await standups.find(deps.session, request.actor, _number(value))
    if not standups.may_change(request.actor, standup, project):
        raise NotAllowed(
            "Only whoever set this stand-up up, the project's coordinator or a workspace admin can do that. Ask them."
        )
    return standup


async def _require_reader(request: Request, deps: Deps, channel: Channel) -> None:
    """A stand-up is set up by somebody who reads its channel."""
    is_open = not channel.is_private and request.actor.standing is Standing.MEMBER
    if not is_open and not await directory.is_member(deps.session, channel.id, request.actor.id):
        raise InvalidFields({"channel": "Choose a channel that you and I are in."})


async def _hints(deps: Deps, standup: Standup, channel: Channel) -> list[str]:
    """What keeps the stand-up from working, and what to do about it."""
    hints = []
    not_in_it = f"I am not in #{channel.name}, so I"
    if channel.is_out_of_reach:
        hints.append(f"{not_in_it} can neither see who is in it nor post there. Type /invite @Steward in it.")
    elif not channel.has_bot and not standup.participants:
        hints.append(f"{not_in_it} hear late or not at all who joins or leaves it. Type /invite @Steward in it.")
    if channel.is_archived:
        hints.append(f"#{channel.name} is archived: nothing can be posted there until it is open again.")
    if not await standups.participants(deps.session, standup):
        hints.append("Nobody would be asked yet. Choose people, or invite them and me to the channel.")
    return hints


def _next_words(standup: Standup) -> str:
    if standup.is_archived:
        return "nobody is asked any more"
    if standup.is_paused:
        return "paused: nobody is asked"
    return f"next on {day(standup.next_day)}" if standup.next_day else "no day to come: change its days"


def _context(request: Request) -> FormContext:
    return FormContext(channel_id=request.channel_id, response_url=request.response_url)


def _team_zone(request: Request, project: Project | None) -> str:
    return project.timezone if project else request.person.timezone


def _is_channel(channel_id: str) -> bool:
    return channel_id[:1] in ("C", "G")


def _number(value: str) -> int:
    if not value.isdigit():
        raise NotFound(OLD)
    return int(value)


# What the buttons of a stand-up do, and whether that stores anything.
PRESSED: Mapping[str, tuple[Callable[[Request, Deps], Awaitable[Reply]], bool]] = {
    "new": (new, False),
    "edit": (edit, False),
    "copy": (copy, False),
    "preview": (preview, False),
    "history": (history, False),
    "answer": (answer, False),
    "pause": (pause, True),
    "remove": (remove, True),
    "now": (run_now, True),
    "skip": (skip, True),
    "away": (away, True),
    "issue": (issue, True),
}

WORDS: Mapping[str, Word] = {
    "new": Word(new, "Set up another stand-up in this channel"),
    "list": Word(overview, "The stand-ups of this channel: change, pause, preview, run now"),
    "answer": Word(answer, "Answer, or change your answers, at any time"),
    "history": Word(history, "Rounds and participation"),
}
