"""One full, valid example of every Block Kit block and element type, and documents in which each may stand.

Examples carry every property that can be given together; where two exclude each other there are two examples, the
second with a name such as "static_select, grouped". Everything handed out is a fresh copy.
"""

from copy import deepcopy
from typing import Any, NamedTuple

Json = dict[str, Any]


class Document(NamedTuple):
    """A valid message, modal or Home tab: its surface, and its blocks or the whole view."""

    surface: str
    content: Any

    @property
    def blocks(self) -> list[Json]:
        return self.content if self.surface == "message" else self.content["blocks"]


def plain(text: str = "Plain words") -> Json:
    return {"type": "plain_text", "text": text, "emoji": True}


def mrkdwn(text: str = "*Bold* words") -> Json:
    return {"type": "mrkdwn", "text": text, "verbatim": False}


CONFIRM: Json = {
    "title": plain("Are you sure?"),
    "text": mrkdwn("This cannot be *undone*."),
    "confirm": plain("Do it"),
    "deny": plain("Stop"),
    "style": "danger",
}
DISPATCH: Json = {"trigger_actions_on": ["on_enter_pressed", "on_character_entered"]}
FILTER: Json = {
    "include": ["im", "mpim", "private", "public"],
    "exclude_bot_users": True,
    "exclude_external_shared_channels": True,
}


def option(value: str = "one") -> Json:
    return {"text": plain(f"Option {value}"), "value": value, "description": plain(f"About {value}")}


def choice(value: str = "one") -> Json:
    return {"text": mrkdwn(f"Choice _{value}_"), "value": value, "description": mrkdwn(f"About *{value}*")}


def group(*values: str) -> Json:
    return {"label": plain("Group of " + " and ".join(values)), "options": [option(value) for value in values]}


ALL_STYLES: Json = dict.fromkeys(
    ("bold", "code", "italic", "strike", "underline", "highlight", "client_highlight", "unlink"), True
)
RICH_WORDS: Json = {"type": "text", "text": "words", "style": ALL_STYLES}
RICH_LINK: Json = {
    "type": "link",
    "url": "https://example.com/",
    "text": "link",
    "unsafe": False,
    "style": {"bold": True},
}
RICH_PARTS: list[Json] = [
    RICH_WORDS,
    RICH_LINK,
    {"type": "broadcast", "range": "here", "style": {"bold": True}},
    {"type": "channel", "channel_id": "C0000000001", "style": {"italic": True}},
    {"type": "color", "value": "#ff6600", "style": {"bold": False}},
    {
        "type": "date",
        "timestamp": 1_790_000_000,
        "format": "{date_short} at {time}",
        "fallback": "September 2026",
        "url": "https://example.com/",
        "style": {"bold": True},
    },
    {
        "type": "emoji",
        "name": "wave",
        "unicode": "1f44b-1f3fb",
        "url": "https://example.com/wave.png",
        "skin_tone": 2,
        "style": {"bold": True},
    },
    {"type": "team", "team_id": "T0000000001", "style": {"bold": True}},
    {"type": "user", "user_id": "U0000000001", "style": {"strike": True}},
    {"type": "usergroup", "usergroup_id": "S0000000001", "style": {"code": True}},
]
RICH_SECTION: Json = {"type": "rich_text_section", "elements": RICH_PARTS}
RICH_TEXT: Json = {
    "type": "rich_text",
    "elements": [
        RICH_SECTION,
        {
            "type": "rich_text_list",
            "style": "ordered",
            "indent": 1,
            "offset": 2,
            "border": 1,
            "elements": [{"type": "rich_text_section", "elements": [RICH_WORDS]}],
        },
        {"type": "rich_text_quote", "border": 0, "elements": [RICH_WORDS]},
        {"type": "rich_text_preformatted", "border": 0, "language": "python", "elements": [RICH_WORDS, RICH_LINK]},
    ],
}
SHORT_RICH_TEXT: Json = {
    "type": "rich_text",
    "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "words"}]}],
}

_MENU: Json = {"confirm": CONFIRM, "focus_on_load": True, "placeholder": plain("Pick")}
_MULTI: Json = {**_MENU, "max_selected_items": 2}
_TYPED: Json = {"dispatch_action_config": DISPATCH, "focus_on_load": True, "placeholder": plain("Type here")}
_FEEDBACK: Json = {"text": plain("Good"), "value": "good", "accessibility_label": "This was helpful"}

