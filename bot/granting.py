"""What Slack gives out for an installation: tokens for the code of somebody who installs Steward, and later for others.

Both are one call as the app itself, and an answer that is read here and nowhere else.
"""

import base64
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.sealing import Tokens
from bot.slack_port import SlackPort, SlackWebApi
from models.clock import Clock
from models.tables import Installation

METHOD = "oauth.v2.access"


class Incomplete(Exception):
    """Slack's answer to an installation is not one that Steward can work with; a sentence for who installed it."""


def slack_as_app(client_id: str, client_secret: str, api_url: str) -> SlackWebApi:
    """Slack's Web API as the app itself, for the calls that give out tokens."""
    pair = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
    return SlackWebApi(pair, api_url, scheme="Basic")


async def granted(as_app: SlackWebApi, code: str, *, redirect_uri: str, clock: Clock) -> tuple[Installation, Tokens]:
    """The installation that a code is good for, not sealed yet, and its tokens. Raises SlackError and Incomplete.

    It is made at the instant of Slack's clock, by which Slack tells of its end too; ours may be minutes away from that.
    """
    answer = await as_app.call(METHOD, code=code, redirect_uri=redirect_uri)
    now = clock.now()
    return _installation_in(answer, now, made_at=as_app.slack_time or now.replace(microsecond=0))


async def renewed(as_app: SlackPort, refresh_token: str | None, *, clock: Clock) -> tuple[Tokens, dict[str, Any]]:
    """The tokens that a refresh token is good for, and what else changes. Raises SlackError and Incomplete."""
    answer = await as_app.call(METHOD, grant_type="refresh_token", refresh_token=refresh_token)
    tokens, expires_at = _tokens_in(answer, clock.now())
    if not tokens.access or expires_at is None:
        raise Incomplete("Slack answered without new tokens.")
    scopes = {"scopes": _text(answer, "scope")} if _text(answer, "scope") else {}
    return tokens, {"expires_at": expires_at, **scopes}


def _installation_in(answer: Mapping[str, Any], now: datetime, *, made_at: datetime) -> tuple[Installation, Tokens]:
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
        installed_at=made_at,
    )
    return installation, tokens


def _tokens_in(answer: Mapping[str, Any], now: datetime) -> tuple[Tokens, datetime | None]:
    seconds = answer.get("expires_in")
    expires_at = now + timedelta(seconds=seconds) if isinstance(seconds, int) and 0 < seconds < 10**9 else None
    refresh = _text(answer, "refresh_token") or None
    if (refresh is None) != (expires_at is None):
        raise Incomplete("Slack did not say how long its token is good, so nothing was stored. Please try again.")
    return Tokens(_text(answer, "access_token"), refresh), expires_at


def _part(answer: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    part = answer.get(key)
    return part if isinstance(part, Mapping) else {}


def _text(answer: Mapping[str, Any], key: str) -> str:
    value = answer.get(key)
    return value if isinstance(value, str) else ""
