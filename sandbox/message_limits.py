"""What Slack refuses in a message besides its blocks: too little or too much text, attachments, metadata.

Sources: docs.slack.dev/reference/methods/chat.postMessage and chat.update. Pure: arguments in, answer out.
"""

import json
from typing import Any

LONGEST_KEPT = 40_000
"""Characters of `text` that Slack keeps of a new message; the rest is cut off, with a warning."""
LONGEST_UPDATE = 4_000
LONGEST_MARKDOWN = 12_000
MOST_ATTACHMENTS = 100
LARGEST_METADATA_BYTES = 8_000
"""Slack refuses larger metadata somewhere without saying where: this bound is ours, on the careful side."""

TRUNCATED = "message_truncated"


def message_limits(args: dict[str, Any]) -> dict[str, Any] | None:
    """The body with which Slack refuses these arguments of a chat.* method, None when it takes them.

    Arguments with a `ts` are an update: its text must be shorter, and `metadata` of `{}` clears. Lists and objects
    may be JSON text. Blocks are only looked at for being there; what they hold is `block_kit.message_refusal`'s.
    Text that is merely cut off is no refusal: see `message_warnings` and `kept_text`.
    """
    error = _text_error(args) or _attachments_error(args) or _metadata_error(args)
    return {"ok": False, "error": error} if error else None


def message_warnings(args: dict[str, Any]) -> dict[str, Any]:
    """What Slack adds to its positive answer to these arguments: empty, or the warning that the text was cut off."""
    if len(_text(args)) <= LONGEST_KEPT:
        return {}
    return {"warning": TRUNCATED, "response_metadata": {"warnings": [TRUNCATED]}}


def kept_text(text: str) -> str:
    """What Slack keeps of the text of a new message."""
    return text[:LONGEST_KEPT]


def _text_error(args: dict[str, Any]) -> str | None:
    text, markdown, blocks = _text(args), _text(args, "markdown_text"), _decoded(args.get("blocks"))
    if markdown and (text or blocks):
        return "markdown_text_conflict"
    if not (text.strip() or markdown or blocks or _decoded(args.get("attachments"))):
        return "no_text"
    if len(markdown) > LONGEST_MARKDOWN or (_is_update(args) and len(text) > LONGEST_UPDATE):
        return "msg_too_long"
    return None


def _attachments_error(args: dict[str, Any]) -> str | None:
    attachments = _decoded(args.get("attachments")) or []
    if not isinstance(attachments, list) or not all(isinstance(item, dict) for item in attachments):
        return "invalid_attachments"
    return "too_many_attachments" if len(attachments) > MOST_ATTACHMENTS else None


def _metadata_error(args: dict[str, Any]) -> str | None:
    given = args.get("metadata")
    metadata = _decoded(given)
    if given is None or given == "" or (metadata == {} and _is_update(args)):
        return None
    if not isinstance(metadata, dict):
        return "invalid_metadata_format"
    if not _is_metadata(metadata):
        return "invalid_metadata_schema"
    size = len(json.dumps(metadata, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass"))
    return "metadata_too_large" if size > LARGEST_METADATA_BYTES else None


def _is_metadata(metadata: dict[str, Any]) -> bool:
    """Whether it names an event with its payload, lists entities (Work Objects), or both."""
    event_type, event_payload = metadata.get("event_type"), metadata.get("event_payload")
    if event_type is None and event_payload is None:
        return isinstance(metadata.get("entities"), list)
    return isinstance(event_type, str) and event_type != "" and isinstance(event_payload, dict)


def _is_update(args: dict[str, Any]) -> bool:
    return "ts" in args


def _text(args: dict[str, Any], key: str = "text") -> str:
    text = args.get(key)
    return text if isinstance(text, str) else ""


def _decoded(value: object) -> Any:
    """What a JSON text says; anything else, also a text that is no JSON, as it is."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value
