"""Filters in words: what a person types after `/steward list`, read as a question about the log.

    risks open >=12 #network @me due this week high "core switch"

Any order; every word means something or is refused with the nearest word that does. Words of the title stand in quotes.
Reading and spelling are each other's way back, so that a button can carry a whole list as its line.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, Final

from models.entry import Mention, NamedChannel, Piece
from models.errors import StewardError
from models.kinds import KINDS, Kind
from models.labels import Labelled, Priority
from models.tags import is_tag, normal

ME: Final = "@me"
NOBODY: Final = "@nobody"


class Scope(Labelled):
    OPEN = "open", "Open"
    CLOSED = "closed", "Closed"
    ALL = "all", "All"


class When(StrEnum):
    """Which due dates are wanted, seen from the project's today; `this week` is from today to Sunday."""

    OVERDUE = "overdue"
    TODAY = "due today"
    THIS_WEEK = "due this week"
    NO_DATE = "no date"


class UnknownFilter(StewardError):
    """A word that is no filter. `nearest` is one that is, or None; `line` is the line with that word in its place."""

    def __init__(self, word: str, nearest: str | None, line: Sequence[Piece]) -> None:
        super().__init__(f"I do not know “{word}” in a list.")
        self.word = word
        self.nearest = nearest
        self.line = tuple(line)


@dataclass(frozen=True)
class Filters:
    """What a list holds. Empty tuples and None do not limit it; several values of one field are alternatives.

    `owners` are person ids, ME, NOBODY, or "@" and a name still to be looked up. `channels` are channel ids whose
    projects are wanted; `everywhere` is every project one may see. `helping` adds what one helps with to what the
    owners own. A record has all of `tags`, and all of `words` in
    its title.
    """

    kinds: tuple[str, ...] = ()
    scope: Scope | None = None
    statuses: tuple[str, ...] = ()
    due: When | None = None
    owners: tuple[str, ...] = ()
    priorities: tuple[Priority, ...] = ()
    at_least: int | None = None
    at_most: int | None = None
    channels: tuple[str, ...] = ()
    everywhere: bool = False
    waiting: bool = False
    helping: bool = False
    tags: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    @property
    def wanted_kinds(self) -> tuple[Kind, ...]:
        """The kinds listed, all when none was named."""
        return tuple(kind for kind in KINDS if not self.kinds or kind.key in self.kinds)

    @property
    def wanted_scope(self) -> Scope:
        """Open ones where nothing was said; a named status is wanted wherever it stands."""
        return self.scope or (Scope.ALL if self.statuses else Scope.OPEN)

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """The open ones, the closed ones or both, as far as there are any in the statuses that are wanted."""
        if self.wanted_scope is not Scope.ALL:
            return (self.wanted_scope,)
        of_kinds = [(status in kind.closed, status) for kind in self.wanted_kinds for status in kind.statuses]
        ends = {is_end for is_end, status in of_kinds if not self.statuses or status in self.statuses}
        return tuple(scope for scope, is_end in ((Scope.OPEN, False), (Scope.CLOSED, True)) if is_end in ends)

    @property
    def only_kind(self) -> Kind | None:
        """The one kind that is listed, if it is one."""
        wanted = self.wanted_kinds
        return wanted[0] if len(wanted) == 1 else None


def read_filters(line: Sequence[Piece]) -> Filters:
    """The question typed as `line`: plain text with people and channels between. Raises UnknownFilter, nothing else."""
    tokens = list(_tokens(line))
    kinds = tuple(kind for kind in KINDS if any(_is_kind(token, kind) for token in tokens))
    speaking = kinds or KINDS
    if any(_bound(token) for token in tokens):
        # A score is asked of some kinds only, and the other words are then said of those.
        speaking = tuple(kind for kind in speaking if kind.score is not None) or speaking
    vocabulary = _vocabulary(speaking)
    found = Filters()
    at = 0
    while at < len(tokens):
        size, change = _read_at(tokens, at, vocabulary)
        if change is None:
            raise _unknown(tokens, at, vocabulary)
        found = change(found)
        at += size
    return _of_scored_kinds(replace(found, kinds=tuple(kind.key for kind in kinds)), tokens)


def _of_scored_kinds(found: Filters, tokens: Sequence["_Token"]) -> Filters:
    """The filters with only such kinds as have a score, where one is asked for. Raises UnknownFilter without any."""
    if found.at_least is None and found.at_most is None:
        return found
    scored = tuple(kind.key for kind in found.wanted_kinds if kind.score is not None)
    if not scored:
        place = next(at for at, token in enumerate(tokens) if _bound(token))
        raise _unknown(tokens, place, {})
    return replace(found, kinds=scored)


@dataclass(frozen=True)
class Search:
    """Words looked for among the records that the filters let through. A phrase stood in quotes."""

    filters: Filters = Filters()
    words: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()


