"""Blocks on their way in and out: ids Slack adds, texts in Slack's form, the elements that hold a value."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from sandbox.text import normalise, normalise_plain
from sandbox.workspace import Json, short_id

INTERACTIVE = frozenset(
    {
        "button",
        "checkboxes",
        "channels_select",
        "conversations_select",
        "datepicker",
        "datetimepicker",
        "email_text_input",
        "external_select",
        "feedback_buttons",
        "file_input",
        "icon_button",
        "multi_channels_select",
        "multi_conversations_select",
        "multi_external_select",
        "multi_static_select",
        "multi_users_select",
        "number_input",
        "overflow",
        "plain_text_input",
        "radio_buttons",
        "rich_text_input",
        "static_select",
        "timepicker",
        "url_text_input",
        "users_select",
        "workflow_button",
    }
)


@dataclass(frozen=True)
class Held:
    """An element and the block it stands in."""

    block: Json
    element: Json

    @property
    def block_id(self) -> str:
        return str(self.block["block_id"])

    @property
    def action_id(self) -> str:
        return str(self.element.get("action_id", ""))

    @property
    def kind(self) -> str:
        return str(self.element["type"])

    @property
    def is_input(self) -> bool:
        return bool(self.block["type"] == "input")


def received(blocks: list[Json]) -> list[Json]:
    """Blocks as Slack gives them back: every block and element with an id, texts normalised, defaults filled in."""
    copy = deepcopy(blocks)
    for block in copy:
        _complete_block(block)
    return copy


def _complete_block(block: Json) -> None:
    block.setdefault("block_id", short_id())
    if block["type"] == "input":
        block.setdefault("optional", False)
        block.setdefault("dispatch_action", False)
    for element in _elements(block):
        if element.get("type") in INTERACTIVE:
            element.setdefault("action_id", short_id())
    if block["type"] != "rich_text":
        _normalise(block)
    for child in [*block.get("child_blocks", ()), *(block.get("elements", ()) if block["type"] == "carousel" else ())]:
        _complete_block(child)


def _normalise(node: Any) -> None:
    """Bring every text object below `node` into Slack's form. Rich text is left alone: it holds plain characters."""
    if isinstance(node, list):
        for item in node:
            _normalise(item)
    elif isinstance(node, dict):
        kind = node.get("type")
        if kind == "mrkdwn" and isinstance(node.get("text"), str):
            node["text"] = normalise(node["text"])
            node.setdefault("verbatim", False)
        elif kind == "plain_text" and isinstance(node.get("text"), str):
            node["text"] = normalise_plain(node["text"])
            node.setdefault("emoji", True)
        elif kind not in ("rich_text", "raw_text"):
            for value in node.values():
                _normalise(value)


def held(blocks: list[Json]) -> Iterator[Held]:
    """Every interactive element of these blocks, in reading order."""
    for block in blocks:
        for element in _elements(block):
            if element.get("type") in INTERACTIVE:
                yield Held(block, element)
        yield from held(block.get("child_blocks", []))
        if block["type"] == "carousel":
            yield from held(block["elements"])


def _elements(block: Json) -> Iterator[Json]:
    for key in ("element", "accessory"):
        if isinstance(block.get(key), dict):
            yield block[key]
    if block["type"] not in ("rich_text", "carousel"):
        yield from (element for element in block.get("elements", ()) if isinstance(element, dict))
    yield from (element for element in block.get("actions", ()) if isinstance(element, dict))
