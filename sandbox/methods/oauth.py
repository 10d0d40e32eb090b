"""What is asked of tokens themselves: how an app comes to them, whose they are, and how it gives them up."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from sandbox import installing
from sandbox.arguments import Args, page
from sandbox.core import Code, Core
from sandbox.errors import Refused
from sandbox.installation import LIFE_SECONDS, Installation, Token
from sandbox.manifest import Credentials
from sandbox.organisation import Organisation
from sandbox.workspace import Json
from sandbox.workspaces import Workspaces

Run: TypeAlias = Callable[[Workspaces, str | None, Args], Json]

# What stands in arguments and answers of these and is kept out of the record of calls.
SECRETS = frozenset({"client_secret", "code", "access_token", "refresh_token"})


def holder(workspaces: Workspaces, token: str | None) -> tuple[Installation, Token, list[Core]]:
    """Whose token a call is made with, and the workspaces it is for. Raises Refused unless it is a bot's good one."""
    if not token:
        raise Refused("not_authed")
    if token == workspaces.first.credentials.app_token or token.startswith(("xoxp-", "xoxe.xoxp-")):
        raise Refused("not_allowed_token_type")
    found = workspaces.of_token(token)
    if found is None:
        raise Refused("invalid_auth")
    if fault := found[1].fault(workspaces.first.epoch()):
        raise Refused(fault)
    return found


# ---- coming to a token ----------------------------------------------------------------------------------------------


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
    return _granted(code)


def _refreshed(workspaces: Workspaces, refresh: str) -> Json:
    for installation, cores in workspaces.owners():
        token = installation.renew(refresh, cores[0].epoch())
        if token is not None:
            return _bot(installation, token, cores[0])
    raise Refused("invalid_refresh_token")


def _granted(code: Code) -> Json:
    """Install the app as it was allowed, and say so. With scopes of a user only, there is nothing but theirs."""
    core = code.core
    person: Json = {"id": code.user}
    if code.user_scopes:
        token = installing.user_token()
        person |= {"scope": ",".join(code.user_scopes), "access_token": token, "token_type": "user"}
    if not code.scopes:
        return {"app_id": core.app.id, "authed_user": person, **_place(core, None)}
    if code.everywhere:
        fresh = installing.install_everywhere(core, code.scopes, code.user)
        told = _bot(installing.organisation_of(core).installation, fresh, core)
    else:
        told = _bot(core.own, installing.install(core, code.scopes, code.user), core)
    return {**told, "authed_user": person}


def _bot(installation: Installation, token: Token, core: Core) -> Json:
    """A token as it is handed out. `core` is a workspace of the installation."""
    rotation: Json = {}
    if token.ends is not None:
        rotation = {"expires_in": LIFE_SECONDS, "refresh_token": token.refresh}
    return {
        "access_token": token.secret,
        "token_type": "bot",
        "scope": ",".join(installation.app.scopes),
        "bot_user_id": installation.app.bot_user_id,
        "app_id": installation.app.id,
        **rotation,
        **_place(core, None if installation is core.own else core.organisation),
    }


def _place(core: Core, everywhere: Organisation | None) -> Json:
    """Where the app was installed: in a workspace, or in all of an organisation."""
    above = everywhere or core.organisation
    return {
        "team": None if everywhere else {"id": core.workspace.id, "name": core.workspace.name},
        "enterprise": above.shape() if above else None,
        "is_enterprise_install": everywhere is not None,
    }


def _check_client(credentials: Credentials, args: Args) -> None:
    """The app's own id and secret, from basic authentication or from the form."""
    if args.text("client_id") != credentials.client_id:
        raise Refused("invalid_client_id")
    if args.text("client_secret") != credentials.client_secret:
        raise Refused("bad_client_secret")


# ---- whose it is ----------------------------------------------------------------------------------------------------


def test(workspaces: Workspaces, token: str | None, args: Args) -> Json:
    """Whose token it is; an organisation's is of no workspace."""
    installation, _, cores = holder(workspaces, token)
    core, app = cores[0], installation.app
    above = core.organisation
    place: Json = {"team": core.workspace.name, "team_id": core.workspace.id}
    if installation is not core.own and above is not None:
        place = {"team": above.name, "team_id": above.id}
    return {
        "url": f"{core.base_url}/",
        **place,
        "user": app.bot_name.lower(),
        "user_id": app.bot_user_id,
        "bot_id": app.bot_id,
        **({"enterprise_id": above.id} if above else {}),
        "is_enterprise_install": installation is not core.own,
    }


def teams(workspaces: Workspaces, token: str | None, args: Args) -> Json:
    """The workspaces a token may be used in."""
    installation, _, cores = holder(workspaces, token)
    reached = [core.workspace for core in cores if core.installation is installation]
    shown, cursor = page(reached, args, default=100)
    listed = [{"id": workspace.id, "name": workspace.name} for workspace in shown]
    return {"teams": listed, "response_metadata": {"next_cursor": cursor}}


# ---- giving it up ---------------------------------------------------------------------------------------------------


def revoke(workspaces: Workspaces, token: str | None, args: Args) -> Json:
    """Take back the token the call is made with."""
    installation, held, cores = holder(workspaces, token)
    if not args.flag("test"):
        installing.revoke(installation, held, cores)
    return {"revoked": not args.flag("test")}


def uninstall(workspaces: Workspaces, token: str | None, args: Args) -> Json:
    """Remove the installation of the token."""
    installation, _, cores = holder(workspaces, token)
    _check_client(cores[0].credentials, args)
    installing.uninstall(installation, cores)
    return {}


def without_secrets(node: Json) -> Json:
    """Arguments or an answer as they may be shown."""
    return {
        key: "…" if key in SECRETS else without_secrets(value) if isinstance(value, dict) else value
        for key, value in node.items()
    }


METHODS: dict[str, Run] = {
    "apps.uninstall": uninstall,
    "auth.revoke": revoke,
    "auth.teams.list": teams,
    "auth.test": test,
    "oauth.v2.access": access,
}
