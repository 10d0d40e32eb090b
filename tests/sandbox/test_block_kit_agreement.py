"""The judge of Block Kit agrees with an independent checker, on published payloads and on thousands of mutations.

The checker works from a JSON schema generated from Slack's own types. It is kept beside this repository
(`../shared/slack/check_blocks.py`), not in it; without it these tests are skipped, and test_block_kit.py stands alone.
"""

import importlib.util
import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from sandbox.block_kit import check_message, check_view, message_refusal, view_refusal
from sandbox.block_kit.tables import VIEWS
from tests.sandbox.block_kit_examples import (
    BLOCK_NAMES,
    DOCUMENT_NAMES,
    ELEMENT_NAMES,
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

FACTS = Path(__file__).resolve().parents[3] / "shared" / "slack"
pytestmark = pytest.mark.skipif(
    not (FACTS / "check_blocks.py").exists(), reason="the independent checker is not beside this repository"
)

Lines = set[tuple[tuple[str | int, ...], str, str]]

STRUCTURE = ("unsupported_type", "required_field", "wrong_type", "additional_property", "wrong_value")
"""Codes that say a document is not built as it should be; the others speak of what is built well."""


@pytest.fixture(scope="module")
def checker() -> Any:
    spec = importlib.util.spec_from_file_location("independent_checker", FACTS / "check_blocks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def as_sent(tried: Document) -> Any:
    """The document in the argument that carries it."""
    return {"blocks": tried.content} if tried.surface == "message" else {"view": tried.content}


def ours(tried: Document) -> Lines:
    if tried.surface == "message":
        return {(v.path, v.code, v.message) for v in check_message(tried.content)}
    return {(("view", *v.path), v.code, v.message) for v in check_view(tried.content)}


def theirs(checker: Any, tried: Document) -> Lines:
    found = checker.check(as_sent(tried)) or []
    return tightest({(v.path, v.code, v.message) for v in found if v.level == "error"})


def tightest(lines: Lines) -> Lines:
    """One line a text that is too long: the checker also names the wider bounds it breaks."""
    shortest: dict[Any, tuple[int, Any]] = {}
    for line in lines:
        path, code, message = line
        if code == "too_long":
            bound = int(message.split()[4])
            shortest[path] = min(shortest.get(path, (bound, line)), (bound, line))
    return {line for line in lines if line[1] != "too_long"} | {line for _, line in shortest.values()}


def apart_from_strangers(lines: Lines, strangers: list[tuple[str | int, ...]]) -> Lines:
    """The lines without those on the inside of things that should not be there at all.

    There the checker applies the bounds of whatever the thing calls itself, and this judge does not look.
    """
    return {
        (path, code, message)
        for path, code, message in lines
        if code in STRUCTURE or not any(path[: len(stranger)] == stranger for stranger in strangers)
    }


def strangers_in(lines: Lines) -> Iterator[tuple[str | int, ...]]:
    """Where a document holds a thing of an unknown type, an unknown property, or a list of blocks that is no list."""
    for path, code, message in lines:
        if code == "unsupported_type":
            yield path[:-1]
        elif message == "missing required field: type":
            yield path
        elif code == "additional_property":
            yield (*path, message.removeprefix("invalid additional property: "))
        elif path == ("view", "blocks") and code == "wrong_type":
            yield ("view",)


def assert_agreement(checker: Any, tried: Document) -> None:
    expected, found = theirs(checker, tried), ours(tried)

    strangers = [*strangers_in(expected), *strangers_in(found)]
    assert bool(found) == bool(expected)
    assert apart_from_strangers(found, strangers) == apart_from_strangers(expected, strangers)


def refusals(checker: Any, tried: Document) -> tuple[Any, Any]:
    """Both answers, with their lines sorted: in which order Slack names several is not known."""
    answer = message_refusal(tried.content) if tried.surface == "message" else view_refusal(tried.content)
    return sorted_lines(answer), sorted_lines(checker.slack_refusal(as_sent(tried)))


def sorted_lines(answer: Any) -> Any:
    if answer is None:
        return None
    answer = {**answer, "errors": sorted(answer.get("errors", []))}
    messages = answer.get("response_metadata", {}).get("messages", [])
    return {**answer, "response_metadata": {"messages": sorted(messages)}}


# -------------------------------------------------------------------------------------------- examples and bounds


@pytest.mark.parametrize("name", DOCUMENT_NAMES)
def test_both_take_every_full_example(checker: Any, name: str) -> None:
    assert theirs(checker, document(name)) == ours(document(name)) == set()


@pytest.mark.parametrize("limit", LIMITS, ids=str)
def test_both_agree_around_every_bound(checker: Any, limit: Limit) -> None:
    for size, _ in limit.cases():
        tried, _path = filled(limit, size)

        assert_agreement(checker, tried)


@pytest.mark.parametrize(("at", "field", "good", "bad"), PATTERNS)
def test_both_agree_on_written_forms(checker: Any, at: str, field: str, good: list[str], bad: list[str]) -> None:
    for text in good + bad:
        tried, holder, _path = limit_place(at, field)
        holder[field] = text

        assert_agreement(checker, tried)


def test_no_bound_is_missing_from_the_hand_written_ones() -> None:
    rules = json.loads((FACTS / "block-kit.limits.json").read_text(encoding="utf-8"))["rules"]
    stands_for = {"block:*": "block:section", "element:*": "element:button", "text:*": "text:mrkdwn"}
    ours = {(limit.at, limit.field): limit for limit in LIMITS}
    written = {(at, field) for at, field, *_ in PATTERNS}

    for rule in rules:
        at = "element:static_select" if rule["field"] == "placeholder.text" else stands_for.get(rule["at"], rule["at"])
        if "pattern" in rule:
            assert (at, rule["field"]) in written
            continue
        limit = ours[at, rule["field"]]
        high = next((rule[key] for key in ("max_length", "max_items", "max") if key in rule), None)
        low = next((rule[key] for key in ("min_length", "min_items", "min") if key in rule), None)
        assert limit.high == high, limit
        # Every text object holds at least a character, which the rules of single fields do not repeat.
        assert limit.low == (1 if low is None and is_text(limit) else low), limit


def is_text(limit: Limit) -> bool:
    return limit.field.endswith((".text", "fields[].text"))


@pytest.mark.parametrize(
    "tried",
    [
        Document("message", [{"type": "divider"}] * 51),
        Document("message", [{"type": "section"}, block("header"), block("header")]),
        Document("message", [block("table"), block("data_table")]),
        Document("modal", modal({"type": "input", "label": plain()}, submit=None)),
        Document("modal", modal(block("section"), title=plain("x" * 25))),
        Document("home", home(block("input", element=element("email_text_input")))),
        Document("home", home(*({"type": "section", "text": mrkdwn("x" * 2990)} for _ in range(90)))),
        Document("message", [{"type": "call", "call_id": "R1"}, block("section")]),
    ],
    ids=["51 blocks", "three faults", "two tables", "no submit", "long title", "email in Home", "too large", "a call"],
)
def test_both_refuse_with_the_same_body(checker: Any, tried: Document) -> None:
    answer, expected = refusals(checker, tried)

    assert answer == expected


def test_blocks_in_attachments_are_refused_alike(checker: Any) -> None:
    body = {"text": "x", "blocks": json.dumps([block("section")]), "attachments": [{}, {"blocks": [block("alert")]}]}

    assert sorted_lines(message_refusal(body)) == sorted_lines(checker.slack_refusal(body))


# ------------------------------------------------------------------------------------------------ published payloads


def published() -> list[Path]:
    return sorted((FACTS / "payloads").glob("*.json"))


def documents_in(checker: Any, payload: Any) -> Iterator[Document]:
    """The lists of blocks and the views that a payload holds."""
    for _, content, surface in checker._targets(payload, None):
        yield Document("message" if isinstance(content, list) else surface, content)


IMAGE_FACTS = ("fallback", "image_width", "image_height", "image_bytes")
"""What Slack adds to the images it has fetched."""


def to_send(tried: Document) -> Document:
    """What Slack gave back, as an app would send it: without the keys and nulls that Slack adds."""
    content = as_written(tried.content)
    if tried.surface != "message":
        content = {key: item for key, item in content.items() if key in VIEWS[tried.surface].fields}
    return Document(tried.surface, content)


def as_written(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: as_written(item) for k, item in value.items() if item is not None and k not in IMAGE_FACTS}
    return [as_written(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("path", published(), ids=lambda path: path.stem)
def test_both_agree_on_what_published_payloads_hold(checker: Any, path: Path) -> None:
    for tried in documents_in(checker, json.loads(path.read_text(encoding="utf-8"))):
        assert_agreement(checker, tried)
        assert_agreement(checker, to_send(tried))


def test_every_published_view_is_taken_when_sent_without_what_slack_added(checker: Any) -> None:
    found = [
        (path.stem, ours(to_send(tried)))
        for path in published()
        for tried in documents_in(checker, json.loads(path.read_text(encoding="utf-8")))
        if tried.surface != "message"
    ]

    assert len(found) >= 15
    assert [name for name, refused in found if refused] == []


# --------------------------------------------------------------------------------------------------------- mutations

STRANGE: list[Any] = [
    *(element(name) for name in ELEMENT_NAMES),
    *(block(name) for name in BLOCK_NAMES),
    *(plain(), mrkdwn(), option(), choice(), group("a", "b"), {}, [], [[]], None, True, False),
    *(-1, 0, 1, 2, 10, 11, 100, 101, 3000, 3001, 1.5, 3.0, 10**9 - 1, 10**9, 10**10 - 1, 10**10),
    *(
        "",
        "x",
        "section",
        "mrkdwn",
        "plain_text",
        "2026-02-30",
        "25:00",
        "12:30",
        "1.5",
        "-3",
        {"id": "F1", "url": "u"},
    ),
]
LENGTHS = sorted(
    {
        max(0, bound + step)
        for limit in LIMITS
        for bound in (limit.low, limit.high)
        if bound
        for step in (-1, 0, 1)
        if bound < 20_000
    }
)
COUNTS = (0, 1, 2, 3, 4, 5, 6, 10, 11, 20, 21, 25, 26, 50, 51, 100, 101)
TYPES = (
    "section",
    "input",
    "image",
    "button",
    "static_select",
    "mrkdwn",
    "rich_text",
    "file",
    "call",
    "other",
    None,
    5,
)
KEYS = (
    *("colour", "url", "emoji", "verbatim", "block_id", "action_id", "focus_on_load", "text", "id", "slack_icon"),
    *("options", "option_groups", "initial_option", "response_url_enabled", "title", "has_header_divider", "submit"),
)


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any, Any]]:
    """Every place in a document: its path, what holds it, what stands there."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key), value, item
        yield from places(item, (*path, key))


def mutate(draw: Any, content: Any) -> None:
    """Change one thing somewhere in the document."""
    everything = list(places(content))
    assume(everything)
    path, holder, value = draw(st.sampled_from(everything))
    key = path[-1]
    change = draw(st.sampled_from(["drop", "replace", "lengthen", "repeat", "add", "retype", "copy", "number"]))
    if change == "drop":
        del holder[key]
    elif change == "replace":
        holder[key] = deepcopy(draw(st.sampled_from(STRANGE)))
    elif change == "lengthen" and isinstance(value, str):
        holder[key] = "é" * draw(st.sampled_from(LENGTHS))
    elif change == "repeat" and isinstance(value, list) and value:
        count = draw(st.sampled_from(COUNTS))
        holder[key] = [deepcopy(value[index % len(value)]) for index in range(count)]
    elif change == "add" and isinstance(value, dict):
        value[draw(st.sampled_from(KEYS))] = deepcopy(draw(st.sampled_from(STRANGE)))
    elif change == "retype" and isinstance(value, dict):
        value["type"] = draw(st.sampled_from(TYPES))
    elif change == "number" and isinstance(value, int | float):
        holder[key] = draw(st.sampled_from([item for item in STRANGE if isinstance(item, int | float)]))
    elif change == "copy":
        elsewhere, other_holder, _ = draw(st.sampled_from(everything))
        if elsewhere[: len(path)] != path and path[: len(elsewhere)] != elsewhere:
            other_holder[elsewhere[-1]] = deepcopy(value)


@st.composite
def mutated_documents(draw: st.DrawFn) -> Document:
    """A valid document, changed in one to three places, now and then moved to another surface."""
    tried = document(draw(st.sampled_from(DOCUMENT_NAMES)))
    for _ in range(draw(st.integers(1, 3))):
        mutate(draw, tried.content)
    if tried.surface == "message":
        surface = draw(st.sampled_from(["message", "message", "modal", "home"]))
        views = {"modal": modal, "home": home}
        if surface in views:
            return Document(surface, views[surface](*tried.content))
    elif tried.content.get("type") not in ("modal", "home"):
        assume(False)
    return tried


@settings(
    max_examples=2_000,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(mutated_documents())
def test_both_agree_on_mutated_documents(checker: Any, tried: Document) -> None:
    try:
        theirs(checker, tried)
    except KeyError:
        assume(False)  # the checker has no word for a wrong column of a table, where null is one of the choices

    assert_agreement(checker, tried)
