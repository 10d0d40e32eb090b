"""The index by which records are found by their words, and the one place that knows how each database keeps it.

A record's row holds the words of all its texts (`Record.words`, see `index`), and the database an index over them that
follows every insert, update and delete by itself: a full-text table with triggers in SQLite, a GIN index in PostgreSQL.
Both index these very words and cut, fold or drop nothing themselves, so that both give the same answers.

Another text of a record's own is found as soon as `passages` names it. Comments are rows of their own and not indexed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    DDL,
    ColumnElement,
    Connection,
    and_,
    case,
    column,
    event,
    func,
    literal,
    literal_column,
    or_,
    select,
    table,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models import tags
from models.kinds import KINDS, Item, Kind
from models.own_fields import kind_in
from models.tables import Record
from models.words import joined_words_of, ways_to_find, words_of

# Parts the texts of one record, so that no phrase runs from one into the next. No word can be it.
_BETWEEN: Final = " ‖ "

# PostgreSQL indexes at most a megabyte of words a record; a letter takes up to four bytes.
MOST_INDEXED: Final = 250_000


@dataclass(frozen=True)
class Passage:
    """One text of a record, under the label that a reader knows it by."""

    label: str
    text: str


def passages(item: Item) -> Iterator[Passage]:
    """The texts by which the record is found, its title first."""
    for field in item.kind.all_fields:
        if field.is_searched and (text := item.value(field.key)):
            yield Passage(field.label, text)
    if item.record.tags:
        yield Passage("Tags", tags.shown(item.record.tags))


def is_found_by(kind: Kind, keys: set[str]) -> bool:
    """Whether a change of these columns changes what a record of the kind is found by."""
    return any(field.key in keys and (field.is_searched or field.key == "tags") for field in kind.all_fields)


def index(item: Item) -> None:
    """Note the words of all its texts on the record, for the database to index when it is stored."""
    found_in = list(passages(item))
    texts = [" ".join(words_of(passage.text)) for passage in found_in]
    joined = [word for passage in found_in for word in joined_words_of(passage.text)]
    title = _BETWEEN.join(filter(None, [item.reference.lower(), texts[0]]))
    words = _BETWEEN.join(filter(None, [title, *texts[1:], *joined]))
    item.record.title_words = title
    item.record.words = words if len(words) <= MOST_INDEXED else words[:MOST_INDEXED].rpartition(" ")[0]


# Questions ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sought:
    """What somebody looks for, in one of several ways: words that stand side by side, the last one's beginning.

    Where nothing that was typed is a word there are no ways.
    """

    ways: tuple[tuple[str, ...], ...]


def sought_word(text: str) -> Sought:
    """What is looked for where that word was typed."""
    return Sought(tuple(map(tuple, ways_to_find(text))))


def sought_phrase(text: str) -> Sought:
    """What is looked for where those words were typed in quotes."""
    words = tuple(words_of(text))
    return Sought((words,) if words else ())


def having(session: AsyncSession, wanted: Sequence[Sought]) -> ColumnElement[bool]:
    """The records that have all that is wanted, as a condition on `Record`."""
    engine = _engine(session)
    question = engine.all_of([engine.any_of([engine.words(way) for way in each.ways]) for each in wanted])
    # The index knows which words a record has, not where they stand.
    side_by_side = [
        or_(*(_stands_in(col(Record.words), way) for way in each.ways))
        for each in wanted
        if any(len(way) > 1 for way in each.ways)
    ]
    return and_(engine.matches(question), *side_by_side)


BEGINNING: Final = 3


def having_most(session: AsyncSession, words: Sequence[str]) -> ColumnElement[bool]:
    """The records that have all of the words but one, or of one or two all, as a condition on `Record`.

    A word that is left out may be misspelt or have another ending. Where none can be, the beginnings of the words are
    enough; they are looked for in such questions only, since each stands for many words.
    """
    engine = _engine(session)
    if len(words) < 3:
        return engine.matches(engine.all_of([engine.words([word[:BEGINNING]]) for word in words]))
    whole = [engine.word.format(word) for word in words]
    but_one = [engine.all_of(whole[:at] + whole[at + 1 :]) for at in range(len(whole))]
    return engine.matches(engine.any_of(but_one))


def relevance(wanted: Sequence[Sought]) -> ColumnElement[int]:
    """How well a record fits: a whole word of the title counts most, then the beginning of one, then any other text."""
    title = col(Record.title_words)
    points = [
        case((_stands_in(title, way, whole=True), 2), (_stands_in(title, way), 1), else_=0)
        for each in wanted
        for way in each.ways
    ]
    return sum(points[1:], start=points[0])


def _stands_in(words: Any, way: Sequence[str], *, whole: bool = False) -> ColumnElement[bool]:
    """Whether the words stand there side by side, the last one whole or at least its beginning."""
    condition: ColumnElement[bool] = (literal(" ") + words + " ").contains(f" {' '.join(way)}{' ' if whole else ''}")
    return condition


# The two databases ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Engine:
    """How a database is asked. Words need no escaping: they hold letters, digits and emoji only."""

    word: str
    beginning: str
    both: str
    either: str
    matches: Callable[[str], ColumnElement[bool]]

    def words(self, way: Sequence[str]) -> str:
        return self.all_of([*(self.word.format(each) for each in way[:-1]), self.beginning.format(way[-1])])

    def all_of(self, parts: Sequence[str]) -> str:
        return f"({self.both.join(parts)})"

    def any_of(self, parts: Sequence[str]) -> str:
        return f"({self.either.join(parts)})"


def _matches_in_sqlite(question: str) -> ColumnElement[bool]:
    found = table("record_words", column("rowid"))
    return col(Record.id).in_(
        select(found.c.rowid).where(literal_column("record_words").op("MATCH", is_comparison=True)(question))
    )


def _matches_in_postgresql(question: str) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = _vector(col(Record.words)).op("@@")(literal(question).cast(TSQUERY))
    return condition


def _vector(words: Any) -> ColumnElement[Any]:
    """The words, cut at spaces and nowhere else.

    Nothing in it is a parameter: PostgreSQL uses the index only for the very expression that it was made for.
    """
    return func.array_to_tsvector(func.array_remove(func.string_to_array(words, text("' '")), text("''")))


_ENGINES: Final[Mapping[str, _Engine]] = {
    "sqlite": _Engine('"{}"', '"{}"*', " AND ", " OR ", _matches_in_sqlite),
    "postgresql": _Engine("'{}'", "'{}':*", " & ", " | ", _matches_in_postgresql),
}


def _engine(session: AsyncSession) -> _Engine:
    return _ENGINES[session.get_bind().dialect.name]


_TABLE: Final[Any] = Record.__table__  # type: ignore[attr-defined]

# What each database is given to keep the index. In SQLite the words stay where they are and the full-text table only
# points at them: its tokenizer takes what stands between spaces for a word, and `detail` leaves out where it stands.
_SCHEMA: Final[Mapping[str, Sequence[str]]] = {
    "postgresql": (
        "CREATE INDEX ix_record_words ON record USING gin "
        "(array_to_tsvector(array_remove(string_to_array(words, ' '), '')))",
    ),
    "sqlite": (
        "CREATE VIRTUAL TABLE record_words USING fts5("
        "words, content='record', content_rowid='id', tokenize='ascii', detail='none', columnsize=0)",
        "CREATE TRIGGER record_words_added AFTER INSERT ON record BEGIN "
        "INSERT INTO record_words (rowid, words) VALUES (new.id, new.words); END",
        "CREATE TRIGGER record_words_removed AFTER DELETE ON record BEGIN "
        "INSERT INTO record_words (record_words, rowid, words) VALUES ('delete', old.id, old.words); END",
        "CREATE TRIGGER record_words_changed AFTER UPDATE OF words ON record WHEN old.words <> new.words BEGIN "
        "INSERT INTO record_words (record_words, rowid, words) VALUES ('delete', old.id, old.words); "
        "INSERT INTO record_words (rowid, words) VALUES (new.id, new.words); END",
    ),
}
for _dialect, _statements in _SCHEMA.items():
    for _statement in _statements:
        made: Any = DDL(_statement)  # type: ignore[no-untyped-call]
        event.listen(_TABLE, "after_create", made.execute_if(dialect=_dialect))


# How many records a usual database has for each value of an index's first column, of its first two ...
_ROWS: Final = (100_000, 2_000, 200, 20, 5)
AT_ONCE: Final = 500


def settle(connection: Connection) -> None:
    """What a schema that has just been made or changed needs before records are found in it."""
    if connection.dialect.name == "sqlite":
        _tell_how_many(connection)
    _index_the_rest(connection)


def _tell_how_many(connection: Connection) -> None:
    """Tell SQLite what a usual database holds, in the words of ANALYZE.

    Untold, it takes ten records for a workspace's share, and would walk through all of them rather than look up those
    that the index gives. Told the same numbers always, it plans the same on the first day and with 100,000 records.
    """
    run = connection.exec_driver_sql
    run("ANALYZE record")  # for the table of statistics to exist
    run("DELETE FROM sqlite_stat1 WHERE tbl = 'record'")
    for name in run("SELECT name FROM pragma_index_list('record')").scalars().all():
        columns = run("SELECT name FROM pragma_index_info(?)", (name,)).scalars().all()
        if columns[0] == "workspace_id":
            numbers = (_ROWS[0], *_ROWS[: len(columns)])
            run("INSERT INTO sqlite_stat1 VALUES ('record', ?, ?)", (name, " ".join(map(str, numbers))))


def _index_the_rest(connection: Connection) -> None:
    """Index the records that have no words yet, whoever's they are: those of a database from before there was one."""
    # Only the tables of kinds that there are records of: a new kind's is made by a step to come.
    lacking = set(connection.scalars(select(_TABLE.c.kind).where(_TABLE.c.words == "").distinct()))
    for kind in (each for each in KINDS if each.key in lacking):
        own: Any = kind.model.__table__  # type: ignore[attr-defined]
        unknown = and_(_TABLE.c.kind == kind.key, _TABLE.c.words == "")
        query = select(_TABLE, own).join(own, own.c.record_id == _TABLE.c.id).where(unknown).limit(AT_ONCE)
        while rows := connection.execute(query).all():
            for row in rows:
                item = _item(kind, row, own)
                index(item)
                words = {"words": item.record.words, "title_words": item.record.title_words}
                connection.execute(update(_TABLE).where(_TABLE.c.id == item.record.id).values(words))


def _item(kind: Kind, row: Any, own: Any) -> Item:
    """The record of a row that holds its table's columns and then its kind's."""
    values = list(row)
    of_record = dict(zip(_TABLE.c.keys(), values, strict=False))
    of_kind = dict(zip(own.c.keys(), values[len(of_record) :], strict=True))
    record = Record(**of_record)
    return Item(kind_in(kind, None, record), record, kind.model(**of_kind))
