"""Payloads and answers hold every field of the collected samples of what Slack really sends."""

import json
import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from sandbox import Sandbox
from sandbox.seed import ANA, NETWORK
from tests.sandbox.raw_app import RawApp, raw_app
from tests.sandbox.workspace_support import actions, button, home, modal, plain, section, text_input
from tests.waiting import until

PAYLOADS = Path(__file__).parents[3] / "shared" / "slack" / "payloads"

# Fields of samples that this workspace rightly lacks, and why.
ABSENT = {
    "enterprise_id": "the workspace belongs to no organisation",
    "enterprise_name": "the workspace belongs to no organisation",
    "enterprise_user": "the workspace belongs to no organisation",
}
# The same for single samples: patterns of dotted places as the comparison names them.
PICTURE = r"thumb_\w+|original_[wh]|image_exif_rotation|deanimate_gif|pjpeg"
ABSENT_IN: dict[str, dict[str, str]] = {
    "api.chat.postMessage.json": {
        r"message\.(username|subtype)": "the sample is of a bot from before apps had users",
        r"message\.attachments": "the message compared has none",
    },
    "api.files.info.json": {
        rf"file\.({PICTURE})": "pictures are not looked into here, nor made smaller",
        rf"file\.shares\.public\.{NETWORK}\.\w+": "the file compared was not shared in a thread",
    },
    "event.message.file_share.json": {
        rf"event\.files\[\]\.({PICTURE})": "pictures are not looked into here, nor made smaller",
    },
    "event.user_change.shape.json": {
        r"event\.user\.profile\.guest_\w+": "only guests have it",
        r"event\.user\.profile\.(bot_id|api_app_id|always_active)": "only bots have it",
    },
    "block_actions.home_button_short.json": {r"actions\[\]\.confirm": "the button compared asks nothing"},
    "view_closed.org_install.json": {"trigger_id": "view_closed carries none outside organisations"},
}


def sample(name: str) -> Any:
    if not PAYLOADS.exists():
        pytest.skip("the collected sample payloads are not beside this checkout")
    return json.loads((PAYLOADS / name).read_text())


def lacking(expected: Any, made: Any, path: str = "") -> Iterator[str]:
    """Places that `expected` has and `made` has not. Blocks are the app's own and not compared."""
    if isinstance(expected, dict) and isinstance(made, dict):
        for key, value in expected.items():
            place = f"{path}.{key}" if path else key
            if key in ABSENT:
                continue
            if key not in made:
                yield place
            elif key not in ("blocks", "values", "title", "submit", "close", "public"):
                yield from lacking(value, made[key], place)
    elif isinstance(expected, list) and isinstance(made, list) and expected and made:
        yield from lacking(expected[0], made[0], f"{path}[]")


def check(name: str, made: Any) -> None:
    reasons = ABSENT_IN.get(name, {})
    missing = [place for place in lacking(sample(name), made) if not any(re.fullmatch(each, place) for each in reasons)]

    assert missing == []


Play = Callable[[Sandbox, AsyncWebClient, RawApp], Awaitable[Any]]


async def command(sandbox: Sandbox, client: AsyncWebClient, app: RawApp) -> Any:
    await sandbox.person("ana").command("#network", "/parrot", "Hi")
    return app.payloads("slash_commands")[0]


async def global_shortcut(sandbox: Sandbox, client: AsyncWebClient, app: RawApp) -> Any:
    await sandbox.person("ana").shortcut("new")
    return app.payloads("shortcut")[0]


async def message_shortcut(sandbox: Sandbox, client: AsyncWebClient, app: RawApp) -> Any:
    ana = sandbox.person("ana")
    await ana.message_shortcut("#network", ana.messages("#network")[0]["ts"], "repeat")
    return app.payloads("message_action")[0]


async def message_button(sandbox: Sandbox, client: AsyncWebClient, app: RawApp) -> Any:
    await client.chat_postMessage(channel=NETWORK, text="x", blocks=[actions(button("a", "1"))])
    ana = sandbox.person("ana")
    await ana.click(ana.messages("#network")[-1], "a")
    return app.payloads("block_actions")[0]


async def ephemeral_button(sandbox: Sandbox, client: AsyncWebClient, app: RawApp) -> Any:
    await client.chat_postEphemeral(channel=NETWORK, user=ANA, text="x", blocks=[actions(button("a", "1"))])
    ana = sandbox.person("ana")
    await ana.click(ana.ephemerals("#network")[0], "a")
    return app.payloads("block_actions")[0]


async def home_button(sandbox: Sandbox, client: AsyncWebClient, app: RawApp) -> Any:
    await client.views_publish(user_id=ANA, view=home(actions({**button("a", "1"), "style": "danger"})))
    await sandbox.person("ana").click_home("a")
    return app.payloads("block_actions")[0]


async def opened(sandbox: Sandbox, client: AsyncWebClient, app: RawApp, **more: Any) -> Any:
    await sandbox.person("ana").shortcut("new")
    trigger = app.payloads("shortcut")[0]["trigger_id"]
    menu = {"type": "external_select", "action_id": "bird", "placeholder": plain("Pick")}
    bird = {"type": "input", "block_id": "birds", "label": plain("Bird"), "optional": True, "element": menu}
    return await client.views_open(trigger_id=trigger, view=modal(text_input("title"), bird, **more))


