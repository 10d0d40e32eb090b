"""Which workspaces this installation serves, and the token for each."""

from collections.abc import Sequence
from typing import Protocol

from bot.incoming import Incoming
from bot.slack_port import SlackWebApi
from models import installations
from models.clock import SystemClock
from models.database import Database
from models.tables import Workspace

# What Slack tells of where Steward is installed; each may concern workspaces that are not served.
EVENTS = frozenset({"app_uninstalled", "tokens_revoked", "team_access_granted", "team_access_revoked"})


class Access(Protocol):
    """Where Steward is installed."""

    async def open(self) -> None:
        """Make ready, once, before anything else. Raises SlackError when Slack refuses."""
        ...

    async def workspaces(self) -> Sequence[Workspace]:
        """Every workspace in which Steward does something by itself now."""
        ...

    async def find(self, workspace_id: str, enterprise_id: str = "") -> Workspace | None:
        """The workspace that a request names, of that organisation if of any; None when it is not served."""
        ...

    async def token(self, workspace_id: str) -> str:
        """The bot token for a call made now. Raises SlackPermanent for a workspace that is not served."""
        ...

    def scopes(self, workspace_id: str) -> frozenset[str]:
        """What Slack lets us do there by what it said last; each of its answers tells it anew."""
        ...

    async def heard(self, event: Incoming) -> None:
        """Slack told one of `EVENTS`. In any order, and any number of times."""
        ...

    async def heard_from(self, workspace_id: str) -> None:
        """Something else came from the workspace, which is served."""
        ...

    async def watch(self) -> None:
        """Find out what Slack did not tell, until cancelled; it may end by itself where there is nothing to find."""
        ...

    async def close(self) -> None:
        """Let go of everything, once, after everything else."""
        ...


class OneWorkspace:
    """The workspace of one bot token that somebody gave us."""

    def __init__(self, database: Database, bot_token: str, api_url: str) -> None:
        self._database = database
        self._bot_token = bot_token
        self._api_url = api_url
        self._scopes: frozenset[str] = frozenset()
        self._workspace: Workspace | None = None

    async def open(self) -> None:
        """Learn from Slack whose token it is."""
        port = SlackWebApi(self._bot_token, self._api_url)
        try:
            told = await port.call("auth.test")
        finally:
            await port.close()
        self._scopes = port.scopes
        self._workspace = await installations.meet(
            self._database,
            told["team_id"],
            name=told.get("team") or "Slack",
            bot_user_id=told["user_id"],
            now=SystemClock().now(),
        )

    async def workspaces(self) -> Sequence[Workspace]:
        return [self._workspace] if self._workspace is not None else []

    async def find(self, workspace_id: str, enterprise_id: str = "") -> Workspace | None:
        is_ours = self._workspace is not None and self._workspace.id == workspace_id
        return self._workspace if is_ours else None

    async def token(self, workspace_id: str) -> str:
        return self._bot_token

    def scopes(self, workspace_id: str) -> frozenset[str]:
        return self._scopes

    async def heard(self, event: Incoming) -> None:
        """Its token is a setting: whoever removes Steward from Slack stops it, too."""

    async def heard_from(self, workspace_id: str) -> None:
        """It is here whatever comes."""

    async def watch(self) -> None:
        """Whoever started it will see."""

    async def close(self) -> None:
        """There is nothing to let go of."""
