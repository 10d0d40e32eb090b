"""How a record kind describes itself. Forms, lists, cards, history, export and help are loops over this."""

import builtins
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any

from sqlmodel import SQLModel

from models.labels import Confidentiality, Labelled, LinkType, Priority
from models.tables import History, Record

Values = Mapping[str, Any]


class FieldType(StrEnum):
    TEXT = "text"
    LONG_TEXT = "long_text"
    PERSON = "person"
    PEOPLE = "people"
    DATE = "date"
    TIME = "time"
    CHOICE = "choice"
    SCALE = "scale"
    NUMBER = "number"
    REPEAT = "repeat"
    MONEY = "money"
    TAGS = "tags"
    OPTION = "option"


# What the key of a field begins with that a project has added, see `models.own_fields`; its name follows.
OWN = "own:"


@dataclass(frozen=True, kw_only=True)
class FieldSpec:
    """One thing a person can fill in. `key` is the column; `choices` goes with CHOICE; SCALE is 1 to 5, NUMBER whole.

    REPEAT is a rule of `models.repeat_words`, OPTION one of the words in `options`.

    `default` is what stands where nothing was chosen. A SCALE with a `shorthand` can be typed: `p4` where that is "p".
    An extra stands in a form on demand, or where it holds a value, `under` its heading. What a step asks for or sets
    (`by_step`) is in no form but that step's.
    """

    key: str
    label: str
    type: FieldType
    help: str
    in_list: bool = False
    under: str = ""
    by_step: bool = False
    choices: "builtins.type[Labelled] | None" = None
    default: Labelled | None = None
    shorthand: str = ""
    options: tuple[str, ...] = ()

    @property
    def is_extra(self) -> bool:
        """Whether a form shows it only on demand, or where it holds a value."""
        return bool(self.under)

    def is_usual(self, value: Any) -> bool:
        """Whether the value says nothing beyond what stands where nothing was chosen."""
        return value in (None, "", [], self.default)

    @property
    def is_text(self) -> bool:
        """Whether words are typed into it."""
        return self.type in (FieldType.TEXT, FieldType.LONG_TEXT)

    @property
    def is_searched(self) -> bool:
        """Whether records are found by its words."""
        return self.is_text or self.type is FieldType.OPTION

    @property
    def is_own(self) -> bool:
        """Whether a project has added it."""
        return self.key.startswith(OWN)


@dataclass(frozen=True, kw_only=True)
class Step:
    """A move from one status to another, offered as a word (`A12 done`) and as a button.

    `past` is what the confirmation says was done. `reason` is the question that must be answered with it; `asks` the
    key of a choice that must be made with it. `sets` gives further values that it stores, from the record, the id of
    whoever takes the step and the project's day. Where `needs_approver` is true of the record, the step is left to the
    coordinator.
    """

    key: str
    label: str
    past: str
    begins: tuple[Labelled, ...]
    to: Labelled
    words: tuple[str, ...] = ()
    is_main: bool = False
    reason: str = ""
    asks: str = ""
    sets: Callable[["Item", str, date], Mapping[str, Any]] = lambda item, by, today: {}
    needs_approver: Callable[["Item"], bool] = lambda item: False


@dataclass(frozen=True, kw_only=True)
class FollowUp:
    """A new record that follows from one, as an issue does from a risk that happened: its form opens, filled in.

    `makes` is the kind's key, `copies` the fields it takes over, `says` what the confirmation adds, with {old} for the
    old record's reference. The old record is linked to the new one, or the new one to it (`is_from_new`), and moves to
    the status `to`, if there is one.
    """

    key: str
    label: str
    begins: tuple[Labelled, ...]
    makes: str
    link: LinkType
    copies: tuple[str, ...]
    says: str
    is_from_new: bool = False
    to: Labelled | None = None
    words: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Concern:
    """What lets an open record climb to others when nobody says a word about it.

    `since` is the day from which it is a matter of concern, None while it is none. `says` completes the record's name,
    with that day as {day}; `asks` is what its owner is asked, and `field` the key of what would settle it. Where it
    `asks_for_field`, that is what is offered first, before the record's own main step.
    """

    key: str
    since: Callable[["Item"], date | None]
    says: str
    asks: str
    field: str
    asks_for_field: bool = False


@dataclass(frozen=True, kw_only=True)
class Replacement:
    """A record that enters the status `when` moves those it supersedes from `begins` to `to`."""

    when: Labelled
    begins: Labelled
    to: Labelled


