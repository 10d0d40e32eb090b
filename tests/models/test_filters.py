"""The grammar of lists: every word means something or is refused, and a spelled line reads as the same again."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.entry import Mention
from models.filters import ME, NOBODY, Filters, NamedChannel, Piece, Scope, UnknownFilter, When, read_filters, spelled
from models.kinds import KINDS, Kind
from models.labels import Priority

BEN = Mention("UBEN", "Ben Fischer")
NETWORK = NamedChannel("CNET", "network")

READ = [
    ("", Filters()),
    ("risks", Filters(kinds=("risk",))),
    ("Risk, issues", Filters(kinds=("risk", "issue"))),
    ("issues and risks", Filters(kinds=("risk", "issue"))),
    ("closed actions", Filters(kinds=("action",), scope=Scope.CLOSED)),
    ("all", Filters(scope=Scope.ALL)),
    ("overdue", Filters(due=When.OVERDUE)),
    ("late actions", Filters(kinds=("action",), due=When.OVERDUE)),
    ("due today", Filters(due=When.TODAY)),
    ("due this week", Filters(due=When.THIS_WEEK)),
    ("no date", Filters(due=When.NO_DATE)),
    ("no due date of nobody", Filters(due=When.NO_DATE, owners=(NOBODY,))),
    ("@me", Filters(owners=(ME,))),
    ("mine, @Ben.Fischer", Filters(owners=(ME, "@Ben.Fischer"))),
    ("unassigned high !critical", Filters(owners=(NOBODY,), priorities=(Priority.HIGH, Priority.CRITICAL))),
    ("in progress", Filters(statuses=("in_progress",))),
    ("actions done cancelled", Filters(kinds=("action",), statuses=("done", "cancelled"))),
    (">=12", Filters(kinds=("risk",), at_least=12)),
    ("risks score >= 12", Filters(kinds=("risk",), at_least=12)),
    ("risks > 5 <12", Filters(kinds=("risk",), at_least=6, at_most=11)),
    ("risks =9", Filters(kinds=("risk",), at_least=9, at_most=9)),
    ("12+ ≤20", Filters(kinds=("risk",), at_least=12, at_most=20)),
    ("everywhere", Filters(everywhere=True)),
    ("all projects", Filters(everywhere=True)),
    ("waiting on me", Filters(waiting=True)),
    ("#Pilot #wan-2, risks", Filters(kinds=("risk",), tags=("pilot", "wan-2"))),
    ('"core switch"', Filters(words=("core switch",))),
    ("“core   switch” risks „Pilot“", Filters(kinds=("risk",), words=("core switch", "Pilot"))),
    ('risks "never closed', Filters(kinds=("risk",), words=("never closed",))),
    ('"open risks"', Filters(words=("open risks",))),
    ('""', Filters()),
]


@pytest.mark.parametrize(("line", "expected"), READ, ids=[line for line, _ in READ])
def test_a_line_is_read_as_filters(line: str, expected: Filters) -> None:
    assert read_filters([line]) == expected
    assert read_filters([line.upper().replace("@BEN.FISCHER", "@Ben.Fischer")]).kinds == expected.kinds


def test_people_and_channels_are_read_where_they_stand() -> None:
    line: list[Piece] = ["risks open >=12 ", NETWORK, " ", BEN, ' due this week "ask ', BEN, '"']

    assert read_filters(line) == Filters(
        kinds=("risk",),
        scope=Scope.OPEN,
        due=When.THIS_WEEK,
        owners=("UBEN",),
        at_least=12,
        channels=("CNET",),
        words=("ask @Ben Fischer",),
    )


def test_a_status_is_wanted_wherever_it_stands_and_otherwise_what_is_open() -> None:
    assert read_filters([""]).wanted_scope is Scope.OPEN
    assert read_filters(["done"]).wanted_scope is Scope.ALL
    assert read_filters(["closed"]).wanted_scope is Scope.CLOSED
    assert read_filters(["open in progress"]).wanted_scope is Scope.OPEN


UNKNOWN = [
    ("riks", "riks", "risks"),
    ("risks opne", "opne", "open"),
    ("actions overdu", "overdu", "overdue"),
    ("zebra", "zebra", None),
    ("actions >=12", ">=12", None),
    ("risks done", "done", None),
    ("#12", "#12", None),
]


@pytest.mark.parametrize(("line", "word", "nearest"), UNKNOWN)
def test_an_unknown_word_is_refused_with_the_nearest_that_would_do(line: str, word: str, nearest: str | None) -> None:
    with pytest.raises(UnknownFilter) as refused:
        read_filters([line])

    assert (refused.value.word, refused.value.nearest) == (word, nearest)


def test_the_refusal_holds_the_whole_line_as_it_was_probably_meant() -> None:
    with pytest.raises(UnknownFilter) as refused:
        read_filters(["risks opne ", BEN, ' "core switch" >= 12'])

    assert refused.value.line == ("risks", " ", "open", " ", "@Ben Fischer", " ", '"core switch"', " ", ">= 12")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
def test_every_status_of_a_kind_can_be_asked_for(kind: Kind) -> None:
    for status in kind.statuses:
        asked = read_filters([f"{kind.plural} {status.label}"])

        assert asked.statuses == (status.value,) or asked.scope is Scope(status.value)


WORDS = [
    *("risks", "actions", "issue", "decisions", "open", "closed", "all", "overdue", "due today", "due this week"),
    *("no date", "@me", "nobody", "@ana", "high", "!low", "in progress", "done", "proposed", ">=12", "<0", "> 999"),
    *(
        "everywhere",
        "all projects",
        "waiting on me",
        "waiting",
        '"two words"',
        "“curly”",
        "#Tag",
        "of",
        "and",
        "me",
        "no",
        "5+",
    ),
]
PIECES = st.one_of(
    st.sampled_from(WORDS),
    st.text(max_size=12),
    st.just(BEN),
    st.just(NETWORK),
    st.builds(lambda text: '"' + re.sub('["“”„]', "", text) + '"', st.text(max_size=12)),
)


def read_or_refusal(line: list[Piece]) -> Filters | UnknownFilter:
    try:
        return read_filters(line)
    except UnknownFilter as refused:
        return refused


@given(st.lists(PIECES, max_size=8))
def test_any_line_is_read_or_refused_by_one_of_its_words_and_spelling_is_the_way_back(pieces: list[Piece]) -> None:
    line: list[Piece] = [part for piece in pieces for part in (piece, " ")]
    typed = "".join(piece if isinstance(piece, str) else piece.name for piece in line).replace("\0", "")

    found = read_or_refusal(line)

    if isinstance(found, UnknownFilter):
        assert found.word
        assert found.word in typed
    else:
        assert read_filters(spelled(found)) == found


@given(st.lists(st.sampled_from(WORDS), unique=True, max_size=6))
def test_the_order_of_the_words_does_not_matter(words: list[str]) -> None:
    def asked(order: list[str]) -> object:
        # Quotes between, so that no two words are read as one phrase.
        found = read_or_refusal([' "x" '.join(order)])
        if isinstance(found, UnknownFilter):
            return None
        return found.kinds, set(found.statuses), set(found.owners), set(found.priorities), found.waiting

    assert asked(words) == asked(words[::-1])
