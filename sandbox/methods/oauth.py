"""oauth.v2.access, auth.revoke and apps.uninstall: how an app comes to its tokens, and gives them up."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from sandbox import installing
from sandbox.arguments import Args
from sandbox.core import Code, Core
from sandbox.errors import Refused
from sandbox.installation import LIFE_SECONDS, Token
from sandbox.manifest import Credentials
from sandbox.workspace import Json
from sandbox.workspaces import Workspaces

Run: TypeAlias = Callable[[Workspaces, str | None, Args], Json]

# What stands in arguments and answers of these and is kept out of the record of calls.
SECRETS = frozenset({"client_secret", "code", "access_token", "refresh_token"})


def access(workspaces: Workspaces, token: str | None, args: Args) -> Json:
    """Exchange the code of the authorisation page, or a refresh token, for an access token."""
    core = workspaces.first
    _check_client(core.credentials, args)
    if args.text("grant_type") == "refresh_token":
        return _refreshed(workspaces, args.text("refresh_token"))
    if args.text("grant_type") not in ("", "authorization_code"):
        raise Refused("invalid_grant_type")
    code = core.codes.pop(args.text("code"), None)
    if code is None or core.epoch() >= code.ends:
        raise Refused("invalid_code")
    if args.text("redirect_uri") != code.redirect_uri:
        raise Refused("bad_redirect_uri")
    if not code.scopes and not code.user_scopes:
        raise Refused("no_scopes")
    return _granted(code)


def _refreshed(workspaces: Workspaces, refresh: str) -> Json:
    for core in workspaces:
        token = core.installation.renew(refresh, core.epoch())
        if token is not None:
            return _bot(core, token)
    raise Refused("invalid_refresh_token")


def _granted(code: Code) -> Json:
    """Install the app as it was allowed, and say so. With scopes of a user only, there is nothing but theirs."""
    core = code.core
    person: Json = {"id": code.user}
    if code.user_scopes:
        token = installing.user_token()
        person |= {"scope": ",".join(code.user_scopes), "access_token": token, "token_type": "user"}
    if not code.scopes:
        return {"app_id": core.app.id, "authed_user": person, **_place(core)}
    return {**_bot(core, installing.install(core, code.scopes, code.user)), "authed_user": person}


def _bot(core: Core, token: Token) -> Json:
    rotation: Json = {}
    if token.ends is not None:
        rotation = {"expires_in": LIFE_SECONDS, "refresh_token": token.refresh}
    return {
        "access_token": token.secret,
        "token_type": "bot",
        "scope": ",".join(core.app.scopes),
        "bot_user_id": core.app.bot_user_id,
        "app_id": core.app.id,
        **rotation,
        **_place(core),
    }


def _place(core: Core) -> Json:
    return {
        "team": {"id": core.workspace.id, "name": core.workspace.name},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def revoke(workspaces: Workspaces, token: str | None, args: Args) -> Json:
    """Take back the token the call is made with."""
    core, held = _holder(workspaces, token)
    if not args.flag("test"):
        installing.revoke(core, held)
    return {"revoked": not args.flag("test")}


def uninstall(workspaces: Workspaces, token: str | None, args: Args) -> Json:
    """Remove the app from the workspace of the token."""
    core, _ = _holder(workspaces, token)
    _check_client(core.credentials, args)
    installing.uninstall(core)
    return {}


def _holder(workspaces: Workspaces, token: str | None) -> tuple[Core, Token]:
    if not token:
        raise Refused("not_authed")
    found = workspaces.of_token(token)
    if found is None:
        raise Refused("invalid_auth")
    if fault := found[1].fault(found[0].epoch()):
        raise Refused(fault)
    return found


def _check_client(credentials: Credentials, args: Args) -> None:
    """The app's own id and secret, from basic authentication or from the form."""
    if args.text("client_id") != credentials.client_id:
        raise Refused("invalid_client_id")
    if args.text("client_secret") != credentials.client_secret:
        raise Refused("bad_client_secret")


def without_secrets(node: Json) -> Json:
    """Arguments or an answer as they may be shown."""
    return {
        key: "…" if key in SECRETS else without_secrets(value) if isinstance(value, dict) else value
        for key, value in node.items()
    }


METHODS: dict[str, Run] = {
    "oauth.v2.access": access,
    "auth.revoke": revoke,
    "apps.uninstall": uninstall,
}
