"""Where Steward is installed and which workspaces it knows, looked at every few seconds and kept in memory.

So no request asks the database for it, and what is known serves while the database is away.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.slack_port import SlackPermanent
from models import installations
from models.database import Database
from models.database_errors import DatabaseBusy
from models.installations import NOT_INSTALLED, Rows
from models.tables import Installation, Workspace

# What another process changed is seen here after so long; sooner for a workspace that is not known.
LOOK_SECONDS = 15.0
MISS_SECONDS = 1.0
# For so long a look may take whose answer is known from before.
AWAY_SECONDS = 1.0


@dataclass(frozen=True)
class Known:
    """What is stored, as of one look at it."""

    installations: Mapping[str, Installation]
    workspaces: Mapping[str, Workspace]

    @classmethod
    def of(cls, rows: Rows) -> "Known":
        installed, workspaces = installations.read(rows)
        return cls({each.id: each for each in installed}, {each.id: each for each in workspaces})

    def with_tokens(self) -> Sequence[Installation]:
        """The installations that were not removed."""
        return [each for each in self.installations.values() if each.removed_at is None]

    def installation(self, installation_id: str | None) -> Installation | None:
        """The installation, while it has tokens."""
        found = self.installations.get(installation_id or "")
        return found if found is not None and found.removed_at is None else None

    def served(self, workspace_id: str) -> tuple[Workspace, Installation] | None:
        """The workspace, and whose token is used there."""
        workspace = self.workspaces.get(workspace_id)
        if workspace is None or workspace.removed_at is not None:
            return None
        installation = self.installation(workspace.installation_id)
        return (workspace, installation) if installation is not None else None

    def met_by(self, wide: Installation) -> Sequence[Workspace]:
        """The workspaces in which the token of an organisation is used or, where they are removed, was."""
        return [each for each in self.workspaces.values() if each.installation_id == wide.id and each.organisation_wide]

    def not_left(self) -> Sequence[tuple[Workspace, datetime]]:
        """The workspaces that stand as served though their installation was removed, and since when it is."""
        gone = {each.id: each.removed_at for each in self.installations.values() if each.removed_at is not None}
        return [
            (each, gone[each.installation_id])
            for each in self.workspaces.values()
            if each.removed_at is None and each.installation_id in gone
        ]

    def used_in(self, workspace_id: str) -> Installation:
        """The installation whose token is used in the workspace. Raises SlackPermanent when it is not served."""
        served = self.served(workspace_id)
        if served is None:
            raise SlackPermanent(NOT_INSTALLED)
        return served[1]

    def covering(self, workspace_id: str, enterprise_id: str) -> Installation | None:
        """The installation by which a workspace may be served: its own, or else its organisation's.

        An organisation that took Steward away from a workspace has to say that it gives it back.
        """
        if not is_workspace(workspace_id):
            return None
        own = self.installation(workspace_id)
        if own is not None:
            return own
        wide, workspace = self.installation(enterprise_id), self.workspaces.get(workspace_id)
        if wide is None or workspace is None:
            return wide
        is_taken = workspace.removed_at is not None and workspace.installation_id == wide.id
        return None if is_taken else wide


class Lookout:
    """Looks at what is stored, and keeps what it saw."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows: Rows | None = None
        self._known = Known({}, {})
        self._looked_at = float("-inf")
        self._looking = asyncio.Lock()

    @property
    def known(self) -> Known:
        """What the last look saw, however long ago."""
        return self._known

    async def recent(self) -> Known:
        """What is stored as of a few seconds ago, or as it was known while the database is away, hangs or is asked."""
        if self._rows is None:
            return await self.look(LOOK_SECONDS)
        if self._looking.locked():
            return self._known
        try:
            async with asyncio.timeout(AWAY_SECONDS):
                return await self.look(LOOK_SECONDS)
        except (DatabaseBusy, TimeoutError):
            # Whoever needs the database for more than this hears of it there. One a second tries again.
            self._looked_at = asyncio.get_running_loop().time() - LOOK_SECONDS + MISS_SECONDS
            return self._known

    async def look_closer(self) -> Known:
        """What is stored as of a moment ago, for whoever misses a workspace in what is known."""
        return await self.look(MISS_SECONDS)

    async def look(self, not_older_seconds: float = 0.0) -> Known:
        """What is stored, as it is now or was at most so long ago."""
        asked_at = asyncio.get_running_loop().time()
        if asked_at - self._looked_at > not_older_seconds:
            async with self._looking:
                # Whoever waited for another's look that began after their own question has its answer.
                if self._looked_at < asked_at:
                    began = asyncio.get_running_loop().time()
                    rows = await installations.rows(self._database)
                    if rows != self._rows:
                        self._rows, self._known = rows, Known.of(rows)
                    self._looked_at = began
        return self._known


def is_workspace(slack_id: Any) -> bool:
    """Whether the id is a workspace's; where Slack names an organisation instead, it begins with E."""
    return isinstance(slack_id, str) and slack_id.startswith("T")
