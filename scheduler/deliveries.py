"""The life of a delivery: due, claimed for a while, sent or settled otherwise. Database work only, in a caller's unit.

The rules that keep a message from going out twice:
- one atomic statement claims a row, with a lease and a new attempt number;
- whoever sends notes first what it is about to call, which begins a new lease, and looks at the lease right before it;
- a row goes back to `due` only when its attempt is still the one that was claimed, while `sent` always wins;
- a call of which nothing was heard is looked up in Slack, where that is possible, once nothing more can come of it.

`now` is the product's clock (due times, limits); `wall` is the machine's (leases).
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, CursorResult, Update, and_, delete, false, func, or_, update
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import directory, manners
from models.tables import Delivery, DeliveryState, SeenRequest, Workspace
from views.blocks import Message

Method = Literal["post", "update", "whisper"]

LEASE = timedelta(seconds=60)
# So long after a call was given up, Slack has carried it out, and tells of it, or never will.
SETTLE = timedelta(seconds=15)
SEEN_KEPT = timedelta(days=7)
FINISHED_KEPT = timedelta(days=90)
ERROR_MAX = 200
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Draft:
    """What is to be sent now. `channel` is a channel or, for a direct message, a person; `ts` names what is updated.

    A whisper is shown to one person of the channel only (`to`), and stands nowhere. `mentions` is the person whom this
    message notifies by name, and `told` what it says of which of its things, for the kind's own book-keeping.
    """

    method: Method
    channel: str
    message: Message
    ts: str | None = None
    thread_ts: str | None = None
    to: str | None = None
    mentions: str | None = None
    told: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Wait:
    """It is too early to send that, by what is known now: not before that instant."""

    until: datetime


@dataclass(frozen=True)
class Call:
    """What was asked of Slack for a delivery and not settled yet, and `at` which instant of the product's clock."""

    method: Method
    channel: str
    thread_ts: str | None
    mentions: str | None
    at: datetime

    @classmethod
    def of(cls, delivery: Delivery) -> "Call":
        """The call that the row notes."""
        assert delivery.call is not None
        return cls(**(delivery.call | {"at": datetime.fromisoformat(delivery.call["at"])}))

    @property
    def noted(self) -> dict[str, Any]:
        """As the row notes it."""
        return {**vars(self), "at": self.at.isoformat()}


Draw = Callable[[AsyncSession, Delivery, datetime], Awaitable[Draft | Wait | None]]
AfterSent = Callable[[AsyncSession, Delivery, Draft, datetime], Awaitable[None]]
AfterFailed = Callable[[AsyncSession, Delivery, datetime], Awaitable[None]]
MayRepeat = Callable[[AsyncSession, Delivery], Awaitable[bool]]


async def never(session: AsyncSession, delivery: Delivery) -> bool:
    """Rather once too few: an unknown outcome is left alone."""
    return False


async def once(session: AsyncSession, delivery: Delivery) -> bool:
    """One more try after an unknown outcome."""
    return delivery.attempt < 2


@dataclass(frozen=True, kw_only=True)
class DeliveryKind:
    """How one kind of delivery is drawn and what follows.

    `draw` gives None when there is no longer anything to say, and Wait when it is too early. `late_limit` counts from
    the due time; None is for what stays worth sending. `may_repeat` decides about a call whose outcome nobody knows. Of
    a `latest_only` kind, only the newest due row of a lane is sent. What `waits_for_day` comes to a person by itself
    and waits for the end of their quiet hours. So does what `is_nag`, which asks somebody for something they have not
    done and is not sent more often a day than they take. `sent` and `failed` run in the transaction that records the
    outcome; `failed` once, when Slack refused for good, `unsure` once, when nobody knows and it may not be repeated.
    """

    key: str
    draw: Draw
    late_limit: timedelta | None
    may_repeat: MayRepeat = never
    latest_only: bool = False
    waits_for_day: bool = False
    is_nag: bool = False
    sent: AfterSent | None = None
    failed: AfterFailed | None = None
    unsure: AfterFailed | None = None

    def end_of(self, delivery: Delivery) -> datetime | None:
        """The instant from which on the delivery is too late, if there is one."""
        if delivery.expires_at is None and self.late_limit is not None:
            return delivery.due_at + self.late_limit
        return delivery.expires_at


