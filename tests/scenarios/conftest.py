"""The house that scenarios happen in, and the eye on everything Steward sends in them."""

from collections.abc import AsyncIterator

import pytest

from tests.scenarios.house import PATIENT_SECONDS, House, house_over_http, house_over_socket_mode
from tests.scenarios.looking import CHECKER, refused_blocks

# A scenario goes through every layer, and the database is one of them: where what it shows hangs on the database (what
# is stored once, in which order, with which locks, found by which words) it happens on both, elsewhere on one. What the
# layers ask of the database has tests of its own, on both.
ON_BOTH = {
    "test_bindings",
    "test_digest",
    "test_finding",
    "test_first_records",
    "test_guests",
    "test_mentions",
    "test_once",
    "test_owner_hears_once",
    "test_private_channels",
    "test_reactions",
}


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A scenario that does not say itself which databases it wants gets those above."""
    says_itself = any("engine" in str(mark.args[0]) for mark in metafunc.definition.iter_markers("parametrize"))
    if "engine" in metafunc.fixturenames and not says_itself:
        module = metafunc.module.__name__.rpartition(".")[2]
        engines = ["sqlite", "postgresql"] if module in ON_BOTH else ["sqlite"]
        metafunc.definition.add_marker(pytest.mark.parametrize("engine", engines, indirect=True))


@pytest.fixture(autouse=True)
def slack_has_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whom or what Slack is asked about while a person waits is not left unknown only because the machine is busy."""
    monkeypatch.setattr("bot.slack_directory.PATIENCE_SECONDS", PATIENT_SECONDS)


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    """Steward in a sandbox over Socket Mode."""
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
