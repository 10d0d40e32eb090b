"""Text as words: how what is stored and what is looked for become comparable, whatever the database and the language.

Case, accents and the many ways of writing one letter make no difference. `fail-over` is found by its parts and as one
word. Scripts that put no spaces between words are cut into pairs of letters, and an emoji is a word of its own.
The words hold nothing but letters, digits and emoji, so that no typed text is ever read as a question's grammar.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

LONGEST_WORD: Final = 40

# Points and accents above and below letters, which many people leave out when they type: of Latin, Greek and Cyrillic
# letters, Hebrew and Arabic ones, and of symbols; skin tones and the joiners inside emoji.
_LEFT_OUT: Final = re.compile(
    "[\u0300-\u036f\u0591-\u05c7\u0640\u064b-\u065f\u0670\u20d0-\u20ff\ufe00-\ufe0f\u00ad\u200b-\u200d\u2060\ufeff"
    "\U0001f3fb-\U0001f3ff]"
)
# Letters that are no accented form of another for Unicode, and are for whoever has not got the key.
_PLAINER: Final = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ŧ": "t"}
)
# Thai, Lao, Burmese, Khmer, kana, Han.
_UNSPACED: Final = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30ff\u3400-\u9fff\U00020000-\U0003ffff"
_HAS_UNSPACED: Final = re.compile(f"[{_UNSPACED}]")
_RUN: Final = re.compile(f"(?P<unspaced>[{_UNSPACED}]+)|[^{_UNSPACED}]+")
_UNSEEN: Final = frozenset({"Zs", "Zl", "Zp", "Cf"})
_JOINERS: Final = frozenset("-‐‑'’._")
_JOINT: Final = "-"


def words_of(text: str) -> list[str]:
    """The words of the text in order; joined ones, such as `fail-over`, by their parts."""
    return [word for parts in _chunks(text) for part in parts for word in _parted(part)]


def joined_words_of(text: str) -> list[str]:
    """What the joined words of the text are as one word: `failover`."""
    return [
        "".join(parts)[:LONGEST_WORD]
        for parts in _chunks(text)
        if len(parts) > 1 and not _HAS_UNSPACED.search("".join(parts))
    ]


def ways_to_find(text: str) -> list[list[str]]:
    """What is looked for where a person typed that word: the words of one of these ways, the last one's beginning.

    None for what holds no word, such as a dash.
    """
    words, joined = words_of(text), joined_words_of(text)
    return [way for way in (joined, words) if way]


def folded_with_places(text: str) -> tuple[str, Sequence[int]]:
    """The text as it is compared, with joints as `-`, and for each of its characters where in the text it stands."""
    if text.isascii():
        return text.translate(_ASCII), range(len(text))
    folded = [(each, place) for place, char in enumerate(text) for each in _folded(char)]
    return "".join(each for each, _ in folded), [place for _, place in folded]


def is_seen(text: str) -> bool:
    """Whether a reader sees anything of the text: joiners and spaces of no width show nothing."""
    return any(unicodedata.category(char) not in _UNSEEN for char in text.strip())


def is_unspaced(text: str) -> bool:
    """Whether some of it is written in a script that puts no spaces between words."""
    return _HAS_UNSPACED.search(text) is not None


def _chunks(text: str) -> list[list[str]]:
    """What stands between spaces and marks, folded, by its parts."""
    folded = "".join(map(_folded, unicodedata.normalize("NFKC", text)))
    chunks = ([part for part in chunk.split(_JOINT) if part] for chunk in folded.split())
    return [parts for parts in chunks if parts]


def _parted(word: str) -> list[str]:
    """The word itself; where it has no spaces, its pairs of letters and the last letter, so that any part is found."""
    found = []
    for run in _RUN.finditer(word):
        letters = run[0]
        is_unspaced = run["unspaced"] is not None
        found += [letters[at : at + 2] for at in range(len(letters))] if is_unspaced else [letters[:LONGEST_WORD]]
    return found


@lru_cache(maxsize=20_000)
def _folded(char: str) -> str:
    """What a character is compared as: letters and digits in their plainest form, a joint, a space, or nothing."""
    if _LEFT_OUT.fullmatch(char):
        return ""
    if char in _JOINERS:
        return _JOINT
    category = unicodedata.category(char)
    if category == "So":
        return f" {char} "
    if category[0] not in "LMN":
        return " "
    plainest = _LEFT_OUT.sub("", unicodedata.normalize("NFKD", char.casefold()).casefold()).translate(_PLAINER)
    return "".join(part for part in unicodedata.normalize("NFC", plainest) if unicodedata.category(part)[0] in "LMN")


# One character each, which is what makes `folded_with_places` quick for most texts.
_ASCII: Final = {code: _folded(chr(code)) for code in range(128)}
