"""Modals and Home tabs: opened, pushed, replaced and closed, with the state people left in them."""

from __future__ import annotations

import json
import secrets
from typing import Any

from sandbox.block_kit import view_refusal
from sandbox.blocks import received
from sandbox.core import Core
from sandbox.errors import Refused
from sandbox.forms import carried_over, initial_values
from sandbox.tickets import Trigger
from sandbox.workspace import Json, View, new_id

MOST_STACKED = 3
OPTIONAL_TEXTS = ("close", "submit")


def checked(view: object, kind: str) -> Json:
    """A view an app sent (object or JSON text) after Slack's checks. Raises Refused."""
    if isinstance(view, str):
        try:
            view = json.loads(view)
        except ValueError:
            raise Refused("invalid_arguments", response_metadata={"messages": ["[ERROR] invalid `view`"]}) from None
    refusal = view_refusal(view)
    if refusal is not None:
        raise refused(refusal)
    assert isinstance(view, dict)
    if view["type"] != kind:
        raise Refused(
            "invalid_arguments",
            response_metadata={"messages": [f"[ERROR] unsupported type: {view['type']} [json-pointer:/view/type]"]},
        )
    return view


def refused(body: Json) -> Refused:
    """A ready-made refusal body as an exception."""
    return Refused(body["error"], **{key: value for key, value in body.items() if key not in ("ok", "error")})


def open_modal(core: Core, trigger: Trigger, sent: Json) -> View:
    """A first modal for the person behind the trigger. Modals already open are closed, as Slack's client does."""
    _check_external_id(core, sent)
    view = _new_view(core, trigger.user, sent, trigger.channel)
    core.workspace.modals[trigger.user] = [view]
    core.live.views(trigger.user)
    return view


def push_modal(core: Core, trigger: Trigger, sent: Json) -> View:
    """Another modal on top of the one the trigger came from. Raises Refused: not_found, push_limit_reached."""
    stack = core.workspace.stack(trigger.user)
    if not any(view.id == trigger.view_id for view in stack):
        raise Refused("not_found")
    return push_onto(core, stack, trigger.user, sent)


def push_onto(core: Core, stack: list[View], user: str, sent: Json) -> View:
    """Another modal on top of this person's. Raises Refused: push_limit_reached, duplicate_external_id."""
    if len(stack) >= MOST_STACKED:
        raise Refused("push_limit_reached")
    _check_external_id(core, sent)
    view = _new_view(core, user, sent, stack[0].channel)
    view.body |= {"root_view_id": stack[0].id, "previous_view_id": stack[-1].id}
    stack.append(view)
    core.live.views(user)
    return view


def replace(core: Core, view: View, sent: Json) -> View:
    """Show other content in a view; what was typed stays where block_id and action_id do."""
    _check_external_id(core, sent, but=view)
    blocks = received(sent["blocks"])
    view.values = carried_over(blocks, view.values, view.channel)
    same = {key: view.body[key] for key in ("id", "root_view_id", "previous_view_id")}
    view.body = {**_body(core, sent, blocks), **same}
    core.live.views(view.user)
    return view


def publish(core: Core, user: str, sent: Json, hash_: str | None) -> View:
    """Show a person's Home tab. Raises Refused: hash_conflict."""
    home = core.workspace.homes.get(user)
    if home is None:
        _check_external_id(core, sent)
        home = core.workspace.homes[user] = _new_view(core, user, sent, None)
        core.live.views(user)
        return home
    check_hash(home, hash_)
    return replace(core, home, sent)


def close(core: Core, user: str, *, everything: bool) -> list[View]:
    """Close the top modal or all of them; those closed, top first."""
    stack = core.workspace.stack(user)
    count = len(stack) if everything else min(1, len(stack))
    closed = [stack.pop() for _ in range(count)]
    core.live.views(user)
    return closed


def check_hash(view: View, given: str | None) -> None:
    """Raises Refused when the app last saw an older state of the view."""
    if given and given != view.body["hash"]:
        raise Refused("hash_conflict")


def find(core: Core, view_id: str | None, external_id: str | None) -> View:
    """An open view by id or the app's own name for it. Raises Refused: not_found."""
    for view in core.workspace.views():
        if (view_id and view.id == view_id) or (external_id and view.body["external_id"] == external_id):
            return view
    raise Refused("not_found")


def _check_external_id(core: Core, sent: Json, but: View | None = None) -> None:
    name = sent.get("external_id")
    if name and any(view is not but and view.body["external_id"] == name for view in core.workspace.views()):
        raise Refused("duplicate_external_id")


def _new_view(core: Core, user: str, sent: Json, channel: str | None) -> View:
    blocks = received(sent["blocks"])
    view_id = new_id("V")
    body = {**_body(core, sent, blocks), "id": view_id, "root_view_id": view_id, "previous_view_id": None}
    return View(user, body, initial_values(blocks, channel), channel)


def _body(core: Core, sent: Json, blocks: list[Json]) -> Json:
    """A view in the form Slack gives it back, without the ids of its place in the stack."""
    body: dict[str, Any] = {
        "id": "",
        "team_id": core.workspace.id,
        "type": sent["type"],
        "blocks": blocks,
        "private_metadata": sent.get("private_metadata", ""),
        "callback_id": sent.get("callback_id", ""),
        "hash": f"{core.epoch()}.{secrets.token_hex(4)}",
        "title": sent.get("title") or {"type": "plain_text", "text": "View Title", "emoji": True},
        "clear_on_close": sent.get("clear_on_close", False),
        "notify_on_close": sent.get("notify_on_close", False),
        "submit_disabled": sent.get("submit_disabled", False),
        **{key: sent.get(key) for key in OPTIONAL_TEXTS},
        "app_id": core.app.id,
        "external_id": sent.get("external_id", ""),
        "app_installed_team_id": core.organisation.id
        if core.is_from_above and core.organisation
        else core.workspace.id,
        "bot_id": core.app.bot_id,
    }
    return body
