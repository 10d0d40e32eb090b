"""A table as text, read as records: headers are labels of fields or words people use for them.

Any encoding and delimiter that spreadsheets write. Every cell is either understood, or named with its line and column
as a fault, or belongs to a column that nothing here knows: those go to the details where that was chosen, else nowhere.
"""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

from models.dates import DateOrder, Due, PastDate, parse_due
from models.drafts import Draft, Fault
from models.errors import DateProblem, StewardError
from models.kinds import KINDS, Kind, kind_named
from models.kinds.base import FieldSpec, FieldType
from models.labels import Labelled, Priority
from models.operations import New
from models.own_fields import kind_in
from models.pasting import Known
from models.tables import Person, Project
from models.tags import read_tags

MOST_ROWS: Final = 500
MOST_BYTES: Final = 1_000_000
DELIMITERS: Final = (",", ";", "\t")

KIND: Final = "kind"
STATUS: Final = "status"

# What other lists call the same thing; labels and keys of the fields themselves are known anyway.
SYNONYMS: Final[Mapping[str, tuple[str, ...]]] = {
    KIND: ("kind", "record kind", "record type", "item type", "raid", "raid type"),
    STATUS: ("status", "state", "stage"),
    "title": ("title", "summary", "name", "subject", "item", "headline"),
    "owner_id": ("owner", "assignee", "assigned to", "responsible", "action owner", "risk owner", "who"),
    "due_date": ("due", "due by", "due on", "date due", "deadline", "target date", "by when", "when"),
    "due_time": ("time",),
    "priority": ("prio", "importance"),
    "tags": ("tag", "labels", "keywords"),
    "next_review": ("review", "next review"),
    "details": ("description", "notes", "note", "comment", "comments", "body"),
    "probability": ("likelihood", "chance"),
    "response": ("response strategy", "strategy"),
    "contingency": ("contingency plan",),
    "rationale": ("rationale", "reason", "reasons"),
    "alternatives": ("options",),
    "resolution": ("solution",),
}
# "Type" is the kind where each of its cells names one, else a field of that label.
MAYBE_KIND: Final = ("type", "category")

CHOICE_WORDS: Final[Mapping[type[Labelled], Mapping[str, Labelled]]] = {
    Priority: {"medium": Priority.NORMAL, "urgent": Priority.CRITICAL}
}
STATUS_WORDS: Final = ("new", "to do", "todo", "not started")

FAR_PAST: Final = datetime(1990, 1, 1, tzinfo=UTC)
_YEAR: Final = re.compile(r"\d{4}|\d[./-]\d\d?[./-]\d\d\b")
_MIDNIGHT: Final = re.compile(r"[T ]00:00(?::00(?:\.0+)?)?(?:Z|[+-]\d\d:?\d\d)?$")
_SLACK_ID: Final = re.compile(r"[UW][A-Z0-9]{6,}")
_POINTS: Final = re.compile(r"([1-5])(?:[.,]0+)?(?:\s*[-–:].*)?")


class NoTable(StewardError):
    """Why the text cannot be read as a table at all."""


@dataclass(frozen=True)
class Row:
    """One record's cells; `line` is the first of its lines in the file."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """What the file says, before anything is understood."""

    header: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Column:
    """A column and the field it fills in each kind, by the kind's key; KIND and STATUS count as fields here."""

    at: int
    name: str
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_known(self) -> bool:
        return bool(self.fields)

    @property
    def means(self) -> str:
        """The label of the field, as a person reads it."""
        key = next(iter(self.fields.values()), "")
        kind = next((kind for kind in KINDS if kind.key in self.fields), KINDS[0])
        return kind.label_of(key)


