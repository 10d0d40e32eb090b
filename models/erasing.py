"""Erasing a person: what is theirs goes, and what the project needs stays without them.

What they had in hand is taken from them first (`models/letting_go.py`), by changes like any other. What becomes of each
table after that is said below, and nowhere else. A table that is not named is searched: every text and every
JSON value of it, each column of a person's id too, has a stand-in where the person was. So a new table needs no line.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Self

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Enum,
    RowMapping,
    String,
    Table,
    bindparam,
    delete,
    tuple_,
    update,
)
from sqlalchemy.orm.attributes import flag_modified
from sqlmodel import AutoString, SQLModel, col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import erased, letting_go, operations, search
from models.items import with_own_rows
from models.kinds import KINDS
from models.permissions import Actor, Standing
from models.tables import (
    Absence,
    ChannelMember,
    Delivery,
    History,
    Mute,
    Person,
    Project,
    Record,
    RecordHelper,
    RecordTag,
    Standup,
    StandupEntry,
    Watcher,
    Workspace,
    scope_of,
    table_of,
)
from models.traces import Traces

CONVERSATION: Final = "D"  # how Slack's ids of direct messages begin

# A person's own: the rows go. Their settings are in their row of `person`, their digests among the deliveries to them.
THEIRS: Final[Sequence[Any]] = (
    Person.id,
    ChannelMember.person_id,
    Absence.person_id,
    StandupEntry.person_id,
    Delivery.target,
    Watcher.person_id,
    Mute.person_id,
)
# Parts that nobody plays any more: emptied.
VACANT: Final[Sequence[Any]] = (Absence.deputy_id, Standup.missing_to)
# Slack's own words about everybody else, which are told anew whatever is written here; and hashes.
UNTOUCHED: Final = frozenset({"workspace", "person", "channel", "erased"})
SEALED: Final = frozenset({"sealed_tokens"})
# What follows from a record's own row, and is written anew from that.
DERIVED: Final[Mapping[str, Any]] = {"tags": RecordTag, "helpers": RecordHelper}

ROWS_AT_ONCE: Final = 1_000


@dataclass
class Erasure:
    """What was found and done: `deleted` rows by table, and the keys of changed ones. `traces` were looked for."""

    traces: Traces
    deleted: Counter[str] = field(default_factory=Counter)
    changed_keys: dict[str, set[tuple[Any, ...]]] = field(default_factory=dict)

    @property
    def changed(self) -> Counter[str]:
        """How many rows of each table were changed, of those that were there."""
        return Counter({name: len(keys) for name, keys in self.changed_keys.items()})

    @property
    def names(self) -> list[str]:
        """What they were called."""
        return sorted(self.traces.names)

    def __bool__(self) -> bool:
        return bool(self.deleted.total() or self.changed.total())

    def add(self, more: Self) -> None:
        """Count what another look found too."""
        self.deleted += more.deleted
        for table, keys in more.changed_keys.items():
            self.note(table, keys)

    def note(self, table: str, keys: Iterable[tuple[Any, ...]]) -> None:
        """Count these rows as changed, each once."""
        self.changed_keys.setdefault(table, set()).update(keys)


async def erase(
    session: AsyncSession,
    person_id: str,
    *,
    also: Collection[str] = (),
    spared: Collection[str] = (),
    after: Erasure | None = None,
    now: datetime,
) -> Erasure:
    """Take every trace of the person out of the unit's workspace. Done again, it finds nothing.

    Over PostgreSQL others may have been writing of them meanwhile: a look `after` an erasure, for the same traces,
    finds that once it is stored.

    `also` are names beside those that Slack has told of, an e-mail address perhaps; of `spared` ones, which are
    ordinary words too, only those with an @ before them go. Who answers for records that have no owner now is told, and
    what stands in Slack and is kept up to date there is owed anew.
    """
    traces = after.traces if after else await _traces(session, person_id, also, spared)
    found = Erasure(traces)
    workspace = (await session.exec(select(Workspace))).one()
    before = (await session.exec(select(func.max(History.id)))).one() or 0
    itself, whose = Actor(workspace.bot_user_id, Standing.MEMBER), (workspace.id, workspace.installation_id)
    left = await letting_go.let_go(session, itself, person_id, now)
    found.note("record", ((each,) for records in left.records.values() for each in records))
    await letting_go.owe_stand_ups(session, person_id, now)
    await session.flush()
    await _delete(session, person_id, found)
    await letting_go.tell(session, left, now)
    await session.flush()
    session.expunge_all()
    touched = await session.run_sync(lambda sync: _search(sync.connection(), whose, traces, found))
    # Letting go has written history of its own, which nobody counts as theirs.
    found.changed_keys["history"] = {key for key in found.changed_keys.get("history", ()) if key[0] <= before}
    await _write_anew(session, touched)
    await operations.owe_standing_cards(session, touched.cards, now=now, because=erased.new_stand_in())
    await erased.remember(session, person_id)
    return found


async def _traces(session: AsyncSession, person_id: str, also: Collection[str], spared: Collection[str]) -> Traces:
    known = {person.id: person for person in await session.exec(select(Person))}
    theirs = known.pop(person_id, None)
    names = {*also, *((theirs.name, theirs.real_name) if theirs else ())} - {person_id}
    others = {name for other in known.values() for name in (other.name, other.real_name)}
    written_in = select(Delivery.slack_channel).where(
        col(Delivery.target) == person_id, col(Delivery.slack_channel).startswith(CONVERSATION)
    )
    conversations = set((await session.exec(written_in.distinct())).all())
    ids = frozenset({person_id, *filter(None, conversations)})
    return Traces(ids, frozenset(filter(None, names)), erased.new_stand_in(), frozenset(spared), frozenset(others))


async def _delete(session: AsyncSession, person_id: str, found: Erasure) -> None:
    """Delete what is theirs."""
    for column in THEIRS:
        gone = await session.exec(delete(column.class_).where(column == person_id))
        found.deleted[column.class_.__tablename__] += gone.rowcount
    session.sync_session.info.get("people", {}).pop(person_id, None)


@dataclass
class _Touched:
    """The records of which something changed: what cards show, what they are found by, what they are found by alone."""

    cards: set[int] = field(default_factory=set)
    texts: set[int] = field(default_factory=set)
    derived: dict[str, set[int]] = field(default_factory=lambda: {key: set() for key in DERIVED})


def _search(connection: Connection, whose: Sequence[str | None], traces: Traces, found: Erasure) -> _Touched:
    """Go through every row of the workspace, and its installation's, in every table but those named above."""
    touched = _Touched()
    for table in SQLModel.metadata.sorted_tables:
        scope = scope_of(table)
        if scope is None or table.name in UNTOUCHED:
            continue
        columns = [each for each in table.c if is_searched(each) and each is not scope]
        for rows in _batches(connection, table, scope.in_(whose)):
            theirs = [_key(table, row) for row in rows if _cleaned(traces, table, columns, row)]
            now = _held(connection, table, theirs)
            changes = [(row, change) for row in now if (change := _cleaned(traces, table, columns, row))]
            found.note(table.name, (_key(table, row) for row, _ in changes))
            _note(touched, table, [row for row, _ in changes])
            if table in _DERIVED:
                _remove(connection, table, [row for row, _ in changes])
            else:
                _write(connection, table, changes)
    return touched


