"""views.*: modals and Home tabs of the app."""

from __future__ import annotations

from sandbox import views
from sandbox.arguments import Args
from sandbox.core import Core
from sandbox.errors import Refused, invalid_arguments
from sandbox.methods.method import Method
from sandbox.objects import view_object
from sandbox.workspace import Json


def open_modal(core: Core, args: Args) -> Json:
    sent = views.checked(args.decoded("view"), "modal")
    trigger = core.tickets.redeem(args.given.get("trigger_id"))
    view = views.open_modal(core, trigger, sent)
    return {"view": view_object(view, {})}


def push(core: Core, args: Args) -> Json:
    sent = views.checked(args.decoded("view"), "modal")
    trigger = core.tickets.redeem(args.given.get("trigger_id"))
    view = views.push_modal(core, trigger, sent)
    return {"view": view_object(view, {})}


def update(core: Core, args: Args) -> Json:
    if not args.text("view_id") and not args.text("external_id"):
        raise invalid_arguments("must provide `view_id` or `external_id`")
    view = views.find(core, args.optional("view_id"), args.optional("external_id"))
    sent = views.checked(args.decoded("view"), view.body["type"])
    views.check_hash(view, args.optional("hash"))
    return {"view": view_object(views.replace(core, view, sent))}


def publish(core: Core, args: Args) -> Json:
    user = core.workspace.users.get(args.text("user_id"))
    if user is None or user.is_bot or user.deleted:
        raise Refused("invalid_arguments", response_metadata={"messages": ["invalid `user_id`"]})
    if not core.app.home_enabled:
        raise Refused("not_enabled")
    sent = views.checked(args.decoded("view"), "home")
    return {"view": view_object(views.publish(core, user.id, sent, args.optional("hash")), {})}


METHODS = {
    "views.open": Method(open_modal, 4, required=("view",), json_body=True),
    "views.push": Method(push, 4, required=("view",), json_body=True),
    "views.update": Method(update, 4, required=("view",), json_body=True),
    "views.publish": Method(publish, 4, required=("user_id", "view"), json_body=True),
}
