"""Putting a due time off from its reminder: an hour, or to the next working day."""

from datetime import datetime, time, timedelta
from typing import Any

from handlers import records
from handlers.replies import Reply, Tell
from handlers.request import Deps, Request
from models import directory, operations, reminders
from models.clock import today_in, zone_or_utc
from models.errors import Conflict
from models.kinds import Item
from models.tables import Project
from models.working_days import after_working_days
from views import cards
from views.values import due

ONE_HOUR, ONE_DAY = timedelta(hours=1), timedelta(days=1)


async def pressed(request: Request, deps: Deps) -> Reply:
    """Move the due time, and the message with it. Raises Conflict where it is another one by now."""
    reference, _, value = request.value.partition(" ")
    item, project = await operations.find(deps.session, request.actor, *records.referred(reference))
    record = item.record
    if record.due_date is None or record.due_time is None or reminders.value_of(record) != value:
        by_now = f"{item.reference} is due {due(item, project)} by now" if record.due_date else "It has no due date"
        raise Conflict(f"{by_now}, so nothing was changed. `/steward {item.reference} edit` opens it.")
    await operations.change(
        deps.session,
        request.actor,
        item,
        project,
        _moved(item, project, deps.now, to_next_day=request.name.endswith(":day")),
        version=record.version,
        now=deps.now,
        via="button",
    )
    people = await directory.people(deps.session, cards.people_of(item))
    message = cards.saved(item, project, people, said="Moved", now=deps.now)
    redraw = await records.drawn_anew(request, deps, item, project)
    return Tell(message, redraw=redraw, reference=item.reference)


def _moved(item: Item, project: Project, now: datetime, *, to_next_day: bool) -> dict[str, Any]:
    """The new due date and time: an hour after the old one or, once that has passed, after now."""
    if to_next_day:
        return {"due_date": after_working_days(project, today_in(project.timezone, now) + ONE_DAY, 0)}
    at = reminders.due_at(item.record, project)
    assert at is not None
    local = (max(at, now) + ONE_HOUR).astimezone(zone_or_utc(project.timezone))
    return {"due_date": local.date(), "due_time": time(local.hour, local.minute)}
