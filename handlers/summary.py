"""How projects stand: looked at by anybody, posted, left out and given a headline by whoever leads them."""

import re
from dataclasses import replace
from datetime import date, datetime

from handlers import project_life
from handlers.replies import OpenForm, Redraw, Reply, Tell
from handlers.request import Deps, Request
from handlers.slack_text import decoded
from models import directory, projects, summaries
from models.dates import date_order, parse_past
from models.errors import NotFound
from models.permissions import Right, may, require, visible_records
from models.recurrences import ONE_DAY, Occurrence, instant_of
from models.tables import Project
from reports import weekly
from reports.portfolio import portfolio as portfolio_page
from reports.summary import Summary, summary
from views import forms
from views import summary as views
from views.blocks import Message
from views.forms import FormContext

WHICH = (
    "Say which project, as in `/steward summary Office move`, or type it in the project's channel. "
    "`/steward portfolio` shows all that you may see."
)
OLD = "This button is from an older message. `/steward summary` shows how the project stands now."

_AS_OF = re.compile(r"^(?P<name>.*?)\s*\bas of\s+(?P<day>.+)$", re.IGNORECASE | re.DOTALL)


async def show(request: Request, deps: Deps, words: str) -> Reply:
    """The summary of this channel's project or of a named one, of the last seven days or of those before a day."""
    name, typed_day = _split(words)
    project = await project_life.named(request, deps, name) if name else request.project
    if project is None:
        raise NotFound(WHICH)
    project = await projects.find(deps.session, request.actor, project.id or 0)
    return Tell(await _looked_at(request, deps, project, _end_of(request, deps, typed_day, project.timezone)))


async def show_pressed(request: Request, deps: Deps) -> Reply:
    """The summary of the project that the button names."""
    project, rest = await _named_by(request, deps)
    return Tell(await _looked_at(request, deps, project, _instant(rest)))


async def details_pressed(request: Request, deps: Deps) -> Reply:
    """The records behind the numbers."""
    project, rest = await _named_by(request, deps)
    return Tell(views.details(await _told(request, deps, project, _instant(rest) or deps.now)))


async def post_pressed(request: Request, deps: Deps) -> Reply:
    """Post what the person is looking at in the project's channel, once however often it is pressed."""
    project, rest = await _named_by(request, deps)
    end = _instant(rest)
    if end is None or end > deps.now:
        raise NotFound(OLD)
    period = summaries.week_until(project, end)
    await summaries.post_now(deps.session, request.actor, project, period, now=deps.now)
    return await _owed(deps, project)


async def again_pressed(request: Request, deps: Deps) -> Reply:
    """Post a summary again that may not have come."""
    project, rest = await _named_by(request, deps)
    await summaries.post_again(deps.session, request.actor, project, _number(rest), now=deps.now)
    return await _owed(deps, project)


async def headline_pressed(request: Request, deps: Deps) -> Reply:
    """The form of the headline of a summary that is to come."""
    project, slot = await _awaited(request, deps)
    require(request.actor, Right.SUMMARIZE, project)
    frame = await summaries.frame_of(deps.session, project, slot.day)
    context = FormContext(
        channel_id=request.channel_id, project_id=project.id, reference=str(slot.day), response_url=request.response_url
    )
    return OpenForm(views.headline_form(project, slot, frame.headline, context))


async def headline_submitted(request: Request, deps: Deps) -> Reply:
    """Store the headline and show the summary with it. Raises InvalidFields, and Conflict once its time has come."""
    project = await projects.find(deps.session, request.actor, request.context.project_id or 0)
    text = forms.read_choice(request.state, "headline")
    slot = summaries.slot_on(project, _day(request.context.reference))
    await summaries.write_headline(deps.session, request.actor, project, slot.day, text, now=deps.now)
    return Redraw(await _preview(deps, project, slot))


async def skip_pressed(request: Request, deps: Deps) -> Reply:
    """Leave a summary out that is to come, or post it after all."""
    project, slot = await _awaited(request, deps)
    skipped = request.name == "summary:skip"
    await summaries.skip(deps.session, request.actor, project, slot.day, is_skipped=skipped, now=deps.now)
    return Redraw(await _preview(deps, project, slot))


async def portfolio(request: Request, deps: Deps, words: str) -> Reply:
    """Every project the person may see, in a line each, the worst first."""
    name, typed_day = _split(words)
    if name:
        raise NotFound("After `/steward portfolio` comes nothing, or a day, as in `/steward portfolio as of 14 nov`.")
    end = _end_of(request, deps, typed_day, request.person.timezone)
    page = await portfolio_page(deps.session, request.actor, now=deps.now, as_of=end)
    return Tell(views.portfolio(page, zone=request.person.timezone))


async def portfolio_turned(request: Request, deps: Deps) -> Reply:
    """Another page of it."""
    number, _, asked = request.value.partition(" ")
    page = await portfolio_page(
        deps.session, request.actor, now=deps.now, as_of=_instant(asked), number=_number(number)
    )
    return Redraw(views.portfolio(page, zone=request.person.timezone))


def _split(words: str) -> tuple[str, str]:
    """The name of a project and what stands after "as of", each empty where it is not there."""
    words = " ".join(decoded(words).split())
    found = _AS_OF.match(words)
    return (found["name"], found["day"]) if found else (words, "")


def _end_of(request: Request, deps: Deps, typed_day: str, zone: str) -> datetime | None:
    """The end of the typed day in the zone, None for now. Raises DateProblem for a day to come."""
    if not typed_day:
        return None
    person = request.person
    day = parse_past(
        typed_day,
        now=deps.now,
        zone=request.zone,
        order=date_order(person.locale, person.timezone),
        locale=person.locale,
    )
    end = instant_of(day + ONE_DAY, datetime.min.time(), zone)
    return None if end > deps.now else end


async def _looked_at(request: Request, deps: Deps, project: Project, end: datetime | None) -> Message:
    told = await _told(request, deps, project, end or deps.now)
    slot = summaries.coming(project, deps.now) if end is None and summaries.is_wanted(project) else None
    frame = replace(await summaries.frame_of(deps.session, project, slot.day if slot else None), missed=())
    people = await directory.people(deps.session, {frame.by})
    leads = may(request.actor, Right.SUMMARIZE, project)
    return views.looked_at(told, frame, people, slot=slot, is_present=end is None, leads=leads)


async def _preview(deps: Deps, project: Project, slot: Occurrence) -> Message:
    return views.preview(await weekly.coming(deps.session, project, slot, now=deps.now), slot)


async def _told(request: Request, deps: Deps, project: Project, end: datetime) -> Summary:
    period = summaries.week_until(project, end)
    return await summary(deps.session, project, period, seen=visible_records(request.actor))


async def _owed(deps: Deps, project: Project) -> Reply:
    found = await directory.channel(deps.session, project.home_channel_id)
    return Tell(views.owed(project, found[0] if found else None))


async def _named_by(request: Request, deps: Deps) -> tuple[Project, str]:
    """The project that the button names and what else it says. Raises NotFound, the same for hidden and absent."""
    number, _, rest = request.value.partition(" ")
    return await projects.find(deps.session, request.actor, _number(number)), rest


async def _awaited(request: Request, deps: Deps) -> tuple[Project, Occurrence]:
    project, day = await _named_by(request, deps)
    return project, summaries.slot_on(project, _day(day))


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise NotFound(OLD) from error


def _instant(text: str) -> datetime | None:
    """The instant that a button names, None for now. Raises NotFound for what is none."""
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError as error:
        raise NotFound(OLD) from error
    if found is not None and found.tzinfo is None:
        raise NotFound(OLD)
    return found
