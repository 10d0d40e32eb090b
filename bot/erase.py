"""`steward erase`: a person out of everything, or a whole workspace."""

import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Final

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.opening import CannotStart, Say, chosen_workspace, migrated_database, require_database
from bot.settings import Settings
from models import directory, erased, erasing, purging
from models.clock import SystemClock
from models.database import WORKER_WAIT_MS, Database
from models.serving import others_settled
from models.tables import Workspace

BACKUPS: Final = "Backups and exports made before still hold what was erased: delete them too."
IN_USE: Final = (
    "The database was in use, so parts of its file that are free may still hold what was erased. "
    "Stop Steward and run the same command again."
)
# Somebody whom Steward never met may be named in a text all the same.
SLACK_ID: Final = re.compile(r"[UW][A-Z0-9]{8,}")


# So often what others wrote meanwhile is looked for; once is enough unless somebody writes of them all the time.
LOOKS: Final = 5


class _OnlyCounted(Exception):
    """Ends a unit that shall change nothing."""


async def introduce(settings: Settings, workspace_id: str | None, person_id: str | None, say: Say) -> None:
    """Say who that is as far as Steward knows, or which workspace. Raises CannotStart for what cannot be erased."""
    require_database(settings.database_url)
    async with migrated_database(settings.database_url) as database:
        chosen = await chosen_workspace(database, workspace_id)
        async with database.unit(chosen, writes=False) as session:
            here = (await session.exec(select(Workspace))).one()
            place = f"the workspace {here.name} ({chosen})"
            if person_id is None:
                say(f"This is all of {place}.")
                return
            await _require_somebody(session, person_id)
            met = await directory.person(session, person_id)
            if met is not None:
                say(f"{person_id} is {met.shown_name} (@{met.name}) in {place}.")
            else:
                say(f"Steward knows nobody with the id {person_id} in {place}. Only what names them would go.")


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
                await _require_somebody(session, person_id)
                found = await erasing.erase(session, person_id, also=also, spared=spared, now=SystemClock().now())
                if only_counts:
                    raise _OnlyCounted
        except _OnlyCounted:
            pass
        if not only_counts:
            await _look_again(database, chosen, person_id, found)
        for line in _table({"deleted": found.deleted, "changed": found.changed}):
            say(line)
        say(f"Looked for: {', '.join([person_id, *found.names])}.")
        if only_counts:
            say("Nothing was changed.")
        else:
            await _overwrite(database, say)


async def _look_again(database: Database, workspace_id: str, person_id: str, found: erasing.Erasure) -> None:
    """Erase too what others were writing of them meanwhile, and note it in `found`. Raises CannotStart."""
    if database.is_sqlite:
        return  # there is one writer, and that was the erasure
    with suppress(TimeoutError):
        for _ in range(LOOKS):
            await others_settled(database)
            async with database.unit(workspace_id) as session:
                more = await erasing.erase(session, person_id, after=found, now=SystemClock().now())
            if not more:
                return
            found.add(more)
    raise CannotStart(
        "What was found is erased, but others went on writing of them. Run the same command again in a quieter hour."
    )


async def workspace(settings: Settings, workspace_id: str, say: Say, *, only_counts: bool) -> None:
    """Delete everything of the workspace, and say how much that was in each table. Raises CannotStart."""
    require_database(settings.database_url)
    async with migrated_database(settings.database_url, wait_ms=WORKER_WAIT_MS) as database:
        chosen = await chosen_workspace(database, workspace_id)
        for line in _table({"deleted": await purging.rows_of(database, chosen)}):
            say(line)
        if only_counts:
            say("Nothing was deleted.")
        else:
            await purging.purge(database, chosen)
            await _overwrite(database, say)


async def _require_somebody(session: AsyncSession, person_id: str) -> None:
    """Raise CannotStart for what is nobody's id: erasing it would take a word out of every text."""
    is_known = await directory.person(session, person_id) is not None
    if not (is_known or SLACK_ID.fullmatch(person_id) or await erased.among(session, [person_id])):
        raise CannotStart(
            f"{person_id} is no user id of Slack's, so nothing was erased. It begins with U or W and stands in the "
            "person's profile in Slack, under ⋮ as “Copy member ID”."
        )


async def _overwrite(database: Database, say: Say) -> None:
    if not await database.scrub():
        say(IN_USE)
    say(BACKUPS)


def _table(counts: Mapping[str, Mapping[str, int]]) -> list[str]:
    """A line for each table in which there was anything, below what the columns are."""
    names = sorted({name for each in counts.values() for name, count in each.items() if count})
    lines = [[name, *(f"{each.get(name, 0):,}" for each in counts.values())] for name in names]
    if not lines:
        return ["Nothing was found."]
    return [
        f"{name:<20}" + "".join(f"{number:>14}" for number in numbers)
        for name, *numbers in [["table", *(f"rows {what}" for what in counts)], *lines]
    ]
