"""Watching a record: `/steward A12 watch`, `A12 unwatch`, and the button below a private card."""

from handlers import records
from handlers.replies import Reply, Tell
from handlers.request import Deps, Request
from models import operations, watching
from models.kinds import Kind
from views import cards


async def start(request: Request, deps: Deps, kind: Kind, number: int) -> Reply:
    """Tell the person from now on when the record's status or due date changes."""
    item, _ = await operations.find(deps.session, request.actor, kind, number)
    await watching.start(deps.session, request.actor, item, now=deps.now)
    return Tell(cards.watching(item, watches=True), reference=item.reference)


async def stop(request: Request, deps: Deps, kind: Kind, number: int) -> Reply:
    """Tell them no more."""
    item, _ = await operations.find(deps.session, request.actor, kind, number)
    await watching.stop(deps.session, request.actor, item)
    return Tell(cards.watching(item, watches=False), reference=item.reference)


async def pressed(request: Request, deps: Deps) -> Reply:
    """What the button says: to begin, or to end."""
    turn = stop if request.name == cards.UNWATCH else start
    return await turn(request, deps, *records.referred(request.value))
