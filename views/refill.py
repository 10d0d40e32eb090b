"""A submitted form as it can be shown again: the same blocks, holding what was typed into them."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from views.blocks import Block, plain, section

# What an element's state holds, and under which name the element takes it back.
_INITIAL: Mapping[str, tuple[str, str]] = {
    "plain_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "users_select": ("selected_user", "initial_user"),
    "multi_users_select": ("selected_users", "initial_users"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "checkboxes": ("selected_options", "initial_options"),
}
_NOTHING: Mapping[str, str] = MappingProxyType({})
_SENT_BACK = ("type", "callback_id", "title", "submit", "close", "private_metadata")


def refilled(view: Mapping[str, Any], sentences: Sequence[str] = (), beside: Mapping[str, str] = _NOTHING) -> Block:
    """The view without Slack's own keys, each input holding what its state says.

    The sentences stand on top; those of `beside` (block id -> sentence) right below their input, or on top without one.
    """
    held = [_refilled_block(block, _typed(view, block)) for block in view.get("blocks", ())]
    ids = {block.get("block_id") for block in held}
    above = [*sentences, *(sentence for block_id, sentence in beside.items() if block_id not in ids)]
    blocks = [section(plain(sentence)) for sentence in above]
    for block in held:
        below = beside.get(str(block.get("block_id")))
        blocks += [block, *([section(plain(below))] if below else [])]
    return {key: view[key] for key in _SENT_BACK if view.get(key)} | {"blocks": blocks}


def typed_into(view: Mapping[str, Any]) -> list[str]:
    """What the form's inputs hold, as `Label: value` lines."""
    lines = []
    for block in view.get("blocks", ()):
        typed = _typed(view, block)
        shown = ", ".join(map(_label, typed)) if isinstance(typed, list) else _label(typed)
        lines += [f"{block['label']['text']}: {shown}"] if shown else []
    return lines


def _label(typed: Any) -> str:
    """An option's label, or what was typed."""
    return str(typed["text"]["text"]) if isinstance(typed, Mapping) else typed or ""


def _typed(view: Mapping[str, Any], block: Mapping[str, Any]) -> Any:
    """What an input block holds, in Slack's shape; None for anything else."""
    element = block.get("element")
    if block.get("type") != "input" or not isinstance(element, Mapping) or element.get("type") not in _INITIAL:
        return None
    state = (view.get("state") or {}).get("values") or {}
    held, _ = _INITIAL[element["type"]]
    return ((state.get(str(block.get("block_id"))) or {}).get(str(element.get("action_id"))) or {}).get(held)


def _refilled_block(block: Mapping[str, Any], typed: Any) -> Block:
    element = block.get("element")
    if block.get("type") != "input" or not isinstance(element, Mapping) or element.get("type") not in _INITIAL:
        return dict(block)
    _, initial = _INITIAL[element["type"]]
    bare = {key: value for key, value in element.items() if key != initial}
    return {**block, "element": bare | ({initial: typed} if typed else {})}
