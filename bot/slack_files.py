"""Files that people put into forms, read from Slack outside of any transaction."""

import asyncio
import logging
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from bot.slack_port import SlackError, SlackPort, Token
from handlers.request import ChosenFile
from models.importing import MOST_BYTES

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 20.0
SLACK_HOSTS = ("slack.com", "slack-files.com")

UNREADABLE = "Slack did not let me read the file. Paste the table into the box below instead, or try again."
TOO_LARGE = f"The file is larger than {MOST_BYTES // 1_000_000} MB. Split it, or paste the part you need."


class SlackFiles:
    """Reads files with the app's token, which goes to Slack and to nobody else."""

    def __init__(self, port: SlackPort, token: Token, api_url: str) -> None:
        self._port = port
        self._token = token
        self._api = urlsplit(api_url)

    async def read(self, file_id: str) -> ChosenFile:
        """The file; what could not be read has a `problem` in place of its content."""
        name = ""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                described = (await self._port.call("files.info", file=file_id)).get("file") or {}
                name = str(described.get("name") or "file")
                if int(described.get("size") or 0) > MOST_BYTES:
                    return ChosenFile(file_id, name, problem=TOO_LARGE)
                content = await self._download(described)
        except (SlackError, aiohttp.ClientError, TimeoutError, ValueError) as error:
            log.warning("a file cannot be read: %s", getattr(error, "code", type(error).__name__))
            return ChosenFile(file_id, name, problem=UNREADABLE)
        if len(content) > MOST_BYTES:
            return ChosenFile(file_id, name, problem=TOO_LARGE)
        return ChosenFile(file_id, name, content)

    async def _download(self, described: dict[str, Any]) -> bytes:
        """At most a byte more than allowed. Raises ValueError where the answer is no file of Slack's."""
        url = str(described.get("url_private_download") or described.get("url_private") or "")
        if not self._is_slacks(url):
            raise ValueError("not Slack's address")
        headers = {"Authorization": f"Bearer {await self._token()}"}
        # A token that may not read files is sent on to a page to log in.
        async with (
            aiohttp.ClientSession() as session,
            session.get(url, headers=headers, allow_redirects=False) as answer,
        ):
            if answer.status != 200 or answer.content_type == "text/html":
                raise ValueError(f"HTTP {answer.status} {answer.content_type}")
            return await _at_most(answer.content, MOST_BYTES + 1)

    def _is_slacks(self, url: str) -> bool:
        """Whether the address is Slack's, or of the very host that stands in for it."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        is_slack = parts.scheme == "https" and any(host == name or host.endswith(f".{name}") for name in SLACK_HOSTS)
        return is_slack or (parts.scheme, parts.netloc) == (self._api.scheme, self._api.netloc)


async def _at_most(stream: aiohttp.StreamReader, limit: int) -> bytes:
    found = bytearray()
    async for part in stream.iter_chunked(65_536):
        found += part
        if len(found) >= limit:
            break
    return bytes(found[:limit])
