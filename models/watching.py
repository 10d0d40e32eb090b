"""Watchers: people who want to hear when a record's status or due date changes, without having to do with it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, exists, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import outbox
from models.inserting import add_missing
from models.kinds import Item
from models.permissions import Actor
from models.tables import Card, Delivery, DeliveryState, History, Person, Record, Watcher

# What a watcher is told of.
WATCHED = ("status", "due_date")

# So long a word waits for further changes, to tell of all at once.
PATIENCE = timedelta(minutes=2)

NOTICE = "watched"


async def start(session: AsyncSession, actor: Actor, item: Item, *, now: datetime) -> None:
    """Tell the actor from now on. The record itself stays as it is, its version too."""
    await add_missing(session, Watcher, [{"person_id": actor.id, "record_id": item.record.id, "at": now}])
    await session.exec(
        update(Record).where(col(Record.id) == item.record.id).values(is_watched=True),
        execution_options={"synchronize_session": False},
    )


async def stop(session: AsyncSession, actor: Actor, item: Item) -> None:
    """Tell the actor no more."""
    await session.exec(
        delete(Watcher).where(col(Watcher.record_id) == item.record.id, col(Watcher.person_id) == actor.id)
    )


async def is_watching(session: AsyncSession, person_id: str, record_id: int | None) -> bool:
    """Whether the person watches the record."""
    return (await session.exec(select(Watcher).where(*_of(person_id, record_id)))).first() is not None


async def has_card_and_watches(session: AsyncSession, item: Item, actor: Actor) -> tuple[bool, bool]:
    """Whether the record's card is known to stand in Slack, and whether the actor watches it; one statement."""
    card = exists().where(col(Card.workspace_id) == item.record.workspace_id, col(Card.record_id) == item.record.id)
    watch = exists().where(col(Watcher.workspace_id) == item.record.workspace_id, *_of(actor.id, item.record.id))
    has_card, watches = (
        await session.exec(select(card, watch).select_from(Record).where(col(Record.id) == item.record.id))
    ).one()
    return bool(has_card), bool(watches)


async def owe(session: AsyncSession, record: Record, *, by: str, now: datetime) -> None:
    """Owe a word to everybody who watches the record but `by`, who changed it: one for all changes of some minutes."""
    pending = exists().where(
        col(Delivery.workspace_id) == col(Watcher.workspace_id),
        col(Delivery.record_id) == col(Watcher.record_id),
        col(Delivery.target) == col(Watcher.person_id),
        col(Delivery.kind) == NOTICE,
        col(Delivery.state) == DeliveryState.DUE,
    )
    query = (
        select(Person)
        .join(
            Watcher,
            (col(Watcher.workspace_id) == col(Person.workspace_id)) & (col(Watcher.person_id) == col(Person.id)),
        )
        .where(col(Watcher.record_id) == record.id, col(Person.id) != by, ~pending)
        .order_by(col(Person.id))
    )
    words = [
        outbox.owed(
            NOTICE,
            key=f"{NOTICE}:{record.id}:{person.id}:{record.version}",
            target=person.id,
            record_id=record.id,
            payload={"since": record.version},
            due_at=now + PATIENCE,
        )
        for person in await session.exec(query)
    ]
    await outbox.put_all(session, words)


async def news(session: AsyncSession, record_id: int | None, reader_id: str, since: int) -> Sequence[History]:
    """What others changed of what is watched, from that version on, oldest first."""
    query = (
        select(History)
        .where(
            col(History.record_id) == record_id,
            col(History.version) >= since,
            col(History.field).in_(WATCHED),
            col(History.actor_id) != reader_id,
        )
        .order_by(col(History.id))
    )
    return (await session.exec(query)).all()


def _of(person_id: str, record_id: int | None) -> tuple[ColumnElement[bool], ...]:
    return col(Watcher.person_id) == person_id, col(Watcher.record_id) == record_id
