"""One workspace in one file, and from the file into another database: of either engine, beside other workspaces.

The file is lines of JSON, packed where its name ends in .gz: one that says what it is, for each table one with its name
and columns and one for every row, and at the end one with how many rows that were and the SHA-256 of all lines before.
"""

import asyncio
import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, cast

from sqlalchemy import Table
from sqlalchemy.exc import StatementError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import migrate
from bot.backup import new_file
from bot.opening import CannotStart, chosen_workspace, migrated_database, require_database
from models import carrying
from models.carrying import Misfit
from models.database import WORKER_WAIT_MS, mark_restored

# What the first line calls the form that is described above.
FORM = 1
MARK = "steward_workspace"
# More than any row takes, with all its texts as long as they may be and written as escapes, byte by byte.
LINE_MAX_BYTES = 8 * 2**20
# An export is packed to a tenth or less; what unpacks to so many times its size was made to fill a machine.
RATIO_MAX = 200


@dataclass(frozen=True)
class Carried:
    """What an export or an import was of."""

    workspace_id: str
    name: str
    rows: int


class _Damaged(Exception):
    """The file is not what an export wrote; the text says what is wrong with it."""


def write(url: str, workspace_id: str | None, file: Path, *, now: datetime) -> Carried:
    """Write all of a workspace to a new file, while Steward runs. Raises CannotStart, and leaves no half-made file."""
    require_database(url)
    with new_file(file) as part, _opened(part, "wb", packed=_is_packed(file)) as stream:
        return asyncio.run(_write(url, workspace_id, _Writer(stream), now))


def read(url: str, file: Path, *, now: datetime) -> Carried:
    """Store the workspace of a file, all of it or nothing. What was due before `now` is not sent from here.

    Raises CannotStart: for a file that is damaged or of another step, for a workspace that is there already.
    """
    require_database(url)
    try:
        with _opened(file, "rb", packed=_is_packed(file)) as stream:
            most_bytes = RATIO_MAX * file.stat().st_size if _is_packed(file) else None
            return asyncio.run(_store(url, _Reader(stream, most_bytes), now))
    except FileNotFoundError:
        raise CannotStart(f"There is no file {file}.") from None
    except (OSError, EOFError, zlib.error, _Damaged) as error:
        raise CannotStart(f"{file} cannot be imported: {_reason(error)} Nothing was stored.") from None


# The file ----------------------------------------------------------------------------------------------------------


