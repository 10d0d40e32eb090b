"""How the deliveries of all workspaces stand, in one look that goes by the index of each workspace."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select

from models.database import Database
from models.tables import Delivery, DeliveryState, Installation, Workspace, table_of

# What Slack would not take is due again after five minutes at most, so that only what nobody looks after is so late.
LATE = timedelta(minutes=15)
LOOKED_BACK = timedelta(days=7)


@dataclass(frozen=True)
class Backlog:
    """How many deliveries there are in each state that somebody may have to look at, and the oldest due one's wait."""

    by_state: dict[str, int]
    oldest_due: datetime | None
    as_of: datetime

    @property
    def oldest_seconds(self) -> float:
        """For how long the one that has been due longest has waited; 0 when nothing is due."""
        return (self.as_of - self.oldest_due).total_seconds() if self.oldest_due else 0.0


async def backlog(database: Database, *, now: datetime, workspace_id: str | None = None) -> Backlog:
    """As of `now`, in one workspace or in all; without those from which Steward was removed or where Slack refuses it.

    What a restored database does not send counts as nothing.
    """
    delivery, workspace, installation = table_of(Delivery), table_of(Workspace), table_of(Installation)
    is_sent_at_all = or_(workspace.c.restored_at.is_(None), delivery.c.due_at > workspace.c.restored_at)

    def found(what: Any, state: DeliveryState, *conditions: ColumnElement[bool]) -> Any:
        mine = and_(delivery.c.workspace_id == workspace.c.id, delivery.c.state == state, *conditions)
        return select(what).where(mine).correlate(workspace).scalar_subquery()

    due, number = delivery.c.due_at, func.count()
    states = {
        "due": found(number, DeliveryState.DUE, due <= now, is_sent_at_all),
        "late": found(number, DeliveryState.DUE, due <= now - LATE, is_sent_at_all),
        "planned": found(number, DeliveryState.DUE, due > now),
        "sending": found(number, DeliveryState.SENDING),
        "parked": found(number, DeliveryState.PARKED, due > now - LOOKED_BACK),
        "unconfirmed": found(number, DeliveryState.UNCONFIRMED, due > now - LOOKED_BACK),
    }
    oldest = found(func.min(due), DeliveryState.DUE, due <= now, is_sent_at_all)
    is_refused = exists().where(
        installation.c.id == workspace.c.installation_id, installation.c.refused_since.is_not(None)
    )
    query = select(*states.values(), oldest).where(
        workspace.c.removed_at.is_(None), workspace.c.refused_since.is_(None), ~is_refused
    )
    if workspace_id is not None:
        query = query.where(workspace.c.id == workspace_id)
    async with database.outside(writes=False) as connection:
        rows = (await connection.execute(query)).all()
    instants = [row[-1].replace(tzinfo=row[-1].tzinfo or UTC) for row in rows if row[-1] is not None]
    return Backlog(
        {state: sum(row[place] for row in rows) for place, state in enumerate(states)}, min(instants, default=None), now
    )
