"""Moving a record to another project: by a channel or a name, or chosen in a small form."""

from dataclasses import replace

from handlers import records
from handlers.replies import FieldErrors, OpenForm, Reply, Tell, UpdateForm
from handlers.request import Deps, Request
from handlers.slack_text import as_text, named_pieces
from models import directory, moves, operations, projects
from models.entry import NamedChannel
from models.errors import NotFound
from models.kinds import Item, Kind
from models.moves import Destination
from models.permissions import Right, require
from models.tables import Project
from views import cards, forms
from views.blocks import cut
from views.project_forms import project_picker


async def ask(request: Request, deps: Deps, kind: Kind, number: int) -> Reply:
    """The small form that asks where to. Raises NotAllowed before anybody chooses in vain."""
    item, project = await operations.find(deps.session, request.actor, kind, number)
    require(request.actor, Right.EDIT, project, item)
    context = records.edit_context(request, item)
    view = project_picker(context, title=f"Move {item.reference}", callback_id="pick_move", submit="Move")
    return OpenForm({**view, "blocks": [forms.named(item), *view["blocks"]]})


async def pressed(request: Request, deps: Deps) -> Reply:
    return await ask(request, deps, *records.referred(request.value))


async def typed(request: Request, deps: Deps, kind: Kind, number: int, words: str) -> Reply:
    """Move to the channel or project that was typed after `A12 move`, or ask first."""
    item, project = await operations.find(deps.session, request.actor, kind, number)
    to = await _destination(request, deps, words)
    await moves.require_move(deps.session, request.actor, item, project, to)
    if moves.shows_to_others(project):
        return OpenForm(_question(request, item, project, to))
    return await _move(request, deps, item, project, to, via="command")


async def picked(request: Request, deps: Deps) -> Reply:
    """Move to the project chosen in the form, or ask first in the same window."""
    chosen = forms.read_choice(request.state, "project")
    if not chosen.isdigit():
        return FieldErrors({"project": "Choose the project it is to belong to."})
    item, project = await operations.find(deps.session, request.actor, *records.referred(request.context.reference))
    to = await moves.to_project(deps.session, request.actor, int(chosen))
    await moves.require_move(deps.session, request.actor, item, project, to)
    if moves.shows_to_others(project):
        return UpdateForm(_question(request, item, project, to))
    return await _move(request, deps, item, project, to, via="form")


async def confirmed(request: Request, deps: Deps) -> Reply:
    """Move after the question, which is asked again when more people would see the record by now."""
    item, project = await operations.find(deps.session, request.actor, *records.referred(request.context.reference))
    to = await moves.to_channel(deps.session, request.actor, request.context.to_channel)
    await moves.require_move(deps.session, request.actor, item, project, to)
    if request.context.step != _audience(to):
        return UpdateForm(_question(request, item, project, to))
    return await _move(request, deps, item, project, to, via="form")


async def _move(request: Request, deps: Deps, item: Item, project: Project, to: Destination, *, via: str) -> Reply:
    await operations.move(deps.session, request.actor, item, project, to, now=deps.now, via=via)
    people = await directory.people(deps.session, cards.people_of(item))
    names = {each.id: each.name for each in (project, to.project) if each.id is not None}
    place = await directory.channel(deps.session, to.channel_id)
    hints = cards.about_left_over(item, to.project)
    if place is not None and place[0].is_out_of_reach and not operations.is_confidential(item.record):
        hints += [f"I am not in <#{to.channel_id}>, so I cannot post the card there: type `/invite @Steward` there."]
    message = cards.saved(item, to.project, people, said="Moved", now=deps.now, hints=hints, projects=names)
    return Tell(message, reference=item.reference)


async def _destination(request: Request, deps: Deps, words: str) -> Destination:
    """The channel typed, or the project of that name. Raises NotFound."""
    typed = await named_pieces(deps.session, words)
    channels = [piece for piece in typed if isinstance(piece, NamedChannel)]
    if len(channels) == 1:
        return await moves.to_channel(deps.session, request.actor, channels[0].channel_id)
    name = as_text(typed).strip().removeprefix("to ").strip().removeprefix("#").lower()
    found = [each for each in await projects.seen_by(deps.session, request.actor) if each.name.lower() == name]
    if len(found) != 1 or found[0].id is None:
        raise NotFound(
            f"There is no one project called “{cut(name, 60)}” that you can see. Name its channel, as in "
            "`move #channel`, or choose it with *Move to another project* in the card's ⋯ menu."
        )
    return await moves.to_project(deps.session, request.actor, found[0].id)


def _question(request: Request, item: Item, project: Project, to: Destination) -> dict[str, object]:
    context = replace(records.edit_context(request, item), to_channel=to.channel_id, step=_audience(to))
    return forms.move_form(item, project, to.project, context)


def _audience(to: Destination) -> str:
    """Who will see the record there, as the form remembers what it asked about."""
    return "members" if to.project.is_private else "everybody"
