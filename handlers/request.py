"""What a handler is given: who asks, where, and what they typed or pressed. Made by the edge, already verified."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel.ext.asyncio.session import AsyncSession

from models.clock import today_in, zone_or_utc
from models.operations import Source
from models.permissions import Actor
from models.tables import Channel, Person, Project
from views.forms import FormContext


class Where(StrEnum):
    """The surface on which somebody acted; it decides how the answer reaches them."""

    COMMAND = "command"
    MESSAGE = "message"
    EPHEMERAL = "ephemeral"
    MODAL = "modal"
    FORM = "form"
    HOME = "home"
    SHORTCUT = "shortcut"
    MENTION = "mention"
    EVENT = "event"
    OPTIONS = "options"


@dataclass(frozen=True)
class SourceMessage:
    """A message in Slack: of somebody (a shortcut, a mention, a reaction) or of ours (a button in it).

    `thread_ts` is that of the first message of its thread, where it is a reply.
    """

    ts: str
    text: str = ""
    link: str = ""
    blocks: tuple[Mapping[str, Any], ...] = ()
    thread_ts: str = ""


@dataclass(frozen=True)
class ChosenFile:
    """A file put into a form, with its content or with the sentence why that could not be read."""

    id: str
    name: str
    content: bytes = b""
    problem: str = ""


@dataclass(frozen=True)
class Request:
    """One interaction. `channel` is None in a direct message; `text` is as Slack sent it, entities and all.

    `name` is the command, action id, callback id or event type; `value` the button's value or the chosen option.
    `thread_ts` is the thread that a pressed button stands in; `source` the message that a record would be made from.
    `scopes` are what Slack granted the app.
    """

    where: Where
    name: str
    person: Person
    actor: Actor
    bot_user_id: str
    channel_id: str = ""
    channel: Channel | None = None
    project: Project | None = None
    text: str = ""
    value: str = ""
    state: Mapping[str, Any] = field(default_factory=dict)
    context: FormContext = field(default_factory=FormContext)
    message: SourceMessage | None = None
    response_url: str = ""
    file: ChosenFile | None = None
    scopes: frozenset[str] = frozenset()
    thread_ts: str = ""
    source: Source | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)

    @property
    def zone(self) -> ZoneInfo:
        return zone_or_utc(self.person.timezone)

    @property
    def typed(self) -> str:
        """The whole command as the person typed it, to give it back when it could not be used."""
        return f"{self.name} {self.text}".strip()


@dataclass(frozen=True)
class Deps:
    """What a handler may use: the open unit of work and the time it is."""

    session: AsyncSession
    now: datetime

    def today(self, project: Project) -> date:
        return today_in(project.timezone, self.now)
