"""What is found of a person in a text, and what is left alone."""

from typing import Any

import pytest

from models.traces import Traces

WILL = Traces(
    ids=frozenset({"UWILL", "D0WILL"}),
    names=frozenset({"will", "Will Ångström", "will@northwind.example"}),
    stand_in="erased-1",
    spared=frozenset({"will"}),
    others=frozenset({"ana.will-ångström", "Ana"}),
)
TANAKA = Traces(ids=frozenset({"UTANAKA"}), names=frozenset({"tanaka", "田中 花子", "jo"}), stand_in="erased-2")


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Ask <@UWILL> or <@UWILL|will>", "Ask erased person or erased person"),
        ("assigned:12:UWILL:3 in D0WILL", "assigned:12:erased-1:3 in erased-1"),
        ("we will ask @will's team", "we will ask erased person's team"),
        ("WILL ANGSTROM, Ångström, Will; will-angstrom", "erased person, erased person; erased person"),
        ("Will A\u030angstro\u0308m said", "erased person said"),
        ("to will.angstrom@northwind.example.", "to erased person."),
        ("<mailto:will@northwind.example|will@northwind.example>", "<mailto:erased person|erased person>"),
    ],
)
def test_a_trace_is_found_however_it_is_written(text: str, cleaned: str) -> None:
    assert WILL.cleaned_text(text) == cleaned


@pytest.mark.parametrize("text", ["we will see", "XUWILLY", "goodwill", "ana.will-ångström knows", "Willa Ångströms"])
def test_what_is_no_trace_is_left_alone(text: str) -> None:
    assert WILL.cleaned_text(text) is text


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("昨日田中花子さんが来た", "昨日erased personさんが来た"),
        ("jo and @jo", "jo and erased person"),
        ("Tanaka", "erased person"),
    ],
)
def test_names_without_spaces_around_them_are_found_and_too_short_ones_only_with_an_at(text: str, cleaned: str) -> None:
    assert TANAKA.cleaned_text(text) == cleaned


def test_lists_and_objects_keep_their_shape() -> None:
    value: dict[str, Any] = {"UWILL": ["@will", 3, None, {"by": "UWILL"}], "else": True}

    cleaned = WILL.cleaned(value)

    assert cleaned == {"erased-1": ["erased person", 3, None, {"by": "erased-1"}], "else": True}


def test_a_tag_stays_one_word() -> None:
    assert TANAKA.cleaned_tags("pilot tanaka tanaka-team") == "pilot erased-person erased-person-team"
