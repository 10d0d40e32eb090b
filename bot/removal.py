"""Steward's end where it was installed: tokens erased, workspaces left, what they stored on its way to the purge."""

from datetime import datetime

from models import installations
from models.database import Database
from models.tables import Installation


async def remove(
    database: Database,
    installation_id: str,
    *,
    now: datetime,
    made_by: datetime | None = None,
    seen: Installation | None = None,
) -> bool:
    """Erase the tokens of an installation and leave its workspaces, where that is not done yet.

    False where there is none, or another than is meant: see `installations.remove`.
    """
    removed_at = await installations.remove(database, installation_id, now=now, made_by=made_by, seen=seen)
    if removed_at is not None:
        # Looked at only now: whoever meets a workspace from here on finds that its installation is gone.
        for workspace in installations.read(await installations.rows(database))[1]:
            if workspace.installation_id == installation_id:
                await installations.leave(database, workspace.id, installation_id, at=removed_at)
    return removed_at is not None
