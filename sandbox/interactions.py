"""What people do with an app: the payloads it gets, and what its acknowledgement does.

Both the page and the driver of tests come through here, so they cannot differ.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sandbox import views
from sandbox.block_kit import view_refusal
from sandbox.blocks import Held, held
from sandbox.core import Core
from sandbox.delivery import Ack, Shipment
from sandbox.errors import Refused, SandboxError
from sandbox.forms import HOLDERS, accepted_state, faults, initial_values
from sandbox.methods.chat import check_message
from sandbox.objects import file_object, message_object, person_message, view_object
from sandbox.response_urls import say, url_for
from sandbox.text import normalise, typed_command
from sandbox.workspace import Channel, Ephemeral, Json, User, View

TROUBLE = "We had some trouble connecting. Try again?"
COMMAND_CHANNEL_NAMES = {"im": "directmessage", "mpim": "privategroup", "private": "privategroup"}


@dataclass(frozen=True)
class Outcome:
    """How something a person did went: whether the app took it properly, its answer, and what Slack shows if not."""

    ok: bool
    status: int | None = None
    body: Json | str | None = None
    notice: str | None = None
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """Where an element was used: in a message, in an ephemeral message, or in a view."""

    channel: Channel | None = None
    message: Json | None = None
    ephemeral: Ephemeral | None = None
    view: View | None = None

    @property
    def blocks(self) -> list[Json]:
        if self.view is not None:
            return list(self.view.body["blocks"])
        assert self.message is not None
        attached = [block for each in self.message.get("attachments", ()) for block in each.get("blocks", ())]
        return [*self.message.get("blocks", ()), *attached]

    def find(self, block_id: str, action_id: str) -> Held:
        """The element of these ids. Raises SandboxError when there is none."""
        for item in held(self.blocks):
            if (item.block_id, item.action_id) == (block_id, action_id):
                return item
        raise SandboxError(f'There is no element "{action_id}" in block "{block_id}" any more.')


# ---- slash commands ------------------------------------------------------------------------------------------------


async def send_command(core: Core, user: User, channel: Channel, name: str, text: str) -> Outcome:
    """A person typed a slash command in a conversation."""
    require_commands(user)
    command = core.app.command(name)
    if command is None or not core.installed:
        return _told(core, user, channel, Outcome(False, notice=f"{name} is not a valid command."))
    trigger = core.tickets.trigger(user.id, channel.id)
    payload = {
        "token": core.credentials.verification_token,
        "team_id": core.workspace.id,
        "team_domain": core.workspace.domain,
        **{key: value for key, value in core.team().items() if key.startswith("enterprise_")},
        "channel_id": channel.id,
        "channel_name": COMMAND_CHANNEL_NAMES.get(channel.kind, channel.name),
        "user_id": user.id,
        "user_name": user.name,
        "command": name,
        "text": typed_command(core.workspace, text, command.should_escape),
        "api_app_id": core.app.id,
        "is_enterprise_install": "true" if core.is_from_above else "false",
        "response_url": url_for(core, "commands", core.tickets.response_url(user.id, channel.id)),
        "trigger_id": trigger,
    }
    ack = await core.courier.ask(Shipment("slash_commands", name, payload, wants_answer=True))
    error = _command_error(ack) or _show_answer(core, user, channel, f"{name} {text}".strip(), ack.body)
    notice = f'{name} failed with the error "{error}"' if error else None
    return _told(core, user, channel, Outcome(error is None, ack.status, ack.body, notice))


def _command_error(ack: Ack) -> str | None:
    if ack.ok:
        return None
    return "operation_timeout" if ack.error == "http_timeout" else "dispatch_failed"


def _show_answer(core: Core, user: User, channel: Channel, typed: str, body: Json | str | None) -> str | None:
    """Show what the app answered to a command; the error Slack would name when it cannot be shown."""
    if body is None:
        return None
    answer: Json = {"text": body} if isinstance(body, str) else dict(body)
    in_channel = answer.get("response_type") == "in_channel"
    has_words = any(answer.get(key) for key in ("text", "blocks", "attachments"))
    try:
        if has_words:
            check_message(answer)
        if in_channel:
            _echo(core, user, channel, typed)
        if has_words:
            say(core, channel, user.id, answer)
    except Refused as refused:
        return refused.error
    return None if has_words or in_channel else "no_text"


def _echo(core: Core, user: User, channel: Channel, typed: str) -> None:
    """Show everybody the line the person typed. Apps get no event for it."""
    line = person_message(core.workspace, user.id, normalise(typed), core.new_ts())
    channel.messages[line["ts"]] = line
    core.live.conversation(channel)


# ---- shortcuts -----------------------------------------------------------------------------------------------------


async def send_shortcut(core: Core, user: User, callback_id: str) -> Outcome:
    """A person picked a global shortcut."""
    require_commands(user)
    if core.app.shortcut(callback_id, "global") is None:
        raise SandboxError(f'The app has no global shortcut "{callback_id}".')
    payload = {
        **_common(core, user, "shortcut"),
        "action_ts": core.new_ts(),
        "callback_id": callback_id,
        "trigger_id": core.tickets.trigger(user.id),
    }
    return await _ask(core, user, None, Shipment("interactive", "shortcut", payload))


async def send_message_shortcut(core: Core, user: User, channel: Channel, message: Json, callback_id: str) -> Outcome:
    """A person picked a shortcut from a message's menu."""
    require_commands(user)
    if core.app.shortcut(callback_id, "message") is None:
        raise SandboxError(f'The app has no message shortcut "{callback_id}".')
    secret = core.tickets.response_url(user.id, channel.id, message["ts"])
    payload = {
        **_common(core, user, "message_action"),
        "action_ts": core.new_ts(),
        "channel": _channel_of(channel),
        "callback_id": callback_id,
        "trigger_id": core.tickets.trigger(user.id, channel.id),
        "message_ts": message["ts"],
        "message": message_object(channel, message),
        "response_url": url_for(core, "app", secret),
    }
    return await _ask(core, user, channel, Shipment("interactive", "message_action", payload))


