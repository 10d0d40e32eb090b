"""Projects over time: made from a form, listed, archived and brought back, and which one a person is at."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from handlers import lists, records
from handlers.projects import answer_to, settings_drawn_anew, settings_here, typed_settings
from handlers.replies import FieldErrors, OpenForm, Options, Redraw, Reply, Tell, UpdateForm
from handlers.request import Deps, Request, Where
from models import batches, binding, directory, operations, projects, starting
from models.clock import today_in
from models.errors import InvalidFields, NotAllowed, NotFound
from models.filters import Filters
from models.permissions import Right, may, require
from models.tables import Channel, Project
from models.templates import BLANK, template_of
from reports.projects import project_page
from reports.work import listed
from views import forms, project_forms
from views import projects as project_views
from views.blocks import Block, Message, option
from views.forms import FormContext

NOBODY = "none"
MOST_NAMED = 8


async def new(request: Request, deps: Deps, name: str) -> Reply:
    """The form of a new project: of this channel, if it has none yet, else of one to choose."""
    require(request.actor, Right.BEGIN, None)
    channel = request.channel
    is_free = channel is not None and request.project is None
    context = FormContext(
        channel_id=request.channel_id, response_url=answer_to(request), asks=() if is_free else ("channel",)
    )
    values = project_forms.new_values(name or (channel.name if channel and is_free else ""), request.person)
    return OpenForm(_new_form(request, deps, context, values, BLANK.key))


async def new_pressed(request: Request, deps: Deps) -> Reply:
    return await new(request, deps, "")


async def set_up_pressed(request: Request, deps: Deps) -> Reply:
    """From the greeting: the form of the channel's project, or its settings if it has one by now."""
    return await (settings_here(request, deps) if request.project is not None else new(request, deps, ""))


async def template_chosen(request: Request, deps: Deps) -> Reply:
    """The form of a new project with what this template would log."""
    return _drawn_anew(request, deps, request.context, {}, template=request.value)


async def more_pressed(request: Request, deps: Deps) -> Reply:
    """The form of a project, new or known, with every setting."""
    context = replace(request.context, shows_all=True)
    return await _anew(request, deps, context, {})


async def country_chosen(request: Request, deps: Deps) -> Reply:
    """The form of a project with the regions of another country; the region chosen before goes."""
    country = None if request.value == forms.NOT_SET else request.value
    return await _anew(request, deps, request.context, {"holiday_country": country, "holiday_subdivision": None})


async def _anew(request: Request, deps: Deps, context: FormContext, changed: Mapping[str, Any]) -> Reply:
    if context.project_id is not None:
        return await settings_drawn_anew(request, deps, context, changed)
    return _drawn_anew(request, deps, context, changed)


def _drawn_anew(
    request: Request, deps: Deps, context: FormContext, changed: Mapping[str, Any], *, template: str = ""
) -> Reply:
    """The form of a new project, keeping what was typed."""
    typed = project_forms.read_settings(request.state)
    values = project_forms.new_values("", request.person) | typed | dict(changed)
    template = template or forms.read_choice(request.state, "template")
    return UpdateForm(_new_form(request, deps, context, values, template))


async def new_submitted(request: Request, deps: Deps) -> Reply:
    """Make the project and what its template logs. Raises InvalidFields, whose keys are the form's block ids."""
    require(request.actor, Right.BEGIN, None)
    channel = await _chosen_channel(request, deps)
    settings = typed_settings(request, deps)
    project = await projects.begin(
        deps.session,
        request.actor,
        channel,
        name=settings.pop("name"),
        timezone=settings["timezone"] or "",
        now=deps.now,
        via="form",
        settings=settings,
    )
    template = template_of(forms.read_choice(request.state, "template"))
    items = await starting.log_starters(deps.session, request.actor, project, template, now=deps.now)
    people = await directory.people(deps.session, {project.coordinator_id})
    return Tell(project_views.begun(project, people, channel, items, batches.current(deps.session)))


