"""Whether something is in the log already: open records of the same kind and project whose titles say the same.

Titles say the same when, articles and small words aside, each word of the one has its like in the other: the same
word, its plural, or the same but for a slip of the key. Numbers must agree, since rack 3 is not rack 4. A title of
three words and more may have some words that the other lacks, a shorter one none: "Order cables" is not "Order cables
for Paris".
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from functools import cache, lru_cache
from typing import Any, Final

from sqlalchemy import Integer, String, bindparam, case, func
from sqlalchemy.orm import load_only
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select

from models.database import rows
from models.inserting import new
from models.kinds import Kind
from models.permissions import CONDITIONS_KEPT, Actor, visible_records
from models.search import BEGINNING, answering, most_of
from models.tables import Project, Record
from models.words import ways_to_find, words_of

MOST_CANDIDATES: Final = 20
MOST_SHOWN: Final = 3

# Of a project with more open records of a kind those that were logged last are compared with a whole list.
MOST_COMPARED: Final = 5_000

# The share of the longer title's words that the other may lack.
MOST_LACKING: Final = 0.4

_SMALL_WORDS: Final = (
    "a an and are as at be been before by der die das de den des du el en et for from has have in into is it its la le "
    "les of on or our still that the their this to und was were will with y"
)
_SMALL: Final = frozenset(_SMALL_WORDS.split(" "))
MOST_ASKED: Final = 6
_DIGIT: Final = re.compile(r"\d")


_NAMING: Final[tuple[Any, ...]] = (
    Record.id,
    Record.kind,
    Record.number,
    Record.title,
    Record.status,
    Record.owner_id,
)


async def likely(session: AsyncSession, actor: Actor, project: Project, kind: Kind, title: str) -> list[Record]:
    """Up to three open records of the project that say the same and that the actor may see, likest first.

    One statement, which looks at twenty records at most. They hold no more than what names them, and are no part of
    the session.
    """
    numbers, others = _asked(title)
    if not (numbers or others):
        return []
    said = " ".join(words_of(title))
    known = {
        "question": most_of(session, kind, others, numbers),
        "project_id": project.id,
        "kind": kind.key,
        "ending": f" {said}",
        "length": len(said),
    }
    found = await rows(session, _candidates(actor, session.get_bind().dialect.name), known)
    candidates = (new(Record, **row._mapping) for row in found)
    return [record for record in candidates if say_the_same(title, record.title)][:MOST_SHOWN]


@lru_cache(maxsize=CONDITIONS_KEPT)
def _candidates(actor: Actor, dialect: str) -> Select[Any, Any]:
    """What may say the same, likest first: with the very title, or not much longer or shorter."""
    stored = col(Record.title_words)
    says_the_same = stored.endswith(bindparam("ending", type_=String))
    unlikeness = case((says_the_same, 0), else_=1 + func.abs(func.length(stored) - bindparam("length", type_=Integer)))
    question: Select[Any, Any] = (
        select(*_NAMING)
        .join(Project, col(Project.id) == col(Record.project_id))
        .where(
            answering(dialect, bindparam("question", type_=String)),
            col(Record.project_id) == bindparam("project_id", type_=Integer),
            col(Record.kind) == bindparam("kind", type_=String),
            col(Record.is_open),
            col(Record.is_archived).is_(False),
            visible_records(actor),
        )
        .order_by(unlikeness, col(Record.id).desc())
        .limit(MOST_CANDIDATES)
    )
    return question


async def likely_of_each(
    session: AsyncSession, actor: Actor, project: Project, wanted: Sequence[tuple[Kind, str]]
) -> list[list[Record]]:
    """For each kind and title what `likely` would find, in one statement however many they are.

    The records hold no more than what names them.
    """
    if project.id is None or not wanted:
        return [[] for _ in wanted]
    query = (
        select(Record)
        .options(load_only(*_NAMING, raiseload=True))
        .join(Project, col(Project.id) == col(Record.project_id))
        .where(
            col(Record.project_id) == project.id,
            col(Record.kind).in_({kind.key for kind, _ in wanted}),
            col(Record.is_open),
            col(Record.is_archived).is_(False),
            visible_records(actor),
        )
        .order_by(col(Record.id).desc())
        .limit(MOST_COMPARED)
    )
    open_ones = _Titles((await session.exec(query)).all())
    return [open_ones.like(kind, title)[:MOST_SHOWN] for kind, title in wanted]


class _Titles:
    """Records by the words of their titles and by how these begin."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._having: defaultdict[tuple[str, str], list[tuple[Record, Set[str]]]] = defaultdict(list)
        for record in records:
            words = set(_telling(record.title))
            words |= {_beginning(word) for word in words}
            for word in words:
                self._having[record.kind, word].append((record, words))

    def like(self, kind: Kind, title: str) -> list[Record]:
        """Those that say the same, the closest first; looked for as `most_of` does."""
        words = {word for each in _asked(title) for word in each}
        sought, may_lack = (words, 1) if len(words) > 2 else ({_beginning(word) for word in words}, 0)
        # Whatever lacks at most one of the words has one of the two least common ones.
        rare = sorted((self._having.get((kind.key, word), []) for word in sought), key=len)[: may_lack + 1]
        found = {
            record.id: record
            for having in rare
            for record, its_words in having
            if len(sought - its_words) <= may_lack and say_the_same(title, record.title)
        }
        return sorted(found.values(), key=lambda each: _distance(title, each.title))


