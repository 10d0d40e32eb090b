"""Taking changes back: one record's latest, a person's last, or a whole batch, as long as nobody changed it since.

A change is in effect until an undo marks its rows with the version that took it back; an undo of that undo takes the
mark away again. So what may be taken back of a record is always its latest change in effect, however often people went
back and forth before, and the last change of a person is one cheap query.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import and_, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import links, moves, operations
from models.errors import NotAllowed, StewardError
from models.items import with_own_rows
from models.kinds import Item
from models.operations import stored_value
from models.permissions import Actor, require, visible_records
from models.tables import Act, History, Project, Record

# What a person does to a record. What follows from it on other records is taken back with it.
DEEDS = (Act.CREATED, Act.CHANGED, Act.STEPPED, Act.LINKED)

# What must not lie above a change that is taken back: a link overwrites nothing.
OVERWRITING = (Act.CREATED, Act.CHANGED, Act.STEPPED, Act.FOLLOWED)


@dataclass(frozen=True)
class Part:
    """What one change did to one record: its rows, and those of later changes that overwrote it, oldest first."""

    item: Item
    project: Project
    rows: tuple[History, ...]
    since: tuple[History, ...] = ()

    @property
    def is_undo(self) -> bool:
        return self.rows[0].act is Act.UNDONE

    @property
    def before(self) -> dict[str, Any]:
        """The values that taking it back restores, by field."""
        if self.rows[0].act is Act.CREATED:
            return {"is_archived": True}
        kind = self.item.kind
        rows = [row for row in reversed(self.rows) if row.field and row.field != "link"]
        return {str(row.field): stored_value(kind, row.field, row.before) for row in rows}

    @property
    def only_hides(self) -> bool:
        """Whether taking it back hides the record or brings it back, and does nothing else."""
        return self.before.keys() == {"is_archived"} and all(row.field != "link" for row in self.rows)


@dataclass(frozen=True)
class Change:
    """What one undo takes back: one change of a record, or a batch of several records. Never empty."""

    parts: tuple[Part, ...]

    @property
    def at(self) -> datetime:
        return self.parts[0].rows[0].at

    @property
    def batch(self) -> str | None:
        return self.parts[0].rows[0].batch

    @property
    def first_row(self) -> int:
        """Where it lies in the history: earlier changes have lower numbers."""
        return min(row.id or 0 for part in self.parts for row in part.rows)


@dataclass(frozen=True)
class Kept:
    """A record that stays as it is: because of what `since` did to it, or for the reason in `why`."""

    part: Part
    why: str = ""


@dataclass(frozen=True)
class TakenBack:
    """What came of an undo; undoing the version (or batch) that it made brings it back."""

    done: tuple[Part, ...]
    kept: tuple[Kept, ...]


async def last_of(session: AsyncSession, actor: Actor, *, before: int | None = None) -> Change | None:
    """The actor's last change in effect, of records they may see now; with `before`, the last one below that row."""
    query = (
        select(History)
        .join(Record, col(Record.id) == col(History.record_id))
        .join(Project, col(Project.id) == col(Record.project_id))
        .where(
            col(History.actor_id) == actor.id,
            col(History.act).in_(DEEDS),
            col(History.undone_by).is_(None),
            visible_records(actor),
        )
        .order_by(col(History.id).desc())
        .limit(1)
    )
    if before is not None:
        query = query.where(col(History.id) < before)
    row = (await session.exec(query)).first()
    return await _change_of(session, actor, row) if row else None


async def last_on(session: AsyncSession, item: Item, project: Project) -> Change | None:
    """The record's latest change in effect, whoever made it."""
    query = (
        select(History)
        .where(col(History.record_id) == item.record.id, col(History.act).in_(DEEDS), col(History.undone_by).is_(None))
        .order_by(col(History.id).desc())
        .limit(1)
    )
    row = (await session.exec(query)).first()
    return await of_version(session, item, project, row.version) if row else None


async def of_version(session: AsyncSession, item: Item, project: Project, version: int) -> Change | None:
    """What made that version of the record."""
    rows = await operations.history(session, item, version=version)
    return Change(tuple(await _with_since(session, [Part(item, project, tuple(rows))]))) if rows else None


async def of_batch(session: AsyncSession, actor: Actor, batch: str) -> Change | None:
    """The batch, as far as the actor may see its records now."""
    rows = (await session.exec(select(History).where(col(History.batch) == batch).order_by(col(History.id)))).all()
    rows = [row for row in rows if row.act in (*DEEDS, Act.UNDONE)]
    query = (
        select(Record, Project)
        .join(Project, col(Project.id) == col(Record.project_id))
        .where(col(Record.id).in_({row.record_id for row in rows}), visible_records(actor))
        .order_by(col(Record.id))
    )
    found = await with_own_rows(session, [(record, project) for record, project in await session.exec(query)])
    parts = [
        Part(item, project, tuple(row for row in rows if row.record_id == item.record.id)) for item, project in found
    ]
    return Change(tuple(await _with_since(session, parts))) if parts else None


