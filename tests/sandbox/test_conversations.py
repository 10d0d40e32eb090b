"""Conversations, people and the workspace as an app reads them."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from sandbox import Sandbox
from sandbox.seed import ANA, BEN, GENERAL, KAVYA, MIA, NETWORK, OMAR, RANDOM, STEERING, TANE
from tests.sandbox.workspace_support import manifest


async def refusal(call: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


async def test_the_workspace_starts_with_its_six_people_and_four_channels(
    sandbox: Sandbox, client: AsyncWebClient
) -> None:
    people = {user["id"]: user for user in (await client.users_list())["members"]}
    channels = (await client.conversations_list(types="public_channel,private_channel"))["channels"]

    assert set(people) == {ANA, BEN, KAVYA, TANE, MIA, OMAR, sandbox.bot_user_id}
    assert [people[who]["tz"] for who in (ANA, BEN, KAVYA, TANE)] == [
        "America/New_York",
        "Europe/Berlin",
        "Asia/Kolkata",
        "Pacific/Auckland",
    ]
    assert people[MIA]["is_ultra_restricted"]
    assert people[OMAR]["deleted"]
    assert "tz" not in people[OMAR]
    assert people[ANA]["is_owner"]
    assert [(c["name"], c["is_member"]) for c in channels] == [("general", True), ("network", True), ("random", False)]


async def test_a_private_channel_is_unknown_until_the_app_is_invited(sandbox: Sandbox, client: AsyncWebClient) -> None:
    assert await refusal(client.conversations_info(channel=STEERING)) == "channel_not_found"
    assert await refusal(client.conversations_history(channel=STEERING)) == "channel_not_found"

    await sandbox.person("ana").invite("#steering", "Parrot")

    assert (await client.conversations_info(channel=STEERING))["channel"]["is_private"] is True
    assert len((await client.conversations_history(channel=STEERING))["messages"]) == 1


async def test_a_kind_of_conversation_needs_its_own_scope() -> None:
    async with Sandbox(manifest(without=("groups:read", "groups:history")), rate_limits=False) as sandbox:
        client = AsyncWebClient(token=sandbox.bot_token, base_url=sandbox.api_url)
        await sandbox.person("ana").invite("#steering", "Parrot")

        assert await refusal(client.conversations_info(channel=STEERING)) == "missing_scope"
        assert await refusal(client.conversations_history(channel=STEERING)) == "missing_scope"
        assert await refusal(client.conversations_list(types="private_channel")) == "missing_scope"
        assert (await client.conversations_info(channel=NETWORK))["ok"]


async def test_members_are_ids_of_people_and_bots(sandbox: Sandbox, client: AsyncWebClient) -> None:
    answer = await client.conversations_members(channel=NETWORK)

    assert set(answer["members"]) == {ANA, BEN, KAVYA, TANE, MIA, sandbox.bot_user_id}


async def test_history_is_read_newest_first_within_bounds(sandbox: Sandbox, client: AsyncWebClient) -> None:
    stamps = [message["ts"] for message in sandbox.person("ana").messages("#network")]

    async def read(**bounds: Any) -> list[str]:
        answer = await client.conversations_history(channel=NETWORK, **bounds)
        return [message["ts"] for message in answer["messages"]]

    assert await read() == stamps[::-1]
    assert await read(oldest=stamps[1], latest=stamps[3]) == [stamps[2]]
    assert await read(oldest=stamps[1], latest=stamps[3], inclusive=True) == stamps[1:4][::-1]
    assert await refusal(client.conversations_history(channel=RANDOM)) == "not_in_channel"
    assert await refusal(client.conversations_history(channel=NETWORK, oldest="soon")) == "invalid_ts_oldest"
    assert await refusal(client.conversations_replies(channel=NETWORK, ts="1.000001")) == "thread_not_found"


async def test_history_pages_say_when_there_is_more(client: AsyncWebClient) -> None:
    first = await client.conversations_history(channel=NETWORK, limit=3)
    rest = await client.conversations_history(
        channel=NETWORK, limit=3, cursor=first["response_metadata"]["next_cursor"]
    )

    assert [first["has_more"], rest["has_more"]] == [True, False]
    assert len({message["ts"] for message in [*first["messages"], *rest["messages"]]}) == 5


async def test_joining_is_for_public_channels(sandbox: Sandbox, client: AsyncWebClient) -> None:
    joined = await client.conversations_join(channel=RANDOM)
    again = await client.conversations_join(channel=RANDOM)

    assert joined["channel"]["is_member"] is True
    assert again["warning"] == "already_in_channel"
    assert await refusal(client.conversations_join(channel=STEERING)) == "channel_not_found"
    await sandbox.person("ana").archive_channel("#random")
    assert await refusal(client.conversations_join(channel=RANDOM)) == "is_archived"


async def test_leaving_and_inviting(sandbox: Sandbox, client: AsyncWebClient) -> None:
    assert await refusal(client.conversations_leave(channel=GENERAL)) == "cant_leave_general"
    assert await refusal(client.conversations_invite(channel=NETWORK, users=[ANA])) == "already_in_channel"
    assert await refusal(client.conversations_invite(channel=RANDOM, users=[MIA])) == "not_in_channel"
    await client.conversations_invite(channel=GENERAL, users=[MIA])
    await client.conversations_leave(channel=NETWORK)

    assert MIA in sandbox.workspace.channels[GENERAL].members
    assert sandbox.bot_user_id not in sandbox.workspace.channels[NETWORK].members


async def test_direct_conversations_are_opened_once(client: AsyncWebClient) -> None:
    first = await client.conversations_open(users=[ANA])
    again = await client.conversations_open(users=[ANA], return_im=True)
    group = await client.conversations_open(users=[ANA, BEN])

    assert first["channel"]["id"] == again["channel"]["id"] != group["channel"]["id"]
    assert again["already_open"] is True
    assert again["channel"]["user"] == ANA
    for users, error in [
        (["U0NOBODY"], "user_not_found"),
        ([OMAR], "user_disabled"),
        ([f"U{n}" for n in range(9)], "too_many_users"),
        ([], "users_list_not_supplied"),
    ]:
        assert await refusal(client.conversations_open(users=users)) == error


async def test_people_are_found_by_email_with_the_scope_for_it(client: AsyncWebClient) -> None:
    found = await client.users_lookupByEmail(email="Ben@northwind-it.example")

    assert found["user"]["id"] == BEN
    assert await refusal(client.users_lookupByEmail(email="nobody@northwind-it.example")) == "users_not_found"
    async with Sandbox(manifest(without=("users:read.email",))) as sandbox:
        other = AsyncWebClient(token=sandbox.bot_token, base_url=sandbox.api_url)
        assert "email" not in (await other.users_info(user=BEN))["user"]["profile"]


async def test_an_offset_moves_with_daylight_saving(sandbox: Sandbox, client: AsyncWebClient) -> None:
    sandbox.workspace.users[BEN].tz = "Europe/Berlin"
    before = (await client.users_info(user=BEN))["user"]["tz_offset"]
    later = sandbox.clock.now().replace(month=7, day=1, year=sandbox.clock.now().year + 1)
    await sandbox.advance_to(later)
    after = (await client.users_info(user=BEN))["user"]["tz_offset"]

    assert after == 7200
    assert before in (3600, 7200)


async def test_the_team_and_the_bot_introduce_themselves(sandbox: Sandbox, client: AsyncWebClient) -> None:
    team = (await client.team_info())["team"]
    bot = (await client.bots_info(bot=sandbox.app.bot_id))["bot"]

    assert (team["id"], team["name"]) == (sandbox.team_id, "Northwind IT")
    assert (bot["name"], bot["user_id"]) == ("Parrot", sandbox.bot_user_id)


async def test_a_new_channel_has_the_app_in_it(sandbox: Sandbox, client: AsyncWebClient) -> None:
    made = await client.conversations_create(name="cutover")
    await client.conversations_setTopic(channel=made["channel"]["id"], topic="The weekend of the switch")

    assert made["channel"]["creator"] == sandbox.bot_user_id
    assert await refusal(client.conversations_create(name="cutover")) == "name_taken"
    assert sandbox.workspace.channels[made["channel"]["id"]].topic == "The weekend of the switch"


async def test_blocks_are_validated_without_being_sent(client: AsyncWebClient) -> None:
    assert (await client.api_call("blocks.validate", json={"blocks": [{"type": "divider"}]}))["ok"]
    assert await refusal(client.api_call("blocks.validate", json={"blocks": [{"type": "x"}]})) == "invalid_blocks"
    assert await refusal(client.api_call("blocks.validate", json={})) == "invalid_arguments"
