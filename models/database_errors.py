"""What an error of the database means to whoever asked it: busy, away, overtaken, or a mistake of ours."""

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.orm.exc import StaleDataError

from models.errors import Overtaken, StewardError

BUSY = "Steward's database was busy. Nothing was saved; please try again."
AWAY = "Steward cannot reach its database at the moment. Nothing was saved; please try again in a minute."
PERHAPS = (
    "Steward lost its database while it was saving, so this may or may not have been saved. Please look in a minute, "
    "before you try again."
)
FULL = "There is no room left on the disk of Steward's database. Nothing was saved; please tell whoever runs Steward."
# The same for whoever runs it.
MAKE_ROOM = "no room is left on the disk of the database: make room there. Until then nothing is saved"
OVERTAKEN = "Somebody else changed this at the same moment. Nothing was saved; please try again."

# PostgreSQL ended one of two units that waited for each other: a deadlock, or a serialization failure.
LOST_A_RACE = frozenset({"40P01", "40001"})
# Too many connections, a statement that was ended for taking too long, a lock that was not to be had in time.
PUT_OFF = frozenset({"53300", "57014", "55P03"})
# It stops, crashed, is only starting, closed a session that stood idle, or became a standby that takes no changes.
GONE = frozenset({"57P01", "57P02", "57P03", "57P05", "25P03", "25006"})
DISK_FULL = "53100"


class DatabaseBusy(StewardError):
    """The database did not do a unit's work in time; the unit may be done again."""


class DatabaseAway(DatabaseBusy):
    """The database cannot be reached, or takes no changes. `perhaps` is whether it went while it was committing."""

    def __init__(self, sentence: str, *, perhaps: bool = False) -> None:
        super().__init__(sentence)
        self.perhaps = perhaps


class DatabaseFull(DatabaseAway):
    """The disk of the database has no room for what was to be stored, and nothing of it was: also at a commit."""

    def __init__(self) -> None:
        super().__init__(FULL)


def refusal_of(error: SQLAlchemyError | OSError, *, is_sqlite: bool) -> StewardError | None:
    """What a unit is told about an error of the database; None for a mistake of ours."""
    if isinstance(error, StaleDataError):
        return Overtaken(OVERTAKEN)
    if isinstance(error, NoConnectionFree):
        return DatabaseBusy(BUSY)
    if isinstance(error, OSError):
        # The driver's own: no connection, or no answer within the time a statement has.
        return None if is_sqlite else DatabaseAway(AWAY)
    if not isinstance(error, DBAPIError):
        return None
    if is_sqlite:
        return _sqlite_refusal(str(error.orig))
    return _postgresql_refusal(getattr(error.orig, "sqlstate", None) or "", error.connection_invalidated)


def kind_of(error: Exception) -> str:
    """The name of the driver's error, where there is one, and its code."""
    driver = getattr(error, "orig", None)
    if driver is None:
        return type(error).__name__
    driver = driver.__cause__ or driver
    code = getattr(driver, "sqlite_errorname", None) or getattr(driver, "sqlstate", None) or ""
    return f"{type(error).__name__}, {type(driver).__name__} {code}".rstrip()


def _sqlite_refusal(reason: str) -> StewardError | None:
    """By the words that SQLite's errors are told apart by."""
    if "locked" in reason:
        return DatabaseBusy(BUSY)
    if "is full" in reason:
        return DatabaseFull()
    is_away = any(words in reason for words in ("disk I/O error", "unable to open", "readonly database"))
    return DatabaseAway(AWAY) if is_away else None


def _postgresql_refusal(state: str, disconnected: bool) -> StewardError | None:
    """By the code of the error; https://www.postgresql.org/docs/current/errcodes-appendix.html."""
    if state in LOST_A_RACE:
        return Overtaken(OVERTAKEN)
    if state in PUT_OFF:
        return DatabaseBusy(BUSY)
    if state == DISK_FULL:
        return DatabaseFull()
    return DatabaseAway(AWAY) if disconnected or state in GONE or state.startswith("08") else None
