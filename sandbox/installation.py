"""The app's permission in a workspace: what it was granted, and the tokens that prove it."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace

from sandbox.manifest import App, digits
from sandbox.workspace import Json

LIFE_SECONDS = 43_200
GRACE_SECONDS = 60
MOST_ALIVE = 2


def without_scopes(app: App) -> App:
    """The app where nobody granted it anything."""
    return replace(app, scopes=())


@dataclass
class Token:
    """One access token. `over` is the error that calls with it get since it was taken back; empty before.

    One that rotates ends at an instant, and has a refresh token for the next one. Instants are Unix seconds.
    """

    secret: str = field(repr=False)
    over: str = ""
    ends: int | None = None
    refresh: str | None = field(default=None, repr=False)
    refreshed_at: int | None = None

    @classmethod
    def lasting(cls) -> Token:
        """A token that is good until it is taken back."""
        return cls(f"xoxb-{digits()}-{digits()}-{secrets.token_hex(12)}")

    @classmethod
    def rotating(cls, now: int) -> Token:
        """A token that is good for twelve hours."""
        pair = f"xoxe.xoxb-1-{secrets.token_urlsafe(40)}", f"xoxe-1-{secrets.token_urlsafe(40)}"
        return cls(pair[0], ends=now + LIFE_SECONDS, refresh=pair[1])

    def fault(self, now: int) -> str:
        """The error that a call with it gets now; empty while it is good."""
        return self.over or ("token_expired" if self.ends is not None and now >= self.ends else "")


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

    def grant(self, scopes: Iterable[str], by: str, now: int) -> Token:
        """Install, or install again: what is granted adds up, and there is another token.

        One that the sandbox itself made does not rotate, so that it can be written down.
        """
        held = self.app.scopes if self.active else ()
        self.app = replace(self.app, scopes=tuple(dict.fromkeys((*held, *scopes))))
        self.active = True
        self.installed_by = by
        return self._add(Token.rotating(now) if by and self.app.rotates_tokens else Token.lasting(), now)

    def renew(self, refresh: str, now: int) -> Token | None:
        """The next token for a refresh token, which is good once, and for a moment longer; None when it is not."""
        for token in self.tokens:
            if self.active and token.refresh == refresh:
                if token.refreshed_at is not None and now > token.refreshed_at + GRACE_SECONDS:
                    return None
                token.refreshed_at = token.refreshed_at or now
                return self._add(Token.rotating(now), now)
        return None

    def _add(self, token: Token, now: int) -> Token:
        """Another token; of those that rotate only the newest few stay good."""
        self.tokens.append(token)
        alive = [each for each in self.tokens if each.ends is not None and not each.fault(now)]
        for old in alive[:-MOST_ALIVE]:
            old.over = "token_revoked"
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
