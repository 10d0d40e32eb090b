"""What Bolt hands over, as one shape: parsing of Slack's payloads and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from handlers.request import ChosenFile, SourceMessage, Where
from views.forms import FormContext, unpack

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Incoming:
    """One interaction as Slack describes it; ids are Slack's. `source_key` is what a repeat has in common.

    `happened_at` is known of events, to the second.
    """

    where: Where
    name: str
    workspace_id: str
    person_id: str
    source_key: str
    enterprise_id: str = ""
    person_name: str = ""
    channel_id: str = ""
    channel_name: str = ""
    text: str = ""
    value: str = ""
    state: Mapping[str, Any] = field(default_factory=dict)
    context: FormContext = field(default_factory=FormContext)
    message: SourceMessage | None = None
    response_url: str = ""
    file: ChosenFile | None = None
    thread_ts: str = ""
    trigger_id: str = ""
    happened_at: datetime | None = None
    view: Mapping[str, Any] = field(default_factory=dict)
    payload: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_direct(self) -> bool:
        """Whether it happened in a direct message, of two or of several, where no project is begun."""
        return self.channel_id.startswith("D") or self.channel_name.startswith(("directmessage", "mpdm-"))


def command(body: Body) -> Incoming:
    """A slash command."""
    return Incoming(
        where=Where.COMMAND,
        name=_text(body, "command"),
        workspace_id=_text(body, "team_id"),
        enterprise_id=_text(body, "enterprise_id"),
        person_id=_text(body, "user_id"),
        person_name=_text(body, "user_name"),
        source_key=f"command:{_text(body, 'trigger_id')}",
        channel_id=_text(body, "channel_id"),
        channel_name=_text(body, "channel_name"),
        text=_text(body, "text"),
        response_url=_text(body, "response_url"),
        trigger_id=_text(body, "trigger_id"),
    )


def button(body: Body) -> Incoming:
    """A pressed button or a changed menu, in a message, a form or the Home tab."""
    action = (body.get("actions") or [{}])[0]
    view = _part(body, "view")
    chosen = action.get("selected_option") or {}
    name, value = _text(action, "action_id"), str(action.get("value") or chosen.get("value") or "")
    if action.get("type") == "overflow":
        # An entry of a ⋯ menu stands for a button that found no room: "action id, value".
        name, _, value = value.partition(" ")
    context = unpack(_text(view, "private_metadata")) if view.get("type") == "modal" else FormContext()
    return Incoming(
        where=_where(body),
        name=name,
        **_who(body),
        source_key=f"action:{_text(body, 'trigger_id')}:{name}",
        channel_id=_text(_part(body, "channel"), "id") or context.channel_id,
        channel_name=_text(_part(body, "channel"), "name"),
        value=value,
        state=_part(_part(view, "state"), "values"),
        context=context,
        message=_message(body),
        response_url=_text(body, "response_url") or context.response_url,
        thread_ts=_thread_of(_part(body, "container"), "message_ts") or context.thread_ts,
        trigger_id=_text(body, "trigger_id"),
        view=view,
    )


def form(body: Body) -> Incoming:
    """A submitted form."""
    view = _part(body, "view")
    context = unpack(_text(view, "private_metadata"))
    return Incoming(
        where=Where.FORM,
        name=_text(view, "callback_id"),
        **_who(body),
        source_key=f"form:{_text(view, 'id')}:{_text(view, 'hash')}",
        channel_id=context.channel_id,
        state=_part(_part(view, "state"), "values"),
        context=context,
        response_url=context.response_url,
        thread_ts=context.thread_ts,
        trigger_id=_text(body, "trigger_id"),
        view=view,
    )


def shortcut(body: Body) -> Incoming:
    """A global shortcut, or one on a message."""
    return Incoming(
        where=Where.SHORTCUT,
        name=_text(body, "callback_id"),
        **_who(body),
        source_key=f"shortcut:{_text(body, 'trigger_id')}",
        channel_id=_text(_part(body, "channel"), "id"),
        channel_name=_text(_part(body, "channel"), "name"),
        message=_message(body),
        response_url=_text(body, "response_url"),
        thread_ts=_thread_of(_part(body, "message")),
        trigger_id=_text(body, "trigger_id"),
    )


def options(body: Body) -> Incoming:
    """A menu that asks what it should offer."""
    return Incoming(
        where=Where.OPTIONS,
        name=_text(body, "action_id"),
        **_who(body),
        source_key="",
        value=_text(body, "value"),
    )


def event(body: Body) -> Incoming:
    """An event; the person is whom it is about. A mention of Steward is an event that somebody waits for."""
    inner = _part(body, "event")
    about = inner.get("user")
    item = _part(inner, "item")
    channel = inner.get("channel") or item.get("channel")
    authorised = (body.get("authorizations") or [{}])[0]
    name = _event_name(inner, _text(authorised, "user_id"))
    is_mention = name == MENTION
    message = None
    if is_mention or name == "reaction_added":
        message = SourceMessage(ts=_text(inner, "ts") or _text(item, "ts"), thread_ts=_thread_of(inner))
    return Incoming(
        where=Where.MENTION if is_mention else Where.EVENT,
        name=name,
        # An organisation-wide installation is authorised without a workspace. The body alone may name somebody else's.
        workspace_id=_text(authorised, "team_id") or _text(body, "context_team_id") or _text(body, "team_id"),
        enterprise_id=_text(authorised or body, "enterprise_id"),
        person_id=_text(about, "id") if isinstance(about, Mapping) else str(about or ""),
        # A message that is edited may be told of again, as another event.
        source_key=f"mention:{channel}:{_text(inner, 'ts')}" if is_mention else f"event:{_text(body, 'event_id')}",
        channel_id=_text(channel, "id") if isinstance(channel, Mapping) else str(channel or ""),
        text=_text(inner, "text") if is_mention else "",
        message=message,
        thread_ts=_thread_of(inner) if is_mention else "",
        happened_at=_instant(body, "event_time"),
        payload=inner,
    )


MENTION = "/steward"


def _event_name(inner: Body, bot_user_id: str) -> str:
    """What our table calls the event; a name that is in no table for the many that are none of our business.

    A mention is read as the command would be, also in Steward's own conversation, where Slack tells it as any message.
    Of other messages there are those to Steward itself, and words that somebody else changed.
    """
    kind, subtype = _text(inner, "type"), _text(inner, "subtype")
    is_by_app = bool(inner.get("bot_id")) or subtype == "bot_message"
    if kind == "app_mention":
        return "mention by an app" if is_by_app else MENTION
    if kind == "reaction_added" and _text(_part(inner, "item"), "type") != "message":
        return "reaction to something else"
    if kind != "message":
        return kind
    if subtype == "message_deleted":
        return subtype
    if subtype == "message_changed":
        message, before = _part(inner, "message"), _part(inner, "previous_message")
        # The first message of a thread leaves a gravestone when it is deleted.
        if _text(message, "subtype") == "tombstone":
            return "message_deleted"
        is_ours = bool(bot_user_id) and _text(message, "user") == bot_user_id
        return "message redrawn" if is_ours or message.get("text") == before.get("text") else subtype
    if _text(inner, "channel_type") != "im" or is_by_app:
        return "message to others"
    return MENTION if not subtype and bot_user_id and f"<@{bot_user_id}" in _text(inner, "text") else kind


def _thread_of(message: Body, key: str = "ts") -> str:
    """The `ts` of the first message of the thread that a reply stands in; nothing for any other message."""
    thread_ts = _text(message, "thread_ts")
    return "" if thread_ts == _text(message, key) else thread_ts


def _who(body: Body) -> dict[str, Any]:
    person = _part(body, "user")
    return _place(body) | {
        "person_id": _text(person, "id"),
        "person_name": _text(person, "username") or _text(person, "name"),
    }


def _place(body: Body) -> dict[str, str]:
    """The workspace in which Steward is asked, and its organisation where that is known.

    In a form of ours somebody of another company may be at work: then the form says where Steward is installed, and
    the rest of the payload speaks of them. An organisation-wide installation may name no team; then it is the view's or
    the person's.
    """
    person, team, view = _part(body, "user"), _part(body, "team"), _part(body, "view")
    installed_in, told = _text(view, "app_installed_team_id"), _text(team, "id")
    if installed_in and not installed_in.startswith("E") and installed_in != told:
        return {"workspace_id": installed_in, "enterprise_id": ""}
    return {
        "workspace_id": told or _text(view, "team_id") or _text(person, "team_id"),
        "enterprise_id": _text(_part(body, "enterprise"), "id") or _text(team, "enterprise_id"),
    }


def _where(body: Body) -> Where:
    view = _part(body, "view")
    if view:
        return Where.HOME if view.get("type") == "home" else Where.MODAL
    return Where.EPHEMERAL if _part(body, "container").get("is_ephemeral") else Where.MESSAGE


def _message(body: Body) -> SourceMessage | None:
    message = _part(body, "message")
    if not message:
        return None
    blocks = message.get("blocks") or ()
    return SourceMessage(
        ts=_text(message, "ts"),
        text=_text(message, "text"),
        blocks=tuple(block for block in blocks if isinstance(block, Mapping)),
        thread_ts=_thread_of(message),
    )


def _part(body: Any, key: str) -> Mapping[str, Any]:
    part = body.get(key) if isinstance(body, Mapping) else None
    return part if isinstance(part, Mapping) else {}


def _text(body: Any, key: str) -> str:
    value = body.get(key) if isinstance(body, Mapping) else None
    return value if isinstance(value, str) else ""


def _instant(body: Body, key: str) -> datetime | None:
    """The instant told in whole seconds of Unix's time, if it is one."""
    seconds = body.get(key)
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int) and 0 < seconds < 10**10 else None
