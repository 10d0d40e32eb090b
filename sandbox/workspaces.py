"""All workspaces of a sandbox, and which of them a request is about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sandbox.arguments import Args
from sandbox.core import Core
from sandbox.installation import Installation, Token
from sandbox.organisation import Organisation
from sandbox.workspace import File, Json, User

# Arguments that name something of one workspace.
NAMES = (
    "channel",
    "channel_id",
    "channels",
    "user",
    "user_id",
    "users",
    "trigger_id",
    "view_id",
    "external_id",
    "file",
)


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

    @property
    def organisations(self) -> list[Organisation]:
        return list({core.organisation.id: core.organisation for core in self if core.organisation}.values())

    def of(self, organisation: Organisation) -> list[Core]:
        """The workspaces of an organisation."""
        return [core for core in self if core.organisation is organisation]

    def owners(self) -> Iterator[tuple[Installation, list[Core]]]:
        """Every installation there may be, with the workspaces it is for."""
        yield from ((core.own, [core]) for core in self)
        yield from ((each.installation, self.of(each)) for each in self.organisations)

    def of_token(self, secret: str) -> tuple[Installation, Token, list[Core]] | None:
        """Whose token it is, good or not, and the workspaces it is for."""
        for installation, cores in self.owners():
            for token in installation.tokens:
                if token.secret == secret:
                    return installation, token, cores
        return None

    def of_call(self, secret: str | None, given: Json) -> Core | None:
        """The workspace a call is about: that of its token; of an organisation's, the one its arguments name."""
        found = self.of_token(secret) if secret else None
        if found is None:
            return None
        installation, _, cores = found
        if len(cores) == 1:
            return cores[0]
        named = [given.get(key) for key in ("team_id", "team")]
        values = {value for key in NAMES for value in Args(given).names(key)}
        fitting = (
            *(core for core in cores if core.workspace.id in named),
            *(core for core in cores if any(core.knows(value) for value in values)),
            *(core for core in cores if core.installation is installation),
        )
        return next(iter(fitting), cores[0])

    def of_person(self, user_id: str) -> tuple[Core, User] | None:
        """A person, and the workspace they belong to."""
        known = ((core, core.workspace.users[user_id]) for core in self if user_id in core.workspace.users)
        return next(((core, user) for core, user in known if not user.home), None)

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
