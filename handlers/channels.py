"""Which project a channel belongs to: bind, unbind and switch, each asked first where others see more or less by it."""

from handlers.project_life import named
from handlers.projects import answer_to
from handlers.records import PROVES_PRESENCE
from handlers.replies import FieldErrors, OpenForm, Redraw, Reply, Tell
from handlers.request import Deps, Request
from models import binding, directory, operations, projects
from models.errors import NotAllowed, NotFound
from models.permissions import Right, is_closed, require
from models.tables import Channel, Project
from views import forms, project_forms
from views import projects as project_views
from views.blocks import Message
from views.forms import FormContext

WHERE = "That is about a channel, so type it in the channel itself."
OLD = "This question is from an older version of Steward. Please type the command again."


async def bind(request: Request, deps: Deps, name: str, *, may_take: bool = False) -> Reply:
    """Make this channel belong to the project of that name; a form asks which where none is named.

    With `may_take` also when it belongs to another project with records.
    """
    channel = await _here(request, deps)
    old = request.project
    project = await named(request, deps, name) if name else None
    is_other = old is not None and (project is None or project.id != old.id)
    if old is not None and is_other and not may_take and await binding.has_records(deps.session, old):
        raise NotAllowed(
            f"This channel belongs to {old.name}. `/steward switch {project.name if project else 'and a name'}` makes "
            f"it belong to another project; what was logged stays with {old.name}."
        )
    if project is None:
        context = FormContext(channel_id=channel.id, response_url=answer_to(request))
        hint = "What is logged in this channel from then on goes there."
        return OpenForm(
            project_forms.project_picker(
                context, title="Bind to a project", callback_id="bind", submit="Next", hint=hint
            )
        )
    return Tell(await _bound_or_asked(request, deps, project, ""))


async def bind_picked(request: Request, deps: Deps) -> Reply:
    """The same for the project chosen in the form."""
    chosen = forms.read_choice(request.state, "project")
    if not chosen.isdigit():
        return FieldErrors({"project": "Choose a project."})
    project = await projects.find(deps.session, request.actor, int(chosen))
    return Tell(await _bound_or_asked(request, deps, project, ""))


async def bind_pressed(request: Request, deps: Deps) -> Reply:
    """What was asked was confirmed; where it means something else by now, it is asked anew."""
    project_id, _, confirmed = request.value.partition(":")
    if not project_id.isdigit():
        raise NotFound(OLD)
    project = await projects.find(deps.session, request.actor, int(project_id))
    return Redraw(await _bound_or_asked(request, deps, project, confirmed))


async def unbind(request: Request, deps: Deps, _: str) -> Reply:
    """Let this channel belong to no project."""
    await _here(request, deps)
    return Tell(await _unbound_or_asked(request, deps, ""))


async def unbind_pressed(request: Request, deps: Deps) -> Reply:
    return Redraw(await _unbound_or_asked(request, deps, request.value))


async def _bound_or_asked(request: Request, deps: Deps, project: Project, confirmed: str) -> Message:
    channel, old = await _here(request, deps), request.project
    await binding.require_bindable(deps.session, request.actor, project, channel)
    effects = [(project, await binding.effect_of(deps.session, project, adding=channel))]
    is_taken = False
    if old is not None:
        await binding.require_free(deps.session, request.actor, old, channel)
        is_taken = await binding.has_records(deps.session, old)
        effects += [(old, await binding.effect_of(deps.session, old, without=channel))] if is_taken else []
    fingerprint = " ".join(f"{each.id}.{effect.fingerprint}" for each, effect in effects)
    if (is_taken or any(effect.changes for _, effect in effects)) and confirmed != fingerprint:
        value = f"{project.id}:{fingerprint}"
        return project_views.binding_question(channel, project, old if is_taken else None, effects, value)
    await binding.bind(deps.session, request.actor, project, channel, now=deps.now)
    operations.touch(deps.session, request.actor.id, *await projects.open_owners(deps.session, project))
    return project_views.bound(channel, project, old)


async def _unbound_or_asked(request: Request, deps: Deps, confirmed: str) -> Message:
    channel, project = await _here(request, deps), request.project
    if project is None:
        raise NotFound("This channel belongs to no project. `/steward bind` and a name make it belong to one.")
    await binding.require_free(deps.session, request.actor, project, channel)
    effect = await binding.effect_of(deps.session, project, without=channel)
    fingerprint = f"{project.id}.{effect.fingerprint}"
    if effect.changes and confirmed != fingerprint:
        return project_views.unbinding_question(channel, project, effect, fingerprint)
    await binding.unbind(deps.session, request.actor, project, channel, now=deps.now)
    operations.touch(deps.session, request.actor.id, *await projects.open_owners(deps.session, project))
    return project_views.unbound(channel, project)


async def _here(request: Request, deps: Deps) -> Channel:
    """The channel it is about. Slack lets only members type commands in a channel, which proves that they are in it."""
    if request.channel is None:
        raise NotFound(WHERE)
    require(request.actor, Right.BIND, request.project)
    if request.project is not None and is_closed(request.project):
        raise NotAllowed(
            f"This channel belongs to the archived project {request.project.name}. "
            "`/steward project restore` brings it back."
        )
    if request.where in PROVES_PRESENCE and request.channel.members_known_at is not None:
        await directory.joined(deps.session, request.channel.id, request.actor.id)
    return request.channel
