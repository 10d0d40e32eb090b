"""Fields that a project adds to its records: a line each in its settings, "Vendor" or "Cost centre: A | B | C".

Their values are kept with the record by the fields' names. A value whose field its project has not, because the record
moved or the field was taken out, stays readable under its name, and can be changed no more.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

from models.kinds import KINDS, Kind
from models.kinds.base import OWN, FieldSpec, FieldType
from models.tables import Project, Record

MOST: Final = 10
MOST_OPTIONS: Final = 50
NAME_MAX: Final = 40
OPTION_MAX: Final = 75  # what a menu of Slack shows of one
EXAMPLE: Final = "“Vendor”, or “Cost centre: A | B | C” for a choice"

_TAKEN: Final = frozenset(
    {"kind", "reference", "status", "project", *(field.label.casefold() for kind in KINDS for field in kind.all_fields)}
)


def tidied(typed: str) -> str:
    """The lines without the space around their words, and without empty ones."""
    return "\n".join(_tidied(line) for line in typed.splitlines() if line.strip())


def _tidied(line: str) -> str:
    name, mark, rest = line.partition(":")
    return " ".join(name.split()) + (f": {' | '.join(_options(rest))}" if mark else "")


def problem(lines: str) -> str | None:
    """What is wrong with the lines as a person typed them, as a sentence."""
    fields = _read(lines)
    if len(fields) > MOST:
        return f"At most {MOST} fields; these are {len(fields)}."
    names = [field.label.casefold() for field in fields]
    for field, line in zip(fields, lines.splitlines(), strict=True):
        name = field.label
        if not name or len(name) > NAME_MAX:
            return f"“{line[:60]}” should begin with a name of at most {NAME_MAX} characters. Write {EXAMPLE}."
        if names.count(name.casefold()) > 1 or name.casefold() in _TAKEN:
            return f"There is a field “{name}” already. Choose another name."
        if ":" in line and len(field.options) < 2:
            return f"“{name}” needs at least two words to choose from, with | between them: {EXAMPLE}."
        if len(field.options) > MOST_OPTIONS or max(map(len, field.options), default=0) > OPTION_MAX:
            return f"“{name}” may have {MOST_OPTIONS} words to choose from, each of at most {OPTION_MAX} characters."
        if len(set(map(str.casefold, field.options))) < len(field.options):
            return f"“{name}” has the same word twice."
    return None


def kind_in(kind: Kind, project: Project | None, record: Record | None = None) -> Kind:
    """The kind with the fields that the project adds, and what else the record has kept of other fields."""
    lines = project.own_fields if project is not None else ""
    kept = tuple(record.own_values or ()) if record is not None else ()
    if not lines and not kept and not any(field.is_own for field in kind.fields):
        return kind
    return _extended(kind.key, lines, kept) or kind


def left_over(kind: Kind) -> Sequence[FieldSpec]:
    """The fields whose values a record has kept although its project has them not."""
    return [field for field in kind.fields if field.is_own and field.by_step]


@lru_cache(maxsize=1_000)
def _extended(key: str, lines: str, kept: tuple[str, ...]) -> Kind | None:
    base = next((kind for kind in KINDS if kind.key == key), None)
    fields = _read(lines)
    names = {field.label for field in fields}
    old = [
        FieldSpec(key=f"{OWN}{name}", label=name, type=FieldType.TEXT, help="Kept from another project.", by_step=True)
        for name in kept
        if name not in names
    ]
    return replace(base, fields=(*base.fields, *fields, *old)) if base else None


@lru_cache(maxsize=1_000)
def _read(lines: str) -> tuple[FieldSpec, ...]:
    """A field for each line, however it is written."""
    found = []
    for line in lines.splitlines():
        name, mark, rest = line.partition(":")
        name, options = name.strip(), tuple(_options(rest))
        type, help = FieldType.TEXT, "A field of this project."
        if mark:
            type, help = FieldType.OPTION, "A field of this project: choose one."
        found.append(FieldSpec(key=f"{OWN}{name}", label=name, type=type, help=help, options=options))
    return tuple(found)


def _options(rest: str) -> list[str]:
    return [word for part in rest.split("|") if (word := " ".join(part.split()))]
