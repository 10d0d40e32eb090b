"""Every workspace that installed Steward: which they are, the token for each, and what Slack tells about them going.

What is stored is read every few seconds and kept in memory, so that no request asks the database for it. Tokens that
expire are exchanged for new ones well before: by one process, which holds a lease on the row, and stored before anybody
uses them.
"""

import asyncio
import base64
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.incoming import Incoming
from bot.sealing import CannotOpen, Seal, Tokens
from bot.slack_port import REQUEST_TIMEOUT_SECONDS, SlackError, SlackNotSent, SlackPermanent, SlackWebApi
from models import installations
from models.clock import Clock, SystemClock
from models.database import Database, shielded
from models.database_errors import DatabaseBusy
from models.installations import Rows
from models.tables import Installation, Workspace
from scheduler import deliveries

log = logging.getLogger(__name__)

# What another process changed is seen here after so long; sooner for a workspace that is not known.
LOOK_SECONDS = 15.0
MISS_SECONDS = 1.0
# For so long a look may take whose answer is known from before.
AWAY_SECONDS = 1.0
# Slack's tokens that expire live twelve hours.
EXCHANGE_BEFORE = timedelta(hours=2)
# A token with less than this left is not used for a call any more.
LEAST_LEFT = timedelta(seconds=30)
# How long one process has an exchange for itself: its call and what surrounds it.
LEASE = timedelta(seconds=6 * REQUEST_TIMEOUT_SECONDS)
# After an exchange that failed, the next try.
PAUSE = timedelta(seconds=30)
# New tokens that could not be stored are tried again after so long.
STORE_AGAIN_SECONDS = 1.0
# Where the token cannot be used any more, a call waits so long for the exchange.
WAIT_SECONDS = 5.0
WAIT_STEP_SECONDS = 0.2

NOT_INSTALLED = "not_installed"


class Incomplete(Exception):
    """Slack's answer to an installation is not one that Steward can work with; a sentence for who installed it."""


def slack_as_app(client_id: str, client_secret: str, api_url: str) -> SlackWebApi:
    """Slack's Web API as the app itself, for the calls that give out tokens."""
    pair = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
    return SlackWebApi(pair, api_url, scheme="Basic")


@dataclass(frozen=True)
class _Known:
    """What is stored, as of one look at it."""

    installations: Mapping[str, Installation]
    workspaces: Mapping[str, Workspace]

    @classmethod
    def of(cls, rows: Rows) -> "_Known":
        installed, workspaces = installations.read(rows)
        return cls({each.id: each for each in installed}, {each.id: each for each in workspaces})

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

    def covering(self, workspace_id: str, enterprise_id: str) -> Installation | None:
        """The installation by which a workspace may be served: its own, or else its organisation's.

        An organisation that took Steward away from a workspace has to say that it gives it back.
        """
        if not _is_workspace(workspace_id):
            return None
        own = self.installation(workspace_id)
        if own is not None:
            return own
        wide, workspace = self.installation(enterprise_id), self.workspaces.get(workspace_id)
        if wide is None or workspace is None or workspace.installation_id != wide.id or workspace.removed_at is None:
            return wide
        return wide if workspace.removed_at < wide.installed_at else None