OVERDUE = Concern(
    key="overdue",
    since=lambda item: item.record.due_date,
    says="was due {day}",
    asks="Could you say where it stands? It may be done, need another date, or wait for something.",
    field="due_date",
)


@dataclass(frozen=True, kw_only=True)
class Renewal:
    """A record that enters the status `when` is followed by the next one, if the field `rule` says how it repeats.

    The next one takes over all fields but those it `leaves`; the column `mark` keeps its id, so that it is made once.
    """

    when: Labelled
    rule: str
    mark: str
    leaves: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of record. `derived` holds what is computed: label -> function of the item and the project's today.

    `closed` are the statuses in which nothing is left to do; `stands` those of them that are not shown as done with.
    Before the due date, a list of the kind is in the order of its `score`, highest first, by which it can be limited
    too, or in that of the choices of the field `ranked_by`; what has none comes last. In the statuses
    `awaits_approval` a record waits for its coordinator.
    `concerns` let an open record climb, the likeliest first.

    Of all values that a record is to have, and given what they were before, `contradictions` names those that cannot
    stand together (key -> sentence), and `follows` the values of fields that others decide."""

    key: str
    letter: str
    singular: str
    plural: str
    emoji: str
    model: type[SQLModel]
    help: str
    example: str
    fields: tuple[FieldSpec, ...]
    statuses: type[Labelled]
    closed: frozenset[Labelled]
    steps: tuple[Step, ...]
    stands: frozenset[Labelled] = frozenset()
    follow_ups: tuple[FollowUp, ...] = ()
    replacement: Replacement | None = None
    renewal: Renewal | None = None
    derived: Mapping[str, Callable[["Item", date], str | None]] = field(default_factory=dict)
    is_editable: Callable[["Item"], bool] = lambda item: True
    contradictions: Callable[[Values, Values], Mapping[str, str]] = lambda values, before: {}
    follows: Callable[[Values, Values], Mapping[str, Any]] = lambda values, before: {}
    awaits_approval: frozenset[Labelled] = frozenset()
    score: Callable[["Item"], int | None] | None = None
    ranked_by: str = ""
    concerns: tuple[Concern, ...] = (OVERDUE,)

    @property
    def shorthands(self) -> Mapping[str, str]:
        """The fields of scales by what is typed for them: `p` in `p4`."""
        return {field.shorthand: field.key for field in self.all_fields if field.shorthand}

    @property
    def repeats_by(self) -> str:
        """The field that says how a record comes again; empty where none does."""
        return self.renewal.rule if self.renewal else ""

    @property
    def first_status(self) -> Labelled:
        return next(iter(self.statuses))

    @property
    def has_own_order(self) -> bool:
        """Whether something comes before the due date in a list of the kind."""
        return self.score is not None or bool(self.ranked_by)

    @cached_property
    def all_fields(self) -> tuple[FieldSpec, ...]:
        """The title, the kind's own fields, then what every kind has: the order of the form."""
        return (TITLE, *self.fields, *COMMON_FIELDS)

    @cached_property
    def form_fields(self) -> tuple[FieldSpec, ...]:
        """The fields a form may show, extras included."""
        return tuple(f for f in self.all_fields if not f.by_step)

    def field(self, key: str) -> FieldSpec:
        """The field of that key. Raises KeyError."""
        return next((f for f in self.all_fields if f.key == key), None) or _missing(key)

    def label_of(self, key: str) -> str:
        """What a person reads for a column that may be no form field, such as the status."""
        return next((f.label for f in self.all_fields if f.key == key), "") or (
            key.removeprefix(OWN) if key.startswith(OWN) else key.removesuffix("_id").replace("_", " ").capitalize()
        )

    def steps_from(self, status: str) -> tuple[Step, ...]:
        """The steps that a record in that status can take."""
        return tuple(step for step in self.steps if status in step.begins)

    def reference_of(self, record: Record) -> str:
        """`A12`, of a record of this kind."""
        return f"{self.letter}{record.number}"

    def step_named(self, word: str) -> Step | None:
        """The step a person means by that word, or None."""
        return next((step for step in self.steps if word in (step.key, *step.words)), None)

    def step_at_start(self, typed: str) -> tuple[Step | None, str]:
        """The step that the typed begins with, and what follows it: by its word, or by the status it leads to."""
        word, rest = [*typed.split(maxsplit=1), "", ""][:2]
        if step := self.step_named(word.lower()):
            return step, rest.strip()
        status, rest = self.statuses.at_start(typed)
        return next((step for step in self.steps if step.to is status), None), rest.strip()

    def follow_ups_from(self, status: str) -> tuple[FollowUp, ...]:
        """The follow-ups that a record in that status can have."""
        return tuple(each for each in self.follow_ups if status in each.begins)

    def follow_up_named(self, word: str) -> FollowUp | None:
        """The follow-up a person means by that word, or None."""
        return next((each for each in self.follow_ups if word in (each.key, *each.words)), None)

    def typed(self, step: Step, reference: str) -> str:
        """What a person types to take the step: `R12 close mitigated`, `A12 cancel …` where a reason follows."""
        example = [next(iter(choices)).label.lower()] if (choices := self.choices_of(step)) else []
        return " ".join([reference, step.key, *example, *(["…"] if step.reason else [])])

    def choices_of(self, step: Step) -> "builtins.type[Labelled] | None":
        """The choice that the step asks for, if it does."""
        return self.field(step.asks).choices if step.asks else None