_DERIVED: Final = {table_of(model): key for key, model in DERIVED.items()}
_VACANT: Final = {column.property.columns[0] for column in VACANT}
_OWN_TABLES: Final = {"record", *(kind.model.__tablename__ for kind in KINDS)}
_VERSIONS: Final = {mapper.local_table: mapper.version_id_col for mapper in SQLModel._sa_registry.mappers}


def is_searched(column: Column[Any]) -> bool:
    """Whether the column's values are texts, or may hold some."""
    is_text = isinstance(column.type, AutoString | String | JSON) and not isinstance(column.type, Enum)
    return is_text and column.name not in SEALED


def _batches(connection: Connection, table: Table, is_theirs: Any) -> Iterator[Sequence[RowMapping]]:
    """The rows, so many at a time, in the order of their keys."""
    key = tuple_(*table.primary_key)
    query = table.select().where(is_theirs).order_by(*table.primary_key).limit(ROWS_AT_ONCE)
    rows = connection.execute(query).mappings().all()
    while rows:
        yield rows
        rows = connection.execute(query.where(key > _key(table, rows[-1]))).mappings().all()


def _held(connection: Connection, table: Table, keys: Sequence[tuple[Any, ...]]) -> Sequence[RowMapping]:
    """The rows of those keys as they are by now, which nobody else changes until the end of the transaction."""
    if not keys:
        return []
    key = tuple_(*table.primary_key)
    return connection.execute(table.select().where(key.in_(keys)).with_for_update()).mappings().all()


