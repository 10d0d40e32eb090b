"""Block Kit as tables: for each object, element, block and view its fields, which are required, and their bounds.

Written from Slack's reference (docs.slack.dev/reference/block-kit), the types it publishes (npm @slack/types 3.2.0)
and its Python SDK's models (slack_sdk 3.47.0), as of August 2026. A `!` after a name means required. Rules that need
more than one field are in `rules`.
"""

from collections.abc import Mapping
from typing import Literal

from sandbox.block_kit.shapes import (
    Fewest,
    Flag,
    Integer,
    ListOf,
    Noted,
    Number,
    Object,
    OneOf,
    OrNull,
    Shape,
    String,
    Unread,
)

Surface = Literal["message", "modal", "home"]

MOST_BLOCKS: dict[Surface, int] = {"message": 50, "modal": 100, "home": 100}
LARGEST_VIEW_BYTES = 250_000
LONGEST_TEXT = 3000
LONGEST_MARKDOWN = 12_000
LONGEST_URL = 3000

# ---------------------------------------------------------------------------------------------- composition objects


def plain(longest: int = LONGEST_TEXT) -> Object:
    """A plain_text object of 1 to `longest` characters."""
    return Object("plain_text", {"text!": String(longest, low=1), "emoji": Flag()})


def mrkdwn(longest: int = LONGEST_TEXT) -> Object:
    """A mrkdwn object of 1 to `longest` characters."""
    return Object("mrkdwn", {"text!": String(longest, low=1), "verbatim": Flag()})


def text(longest: int = LONGEST_TEXT) -> OneOf:
    """A text object of either kind."""
    return OneOf(plain(longest), mrkdwn(longest))


def option(words: Object, description: Shape) -> Object:
    """An option of a menu or a group of choices. `url` is for overflow menus only: `rules` says so elsewhere."""
    return Object(None, {"text!": words, "value!": String(150), "description": description, "url": String(LONGEST_URL)})


STYLE = String(choices=("primary", "danger"))
MENU_OPTION = option(plain(75), plain(75))
CHOICE = Fewest(None, (option(mrkdwn(75), text(75)), option(plain(75), text(75))))
OPTION_GROUP = Object(None, {"label!": plain(75), "options!": ListOf(MENU_OPTION, 1, 100)})
CONFIRM = Object(
    None, {"title": plain(100), "text!": text(300), "confirm": plain(30), "deny": plain(30), "style": STYLE}
)
DISPATCH_CONFIG = Object(
    None, {"trigger_actions_on": ListOf(String(choices=("on_enter_pressed", "on_character_entered")))}
)
CONVERSATION_FILTER = Object(
    None,
    {
        "include": ListOf(String(choices=("im", "mpim", "private", "public")), 1),
        "exclude_bot_users": Flag(),
        "exclude_external_shared_channels": Flag(),
    },
)
SLACK_FILE = Fewest(None, (Object(None, {"url!": String()}), Object(None, {"id!": String()})))
SLACK_ICON = Object("icon", {"name!": String()})
USER_IDS = ListOf(String())


def image(fields: Mapping[str, Shape]) -> Fewest:
    """An image named by its address or by a file in Slack, with these further fields."""
    shared: dict[str, Shape] = {"alt_text!": String(2000), **fields}
    return Fewest(
        "image",
        (
            Object("image", {**shared, "image_url!": String(LONGEST_URL)}),
            Object("image", {**shared, "slack_file!": SLACK_FILE}),
        ),
    )


# -------------------------------------------------------------------------------------------------------- rich text

RICH_STYLE = Object(
    None,
    dict.fromkeys(("bold", "code", "italic", "strike", "underline", "highlight", "client_highlight", "unlink"), Flag()),
)


def rich_part(kind: str, fields: Mapping[str, Shape]) -> Object:
    """A piece of a line of rich text."""
    return Object(kind, {**fields, "style": RICH_STYLE})


