"""A database as a large installation has it: one project with very many records."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from benchmarks.slack import BOT, CHANNEL, PERSON, TEAM
from models.database import Database
from models.kinds import KINDS, Item, Kind
from models.ranks import place, rank
from models.search import index
from models.tables import Channel, ChannelMember, Counter, Person, Project, Record, Workspace

AT_ONCE = 1_000
TEXTS = 300

_random = random.Random(7)


def _word() -> str:
    return "".join(_random.choice("bcdfglmnprstvz") + _random.choice("aeiou") for _ in range(_random.randint(2, 4)))


# Few words are used often and most seldom, as in any language.
_WORDS = [_word() for _ in range(4_000)]
_WEIGHTS = [1 / (rank + 10) for rank in range(len(_WORDS))]


def words(number: int) -> str:
    """So many words, as a person might write them."""
    return " ".join(_random.choices(_WORDS, _WEIGHTS, k=number)).capitalize()


async def fill(database: Database, records: int) -> None:
    """A workspace, a person, a channel with a project, and so many records, two thirds of them open."""
    writing = database.engine.execution_options(steward_writes=True)
    now = datetime.now(UTC)
    async with writing.begin() as connection:
        known: list[Any] = [
            Workspace(id=TEAM, name="Bench", bot_user_id=BOT),
            Person(workspace_id=TEAM, id=PERSON, name="ana", real_name="Ana Torres", timezone="Europe/Berlin"),
            Project(
                id=1,
                workspace_id=TEAM,
                name="bench",
                timezone="Europe/Berlin",
                created_by=PERSON,
                coordinator_id=PERSON,
                home_channel_id=CHANNEL,
                created_at=now,
            ),
            Channel(
                workspace_id=TEAM,
                id=CHANNEL,
                name="bench",
                is_private=False,
                has_bot=True,
                members_known_at=now,
                project_id=1,
                greeted_at=now,
            ),
            ChannelMember(workspace_id=TEAM, channel_id=CHANNEL, person_id=PERSON),
            *(Counter(workspace_id=TEAM, kind=kind.key, last=records) for kind in KINDS),
        ]
        for row in known:
            await connection.execute(insert(type(row).__table__).values(**row.model_dump()))
        rows = _rows(records, now)
        while some := list(islice(rows, AT_ONCE)):
            await _store(connection, some)
        if not database.is_sqlite:
            await connection.execute(text("SELECT setval('record_id_seq', :last)"), {"last": records + 1})
            await connection.execute(text("SELECT setval('project_id_seq', 1)"))
            await connection.execute(text("ANALYZE"))


Row = dict[str, Any]


def _rows(records: int, now: datetime) -> Iterator[tuple[Kind, Row, Row]]:
    """Each record's row and its kind's own. Their texts come again, for making them takes longest."""
    first_day = date.today()  # noqa: DTZ011 - any day will do
    texts = min(TEXTS, records // len(KINDS) + 1)
    written = {kind.key: [_written(kind, now) for _ in range(texts)] for kind in KINDS}
    for number in range(1, records + 1):
        kind = KINDS[number % len(KINDS)]
        record, own = written[kind.key][number // len(KINDS) % texts]
        is_open = number % 3 != 0
        reference = f"{kind.letter}{number}".lower()
        due = first_day + timedelta(days=number % 365) if number % 2 else None
        yield (
            kind,
            record
            | {
                "id": number,
                "number": number,
                "owner_id": PERSON if number % 4 else None,
                "status": kind.first_status if is_open else sorted(kind.closed)[0],
                "is_open": is_open,
                "closed_at": None if is_open else now - timedelta(seconds=number),
                "due_date": due,
                "place": place(due, None, record["priority"]),
                "updated_at": now - timedelta(seconds=number),
                "words": reference + record["words"].removeprefix(f"{kind.letter}0".lower()),
                "title_words": reference + record["title_words"].removeprefix(f"{kind.letter}0".lower()),
            },
            own | {"record_id": number},
        )


def _written(kind: Kind, now: datetime) -> tuple[Row, Row]:
    """The rows of a record of the kind, with number 0."""
    record = Record(
        workspace_id=TEAM,
        project_id=1,
        channel_id=CHANNEL,
        kind=kind.key,
        number=0,
        title=words(5),
        details=words(20),
        status=kind.first_status,
        raised_by=PERSON,
        created_at=now,
        updated_at=now,
    )
    item = Item(kind, record, kind.model(workspace_id=TEAM, record_id=0))
    index(item)
    rank(item)
    return record.model_dump(), item.own.model_dump()


async def _store(connection: AsyncConnection, rows: Sequence[tuple[Kind, Row, Row]]) -> None:
    table: Any = Record.__table__  # type: ignore[attr-defined]
    await connection.execute(insert(table), [record for _, record, _ in rows])
    for kind in KINDS:
        own: Any = kind.model.__table__  # type: ignore[attr-defined]
        if of_kind := [row for each, _, row in rows if each is kind]:
            await connection.execute(insert(own), of_kind)


async def stored(database: Database) -> int:
    """How many records there are."""
    table: Any = Record.__table__  # type: ignore[attr-defined]
    async with database.engine.connect() as connection:
        return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())
