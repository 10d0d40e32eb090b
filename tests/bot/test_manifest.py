"""The Slack app manifest: what is pasted into Slack is what the program answers to."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bot import access
from bot.manifest import OPTIONAL_SCOPES, SCOPES, manifest
from handlers.commands import COMMANDS
from handlers.registry import EVENTS, SHORTCUTS

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT.parent / "shared" / "slack" / "manifest.schema.1.0.0.json"

# Bot scope -> the events that Slack sends only to an app that has it; docs.slack.dev/reference/events.
EVENTS_OF_SCOPES = {
    "channels:read": {"channel_archive", "channel_left", "channel_rename", "channel_unarchive"},
    "groups:read": {"group_archive", "group_left", "group_rename", "group_unarchive"},
    "users:read": {"team_join", "user_change"},
    "im:history": {"message.im"},
    "app_mentions:read": {"app_mention"},
    "reactions:read": {"reaction_added"},
    "channels:history": {"message.channels"},
    "groups:history": {"message.groups"},
}


def test_the_manifest_beside_the_readme_is_the_one_of_this_code() -> None:
    """Otherwise: `make manifest`."""
    assert json.loads((ROOT / "manifest.json").read_text(encoding="utf-8")) == manifest()


@pytest.mark.skipif(not SCHEMA.exists(), reason="Slack's schema for manifests is not beside this checkout")
@pytest.mark.parametrize("request_url", [None, "https://steward.example/slack/events"])
@pytest.mark.parametrize("redirect_url", [None, "https://steward.example/slack/oauth_redirect"])
def test_slack_takes_the_manifest(request_url: str | None, redirect_url: str | None) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    described = manifest("acme", request_url=request_url, redirect_url=redirect_url)

    jsonschema.Draft7Validator(schema).validate(described)


def test_for_many_workspaces_it_says_where_installing_ends_and_hears_of_removals() -> None:
    one, many = manifest(), manifest(redirect_url="https://steward.example/slack/oauth_redirect")
    events = [set(each["settings"]["event_subscriptions"]["bot_events"]) for each in (one, many)]

    assert many["oauth_config"]["redirect_urls"] == ["https://steward.example/slack/oauth_redirect"]
    assert "redirect_urls" not in one["oauth_config"]
    assert events[1] - events[0] == access.EVENTS
    assert [each["settings"]["org_deploy_enabled"] for each in (one, many)] == [False, True]


def test_every_command_and_shortcut_is_in_it_and_text_arrives_escaped() -> None:
    features = manifest()["features"]

    assert [command["command"] for command in features["slash_commands"]] == [command.name for command in COMMANDS]
    assert all(command["should_escape"] for command in features["slash_commands"])
    assert {shortcut["callback_id"] for shortcut in features["shortcuts"]} == set(SHORTCUTS)


def test_texts_keep_to_slacks_lengths() -> None:
    described = manifest("a-long-prefix")
    information, features = described["display_information"], described["features"]

    assert len(information["name"]) <= 35
    assert len(information["description"]) <= 140
    for command in features["slash_commands"]:
        assert 2 <= len(command["command"]) <= 32
        assert len(command["description"]) <= 2_000
        assert len(command["usage_hint"]) <= 1_000
    for shortcut in features["shortcuts"]:
        assert len(shortcut["name"]) <= 24
        assert len(shortcut["description"]) <= 150


def test_every_event_that_is_answered_is_subscribed_to() -> None:
    subscribed = set(manifest()["settings"]["event_subscriptions"]["bot_events"])

    assert {event for event in EVENTS if not event.startswith("message")} <= subscribed
    assert {"app_mention", "message.im", "message.channels", "message.groups"} <= subscribed


def test_every_scope_has_its_reason_and_every_event_its_scope() -> None:
    described = manifest()
    subscribed = set(described["settings"]["event_subscriptions"]["bot_events"])

    assert described["oauth_config"]["scopes"]["bot"] == sorted(SCOPES)
    assert all(SCOPES.values())
    for scope, events in EVENTS_OF_SCOPES.items():
        assert scope in SCOPES or not events & subscribed


def test_what_reads_messages_and_files_is_optional() -> None:
    """Whoever installs it decides; Slack wants an optional scope in both lists."""
    scopes = manifest()["oauth_config"]["scopes"]

    assert scopes["bot_optional"] == ["channels:history", "files:read", "groups:history"] == sorted(OPTIONAL_SCOPES)
    assert set(scopes["bot_optional"]) < set(scopes["bot"])


def test_a_prefix_renames_the_commands_and_nothing_else() -> None:
    named, plain = manifest("acme"), manifest()

    assert [command["command"] for command in named["features"]["slash_commands"]] == [
        f"/acme-{command.name[1:]}" for command in COMMANDS
    ]
    for each in (named, plain):
        del each["features"]["slash_commands"]
    assert named == plain


def test_without_a_request_url_there_is_none_anywhere() -> None:
    """Slack refuses a manifest for Socket Mode that names one."""

    def keys(part: Any) -> set[str]:
        if isinstance(part, dict):
            return set(part) | {key for value in part.values() for key in keys(value)}
        return {key for value in part for key in keys(value)} if isinstance(part, list) else set()

    assert manifest()["settings"]["socket_mode_enabled"] is True
    assert not {key for key in keys(manifest()) if "url" in key}


def test_with_a_request_url_everything_goes_there() -> None:
    url = "https://steward.example/slack/events"

    described = manifest(request_url=url)

    settings = described["settings"]
    assert settings["socket_mode_enabled"] is False
    assert settings["event_subscriptions"]["request_url"] == url
    assert settings["interactivity"]["request_url"] == url
    assert settings["interactivity"]["message_menu_options_url"] == url
    assert {command["url"] for command in described["features"]["slash_commands"]} == {url}
