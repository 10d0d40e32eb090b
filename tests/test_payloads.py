"""Published samples of what Slack sends, fed to the running application: each is answered or refused properly.

The samples lie beside the checkout and are not part of it. They are of workspaces that are not ours; so each is fed as
it is, which must change nothing, and again as if it came from our own workspace.
"""

import asyncio
import hashlib
import hmac
import json
import logging
import socket
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
import pytest_asyncio
from starlette.applications import Starlette

from bot import run, web
from bot.assemble import Slack, Steward
from bot.manifest import manifest
from models.database import Database
from models.kinds.risk import RISK
from sandbox import Sandbox
from sandbox.delivery import Ack, Shipment
from tests.databases import SqliteFiles
from tests.processes import until_it_is
from views.forms import FormContext, record_form

SAMPLES = Path(__file__).parents[2] / "shared" / "slack" / "payloads"

pytestmark = [
    pytest.mark.skipif(not SAMPLES.is_dir(), reason="the collected sample payloads are not beside this checkout"),
    pytest.mark.asyncio(loop_scope="module"),
]


class Expected(Enum):
    """What becomes of a sample as it is."""

    STRANGE = "of another workspace: 200, nothing said, nothing stored"
    CHALLENGE = "the question whether the address is ours: 200 with the challenge"
    CHECK = "a look at the certificate: 200, nothing stored"
    OLD = "signed, but long ago: 401"
    SOCKET = "about the connection itself: nothing is answered, and the connection lives"
    TO_SLACK = "sent by an app to Slack: no request to us"
    FROM_SLACK = "Slack's answer to a call or an installation: no request to us"
    DOCUMENT = "an app's description: no request to us"


@dataclass(frozen=True)
class Sample:
    """`expected` of the sample as it is; `says` is part of the answer once it comes from our own workspace.

    `within` puts a part of a request into a whole one.
    """

    expected: Expected
    says: str = ""
    within: Callable[[Any], dict[str, Any]] | None = None


def _event(inner: Any) -> dict[str, Any]:
    return {"type": "event_callback", "team_id": "T111", "event_id": "Ev111", "event": inner}


def _whole(envelope: Any) -> dict[str, Any]:
    """A sample of which only the names were published, with what every event has."""
    return envelope | {"type": "event_callback", "team_id": "T111", "authorizations": [], "event_id": "Ev111"}


def _submission(view: Any) -> dict[str, Any]:
    return {
        "type": "view_submission",
        "team": {"id": "T111", "domain": "sample"},
        "user": {"id": "U111", "team_id": "T111", "username": "sample"},
        "trigger_id": "111.111.xxx",
        "view": {"type": "modal", "callback_id": "sample"} | view,
    }


def _state(found: Any) -> dict[str, Any]:
    """The values typed into fields that are not those of our form, as if they were in it."""
    form = record_form(RISK, {}, FormContext(kind="risk", channel_id="C111"))
    state = found if "values" in found else {"values": found}
    return _submission(form | {"id": "V111", "hash": "1.x", "state": state})


NOT_UNDERSTOOD = "I do not know"
ASKS_A_TITLE = '"response_action": "errors", "errors": {"title": '
NO_ANSWER = Sample(Expected.STRANGE)
FROM_SLACK, TO_SLACK = Sample(Expected.FROM_SLACK), Sample(Expected.TO_SLACK)
SOCKET, DOCUMENT = Sample(Expected.SOCKET), Sample(Expected.DOCUMENT)

