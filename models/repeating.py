"""What comes again: taking a step, and the next record of a series when the step ends one that repeats."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import batches, links, operations
from models.clock import today_in
from models.kinds import Item, Kind
from models.kinds.base import Renewal, Step
from models.labels import Labelled, LinkType
from models.permissions import Actor
from models.repeat_words import from_day, next_day
from models.tables import Project, Record
from models.working_days import after_working_days


async def take_step(
    session: AsyncSession,
    actor: Actor,
    item: Item,
    project: Project,
    step: Step,
    *,
    now: datetime,
    via: str,
    note: str | None = None,
    answer: Labelled | None = None,
) -> Item | None:
    """Take the step as `operations.take_step` does, and give the next record of its series where it made one.

    The two are one batch, so that one undo takes both back.
    """
    renewal = _renewal_by(item, step)
    if renewal is not None:
        batches.begin(session)
    await operations.take_step(session, actor, item, project, step, now=now, via=via, note=note, answer=answer)
    if renewal is None or await _has_next(session, item, renewal):
        return None
    return await _make_next(session, actor, item, project, renewal, now=now, via=via)


def with_first_day(kind: Kind, values: Mapping[str, Any], today: date) -> dict[str, Any]:
    """The values with the first day of their rule after today as the due date, where they have a rule and no date."""
    rule: str = values.get(kind.repeats_by) or ""
    if not rule or values.get("due_date"):
        return dict(values)
    return {**values, "due_date": next_day(from_day(rule, today), today)}


def _renewal_by(item: Item, step: Step) -> Renewal | None:
    """How the record is renewed by that step, if it is one that repeats and the step ends it."""
    renewal = item.kind.renewal
    return renewal if renewal and step.to == renewal.when and item.repeats else None


async def _has_next(session: AsyncSession, item: Item, renewal: Renewal) -> bool:
    """Whether an earlier end of the same record made the next one already, and that one is still there."""
    query = select(Record.id).where(col(Record.id) == item.value(renewal.mark), col(Record.is_archived).is_(False))
    return item.value(renewal.mark) is not None and (await session.exec(query)).first() is not None


async def _make_next(
    session: AsyncSession, actor: Actor, item: Item, project: Project, renewal: Renewal, *, now: datetime, via: str
) -> Item:
    """Store the next record, in whoever's name ended the one before: that is what lets it be made."""
    new = await operations.store_new(
        session,
        actor,
        operations.New(item.kind, _values_of_next(item, project, renewal, now)),
        project=project,
        channel_id=item.record.channel_id,
        now=now,
        via=item.reference,
    )
    setattr(item.own, renewal.mark, new.record.id)
    session.add(item.own)
    await links.tie(session, actor, (item, project), LinkType.FOLLOWS, (new, project), is_to_it=True, now=now, via=via)
    return new


def _values_of_next(item: Item, project: Project, renewal: Renewal, now: datetime) -> Mapping[str, Any]:
    """What the next one takes over, due on the rule's next day after today, or on the first working day from there."""
    values = {spec.key: item.value(spec.key) for spec in item.kind.form_fields if spec.key not in renewal.leaves}
    today = today_in(project.timezone, now)
    day = next_day(item.repeats, max(today, item.record.due_date or today))
    return {**values, "due_date": after_working_days(project, day, 0)}
