"""Every workspace that installed Steward: who is served, and what becomes of it when that is over."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from bot import assemble, incoming, lookout
from bot.assemble import Slack, Steward
from bot.installed import InstalledWorkspaces
from bot.sealing import CannotOpen, Seal, Tokens, new_key
from bot.slack_directory import SlackDirectory
from bot.slack_port import SlackError, SlackPermanent, SlackUnknown
from models import installations, outbox
from models.database import Database
from models.tables import Delivery, DeliveryState, Workspace
from tests.support import NOW, FixedClock
from tests.support_installations import TokenGiver, an_answer, an_installation

SEAL = Seal([new_key()])
REDIRECT = "https://steward.example/slack/oauth_redirect"

only_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

Process = Callable[[], InstalledWorkspaces]


@pytest.fixture
def slack() -> TokenGiver:
    return TokenGiver()


@pytest.fixture
def process(database: Database, clock: FixedClock, slack: TokenGiver, monkeypatch: pytest.MonkeyPatch) -> Process:
    """Makes one process after another that serves what is installed, each of which looks at the database each time."""
    monkeypatch.setattr(lookout, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(lookout, "MISS_SECONDS", 0.0)
    return lambda: InstalledWorkspaces(database, SEAL, slack, slack.as_bot, clock=clock, wall=clock)  # type: ignore[arg-type]


async def install(process: InstalledWorkspaces, slack: TokenGiver, answer: dict[str, Any]) -> None:
    slack.answers.append(answer)
    await process.install("code", redirect_uri=REDIRECT)


async def ids(process: InstalledWorkspaces) -> list[str]:
    return [each.id for each in await process.workspaces()]


def told(kind: str, team_id: str = "T0001", *, at: datetime = NOW, enterprise_id: str = "", **inner: Any) -> Any:
    """An event as it comes in."""
    body = {"type": "event_callback", "team_id": team_id, "event_id": "Ev1", "event_time": int(at.timestamp())}
    return incoming.event(body | {"enterprise_id": enterprise_id, "event": {"type": kind, **inner}})


REVOKED = {"tokens": {"oauth": [], "bot": ["UBOT"]}}


# ---- who is served ---------------------------------------------------------------------------------------------------


async def test_another_process_serves_what_was_installed_through_one(process: Process, slack: TokenGiver) -> None:
    web, worker = process(), process()
    await web.open()
    await worker.open()
    assert await ids(worker) == []

    await install(web, slack, an_answer())

    assert await ids(worker) == ["T0001"]
    assert await worker.token("T0001") == "xoxb-hunter2"
    assert worker.scopes("T0001") == {"chat:write", "commands"}


@only_sqlite
async def test_each_workspace_has_a_token_of_its_own(process: Process, slack: TokenGiver) -> None:
    steward = process()
    for number in range(3):
        await install(steward, slack, an_answer(f"T000{number}", access_token=f"xoxb-{number}"))

    assert [await steward.token(f"T000{number}") for number in range(3)] == ["xoxb-0", "xoxb-1", "xoxb-2"]


@only_sqlite
async def test_a_workspace_that_never_installed_it_is_not_served(process: Process, database: Database) -> None:
    """Nor one that is there from the time of a bot token."""
    async with database.unit("T0002") as session:
        session.add(Workspace(id="T0002", name="Earlier", bot_user_id="UBOT"))
    steward = process()

    for workspace_id in ("T0001", "T0002", ""):
        assert await steward.find(workspace_id) is None
        with pytest.raises(SlackPermanent, match="not_installed"):
            await steward.token(workspace_id)
    assert await ids(steward) == []


@only_sqlite
async def test_an_installation_that_was_stored_and_not_met_is_met_by_the_first_request(
    process: Process, database: Database
) -> None:
    """As when the process that stored it ended right then."""
    await installations.save(database, an_installation(sealed_tokens=SEAL.seal("T0001", Tokens("xoxb-1"))))

    steward = process()

    assert await steward.find("T0001") is not None
    assert await steward.token("T0001") == "xoxb-1"


@only_sqlite
async def test_it_does_not_start_with_tokens_that_do_not_open(process: Process, database: Database) -> None:
    sealed = Seal([new_key()]).seal("T0001", Tokens("xoxb-hunter2"))
    await installations.save(database, an_installation(sealed_tokens=sealed))

    with pytest.raises(CannotOpen, match="STEWARD_ENCRYPTION_KEYS"):
        await process().open()

    await installations.remove(database, "T0001", now=NOW)
    await process().open()


# ---- removal ---------------------------------------------------------------------------------------------------------


async def owe(database: Database, workspace_id: str = "T0001") -> None:
    async with database.unit(workspace_id) as session:
        await outbox.put(session, "word", key="one", target="UANA", due_at=NOW)


async def owed(database: Database, workspace_id: str = "T0001") -> list[DeliveryState]:
    async with database.unit(workspace_id, writes=False) as session:
        return [row.state for row in await session.exec(select(Delivery))]


@pytest.mark.parametrize(
    "events",
    [
        [told("app_uninstalled")],
        [told("tokens_revoked", **REVOKED)],
        [told("tokens_revoked", **REVOKED), told("app_uninstalled")],
        [told("app_uninstalled"), told("tokens_revoked", **REVOKED), told("app_uninstalled")],
    ],
    ids=["uninstalled", "revoked", "both", "both and again"],
)
async def test_when_it_is_removed_the_tokens_are_erased_and_nothing_is_owed(
    process: Process, slack: TokenGiver, database: Database, events: list[Any]
) -> None:
    web, worker = process(), process()
    for team_id in ("T0001", "T0002"):
        await install(web, slack, an_answer(team_id))
        await owe(database, team_id)
        await asyncio.gather(web.token(team_id), worker.token(team_id))

    for event in events:
        await web.heard(event)

    for each in (web, worker):
        assert await ids(each) == ["T0002"]
        with pytest.raises(SlackPermanent, match="not_installed"):
            await each.token("T0001")
    removed, _ = await installations.everywhere(database)
    assert (removed.sealed_tokens, removed.removed_at) == (None, NOW)
    assert await owed(database, "T0001") == [DeliveryState.CANCELLED]
    assert await owed(database, "T0002") == [DeliveryState.DUE]
    async with database.unit("T0001", writes=False) as session:
        workspace = await session.get(Workspace, "T0001")
        assert workspace is not None
        assert workspace.removed_at == NOW


@only_sqlite
@pytest.mark.parametrize("kind", ["app_uninstalled", "tokens_revoked"])
async def test_word_of_a_removal_that_comes_after_the_next_installation_changes_nothing(
    process: Process, slack: TokenGiver, database: Database, clock: FixedClock, kind: str
) -> None:
    steward = process()
    await install(steward, slack, an_answer())
    clock.move(minutes=5)
    await install(steward, slack, an_answer(access_token="xoxb-again"))
    await owe(database)

    await steward.heard(told(kind, at=NOW + timedelta(minutes=4), **REVOKED))

    assert await steward.token("T0001") == "xoxb-again"
    assert await owed(database) == [DeliveryState.DUE]


@only_sqlite
async def test_what_is_installed_again_in_the_middle_of_a_removal_stays(
    process: Process, slack: TokenGiver, database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By another process, when the tokens are erased and the workspace is not left yet."""
    steward, other = process(), process()
    await install(steward, slack, an_answer())
    remove = installations.remove

    async def remove_late(*arguments: Any, **meant: Any) -> datetime | None:
        removed_at = await remove(*arguments, **meant)
        slack.slack_time = NOW + timedelta(seconds=1)
        await install(other, slack, an_answer(access_token="xoxb-again"))
        await owe(database)
        return removed_at

    monkeypatch.setattr(installations, "remove", remove_late)
    await steward.heard(told("app_uninstalled"))

    assert await ids(steward) == ["T0001"]
    assert await owed(database) == [DeliveryState.DUE]


