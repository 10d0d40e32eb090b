"""Every length, count and range of Block Kit, written by hand, with the document in which each can be tried."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.sandbox.block_kit_examples import DOCUMENT_NAMES, Document, document

Path = tuple[str | int, ...]


class Limit(NamedTuple):
    """From `low` to `high` characters, items or, for numbers, the number itself.

    `at` is a kind of thing and its type, `field` a path in it: `a.b`, `a[]` (an item of a list), `a[].b`.
    """

    at: str
    field: str
    low: int | None
    high: int | None

    def __str__(self) -> str:
        return f"{self.at} {self.field}"

    def cases(self) -> Iterator[tuple[int, bool]]:
        """Sizes just within, on and just past each bound, with whether they are taken."""
        if self.low is not None:
            yield from [(self.low, True), (self.low + 1, True)]
            if self.low > 0 or self.measure is int:
                yield self.low - 1, False
        if self.high is not None:
            yield from [(self.high - 1, True), (self.high, True), (self.high + 1, False)]

    @property
    def measure(self) -> type:
        """What is counted: characters (str), items (list) or the value itself (int)."""
        _, holder, path = limit_place(self.at, self.field)
        return type(holder[path[-1]])

    def code(self, size: int) -> str:
        """The code of the violation when the size is past a bound."""
        below, above = {str: ("too_short", "too_long"), list: ("too_few", "too_many")}.get(
            self.measure, ("out_of_range", "out_of_range")
        )
        return above if self._is_above(size) else below

    def message(self, size: int) -> str:
        """Slack's wording when the size is past a bound."""
        low, high = self.low or 0, self.high or 0
        if self._is_above(size):
            above = {str: f"must be less than {high + 1} characters", list: f"no more than {high} items allowed"}
            return above.get(self.measure, f"must be less than {high}")
        below = {str: f"must be more than {low - 1} characters", list: f"must provide at least {low} items"}
        return below.get(self.measure, f"must be greater than {low}")

    def _is_above(self, size: int) -> bool:
        return self.high is not None and size > self.high


LIMITS = [
    Limit(*row)
    for row in (
        ("text:plain_text", "text", 1, 3000),
        ("text:mrkdwn", "text", 1, 3000),
        ("block:section", "block_id", None, 255),
        ("block:section", "text.text", 1, 3000),
        ("block:section", "fields", 1, 10),
        ("block:section", "fields[].text", 1, 2000),
        ("block:header", "text.text", 1, 150),
        ("block:context", "elements", 1, 10),
        ("block:actions", "elements", 1, 25),
        ("block:context_actions", "elements", 1, 5),
        ("block:input", "label.text", 1, 2000),
        ("block:input", "hint.text", 1, 2000),
        ("block:image", "alt_text", None, 2000),
        ("block:image", "image_url", None, 3000),
        ("block:image", "title.text", 1, 2000),
        ("block:markdown", "text", 1, 12_000),
        ("block:video", "title.text", 1, 199),
        ("block:video", "author_name", None, 49),
        ("block:table", "rows", 1, 100),
        ("block:table", "rows[]", None, 20),
        ("block:table", "column_settings", None, 20),
        ("block:data_table", "page_size", 1, 100),
        ("block:data_table", "row_header_column_index", 0, None),
        ("block:card", "title.text", 1, 150),
        ("block:card", "subtitle.text", 1, 150),
        ("block:card", "body.text", 1, 200),
        ("block:card", "subtext.text", 1, 200),
        ("block:card", "actions", None, 3),
        ("block:carousel", "elements", 1, 10),
        ("block:container", "title.text", 1, 150),
        ("block:container", "subtitle.text", 1, 150),
        ("block:container", "child_blocks", 1, 10),
        ("element:button", "action_id", None, 255),
        ("element:button", "text.text", 1, 75),
        ("element:button", "value", None, 2000),
        ("element:button", "url", None, 3000),
        ("element:button", "accessibility_label", None, 75),
        ("element:button", "agent_prompt", None, 4000),
        ("element:workflow_button", "text.text", 1, 75),
        ("element:workflow_button", "accessibility_label", None, 75),
        ("element:icon_button", "accessibility_label", None, 75),
        ("element:feedback_buttons", "positive_button.text.text", 1, 75),
        ("element:feedback_buttons", "negative_button.text.text", 1, 75),
        ("element:feedback_buttons", "positive_button.value", None, 2000),
        ("element:feedback_buttons", "negative_button.value", None, 2000),
        ("element:feedback_buttons", "positive_button.accessibility_label", None, 75),
        ("element:feedback_buttons", "negative_button.accessibility_label", None, 75),
        ("element:image", "alt_text", None, 2000),
        ("element:image", "image_url", None, 3000),
        ("element:checkboxes", "options", 1, 10),
        ("element:radio_buttons", "options", 1, 10),
        ("element:overflow", "options", 1, 5),
        ("element:static_select", "placeholder.text", 1, 150),
        ("element:static_select", "options", 1, 100),
        ("element:static_select", "option_groups", 1, 100),
        ("element:multi_static_select", "options", 1, 100),
        ("element:multi_static_select", "option_groups", 1, 100),
        ("element:multi_static_select", "max_selected_items", 1, None),
        ("element:multi_external_select", "max_selected_items", 1, None),
        ("element:multi_users_select", "max_selected_items", 1, None),
        ("element:multi_conversations_select", "max_selected_items", 1, None),
        ("element:multi_channels_select", "max_selected_items", 1, None),
        ("element:external_select", "min_query_length", 0, None),
        ("element:multi_external_select", "min_query_length", 0, None),
        ("element:plain_text_input", "placeholder.text", 1, 150),
        ("element:plain_text_input", "min_length", 0, 3000),
        ("element:plain_text_input", "max_length", 1, 3000),
        ("element:rich_text_input", "min_lines", 1, 100),
        ("element:rich_text_input", "max_lines", 1, 100),
        ("element:file_input", "max_files", 1, 10),
        ("element:datetimepicker", "initial_date_time", 1_000_000_000, 9_999_999_999),
        ("element:conversations_select", "filter.include", 1, None),
        ("element:multi_conversations_select", "filter.include", 1, None),
        ("object:option", "text.text", 1, 75),
        ("object:option", "value", None, 150),
        ("object:option", "description.text", 1, 75),
        ("object:option", "url", None, 3000),
        ("object:option_group", "label.text", 1, 75),
        ("object:option_group", "options", 1, 100),
        ("object:confirm", "title.text", 1, 100),
        ("object:confirm", "text.text", 1, 300),
        ("object:confirm", "confirm.text", 1, 30),
        ("object:confirm", "deny.text", 1, 30),
        ("view:modal", "title.text", 1, 24),
        ("view:modal", "submit.text", 1, 24),
        ("view:modal", "close.text", 1, 24),
        ("view:modal", "private_metadata", None, 3000),
        ("view:modal", "callback_id", None, 255),
        ("view:modal", "external_id", None, 255),
        ("view:home", "private_metadata", None, 3000),
        ("view:home", "callback_id", None, 255),
        ("view:home", "external_id", None, 255),
    )
]

