"""`steward doctor`: each fault of an installation is found, said with what to do, and nothing is changed by looking."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession
from typer.testing import CliRunner

from bot import command_line, doctor, migrate
from bot.doctor import Finding, Verdict
from bot.manifest import OPTIONAL_SCOPES, SCOPES, manifest
from bot.sealing import Seal, Tokens, new_key
from bot.settings import Settings
from models import installations, outbox
from models.database import Database
from models.tables import Channel, Delivery, DeliveryState, Person, Workspace
from sandbox import Sandbox
from scheduler.runner import HEARTBEAT
from tests.support import WORKSPACE, make_channel, make_person, make_project, make_workspace
from tests.support_installations import an_installation


@pytest.fixture(autouse=True)
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder to work in, and no variables of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
async def slack() -> AsyncIterator[Sandbox]:
    async with Sandbox(manifest(), rate_limits=False) as sandbox:
        yield sandbox


def connected_to(slack: Sandbox, **others: Any) -> Settings:
    known: dict[str, Any] = {
        "slack_api_url": slack.api_url,
        "slack_bot_token": slack.bot_token,
        "slack_app_token": slack.app_token,
    }
    return Settings(**(known | others))


async def found(settings: Settings, now: datetime | None = None) -> dict[str, Finding]:
    return {finding.about: finding async for finding in doctor.examine(settings, now=now or datetime.now(UTC))}


async def database_with(url: str, work: Callable[[AsyncSession], Awaitable[None]]) -> None:
    async with Database(url) as database:
        async with database.unit(WORKSPACE) as session:
            await make_workspace(session)
            await work(session)
        await database.beat(HEARTBEAT, datetime.now(UTC))


async def one_project(session: AsyncSession) -> None:
    ana = await make_person(session, "ana")
    await make_project(session, by=ana, channel=await make_channel(session, "move", members=[ana]))
    channel = await session.get(Channel, (WORKSPACE, "CMOVE"))
    assert channel is not None
    channel.has_bot = True


def faults(findings: dict[str, Finding]) -> set[str]:
    return {about for about, finding in findings.items() if finding.verdict is Verdict.FAULT}


async def test_where_all_is_well_there_is_no_fault_and_each_part_was_looked_at(
    slack: Sandbox, database_url: str
) -> None:
    await database_with(database_url, one_project)

    told = await found(connected_to(slack, database_url=database_url))

    assert faults(told) == set(), told
    assert {"bot token", "scopes", "clock", "way in", "database", "schema", "clock's work", "messages"} <= set(told)
    assert "Northwind" in told["bot token"].says


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_token_that_slack_refuses_is_named_without_being_shown(slack: Sandbox, database_url: str) -> None:
    told = await found(connected_to(slack, slack_bot_token="xoxb-not-this-one", database_url=database_url))

    assert "invalid_auth" in told["bot token"].says
    assert "bot token" in faults(told)
    assert all("not-this-one" not in finding.line() for finding in told.values())


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_an_app_token_of_something_else_is_found(slack: Sandbox, database_url: str) -> None:
    told = await found(connected_to(slack, slack_app_token="xapp-not-this-one", database_url=database_url))

    assert "app token" in faults(told)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_slack_out_of_reach_is_a_fault_and_the_rest_is_looked_at_all_the_same(
    slack: Sandbox, database_url: str
) -> None:
    told = await found(connected_to(slack, slack_api_url="http://127.0.0.1:9/api/", database_url=database_url))

    assert "did not answer" in told["bot token"].says
    assert told["schema"].verdict is Verdict.GOOD


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_without_the_optional_scopes_it_is_said_what_is_off_and_that_is_no_fault(database_url: str) -> None:
    async with Sandbox(manifest(), rate_limits=False, optional_scopes=False) as slack:
        told = await found(connected_to(slack, database_url=database_url))

    assert told["scopes"].verdict is Verdict.NOTE
    assert all(scope in told["scopes"].says for scope in OPTIONAL_SCOPES)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_scope_of_the_manifest_that_was_not_granted_is_a_fault(database_url: str) -> None:
    asked = manifest()
    asked["oauth_config"]["scopes"]["bot"].remove("users:read")
    asked["settings"]["event_subscriptions"]["bot_events"].remove("user_change")
    asked["settings"]["event_subscriptions"]["bot_events"].remove("team_join")
    async with Sandbox(asked, rate_limits=False) as slack:
        told = await found(connected_to(slack, database_url=database_url))

    assert "users:read" in told["scopes"].says
    assert "scopes" in faults(told)


@pytest.mark.parametrize("minutes", [-4, 4])
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_clock_that_runs_away_from_slacks_is_a_fault(slack: Sandbox, database_url: str, minutes: int) -> None:
    told = await found(
        connected_to(slack, database_url=database_url), now=datetime.now(UTC) + timedelta(minutes=minutes)
    )

    assert "clock" in faults(told)
    assert ("ahead of" if minutes > 0 else "behind") in told["clock"].says


async def test_a_silent_worker_and_messages_that_wait_are_found(slack: Sandbox, database_url: str) -> None:
    now = datetime.now(UTC)

    async def waiting(session: AsyncSession) -> None:
        await one_project(session)
        for minutes in (1, 20):
            await outbox.put(
                session, "word", key=f"w{minutes}", target="UANA", payload={}, due_at=now - timedelta(minutes=minutes)
            )
        session.add(
            Delivery(
                kind="word",
                dedupe_key="p",
                lane="p",
                target="UANA",
                due_at=now - timedelta(days=1),
                state=DeliveryState.PARKED,
                last_error="is_archived",
            )
        )

    await database_with(database_url, waiting)

    told = await found(connected_to(slack, database_url=database_url), now=now)
    async with Database(database_url) as database:
        await database.beat(HEARTBEAT, now - timedelta(minutes=10))
    later = await found(connected_to(slack, database_url=database_url), now=now)

    assert "2 wait, the oldest for 20 minutes" in told["messages"].says
    assert "1 × is_archived" in told["refused messages"].says
    assert "clock's work" not in faults(told)
    assert "clock's work" in faults(later)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_channel_that_steward_is_not_in_is_named(slack: Sandbox, database_url: str) -> None:
    async def outside(session: AsyncSession) -> None:
        await one_project(session)
        channel = await session.get(Channel, (WORKSPACE, "CMOVE"))
        assert channel is not None
        channel.has_bot = False
        ana = await session.get(Person, (WORKSPACE, "UANA"))
        assert ana is not None
        secret = await make_channel(session, "secret", members=[ana], is_private=True, has_bot=False)
        await make_project(session, by=ana, channel=secret, name="Secret")

    await database_with(database_url, outside)

    told = await found(connected_to(slack, database_url=database_url))

    assert told["public channels"].says == "not in #move"
    assert told["public channels"].do.startswith("It posts there all the same, but hears of no mention")
    assert told["private channels"].says == "not in #secret"
    assert "or nothing is posted" in told["private channels"].do
    assert "channels" not in told


def test_the_command_ends_with_a_status_for_scripts_and_makes_no_file_by_looking(tmp_path: Path) -> None:
    told = CliRunner().invoke(command_line.app, ["doctor"])

    assert told.exit_code == 1
    assert "steward migrate" in told.output
    assert list(tmp_path.iterdir()) == []

    url = f"sqlite:///{tmp_path}/steward.db"
    migrate.upgrade(url)
    migrate.downgrade(url, "0001")
    behind = CliRunner().invoke(command_line.app, ["doctor"], env={"DATABASE_URL": url})

    assert behind.exit_code == 1
    assert "another than this release expects" in behind.output


def test_where_all_is_well_the_command_ends_with_zero(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/steward.db"
    migrate.upgrade(url)

    asyncio.run(database_with(url, one_project))
    told = CliRunner().invoke(command_line.app, ["doctor"], env={"DATABASE_URL": url})

    assert told.exit_code == 0, told.output
    assert "All is well." in told.output


# ---- every workspace that installed Steward --------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_of_each_installation_it_is_said_whether_it_is_well(slack: Sandbox, database_url: str) -> None:
    now, key = datetime.now(UTC), new_key()
    scopes = ",".join(SCOPES)
    good = an_installation("T1", sealed_tokens=Seal([key]).seal("T1", Tokens(slack.bot_token)), scopes=scopes)
    refused = an_installation("T2", sealed_tokens=Seal([key]).seal("T2", Tokens("xoxb-hunter2")), scopes="commands")
    refused.refused_since = datetime(2032, 3, 1, 9, tzinfo=UTC)
    locked = an_installation("T3", sealed_tokens=Seal([new_key()]).seal("T3", Tokens("xoxb-hunter2")))
    stuck = an_installation("T4", sealed_tokens=Seal([key]).seal("T4", Tokens("xoxe.xoxb-hunter2", "xoxe-hunter2")))
    stuck.expires_at, stuck.refresh_error = now - timedelta(hours=1), "invalid_refresh_token"
    stuck.refused_since = refused.refused_since
    gone = an_installation("T5", removed_at=now)
    async with Database(database_url) as database:
        for each in (good, refused, locked, stuck, gone):
            await installations.save(database, each)
        async with database.unit("T6") as session:
            session.add(Workspace(id="T6", name="Acme", bot_user_id="UBOT", refused_since=refused.refused_since))

    told = await found(
        Settings(
            slack_api_url=slack.api_url,
            slack_client_id="1.2",
            slack_client_secret="hunter2",
            slack_signing_secret="hunter2",
            steward_encryption_keys=key,
            database_url=database_url,
        )
    )

    assert told["Northwind (T1)"].verdict is Verdict.GOOD
    assert told["scopes in Northwind (T1)"].verdict is Verdict.GOOD
    assert told["Northwind (T5)"].verdict is Verdict.NOTE
    assert {about for about in faults(told) if "Northwind" in about} == {
        "Northwind (T2)",
        "scopes in Northwind (T2)",
        "Northwind (T3)",
        "Northwind (T4)",
        "scopes in Northwind (T4)",
    }
    assert "invalid_auth" in told["Northwind (T2)"].says
    assert "counts as removed from 08 Mar 2032 on" in told["organisation"].do
    for about in ("Northwind (T2)", "Northwind (T4)"):
        assert "What is stored stays; if Steward was removed there" in told[about].do
        assert "counts as removed" not in told[about].do
    assert "STEWARD_ENCRYPTION_KEYS" in told["Northwind (T3)"].says
    assert "invalid_refresh_token" in told["Northwind (T4)"].says
    assert "this database came from a backup made before the last exchange. Have Steward" in told["Northwind (T4)"].do
    assert "Installed there again before then" in told["Northwind (T5)"].do
    assert all("hunter2" not in finding.line() for finding in told.values())


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_where_slack_says_that_the_app_is_gone_the_day_is_named_from_which_that_counts(
    slack: Sandbox, database_url: str
) -> None:
    key = new_key()
    gone = an_installation("T1", sealed_tokens=Seal([key]).seal("T1", Tokens(slack.bot_token)))
    gone.refused_since = datetime(2032, 3, 1, 9, tzinfo=UTC)
    async with Database(database_url) as database:
        await installations.save(database, gone)
    slack.fail("auth.test", error="account_inactive", times=10)

    told = await found(
        Settings(
            slack_api_url=slack.api_url,
            slack_client_id="1.2",
            slack_client_secret="hunter2",
            slack_signing_secret="hunter2",
            steward_encryption_keys=key,
            database_url=database_url,
        )
    )

    assert "counts as removed from 08 Mar 2032 on" in told["Northwind (T1)"].do
    assert "What is stored stays" not in told["Northwind (T1)"].do


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_without_keys_it_says_that_no_token_can_be_used(database_url: str) -> None:
    told = await found(Settings(slack_client_id="1.2", slack_signing_secret="x", database_url=database_url))

    assert "STEWARD_ENCRYPTION_KEYS is not set" in told["keys"].says
    assert "keys" in faults(told)
