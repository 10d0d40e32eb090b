"""A list as people paste it: one record a line, with bullets, numbers, checkboxes and the kind's name before it.

    - [ ] Order cables @ben by friday
    2. R: Switch may arrive late p4 i3
         the supplier has not confirmed

A line indented below another is details of it. A kind's name alone ("Risks:", "## Risks") holds for the lines below it,
and a line of nothing but dashes, or a bullet alone, is none.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from models.entry import Mention, Piece
from models.kinds import KINDS, Kind, kind_named
from models.tables import Person

MOST_RECORDS: Final = 50
DEEPER: Final = 2  # spaces, from which on a line is indented below another

TICKED: Final = "It was ticked in your list; here it is logged as open."


@dataclass(frozen=True)
class Pasted:
    """One record of the list, without what stood before its words. `line` counts from 1, empty lines included."""

    line: int
    kind: Kind
    words: str
    details: str = ""
    is_ticked: bool = False


_MARKER: Final = re.compile(r"(?:[-*+•◦▪‣⁃·–—]|\d{1,3}[.)]|\(\d{1,3}\)|[a-z][.)])\s+", re.IGNORECASE)
_BOX: Final = re.compile(r"(?:\[(?P<mark>[ xX✓✔]?)\]|(?P<sign>[☐☑☒✅✔]))\s*")
_RULED: Final = re.compile(r"[-–—_=*+#~|•·.:\s]+")
_KIND: Final = re.compile(r"#{0,4}\s*(?P<word>[A-Za-z]+)\s*:\s*")


def read_list(text: str, default: Kind) -> list[Pasted]:
    """The records of a pasted list; `default` is the kind of those that name none."""
    found: list[Pasted] = []
    kind, level = default, 0
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or _RULED.fullmatch(line):
            continue
        indent = len(line.expandtabs(4)) - len(line.expandtabs(4).lstrip())
        if found and indent >= level + DEEPER:
            found[-1] = replace(found[-1], details=f"{found[-1].details}\n{line.strip()}".strip())
            continue
        words, is_ticked = _without_marker(line.strip())
        named, rest = _kind_before(words)
        if named and not rest:
            kind = named
        else:
            level = indent
            found.append(Pasted(number, named or kind, rest, is_ticked=is_ticked))
    return found


def _without_marker(line: str) -> tuple[str, bool]:
    """The line without bullet, number and checkbox, and whether the box was ticked."""
    marker = _MARKER.match(line)
    words = line[marker.end() :] if marker else line
    box = _BOX.match(words)
    if box is None:
        return words, False
    is_ticked = (box["mark"] or "").strip() != "" or (box["sign"] or "☐") != "☐"
    return words[box.end() :], is_ticked


def _kind_before(words: str) -> tuple[Kind | None, str]:
    """The kind that "risk:" or "R:" at the beginning names, and what follows it; None and all of it."""
    heading = words.strip("#*_: ").lower()
    if kind := next((kind for kind in KINDS if heading in (kind.plural, f"{kind.singular} items")), None):
        return kind, ""
    match = _KIND.match(words)
    if match is None:
        return None, words
    word = match["word"]
    kind = kind_named(word) or next((kind for kind in KINDS if word == kind.letter), None)
    return (kind, words[match.end() :]) if kind else (None, words)


# People ------------------------------------------------------------------------------------------------------------

_WORD: Final = r"[^\W\d_][\w.'’-]*"
_NAMED: Final = re.compile(rf"""@(?:["“](?P<quoted>[^"“”\n]+)["”]|(?P<words>{_WORD}(?: {_WORD}){{0,2}}))""")

# Whoever goes by a name, by the name in small letters.
Known = Mapping[str, Sequence[Person]]


def names_in(text: str) -> set[str]:
    """Every name that may stand after an "@", of one word up to three; in small letters."""
    return {name for match in _NAMED.finditer(text) for name in _candidates(match)}


def with_people(text: str, known: Known) -> list[Piece]:
    """The text with full names, as copied from Slack ("@Ben Fischer"), turned into the people they are."""
    found: list[Piece] = []
    position = 0
    for match in _NAMED.finditer(text):
        for name in _candidates(match):
            people = known.get(name, ())
            if " " in name and len(people) == 1 and people[0].real_name.lower() == name:
                end = match.end() if match["quoted"] else match.start() + 1 + len(name)
                found += [text[position : match.start()], Mention(people[0].id, people[0].shown_name)]
                position = end
                break
    return [piece for piece in (*found, text[position:]) if piece != ""]


def _candidates(match: re.Match[str]) -> Iterator[str]:
    """The names that a match may mean, the longest first."""
    if match["quoted"]:
        yield " ".join(match["quoted"].split()).lower()
        return
    words = match["words"].lower().split(" ")
    for length in range(len(words), 0, -1):
        yield " ".join(words[:length]).rstrip(".'’-")
