"""What is told of somebody's absence: to the deputy once, to whom it is noted for, and the question after a status."""

from datetime import date, datetime, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import absences, directory
from models.clock import today_in
from models.statuses import is_known
from models.tables import Absence, Delivery
from scheduler.deliveries import DeliveryKind, Draft
from scheduler.notices.card_left import always
from scheduler.reading import reader_of, standing
from views import away as views
from views.blocks import Message

DAY = timedelta(hours=24)


async def draw_deputy(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """Whom they stand in for and when; nothing once it is over or somebody else's."""
    message = await _for_deputy(session, delivery, now)
    return Draft("post", delivery.target, message) if message else None


async def draw_deputy_again(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """The same message as it should read now; nothing where it was never sent."""
    told = await standing(session, delivery, "deputy")
    if told is None or told.slack_channel is None or await reader_of(session, delivery) is None:
        return None
    message = await _for_deputy(session, delivery, now)
    if message is None:
        people = await directory.people(session, {delivery.payload["person"]})
        message = views.stands_in_no_more(delivery.payload["person"], people)
    return Draft("update", told.slack_channel, message, ts=told.slack_ts)


async def _for_deputy(session: AsyncSession, delivery: Delivery, now: datetime) -> Message | None:
    reader, absence = await reader_of(session, delivery), await _absence(session, delivery)
    if reader is None or absence is None or absence.deputy_id != reader.id:
        return None
    today = today_in(reader.timezone, now)
    if absence.last_day < today:
        return None
    by = str(delivery.payload.get("by") or "")
    people = await directory.people(session, {absence.person_id, by})
    return views.stands_in(absence, people, by=by, today=today)


async def draw_noted(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """That somebody else noted it, with what can be done to it."""
    reader, absence = await reader_of(session, delivery), await _absence(session, delivery)
    if reader is None or absence is None or absence.person_id != reader.id:
        return None
    by = str(delivery.payload["by"])
    people = await directory.people(session, {absence.deputy_id, by})
    today = today_in(reader.timezone, now)
    return Draft("post", reader.id, views.noted_for_you(absence, people, by=by, today=today))


async def draw_hint(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """The question, unless the days are over or noted by now."""
    reader = await reader_of(session, delivery)
    if reader is None:
        return None
    until = date.fromisoformat(delivery.payload["until"]) if delivery.payload["until"] else None
    today = today_in(reader.timezone, now)
    known = (await absences.of(session, [reader.id], today)).get(reader.id)
    if is_known(known, until) or (until is not None and until < today):
        return None
    return Draft("post", reader.id, views.asks(until, today=today))


async def _absence(session: AsyncSession, delivery: Delivery) -> Absence | None:
    query = select(Absence).where(col(Absence.id) == int(delivery.payload["absence"]))
    return (await session.exec(query)).first()


AWAY_KINDS = (
    DeliveryKind(key="deputy", draw=draw_deputy, late_limit=DAY),
    DeliveryKind(key="deputy_again", draw=draw_deputy_again, late_limit=None, may_repeat=always, latest_only=True),
    DeliveryKind(key="away_noted", draw=draw_noted, late_limit=DAY),
    DeliveryKind(key="away_hint", draw=draw_hint, late_limit=DAY, latest_only=True, waits_for_day=True),
)