def problem(actor: Actor, part: Part) -> Kept | None:
    """Why this cannot be taken back now, if it cannot."""
    if part.since:
        return Kept(part)
    if not part.is_undo and all(row.undone_by is not None for row in part.rows):
        return Kept(part, "It is taken back already.")
    if any(row.act is Act.LINKED and not (row.before or row.after) for row in part.rows):
        return Kept(part, "This link was made by an older version of Steward; `unlink` takes it away.")
    try:
        require(actor, operations.right_to_restore(part.item, part.before), part.project, part.item)
    except NotAllowed as refusal:
        return Kept(part, str(refusal))
    return None


async def take_back(session: AsyncSession, actor: Actor, change: Change, *, now: datetime, via: str) -> TakenBack:
    """Take back what can be, record by record; undoing an undo brings back what that had taken.

    What cannot is kept with its reason; nothing else is touched by it.
    """
    kept = [
        found for part in change.parts if (found := problem(actor, part) or await _no_way_back(session, actor, part))
    ]
    hindered = [found.part for found in kept]
    done = [part for part in change.parts if part not in hindered]
    together = [part for part in done if part.only_hides]
    for is_archived in (True, False):
        if same := [part for part in together if part.before["is_archived"] is is_archived]:
            items = [part.item for part in same]
            await operations.set_archived(session, actor, items, is_archived, via=via, now=now)
    for part in done:
        if part not in together:
            await _take_back(session, actor, part, now=now, via=via)
    await _mark(session, done)
    return TakenBack(tuple(done), tuple(kept))


async def _no_way_back(session: AsyncSession, actor: Actor, part: Part) -> Kept | None:
    """Why a record cannot go back where it was: to a project without a question, or to a whole of which it is one."""
    item, before = part.item, part.before
    for row in part.rows:
        if await links.closes_circle(session, row):
            return Kept(part, f"{item.reference} or the other one belongs to another record by now.")
    if "project_id" not in before:
        return None
    try:
        there = await moves.to_project(session, actor, before["project_id"])
        await moves.require_move(session, actor, item, part.project, replace(there, channel_id=before["channel_id"]))
    except StewardError as refusal:
        return Kept(part, str(refusal))
    if moves.shows_to_others(part.project):
        return Kept(part, moves.ASKS_FIRST.format(reference=item.reference))
    return None


async def _take_back(session: AsyncSession, actor: Actor, part: Part, *, now: datetime, via: str) -> None:
    item = part.item
    linked = [
        await links.restore(session, actor, item, row, via=via, now=now) for row in part.rows if row.field == "link"
    ]
    await operations.restore(session, actor, item, part.before, via=via, now=now)
    item.changed = (*linked, *item.changed)


async def _mark(session: AsyncSession, done: Sequence[Part]) -> None:
    """Mark the rows of what was taken back with the version that did it, or take the marks away again.

    Records of one batch have mostly the same versions, so that this is a statement or two.
    """
    for (is_undo, versions, by), same in groupby(sorted(done, key=_marked), key=_marked):
        here = col(History.record_id).in_([part.item.record.id for part in same])
        column, mark = (History.undone_by, None) if is_undo else (History.version, by)
        await session.exec(update(History).where(here, col(column).in_(versions)).values(undone_by=mark))


def _marked(part: Part) -> tuple[bool, tuple[int, ...], int]:
    return part.is_undo, tuple(sorted({row.version for row in part.rows})), part.item.record.version


async def _change_of(session: AsyncSession, actor: Actor, row: History) -> Change | None:
    if row.batch is not None:
        return await of_batch(session, actor, row.batch)
    query = (
        select(Record, Project)
        .join(Project, col(Project.id) == col(Record.project_id))
        .where(col(Record.id) == row.record_id)
    )
    [(item, project)] = await with_own_rows(session, list((await session.exec(query)).all()))
    return await of_version(session, item, project, row.version)


async def _with_since(session: AsyncSession, parts: Sequence[Part]) -> list[Part]:
    """The parts with what overwrote them; one statement for all."""
    if not parts:
        return []
    query = (
        select(History)
        .where(
            col(History.record_id).in_([part.item.record.id for part in parts]),
            col(History.id) > min(part.rows[0].id or 0 for part in parts),
            or_(
                and_(col(History.act).in_(OVERWRITING), col(History.undone_by).is_(None)),
                col(History.act) == Act.UNDONE,
            ),
        )
        .order_by(col(History.id))
    )
    later = (await session.exec(query)).all()
    return [_with_later(part, [row for row in later if row.record_id == part.item.record.id]) for part in parts]


def _with_later(part: Part, later: Sequence[History]) -> Part:
    """An undo of something else hinders nobody from undoing, but from undoing the undo: that was of an older state."""
    own = {row.version for row in part.rows}
    since = [row for row in later if row.version > min(own) and row.version not in own]
    return replace(part, since=tuple(row for row in since if part.is_undo or row.act is not Act.UNDONE))
