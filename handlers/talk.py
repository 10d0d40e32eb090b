"""Comments on records: by words, in a small form, taken back and brought back."""

from handlers import records
from handlers.replies import OpenForm, Redraw, Reply, Tell
from handlers.request import Deps, Request
from handlers.slack_text import as_text, named_pieces
from models import comments, operations
from models.errors import NotFound
from models.kinds import Kind
from models.permissions import Right, require
from views import cards, forms


async def ask(request: Request, deps: Deps, kind: Kind, number: int) -> Reply:
    """The small form for a comment. Raises NotAllowed before anybody types in vain."""
    item, project = await operations.find(deps.session, request.actor, kind, number)
    require(request.actor, Right.COMMENT, project, item)
    return OpenForm(forms.comment_form(item, records.edit_context(request, item)))


async def asked(request: Request, deps: Deps) -> Reply:
    return await ask(request, deps, *records.referred(request.value))


async def typed(request: Request, deps: Deps, kind: Kind, number: int, words: str) -> Reply:
    """Store what was typed after `A12 comment`."""
    return await _say(request, deps, kind, number, as_text(await named_pieces(deps.session, words)))


async def submitted(request: Request, deps: Deps) -> Reply:
    """Store what was typed into the form. Raises InvalidFields, whose key is the form's block id."""
    kind, number = records.referred(request.context.reference)
    return await _say(request, deps, kind, number, forms.read_choice(request.state, comments.COMMENT))


async def take_back(request: Request, deps: Deps, kind: Kind, number: int) -> Reply:
    """Take back the latest comment of whoever asks."""
    item, project = await operations.find(deps.session, request.actor, kind, number)
    comment = await comments.own(deps.session, request.actor, item)
    await comments.take_back(deps.session, request.actor, item, project, comment, now=deps.now)
    return Tell(cards.commented(item, comment), reference=item.reference)


async def ask_reword(request: Request, deps: Deps, kind: Kind, number: int, comment_id: int | None = None) -> Reply:
    """The small form with a comment of whoever asks, the latest if none is named."""
    item, project = await operations.find(deps.session, request.actor, kind, number)
    require(request.actor, Right.COMMENT, project, item)
    comment = await comments.own(deps.session, request.actor, item, comment_id)
    comments.require_standing(item, comment)
    return OpenForm(forms.comment_form(item, records.edit_context(request, item), comment))


async def reword_pressed(request: Request, deps: Deps) -> Reply:
    reference, comment_id = _carried(request)
    return await ask_reword(request, deps, *records.referred(reference), comment_id)


async def reworded(request: Request, deps: Deps) -> Reply:
    """Store the other words. Raises InvalidFields, whose key is the form's block id."""
    item, project = await operations.find(deps.session, request.actor, *records.referred(request.context.reference))
    comment = await comments.own(deps.session, request.actor, item, request.context.comment_id)
    words = forms.read_choice(request.state, comments.COMMENT)
    await comments.reword(deps.session, request.actor, item, project, comment, words, now=deps.now)
    return Tell(cards.commented(item, comment), reference=item.reference)


def _carried(request: Request) -> tuple[str, int]:
    """The reference and the comment that a button carries. Raises NotFound."""
    reference, _, comment_id = request.value.partition(":")
    if not comment_id.isdecimal():
        raise NotFound("This button is from an older version of Steward. Open the record again.")
    return reference, int(comment_id)


async def turned_round(request: Request, deps: Deps) -> Reply:
    """Take back the comment that the confirmation spoke of, or bring it back."""
    reference, comment_id = _carried(request)
    item, project = await operations.find(deps.session, request.actor, *records.referred(reference))
    comment = await comments.own(deps.session, request.actor, item, comment_id)
    change = comments.bring_back if request.name == cards.RECOMMENT else comments.take_back
    await change(deps.session, request.actor, item, project, comment, now=deps.now)
    return Redraw(cards.commented(item, comment), reference=item.reference)


async def _say(request: Request, deps: Deps, kind: Kind, number: int, text: str) -> Reply:
    item, project = await operations.find(deps.session, request.actor, kind, number)
    comment = await comments.add(deps.session, request.actor, item, project, text, now=deps.now)
    return Tell(cards.commented(item, comment), reference=item.reference)
