"""A running workspace and a client for its Web API."""

from collections.abc import AsyncIterator

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from sandbox import Sandbox
from tests.sandbox.workspace_support import MANIFEST, PATIENT


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """The workspace with rate limits off, and patient; tests of those start their own."""
    async with Sandbox(MANIFEST, rate_limits=False, timing=PATIENT) as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> AsyncWebClient:
    """Slack's own client with the bot token."""
    return AsyncWebClient(token=sandbox.bot_token, base_url=sandbox.api_url)
