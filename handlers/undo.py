"""Undo: below a confirmation, `A12 undo`, and `/steward undo` for the last change of the person who asks."""

from datetime import timedelta

from handlers import records
from handlers.replies import Redraw, Reply, Tell
from handlers.request import Deps, Request
from models import batches, directory, operations, projects, undoing
from models.errors import Conflict, NotFound
from models.kinds import Item, Kind, read_reference
from models.tables import Project
from models.undoing import Change, Kept, Part
from views import cards
from views import undo as views
from views.blocks import Message

# What was done longer ago is shown before it is taken back: nobody remembers exactly.
FRESH = timedelta(minutes=10)

NOTHING = "There is nothing of yours to undo. Each record's own changes: `/steward A12 history`."
NOTHING_BEFORE = "There is no earlier change of yours to undo."


async def pressed(request: Request, deps: Deps) -> Reply:
    """Take back the change that the confirmation spoke of; its button takes that back in turn."""
    reference, version, only = [*request.value.split(":"), "", ""][:3]
    found = read_reference(reference)
    if found is None or not version.isdigit():
        raise NotFound("This button is from an older version of Steward. Type `/steward undo` instead.")
    item, project = await operations.find(deps.session, request.actor, *found, with_archived=True)
    message, about = await take_back_version(request, deps, item, project, int(version), only=bool(only))
    return Redraw(message, reference=about)


async def take_back_version(
    request: Request, deps: Deps, item: Item, project: Project, version: int, *, only: bool = False
) -> tuple[Message, str | None]:
    """Take back what made that version, with its whole batch unless `only` it is meant; see `_take_back`."""
    change = await undoing.of_version(deps.session, item, project, version)
    if change is None:
        raise Conflict(f"There is nothing to undo on {item.reference}.")
    if change.batch is not None and not only:
        change = await undoing.of_batch(deps.session, request.actor, change.batch) or change
    return await _take_back(request, deps, change)


async def batch_pressed(request: Request, deps: Deps) -> Reply:
    """Take back a batch, or bring it back."""
    change = await undoing.of_batch(deps.session, request.actor, request.value)
    if change is None:
        raise NotFound("There is nothing of it left that you can see.")
    message, about = await _take_back(request, deps, change)
    return Redraw(message, reference=about)


async def last_typed(request: Request, deps: Deps) -> Reply:
    """`/steward undo`: the person's last change, at once where that is fresh and of one record."""
    change = await undoing.last_of(deps.session, request.actor)
    if change is None:
        raise NotFound(NOTHING)
    return await _take_back_or_ask(request, deps, change)


async def before_pressed(request: Request, deps: Deps) -> Reply:
    """The change before the one just shown, to look at first."""
    before = int(request.value) if request.value.isdigit() else 0
    change = await undoing.last_of(deps.session, request.actor, before=before)
    if change is None:
        raise NotFound(NOTHING_BEFORE)
    return Redraw(await _offer(request, deps, change))


async def record_typed(request: Request, deps: Deps, kind: Kind, number: int) -> Reply:
    """`A12 undo`: the record's last change, if it was this person's own."""
    item, project = await operations.find(deps.session, request.actor, kind, number, with_archived=True)
    change = await undoing.last_on(deps.session, item, project)
    if change is None:
        raise NotFound(f"There is nothing to undo on {item.reference}.")
    [part] = change.parts
    if part.since or part.rows[0].actor_id != request.actor.id:
        latest = part.since or part.rows
        kept = Kept(Part(item, project, part.rows, latest))
        people = await directory.people(deps.session, {row.actor_id for row in latest})
        why = views.why_kept(kept, views.Reader(request.actor.id, people, deps.now), word="last")
        raise Conflict(f"{why} Each person takes back their own changes; `/steward {item.reference} edit` changes it.")
    if change.batch is None:
        return await _take_back_or_ask(request, deps, change)
    whole = await undoing.of_batch(deps.session, request.actor, change.batch) or change
    only = next((each for each in whole.parts if each.item.reference == item.reference), None)
    return Tell(await _offer(request, deps, whole, only=only if len(whole.parts) > 1 else None))


async def _take_back_or_ask(request: Request, deps: Deps, change: Change) -> Reply:
    is_fresh = deps.now - change.at <= FRESH
    if is_fresh and len(change.parts) == 1 and not _hindered(request, change):
        message, reference = await _take_back(request, deps, change)
        return Tell(message, reference=reference)
    return Tell(await _offer(request, deps, change))


async def _offer(request: Request, deps: Deps, change: Change, *, only: Part | None = None) -> Message:
    """What would be taken back, with the button for it; or why nothing can be."""
    told = await _told_to(request, deps, change)
    return views.offer(change, _hindered(request, change), told, only=only)


def _hindered(request: Request, change: Change) -> list[Kept]:
    return [kept for part in change.parts if (kept := undoing.problem(request.actor, part))]


async def _told_to(request: Request, deps: Deps, change: Change) -> views.Reader:
    people = await directory.people(deps.session, views.people_of(change))
    rows = [row for part in change.parts for row in part.rows]
    return views.Reader(request.actor.id, people, deps.now, await records.project_names(request, deps, rows))


async def _take_back(request: Request, deps: Deps, change: Change) -> tuple[Message, str | None]:
    """Take back what can be; the confirmation, and the reference it is about. Raises Conflict if nothing can be."""
    is_redo = change.parts[0].is_undo
    batch = batches.begin(deps.session) if len(change.parts) > 1 else None
    was_logged, was_removed = views.is_logging(change.parts[0]), change.parts[0].item.record.is_archived
    outcome = await undoing.take_back(deps.session, request.actor, change, now=deps.now, via="undo")
    reader = await _told_to(request, deps, change)
    if not outcome.done:
        why = [views.why_kept(each, reader) for each in outcome.kept]
        later = f"`/steward {change.parts[0].item.reference} undo` takes back a last change of your own."
        raise Conflict(" ".join([*why, "So this can no longer be undone.", *([later] if len(why) == 1 else [])]))
    item, project = outcome.done[0].item, outcome.done[0].project
    undone = await undoing.last_on(deps.session, item, project) if is_redo else None
    if batch:
        back = (undone.batch if undone else None) or batch
        return views.taken_back(outcome, reader, batch=back, is_redo=is_redo), None
    said = "Redone:" if is_redo else "Undone:"
    if was_logged:
        said = "Undid the logging of"
    elif was_removed != item.record.is_archived:
        said = "Brought back" if was_removed else "Removed"
    version = undone.parts[0].rows[-1].version if undone else item.record.version
    way_back = cards.UNDO if is_redo else cards.REDO
    people = await directory.people(deps.session, cards.people_of(item) | records.people_in(item.kind, item.changed))
    if item.record.project_id != project.id:
        project = await projects.find(deps.session, request.actor, item.record.project_id)
    message = cards.saved(
        item, project, people, said=said, now=deps.now, way_back=way_back, version=version, projects=reader.projects
    )
    return message, item.reference
