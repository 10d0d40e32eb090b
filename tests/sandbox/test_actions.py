"""Buttons, menus and other elements in messages."""

from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from sandbox import Sandbox, SandboxError, Timing
from sandbox.seed import BEN, NETWORK
from tests.sandbox.raw_app import raw_app
from tests.sandbox.workspace_support import MANIFEST, actions, bolt, button, connected, plain, section

OPTIONS = [{"text": plain(word), "value": word} for word in ("one", "two")]


async def test_a_button_tells_its_message_and_can_rewrite_it(sandbox: Sandbox, client: AsyncWebClient) -> None:
    app = bolt(sandbox)
    seen: list[Any] = []

    @app.action("done")
    async def done(ack: Any, body: Any, respond: Any) -> None:
        await ack()
        seen.append(body)
        await respond(text="done", blocks=[section("done")], replace_original=True)

    posted = await client.chat_postMessage(channel=NETWORK, text="open", blocks=[actions(button("done", "A1"))])
    async with connected(app, sandbox):
        ben = sandbox.person("ben")
        await ben.click(ben.messages("#network")[-1], "done")

    (body,) = seen
    assert body["actions"][0]["value"] == "A1"
    assert body["message"]["ts"] == body["container"]["message_ts"] == posted["ts"]
    assert body["container"]["is_ephemeral"] is False
    after = ben.messages("#network")[-1]
    assert (after["ts"], after["text"], after["blocks"][0]["type"]) == (posted["ts"], "done", "section")


async def test_of_buttons_with_one_name_the_value_picks(sandbox: Sandbox, client: AsyncWebClient) -> None:
    row = [actions(button("go", "1")), {"type": "actions", "elements": [button("go", "2")]}]
    await client.chat_postMessage(channel=NETWORK, text="x", blocks=row)

    async with raw_app(sandbox) as app:
        ana = sandbox.person("ana")
        await ana.click(ana.messages("#network")[-1], "go", "2")

    assert app.payloads("block_actions")[0]["actions"][0]["value"] == "2"


@pytest.mark.parametrize(
    ("element", "value", "key", "held"),
    [
        ({"type": "static_select", "options": OPTIONS}, "two", "selected_option", {"value": "two"}),
        ({"type": "overflow", "options": OPTIONS}, "one", "selected_option", {"value": "one"}),
        ({"type": "users_select"}, BEN, "selected_user", BEN),
        ({"type": "conversations_select"}, NETWORK, "selected_conversation", NETWORK),
        ({"type": "channels_select"}, NETWORK, "selected_channel", NETWORK),
        ({"type": "datepicker"}, "2026-12-24", "selected_date", "2026-12-24"),
        ({"type": "timepicker", "timezone": "Europe/Berlin"}, "09:30", "selected_time", "09:30"),
        ({"type": "datetimepicker"}, 1_800_000_000, "selected_date_time", 1_800_000_000),
        ({"type": "checkboxes", "options": OPTIONS}, ["one", "two"], "selected_options", [{}, {}]),
        ({"type": "radio_buttons", "options": OPTIONS}, "one", "selected_option", {"value": "one"}),
        ({"type": "multi_users_select"}, [BEN], "selected_users", [BEN]),
        ({"type": "multi_static_select", "options": OPTIONS}, ["two"], "selected_options", [{"value": "two"}]),
    ],
)
async def test_every_choice_arrives_under_its_key_and_in_the_state(
    sandbox: Sandbox, client: AsyncWebClient, element: Any, value: Any, key: str, held: Any
) -> None:
    element = {**element, "action_id": "pick"}
    multi = element["type"].startswith("multi_")
    block = {**section("x"), "accessory": element} if multi else actions(element)
    await client.chat_postMessage(channel=NETWORK, text="x", blocks=[{**block, "block_id": "row"}])

    async with raw_app(sandbox) as app:
        ana = sandbox.person("ana")
        await ana.click(ana.messages("#network")[-1], "pick", value)

    (payload,) = app.payloads("block_actions")
    told = payload["actions"][0]
    assert (told["type"], told["action_id"], told["block_id"]) == (element["type"], "pick", "row")
    assert _matches(told[key], held)
    if element["type"] != "overflow":
        assert payload["state"]["values"]["row"]["pick"][key] == told[key]


def _matches(told: Any, held: Any) -> bool:
    if isinstance(held, dict):
        return bool(told.items() >= held.items())
    if isinstance(held, list):
        return len(told) == len(held) and all(_matches(*pair) for pair in zip(told, held, strict=True))
    return bool(told == held)


async def test_what_was_chosen_before_is_part_of_the_state(sandbox: Sandbox, client: AsyncWebClient) -> None:
    menu = {"type": "static_select", "action_id": "pick", "options": OPTIONS}
    await client.chat_postMessage(channel=NETWORK, text="x", blocks=[actions(menu, button("save"))])

    async with raw_app(sandbox) as app:
        ana = sandbox.person("ana")
        message = ana.messages("#network")[-1]
        await ana.click(message, "pick", "two")
        await ana.click(message, "save")

    saved = app.payloads("block_actions")[1]
    assert saved["actions"][0]["action_id"] == "save"
    assert saved["state"]["values"]["row"]["pick"]["selected_option"]["value"] == "two"


async def test_an_unanswered_button_is_marked_for_the_person() -> None:
    async with Sandbox(MANIFEST, timing=Timing(acknowledge=0.2)) as sandbox, raw_app(sandbox) as app:
        client = AsyncWebClient(token=sandbox.bot_token, base_url=sandbox.api_url)
        await client.chat_postMessage(channel=NETWORK, text="x", blocks=[actions(button("go"))])
        app.silent = True
        ana = sandbox.person("ana")
        outcome = await ana.click(ana.messages("#network")[-1], "go")

        assert outcome.notice == "Parrot did not respond in time. Slack shows a ⚠ here."


async def test_what_is_not_there_cannot_be_used(sandbox: Sandbox, client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel=NETWORK, text="x", blocks=[actions(button("go"))])
    ana = sandbox.person("ana")
    message = ana.messages("#network")[-1]

    with pytest.raises(SandboxError, match="there is: go"):
        await ana.click(message, "gone")
    await client.chat_delete(channel=NETWORK, ts=message["ts"])
    with pytest.raises(SandboxError, match="no longer there"):
        await ana.click(message, "go")
