"""One workspace as this process serves it: its way to Slack, its people and channels, its Home tabs and its edge."""

from collections.abc import Callable

from bot.background import Background
from bot.carrier import Carrier
from bot.edge import Edge
from bot.homes import HomePublisher
from bot.responder import Responder
from bot.slack_directory import SlackDirectory
from bot.slack_files import SlackFiles
from bot.slack_port import SlackWebApi, Token
from models import outbox
from models.clock import Clock
from models.database import Database
from models.tables import Workspace


class Served:
    """The parts that belong to one workspace. What all workspaces share is handed in."""

    def __init__(
        self,
        workspace: Workspace,
        token: Token,
        scopes: frozenset[str],
        *,
        api_url: str,
        database: Database,
        clock: Clock,
        responder: Responder,
        background: Background,
        committed: Callable[[], None],
        pace_seconds: float,
        patience_seconds: float,
    ) -> None:
        self.workspace = workspace
        self.port = SlackWebApi(token, api_url)
        self.port.scopes = scopes
        self.directory = SlackDirectory(database, self.port, clock, workspace)
        self.homes = HomePublisher(
            database, self.port, clock, workspace.id, self.directory, gather_seconds=pace_seconds / 4
        )
        self._database = database
        self._clock = clock
        self._committed = committed
        carrier = Carrier(
            port=self.port,
            responder=responder,
            homes=self.homes,
            background=background,
            owe_word=self._owe_word,
        )
        self.edge = Edge(
            database=database,
            clock=clock,
            workspace=workspace,
            slack_directory=self.directory,
            files=SlackFiles(self.port, token, api_url),
            scopes=lambda: self.port.scopes,
            homes=self.homes,
            carrier=carrier,
            background=background,
            committed=committed,
            patience_seconds=patience_seconds,
        )

    @property
    def scopes(self) -> frozenset[str]:
        """What Slack lets us do in the workspace, as far as it has said."""
        return self.port.scopes

    async def freshen(self, target: str) -> None:
        """Read anew what the rights of whoever gets a message hang on."""
        await self.directory.freshen(target)

    async def stop(self, grace_seconds: float) -> None:
        """Finish what is being drawn and read, for a while, and let go of the connections."""
        await self.homes.stop(grace_seconds)
        await self.directory.settle()
        await self.port.close()

    async def _owe_word(self, person_id: str, key: str, sentence: str) -> None:
        """Owe a person a direct message, once for that key."""
        async with self._database.unit(self.workspace.id) as session:
            await outbox.put(
                session,
                "word",
                key=f"word:{key}",
                target=person_id,
                payload={"sentence": sentence},
                due_at=self._clock.now(),
            )
        self._committed()