class _Writer:
    """Writes lines, and at the end what they have to amount to."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._sum = stream, sha256()
        self.rows = 0

    def line(self, said: Any) -> None:
        line = json.dumps(said, separators=(",", ":")).encode() + b"\n"
        self._sum.update(line)
        self._stream.write(line)

    def row(self, values: Sequence[Any]) -> None:
        self.line(values)
        self.rows += 1

    def end(self) -> None:
        self.line({"rows": self.rows, "sha256": self._sum.hexdigest()})


class _Reader:
    """Reads what a `_Writer` wrote, so many bytes at most. Every method raises _Damaged, and what unpacking raises."""

    def __init__(self, stream: IO[bytes], most_bytes: int | None) -> None:
        self._stream, self._sum, self._most_bytes = stream, sha256(), most_bytes
        self.rows = self.bytes = 0

    def header(self) -> dict[str, Any]:
        """What the file is."""
        with suppress(_Damaged):
            found = self._note(self._line())
            if MARK in found:
                return found
        raise _Damaged("it is no workspace that `steward export FILE` wrote.")

    def tables(self) -> Iterator[tuple[Table, list[str], Iterator[list[Any]]]]:
        """Every table with the names of its columns and its rows, which have to be read before the next one."""
        known = {table.name: table for table in carrying.tables()}
        note = self._note(self._line())
        while "table" in note:
            table, names = known.get(note["table"]), note["columns"]
            if table is None or not {*names} <= {*table.columns.keys()}:
                raise _Damaged(f"its table {note['table']} is not as this release has it.")
            after: list[Any] = []
            yield table, names, self._rows(after)
            note = self._note(*after)
        if (note.get("rows"), note.get("sha256")) != (self.rows, self._sum_before):
            raise _Damaged("it is not as it was written; its checksum is another.")

    def _rows(self, after: list[Any]) -> Iterator[list[Any]]:
        """The lines that are rows, and then, in `after`, the one that is none."""
        while isinstance(line := self._line(), list):
            self.rows += 1
            yield line
        after.append(line)

    def _note(self, line: Any) -> dict[str, Any]:
        if not isinstance(line, dict):
            raise _Damaged("a line of it is not where it belongs.")
        return line

    def _line(self) -> Any:
        self._sum_before = self._sum.hexdigest()
        line = self._stream.readline(LINE_MAX_BYTES + 1)
        self._sum.update(line)
        self.bytes += len(line)
        if len(line) > LINE_MAX_BYTES:
            raise _Damaged(
                f"a line of it is longer than {LINE_MAX_BYTES // 2**20} MiB, and no export writes such a one."
            )
        if self._most_bytes is not None and self.bytes > self._most_bytes:
            raise _Damaged(f"it unpacks to more than {RATIO_MAX} times its size, and no export does.")
        if not line.endswith(b"\n"):
            raise _Damaged("it ends too early.")
        try:
            return json.loads(line)
        except (ValueError, RecursionError):
            raise _Damaged("a line of it cannot be read.") from None


def _is_packed(file: Path) -> bool:
    return file.suffix == ".gz"


def _opened(file: Path, mode: str, *, packed: bool) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(file, mode) if packed else file.open(mode))


def _reason(error: Exception) -> str:
    return f"{error.strerror}." if isinstance(error, OSError) and error.strerror else str(error)


# The databases -----------------------------------------------------------------------------------------------------


async def _write(url: str, named: str | None, lines: _Writer, now: datetime) -> Carried:
    async with migrated_database(url) as database:
        workspace_id = await chosen_workspace(database, named)
        async with carrying.read_at_once(database) as connection:
            name = await carrying.name_of(connection, workspace_id)
            keys = await carrying.key_range(connection, workspace_id)
            about = {"workspace": workspace_id, "name": name, "at": now.isoformat(), "keys": keys}
            lines.line({MARK: FORM, "step": migrate.head(), **about})
            for table in carrying.tables():
                lines.line({"table": table.name, "columns": [column.name for column in carrying.columns(table)]})
                async for page in carrying.pages(connection, table, workspace_id):
                    for row in page:
                        lines.row(row)
    lines.end()
    return Carried(workspace_id, name or "", lines.rows)


async def _store(url: str, lines: _Reader, now: datetime) -> Carried:
    about = lines.header()
    _require_readable(about)
    async with migrated_database(url, wait_ms=WORKER_WAIT_MS) as database:
        try:
            async with carrying.stored_at_once(database) as connection:
                await _store_all(connection, about, lines, now)
        except (StatementError, LookupError, TypeError, ValueError, AttributeError, OverflowError, Misfit) as error:
            raise _Damaged(f"its rows do not fit together ({type(error).__name__}).") from None
    return Carried(about["workspace"], about["name"], lines.rows)


async def _store_all(connection: AsyncConnection, about: dict[str, Any], lines: _Reader, now: datetime) -> None:
    workspace_id = about["workspace"]
    if await carrying.name_of(connection, workspace_id) is not None:
        raise CannotStart(
            f"{workspace_id} is in this database already, so nothing was stored. Import it before Steward is first "
            f"started or installed for it; `steward erase --workspace {workspace_id}` deletes what is there now."
        )
    least, greatest = about["keys"] or (0, -1)
    own_keys = range(least, greatest + 1)
    try:
        shift = await carrying.shift_for(connection, least, greatest) if own_keys else 0
    except carrying.NoRoom:
        raise CannotStart("This database has no keys left for so many rows. Import into an empty one.") from None
    for table, names, rows in lines.tables():
        for page in _in_pages(lines, rows):
            await carrying.store(
                connection, table, names, page, workspace_id=workspace_id, own_keys=own_keys, shift=shift
            )
    await mark_restored(connection, now, workspace_id)


def _require_readable(about: dict[str, Any]) -> None:
    """Raise CannotStart for a file of another release's."""
    head, step = migrate.head(), str(about.get("step"))
    if about[MARK] != FORM or step > head:
        raise CannotStart(
            f"The file is of step {step}, and this release of Steward knows only up to step {head}. Import it with the "
            "release that wrote it, or a newer one."
        )
    if step < head:
        raise CannotStart(
            f"The file is of step {step}, and this release of Steward is at step {head}. Where it came from, install "
            "this release, run `steward migrate`, and export again."
        )


def _in_pages(lines: _Reader, rows: Iterator[list[Any]]) -> Iterator[list[list[Any]]]:
    """The rows, some at a time: fewer where they are long, so that memory is bounded."""
    page: list[list[Any]] = []
    begun = lines.bytes
    for row in rows:
        page.append(row)
        if len(page) == carrying.PAGE or lines.bytes - begun > LINE_MAX_BYTES:
            yield page
            page, begun = [], lines.bytes
    if page:
        yield page
