"""api.test, apps.connections.open and blocks.validate: the app and its connection."""

from __future__ import annotations

from sandbox.arguments import Args
from sandbox.block_kit import check_blocks, check_message, check_view
from sandbox.core import Core
from sandbox.errors import Refused
from sandbox.methods.method import Method
from sandbox.socket_mode import SocketMode
from sandbox.workspace import Json


def api_test(core: Core, args: Args) -> Json:
    if args.text("error"):
        raise Refused(args.text("error"), args=args.given)
    return {"args": args.given}


def open_connection(core: Core, args: Args) -> Json:
    transport = core.courier.transport
    if not isinstance(transport, SocketMode):
        raise Refused("socket_mode_not_enabled")
    address = core.base_url.replace("http", "ws", 1)
    return {"url": f"{address}/socket/link/?ticket={transport.new_ticket()}&app_id={core.app.id}"}


def validate_blocks(core: Core, args: Args) -> Json:
    given = [name for name in ("blocks", "view", "message") if args.given.get(name)]
    if len(given) != 1:
        text = "must provide exactly one of `blocks`, `view`, or `message`"
        raise Refused("invalid_arguments", response_metadata={"messages": [text]})
    value = args.decoded(given[0])
    found = {
        "blocks": lambda: check_blocks(value, "message"),
        "view": lambda: check_view(value),
        "message": lambda: check_message(value),
    }[given[0]]()
    if found:
        errors = [
            {"code": each.code, "message": each.message, "pointer": "".join(f"/{key}" for key in each.path)}
            for each in found
        ]
        raise Refused(f"invalid_{given[0]}", errors=errors)
    return {}


METHODS = {
    "api.test": Method(api_test, 4, json_body=True),
    "apps.connections.open": Method(open_connection, 3, json_body=True, app_token=True),
    "blocks.validate": Method(validate_blocks, None, json_body=True),
}
