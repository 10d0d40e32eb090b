"""A reaction on a message saves it as a draft: once for each kind, by people who may log there."""

from collections.abc import Mapping
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from handlers import records
from handlers.replies import Nothing, OpenForm, Reply, Tell
from handlers.request import Deps, Request
from handlers.slack_text import as_text, named_pieces
from models import capturing, directory, operations, outbox
from models.kinds import KINDS
from models.operations import LONG_TEXT_MAX, TITLE_MAX
from models.permissions import Right, may
from views import forms
from views import reactions as drawn
from views.blocks import cut
from views.forms import FormContext


async def matters(session: AsyncSession, payload: Mapping[str, Any]) -> bool:
    """Whether the reaction means anything here: most do not."""
    return await capturing.kind_meant(session, str(payload.get("reaction"))) is not None


async def reacted(request: Request, deps: Deps) -> Reply:
    """Save the message as a draft of the kind the emoji stands for, and owe the question what is missing.

    Without a word nothing is done for people who may not log here, for Steward's own messages, and for a message that
    is such a record already.
    """
    kind = await capturing.kind_meant(deps.session, str(request.payload.get("reaction")))
    message, source, author_id = request.message, request.source, str(request.payload.get("item_user"))
    if kind is None or message is None or source is None or request.channel is None:
        return Nothing()
    if author_id == request.bot_user_id or not may(request.actor, Right.CREATE, request.project):
        return Nothing()
    if not await capturing.capture(
        deps.session, kind, channel_id=source.channel_id, ts=source.ts, by=request.actor.id, now=deps.now
    ):
        return Nothing()
    values = values_of(as_text(await named_pieces(deps.session, message.text)))
    if not values["title"]:
        author = (await directory.people(deps.session, {author_id})).get(author_id)
        values["title"] = cut(capturing.untitled(kind, author.shown_name if author else ""), TITLE_MAX)
    project, began = await records.project_here(request, deps)
    item = await operations.create(
        deps.session,
        request.actor,
        kind,
        values,
        project=project,
        channel_id=request.channel_id,
        now=deps.now,
        via="a reaction",
        source=source,
        is_draft=True,
        owes_card=False,
    )
    question = outbox.owed(
        "draft",
        key=f"draft:{item.record.id}",
        target=request.actor.id,
        record_id=item.record.id,
        payload={"channel": request.channel_id, "thread_ts": source.thread_ts, "began": began},
        due_at=deps.now,
    )
    await operations.owe_card(deps.session, item.record, deps.now, beside=[question])
    return Nothing()


def values_of(text: str) -> dict[str, Any]:
    """A message as a record: its first line is the title, all of it the details where that is more."""
    lines = text.strip().splitlines()
    title = cut(lines[0].strip(), TITLE_MAX) if lines else ""
    return {"title": title, "details": text[:LONG_TEXT_MAX] if text.strip() != title else ""}


async def settings(request: Request, deps: Deps) -> Reply:
    """What reactions mean: as a form for those who may change it, in words for everybody else."""
    chosen = await capturing.reactions(deps.session)
    if not may(request.actor, Right.REACTIONS, None):
        return Tell(drawn.in_words(chosen))
    context = FormContext(channel_id=request.channel_id, response_url=request.response_url, thread_ts=request.thread_ts)
    return OpenForm(drawn.settings_form(chosen, context))


async def settings_submitted(request: Request, deps: Deps) -> Reply:
    """Store what reactions mean. Raises InvalidFields, whose keys are the form's block ids."""
    typed = {kind.key: forms.read_choice(request.state, kind.key) for kind in KINDS}
    return Tell(drawn.in_words(await capturing.set_reactions(deps.session, request.actor, typed), said="Saved. "))
