"""Fields whose values people type as words that only their project can tell the meaning of."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from models.errors import Unread
from models.kinds import Kind
from models.kinds.base import FieldType
from models.money import read_money
from models.repeat_words import read_repeat
from models.tables import Project

_READERS: Final[Mapping[FieldType, Callable[[str, Project], Any]]] = {
    FieldType.MONEY: lambda typed, project: read_money(typed, project.currency),
    FieldType.REPEAT: lambda typed, project: read_repeat(typed),
}


def read_typed(kind: Kind, values: Mapping[str, Any], project: Project) -> dict[str, Any]:
    """The values with what was typed read as the project means it.

    What cannot be read stays as the Unread that says why, for whoever checks the values to tell of it.
    """
    typed = {
        field.key: _READERS[field.type]
        for field in kind.all_fields
        if field.type in _READERS and isinstance(values.get(field.key), str)
    }
    return {**values, **{key: _read(read, values[key], project) for key, read in typed.items()}}


def _read(read: Callable[[str, Project], Any], typed: str, project: Project) -> Any:
    try:
        return read(typed, project) if typed.strip() else None
    except Unread as problem:
        return problem
