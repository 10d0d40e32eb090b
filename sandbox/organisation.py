"""An organisation: workspaces under one roof, in which an app may be installed all at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from sandbox.installation import Installation
from sandbox.manifest import App
from sandbox.workspace import Json


@dataclass
class Organisation:
    """`teams` are the ids of its workspaces; in those of `granted` its installation of the app may be used."""

    id: str
    name: str
    installation: Installation
    teams: list[str] = field(default_factory=list)
    granted: list[str] = field(default_factory=list)

    def reaches(self, team_id: str) -> bool:
        return self.installation.active and team_id in self.granted

    def shape(self) -> Json:
        return {"id": self.id, "name": self.name}

    def to_json(self) -> Json:
        lists = {"teams": self.teams, "granted": self.granted}
        return {**self.shape(), **lists, "installation": self.installation.to_json()}

    @classmethod
    def from_json(cls, app: App, state: Json) -> Organisation:
        return cls(**{**state, "installation": Installation.from_json(app, state["installation"])})
