"""The one-line grammar: what a person types after a command, read as a record.

    Send the firewall diagram @ben by friday 3pm !high #pilot

Title, owner, due date, priority, tags, scales (`p4 i3`) and a channel for its project stand in any order on the first
line; further lines are details. Nothing typed is lost: a word is either understood or stays in the title. An owner may
be named by a person of Slack, as "@name" or as `@"Some Name"`. How often it comes again ("every monday") is read where
the sentence ends, unless it may be said of something else in it. A date is looked for only

- after by, due, on or before ("on" and "before" only where the sentence or a part of it ends, or at its beginning),
- and at the very end, if nobody could take it for anything else ("friday 3pm", "in 2 weeks", "2026-12-01") and no word
  before it claims it ("Prepare agenda for monday" is a title).
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import IntEnum
from typing import Final
from zoneinfo import ZoneInfo

from models.dates import (
    DateOrder,
    Due,
    Needs,
    NoDate,
    PastDate,
    Reading,
    VagueDate,
    WorkingDays,
    is_nearly_a_day,
    is_slip_of_a_day,
    is_slip_of_a_span,
    monday_to_friday,
    parse_due,
    read_phrase,
    unreadable,
)
from models.errors import DateProblem, Unread
from models.labels import Priority
from models.repeat_words import OFTEN, NoRepeat, read_repeat
from models.tags import MOST_TAGS, is_tag, joined, normal

LONGEST_DATE_WORDS: Final = 8
LONGEST_UNREAD_WORDS: Final = 3
MOST_CONNECTORS: Final = 12  # looked at from the end, so that a page of "by by by" costs no more than a sentence


@dataclass(frozen=True)
class Mention:
    """A person named in the text, as Slack knows them."""

    user_id: str
    name: str


@dataclass(frozen=True)
class NamedChannel:
    """A channel named in the text, as Slack knows it."""

    channel_id: str
    name: str = ""


Piece = str | Mention | NamedChannel


@dataclass(frozen=True)
class Entry:
    """One typed record. `unknown_owner` is an "@name" (without the @) where an owner stands but no person was found.

    `due_words` are those that were read as the date.
    `channel_id` is the channel named to pick the project; one that belongs to the sentence stays in the title instead.
    `scales` holds what was typed in the shorthand of a kind's scales, by field key; `tags` are as a record keeps them.
    With `due_problem` there is no `due`; its words stay in the title unless they were clearly meant as a date. `strays`
    are words of the title that look like a part and are none, such as "!urgent", by the key of the field in question.
    `repeats` is a rule as `models.repeat_words` keeps it; with `repeat_problem` there is none and its words stay too.
    """

    title: str
    details: str = ""
    owner_id: str | None = None
    unknown_owner: str | None = None
    channel_id: str | None = None
    due: Due | None = None
    due_words: str = field(default="", compare=False)
    due_problem: DateProblem | None = None
    repeats: str = ""
    repeat_problem: Unread | None = None
    priority: Priority | None = None
    tags: str = ""
    scales: Mapping[str, int] = field(default_factory=dict)
    strays: Mapping[str, str] = field(default_factory=dict)


def with_owner_outside(details: str, name: str) -> str:
    """The details with the name of an owner who is not in Slack, where everybody reads it."""
    line = f"Owner outside Slack: {name}"
    return f"{line}\n{details}" if details else line


def parse_entry(
    pieces: Sequence[Piece],
    *,
    now: datetime,
    zone: ZoneInfo,
    order: DateOrder,
    is_working_day: WorkingDays = monday_to_friday,
    locale: str | None = None,
    scales: Mapping[str, str] | None = None,
    can_repeat: bool = False,
) -> Entry:
    """The record typed as `pieces`: plain text with Mentions between; dates as `models.dates.parse_due` takes them.

    `scales` are the shorthands of the kind's scales with their fields: {"p": "probability"} reads `p4`.

    Never raises for any text.
    """
    line, details = _split_lines(pieces)
    words = _words(line)
    dates = _Dates(now, zone, order, is_working_day, locale)
    priority_at = next((at for at, word in enumerate(words) if word.priority), None)
    taken = set() if priority_at is None else {priority_at}
    tags, points = _find_tags(words), _find_scales(words, scales or {})
    loose = tags.keys() | points.keys()
    taken |= loose
    repeat = _find_repeat(words, taken, dates) if can_repeat else None
    of_repeat = set(range(repeat.start, repeat.stop)) if repeat else set()
    found = _find_date(words, taken | of_repeat, dates)
    if repeat and repeat.rule:
        if found and isinstance(found.result, DateProblem):
            repeat = replace(repeat, result=_left_in_title(repeat.typed))
        else:
            taken |= of_repeat
    if found and found.leaves_title:
        taken |= set(range(found.start, found.stop))
    channel_at = _find_channel(words, taken)
    taken |= set() if channel_at is None else {channel_at}
    owner = _find_owner(words, taken)
    if owner and owner.leaves_title:
        taken |= set(range(owner.start, owner.at + 1))
    if channel_at is None and (channel_at := _find_channel(words, taken)) is not None:
        taken.add(channel_at)
    in_title = {at for at in loose if not _is_loose_apart(at, words, taken, loose, points.keys())}
    taken -= in_title
    known = {key for key, _ in points.values()}
    known |= {key for key, is_known in (("owner_id", owner), ("priority", priority_at is not None)) if is_known}
    return Entry(
        title=_title(words, taken),
        details=details,
        owner_id=owner.user_id if owner else None,
        unknown_owner=owner.unknown if owner else None,
        channel_id=None if channel_at is None else words[channel_at].channel_id,
        due=found.result if found and isinstance(found.result, Due) else None,
        due_words=_phrase(words[found.start : found.stop]) if found else "",
        due_problem=found.result if found and isinstance(found.result, DateProblem) else None,
        repeats=repeat.rule if repeat else "",
        repeat_problem=repeat.problem if repeat else None,
        priority=None if priority_at is None else words[priority_at].priority,
        tags=joined(tags.values()),
        scales=dict(scale for at, scale in points.items() if at not in in_title),
        strays={key: word for key, word in _strays(words, taken, scales or {}) if key not in known},
    )


# Words -------------------------------------------------------------------------------------------------------------

_PUNCTUATION: Final = ",.;:!?"
_BRACKETS: Final = "()[]\"'“”‘’"
_QUOTED: Final = r"""@["“][^"“”\n]+["”]"""
_HANDLE: Final = re.compile(rf"""@(?:["“](?P<quoted>[^"“”]+)["”]|(?P<name>[^\W\d_][\w.'’-]*?))[{_PUNCTUATION}]*""")
_TAG: Final = re.compile(rf"#(?P<tag>[^\s#]+?)[{_PUNCTUATION}]*")
_SCALE: Final = re.compile(rf"(?P<name>[a-z]+)(?P<points>[1-5])[{_PUNCTUATION}]*", re.IGNORECASE)
_PRIORITY: Final = re.compile(rf"!(?P<name>{'|'.join(Priority)})[,.;]*", re.IGNORECASE)
_LIKE_SCALE: Final = re.compile(rf"(?P<name>[a-z]+)\d+[{_PUNCTUATION}]*", re.IGNORECASE)
_LIKE_PRIORITY: Final = re.compile(r"!+[^\W_]+[,.;]*")
_EVERYBODY: Final = frozenset({"here", "channel", "everyone"})


@dataclass(frozen=True)
class _Word:
    """What stands between two spaces: its text as a title shows it, and the people and channels in it."""

    text: str
    mentions: tuple[Mention, ...] = ()
    is_mention: bool = False
    has_channel: bool = False
    channel_id: str | None = None

    @property
    def is_plain(self) -> bool:
        return not self.mentions and not self.has_channel

    @property
    def bare_as_typed(self) -> str:
        return self.text.strip(_PUNCTUATION + _BRACKETS)

    @property
    def bare(self) -> str:
        return self.bare_as_typed.lower()

    @property
    def priority(self) -> Priority | None:
        match = _PRIORITY.fullmatch(self.text) if self.is_plain else None
        return Priority(match["name"].lower()) if match else None

    @property
    def priority_in_words(self) -> Priority | None:
        """The same where nothing else is meant, and `high` alone will do."""
        return self.priority or next((each for each in Priority if each.value == self.bare), None)

    @property
    def handle(self) -> str | None:
        """The name in a literal "@name" that is no mention."""
        match = None if self.mentions else _HANDLE.fullmatch(self.text)
        name = match and " ".join((match["quoted"] or match["name"]).split())
        return name if name and name.lower() not in _EVERYBODY else None

    @property
    def is_person(self) -> bool:
        return self.is_mention or self.handle is not None


def _split_lines(pieces: Sequence[Piece]) -> tuple[list[Piece], str]:
    """The pieces of the first line that holds anything, and all that follows as text."""
    line: list[Piece] = []
    for at, piece in enumerate(pieces):
        if not isinstance(piece, str):
            line.append(piece)
            continue
        text = piece if line and not _is_blank(line) else piece.lstrip()
        first, newline, rest = text.partition("\n")
        line.append(first)
        if newline and not _is_blank(line):
            return line, rest + "".join(_shown(later) for later in pieces[at + 1 :])
    return line, ""


def _is_blank(line: Sequence[Piece]) -> bool:
    return all(isinstance(piece, str) and not piece.strip() for piece in line)


def _shown(piece: Piece) -> str:
    if isinstance(piece, NamedChannel):
        return f"#{piece.name}"
    return piece if isinstance(piece, str) else f"@{piece.name}"


def _words(line: Sequence[Piece]) -> list[_Word]:
    return [_word(group) for group in _groups(line)]


def _groups(line: Sequence[Piece]) -> Iterator[list[Piece]]:
    """Pieces cut at white space outside of `@"Some Name"`; a mention may have text stuck to it, as in "(@ben)"."""
    group: list[Piece] = []
    for piece in line:
        if not isinstance(piece, str):
            group.append(piece)
            continue
        for part in re.split(rf"({_QUOTED}|\s+)", piece):
            if part.isspace():
                if group:
                    yield group
                group = []
            elif part:
                group.append(part)
    if group:
        yield group


def _word(group: Sequence[Piece]) -> _Word:
    mentions = tuple(piece for piece in group if isinstance(piece, Mention))
    channels = [piece for piece in group if isinstance(piece, NamedChannel)]
    around = "".join(piece for piece in group if isinstance(piece, str))
    return _Word(
        text=" ".join("".join(_shown(piece) for piece in group).split()),
        mentions=mentions,
        is_mention=len(mentions) == 1 and isinstance(group[0], Mention) and not around.strip(_PUNCTUATION),
        has_channel=bool(channels),
        channel_id=channels[0].channel_id if channels[:1] == group[:1] and not around.strip(_PUNCTUATION) else None,
    )


def _title(words: Sequence[_Word], taken: set[int]) -> str:
    """The words nobody took; a comma that led to a taken part goes with it."""
    title = " ".join(word.text for at, word in enumerate(words) if at not in taken)
    return re.sub(r"(?:\s*[,;]|\s[-–—:]+)+$", "", title) if len(words) - 1 in taken else title


# Owner -------------------------------------------------------------------------------------------------------------

_CLAIMING_WORDS: Final = (
    "a about above after against along among an and are around as at because before behind below between but by "
    "during each every except for from has have how in into is like near no nor not of off on onto or our over "
    "past per plus re since so than that the their them these this those through till to toward towards under "
    "until up upon via was were what when where which while who why with within without his her my your & + / - "
    "– — vs vs. versus black good cyber super casual easter ash palm holy"
)
_CLAIMING: Final = frozenset(_CLAIMING_WORDS.split(" "))


# What leads to an owner, and says nothing else.
_OWNER_LEADS: Final = (("owner",), ("assignee",), ("assigned", "to"), ("assign", "to"))


@dataclass(frozen=True)
class _Owner:
    start: int
    at: int
    user_id: str | None
    unknown: str | None
    leaves_title: bool


def _find_owner(words: Sequence[_Word], taken: set[int]) -> _Owner | None:
    """The first person mentioned; where none is, the first "@name" that stands where an owner does."""
    for at, word in enumerate(words):
        if word.mentions and not _is_helper(at, words):
            start = _owner_start(at, words, taken)
            is_apart = word.is_mention and _stands_apart(at, words, taken | set(range(start, at)))
            return _Owner(start, at, word.mentions[0].user_id, None, is_apart)
    for at, word in enumerate(words):
        start = _owner_start(at, words, taken) if word.handle else at
        is_named = word.handle and not _is_helper(at, words)
        if is_named and _stands_apart(at, words, taken | set(range(start, at))):
            return _Owner(start, at, None, word.handle, leaves_title=True)
    return None


def _is_helper(at: int, words: Sequence[_Word]) -> bool:
    """Whether the person there is named as a helper, as in "Order cables helper @kavya"."""
    is_said = at > 1 and words[at - 1].bare in ("helper", "helpers")
    return is_said and words[at - 2].bare not in _CLAIMING


def _owner_start(at: int, words: Sequence[_Word], taken: set[int]) -> int:
    """Where the words begin that lead to a person there, "owner:" or "assigned to", behind a title of its own."""
    for lead in _OWNER_LEADS:
        start = at - len(lead)
        is_lead = start > 0 and tuple(word.bare for word in words[start:at]) == lead
        if is_lead and not taken & set(range(start, at)) and words[start - 1].bare not in _CLAIMING:
            return start
    return at


def _find_channel(words: Sequence[_Word], taken: set[int]) -> int | None:
    """The first channel that stands where an owner may: in "Announce it in #general" it belongs to the sentence.

    So it does after a single word, as in "Tell #general", which says nothing without it.
    """
    title = [at for at, word in enumerate(words) if at not in taken and not word.is_person and not word.channel_id]
    channels = (at for at, word in enumerate(words) if word.channel_id)
    return next(
        (at for at in channels if _stands_apart(at, words, taken) and not (len(title) == 1 and title[0] < at)), None
    )


def _stands_apart(at: int, words: Sequence[_Word], taken: set[int]) -> bool:
    """Whether the word is at the beginning, at the end or beside another part, and no neighbour needs it."""
    before = words[at - 1] if at and at - 1 not in taken else None
    after = words[at + 1] if at + 1 < len(words) and at + 1 not in taken else None
    if (before and before.bare in _CLAIMING) or (after and after.bare in ("and", "or", "&", "+", "/")):
        return False
    return before is None or after is None


# Tags and scales ---------------------------------------------------------------------------------------------------


def _find_tags(words: Sequence[_Word]) -> dict[int, str]:
    """Every "#tag" by its place, as a record keeps it; "#12" and channels are none."""
    named = ((at, _TAG.fullmatch(word.text)) for at, word in enumerate(words) if word.is_plain)
    found = [(at, tag) for at, match in named if match and is_tag(tag := normal(match["tag"]))]
    return dict(found[:MOST_TAGS])


def _find_scales(words: Sequence[_Word], scales: Mapping[str, str]) -> dict[int, tuple[str, int]]:
    """The first "p4" of each scale by its place: (field, points)."""
    found: dict[int, tuple[str, int]] = {}
    for at, word in enumerate(words):
        match = _SCALE.fullmatch(word.text) if word.is_plain else None
        key = match and scales.get(match["name"].lower())
        if match and key and key not in (known for known, _ in found.values()):
            found[at] = key, int(match["points"])
    return found


def _is_loose_apart(at: int, words: Sequence[_Word], taken: set[int], loose: Set[int], points: Set[int]) -> bool:
    """Whether the tag or scale stands beside the sentence and not in it, alone or in a row with other parts.

    In the midst of a title only a row that could be nothing else does: two scales, or one beside an owner, date or
    priority. A tag that does not still counts and stays in the title, a scale is then an ordinary word.
    """
    start, stop = at, at + 1
    while start and start - 1 in taken:
        start -= 1
    while stop < len(words) and stop in taken:
        stop += 1
    row = set(range(start, stop))
    is_claimed = start > 0 and words[start - 1].bare in _CLAIMING and set(range(start, at)) <= loose
    is_listed = stop < len(words) and words[stop].bare in ("and", "or", "&", "+", "/")
    if is_claimed or is_listed:
        return False
    return start == 0 or stop == len(words) or bool(row - loose) or len(row & points) > 1


def _strays(words: Sequence[_Word], taken: set[int], scales: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What stays in the title and looks like a part, by its field's key; what the word before it claims does not."""
    for at, word in enumerate(words):
        if at in taken or (at and words[at - 1].bare in _CLAIMING):
            continue
        if _is_helper(at, words) and word.is_person:
            yield "helpers", f"{words[at - 1].text} {word.text}"
        elif len(word.mentions) > 1 or (word.is_mention and _stands_apart(at, words, taken)):
            yield "helpers", word.text
        if not word.is_plain:
            continue
        after = words[at + 1].bare if at + 1 < len(words) else ""
        if _LIKE_PRIORITY.fullmatch(word.text):
            yield "priority", word.text
        elif word.bare in _PRIORITY_WORDS and after in set(Priority):
            yield "priority", f"{word.text} {words[at + 1].text}"
        elif word.handle and not _is_helper(at, words):
            yield "owner_id", word.text
        elif after.isdecimal() and (named := [key for key in scales.values() if _is_short_for(word.bare, key)]):
            yield named[0], f"{word.text} {after}"
        elif (match := _LIKE_SCALE.fullmatch(word.text)) and (key := scales.get(match["name"].lower())):
            yield key, word.text


def _is_short_for(word: str, key: str) -> bool:
    return len(word) > 3 and key.startswith(word)


# Repeats -----------------------------------------------------------------------------------------------------------

_REPEAT_STARTS: Final = OFTEN | {"on", "the"}
_TIMES: Final = frozenset({"morning", "afternoon", "evening", "night", "noon", "weekend", "hour", "hours", "minutes"})
_STARTING: Final = frozenset({"starting", "beginning", "from"})
# After these nobody knows what comes again: in "Check that the backup runs every day" it is not the check.
_UNSURE_WORDS: Final = "because each every how if that what when where whether which while who why"
_UNSURE: Final = frozenset(_UNSURE_WORDS.split(" "))


@dataclass(frozen=True)
class _Repeat:
    """How often the record comes again, in the words `start` to `stop` (exclusive): a rule, or why it is none."""

    start: int
    stop: int
    typed: str
    result: str | Unread

    @property
    def rule(self) -> str:
        return self.result if isinstance(self.result, str) else ""

    @property
    def problem(self) -> Unread | None:
        return None if isinstance(self.result, str) else self.result


def _left_in_title(typed: str) -> Unread:
    return Unread(typed, f"“{typed}” stays in the title, where it may belong to the sentence.")


def _find_repeat(words: Sequence[_Word], taken: set[int], dates: "_Dates") -> _Repeat | None:
    """The first words that say how often, a rule before what is none; not those that a word before them claims."""
    starts = [at for at, word in enumerate(words) if at not in taken and word.bare in _REPEAT_STARTS]
    apart = [at for at in starts if not _is_claimed(at, words, taken)]
    found = [_repeat_from(at, words, taken, dates) for at in apart[-MOST_CONNECTORS:]]
    return min((repeat for repeat in found if repeat), key=lambda repeat: not repeat.rule, default=None)


def _is_claimed(at: int, words: Sequence[_Word], taken: set[int]) -> bool:
    return at > 0 and at - 1 not in taken and words[at - 1].bare in _CLAIMING


def _repeat_from(start: int, words: Sequence[_Word], taken: set[int], dates: "_Dates") -> _Repeat | None:
    """What the longest words from there say. A rule stands at the end of the sentence, or before it and a colon."""
    last = start
    while last < len(words) and last not in taken and not words[last].is_person:
        last += 1
    repeat = _longest_repeat(words, start, last)
    if repeat is None or not repeat.rule:
        return repeat
    stop = repeat.stop
    is_at_end = stop == last or words[stop].bare in _CONNECTORS
    if not is_at_end and words[stop].bare in _STARTING:
        reading = dates.read(words[stop + 1 : last])
        is_at_end = reading is not None and isinstance(reading.result, Due)
        repeat = replace(repeat, stop=stop + is_at_end)
    is_said_first = words[stop - 1].text.endswith((":", ","))
    before = [words[at] for at in range(start) if at not in taken and not words[at].is_person]
    is_apart = is_at_end if before else is_said_first and stop < last
    if stop - start == 1 and not is_at_end:
        return None
    if stop - start == 1 or not is_apart or any(word.bare in _UNSURE for word in before):
        return replace(repeat, result=_left_in_title(repeat.typed))
    return repeat


def _longest_repeat(words: Sequence[_Word], start: int, last: int) -> _Repeat | None:
    """What most of the words up to `last` say of how often; a slip in the name of a day, or an hour, is a problem."""
    for stop in range(min(last, start + LONGEST_DATE_WORDS), start, -1):
        if not any(word.bare in OFTEN for word in words[start:stop]):
            return None
        repeat = _as_repeat(words, start, stop)
        if not isinstance(repeat.result, NoRepeat):
            return repeat
    is_short = last - start <= LONGEST_UNREAD_WORDS
    is_slip = is_short and any(is_nearly_a_day(word.bare) or word.bare in _TIMES for word in words[start + 1 : last])
    return _as_repeat(words, start, last) if is_slip else None


def _as_repeat(words: Sequence[_Word], start: int, stop: int) -> _Repeat:
    typed = _phrase(words[start:stop]).strip(_PUNCTUATION + _BRACKETS)
    try:
        return _Repeat(start, stop, typed, read_repeat(typed.lower().removeprefix("on ")))
    except Unread as problem:
        return _Repeat(start, stop, typed, problem)


# Dates -------------------------------------------------------------------------------------------------------------


class _Lead(IntEnum):
    """What leads to a date, the strongest first."""

    DUE = 0
    BY = 1
    BEFORE = 2
    ON = 3
    NOTHING = 4


_YEAR: Final = re.compile(r"20\d\d")
_CONNECTORS: Final = {"due": _Lead.DUE, "by": _Lead.BY, "before": _Lead.BEFORE, "on": _Lead.ON}
_NAMES_OF_DUE: Final = frozenset({"due", "date", "deadline"})
_NOT_AFTER_DUE: Final = _CLAIMING | {"date", "dates", "diligence", "process", "course", "care", "respect"}


@dataclass(frozen=True)
class _Dates:
    """How dates are read for the person who types."""

    now: datetime
    zone: ZoneInfo
    order: DateOrder
    is_working_day: WorkingDays
    locale: str | None

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    def read(self, words: Sequence[_Word]) -> Reading | None:
        phrase = _phrase(words)
        return read_phrase(phrase, now=self.now, zone=self.zone, order=self.order, is_working_day=self.is_working_day)

    def read_anyhow(self, words: Sequence[_Word]) -> Due | DateProblem:
        """The reading of a phrase that is known to be meant as a date, other languages included."""
        try:
            return parse_due(
                _phrase(words),
                now=self.now,
                zone=self.zone,
                order=self.order,
                is_working_day=self.is_working_day,
                locale=self.locale,
            )
        except DateProblem as problem:
            return problem


def _phrase(words: Sequence[_Word]) -> str:
    return " ".join(word.text for word in words)


@dataclass(frozen=True)
class _Found:
    """A date in the words `start` to `stop` (exclusive)."""

    start: int
    stop: int
    lead: _Lead
    result: Due | DateProblem
    leaves_title: bool = True

    @property
    def rank(self) -> tuple[bool, int, int]:
        """The lowest is meant: usable before not, a strong word before a weak one, then the last."""
        return isinstance(self.result, DateProblem), self.lead, -self.start


def _find_date(words: Sequence[_Word], taken: set[int], dates: _Dates) -> _Found | None:
    connectors = [
        (at, lead)
        for at, word in enumerate(words)
        if at not in taken and (lead := _CONNECTORS.get(word.text.lower().lstrip("(").rstrip(":"))) is not None
    ]
    found = [_after_connector(at, lead, words, taken, dates) for at, lead in connectors[-MOST_CONNECTORS:]]
    if not any(date and isinstance(date.result, Due) for date in found):
        found.append(_at_the_end(words, taken, dates))
    meant = min((date for date in found if date), key=lambda date: date.rank, default=None)
    return _doubted(meant, words, taken, dates) if meant and isinstance(meant.result, Due) else meant


def _doubted(found: _Found, words: Sequence[_Word], taken: set[int], dates: _Dates) -> _Found:
    """The date, or a question where the words behind it say another: "3pm fryday", "end of year 2032"."""
    stop = found.stop
    while stop < min(found.stop + 2, len(words)) and stop not in taken and not words[stop].is_person:
        stop += 1
    behind = words[found.stop : stop]
    other = dates.read(behind[1:]) if len(behind) > 1 and behind[0].bare == "or" else None
    is_other = other is not None and isinstance(other.result, Due)
    is_other = is_other or bool(behind and _YEAR.fullmatch(behind[0].bare))
    if not is_other and not any(is_slip_of_a_day(word.bare_as_typed) for word in behind):
        return found
    problem = unreadable(_phrase(words[found.start : stop]))
    return replace(found, stop=stop, result=problem, leaves_title=False)


def _after_connector(at: int, lead: _Lead, words: Sequence[_Word], taken: set[int], dates: _Dates) -> _Found | None:
    """The longest date after the connecting word."""
    start = at + 1
    if lead is _Lead.DUE and start < len(words) and words[start].bare in ("by", "on", "before"):
        start += 1
    stop = start
    while stop < len(words) and stop not in taken and not words[stop].is_person:
        stop += 1
    for end in range(min(stop, start + LONGEST_DATE_WORDS), start, -1):
        reading = dates.read(words[start:end])
        if reading is not None and _is_led(reading, lead, is_edge=end == stop, is_first=at == 0):
            # "Decision taken on 3 nov" speaks of the past and is right; the rest is a slip.
            is_told = lead is _Lead.ON and isinstance(reading.result, PastDate)
            return _Found(at, end, lead, reading.result, leaves_title=not is_told)
    return _unread(at, range(start, stop), lead, words, dates)


def _is_led(reading: Reading, lead: _Lead, *, is_edge: bool, is_first: bool) -> bool:
    """Whether a reading after this connecting word is a due date, and not ordinary words."""
    if reading.needs > (Needs.DUE if lead is _Lead.DUE else Needs.CONNECTOR):
        return False
    if isinstance(reading.result, Due):
        return is_edge or is_first or lead in (_Lead.DUE, _Lead.BY)
    if isinstance(reading.result, NoDate) or (isinstance(reading.result, VagueDate) and lead > _Lead.BY):
        return False
    return is_edge


def _unread(at: int, rest: range, lead: _Lead, words: Sequence[_Word], dates: _Dates) -> _Found | None:
    """Words the own grammar cannot read: perhaps another language, and after "due" at the end a question.

    So is the name of a day with a slip in it, after "by" too.
    """
    is_foreign = (dates.locale or "en")[:2].lower() != "en" and 0 < len(rest) <= LONGEST_DATE_WORDS
    is_short = at > 0 and 0 < len(rest) <= LONGEST_UNREAD_WORDS
    bare = [words[each].bare for each in rest] if is_short else []
    is_asked = lead is _Lead.DUE and rest.stop == len(words) and bare and bare[0] not in _NOT_AFTER_DUE
    is_slip = any(is_slip_of_a_day(words[each].bare_as_typed) for each in rest) if is_short else False
    is_near = lead <= _Lead.BY and any(is_nearly_a_day(word) or is_slip_of_a_span(word) for word in bare)
    is_question = is_asked or is_slip or is_near
    if not (is_foreign or is_question):
        return None
    result = dates.read_anyhow(words[rest.start : rest.stop])
    if isinstance(result, Due):
        return _Found(at, rest.stop, lead, result)
    is_clear = not isinstance(result, NoDate | VagueDate)
    return _Found(at, rest.stop, lead, result, leaves_title=is_clear) if is_clear or is_question else None


def _at_the_end(words: Sequence[_Word], taken: set[int], dates: _Dates) -> _Found | None:
    """The longest unmistakable date among the last words, with a title before it; owner and priority may follow."""
    stop = len(words)
    while stop and (stop - 1 in taken or words[stop - 1].is_person):
        stop -= 1
    first = stop
    while first and first - 1 not in taken and not words[first - 1].is_person:
        first -= 1
    has_title = any(at not in taken and not words[at].is_person for at in range(first))
    for start in range(max(first if has_title else first + 1, stop - LONGEST_DATE_WORDS), stop):
        reading = dates.read(words[start:stop])
        if reading is None or reading.needs is not Needs.NOTHING:
            continue
        if start > first and words[start - 1].bare in _CLAIMING:
            if words[start].bare in _NAMES_OF_DUE:
                continue
            return None
        is_today = isinstance(reading.result, PastDate) and reading.result.day == dates.today
        if isinstance(reading.result, NoDate | PastDate | VagueDate) and not is_today:
            return None
        return _Found(start, stop, _Lead.NOTHING, reading.result, leaves_title=isinstance(reading.result, Due))
    return _slip_at_the_end(words, range(first if has_title else first + 1, stop))


def _slip_at_the_end(words: Sequence[_Word], plain: range) -> _Found | None:
    """The misspelt name of a day among the last two words, "fryday 3pm", if no word before it claims it."""
    for at in plain[-2:]:
        before = words[at - 1].bare if at - 1 in plain else ""
        start = at - 1 if before in ("next", "this", "coming") else at
        is_claimed = start > plain.start and words[start - 1].bare in _CLAIMING
        if not is_claimed and is_slip_of_a_day(words[at].bare_as_typed):
            problem = unreadable(_phrase(words[start : plain.stop]))
            return _Found(start, plain.stop, _Lead.NOTHING, problem, leaves_title=False)
    return None


# Changes ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Named:
    """A person who was typed: by id, or by a name that is still to be looked up."""

    user_id: str | None
    name: str


@dataclass(frozen=True)
class Edits:
    """Small changes of a record, typed after its reference: `@ben by monday !high #pilot -#old p4 because …`.

    None and empty mean "leave that alone". `due_words` are those that were read as the date. `cleared` are field keys
    to be emptied. `unread` is the first word that means nothing here; with it or with `due_problem` nothing should be
    changed. Helpers named by nobody are the person who types: `helper` and `unhelp` alone. `repeats` is a rule as
    `models.repeat_words` keeps it, and with `repeat_problem` nothing should be changed either.
    """

    owner: Named | None = None
    due: Due | None = None
    due_words: str = field(default="", compare=False)
    due_problem: DateProblem | None = None
    repeats: str = ""
    repeat_problem: Unread | None = None
    priority: Priority | None = None
    cleared: frozenset[str] = frozenset()
    add_tags: tuple[str, ...] = ()
    drop_tags: tuple[str, ...] = ()
    add_helpers: tuple[Named | None, ...] = ()
    drop_helpers: tuple[Named | None, ...] = ()
    scales: Mapping[str, int] = field(default_factory=dict)
    why: str = ""
    unread: str | None = None
    is_first_unread: bool = False


def read_edits(
    pieces: Sequence[Piece],
    *,
    now: datetime,
    zone: ZoneInfo,
    order: DateOrder,
    is_working_day: WorkingDays = monday_to_friday,
    locale: str | None = None,
    scales: Mapping[str, str] | None = None,
    repeats_by: str = "",
) -> Edits:
    """The changes typed as `pieces`, in any order; takes what `parse_entry` takes. Never raises for any text.

    `repeats_by` is the key of the field by which records of the kind come again, if they do.
    """
    words = _words(pieces)
    dates = _Dates(now, zone, order, is_working_day, locale)
    found = Edits()
    at = 0
    while at < len(words) and found.due_problem is None and found.repeat_problem is None:
        repeated = _repeats_at(words, at, scales or {}, repeats_by) if repeats_by else None
        size, changed = repeated or _edit_at(words, at, scales or {}, dates) or (0, lambda found: found)
        before, found = found, changed(found)
        # A record has one owner and one due date: the second one is not understood.
        is_second = (before.owner and found.owner != before.owner) or (before.due and found.due != before.due)
        if not size or is_second:
            return replace(before, unread=words[at].text, is_first_unread=at == 0)
        at += size
    return found


_Edit = tuple[int, Callable[[Edits], Edits]]

_CLEARING: Final = {
    ("no", "date"): "due_date",
    ("no", "due", "date"): "due_date",
    ("without", "date"): "due_date",
    ("undated",): "due_date",
    ("no", "owner"): "owner_id",
    ("nobody",): "owner_id",
    ("unassigned",): "owner_id",
}
_PRIORITY_WORDS: Final = frozenset({"priority", "prio"})
_EDIT_FILLERS: Final = _PRIORITY_WORDS | {"and", "to", "assign", "owner", "also", "tag", "&", "+"}
_HELPER_WORDS: Final = {"helper": True, "helpers": True, "help": True, "unhelp": False, "unhelper": False}
_EDIT_CONNECTORS: Final = frozenset({"by", "due", "on", "before", "until", "till"})
_UNTAG: Final = re.compile(rf"[-−](?P<tag>#[^\s#]+?)[{_PUNCTUATION}]*")


def _edit_at(words: Sequence[_Word], at: int, scales: Mapping[str, str], dates: _Dates) -> _Edit | None:
    """What stands at that place, in how many words; None when it means nothing."""
    word = words[at]
    if word.bare == "because":
        why = " ".join(each.text for each in words[at + 1 :])
        return len(words) - at, lambda found: replace(found, why=why)
    if word.bare in _HELPER_WORDS:
        return _helpers_at(words, at, is_added=_HELPER_WORDS[word.bare])
    if person := _leaver(word):
        return 1, lambda found: replace(found, drop_helpers=(*found.drop_helpers, person))
    if person := _person(word):
        return 1, lambda found: replace(found, owner=person)
    if word.bare == "me" and at and words[at - 1].bare in ("owner", "assign", "to"):
        return 1, lambda found: replace(found, owner=Named(None, "me"))
    if clearing := _clearing_at(words, at):
        return clearing
    if change := _word_edit(word, scales):
        return 1, change
    if word.bare in _PRIORITY_WORDS and at + 1 < len(words) and words[at + 1].priority_in_words is None:
        return None
    if word.bare in _EDIT_FILLERS and at + 1 < len(words):
        return 1, lambda found: found
    return _date_at(words, at, scales, dates)


def _repeats_at(words: Sequence[_Word], at: int, scales: Mapping[str, str], key: str) -> _Edit | None:
    """`every monday`, `repeats weekly`, `no repeat`: what the field of that key is to hold."""
    first, second = [*(word.bare for word in words[at : at + 2]), "", ""][:2]
    if first == "no" and second in ("repeat", "repeats"):
        return 2, lambda found: replace(found, cleared=found.cleared | {key})
    if first in ("repeat", "repeats") and second:
        return 1, lambda found: found
    if first not in _REPEAT_STARTS:
        return None
    stop = at
    while stop < len(words) and _may_be_of_a_date(words[stop], scales):
        stop += 1
    repeat = _longest_repeat(words, at, stop)
    if repeat is None and first in ("every", "each"):
        repeat = _as_repeat(words, at, stop)
    if repeat is None:
        return None
    return repeat.stop - at, lambda found: replace(found, repeats=repeat.rule, repeat_problem=repeat.problem)


def _clearing_at(words: Sequence[_Word], at: int) -> _Edit | None:
    phrases = (tuple(each.bare for each in words[at : at + size]) for size in (3, 2, 1))
    phrase = next((phrase for phrase in phrases if phrase in _CLEARING), None)
    if phrase is None:
        return None
    return len(phrase), lambda found: replace(found, cleared=found.cleared | {_CLEARING[phrase]})


def _person(word: _Word) -> Named | None:
    if word.is_mention:
        return Named(word.mentions[0].user_id, word.mentions[0].name)
    return Named(None, word.handle) if word.handle else None


def _leaver(word: _Word) -> Named | None:
    """The person in "-@ben"."""
    if word.text[:2] not in ("-@", "−@"):
        return None
    if word.mentions:
        return Named(word.mentions[0].user_id, word.mentions[0].name)
    match = _HANDLE.fullmatch(word.text[1:])
    return Named(None, match["name"]) if match else None


def _helpers_at(words: Sequence[_Word], at: int, *, is_added: bool) -> _Edit:
    """`helper @ben and @kavya -@tane`: everybody up to the first word that is nobody."""
    added: list[Named | None] = []
    dropped: list[Named | None] = []
    stop = at + 1
    while stop < len(words) and (_person(words[stop]) or _leaver(words[stop]) or words[stop].bare in ("and", "&")):
        if leaver := _leaver(words[stop]):
            dropped.append(leaver)
        elif person := _person(words[stop]):
            (added if is_added else dropped).append(person)
        stop += 1
    if not added and not dropped:
        (added if is_added else dropped).append(None)
    return stop - at, lambda found: replace(
        found,
        add_helpers=(*found.add_helpers, *added),
        drop_helpers=(*found.drop_helpers, *dropped),
    )


def _word_edit(word: _Word, scales: Mapping[str, str]) -> Callable[[Edits], Edits] | None:
    """The change that one word makes by itself: a priority, a tag, a scale."""
    if priority := word.priority_in_words:
        return lambda found: replace(found, priority=priority)
    if (match := _UNTAG.fullmatch(word.text)) and is_tag(gone := normal(match["tag"])):
        return lambda found: replace(found, drop_tags=(*found.drop_tags, gone))
    if not word.is_plain:
        return None
    if (match := _TAG.fullmatch(word.text)) and is_tag(tag := normal(match["tag"])):
        return lambda found: replace(found, add_tags=(*found.add_tags, tag))
    match = _SCALE.fullmatch(word.text)
    key = match and scales.get(match["name"].lower())
    if match and key:
        points = int(match["points"])
        return lambda found: replace(found, scales={**found.scales, key: points})
    return None


def _date_at(words: Sequence[_Word], at: int, scales: Mapping[str, str], dates: _Dates) -> _Edit | None:
    """The longest date that begins there, after a connecting word or without one."""
    start = at
    while start < len(words) and words[start].bare in _EDIT_CONNECTORS and start - at < 2:
        start += 1
    stop = start
    while stop < len(words) and _may_be_of_a_date(words[stop], scales):
        stop += 1
    problem: DateProblem | None = None
    for end in range(min(stop, start + LONGEST_DATE_WORDS), start, -1):
        reading = dates.read(words[start:end])
        if reading is not None and isinstance(reading.result, Due):
            return end - at, _dated(reading.result, words[at:end])
        problem = problem or (reading.result if reading and isinstance(reading.result, DateProblem) else None)
    is_foreign = (dates.locale or "en")[:2].lower() != "en"
    if stop == start or (problem is None and start == at and not is_foreign):
        return None
    result = problem or dates.read_anyhow(words[start:stop])
    if isinstance(result, Due):
        return stop - at, _dated(result, words[at:stop])
    is_meant = start > at or problem is not None
    return (stop - at, lambda found: replace(found, due_problem=result)) if is_meant else None


def _dated(due: Due, words: Sequence[_Word]) -> Callable[[Edits], Edits]:
    said = _phrase(words)
    return lambda found: replace(found, due=due, due_words=said)


def _may_be_of_a_date(word: _Word, scales: Mapping[str, str]) -> bool:
    ends = _person(word) or _leaver(word) or word.bare in ("because", *_HELPER_WORDS) or not word.is_plain
    return not ends and _word_edit(word, scales) is None
