"""Tokens at rest: sealed with the newest key, opened with any, and each only as the installation it was sealed for."""

import asyncio
import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from bot.opening import CannotStart
from models import installations
from models.clock import SystemClock
from models.database import Database
from models.tables import Installation

# 32 bytes, as base64 for addresses.
KEY = re.compile(r"[A-Za-z0-9_-]{43}=")
# How long to wait for tokens that somebody exchanges just now.
AGAIN_SECONDS = 1.0


class CannotOpen(CannotStart):
    """Stored tokens do not open with the keys there are; a sentence that says what to do and holds no secret."""


@dataclass(frozen=True)
class Tokens:
    """What Slack gave for an installation: the bot token and, where it expires, what it is exchanged with."""

    access: str = field(repr=False)
    refresh: str | None = field(default=None, repr=False)


class Seal:
    """Seals and opens tokens. `keys` are those of STEWARD_ENCRYPTION_KEYS, the newest first."""

    def __init__(self, keys: Sequence[str]) -> None:
        fernets = [Fernet(key) for key in keys]
        self._newest, self._any = fernets[0], MultiFernet(fernets)

    def seal(self, installation_id: str, tokens: Tokens) -> str:
        """The tokens as they may be stored, for that installation only."""
        held = {"installation": installation_id, "access": tokens.access, "refresh": tokens.refresh}
        return self._newest.encrypt(json.dumps(held).encode()).decode()

    def open(self, installation: Installation) -> Tokens:
        """The tokens in the row. Raises CannotOpen."""
        try:
            held = json.loads(self._any.decrypt((installation.sealed_tokens or "").encode()))
        except InvalidToken:
            raise CannotOpen(
                f"The stored tokens of {installation.id} do not open with the keys in STEWARD_ENCRYPTION_KEYS. Put the "
                "key they were sealed with back into it, after the newest one. If it is lost: `steward keys forget "
                f"{installation.id}`, and have Steward installed there again."
            ) from None
        if held["installation"] != installation.id:
            raise CannotOpen(
                f"The stored tokens of {installation.id} were sealed for another installation, so somebody has changed "
                f"the database by hand. `steward keys forget {installation.id}`, and have Steward installed there "
                "again."
            )
        return Tokens(held["access"], held["refresh"])

    def is_newest(self, installation: Installation) -> bool:
        """Whether the row is sealed with the newest key."""
        try:
            self._newest.decrypt((installation.sealed_tokens or "").encode())
        except InvalidToken:
            return False
        return True


def require_closed(installation: Installation, keys: Sequence[str]) -> None:
    """Raise CannotStart unless the stored tokens, if any, are known not to open with the keys: good ones are in use."""
    if installation.sealed_tokens is None:
        return
    if not keys:
        raise CannotStart(
            "STEWARD_ENCRYPTION_KEYS is not set, so it cannot be seen whether the tokens open, and nothing was erased. "
            "Set it to what Steward runs with."
        )
    with suppress(CannotOpen):
        Seal(keys).open(installation)
        raise CannotStart(
            f"The tokens of {installation.id} open with the keys in STEWARD_ENCRYPTION_KEYS, so nothing was erased. To "
            "take Steward out of a workspace, remove the app in Slack; --although-they-open erases the tokens here all "
            "the same."
        )


async def renew(database: Database, seal: Seal) -> int:
    """Seal all stored tokens with the newest key; how many were not. Waits for those that are being exchanged.

    Raises CannotOpen, after which what was sealed so far stays so.
    """
    renewed = 0
    while True:
        installed = await installations.everywhere(database)
        old = [each for each in installed if each.sealed_tokens is not None and not seal.is_newest(each)]
        if not old:
            return renewed
        before = renewed
        for each in old:
            sealed = seal.seal(each.id, seal.open(each))
            renewed += await installations.reseal(database, each, sealed, wall=SystemClock().now())
        if renewed == before:
            await asyncio.sleep(AGAIN_SECONDS)


def new_key() -> str:
    """A key that nobody has."""
    return Fernet.generate_key().decode()


def is_key(text: str) -> bool:
    """Whether the text is a key as `new_key` makes them. Fernet itself would overlook what stands around one."""
    return KEY.fullmatch(text) is not None
