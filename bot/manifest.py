"""The Slack app manifest, from the same tables the program runs by."""

import re
from typing import Any

from bot import access
from handlers.commands import COMMANDS
from handlers.registry import EVENTS

# Scope -> why, as docs/connect-slack.md tells it. The manifest asks for nothing that is not used, and whoever installs
# it may leave the optional ones out.
OPTIONAL_SCOPES = {
    "channels:history": "the text of a message saved by a reaction, whether a record's message was changed, and "
    "whether a message of Steward's own was posted",
    "groups:history": "the same in private channels Steward was invited to",
    "files:read": "read a table that somebody puts into the form of /steward import",
}
SCOPES = {
    "commands": "slash commands and shortcuts",
    "chat:write": "post cards and reminders, and keep them up to date",
    "chat:write.public": "post cards in public channels without being invited",
    "im:write": "open the direct message in which a person is reminded",
    "im:history": "answer a message that somebody writes to Steward itself, and see whether its own was posted",
    "channels:read": "names and members of public channels",
    "groups:read": "names and members of private channels Steward was invited to",
    "users:read": "names, time zones, who is a guest or deactivated, and whether a status looks like leave",
    "app_mentions:read": "read what is written to Steward in a channel or thread, after its name",
    "reactions:read": "save a message as a draft when somebody puts the emoji for it under it",
    **OPTIONAL_SCOPES,
}

# What Slack takes as a command's name, after its slash; and at most, with it.
IN_NAME = re.compile(r"[a-z0-9_-]+")
MOST_NAME = 32

# Event in our registry -> names of the subscriptions that deliver it.
SUBSCRIPTIONS = {
    "message": ("message.im",),
    "message_changed": ("message.channels", "message.groups"),
    "message_deleted": ("message.channels", "message.groups"),
}
EXTRA_EVENTS = ("app_mention", "team_join")


def manifest(prefix: str = "", *, request_url: str | None = None, redirect_url: str | None = None) -> dict[str, Any]:
    """The manifest to paste into Slack. `prefix` renames `/action` to `/PREFIX-action`.

    Without a request URL it is for Socket Mode, without a redirect URL for one workspace.
    """
    with_url = {"url": request_url} if request_url else {}
    features = {
        "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True, "messages_tab_read_only_enabled": False},
        "bot_user": {"display_name": "Steward", "always_online": True},
        "slash_commands": [
            {
                "command": _prefixed(command.name, prefix),
                "description": command.summary,
                "usage_hint": command.usage,
                "should_escape": True,
                **with_url,
            }
            for command in COMMANDS
        ],
        "shortcuts": [
            {
                "name": "Log to Steward",
                "type": "message",
                "callback_id": "log_message",
                "description": "Make a record of this message",
            },
            {
                "name": "Log something",
                "type": "global",
                "callback_id": "log_anything",
                "description": "Log an action, risk, issue, decision and so on",
            },
        ],
    }
    subscribed = {name for event in EVENTS for name in SUBSCRIPTIONS.get(event, (event,))} | {*EXTRA_EVENTS}
    oauth: dict[str, Any] = {"scopes": {"bot": sorted(SCOPES), "bot_optional": sorted(OPTIONAL_SCOPES)}}
    if redirect_url:
        oauth = {"redirect_urls": [redirect_url], **oauth}
        subscribed |= access.EVENTS
    interactivity: dict[str, Any] = {"is_enabled": True}
    events: dict[str, Any] = {"bot_events": sorted(subscribed)}
    if request_url:
        events = {"request_url": request_url, **events}
        interactivity |= {"request_url": request_url, "message_menu_options_url": request_url}
    return {
        "_metadata": {"major_version": 1},
        "display_information": {
            "name": "Steward",
            "description": "The project coordinator that lives in Slack.",
            "background_color": "#1f4d3a",
        },
        "features": features,
        "oauth_config": oauth,
        "settings": {
            "event_subscriptions": events,
            "interactivity": interactivity,
            "org_deploy_enabled": redirect_url is not None,
            "socket_mode_enabled": request_url is None,
            "token_rotation_enabled": False,
        },
    }


def wrong_with_prefix(prefix: str) -> str | None:
    """Why Slack would not take the commands' names with it; None where it does."""
    if not prefix:
        return None
    if not IN_NAME.fullmatch(prefix.strip("-/")):
        return "write small letters from a to z, digits, - and _ only, such as acme"
    longest = max((_prefixed(command.name, prefix) for command in COMMANDS), key=len)
    if len(longest) > MOST_NAME:
        return f"{longest} has {len(longest)} characters, and Slack takes {MOST_NAME}; choose a shorter one"
    return None


def _prefixed(name: str, prefix: str) -> str:
    return f"/{prefix.strip('-/')}-{name[1:]}" if prefix else name
