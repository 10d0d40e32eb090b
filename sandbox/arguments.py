"""Arguments of a Web API call: form fields or JSON, read by what they should be."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any, TypeVar

from sandbox.errors import Refused, invalid_arguments
from sandbox.workspace import Json

Item = TypeVar("Item")


class Args:
    """The arguments as sent, each read as text, number, flag, list or object. Empty text counts as not given."""

    def __init__(self, given: Json) -> None:
        self.given = given

    def text(self, name: str) -> str:
        value = self.given.get(name)
        if value is None:
            return ""
        if isinstance(value, dict | list):
            raise invalid_arguments(f"must provide a string [json-pointer:/{name}]")
        return str(value)

    def optional(self, name: str) -> str | None:
        return self.text(name) or None

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.given.get(name)
        if value is None or value == "":
            return default
        return value is True or str(value).lower() in ("1", "true")

    def number(self, name: str, default: int, error: str = "invalid_arguments") -> int:
        value = self.given.get(name)
        if value is None or value == "":
            return default
        try:
            return int(value)
        except (TypeError, ValueError):
            raise Refused(error) from None

    def decoded(self, name: str) -> Any:
        """A list or object, whether sent as such or as JSON text. What is no JSON stays as it came."""
        value = self.given.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            return value or None

    def names(self, name: str) -> list[str]:
        """A comma-separated or real list of ids."""
        value = self.given.get(name)
        parts = value if isinstance(value, list) else str(value or "").split(",")
        return [str(part).strip() for part in parts if str(part).strip()]


def page(items: Sequence[Item], args: Args, *, default: int, most: int = 1000) -> tuple[list[Item], str]:
    """One page of `items` and the cursor of the next ("" at the end). Raises Refused: invalid_cursor, invalid_limit."""
    limit = args.number("limit", default, "invalid_limit") or default
    if not 1 <= limit <= most:
        raise Refused("invalid_limit")
    start = _position(args.text("cursor"))
    if start > len(items):
        raise Refused("invalid_cursor")
    end = start + limit
    return list(items[start:end]), _cursor(end) if end < len(items) else ""


def _cursor(position: int) -> str:
    return base64.b64encode(f"next:{position}".encode()).decode()


def _position(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        label, _, number = base64.b64decode(cursor, validate=True).decode().partition(":")
        if label == "next":
            return int(number)
    except (binascii.Error, ValueError):
        pass
    raise Refused("invalid_cursor")
