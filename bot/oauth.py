"""The pages through which people install Steward: what it asks for, the way to Slack, and the way back.

Every way has a state of its own: 256 bits that only the browser holds, in a cookie; here stands their SHA-256. It is
used up by the first who comes back with it, within ten minutes and from that browser. Whatever else arrives is answered
with a page that says what to do, in sentences that are written here and hold nothing of the request.
"""

import asyncio
import base64
import hashlib
import hmac
import logging
import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from html import escape
from string import Template
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.granting import Incomplete
from bot.installed import InstalledWorkspaces
from bot.manifest import OPTIONAL_SCOPES, SCOPES
from bot.settings import is_loopback
from bot.slack_port import SlackError, SlackRefused
from models import installations
from models.clock import Clock, SystemClock
from models.database import Database
from models.database_errors import DatabaseBusy
from models.tables import Installation

log = logging.getLogger(__name__)

INSTALL, BACK = "/slack/install", "/slack/oauth_redirect"
COOKIE, COOKIE_PATH = "steward-install", "/slack"
STATE_BYTES = 32
STATE_LIFETIME = timedelta(minutes=10)
# Neither a code nor a state of Slack's and ours is longer.
VALUE_MAX = 500
# What Slack refuses because of how Steward was set up, and not because of what somebody did.
SET_UP_WRONG = frozenset({"invalid_client_id", "bad_client_secret", "bad_redirect_uri", "no_scopes"})

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem;color:#1d1c1d}"
    "h1{font-size:1.5rem}button{font:inherit;padding:.6rem 1.2rem;border:0;border-radius:4px;background:#1f4d3a;"
    "color:#fff;cursor:pointer}code{font-size:.9em}"
)
PAGE = Template(
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>$title</title>'
    '<meta name="viewport" content="width=device-width,initial-scale=1"><style>$style</style></head>'
    "<body><main><h1>$title</h1>$body</main></body></html>"
)
AGAIN = f'<p><a href="{INSTALL}">Begin again</a></p>'