async def submission(sandbox: Sandbox, client: AsyncWebClient, app: RawApp) -> Any:
    await opened(sandbox, client, app)
    await sandbox.person("ana").submit({"title": "x"})
    return app.payloads("view_submission")[0]


async def closing(sandbox: Sandbox, client: AsyncWebClient, app: RawApp) -> Any:
    await opened(sandbox, client, app, notify_on_close=True)
    await sandbox.person("ana").close()
    return app.payloads("view_closed")[0]


async def suggestion(sandbox: Sandbox, client: AsyncWebClient, app: RawApp) -> Any:
    await opened(sandbox, client, app)
    app.answers = lambda envelope: {"options": []}
    await sandbox.person("ana").options("bird", "x")
    return app.payloads("block_suggestion")[0]


async def event(kind: str, sandbox: Sandbox, app: RawApp) -> Any:
    await sandbox.idle()
    return app.payloads(kind)[-1]


async def person_message(sandbox: Sandbox, client: AsyncWebClient, app: RawApp) -> Any:
    await sandbox.person("ana").say("#network", "Hi there!")
    return await event("message", sandbox, app)


async def bot_message(sandbox: Sandbox, client: AsyncWebClient, app: RawApp) -> Any:
    await client.chat_postMessage(channel=NETWORK, text="x")
    return await event("message", sandbox, app)


async def changed(sandbox: Sandbox, client: AsyncWebClient, app: RawApp) -> Any:
    ana = sandbox.person("ana")
    said = await ana.say("#network", "x")
    await sandbox.idle()
    await ana.edit("#network", said["ts"], "y")
    return await event("message", sandbox, app)


async def deleted(sandbox: Sandbox, client: AsyncWebClient, app: RawApp) -> Any:
    ana = sandbox.person("ana")
    said = await ana.say("#network", "x")
    await sandbox.idle()
    await ana.delete("#network", said["ts"])
    return await event("message", sandbox, app)


async def shared_file(sandbox: Sandbox, client: AsyncWebClient, app: RawApp) -> Any:
    await client.files_upload_v2(content="PNG", filename="a.png", title="A", channel=NETWORK, initial_comment="Look")
    await until(lambda: app.payloads("message"))
    payload = await event("message", sandbox, app)
    # A file of a person: what an app shares has bot fields in place of client_msg_id.
    payload["event"].setdefault("client_msg_id", "")
    payload["event"].setdefault("blocks", [])
    return payload


async def mention(sandbox: Sandbox, client: AsyncWebClient, app: RawApp) -> Any:
    await sandbox.person("ana").say("#network", "@parrot")
    return await event("app_mention", sandbox, app)


async def home_opened(sandbox: Sandbox, client: AsyncWebClient, app: RawApp) -> Any:
    await client.views_publish(user_id=ANA, view=home())
    await sandbox.person("ana").open_home()
    return await event("app_home_opened", sandbox, app)


async def joined(sandbox: Sandbox, client: AsyncWebClient, app: RawApp) -> Any:
    await sandbox.person("ana").invite("#random", "Parrot")
    return await event("member_joined_channel", sandbox, app)


async def left(sandbox: Sandbox, client: AsyncWebClient, app: RawApp) -> Any:
    await sandbox.person("mia").leave("#network")
    return await event("member_left_channel", sandbox, app)


async def renamed(sandbox: Sandbox, client: AsyncWebClient, app: RawApp) -> Any:
    await sandbox.person("ana").rename_channel("#network", "net")
    return await event("channel_rename", sandbox, app)


async def archived(sandbox: Sandbox, client: AsyncWebClient, app: RawApp) -> Any:
    await sandbox.person("ana").archive_channel("#network")
    return await event("channel_archive", sandbox, app)


async def person_changed(sandbox: Sandbox, client: AsyncWebClient, app: RawApp) -> Any:
    sandbox.change_person("ben", title="Boss")
    return await event("user_change", sandbox, app)


async def reacted(sandbox: Sandbox, client: AsyncWebClient, app: RawApp) -> Any:
    ana = sandbox.person("ana")
    await ana.react("#network", ana.messages("#network")[0]["ts"], "eyes")
    return await event("reaction_added", sandbox, app)


async def metadata(sandbox: Sandbox, client: AsyncWebClient, app: RawApp) -> Any:
    said = {"event_type": "said", "event_payload": {"state": "initial"}}
    await client.chat_postMessage(channel=NETWORK, text="x", metadata=said)
    return (await event("message_metadata_posted", sandbox, app))["event"]


