"""Comments: what people say about a record, in the order they said it.

One that is taken back stays, marked; so does one that its author reworded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import escalations, operations, search
from models.errors import Conflict, InvalidFields, NotAllowed, NotFound
from models.kinds import Item
from models.permissions import Actor, Right, require
from models.tables import Comment, Person, Project

COMMENT = "comment"
COMMENT_MAX = 3_000
SHOWN_ON_CARD = 2


@dataclass(frozen=True)
class Said:
    """One comment as a card shows it."""

    who: str
    text: str


@dataclass(frozen=True)
class Talk:
    """The latest comments of a record, the newest last, and how many there are."""

    count: int = 0
    latest: tuple[Said, ...] = ()


NO_TALK = Talk()


async def add(
    session: AsyncSession, actor: Actor, item: Item, project: Project, text: str, *, now: datetime
) -> Comment:
    """Store what was said, and owe the card that shows it. The record itself stays as it is, its version too.

    Raises NotAllowed and InvalidFields.
    """
    require(actor, Right.COMMENT, project, item)
    text = _checked(item, text)
    assert item.record.id is not None
    words = search.words_of_comment(text)
    comment = Comment(record_id=item.record.id, author_id=actor.id, at=now, text=text, words=words)
    session.add(comment)
    await session.flush()
    await escalations.heard(session, item.record, actor.id, now)
    await operations.owe_card(session, item.record, now, because=f":comment:{comment.id}", asked=True)
    return comment


def _checked(item: Item, text: str) -> str:
    """What is said, without the space around it. Raises InvalidFields."""
    text = text.strip()
    if not text:
        raise InvalidFields({COMMENT: f"Say something: `/steward {item.reference} comment` and your words."})
    if len(text) > COMMENT_MAX:
        raise InvalidFields({COMMENT: f"At most {COMMENT_MAX:,} characters; this has {len(text):,}. Say it in parts."})
    return text


async def own(session: AsyncSession, actor: Actor, item: Item, comment_id: int | None = None) -> Comment:
    """The actor's comment of that id, or their latest that stands. Raises NotFound and NotAllowed."""
    query = select(Comment).where(col(Comment.record_id) == item.record.id)
    if comment_id is None:
        query = query.where(col(Comment.author_id) == actor.id, col(Comment.taken_back_at).is_(None))
    else:
        query = query.where(col(Comment.id) == comment_id)
    comment = (await session.exec(query.order_by(col(Comment.id).desc()).limit(1))).first()
    if comment is None:
        raise NotFound(
            f"There is no comment of yours on {item.reference}. `/steward {item.reference} history` has all."
        )
    if comment.author_id != actor.id:
        raise NotAllowed("Only whoever wrote a comment can change it or take it back.")
    return comment


async def take_back(
    session: AsyncSession, actor: Actor, item: Item, project: Project, comment: Comment, *, now: datetime
) -> None:
    """Show the comment no longer; its author and instant stay in the history."""
    await _mark(session, actor, item, project, comment, now, now=now)


async def bring_back(
    session: AsyncSession, actor: Actor, item: Item, project: Project, comment: Comment, *, now: datetime
) -> None:
    """Show a comment again that was taken back."""
    await _mark(session, actor, item, project, comment, None, now=now)


async def reword(
    session: AsyncSession, actor: Actor, item: Item, project: Project, comment: Comment, text: str, *, now: datetime
) -> None:
    """Say it in other words; that it was reworded stays in the history. Raises NotAllowed, InvalidFields, Conflict."""
    require(actor, Right.COMMENT, project, item)
    require_standing(item, comment)
    text = _checked(item, text)
    if text == comment.text:
        return
    comment.text, comment.words, comment.reworded_at = text, search.words_of_comment(text), now
    await _store(session, item, comment, now)


def require_standing(item: Item, comment: Comment) -> None:
    """Raises Conflict for a comment that was taken back."""
    if comment.taken_back_at is not None:
        raise Conflict(f"That comment on {item.reference} was taken back. Bring it back first, then change it.")


async def latest(session: AsyncSession, item: Item) -> Talk:
    """What the record's card shows of its comments; one statement."""
    query: Any = (
        select(Comment, Person, func.count().over())
        .join(
            Person,
            (col(Person.id) == col(Comment.author_id)) & (col(Person.workspace_id) == col(Comment.workspace_id)),
            isouter=True,
        )
        .where(col(Comment.record_id) == item.record.id, col(Comment.taken_back_at).is_(None))
        .order_by(col(Comment.id).desc())
        .limit(SHOWN_ON_CARD)
    )
    rows = (await session.exec(query)).all()
    said = [Said(person.shown_name if person else "somebody", comment.text) for comment, person, _ in reversed(rows)]
    return Talk(rows[0][2], tuple(said)) if rows else NO_TALK


async def all_of(session: AsyncSession, item: Item) -> Sequence[Comment]:
    """Every comment of the record, the oldest first, those taken back too."""
    query = select(Comment).where(col(Comment.record_id) == item.record.id).order_by(col(Comment.id))
    return (await session.exec(query)).all()


async def _mark(
    session: AsyncSession,
    actor: Actor,
    item: Item,
    project: Project,
    comment: Comment,
    taken_back_at: datetime | None,
    *,
    now: datetime,
) -> None:
    require(actor, Right.COMMENT, project, item)
    if (comment.taken_back_at is None) == (taken_back_at is None):
        return
    comment.taken_back_at = taken_back_at
    await _store(session, item, comment, now)


async def _store(session: AsyncSession, item: Item, comment: Comment, now: datetime) -> None:
    """Store the changed comment, and owe the card that shows it."""
    session.add(comment)
    await session.flush()
    because = f":comment:{comment.id}:{now.isoformat()}"
    await operations.owe_card(session, item.record, now, because=because, asked=True)
