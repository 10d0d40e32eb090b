"""The page's own API: what one person sees, and what they do. Messages, views and blocks have Slack's own shapes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from sandbox.calls import Call, Delivery, Entry
from sandbox.clock import next_monday, next_morning
from sandbox.core import Core
from sandbox.errors import SandboxError
from sandbox.faults import Fault
from sandbox.interactions import Outcome
from sandbox.membership import app_channel, may_see
from sandbox.objects import message_object, view_object
from sandbox.people import Person
from sandbox.socket_mode import SocketMode
from sandbox.text import mentions
from sandbox.workspace import Channel, Json, User
from sandbox.workspaces import Workspaces

MOST_MESSAGES = 500

FAULT_FIELDS = tuple(field.name for field in fields(Fault))

Act: TypeAlias = Callable[[Person, Json], Awaitable[Json]]


class PageApi:
    """Routes under /sandbox. Whoever one is tells in which workspace one is."""

    def __init__(self, workspaces: Workspaces) -> None:
        self.workspaces = workspaces

    def routes(self) -> list[Route]:
        return [
            Route("/sandbox/boot", self.boot),
            Route("/sandbox/conversation", self.conversation),
            Route("/sandbox/thread", self.thread),
            Route("/sandbox/views", self.views),
            Route("/sandbox/calls", self.calls),
            Route("/sandbox/deliveries", self.deliveries),
            Route("/sandbox/live", self.live),
            Route("/sandbox/do", self.do, methods=["POST"]),
            Route("/sandbox/upload", self.upload, methods=["POST"]),
        ]

    # ---- what a person sees ---------------------------------------------------------------------------------------

    async def boot(self, request: Request) -> Response:
        """Everything the page needs to start: people, the app, conversations, the clock."""
        me = self._person(request)
        core = me.core
        people = core.workspace.users.values()
        # The app's direct messages are always to be found in the sidebar, so they exist from the first look.
        apps = [_app_shape(me)] if core.installed else []
        return JSONResponse(
            {
                "team": _team_shape(core),
                "teams": [{**_team_shape(each), "person": _first_person(each).id} for each in self.workspaces],
                "organisation": _organisation_shape(core),
                "me": me.id,
                "people": [_person_shape(user, core.clock.now()) for user in people],
                "apps": apps,
                "conversations": _conversations(me),
                "clock": _clock_shape(me),
                "rate_limits": core.rate_limits.on,
            }
        )

    async def conversation(self, request: Request) -> Response:
        """A conversation as one person sees it, what only they see among it."""
        try:
            me = self._person(request)
            channel = me.channel(request.query_params.get("channel", ""))
        except SandboxError as error:
            return _problem(error)
        return JSONResponse(
            {
                "conversation": _conversation_shape(me, channel),
                "members": channel.members,
                "messages": _messages_for(me.core, me, channel),
            }
        )

    async def thread(self, request: Request) -> Response:
        try:
            me = self._person(request)
            channel = me.channel(request.query_params.get("channel", ""))
        except SandboxError as error:
            return _problem(error)
        ts = request.query_params.get("ts", "")
        stored = [message_object(channel, message) for message in channel.thread(ts)]
        return JSONResponse({"messages": [*stored, *_ephemerals(me.core, me, channel, thread=ts)]})

    async def views(self, request: Request) -> Response:
        me = self._person(request)
        home = me.core.workspace.homes.get(me.id)
        modals = [view_object(view) for view in me.core.workspace.stack(me.id)]
        return JSONResponse({"modals": modals, "home": view_object(home) if home else None})

    async def calls(self, request: Request) -> Response:
        """What the app sent, after call number `after`: about one's workspace, or about none of them."""
        core = self._person(request).core
        found = _of_team(core.calls.after(_number(request, "after")), core.workspace.id)
        return JSONResponse({"calls": [_call_shape(call) for call in found]})

    async def deliveries(self, request: Request) -> Response:
        """What was sent to the app, after delivery number `after`: from one's workspace, or from none of them."""
        core = self._person(request).core
        found = _of_team(core.courier.log.after(_number(request, "after")), core.workspace.id)
        return JSONResponse({"deliveries": [_delivery_shape(delivery) for delivery in found]})

    async def live(self, request: Request) -> Response:
        """Server-sent events: what changed, so that the page reads it again."""
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        events = _stream(self._person(request))
        return StreamingResponse(events, media_type="text/event-stream", headers=headers)

    # ---- what a person does ---------------------------------------------------------------------------------------

    async def do(self, request: Request) -> Response:
        """Do one thing as a person; a refusal comes as `{"ok": false, "notice": sentence}`."""
        try:
            body = await request.json()
        except ValueError:
            return JSONResponse({"ok": False, "notice": "The request is not JSON."}, 400)
        if not isinstance(body, dict):
            return JSONResponse({"ok": False, "notice": "The request is not an object."}, 400)
        act = ACTS.get(str(body.get("do")))
        found = self.workspaces.of_person(str(body.get("person")))
        try:
            if act is None or found is None:
                raise SandboxError("The sandbox does not know this person, or how to do this.")
            answer = await act(Person(*found), body)
        except SandboxError as error:
            return JSONResponse({"ok": False, "notice": str(error)})
        except KeyError as missing:
            return JSONResponse({"ok": False, "notice": f"The request lacks {missing.args[0]}."}, 400)
        return JSONResponse({"ok": True, **answer})

    async def upload(self, request: Request) -> Response:
        """A file from the page's file chooser; it is shared with a message or a form afterwards."""
        me = self._person(request)
        async with request.form(max_files=1, max_fields=5) as form:
            sent = form.get("file")
            if not isinstance(sent, UploadFile):
                return JSONResponse({"ok": False, "notice": "No file was sent."}, 400)
            try:
                file_id = me.upload(sent.filename or "file", await sent.read())
            except SandboxError as error:
                return _problem(error)
        return JSONResponse({"ok": True, "file_id": file_id})

    def _person(self, request: Request) -> Person:
        """The person asked for; the first one of the workspace asked for when it is nobody there."""
        team = self.workspaces.named(request.query_params.get("team", ""))
        found = self.workspaces.of_person(request.query_params.get("person", ""))
        if found is None or found[1].is_bot or team not in (None, found[0]):
            core = team or self.workspaces.first
            found = core, _first_person(core)
        return Person(*found)


