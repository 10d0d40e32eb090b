"""Statements as the driver takes them, made ready once.

SQLAlchemy's own way from a statement to the driver takes longer than what the database does for a row.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import SQLCompiler


class Prepared(NamedTuple):
    """A statement's text, and each value's name with what makes the driver's value of it; None for what it is."""

    sql: str
    takes: Sequence[tuple[str, Callable[[Any], Any] | None]]

    def of(self, values: Mapping[str, Any]) -> tuple[Any, ...]:
        """The values as the driver takes them."""
        return tuple([values[name] if made is None else made(values[name]) for name, made in self.takes])


def prepared(compiled: SQLCompiler, dialect: Dialect) -> Prepared:
    """The compiled statement for the driver of that dialect."""
    names = compiled.positiontup or ()
    types = (compiled.binds[name].type.dialect_impl(dialect) for name in names)
    return Prepared(
        str(compiled), [(name, type_.bind_processor(dialect)) for name, type_ in zip(names, types, strict=True)]
    )
