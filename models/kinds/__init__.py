"""The record kinds. A new kind is one file beside this one, one line in `KINDS` and a migration."""

import re
from collections import Counter

from models.kinds.action import ACTION
from models.kinds.assumption import ASSUMPTION
from models.kinds.base import FieldType, Item, Kind
from models.kinds.decision import DECISION
from models.kinds.dependency import DEPENDENCY
from models.kinds.issue import ISSUE
from models.kinds.risk import RISK
from models.tables import Record

__all__ = ["KINDS", "Item", "Kind", "check", "kind_named", "kind_of", "read_reference"]

KINDS: tuple[Kind, ...] = (ACTION, RISK, ISSUE, DECISION, ASSUMPTION, DEPENDENCY)


_BY_KEY = {kind.key: kind for kind in KINDS}


def kind_of(key: str) -> Kind:
    """The kind of that key, as records keep it. Raises KeyError."""
    return _BY_KEY[key]


def kind_named(word: str) -> Kind | None:
    """The kind a person means by its name, one or many, or None."""
    word = word.lower()
    return next((kind for kind in KINDS if word in (kind.key, kind.singular, kind.plural)), None)


def read_reference(text: str) -> tuple[Kind, int] | None:
    """Kind and number of `A12`, `a12` or `A-12`; None for anything else, also for a letter no kind has."""
    match = re.fullmatch(r"([A-Za-z]{1,2})-?([1-9]\d{0,8})", text.strip())
    kind = match and next((kind for kind in KINDS if kind.letter == match[1].upper()), None)
    return (kind, int(match[2])) if match and kind else None


def check(described: tuple[Kind, ...]) -> None:
    """Raise ValueError, naming the kind, when a description contradicts itself or its table."""
    for kind in described:
        for problem in _problems(kind):
            raise ValueError(f"record kind {kind.key!r}: {problem}")
        for follow_up in kind.follow_ups:
            if follow_up.makes not in {each.key for each in (*described, *KINDS)}:
                raise ValueError(f"record kind {kind.key!r}: {follow_up.key!r} makes an unknown kind")
    for trait in ("key", "letter"):
        for value, times in Counter(getattr(kind, trait) for kind in described).items():
            if times > 1:
                raise ValueError(f"two record kinds use the {trait} {value!r}")


def _problems(kind: Kind) -> list[str]:
    columns = set(kind.model.model_fields) | set(Record.model_fields)
    problems = [f"no column for field {field.key!r}" for field in kind.all_fields if field.key not in columns]
    problems += [f"field {field.key!r} has no help" for field in kind.all_fields if not field.help]
    problems += [
        f"field {field.key!r} is a choice without choices"
        for field in kind.all_fields
        if field.type is FieldType.CHOICE and not field.choices
    ]
    keys = Counter(field.key for field in kind.all_fields)
    problems += [f"two fields have the key {key!r}" for key, times in keys.items() if times > 1]
    named = [
        *kind.closed,
        *kind.awaits_approval,
        *(status for step in kind.steps for status in (*step.begins, step.to)),
        *(status for each in kind.follow_ups for status in (*each.begins, *filter(None, [each.to]))),
    ]
    problems += [f"status {str(status)!r} is unknown" for status in named if status not in list(kind.statuses)]
    words = Counter(word for step in kind.steps for word in (step.key, *step.words))
    words.update(word for each in kind.follow_ups for word in (each.key, *each.words))
    problems += [f"two steps answer to {word!r}" for word, times in words.items() if times > 1]
    ranked_by = {kind.ranked_by} - {"", *(field.key for field in kind.all_fields if field.choices)}
    problems += [f"it is ranked by {key!r}, which is no choice" for key in ranked_by]
    asked = {step.asks for step in kind.steps if step.asks}
    answers = {field.key for field in kind.all_fields if field.by_step and field.choices}
    problems += [f"a step asks for {key!r}, which is no choice marked as asked by a step" for key in asked - answers]
    problems += [f"no step asks for field {key!r}" for key in answers - asked]
    problems += [
        f"no field {each.field!r} would settle {each.key!r}" for each in kind.concerns if each.field not in keys
    ]
    if not re.fullmatch(r"[A-Z]{1,2}", kind.letter):
        problems.append(f"the letter {kind.letter!r} must be one or two capitals, as in a reference")
    if not kind.help or not kind.example:
        problems.append("help and example are needed")
    return problems


check(KINDS)
