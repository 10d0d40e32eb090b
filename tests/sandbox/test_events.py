"""Events: which of them an app gets, and what they say."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from sandbox import Sandbox
from sandbox.seed import ANA, BEN, MIA, NETWORK, RANDOM
from tests.sandbox.raw_app import raw_app
from tests.sandbox.workspace_support import bolt, connected, manifest


async def heard(sandbox: Sandbox, do: Any) -> list[dict[str, Any]]:
    """Events the app gets while `do` runs."""
    async with raw_app(sandbox) as app:
        await do
        await sandbox.idle()
    return [envelope["payload"]["event"] for envelope in app.envelopes]


async def test_messages_come_from_conversations_the_app_is_in(sandbox: Sandbox) -> None:
    ana = sandbox.person("ana")

    (event,) = await heard(sandbox, ana.say("#network", "hello"))
    assert (event["type"], event["channel_type"], event["user"]) == ("message", "channel", ANA)
    assert await heard(sandbox, ana.say("#random", "nobody of yours here")) == []
    assert await heard(sandbox, ana.say("#steering", "secret")) == []


async def test_a_direct_message_to_the_app_is_an_im_and_no_mention(sandbox: Sandbox) -> None:
    ana = sandbox.person("ana")

    (event,) = await heard(sandbox, ana.say("@parrot", "hello @parrot"))

    assert (event["type"], event["channel_type"]) == ("message", "im")


async def test_a_mention_comes_beside_the_message(sandbox: Sandbox) -> None:
    events = await heard(sandbox, sandbox.person("ana").say("#network", "@Parrot, hello"))

    assert [event["type"] for event in events] == ["message", "app_mention"]
    assert events[1]["text"] == f"<@{sandbox.bot_user_id}>, hello"


async def test_changes_and_deletions_are_told_with_what_was_before(sandbox: Sandbox) -> None:
    ana = sandbox.person("ana")
    said = await ana.say("#network", "helo")

    (changed,) = await heard(sandbox, ana.edit("#network", said["ts"], "hello"))
    (deleted,) = await heard(sandbox, ana.delete("#network", said["ts"]))

    assert (changed["subtype"], changed["message"]["text"], changed["previous_message"]["text"]) == (
        "message_changed",
        "hello",
        "helo",
    )
    assert (deleted["subtype"], deleted["deleted_ts"]) == ("message_deleted", said["ts"])


async def test_the_apps_own_messages_are_told_too(sandbox: Sandbox, client: AsyncWebClient) -> None:
    metadata = {"event_type": "said", "event_payload": {"n": 1}}

    message, posted = await heard(sandbox, client.chat_postMessage(channel=NETWORK, text="mine", metadata=metadata))

    assert (message["bot_id"], "metadata" in message) == (sandbox.app.bot_id, False)
    assert (posted["type"], posted["metadata"]) == ("message_metadata_posted", metadata)


async def test_joining_and_leaving_are_told(sandbox: Sandbox, client: AsyncWebClient) -> None:
    ana, mia = sandbox.person("ana"), sandbox.person("mia")

    (left,) = await heard(sandbox, mia.leave("#network"))
    (joined,) = await heard(sandbox, ana.invite("#network", "mia"))
    (own,) = await heard(sandbox, ana.invite("#random", "Parrot"))
    taken = await heard(sandbox, ana.remove("#random", "Parrot"))

    assert (left["type"], left["user"], left["channel_type"]) == ("member_left_channel", MIA, "C")
    assert (joined["user"], joined["inviter"]) == (MIA, ANA)
    assert (own["type"], own["user"], own["channel"]) == ("member_joined_channel", sandbox.bot_user_id, RANDOM)
    assert [event["type"] for event in taken] == ["member_left_channel", "channel_left"]
    await heard(sandbox, client.conversations_join(channel=RANDOM))
    assert sandbox.bot_user_id in sandbox.workspace.channels[RANDOM].members


async def test_channels_that_come_and_change_are_told(sandbox: Sandbox) -> None:
    ana = sandbox.person("ana")

    (created,) = await heard(sandbox, ana.create_channel("cutover"))
    (renamed,) = await heard(sandbox, ana.rename_channel("#cutover", "go-live"))
    (archived,) = await heard(sandbox, ana.archive_channel("#go-live"))
    (unarchived,) = await heard(sandbox, ana.unarchive_channel("#go-live"))

    assert (created["type"], created["channel"]["name"]) == ("channel_created", "cutover")
    assert (renamed["type"], renamed["channel"]["name"]) == ("channel_rename", "go-live")
    assert [archived["type"], unarchived["type"]] == ["channel_archive", "channel_unarchive"]


async def test_a_private_channel_is_told_of_to_members_only(sandbox: Sandbox) -> None:
    ana = sandbox.person("ana")

    assert await heard(sandbox, ana.create_channel("secret", private=True)) == []
    assert await heard(sandbox, ana.rename_channel("#secret", "hush")) == []
    await ana.invite("#hush", "Parrot")
    await sandbox.idle()
    (renamed,) = await heard(sandbox, ana.rename_channel("#hush", "known"))
    assert renamed["type"] == "group_rename"


async def test_people_who_come_and_change_are_told(sandbox: Sandbox) -> None:
    async with raw_app(sandbox) as app:
        sandbox.change_person("ben", tz="Europe/Lisbon", deleted=True)
        sandbox.add_person("ida", "Ida Lund", "Europe/Oslo")
        await sandbox.idle()

    (changed,) = app.events("user_change")
    (joined,) = app.events("team_join")
    assert (changed["user"]["id"], changed["user"]["deleted"], "tz" in changed["user"]) == (BEN, True, False)
    assert (joined["user"]["name"], joined["user"]["tz"]) == ("ida", "Europe/Oslo")


async def test_reactions_are_told(sandbox: Sandbox) -> None:
    ana = sandbox.person("ana")
    message = ana.messages("#network")[0]

    (added,) = await heard(sandbox, ana.react("#network", message["ts"], "pushpin"))
    (removed,) = await heard(sandbox, ana.react("#network", message["ts"], "pushpin"))

    assert (added["type"], removed["type"]) == ("reaction_added", "reaction_removed")
    assert added["item"] == {"type": "message", "channel": NETWORK, "ts": message["ts"]}
    assert (added["reaction"], added["item_user"]) == ("pushpin", message["user"])


async def test_what_is_not_subscribed_or_lacks_its_scope_is_not_sent() -> None:
    for lacking in ("message.channels", "channels:history"):
        async with Sandbox(manifest(without=(lacking,))) as sandbox:
            assert await heard(sandbox, sandbox.person("ana").say("#network", "hello")) == []


@pytest.mark.parametrize("granted", [True, False])
async def test_an_optional_scope_brings_its_events_only_where_it_was_granted(granted: bool) -> None:
    described = manifest()
    described["oauth_config"]["scopes"]["bot_optional"] = ["channels:history"]
    async with Sandbox(described, rate_limits=False, optional_scopes=granted) as sandbox:
        client = AsyncWebClient(token=sandbox.bot_token, base_url=sandbox.api_url)

        events = await heard(sandbox, sandbox.person("ana").say("#network", "hello"))

        assert [event["type"] for event in events] == ["message"] * granted
        if not granted:
            with pytest.raises(SlackApiError, match="missing_scope"):
                await client.conversations_history(channel=NETWORK)


async def test_an_event_names_whom_it_is_for_and_dates_by_the_workspaces_clock(sandbox: Sandbox) -> None:
    await sandbox.next_morning("ana")
    async with raw_app(sandbox) as app:
        said = await sandbox.person("ana").say("#network", "good morning")
        await sandbox.idle()

    (wrapper,) = app.payloads("message")
    assert wrapper["authorizations"][0]["user_id"] == sandbox.bot_user_id
    assert wrapper["event_time"] == int(float(said["ts"]))
    assert abs(wrapper["event_time"] - sandbox.clock.now().timestamp()) < 5
    assert wrapper["event_id"].startswith("Ev")


async def test_an_uninstalled_app_is_told_and_its_token_is_dead() -> None:
    removable = manifest()
    removable["settings"]["event_subscriptions"]["bot_events"] += ["app_uninstalled", "tokens_revoked"]
    async with Sandbox(removable, rate_limits=False) as sandbox:
        client = AsyncWebClient(token=sandbox.bot_token, base_url=sandbox.api_url)

        revoked, uninstalled = await heard(sandbox, sandbox.uninstall())

        assert revoked["tokens"] == {"oauth": [], "bot": [sandbox.bot_user_id]}
        assert uninstalled["type"] == "app_uninstalled"
        with pytest.raises(SlackApiError, match="account_inactive"):
            await client.auth_test()


async def test_bolt_leaves_out_the_apps_own_messages_as_with_slack(sandbox: Sandbox) -> None:
    app = bolt(sandbox)
    texts: list[str] = []

    @app.event("message")
    async def note(event: Any, say: Any) -> None:
        texts.append(event["text"])
        await say(f"echo {event['text']}")

    async with connected(app, sandbox):
        await sandbox.person("ana").say("#network", "hello")
        await sandbox.idle()

    assert texts == ["hello"]
    assert sandbox.person("ana").messages("#network")[-1]["text"] == "echo hello"
