"""The app as its manifest describes it: name, commands, shortcuts, scopes, events."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.errors import SandboxError

APP_ID = "A00000000AP"
BOT_ID = "B00000000BT"
BOT_USER_ID = "U00000000BT"


@dataclass(frozen=True)
class Command:
    command: str
    description: str = ""
    usage_hint: str = ""
    should_escape: bool = False
    url: str | None = None


@dataclass(frozen=True)
class Shortcut:
    name: str
    type: str
    callback_id: str
    description: str = ""


@dataclass(frozen=True)
class Urls:
    """Where signed HTTP goes; all None in Socket Mode."""

    events: str | None = None
    interactivity: str | None = None
    options: str | None = None
    commands: str | None = None


@dataclass(frozen=True)
class Credentials:
    """Secrets of the app itself, the same in every workspace. Made anew for each sandbox, kept with its state."""

    app_token: str = field(repr=False)
    signing_secret: str = field(repr=False)
    verification_token: str = field(repr=False)
    client_id: str = field(default_factory=lambda: f"{digits()}.{digits()}")
    client_secret: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)

    @classmethod
    def fresh(cls) -> Credentials:
        return cls(
            app_token=f"xapp-1-{APP_ID}-{digits()}-{secrets.token_hex(32)}",
            signing_secret=secrets.token_hex(16),
            verification_token=secrets.token_hex(12),
        )


@dataclass(frozen=True)
class App:
    """What a workspace knows of the app. `scopes` are those it was granted there, of those it asks for."""

    name: str
    description: str
    bot_name: str
    scopes: tuple[str, ...]
    scopes_asked: tuple[str, ...]
    scopes_optional: frozenset[str]
    user_scopes: tuple[str, ...]
    redirect_urls: tuple[str, ...]
    rotates_tokens: bool
    is_for_organisations: bool
    commands: tuple[Command, ...]
    shortcuts: tuple[Shortcut, ...]
    events: frozenset[str]
    home_enabled: bool
    messages_enabled: bool
    messages_read_only: bool
    urls: Urls
    id: str = APP_ID
    bot_id: str = BOT_ID
    bot_user_id: str = BOT_USER_ID

    def command(self, name: str) -> Command | None:
        return next((command for command in self.commands if command.command == name), None)

    def shortcut(self, callback_id: str, kind: str) -> Shortcut | None:
        found = (
            shortcut for shortcut in self.shortcuts if (shortcut.callback_id, shortcut.type) == (callback_id, kind)
        )
        return next(found, None)


def read_app(manifest: Mapping[str, Any], request_url: str | None = None, *, optional_scopes: bool = True) -> App:
    """The app a manifest (format 1 or 2) describes. With `request_url` everything is sent there.

    `optional_scopes` is whether whoever installed it granted what it asks for as optional.

    Raises SandboxError when the manifest lacks what an app needs.
    """
    features = _part(manifest, "features")
    home = _part(features, "app_home")
    settings = _part(manifest, "settings")
    about = _part(manifest, "display_information")
    oauth = _part(manifest, "oauth_config")
    scopes = _part(oauth, "scopes")
    optional = frozenset(scopes.get("bot_optional", ()))
    asked = tuple(dict.fromkeys((*scopes.get("bot", ()), *scopes.get("bot_optional", ()))))
    name = about.get("name")
    if not isinstance(name, str) or not name:
        raise SandboxError("The manifest has no display_information.name.")
    try:
        return App(
            name=name,
            description=str(about.get("description", "")),
            bot_name=str(_part(features, "bot_user").get("display_name", name)),
            scopes=tuple(scope for scope in asked if optional_scopes or scope not in optional),
            scopes_asked=asked,
            scopes_optional=optional,
            user_scopes=tuple(dict.fromkeys((*scopes.get("user", ()), *scopes.get("user_optional", ())))),
            redirect_urls=tuple(oauth.get("redirect_urls", ())),
            is_for_organisations=bool(settings.get("org_deploy_enabled", False)),
            rotates_tokens=bool(settings.get("token_rotation_enabled", False)),
            commands=tuple(_command(entry) for entry in features.get("slash_commands", ())),
            shortcuts=tuple(_shortcut(entry) for entry in features.get("shortcuts", ())),
            events=frozenset(_part(settings, "event_subscriptions").get("bot_events", ())),
            home_enabled=bool(home.get("home_tab_enabled", False)),
            messages_enabled=bool(home.get("messages_tab_enabled", True)),
            messages_read_only=bool(home.get("messages_tab_read_only_enabled", False)),
            urls=_urls(settings, request_url),
        )
    except KeyError as missing:
        raise SandboxError(f"An entry of the manifest has no {missing.args[0]}.") from missing


def _part(node: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    part = node.get(key)
    return part if isinstance(part, Mapping) else {}


def _command(entry: Mapping[str, Any]) -> Command:
    return Command(
        command=entry["command"],
        description=entry.get("description", ""),
        usage_hint=entry.get("usage_hint", ""),
        should_escape=bool(entry.get("should_escape", False)),
        url=entry.get("url"),
    )


def _shortcut(entry: Mapping[str, Any]) -> Shortcut:
    return Shortcut(entry["name"], entry["type"], entry["callback_id"], entry.get("description", ""))


def _urls(settings: Mapping[str, Any], request_url: str | None) -> Urls:
    if request_url is not None:
        return Urls(request_url, request_url, request_url, request_url)
    if settings.get("socket_mode_enabled", False):
        return Urls()
    interactivity = _part(settings, "interactivity")
    return Urls(
        events=_part(settings, "event_subscriptions").get("request_url"),
        interactivity=interactivity.get("request_url"),
        options=interactivity.get("message_menu_options_url") or interactivity.get("request_url"),
    )


def digits() -> str:
    """A number of the length that stands in tokens and client ids."""
    return str(10**12 + secrets.randbelow(9 * 10**12))