class Installing:
    """The pages, for one Slack app."""

    def __init__(
        self,
        database: Database,
        installed: InstalledWorkspaces,
        *,
        client_id: str,
        public_url: str,
        authorize_url: str,
        clock: Clock | None = None,
    ) -> None:
        self._database = database
        self._installed = installed
        self._client_id = client_id
        self._redirect_uri = f"{public_url}{BACK}"
        self._authorize_url = authorize_url
        self._clock = clock or SystemClock()
        self._is_secure = not is_loopback(public_url)
        # Whoever is out there may ask for a state as often as they like, and must not crowd the database.
        self._one_at_a_time = asyncio.Lock()

    def routes(self) -> Sequence[Route]:
        """For the web application."""
        return [
            Route(INSTALL, self._introduce, methods=["GET"]),
            Route(INSTALL, self._begin, methods=["POST"]),
            Route(BACK, self._finish, methods=["GET"]),
        ]

    async def _introduce(self, request: Request) -> Response:
        """What Steward is and asks for, with a button; the same for everybody."""
        return self._page("Install Steward in Slack", _introduction(), cacheable=True)

    async def _begin(self, request: Request) -> Response:
        """Send the browser to Slack with a new state."""
        state = secrets.token_urlsafe(STATE_BYTES)
        now = self._clock.now()
        try:
            async with self._one_at_a_time:
                has_begun = await installations.begin(
                    self._database, _digest(state), now=now, expires_at=now + STATE_LIFETIME
                )
        except DatabaseBusy:
            has_begun = False
        if not has_begun:
            return self._refusal("Steward is busy", "Please try again in a few minutes.")
        asked = {
            "client_id": self._client_id,
            "scope": ",".join(SCOPES),
            "state": state,
            "redirect_uri": self._redirect_uri,
        }
        answer = RedirectResponse(f"{self._authorize_url}?{urlencode(asked)}", 303, self._headers())
        answer.set_cookie(
            COOKIE,
            state,
            max_age=int(STATE_LIFETIME.total_seconds()),
            path=COOKIE_PATH,
            secure=self._is_secure,
            httponly=True,
            samesite="lax",
        )
        return answer

    async def _finish(self, request: Request) -> Response:
        """Slack sent the browser back: install, or say why not."""
        told = request.query_params
        if "error" in told:
            log.info("an installation was not allowed in Slack")
            return self._refusal(
                "Nothing was installed", "It was not allowed in Slack. If you may not install apps there, ask an admin."
            )
        code, state = (_one(told.getlist(name)) for name in ("code", "state"))
        held = request.cookies.get(COOKIE, "")
        if not code or not state or not hmac.compare_digest(state.encode(), held.encode()):
            return self._refusal(
                "Nothing was installed",
                "This is not the browser in which the installation began, or it keeps no cookies of this page. Begin "
                "and finish in the same one.",
            )
        try:
            answer = await self._installed_with(code, state)
        except DatabaseBusy:
            answer = self._refusal("Nothing was installed", "Steward is busy. Please try again in a moment.")
        answer.delete_cookie(COOKIE, path=COOKIE_PATH, secure=self._is_secure, httponly=True, samesite="lax")
        return answer

    async def _installed_with(self, code: str, state: str) -> Response:
        async with self._one_at_a_time:
            is_good = await installations.finish(self._database, _digest(state), now=self._clock.now())
        if not is_good:
            return self._refusal(
                "This way was used before",
                "It works once, within ten minutes. If Steward is among the apps in your Slack by now, all is well; "
                "otherwise begin again.",
            )
        try:
            installation = await self._installed.install(code, redirect_uri=self._redirect_uri)
        except Incomplete as reason:
            log.warning("an installation was incomplete")
            return self._refusal("Nothing was installed", escape(str(reason)))
        except SlackError as error:
            log.warning("an installation failed: %s", error.code)
            return self._refusal("Nothing was installed", _why(error))
        log.info("Steward was installed in %s", installation.id)
        return self._page("Steward is installed", _welcome(installation))

    def _refusal(self, title: str, sentence: str) -> Response:
        """`sentence` is HTML."""
        return self._page(title, f"<p>{sentence}</p>{AGAIN}", status=400)

    def _page(self, title: str, body: str, *, status: int = 200, cacheable: bool = False) -> Response:
        """`body` is HTML, and `title` one of ours."""
        shown = PAGE.substitute(title=title, style=STYLE, body=body)
        return HTMLResponse(shown, status, self._headers(cacheable=cacheable))

    def _headers(self, *, cacheable: bool = False) -> Mapping[str, str]:
        to = urlsplit(self._authorize_url)
        style = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
        # A form that is answered with the way to Slack leads there by the same rule.
        policy = (
            f"default-src 'none'; style-src 'sha256-{style}'; form-action 'self' {to.scheme}://{to.netloc}; "
            "base-uri 'none'; frame-ancestors 'none'"
        )
        return {
            "Content-Security-Policy": policy,
            "Cache-Control": "max-age=300" if cacheable else "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }


def _introduction() -> str:
    asked = "".join(
        f"<li><code>{escape(scope)}</code>{' (optional)' if scope in OPTIONAL_SCOPES else ''}: {escape(why)}</li>"
        for scope, why in SCOPES.items()
    )
    return (
        "<p>Steward is the project coordinator that lives in Slack: it keeps a project's risks, actions, issues and "
        "decisions, asks and reminds people, and tells how the project stands.</p>"
        f'<form method="post" action="{INSTALL}"><button>Add to Slack</button></form>'
        f"<p>Slack asks you next whether Steward may have these permissions:</p><ul>{asked}</ul>"
    )


def _welcome(installation: Installation) -> str:
    return (
        f"<p>It is in <strong>{escape(installation.name)}</strong> now. In Slack, type <code>/steward help</code> in "
        "any channel. You can close this page.</p>"
    )


def _why(error: SlackError) -> str:
    """What to do about Slack's refusal to exchange the code, as HTML."""
    if error.code in SET_UP_WRONG:
        return (
            "Slack does not take Steward for the app that it says it is. Tell whoever runs this Steward to compare "
            "<code>SLACK_CLIENT_ID</code>, <code>SLACK_CLIENT_SECRET</code> and <code>PUBLIC_URL</code> with the app's "
            "page in Slack."
        )
    if isinstance(error, SlackRefused):
        return "Slack's leave to install was too old, or used before. Please begin again."
    return "Slack did not answer. Please begin again in a few minutes."


def _one(values: Sequence[str]) -> str:
    """The value, where there is one and it can be one; else nothing."""
    return values[0] if len(values) == 1 and len(values[0]) <= VALUE_MAX else ""


def _digest(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()
