"""Tags: short words by which records are found, written as `#pilot`. Stored in lower case, one space between."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

MOST_TAGS: Final = 20
LONGEST_TAG: Final = 40

# A letter first, so that "#12" stays the number that somebody else gave; then anything but marks that part or quote.
TAG: Final = re.compile(r"""[^\W\d_][^\s,;:.!?#@<>&*`~|"'“”„()\[\]{}/\\]*""")


def is_tag(word: str) -> bool:
    """Whether the word, without its #, can be a tag as it stands."""
    return len(word) <= LONGEST_TAG and TAG.fullmatch(word) is not None


def normal(word: str) -> str:
    """The one way a tag is written, whoever types it."""
    return unicodedata.normalize("NFC", word.strip().removeprefix("#").lower())


def joined(words: Iterable[str]) -> str:
    """Tags as a record keeps them: each once, in the order given."""
    return " ".join(dict.fromkeys(filter(None, map(normal, words))))


def read_tags(typed: str) -> str:
    """What a person typed into a form, separated by commas or spaces, as a record keeps it; not yet checked."""
    return joined(re.split(r"[\s,;]+", typed))


def problem(tags: str) -> str | None:
    """What is wrong with tags as a record would keep them, as a sentence."""
    words = tags.split()
    if len(words) > MOST_TAGS:
        return f"At most {MOST_TAGS} tags; these are {len(words)}."
    strange = next((word for word in words if not is_tag(word)), None)
    if strange is None:
        return None
    return f"“{strange}” cannot be a tag: a letter first, no marks but - and _, {LONGEST_TAG} characters at most."


def shown(tags: str) -> str:
    """`#network #pilot`."""
    return " ".join(f"#{tag}" for tag in tags.split())
