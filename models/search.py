"""The index by which records are found by their words, and the one place that knows how each database keeps it.

A record's row holds the words of all its texts (`Record.words`, see `index`), a comment's row its own, and the database
an index over them that follows every insert, update and delete by itself: a full-text table with triggers in SQLite, a
GIN index in PostgreSQL. Both index these very words and cut, fold or drop nothing themselves, so that both give the
same answers. A record is found by what it says and by its comments, but not by those that were taken back.

Another text of a record's own is found as soon as `passages` names it.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from operator import floordiv
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    DDL,
    BindParameter,
    ColumnElement,
    Connection,
    Integer,
    String,
    and_,
    any_,
    bindparam,
    case,
    cast,
    column,
    event,
    exists,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
    table,
    true,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models import tags
from models.inserting import new
from models.kinds import KINDS, Item, Kind
from models.own_fields import kind_in
from models.tables import Comment, Record, table_of
from models.words import joined_words_of, ways_to_find, words_of

# Parts the texts of one record, so that no phrase runs from one into the next. No word can be it, or hold it.
_MARK: Final = "‖"
_BETWEEN: Final = f" {_MARK} "

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
    """Note the words of all its texts on the record, for the database to index when it is stored.

    Those of its title are among them once more, as its kind's.
    """
    found_in = list(passages(item))
    texts = [" ".join(words_of(passage.text)) for passage in found_in]
    joined = [_further_words_of(passage.text) for passage in found_in]
    title = _BETWEEN.join(filter(None, [item.reference.lower(), texts[0]]))
    of_title = " ".join(in_title(item.kind, word) for word in (*texts[0].split(), *joined[0]))
    words = _BETWEEN.join(filter(None, [title, of_title, *texts[1:], *(word for each in joined for word in each)]))
    item.record.title_words = title
    item.record.words = words if len(words) <= MOST_INDEXED else words[:MOST_INDEXED].rpartition(" ")[0]


def in_title(kind: Kind, word: str) -> str:
    """The word as the index has it of titles of that kind alone.

    Asked for, it gives a small part of the records that the plain word does, and takes as small a part of the time.
    """
    return f"{kind.letter.lower()}{_MARK}{word}"


def words_of_comment(said: str) -> str:
    """What the database is to index of a comment; a mark that is no word where it holds none."""
    words = [" ".join(words_of(said)), *_further_words_of(said)]
    return _BETWEEN.join(filter(None, words)) or _BETWEEN.strip()


def _further_words_of(text: str) -> list[str]:
    """What a text is found by beside its words as they stand there."""
    joined = joined_words_of(text)
    return [*joined, *_parts_before_other_letters([*words_of(text), *joined])]


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


def newest_with(session: AsyncSession, ways: Sequence[Any], wanted: Sequence[Sought]) -> list[Any]:
    """The records that have all that is wanted, each thing in their texts or a comment, the newest first.

    Each of the `ways` selects some that count, by their ids. There are two questions for it: for those that have it in
    their own texts, and for those that have some of it in nothing but a comment.
    """
    engine = _engine(session)
    question = engine.all_of([_question(engine, each) for each in wanted])
    side_by_side = [_side_by_side(Record, each) for each in wanted]
    said = _said(session, wanted)
    of_any = select(said.c.record_id)
    in_own = [_reads(col(Record.words), each) for each in wanted]
    anywhere = [
        or_(is_in_own, col(Record.id).in_(of_any.where(said.c.number == number)))
        for number, is_in_own in enumerate(in_own)
    ]
    return [
        query
        for ids in ways
        for query in (
            engine.newest(ids, question, wanted).where(*side_by_side),
            ids.where(engine.is_one_of(of_any), *anywhere, not_(and_(*in_own))).order_by(col(Record.id).desc()),
        )
    ]


def _said(session: AsyncSession, wanted: Sequence[Sought]) -> Any:
    """What of the wanted, by its number, is said in a comment of which record; looked up once for all that ask."""
    return union_all(
        *(
            select(literal(number).label("number"), col(Comment.record_id)).where(said_with_any(session, [each]))
            for number, each in enumerate(wanted)
        )
    ).cte()


def said_with_any(session: AsyncSession, wanted: Sequence[Sought]) -> ColumnElement[bool]:
    """The comments that have something of what is wanted and stand, as a condition on `Comment`."""
    engine = _engine(session)
    has = (
        and_(engine.matches("comment", Comment, _question(engine, each)), _side_by_side(Comment, each))
        for each in wanted
    )
    return and_(or_(*has), col(Comment.taken_back_at).is_(None))


def _question(engine: "_Engine", sought: Sought) -> str:
    return engine.any_of([engine.words(way) for way in sought.ways])


def _side_by_side(rows: Any, sought: Sought) -> ColumnElement[bool]:
    """Where words are sought side by side, whether they stand so; the index knows which words a row has, not where."""
    return true() if all(len(way) == 1 for way in sought.ways) else _reads(rows.words, sought)


def _reads(words: Any, sought: Sought) -> ColumnElement[bool]:
    """Whether what is sought stands among the words in one of its ways, without the index."""
    return or_(*(_stands_in(words, way) for way in sought.ways))


BEGINNING: Final = 3


def most_of(session: AsyncSession, kind: Kind, words: Sequence[str], numbers: Sequence[str]) -> str:
    """What to ask the index for records of the kind that have all of the words but one in their titles.

    Of one or two words all, and all of the numbers always; see `answering`. Some that lack two of the words are among
    them: to leave those out would take each word twice as often.

    A word that is left out may be misspelt or have another ending. Where none can be, the beginnings of the words are
    enough; they are looked for in such questions only, since each stands for many words.
    """
    engine = _engine(session)
    whole = [engine.word(in_title(kind, each)) for each in numbers]
    if len(words) + len(numbers) < 3:
        return engine.all_of([*whole, *(engine.words([in_title(kind, word[:BEGINNING])]) for word in words)])
    return engine.all_of([*whole, *_all_but_one(engine, [engine.word(in_title(kind, word)) for word in words])])


def _all_but_one(engine: "_Engine", asked: Sequence[str]) -> list[str]:
    """What all holds where all of few words are there but one; of more than three, of each half all but one."""
    if len(asked) < 2:
        return []
    if len(asked) == 2:
        return [engine.any_of(asked)]
    if len(asked) == 3:
        one, *others = asked
        return [engine.any_of([engine.all_of(others), engine.all_of([one, engine.any_of(others)])])]
    half = len(asked) // 2
    return [*_all_but_one(engine, asked[:half]), *_all_but_one(engine, asked[half:])]


def answering(dialect: str, question: BindParameter[str]) -> ColumnElement[bool]:
    """The records that the index gives for the question, as a condition on `Record`."""
    return _ENGINES[dialect].matches("record", Record, question)


def relevance(title: Any, wanted: Sequence[Sought]) -> ColumnElement[int]:
    """How well a record fits: a whole word of the title counts most, then the beginning of one, then any other text.

    `title` is its `title_words`.
    """
    # Most titles hold no such beginning, and are asked for no more than that.
    points = [
        case((not_(_stands_in(title, way)), 0), (_stands_in(title, way, whole=True), 2), else_=1)
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

    word: Callable[[str], str]
    beginning: Callable[[str], str]
    both: str
    either: str
    matches: Callable[[str, Any, str | BindParameter[str]], ColumnElement[bool]]
    # The question of ids, of those that match and so have what is wanted, the newest first.
    newest: Callable[[Any, str, Sequence[Sought]], Any]
    # Records whose ids that query gives, few among many.
    is_one_of: Callable[[Any], ColumnElement[bool]]

    def words(self, way: Sequence[str]) -> str:
        return self.all_of([*map(self.word, way[:-1]), self.beginning(way[-1])])

    def all_of(self, parts: Sequence[str]) -> str:
        return f"({self.both.join(parts)})"

    def any_of(self, parts: Sequence[str]) -> str:
        return f"({self.either.join(parts)})"


def _matches_in_sqlite(table_name: str, rows: Any, question: str | BindParameter[str]) -> ColumnElement[bool]:
    index = f"{table_name}_words"
    found = table(index, column("rowid"))
    condition: ColumnElement[bool] = rows.id.in_(select(found.c.rowid).where(_answers_in_sqlite(index, question)))
    return condition


def _answers_in_sqlite(index: str, question: str | BindParameter[str]) -> ColumnElement[bool]:
    return literal_column(index).op("MATCH", is_comparison=True)(func.in_whole_words(index, question))


def _newest_in_sqlite(ids: Any, question: str, _wanted: Sequence[Sought]) -> Any:
    # Joined, and in its own order, the full-text table is read no further than to where there are enough.
    found = table("record_words", column("rowid"))
    matching = _answers_in_sqlite("record_words", question)
    return ids.join(found, found.c.rowid == col(Record.id)).where(matching).order_by(found.c.rowid.desc())


def _matches_in_postgresql(_table_name: str, rows: Any, question: str | BindParameter[str]) -> ColumnElement[bool]:
    if isinstance(question, str):
        # In the statement's text, since how many rows a question has decides how they are best found.
        return _has_in_postgresql(rows, bindparam(None, question, String, literal_execute=True))
    # Twice, since PostgreSQL expects a thousandth of the rows of a condition that it does not know. That is more than
    # most questions have, so that it would plan anew for each, which takes longer than to answer it.
    return and_(*[_has_in_postgresql(rows, question)] * 2)


def _has_in_postgresql(rows: Any, question: BindParameter[str]) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = _Vector(rows.words).op("@@")(cast(question, TSQUERY))
    return condition


def _newest_in_postgresql(ids: Any, question: str, wanted: Sequence[Sought]) -> Any:
    # Where it reads all from the newest on, what holds no such letters is out in a tenth of the time. Asked for in this
    # form, its planner takes that for no limit, and goes by how often the words stand in the index, which it knows.
    letters = (or_(*(func.strpos(col(Record.words), way[-1]) != 0 for way in each.ways)) for each in wanted)
    return ids.where(_matches_in_postgresql("record", Record, question), *letters).order_by(col(Record.id).desc())


def _is_in(ids: Any) -> ColumnElement[bool]:
    return col(Record.id).in_(ids)


def _is_looked_up(ids: Any) -> ColumnElement[bool]:
    # Not `IN`, for which PostgreSQL would rather read through all records.
    return col(Record.id) == any_(func.array(ids.scalar_subquery(), type_=ARRAY(Integer)))


# PostgreSQL takes from its index in an instant what has several whole words, and gathers all that have a beginning. So
# the last letter of a word is large there: `switch` is `switcH`, and no longer among the words that begin with it.
# Words are cut at spaces and nowhere else. It is the same text for the index and for each question, or the index is not
# used; the collation makes it know the letters a to z and the digits, whatever the database's own.
_VECTOR: Final = (
    """array_to_tsvector(array_remove(string_to_array(reverse(initcap(reverse({}) COLLATE "C")), ' '), ''))"""
)
_LAST_LETTER: Final = re.compile("[a-z](?![a-z0-9])")


def _word_in_postgresql(word: str) -> str:
    return f"'{_with_large_letters(word)}'"


def _beginning_in_postgresql(word: str) -> str:
    longer = _with_large_letters(f"{word}0").removesuffix("0")
    return f"({_word_in_postgresql(word)} | '{longer}':*)"


def _with_large_letters(word: str) -> str:
    return _LAST_LETTER.sub(lambda letter: letter[0].upper(), word)


def _parts_before_other_letters(words: Sequence[str]) -> list[str]:
    """Of `kΩ` the `k`, for it to be found by that: `KΩ` is not among what begins with a small one."""
    if all(map(str.isascii, words)):
        return []
    return [word[: letter.end()] for word in words for letter in _LAST_LETTER.finditer(word) if word[letter.end() :]]


class _Vector(FunctionElement[Any]):
    """The words of a column as PostgreSQL indexes them."""

    inherit_cache = True


@compiles(_Vector)
def _vector(element: _Vector, compiler: SQLCompiler, **options: Any) -> str:
    return _VECTOR.format(compiler.process(element.clauses, **options))


_ENGINES: Final[Mapping[str, _Engine]] = {
    "sqlite": _Engine('"{}"'.format, '"{}"*'.format, " AND ", " OR ", _matches_in_sqlite, _newest_in_sqlite, _is_in),
    "postgresql": _Engine(
        _word_in_postgresql,
        _beginning_in_postgresql,
        " & ",
        " | ",
        _matches_in_postgresql,
        _newest_in_postgresql,
        _is_looked_up,
    ),
}


def _engine(session: AsyncSession) -> _Engine:
    return _ENGINES[session.get_bind().dialect.name]


_TABLE: Final[Any] = table_of(Record)
_COMMENTS: Final[Any] = table_of(Comment)

# What each database is given to keep the index of a table. In SQLite the words stay where they are and the full-text
# table only points at them: its tokenizer takes what stands between spaces for a word, and `detail` leaves out where.
# PostgreSQL would put off the indexing of what is new, and look through all of that for every question meanwhile.
_SCHEMA: Final[Mapping[str, Sequence[str]]] = {
    "postgresql": (
        f"CREATE INDEX ix_{{0}}_words ON {{0}} USING gin ({_VECTOR.format('words')}) WITH (fastupdate = off)",
    ),
    "sqlite": (
        "CREATE VIRTUAL TABLE {0}_words USING fts5("
        "words, content='{0}', content_rowid='id', tokenize='ascii', detail='none', columnsize=0)",
        "CREATE TRIGGER {0}_words_added AFTER INSERT ON {0} BEGIN "
        "INSERT INTO {0}_words (rowid, words) VALUES (new.id, new.words); END",
        "CREATE TRIGGER {0}_words_removed AFTER DELETE ON {0} BEGIN "
        "INSERT INTO {0}_words ({0}_words, rowid, words) VALUES ('delete', old.id, old.words); END",
        "CREATE TRIGGER {0}_words_changed AFTER UPDATE OF words ON {0} WHEN old.words <> new.words BEGIN "
        "INSERT INTO {0}_words ({0}_words, rowid, words) VALUES ('delete', old.id, old.words); "
        "INSERT INTO {0}_words (rowid, words) VALUES (new.id, new.words); END",
    ),
}
for _indexed in (_TABLE, _COMMENTS):
    for _dialect, _statements in _SCHEMA.items():
        for _statement in _statements:
            made: Any = DDL(_statement.format(_indexed.name))  # type: ignore[no-untyped-call]
            event.listen(_indexed, "after_create", made.execute_if(dialect=_dialect))


# How many rows a usual workspace has, and how many values a column, where it is not 50: most is in one large project.
_ROWS: Final = 100_000
_VALUES: Final = {"workspace_id": 1, "project_id": 2, "is_open": 2, "kind": 4, "status": 4, "kind_rank": 4}
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
    for table_name in (_TABLE.name, _COMMENTS.name):
        run(f"ANALYZE {table_name}")  # for the table of statistics to exist
        run("DELETE FROM sqlite_stat1 WHERE tbl = ?", (table_name,))
        for name in run("SELECT name FROM pragma_index_list(?)", (table_name,)).scalars().all():
            columns = run("SELECT name FROM pragma_index_info(?)", (name,)).scalars().all()
            if columns[0] == "workspace_id":
                # All rows, then how many share the first column, the first two ...
                shares = accumulate((_VALUES.get(each, 50) for each in columns), floordiv, initial=_ROWS)
                told = (table_name, name, " ".join(str(max(1, share)) for share in shares))
                run("INSERT INTO sqlite_stat1 VALUES (?, ?, ?)", told)


def _index_the_rest(connection: Connection) -> None:
    """Index what has no words yet, whoever's it is: records and comments from before they were indexed."""
    for indexed, found_by in ((_COMMENTS, _words_of_comments), (_TABLE, _words_of_records)):
        if connection.scalar(select(exists().where(indexed.c.words == ""))):
            with _index_made_anew(connection, indexed.name):
                for rows in found_by(connection):
                    _note(connection, indexed, rows)


