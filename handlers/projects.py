"""Project settings: opened from a channel, from Home or from the first confirmation."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from handlers.replies import FieldErrors, OpenForm, Options, Reply, Tell, UpdateForm
from handlers.request import Deps, Request, Where
from models import directory, projects
from models.dates import date_order
from models.errors import DateProblem, InvalidFields, NotFound
from models.permissions import Right, require
from models.tables import Project
from models.working_days import countries, matching, read_days_off, subdivisions
from views import forms, project_forms
from views import projects as project_views
from views.blocks import Block, option
from views.forms import FormContext
from views.zones import zones_matching


async def settings_here(request: Request, deps: Deps) -> Reply:
    """The settings of the channel's project; elsewhere, ask which project is meant."""
    context = FormContext(channel_id=request.channel_id, response_url=answer_to(request))
    if request.project is not None:
        return OpenForm(await _settings(request, deps, request.project.id, context))
    if request.channel is not None:
        raise NotFound("This channel has no project yet. The first record begins it: try `/action` and a few words.")
    if not await projects.seen_by(deps.session, request.actor):
        raise NotFound("There is no project yet that you can see. The first record in a channel begins one.")
    return OpenForm(
        project_forms.project_picker(
            context,
            title="Project settings",
            callback_id="pick_settings",
            submit="Next",
            hint="Its coordinator, sponsor and workspace admins change them.",
        )
    )


async def settings_pressed(request: Request, deps: Deps) -> Reply:
    """The settings of the project the button names, or the question which."""
    if not request.value.isdigit():
        return await settings_here(replace(request, project=None, channel=None), deps)
    context = FormContext(channel_id=request.channel_id, response_url=answer_to(request))
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
        typed_settings(request, deps),
        version=request.context.version,
        now=deps.now,
    )
    people = await directory.people(deps.session, {project.coordinator_id, project.sponsor_id})
    return Tell(project_views.saved(project, people))


async def settings_drawn_anew(request: Request, deps: Deps, context: FormContext, changed: Mapping[str, Any]) -> Reply:
    """The form of a project's settings, keeping what was chosen."""
    values = {**project_forms.read_settings(request.state), **changed}
    project = await projects.find(deps.session, request.actor, context.project_id or 0)
    shown = project_forms.values_of(project) | values
    return UpdateForm(project_forms.settings_form(project, context, shown, request.state))


def typed_settings(request: Request, deps: Deps) -> dict[str, Any]:
    """The chosen settings by field, days off as they are stored. Raises InvalidFields."""
    values = project_forms.read_settings(request.state)
    if "days_off" in values:
        person = request.person
        try:
            values["days_off"] = read_days_off(
                values["days_off"],
                now=deps.now,
                zone=request.zone,
                order=date_order(person.locale, person.timezone),
                locale=person.locale,
            )
        except DateProblem as problem:
            raise InvalidFields({"days_off": str(problem)}) from problem
    return values


async def project_options(request: Request, deps: Deps) -> Reply:
    """The projects the person may see whose name holds the typed letters."""
    typed = request.value.strip().lower()
    found = [p for p in await projects.seen_by(deps.session, request.actor) if typed in p.name.lower()]
    return Options([option(project.name, str(project.id)) for project in found[:100]])


async def zone_options(request: Request, deps: Deps) -> Reply:
    """The time zones whose name holds the typed letters."""
    return Options([option(zone, zone) for zone in zones_matching(request.value)[:100]])


async def country_options(request: Request, deps: Deps) -> Reply:
    """The countries whose name holds the typed letters."""
    return Options(project_forms.menu(matching(countries(), request.value), project_forms.NO_COUNTRY))


async def region_options(request: Request, deps: Deps) -> Reply:
    """The regions, whose name holds the typed letters, of the country that the menu's action id names."""
    country = request.name.partition(":")[2]
    names = subdivisions(country) if country in countries() else {}
    return Options(project_forms.menu(matching(names, request.value), project_forms.NO_REGION))


async def _settings(request: Request, deps: Deps, project_id: int | None, context: FormContext) -> Block:
    project: Project = await projects.find(deps.session, request.actor, project_id or 0)
    require(request.actor, Right.SETTINGS, project)
    context = replace(context, project_id=project.id, version=project.version)
    return project_forms.settings_form(project, context, project_forms.values_of(project))


def answer_to(request: Request) -> str:
    """Where the answer to a form opened from here goes; nowhere from Home, which shows it itself."""
    return "" if request.where is Where.HOME else request.response_url
