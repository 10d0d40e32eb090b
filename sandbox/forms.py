"""What stands in the inputs of a message or view: `state.values`, and how plain values get in and are checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sandbox.blocks import Held, held
from sandbox.errors import SandboxError
from sandbox.workspace import Json

REQUIRED = "Please complete this required field."


@dataclass(frozen=True)
class Holder:
    """How an element type holds its value: the key in the state, the key of its initial value, and when empty."""

    key: str
    initial: str
    empty: Any = None


TEXT = Holder("value", "initial_value")
ONE_OPTION = Holder("selected_option", "initial_option")
OPTIONS = Holder("selected_options", "initial_options", [])

HOLDERS: dict[str, Holder] = {
    "plain_text_input": TEXT,
    "email_text_input": TEXT,
    "url_text_input": TEXT,
    "number_input": TEXT,
    "rich_text_input": Holder("rich_text_value", "initial_value"),
    "datepicker": Holder("selected_date", "initial_date"),
    "timepicker": Holder("selected_time", "initial_time"),
    "datetimepicker": Holder("selected_date_time", "initial_date_time"),
    "static_select": ONE_OPTION,
    "external_select": ONE_OPTION,
    "radio_buttons": ONE_OPTION,
    "checkboxes": OPTIONS,
    "multi_static_select": OPTIONS,
    "multi_external_select": OPTIONS,
    "users_select": Holder("selected_user", "initial_user"),
    "conversations_select": Holder("selected_conversation", "initial_conversation"),
    "channels_select": Holder("selected_channel", "initial_channel"),
    "multi_users_select": Holder("selected_users", "initial_users", []),
    "multi_conversations_select": Holder("selected_conversations", "initial_conversations", []),
    "multi_channels_select": Holder("selected_channels", "initial_channels", []),
    "file_input": Holder("files", "", []),
}


def initial_values(blocks: list[Json], current_conversation: str | None = None) -> Json:
    """`state.values` of blocks nobody has touched."""
    values: Json = {}
    for item in held(blocks):
        if item.kind in HOLDERS:
            values.setdefault(item.block_id, {})[item.action_id] = _initial(item.element, current_conversation)
    return values


def _initial(element: Json, current_conversation: str | None) -> Json:
    holder = HOLDERS[element["type"]]
    value = element.get(holder.initial, holder.empty)
    if element.get("default_to_current_conversation") and current_conversation is not None:
        value = value or ([current_conversation] if holder.empty == [] else current_conversation)
    return entry(element, value)


def entry(element: Json, value: Any) -> Json:
    """What an element holds, as it stands in the state."""
    shape: Json = {"type": element["type"], HOLDERS[element["type"]].key: value}
    if element["type"] == "timepicker" and "timezone" in element:
        shape["timezone"] = element["timezone"]
    return shape


def carried_over(blocks: list[Json], old: Json, current_conversation: str | None = None) -> Json:
    """The state after a view was replaced: typed values stay where block_id, action_id and type are the same."""
    values = initial_values(blocks, current_conversation)
    for block_id, actions in values.items():
        for action_id, fresh in actions.items():
            kept = old.get(block_id, {}).get(action_id)
            if kept is not None and kept["type"] == fresh["type"]:
                actions[action_id] = kept
    return values


def accepted_state(blocks: list[Json], given: Json, before: Json) -> Json:
    """`given` where it fits these blocks, `before` elsewhere: a page cannot add fields a view does not have."""
    values: Json = {}
    for item in held(blocks):
        if item.kind not in HOLDERS:
            continue
        holder = HOLDERS[item.kind]
        told = given.get(item.block_id, {}).get(item.action_id)
        known = before.get(item.block_id, {}).get(item.action_id, entry(item.element, holder.empty))
        fits = isinstance(told, dict) and holder.key in told
        chosen = entry(item.element, _emptied(told[holder.key], holder)) if fits else known
        values.setdefault(item.block_id, {})[item.action_id] = chosen
    return values


def _emptied(value: Any, holder: Holder) -> Any:
    return holder.empty if value in ("", None, []) else value


def plain_entry(item: Held, value: Any, typed: Iterable[Json] = ()) -> Json:
    """The state of an element when a person gives it `value`: text, option value, id, date, or a list of them.

    `typed` are options an app offered for this element. Raises SandboxError when the element has no such choice.
    """
    holder = HOLDERS[item.kind]
    if value is None or value in ("", []):
        return entry(item.element, holder.empty)
    if holder is ONE_OPTION:
        return entry(item.element, _option(item, value, typed))
    if holder is OPTIONS:
        return entry(item.element, [_option(item, one, typed) for one in _listed(value)])
    if holder.empty == []:
        return entry(item.element, _listed(value))
    if item.kind == "rich_text_input" and isinstance(value, str):
        section = {"type": "rich_text_section", "elements": [{"type": "text", "text": value}]}
        return entry(item.element, {"type": "rich_text", "elements": [section]})
    return entry(item.element, int(value) if item.kind == "datetimepicker" else str(value) if holder is TEXT else value)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple | set) else [value]


def _option(item: Held, value: Any, typed: Iterable[Json]) -> Json:
    if isinstance(value, dict):
        return value
    for option in [*options_of(item.element), *typed]:
        if option.get("value") == str(value):
            return option
    known = ", ".join(str(option.get("value")) for option in options_of(item.element))
    raise SandboxError(f'"{item.action_id}" has no option with the value "{value}". It offers: {known or "nothing"}.')


def options_of(element: Json) -> list[Json]:
    """The choices an element offers, out of their groups."""
    grouped = [option for group in element.get("option_groups", ()) for option in group["options"]]
    return [*element.get("options", ()), *grouped]


def faults(blocks: list[Json], values: Json) -> dict[str, str]:
    """What Slack's client itself finds wrong before it sends a form: block_id -> text."""
    found: dict[str, str] = {}
    for item in held(blocks):
        if not item.is_input or item.kind not in HOLDERS:
            continue
        value = values.get(item.block_id, {}).get(item.action_id, {}).get(HOLDERS[item.kind].key)
        if value in (None, "", []):
            if not item.block.get("optional", False):
                found[item.block_id] = REQUIRED
        elif (check := CHECKS.get(item.kind)) is not None and (text := check(item.element, value)) is not None:
            found[item.block_id] = text
    return found