def decoded(content: bytes) -> str:
    """The text of a file that a spreadsheet wrote. Raises NoTable."""
    is_wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if is_wide else ("utf-8-sig", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text and not content.startswith(b"PK\x03\x04"):
            return text
    raise NoTable("That is no CSV file. In your spreadsheet choose “Save as” or “Download as”, and there CSV.")


def read_table(text: str) -> Table:
    """Header and rows, the delimiter found out; empty lines are left out. Raises NoTable."""
    text = text.lstrip("\ufeff")
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(DELIMITERS, key=lambda mark: len(next(csv.reader([first], delimiter=mark), [])))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines: list[Row] = []
    begins = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                lines.append(Row(begins, tuple(_undefused(cell.strip()) for cell in cells)))
            begins = reader.line_num + 1
    except csv.Error as error:
        raise NoTable(f"Line {begins} cannot be read as a table: {error}. Look at the quotes there.") from None
    if not lines:
        raise NoTable("There is nothing in it. The first line names the columns, each further line is a record.")
    header, *rows = lines
    if not rows:
        raise NoTable("There is only one line in it. The first names the columns, each further one is a record.")
    if len(rows) > MOST_ROWS:
        raise NoTable(
            f"That are {len(rows)} records; at most {MOST_ROWS} at once. Split the file and import the parts."
        )
    return Table(header.cells, tuple(rows))


def _undefused(cell: str) -> str:
    """Without the quote that keeps a spreadsheet from taking the cell for a formula."""
    return cell[1:] if re.match(r"'[=+\-@\t\r]", cell) else cell


def columns_of(table: Table, default: Kind, project: Project | None = None) -> tuple[Column, ...]:
    """What each column means for the kinds there are in the table, in that project. Raises NoTable without a title."""
    kind_at = _kind_column(table)
    present = [_kind_named(_cell(row, kind_at)) or default for row in table.rows]
    kinds = [kind_in(kind, project) for kind in KINDS if kind in present]
    taken: set[tuple[str, str]] = set()
    columns = []
    for at, name in enumerate(table.header):
        if at == kind_at:
            columns.append(Column(at, name, {kind.key: KIND for kind in kinds}))
            continue
        fields = {}
        for kind in kinds:
            key = _field_named(kind, name)
            if key and (kind.key, key) not in taken:
                taken.add((kind.key, key))
                fields[kind.key] = key
        columns.append(Column(at, name, fields))
    if not any("title" in column.fields.values() for column in columns):
        named = ", ".join(filter(None, table.header))
        raise NoTable(f"No column is the title. Call one Title, Summary or Name; the first line names these: {named}.")
    return tuple(columns)


def _kind_column(table: Table) -> int | None:
    names = [_normal(name) for name in table.header]
    sure = next((at for at, name in enumerate(names) if name in SYNONYMS[KIND]), None)
    if sure is not None:
        return sure

    def names_kinds(at: int) -> bool:
        cells = [cell for row in table.rows if (cell := _cell(row, at))]
        return bool(cells) and all(_kind_named(cell) for cell in cells)

    return next((at for at, name in enumerate(names) if name in MAYBE_KIND and names_kinds(at)), None)


def _cell(row: Row, at: int | None) -> str:
    return row.cells[at] if at is not None and at < len(row.cells) else ""


def _kind_named(cell: str) -> Kind | None:
    return kind_named(cell) or next((kind for kind in KINDS if cell.strip().upper() == kind.letter), None)


def _normal(name: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", name.lower()))


def _field_named(kind: Kind, name: str) -> str | None:
    """The field of the kind that a header names, by label, key or another word for it."""
    name = _normal(name).removeprefix(f"{kind.key} ") or name
    for spec in kind.all_fields:
        if name in (_normal(spec.label), _normal(spec.key), _normal(spec.key.removesuffix("_id"))):
            return spec.key
    known = {STATUS, *(spec.key for spec in kind.all_fields)}
    return next((key for key, words in SYNONYMS.items() if key in known and name in words), None)


# Cells -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reader:
    """How cells are read for the person who imports. `people` are by name and by id, in small letters."""

    now: datetime
    zone: ZoneInfo
    order: DateOrder
    locale: str | None
    people: Known
    project: Project | None = None


class _Unread(Exception):
    """A cell that says nothing its field could hold, with the sentence about it."""


@dataclass
class _Reading:
    """What one row has said so far."""

    values: dict[str, Any] = field(default_factory=dict)
    status: Labelled | None = None
    notes: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)  # for the details


def names_of(table: Table, columns: Sequence[Column]) -> set[str]:
    """Every name of a person in the table, in small letters."""
    persons = {
        (kind.key, spec.key)
        for kind in KINDS
        for spec in kind.all_fields
        if spec.type in (FieldType.PERSON, FieldType.PEOPLE)
    }
    wanted = [column.at for column in columns if persons & set(column.fields.items())]
    cells = (_cell(row, at) for row in table.rows for at in wanted)
    return {name.lower() for cell in cells for name in (_one_name(cell), *_names(cell)) if name}


def ids_of(table: Table, columns: Sequence[Column]) -> set[str]:
    """What in the table is a person's id in Slack, as in Steward's own exports."""
    return {name.upper() for name in names_of(table, columns) if _SLACK_ID.fullmatch(name.upper())}


def read_rows(
    table: Table, columns: Sequence[Column], default: Kind, reader: Reader, *, keeps_unknown: bool
) -> list[Draft]:
    """A draft for every row. `keeps_unknown` puts what no field takes into the details, under its column's name."""
    return [_draft(row, columns, default, reader, keeps_unknown) for row in table.rows]


def _draft(row: Row, columns: Sequence[Column], default: Kind, reader: Reader, keeps_unknown: bool) -> Draft:
    kind, reading = default, _Reading()
    named = next((column for column in columns if KIND in column.fields.values()), None)
    if named is not None and (cell := _cell(row, named.at)):
        found = _kind_named(cell)
        kind = found or default
        if found is None:
            kinds = ", ".join(each.singular for each in KINDS)
            reading.faults.append(Fault(named.name, f"“{cell}” is no kind of record. There are: {kinds}."))
    kind = kind_in(kind, reader.project)
    for column in columns:
        cell = _cell(row, column.at)
        if not cell or column is named:
            continue
        key = column.fields.get(kind.key)
        if key is None:
            _put_aside(reading, column, cell, kind, keeps_unknown)
            continue
        try:
            _read_cell(reading, kind, key, cell, reader)
        except _Unread as problem:
            reading.faults.append(Fault(column.name, str(problem)))
    if len(row.cells) > len(columns) and any(row.cells[len(columns) :]):
        sentence = f"The line has {len(row.cells)} cells, the first line names {len(columns)}. Is a quote missing?"
        reading.faults.append(Fault("cells", sentence))
    if reading.lines:
        reading.values["details"] = "\n".join(filter(None, [*reading.lines, reading.values.get("details", "")]))
    new = New(kind, reading.values, reading.status)
    return Draft(row.line, new, tuple(reading.notes), tuple(reading.faults))


def _put_aside(reading: _Reading, column: Column, cell: str, kind: Kind, keeps_unknown: bool) -> None:
    if keeps_unknown:
        reading.lines.append(f"{column.name or 'No name'}: {cell}")
    elif column.is_known:
        reading.notes.append(f"{column.name} means nothing for {kind.plural}, so it is left out.")


def _read_cell(reading: _Reading, kind: Kind, key: str, cell: str, reader: Reader) -> None:
    """Put what the cell says into the row's values. Raises _Unread."""
    if key == STATUS:
        reading.status = _status(kind, cell)
        return
    spec = kind.field(key)
    if _says_nothing(spec, cell, reader):
        return
    if spec.type is FieldType.PERSON:
        _read_person(reading, spec, cell, reader)
    elif spec.type is FieldType.PEOPLE:
        _read_people(reading, spec, cell, reader)
    elif spec.key == "due_date":
        due = _date(cell, reader)
        reading.values |= {"due_date": due.day} | ({"due_time": due.time} if due.time else {})
    else:
        reading.values[key] = _READERS[spec.type](spec, cell, reader)


# What other lists hold where nobody owns a thing, or no day is known.
NOTHING: Final = frozenset({"-", "–", "—", "?", "n/a", "na", "none", "nobody", "not set", "tbc", "tbd", "unassigned"})


def _says_nothing(spec: FieldSpec, cell: str, reader: Reader) -> bool:
    """Whether the cell counts as empty: never a text, and nothing that somebody or a choice is called."""
    word = cell.lower()
    if word not in NOTHING or spec.type in (FieldType.TEXT, FieldType.LONG_TEXT):
        return False
    is_choice = spec.choices is not None and spec.choices.at_start(word)[0] is not None
    return not is_choice and word not in reader.people and word not in (each.lower() for each in spec.options)


def _status(kind: Kind, cell: str) -> Labelled:
    found, rest = kind.statuses.at_start(cell.replace("_", " "))
    if found is not None and not rest:
        return found
    if step := kind.step_named(cell.lower()):
        return step.to
    if cell.lower() in STATUS_WORDS:
        return kind.first_status
    names = ", ".join(status.label for status in kind.statuses)
    raise _Unread(f"“{cell}” is no status of {kind.plural}. There are: {names}.")


def _found(name: str, reader: Reader) -> Person | None:
    """The one person of that name. Raises _Unread for several."""
    people = reader.people.get(name.lower(), ())
    if len(people) > 1:
        handles = ", ".join(f"@{person.name}" for person in people[:5])
        raise _Unread(f"Several people are called {name}: {handles}.")
    return people[0] if people else None


def _one_name(cell: str) -> str:
    return cell.removeprefix("@").strip()


def _names(cell: str) -> list[str]:
    return [_one_name(part) for part in re.split(r"[,;/\n]", cell) if part.strip()]


def _read_person(reading: _Reading, spec: FieldSpec, cell: str, reader: Reader) -> None:
    name = _one_name(cell)
    if person := _found(name, reader):
        reading.values[spec.key] = person.id
    else:
        _name_outside(reading, spec, name)


def _read_people(reading: _Reading, spec: FieldSpec, cell: str, reader: Reader) -> None:
    found = {name: _found(name, reader) for name in _names(cell)}
    reading.values[spec.key] = list(dict.fromkeys(person.id for person in found.values() if person))
    if outside := [name for name, person in found.items() if person is None]:
        _name_outside(reading, spec, ", ".join(outside))


def _name_outside(reading: _Reading, spec: FieldSpec, name: str) -> None:
    """Kept where everybody reads it, as a line of its own."""
    reading.lines.append(f"{spec.label} outside Slack: {name}")
    reading.notes.append(f"{spec.label}: nobody here is called {name}, so the details name them.")


def _date(cell: str, reader: Reader) -> Due:
    """A day, also one that has passed if its year is given."""
    phrase = _MIDNIGHT.sub("", cell)
    phrase = re.sub(r"(\d)T(\d\d:\d\d)", r"\1 \2", phrase)
    try:
        return _due(phrase, reader, reader.now)
    except PastDate as problem:
        if not _YEAR.search(phrase):
            raise _Unread(str(problem)) from None
    except DateProblem as problem:
        raise _Unread(str(problem)) from None
    try:
        return _due(phrase, reader, FAR_PAST)
    except DateProblem as problem:
        raise _Unread(str(problem)) from None


def _due(phrase: str, reader: Reader, now: datetime) -> Due:
    return parse_due(phrase, now=now, zone=reader.zone, order=reader.order, locale=reader.locale)


def _day(spec: FieldSpec, cell: str, reader: Reader) -> date:
    return _date(cell, reader).day


def _time(spec: FieldSpec, cell: str, reader: Reader) -> time:
    try:
        return time.fromisoformat(cell.zfill(5)).replace(tzinfo=None, microsecond=0)
    except ValueError:
        raise _Unread(f"I can't read “{cell}” as a time. Try “15:00”.") from None


def _choice(spec: FieldSpec, cell: str, reader: Reader) -> Labelled:
    assert spec.choices is not None
    found, rest = spec.choices.at_start(cell.replace("_", " "))
    known = CHOICE_WORDS.get(spec.choices, {}).get(cell.lower())
    if found is not None and not rest:
        return found
    if known is not None:
        return known
    raise _Unread(f"“{cell}” is none of these: {', '.join(choice.label for choice in spec.choices)}.")


def _points(spec: FieldSpec, cell: str, reader: Reader) -> int:
    match = _POINTS.fullmatch(cell)
    if match is None:
        raise _Unread(f"“{cell}” is no number from 1 to 5.")
    return int(match[1])


def _option(spec: FieldSpec, cell: str, reader: Reader) -> str:
    found = next((word for word in spec.options if word.casefold() == cell.casefold()), None)
    if found is None:
        raise _Unread(f"“{cell}” is none of these: {', '.join(spec.options)}.")
    return found


def _number(spec: FieldSpec, cell: str, reader: Reader) -> int:
    try:
        return int(cell)
    except ValueError:
        raise _Unread(f"“{cell}” is no whole number.") from None


def _tags(spec: FieldSpec, cell: str, reader: Reader) -> str:
    return read_tags(re.sub(r"[\[\]'\"|]", " ", cell))


def _text(spec: FieldSpec, cell: str, reader: Reader) -> str:
    return " ".join(cell.split()) if spec.key == "title" else cell


_READERS: Final[Mapping[FieldType, Callable[[FieldSpec, str, Reader], Any]]] = {
    FieldType.TEXT: _text,
    FieldType.LONG_TEXT: _text,
    FieldType.DATE: _day,
    FieldType.TIME: _time,
    FieldType.CHOICE: _choice,
    FieldType.SCALE: _points,
    FieldType.NUMBER: _number,
    FieldType.OPTION: _option,
    FieldType.REPEAT: _text,
    FieldType.MONEY: _text,  # the project that it goes to knows what it means
    FieldType.TAGS: _tags,
}