RICH_TEXT_WORDS = rich_part("text", {"text!": String()})
RICH_LINK = rich_part("link", {"url!": String(), "text": String(), "unsafe": Flag()})
RICH_PART = OneOf(
    RICH_TEXT_WORDS,
    RICH_LINK,
    rich_part("broadcast", {"range!": String(choices=("here", "channel", "everyone"))}),
    rich_part("channel", {"channel_id!": String()}),
    rich_part("color", {"value!": String()}),
    rich_part("date", {"timestamp!": Integer(), "format!": String(), "fallback": String(), "url": String()}),
    rich_part("emoji", {"name!": String(), "unicode": String(), "url": String(), "skin_tone": Integer()}),
    rich_part("team", {"team_id!": String()}),
    rich_part("user", {"user_id!": String()}),
    rich_part("usergroup", {"usergroup_id!": String()}),
)
BORDER = Number(choices=(0, 1))
RICH_SECTION = Object("rich_text_section", {"elements!": ListOf(RICH_PART)})
RICH_LIST = Object(
    "rich_text_list",
    {
        "elements!": ListOf(RICH_SECTION),
        "style!": String(choices=("bullet", "ordered")),
        "indent": Integer(),
        "offset": Integer(),
        "border": BORDER,
    },
)
RICH_QUOTE = Object("rich_text_quote", {"elements!": ListOf(RICH_PART), "border": BORDER})
RICH_PREFORMATTED = Object(
    "rich_text_preformatted",
    {"elements!": ListOf(OneOf(RICH_TEXT_WORDS, RICH_LINK)), "border": BORDER, "language": String()},
)

# --------------------------------------------------------------------------------------------------------- elements

LABEL_FOR_READERS = String(75)


def element(kind: str, fields: Mapping[str, Shape]) -> Object:
    """An interactive element."""
    return Object(kind, {**fields, "action_id": String(255)})


def picker(kind: str, fields: Mapping[str, Shape]) -> Object:
    """An element with which one picks something: asks for confirmation, may have the focus."""
    return element(kind, {**fields, "confirm": CONFIRM, "focus_on_load": Flag()})


def menu(kind: str, fields: Mapping[str, Shape]) -> Object:
    """A menu that takes one pick."""
    return picker(kind, {**fields, "placeholder": plain(150)})


def multi_menu(kind: str, fields: Mapping[str, Shape]) -> Object:
    """A menu that takes several picks."""
    return menu(kind, {**fields, "max_selected_items": Integer(1)})


def typed_input(kind: str, fields: Mapping[str, Shape]) -> Object:
    """A field to type into."""
    shared: dict[str, Shape] = {
        "initial_value": String(),
        "placeholder": plain(150),
        "focus_on_load": Flag(),
        "dispatch_action_config": DISPATCH_CONFIG,
    }
    return element(kind, {**shared, **fields})


RICH_TEXT = Object(
    "rich_text",
    {"elements!": ListOf(OneOf(RICH_SECTION, RICH_LIST, RICH_QUOTE, RICH_PREFORMATTED)), "block_id": String(255)},
)
DATE_PATTERN = r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"
TIME_PATTERN = r"^([01]\d|2[0-3]):[0-5]\d$"
NUMBER_PATTERN = r"^-?(\d+(\.\d+)?|\.\d+)$"
OFFERED: dict[str, Shape] = {
    "options": ListOf(MENU_OPTION, 1, 100),
    "option_groups": ListOf(OPTION_GROUP, 1, 100),
}
CONVERSATIONS: dict[str, Shape] = {"default_to_current_conversation": Flag(), "filter": CONVERSATION_FILTER}
FEEDBACK = Object(None, {"text!": plain(75), "value!": String(2000), "accessibility_label": LABEL_FOR_READERS})

