"""The state of one workspace: people, conversations, messages, views, files. No rules and no input or output here."""

from __future__ import annotations

import secrets
import string
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

Json: TypeAlias = dict[str, Any]
Kind: TypeAlias = Literal["public", "private", "im", "mpim"]

ID_LETTERS = string.digits + string.ascii_uppercase


@dataclass
class User:
    """A person or a bot. `home` is the id of the workspace they belong to where that is another one."""

    id: str
    name: str
    real_name: str
    tz: str
    color: str
    email: str = ""
    title: str = ""
    is_admin: bool = False
    is_owner: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_bot: bool = False
    deleted: bool = False
    updated: int = 0
    status_emoji: str = ""
    status_text: str = ""
    status_expiration: int = 0
    home: str = ""

    def has_status(self, epoch: float) -> bool:
        """Whether the status is still shown at that moment."""
        return bool(self.status_emoji) and not 0 < self.status_expiration <= epoch


@dataclass
class Channel:
    """A conversation of any kind. `messages` is keyed by ts, oldest first; replies stand among them with thread_ts.

    `shared_with` are the ids of other workspaces whose people may be in it (Slack Connect).
    """

    id: str
    kind: Kind
    name: str = ""
    members: list[str] = field(default_factory=list)
    creator: str = ""
    created: int = 0
    topic: str = ""
    purpose: str = ""
    is_archived: bool = False
    is_general: bool = False
    previous_names: list[str] = field(default_factory=list)
    messages: dict[str, Json] = field(default_factory=dict)
    last_read: dict[str, str] = field(default_factory=dict)
    shared_with: list[str] = field(default_factory=list)

    @property
    def is_direct(self) -> bool:
        return self.kind in ("im", "mpim")

    def thread(self, ts: str) -> list[Json]:
        """The message `ts` and its replies, oldest first; empty when there is no such message."""
        parent = self.messages.get(ts)
        if parent is None:
            return []
        return [parent, *(m for m in self.messages.values() if m.get("thread_ts") == ts and m["ts"] != ts)]


@dataclass
class File:
    id: str
    name: str
    title: str
    size: int
    user: str
    created: int
    mimetype: str = "application/octet-stream"
    alt_txt: str = ""
    uploaded: bool = False
    shares: dict[str, list[str]] = field(default_factory=dict)
    content: bytes = field(default=b"", repr=False)


@dataclass
class View:
    """A modal or Home tab in front of one person. `body` is the view as Slack gives it back, without its state."""

    user: str
    body: Json
    values: Json
    channel: str | None = None

    @property
    def id(self) -> str:
        return str(self.body["id"])


@dataclass
class Ephemeral:
    """A message only one person sees, until they reload or dismiss it."""

    id: str
    user: str
    channel: str
    message: Json


@dataclass
class Workspace:
    """Everything of one workspace. Nothing about it lives elsewhere, so a process can hold several."""

    id: str
    name: str
    domain: str
    users: dict[str, User] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    homes: dict[str, View] = field(default_factory=dict)
    modals: dict[str, list[View]] = field(default_factory=dict)
    ephemerals: list[Ephemeral] = field(default_factory=list)
    last_ts: int = 0

    def new_ts(self, now: datetime) -> str:
        """A message timestamp: later than every one before it, even within a microsecond."""
        self.last_ts = max(self.last_ts + 1, round(now.timestamp() * 1_000_000))
        return f"{self.last_ts // 1_000_000}.{self.last_ts % 1_000_000:06d}"

    def team_of(self, user: str) -> str:
        """The id of the workspace that a person belongs to."""
        return self.users[user].home or self.id

    def find_user(self, who: str) -> User | None:
        """A person by id, name or real name."""
        if who in self.users:
            return self.users[who]
        wanted = who.removeprefix("@").casefold()
        return next((u for u in self.users.values() if wanted in (u.name.casefold(), u.real_name.casefold())), None)

    def find_channel(self, which: str) -> Channel | None:
        """A conversation by id or name, with or without #."""
        if which in self.channels:
            return self.channels[which]
        wanted = which.removeprefix("#").casefold()
        return next((c for c in self.channels.values() if not c.is_direct and c.name == wanted), None)

    def direct(self, *members: str) -> Channel | None:
        """The direct conversation of exactly these members."""
        wanted = set(members)
        return next((c for c in self.channels.values() if c.is_direct and set(c.members) == wanted), None)

    def channels_of(self, user: str) -> Iterator[Channel]:
        return (channel for channel in self.channels.values() if user in channel.members)

    def views(self) -> Iterator[View]:
        """Every view somebody has in front of them."""
        yield from self.homes.values()
        for stack in self.modals.values():
            yield from stack

    def view(self, view_id: str) -> View | None:
        return next((view for view in self.views() if view.id == view_id), None)

    def stack(self, user: str) -> list[View]:
        """A person's open modals, bottom first. The list itself: changing it changes the workspace."""
        return self.modals.setdefault(user, [])

    def to_json(self) -> Json:
        """What outlives a restart; modals and ephemeral messages do not, as in Slack after a reload."""
        state = asdict(self)
        del state["modals"], state["ephemerals"]
        for file in state["files"].values():
            del file["content"]
        return state

    @classmethod
    def from_json(cls, state: Json) -> Workspace:
        tables: dict[str, type] = {
            "users": User,
            "channels": Channel,
            "files": File,
            "homes": View,
        }
        rows = {name: {key: row(**value) for key, value in state[name].items()} for name, row in tables.items()}
        return cls(**{**state, **rows})


def new_id(prefix: str, length: int = 10) -> str:
    """An id of Slack's looks: a letter that tells the kind, then capitals and digits."""
    return prefix + "".join(secrets.choice(ID_LETTERS) for _ in range(length))


def short_id() -> str:
    """What Slack gives a block or an element that came without an id of its own."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(5))
