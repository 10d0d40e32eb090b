"""Small changes typed after a reference: every word is understood, or named as the one that was not."""

from dataclasses import replace
from datetime import date, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.dates import DateOrder, Due, PastDate, VagueDate
from models.entry import Edits, Mention, Named, NamedChannel, read_edits
from models.labels import Priority
from tests.models.test_entry import FRIDAY, FRIDAY_3PM, MONDAYS, NEW_YORK, NOW, pieces

BEN, ANN = Named("U1", "ben"), Named("U2", "Ann Lee")


def read(text: str, *, locale: str = "en-US", repeats_by: str = "") -> Edits:
    scales = {"p": "probability", "i": "impact"}
    return read_edits(
        pieces(text),
        now=NOW,
        zone=NEW_YORK,
        order=DateOrder.MDY,
        locale=locale,
        scales=scales,
        repeats_by=repeats_by,
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@ben", Edits(owner=BEN)),
        ("owner @ben", Edits(owner=BEN)),
        ("owner me", Edits(owner=Named(None, "me"))),
        ("assign to me", Edits(owner=Named(None, "me"))),
        ("assign to @kavya", Edits(owner=Named(None, "kavya"))),
        ("by friday", Edits(due=FRIDAY)),
        ("due by friday 3pm", Edits(due=FRIDAY_3PM)),
        ("friday 3pm", Edits(due=FRIDAY_3PM)),
        ("11/20", Edits(due=FRIDAY)),
        ("no date", Edits(cleared=frozenset({"due_date"}))),
        ("no due date, no owner", Edits(cleared=frozenset({"due_date", "owner_id"}))),
        ("!high", Edits(priority=Priority.HIGH)),
        ("low", Edits(priority=Priority.LOW)),
        ("#pilot -#old", Edits(add_tags=("pilot",), drop_tags=("old",))),
        ("p4 i3", Edits(scales={"probability": 4, "impact": 3})),
        ("helper @ben and @ann", Edits(add_helpers=(BEN, ANN))),
        ("helper -@ben", Edits(drop_helpers=(BEN,))),
        ("unhelp", Edits(drop_helpers=(None,))),
        ("helper @ben @ann -@kavya", Edits(add_helpers=(BEN, ANN), drop_helpers=(Named(None, "kavya"),))),
        ("-@ben", Edits(drop_helpers=(BEN,))),
        ("by friday because the vendor, as ever, is late", Edits(due=FRIDAY, why="the vendor, as ever, is late")),
    ],
)
def test_each_change_is_read(text: str, expected: Edits) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("every monday", Edits(repeats=MONDAYS)),
        ("repeats on mondays, @ben", Edits(repeats=MONDAYS, owner=BEN)),
        ("on friday every monday", Edits(due=FRIDAY, repeats=MONDAYS)),
        ("weekly because they ask", Edits(repeats="FREQ=WEEKLY;INTERVAL=1", why="they ask")),
        ("no repeat", Edits(cleared=frozenset({"repeats"}))),
    ],
)
def test_how_often_is_read_of_what_may_repeat(text: str, expected: Edits) -> None:
    assert read(text, repeats_by="repeats") == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [("every blue moon", "I can't read “every blue moon”"), ("every second friday !high", "may mean")],
)
def test_how_often_that_is_none_is_asked_about(text: str, says: str) -> None:
    assert says in str(read(text, repeats_by="repeats").repeat_problem)
    assert read(text).unread == "every"


@pytest.mark.parametrize(
    "text",
    [
        "@ben by friday 3pm !high #pilot p4",
        "p4 #pilot !high @ben by friday 3pm",
        "friday 3pm, p4, #pilot, @ben, !high",
        "!high due friday 3pm p4 @ben and #pilot",
    ],
)
def test_changes_stand_in_any_order(text: str) -> None:
    assert read(text) == Edits(
        owner=BEN, due=FRIDAY_3PM, priority=Priority.HIGH, add_tags=("pilot",), scales={"probability": 4}
    )


@pytest.mark.parametrize(
    ("text", "unread", "is_first"),
    [
        ("foo", "foo", True),
        ("@ben foo", "foo", False),
        ("@ben @ann", "@Ann Lee", False),
        ("by friday by monday", "by", False),
        ("!urgent", "!urgent", True),
        ("p9", "p9", True),
        ("friday done", "done", False),
        ("", None, False),
    ],
)
def test_a_word_that_means_nothing_here_is_named(text: str, unread: str | None, is_first: bool) -> None:
    found = read(text)

    assert (found.unread, found.is_first_unread) == (unread, is_first)


@pytest.mark.parametrize(("text", "problem"), [("by yesterday", PastDate), ("asap", VagueDate)])
def test_a_date_that_cannot_be_is_a_problem(text: str, problem: type[Exception]) -> None:
    assert isinstance(read(text).due_problem, problem)


def test_a_date_in_the_persons_language_is_read() -> None:
    assert read("bis freitag", locale="de-DE") == Edits(due=FRIDAY)


def test_a_channel_is_no_tag() -> None:
    found = read_edits([NamedChannel("C1", "network")], now=NOW, zone=NEW_YORK, order=DateOrder.MDY)

    assert found.unread == "#network"


WORDS = st.one_of(
    st.sampled_from(
        ["@ben", "by", "due", "friday", "3pm", "no", "date", "!high", "#a", "-#a", "p4", "helper", "-@ben", "because"]
    ),
    st.text(max_size=6),
)


@given(words=st.lists(WORDS, max_size=9))
@settings(deadline=None)
def test_no_text_is_more_than_it_can_bear(words: list[str]) -> None:
    """Whatever is typed is read, or refused with a word of it."""
    text = " ".join(" ".join(words).split())

    found = read(text)

    changes = replace(found, why="", unread=None, is_first_unread=False)
    assert found.unread is None or found.unread in text
    assert not found.is_first_unread or changes == Edits()


def test_a_time_without_a_day_is_of_today_or_tomorrow() -> None:
    assert read("by 3pm").due == Due(date(2026, 11, 18), time(15), NEW_YORK)


def test_a_name_in_the_text_is_the_person_slack_says() -> None:
    found = read_edits([Mention("U9", "x")], now=NOW, zone=NEW_YORK, order=DateOrder.MDY)

    assert found.owner == Named("U9", "x")
