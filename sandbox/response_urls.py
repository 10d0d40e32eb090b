"""What an app posts to a response_url: an answer to an interaction, without a token."""

from __future__ import annotations

import json

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox import messages
from sandbox.core import Core
from sandbox.errors import Refused
from sandbox.methods.chat import check_message
from sandbox.tickets import ResponseUrl
from sandbox.web_api import drop, faulty
from sandbox.workspace import Channel, Ephemeral, Json
from sandbox.workspaces import Workspaces


async def handle(workspaces: Workspaces, request: Request) -> Response:
    """Answer one post. Trouble can be ordered under the name `response_url`, as for a method of the Web API."""
    fault = workspaces.first.faults.take("response_url", None)
    trouble = await faulty(fault) if fault else None
    response = await _carry_out(workspaces, request) if trouble is None else trouble.response()
    if fault is not None and fault.drop is not None:
        await drop(request)
    return response


async def _carry_out(workspaces: Workspaces, request: Request) -> Response:
    """A refusal is told with status 404 or 500, as these addresses do."""
    core = workspaces.named(request.path_params["team"]) or workspaces.first
    try:
        body = json.loads(await request.body() or b"{}")
        if not isinstance(body, dict):
            raise Refused("invalid_payload")
        ticket = core.tickets.answer(request.path_params["secret"])
        respond(core, ticket, body)
    except ValueError:
        return JSONResponse({"ok": False, "error": "invalid_payload"}, 400)
    except Refused as refused:
        status = 404 if refused.error in ("Expired url", "used_url", "invalid_url") else 500
        return JSONResponse(refused.body, status)
    return JSONResponse({"ok": True})


def url_for(core: Core, kind: str, secret: str) -> str:
    """The whole address of a response URL; `kind` is commands, actions or app, as in Slack's."""
    return f"{core.base_url}/response/{kind}/{core.workspace.id}/{secret}"


def respond(core: Core, ticket: ResponseUrl, body: Json) -> None:
    """Do what the app wants: delete or rewrite the source, or say something new. Raises Refused."""
    channel = core.workspace.channels[ticket.channel]
    if body.get("delete_original"):
        _delete_source(core, channel, ticket)
        return
    check_message(body)
    if body.get("replace_original") and _replace_source(core, channel, ticket, body):
        return
    say(core, channel, ticket.user, body)


def say(core: Core, channel: Channel, user: str, body: Json) -> None:
    """A new message for one person, or for the conversation when the app says so."""
    draft = messages.draft_of(body)
    if body.get("response_type") == "in_channel":
        messages.post_as_app(core, channel, draft)
    else:
        messages.whisper(core, channel, user, draft)


def _source(core: Core, channel: Channel, ticket: ResponseUrl) -> Json | Ephemeral | None:
    if ticket.ephemeral is not None:
        return next((each for each in core.workspace.ephemerals if each.id == ticket.ephemeral), None)
    return channel.messages.get(ticket.ts) if ticket.ts is not None else None


def _delete_source(core: Core, channel: Channel, ticket: ResponseUrl) -> None:
    """What is not the app's own, such as the line of a slash command, stays."""
    source = _source(core, channel, ticket)
    if isinstance(source, Ephemeral):
        core.workspace.ephemerals.remove(source)
        core.live.conversation(channel, only=source.user)
    elif source is not None and source.get("bot_id") == core.app.bot_id:
        messages.delete(core, channel, source)


def _replace_source(core: Core, channel: Channel, ticket: ResponseUrl, body: Json) -> bool:
    """Was there something of the app's to rewrite?"""
    source = _source(core, channel, ticket)
    if isinstance(source, Ephemeral):
        kept: Json = {key: source.message[key] for key in ("ts", "thread_ts") if key in source.message}
        draft = messages.draft_of(body)
        source.message = {**messages.drafted(core, draft, kept["ts"]), **kept, "is_ephemeral": True}
        core.live.conversation(channel, only=source.user)
        return True
    if source is not None and source.get("bot_id") == core.app.bot_id:
        new = messages.drafted(core, messages.draft_of(body), source["ts"])
        edited = {"user": core.app.bot_user_id, "ts": f"{core.epoch()}.000000"}
        changed = {key: new.get(key) for key in ("text", "blocks", "attachments")}
        messages.change(core, channel, source, {**changed, "edited": edited})
        return True
    return False
