"""What an interaction hands the app for later: trigger ids (3 s, once) and response URLs (30 minutes, 5 times)."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field

from sandbox.errors import Refused, invalid_arguments
from sandbox.timing import Timing


@dataclass
class Trigger:
    """The right to open a modal for `user`. `view_id` is the modal the interaction came from, if any."""

    user: str
    deadline: float
    channel: str | None = None
    view_id: str | None = None
    used: bool = False


@dataclass
class ResponseUrl:
    """The right to answer in `channel`; `ts` or `ephemeral` is the message the interaction came from, if any."""

    user: str
    channel: str
    deadline: float
    ts: str | None = None
    ephemeral: str | None = None
    uses: int = 0


@dataclass
class Tickets:
    """All open rights, by the secret in their id or address. Ended ones are dropped as new ones come."""

    timing: Timing
    triggers: dict[str, Trigger] = field(default_factory=dict)
    urls: dict[str, ResponseUrl] = field(default_factory=dict)

    def trigger(self, user: str, channel: str | None = None, view_id: str | None = None) -> str:
        """A new trigger id."""
        now = time.monotonic()
        self.triggers = {key: ticket for key, ticket in self.triggers.items() if ticket.deadline > now - 600}
        number = secrets.randbelow(9 * 10**11) + 10**11
        trigger_id = f"{number}.{secrets.randbelow(9 * 10**9) + 10**9}.{secrets.token_hex(16)}"
        self.triggers[trigger_id] = Trigger(user, now + self.timing.trigger, channel, view_id)
        return trigger_id

    def redeem(self, trigger_id: object) -> Trigger:
        """Use a trigger id up. Raises Refused as views.open does."""
        if not isinstance(trigger_id, str) or not trigger_id:
            raise invalid_arguments("missing required field: trigger_id")
        ticket = self.triggers.get(trigger_id)
        if ticket is None:
            raise Refused("invalid_trigger_id")
        if ticket.used:
            raise Refused("exchanged_trigger_id")
        if time.monotonic() > ticket.deadline:
            raise Refused("expired_trigger_id")
        ticket.used = True
        return ticket

    def response_url(self, user: str, channel: str, ts: str | None = None, ephemeral: str | None = None) -> str:
        """The secret part of a new response URL."""
        now = time.monotonic()
        self.urls = {key: ticket for key, ticket in self.urls.items() if ticket.deadline > now - 600}
        secret = secrets.token_urlsafe(18)
        self.urls[secret] = ResponseUrl(user, channel, now + self.timing.response_url, ts, ephemeral)
        return secret

    def answer(self, secret: str) -> ResponseUrl:
        """Use a response URL once. Raises Refused when it is unknown, too old or used up."""
        ticket = self.urls.get(secret)
        if ticket is None:
            raise Refused("invalid_url")
        if time.monotonic() > ticket.deadline:
            raise Refused("Expired url")
        if ticket.uses >= self.timing.response_url_uses:
            raise Refused("used_url")
        ticket.uses += 1
        return ticket