PLAYS: dict[str, Play] = {
    "slash_command.fields.json": command,
    "slash_command.fields_full.json": command,
    "shortcut.global.json": global_shortcut,
    "message_action.shortcut.json": message_shortcut,
    "block_actions.message_button.json": message_button,
    "block_actions.ephemeral_with_state.json": ephemeral_button,
    "block_actions.grid.json": ephemeral_button,
    "block_actions.home_button.json": home_button,
    "block_actions.home_button_short.json": home_button,
    "view_submission.plain_text.json": submission,
    "view_submission.select_and_dates.json": submission,
    "view_submission.response_urls.json": submission,
    "view_closed.cancelled.json": closing,
    "view_closed.org_install.json": closing,
    "block_suggestion.modal.json": suggestion,
    "event.message.user.json": person_message,
    "event.message.bot.json": bot_message,
    "event.message.changed.json": changed,
    "event.message.deleted.json": deleted,
    "event.message.file_share.json": shared_file,
    "event.app_mention.shared_channel.json": mention,
    "event.app_home_opened.json": home_opened,
    "event.app_home_opened.org_install.json": home_opened,
    "event.member_joined_channel.json": joined,
    "event.member_left_channel.json": left,
    "event.channel_rename.shape.json": renamed,
    "event.channel_archive.shape.json": archived,
    "event.user_change.shape.json": person_changed,
    "event.reaction_added.json": reacted,
    "event.message_metadata_posted.inner.json": metadata,
}


@pytest.mark.parametrize("name", sorted(PLAYS))
async def test_what_the_app_gets_has_every_field(name: str, sandbox: Sandbox, client: AsyncWebClient) -> None:
    async with raw_app(sandbox) as app:
        check(name, await PLAYS[name](sandbox, client, app))


async def test_envelopes_have_every_field(sandbox: Sandbox) -> None:
    async with raw_app(sandbox) as app:
        ana = sandbox.person("ana")
        await ana.command("#network", "/parrot")
        await ana.shortcut("new")
        await ana.say("#network", "@parrot")
        await sandbox.idle()
        await sandbox.refresh_connections()
        await until(lambda: app.messages[-1]["type"] == "disconnect")

    by_kind = {envelope["type"]: envelope for envelope in app.envelopes}
    check("socket_mode.hello.json", app.messages[0])
    check("socket_mode.slash_commands.json", by_kind["slash_commands"])
    check("socket_mode.interactive.shortcut.json", by_kind["interactive"])
    check("socket_mode.events_api.app_mention.json", by_kind["events_api"])
    check("socket_mode.disconnect.too_many_websockets.json", app.messages[-1])


async def test_answers_of_the_web_api_have_every_field(sandbox: Sandbox, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel=NETWORK, text="parent")
    ts = posted["ts"]
    await sandbox.person("ana").say("#network", "reply", thread_ts=ts)
    direct = (await client.conversations_open(users=[ANA]))["channel"]["id"]
    await client.chat_postMessage(channel=direct, text="psst")
    target = await client.files_getUploadURLExternal(filename="a.gif", length=3)
    up = await client.files_upload_v2(content="GIF", filename="a.gif", channel=NETWORK)
    answers = {
        "auth.test": await client.auth_test(),
        "chat.postMessage": posted,
        "chat.update": await client.chat_update(channel=NETWORK, ts=ts, text="new"),
        "chat.postEphemeral": await client.chat_postEphemeral(channel=NETWORK, user=ANA, text="x"),
        "chat.getPermalink": await client.chat_getPermalink(channel=NETWORK, message_ts=ts),
        "conversations.history": await client.conversations_history(channel=NETWORK),
        "conversations.info": await client.conversations_info(channel=NETWORK),
        "conversations.info.im": await client.conversations_info(channel=direct),
        "conversations.list": await client.conversations_list(),
        "conversations.members": await client.conversations_members(channel=NETWORK),
        "conversations.open": await client.conversations_open(users=[ANA]),
        "conversations.replies": await client.conversations_replies(channel=NETWORK, ts=ts),
        "reactions.add": await client.reactions_add(channel=NETWORK, timestamp=ts, name="eyes"),
        "users.info": await client.users_info(user=ANA),
        "users.list": await client.users_list(),
        "views.publish": await client.views_publish(user_id=ANA, view=home(section("x"))),
        "files.getUploadURLExternal": target,
        "files.completeUploadExternal": up,
        "files.info": await client.files_info(file=up["file"]["id"]),
        "chat.delete": await client.chat_delete(channel=NETWORK, ts=ts),
    }

    for method, answer in answers.items():
        check(f"api.{method}.json", answer.data)


async def test_answers_of_views_have_every_field(sandbox: Sandbox, client: AsyncWebClient) -> None:
    async with raw_app(sandbox) as app:
        answer = await opened(sandbox, client, app)
        check("api.views.open.json", answer.data)
        check("view_received.modal_010.json", answer["view"])

        view = modal({"type": "actions", "elements": [button("more")]}, submit=None)
        await client.views_update(view_id=answer["view"]["id"], view=view)
        await sandbox.person("ana").click_view("more")
        trigger = app.payloads("block_actions")[0]["trigger_id"]
        pushed = await client.views_push(trigger_id=trigger, view=modal())
        check("api.views.push.json", pushed.data)
    published = await client.views_publish(user_id=ANA, view=home())
    check("view_received.home_006.json", published["view"])