# ---- shapes ---------------------------------------------------------------------------------------------------------


async def _stream(me: Person) -> AsyncIterator[str]:
    yield "retry: 1000\n\n"
    async for event in me.core.live.listen(me.id):
        yield f"data: {json.dumps(event)}\n\n" if event is not None else ": still here\n\n"


def _first_person(core: Core) -> User:
    return next(user for user in core.workspace.users.values() if not user.is_bot)


def _team_shape(core: Core) -> Json:
    return {"id": core.workspace.id, "name": core.workspace.name, "domain": core.workspace.domain}


def _organisation_shape(core: Core) -> Json | None:
    """The organisation of a workspace, and whether its installation of the app may be used there."""
    above = core.organisation
    if above is None:
        return None
    app = {"app": above.installation.app.name, "installed": above.installation.active}
    return {**above.shape(), **app, "granted": above.reaches(core.workspace.id)}


def _app_shape(me: Person) -> Json:
    app = me.core.app
    shortcuts = {
        kind: [
            {"callback_id": s.callback_id, "name": s.name, "description": s.description}
            for s in app.shortcuts
            if s.type == kind
        ]
        for kind in ("global", "message")
    }
    return {
        "id": app.id,
        "name": app.name,
        "description": app.description,
        "bot_user_id": app.bot_user_id,
        "connected": _connected(me.core),
        "home": app.home_enabled,
        "messages": app.messages_enabled,
        "messages_read_only": app.messages_read_only,
        "commands": [
            {"command": c.command, "description": c.description, "usage_hint": c.usage_hint} for c in app.commands
        ],
        "global_shortcuts": shortcuts["global"],
        "message_shortcuts": shortcuts["message"],
        "im": app_channel(me.core, me.id).id,
    }


def _connected(core: Core) -> bool:
    transport = core.courier.transport
    return bool(transport.connections) if isinstance(transport, SocketMode) else True


def _conversations(me: Person) -> list[Json]:
    seen = [c for c in me.core.workspace.channels.values() if may_see(c, me.user)]
    return [_conversation_shape(me, channel) for channel in seen]


def _conversation_shape(me: Person, channel: Channel) -> Json:
    others = [member for member in channel.members if member != me.id]
    with_app = me.core.installed and channel.kind == "im" and me.core.app.bot_user_id in channel.members
    unread = _unread(channel, me.id)
    return {
        "id": channel.id,
        "name": channel.name or ", ".join(me.core.workspace.users[o].real_name for o in others),
        "kind": "app_im" if with_app else "im" if channel.is_direct else channel.kind,
        "with": others[0] if channel.is_direct and others else None,
        "topic": channel.topic,
        "is_member": me.id in channel.members,
        "is_archived": channel.is_archived,
        "unread": len(unread),
        "mentions": sum(channel.is_direct or _mentions(message, me.id) for message in unread),
        "num_members": len(channel.members),
        "last_read": channel.last_read.get(me.id, "0"),
    }


