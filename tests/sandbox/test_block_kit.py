"""What the judge of Block Kit takes and refuses, told by examples; nothing outside this repository is needed."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.block_kit import Violation, check_blocks, check_message, check_view, message_refusal, view_refusal
from sandbox.block_kit.shapes import Object
from sandbox.block_kit.tables import BLOCKS, UNREAD_BLOCKS, VIEWS
from tests.sandbox.block_kit_examples import (
    BLOCK_NAMES,
    DOCUMENT_NAMES,
    ELEMENT_NAMES,
    ONLY_RECEIVED,
    Document,
    block,
    choice,
    document,
    element,
    group,
    home,
    modal,
    mrkdwn,
    option,
    plain,
)
from tests.sandbox.block_kit_limits import LIMITS, PATTERNS, Limit, filled, limit_place


def check(tried: Document) -> list[Violation]:
    return check_blocks(tried.content, "message") if tried.surface == "message" else check_view(tried.content)


def codes(found: list[Violation]) -> list[str]:
    return [violation.code for violation in found]


def section(**changes: Any) -> dict[str, Any]:
    return {"type": "section", "text": mrkdwn(), **changes}


def form_input(element: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"type": "input", "label": plain(), "element": element, **changes}


# --------------------------------------------------------------------------------------------------- what is taken


@pytest.mark.parametrize("name", DOCUMENT_NAMES)
def test_every_full_example_is_taken(name: str) -> None:
    assert check(document(name)) == []


def test_the_examples_show_every_property_of_every_typed_object() -> None:
    known = {(shape.kind, key) for shape in objects([*BLOCKS, *VIEWS.values()]) if shape.kind for key in shape.fields}

    examples = [*(document(name).content for name in DOCUMENT_NAMES), block(ONLY_RECEIVED)]
    shown = {pair for example in examples for pair in typed_properties(example)}

    assert known - shown == set()


def objects(shapes: list[Any]) -> Iterator[Object]:
    """Every object that the tables can reach from these shapes."""
    waiting, seen = list(shapes), set()
    while waiting:
        shape = waiting.pop()
        if id(shape) in seen:
            continue
        seen.add(id(shape))
        if isinstance(shape, Object):
            yield shape
            waiting += shape.fields.values()
        waiting += getattr(shape, "shapes", ())
        waiting += getattr(shape, "by_kind", {}).values()
        waiting += [getattr(shape, name) for name in ("item", "shape") if hasattr(shape, name)]


def typed_properties(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        yield from ((value["type"], key) for key in value if "type" in value)
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from typed_properties(item)


@pytest.mark.parametrize("kind", UNREAD_BLOCKS)
def test_a_block_whose_fields_slack_has_not_published_is_let_through(kind: str) -> None:
    assert check_blocks([{"type": kind, "anything": [None]}], "message") == []


def test_a_block_is_left_out_of_the_surfaces_that_do_not_show_it() -> None:
    shown = {name: surfaces_showing(block(name)) for name in ("markdown", "alert", "table", "file", "section")}

    assert shown == {
        "markdown": ["message"],
        "alert": ["modal"],
        "table": ["message", "home"],
        "file": [],
        "section": ["message", "modal", "home"],
    }


def surfaces_showing(example: dict[str, Any]) -> list[str]:
    tried = (
        Document("message", [example]),
        Document("modal", modal(example)),
        Document("home", home(example)),
    )
    return [each.surface for each in tried if not check(each)]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("number_input", ["modal"]),
        ("file_input", ["modal"]),
        ("rich_text_input", ["modal", "home"]),
        ("datetimepicker", ["message", "modal"]),
        ("plain_text_input", ["message", "modal", "home"]),
    ],
)
def test_an_element_is_left_out_of_the_surfaces_that_do_not_show_it(name: str, shown: list[str]) -> None:
    assert surfaces_showing(form_input(element(name))) == shown


# -------------------------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize("limit", LIMITS, ids=str)
def test_a_limit_takes_what_is_on_it_and_refuses_what_is_past_it(limit: Limit) -> None:
    for size, is_taken in limit.cases():
        tried, path = filled(limit, size)
        refused = [v for v in check(tried) if v.path == path and v.code == limit.code(size)]

        assert refused == [] if is_taken else [v.message for v in refused] == [limit.message(size)], size


@pytest.mark.parametrize("name", BLOCK_NAMES)
def test_the_id_of_every_block_has_at_most_255_characters(name: str) -> None:
    tried = document(f"block {name}")
    for length, refused in ((255, []), (256, ["too_long"])):
        tried.blocks[0]["block_id"] = "x" * length

        assert codes(check(tried)) == refused


@pytest.mark.parametrize("example", [option, choice])
@pytest.mark.parametrize("words", [plain, mrkdwn])
@pytest.mark.parametrize("key", ["text", "description"])
def test_a_choice_has_at_most_75_characters_of_either_kind_of_text(example: Any, words: Any, key: str) -> None:
    for length, refused in ((75, []), (76, ["too_long"])):
        offered = {**example(), key: words("x" * length)}

        assert (
            codes(check_blocks([section(accessory={"type": "checkboxes", "options": [offered]})], "message")) == refused
        )


@pytest.mark.parametrize(("at", "field", "good", "bad"), PATTERNS)
def test_a_date_a_time_and_a_number_have_one_form(at: str, field: str, good: list[str], bad: list[str]) -> None:
    for text in good + bad:
        tried, holder, path = limit_place(at, field)
        holder[field] = text
        refused = [violation.code for violation in check(tried) if violation.path == path]

        assert ("wrong_format" in refused) == (text in bad), text


@pytest.mark.parametrize("name", DOCUMENT_NAMES)
def test_null_is_refused_wherever_something_else_can_stand(name: str) -> None:
    for path in places_of(document(name).content):
        if path[-2:-1] == ("column_settings",) or path[-3:] == ("tasks", 0, "type"):
            continue  # null skips a column; beside task cards a plan takes objects of any type
        tried = document(name)
        at(tried.content, path[:-1])[path[-1]] = None

        assert check(tried), path


@pytest.mark.parametrize("name", DOCUMENT_NAMES)
def test_an_unknown_property_is_refused_in_every_object_and_named(name: str) -> None:
    whole = document(name).content
    for path in [(), *places_of(whole)]:
        if not isinstance(at(whole, path), dict):
            continue
        tried = document(name)
        at(tried.content, path)["colour"] = "red"

        assert "invalid additional property: colour" in [v.message for v in check(tried) if v.path == path]


def places_of(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places_of(item, (*path, key))


def at(value: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"text": 5}, "must provide a string"),
        ({"text": "words", "emoji": "yes"}, "must be a boolean"),
        ({}, "missing required field: text"),
    ],
)
def test_a_wrong_text_is_named_in_slacks_words(value: dict[str, Any], message: str) -> None:
    found = check_blocks([{"type": "header", "text": {"type": "plain_text", **value}}], "message")

    assert [violation.message for violation in found] == [message]


@pytest.mark.parametrize(
    ("example", "path", "message"),
    [
        ("words", (0,), "must provide an object"),
        ({}, (0,), "missing required field: type"),
        ({"type": "heading"}, (0, "type"), "unsupported type: heading"),
        ({"type": "actions", "elements": {}}, (0, "elements"), "must provide an array"),
        ({"type": "actions", "elements": [plain()]}, (0, "elements", 0, "type"), "unsupported type: plain_text"),
        ({"type": "header", "text": {"type": "mrkdwn", "text": "x"}}, (0, "text", "type"), "unsupported type: mrkdwn"),
        (section(accessory=element("button", style="red")), (0, "accessory", "style"), "must be a valid enum value"),
    ],
)
def test_a_wrong_block_is_named_with_its_place(example: object, path: tuple[str | int, ...], message: str) -> None:
    assert [(v.path, v.message) for v in check_blocks([example], "message")] == [(path, message)]


def test_an_image_is_read_as_the_kind_it_differs_least_from() -> None:
    both = {"type": "image", "alt_text": "A map", "image_url": "https://example.com/", "slack_file": {"id": "F1"}}
    neither = {"type": "image", "alt_text": "A map"}

    assert [v.message for v in check_blocks([both], "message")] == ["invalid additional property: slack_file"]
    assert [v.message for v in check_blocks([neither], "message")] == ["missing required field: image_url"]


def test_a_file_in_slack_is_named_by_its_id_or_its_address_and_not_both() -> None:
    both = block("image, in Slack", slack_file={"id": "F1", "url": "https://files.slack.com/F1"})

    assert check_blocks([block("image, in Slack", slack_file={"id": "F1"})], "message") == []
    assert codes(check_blocks([both], "message")) == ["additional_property", "slack_file_one_of"]


def test_lengths_count_characters_not_bytes() -> None:
    assert check_blocks([{"type": "header", "text": plain("🌍" * 150)}], "message") == []
    assert codes(check_blocks([{"type": "header", "text": plain("🌍" * 151)}], "message")) == ["too_long"]


# ------------------------------------------------------------------------------------- rules over more than a field

STATIC = element("static_select")
NUMBER = element("number_input")
TEXT = element("plain_text_input")
CONTAINER = block("container")
CARD = block("card")


def without(example: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in example.items() if key not in keys}


CROSS_RULES: list[tuple[str, Document, str, str]] = [
    (
        "unique_block_id",
        Document("message", [{"type": "divider", "block_id": "x"}, section(block_id="x")]),
        "/1/block_id",
        '`block_id` "x" already exists',
    ),
    (
        "unique_action_id",
        Document("message", [{"type": "actions", "elements": [element("button"), element("button")]}]),
        "/0/elements/1/action_id",
        '`action_id` "button-action" already exists',
    ),
    (
        "unique_action_id",
        Document("message", [{"type": "carousel", "elements": [without(CARD, "block_id"), without(CARD, "block_id")]}]),
        "/0/elements/1/actions/0/action_id",
        '`action_id` "button-action" already exists',
    ),
    (
        "section_needs_text_or_fields",
        Document("message", [{"type": "section", "accessory": element("button")}]),
        "/0/type",
        "must define either `text` or `fields`",
    ),
    (
        "submit_required_with_input",
        Document("modal", without(modal(section(), form_input(TEXT)), "submit")),
        "/blocks/1",
        "must define `submit` to use an `input` block in modals",
    ),
    (
        "options_xor_option_groups",
        Document("message", [section(accessory={**STATIC, "option_groups": [group("three")]})]),
        "/0/accessory",
        "must define exactly one of `options` or `option_groups`",
    ),
    (
        "options_xor_option_groups",
        Document("message", [section(accessory=without(STATIC, "options", "initial_option"))]),
        "/0/accessory",
        "must define exactly one of `options` or `option_groups`",
    ),
    (
        "initial_in_options",
        Document("message", [section(accessory={**STATIC, "initial_option": option("three")})]),
        "/0/accessory/initial_option",
        "must be one of the provided options",
    ),
    (
        "initial_in_options",
        Document("message", [section(accessory=element("checkboxes", initial_options=[option("one"), option("two")]))]),
        "/0/accessory/initial_options/0",
        "must be one of the provided options",
    ),
    (
        "option_url_overflow_only",
        Document("message", [section(accessory=element("radio_buttons", options=[{**option("two"), "url": "x"}]))]),
        "/0/accessory/options/0/url",
        "invalid additional property: url",
    ),
    (
        "min_not_above_max",
        Document("modal", modal(form_input({**TEXT, "min_length": 10, "max_length": 9}))),
        "/blocks/0/element/min_length",
        "min_length must not be greater than max_length",
    ),
    (
        "min_not_above_max",
        Document("modal", modal(form_input({**TEXT, "initial_value": "123456", "max_length": 5}))),
        "/blocks/0/element/initial_value",
        "must be less than 6 characters",
    ),
    (
        "min_not_above_max",
        Document("modal", modal(form_input(element("rich_text_input", min_lines=13)))),
        "/blocks/0/element/min_lines",
        "min_lines must not be greater than max_lines",
    ),
    (
        "min_not_above_max",
        Document("modal", modal(form_input({**NUMBER, "initial_value": "10.5"}))),
        "/blocks/0/element/initial_value",
        "initial_value must lie within min_value and max_value",
    ),
    (
        "decimal_needs_flag",
        Document("modal", modal(form_input({**NUMBER, "is_decimal_allowed": False}))),
        "/blocks/0/element/initial_value",
        "decimals need is_decimal_allowed",
    ),
    (
        "one_focus_on_load",
        Document("modal", modal(form_input(TEXT), form_input(NUMBER))),
        "/blocks/1/element/focus_on_load",
        "only one element can be focused on load",
    ),
    (
        "response_url_enabled_context",
        Document("modal", modal(section(accessory=element("channels_select")))),
        "/blocks/0/accessory/response_url_enabled",
        "only works with menus in input blocks in modals",
    ),
    (
        "file_input_no_dispatch",
        Document("modal", modal(form_input(element("file_input"), dispatch_action=True))),
        "/blocks/0/dispatch_action",
        "unsupported type: file_input",
    ),
    (
        "one_table_per_message",
        Document("message", [block("table"), block("data_table")]),
        "/1",
        "only_one_table_allowed",
    ),
    (
        "markdown_total_length",
        Document("message", [{"type": "markdown", "text": "x" * 6001}, {"type": "markdown", "text": "x" * 6000}]),
        "/1/text",
        "all markdown blocks together must be less than 12001 characters",
    ),
    (
        "card_needs_content",
        Document("message", [{"type": "card", "subtitle": plain()}]),
        "/0",
        "must define one of `hero_image`, `title`, `actions`, `body`",
    ),
    (
        "card_one_icon",
        Document("message", [{**CARD, "slack_icon": {"type": "icon", "name": "rocket"}}]),
        "/0",
        "must not define both `icon` and `slack_icon`",
    ),
    (
        "container_title",
        Document("message", [without(CONTAINER, "title")]),
        "/0",
        "must define either `title` or `rich_text_title`",
    ),
    (
        "container_title",
        Document("message", [{**CONTAINER, "has_header_divider": True}]),
        "/0/has_header_divider",
        "only when is_collapsible is not true",
    ),
    (
        "container_title",
        Document("message", [{**CONTAINER, "is_collapsible": False}]),
        "/0/default_collapsed",
        "requires is_collapsible",
    ),
    (
        "wrong_surface",
        Document("home", home(form_input(element("email_text_input")))),
        "/blocks/0/element/type",
        "unsupported type: email_text_input (not available in a home)",
    ),
]


@pytest.mark.parametrize(("code", "tried", "pointer", "message"), CROSS_RULES)
def test_a_broken_rule_is_the_one_thing_found(code: str, tried: Document, pointer: str, message: str) -> None:
    found = [("".join(f"/{key}" for key in v.path), v.code, v.message) for v in check(tried)]

    assert found == [(pointer, code, message)]


@pytest.mark.parametrize(
    "tried",
    [
        Document("message", [section(accessory=element("button")), section(accessory=element("button"))]),
        Document("message", [{"type": "section", "fields": [plain()]}]),
        Document("modal", without(modal(section()), "submit")),
        Document("message", [section(accessory=element("static_select, grouped"))]),
        Document("message", [section(accessory={**STATIC, "initial_option": without(option("two"), "description")})]),
        Document("modal", modal(form_input({**TEXT, "min_length": 9, "max_length": 9, "initial_value": "123456789"}))),
        Document("modal", modal(form_input({**NUMBER, "initial_value": "10"}))),
        Document("modal", modal(form_input({**NUMBER, "is_decimal_allowed": False, "initial_value": "7"}))),
        Document("modal", modal(form_input(element("channels_select")))),
        Document("home", home(block("table"), block("data_table"))),
        Document("message", [{"type": "markdown", "text": "x" * 6000}, {"type": "markdown", "text": "x" * 6000}]),
        Document("message", [without(CONTAINER, "is_collapsible", "default_collapsed")]),
    ],
    ids=[
        "the same action in two blocks",
        "a section of fields alone",
        "a modal without inputs needs no submit",
        "groups in place of options",
        "an initial option without its description",
        "a text as long as it may be",
        "a number on its bound",
        "whole numbers where decimals are not allowed",
        "a response_url from an input of a modal",
        "two tables in a Home tab",
        "markdown blocks of 12,000 characters together",
        "a container that does not fold",
    ],
)
def test_what_only_looks_like_breaking_a_rule_is_taken(tried: Document) -> None:
    assert check(tried) == []


# ------------------------------------------------------------------------------------------------ messages and views


def test_a_message_may_hold_50_blocks_and_a_view_100() -> None:
    divider: dict[str, Any] = {"type": "divider"}

    assert check_blocks([divider] * 50, "message") == []
    assert check_blocks([divider] * 51, "message") == [Violation((), "too_many", "no more than 50 items allowed")]
    assert check_view(modal(*[divider] * 100)) == []
    assert codes(check_view(home(*[divider] * 101))) == ["too_many"]


def test_a_refused_message_gets_slacks_body() -> None:
    line = "no more than 50 items allowed [json-pointer:/blocks]"

    assert message_refusal([{"type": "divider"}] * 51) == {
        "ok": False,
        "error": "invalid_blocks",
        "errors": [line],
        "response_metadata": {"messages": [f"[ERROR] {line}"]},
    }


def test_a_message_of_good_blocks_is_not_refused() -> None:
    assert (
        message_refusal({"channel": "C1", "text": "x", "blocks": [section()], "attachments": [{"color": "red"}]})
        is None
    )
    assert message_refusal({"channel": "C1", "text": "x", "blocks": None}) is None
    assert message_refusal(json.dumps([section()])) is None


def test_blocks_of_an_attachment_are_judged_where_they_stand() -> None:
    body = {"text": "x", "attachments": json.dumps([{"color": "red"}, {"blocks": [{"type": "section"}]}])}

    assert message_refusal(body)["errors"] == [  # type: ignore[index]
        "must define either `text` or `fields` [json-pointer:/attachments/1/blocks/0/type]"
    ]


def test_attachments_and_blocks_may_use_the_same_ids() -> None:
    body = {"blocks": [section(block_id="x")], "attachments": [{"blocks": [section(block_id="x")]}]}

    assert check_message(body) == []


@pytest.mark.parametrize("blocks", ["not JSON", '{"type": "divider"}', {"type": "divider"}, 5, ""])
def test_blocks_that_are_no_list_have_the_wrong_format(blocks: object) -> None:
    assert message_refusal({"text": "x", "blocks": blocks}) == {"ok": False, "error": "invalid_blocks_format"}


def test_a_second_table_is_refused_as_an_attachment() -> None:
    assert message_refusal([block("table"), block("table", block_id="other")]) == {
        "ok": False,
        "error": "invalid_attachments",
        "response_metadata": {"messages": ["only_one_table_allowed"]},
    }


def test_a_view_is_no_message() -> None:
    assert codes(check_message(modal(section()))) == ["unsupported_type"]
    assert codes(check_message(without(home(section()), "type"))) == ["required_field"]


def test_a_refused_view_gets_slacks_body_with_pointers_into_the_view() -> None:
    view = without(modal(section(), {"type": "section"}), "title")

    assert view_refusal(view) == {
        "ok": False,
        "error": "invalid_arguments",
        "response_metadata": {
            "messages": [
                "[ERROR] missing required field: title [json-pointer:/view]",
                "[ERROR] must define either `text` or `fields` [json-pointer:/view/blocks/1/type]",
            ]
        },
    }


def test_a_view_may_be_json_text() -> None:
    assert view_refusal(json.dumps(modal(section()))) is None
    assert view_refusal("not JSON") is not None


@pytest.mark.parametrize("view", [None, [], {}, {"type": None}, {"type": "dialog", "blocks": []}, {"type": ["modal"]}])
def test_what_is_no_view_is_refused(view: object) -> None:
    assert view_refusal(view)["error"] == "invalid_arguments"  # type: ignore[index]


def test_a_view_sent_back_as_slack_gave_it_is_refused_for_its_read_only_keys() -> None:
    messages = [v.message for v in check_view(home(section(), id="V1", hash="1.a", state={"values": {}}))]

    assert messages == [f"invalid additional property: {key}" for key in ("id", "hash", "state")]


def test_a_view_above_250_kilobytes_is_too_large() -> None:
    view = home(*(section(text=mrkdwn("é" * 1400)) for _ in range(87)))
    room = 250_000 - len(json.dumps(view, ensure_ascii=False, separators=(",", ":")).encode())

    view["blocks"][0]["text"]["text"] += "x" * room
    assert view_refusal(view) is None

    view["blocks"][0]["text"]["text"] += "x"
    assert view_refusal(view) == {"ok": False, "error": "view_too_large"}


def test_violations_come_in_document_order() -> None:
    blocks = [
        {"type": "actions", "elements": [{"type": "button", "value": 5}]},
        {"type": "header"},
        {"type": "section"},
    ]

    assert [v.path for v in check_blocks(blocks, "message")] == [
        (0, "elements", 0),
        (0, "elements", 0, "value"),
        (1,),
        (2, "type"),
    ]


# ------------------------------------------------------------------------------------------------------- properties

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda items: (
        st.lists(items, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "blocks", "elements", "text", "options", "element", "tasks", "child_blocks", "x"]),
            items | st.sampled_from(["section", "actions", "input", "button", "plan", "container", "modal", "home"]),
            max_size=5,
        )
    ),
    max_leaves=20,
)


@settings(derandomize=True, deadline=None)
@given(JSON_VALUES)
def test_no_json_value_makes_the_judge_fail(value: object) -> None:
    judged: list[Callable[[], object]] = [
        lambda: message_refusal(value),
        lambda: message_refusal([value]),
        lambda: message_refusal({"blocks": value, "attachments": [{"blocks": [value]}]}),
        lambda: view_refusal(value),
        lambda: view_refusal({"type": "modal", "blocks": [value]}),
    ]

    assert all(body is None or body["ok"] is False for body in (judge() for judge in judged))  # type: ignore[index]


@settings(derandomize=True, deadline=None)
@given(st.lists(st.sampled_from(BLOCK_NAMES), max_size=8))
def test_every_path_leads_to_something_in_the_document(names: list[str]) -> None:
    blocks = [block(name) for name in names]

    for violation in check_blocks(blocks, "home"):
        assert at(blocks, violation.path) is not None


def test_a_full_message_is_judged_in_a_few_milliseconds() -> None:
    overflow = without(element("overflow"), "confirm")
    blocks = [section(fields=[plain(), mrkdwn()], accessory=overflow) for _ in range(50)]

    fastest = min(seconds(lambda: check_blocks(blocks, "message")) for _ in range(30))

    assert fastest < 0.006  # about 0.001 on an ordinary machine


def seconds(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def test_examples_are_fresh_copies() -> None:
    for name in ELEMENT_NAMES:
        element(name)["type"] = "changed"

    assert all(element(name)["type"] != "changed" for name in ELEMENT_NAMES)
