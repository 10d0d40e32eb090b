"""Changes that belong together: told in one confirmation, and taken back by one undo.

A unit that changes several records at once begins a batch first; from there on every row of history it writes carries
the batch's id, and owners get one message for all of it. `models.undoing` finds the rows again.
"""

import secrets

from sqlmodel.ext.asyncio.session import AsyncSession


def begin(session: AsyncSession) -> str:
    """Make all that this unit changes from now on one batch; its id. Asked for again, it is the same one."""
    batch: str = session.sync_session.info.setdefault("batch", secrets.token_hex(8))
    return batch


def current(session: AsyncSession) -> str | None:
    """The batch that this unit has begun, if it has."""
    return session.sync_session.info.get("batch")


def is_new_to(session: AsyncSession, person_id: str) -> bool:
    """Whether nobody has asked yet, of this unit's batch, to tell the person of it."""
    told: set[str] = session.sync_session.info.setdefault("batch_told", set())
    is_new = person_id not in told
    told.add(person_id)
    return is_new