_ELEMENTS: dict[str, Json] = {
    "button": {
        "type": "button",
        "text": plain("Press"),
        "value": "pressed",
        "url": "https://example.com/",
        "style": "primary",
        "confirm": CONFIRM,
        "accessibility_label": "Presses the button",
        "agent_prompt": "Sum it up",
        "agent_prompt_display": "Sum up",
        "visible_to_user_ids": ["U0000000001"],
    },
    "workflow_button": {
        "type": "workflow_button",
        "text": plain("Run"),
        "workflow": {
            "trigger": {
                "url": "https://slack.com/shortcuts/Ft0000000001/abc",
                "customizable_input_parameters": [{"name": "site", "value": "Lyon"}],
            }
        },
        "style": "danger",
        "confirm": CONFIRM,
        "accessibility_label": "Runs the workflow",
    },
    "icon_button": {
        "type": "icon_button",
        "icon": "trash",
        "text": plain("Delete"),
        "value": "delete",
        "confirm": CONFIRM,
        "accessibility_label": "Deletes the answer",
        "visible_to_user_ids": ["U0000000001"],
    },
    "feedback_buttons": {
        "type": "feedback_buttons",
        "positive_button": _FEEDBACK,
        "negative_button": {**_FEEDBACK, "text": plain("Bad"), "value": "bad"},
    },
    "overflow": {
        "type": "overflow",
        "options": [{**option("one"), "url": "https://example.com/"}, option("two")],
        "confirm": CONFIRM,
    },
    "image": {"type": "image", "alt_text": "A map", "image_url": "https://example.com/map.png"},
    "image, in Slack": {"type": "image", "alt_text": "A map", "slack_file": {"id": "F0000000001"}},
    "checkboxes": {
        "type": "checkboxes",
        "options": [choice("one"), option("two")],
        "initial_options": [choice("one")],
        "confirm": CONFIRM,
        "focus_on_load": True,
    },
    "radio_buttons": {
        "type": "radio_buttons",
        "options": [choice("one"), option("two")],
        "initial_option": option("two"),
        "confirm": CONFIRM,
        "focus_on_load": True,
    },
    "datepicker": {"type": "datepicker", "initial_date": "2026-12-01", **_MENU},
    "timepicker": {"type": "timepicker", "initial_time": "09:30", "timezone": "Europe/Berlin", **_MENU},
    "datetimepicker": {
        "type": "datetimepicker",
        "initial_date_time": 1_790_000_000,
        "confirm": CONFIRM,
        "focus_on_load": True,
    },
    "static_select": {
        "type": "static_select",
        "options": [option("one"), option("two")],
        "initial_option": option("two"),
        **_MENU,
    },
    "static_select, grouped": {
        "type": "static_select",
        "option_groups": [group("one", "two"), group("three")],
        "initial_option": option("three"),
        **_MENU,
    },
    "external_select": {
        "type": "external_select",
        "initial_option": option("one"),
        "min_query_length": 0,
        **_MENU,
    },
    "users_select": {"type": "users_select", "initial_user": "U0000000001", **_MENU},
    "channels_select": {
        "type": "channels_select",
        "initial_channel": "C0000000001",
        "response_url_enabled": True,
        **_MENU,
    },
    "conversations_select": {
        "type": "conversations_select",
        "initial_conversation": "C0000000001",
        "filter": FILTER,
        "response_url_enabled": True,
        **_MENU,
    },
    "conversations_select, current": {
        "type": "conversations_select",
        "default_to_current_conversation": True,
        "filter": FILTER,
        **_MENU,
    },
    "multi_static_select": {
        "type": "multi_static_select",
        "options": [option("one"), option("two")],
        "initial_options": [option("one"), option("two")],
        **_MULTI,
    },
    "multi_static_select, grouped": {
        "type": "multi_static_select",
        "option_groups": [group("one", "two"), group("three")],
        "initial_options": [option("three")],
        **_MULTI,
    },
    "multi_external_select": {
        "type": "multi_external_select",
        "initial_options": [option("one")],
        "min_query_length": 3,
        **_MULTI,
    },
    "multi_users_select": {"type": "multi_users_select", "initial_users": ["U0000000001"], **_MULTI},
    "multi_channels_select": {"type": "multi_channels_select", "initial_channels": ["C0000000001"], **_MULTI},
    "multi_conversations_select": {
        "type": "multi_conversations_select",
        "initial_conversations": ["C0000000001"],
        "filter": FILTER,
        **_MULTI,
    },
    "multi_conversations_select, current": {
        "type": "multi_conversations_select",
        "default_to_current_conversation": True,
        "filter": FILTER,
        **_MULTI,
    },
    "plain_text_input": {
        "type": "plain_text_input",
        "multiline": True,
        "initial_value": "Words",
        "min_length": 2,
        "max_length": 200,
        **_TYPED,
    },
    "number_input": {
        "type": "number_input",
        "is_decimal_allowed": True,
        "initial_value": "7.5",
        "min_value": "-1",
        "max_value": "10",
        **_TYPED,
    },
    "email_text_input": {"type": "email_text_input", "initial_value": "ana@example.com", **_TYPED},
    "url_text_input": {"type": "url_text_input", "initial_value": "https://example.com/", **_TYPED},
    "rich_text_input": {
        "type": "rich_text_input",
        "initial_value": RICH_TEXT,
        "min_lines": 2,
        "max_lines": 12,
        **_TYPED,
    },
    "file_input": {"type": "file_input", "filetypes": ["pdf", "png"], "max_files": 3},
}
for _name, _element in _ELEMENTS.items():
    if _element["type"] != "image":
        _element["action_id"] = f"{_name}-action"

