"""What a card shows of a record beside the record itself."""

from dataclasses import dataclass

from sqlmodel.ext.asyncio.session import AsyncSession

from models import comments, links
from models.comments import NO_TALK, Talk
from models.kinds import Item
from models.links import Linked


@dataclass(frozen=True)
class Around:
    """The links and the latest comments of a record."""

    links: tuple[Linked, ...] = ()
    talk: Talk = NO_TALK


async def around(session: AsyncSession, item: Item) -> Around:
    """What is around the record, as everybody who sees it may see it; two statements."""
    return Around(tuple(await links.links_of(session, item)), await comments.latest(session, item))