# ---- buttons, menus, inputs that report at once --------------------------------------------------------------------


async def send_action(
    core: Core, user: User, place: Place, block_id: str, action_id: str, value: Any, state: Json
) -> Outcome:
    """A person used an element. `value` is what it holds now, in Slack's shape; `state` the whole form's values."""
    item = place.find(block_id, action_id)
    if item.kind == "workflow_button":
        return Outcome(True)
    values = _keep_state(place, item, value, state)
    if item.is_input and not item.block.get("dispatch_action"):
        return Outcome(True)  # such inputs are only handed in with their form
    action = {**_action(item, value), "action_ts": core.new_ts()}
    where = _where(core, user, place)
    payload: Json = {
        **_common(core, user, "block_actions", in_view=place.view is not None),
        **where,
        "trigger_id": core.tickets.trigger(
            user.id, place.channel.id if place.channel else None, place.view.id if place.view else None
        ),
        "state": {"values": values},
        "actions": [action],
    }
    if place.channel is not None and place.message is not None:
        secret = core.tickets.response_url(
            user.id,
            place.channel.id,
            None if place.ephemeral else place.message["ts"],
            place.ephemeral.id if place.ephemeral else None,
        )
        payload["response_url"] = url_for(core, "actions", secret)
    return await _ask(core, user, place.channel, Shipment("interactive", "block_actions", payload))


def _keep_state(place: Place, item: Held, value: Any, state: Json) -> Json:
    """The form's values with this element's new one; those of a view are remembered."""
    before = place.view.values if place.view else initial_values(place.blocks)
    values = accepted_state(place.blocks, state, before)
    if item.kind in HOLDERS:
        key = HOLDERS[item.kind].key
        values[item.block_id][item.action_id] = {**values[item.block_id][item.action_id], key: value}
    if place.view is not None:
        place.view.values = values
    return values


def _action(item: Held, value: Any) -> Json:
    """The element as it stands in `actions`: what it holds, with the parts Slack repeats."""
    repeated = ("text", "value", "style", "url", "confirm", "placeholder")
    action: Json = {key: item.element[key] for key in repeated if key in item.element}
    action |= {"type": item.kind, "action_id": item.action_id, "block_id": item.block_id}
    if item.kind == "overflow":
        action["selected_option"] = value
    elif item.kind == "feedback_buttons":
        action["value"] = value
    elif item.kind in HOLDERS:
        holder = HOLDERS[item.kind]
        action[holder.key] = value if value is not None else holder.empty
        if holder.initial in item.element and holder.key != "value":
            action[holder.initial] = item.element[holder.initial]
        if "timezone" in item.element:
            action["timezone"] = item.element["timezone"]
    return action


