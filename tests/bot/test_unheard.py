"""Removals that nobody here was told of: one odd answer of Slack's does no harm, and saying it for a week is enough."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from bot import run
from bot.installed import InstalledWorkspaces
from bot.manifest import manifest
from bot.sealing import Seal, Tokens, new_key
from bot.settings import Settings
from bot.slack_port import SlackError, SlackPermanent, SlackRefused, SlackUnknown
from bot.unheard import SAID_FOR, SILENCE_MAX
from models import installations, outbox
from models.backlog import backlog
from models.database import Database
from models.tables import Installation
from sandbox import Sandbox
from tests.support import NOW, FixedClock
from tests.support_installations import TokenGiver, an_answer, an_installation

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

GONE = SlackPermanent("account_inactive")


class Host:
    """A Steward that is installed in T0001, and a Slack that says of its token what it is told to."""

    def __init__(self, database: Database, clock: FixedClock) -> None:
        self.database, self.clock = database, clock
        self.slack = TokenGiver()
        self.says(None)
        self.installed = InstalledWorkspaces(database, Seal([new_key()]), self.slack, self.slack.as_bot, clock=clock)  # type: ignore[arg-type]

    def says(self, error: SlackError | None) -> None:
        self.slack.of_bots["xoxb-hunter2"] = error

    async def install(self, **fields: Any) -> None:
        self.slack.answers.append(an_answer(**fields))
        await self.installed.install("code", redirect_uri="https://steward.example/slack/oauth_redirect")

    async def look(self, after: timedelta = timedelta(0), *, only_refused: bool = False) -> None:
        self.clock.move(seconds=after.total_seconds())
        await self.installed._unheard.look(only_refused=only_refused)

    async def served(self) -> list[str]:
        return [each.id for each in await self.installed.workspaces()]

    async def stored(self) -> Installation:
        [found] = await installations.everywhere(self.database)
        return found

    async def owe(self, workspace_id: str) -> None:
        async with self.database.unit(workspace_id) as session:
            await outbox.put(session, "word", key="one", target="UANA", due_at=NOW)

    async def waiting(self) -> int:
        return (await backlog(self.database, now=self.clock.now())).by_state["due"]


@pytest.fixture
async def host(database: Database, clock: FixedClock) -> Host:
    host = Host(database, clock)
    await host.install()
    await host.owe("T0001")
    return host


async def test_one_odd_answer_stops_what_is_done_there_and_erases_nothing(host: Host) -> None:
    before = (await host.served(), await host.waiting())
    host.says(GONE)
    await host.look()
    refused = (await host.served(), await host.waiting(), await host.installed.find("T0001"))
    host.says(None)
    await host.look(timedelta(minutes=5), only_refused=True)

    assert before == (["T0001"], 1)
    assert refused[:2] == ([], 0), "what waits there is nobody's fault here"
    assert refused[2] is not None, "whoever acts there is answered"
    assert (await host.served(), await host.waiting()) == (["T0001"], 1)
    assert (await host.stored()).refused_since is None
    assert await host.installed.token("T0001") == "xoxb-hunter2"


@pytest.mark.parametrize("code", ["account_inactive", "token_revoked"])
async def test_what_slack_says_for_a_week_is_a_removal(host: Host, code: str, caplog: pytest.LogCaptureFixture) -> None:
    host.says(SlackPermanent(code))
    await host.look()
    while host.clock.now() + SILENCE_MAX < NOW + SAID_FOR:
        await host.look(SILENCE_MAX)
    at_last = await host.stored()
    await host.look(SILENCE_MAX)

    assert at_last.sealed_tokens is not None
    removed = await host.stored()
    assert (removed.sealed_tokens, removed.removed_at) == (None, NOW + SAID_FOR)
    assert await installations.removed(host.database, before=NOW + SAID_FOR + timedelta(seconds=1)) == ["T0001"]
    assert await host.installed.find("T0001") is None
    assert f"Steward was removed from T0001: Slack has said so since {NOW} ({code})" in caplog.text
    assert "hunter2" not in caplog.text


async def test_what_slack_says_now_and_then_is_no_removal(host: Host) -> None:
    """As where Steward runs for a moment now and then, on a machine that Slack does not let in."""
    host.says(GONE)
    for _ in range(20):
        await host.look(SILENCE_MAX + timedelta(minutes=1))

    assert (await host.stored()).sealed_tokens is not None


async def test_a_request_from_there_proves_that_it_is_none(host: Host) -> None:
    host.says(GONE)
    for _ in range(20):
        await host.look(SILENCE_MAX)
        await host.installed.heard_from("T0001")
        assert await host.served() == ["T0001"]

    assert (await host.stored()).sealed_tokens is not None


async def test_a_request_that_comes_while_slack_is_asked_is_not_overlooked(host: Host) -> None:
    """In another process, for instance."""
    host.says(GONE)
    await host.look()
    host.clock.move(seconds=SILENCE_MAX.total_seconds())
    seen = await host.stored()
    await host.installed.heard_from("T0001")

    await host.installed._unheard._refused(seen, "account_inactive")

    assert (await host.stored()).refused_since is None


@pytest.mark.parametrize(
    "error",
    [
        SlackUnknown("http_500"),
        SlackRefused("team_added_to_org"),
        SlackPermanent("missing_scope"),
        SlackPermanent("token_expired"),
    ],
    ids=lambda error: error.code,
)
async def test_an_answer_that_says_neither_changes_nothing(host: Host, error: SlackError) -> None:
    host.says(error)
    await host.look()
    fresh = (await host.stored()).refused_since
    host.says(GONE)
    await host.look()
    host.says(error)
    await host.look(timedelta(minutes=5))

    assert fresh is None
    assert (await host.stored()).refused_since == NOW


async def test_a_token_that_ended_says_so_together_with_its_refresh_token(host: Host) -> None:
    seen = await host.stored()
    await installations.renew(host.database, seen, refresh_error="invalid_refresh_token")
    host.says(SlackPermanent("token_expired"))

    await host.look()

    assert (await host.stored()).refused_since == NOW
    assert await host.served() == []


@pytest.mark.parametrize("code", ["invalid_auth", "token_expired"])
async def test_what_may_have_another_reason_stops_what_is_done_there_and_never_counts_as_a_removal(
    host: Host, code: str
) -> None:
    """As over quiet days on a host that Slack does not let in, or on one that came from an older backup."""
    await installations.renew(host.database, await host.stored(), refresh_error="invalid_refresh_token")
    host.says(SlackPermanent(code))
    for _ in range(20):
        await host.look(SILENCE_MAX)
    served = await host.served()

    host.says(GONE)
    await host.look(SILENCE_MAX)

    assert served == []
    stored = await host.stored()
    assert stored.sealed_tokens is not None
    assert stored.refused_since == host.clock.now() - SILENCE_MAX, "the days before it do not count either"


async def test_whoever_installs_it_again_begins_anew(host: Host) -> None:
    host.says(GONE)
    for _ in range(6):
        await host.look(SILENCE_MAX)

    await host.install(access_token="xoxb-again")
    at_once = await host.served()
    await host.look(SILENCE_MAX)
    again = await host.stored()

    assert at_once == ["T0001"]
    assert (again.refused_since, again.refused_at) == (host.clock.now(), host.clock.now())


async def test_a_workspace_that_an_organisation_seems_to_have_taken_is_waited_for_too(host: Host) -> None:
    """One list without it erases nothing; neither does a longer time in which somebody uses it there."""
    slack, installed = host.slack, host.installed
    await host.install(team=None, enterprise={"id": "E0001"}, is_enterprise_install=True, access_token="xoxb-wide")
    slack.of_bots["xoxb-wide"] = None
    for each in ("T0002", "T0003"):
        await installed.find(each, "E0001")
    await host.owe("T0002")
    slack.granted = ["T0003"]

    await host.look()
    refused = (await host.served(), await host.waiting(), await installed.find("T0002", "E0001") is not None)
    slack.granted = ["T0002", "T0003"]
    await host.look(only_refused=True)
    back = await host.served()
    slack.granted = ["T0003"]
    for _ in range(10):
        await host.look(SILENCE_MAX)
        await installed.heard_from("T0002")
    used = await host.served()

    assert refused == (["T0001", "T0003"], 1, True)
    assert back == used == ["T0001", "T0002", "T0003"]


@pytest.mark.parametrize(
    "listed", [{"teams": ["T0002"]}, {"teams": [{"name": "Acme"}]}, {"teams": None}, {"teams": {}}, {}], ids=str
)
async def test_an_answer_without_workspaces_says_nothing_and_stops_nothing(host: Host, listed: dict[str, Any]) -> None:
    """Neither the workspaces of that organisation, nor the question about those that come after it."""
    slack, installed = host.slack, host.installed
    await host.install(team=None, enterprise={"id": "E0001"}, is_enterprise_install=True, access_token="xoxb-wide")
    slack.of_bots["xoxb-wide"] = None
    await installed.find("T0002", "E0001")
    slack.listed = listed
    host.says(GONE)

    await host.look()

    assert await host.served() == ["T0002"]


async def test_a_removal_that_stopped_halfway_is_finished(host: Host) -> None:
    """Also one by `steward keys forget` of an earlier release."""
    await installations.remove(host.database, "T0001", now=NOW)

    await host.look(timedelta(days=3))

    assert await installations.removed(host.database, before=NOW + timedelta(seconds=1)) == ["T0001"]


@pytest.mark.parametrize("way", [run.worker_process, run.with_slack], ids=["worker", "run"])
async def test_slack_is_asked_as_soon_as_a_process_begins(database_url: str, way: Callable[..., Any]) -> None:
    key = new_key()
    unknown = an_installation(sealed_tokens=Seal([key]).seal("T0001", Tokens("xoxb-unknown")))
    async with Database(database_url) as database, Sandbox(manifest()) as slack:
        await installations.save(database, unknown)
        settings = Settings(
            database_url=database_url,
            slack_api_url=slack.api_url,
            slack_app_token=slack.app_token,
            slack_client_id=slack.client_id,
            slack_client_secret=slack.client_secret,
            steward_encryption_keys=key,
        )

        running = asyncio.create_task(way(settings, lambda _: None))
        async with asyncio.timeout(60):
            is_refused = False
            while not is_refused and not running.done():
                await asyncio.sleep(0.01)
                is_refused = (await installations.everywhere(database))[0].refused_since is not None
        assert not running.done()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