@only_sqlite
@pytest.mark.parametrize("skew", [timedelta(minutes=-2), timedelta(minutes=2)], ids=["behind", "ahead"])
async def test_slack_s_clock_alone_says_which_installation_a_removal_is_of(
    process: Process, slack: TokenGiver, clock: FixedClock, skew: timedelta
) -> None:
    """However far ours is from it."""
    steward = process()
    clock.move(seconds=skew.total_seconds())
    slack.slack_time = NOW
    await install(steward, slack, an_answer())
    slack.slack_time = NOW + timedelta(seconds=60)
    await install(steward, slack, an_answer(access_token="xoxb-again"))

    await steward.heard(told("app_uninstalled", at=NOW + timedelta(seconds=30)))
    assert await steward.token("T0001") == "xoxb-again"

    await steward.heard(told("app_uninstalled", at=NOW + timedelta(seconds=60)))
    assert await ids(steward) == []


@only_sqlite
@pytest.mark.parametrize(
    "error", [None, SlackUnknown("http_500"), SlackPermanent("invalid_auth")], ids=["taken", "no answer", "not let in"]
)
async def test_an_older_token_that_is_revoked_changes_nothing(
    process: Process, slack: TokenGiver, database: Database, error: SlackError | None
) -> None:
    """Slack names the bot, and not which of its tokens: so it is asked about ours."""
    steward = process()
    await install(steward, slack, an_answer())
    slack.of_bots["xoxb-hunter2"] = error

    await steward.heard(told("tokens_revoked", **REVOKED))

    assert await steward.token("T0001") == "xoxb-hunter2"


