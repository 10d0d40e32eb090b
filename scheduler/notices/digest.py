"""A person's one message of a working day, drawn from what is stored when it is sent, and kept up with its buttons."""

from datetime import date, datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from models import absences, directory, manners
from models.clock import today_in
from models.recurrences import instant_of
from models.tables import Delivery
from reports.digest import as_it_became, digest_of
from scheduler.deliveries import DeliveryKind, Draft, Wait
from scheduler.notices import reach
from scheduler.notices.card_left import always
from scheduler.reading import reader_of, told_by
from views import digest as views


async def draw(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | Wait | None:
    """The digest of its date; nothing where there is nothing to say, to somebody who is away, or on a free day.

    Who moved to where their hour is still to come gets it then.
    """
    person = await reader_of(session, delivery)
    day = date.fromisoformat(delivery.payload["date"])
    if person is None or not person.wants_digest or today_in(person.timezone, now) > day:
        return None
    at = manners.not_before(person, max(now, instant_of(day, person.digest_at, person.timezone)))
    if at > now:
        return Wait(at)
    if await absences.of(session, [person.id], day):
        return None
    found = await digest_of(session, person, day)
    if not (found.is_news and found.is_work):
        return None
    people = await directory.people(session, views.people_of(found.lines))
    return Draft("post", person.id, views.digest(found, people))


async def sent(session: AsyncSession, delivery: Delivery, draft: Draft, now: datetime) -> None:
    """Keep which lines it has, for drawing it anew."""
    delivery.payload = delivery.payload | {"lines": views.marks_in(draft.message), "at": now.isoformat()}
    session.add(delivery)
    await reach.found(session, delivery)


async def draw_again(session: AsyncSession, delivery: Delivery, now: datetime) -> Draft | None:
    """A digest that stands in Slack, as its lines are by now."""
    told, person = await told_by(session, delivery), await reader_of(session, delivery)
    if told is None or told.slack_channel is None or person is None or "lines" not in told.payload:
        return None
    day = date.fromisoformat(told.payload["date"])
    since = datetime.fromisoformat(told.payload["at"])
    lines = await as_it_became(session, person, day, [(group, of) for group, of in told.payload["lines"]], since)
    people = await directory.people(session, views.people_of(lines))
    message = views.digest_again(person, day, lines, people, today=today_in(person.timezone, now))
    return Draft("update", told.slack_channel, message, ts=told.slack_ts)


# Called so by older releases, so that on the day of the upgrade nobody gets two.
DIGEST = DeliveryKind(
    key="morning", draw=draw, late_limit=timedelta(hours=24), latest_only=True, sent=sent, failed=reach.lost
)
DIGEST_AGAIN = DeliveryKind(key="digest_again", draw=draw_again, late_limit=None, may_repeat=always, latest_only=True)
