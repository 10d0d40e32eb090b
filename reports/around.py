"""What a card shows of a record beside the record itself."""

from dataclasses import dataclass

from sqlmodel.ext.asyncio.session import AsyncSession

from models import comments, links
from models.comments import NO_TALK, Talk
from models.kinds import Item
from models.links import Linked
from models.permissions import Actor


@dataclass(frozen=True)
class Around:
    """The links and the latest comments of a record."""

    links: tuple[Linked, ...] = ()
    talk: Talk = NO_TALK


async def around(session: AsyncSession, item: Item, *, seen_by: Actor | None = None) -> Around:
    """What is around the record, as this person may see it, or as everybody who sees it may; two statements."""
    shown = tuple(await links.links_of(session, item, seen_by=seen_by))
    return Around(shown, await comments.latest(session, item))
