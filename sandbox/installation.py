"""The app's permission in a workspace: what it was granted, and the tokens that prove it."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace

from sandbox.manifest import App, digits
from sandbox.workspace import Json


def without_scopes(app: App) -> App:
    """The app where nobody granted it anything."""
    return replace(app, scopes=())


@dataclass
class Token:
    """One access token. `over` is the error that calls with it get since it was taken back; empty while it is good."""

    secret: str = field(repr=False)
    over: str = ""


@dataclass
class Installation:
    """Where the app is installed it is active, and has tokens. `app` is the app as granted here.

    `installed_by` is the person who allowed it, empty when the sandbox itself put it there; then it holds whatever its
    manifest asks for today.
    """

    app: App
    active: bool = False
    installed_by: str = ""
    tokens: list[Token] = field(default_factory=list)

    @property
    def token(self) -> str:
        """The newest token; empty when there never was one."""
        return self.tokens[-1].secret if self.tokens else ""

    def grant(self, scopes: Iterable[str], by: str) -> Token:
        """Install, or install again: what is granted adds up, and there is another token."""
        held = self.app.scopes if self.active else ()
        self.app = replace(self.app, scopes=tuple(dict.fromkeys((*held, *scopes))))
        self.active = True
        self.installed_by = by
        token = Token(f"xoxb-{digits()}-{digits()}-{secrets.token_hex(12)}")
        self.tokens.append(token)
        return token

    def end(self) -> None:
        """Uninstall: no token is good any more."""
        self.active = False
        self.app = without_scopes(self.app)
        for token in self.tokens:
            token.over = token.over or "account_inactive"

    def to_json(self) -> Json:
        """What a restart needs; the manifest tells the rest."""
        state = {key: value for key, value in asdict(self).items() if key != "app"}
        return {**state, "scopes": self.app.scopes}

    @classmethod
    def from_json(cls, app: App, state: Json) -> Installation:
        """What was kept, for the app as its manifest describes it today."""
        scopes = tuple(state["scopes"]) if state["installed_by"] or not state["active"] else app.scopes
        tokens = [Token(**token) for token in state["tokens"]]
        return cls(replace(app, scopes=scopes), state["active"], state["installed_by"], tokens)
