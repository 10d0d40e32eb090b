"""Slack Bolt, used for what it is good at: verifying, unwrapping, acknowledging. Everything else is the edge's.

`process_before_response` makes Bolt answer when the listener returns: no acknowledgement before the commit, and none of
the 10 ms polling of its default runner.
"""

import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot import incoming
from bot.carrier import Acknowledgement
from bot.incoming import Incoming

ANY = re.compile(".*")

Answer = Callable[[Incoming], Awaitable[Acknowledgement]]
# Who we are in the workspace and organisation that a request names; None where we are not.
BotUser = Callable[[str, str], Awaitable[str | None]]
Parse = Callable[[dict[str, Any]], Incoming]


def build(answer: Answer, bot_user: BotUser, *, signing_secret: str | None, api_url: str) -> AsyncApp:
    """A Bolt app of which every listener parses and hands over to `answer`. It gets no token: it makes no calls."""

    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        # From what we know, so that no request waits for auth.test; whoever answers leaves other workspaces alone.
        found = await bot_user(team_id or "", enterprise_id or "")
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_user_id=found)

    # Its warnings are of how it was built, or hold what somebody wrote.
    quiet = logging.getLogger("steward.bolt")
    quiet.setLevel(logging.ERROR)
    app = AsyncApp(
        # The logger of that name gets the level of the one below: "steward" alone would silence the sender.
        name=quiet.name,
        logger=quiet,
        process_before_response=True,
        signing_secret=signing_secret,
        request_verification_enabled=signing_secret is not None,
        authorize=authorize,
        client=AsyncWebClient(base_url=api_url, logger=quiet),
    )

    def listener(parse: Parse) -> Callable[..., Awaitable[None]]:
        async def listen(ack: AsyncAck, body: dict[str, Any]) -> None:
            acknowledgement = await answer(parse(body))
            await (ack() if acknowledgement is None else ack(**acknowledgement))

        return listen

    app.command(ANY)(listener(incoming.command))
    app.action(ANY)(listener(incoming.button))
    app.view(ANY)(listener(incoming.form))
    app.view_closed(ANY)(_acknowledge_only)
    app.shortcut(ANY)(listener(incoming.shortcut))
    app.options(ANY)(listener(incoming.options))
    app.event(ANY)(listener(incoming.event))
    return app


async def _acknowledge_only(ack: AsyncAck) -> None:
    await ack()
