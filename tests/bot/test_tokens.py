"""The token for a call: opened as it was sealed, exchanged in time, by one process and once."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bot import lookout, tokens
from bot.lookout import Lookout
from bot.sealing import Seal, Tokens, new_key
from bot.slack_port import SlackNotSent, SlackPermanent, SlackRefused, SlackUnknown
from bot.tokens import TokenKeeper
from models import installations
from models.database import Database
from tests.support import FixedClock
from tests.support_installations import TokenGiver, an_answer, an_installation

SEAL = Seal([new_key()])
GOOD_FOR = timedelta(hours=12)

only_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

Process = Callable[[], TokenKeeper]


@pytest.fixture
def slack() -> TokenGiver:
    return TokenGiver()


@pytest.fixture
def process(database: Database, clock: FixedClock, slack: TokenGiver, monkeypatch: pytest.MonkeyPatch) -> Process:
    """Makes the keeper of one process after another, each of which looks at the database each time."""
    monkeypatch.setattr(lookout, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(tokens, "WAIT_STEP_SECONDS", 0.01)
    return lambda: TokenKeeper(database, Lookout(database), SEAL, slack, clock=clock, wall=clock)


async def install(
    database: Database, clock: FixedClock, held: Tokens, *, seal: Seal = SEAL, good_for: timedelta | None = None
) -> None:
    """Steward is installed in T0001."""
    expires_at = clock.now() + good_for if good_for is not None else None
    sealed = seal.seal("T0001", held)
    await installations.save(
        database, an_installation(installed_at=clock.now(), sealed_tokens=sealed, expires_at=expires_at)
    )
    await installations.meet(
        database, "T0001", name="Northwind", bot_user_id="UBOT", now=clock.now(), installation_id="T0001"
    )


@pytest.fixture
async def expiring(database: Database, clock: FixedClock) -> None:
    """Steward is installed with a token that is good for twelve hours."""
    await install(database, clock, Tokens("xoxe.xoxb-first", "xoxe-first"), good_for=GOOD_FOR)


def exchanged(slack: TokenGiver) -> list[str]:
    return [call["refresh_token"] for call in slack.calls]


@only_sqlite
async def test_a_workspace_that_is_not_served_has_none(process: Process) -> None:
    with pytest.raises(SlackPermanent, match="not_installed"):
        await process().token("T0001")


@only_sqlite
async def test_a_token_sealed_with_a_key_that_this_process_lacks_yet_is_waited_for(
    process: Process, slack: TokenGiver, database: Database, clock: FixedClock
) -> None:
    """While processes are started anew one by one with another key: what is owed must not count as perhaps sent."""
    another = Seal([new_key()])
    await install(database, clock, Tokens("xoxb-hunter2"), seal=another)
    renewed = TokenKeeper(database, Lookout(database), another, slack, clock=clock, wall=clock)

    assert await renewed.token("T0001") == "xoxb-hunter2"
    with pytest.raises(SlackNotSent, match="token_does_not_open"):
        await process().token("T0001")


@pytest.mark.usefixtures("expiring")
async def test_two_processes_exchange_a_token_once_and_go_on_meanwhile(
    process: Process, slack: TokenGiver, clock: FixedClock
) -> None:
    web, worker = process(), process()
    clock.move(hours=10, seconds=-1)
    assert await web.token("T0001") == "xoxe.xoxb-first"
    clock.move(seconds=2)
    slack.may_answer.clear()

    async with asyncio.timeout(30):
        meanwhile = [await each.token("T0001") for each in (web, worker, web, worker)]
        await slack.called.wait()
        meanwhile += [await each.token("T0001") for each in (web, worker)]
    slack.may_answer.set()
    await web.settle()
    await worker.settle()

    assert set(meanwhile) == {"xoxe.xoxb-first"}
    assert exchanged(slack) == ["xoxe-first"]
    assert [await each.token("T0001") for each in (web, worker)] == ["xoxe.xoxb-1"] * 2


@pytest.mark.usefixtures("expiring")
async def test_a_token_that_is_over_is_waited_for_in_every_process(
    process: Process, slack: TokenGiver, clock: FixedClock
) -> None:
    web, worker = process(), process()
    clock.move(hours=13)

    held = await asyncio.gather(*(each.token("T0001") for each in (web, worker) * 5))

    assert set(held) == {"xoxe.xoxb-1"}
    assert exchanged(slack) == ["xoxe-first"]


@only_sqlite
@pytest.mark.usefixtures("expiring")
async def test_the_next_exchange_is_made_with_the_next_refresh_token(
    process: Process, slack: TokenGiver, clock: FixedClock
) -> None:
    keeper = process()

    for number in (1, 2, 3):
        clock.move(hours=13)
        assert await keeper.token("T0001") == f"xoxe.xoxb-{number}"

    assert exchanged(slack) == ["xoxe-first", "xoxe-1", "xoxe-2"]


@only_sqlite
@pytest.mark.usefixtures("expiring")
@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (SlackUnknown("no answer"), "no answer"),
        (SlackRefused("invalid_refresh_token"), "invalid_refresh_token"),
        (an_answer(), "incomplete_answer"),
    ],
)
async def test_an_exchange_that_fails_is_noted_and_tried_again(
    process: Process,
    slack: TokenGiver,
    clock: FixedClock,
    database: Database,
    caplog: pytest.LogCaptureFixture,
    outcome: Any,
    code: str,
) -> None:
    """The old token does as long as it is good; after that nothing is sent, and nothing is given up."""
    keeper = process()
    clock.move(hours=11)
    slack.answers += [outcome, outcome]

    assert await keeper.token("T0001") == "xoxe.xoxb-first"
    await keeper.settle()
    [stored] = await installations.everywhere(database)
    assert stored.refresh_error == code
    assert await keeper.token("T0001") == "xoxe.xoxb-first"
    await keeper.settle()
    assert len(slack.calls) == 1, "not at once again"

    clock.move(hours=2)
    with pytest.raises(SlackNotSent, match="token_expired"):
        await keeper.token("T0001")
    clock.move(minutes=1)
    assert await keeper.token("T0001") == "xoxe.xoxb-1"
    [stored] = await installations.everywhere(database)
    assert stored.refresh_error is None
    assert f"could not be exchanged: {code}" in caplog.text
    assert "xoxe" not in caplog.text


@only_sqlite
@pytest.mark.usefixtures("expiring")
async def test_a_process_that_dies_in_an_exchange_leaves_it_to_another(
    process: Process, slack: TokenGiver, clock: FixedClock, database: Database
) -> None:
    keeper = process()
    clock.move(hours=11)
    [seen] = await installations.everywhere(database)
    assert await installations.lease(database, seen, wall=clock.now(), until=clock.now() + tokens.LEASE)

    assert await keeper.token("T0001") == "xoxe.xoxb-first"
    await keeper.settle()
    assert exchanged(slack) == []
    clock.move(seconds=61)
    await keeper.token("T0001")
    await keeper.settle()

    assert await keeper.token("T0001") == "xoxe.xoxb-1"


@only_sqlite
@pytest.mark.usefixtures("expiring")
async def test_new_tokens_are_stored_even_if_the_database_is_away_for_a_moment(
    process: Process, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slack gives them once."""
    clock.move(hours=13)
    renew, failures = installations.renew, [OSError("away"), OSError("away")]

    async def away_at_first(*arguments: Any, **values: Any) -> bool:
        if failures:
            raise failures.pop()
        return await renew(*arguments, **values)

    monkeypatch.setattr(installations, "renew", away_at_first)
    monkeypatch.setattr(tokens, "STORE_AGAIN_SECONDS", 0.01)

    assert await process().token("T0001") == "xoxe.xoxb-1"
    assert failures == []


@only_sqlite
@pytest.mark.usefixtures("expiring")
async def test_an_installation_during_an_exchange_keeps_its_own_tokens(
    process: Process, slack: TokenGiver, clock: FixedClock, database: Database
) -> None:
    keeper = process()
    clock.move(hours=11)
    slack.may_answer.clear()
    await keeper.token("T0001")
    await slack.called.wait()
    await install(database, clock, Tokens("xoxb-fresh"))
    slack.may_answer.set()
    await keeper.settle()

    assert await keeper.token("T0001") == "xoxb-fresh"
