"""Slack Connect, as the workspace has it whose channel is shared: who is from where, and what they can do."""

from collections.abc import AsyncIterator

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from sandbox import Sandbox, SandboxError, Team
from sandbox.driver import Driver
from tests.sandbox.raw_app import raw_app
from tests.sandbox.workspace_support import PATIENT, actions, button, manifest, modal


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    described = manifest(extra=("users:read.email",))
    described["settings"]["event_subscriptions"]["bot_events"] += ["channel_shared", "channel_unshared"]
    async with Sandbox(described, rate_limits=False, timing=PATIENT, workspaces=["Acme"]) as running:
        yield running


@pytest.fixture
def acme(sandbox: Sandbox) -> Team:
    return sandbox.workspace_named("Acme")


@pytest.fixture
async def zoe(sandbox: Sandbox, acme: Team) -> Driver:
    """Of Acme, in Northwind's #network."""
    sandbox.share("#network", acme, "zoe")
    return sandbox.person("zoe")


def client(sandbox: Sandbox) -> AsyncWebClient:
    return AsyncWebClient(token=sandbox.bot_token, base_url=sandbox.api_url)


async def test_who_comes_with_a_shared_channel_is_described_as_somebody_of_their_workspace(
    sandbox: Sandbox, acme: Team, zoe: Driver
) -> None:
    """In no list, and without what is nobody's business here. No stranger, as long as the app meets them."""
    web, network = client(sandbox), sandbox.workspace.find_channel("network")
    assert network is not None

    described = (await web.users_info(user=zoe.id, include_locale=True))["user"]
    channel = (await web.conversations_info(channel=network.id))["channel"]
    members = (await web.conversations_members(channel=network.id))["members"]
    listed = [each["id"] for each in (await web.users_list())["members"]]
    sandbox.unshare("#network", acme)
    later = (await web.users_info(user=zoe.id))["user"]

    assert zoe.id == acme.person("zoe").id
    assert (described["team_id"], described["profile"]["team"]) == (acme.team_id, acme.team_id)
    assert not {"tz", "tz_offset", "locale", "is_admin", "is_owner"} & {*described}
    assert "email" not in described["profile"]
    assert (described["is_stranger"], later["is_stranger"]) == (False, True)
    assert (channel["is_ext_shared"], channel["shared_team_ids"]) == (True, [sandbox.team_id, acme.team_id])
    assert zoe.id in members
    assert zoe.id not in listed
    with pytest.raises(SlackApiError, match="users_not_found"):
        await web.users_lookupByEmail(email=zoe.user.email)


async def test_what_they_do_names_their_workspace_and_the_one_in_which_the_app_is(sandbox: Sandbox, acme: Team) -> None:
    async with raw_app(sandbox) as app:
        sandbox.share("#network", acme, "zoe")
        zoe, web = sandbox.person("zoe"), client(sandbox)
        await zoe.say("#network", "@Parrot hello")
        room = zoe.messages("#network")[-1]["channel"]
        await web.chat_postMessage(channel=room, text="?", blocks=[actions(button("go"))])
        await zoe.click(zoe.messages("#network")[-1], "go")
        trigger = app.payloads("block_actions")[-1]["trigger_id"]
        await web.views_open(trigger_id=trigger, view=modal())
        await zoe.submit({"title": "typed"})
        sandbox.unshare("#network", acme)
        await sandbox.idle()

    [mentioned] = app.payloads("app_mention")
    assert (mentioned["event"]["team"], mentioned["event"]["user_team"]) == (acme.team_id, acme.team_id)
    assert (mentioned["team_id"], mentioned["authorizations"][0]["team_id"]) == (sandbox.team_id, sandbox.team_id)
    assert mentioned["is_ext_shared_channel"]
    [pressed], [sent] = app.payloads("block_actions"), app.payloads("view_submission")
    assert (pressed["team"]["id"], pressed["user"]["team_id"]) == (sandbox.team_id, acme.team_id)
    assert (sent["team"]["id"], sent["user"]["team_id"]) == (acme.team_id, acme.team_id)
    assert sent["view"]["app_installed_team_id"] == sandbox.team_id
    assert [event["team"] for event in app.events("member_joined_channel")] == [acme.team_id]
    assert [event["connected_team_id"] for event in app.events("channel_shared")] == [acme.team_id]
    assert [event["previously_connected_team_id"] for event in app.events("channel_unshared")] == [acme.team_id]


async def test_they_have_no_commands_and_shortcuts_and_see_no_other_channel(sandbox: Sandbox, zoe: Driver) -> None:
    ts = zoe.messages("#network")[-1]["ts"]

    with pytest.raises(SandboxError, match="of another workspace"):
        await zoe.command("#network", "/parrot", "hello")
    with pytest.raises(SandboxError, match="of another workspace"):
        await zoe.message_shortcut("#network", ts, "repeat")
    with pytest.raises(SandboxError, match="sees no conversation #general"):
        zoe.messages("#general")
