"""Project settings: opened from a channel, from Home or from the first confirmation."""

from dataclasses import replace

from handlers.replies import FieldErrors, OpenForm, Options, Reply, Tell, UpdateForm
from handlers.request import Deps, Request, Where
from models import directory, projects
from models.errors import NotFound
from models.permissions import Right, require
from models.tables import Project
from views import forms
from views.blocks import Message, esc, mrkdwn, option, section
from views.forms import FormContext
from views.values import name_of
from views.zones import zones_matching


async def settings_here(request: Request, deps: Deps) -> Reply:
    """The settings of the channel's project; elsewhere, ask which project is meant."""
    context = FormContext(channel_id=request.channel_id, response_url=_answer_to(request))
    if request.project is not None:
        return OpenForm(await _settings(request, deps, request.project.id, context))
    if request.channel is not None:
        raise NotFound("This channel has no project yet. The first record begins it: try `/action` and a few words.")
    if not await projects.seen_by(deps.session, request.actor):
        raise NotFound("There is no project yet that you can see. The first record in a channel begins one.")
    return OpenForm(
        forms.pick_project_form(context, title="Project settings", callback_id="pick_settings", submit="Next")
    )


async def settings_pressed(request: Request, deps: Deps) -> Reply:
    """The settings of the project the button names, or the question which."""
    if not request.value.isdigit():
        return await settings_here(replace(request, project=None, channel=None), deps)
    context = FormContext(channel_id=request.channel_id, response_url=_answer_to(request))
    return OpenForm(await _settings(request, deps, int(request.value), context))


async def settings_picked(request: Request, deps: Deps) -> Reply:
    """The settings of the chosen project, in the same window."""
    chosen = forms.read_choice(request.state, "project")
    if not chosen.isdigit():
        return FieldErrors({"project": "Choose a project."})
    return UpdateForm(await _settings(request, deps, int(chosen), request.context))


async def settings_submitted(request: Request, deps: Deps) -> Reply:
    """Store the settings. Raises InvalidFields, whose keys are the form's block ids."""
    project = await projects.find(deps.session, request.actor, request.context.project_id or 0)
    await projects.change_settings(
        deps.session,
        request.actor,
        project,
        {
            "name": forms.read_choice(request.state, "name"),
            "coordinator_id": forms.read_choice(request.state, "coordinator_id") or None,
            "timezone": forms.read_choice(request.state, "timezone") or None,
        },
        version=request.context.version,
        now=deps.now,
    )
    people = await directory.people(deps.session, {project.coordinator_id})
    who = name_of(people, project.coordinator_id)
    text = f"Saved: *{esc(project.name)}*, coordinator {esc(who)}, time zone {esc(project.timezone)}."
    return Tell(Message(text, [section(mrkdwn(text))]))


async def project_options(request: Request, deps: Deps) -> Reply:
    """The projects the person may see whose name holds the typed letters."""
    typed = request.value.strip().lower()
    found = [p for p in await projects.seen_by(deps.session, request.actor) if typed in p.name.lower()]
    return Options([option(project.name, str(project.id)) for project in found[:100]])


async def zone_options(request: Request, deps: Deps) -> Reply:
    """The time zones whose name holds the typed letters."""
    return Options([option(zone, zone) for zone in zones_matching(request.value)[:100]])


async def _settings(request: Request, deps: Deps, project_id: int | None, context: FormContext) -> dict[str, object]:
    project: Project = await projects.find(deps.session, request.actor, project_id or 0)
    require(request.actor, Right.SETTINGS, project)
    return forms.settings_form(project, replace(context, project_id=project.id, version=project.version))


def _answer_to(request: Request) -> str:
    return "" if request.where is Where.HOME else request.response_url
