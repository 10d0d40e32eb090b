"""Enumerations whose members carry the word a person reads."""

from enum import StrEnum
from typing import Self


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


class Priority(Labelled):
    LOW = "low", "Low"
    NORMAL = "normal", "Normal"
    HIGH = "high", "High"
    CRITICAL = "critical", "Critical"
