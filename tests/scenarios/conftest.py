"""The house that scenarios happen in."""

from collections.abc import AsyncIterator

import pytest

from tests.scenarios.house import House, house_over_http, house_over_socket_mode


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    """Steward in a sandbox over Socket Mode, on each database."""
    async with house_over_socket_mode(database_url) as open_house:
        yield open_house


@pytest.fixture(params=["socket mode", "http"])
async def any_house(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[House]:
    """The same, once over Socket Mode and once over signed HTTP."""
    opened = house_over_socket_mode if request.param == "socket mode" else house_over_http
    async with opened(database_url) as open_house:
        yield open_house