def read_search(line: Sequence[Piece]) -> Search:
    """The question typed as `line`. Raises UnknownFilter, for a score that none of the kinds has.

    Filters are what is marked (`#tag`, `@name`, a channel, `!high`, `>=12`) and a few words; the rest is looked for.
    """
    tokens = list(_tokens(line))
    found, words, phrases = Filters(), [], []
    for at, token in enumerate(tokens):
        if token.is_quoted:
            phrases.append(token.text)
        elif change := _read_at(tokens[: at + 1], at, _SEARCH_VOCABULARY)[1]:
            found = change(found)
        else:
            words.append(token.text)
    return Search(
        _of_scored_kinds(found, tokens), words=tuple(dict.fromkeys(words)), phrases=tuple(dict.fromkeys(phrases))
    )


def spelled_search(search: Search) -> tuple[Piece, ...]:
    """The shortest plain line that `read_search` reads as exactly this search."""
    said = [*search.words, *(f'"{phrase}"' for phrase in search.phrases)]
    limits = spelled(search.filters)
    return (" ".join(said), *([" "] if said and limits else []), *limits)


def spelled(filters: Filters) -> tuple[Piece, ...]:
    """The shortest plain line that `read_filters` reads as exactly these filters."""
    kinds = [kind.plural for kind in KINDS if kind.key in filters.kinds]
    said: list[Piece] = [
        *kinds,
        *filter(None, [filters.scope]),
        *(status.replace("_", " ") for status in filters.statuses),
    ]
    said += [filters.due.value] if filters.due else []
    said += [f"!{priority.value}" for priority in filters.priorities]
    said += [f">={filters.at_least}"] if filters.at_least is not None else []
    said += [f"<={filters.at_most}"] if filters.at_most is not None else []
    said += [owner if owner.startswith("@") else Mention(owner, "") for owner in filters.owners]
    said += [NamedChannel(channel) for channel in filters.channels]
    said += ["everywhere"] if filters.everywhere else []
    said += ["waiting on me"] if filters.waiting else []
    said += ["helping"] if filters.helping else []
    said += [f"#{tag}" for tag in filters.tags]
    said += [f'"{words}"' for words in filters.words]
    return tuple(piece for each in said for piece in (each, " "))[:-1]


# Tokens --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Token:
    """A word, a quoted phrase, or a person or channel. `start` and `stop` are where it stands in the marked line."""

    text: str
    start: int
    stop: int
    is_quoted: bool = False
    entity: Mention | NamedChannel | None = None


_MARK: Final = "\0"  # stands in for a person or channel while the line is one text; no typed text holds it
_TOKEN: Final = re.compile(
    rf"""["“„”](?P<quoted>[^"“„”]*)["“”]?
    |(?P<entity>{_MARK}\d+{_MARK})
    |(?P<bound>(?:score\s*)?(?:[<>]=?|=[<>]?|[≥≤])\s*\d{{1,3}}(?!\S))
    |(?P<word>[^\s{_MARK}]+)""",
    re.VERBOSE | re.IGNORECASE,
)


def _marked(line: Sequence[Piece]) -> str:
    """The line as one text, each person or channel as the number of its piece between marks."""
    return "".join(
        piece.replace(_MARK, "") if isinstance(piece, str) else f"{_MARK}{number}{_MARK}"
        for number, piece in enumerate(line)
    )


def _tokens(line: Sequence[Piece]) -> Iterator[_Token]:
    for match in _TOKEN.finditer(_marked(line)):
        if match["quoted"] is not None:
            words = " ".join(
                re.sub(rf"{_MARK}(\d+){_MARK}", lambda m: _shown(line[int(m[1])]), match["quoted"]).split()
            )
            if words:
                yield _Token(words, *match.span(), is_quoted=True)
        elif match["entity"]:
            entity = line[int(match["entity"].strip(_MARK))]
            assert not isinstance(entity, str)
            yield _Token(_shown(entity), *match.span(), entity=entity)
        elif word := match[0].strip(",;"):
            yield _Token(word, *match.span())


def _shown(piece: Piece) -> str:
    if isinstance(piece, Mention):
        return f"@{piece.name}"
    return f"#{piece.name}" if isinstance(piece, NamedChannel) else piece


# Meaning -------------------------------------------------------------------------------------------------------------

Change = Callable[[Filters], Filters]

LONGEST_PHRASE: Final = 3
_FILLERS: Final = ("and", "by", "for", "in", "of", "owned", "priority", "records", "status", "the", "with")
_BOUND: Final = re.compile(r"(?:score\s*)?(?P<sign>[<>]=?|=[<>]?|[≥≤])\s*(?P<points>\d{1,3})|(?P<from>\d{1,3})\+", re.I)
_NAME: Final = re.compile(r"@[^\W\d_][\w.'’-]*")


def _set(**fields: Any) -> Change:
    return lambda filters: replace(filters, **fields)


def _add(field: str, value: str) -> Change:
    """The value among the alternatives of that field, once."""

    def change(filters: Filters) -> Filters:
        held: tuple[str, ...] = getattr(filters, field)
        more: dict[str, Any] = {field: (*held, value)}
        return filters if value in held else replace(filters, **more)

    return change