BUTTON = element(
    "button",
    {
        "text!": plain(75),
        "value": String(2000),
        "url": String(LONGEST_URL),
        "style": STYLE,
        "confirm": CONFIRM,
        "accessibility_label": LABEL_FOR_READERS,
        "agent_prompt": String(4000),
        "agent_prompt_display": String(),
        "visible_to_user_ids": USER_IDS,
    },
)
WORKFLOW_TRIGGER = Object(
    None,
    {
        "url!": String(),
        "customizable_input_parameters": ListOf(Object(None, {"name!": String(), "value!": String()})),
    },
)
WORKFLOW_BUTTON = element(
    "workflow_button",
    {
        "text!": plain(75),
        "workflow!": Object(None, {"trigger!": WORKFLOW_TRIGGER}),
        "style": STYLE,
        "confirm": CONFIRM,
        "accessibility_label": LABEL_FOR_READERS,
    },
)
ICON_BUTTON = element(
    "icon_button",
    {
        "icon!": String(),
        "text!": plain(),
        "value": String(),
        "confirm": CONFIRM,
        "accessibility_label": LABEL_FOR_READERS,
        "visible_to_user_ids": USER_IDS,
    },
)
FEEDBACK_BUTTONS = element("feedback_buttons", {"positive_button!": FEEDBACK, "negative_button!": FEEDBACK})
OVERFLOW = element("overflow", {"options!": ListOf(MENU_OPTION, 1, 5), "confirm": CONFIRM})
IMAGE_ELEMENT = image({})

CHECKBOXES = picker("checkboxes", {"options!": ListOf(CHOICE, 1, 10), "initial_options": ListOf(CHOICE)})
RADIO_BUTTONS = picker("radio_buttons", {"options!": ListOf(CHOICE, 1, 10), "initial_option": CHOICE})
DATEPICKER = menu("datepicker", {"initial_date": String(pattern=DATE_PATTERN)})
TIMEPICKER = menu("timepicker", {"initial_time": String(pattern=TIME_PATTERN), "timezone": String()})
DATETIMEPICKER = picker("datetimepicker", {"initial_date_time": Integer(1_000_000_000, 9_999_999_999)})
MENUS = (
    menu("static_select", {**OFFERED, "initial_option": MENU_OPTION}),
    menu("external_select", {"initial_option": MENU_OPTION, "min_query_length": Integer(0)}),
    menu("users_select", {"initial_user": String()}),
    menu("channels_select", {"initial_channel": String(), "response_url_enabled": Flag()}),
    menu(
        "conversations_select",
        {**CONVERSATIONS, "initial_conversation": String(), "response_url_enabled": Flag()},
    ),
    multi_menu("multi_static_select", {**OFFERED, "initial_options": ListOf(MENU_OPTION)}),
    multi_menu("multi_external_select", {"initial_options": ListOf(MENU_OPTION), "min_query_length": Integer(0)}),
    multi_menu("multi_users_select", {"initial_users": USER_IDS}),
    multi_menu("multi_channels_select", {"initial_channels": ListOf(String())}),
    multi_menu("multi_conversations_select", {**CONVERSATIONS, "initial_conversations": ListOf(String())}),
)

NUMBER_TEXT = String(pattern=NUMBER_PATTERN)
LINES = Integer(1, 100)
PLAIN_TEXT_INPUT = typed_input(
    "plain_text_input", {"multiline": Flag(), "min_length": Integer(0, 3000), "max_length": Integer(1, 3000)}
)
NUMBER_INPUT = typed_input(
    "number_input",
    {
        "is_decimal_allowed!": Flag(),
        "initial_value": NUMBER_TEXT,
        "min_value": NUMBER_TEXT,
        "max_value": NUMBER_TEXT,
    },
)
EMAIL_INPUT = typed_input("email_text_input", {})
URL_INPUT = typed_input("url_text_input", {})
RICH_TEXT_INPUT = typed_input("rich_text_input", {"initial_value": RICH_TEXT, "min_lines": LINES, "max_lines": LINES})
FILE_INPUT = element("file_input", {"filetypes": ListOf(String()), "max_files": Integer(1, 10)})