@only_sqlite
@pytest.mark.parametrize(
    "tokens", [{"oauth": ["UANA"], "bot": []}, {"oauth": ["UANA"]}, {}, None, "bot", {"bot": None}]
)
async def test_tokens_of_people_that_are_revoked_change_nothing(
    process: Process, slack: TokenGiver, tokens: Any
) -> None:
    steward = process()
    await install(steward, slack, an_answer())

    await steward.heard(told("tokens_revoked", tokens=tokens))

    assert await ids(steward) == ["T0001"]


@only_sqlite
@pytest.mark.parametrize(("days", "kept"), [(29, [DeliveryState.CANCELLED]), (31, [])])
async def test_what_was_kept_for_its_time_is_back_whole_or_not_at_all(
    process: Process, slack: TokenGiver, database: Database, clock: FixedClock, days: int, kept: list[DeliveryState]
) -> None:
    """Also where no worker has deleted it by then: it may be doing so at this moment."""
    steward = process()
    await install(steward, slack, an_answer())
    await owe(database)
    await steward.heard(told("app_uninstalled"))
    clock.move(days=days)

    await install(steward, slack, an_answer())

    assert await ids(steward) == ["T0001"]
    assert await owed(database) == kept
    assert await steward.token("T0001") == "xoxb-hunter2"


@only_sqlite
async def test_word_of_a_removal_of_what_never_was_is_no_fault(process: Process) -> None:
    steward = process()

    for kind in ("app_uninstalled", "team_access_granted", "team_access_revoked"):
        await steward.heard(told(kind, enterprise_id="E0001", team_ids=["T0001", None, 7]))
        await steward.heard(told(kind, team_ids="T0001"))

    assert await ids(steward) == []


@only_sqlite
async def test_a_removal_that_stopped_halfway_is_finished_by_the_next_word_of_it(
    process: Process, slack: TokenGiver, database: Database, clock: FixedClock
) -> None:
    steward = process()
    await install(steward, slack, an_answer())
    await owe(database)
    await installations.remove(database, "T0001", now=NOW)
    clock.move(days=1)

    await steward.heard(told("app_uninstalled"))

    assert await owed(database) == [DeliveryState.CANCELLED]
    assert await installations.removed(database, before=NOW + timedelta(seconds=1)) == ["T0001"], "since when it was"


# ---- organisations ---------------------------------------------------------------------------------------------------


def wide(**fields: Any) -> dict[str, Any]:
    return an_answer(None, enterprise_id="E0001", access_token="xoxb-wide", **fields)


async def test_an_organisation_s_workspaces_are_met_as_they_come(
    process: Process, slack: TokenGiver, database: Database
) -> None:
    """By word of Slack, or by their first request; those of another organisation not at all."""
    steward = process()
    await install(steward, slack, wide())
    assert await ids(steward) == []

    await steward.heard(told("team_access_granted", "", enterprise_id="E0001", team_ids=["T0001", "T0002"]))
    met = await asyncio.gather(*(steward.find("T0003", "E0001") for _ in range(5)))

    assert await ids(steward) == ["T0001", "T0002", "T0003"]
    assert {each.id for each in met if each is not None} == {"T0003"}
    assert all(each.organisation_wide for each in await steward.workspaces())
    assert await steward.token("T0002") == "xoxb-wide"
    assert await steward.find("T0004", "E0002") is None
    assert await steward.find("T0004") is None


@only_sqlite
async def test_an_organisation_is_no_workspace_and_nobody_elses_makes_one(
    process: Process, slack: TokenGiver, database: Database
) -> None:
    """Payloads may name an organisation where others name a workspace, or that of somebody of another company."""
    access = process()
    await install(access, slack, wide())
    steward = Steward(database, Slack("", "http://127.0.0.1:9/api/"), access=access)

    for workspace_id in ("", "E0001"):
        assert await access.find(workspace_id, "E0001") is None
    assert await steward._bot_user("T0007", "E0001") is None
    await access.heard(told("team_access_granted", "", enterprise_id="E0001", team_ids=["", "E0001", "UANA"]))

    assert await database.workspace_ids(also_removed=True) == []