class InstalledWorkspaces:
    """The workspaces that installed Steward, see `Access`. `as_app` is Slack's Web API as the app itself.

    `clock` is the product's, `wall` the machine's, for leases.
    """

    def __init__(
        self,
        database: Database,
        seal: Seal,
        as_app: SlackWebApi,
        *,
        clock: Clock | None = None,
        wall: Clock | None = None,
    ) -> None:
        self._database = database
        self._seal = seal
        self._as_app = as_app
        self._clock = clock or SystemClock()
        self._wall = wall or SystemClock()
        self._rows: Rows | None = None
        self._known = _Known({}, {})
        self._looked_at = float("-inf")
        self._looking = asyncio.Lock()
        self._opened: dict[str, tuple[str | None, Tokens]] = {}
        self._exchanging: dict[str, asyncio.Task[None]] = {}

    async def open(self) -> None:
        """Look at what is stored. Raises CannotOpen when any token of it does not open with our keys."""
        for installation in (await self._look()).installations.values():
            if installation.removed_at is None:
                self._tokens(installation)

    async def close(self) -> None:
        """See out what is being exchanged: a token that Slack gave out and nobody stored would be lost."""
        if self._exchanging:
            await asyncio.wait(set(self._exchanging.values()))
        await self._as_app.close()

    async def workspaces(self) -> Sequence[Workspace]:
        """Every workspace that is served now."""
        known = await self._recent()
        return [served[0] for each in known.workspaces if (served := known.served(each))]

    async def find(self, workspace_id: str, enterprise_id: str = "") -> Workspace | None:
        """The workspace that a request names, of that organisation if of any; None when it is not served.

        One that is asked for the first time is met here.
        """
        if (served := (await self._recent()).served(workspace_id)) is not None:
            return served[0]
        known = await self._look(MISS_SECONDS)
        if known.served(workspace_id) is None and (installation := known.covering(workspace_id, enterprise_id)):
            known = await self._meet(workspace_id, installation)
        served = known.served(workspace_id)
        return served[0] if served is not None else None

    async def token(self, workspace_id: str) -> str:
        """The bot token for a call made now.

        Raises SlackPermanent for a workspace that is not served, and SlackNotSent while there is no good token.
        """
        installation = _used_in(workspace_id, await self._recent())
        if not self._is_due(installation):
            return self._usable(installation)
        exchanging = self._exchange_soon(installation)
        if not self._is_over(installation):
            return self._usable(installation)
        if exchanging is not None:
            await asyncio.shield(exchanging)
        return self._usable(await self._exchanged_elsewhere(workspace_id))

    def scopes(self, workspace_id: str) -> frozenset[str]:
        """What was granted when it was installed."""
        served = self._known.served(workspace_id)
        return frozenset(served[1].scopes.split(",")) if served is not None else frozenset()

    async def install(self, code: str, *, redirect_uri: str) -> Installation:
        """Exchange the code that Slack gave whoever installs Steward for tokens, store them, and serve the workspace.

        Raises SlackError when Slack does not take the code, and Incomplete.
        """
        answer = await self._as_app.call("oauth.v2.access", code=code, redirect_uri=redirect_uri)
        installation, tokens = granted(answer, now=self._clock.now())
        installation.sealed_tokens = self._seal.seal(installation.id, tokens)
        await shielded(self._install(installation))
        return installation

    async def heard(self, event: Incoming) -> None:
        """Slack tells that Steward was removed somewhere, or may be used somewhere else; in any order, also twice."""
        named = event.payload.get("team_ids")
        team_ids = [each for each in named if _is_workspace(each)] if isinstance(named, list) else []
        match event.name:
            case "app_uninstalled":
                await self._uninstalled(event)
            case "tokens_revoked" if _has_bot(event.payload.get("tokens")):
                await self._uninstalled(event)
            case "team_access_granted":
                known = await self._look()
                wide = known.installation(event.enterprise_id)
                for team_id in team_ids:
                    if wide is not None and known.installation(team_id) is None:
                        await self._meet(team_id, wide)
            case "team_access_revoked":
                for team_id in team_ids:
                    await self._leave(team_id, event.enterprise_id)
        await self._look()

    # ---- what is stored

    async def _recent(self) -> _Known:
        """What is stored as of a few seconds ago, or as it was known while the database is away, hangs or is asked."""
        if self._rows is None:
            return await self._look(LOOK_SECONDS)
        if self._looking.locked():
            return self._known
        try:
            async with asyncio.timeout(AWAY_SECONDS):
                return await self._look(LOOK_SECONDS)
        except (DatabaseBusy, TimeoutError):
            # Whoever needs the database for more than this hears of it there. One a second tries again.
            self._looked_at = asyncio.get_running_loop().time() - LOOK_SECONDS + MISS_SECONDS
            return self._known

    async def _look(self, not_older_seconds: float = 0.0) -> _Known:
        """What is stored, as it is now or was at most so long ago."""
        if self._age() > not_older_seconds:
            asked_at = asyncio.get_running_loop().time()
            async with self._looking:
                # Whoever waited for another's look that began after their own question has its answer.
                if self._looked_at < asked_at:
                    began = asyncio.get_running_loop().time()
                    rows = await installations.rows(self._database)
                    if rows != self._rows:
                        self._rows, self._known = rows, _Known.of(rows)
                        # Tokens that were erased are not kept in memory either.
                        self._opened = {id: held for id, held in self._opened.items() if self._known.installation(id)}
                    self._looked_at = began
        return self._known

    def _age(self) -> float:
        return asyncio.get_running_loop().time() - self._looked_at

    async def _install(self, installation: Installation) -> None:
        await installations.save(self._database, installation)
        if installation.id == installation.enterprise_id:
            await self._look()
        else:
            await self._meet(installation.id, installation)

    async def _meet(self, workspace_id: str, installation: Installation) -> _Known:
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
        known = await self._look()
        if known.installation(installation.id) is None:
            # It was removed while we looked the other way.
            await self._leave(workspace_id, installation.id)
            known = await self._look()
        return known

    async def _leave(self, workspace_id: str, installation_id: str) -> None:
        """Serve the workspace no more, if it was by that installation: nothing that is owed goes out any more."""
        async with self._database.unit(workspace_id) as session:
            workspace = await session.get(Workspace, workspace_id)
            if workspace is not None and workspace.installation_id == installation_id and workspace.removed_at is None:
                workspace.removed_at = self._clock.now()
                await deliveries.cancel_all(session, reason=NOT_INSTALLED)

    async def _uninstalled(self, event: Incoming) -> None:
        """Erase the tokens, unless Steward was installed anew since, and leave the workspaces."""
        is_own = event.workspace_id in (await self._look()).installations
        installation_id = event.workspace_id if is_own else event.enterprise_id
        # Slack tells the time in whole seconds.
        before = event.happened_at + timedelta(seconds=1) if event.happened_at else datetime.max.replace(tzinfo=UTC)
        if not await installations.remove(self._database, installation_id, before=before, now=self._clock.now()):
            return
        log.warning("Steward was removed from %s", installation_id)
        # Looked at only now: whoever meets a workspace from here on finds that its installation is gone.
        for workspace in (await self._look()).workspaces.values():
            if workspace.installation_id == installation_id:
                await self._leave(workspace.id, installation_id)

    # ---- tokens

    def _tokens(self, installation: Installation) -> Tokens:
        opened = self._opened.get(installation.id)
        if opened is None or opened[0] != installation.sealed_tokens:
            opened = self._opened[installation.id] = (installation.sealed_tokens, self._seal.open(installation))
        return opened[1]

    def _usable(self, installation: Installation) -> str:
        """The token for a call. Raises SlackNotSent where another process has sealed it with a key that we lack."""
        try:
            return self._tokens(installation).access
        except CannotOpen as reason:
            log.error("nothing can be sent: %s", reason)
            raise SlackNotSent("token_does_not_open", PAUSE.total_seconds()) from None

    def _is_due(self, installation: Installation) -> bool:
        return installation.expires_at is not None and installation.expires_at - self._clock.now() < EXCHANGE_BEFORE

    def _is_over(self, installation: Installation) -> bool:
        return installation.expires_at is not None and installation.expires_at - self._clock.now() < LEAST_LEFT

    def _exchange_soon(self, installation: Installation) -> asyncio.Task[None] | None:
        """The exchange of these tokens that is under way here; None while another process has it, or it must wait."""
        task = self._exchanging.get(installation.id)
        held_until = installation.refreshing_until
        if task is None and (held_until is None or held_until <= self._wall.now()):
            task = asyncio.create_task(self._exchange(installation), name=f"exchanging the token of {installation.id}")
            self._exchanging[installation.id] = task
            task.add_done_callback(lambda _: self._exchanging.pop(installation.id))
        return task

    async def _exchange(self, installation: Installation) -> None:
        """Exchange the tokens for new ones, if nobody else does; never raises."""
        wall = self._wall.now()
        try:
            if await installations.lease(self._database, installation, wall=wall, until=wall + LEASE):
                await self._exchange_leased(installation)
            await self._look()
        except Exception:
            log.exception("the token of %s could not be exchanged", installation.id)

    async def _exchange_leased(self, installation: Installation) -> None:
        held = self._tokens(installation)
        try:
            answer = await self._as_app.call("oauth.v2.access", grant_type="refresh_token", refresh_token=held.refresh)
            tokens, others = _renewed(answer, now=self._clock.now())
        except (SlackError, Incomplete) as error:
            code = getattr(error, "code", "incomplete_answer")
            log.warning("the token of %s could not be exchanged: %s", installation.id, code)
            values = {"refresh_error": code, "refreshing_until": self._wall.now() + PAUSE}
        else:
            sealed = self._seal.seal(installation.id, tokens)
            values = {"sealed_tokens": sealed, "refresh_error": None, "refreshing_until": None, **others}
        await self._stored(installation, values)

    async def _stored(self, installation: Installation, values: Mapping[str, Any]) -> None:
        """Store what came of an exchange, also where the database is away for a moment: Slack gives it only once."""
        gives_up_at = self._wall.now() + LEASE
        while True:
            try:
                await shielded(installations.renew(self._database, installation, **values))
            except Exception as error:
                if self._wall.now() >= gives_up_at:
                    raise
                log.warning("the new token of %s waits to be stored: %s", installation.id, type(error).__name__)
                await asyncio.sleep(STORE_AGAIN_SECONDS)
            else:
                return

    async def _exchanged_elsewhere(self, workspace_id: str) -> Installation:
        """The installation once its token can be used. Raises SlackNotSent when that takes too long."""
        loop = asyncio.get_running_loop()
        waits_until = loop.time() + WAIT_SECONDS
        while True:
            installation = _used_in(workspace_id, await self._look(WAIT_STEP_SECONDS / 2))
            if not self._is_over(installation):
                return installation
            if installation.refresh_error is not None or loop.time() >= waits_until:
                raise SlackNotSent("token_expired", PAUSE.total_seconds())
            await asyncio.sleep(WAIT_STEP_SECONDS)


