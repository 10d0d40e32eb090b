"""users.*, team.info and bots.info: who is here."""

from __future__ import annotations

from sandbox.arguments import Args, page
from sandbox.core import Core
from sandbox.errors import Refused
from sandbox.events import may_read_email
from sandbox.methods.method import Method, known_user
from sandbox.objects import bot_object, user_object
from sandbox.workspace import Json, User


def _shape(core: Core, user: User) -> Json:
    return user_object(core.workspace, user, core.app, core.clock.now(), with_email=may_read_email(core))


def info(core: Core, args: Args) -> Json:
    return {"user": _shape(core, known_user(core, args.text("user")))}


def list_all(core: Core, args: Args) -> Json:
    shown, cursor = page([user for user in core.workspace.users.values() if not user.home], args, default=1000)
    members = [_shape(core, user) for user in shown]
    return {"members": members, "cache_ts": core.epoch(), "response_metadata": {"next_cursor": cursor}}


def by_email(core: Core, args: Args) -> Json:
    wanted = args.text("email").casefold()
    known = (user for user in core.workspace.users.values() if not user.deleted and not user.home)
    found = next((user for user in known if user.email.casefold() == wanted), None)
    if found is None or not wanted:
        raise Refused("users_not_found")
    return {"user": _shape(core, found)}


def profile(core: Core, args: Args) -> Json:
    return {"profile": _shape(core, known_user(core, args.text("user") or core.app.bot_user_id))["profile"]}


def presence(core: Core, args: Args) -> Json:
    user = known_user(core, args.text("user") or core.app.bot_user_id)
    return {"presence": "away" if user.deleted else "active"}


def team(core: Core, args: Args) -> Json:
    workspace = core.workspace
    if args.text("team") not in ("", workspace.id):
        raise Refused("team_not_found")
    return {
        "team": {
            "id": workspace.id,
            "name": workspace.name,
            "domain": workspace.domain,
            "email_domain": "",
            "url": f"{core.base_url}/",
            "icon": {"image_default": True},
            "is_verified": False,
            **{key: value for key, value in core.team().items() if key.startswith("enterprise_")},
        }
    }


def bot(core: Core, args: Args) -> Json:
    if not args.text("bot"):
        raise Refused("missing_argument")
    if args.text("bot") != core.app.bot_id:
        raise Refused("bot_not_found")
    return {"bot": bot_object(core.app, core.bot)}


def usergroups(core: Core, args: Args) -> Json:
    """This workspace has no user groups."""
    return {"usergroups": []}


READ = ("users:read",)

METHODS = {
    "users.info": Method(info, 4, READ, ("user",)),
    "users.list": Method(list_all, 2, READ, needs_team=True),
    "users.lookupByEmail": Method(by_email, 3, ("users:read.email",), ("email",)),
    "users.profile.get": Method(profile, 4, ("users.profile:read",)),
    "users.getPresence": Method(presence, 3, READ),
    "team.info": Method(team, 3, ("team:read",), json_body=True),
    "bots.info": Method(bot, 3, READ),
    "usergroups.list": Method(usergroups, 2, ("usergroups:read",), needs_team=True),
}