ELEMENT_NAMES = tuple(_ELEMENTS)

_CARD: Json = {
    "type": "card",
    "hero_image": _ELEMENTS["image"],
    "icon": _ELEMENTS["image, in Slack"],
    "title": mrkdwn("Title"),
    "subtitle": plain("Subtitle"),
    "body": mrkdwn("Body"),
    "subtext": mrkdwn("Subtext"),
    "actions": [_ELEMENTS["button"]],
}
_TASK: Json = {
    "type": "task_card",
    "task_id": "task-1",
    "title": "Read the diagram",
    "status": "in_progress",
    "details": SHORT_RICH_TEXT,
    "output": SHORT_RICH_TEXT,
    "sources": [{"type": "url", "url": "https://example.com/", "text": "Diagram"}],
}
_CELLS: list[Json] = [
    {"type": "raw_text", "text": "Site"},
    {"type": "raw_number", "value": 2.5, "text": "2.5"},
    SHORT_RICH_TEXT,
]

_BLOCKS: dict[str, Json] = {
    "actions": {"type": "actions", "elements": [_ELEMENTS["button"], _ELEMENTS["static_select"]]},
    "alert": {"type": "alert", "text": mrkdwn("Mind the gap"), "level": "warning"},
    "card": _CARD,
    "card, Slack's icon": {"type": "card", "slack_icon": {"type": "icon", "name": "rocket"}, "title": plain("Title")},
    "carousel": {"type": "carousel", "elements": [{**_CARD, "block_id": "first-card"}]},
    "container": {
        "type": "container",
        "title": plain("Title"),
        "subtitle": mrkdwn("Subtitle"),
        "icon": _ELEMENTS["image"],
        "width": "wide",
        "is_collapsible": True,
        "default_collapsed": True,
        "child_blocks": [{"type": "section", "text": mrkdwn(), "accessory": _ELEMENTS["button"]}, {"type": "divider"}],
    },
    "container, rich title": {
        "type": "container",
        "rich_text_title": SHORT_RICH_TEXT,
        "has_header_divider": True,
        "child_blocks": [{"type": "header", "text": plain()}],
    },
    "context": {"type": "context", "elements": [_ELEMENTS["image"], plain(), mrkdwn()]},
    "context_actions": {
        "type": "context_actions",
        "elements": [_ELEMENTS["feedback_buttons"], _ELEMENTS["icon_button"]],
    },
    "data_table": {
        "type": "data_table",
        "caption": "Sites",
        "rows": [_CELLS, _CELLS],
        "page_size": 10,
        "row_header_column_index": 0,
    },
    "divider": {"type": "divider"},
    "file": {"type": "file", "external_id": "diagram-1", "source": "remote"},
    "header": {"type": "header", "text": plain("Heading")},
    "image": {
        "type": "image",
        "alt_text": "A map",
        "image_url": "https://example.com/map.png",
        "title": plain("Map"),
    },
    "image, in Slack": {
        "type": "image",
        "alt_text": "A map",
        "slack_file": {"url": "https://files.slack.com/files-pri/T1-F1/map.png"},
        "title": plain("Map"),
    },
    "input": {
        "type": "input",
        "label": plain("Label"),
        "hint": plain("Hint"),
        "optional": True,
        "dispatch_action": True,
        "element": _ELEMENTS["plain_text_input"],
    },
    "markdown": {"type": "markdown", "text": "# Heading\n\n**Bold** words"},
    "plan": {"type": "plan", "title": "The plan", "tasks": [{**_TASK, "block_id": "first-task"}]},
    "rich_text": RICH_TEXT,
    "section": {
        "type": "section",
        "text": mrkdwn(),
        "fields": [mrkdwn("*Owner*"), plain("Ben")],
        "accessory": _ELEMENTS["overflow"],
        "expand": True,
    },
    "table": {
        "type": "table",
        "rows": [_CELLS, _CELLS],
        "column_settings": [{"align": "right", "is_wrapped": True}, None],
    },
    "task_card": _TASK,
    "video": {
        "type": "video",
        "title": plain("Tour"),
        "title_url": "https://example.com/tour",
        "description": plain("A tour of the site"),
        "author_name": "Ana",
        "provider_name": "Example",
        "provider_icon_url": "https://example.com/icon.png",
        "thumbnail_url": "https://example.com/tour.png",
        "video_url": "https://example.com/tour.mp4",
        "alt_text": "A tour",
    },
}
_BLOCKS = {name: {**block, "block_id": f"{name}-block"} for name, block in _BLOCKS.items()}

