"""What tests of the running workspace share: a manifest with everything in it, and real Bolt apps to talk to."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from copy import deepcopy
from typing import Any

import uvicorn
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox import Sandbox
from sandbox.server import EmbeddedServer
from sandbox.timing import Timing
from tests.waiting import until

Json = dict[str, Any]

# For tests in which nobody is to be too slow, however busy the machine is.
PATIENT = Timing(acknowledge=30.0, trigger=30.0)

SCOPES = [
    "commands",
    "chat:write",
    "chat:write.customize",
    "im:write",
    "mpim:write",
    "channels:read",
    "groups:read",
    "im:read",
    "mpim:read",
    "channels:history",
    "groups:history",
    "im:history",
    "mpim:history",
    "channels:join",
    "channels:manage",
    "groups:write",
    "channels:write.invites",
    "users:read",
    "users:read.email",
    "users.profile:read",
    "team:read",
    "reactions:read",
    "reactions:write",
    "files:read",
    "files:write",
    "app_mentions:read",
    "metadata.message:read",
    "usergroups:read",
]
EVENTS = [
    "app_home_opened",
    "app_mention",
    "message.channels",
    "message.groups",
    "message.im",
    "member_joined_channel",
    "member_left_channel",
    "channel_created",
    "channel_rename",
    "channel_archive",
    "channel_unarchive",
    "channel_left",
    "group_left",
    "group_rename",
    "user_change",
    "team_join",
    "reaction_added",
    "reaction_removed",
    "message_metadata_posted",
]

MANIFEST: Json = {
    "_metadata": {"major_version": 2},
    "display_information": {"name": "Parrot", "description": "Says it again"},
    "features": {
        "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True, "messages_tab_read_only_enabled": False},
        "bot_user": {"display_name": "Parrot", "always_online": True},
        "slash_commands": [
            {"command": "/parrot", "description": "Say it", "usage_hint": "words", "should_escape": True},
            {"command": "/raw", "description": "Say it as typed", "should_escape": False},
        ],
        "shortcuts": [
            {"name": "New saying", "type": "global", "callback_id": "new", "description": "Anywhere"},
            {"name": "Repeat this", "type": "message", "callback_id": "repeat", "description": "On a message"},
        ],
    },
    "oauth_config": {"scopes": {"bot": SCOPES}},
    "settings": {
        "event_subscriptions": {"bot_events": EVENTS},
        "interactivity": {"is_enabled": True},
        "socket_mode_enabled": True,
    },
}


def manifest(*, without: tuple[str, ...] = (), extra: tuple[str, ...] = (), **home: bool) -> Json:
    """The manifest, lacking these scopes and events, holding extra scopes, with other App Home settings."""
    changed = deepcopy(MANIFEST)
    scopes = changed["oauth_config"]["scopes"]
    scopes["bot"] = [scope for scope in SCOPES if scope not in without] + list(extra)
    events = changed["settings"]["event_subscriptions"]
    events["bot_events"] = [event for event in EVENTS if event not in without]
    changed["features"]["app_home"] |= home
    return changed


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def section(text: str) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def button(action_id: str, value: str | None = None) -> Json:
    return {"type": "button", "text": plain("Press"), "action_id": action_id, **({"value": value} if value else {})}


def actions(*elements: Json) -> Json:
    return {"type": "actions", "block_id": "row", "elements": list(elements)}


def text_input(block_id: str, optional: bool = False, **element: Any) -> Json:
    return {
        "type": "input",
        "block_id": block_id,
        "label": plain(block_id.title()),
        "optional": optional,
        "element": {"type": "plain_text_input", "action_id": "typed", **element},
    }


def modal(*blocks: Json, **more: Any) -> Json:
    """A valid modal, with a title to type unless told otherwise; None takes a part away."""
    view = {
        "type": "modal",
        "callback_id": "form",
        "title": plain("A form"),
        "submit": plain("Save"),
        "close": plain("Cancel"),
        "blocks": list(blocks or (text_input("title"),)),
        **more,
    }
    return {key: value for key, value in view.items() if value is not None}


def home(*blocks: Json) -> Json:
    return {"type": "home", "blocks": list(blocks or (section("Welcome"),))}


def bolt(sandbox: Sandbox, signing_secret: str | None = None) -> AsyncApp:
    """A Bolt app that waits for its listeners before it answers, and knows the workspace's address."""
    return AsyncApp(
        client=AsyncWebClient(token=sandbox.bot_token, base_url=sandbox.api_url),
        signing_secret=signing_secret or sandbox.signing_secret,
        process_before_response=True,
        raise_error_for_unhandled_request=False,
    )


@contextlib.asynccontextmanager
async def connected(app: AsyncApp, sandbox: Sandbox) -> AsyncIterator[AsyncSocketModeHandler]:
    """The app over Socket Mode, from its first hello."""
    handler = AsyncSocketModeHandler(app, sandbox.app_token)
    before = sandbox.connections
    await handler.connect_async()
    await until(lambda: sandbox.connections > before)
    try:
        yield handler
    finally:
        await handler.close_async()


@contextlib.asynccontextmanager
async def serving(application: Starlette) -> AsyncIterator[str]:
    """Any ASGI application on a free port; its address."""
    config = uvicorn.Config(application, host="127.0.0.1", port=0, log_config=None, lifespan="off", ws="none")
    server = EmbeddedServer(config)
    task = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@contextlib.asynccontextmanager
async def bolt_over_http(
    listen: Callable[[AsyncApp], None], *, signing_secret: str | None = None, **options: Any
) -> AsyncIterator[Sandbox]:
    """A sandbox and a Bolt app that it reaches by signed HTTP at /slack/events."""
    handlers: list[AsyncSlackRequestHandler] = []

    async def events(request: Request) -> Response:
        return await handlers[0].handle(request)

    async with (
        serving(Starlette(routes=[Route("/slack/events", events, methods=["POST"])])) as address,
        Sandbox(manifest(), request_url=f"{address}/slack/events", rate_limits=False, **options) as sandbox,
    ):
        app = bolt(sandbox, signing_secret)
        listen(app)
        handlers.append(AsyncSlackRequestHandler(app))
        yield sandbox
