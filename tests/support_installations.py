"""Installations as tests make them, and a Slack that gives out tokens as the test says."""

import asyncio
from collections import deque
from datetime import datetime
from itertools import count
from typing import Any

from bot.slack_port import SlackError, SlackPermanent
from models.tables import Installation
from tests.support import NOW


def an_installation(id: str = "T0001", **fields: Any) -> Installation:
    """Steward in one workspace; any field can be given."""
    defaults: dict[str, Any] = {
        "name": "Northwind",
        "app_id": "A0001",
        "bot_user_id": "UBOT",
        "scopes": "chat:write,commands",
        "installed_by": "UANA",
        "installed_at": NOW,
    }
    return Installation(id=id, **(defaults | fields))


def an_answer(team_id: str | None = "T0001", *, enterprise_id: str | None = None, **fields: Any) -> dict[str, Any]:
    """What Slack answers to a good code; without a team for a whole organisation."""
    return {
        "ok": True,
        "access_token": "xoxb-hunter2",
        "token_type": "bot",
        "scope": "chat:write,commands",
        "bot_user_id": "UBOT",
        "app_id": "A0001",
        "team": {"id": team_id, "name": "Northwind"} if team_id else None,
        "enterprise": {"id": enterprise_id, "name": "Northwind Group"} if enterprise_id else None,
        "is_enterprise_install": team_id is None,
        "authed_user": {"id": "UANA"},
    } | fields


class TokenGiver:
    """Slack as the app itself sees it: every code is good, and every refresh token once. `slack_time` is its clock.

    What `auth.test` says of a bot's token stands in `of_bots`; without that it is the token of an app that was removed.
    `granted` are an organisation's workspaces in which it may be used, unless what is `listed` is its answer.
    """

    def __init__(self) -> None:
        self.slack_time: datetime | None = None
        self.of_bots: dict[str, SlackError | None] = {}
        self.granted: list[str] = []
        self.listed: dict[str, Any] | None = None
        self.calls: list[dict[str, Any]] = []
        self.answers: deque[dict[str, Any] | SlackError] = deque()
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.called = asyncio.Event()
        self._numbers = count(1)

    async def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        assert method == "oauth.v2.access"
        self.calls.append(arguments)
        self.called.set()
        await self.may_answer.wait()
        if self.answers:
            answer = self.answers.popleft()
            if isinstance(answer, SlackError):
                raise answer
            return answer
        if "refresh_token" not in arguments:
            return an_answer()
        number = next(self._numbers)
        renewed = {"access_token": f"xoxe.xoxb-{number}", "refresh_token": f"xoxe-{number}", "expires_in": 43_200}
        return an_answer(**renewed)

    async def close(self) -> None:
        """As the real one."""

    def as_bot(self, token: str) -> Any:
        """Slack as the bot with that token sees it."""
        return _Bot(self, token)


class _Bot:
    def __init__(self, slack: TokenGiver, token: str) -> None:
        self._slack = slack
        self._token = token

    async def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        assert method in ("auth.test", "auth.teams.list")
        error = self._slack.of_bots.get(self._token, SlackPermanent("account_inactive"))
        if error is not None:
            raise error
        listed = self._slack.listed
        return {"ok": True} | ({"teams": [{"id": each} for each in self._slack.granted]} if listed is None else listed)

    async def close(self) -> None:
        """As the real one."""
