"""What several scenarios do and look at."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from sqlmodel import col, select

from models.database import sqlite_path
from models.tables import Delivery
from sandbox.calls import Delivery as Delivered
from sandbox.delivery import Ack, Shipment
from sandbox.driver import Driver
from tests.scenarios.house import House, shown


def said(person: Driver, channel: str) -> str:
    """The latest private answer this person sees there."""
    told = person.ephemerals(channel)
    assert told, f"{person.user.real_name} was told nothing in {channel}"
    return shown(told[-1])


def all_said(person: Driver, channel: str) -> str:
    """Every private answer this person sees there."""
    return "\n".join(shown(message) for message in person.ephemerals(channel))


def everything_shown_to(person: Driver, channels: tuple[str, ...] = ()) -> str:
    """All that this person can read: private answers, direct messages, forms, Home, and these channels."""
    core = person.core.workspace
    private = [shown(each.message) for each in core.ephemerals if each.user == person.id]
    direct = [shown(message) for message in person.app_messages()]
    public = [shown(message) for channel in channels for message in person.messages(channel)]
    views = [shown(view) for view in (*person.modals, person.home or {})]
    return "\n".join([*private, *direct, *public, *views])


def delivered(house: House, kind: str) -> Delivered:
    """The latest thing of that kind that Slack delivered: a command's name, `view_submission`, an event's type ..."""
    return next(each for each in reversed(house.sandbox.deliveries) if each.kind == kind)


async def again(house: House, delivery: Delivered, times: int = 1) -> list[Ack]:
    """The same delivery once more, or many times at the same moment, byte for byte; how each was received."""
    channel: Any = "interactive"
    if delivery.kind.startswith("/"):
        channel = "slash_commands"
    elif delivery.payload.get("type") == "event_callback":
        channel = "events_api"
    shipment = Shipment(channel, delivery.kind, delivery.payload, wants_answer=True)
    courier = house.sandbox._core.courier
    return list(await asyncio.gather(*(courier.ask(shipment) for _ in range(times))))


async def owed(house: House, kind: str | None = None) -> list[Delivery]:
    """The rows of the delivery table, oldest first."""
    async with house.steward.database.unit(house.sandbox.team_id, writes=False) as session:
        rows = (await session.exec(select(Delivery).order_by(col(Delivery.id)))).all()
    return [row for row in rows if kind in (None, row.kind)]


async def until(house: House, condition: Callable[[], Any], seconds: float = 30.0) -> None:
    """Settle again and again until the condition holds: for what a pause that Slack asked for holds back."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.05)
            await house.settled()


@asynccontextmanager
async def writer_held(database_url: str) -> AsyncIterator[None]:
    """Somebody else holds SQLite's one write lock, as a backup or a second process may."""
    path = sqlite_path(database_url)
    assert path is not None
    other = sqlite3.connect(path, isolation_level=None, timeout=0)
    for _ in range(3_000):
        if _took_the_lock(other):
            break
        await asyncio.sleep(0.01)
    assert other.in_transaction
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def _took_the_lock(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return False
    return True
