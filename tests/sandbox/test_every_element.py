"""Every block and element Block Kit has is shown, used and handed in through the whole workspace without a fault."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from sandbox import Sandbox
from sandbox.blocks import Held, held
from sandbox.forms import HOLDERS, options_of
from sandbox.seed import ANA, BEN, NETWORK
from tests.sandbox.block_kit_examples import DOCUMENT_NAMES, Document, document
from tests.sandbox.raw_app import RawApp, raw_app
from tests.sandbox.workspace_support import button, modal, plain

FACTS = Path(__file__).parents[3] / "shared" / "slack"
OPTION = {"text": plain("Offered"), "value": "offered"}
VALUES: dict[str, Any] = {
    "selected_date": "2026-12-01",
    "selected_time": "09:30",
    "selected_date_time": 1_800_000_000,
    "selected_user": BEN,
    "selected_users": [BEN],
    "selected_conversation": NETWORK,
    "selected_conversations": [NETWORK],
    "selected_channel": NETWORK,
    "selected_channels": [NETWORK],
    "rich_text_value": {"type": "rich_text", "elements": []},
    "files": [],
}
TYPED = {"number_input": "5", "email_text_input": "a@b.example", "url_text_input": "https://a.example"}


def plausible(item: Held) -> Any:
    """What a person might choose in this element."""
    options = options_of(item.element) or [OPTION]
    if item.kind == "overflow":
        return options[0]
    if item.kind not in HOLDERS:
        return None
    key = HOLDERS[item.kind].key
    chosen = {
        "value": TYPED.get(item.kind, "typed words"),
        "selected_option": options[0],
        "selected_options": options[:1],
    }
    return {**VALUES, **chosen}[key]


def reports(item: Held) -> bool:
    """Does using this element tell the app at once?"""
    return item.kind != "workflow_button" and (not item.is_input or bool(item.block["dispatch_action"]))


async def shown(client: AsyncWebClient, sandbox: Sandbox, app: RawApp, tried: Document) -> dict[str, Any]:
    """Put the document in front of ana; where it is, as the page names it."""
    if tried.surface == "message":
        posted = await client.chat_postMessage(channel=NETWORK, text="x", blocks=tried.blocks)
        return {"channel": NETWORK, "ts": posted["ts"]}
    if tried.surface == "home":
        return {"view_id": (await client.views_publish(user_id=ANA, view=tried.content))["view"]["id"]}
    await sandbox.person("ana").shortcut("new")
    trigger = app.payloads("shortcut")[-1]["trigger_id"]
    return {"view_id": (await client.views_open(trigger_id=trigger, view=tried.content))["view"]["id"]}


@pytest.mark.parametrize("name", DOCUMENT_NAMES)
async def test_every_document_is_taken_and_each_of_its_elements_reports(
    name: str, sandbox: Sandbox, client: AsyncWebClient
) -> None:
    tried = document(name)
    async with raw_app(sandbox) as app:
        ana = sandbox.person("ana")
        place = ana.place(await shown(client, sandbox, app, tried))
        used = [item for item in held(place.blocks) if reports(item)]
        for item in used:
            outcome = await ana.act(place, item.block_id, item.action_id, plausible(item), {})
            assert outcome.ok, item.kind

        told = [payload["actions"][0] for payload in app.payloads("block_actions")]
        assert [(action["block_id"], action["action_id"]) for action in told] == [
            (i.block_id, i.action_id) for i in used
        ]
        for item, action in zip(used, told, strict=True):
            if item.kind in HOLDERS:
                assert HOLDERS[item.kind].key in action
        if tried.surface == "modal" and place.view is not None and place.view.body["submit"]:
            await submitted(ana, app, place.view)


async def submitted(ana: Any, app: RawApp, view: Any) -> None:
    """Hand the form in with whatever it holds; it arrives whole, or the client names the field at fault."""
    outcome = await ana.submit_view(view, view.values)
    if outcome.errors:
        assert set(outcome.errors) <= {block["block_id"] for block in view.body["blocks"]}
    else:
        (payload,) = app.payloads("view_submission")
        assert payload["view"]["state"]["values"] == view.values


def checker() -> Any:
    path = FACTS / "check_blocks.py"
    if not path.exists():
        pytest.skip("the independent checker is not beside this checkout")
    spec = importlib.util.spec_from_file_location("check_blocks", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def test_sample_views_are_taken_or_refused_as_the_checker_says(sandbox: Sandbox, client: AsyncWebClient) -> None:
    judge = checker()
    samples = sorted(FACTS.glob("payloads/view_to_send.*.json"))
    assert samples
    async with raw_app(sandbox) as app:
        for path in samples:
            view = json.loads(path.read_text())
            expected = judge.slack_refusal(view)
            try:
                if view["type"] == "home":
                    await client.views_publish(user_id=ANA, view=view)
                else:
                    await sandbox.person("ana").shortcut("new")
                    await client.views_open(trigger_id=app.payloads("shortcut")[-1]["trigger_id"], view=view)
                refusal = None
            except SlackApiError as error:
                refusal = error.response["error"]
            assert refusal == (expected["error"] if expected else None), path.name


async def test_a_file_of_ones_own_is_handed_in_with_a_form(sandbox: Sandbox, client: AsyncWebClient) -> None:
    block = {
        "type": "input",
        "block_id": "papers",
        "label": plain("Papers"),
        "element": {"type": "file_input", "action_id": "files", "max_files": 2},
    }
    ana = sandbox.person("ana")
    mine, theirs = ana.upload("a.txt", b"mine"), sandbox.person("ben").upload("b.txt", b"theirs")
    async with raw_app(sandbox) as app:
        await ana.shortcut("new")
        await client.views_open(trigger_id=app.payloads("shortcut")[0]["trigger_id"], view=modal(block))
        await ana.submit({"papers": [mine, theirs]})

        (payload,) = app.payloads("view_submission")
        (file,) = payload["view"]["state"]["values"]["papers"]["files"]["files"]
        assert (file["id"], file["name"], file["user"]) == (mine, "a.txt", ANA)
        assert (await client.files_info(file=mine))["file"]["size"] == 4


async def test_something_can_be_delivered_twice(sandbox: Sandbox, client: AsyncWebClient) -> None:
    row = {"type": "actions", "elements": [button("go", "1")]}
    await client.chat_postMessage(channel=NETWORK, text="x", blocks=[row])
    await sandbox.idle()
    ana = sandbox.person("ana")
    async with raw_app(sandbox) as app:
        await ana.click(ana.messages("#network")[-1], "go")
        await ana.say("#network", "hello")
        await sandbox.idle()
        for delivery in list(sandbox.deliveries)[-2:]:
            assert await sandbox.redeliver(delivery) == "200"

    first, event, again, repeated = app.envelopes
    assert again["payload"] == first["payload"]
    assert (repeated["payload"], repeated["retry_attempt"]) == (event["payload"], 1)