@dataclass
class Item:
    """A record with its kind and its own row. `changed` are the history rows of the latest change made through it."""

    kind: Kind
    record: Record
    own: SQLModel
    changed: tuple[History, ...] = ()

    @property
    def reference(self) -> str:
        return self.kind.reference_of(self.record)

    @property
    def status(self) -> Labelled:
        return self.kind.statuses(self.record.status)

    @property
    def values(self) -> dict[str, Any]:
        """The stored values of all its fields."""
        return {field.key: self.value(field.key) for field in self.kind.all_fields}

    def value(self, key: str) -> Any:
        """The stored value of a field, wherever it is kept."""
        if key.startswith(OWN):
            return self.record.own_values.get(key.removeprefix(OWN), "")
        return getattr(self._row_of(key), key)

    @property
    def repeats(self) -> str:
        """The rule by which it comes again; empty where it does not."""
        return (self.kind.repeats_by and self.value(self.kind.repeats_by)) or ""

    def put(self, key: str, value: Any) -> None:
        """Keep another value of a field."""
        if key.startswith(OWN):
            self.record.own_values = own_values({**_named(self.record.own_values), key: value})
        else:
            setattr(self._row_of(key), key, value)

    def _row_of(self, key: str) -> SQLModel:
        """The row that holds the field's column."""
        return self.record if key in type(self.record).model_fields else self.own


def own_values(values: Values) -> dict[str, str]:
    """Those of the values that belong to fields a project has added, by the names of these, without empty ones."""
    return {key.removeprefix(OWN): value for key, value in values.items() if key.startswith(OWN) and value}


def _named(own: Mapping[str, str]) -> dict[str, str]:
    return {f"{OWN}{name}": value for name, value in own.items()}


def _missing(key: str) -> FieldSpec:
    raise KeyError(key)


TITLE = FieldSpec(key="title", label="Title", type=FieldType.TEXT, help="One line that says what it is.", in_list=True)

COMMON_FIELDS = (
    FieldSpec(
        key="owner_id",
        label="Owner",
        type=FieldType.PERSON,
        help="The one person who answers for it.",
        in_list=True,
    ),
    FieldSpec(
        key="helpers",
        label="Helpers",
        type=FieldType.PEOPLE,
        help="People who work on it besides the owner. They see it among their own.",
        under="Organising it",
    ),
    FieldSpec(
        key="due_date",
        label="Due date",
        type=FieldType.DATE,
        help="The day it should be settled. The owner's daily digest names it.",
        in_list=True,
    ),
    FieldSpec(key="due_time", label="Due time", type=FieldType.TIME, help="Only if the hour matters."),
    FieldSpec(
        key="priority",
        label="Priority",
        type=FieldType.CHOICE,
        help="How much it matters next to the others.",
        choices=Priority,
        default=Priority.NORMAL,
    ),
    FieldSpec(
        key="tags",
        label="Tags",
        type=FieldType.TAGS,
        help="Words to find it by, such as “network, pilot”.",
        under="Organising it",
    ),
    FieldSpec(
        key="next_review",
        label="Review date",
        type=FieldType.DATE,
        help="The day on which somebody should look at it again.",
        under="Organising it",
    ),
    FieldSpec(
        key="confidentiality",
        label="Confidentiality",
        type=FieldType.CHOICE,
        help="A confidential record is seen only by its owner, helpers, whoever raised it, coordinator and sponsor.",
        choices=Confidentiality,
        default=Confidentiality.OPEN,
        under="Organising it",
    ),
    FieldSpec(
        key="details",
        label="Details",
        type=FieldType.LONG_TEXT,
        help="Anything a reader needs to know beyond the title.",
    ),
)
