"""That `tests/filled.py` fills all there is, so that what is tested on it holds for every table and column."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import Row, false, inspect, not_, select
from sqlmodel import SQLModel

from models.database import Database

TABLES = [mapper.class_ for mapper in SQLModel._sa_registry.mappers]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_every_table_has_rows_and_every_column_a_value_that_is_not_its_first_one(filled_url: str) -> None:
    async with Database(filled_url) as database, database.engine.connect() as connection:
        empty = [
            f"{model.__name__}.{name}"
            for model in TABLES
            for name in unused(model, (await connection.execute(rows_of(model))).all())
        ]

    assert empty == []


def rows_of(model: type[SQLModel]) -> Any:
    """All of them but those that only take keys."""
    table: Any = inspect(model).local_table
    is_taken = table.c.workspace_id == "T0000" if "workspace_id" in table.c else false()
    return select(table).where(not_(is_taken))


def unused(model: type[SQLModel], rows: Sequence[Row[Any]]) -> Iterator[str]:
    """The columns in which every row has what a new row has by itself; all of them where there is none."""
    for name, field in model.model_fields.items():
        first = field.get_default(call_default_factory=True)
        if all(getattr(row, name) in (None, "", [], {}, first) for row in rows):
            yield name
