"""What a handler answers. The edge turns each into Slack calls, after the commit; nothing else does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from views.blocks import Block, Message


@dataclass(frozen=True)
class Tell:
    """Words for the person who acted, seen by nobody else. `redraw` replaces the message they acted on."""

    message: Message
    redraw: Message | None = None
    reference: str | None = None


@dataclass(frozen=True)
class Redraw:
    """A new state of the private message or form they acted on."""

    message: Message
    reference: str | None = None


@dataclass(frozen=True)
class OpenForm:
    """A form, opened at once: Slack's permission to open it lasts three seconds."""

    view: Block


@dataclass(frozen=True)
class UpdateForm:
    """The same form, drawn anew; what was typed stays where block ids stay."""

    view: Block


@dataclass(frozen=True)
class FieldErrors:
    """Sentences shown beside fields, block id -> sentence; the form stays open with everything typed."""

    problems: Mapping[str, str]


@dataclass(frozen=True)
class ShowHome:
    """The person's Home tab at a page, counted from 0."""

    page: int = 0


@dataclass(frozen=True)
class Options:
    """What a menu offers for the typed letters: at most 100."""

    options: Sequence[Block]


@dataclass(frozen=True)
class Nothing:
    """Nothing to say."""


Reply = Tell | Redraw | OpenForm | UpdateForm | FieldErrors | ShowHome | Options | Nothing
