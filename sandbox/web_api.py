"""The Web API: reads a call, checks token, scope and pace, runs the method, keeps a record of it."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.arguments import Args
from sandbox.calls import Call
from sandbox.core import Core
from sandbox.errors import Refused, invalid_arguments
from sandbox.faults import Fault
from sandbox.methods import METHODS, oauth
from sandbox.methods.method import Method, missing_scope
from sandbox.workspace import Json
from sandbox.workspaces import Workspaces

FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


@dataclass(frozen=True)
class Answer:
    status: int
    body: Json
    retry_after: int | None = None

    def response(self, **headers: str) -> JSONResponse:
        """As HTTP."""
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        return JSONResponse(self.body, self.status, headers)


async def handle(workspaces: Workspaces, request: Request) -> Response:
    """Answer one call of an app."""
    method = request.path_params["method"]
    token, given, unreadable = await _read(request)
    fault = workspaces.first.faults.take(method, _channel(given))
    answer = await faulty(fault) if fault else None
    core = workspaces.of_call(token, given)
    if answer is None:
        answer = Answer(200, unreadable.body) if unreadable else call(workspaces, core, method, token, given)
    _record(workspaces, core, method, given, answer)
    if fault is not None and fault.drop is not None:
        await drop(request)
    scopes = core.app.scopes if core else ()
    told = format_datetime(workspaces.first.clock.now(), usegmt=True)
    return answer.response(**{"X-OAuth-Scopes": ",".join(scopes), "Cache-Control": "no-store", "Date": told})


def call(workspaces: Workspaces, core: Core | None, name: str, token: str | None, given: Json) -> Answer:
    """Run one method with arguments as sent, in the workspace it is about."""
    try:
        if name in oauth.METHODS:
            return Answer(200, {"ok": True, **oauth.METHODS[name](workspaces, token, Args(given))})
        method = METHODS.get(name)
        if method is None:
            raise Refused("unknown_method", req_method=name)
        core = _checked(workspaces, core, method, token, given)
        if method.scopes and not set(method.scopes) & set(core.app.scopes):
            raise missing_scope(core, *method.scopes)
        wait = core.rate_limits.wait_for_method(name, method.tier)
        if wait is not None:
            raise Refused("ratelimited", retry_after=wait)
        for argument in method.required:
            if given.get(argument) in (None, ""):
                raise invalid_arguments(f"missing required field: {argument}")
        return Answer(200, {"ok": True, **method.run(core, Args(given))})
    except Refused as refused:
        wait = refused.extra.get("retry_after")
        if wait is not None:
            return Answer(429, {"ok": False, "error": refused.error}, wait)
        return Answer(200, refused.body)


def _checked(workspaces: Workspaces, core: Core | None, method: Method, token: str | None, given: Json) -> Core:
    """The workspace to run the method in. Raises Refused when the token is not good for it."""
    if method.app_token and token == workspaces.first.credentials.app_token:
        return workspaces.first
    installation, _, _ = oauth.holder(workspaces, token)
    if method.app_token:
        raise Refused("not_allowed_token_type")
    assert core is not None
    if method.needs_team and installation is not core.own and not given.get("team_id"):
        raise Refused("missing_argument", response_metadata={"messages": ["[ERROR] missing required field: team_id"]})
    if core.installation is not installation:
        raise Refused("team_access_not_granted")
    return core


async def _read(request: Request) -> tuple[str | None, Json, Refused | None]:
    """Token, arguments, and a refusal when the body cannot be read. JSON needs the token in the header."""
    given: Json = dict(request.query_params)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    unreadable: Refused | None = None
    if kind in FORM_TYPES:
        async with request.form(max_files=1) as form:
            given |= {key: value for key, value in form.items() if not isinstance(value, UploadFile)}
    elif kind == "application/json":
        given, unreadable = _json_body(request.path_params["method"], await request.body(), given)
    elif await request.body():
        unreadable = Refused("invalid_post_type")
    scheme, _, proof = request.headers.get("authorization", "").partition(" ")
    in_body = given.pop("token", None) if kind != "application/json" else None
    if scheme.lower() == "basic":
        given |= _client(proof)
    return proof.strip() if scheme.lower() == "bearer" else in_body, given, unreadable


def _client(proof: str) -> Json:
    """The app's id and secret in basic authentication; nothing when it cannot be read."""
    try:
        name, _, secret = base64.b64decode(proof, validate=True).decode().partition(":")
    except ValueError:
        return {}
    return {"client_id": name, "client_secret": secret}


def _json_body(method: str, body: bytes, given: Json) -> tuple[Json, Refused | None]:
    known = METHODS.get(method)
    if method in oauth.METHODS or (known is not None and not known.json_body):
        return given, None  # such methods do not look at a JSON body; what they need will be missing
    try:
        decoded: Any = json.loads(body or b"{}")
    except ValueError:
        return given, Refused("invalid_json")
    if not isinstance(decoded, dict):
        return given, Refused("json_not_object")
    return {**given, **decoded}, None


async def faulty(fault: Fault) -> Answer | None:
    """The answer trouble gives, or None when the call is carried out after all."""
    if fault.hang is not None:
        await asyncio.sleep(fault.hang)
    if fault.retry_after is not None:
        return Answer(429, {"ok": False, "error": "ratelimited"}, fault.retry_after)
    if fault.error is not None:
        return Answer(fault.status or 200, {"ok": False, "error": fault.error})
    if fault.status is not None:
        return Answer(fault.status, {"ok": False, "error": "internal_error"})
    if fault.drop == "before":
        return Answer(0, {})
    return None


async def drop(request: Request) -> None:
    """Cut the connection without an answer."""
    request.scope["state"]["abort"]()
    await asyncio.sleep(0.01)


def _record(workspaces: Workspaces, core: Core | None, method: str, given: Json, answer: Answer) -> None:
    shared = workspaces.first
    kept, told = {name: Args(given).decoded(name) for name in given}, answer.body
    if method in oauth.METHODS:
        kept, told = oauth.without_secrets(kept), oauth.without_secrets(told)
    team = core.workspace.id if core else ""
    number, now = shared.calls.next_number(), shared.clock.now()
    shared.calls.add(Call(number, now, shared.app.id, method, kept, answer.status, told, team))
    if core is not None:
        core.live.everyone("call")
    else:
        workspaces.tell("call")


def _channel(given: Json) -> str | None:
    for name in ("channel", "channel_id", "user_id", "users"):
        if isinstance(given.get(name), str):
            return str(given[name])
    return None
