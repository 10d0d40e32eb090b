"""Messages of the app and of people: posting, changing, deleting, whispering, threads, reactions."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from sandbox import Sandbox, SandboxError
from sandbox.seed import ANA, BEN, GENERAL, NETWORK, RANDOM, STEERING
from tests.sandbox.workspace_support import button, manifest, section


async def refusal(call: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


async def test_a_posted_message_is_seen_in_slacks_form(sandbox: Sandbox, client: AsyncWebClient) -> None:
    answer = await client.chat_postMessage(
        channel=NETWORK, text="a & b https://a.example", blocks=[section("*x* < y"), {"type": "divider"}]
    )

    seen = sandbox.person("ben").messages("#network")[-1]
    assert answer["channel"] == NETWORK
    assert answer["ts"] == seen["ts"]
    assert seen["text"] == "a &amp; b <https://a.example>"
    assert seen["blocks"][0]["text"] == {"type": "mrkdwn", "text": "*x* &lt; y", "verbatim": False}
    assert all(block["block_id"] for block in seen["blocks"])
    assert seen["bot_profile"]["app_id"] == seen["app_id"]


async def test_timestamps_only_grow(sandbox: Sandbox, client: AsyncWebClient) -> None:
    stamps = [(await client.chat_postMessage(channel=NETWORK, text=str(n)))["ts"] for n in range(20)]

    assert stamps == sorted(set(stamps), key=float)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
        ({"channel": STEERING, "text": "x"}, "channel_not_found"),
        ({"channel": RANDOM, "text": "x"}, "not_in_channel"),
        ({"channel": NETWORK}, "no_text"),
        ({"channel": NETWORK, "blocks": [{"type": "nonsense"}]}, "invalid_blocks"),
        ({"channel": NETWORK, "blocks": "{"}, "invalid_blocks_format"),
        ({"channel": NETWORK, "text": "x", "metadata": {"event_type": "e"}}, "invalid_metadata_schema"),
        ({"channel": NETWORK, "text": "x", "markdown_text": "y"}, "markdown_text_conflict"),
        ({"channel": NETWORK, "text": "x", "attachments": [{"text": "a"}] * 101}, "too_many_attachments"),
        ({"channel": "U00000000OM", "text": "x"}, "channel_not_found"),
    ],
)
async def test_slack_refuses_such_a_message(client: AsyncWebClient, arguments: Any, error: str) -> None:
    assert await refusal(client.api_call("chat.postMessage", json=arguments)) == error


async def test_a_refused_layout_says_where(client: AsyncWebClient) -> None:
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel=NETWORK, text="x", blocks=[{"type": "divider"}] * 51)

    (message,) = caught.value.response["response_metadata"]["messages"]
    assert message == "[ERROR] no more than 50 items allowed [json-pointer:/blocks]"


async def test_an_archived_channel_takes_no_message(sandbox: Sandbox, client: AsyncWebClient) -> None:
    await sandbox.person("ana").archive_channel("#network")

    assert await refusal(client.chat_postMessage(channel=NETWORK, text="x")) == "is_archived"
    with pytest.raises(SandboxError, match="archived"):
        await sandbox.person("ben").say("#network", "hello")


async def test_a_public_channel_is_open_with_the_scope_for_it() -> None:
    async with Sandbox(manifest(extra=("chat:write.public",)), rate_limits=False) as sandbox:
        client = AsyncWebClient(token=sandbox.bot_token, base_url=sandbox.api_url)

        assert (await client.chat_postMessage(channel=RANDOM, text="hello"))["ok"]


async def test_a_message_to_a_person_opens_their_conversation_with_the_app(
    sandbox: Sandbox, client: AsyncWebClient
) -> None:
    first = await client.chat_postMessage(channel=BEN, text="psst")
    opened = await client.conversations_open(users=[BEN])

    assert first["channel"] == opened["channel"]["id"]
    assert first["channel"].startswith("D")
    assert [m["text"] for m in sandbox.person("ben").app_messages()] == ["psst"]


async def test_an_update_replaces_text_and_drops_blocks_that_are_not_sent_again(
    sandbox: Sandbox, client: AsyncWebClient
) -> None:
    metadata = {"event_type": "said", "event_payload": {"n": 1}}
    posted = await client.chat_postMessage(channel=NETWORK, text="old", blocks=[section("old")], metadata=metadata)

    await client.chat_update(channel=NETWORK, ts=posted["ts"], text="new")

    seen = sandbox.person("ana").messages("#network")[-1]
    assert (seen["text"], "blocks" in seen) == ("new", False)
    assert seen["edited"]["user"] == sandbox.bot_user_id
    history = await client.conversations_history(channel=NETWORK, include_all_metadata=True, limit=1)
    assert history["messages"][0]["metadata"] == metadata
    plain = await client.conversations_history(channel=NETWORK, limit=1)
    assert "metadata" not in plain["messages"][0]


async def test_only_ones_own_messages_can_be_changed(sandbox: Sandbox, client: AsyncWebClient) -> None:
    theirs = await sandbox.person("ben").say("#network", "mine")

    assert await refusal(client.chat_update(channel=NETWORK, ts=theirs["ts"], text="x")) == "cant_update_message"
    assert await refusal(client.chat_delete(channel=NETWORK, ts=theirs["ts"])) == "cant_delete_message"
    assert await refusal(client.chat_delete(channel=NETWORK, ts="1.000001")) == "message_not_found"
    posted = await client.chat_postMessage(channel=NETWORK, text="x")
    assert await refusal(client.chat_update(channel=NETWORK, ts=posted["ts"], text="y" * 4001)) == "msg_too_long"


async def test_a_deleted_message_is_gone(sandbox: Sandbox, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel=NETWORK, text="oops")
    await client.chat_delete(channel=NETWORK, ts=posted["ts"])

    assert "oops" not in [m["text"] for m in sandbox.person("ana").messages("#network")]


async def test_a_whisper_reaches_one_member_only_and_is_not_stored(sandbox: Sandbox, client: AsyncWebClient) -> None:
    answer = await client.chat_postEphemeral(channel=NETWORK, user=ANA, text="just you", blocks=[section("just you")])

    (seen,) = sandbox.person("ana").ephemerals("#network")
    assert seen["ts"] == answer["message_ts"]
    assert sandbox.person("ben").ephemerals("#network") == []
    history = await client.conversations_history(channel=NETWORK)
    assert "just you" not in str(history.data)
    outsider = client.chat_postEphemeral(channel=GENERAL, user="U00000000MI", text="x")
    assert await refusal(outsider) == "user_not_in_channel"


async def test_replies_stay_in_their_thread_and_are_counted(sandbox: Sandbox, client: AsyncWebClient) -> None:
    parent = await client.chat_postMessage(channel=NETWORK, text="parent")
    reply = await sandbox.person("ben").say("#network", "reply", thread_ts=parent["ts"])
    await client.chat_postMessage(channel=NETWORK, text="loud", thread_ts=parent["ts"], reply_broadcast=True)

    thread = sandbox.person("ana").thread("#network", parent["ts"])
    assert [m["text"] for m in thread] == ["parent", "reply", "loud"]
    assert (thread[0]["reply_count"], thread[0]["latest_reply"]) == (2, thread[2]["ts"])
    assert [m["text"] for m in sandbox.person("ana").messages("#network")[-2:]] == ["parent", "loud"]
    replies = await client.conversations_replies(channel=NETWORK, ts=parent["ts"])
    assert [m["text"] for m in replies["messages"]] == ["parent", "reply", "loud"]
    nested = client.chat_postMessage(channel=NETWORK, text="x", thread_ts=reply["ts"])
    assert await refusal(nested) == "cannot_reply_to_message"


async def test_a_permalink_names_the_message(sandbox: Sandbox, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel=NETWORK, text="here")
    link = await client.chat_getPermalink(channel=NETWORK, message_ts=posted["ts"])

    assert link["permalink"] == f"{sandbox.url}/archives/{NETWORK}/p{posted['ts'].replace('.', '')}"
    assert await refusal(client.chat_getPermalink(channel=NETWORK, message_ts="1.000001")) == "message_not_found"


async def test_reactions_are_added_once_and_taken_away(sandbox: Sandbox, client: AsyncWebClient) -> None:
    said = await sandbox.person("ana").say("#network", "look")
    item: dict[str, Any] = {"channel": NETWORK, "timestamp": said["ts"]}

    await client.reactions_add(name="eyes", **item)
    await sandbox.person("ben").react("#network", said["ts"], ":eyes:")

    (reaction,) = sandbox.person("ana").messages("#network")[-1]["reactions"]
    assert reaction == {"name": "eyes", "users": [sandbox.bot_user_id, BEN], "count": 2}
    assert await refusal(client.reactions_add(name="eyes", **item)) == "already_reacted"
    assert await refusal(client.reactions_add(name="No!", **item)) == "invalid_name"
    assert await refusal(client.reactions_remove(name="tada", **item)) == "no_reaction"
    await client.reactions_remove(name="eyes", **item)
    await sandbox.person("ben").react("#network", said["ts"], "eyes")
    assert "reactions" not in sandbox.person("ana").messages("#network")[-1]


async def test_people_edit_and_delete_their_own_messages(sandbox: Sandbox) -> None:
    ana, ben = sandbox.person("ana"), sandbox.person("ben")
    said = await ana.say("#network", "helo")

    await ana.edit("#network", said["ts"], "hello @ben")
    assert ben.messages("#network")[-1]["text"] == f"hello <@{BEN}>"
    with pytest.raises(SandboxError, match="own messages"):
        await ben.delete("#network", said["ts"])
    await ana.delete("#network", said["ts"])
    assert said["ts"] not in [m["ts"] for m in ben.messages("#network")]


async def test_a_deleted_message_with_replies_leaves_a_gravestone_and_its_thread(sandbox: Sandbox) -> None:
    ana = sandbox.person("ana")
    said = await ana.say("#network", "helo")
    reply = await ana.say("#network", "hello", said["ts"])

    await ana.delete("#network", said["ts"])

    root, kept = ana.thread("#network", said["ts"])
    assert (root["subtype"], root["text"], kept["ts"]) == ("tombstone", "This message was deleted.", reply["ts"])
    assert "blocks" not in root
    with pytest.raises(SandboxError, match="own messages"):
        await ana.edit("#network", said["ts"], "back again")


async def test_people_only_write_where_they_may(sandbox: Sandbox) -> None:
    for who, where, sentence in [
        ("mia", "#general", "sees no conversation"),
        ("kavya", "#steering", "sees no conversation"),
        ("omar", "#general", "deactivated"),
    ]:
        with pytest.raises(SandboxError, match=sentence):
            await sandbox.person(who).say(where, "hello")
    with pytest.raises(SandboxError, match="nothing to send"):
        await sandbox.person("ana").say("#network", "  ")


async def test_a_button_keeps_its_place_and_a_too_long_text_is_cut_with_a_warning(client: AsyncWebClient) -> None:
    answer = await client.chat_postMessage(
        channel=NETWORK, text="x" * 40_001, blocks=[{"type": "actions", "elements": [button("a", "1")]}]
    )

    assert len(answer["message"]["text"]) == 40_000
    assert answer["warning"] == "message_truncated"


async def test_another_name_needs_its_scope() -> None:
    async with Sandbox(manifest(without=("chat:write.customize",)), rate_limits=False) as sandbox:
        client = AsyncWebClient(token=sandbox.bot_token, base_url=sandbox.api_url)

        assert await refusal(client.chat_postMessage(channel=NETWORK, text="x", username="Boss")) == "missing_scope"


async def test_an_app_without_a_messages_tab_cannot_write_to_people() -> None:
    async with Sandbox(manifest(messages_tab_enabled=False), rate_limits=False) as sandbox:
        client = AsyncWebClient(token=sandbox.bot_token, base_url=sandbox.api_url)

        assert await refusal(client.chat_postMessage(channel=ANA, text="x")) == "messages_tab_disabled"
