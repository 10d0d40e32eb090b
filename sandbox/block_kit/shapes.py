"""The small language in which Block Kit's tables are written: what a value may be, and how a wrong one is named.

Every shape has one method, `check(value, path, walk)`, which adds what is wrong to `walk` and never raises. The
wordings are those of Slack's open-source JSON schema validator (slackhq/hack-json-schema), lengths count code points.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

Path = tuple[str | int, ...]
Role = Literal["block", "element"]


class Violation(NamedTuple):
    """One thing that Slack refuses: where it stands from the document's root, a short code, Slack's wording."""

    path: Path
    code: str
    message: str


class Node(NamedTuple):
    """A block or an element met on the way, with the blocks that hold it, outermost first."""

    role: Role
    kind: str
    value: dict[str, Any]
    path: Path
    inside: tuple["Node", ...]


@dataclass(slots=True)
class Walk:
    """What one reading of a document found: violations, and the blocks and elements for the rules that follow."""

    found: list[Violation] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    inside: tuple[Node, ...] = ()

    def refuse(self, path: Path, code: str, message: str) -> None:
        self.found.append(Violation(path, code, message))

    def aside(self) -> "Walk":
        """A walk that starts at the same place and whose findings are kept only when `keep` is called with it."""
        return Walk(inside=self.inside)

    def keep(self, other: "Walk") -> None:
        self.found += other.found
        self.nodes += other.nodes


class Shape(Protocol):
    """What a value may be."""

    def check(self, value: object, path: Path, walk: Walk) -> None: ...


def _check_range(value: float, low: float | None, high: float | None, path: Path, walk: Walk) -> None:
    if high is not None and value > high:
        walk.refuse(path, "out_of_range", f"must be less than {high}")
    if low is not None and value < low:
        walk.refuse(path, "out_of_range", f"must be greater than {low}")


@dataclass(frozen=True, slots=True)
class String:
    """A string of `low` to `high` characters, one of `choices`, in the form of `pattern`: whichever are given."""

    high: int | None = None
    low: int = 0
    choices: tuple[str, ...] = ()
    pattern: str = ""

    def check(self, value: object, path: Path, walk: Walk) -> None:
        if self.choices and value not in self.choices:
            walk.refuse(path, "wrong_value", "must be a valid enum value")
        if not isinstance(value, str):
            walk.refuse(path, "wrong_type", "must provide a string")
            return
        if self.high is not None and len(value) > self.high:
            walk.refuse(path, "too_long", f"must be less than {self.high + 1} characters")
        if len(value) < self.low:
            walk.refuse(path, "too_short", f"must be more than {self.low - 1} characters")
        if self.pattern and not re.match(self.pattern, value):
            walk.refuse(path, "wrong_format", f"input must match regex pattern: {self.pattern}")


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number from `low` to `high`; 3.0 is one too, true is not."""

    low: int | None = None
    high: int | None = None

    def check(self, value: object, path: Path, walk: Walk) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            walk.refuse(path, "wrong_type", "must provide an integer")
            return
        if isinstance(value, float) and not value.is_integer():
            walk.refuse(path, "wrong_type", "must provide an integer")
        _check_range(value, self.low, self.high, path, walk)


@dataclass(frozen=True, slots=True)
class Number:
    """Any number, or one of `choices`."""

    choices: tuple[int, ...] = ()

    def check(self, value: object, path: Path, walk: Walk) -> None:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if self.choices and not (is_number and value in self.choices):
            walk.refuse(path, "wrong_value", "must be a valid enum value")
        if not is_number:
            walk.refuse(path, "wrong_type", "must provide a number")


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    def check(self, value: object, path: Path, walk: Walk) -> None:
        if not isinstance(value, bool):
            walk.refuse(path, "wrong_type", "must be a boolean")