def _key(table: Table, row: RowMapping) -> tuple[Any, ...]:
    return tuple(row[column.name] for column in table.primary_key)


def _cleaned(traces: Traces, table: Table, columns: Sequence[Column[Any]], row: RowMapping) -> dict[str, Any]:
    """What changes in the row."""
    is_of_tags = table.name == "history" and row["field"] == "tags"
    tags = {"before", "after"} if is_of_tags else {"tags"} if table.name == "record" else set()

    def cleaned(column: Column[Any]) -> Any:
        value = row[column.name]
        if column in _VACANT and value in traces.ids:
            return None
        return traces.cleaned_tags(value) if column.name in tags and value else traces.cleaned(value)

    changes = {column.name: new for column in columns if (new := cleaned(column)) != row[column.name]}
    if changes and table.name == "comment":
        changes["words"] = search.words_of_comment(changes.get("text", row["text"]))
    return changes


def _note(touched: _Touched, table: Table, rows: Sequence[RowMapping]) -> None:
    column = "id" if table.name == "record" else "record_id"
    ids = {row[column] for row in rows if column in table.c and row[column] is not None}
    touched.cards |= ids if table.name != "delivery" else set()
    if table.name in _OWN_TABLES:
        touched.texts |= ids
    if table in _DERIVED:
        touched.derived[_DERIVED[table]] |= ids


def _write(connection: Connection, table: Table, changes: Sequence[tuple[RowMapping, Mapping[str, Any]]]) -> None:
    """Store the changes, with those of the same columns in one statement; a version goes up, so that open forms end."""
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row, change in changes:
        key = {f"of_{column.name}": row[column.name] for column in table.primary_key}
        alike.setdefault(tuple(change), []).append(key | {f"new_{name}": value for name, value in change.items()})
    for names, values in alike.items():
        new: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
        if (version := _VERSIONS.get(table)) is not None:
            new[version.name] = version + 1
        connection.execute(update(table).where(*_is_row(table)).values(new), values)


def _remove(connection: Connection, table: Table, rows: Sequence[RowMapping]) -> None:
    keys = [{f"of_{column.name}": row[column.name] for column in table.primary_key} for row in rows]
    if keys:
        connection.execute(delete(table).where(*_is_row(table)), keys)


def _is_row(table: Table) -> list[Any]:
    return [column == bindparam(f"of_{column.name}") for column in table.primary_key]


async def _write_anew(session: AsyncSession, touched: _Touched) -> None:
    """Write what follows from the records' own rows: the words they are found by, their tags and helpers."""
    wanted = sorted(touched.texts.union(*touched.derived.values()))
    for start in range(0, len(wanted), ROWS_AT_ONCE):
        query = (
            select(Record, Project)
            .join(Project, col(Project.id) == col(Record.project_id))
            .where(col(Record.id).in_(wanted[start : start + ROWS_AT_ONCE]))
        )
        for item, _ in await with_own_rows(session, (await session.exec(query)).all()):
            search.index(item)
            flag_modified(item.record, "updated_at")  # its version too goes up where only the kind's own row changed
            for key, ids in touched.derived.items():
                if item.record.id in ids:
                    await operations.index_anew(session, item.record, key)
        await session.flush()
