"""`steward erase`: a person out of everything, or a whole workspace."""

from collections.abc import Collection, Mapping
from typing import Final

from bot.opening import Say, chosen_workspace, migrated_database, require_database
from bot.settings import Settings
from models import erasing, forgetting
from models.clock import SystemClock
from models.database import WORKER_WAIT_MS, Database

BACKUPS: Final = "Backups and exports made before still hold what was erased: delete them too."
IN_USE: Final = (
    "The database was in use, so parts of its file that are free may still hold what was erased. "
    "Stop Steward and run the same command again."
)


class _OnlyCounted(Exception):
    """Ends a unit that shall change nothing."""


async def person(
    settings: Settings,
    workspace_id: str | None,
    person_id: str,
    say: Say,
    *,
    also: Collection[str],
    spared: Collection[str],
    only_counts: bool,
) -> None:
    """Erase the person in one transaction, and say how much that was in each table. Raises CannotStart."""
    require_database(settings.database_url)
    async with migrated_database(settings.database_url, wait_ms=WORKER_WAIT_MS) as database:
        chosen = await chosen_workspace(database, workspace_id)
        try:
            async with database.unit(chosen) as session:
                found = await erasing.erase(session, person_id, also=also, spared=spared, now=SystemClock().now())
                if only_counts:
                    raise _OnlyCounted
        except _OnlyCounted:
            pass
        for line in _table({"deleted": found.deleted, "changed": found.changed}):
            say(line)
        say(f"Looked for: {', '.join([person_id, *found.names])}.")
        if only_counts:
            say("Nothing was changed.")
        else:
            await _overwrite(database, say)


async def workspace(settings: Settings, workspace_id: str, say: Say, *, only_counts: bool) -> None:
    """Delete everything of the workspace, and say how much that was in each table. Raises CannotStart."""
    require_database(settings.database_url)
    async with migrated_database(settings.database_url, wait_ms=WORKER_WAIT_MS) as database:
        chosen = await chosen_workspace(database, workspace_id)
        for line in _table({"deleted": await forgetting.rows_of(database, chosen)}):
            say(line)
        if only_counts:
            say("Nothing was deleted.")
        else:
            await forgetting.purge(database, chosen)
            await _overwrite(database, say)


async def _overwrite(database: Database, say: Say) -> None:
    if not await database.scrub():
        say(IN_USE)
    say(BACKUPS)


def _table(counts: Mapping[str, Mapping[str, int]]) -> list[str]:
    """A line for each table in which there was anything."""
    names = sorted({name for each in counts.values() for name, count in each.items() if count})
    lines = [[name, *(str(each.get(name, 0)) for each in counts.values())] for name in names]
    return [
        f"{name:<20}" + "".join(f"{number:>14}" for number in numbers)
        for name, *numbers in [["table", *(f"rows {what}" for what in counts)], *lines]
    ]
