"""Records to be: what a pasted list or a table says, read and checked before anything is stored."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from models.operations import New


@dataclass(frozen=True)
class Fault:
    """Why a record cannot be stored: what is wrong with the field or column of that label."""

    label: str
    sentence: str


@dataclass(frozen=True)
class Draft:
    """One record to be, from the `line` it begins on. `notes` are sentences of what was left out or moved.

    `looks_like` is a sentence that names open records which may be the same; it is no part of the fingerprint.
    """

    line: int
    new: New
    notes: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    looks_like: str = ""


def storable(drafts: Sequence[Draft]) -> list[Draft]:
    """Those that can be stored."""
    return [draft for draft in drafts if not draft.faults]


def fingerprint(*parts: object) -> str:
    """A short mark of the same drafts, or whatever else is given: another one when anything in them differs."""
    told = json.dumps(parts, default=_told, ensure_ascii=False)
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _told(part: object) -> object:
    if isinstance(part, Draft):
        new = part.new
        return [part.line, new.kind.key, dict(new.values), new.status, part.notes, len(part.faults)]
    return str(part)
