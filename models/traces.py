"""What leads back to a person in a text: their id, a mention, their names in any spelling; and texts without it."""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from models.erased import NAME
from models.words import folded_with_places, is_unspaced

# A single word this short says too little: it is theirs only where an @ stands before it.
SHORTEST_NAME: Final = 3
_ADDRESS_GOES_ON: Final = re.compile(r"@[\w.-]*\w")
_JOINED: Final = re.compile(r"[\w.'’_-]")


@dataclass(frozen=True)
class Traces:
    """How to find somebody in a text.

    `ids` are Slack's ids of them and of their conversation with Steward. `others` are the names of everybody else: one
    that holds a name of theirs stays whole. `spared` are names of theirs that are ordinary words too: of `will`, only
    `@will` is theirs.
    """

    ids: frozenset[str]
    names: frozenset[str]
    stand_in: str
    spared: frozenset[str] = frozenset()
    others: frozenset[str] = field(default=frozenset(), repr=False)

    def cleaned(self, value: Any) -> Any:
        """The value without any trace, in whatever lists and objects it lies; the same object where there was none."""
        if isinstance(value, str):
            return self.cleaned_text(value)
        if isinstance(value, list):
            made: Any = [self.cleaned(each) for each in value]
        elif isinstance(value, dict):
            made = {self.cleaned_text(key): self.cleaned(each) for key, each in value.items()}
        else:
            return value
        return made if made != value else value

    def cleaned_text(self, text: str) -> str:
        """The text with a word for the person in the place of mention and names, and their stand-in in that of ids."""
        text = self._mentions.sub(NAME, text)
        text = self._ids.sub(self.stand_in, text)
        if self._names is None:
            return text
        folded, places = folded_with_places(text)
        found, end, at = [], 0, 0
        while match := self._names.search(folded, at):
            start, stop = self._whole(text, places[match.start()], places[match.end() - 1] + 1)
            at = match.end()
            if self._is_meant(text, start, stop, match[0]):
                found += [text[end:start], NAME]
                end, at = stop, bisect_left(places, stop)
        return "".join([*found, text[end:]]) if found else text

    def cleaned_tags(self, tags: str) -> str:
        """Tags as a record keeps them, each still one word."""
        return " ".join(dict.fromkeys("-".join(self.cleaned_text(tag).split()) for tag in tags.split(" ")))

    def _whole(self, text: str, start: int, stop: int) -> tuple[int, int]:
        """The name with the @ before it, or with the address that it begins."""
        if text[start - 1 : start] == "@":
            start -= 1
        while stop < len(text) and unicodedata.combining(text[stop]):
            stop += 1
        goes_on = _ADDRESS_GOES_ON.match(text, stop)
        return start, goes_on.end() if goes_on else stop

    def _is_meant(self, text: str, start: int, stop: int, name: str) -> bool:
        if name in self._only_with_at and not text[start:stop].startswith("@"):
            return False
        first, last = start, stop
        while first > 0 and _JOINED.match(text[first - 1]):
            first -= 1
        while last < len(text) and _JOINED.match(text[last]):
            last += 1
        return (first, last) == (start, stop) or _plain(text[first:last]) not in self._names_of_others

    @cached_property
    def _mentions(self) -> re.Pattern[str]:
        return re.compile(rf"<@(?:{_any_of(self.ids)})(?:\|[^>]*)?>", re.IGNORECASE)

    @cached_property
    def _ids(self) -> re.Pattern[str]:
        return re.compile(rf"(?<![A-Za-z0-9])(?:{_any_of(self.ids)})(?![A-Za-z0-9])", re.IGNORECASE)

    @cached_property
    def _names(self) -> re.Pattern[str] | None:
        ways = {_way(parts) for name in self.names for parts in _orders(name) if parts}
        return re.compile("|".join(sorted(ways, key=len, reverse=True))) if ways else None

    @cached_property
    def _only_with_at(self) -> frozenset[str]:
        short = {_plain(name) for name in self.names if len(_plain(name)) < SHORTEST_NAME and not is_unspaced(name)}
        return frozenset(short | set(map(_plain, self.spared)))

    @cached_property
    def _names_of_others(self) -> frozenset[str]:
        return frozenset(map(_plain, self.others))


def _plain(name: str) -> str:
    """The name as names are compared: its parts with one space between."""
    return " ".join(re.split(r"[\s-]+", folded_with_places(name)[0].strip(" -")))


def _orders(name: str) -> Iterable[list[str]]:
    """The parts of the name as it is said, and with its last part first; those of an address as they are."""
    parts = _plain(name).split()
    return [parts] if "@" in name else [parts, [*parts[-1:], *parts[:-1]]]


def _way(parts: list[str]) -> str:
    """The parts side by side, however they are joined, and no part of a longer word where words have ends."""
    together = r"[\s-]*".join(map(re.escape, parts))
    return together if is_unspaced(together) else rf"(?<!\w){together}(?!\w)"


def _any_of(ids: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(ids)))
