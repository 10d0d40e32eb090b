"""Where Steward is installed, and installations that somebody has begun. The one way to these two tables.

They belong to no workspace, so no unit reaches them: each function here is one short transaction of its own. Sealing
tokens twice gives two texts, so the sealed text also says whether a row is still the one that was looked at.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from models import purging
from models.database import Database
from models.inserting import insert_into
from models.tables import Delivery, DeliveryState, Installation, InstallState, Workspace, table_of

Rows = tuple[Sequence[Row[Any]], Sequence[Row[Any]]]

_installations, _states, _workspaces = table_of(Installation), table_of(InstallState), table_of(Workspace)
_deliveries = table_of(Delivery)

# So many installations may be under way; more than that is nobody who installs anything.
MOST_BEGUN = 1_000
# Why nothing goes out where Steward is not installed, in words like Slack's.
NOT_INSTALLED = "not_installed"
# What is of the tokens, and goes with them.
_OF_TOKENS = ("sealed_tokens", "expires_at", "refreshing_until", "refresh_error", "refused_since", "refused_at")


async def begin(database: Database, digest: str, *, now: datetime, expires_at: datetime) -> bool:
    """Note the SHA-256 of a state that was given out, and forget those that are too old by now.

    False where too many have begun: anybody may, and none of them must cost those who use Steward anything.
    """
    async with database.outside(writes=True) as connection:
        await connection.execute(delete(_states).where(_states.c.expires_at <= now))
        begun = (await connection.execute(select(func.count()).select_from(_states))).scalar_one()
        if begun >= MOST_BEGUN:
            return False
        await connection.execute(_states.insert(), {"digest": digest, "expires_at": expires_at})
        return True


async def finish(database: Database, digest: str, *, now: datetime) -> bool:
    """Use up a state: True for one of all that ask, within its time."""
    used = delete(_states).where(_states.c.digest == digest, _states.c.expires_at > now)
    async with database.outside(writes=True) as connection:
        return (await connection.execute(used.returning(_states.c.digest))).first() is not None


async def save(database: Database, installation: Installation) -> None:
    """Store the installation in place of any earlier one of the same workspace or organisation.

    The workspaces that an organisation took it from are given it again.
    """
    values = installation.model_dump()
    statement = insert_into(Installation, database.engine.dialect.name).values(values)
    is_taken = (_workspaces.c.installation_id == installation.id, _workspaces.c.removed_at.is_not(None))
    async with database.outside(writes=True) as connection:
        await connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))
        await connection.execute(update(_workspaces).where(*is_taken).values(installation_id=None))


async def rows(database: Database) -> Rows:
    """Every installation and every workspace, the removed ones too; cheap to compare, for `read`.

    On PostgreSQL the installations are those of a moment later.
    """
    async with database.outside(writes=False) as connection:
        # The other way round, one that was installed again in between would look as if its removal stopped halfway.
        workspaces = await connection.execute(select(_workspaces).order_by(_workspaces.c.id))
        installed = await connection.execute(select(_installations).order_by(_installations.c.id))
        return installed.all(), workspaces.all()


def read(rows: Rows) -> tuple[list[Installation], list[Workspace]]:
    """The rows as what they are."""
    return [Installation(**row._mapping) for row in rows[0]], [Workspace(**row._mapping) for row in rows[1]]


async def meet(
    database: Database,
    workspace_id: str,
    *,
    name: str,
    bot_user_id: str,
    now: datetime,
    installation_id: str | None = None,
    renames: bool = True,
) -> Workspace:
    """The workspace as one that is served from now on; what was stored and chosen in it before stays.

    What was kept for long enough goes whole. Without `installation_id` its token is a setting. It keeps the name it has
    unless that `renames` it.
    """
    # A purge that has begun somewhere would be ended halfway by what follows.
    await purging.purge(database, workspace_id, removed_before=now - purging.KEPT)
    met: dict[str, Any] = {"bot_user_id": bot_user_id, "installation_id": installation_id}
    met |= dict.fromkeys(("removed_at", "refused_since", "refused_at"))
    try:
        return await _meet(database, workspace_id, name, renames, met)
    except IntegrityError:
        # Another process met it for the first time as well, and was a moment faster.
        return await _meet(database, workspace_id, name, renames, met)


async def _meet(database: Database, workspace_id: str, name: str, renames: bool, met: dict[str, Any]) -> Workspace:
    async with database.unit(workspace_id) as session:
        workspace = await session.get(Workspace, workspace_id)
        if workspace is None:
            workspace = Workspace(id=workspace_id, name=name, bot_user_id=met["bot_user_id"])
        workspace.sqlmodel_update(met | ({"name": name} if renames else {}))
        session.add(workspace)
    return workspace


async def everywhere(database: Database) -> list[Installation]:
    """Every installation, the removed ones too."""
    return read(await rows(database))[0]


async def lease(database: Database, seen: Installation, *, wall: datetime, until: datetime) -> bool:
    """Become the only one who exchanges these tokens, until that instant of the wall. False when somebody else is."""
    return await _change(database, seen, _is_free(wall), refreshing_until=until)


async def renew(database: Database, seen: Installation, **values: Any) -> bool:
    """Store what came of an exchange. False when the tokens were others by then: those stay."""
    return await _change(database, seen, **values)


async def reseal(database: Database, seen: Installation, sealed_tokens: str, *, wall: datetime) -> bool:
    """Store the same tokens sealed anew. False when they changed meanwhile, or somebody exchanges them now."""
    return await _change(database, seen, _is_free(wall), sealed_tokens=sealed_tokens)


async def note_refusal(database: Database, seen: Installation, *, since: datetime | None, at: datetime | None) -> None:
    """Note since when Slack refuses the tokens, and when it last did, unless that or they changed meanwhile."""
    await _change(database, seen, *_refused_as(seen), refused_since=since, refused_at=at)


async def remove(
    database: Database,
    installation_id: str,
    *,
    now: datetime,
    made_by: datetime | None = None,
    seen: Installation | None = None,
) -> datetime | None:
    """Erase the tokens of an installation; since when it is removed, None where there is none such.

    With `made_by` only of one that was made by then, by Slack's clock; with `seen` only while its tokens, and what
    Slack said of them, are as they were seen.
    """
    is_it = [_installations.c.id == installation_id]
    is_it += [_installations.c.installed_at <= made_by] if made_by is not None else []
    as_seen = _refused_as(seen) if seen is not None else ()
    erase = update(_installations).where(*is_it, *as_seen, _installations.c.removed_at.is_(None))
    async with database.outside(writes=True) as connection:
        await connection.execute(erase.values(removed_at=now, **dict.fromkeys(_OF_TOKENS)))
        removed_at: datetime | None = await connection.scalar(select(_installations.c.removed_at).where(*is_it))
        return removed_at


async def leave(
    database: Database, workspace_id: str, installation_id: str, *, at: datetime, is_taken: bool = False
) -> None:
    """Serve the workspace no more, if it was by that installation: nothing that is owed goes out any more.

    Only where the installation is still removed by now, or where the workspace `is_taken` from it.
    """
    is_it = (_workspaces.c.id == workspace_id, _workspaces.c.installation_id == installation_id)
    left = update(_workspaces).where(*is_it, _workspaces.c.removed_at.is_(None))
    is_owed = (_deliveries.c.workspace_id == workspace_id, _deliveries.c.state == DeliveryState.DUE)
    # Held: whoever installs it again was here before, or comes after this.
    installed = select(_installations).where(_installations.c.id == installation_id).with_for_update()
    async with database.outside(writes=True) as connection:
        installation = (await connection.execute(installed)).first()
        if installation is not None and installation.removed_at is None and not is_taken:
            return
        if (await connection.execute(left.values(removed_at=at, refused_since=None, refused_at=None))).rowcount:
            cancel = update(_deliveries).where(*is_owed)
            await connection.execute(cancel.values(state=DeliveryState.CANCELLED, last_error=NOT_INSTALLED))


async def removed(database: Database, *, before: datetime) -> list[str]:
    """The workspaces that removed Steward before that instant and have not come back."""
    async with database.outside(writes=False) as connection:
        return list(await connection.scalars(select(_workspaces.c.id).where(_workspaces.c.removed_at < before)))


async def purge(database: Database, *, before: datetime) -> None:
    """Delete what is left of installations that were removed before that instant."""
    async with database.outside(writes=True) as connection:
        await connection.execute(delete(_installations).where(_installations.c.removed_at < before))


def _is_free(wall: datetime) -> Any:
    return or_(_installations.c.refreshing_until.is_(None), _installations.c.refreshing_until < wall)


def _refused_as(seen: Installation) -> tuple[Any, ...]:
    """The same tokens, refused since when they were seen to be."""
    columns = _installations.c
    return (columns.sealed_tokens == seen.sealed_tokens, columns.refused_since.is_not_distinct_from(seen.refused_since))


async def _change(database: Database, seen: Installation, *conditions: Any, **values: Any) -> bool:
    """Change the row as long as it holds the tokens that were seen."""
    is_seen = (_installations.c.id == seen.id, _installations.c.sealed_tokens == seen.sealed_tokens)
    async with database.outside(writes=True) as connection:
        changed = await connection.execute(update(_installations).where(*is_seen, *conditions).values(**values))
    return changed.rowcount == 1
