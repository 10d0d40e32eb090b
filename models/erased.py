"""Who was erased: what stands in their place, and the mark by which Slack telling of them again is recognised.

The two have nothing to do with each other: the stand-in is made up by chance, and the mark is a salted hash of the id.
"""

import hashlib
import secrets
from collections.abc import Iterable
from typing import Final

from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables import Erased

NAME: Final = "erased person"
_PREFIX: Final = "erased-"
_SALT_LENGTH: Final = 16


def new_stand_in() -> str:
    """An id for somebody in whose place nobody can be found; no id of Slack's looks like it."""
    return f"{_PREFIX}{secrets.token_hex(6)}"


def is_stand_in(person_id: str) -> bool:
    """Whether that stands in the place of somebody who was erased."""
    return person_id.startswith(_PREFIX)


async def remember(session: AsyncSession, person_id: str) -> None:
    """Keep a mark of the id, from which it cannot be read, so that Slack telling of them adds nothing."""
    if not await among(session, [person_id]):
        session.add(Erased(mark=_mark(person_id, secrets.token_hex(_SALT_LENGTH // 2))))
        await session.flush()


async def meet_again(session: AsyncSession, person_id: str) -> None:
    """Drop the mark of somebody who acts again; they are a new person."""
    marks = await _marks(session)
    theirs = [mark for mark in marks if _is_of(mark, person_id)]
    if theirs:
        await session.exec(delete(Erased).where(col(Erased.mark).in_(theirs)))


async def among(session: AsyncSession, person_ids: Iterable[str]) -> set[str]:
    """Those of the ids that were erased; one statement."""
    marks = await _marks(session)
    return {person_id for person_id in person_ids if any(_is_of(mark, person_id) for mark in marks)}


async def _marks(session: AsyncSession) -> list[str]:
    return list((await session.exec(select(Erased.mark))).all())


def _is_of(mark: str, person_id: str) -> bool:
    return mark == _mark(person_id, mark[:_SALT_LENGTH])


def _mark(person_id: str, salt: str) -> str:
    return salt + hashlib.blake2b(person_id.encode(), key=salt.encode(), digest_size=16).hexdigest()
