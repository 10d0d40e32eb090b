"""The one way to Slack's Web API. One call is one try: whether to repeat it is for the caller to decide.

Every result is an answer or one of four refusals that say what is known: nothing happened (`SlackNotSent`), nobody
knows (`SlackUnknown`), it can never work like this (`SlackPermanent`), or Slack declined for another reason
(`SlackRefused`).
"""

import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import Any, Literal, Protocol

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot import metrics
from bot.settings import is_loopback

# The token for the call that is about to be made. Raises SlackPermanent where there is none.
Token = Callable[[], Awaitable[str]]

REQUEST_TIMEOUT_SECONDS = 10.0
CONNECT_TIMEOUT_SECONDS = 5.0
# So many are asked for at once, of what Slack lists.
PAGE = 200

RATE_LIMITED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
# Slack's own failures in the middle of the work, which may be half done.
HALF_DONE = frozenset({"internal_error", "fatal_error", "service_unavailable"})
PERMANENT = frozenset(
    {
        "is_archived",
        "not_in_channel",
        "channel_not_found",
        "account_inactive",
        "token_revoked",
        "token_expired",
        "invalid_auth",
        "not_authed",
        "missing_scope",
        "not_allowed_token_type",
        "no_permission",
        "access_denied",
        "msg_too_long",
        "msg_blocks_too_long",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_only_channel",
        "restricted_action_non_threadable_channel",
        "restricted_action_thread_locked",
        "message_not_found",
        "cant_update_message",
        "edit_window_closed",
        "is_inactive",
        "user_not_found",
        "user_disabled",
        "user_not_visible",
        "user_not_in_channel",
        "cannot_reply_to_message",
        "thread_not_found",
        "cannot_dm_bot",
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_arguments",
        "invalid_metadata_format",
        "invalid_metadata_schema",
        "metadata_too_large",
        "no_text",
    }
)


class SlackError(Exception):
    """A call without a good answer; `code` is Slack's word for why, or ours where Slack said nothing."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class SlackNotSent(SlackError):
    """Surely nothing happened; trying again is safe, after `retry_after` seconds where Slack named a time."""

    def __init__(self, code: str, retry_after: float | None = None) -> None:
        super().__init__(code)
        self.retry_after = retry_after


class SlackUnknown(SlackError):
    """The request may have been carried out: the answer was lost, late or unreadable."""


class SlackRefused(SlackError):
    """Slack declined and nothing happened; `messages` are its explanations."""

    def __init__(self, code: str, messages: tuple[str, ...] = ()) -> None:
        super().__init__(code)
        self.messages = messages


class SlackPermanent(SlackRefused):
    """A refusal that the same call meets every time."""


class SlackPort(Protocol):
    async def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        """Slack's answer to one call of a Web API method; None means not given. Raises a `SlackError`."""
        ...


async def pages(port: SlackPort, method: str, key: str, *, limit: int = PAGE, **arguments: Any) -> AsyncIterator[Any]:
    """Everything that the method lists under that key, page by page. Raises a `SlackError`."""
    cursor = ""
    while True:
        answer = await port.call(method, limit=limit, cursor=cursor or None, **arguments)
        listed = answer.get(key)
        if not isinstance(listed, list):
            # What is missing from a list counts as gone, so an answer without its list must not pass for an empty one.
            raise SlackUnknown(f"no_{key}")
        for each in listed:
            yield each
        cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            return


