"""A pasted list read line by line: bullets, numbers, checkboxes, kinds before a colon, details below."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.entry import Mention
from models.kinds.action import ACTION
from models.kinds.decision import DECISION
from models.kinds.dependency import DEPENDENCY
from models.kinds.risk import RISK
from models.pasting import Pasted, names_in, read_list, with_people
from models.tables import Person


def words(text):
    return [(line.kind.key, line.words) for line in read_list(text, ACTION)]


@pytest.mark.parametrize(
    "line",
    [
        *("Order cables", "- Order cables", "* Order cables", "• Order cables", "1. Order cables", "12) Order cables"),
        *("(3) Order cables", "a) Order cables", "- [ ] Order cables", "[] Order cables", "☐ Order cables"),
        *("– Order cables", "   - Order cables", "\t• Order cables", "A: Order cables", "- action: Order cables"),
        "* [ ] Actions: Order cables",
    ],
)
def test_what_stands_before_the_words_is_no_part_of_them(line):
    assert words(line) == [("action", "Order cables")]


@pytest.mark.parametrize(
    "line",
    ["-5 degrees in the room", "3.5 inch disks", "Re: Order cables", "a: Order cables", "I think so", "[draft] Plan"],
)
def test_ordinary_words_are_left_alone(line):
    assert words(line) == [("action", line)]


def test_a_ticked_box_is_remembered():
    assert [line.is_ticked for line in read_list("- [x] one\n- [ ] two\n☑ three\nfour", ACTION)] == [True, False] * 2


@pytest.mark.parametrize(
    ("line", "kind"),
    [("R: Late", RISK), ("risk: Late", RISK), ("- Decision: Late", DECISION), ("DP: Late", DEPENDENCY)],
)
def test_a_kind_before_a_colon_is_the_lines_kind(line, kind):
    assert read_list(line, ACTION) == [Pasted(1, kind, "Late")]


def test_a_kind_alone_holds_for_the_lines_below_it():
    found = words("one\nRisks:\n- two\n- D: three\n- four\n\n## Decisions:\nfive")

    assert found == [("action", "one"), ("risk", "two"), ("decision", "three"), ("risk", "four"), ("decision", "five")]


@pytest.mark.parametrize("heading", ["Risks", "## Risks", "**Risks:**", "RISKS", "risk items"])
def test_a_heading_needs_no_colon_and_a_line_of_dashes_is_no_record(heading):
    assert words(f"{heading}\n---\n- \n- Late") == [("risk", "Late")]


def test_indented_lines_are_details_of_the_one_above():
    [first, second] = read_list("- one\n  because\n\n    - of this\n\ttoo\n- two", ACTION)

    assert (first.words, first.details) == ("one", "because\n- of this\ntoo")
    assert (second.line, second.words, second.details) == (6, "two", "")


def test_a_list_that_is_indented_as_a_whole_is_a_list():
    assert words("Actions:\n   - one\n   - two\n     details") == [("action", "one"), ("action", "two")]


@given(st.text(st.characters(exclude_characters=":", exclude_categories=["Cs"])))
def test_no_text_makes_it_fail_and_no_letter_is_lost(text):
    found = read_list(text, ACTION)

    kept = "".join(line.words + line.details for line in found)
    markers = sum(letter.isalnum() for letter in text) - sum(letter.isalnum() for letter in kept)
    assert 0 <= markers <= 8 * (text.count("\n") + 1)


BEN = Person(id="UB", name="ben", real_name="Ben Fischer")
ALEX, OTHER = (Person(id=f"U{n}", name=f"alex{n}", real_name="Alex Kim") for n in (1, 2))


def test_full_names_copied_from_slack_are_the_people_they_are():
    text = "@Ben Fischer: order cables with @ben and @Alex Kim"
    known = {"ben fischer": [BEN], "ben": [BEN], "alex kim": [ALEX, OTHER]}

    assert {"ben fischer", "ben", "alex kim", "alex", "ben and"} <= names_in(text)
    assert with_people(text, known) == [Mention("UB", "Ben Fischer"), ": order cables with @ben and @Alex Kim"]
