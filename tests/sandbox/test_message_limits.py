"""What is refused in a message besides its blocks."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.message_limits import kept_text, message_limits, message_warnings

EVENT: dict[str, Any] = {"event_type": "risk_raised", "event_payload": {"id": 7}}
UPDATE = {"channel": "C1", "ts": "1790000000.000100"}


def sized(size: int) -> dict[str, Any]:
    """Metadata of this many bytes of JSON."""
    empty = {"event_type": "risk_raised", "event_payload": {"x": ""}}
    room = size - len(json.dumps(empty, separators=(",", ":")))
    return {"event_type": "risk_raised", "event_payload": {"x": "x" * room}}


@pytest.mark.parametrize(
    "args",
    [
        {"text": "Words"},
        {"blocks": [{"type": "divider"}]},
        {"blocks": '[{"type": "divider"}]'},
        {"attachments": [{"text": "Words"}] * 100},
        {"markdown_text": "x" * 12_000},
        {"text": "x" * 40_001},
        {"text": "x" * 4001, "thread_ts": "1790000000.000100"},
        {**UPDATE, "text": "x" * 4000},
        {"text": "x", "metadata": EVENT},
        {"text": "x", "metadata": json.dumps(EVENT)},
        {"text": "x", "metadata": {"entities": []}},
        {"text": "x", "metadata": sized(8000)},
        {**UPDATE, "text": "x", "metadata": {}},
        {"text": "x", "metadata": None},
    ],
)
def test_a_message_within_the_limits_is_taken(args: dict[str, Any]) -> None:
    assert message_limits(args) is None


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({}, "no_text"),
        ({"text": "", "blocks": [], "attachments": "[]"}, "no_text"),
        ({"text": " \n"}, "no_text"),
        ({**UPDATE, "metadata": EVENT}, "no_text"),
        ({**UPDATE, "text": "x" * 4001}, "msg_too_long"),
        ({"markdown_text": "x" * 12_001}, "msg_too_long"),
        ({"markdown_text": "x", "text": "x"}, "markdown_text_conflict"),
        ({"markdown_text": "x", "blocks": [{"type": "divider"}]}, "markdown_text_conflict"),
        ({"attachments": [{"text": "Words"}] * 101}, "too_many_attachments"),
        ({"attachments": "not JSON"}, "invalid_attachments"),
        ({"attachments": ["Words"]}, "invalid_attachments"),
        ({"text": "x", "metadata": "not JSON"}, "invalid_metadata_format"),
        ({"text": "x", "metadata": [EVENT]}, "invalid_metadata_format"),
        ({"text": "x", "metadata": {}}, "invalid_metadata_schema"),
        ({"text": "x", "metadata": {"event_type": "risk_raised"}}, "invalid_metadata_schema"),
        ({"text": "x", "metadata": {**EVENT, "event_type": ""}}, "invalid_metadata_schema"),
        ({"text": "x", "metadata": {**EVENT, "event_payload": "7"}}, "invalid_metadata_schema"),
        ({"text": "x", "metadata": sized(8001)}, "metadata_too_large"),
    ],
)
def test_a_message_past_a_limit_is_refused_with_slacks_code(args: dict[str, Any], error: str) -> None:
    assert message_limits(args) == {"ok": False, "error": error}


def test_a_text_above_40000_characters_is_cut_off_with_a_warning() -> None:
    text = "é" * 40_001

    assert message_warnings({"text": text}) == {
        "warning": "message_truncated",
        "response_metadata": {"warnings": ["message_truncated"]},
    }
    assert kept_text(text) == "é" * 40_000


def test_a_text_of_40000_characters_is_kept_whole_without_a_warning() -> None:
    text = "é" * 40_000

    assert message_warnings({"text": text}) == {}
    assert kept_text(text) == text


@settings(derandomize=True, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["text", "markdown_text", "blocks", "attachments", "metadata", "ts"]),
        st.none()
        | st.booleans()
        | st.integers()
        | st.text()
        | st.lists(st.text())
        | st.dictionaries(st.text(), st.text()),
    )
)
def test_no_arguments_make_it_fail(args: dict[str, Any]) -> None:
    answer = message_limits(args)

    assert answer is None or answer["ok"] is False