class SlackWebApi:
    """Slack's Web API over HTTP, as the app whose token it is; a function gives one that may change.

    With the scheme `Basic` the token is the app's own id and secret, as basic authentication writes them.

    Once it was called, `scopes` are those of the token, and `slack_time` is what Slack's clock showed with the answer.
    """

    def __init__(
        self,
        token: str | Token,
        base_url: str = "https://slack.com/api/",
        *,
        timeout: float = REQUEST_TIMEOUT_SECONDS,
        connect_timeout: float = CONNECT_TIMEOUT_SECONDS,
        scheme: Literal["Bearer", "Basic"] = "Bearer",
    ) -> None:
        # Its own level, since the library writes whole messages at DEBUG.
        quiet = logging.getLogger("steward.slack_sdk")
        quiet.setLevel(logging.WARNING)
        self._token = token
        self._scheme = scheme
        self._client = AsyncWebClient(base_url=base_url, timeout=int(timeout), retry_handlers=[], logger=quiet)
        if is_loopback(base_url):
            self._client.proxy = None
        self.scopes: frozenset[str] = frozenset()
        self.slack_time: datetime | None = None
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=connect_timeout)

    async def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        """See `SlackPort`. The whole call takes at most the timeout."""
        begun, code = monotonic(), "stopped"
        try:
            answer = await self._call(method, arguments)
            code = "ok"
            return answer
        except SlackError as error:
            code = error.code
            raise
        finally:
            metrics.SLACK_SECONDS.labels(method).observe(monotonic() - begun)
            metrics.SLACK_CALLS.labels(method, code).inc()

    async def _call(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        token = self._token if isinstance(self._token, str) else await self._token()
        self._open_session()
        try:
            headers = {"Authorization": f"{self._scheme} {token}"}
            answer = await self._client.api_call(method, data=_form(arguments), headers=headers)
        except SlackApiError as error:
            self._note_headers(error.response.headers)
            raise sorted_refusal(error) from None
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise SlackNotSent(f"no connection: {type(error).__name__}") from error
        except Exception as error:
            # Whatever else goes wrong went wrong after the request may have left.
            raise SlackUnknown(f"no answer: {type(error).__name__}") from error
        self._note_headers(answer.headers)
        return dict(answer.data) if isinstance(answer.data, dict) else {}

    def _note_headers(self, headers: Mapping[str, str]) -> None:
        """What Slack says with every answer: what the token may do, so that a scope granted later is known at once."""
        told = {name.lower(): value for name, value in headers.items()}
        if (scopes := told.get("x-oauth-scopes")) is not None:
            self.scopes = frozenset(scope.strip() for scope in scopes.split(",") if scope.strip())
        with suppress(ValueError):
            self.slack_time = parsedate_to_datetime(told.get("date", ""))

    async def close(self) -> None:
        """Let go of the connections."""
        if self._client.session is not None:
            await self._client.session.close()

    def _open_session(self) -> None:
        """Made at the first call, because it belongs to the running loop."""
        if self._client.session is None or self._client.session.closed:
            # A connection for each call: one that was kept may be closed by Slack just as it is used again, and then
            # nobody knows whether the call was carried out.
            connector = aiohttp.TCPConnector(force_close=True)
            self._client.session = aiohttp.ClientSession(connector=connector, timeout=self._timeout)


def sorted_refusal(error: SlackApiError) -> SlackError:
    """What Slack's answer without a good result says about whether anything happened."""
    status, data = _status_of(error.response), _data_of(error.response)
    code = data.get("error")
    if status == 429 or code in RATE_LIMITED:
        return SlackNotSent(str(code or "ratelimited"), _retry_after(error.response))
    if status >= 500 or not isinstance(code, str):
        return SlackUnknown(f"http_{status}")
    if code in HALF_DONE:
        return SlackUnknown(code)
    details = data.get("response_metadata")
    messages = details.get("messages", ()) if isinstance(details, dict) else ()
    refusal = SlackPermanent if code in PERMANENT else SlackRefused
    return refusal(code, tuple(str(message) for message in messages))


def _form(arguments: dict[str, Any]) -> dict[str, str]:
    """As form fields, which every method takes: nested values as JSON."""
    return {
        key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for key, value in arguments.items()
        if value is not None
    }


def _status_of(response: Any) -> int:
    """The library hands over its own answer or, when the body was no JSON, the HTTP client's."""
    status: int = response.status_code if hasattr(response, "status_code") else response.status
    return status


def _data_of(response: Any) -> dict[str, Any]:
    data = getattr(response, "data", None)
    return data if isinstance(data, dict) else {}


def _retry_after(response: Any) -> float | None:
    try:
        return max(0.0, float(response.headers["Retry-After"]))
    except (KeyError, ValueError):
        return None