async def ask_options(core: Core, user: User, place: Place, block_id: str, action_id: str, typed: str) -> Outcome:
    """A person typed into a menu the app fills. The body of a good outcome has `options` or `option_groups`."""
    place.find(block_id, action_id)
    where = _where(core, user, place)
    where["container"].pop("is_ephemeral", None)
    payload = {
        **_common(core, user, "block_suggestion", in_view=place.view is not None),
        **where,
        "action_id": action_id,
        "block_id": block_id,
        "value": typed,
    }
    ack = await core.courier.ask(Shipment("interactive", "block_suggestion", payload, wants_answer=True))
    if ack.ok and isinstance(ack.body, dict) and _are_options(ack.body):
        return Outcome(True, ack.status, ack.body)
    return Outcome(False, ack.status, ack.body, "The options could not be loaded.")


def _are_options(body: Json) -> bool:
    key = "option_groups" if "option_groups" in body else "options"
    options = body.get(key)
    if not isinstance(options, list) or len(options) > 100:
        return False
    if not options:
        return True
    menu = {"type": "static_select", "action_id": "a", key: options}
    probe = {"type": "modal", "title": _text("t"), "blocks": [{"type": "actions", "elements": [menu]}]}
    return view_refusal(probe) is None


def _text(text: str) -> Json:
    return {"type": "plain_text", "text": text}


# ---- modals --------------------------------------------------------------------------------------------------------


async def submit_view(core: Core, user: User, view: View, state: Json) -> Outcome:
    """A person pressed submit. `errors` of the outcome are those beside fields, by block_id."""
    blocks = view.body["blocks"]
    view.values = _with_files(core, user, accepted_state(blocks, state, view.values))
    found = faults(blocks, view.values)
    if found:
        return Outcome(False, errors=found)
    payload = {
        **_common(core, user, "view_submission", in_view=True),
        "trigger_id": core.tickets.trigger(user.id, view.channel, view.id),
        "view": view_object(view),
        "response_urls": _response_urls(core, user, view),
    }
    ack = await core.courier.ask(Shipment("interactive", "view_submission", payload, wants_answer=True))
    outcome = _take_response(core, user, view, ack)
    core.live.views(user.id)
    return _told(core, user, None, outcome)


def _with_files(core: Core, user: User, values: Json) -> Json:
    """The values with each uploaded file as Slack describes it; a person can only hand in files of their own."""
    for actions in values.values():
        for entry in actions.values():
            if entry["type"] == "file_input":
                ids = [each.get("id") if isinstance(each, dict) else each for each in entry["files"]]
                files = [core.workspace.files[each] for each in ids if each in core.workspace.files]
                own = [file for file in files if file.user == user.id]
                entry["files"] = [file_object(core.workspace, file, core.base_url) for file in own]
    return values


def _take_response(core: Core, user: User, view: View, ack: Ack) -> Outcome:
    """Do what the app answered to a submission: close, show errors, replace, push or clear."""
    if not ack.ok:
        return Outcome(False, ack.status, ack.body, TROUBLE)
    stack = core.workspace.stack(user.id)
    if ack.body is None:
        if view in stack:
            stack.remove(view)
        return Outcome(True, ack.status)
    try:
        errors = _respond(core, user, view, stack, ack.body)
    except Refused as refused:
        return Outcome(False, ack.status, ack.body, f"{TROUBLE} (Slack refused the answer: {_reason(refused)})")
    return Outcome(not errors, ack.status, ack.body, errors=errors)


def _respond(core: Core, user: User, view: View, stack: list[View], body: Json | str) -> dict[str, str]:
    """Raises Refused when the answer is no valid response_action."""
    if not isinstance(body, dict):
        raise Refused("the body is not a response_action")
    action = body.get("response_action")
    if action == "errors":
        return _field_errors(view, body.get("errors"))
    if action == "update":
        views.replace(core, view, views.checked(body.get("view"), "modal"))
    elif action == "push":
        views.push_onto(core, stack, user.id, views.checked(body.get("view"), "modal"))
    elif action == "clear":
        views.close(core, user.id, everything=True)
    else:
        raise Refused(f"unknown response_action: {action}")
    return {}


