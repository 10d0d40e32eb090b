"""Block Kit's judge: what Slack refuses in blocks, message bodies and views, and the body it refuses them with.

Pure: nothing is read or sent. Only what Slack refuses is found, not what it advises. Any JSON value may be passed, none
raises. Blocks, views and attachments may also be given as JSON text, as in a form-encoded request.
"""

import json
from collections.abc import Iterator
from typing import Any

from sandbox.block_kit.rules import check_rules, inputs_need_submit
from sandbox.block_kit.shapes import Path, Violation, Walk, in_document_order
from sandbox.block_kit.tables import BLOCK_LISTS, LARGEST_VIEW_BYTES, VIEWS, Surface

__all__ = [
    "Surface",
    "Violation",
    "check_blocks",
    "check_message",
    "check_view",
    "message_refusal",
    "view_refusal",
]

VIEW_ONLY = ("title", "submit", "close", "private_metadata", "callback_id")


def check_blocks(blocks: object, surface: Surface) -> list[Violation]:
    """What Slack refuses in a list of blocks for this surface, in document order; paths start at the list."""
    walk = Walk()
    BLOCK_LISTS[surface].check(blocks, (), walk)
    return in_document_order([*walk.found, *check_rules(walk.nodes, surface)], blocks)


def check_message(body: object) -> list[Violation]:
    """What Slack refuses in a message body (or in its list of blocks), in document order; paths start at the body.

    Its blocks and those of its attachments are read. Code `blocks_format` when blocks are not JSON or not a list.
    """
    if not isinstance(body, dict):
        body = {"blocks": body}
    found = list(_message_kind(body))
    for path, blocks in _block_lists(body):
        if isinstance(blocks, list):
            found += _placed_under(path, check_blocks(blocks, "message"))
        else:
            found.append(Violation(path, "blocks_format", "must provide an array"))
    return found


def check_view(view: object) -> list[Violation]:
    """What Slack refuses in a view, in document order; paths start at the view.

    The surface is the view's own type. Code `view_size`, with an empty path, above 250 KB of compact JSON.
    """
    view = _decoded(view)
    if not isinstance(view, dict):
        return [Violation((), "wrong_type", "must provide an object")]
    kind = view.get("type")
    if kind is None:
        return [Violation((), "required_field", "missing required field: type")]
    if kind == "modal" or kind == "home":
        return _check_view_of(kind, view)
    return [Violation(("type",), "unsupported_type", f"unsupported type: {kind}")]


def message_refusal(blocks_or_body: object) -> dict[str, Any] | None:
    """The body with which Slack refuses a message for its blocks, None when it takes them.

    Takes the list of blocks or the whole body with `blocks` and `attachments`; nothing else of the body is judged.
    """
    found = check_message(_decoded(blocks_or_body))
    if not found:
        return None
    codes = {violation.code for violation in found}
    if "blocks_format" in codes:
        return {"ok": False, "error": "invalid_blocks_format"}
    if "one_table_per_message" in codes:
        messages = ["only_one_table_allowed"]
        return {"ok": False, "error": "invalid_attachments", "response_metadata": {"messages": messages}}
    lines = _lines(found)
    return {
        "ok": False,
        "error": "invalid_blocks",
        "errors": lines,
        "response_metadata": {"messages": [f"[ERROR] {line}" for line in lines]},
    }


def view_refusal(view: object) -> dict[str, Any] | None:
    """The body with which Slack refuses a view, None when it takes it. Pointers start with /view."""
    found = check_view(view)
    if not found:
        return None
    if any(violation.code == "view_size" for violation in found):
        return {"ok": False, "error": "view_too_large"}
    lines = _lines(_placed_under(("view",), found))
    messages = [f"[ERROR] {line}" for line in lines]
    return {"ok": False, "error": "invalid_arguments", "response_metadata": {"messages": messages}}


def _check_view_of(surface: Surface, view: dict[str, Any]) -> list[Violation]:
    walk = Walk()
    VIEWS[surface].check(view, (), walk)
    found = [*walk.found, *check_rules(walk.nodes, surface)]
    if surface == "modal":
        found += inputs_need_submit(view, walk.nodes)
    if _json_bytes(view) > LARGEST_VIEW_BYTES:
        found.append(Violation((), "view_size", "view_too_large"))
    return in_document_order(found, view)


def _message_kind(body: dict[str, Any]) -> Iterator[Violation]:
    """A message body is no view: a view sent as a message, or a view without its type, is refused."""
    if "blocks" not in body:
        return
    if body.get("type", "message") != "message":
        yield Violation(("type",), "unsupported_type", f"unsupported type: {body['type']}")
    elif "type" not in body and any(key in body for key in VIEW_ONLY):
        yield Violation((), "required_field", "missing required field: type")


def _block_lists(body: dict[str, Any]) -> Iterator[tuple[Path, object]]:
    """The places of a message that hold blocks, decoded."""
    if body.get("blocks") is not None:
        yield ("blocks",), _decoded(body["blocks"])
    attachments = _decoded(body.get("attachments"))
    for index, attachment in enumerate(attachments if isinstance(attachments, list) else []):
        if isinstance(attachment, dict) and attachment.get("blocks"):
            yield ("attachments", index, "blocks"), _decoded(attachment["blocks"])


def _decoded(value: object) -> object:
    """What a JSON text says; anything else, also a text that is no JSON, as it is."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _json_bytes(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass"))


def _placed_under(path: Path, found: list[Violation]) -> list[Violation]:
    return [violation._replace(path=path + violation.path) for violation in found]


def _lines(found: list[Violation]) -> list[str]:
    return [f"{message} [json-pointer:{_pointer(path)}]" for path, _, message in found]


def _pointer(path: Path) -> str:
    return "".join(f"/{key}" for key in path)
