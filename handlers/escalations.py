"""Answers to what was asked about a record, and the list of what waits for one."""

from handlers import records
from handlers.replies import OpenForm, Reply, Tell
from handlers.request import Deps, Request
from models import directory, escalations, operations
from models.errors import Conflict, InvalidFields, NotFound
from models.kinds import Item, read_reference
from models.permissions import Right, require
from models.tables import Project
from reports.escalations import climbing
from views import escalations as views
from views import forms
from views.values import name_of

# Records in the list.
MOST_LISTED = 15

OLD = "This button is from an older version of Steward. Open the record again."


async def listed(request: Request, deps: Deps) -> Reply:
    """What waits for an answer: in the channel's project, or in a direct message in all one may see."""
    project = request.project if request.channel is not None else None
    climbs, more = await climbing(deps.session, request.actor, project=project, at_most=MOST_LISTED)
    people = await directory.people(deps.session, {step.person_id for climb in climbs for step in climb.steps})
    # Of an empty list the project may be hidden: then its name is not theirs to know.
    where = project.name if project is not None and climbs else "your projects"
    if project is not None and not climbs:
        where = "this project"
    return Tell(views.climbing(climbs, people, where=where, more=more, names_projects=project is None))


async def still_pressed(request: Request, deps: Deps) -> Reply:
    """Note that somebody is on it, or leaves it for now: nobody else is asked until the time is up again."""
    item, project = await _open(request, deps, request.value)
    answer = request.name if request.name in views.ANSWERS else views.STILL
    said = views.ANSWERS[answer][1]
    await escalations.answer(deps.session, request.actor, item, project, said, now=deps.now, via="button")
    await operations.owe_card(deps.session, item.record, deps.now, because=f":answer:{deps.now.isoformat()}")
    redraw = await records.drawn_anew(request, deps, item, project)
    return Tell(views.thanked(item, answer), redraw=redraw, reference=item.reference)


async def set_pressed(request: Request, deps: Deps) -> Reply:
    """The small form for one field of the record."""
    item, _ = await records.editable(request, deps, *records.referred(request.value))
    key = request.name.partition(":")[2]
    if key not in views.SETS or key not in {spec.key for spec in item.kind.form_fields}:
        raise NotFound(OLD)
    return OpenForm(forms.field_form(item, key, records.edit_context(request, item)))


async def ask_pressed(request: Request, deps: Deps) -> Reply:
    """The drafted question to the owner, to be changed before it is sent."""
    item, project = await _open(request, deps, request.value)
    require(request.actor, Right.COMMENT, project, item)
    owner_id = _owner(item.reference, item.record.owner_id)
    found = read_reference(item.reference)
    assert found is not None
    asks = await escalations.asked_of(deps.session, request.person, [found], deps.now)
    people = await directory.people(deps.session, {owner_id, *views.people_of(asks)})
    words = views.question(item, asks[-1] if asks else None)
    context = records.edit_context(request, item)
    return OpenForm(views.ask_form(item, words, name_of(people, owner_id), context))


async def ask_submitted(request: Request, deps: Deps) -> Reply:
    """Owe the owner the question. Raises InvalidFields, whose key is the form's block id."""
    item, project = await _open(request, deps, request.context.reference)
    owner_id = _owner(item.reference, item.record.owner_id)
    words = forms.read_choice(request.state, views.WORDS).strip()
    if not words:
        raise InvalidFields({views.WORDS: "Say what you want to know."})
    people = await directory.people(deps.session, [owner_id])
    await escalations.ask_owner(
        deps.session, request.actor, item, project, words, name_of(people, owner_id), now=deps.now
    )
    await operations.owe_card(deps.session, item.record, deps.now, because=f":ask:{deps.now.isoformat()}")
    return Tell(views.asked_owner(item, name_of(people, owner_id)), reference=item.reference)


async def _open(request: Request, deps: Deps, reference: str) -> tuple[Item, Project]:
    """The record that is asked about. Raises Conflict once it is closed, which was answer enough."""
    item, project = await operations.find(deps.session, request.actor, *records.referred(reference))
    if not item.record.is_open:
        raise Conflict(
            f"{item.reference} is {item.status.label.lower()} already, so nobody is asked about it. "
            f"`/steward {item.reference} history` says who did that."
        )
    return item, project


def _owner(reference: str, owner_id: str | None) -> str:
    if owner_id is None:
        raise NotFound(f"{reference} has no owner to ask. Name one with `/steward {reference} @name`.")
    return owner_id