Kinds = Mapping[str, DeliveryKind]


def waiting(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Something is due, or too late."""
    return (and_(col(Delivery.state) == DeliveryState.DUE, col(Delivery.due_at) <= now),)


def unsettled(now: datetime, wall: datetime) -> tuple[ColumnElement[bool], ...]:
    """There may be something to send or to look up."""
    return (*waiting(now), _is_left(wall))


@dataclass(frozen=True)
class Stretch:
    """The due times, both included, of what may go out next; without `last` there may be more after it."""

    first: datetime
    last: datetime | None


async def owes(session: AsyncSession, kinds: Kinds, *, now: datetime, wall: datetime) -> bool:
    """Whether anything of these kinds is due, or was left behind: the cheap question of an idle sender."""
    # Two questions, since an OR of them goes by no index.
    return await _is_there(session, kinds, _is_due(now)) or await was_left(session, kinds, wall=wall)


async def next_stretch(
    session: AsyncSession, kinds: Kinds, *, now: datetime, limit: int, except_targets: Collection[str]
) -> Stretch | None:
    """Where in the queue the next `limit` rows for other targets stand; None where there are none.

    Asked before the writer is taken, so that a claim need not look through what has to wait.
    """
    query = (
        select(Delivery.due_at)
        .where(_is_due(now), col(Delivery.kind).in_(kinds), col(Delivery.target).not_in(except_targets))
        .order_by(col(Delivery.due_at), col(Delivery.id))
        .limit(limit)
    )
    found = (await session.exec(query)).all()
    return Stretch(found[0], found[-1] if len(found) < limit else None) if found else None


async def was_left(session: AsyncSession, kinds: Kinds, *, wall: datetime) -> bool:
    """Whether a sender fell silent over anything of these kinds: cheaper to ask than to take over what is not there."""
    return await _is_there(session, kinds, _is_left(wall))


async def _is_there(session: AsyncSession, kinds: Kinds, owed: ColumnElement[bool]) -> bool:
    query = select(Delivery.id).where(owed, col(Delivery.kind).in_(kinds)).limit(1)
    return (await session.exec(query)).first() is not None


async def next_due(session: AsyncSession, kinds: Kinds) -> datetime | None:
    """When the next delivery becomes due, or has become so and is not settled yet; None when nothing is owed.

    What is being sent counts: it may be due again soon, or leave a word to be said.
    """
    waiting = select(func.min(Delivery.due_at)).where(
        col(Delivery.state).in_((DeliveryState.DUE, DeliveryState.SENDING)), col(Delivery.kind).in_(kinds)
    )
    return (await session.exec(waiting)).one()


async def claim(
    session: AsyncSession,
    kinds: Kinds,
    *,
    now: datetime,
    wall: datetime,
    worker: str,
    limit: int,
    lease: timedelta | None = None,
    except_targets: Collection[str] = (),
    within: Stretch | None = None,
) -> list[Delivery]:
    """Take up to `limit` due rows of the kinds for `worker` until `wall` + `lease`, the oldest first, in one statement.

    A lane gives one row at a time, in the order of ids; rows for `except_targets` wait. Nothing is looked at that is
    not `within` the stretch. Raises IntegrityError when another sender was in the lane first: a lost race, not a fault.
    """
    lease = lease or LEASE
    other = aliased(Delivery)
    in_its_lane = and_(col(other.workspace_id) == col(Delivery.workspace_id), col(other.lane) == col(Delivery.lane))
    # By its lane, row by row. As EXISTS, or by the plain state, PostgreSQL may look at everything due for each row, as
    # long as its statistics do not know how much has become due.
    state = func.coalesce(col(other.state), "")
    in_the_way = select(other.id).where(
        in_its_lane,
        or_(state == DeliveryState.SENDING, and_(state == DeliveryState.DUE, col(other.id) < col(Delivery.id))),
    )
    free = in_the_way.correlate(Delivery).limit(1).scalar_subquery().is_(None)
    candidates, until = select(Delivery.id), now
    if within is not None:
        # Named first, since SQLite goes by one of several limits alone.
        candidates, until = candidates.where(col(Delivery.due_at) >= within.first), within.last or now
    candidates = candidates.where(_is_due(until), col(Delivery.kind).in_(kinds), free)
    if except_targets:
        candidates = candidates.where(col(Delivery.target).not_in(except_targets))
    candidates = candidates.order_by(col(Delivery.due_at), col(Delivery.id)).limit(limit)
    # Materialised, because PostgreSQL may run a plain subquery once per row and so take more than the limit.
    picked = (
        candidates.with_for_update(skip_locked=True).cte("picked").prefix_with("MATERIALIZED", dialect="postgresql")
    )
    statement = (
        update(Delivery)
        # Joined, since by `IN` SQLite would look at everything due for those few.
        .where(col(Delivery.id) == picked.c.id, col(Delivery.state) == DeliveryState.DUE)
        .values(
            state=DeliveryState.SENDING,
            attempt=col(Delivery.attempt) + 1,
            claimed_by=worker,
            lease_until=wall + lease,
            call=None,
            is_nag=col(Delivery.kind).in_([kind.key for kind in kinds.values() if kind.is_nag]),
        )
    )
    return sorted(await _changed(session, statement), key=lambda row: (row.due_at, row.id))


async def begin_call(
    session: AsyncSession, claimed: Delivery, call: Call, *, wall: datetime, lease: timedelta | None = None
) -> Delivery | None:
    """Note the call that is about to be made, with a new lease; None when somebody else has the row by now.

    Of a row without such a note it is certain that nothing was sent.
    """
    return await _settle(session, claimed, lease_until=wall + (lease or LEASE), call=call.noted)


async def drawn(session: AsyncSession, claimed: Delivery, kind: DeliveryKind, *, now: datetime) -> Draft | Wait | None:
    """What is to be sent now, after quiet hours where the kind waits for that, and no nag that is one too many."""
    draft = await kind.draw(session, claimed, now)
    if not isinstance(draft, Draft) or not (kind.waits_for_day or kind.is_nag):
        return draft
    person = await directory.person(session, claimed.target)
    if person is None:
        return draft
    if manners.is_quiet(person, now):
        return Wait(manners.not_before(person, now))
    is_welcome = not kind.is_nag or await manners.may_nag(session, person, now, asking=claimed.id)
    return draft if is_welcome else None


def has_time(claimed: Delivery, *, wall: datetime, call: timedelta) -> bool:
    """Whether a call of at most `call`, and what Slack may make of it later, is over before the lease is."""
    assert claimed.lease_until is not None
    return claimed.lease_until - wall > call + SETTLE


async def is_untidy(session: AsyncSession, kinds: Kinds, *, now: datetime) -> bool:
    """Whether `expire` or `supersede` would find anything: asked before the writer is taken.

    With much due that cannot be sent yet, each of them takes a while to find nothing.
    """
    for condition in (_is_too_late(kinds, now), _is_overtaken(kinds, now)):
        if (await session.exec(select(Delivery.id).where(condition).limit(1))).first() is not None:
            return True
    return False


async def expire(session: AsyncSession, kinds: Kinds, *, now: datetime) -> int:
    """Give up what is due and too late to be of use, and say how many that were.

    So is, in a database restored from a backup, whatever was due before that: it may have been sent already.
    """
    statement = update(Delivery).where(_is_too_late(kinds, now)).values(state=DeliveryState.EXPIRED)
    return await _count(session, statement)


def _is_too_late(kinds: Kinds, now: datetime) -> ColumnElement[bool]:
    restored_at = select(func.max(Workspace.restored_at)).scalar_subquery()
    of_limit: dict[timedelta, list[str]] = defaultdict(list)
    for kind in kinds.values():
        if kind.late_limit is not None:
            of_limit[kind.late_limit].append(kind.key)
    limits = [
        and_(col(Delivery.due_at) <= now - limit, col(Delivery.kind).in_(keys)) for limit, keys in of_limit.items()
    ]
    too_late = or_(
        col(Delivery.expires_at) <= now,
        col(Delivery.due_at) <= restored_at,
        and_(col(Delivery.expires_at).is_(None), or_(false(), *limits)),
    )
    return and_(col(Delivery.state) == DeliveryState.DUE, col(Delivery.due_at) <= now, too_late)


async def supersede(session: AsyncSession, kinds: Kinds, *, now: datetime) -> int:
    """Cancel due rows that a newer one in their lane makes pointless, for kinds of which only the latest counts."""
    statement = (
        update(Delivery)
        .where(_is_overtaken(kinds, now))
        .values(state=DeliveryState.CANCELLED, last_error="a newer one follows")
    )
    return await _count(session, statement)


def _is_overtaken(kinds: Kinds, now: datetime) -> ColumnElement[bool]:
    latest_only = [kind.key for kind in kinds.values() if kind.latest_only]
    # Found in one go: asked for each row whether there is a newer one, PostgreSQL may look at everything due each time.
    newest = select(func.max(Delivery.id)).where(_is_due(now)).group_by(col(Delivery.lane))
    return and_(_is_due(now), col(Delivery.kind).in_(latest_only), col(Delivery.id).not_in(newest))


async def settle_sent(session: AsyncSession, claimed: Delivery, *, channel: str, ts: str) -> Delivery | None:
    """Record that the message stands in Slack, whatever else happened to the row meanwhile.

    None when this was recorded before: whether a commit took place is not always known, and then it is done again.
    """
    statement = (
        update(Delivery)
        .where(
            col(Delivery.id) == claimed.id,
            or_(col(Delivery.state) != DeliveryState.SENT, col(Delivery.slack_ts).is_distinct_from(ts)),
        )
        .values(
            state=DeliveryState.SENT, slack_channel=channel, slack_ts=ts, lease_until=None, call=None, last_error=None
        )
    )
    return _one(await _changed(session, statement))


async def settle_not_sent(
    session: AsyncSession, claimed: Delivery, kind: DeliveryKind, *, retry_at: datetime, error: str | None
) -> Delivery | None:
    """Put a claimed row back, due again at `retry_at`. Its late limit still counts from the first due time."""
    return await _settle(
        session,
        claimed,
        state=DeliveryState.DUE,
        due_at=retry_at,
        expires_at=kind.end_of(claimed),
        claimed_by=None,
        last_error=_cut(error),
    )


async def settle_unknown(
    session: AsyncSession, claimed: Delivery, kind: DeliveryKind, *, retry_at: datetime, error: str
) -> Delivery | None:
    """Nobody knows whether the message was posted: due again when the kind may repeat it, else unconfirmed."""
    if await kind.may_repeat(session, claimed):
        return await settle_not_sent(session, claimed, kind, retry_at=retry_at, error=error)
    row = await _settle(session, claimed, state=DeliveryState.UNCONFIRMED, last_error=_cut(error))
    if row is not None and kind.unsure is not None:
        await kind.unsure(session, row, retry_at)
    return row


async def park(session: AsyncSession, claimed: Delivery, *, error: str) -> Delivery | None:
    """Slack will not take this; keep the row with the reason."""
    return await _settle(session, claimed, state=DeliveryState.PARKED, last_error=_cut(error))


async def cancel(session: AsyncSession, claimed: Delivery) -> Delivery | None:
    """There is no longer anything to say."""
    return await _settle(session, claimed, state=DeliveryState.CANCELLED, last_error=None)


async def give_up(session: AsyncSession, claimed: Delivery) -> Delivery | None:
    """The claimed row became too late before it could be sent."""
    return await _settle(session, claimed, state=DeliveryState.EXPIRED, last_error=None)


async def doubt(session: AsyncSession, claimed: Delivery, *, until: datetime, error: str) -> Delivery | None:
    """Nobody knows whether the message was posted: keep the row from everybody `until` Slack can be asked (wall)."""
    return await _settle(session, claimed, lease_until=until, call=claimed.call, last_error=_cut(error))


async def free_unsent(session: AsyncSession, *, wall: datetime) -> int:
    """Make due again what was claimed by a sender that fell silent before any call, and say how many that were."""
    statement = (
        update(Delivery)
        .where(_is_left(wall), col(Delivery.call).is_(None))
        .values(state=DeliveryState.DUE, claimed_by=None, lease_until=None)
    )
    return await _count(session, statement)


async def take_over(
    session: AsyncSession, kinds: Kinds, *, wall: datetime, worker: str, limit: int, lease: timedelta | None = None
) -> list[Delivery]:
    """Up to `limit` rows of which a call was made and nothing heard, for `worker` to settle by what Slack shows.

    The attempt stays what it was; the new lease keeps others from looking too.
    """
    picked = (
        select(Delivery.id)
        .where(_is_left(wall), col(Delivery.kind).in_(kinds))
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("picked")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    statement = (
        update(Delivery)
        .where(col(Delivery.id).in_(select(picked.c.id)), _is_left(wall))
        .values(claimed_by=worker, lease_until=wall + (lease or LEASE))
    )
    return await _changed(session, statement)


async def prune(session: AsyncSession, *, now: datetime) -> None:
    """Forget requests seen more than 7 days ago and deliveries finished for more than 90 days."""
    await session.exec(delete(SeenRequest).where(col(SeenRequest.at) < now - SEEN_KEPT))
    finished = [state for state in DeliveryState if state not in (DeliveryState.DUE, DeliveryState.SENDING)]
    await session.exec(
        delete(Delivery).where(col(Delivery.state).in_(finished), col(Delivery.due_at) < now - FINISHED_KEPT)
    )


def by_key(kinds: Iterable[DeliveryKind]) -> dict[str, DeliveryKind]:
    """The kinds by their key. Raises ValueError when two share one."""
    found: dict[str, DeliveryKind] = {}
    for kind in kinds:
        if kind.key in found:
            raise ValueError(f"two kinds of delivery are called {kind.key!r}")
        found[kind.key] = kind
    return found


def _is_due(now: datetime) -> ColumnElement[bool]:
    """Due by now; in a database that was restored, since then: what was due before may have been sent already."""
    since = select(func.coalesce(func.max(Workspace.restored_at), LONG_AGO)).scalar_subquery()
    return and_(col(Delivery.state) == DeliveryState.DUE, col(Delivery.due_at) <= now, col(Delivery.due_at) > since)


def _is_left(wall: datetime) -> ColumnElement[bool]:
    """Of what is being sent, what nobody holds any more."""
    return and_(col(Delivery.state) == DeliveryState.SENDING, col(Delivery.lease_until) <= wall)


async def _settle(session: AsyncSession, claimed: Delivery, **values: Any) -> Delivery | None:
    """Compare and set: None when the row is no longer the attempt that was claimed."""
    statement = (
        update(Delivery)
        .where(
            col(Delivery.id) == claimed.id,
            col(Delivery.attempt) == claimed.attempt,
            col(Delivery.state) == DeliveryState.SENDING,
        )
        .values(**({"lease_until": None, "call": None} | values))
    )
    return _one(await _changed(session, statement))


async def _changed(session: AsyncSession, statement: Update) -> list[Delivery]:
    rows = await session.exec(
        statement.returning(Delivery), execution_options={"synchronize_session": False, "populate_existing": True}
    )
    return list(rows.scalars())


async def _count(session: AsyncSession, statement: Update) -> int:
    result = await session.exec(statement, execution_options={"synchronize_session": False})
    assert isinstance(result, CursorResult)
    return result.rowcount


def _one(rows: list[Delivery]) -> Delivery | None:
    return rows[0] if rows else None


def _cut(error: str | None) -> str | None:
    return error[:ERROR_MAX] if error else None