TABLE: dict[str, Sample] = {
    "api.apps.connections.open.json": FROM_SLACK,
    "api.auth.test.json": FROM_SLACK,
    "api.blocks.validate.invalid.json": FROM_SLACK,
    "api.chat.delete.json": FROM_SLACK,
    "api.chat.deleteScheduledMessage.json": FROM_SLACK,
    "api.chat.getPermalink.json": FROM_SLACK,
    "api.chat.postEphemeral.json": FROM_SLACK,
    "api.chat.postMessage.json": FROM_SLACK,
    "api.chat.scheduleMessage.json": FROM_SLACK,
    "api.chat.scheduledMessages.list.json": FROM_SLACK,
    "api.chat.update.json": FROM_SLACK,
    "api.conversations.history.json": FROM_SLACK,
    "api.conversations.info.im.json": FROM_SLACK,
    "api.conversations.info.json": FROM_SLACK,
    "api.conversations.list.json": FROM_SLACK,
    "api.conversations.members.json": FROM_SLACK,
    "api.conversations.open.json": FROM_SLACK,
    "api.conversations.replies.json": FROM_SLACK,
    "api.errors.json": FROM_SLACK,
    "api.files.completeUploadExternal.json": FROM_SLACK,
    "api.files.getUploadURLExternal.json": FROM_SLACK,
    "api.files.info.json": FROM_SLACK,
    "api.reactions.add.json": FROM_SLACK,
    "api.usergroups.list.json": FROM_SLACK,
    "api.users.info.json": FROM_SLACK,
    "api.users.list.json": FROM_SLACK,
    "api.views.open.json": FROM_SLACK,
    "api.views.publish.json": FROM_SLACK,
    "api.views.push.json": FROM_SLACK,
    "block_actions.ephemeral_with_state.json": NO_ANSWER,
    "block_actions.grid.json": NO_ANSWER,
    "block_actions.home_button.json": NO_ANSWER,
    "block_actions.home_button_short.json": NO_ANSWER,
    "block_actions.message_button.json": NO_ANSWER,
    "block_suggestion.modal.json": Sample(Expected.STRANGE, says='{"options": []}'),
    "block_suggestion.response_groups.json": TO_SLACK,
    "block_suggestion.response_options.json": TO_SLACK,
    "event.app_home_opened.json": NO_ANSWER,
    "event.app_home_opened.org_install.json": NO_ANSWER,
    "event.app_mention.shared_channel.json": NO_ANSWER,
    "event.app_rate_limited.json": NO_ANSWER,
    "event.app_uninstalled.json": NO_ANSWER,
    "event.assistant_thread_started.inner.json": Sample(Expected.STRANGE, within=_event),
    "event.channel_archive.shape.json": Sample(Expected.STRANGE, within=_whole),
    "event.channel_rename.shape.json": Sample(Expected.STRANGE, within=_whole),
    "event.member_joined_channel.json": NO_ANSWER,
    "event.member_left_channel.json": NO_ANSWER,
    "event.message.bot.json": NO_ANSWER,
    "event.message.changed.json": NO_ANSWER,
    "event.message.deleted.json": NO_ANSWER,
    "event.message.file_share.json": NO_ANSWER,
    "event.message.user.json": NO_ANSWER,
    "event.message_metadata_posted.inner.json": Sample(Expected.STRANGE, within=_event),
    "event.reaction_added.json": NO_ANSWER,
    "event.subteam_updated.inner.json": Sample(Expected.STRANGE, within=_event),
    "event.team_access_granted.json": NO_ANSWER,
    "event.team_access_revoked.json": NO_ANSWER,
    "event.tokens_revoked.json": NO_ANSWER,
    "event.url_verification.json": Sample(Expected.CHALLENGE, says="challenge"),
    "event.user_change.shape.json": Sample(Expected.STRANGE, within=_whole),
    "manifest.app_v1.json": DOCUMENT,
    "manifest.v2.invalid.json": DOCUMENT,
    "manifest.v2.valid.json": DOCUMENT,
    "message_action.shortcut.json": NO_ANSWER,
    "oauth.v2.access.token_rotation.json": FROM_SLACK,
    "oauth.v2.access.user_only.json": FROM_SLACK,
    "oauth.v2.access.workspace.json": FROM_SLACK,
    "shortcut.global.json": NO_ANSWER,
    "slash_command.fields.json": Sample(Expected.STRANGE, says=NOT_UNDERSTOOD),
    "slash_command.fields_full.json": Sample(Expected.STRANGE, says=NOT_UNDERSTOOD),
    "slash_command.signed_request.json": Sample(Expected.OLD),
    "slash_command.ssl_check.json": Sample(Expected.CHECK),
    "socket_mode.disconnect.too_many_websockets.json": SOCKET,
    "socket_mode.events_api.app_mention.json": NO_ANSWER,
    "socket_mode.hello.json": SOCKET,
    "socket_mode.interactive.shortcut.json": NO_ANSWER,
    "socket_mode.slash_commands.json": Sample(Expected.STRANGE, says="I keep your project's log"),
    "view_closed.cancelled.json": NO_ANSWER,
    "view_closed.org_install.json": NO_ANSWER,
    "view_received.home_006.json": Sample(Expected.STRANGE, within=_submission),
    "view_received.modal_008.json": Sample(Expected.STRANGE, within=_submission),
    "view_received.modal_010.json": Sample(Expected.STRANGE, within=_submission),
    "view_state.menus_and_choices.json": Sample(Expected.STRANGE, says=ASKS_A_TITLE, within=_state),
    "view_state.number_email_url_datetime.json": Sample(Expected.STRANGE, says=ASKS_A_TITLE, within=_state),
    "view_state.rich_text_files_and_empty.json": Sample(Expected.STRANGE, says=ASKS_A_TITLE, within=_state),
    "view_submission.org_install_date_time.json": NO_ANSWER,
    "view_submission.plain_text.json": NO_ANSWER,
    "view_submission.response_urls.json": NO_ANSWER,
    "view_submission.select_and_dates.json": NO_ANSWER,
    "view_to_send.home_001.json": TO_SLACK,
    "view_to_send.home_003.json": TO_SLACK,
    "view_to_send.home_005.json": TO_SLACK,
    "view_to_send.modal_001.json": TO_SLACK,
    "view_to_send.modal_003.json": TO_SLACK,
    "view_to_send.modal_005.json": TO_SLACK,
    "view_to_send.modal_006.json": TO_SLACK,
}