def _clock_shape(me: Person) -> Json:
    clock = me.core.clock
    now = clock.now()
    return {
        "now": now.timestamp(),
        "offset_seconds": clock.offset.total_seconds(),
        "next_morning": next_morning(now, me.user.tz).timestamp(),
        "next_monday": next_monday(now, me.user.tz).timestamp(),
    }


def _problem(error: SandboxError) -> Response:
    return JSONResponse({"ok": False, "notice": str(error)}, 404)


def _of_team(entries: list[Entry], team_id: str) -> list[Entry]:
    return [entry for entry in entries if entry.team in ("", team_id)]


def _number(request: Request, name: str) -> int:
    text = request.query_params.get(name, "0")
    return int(text) if text.isdecimal() else 0


def _person_shape(user: User, now: datetime) -> Json:
    return {
        "id": user.id,
        "name": user.name,
        "real_name": user.real_name,
        "tz": user.tz,
        "title": user.title,
        "is_bot": user.is_bot,
        "is_guest": user.is_restricted,
        "deleted": user.deleted,
        "color": user.color,
        "status": {"emoji": user.status_emoji, "text": user.status_text} if user.has_status(now.timestamp()) else None,
        "local_time": now.astimezone(ZoneInfo(user.tz)).strftime("%H:%M"),
    }


def _unread(channel: Channel, me: str) -> list[Json]:
    """Messages of others since this person last looked; none in conversations they are not in."""
    since = channel.last_read.get(me, "0")
    if me not in channel.members:
        return []
    top = (m for m in channel.messages.values() if m.get("thread_ts", m["ts"]) == m["ts"] or "subtype" in m)
    return [m for m in top if float(m["ts"]) > float(since) and m["user"] != me]


def _mentions(message: Json, me: str) -> bool:
    text = str(message)
    return me in mentions(text) or any(f"<!{word}>" in text for word in ("here", "channel", "everyone"))


def _messages_for(core: Core, me: Person, channel: Channel) -> list[Json]:
    top = [m for m in channel.messages.values() if m.get("thread_ts", m["ts"]) == m["ts"] or "subtype" in m]
    shown = [message_object(channel, message) for message in top[-MOST_MESSAGES:]]
    return sorted([*shown, *_ephemerals(core, me, channel)], key=lambda message: float(message["ts"]))


def _ephemerals(core: Core, me: Person, channel: Channel, thread: str | None = None) -> list[Json]:
    return [
        {**each.message, "ephemeral": True, "id": each.id}
        for each in core.workspace.ephemerals
        if (each.user, each.channel, each.message.get("thread_ts")) == (me.id, channel.id, thread)
    ]


def _call_shape(call: Call) -> Json:
    return {
        "n": call.n,
        "at": call.at.timestamp(),
        "app": call.app,
        "method": call.method,
        "args": call.args,
        "status": call.status,
        "answer": call.answer,
    }


def _delivery_shape(delivery: Delivery) -> Json:
    return {
        "n": delivery.n,
        "at": delivery.at.timestamp(),
        "kind": delivery.kind,
        "attempt": delivery.attempt,
        "payload": delivery.payload,
        "outcome": delivery.outcome,
        "answer": delivery.answer,
    }


# ---- what a person does ---------------------------------------------------------------------------------------------


def _told(outcome: Outcome) -> Json:
    """An outcome for the page. `ok` turns false where Slack would show something went wrong."""
    answer: Json = {"ok": outcome.ok}
    if outcome.notice is not None:
        answer["notice"] = outcome.notice
    if outcome.errors:
        answer["errors"] = outcome.errors
    return answer


async def _say(me: Person, body: Json) -> Json:
    files = [me.core.workspace.files[each] for each in body.get("files") or () if each in me.core.workspace.files]
    message = await me.say(body["channel"], body.get("text", ""), body.get("thread_ts"), files)
    return {"ts": message["ts"]}


async def _command(me: Person, body: Json) -> Json:
    return _told(await me.command(body["channel"], body["command"], body.get("text", "")))


async def _shortcut(me: Person, body: Json) -> Json:
    return _told(await me.shortcut(body["callback_id"]))


async def _message_shortcut(me: Person, body: Json) -> Json:
    return _told(await me.message_shortcut(body["channel"], body["ts"], body["callback_id"]))


async def _react(me: Person, body: Json) -> Json:
    await me.react(body["channel"], body["ts"], body["name"])
    return {}


async def _join(me: Person, body: Json) -> Json:
    await me.join(body["channel"])
    return {}


async def _leave(me: Person, body: Json) -> Json:
    await me.leave(body["channel"])
    return {}


