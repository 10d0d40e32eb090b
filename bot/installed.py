"""Every workspace that installed Steward: which are served, and what Slack tells about them coming and going."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from bot import granting, removal
from bot.incoming import Incoming
from bot.lookout import Known, Lookout, is_workspace
from bot.sealing import Seal
from bot.slack_port import SlackWebApi
from bot.tokens import TokenKeeper
from bot.unheard import AsBot, UnheardRemovals
from models import installations
from models.clock import Clock, SystemClock
from models.database import Database
from models.shielding import shielded
from models.tables import Installation, Workspace

log = logging.getLogger(__name__)


class InstalledWorkspaces:
    """The workspaces that installed Steward, see `Access`.

    `as_app` is Slack's Web API as the app itself, and `as_bot` gives it with a bot's token. `clock` is the product's,
    `wall` the machine's, for leases.
    """

    def __init__(
        self,
        database: Database,
        seal: Seal,
        as_app: SlackWebApi,
        as_bot: AsBot,
        *,
        clock: Clock | None = None,
        wall: Clock | None = None,
    ) -> None:
        self._database = database
        self._seal = seal
        self._as_app = as_app
        self._clock = clock or SystemClock()
        self._lookout = Lookout(database)
        self._tokens = TokenKeeper(database, self._lookout, seal, as_app, clock=self._clock, wall=wall or SystemClock())
        self._unheard = UnheardRemovals(database, self._lookout, seal, as_bot, clock=self._clock)

    async def open(self) -> None:
        """Look at what is stored. Raises CannotOpen when any token of it does not open with our keys."""
        for installation in (await self._lookout.look()).with_tokens():
            self._seal.open(installation)

    async def close(self) -> None:
        """See out what is being exchanged, and let go of Slack."""
        await self.settle()
        await self._as_app.close()

    async def settle(self) -> None:
        """See out what is being exchanged."""
        await self._tokens.settle()

    async def workspaces(self) -> Sequence[Workspace]:
        """Every workspace in which Steward does something by itself now: not where Slack refuses that."""
        known = await self._lookout.recent()
        all_served = [served for each in known.workspaces if (served := known.served(each))]
        return [served[0] for served in all_served if all(each.refused_since is None for each in served)]

    async def find(self, workspace_id: str, enterprise_id: str = "") -> Workspace | None:
        """The workspace that a request names, of that organisation if of any; None when it is not served.

        One that is asked for the first time is met here.
        """
        if (served := (await self._lookout.recent()).served(workspace_id)) is not None:
            return served[0]
        known = await self._lookout.look_closer()
        if known.served(workspace_id) is None and (installation := known.covering(workspace_id, enterprise_id)):
            known = await self._meet(workspace_id, installation)
        served = known.served(workspace_id)
        return served[0] if served is not None else None

    async def token(self, workspace_id: str) -> str:
        """The bot token for a call made now, see `TokenKeeper.token`."""
        return await self._tokens.token(workspace_id)

    def scopes(self, workspace_id: str) -> frozenset[str]:
        """What was granted when it was installed."""
        served = self._lookout.known.served(workspace_id)
        return frozenset(served[1].scopes.split(",")) if served is not None else frozenset()

    async def install(self, code: str, *, redirect_uri: str) -> Installation:
        """Exchange the code that Slack gave whoever installs Steward for tokens, store them, and serve the workspace.

        Raises SlackError when Slack does not take the code, and Incomplete.
        """
        installation, tokens = await granting.granted(self._as_app, code, redirect_uri=redirect_uri, clock=self._clock)
        installation.sealed_tokens = self._seal.seal(installation.id, tokens)
        await shielded(self._install(installation))
        return installation

    async def heard_from(self, workspace_id: str) -> None:
        """Somebody uses Steward there, so it was not removed."""
        served = self._lookout.known.served(workspace_id)
        if served is not None:
            await self._unheard.trust(*served)

    async def watch(self) -> None:
        """Find out where Steward was removed without our hearing of it, until cancelled."""
        await self._unheard.watch()

    async def heard(self, event: Incoming) -> None:
        """Slack tells that Steward was removed somewhere, or may be used somewhere else; in any order, also twice."""
        named = event.payload.get("team_ids")
        team_ids = [each for each in named if is_workspace(each)] if isinstance(named, list) else []
        match event.name:
            case "app_uninstalled":
                await self._uninstalled(event)
            case "tokens_revoked" if _has_bot(event.payload.get("tokens")):
                # They may be older ones of the same bot. Where it is the end, the other event tells of it too.
                await self._uninstalled(event, if_refused=True)
            case "team_access_granted":
                known = await self._lookout.look()
                wide = known.installation(event.enterprise_id)
                for team_id in team_ids:
                    if wide is not None and known.installation(team_id) is None:
                        await self._meet(team_id, wide)
            case "team_access_revoked":
                for team_id in team_ids:
                    await self._leave(team_id, event.enterprise_id, is_taken=True)
        await self._lookout.look()

    async def _install(self, installation: Installation) -> None:
        await installations.save(self._database, installation)
        if installation.id == installation.enterprise_id:
            await self._lookout.look()
        else:
            await self._meet(installation.id, installation)

    async def _meet(self, workspace_id: str, installation: Installation) -> Known:
        """Begin to serve the workspace, or serve it again, with what it stored before if that is still there."""
        await installations.meet(
            self._database,
            workspace_id,
            name=installation.name,
            bot_user_id=installation.bot_user_id,
            now=self._clock.now(),
            installation_id=installation.id,
            # An organisation's name is not that of its workspaces.
            renames=installation.id == workspace_id,
        )
        known = await self._lookout.look()
        if known.installation(installation.id) is None:
            # It was removed while we looked the other way.
            await self._leave(workspace_id, installation.id)
            known = await self._lookout.look()
        return known

    async def _leave(self, workspace_id: str, installation_id: str, *, is_taken: bool = False) -> None:
        now = self._clock.now()
        await installations.leave(self._database, workspace_id, installation_id, at=now, is_taken=is_taken)

    async def _uninstalled(self, event: Incoming, *, if_refused: bool = False) -> None:
        """Erase the tokens, unless Steward was installed anew since, and leave the workspaces."""
        known = await self._lookout.look()
        installation_id = event.workspace_id if event.workspace_id in known.installations else event.enterprise_id
        installation = known.installation(installation_id)
        if if_refused and installation is not None and not await self._unheard.refuses(installation):
            return
        if await removal.remove(self._database, installation_id, now=self._clock.now(), made_by=event.happened_at):
            log.warning("Steward was removed from %s", installation_id)


def _has_bot(tokens: Any) -> bool:
    return isinstance(tokens, Mapping) and bool(tokens.get("bot"))
