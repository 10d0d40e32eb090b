"""All workspaces of a sandbox, and which of them a request is about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sandbox.core import Core
from sandbox.installation import Token
from sandbox.workspace import File, User


@dataclass
class Workspaces:
    """The workspaces in the order they were made. The first is there from the start; what all share it knows too."""

    cores: list[Core] = field(default_factory=list)

    def __iter__(self) -> Iterator[Core]:
        return iter(self.cores)

    @property
    def first(self) -> Core:
        return self.cores[0]

    def named(self, which: str) -> Core | None:
        """A workspace by id, name or domain."""
        wanted = which.casefold()
        found = (core for core in self if wanted in (core.workspace.name.casefold(), core.workspace.domain))
        return next((core for core in self if core.workspace.id == which), None) or next(found, None)

    def of_token(self, secret: str) -> tuple[Core, Token] | None:
        """Where a token of the app belongs, good or not."""
        for core in self:
            for token in core.installation.tokens:
                if token.secret == secret:
                    return core, token
        return None

    def of_person(self, user_id: str) -> tuple[Core, User] | None:
        """A person, and the workspace they are in."""
        return next(((core, core.workspace.users[user_id]) for core in self if user_id in core.workspace.users), None)

    def of_channel(self, channel_id: str) -> Core | None:
        return next((core for core in self if channel_id in core.workspace.channels), None)

    def of_file(self, file_id: str) -> tuple[Core, File | None]:
        """A file, and the workspace it is in."""
        found = ((core, core.workspace.files[file_id]) for core in self if file_id in core.workspace.files)
        return next(found, (self.first, None))

    def tell(self, kind: str) -> None:
        """Tell every open page: one of "boot", "clock" and "call"."""
        for core in self:
            core.live.everyone(kind)