async def _invite(me: Person, body: Json) -> Json:
    await me.invite(body["channel"], body["user"])
    return {}


async def _remove(me: Person, body: Json) -> Json:
    await me.remove(body["channel"], body["user"])
    return {}


async def _read(me: Person, body: Json) -> Json:
    me.mark_read(body["channel"])
    return {}


async def _open_home(me: Person, body: Json) -> Json:
    await me.open_home()
    return {}


async def _open_app_messages(me: Person, body: Json) -> Json:
    await me.open_app_messages()
    return {"channel": app_channel(me.core, me.id).id}


async def _open_direct(me: Person, body: Json) -> Json:
    return {"channel": me.channel(f"@{body['user']}").id}


async def _dismiss(me: Person, body: Json) -> Json:
    me.dismiss(body["id"])
    return {}


async def _edit(me: Person, body: Json) -> Json:
    await me.edit(body["channel"], body["ts"], body["text"])
    return {}


async def _delete(me: Person, body: Json) -> Json:
    await me.delete(body["channel"], body["ts"])
    return {}


async def _action(me: Person, body: Json) -> Json:
    place = me.place(body["where"])
    state = body.get("state") or {}
    return _told(await me.act(place, body["block_id"], body["action_id"], body.get("element_value"), state))


async def _submit(me: Person, body: Json) -> Json:
    return _told(await me.submit_view(me.view(body["view_id"]), body.get("state") or {}))


async def _close(me: Person, body: Json) -> Json:
    return _told(await me.close(bool(body.get("clear", False))))


async def _options(me: Person, body: Json) -> Json:
    place = me.place(body["where"])
    outcome = await me.ask_options(place, body["block_id"], body["action_id"], str(body.get("value", "")))
    return {**_told(outcome), **(outcome.body if outcome.ok and isinstance(outcome.body, dict) else {})}


async def _advance(me: Person, body: Json) -> Json:
    return await _move(me.core, me.core.clock.now() + timedelta(minutes=float(body["minutes"])))


async def _advance_to(me: Person, body: Json) -> Json:
    return await _move(me.core, datetime.fromtimestamp(float(body["at"]), UTC))


async def _next_morning(me: Person, body: Json) -> Json:
    return await _move(me.core, next_morning(me.core.clock.now(), me.user.tz))


async def _next_monday(me: Person, body: Json) -> Json:
    return await _move(me.core, next_monday(me.core.clock.now(), me.user.tz))


async def _move(core: Core, target: datetime) -> Json:
    await core.clock.advance_to(target)
    return {"now": core.clock.now().timestamp()}


async def _rate_limits(me: Person, body: Json) -> Json:
    me.core.rate_limits.on = bool(body["on"])
    me.core.live.everyone("boot")
    return {}


async def _set_status(me: Person, body: Json) -> Json:
    await me.set_status(str(body["emoji"]), str(body.get("text", "")), float(body.get("until", 0)))
    return {}


async def _let_in(me: Person, body: Json) -> Json:
    await me.let_in(bool(body["on"]))
    return {}


async def _fail(me: Person, body: Json) -> Json:
    """Let the next calls of a method go wrong; see `Sandbox.fail`."""
    given = {name: body[name] for name in FAULT_FIELDS if name in body}
    if body.get("drop") not in (None, "before", "after") or not isinstance(body.get("method"), str):
        raise SandboxError("Say which method fails, and how.")
    me.core.faults.ordered.append(Fault(**given))
    return {}


async def _be_unreachable(me: Person, body: Json) -> Json:
    """Refuse connections for so many seconds, once this is answered."""
    assert me.core.be_unreachable is not None
    me.core.outage = asyncio.create_task(me.core.be_unreachable(float(body["seconds"])))
    return {}


ACTS: dict[str, Act] = {
    "say": _say,
    "command": _command,
    "shortcut": _shortcut,
    "message_shortcut": _message_shortcut,
    "react": _react,
    "join": _join,
    "leave": _leave,
    "invite": _invite,
    "remove": _remove,
    "read": _read,
    "open_home": _open_home,
    "open_app_messages": _open_app_messages,
    "open_direct": _open_direct,
    "dismiss": _dismiss,
    "edit": _edit,
    "delete": _delete,
    "action": _action,
    "submit": _submit,
    "close": _close,
    "options": _options,
    "advance": _advance,
    "advance_to": _advance_to,
    "next_morning": _next_morning,
    "next_monday": _next_monday,
    "rate_limits": _rate_limits,
    "set_status": _set_status,
    "let_in": _let_in,
    "fail": _fail,
    "be_unreachable": _be_unreachable,
}