@only_sqlite
async def test_a_workspace_s_own_installation_goes_before_its_organisation_s(
    process: Process, slack: TokenGiver
) -> None:
    steward = process()
    await install(steward, slack, wide())
    await steward.find("T0001", "E0001")

    await install(steward, slack, an_answer(enterprise_id="E0001", bot_user_id="UOWN"))

    found = await steward.find("T0001", "E0001")
    assert found is not None
    assert (found.bot_user_id, found.organisation_wide) == ("UOWN", False)
    await steward.heard(told("team_access_granted", "", enterprise_id="E0001", team_ids=["T0001"]))
    assert await steward.token("T0001") == "xoxb-hunter2"

    await steward.heard(told("app_uninstalled", enterprise_id="E0001"))
    await steward.heard(told("tokens_revoked", enterprise_id="E0001", **REVOKED))

    assert await ids(steward) == []
    assert await steward.find("T0001", "E0001") is not None
    assert await steward.token("T0001") == "xoxb-wide"


@only_sqlite
async def test_a_workspace_from_which_the_organisation_takes_it_comes_back_only_by_its_word(
    process: Process, slack: TokenGiver, database: Database, clock: FixedClock
) -> None:
    steward = process()
    await install(steward, slack, wide())
    await steward.heard(told("team_access_granted", "", enterprise_id="E0001", team_ids=["T0001", "T0002"]))
    await owe(database)
    clock.move(minutes=1)

    await steward.heard(told("team_access_revoked", "", enterprise_id="E0001", team_ids=["T0001", "T0003"]))

    assert await ids(steward) == ["T0002"]
    assert await owed(database) == [DeliveryState.CANCELLED]
    assert await steward.find("T0001", "E0001") is None, "a request that was under way"
    await steward.heard(told("team_access_granted", "", enterprise_id="E0001", team_ids=["T0001"]))
    assert await ids(steward) == ["T0001", "T0002"]


@only_sqlite
async def test_when_an_organisation_removes_it_all_its_workspaces_are_left(
    process: Process, slack: TokenGiver, clock: FixedClock
) -> None:
    steward = process()
    await install(steward, slack, wide())
    await steward.heard(told("team_access_granted", "", enterprise_id="E0001", team_ids=["T0001", "T0002"]))
    await install(steward, slack, an_answer("T0009"))
    clock.move(minutes=1)

    await steward.heard(told("app_uninstalled", "T0001", enterprise_id="E0001", at=clock.now()))

    assert await ids(steward) == ["T0009"]
    clock.move(minutes=1)
    await install(steward, slack, wide())
    assert await steward.find("T0002", "E0001") is not None
    assert await ids(steward) == ["T0002", "T0009"]


@only_sqlite
async def test_slack_is_told_which_of_an_organisation_s_workspaces_is_meant(
    process: Process, slack: TokenGiver, database: Database, clock: FixedClock
) -> None:
    """Its token is good for all of them; a workspace's own says by itself."""
    steward, asked = process(), []

    class Lists:
        async def call(self, method: str, **arguments: Any) -> dict[str, Any]:
            asked.append((method, arguments.get("team_id")))
            return {"ok": True, "members": [], "channels": []}

    await install(steward, slack, wide())
    await install(steward, slack, an_answer("T0002"))
    await steward.find("T0001", "E0001")
    for each in await steward.workspaces():
        await SlackDirectory(database, Lists(), clock, each).warm()

    assert asked == [
        ("users.list", "T0001"),
        ("conversations.list", "T0001"),
        ("users.list", None),
        ("conversations.list", None),
    ]


@only_sqlite
async def test_a_workspace_that_leaves_while_it_is_looked_at_keeps_no_other_from_being_read(
    process: Process, slack: TokenGiver, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    access, looked = process(), asyncio.Event()
    for team_id in ("T0001", "T0002"):
        await install(access, slack, an_answer(team_id))
    steward = Steward(database, Slack("", "http://127.0.0.1:9/api/"), access=access)
    monkeypatch.setattr(assemble, "NEWCOMERS_SECONDS", 0.0)
    find = access.find

    async def gone_at_first(workspace_id: str, enterprise_id: str = "") -> Workspace | None:
        if workspace_id == "T0001" and not looked.is_set():
            looked.set()
            return None
        return await find(workspace_id, enterprise_id)

    monkeypatch.setattr(access, "find", gone_at_first)

    reading = steward.keep("reading", steward.keep_fresh)
    await asyncio.wait_for(looked.wait(), 20)
    await asyncio.wait_for(steward.warmed(), 20)

    assert not reading.done()
    await steward.stop()
