"""What people see, as short values to compare: the last private answer, the card of a record, the buttons on offer."""

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

from sandbox import Sandbox
from sandbox.driver import Driver
from tests.scenarios.house import shown

Json = dict[str, Any]

CHECKER = Path(__file__).resolve().parents[3] / "shared" / "slack" / "check_blocks.py"
"""An independent checker of Block Kit, kept beside this repository and not in it."""


def answer(person: Driver, channel: str = "#network") -> Json:
    """The latest message there that only this person sees."""
    return person.ephemerals(channel)[-1]


def answered(person: Driver, channel: str = "#network") -> str:
    """Every text in it."""
    return shown(answer(person, channel))


def card(person: Driver, reference: str, channel: str = "#network") -> Json:
    """The one card of a record there, in the channel itself or in a thread."""
    threads = (person.thread(channel, message["ts"]) for message in person.messages(channel))
    found = [message for thread in threads for message in thread if is_card_of(message, reference)]
    assert len(found) == 1, f"{len(found)} cards of {reference}"
    return found[0]


def is_card_of(message: Json, reference: str) -> bool:
    return "bot_id" in message and f" {reference}:" in message["text"]


def buttons(message: Json) -> list[tuple[str, str]]:
    """(action id, value) of every button below a message or view, in order."""
    rows = [block["elements"] for block in message["blocks"] if block["type"] == "actions"]
    beside = [[block["accessory"]] for block in message["blocks"] if "accessory" in block]
    return [pressed for row in [*rows, *beside] for element in row for pressed in _pressed(element)]


def _pressed(element: Json) -> list[tuple[str, str]]:
    """(action id, value) of a button, or of each entry of a ⋯ menu."""
    if element["type"] != "overflow":
        return [(element["action_id"], element.get("value", ""))]
    entries = [entry["value"].partition(" ") for entry in element["options"]]
    return [(action_id, value) for action_id, _, value in entries]


def in_menu(message: Json) -> list[str]:
    """What the ⋯ menus below a message or view hold: the values of their entries."""
    elements = [each for block in message["blocks"] if block["type"] == "actions" for each in block["elements"]]
    return [entry["value"] for each in elements if each["type"] == "overflow" for entry in each["options"]]


def offered(message: Json) -> list[str]:
    """The action ids of its buttons, in order."""
    return [action_id for action_id, _ in buttons(message)]


def held(view: Json | None) -> Json:
    """What stands in each input of a form: block id -> value, with the value of a chosen option."""
    assert view is not None, "no form is open"
    found: Json = {}
    for block_id, elements in view["state"]["values"].items():
        [element] = elements.values()
        value = next(value for key, value in element.items() if key != "type")
        found[block_id] = value["value"] if isinstance(value, dict) else value
    return found


def hints(view: Json) -> dict[str, str]:
    """The explanation below each input of a form."""
    return {block["block_id"]: block["hint"]["text"] for block in view["blocks"] if block.get("hint")}


def refused_blocks(sandbox: Sandbox) -> list[str]:
    """What the independent checker finds wrong in anything the app sent or that stands in the workspace from it."""
    found = []
    for where, payload, was_received in _sent(sandbox):
        violations = _checker().check(payload, None, was_received) or []
        found += [f"{where}: {each}" for each in violations if each.level == "error"]
    return found


@cache
def _checker() -> Any:
    spec = importlib.util.spec_from_file_location("independent_checker", CHECKER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _sent(sandbox: Sandbox) -> list[tuple[str, Json, bool]]:
    """(where, payload, whether it is as Slack gives it back) of all messages, views and answers."""
    sent: list[tuple[str, Json, bool]] = [
        (call.method, {key: call.args[key] for key in ("text", "blocks", "view") if key in call.args}, False)
        for call in sandbox.calls
        if "blocks" in call.args or "view" in call.args
    ]
    for delivery in sandbox.deliveries:
        if isinstance(delivery.answer, dict) and ("blocks" in delivery.answer or "view" in delivery.answer):
            payload = {key: delivery.answer[key] for key in ("text", "blocks", "view") if key in delivery.answer}
            sent.append((f"answer to {delivery.kind}", payload, False))
    sent += [
        ("a private message", {"text": each.message["text"], "blocks": each.message["blocks"]}, True)
        for each in sandbox.workspace.ephemerals
        if "blocks" in each.message
    ]
    return sent
