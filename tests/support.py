"""The test clock, and factories that store through the product's own operations, with defaults that read well.

async with database.unit(WORKSPACE) as session:
    await make_workspace(session)
    ana = await make_person(session, "ana")
    project = await make_project(session, by=ana)
    item = await make_record(session, ACTION, project=project, by=ana, due_date=date(2026, 3, 6))
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import directory, operations, projects, undoing
from models.database import Database
from models.errors import Conflict, NotAllowed
from models.kinds import Item, Kind
from models.kinds.base import FieldSpec, FieldType
from models.money import Money
from models.permissions import Actor, actor_of
from models.standups import CLASSIC, Plan
from models.tables import Channel, Person, Project, SeenRequest, StandupReport, Workspace

WORKSPACE = "T0001"
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday; four weeks before Europe's clocks change


# Any value of a field's type, as a form would hand it over.
VALUES: dict[FieldType, Any] = {
    FieldType.TEXT: "Words with <&> and ünïcode",
    FieldType.LONG_TEXT: "Several\nlines\n" * 20,
    FieldType.PERSON: "UANA",
    FieldType.PEOPLE: ["UANA", "UBEN"],
    FieldType.DATE: date(2026, 3, 6),
    FieldType.TIME: NOW.time(),
    FieldType.SCALE: 4,
    FieldType.NUMBER: -3,
    FieldType.REPEAT: "FREQ=WEEKLY;INTERVAL=1;BYDAY=FR;WKST=MO from 2026-03-06",
    FieldType.MONEY: Money(Decimal("1200.50"), "EUR"),
    FieldType.TAGS: "network wide-area",
}


def value_of(field: FieldSpec) -> Any:
    """A value that the field can hold."""
    return list(field.choices)[-1] if field.choices else VALUES[field.type]


class FixedClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, start: datetime = NOW) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def move(self, *, to: datetime | None = None, **by: float) -> datetime:
        """Set the clock to an instant, or forward by `hours=2, minutes=30`, and say what it shows now."""
        assert to is None or to.tzinfo is not None
        self._now = (to.astimezone(UTC) if to else self._now) + timedelta(**by)
        return self._now


async def make_workspace(session: AsyncSession, name: str = "Northwind") -> Workspace:
    """The workspace that the session was opened for."""
    workspace = Workspace(id=session.sync_session.info["workspace_id"], name=name, bot_user_id="UBOT")
    session.add(workspace)
    await session.flush()
    return workspace


async def make_person(session: AsyncSession, name: str = "ana", *, id: str | None = None, **fields: Any) -> Person:
    """An active full member in Berlin; `id` is U and the name in capitals, and any field can be given."""
    defaults = {"real_name": f"{name.capitalize()} Example", "timezone": "Europe/Berlin", "locale": "en-GB"}
    person_id = id or f"U{name.upper()}"
    workspace_id = session.sync_session.info["workspace_id"]
    found = Person(workspace_id=workspace_id, id=person_id, name=name, **(defaults | fields))
    await directory.save_person(session, found)
    await session.flush()
    stored = await directory.person(session, person_id)
    assert stored is not None
    return stored


async def make_channel(
    session: AsyncSession,
    name: str = "move",
    *,
    id: str | None = None,
    members: Iterable[Person | str] | None = (),
    is_private: bool = False,
    now: datetime = NOW,
    **fields: Any,
) -> Channel:
    """A channel with Steward in it; `members=None` is a channel whose membership Slack does not let us read."""
    channel_id = id or f"C{name.upper()}"
    workspace_id = session.sync_session.info["workspace_id"]
    found = Channel(
        workspace_id=workspace_id, id=channel_id, name=name, is_private=is_private, **({"has_bot": True} | fields)
    )
    ids = None if members is None else [getattr(member, "id", member) for member in members]
    await directory.save_channel(session, found, ids, now)
    stored = await directory.channel(session, channel_id)
    assert stored is not None
    return stored[0]


async def make_project(
    session: AsyncSession,
    *,
    by: Person | None = None,
    channel: Channel | None = None,
    name: str = "Data centre move",
    timezone: str = "Europe/Berlin",
    now: datetime = NOW,
) -> Project:
    """The project of a channel, begun by a person; both are made when not given."""
    by = by or await make_person(session)
    channel = channel or await make_channel(session, members=[by])
    return await projects.begin(session, actor_of(by), channel, name=name, timezone=timezone, now=now)


async def make_record(
    session: AsyncSession,
    kind: Kind,
    *,
    project: Project | None = None,
    by: Person | None = None,
    channel_id: str | None = None,
    now: datetime = NOW,
    via: str = "test",
    source_link: str | None = None,
    **values: Any,
) -> Item:
    """A record as a person logs it: `values` by field key; by default Ana's, in the project of #move."""
    by = by or await make_person(session)
    project = project or await _usual_project(session, by)
    return await operations.create(
        session,
        actor_of(by),
        kind,
        {"title": f"One {kind.singular} to look at"} | values,
        project=project,
        channel_id=channel_id or project.home_channel_id,
        now=now,
        via=via,
        source=operations.Source(source_link) if source_link else None,
    )


def a_plan(**fields: Any) -> Plan:
    """A stand-up as a form holds it: weekdays at 09:30 of everybody's own morning, in #move."""
    defaults: dict[str, Any] = {
        "channel_id": "CMOVE",
        "name": "Daily",
        "questions": CLASSIC,
        "asks_mood": False,
        "weekdays": range(5),
        "every_weeks": 1,
        "at": time(9, 30),
        "zone": None,
        "window_minutes": 180,
        "nudge_minutes": 30,
        "participants": (),
        "report": StandupReport.DIGEST,
        "missing_to": None,
        "makes_issues": False,
    }
    return Plan(**(defaults | fields))


async def _usual_project(session: AsyncSession, by: Person) -> Project:
    known = await directory.channel(session, "CMOVE")
    project = known and known[1]
    return project or await make_project(session, by=by)


async def undo(
    session: AsyncSession, actor: Actor, item: Item, project: Project, *, version: int, now: datetime = NOW
) -> None:
    """Undo the change that made the version; raises what a person is refused with."""
    change = await undoing.of_version(session, item, project, version)
    assert change is not None
    outcome = await undoing.take_back(session, actor, change, now=now, via="test")
    for kept in outcome.kept:
        raise (NotAllowed if kept.why.startswith("Only") else Conflict)(kept.why)


async def remember(database: Database, key: str) -> None:
    """Store the least that can be stored."""
    async with database.unit(WORKSPACE) as session:
        session.add(SeenRequest(key=key, at=NOW))


async def remembered(database: Database) -> set[str]:
    """What `remember` stored."""
    async with database.unit(WORKSPACE, writes=False) as session:
        return {row.key for row in await session.exec(select(SeenRequest))}