@dataclass(frozen=True, slots=True)
class Kind:
    """The `type` of an object: this one string."""

    name: str

    def check(self, value: object, path: Path, walk: Walk) -> None:
        if value == self.name:
            return
        walk.refuse(path, "unsupported_type", f"unsupported type: {value}")
        if not isinstance(value, str):
            walk.refuse(path, "wrong_type", "must provide a string")


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of `low` to `high` items of one shape."""

    item: Shape
    low: int = 0
    high: int | None = None

    def check(self, value: object, path: Path, walk: Walk) -> None:
        if not isinstance(value, list):
            walk.refuse(path, "wrong_type", "must provide an array")
            return
        if self.high is not None and len(value) > self.high:
            walk.refuse(path, "too_many", f"no more than {self.high} items allowed")
        if len(value) < self.low:
            walk.refuse(path, "too_few", f"must provide at least {self.low} items")
        for index, item in enumerate(value):
            self.item.check(item, (*path, index), walk)


class Object:
    """An object with these fields and no others; those whose name ends in `!` in the table must be there.

    `kind` is the value of its `type`; None for objects that have no type.
    """

    def __init__(self, kind: str | None, fields: Mapping[str, Shape]) -> None:
        typed: dict[str, Shape] = {"type!": Kind(kind)} if kind else {}
        table = {**typed, **fields}
        self.kind = kind
        self.fields = {key.rstrip("!"): shape for key, shape in table.items()}
        self.required = tuple(key.rstrip("!") for key in table if key.endswith("!"))

    def check(self, value: object, path: Path, walk: Walk) -> None:
        if not isinstance(value, dict):
            walk.refuse(path, "wrong_type", "must provide an object")
            return
        for key in self.required:
            if key not in value:
                walk.refuse(path, "required_field", f"missing required field: {key}")
        fields = self.fields
        for key, item in value.items():
            if key in fields:
                fields[key].check(item, (*path, key), walk)
            else:
                walk.refuse(path, "additional_property", f"invalid additional property: {key}")


@dataclass(frozen=True, slots=True)
class Fewest:
    """One of several objects of the same type: read as the one it differs least from, the first when equal."""

    kind: str | None
    shapes: tuple[Shape, ...]

    def check(self, value: object, path: Path, walk: Walk) -> None:
        best: Walk | None = None
        for shape in self.shapes:
            attempt = walk.aside()
            shape.check(value, path, attempt)
            if best is None or len(attempt.found) < len(best.found):
                best = attempt
            if not best.found:
                break
        if best is not None:
            walk.keep(best)


@dataclass(frozen=True, slots=True)
class Unread:
    """Anything at all: let through without a look."""

    def check(self, value: object, path: Path, walk: Walk) -> None:
        return None


class OneOf:
    """One of several objects, told apart by their `type`. Those of an `unread` type are let through without a look."""

    def __init__(self, *shapes: Object | Fewest, unread: tuple[str, ...] = (), others: Shape | None = None) -> None:
        self.by_kind: dict[str, Shape] = {shape.kind: shape for shape in shapes if shape.kind}
        self.by_kind |= dict.fromkeys(unread, Unread())
        self.others = others

    def check(self, value: object, path: Path, walk: Walk) -> None:
        if not isinstance(value, dict):
            walk.refuse(path, "wrong_type", "must provide an object")
            return
        kind = value.get("type")
        shape = self.by_kind.get(kind, self.others) if isinstance(kind, str) else self.others
        if shape is not None:
            shape.check(value, path, walk)
        elif kind is None:
            walk.refuse(path, "required_field", "missing required field: type")
        else:
            walk.refuse((*path, "type"), "unsupported_type", f"unsupported type: {kind}")


@dataclass(frozen=True, slots=True)
class OrNull:
    """Null, or the shape."""

    shape: Shape

    def check(self, value: object, path: Path, walk: Walk) -> None:
        if value is not None:
            self.shape.check(value, path, walk)


@dataclass(frozen=True, slots=True)
class Noted:
    """A place for a block or an element: what stands there is remembered for the rules, then checked."""

    role: Role
    shape: Shape

    def check(self, value: object, path: Path, walk: Walk) -> None:
        if not isinstance(value, dict):
            self.shape.check(value, path, walk)
            return
        kind = value.get("type")
        node = Node(self.role, kind if isinstance(kind, str) else "", value, path, walk.inside)
        walk.nodes.append(node)
        if self.role == "element":
            self.shape.check(value, path, walk)
            return
        outside, walk.inside = walk.inside, (*walk.inside, node)
        self.shape.check(value, path, walk)
        walk.inside = outside


def in_document_order(found: Iterable[Violation], document: object) -> list[Violation]:
    """The violations once each, sorted by where their place comes in the document, holders before what they hold."""

    def place(violation: Violation) -> list[int]:
        steps: list[int] = []
        value: Any = document
        for key in violation.path:
            steps.append(key if isinstance(key, int) else list(value).index(key))
            value = value[key]
        return steps

    return sorted(dict.fromkeys(found), key=place)
