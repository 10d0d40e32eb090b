"""What a process tells whoever runs it: whether it is well, whether it is ready, and its numbers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot import bolt_app, run, web
from bot.assemble import Slack
from bot.manifest import manifest
from bot.stopping import Deadline
from handlers import records
from models import outbox
from models.database import Database
from sandbox import Sandbox
from tests.scenarios.house import house_over_socket_mode
from tests.support_logs import settings_for

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


class Teller:
    """The address at which a process tells how it is."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = url
        self._session = session

    async def get(self, path: str) -> tuple[int, str]:
        async with self._session.get(f"{self._url}{path}") as answer:
            return answer.status, await answer.text()

    async def numbers(self) -> dict[tuple[str, ...], float]:
        """Name and values of the labels, in the order of their names -> value, of everything that is Steward's."""
        _, told = await self.get("/metrics")
        samples = [each for family in text_string_to_metric_families(told) for each in family.samples]
        return {
            (each.name.removeprefix("steward_"), *each.labels.values()): each.value
            for each in samples
            if each.name.startswith("steward_") and "le" not in each.labels and not each.name.endswith("_created")
        }


@asynccontextmanager
async def telling(database: Database, **options: Any) -> AsyncIterator[Teller]:
    said: list[str] = []
    with run.telling_at(settings_for(metrics_port=0)) as address:
        async with (
            run.operated(address, database, said.append, Deadline(), **options),
            aiohttp.ClientSession() as session,
        ):
            yield Teller(said[0].partition(": ")[2].partition("/metrics")[0], session)


async def test_the_numbers_tell_what_went_on_and_never_whose_it_was(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> None:
        raise ValueError("a fault")

    async with (
        house_over_socket_mode(database_url) as house,
        telling(house.steward.database) as teller,
    ):
        before = await teller.numbers()
        ana = house.sandbox.person("ana")
        await ana.command("#network", "/action", "Order two racks")
        await ana.command("#network", "/steward", "A1 owner somebody-who-is-not-there")
        await house.settled()
        house.sandbox.fail("chat.postMessage", error="is_archived")
        await ana.command("#network", "/risk", "The racks may be late")
        await house.settled()
        monkeypatch.setattr(records, "log_words", fails)
        await ana.command("#network", "/issue", "The racks are late")
        await house.steward.runner.tick()
        async with house.steward.database.unit(house.sandbox.team_id) as session:
            due_at = datetime.now(UTC) - timedelta(minutes=20)
            await outbox.put(session, "word", key="late", target="U1", payload={}, due_at=due_at)
        after = await teller.numbers()
        _, told = await teller.get("/metrics")

    grown = {key: value - before.get(key, 0) for key, value in after.items() if value != before.get(key, 0)}
    assert grown["acknowledgement_seconds_count", "command"] == 4
    assert grown["request_seconds_count", "command", "done"] == 2
    assert grown["request_seconds_count", "command", "refused"] == 1
    assert grown["request_seconds_count", "command", "fault"] == 1
    assert grown["faults_total", "command"] == 1
    assert grown["slack_calls_total", "is_archived", "chat.postMessage"] == 1
    assert grown["slack_calls_total", "ok", "chat.postMessage"] >= 1
    assert grown["delivery_lateness_seconds_count", "card"] >= 1
    assert grown["deliveries_not_sent_total", "is_archived", "card"] == 1
    assert grown["tick_seconds_count",] >= 1
    assert after["socket_connected",] == 1
    assert after["deliveries", "late"] == 1
    assert 1_200 <= after["oldest_due_seconds",] < 1_200 + 3_600
    assert after["database_connections", "at most"] >= 1
    assert "process_resident_memory_bytes" in told
    for name in ("racks", "Ana", ana.user.id, house.sandbox.team_id, house.sandbox.bot_token, "network"):
        assert name not in told


async def test_a_process_is_ready_without_the_clock_and_not_with_another_schema(
    database_url: str, empty_database_url: str
) -> None:
    """Who shares out requests asks whether this process can take one; that nobody ticks is another matter."""
    found = []
    for url in (database_url, empty_database_url, "postgresql://steward:hunter2@127.0.0.1:9/steward"):
        async with Database(url) as database, telling(database) as teller:
            found.append((await teller.get("/readyz"), (await teller.get("/healthz"))[0]))
            _, numbers = await teller.get("/metrics")

    assert found[0] == ((200, '{"ok":true,"problem":null}'), 503)
    assert found[1][0][0] == found[2][0][0] == 503
    assert "run `steward migrate`" in found[1][0][1]
    assert "the database does not answer (ConnectionRefusedError)" in found[2][0][1]
    assert "steward_oldest_due_seconds NaN" in numbers
    assert 'steward_deliveries{state="due"}' not in numbers


async def test_over_socket_mode_a_process_is_ready_while_slack_is_there(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Sandbox(manifest()) as slack:
        given = Slack(slack.bot_token, slack.api_url)
        async with (
            run.socket_mode(Database(database_url), given, slack.app_token) as running,
            telling(running.steward.database, also=running.problem) as teller,
        ):
            before = await teller.get("/readyz")
            assert running._door is not None
            running._door._heard_at -= 3_600
            monkeypatch.setattr(running._door, "_listen", lambda: None)
            after = await teller.get("/readyz")

    assert before == (200, '{"ok":true,"problem":null}')
    assert after == (503, '{"ok":false,"problem":"Slack is out of reach"}')


async def test_without_a_port_nothing_is_told(database: Database) -> None:
    said: list[str] = []
    with run.telling_at(settings_for()) as nowhere:
        async with run.operated(nowhere, database, said.append, Deadline()):
            assert said == []


async def test_what_slack_posts_to_tells_nobody_the_numbers(database: Database) -> None:
    async def nobody(*_: object) -> None:
        return None

    bolt = bolt_app.build(nobody, nobody, signing_secret="s", api_url="http://127.0.0.1:9/")  # type: ignore[arg-type]
    paths = {getattr(route, "path", "") for route in web.application(bolt, database, "s").routes}

    assert paths == {"/slack/events", "/healthz", "/readyz"}