def _check_text(element: Json, value: str) -> str | None:
    shortest, longest = element.get("min_length", 0), element.get("max_length", 3000)
    if len(value) < shortest:
        return f"Please enter at least {shortest} characters."
    if len(value) > longest:
        return f"Please shorten this to {longest} characters or fewer."
    return None


def _check_email(_element: Json, value: str) -> str | None:
    return None if re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value) else "Enter a valid email address."


def _check_url(_element: Json, value: str) -> str | None:
    return None if re.fullmatch(r"https?://[^\s]+\.[^\s]+|https?://localhost[^\s]*", value) else "Enter a valid URL."


def _check_number(element: Json, value: str) -> str | None:
    decimal = element.get("is_decimal_allowed", False)
    if not re.fullmatch(r"-?\d+(?:\.\d+)?" if decimal else r"-?\d+", value):
        return "Enter a number." if decimal else "Enter a whole number."
    if "min_value" in element and float(value) < float(element["min_value"]):
        return f"Enter a number of at least {element['min_value']}."
    if "max_value" in element and float(value) > float(element["max_value"]):
        return f"Enter a number of at most {element['max_value']}."
    return None


def _check_files(element: Json, value: list[Any]) -> str | None:
    most = element.get("max_files", 10)
    return f"Add at most {most} files." if len(value) > most else None


def _check_choices(element: Json, value: list[Any]) -> str | None:
    most = element.get("max_selected_items")
    return f"Choose at most {most}." if most is not None and len(value) > most else None


CHECKS: dict[str, Callable[[Json, Any], str | None]] = {
    "plain_text_input": _check_text,
    "email_text_input": _check_email,
    "url_text_input": _check_url,
    "number_input": _check_number,
    "file_input": _check_files,
    "multi_static_select": _check_choices,
    "multi_external_select": _check_choices,
    "multi_users_select": _check_choices,
    "multi_conversations_select": _check_choices,
    "multi_channels_select": _check_choices,
}