def _used_in(workspace_id: str, known: _Known) -> Installation:
    """The installation whose token is used in the workspace. Raises SlackPermanent when it is not served."""
    served = known.served(workspace_id)
    if served is None:
        raise SlackPermanent(NOT_INSTALLED)
    return served[1]


def granted(answer: Mapping[str, Any], *, now: datetime) -> tuple[Installation, Tokens]:
    """The installation in Slack's answer to a code, and its tokens. Raises Incomplete."""
    team, enterprise, person = (_part(answer, key) for key in ("team", "enterprise", "authed_user"))
    is_wide = answer.get("is_enterprise_install") is True
    place = enterprise if is_wide else team
    if not _text(answer, "access_token") or answer.get("token_type") != "bot":
        raise Incomplete(
            "Slack gave Steward no token for its bot, so nothing was installed. Begin again from Steward's own page, "
            "which asks for all that is needed."
        )
    if not (_text(place, "id") and _text(answer, "bot_user_id") and _text(answer, "app_id") and _text(person, "id")):
        raise Incomplete("Slack did not say where Steward was installed, so nothing was stored. Please try again.")
    tokens, expires_at = _tokens_in(answer, now)
    installation = Installation(
        id=_text(place, "id"),
        name=_text(place, "name") or "Slack",
        enterprise_id=_text(enterprise, "id") or None,
        app_id=_text(answer, "app_id"),
        bot_user_id=_text(answer, "bot_user_id"),
        scopes=_text(answer, "scope"),
        expires_at=expires_at,
        installed_by=_text(person, "id"),
        installed_at=now,
    )
    return installation, tokens


