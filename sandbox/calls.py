"""What went between the app and the workspace, kept so that it can be looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from sandbox.workspace import Json

KEPT = 10_000


@dataclass(frozen=True)
class Call:
    """One Web API call of the app and its answer. `at` is the workspace's time.

    `team` is the workspace its token is for, empty when the call had none of the app's.
    """

    n: int
    at: datetime
    app: str
    method: str
    args: Json
    status: int
    answer: Json
    team: str = ""


@dataclass
class Delivery:
    """One thing sent to the app. `outcome` is None while under way, then "200", or why there was no good answer."""

    n: int
    at: datetime
    kind: str
    sent_as: str
    payload: Json
    attempt: int = 0
    outcome: str | None = None
    answer: Json | str | None = None

    @property
    def team(self) -> str:
        """The workspace it came from; empty when it is about a whole organisation."""
        if "team_id" in self.payload or "user" not in self.payload:
            return str(self.payload.get("team_id", ""))
        return str(self.payload["user"]["team_id"])


Entry = TypeVar("Entry", Call, Delivery)


@dataclass
class Log(Generic[Entry]):
    """The latest entries, numbered from 1 without gaps."""

    entries: list[Entry] = field(default_factory=list)
    count: int = 0

    def next_number(self) -> int:
        self.count += 1
        return self.count

    def add(self, entry: Entry) -> None:
        self.entries.append(entry)
        if len(self.entries) > KEPT:
            del self.entries[0]

    def after(self, n: int) -> list[Entry]:
        return [entry for entry in self.entries if entry.n > n]
