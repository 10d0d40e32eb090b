"""Answers to a `response_url`: up to five within thirty minutes, no token, no membership needed."""

import asyncio
import logging
from typing import Any

import aiohttp

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 10.0
# How long to wait before the one repetition, and at most where Slack names a time itself.
PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
TAKEN = 0.0


class Responder:
    """Posts follow-ups of an interaction. A lost one is only logged: it never is the only copy of anything."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def send(self, url: str, body: dict[str, Any]) -> bool:
        """Post the body, once more when Slack was busy or silent; whether Slack took it, which needs an address."""
        if not url:
            return False
        pause = await self._post(url, body)
        if pause:
            await asyncio.sleep(pause)
            pause = await self._post(url, body)
        return pause == TAKEN

    async def _post(self, url: str, body: dict[str, Any]) -> float | None:
        """TAKEN, after how many seconds it is worth another try, or None when it never will be taken."""
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS))
        try:
            async with self._session.post(url, json=body) as answer:
                said = await answer.text()
                if answer.status == 200 and '"ok":false' not in said.replace(" ", ""):
                    return TAKEN
                # Not what Slack says about it: that may quote the answer.
                log.warning("an answer was not taken: HTTP %s", answer.status)
                return _pause(answer)
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("an answer could not be delivered: %s", type(error).__name__)
            return PAUSE_SECONDS

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


def _pause(answer: aiohttp.ClientResponse) -> float | None:
    if answer.status == 429:
        named = answer.headers.get("Retry-After", "")
        return min(float(named), LONGEST_PAUSE_SECONDS) if named.isdecimal() else PAUSE_SECONDS
    return PAUSE_SECONDS if answer.status >= 500 else None