@contextmanager
def _index_made_anew(connection: Connection, table_name: str) -> Iterator[None]:
    """Meanwhile SQLite's index follows no change of words, and then is made anew: 30 times as quick for many rows."""
    if connection.dialect.name != "sqlite":
        yield
        return
    run, trigger = connection.exec_driver_sql, f"{table_name}_words_changed"
    follows = run("SELECT sql FROM sqlite_master WHERE name = ?", (trigger,)).scalar_one()
    run(f"DROP TRIGGER {trigger}")
    yield
    run(follows)
    run(f"INSERT INTO {table_name}_words ({table_name}_words) VALUES ('rebuild')")


def _words_of_comments(connection: Connection) -> Iterator[Sequence[Mapping[str, Any]]]:
    for rows in _without_words(connection, _COMMENTS, select(_COMMENTS.c.id, _COMMENTS.c.text)):
        yield [{"of": row.id, "words": words_of_comment(row.text)} for row in rows]


def _words_of_records(connection: Connection) -> Iterator[Sequence[Mapping[str, Any]]]:
    # Only the tables of kinds that there are records of: a new kind's is made by a step to come.
    lacking = set(connection.scalars(select(_TABLE.c.kind).where(_TABLE.c.words == "").distinct()))
    for kind in (each for each in KINDS if each.key in lacking):
        own: Any = table_of(kind.model)
        query = select(_TABLE, own).join(own, own.c.record_id == _TABLE.c.id).where(_TABLE.c.kind == kind.key)
        for rows in _without_words(connection, _TABLE, query):
            items = [_item(kind, row, own) for row in rows]
            for item in items:
                index(item)
            found = [(item.record.id, item.record.words, item.record.title_words) for item in items]
            yield [{"of": of, "words": words, "title_words": title} for of, words, title in found]


def _without_words(connection: Connection, of: Any, query: Any) -> Iterator[Sequence[Any]]:
    """What the query gives of that table's rows without words, some at once; none is read through a second time."""
    last: Any = bindparam("last", 0)
    query = query.where(of.c.words == "", of.c.id > last).order_by(of.c.id).limit(AT_ONCE)
    rows = connection.execute(query).all()
    while rows:
        yield rows
        rows = connection.execute(query, {"last": rows[-1]._mapping[of.c.id]}).all()


def _note(connection: Connection, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store what each row says in the one `of` that id."""
    values: dict[str, Any] = {key: bindparam(key) for key in rows[0] if key != "of"}
    connection.execute(update(table).where(table.c.id == bindparam("of")).values(values), rows)


def _item(kind: Kind, row: Any, own: Any) -> Item:
    """The record of a row that holds its table's columns and then its kind's."""
    values = list(row)
    of_record = dict(zip(_TABLE.c.keys(), values, strict=False))
    of_kind = dict(zip(own.c.keys(), values[len(of_record) :], strict=True))
    record = new(Record, **of_record)
    return Item(kind_in(kind, None, record), record, new(kind.model, **of_kind))