def _vocabulary(kinds: Sequence[Kind]) -> dict[str, Change]:
    """Every phrase that means something in a list of these kinds. Where two meanings meet, the later line wins."""
    known: dict[str, Change] = {"waiting": _set(waiting=True), "helping": _set(helping=True)}
    known |= {word: lambda filters: filters for word in _FILLERS}
    known |= {
        phrase: _add("statuses", status.value)
        for kind in kinds
        for status in kind.statuses
        for phrase in (status.label.lower(), status.value.replace("_", " "))
    }
    known |= {f"{mark}{each.value}": _add("priorities", each) for each in Priority for mark in ("", "!")}
    known |= {scope.value: _set(scope=scope) for scope in Scope}
    known |= {when.value: _set(due=when) for when in When}
    known |= {"late": _set(due=When.OVERDUE), "today": _set(due=When.TODAY), "this week": _set(due=When.THIS_WEEK)}
    known |= dict.fromkeys(("no due date", "undated", "without date"), _set(due=When.NO_DATE))
    known |= dict.fromkeys((ME, "me", "my", "mine"), _add("owners", ME))
    known |= dict.fromkeys((NOBODY, "nobody", "no owner", "unassigned"), _add("owners", NOBODY))
    known |= dict.fromkeys(("everywhere", "all projects"), _set(everywhere=True))
    known |= dict.fromkeys(("waiting on me", "waiting for me"), _set(waiting=True))
    for kind in KINDS:
        known |= dict.fromkeys((kind.key, kind.singular, kind.plural), _add("kinds", kind.key))
    return known


# What is a filter in a search too: few words, since any other may stand in a record.
_SEARCH_VOCABULARY: Final[Mapping[str, Change]] = {
    **{kind.plural: _add("kinds", kind.key) for kind in KINDS},
    **{f"!{each.value}": _add("priorities", each) for each in Priority},
    Scope.OPEN.value: _set(scope=Scope.OPEN),
    Scope.CLOSED.value: _set(scope=Scope.CLOSED),
    When.OVERDUE.value: _set(due=When.OVERDUE),
    ME: _add("owners", ME),
    NOBODY: _add("owners", NOBODY),
}


def _is_kind(token: _Token, kind: Kind) -> bool:
    return not token.is_quoted and token.text.lower() in (kind.key, kind.singular, kind.plural)


def _read_at(tokens: Sequence[_Token], at: int, vocabulary: Mapping[str, Change]) -> tuple[int, Change | None]:
    """What stands at that place, in how many tokens; None when it means nothing."""
    token = tokens[at]
    if token.is_quoted:
        return 1, _add("words", token.text)
    if isinstance(token.entity, Mention):
        return 1, _add("owners", token.entity.user_id)
    if isinstance(token.entity, NamedChannel):
        return 1, _add("channels", token.entity.channel_id)
    for size in range(min(LONGEST_PHRASE, len(tokens) - at), 0, -1):
        phrase = tokens[at : at + size]
        known = vocabulary.get(" ".join(each.text.lower() for each in phrase))
        if known and not any(each.is_quoted or each.entity for each in phrase):
            return size, known
    if bound := _bound(token):
        return 1, bound
    if token.text.startswith("#") and is_tag(tag := normal(token.text)):
        return 1, _add("tags", tag)
    return 1, _add("owners", token.text) if _NAME.fullmatch(token.text) else None


def _bound(token: _Token) -> Change | None:
    """What `>=12`, `<6`, `=9` or `12+` asks of the score."""
    match = None if token.is_quoted or token.entity else _BOUND.fullmatch(token.text)
    if match is None:
        return None
    points = int(match["points"] or match["from"])
    sign = {"=>": ">=", "=<": "<=", "≥": ">=", "≤": "<="}.get(match["sign"], match["sign"]) or ">="
    low = {">": min(points + 1, 999), ">=": points, "=": points}.get(sign)
    high = {"<": max(points - 1, 0), "<=": points, "=": points}.get(sign)

    def change(filters: Filters) -> Filters:
        lows = [each for each in (low, filters.at_least) if each is not None]
        highs = [each for each in (high, filters.at_most) if each is not None]
        return replace(filters, at_least=max(lows, default=None), at_most=min(highs, default=None))

    return change


def _unknown(tokens: Sequence[_Token], at: int, vocabulary: Mapping[str, Change]) -> UnknownFilter:
    """The refusal of the word at that place, with the line as it was probably meant."""
    known = [phrase for phrase in vocabulary if phrase not in _FILLERS]
    near = get_close_matches(tokens[at].text.lower(), known, n=1, cutoff=0.7)
    nearest = near[0] if near else None
    meant: list[Piece] = []
    for place, token in enumerate(tokens):
        meant += [nearest if place == at and nearest else f'"{token.text}"' if token.is_quoted else token.text, " "]
    return UnknownFilter(tokens[at].text, nearest, meant[:-1])
