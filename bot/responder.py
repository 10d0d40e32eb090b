"""Answers to a `response_url`: up to five within thirty minutes, no token, no membership needed."""

import logging
from typing import Any

import aiohttp

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 10.0


class Responder:
    """Posts follow-ups of an interaction. A lost one is only logged: it never is the only copy of anything."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def send(self, url: str, body: dict[str, Any]) -> None:
        """Post the body; nothing happens without an address."""
        if not url:
            return
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS))
        try:
            async with self._session.post(url, json=body) as answer:
                said = await answer.text()
                if answer.status != 200 or '"ok":false' in said.replace(" ", ""):
                    log.warning("an answer was not taken: HTTP %s %s", answer.status, said[:200])
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("an answer could not be delivered: %s", type(error).__name__)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
