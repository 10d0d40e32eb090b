"""Enumerations whose members carry the word a person reads."""

from enum import StrEnum
from typing import Any, Self

from sqlalchemy import Case, case


class Labelled(StrEnum):
    """A stored value with its label, in the order in which a person would list them."""

    label: str

    def __new__(cls, value: str, label: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label or value
        return member

    @property
    def rank(self) -> int:
        """Position in the list of members, from 0."""
        return list(type(self)).index(self)

    @classmethod
    def ranked(cls, column: Any) -> Case[int]:
        """The rank of what the column holds, as an expression of a query; null where it holds nothing."""
        return case({each.value: each.rank for each in cls}, value=column)

    @classmethod
    def at_start(cls, words: str) -> tuple[Self | None, str]:
        """The member that the words begin with, by value or label in any case, and the rest; None and all of them."""
        typed = words.split()
        for length in range(len(typed), 0, -1):
            name = " ".join(typed[:length]).lower().rstrip(",.:;")
            member = next((each for each in cls if name in (each.value.replace("_", " "), each.label.lower())), None)
            if member is not None:
                return member, words.split(maxsplit=length)[length] if len(typed) > length else ""
        return None, words


class Priority(Labelled):
    LOW = "low", "Low"
    NORMAL = "normal", "Normal"
    HIGH = "high", "High"
    CRITICAL = "critical", "Critical"


class Confidentiality(Labelled):
    """Who sees a record: everybody who sees its project, or of them only those involved."""

    OPEN = "open", "Whoever sees the project"
    CONFIDENTIAL = "confidential", "Confidential"


class EscalationLevel(Labelled):
    """To whom something was raised so far."""

    OWNER = "owner", "Owner"
    COORDINATOR = "coordinator", "Coordinator"
    SPONSOR = "sponsor", "Sponsor"


class LinkType(Labelled):
    """How one record is linked to another. The label is read from the one, `inverse` from the other."""

    BLOCKS = "blocks", "Blocks"
    MITIGATES = "mitigates", "Mitigates"
    CAUSES = "causes", "Causes"
    RESULTS_IN = "results_in", "Results in"
    SUPERSEDES = "supersedes", "Supersedes"
    DUPLICATES = "duplicates", "Duplicates"
    PART_OF = "part_of", "Part of"
    FOLLOWS = "follows", "Follows"

    @property
    def inverse(self) -> str:
        return _INVERSE[self]

    @property
    def is_one_way(self) -> bool:
        """Whether it leads from a part to the one whole that it belongs to, so that nothing comes round to itself."""
        return self is LinkType.PART_OF


class SourceChange(Labelled):
    """What became of the message a record was made from; the label completes "The message it came from was"."""

    EDITED = "edited", "edited"
    DELETED = "deleted", "deleted"


_INVERSE = {
    LinkType.BLOCKS: "Blocked by",
    LinkType.MITIGATES: "Mitigated by",
    LinkType.CAUSES: "Caused by",
    LinkType.RESULTS_IN: "Results from",
    LinkType.SUPERSEDES: "Superseded by",
    LinkType.DUPLICATES: "Duplicated by",
    LinkType.PART_OF: "Has part",
    LinkType.FOLLOWS: "Followed by",
}