def _distance(one: str, other: str) -> tuple[bool, int]:
    """How far two titles that say the same are apart, as `_candidates` has it."""
    return words_of(one) != words_of(other), abs(len(one) - len(other))


def _asked(title: str) -> tuple[list[str], list[str]]:
    """The words of a title to look for: its numbers, which must agree, and the longest of the others."""
    words = set(_telling(title))
    numbers = _numbers(words)[:MOST_ASKED]
    others = sorted(words.difference(numbers), key=lambda word: (-len(word), word))
    return numbers, others[: MOST_ASKED - len(numbers)]


def _beginning(word: str) -> str:
    return f"{word[:BEGINNING]}…"


def say_the_same(one: str, other: str) -> bool:
    """Whether two titles are likely to mean the same piece of work, risk or the like."""
    short, long = sorted((_telling(one), _telling(other)), key=len)
    if not short or _numbers(short) != _numbers(long):
        return False
    left = list(long)
    for word in short:
        like = next((each for each in left if each == word), None) or next((e for e in left if _alike(word, e)), None)
        if like is None:
            return False
        left.remove(like)
    return not left or (len(short) > 2 and len(left) / len(long) <= MOST_LACKING)


@lru_cache(maxsize=1_000)
def _telling(title: str) -> tuple[str, ...]:
    """The words that tell titles apart, joined ones as one; all of them where there are only small ones."""
    found = tuple(word for typed in title.split() for way in ways_to_find(typed)[:1] for word in way)
    return tuple(word for word in found if word not in _SMALL) or found


def _numbers(words: Iterable[str]) -> list[str]:
    """What names one among several: numbers, and references such as `fw1`."""
    return sorted(filter(_DIGIT.search, words))


def _alike(one: str, other: str) -> bool:
    """The same word but for an ending or a slip of the key. In short words each letter tells, and so does the first."""
    if one[0] != other[0]:
        return False
    short, long = sorted((one, other), key=len)
    if long in (f"{short}s", f"{short}es", f"{short}ed", f"{short}d"):
        return True
    return len(short) > 4 and _osa().distance(one, other, score_cutoff=2) <= (1 if len(short) < 9 else 2)


@cache
def _osa() -> Any:
    from rapidfuzz.distance import OSA  # with it comes all of its package, so not before two words are nearly alike

    return OSA
