"""What can go wrong, for the person who drives the sandbox and for the app that calls it."""

from __future__ import annotations

from typing import Any


class SandboxError(Exception):
    """Something the caller asked for cannot be done; the text is a plain sentence."""


class WrongTime(SandboxError, ValueError):
    """The clock was asked to go where it cannot."""


class Refused(Exception):
    """Slack's way to say no to an app: an error code and whatever else the body carries."""

    def __init__(self, error: str, **extra: Any) -> None:
        super().__init__(error)
        self.error = error
        self.extra = extra

    @property
    def body(self) -> dict[str, Any]:
        """The answer as an app reads it."""
        return {"ok": False, "error": self.error, **self.extra}


def invalid_arguments(message: str) -> Refused:
    """A refusal that names the argument at fault in `response_metadata.messages`."""
    return Refused("invalid_arguments", response_metadata={"messages": [f"[ERROR] {message}"]})