PICKERS = (CHECKBOXES, RADIO_BUTTONS, DATEPICKER, TIMEPICKER, *MENUS)
PRESSED = (BUTTON, WORKFLOW_BUTTON, OVERFLOW)
TYPED = (PLAIN_TEXT_INPUT, NUMBER_INPUT, EMAIL_INPUT, URL_INPUT, RICH_TEXT_INPUT)


def place_for(*elements: Object | Fewest) -> Noted:
    """A place where one of these elements may stand."""
    return Noted("element", OneOf(*elements))


# ----------------------------------------------------------------------------------------------------------- blocks


def block(kind: str, fields: Mapping[str, Shape]) -> Object:
    """A block."""
    return Object(kind, {**fields, "block_id": String(255)})


RAW_TEXT = Object("raw_text", {"text!": String()})
RAW_NUMBER = Object("raw_number", {"value!": Number(), "text!": String()})
CELL = OneOf(RAW_TEXT, RAW_NUMBER, RICH_TEXT)
COLUMN = OrNull(Object(None, {"align": String(choices=("left", "center", "right")), "is_wrapped": Flag()}))
IMAGE_PLACE = place_for(IMAGE_ELEMENT)

ACTIONS = block("actions", {"elements!": ListOf(place_for(*PRESSED, *PICKERS, DATETIMEPICKER, RICH_TEXT_INPUT), 1, 25)})
CONTEXT = block("context", {"elements!": ListOf(place_for(IMAGE_ELEMENT, plain(), mrkdwn()), 1, 10)})
DIVIDER = block("divider", {})
HEADER = block("header", {"text!": plain(150)})
FILE = block("file", {"external_id!": String(), "source!": String(choices=("remote",))})
IMAGE = image({"title": plain(2000), "block_id": String(255)})
INPUT = block(
    "input",
    {
        "label!": plain(2000),
        "element!": place_for(*PICKERS, DATETIMEPICKER, *TYPED, FILE_INPUT),
        "hint": plain(2000),
        "optional": Flag(),
        "dispatch_action": Flag(),
    },
)
SECTION = block(
    "section",
    {
        "text": text(),
        "fields": ListOf(text(2000), 1, 10),
        "accessory": place_for(*PRESSED, *PICKERS, IMAGE_ELEMENT),
        "expand": Flag(),
    },
)
TABLE = block("table", {"rows!": ListOf(ListOf(CELL, 0, 20), 1, 100), "column_settings": ListOf(COLUMN, 0, 20)})
VIDEO = block(
    "video",
    {
        "title!": plain(199),
        "video_url!": String(),
        "thumbnail_url!": String(),
        "alt_text!": String(),
        "title_url": String(),
        "description": plain(),
        "author_name": String(49),
        "provider_name": String(),
        "provider_icon_url": String(),
    },
)
ALERT = block("alert", {"text!": text(), "level": String(choices=("default", "info", "warning", "error", "success"))})
CARD = block(
    "card",
    {
        "hero_image": IMAGE_PLACE,
        "icon": IMAGE_PLACE,
        "slack_icon": SLACK_ICON,
        "title": text(150),
        "subtitle": text(150),
        "body": text(200),
        "subtext": text(200),
        "actions": ListOf(Noted("element", BUTTON), 0, 3),
    },
)
CAROUSEL = block("carousel", {"elements!": ListOf(Noted("block", CARD), 1, 10)})
CONTAINER = block(
    "container",
    {
        "child_blocks!": ListOf(
            Noted(
                "block",
                OneOf(ACTIONS, CONTEXT, DIVIDER, FILE, HEADER, IMAGE, INPUT, RICH_TEXT, SECTION, TABLE, VIDEO),
            ),
            1,
            10,
        ),
        "title": plain(150),
        "rich_text_title": RICH_TEXT,
        "subtitle": text(150),
        "icon": IMAGE_PLACE,
        "width": String(choices=("narrow", "standard", "wide", "full")),
        "is_collapsible": Flag(),
        "default_collapsed": Flag(),
        "has_header_divider": Flag(),
    },
)
CONTEXT_ACTIONS = block("context_actions", {"elements!": ListOf(place_for(FEEDBACK_BUTTONS, ICON_BUTTON), 1, 5)})
DATA_TABLE = block(
    "data_table",
    {
        "caption!": String(),
        "rows!": ListOf(ListOf(CELL)),
        "page_size": Integer(1, 100),
        "row_header_column_index": Integer(0),
    },
)
MARKDOWN = block("markdown", {"text!": String(LONGEST_MARKDOWN, low=1)})
TASK_CARD = block(
    "task_card",
    {
        "task_id!": String(),
        "title!": String(),
        "status!": String(choices=("pending", "in_progress", "complete", "error")),
        "details": RICH_TEXT,
        "output": RICH_TEXT,
        "sources": ListOf(Object("url", {"url!": String(), "text!": String()})),
    },
)
PLAN = block(
    "plan",
    {
        "title!": String(),
        # Slack's types let any other object stand beside the task cards.
        "tasks": ListOf(Noted("block", OneOf(TASK_CARD, others=Unread()))),
    },
)