NO_REQUEST = (Expected.TO_SLACK, Expected.FROM_SLACK, Expected.DOCUMENT)
REQUESTS = sorted(
    name for name, sample in TABLE.items() if sample.expected not in (*NO_REQUEST, Expected.SOCKET, Expected.OLD)
)
# Of these Slack tells an address, and there is none with Socket Mode.
TO_AN_ADDRESS = ("slash_command.ssl_check.json", "event.url_verification.json", "event.app_rate_limited.json")
BY_SOCKET = [name for name in REQUESTS if name not in TO_AN_ADDRESS]


class Installation:
    """Steward with its real web application and a real Socket Mode connection, each in a sandbox of its own."""

    def __init__(
        self, http: Sandbox, by_socket: Sandbox, url: str, session: aiohttp.ClientSession, files: list[Path]
    ) -> None:
        self.http = http
        self.by_socket = by_socket
        self._url = url
        self._session = session
        self._files = files

    async def post(self, body: bytes, content_type: str) -> tuple[int, str]:
        """The payload signed and posted as Slack does it."""
        stamp = str(int(time.time()))
        digest = hmac.new(self.http.signing_secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256)
        headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest.hexdigest()}"}
        return await self.post_as_is(body, headers | {"Content-Type": content_type})

    async def post_as_is(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
        async with self._session.post(self._url, data=body, headers=headers) as answer:
            return answer.status, await answer.text()

    async def ship(self, shipment: Shipment) -> Ack:
        """The payload in an envelope over the open socket."""
        return await self.by_socket._core.courier.transport.send(shipment, 3.0)

    def stored(self) -> str:
        """All rows of both databases, without the ticker's signs of life."""
        rows = []
        for file in self._files:
            with closing(sqlite3.connect(file)) as database:
                rows += [line for line in database.iterdump() if '"heartbeat"' not in line]
        return "\n".join(rows)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def steward(sqlite_databases: SqliteFiles) -> AsyncIterator[Installation]:
    async with AsyncExitStack() as leaving:
        urls = [sqlite_databases.create(migrated=True) for _ in ("http", "socket")]
        files = [Path(url.removeprefix("sqlite:///")) for url in urls]

        listening = leaving.enter_context(run.listener("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/slack/events"
        http = await leaving.enter_async_context(Sandbox(manifest(request_url=url), request_url=url, rate_limits=False))
        behind_http = Steward(Database(urls[0]), Slack(http.bot_token, http.api_url, http.signing_secret))
        leaving.push_async_callback(behind_http.stop)
        await behind_http.open()
        await (await behind_http.served(http.team_id)).directory.warm()
        application = web.application(behind_http.bolt, behind_http.database, http.signing_secret)
        await leaving.enter_async_context(serving(application, listening))

        by_socket = await leaving.enter_async_context(Sandbox(manifest(), rate_limits=False))
        running = await leaving.enter_async_context(
            run.socket_mode(Database(urls[1]), Slack(by_socket.bot_token, by_socket.api_url), by_socket.app_token)
        )
        # What the clock plans by itself would look like something that a sample stored.
        await running.steward.runner.stop()
        session = await leaving.enter_async_context(aiohttp.ClientSession())
        yield Installation(http, by_socket, url, session, files)


@asynccontextmanager
async def serving(application: Starlette, listening: socket.socket) -> AsyncIterator[None]:
    task = asyncio.create_task(web.serve(application, listening))
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def read(name: str) -> Any:
    """The sample; a part of a request within a whole one."""
    found = json.loads((SAMPLES / name).read_text(encoding="utf-8"))
    within = TABLE[name].within
    return within(found) if within else found


def body_of(name: str, payload: Any) -> tuple[bytes, str]:
    """The request's body as Slack forms it, and the type it gives it."""
    if "envelope_id" in payload:
        payload = payload["payload"]
    if "command" in payload or "ssl_check" in payload:
        return urlencode(payload).encode(), "application/x-www-form-urlencoded"
    if name.startswith(("event.", "socket_mode.events_api")):
        return json.dumps(payload).encode(), "application/json"
    return urlencode({"payload": json.dumps(payload)}).encode(), "application/x-www-form-urlencoded"


def shipment_of(name: str, payload: Any) -> Shipment:
    """The same for Socket Mode."""
    if "envelope_id" in payload:
        attempt, reason = payload.get("retry_attempt", 0), payload.get("retry_reason", "")
        return Shipment(payload["type"], "sample", payload["payload"], attempt=attempt, reason=reason)
    if name.startswith("slash_command."):
        return Shipment("slash_commands", "sample", payload, wants_answer=True)
    return Shipment("events_api" if name.startswith("event.") else "interactive", "sample", payload, wants_answer=True)


def as_if_from(team_id: str, payload: Any) -> Any:
    """The payload with every workspace in it replaced."""
    if isinstance(payload, list):
        return [as_if_from(team_id, each) for each in payload]
    if not isinstance(payload, dict):
        return payload
    replaced = {key: as_if_from(team_id, value) for key, value in payload.items()}
    for key in ("team_id", "app_installed_team_id"):
        if key in replaced:
            replaced[key] = team_id
    if isinstance(replaced.get("team"), dict):
        replaced["team"]["id"] = team_id
    return replaced


def turns_away(body: Any) -> bool:
    """Whether that answers a workspace that is not served: not at all, with no choices, or in the words for it."""
    is_words = isinstance(body, dict) and str(body.get("text")).startswith(
        "Steward is not installed in this workspace."
    )
    return not body or body == {"options": []} or is_words


def faults(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


async def test_every_sample_is_in_the_table_and_the_table_holds_nothing_else() -> None:
    assert sorted(TABLE) == sorted(path.name for path in SAMPLES.glob("*.json"))


@pytest.mark.parametrize("name", REQUESTS)
async def test_a_sample_over_http_is_answered_and_changes_nothing(
    name: str, steward: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    """It is of a workspace that is not ours, whatever else it says."""
    before = steward.stored()

    status, text = await steward.post(*body_of(name, read(name)))

    assert status == 200
    if TABLE[name].expected is Expected.CHALLENGE:
        assert json.loads(text)["challenge"] == read(name)["challenge"]
    else:
        assert turns_away(json.loads(text or "null"))
    assert steward.stored() == before
    assert faults(caplog) == []


@pytest.mark.parametrize("name", BY_SOCKET)
async def test_a_sample_over_socket_mode_is_acknowledged_and_changes_nothing(
    name: str, steward: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    before = steward.stored()

    acknowledged = await steward.ship(shipment_of(name, read(name)))

    assert acknowledged.ok, acknowledged
    assert turns_away(acknowledged.body)
    assert steward.stored() == before
    assert faults(caplog) == []


@pytest.mark.parametrize("name", REQUESTS)
async def test_a_sample_as_if_from_our_own_workspace_is_answered_properly(
    name: str, steward: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    """By people and in channels nobody knows, about forms and buttons that are not ours: no fault, no silence where
    somebody waits for words."""
    status, text = await steward.post(*body_of(name, as_if_from(steward.http.team_id, read(name))))

    assert status == 200
    assert TABLE[name].says in text
    assert faults(caplog) == []


async def test_a_request_that_was_signed_long_ago_is_refused(steward: Installation) -> None:
    """The one that Slack documents, with its headers."""
    sample = read("slash_command.signed_request.json")

    assert await steward.post_as_is(sample["body"].encode(), sample["headers"]) == (401, "not from Slack")


@pytest.mark.parametrize("name", [name for name, sample in TABLE.items() if sample.expected is Expected.SOCKET])
async def test_what_is_about_the_connection_leaves_it_alive(
    name: str, steward: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    """After a hello, and after being sent away, the next command is answered."""
    ana = steward.by_socket.person("ana")

    async def is_connected() -> bool:
        return len(steward.by_socket._core.courier.transport.connections) == 1  # type: ignore[attr-defined]

    async def is_answered() -> bool:
        return (await ana.command("#network", "/steward", "help")).ok

    # Whoever was sent away by the sample before is still on the way back.
    await until_it_is(True, is_connected)
    [connection] = steward.by_socket._core.courier.transport.connections  # type: ignore[attr-defined]
    await connection.send(read(name))

    await until_it_is(True, is_answered)
    assert faults(caplog) == []


@pytest.mark.parametrize("name", [name for name, sample in TABLE.items() if sample.expected in NO_REQUEST])
async def test_what_is_no_request_does_no_harm_as_one(
    name: str, steward: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody sends it to us; if somebody did, properly signed, it would change nothing."""
    before = steward.stored()

    status, _ = await steward.post((SAMPLES / name).read_bytes(), "application/json")

    assert status in (200, 400)
    assert steward.stored() == before
    assert faults(caplog) == []