def _renewed(answer: Mapping[str, Any], *, now: datetime) -> tuple[Tokens, dict[str, Any]]:
    """The tokens in Slack's answer to a refresh token, and what else changes. Raises Incomplete."""
    tokens, expires_at = _tokens_in(answer, now)
    if not tokens.access or expires_at is None:
        raise Incomplete("Slack answered without new tokens.")
    scopes = {"scopes": _text(answer, "scope")} if _text(answer, "scope") else {}
    return tokens, {"expires_at": expires_at, **scopes}


def _tokens_in(answer: Mapping[str, Any], now: datetime) -> tuple[Tokens, datetime | None]:
    seconds = answer.get("expires_in")
    expires_at = now + timedelta(seconds=seconds) if isinstance(seconds, int) and 0 < seconds < 10**9 else None
    refresh = _text(answer, "refresh_token") or None
    if (refresh is None) != (expires_at is None):
        raise Incomplete("Slack did not say how long its token is good, so nothing was stored. Please try again.")
    return Tokens(_text(answer, "access_token"), refresh), expires_at


def _is_workspace(slack_id: Any) -> bool:
    """Whether the id is a workspace's; where Slack names an organisation instead, it begins with E."""
    return isinstance(slack_id, str) and slack_id.startswith("T")


def _has_bot(tokens: Any) -> bool:
    return isinstance(tokens, Mapping) and bool(tokens.get("bot"))


def _part(answer: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    part = answer.get(key)
    return part if isinstance(part, Mapping) else {}


def _text(answer: Mapping[str, Any], key: str) -> str:
    value = answer.get(key)
    return value if isinstance(value, str) else ""
