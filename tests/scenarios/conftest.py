"""The house that scenarios happen in, and the eye on everything Steward sends in them."""

from collections.abc import AsyncIterator

import pytest

from tests.scenarios.house import PATIENT_SECONDS, House, house_over_http, house_over_socket_mode
from tests.scenarios.looking import CHECKER, refused_blocks


@pytest.fixture(autouse=True)
def slack_has_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whom or what Slack is asked about while a person waits is not left unknown only because the machine is busy."""
    monkeypatch.setattr("bot.slack_directory.PATIENCE_SECONDS", PATIENT_SECONDS)


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    """Steward in a sandbox over Socket Mode, on each database."""
    async with house_over_socket_mode(database_url) as open_house:
        yield open_house
        _look_at_all_that_was_sent(open_house)


@pytest.fixture(params=["socket mode", "http"])
async def any_house(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[House]:
    """The same, once over Socket Mode and once over signed HTTP."""
    opened = house_over_socket_mode if request.param == "socket mode" else house_over_http
    async with opened(database_url) as open_house:
        yield open_house
        _look_at_all_that_was_sent(open_house)


def _look_at_all_that_was_sent(house: House) -> None:
    """No scenario may send blocks that Slack would refuse. Without the checker the sandbox's own rules stand."""
    if CHECKER.exists():
        assert refused_blocks(house.sandbox) == []
