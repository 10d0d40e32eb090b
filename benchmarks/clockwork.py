"""An installation whose clock has much to look after: very many open records, few of them due; filled by bulk SQL."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import CTE, JSON, ColumnElement, Integer, String, case, cast, func, insert, literal, select, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from benchmarks.slack import BOT, TEAM
from models.database import Database
from models.kinds import KINDS
from models.recurrences import Rule
from models.tables import (
    Act,
    Channel,
    ChannelMember,
    Counter,
    Delivery,
    DeliveryState,
    EntryState,
    History,
    Person,
    Project,
    Record,
    SeenRequest,
    Standup,
    StandupEntry,
    StandupRound,
    Workspace,
)

# A Tuesday night in Berlin, hours before anybody is told anything, on a day without a clock change.
NIGHT = datetime(2031, 11, 25, 1, tzinfo=UTC)
NINE = NIGHT + timedelta(hours=7, minutes=5)  # shortly after everybody's digest is due
TODAY = date(2031, 11, 25)
PROJECTS = 100
ANSWERS_A_ROUND = 10


async def fill(database: Database, *, records: int, due: int, finished: int) -> None:
    """So many open records, of which so many are due today, one for each of as many people; and what was sent before.

    Everybody lives in Berlin. What is not due has its day in the years to come.
    """
    writing = database.engine.execution_options(steward_writes=True)
    long_ago = NIGHT - timedelta(days=60)
    async with writing.begin() as connection:
        workspace = Workspace(id=TEAM, name="Bench", bot_user_id=BOT)
        await connection.execute(insert(Workspace.__table__).values(**workspace.model_dump()))  # type: ignore[attr-defined]
        i = _numbers(due)
        person = Person(workspace_id=TEAM, id="", name="", real_name="Ana Torres", timezone="Europe/Berlin")
        await _add(connection, i, person, id=_named("U", i.c.i), name=_named("ana", i.c.i))
        i = _numbers(PROJECTS)
        project = Project(
            workspace_id=TEAM,
            name="",
            timezone="Europe/Berlin",
            created_by="U1",
            coordinator_id="U1",
            home_channel_id="",
            created_at=long_ago,
        )
        await _add(connection, i, project, id=i.c.i, name=_named("move ", i.c.i), home_channel_id=_named("C", i.c.i))
        channel = Channel(
            workspace_id=TEAM, id="", name="", is_private=False, has_bot=True, members_known_at=NIGHT, greeted_at=NIGHT
        )
        await _add(connection, i, channel, id=_named("C", i.c.i), name=_named("move-", i.c.i), project_id=i.c.i)
        i = _numbers(due)
        member = ChannelMember(workspace_id=TEAM, channel_id="", person_id="")
        await _add(connection, i, member, channel_id=_named("C", i.c.i % PROJECTS + 1), person_id=_named("U", i.c.i))
        for kind in KINDS:
            counter = Counter(workspace_id=TEAM, kind=kind.key, last=records)
            await connection.execute(insert(Counter.__table__).values(**counter.model_dump()))  # type: ignore[attr-defined]
        await _add_records(connection, records, due, long_ago)
        i = _numbers(finished)
        sent = Delivery(
            workspace_id=TEAM,
            kind="word",
            dedupe_key="",
            lane="",
            target="",
            due_at=long_ago,
            state=DeliveryState.SENT,
            attempt=1,
        )
        keys = {"dedupe_key": _named("old:", i.c.i), "lane": _named("old:", i.c.i), "target": _named("U", i.c.i % due)}
        await _add(connection, i, sent, **keys)
        seen = SeenRequest(workspace_id=TEAM, key="", at=NIGHT - timedelta(hours=1))
        await _add(connection, i, seen, key=_named("old:", i.c.i))
        await _add_rounds(connection, finished)
        if not database.is_sqlite:
            for table in ("record", "project", "delivery", "history", "standup", "standup_round"):
                await connection.execute(text(f"SELECT setval('{table}_id_seq', {max(records, finished, PROJECTS)})"))
    if not database.is_sqlite:
        async with writing.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            await connection.execute(text("VACUUM ANALYZE"))  # as its own housekeeping would soon


async def _add_records(connection: AsyncConnection, records: int, due: int, long_ago: datetime) -> None:
    """The records, a kind in turn, with the row of their kind and one of history each."""
    for number, kind in enumerate(KINDS):
        record = Record(
            workspace_id=TEAM,
            project_id=1,
            channel_id="",
            kind=kind.key,
            number=0,
            title="Check the racks",
            words="check racks",
            status=kind.first_status,
            is_open=True,
            raised_by="U1",
            created_at=long_ago,
            updated_at=long_ago,
        )
        numbers = _numbers(records)
        i = select(numbers.c.i).where(numbers.c.i % len(KINDS) == number).cte("i")
        later = [status for status in kind.statuses if status not in kind.closed][-1]
        status = case((i.c.i <= due, kind.first_status.value), else_=later.value)
        days = _days(connection, case((i.c.i <= due, 0), else_=i.c.i % 3_000 + 60))
        own = {"id": i.c.i, "number": i.c.i, "project_id": i.c.i % PROJECTS + 1, "due_date": days, "status": status}
        names = {"channel_id": _named("C", i.c.i % PROJECTS + 1), "owner_id": _named("U", i.c.i % due + 1)}
        await _add(connection, i, record, **own, **names)
        await _add(connection, i, kind.model(workspace_id=TEAM, record_id=0), record_id=i.c.i)
        logged = History(
            workspace_id=TEAM, project_id=1, version=1, at=long_ago, actor_id="U1", act=Act.CREATED, via="bench"
        )
        await _add(connection, i, logged, id=i.c.i, record_id=i.c.i)


async def _add_rounds(connection: AsyncConnection, answers: int) -> None:
    """A stand-up of two people with a round this morning, and the rounds of years that lie behind it."""
    standup = Standup(
        id=1,
        workspace_id=TEAM,
        channel_id="C1",
        name="Daily",
        questions=["What is next?"],
        rule=Rule.weekly(range(5), TODAY).words,
        start=TODAY,
        at=time(9),
        window_minutes=60,
        participants=["U1", "U2"],
        next_day=TODAY,
        next_at=NINE - timedelta(minutes=5),
        created_by="U1",
        created_at=NIGHT,
    )
    await connection.execute(insert(Standup.__table__).values(**standup.model_dump()))  # type: ignore[attr-defined]
    begun = NIGHT - timedelta(days=60)
    i = _numbers(answers // ANSWERS_A_ROUND + 1)
    round_ = StandupRound(workspace_id=TEAM, standup_id=1, day=TODAY, is_open=False, opens_at=begun, closes_at=begun)
    await _add(connection, i, round_, id=i.c.i, day=_days(connection, -1 - i.c.i))
    i = _numbers(answers)
    entry = StandupEntry(
        workspace_id=TEAM,
        round_id=1,
        person_id="",
        zone="Europe/Paris",
        state=EntryState.ANSWERED,
        opens_at=begun,
        closes_at=begun,
    )
    names = {"person_id": _named("U", i.c.i % ANSWERS_A_ROUND + 1)}
    await _add(connection, i, entry, round_id=i.c.i // ANSWERS_A_ROUND + 1, **names)


def _days(connection: AsyncConnection, ahead: ColumnElement[Any]) -> ColumnElement[Any]:
    """So many days from today on."""
    if connection.dialect.name == "sqlite":
        return func.date(TODAY.isoformat(), cast(ahead, String).concat(" days"))
    return literal(TODAY) + cast(ahead, Integer)


def _numbers(last: int) -> CTE:
    """1 to `last`."""
    first = select(literal(1).label("i")).cte("n", recursive=True)
    return first.union_all(select(first.c.i + 1).where(first.c.i < last))


def _named(prefix: str, number: ColumnElement[Any]) -> ColumnElement[Any]:
    return literal(prefix).concat(cast(number, String))


async def _add(connection: AsyncConnection, numbers: CTE, row: SQLModel, **own: ColumnElement[Any]) -> None:
    """A row like this for each number, but for the columns that are told."""
    table: Any = type(row).__table__  # type: ignore[attr-defined]
    given: Mapping[str, Any] = row.model_dump()
    # What is nothing is left out; only JSON has a nothing of its own.
    columns = [
        column
        for column in table.columns
        if column.name in own or given.get(column.name) is not None or isinstance(column.type, JSON)
    ]
    values = [own.get(column.name, literal(given.get(column.name), column.type)) for column in columns]
    chosen = select(*values).select_from(numbers)
    await connection.execute(insert(table).from_select([column.name for column in columns], chosen))