BLOCKS: tuple[Object | Fewest, ...] = (
    ACTIONS,
    ALERT,
    CARD,
    CAROUSEL,
    CONTAINER,
    CONTEXT,
    CONTEXT_ACTIONS,
    DATA_TABLE,
    DIVIDER,
    FILE,
    HEADER,
    IMAGE,
    INPUT,
    MARKDOWN,
    PLAN,
    RICH_TEXT,
    SECTION,
    TABLE,
    TASK_CARD,
    VIDEO,
)

UNREAD_BLOCKS = ("auth_provider", "call", "data_visualization")
"""Blocks that Slack knows and whose fields it has not published in its types: let through."""


BLOCK_LISTS: dict[Surface, ListOf] = {
    surface: ListOf(Noted("block", OneOf(*BLOCKS, unread=UNREAD_BLOCKS)), 0, most)
    for surface, most in MOST_BLOCKS.items()
}

# ----------------------------------------------------------------------------------------------------------- places

BLOCK_SURFACES: dict[str, tuple[Surface, ...]] = {
    "alert": ("modal",),
    "carousel": ("message", "home"),
    "container": ("message", "home"),
    "context_actions": ("message",),
    "data_table": ("message", "home"),
    "file": (),
    "markdown": ("message",),
    "plan": ("message",),
    "table": ("message", "home"),
    "task_card": ("message",),
}
"""Where the blocks that do not go everywhere go. A file block is only ever received."""

ELEMENT_SURFACES: dict[str, tuple[Surface, ...]] = {
    "datetimepicker": ("message", "modal"),
    "email_text_input": ("modal",),
    "file_input": ("modal",),
    "number_input": ("modal",),
    "rich_text_input": ("modal", "home"),
    "url_text_input": ("modal",),
    "workflow_button": ("message",),
}
"""Where the elements that do not go everywhere go."""

# ------------------------------------------------------------------------------------------------------------ views

_VIEW: dict[str, Shape] = {
    "callback_id": String(255),
    "external_id": String(255),
    "private_metadata": String(3000),
}
VIEWS: dict[str, Object] = {
    "modal": Object(
        "modal",
        {
            "title!": plain(24),
            "blocks!": BLOCK_LISTS["modal"],
            "submit": plain(24),
            "close": plain(24),
            "submit_disabled": Flag(),
            "clear_on_close": Flag(),
            "notify_on_close": Flag(),
            **_VIEW,
        },
    ),
    "home": Object("home", {"blocks!": BLOCK_LISTS["home"], **_VIEW}),
}