async def channel_options(request: Request, deps: Deps) -> Reply:
    """The channels without a project that the person is in, whose name holds the typed letters."""
    typed = request.value.strip().lower().removeprefix("#")
    found = [each for each in await binding.free_channels(deps.session, request.actor) if typed in each.name.lower()]
    return Options([option(f"#{each.name}", each.id) for each in found[:100]])


async def show_list(request: Request, deps: Deps, *, archived: bool = False) -> Reply:
    """The projects the person may see."""
    return Tell(await _list(request, deps, archived, 0))


async def list_turned(request: Request, deps: Deps) -> Reply:
    """Another page of them, or the archived ones."""
    here, _, number = request.value.partition(" ")
    page = await _list(request, deps, here == "archived", int(number) if number.isdecimal() else 0)
    return Tell(page) if request.where is Where.HOME else Redraw(page)


async def open_pressed(request: Request, deps: Deps) -> Reply:
    """The open records of the project, as `/steward list` shows them in its channel."""
    project = await projects.find(deps.session, request.actor, _id(request.value))
    its_own = {channel.id for channel in await binding.channels_of(deps.session, project)}
    if project.home_channel_id not in its_own:
        raise NotFound(f"{project.name} has no channel any more, and no records.")
    return await lists.show(request, deps, Filters(channels=(project.home_channel_id,)))


async def history(request: Request, deps: Deps, name: str) -> Reply:
    """The last changes of the project's settings and channels, for those who may change them."""
    project = await _meant(request, deps, name)
    require(request.actor, Right.SETTINGS, project)
    rows = await projects.history(deps.session, project, at_most=project_views.HISTORY_SHOWN)
    people = await directory.people(deps.session, project_views.people_in(rows))
    return Tell(project_views.history(project, rows, people))


async def archive(request: Request, deps: Deps, name: str) -> Reply:
    """Ask whether the project is to be archived."""
    project = await _meant(request, deps, name)
    require(request.actor, Right.SETTINGS, project)
    if project.archived_at is not None:
        raise NotAllowed(f"{project.name} is archived already. `/steward project restore` brings it back.")
    page = await listed(deps.session, request.actor, Filters(), now=deps.now, projects=[project], size=1)
    return Tell(project_views.archive_question(project, page))


async def archive_pressed(request: Request, deps: Deps) -> Reply:
    project = await projects.find(deps.session, request.actor, _id(request.value))
    await projects.archive(deps.session, request.actor, project, now=deps.now)
    operations.touch(deps.session, *await projects.open_owners(deps.session, project))
    return Redraw(project_views.archived(project))


async def restore(request: Request, deps: Deps, name: str) -> Reply:
    """Bring an archived project back."""
    return Tell(await _restored(request, deps, await _meant(request, deps, name, archived=True)))


async def restore_pressed(request: Request, deps: Deps) -> Reply:
    project = await projects.find(deps.session, request.actor, _id(request.value))
    return Redraw(await _restored(request, deps, project))


async def switch(request: Request, deps: Deps, name: str) -> Reply:
    """In a direct message: make the project of that name the person's current one, or `none`."""
    if name.lower() == NOBODY:
        return _switched(request, deps, None)
    if not name:
        context = FormContext(channel_id=request.channel_id, response_url=answer_to(request))
        hint = "What you log in a direct message with me goes there."
        return OpenForm(
            project_forms.project_picker(context, title="Switch project", callback_id="switch", submit="OK", hint=hint)
        )
    return _switched(request, deps, await _meant(request, deps, name))


async def switch_picked(request: Request, deps: Deps) -> Reply:
    chosen = forms.read_choice(request.state, "project")
    if not chosen.isdigit():
        return FieldErrors({"project": "Choose a project."})
    return _switched(request, deps, await projects.find(deps.session, request.actor, int(chosen)))