ONLY_RECEIVED = "file"
BLOCK_NAMES = tuple(name for name in _BLOCKS if name != ONLY_RECEIVED)

_ONLY_IN_MODALS = ("alert",)
_NEVER_IN_MESSAGES = (
    "email_text_input",
    "file_input",
    "number_input",
    "rich_text_input",
    "url_text_input",
)
_CANNOT_BE_INPUTS = ("button", "workflow_button", "icon_button", "feedback_buttons", "overflow", "image")


def element(name: str, **changes: Any) -> Json:
    """A full example of an element, with these properties instead of its own."""
    return deepcopy({**_ELEMENTS[name], **changes})


def block(name: str, **changes: Any) -> Json:
    """A full example of a block, with these properties instead of its own."""
    return deepcopy({**_BLOCKS[name], **changes})


def modal(*blocks: Json, **changes: Any) -> Json:
    """A modal with every property and these blocks."""
    view = {
        "type": "modal",
        "title": plain("Title"),
        "submit": plain("Save"),
        "close": plain("Cancel"),
        "private_metadata": '{"record": 1}',
        "callback_id": "form",
        "external_id": "form-1",
        "clear_on_close": True,
        "notify_on_close": True,
        "submit_disabled": False,
        "blocks": list(blocks),
        **changes,
    }
    return deepcopy(view)


def home(*blocks: Json, **changes: Any) -> Json:
    """A Home tab with every property and these blocks."""
    view = {
        "type": "home",
        "private_metadata": "{}",
        "callback_id": "home",
        "external_id": "home-1",
        "blocks": list(blocks),
        **changes,
    }
    return deepcopy(view)


def block_document(name: str) -> Document:
    """A document that holds this block and is valid: a message, or a modal for what only modals show."""
    if name in _ONLY_IN_MODALS:
        return Document("modal", modal(block(name)))
    return Document("message", [block(name)])


def element_document(name: str) -> Document:
    """A document that holds this element and is valid: an input of a modal, else a block of a message."""
    example = element(name)
    if name in ("icon_button", "feedback_buttons"):
        return Document("message", [block("context_actions", elements=[example])])
    if example["type"] in _CANNOT_BE_INPUTS:
        return Document("message", [block("section", accessory=example)])
    dispatches = example["type"] != "file_input"
    return Document("modal", modal(block("input", element=example, dispatch_action=dispatches)))


def _may_be_an_action(name: str) -> bool:
    example = _ELEMENTS[name]
    elsewhere = ("plain_text_input", "image", "icon_button", "feedback_buttons", *_NEVER_IN_MESSAGES)
    return example["type"] not in elsewhere and "response_url_enabled" not in example


def _documents() -> dict[str, Document]:
    found = {f"block {name}": block_document(name) for name in BLOCK_NAMES}
    found |= {f"element {name}": element_document(name) for name in ELEMENT_NAMES}
    found |= {
        f"element {name} among actions": Document("message", [block("actions", elements=[element(name)])])
        for name in ELEMENT_NAMES
        if _may_be_an_action(name)
    }
    usual = ("header", "section", "divider", "context", "actions", "image", "video", "rich_text")
    found["a Home tab"] = Document("home", home(*map(block, usual)))
    found["a message"] = Document("message", [block(name) for name in (*usual, "table", "markdown")])
    return found


_DOCUMENTS = _documents()

DOCUMENT_NAMES = tuple(_DOCUMENTS)
"""Every example in a document ("block section", "element button", ...), a Home tab and a message of several blocks."""


def document(name: str) -> Document:
    """One of the documents named above."""
    return deepcopy(_DOCUMENTS[name])