_NUMBERS = (["0", "-1", "7", "7.5", ".5"], ["", "-", "7.", "1e5", "seven", "1,000", "+1"])
PATTERNS = [
    (
        "element:datepicker",
        "initial_date",
        ["2026-01-31", "2024-02-29", "2026-12-01"],
        ["2026-13-01", "2026-1-1", "26-01-01", "2026-01-32", "1 May", "", "2026-01-01T00:00"],
    ),
    ("element:timepicker", "initial_time", ["00:00", "23:59", "09:30"], ["24:00", "9:30", "09:60", "9 am", "09:30:00"]),
    ("element:number_input", "initial_value", *_NUMBERS),
    ("element:number_input", "min_value", *_NUMBERS),
    ("element:number_input", "max_value", *_NUMBERS),
]

_OBJECTS = {
    "option": ("element overflow", ("options", 0)),
    "option_group": ("element static_select, grouped", ("option_groups", 0)),
    "confirm": ("element button", ("confirm",)),
}


def limit_place(at: str, field: str) -> tuple[Document, Any, Path]:
    """A fresh valid document with this field, the thing that holds the field, and the field's path from the root."""
    for found, start in _homes(at):
        path = _path(_get(found.content, start), field)
        if path is not None:
            whole = start + path
            return found, _get(found.content, whole[:-1]), whole
    raise LookupError(f"no example shows {at} {field}")


def filled(limit: Limit, size: int) -> tuple[Document, Path]:
    """A document whose limited field has this size (lists are filled with their own first item), and its path."""
    found, holder, path = limit_place(limit.at, limit.field)
    value = holder[path[-1]]
    if isinstance(value, str):
        holder[path[-1]] = "é" * size
    elif isinstance(value, list):
        holder[path[-1]] = [value[0]] * size
    else:
        holder[path[-1]] = size
    return found, path


def _homes(at: str) -> Iterator[tuple[Document, Path]]:
    """Documents that hold a thing of this kind, and where it is."""
    kind, name = at.split(":")
    if kind == "object":
        document_name, within = _OBJECTS[name]
        found = document(document_name)
        yield found, _find(found.content, document_name.removeprefix("element ").split(",")[0]) + within
    elif kind == "text":
        yield (
            Document("message", [{"type": "context", "elements": [{"type": name, "text": "words"}]}]),
            (0, "elements", 0),
        )
    elif kind == "view":
        yield document("a Home tab" if name == "home" else "block alert"), ()
    else:
        for document_name in DOCUMENT_NAMES:
            if document_name.split(",")[0] == f"{kind} {name}":
                found = document(document_name)
                yield found, _find(found.content, name)


def _find(value: Any, kind: str, path: Path = ()) -> Path:
    """Where the first object of this type is. LookupError when there is none."""
    if isinstance(value, dict) and value.get("type") == kind:
        return path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        try:
            return _find(item, kind, (*path, key))
        except LookupError:
            continue
    raise LookupError(kind)


def _path(value: Any, field: str) -> Path | None:
    """The keys that a field like a.b, a[] or a[].b stands for; None when the value has no such field."""
    path: list[str | int] = []
    for part in field.split("."):
        path += [part.removesuffix("[]"), 0] if part.endswith("[]") else [part]
    try:
        _get(value, tuple(path))
    except (KeyError, IndexError):
        return None
    return tuple(path)


def _get(value: Any, path: Path) -> Any:
    for key in path:
        value = value[key]
    return value
