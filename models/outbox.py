"""What is to be told: rows written in the transaction that causes them. `scheduler/` decides and draws, `bot/` sends.

A kind of delivery is a word here and a description in `scheduler/deliveries.py`. Nothing is drawn at this point: the
content is made at the moment of sending, from the latest state.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from models.inserting import add_missing
from models.tables import Delivery, DeliveryState

Owed = Mapping[str, Any]


async def put(session: AsyncSession, kind: str, **told: Any) -> None:
    """Owe a delivery, told as to `owed`, once: a key that was ever used in this workspace adds nothing."""
    await put_all(session, [owed(kind, **told)])


async def put_all(session: AsyncSession, rows: Sequence[Owed]) -> None:
    """Owe several, each once; one statement unless they are thousands."""
    await add_missing(session, Delivery, rows)


def owed(
    kind: str,
    *,
    key: str,
    target: str,
    due_at: datetime,
    lane: str | None = None,
    record_id: int | None = None,
    payload: dict[str, Any] | None = None,
    expires_at: datetime | None = None,
) -> Owed:
    """A delivery to be owed."""
    return {
        "kind": kind,
        "dedupe_key": key,
        "lane": lane or key,
        "target": target,
        "record_id": record_id,
        "payload": payload or {},
        "due_at": due_at,
        "expires_at": expires_at,
        "state": DeliveryState.DUE,
        "attempt": 0,
    }
