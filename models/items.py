"""Records as items: with their kind and their kind's own row."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.kinds import KINDS, Item, kind_of
from models.own_fields import kind_in
from models.tables import Project, Record


async def with_own_rows(session: AsyncSession, found: Sequence[tuple[Record, Project]]) -> list[tuple[Item, Project]]:
    """The records as items with their kind's own row: one statement for each kind among them."""
    own: dict[int, Any] = {}
    for kind in KINDS:
        ids = [record.id for record, _ in found if record.kind == kind.key]
        if ids:
            model: Any = kind.model
            own |= {row.record_id: row for row in await session.exec(select(model).where(model.record_id.in_(ids)))}
    return [
        (Item(kind_in(kind_of(record.kind), project, record), record, own[record.id]), project)
        for record, project in found
        if record.id in own
    ]