def _field_errors(view: View, errors: object) -> dict[str, str]:
    """Errors by block_id. Raises Refused unless each belongs to an input block and has a text."""
    inputs = {block["block_id"] for block in view.body["blocks"] if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors:
        raise Refused("errors must name at least one block")
    if unknown := sorted(set(errors) - inputs):
        raise Refused(f"errors for unknown blocks: {', '.join(map(str, unknown))}")
    if not all(isinstance(text, str) and text for text in errors.values()):
        raise Refused("an error has no text")
    return dict(errors)


def _reason(refused: Refused) -> str:
    details = refused.extra.get("response_metadata", {}).get("messages")
    return "; ".join(details) if details else refused.error


def _response_urls(core: Core, user: User, view: View) -> list[Json]:
    """Addresses to answer in the conversation a person picked, where an input asked for them."""
    urls: list[Json] = []
    for item in held(view.body["blocks"]):
        if item.is_input and item.element.get("response_url_enabled"):
            value = view.values[item.block_id][item.action_id].get(HOLDERS[item.kind].key)
            if isinstance(value, str) and value in core.workspace.channels:
                url = url_for(core, "app", core.tickets.response_url(user.id, value))
                place = {"block_id": item.block_id, "action_id": item.action_id}
                urls.append({**place, "channel_id": value, "response_url": url})
    return urls


async def close_view(core: Core, user: User, *, everything: bool) -> Outcome:
    """A person closed the top modal (Cancel), or the whole stack (✕). Apps that asked are told of each."""
    outcome = Outcome(True)
    for view in views.close(core, user.id, everything=everything):
        if view.body["notify_on_close"]:
            payload = {
                **_common(core, user, "view_closed", in_view=True),
                "view": view_object(view),
                "is_cleared": everything,
                "response_urls": [],
            }
            outcome = await _ask(core, user, None, Shipment("interactive", "view_closed", payload))
    return outcome


# ---- shared --------------------------------------------------------------------------------------------------------


async def _ask(core: Core, user: User, channel: Channel | None, shipment: Shipment) -> Outcome:
    ack = await core.courier.ask(shipment)
    notice = None if ack.ok else _unanswered(core, ack)
    return _told(core, user, channel, Outcome(ack.ok, ack.status, ack.body, notice))


def _unanswered(core: Core, ack: Ack) -> str:
    if ack.error == "http_timeout":
        return f"{core.app.name} did not respond in time. Slack shows a ⚠ here."
    return f"{core.app.name} could not be reached ({ack.error}). Slack shows a ⚠ here."


def _told(core: Core, user: User, channel: Channel | None, outcome: Outcome) -> Outcome:
    if outcome.notice is not None:
        core.live.notice(user.id, outcome.notice, channel.id if channel else None)
    return outcome


def require_commands(user: User) -> None:
    """Raise SandboxError for somebody of another workspace: of an app there Slack shows them its messages alone."""
    if user.home:
        raise SandboxError(f"{user.real_name} is of another workspace, and sees no commands and shortcuts here.")


def _common(core: Core, user: User, kind: str, *, in_view: bool = False) -> Json:
    """What every payload holds. Raises SandboxError where the app is not installed.

    Of a view in front of somebody of another workspace it speaks of theirs; where the app is, the view itself says.
    """
    core.require_app()
    team = {"id": user.home, "domain": user.home.lower()} if in_view and user.home else core.team()
    return {
        "type": kind,
        "user": {
            "id": user.id,
            "username": user.name,
            "name": user.name,
            "team_id": core.workspace.team_of(user.id),
        },
        "team": None if core.is_from_above else team,
        "enterprise": core.organisation.shape() if core.organisation else None,
        "is_enterprise_install": core.is_from_above,
        "api_app_id": core.app.id,
        "token": core.credentials.verification_token,
    }


def _channel_of(channel: Channel) -> Json:
    names = {"im": "directmessage", "mpim": "group-message"}
    return {"id": channel.id, "name": names.get(channel.kind, channel.name)}


def _where(core: Core, user: User, place: Place) -> Json:
    """`container` and what it holds: the view, or the conversation with its message (not told when ephemeral)."""
    if place.view is not None:
        return {"container": {"type": "view", "view_id": place.view.id}, "view": view_object(place.view)}
    assert place.channel is not None
    assert place.message is not None
    container: Json = {
        "type": "message",
        "message_ts": place.message["ts"],
        "channel_id": place.channel.id,
        "is_ephemeral": place.ephemeral is not None,
    }
    if "thread_ts" in place.message:
        container["thread_ts"] = place.message["thread_ts"]
    where: Json = {"container": container, "channel": _channel_of(place.channel)}
    if place.ephemeral is None:
        where["message"] = message_object(place.channel, place.message)
    return where