async def named(request: Request, deps: Deps, name: str, *, archived: bool = False) -> Project:
    """The one project that the typed name means. Raises NotFound, with those it may mean."""
    found = await projects.named(deps.session, request.actor, name, archived=archived)
    if len(found) == 1:
        return found[0]
    which = "archived project" if archived else "project"
    if not found:
        raise NotFound(
            f"There is no {which} called “{name}” that you can see. `/steward projects` shows what there is."
        )
    names = ", ".join(f"“{project.name}”" for project in found[:MOST_NAMED])
    raise NotFound(f"Several projects may be meant: {names}. Type more of the name.")


async def _meant(request: Request, deps: Deps, name: str, *, archived: bool = False) -> Project:
    """The project of that name, or without one that of the channel. Raises NotFound."""
    if name:
        return await named(request, deps, name, archived=archived)
    if request.project is None:
        raise NotFound("Say which project, as in `/steward project archive Office move`.")
    return await projects.find(deps.session, request.actor, request.project.id or 0)


def _switched(request: Request, deps: Deps, project: Project | None) -> Reply:
    if project is not None and project.archived_at is not None:
        raise NotAllowed(f"{project.name} is archived. `/steward project restore` and its name bring it back.")
    request.person.current_project_id = project.id if project else None
    deps.session.add(request.person)
    operations.touch(deps.session, request.person.id)
    return Tell(project_views.switched(project))


async def _restored(request: Request, deps: Deps, project: Project) -> Message:
    await projects.restore(deps.session, request.actor, project, now=deps.now)
    operations.touch(deps.session, *await projects.open_owners(deps.session, project))
    return project_views.restored(project)


async def _list(request: Request, deps: Deps, archived: bool, number: int) -> Message:
    page = await project_page(deps.session, request.actor, now=deps.now, is_archived=archived, number=number)
    may_set = {line.project.id for line in page.lines if may(request.actor, Right.SETTINGS, line.project)}
    current = request.person.current_project_id
    may_begin = may(request.actor, Right.BEGIN, None)
    return project_views.project_list(page, may_set=frozenset(may_set), may_begin=may_begin, current_id=current)


def _new_form(request: Request, deps: Deps, context: FormContext, values: Mapping[str, Any], template: str) -> Block:
    where = _whose(request.channel, is_here="channel" not in context.asks)
    start = today_in(values["timezone"], deps.now)
    return project_forms.new_project_form(
        context, values, where=where, template=template_of(template), start=start, shown=request.state
    )


def _whose(channel: Channel | None, *, is_here: bool) -> str:
    """Above the form of a new project: which channel it is of, and who will see it."""
    who = "Members of its channels see its records; with public channels only, every full member does."
    if channel is None:
        return who
    if not is_here:
        return f"#{channel.name} has a project already, so this one needs another channel. {who}"
    if records.is_unreadable(channel):
        who = "I cannot see who is in it until I am invited; until then only you see it."
    return f"Of #{channel.name}. {who}"


async def _chosen_channel(request: Request, deps: Deps) -> Channel:
    """The channel of the new project. Raises InvalidFields."""
    if "channel" in request.context.asks:
        place = await directory.channel(deps.session, forms.read_choice(request.state, "channel"))
        if place is None:
            raise InvalidFields({"channel": "Choose a channel. Where none is offered, make one and invite me to it."})
        await binding.require_member(deps.session, request.actor, place[0])
        if place[0].members_known_at is None:
            raise InvalidFields({"channel": "I cannot see who is in that channel. Invite me to it first."})
        channel, key = place[0], "channel"
    else:
        if request.channel is None:
            raise NotFound("Slack does not say which channel this is. Please open the form in the channel.")
        channel, key = request.channel, "name"
    if channel.project_id is not None:
        raise InvalidFields({key: f"#{channel.name} has a project by now. Choose another channel."})
    return channel


def _id(value: str) -> int:
    return int(value) if value.isdigit() else 0
