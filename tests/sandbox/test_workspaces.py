"""Several workspaces in one sandbox: each with its own people, conversations and token, one app and one clock."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from sandbox import Sandbox, SandboxError, Team
from tests.sandbox.raw_app import raw_app
from tests.sandbox.test_page_api import Page
from tests.sandbox.workspace_support import MANIFEST, PATIENT, actions, button, home, manifest, modal


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """Northwind IT and Acme, the app installed in both."""
    async with Sandbox(MANIFEST, rate_limits=False, timing=PATIENT, workspaces=["Acme"]) as running:
        running.workspace_named("Acme").install()
        yield running


@pytest.fixture
def acme(sandbox: Sandbox) -> Team:
    return sandbox.workspace_named("Acme")


def client(team: Team, sandbox: Sandbox) -> AsyncWebClient:
    return AsyncWebClient(token=team.bot_token, base_url=sandbox.api_url)


async def test_some_are_called_the_same_and_nobody_has_the_same_id(sandbox: Sandbox, acme: Team) -> None:
    there, here = acme.workspace, sandbox.workspace

    assert {user.name for user in there.users.values()} & {user.name for user in here.users.values()} > {"ben"}
    assert {channel.name for channel in there.channels.values()} & {c.name for c in here.channels.values()}
    for ids in ("users", "channels"):
        assert not set(getattr(there, ids)) & set(getattr(here, ids))
    assert acme.person("ben").user.real_name != sandbox.person("ben").user.real_name


async def test_a_token_opens_its_own_workspace_only(sandbox: Sandbox, acme: Team) -> None:
    told = await client(acme, sandbox).auth_test()
    there = acme.workspace.find_channel("network")
    assert there is not None

    assert (told["team_id"], told["team"], told["user_id"]) == (acme.team_id, "Acme", acme.bot_user_id)
    assert told["user_id"] != sandbox.bot_user_id
    members = (await client(acme, sandbox).users_list())["members"]
    assert {member["team_id"] for member in members} == {acme.team_id}
    with pytest.raises(SlackApiError, match="channel_not_found"):
        await client(sandbox, sandbox).chat_postMessage(channel=there.id, text="to the wrong house")
    with pytest.raises(SlackApiError, match="user_not_found"):
        await client(sandbox, sandbox).users_info(user=acme.person("ben").id)


async def test_one_socket_carries_what_happens_in_all_of_them_and_each_names_its_workspace(
    sandbox: Sandbox, acme: Team
) -> None:
    await acme.person("ben").invite("#network", acme.bot_user_id)
    async with raw_app(sandbox) as app:
        await sandbox.person("ben").command("#network", "/raw", "here")
        await acme.person("ben").command("#network", "/raw", "there")
        await acme.person("ben").say("#network", "said there")
        await acme.person("ben").shortcut("new")
        await sandbox.idle()

    assert [(each["team_id"], each["text"]) for each in app.payloads("slash_commands")] == [
        (sandbox.team_id, "here"),
        (acme.team_id, "there"),
    ]
    (event,) = [each for each in app.payloads("message") if each["event"]["text"] == "said there"]
    assert event["team_id"] == event["authorizations"][0]["team_id"] == acme.team_id
    assert event["authorizations"][0]["user_id"] == acme.bot_user_id
    assert [each["team"]["id"] for each in app.payloads("shortcut")] == [acme.team_id]


async def test_forms_buttons_and_home_work_in_each(sandbox: Sandbox, acme: Team) -> None:
    slack, ben = client(acme, sandbox), acme.person("ben")
    async with raw_app(sandbox) as app:
        await ben.shortcut("new")
        trigger = app.payloads("shortcut")[0]["trigger_id"]
        with pytest.raises(SlackApiError, match="invalid_trigger_id"):
            await client(sandbox, sandbox).views_open(trigger_id=trigger, view=modal())
        await slack.views_open(trigger_id=trigger, view=modal())
        assert (await ben.submit({"title": "Crane"})).ok
        await slack.views_publish(user_id=ben.id, view=home(actions(button("go"))))
        assert (await ben.click_home("go")).ok

    assert app.payloads("view_submission")[0]["view"]["team_id"] == acme.team_id
    assert app.payloads("block_actions")[0]["user"] == {
        "id": ben.id,
        "username": "ben",
        "name": "ben",
        "team_id": acme.team_id,
    }
    assert sandbox.person("ben").home is None


async def test_an_answer_to_a_command_stays_in_the_workspace_it_was_typed_in(sandbox: Sandbox, acme: Team) -> None:
    async with raw_app(sandbox) as app, aiohttp.ClientSession() as session:
        await acme.person("ben").command("#network", "/raw", "there")
        address = app.payloads("slash_commands")[0]["response_url"]
        async with session.post(address, json={"text": "only to you"}) as answer:
            assert answer.status == 200
        async with session.post(address.replace(acme.team_id, sandbox.team_id), json={"text": "x"}) as answer:
            assert answer.status == 404

    assert [each["text"] for each in acme.person("ben").ephemerals("#network")] == ["only to you"]
    assert sandbox.person("ben").ephemerals("#network") == []


async def test_a_file_is_read_with_the_token_of_its_workspace(sandbox: Sandbox, acme: Team) -> None:
    await acme.person("ben").invite("#network", acme.bot_user_id)
    channel = acme.workspace.find_channel("network")
    assert channel is not None
    uploaded = await client(acme, sandbox).files_upload_v2(content="plan", filename="a.txt", channel=channel.id)
    address = uploaded["files"][0]["url_private_download"]

    async def status(token: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        async with aiohttp.ClientSession() as session, session.get(address, headers=headers) as answer:
            return answer.status

    assert await status(acme.bot_token) == 200
    assert await status(sandbox.bot_token) == 403


async def test_all_share_the_clock(sandbox: Sandbox, acme: Team) -> None:
    before = sandbox.clock.now()
    await sandbox.next_morning("ana")

    said = await acme.person("ben").say("#general", "good morning")

    assert float(said["ts"]) > before.timestamp() + 60


async def test_the_page_shows_the_workspace_of_whom_one_is(sandbox: Sandbox, acme: Team) -> None:
    async with aiohttp.ClientSession() as session:
        here, there = Page(sandbox, session), Page(sandbox, session, acme.person("zoe").id)
        boot = await there.get("boot")
        await there.do("say", channel=acme.workspace.find_channel("general").id, text="hello Acme")  # type: ignore[union-attr]
        await client(acme, sandbox).auth_test()
        await client(sandbox, sandbox).api_test()

        assert (boot["team"]["name"], boot["me"]) == ("Acme", acme.person("zoe").id)
        assert [(team["name"], team["person"]) for team in boot["teams"]] == [
            ("Northwind IT", sandbox.person("ana").id),
            ("Acme", acme.person("zoe").id),
        ]
        assert boot["apps"][0]["bot_user_id"] == acme.bot_user_id
        assert [call["method"] for call in (await there.get("calls"))["calls"]] == ["auth.test"]
        assert [call["method"] for call in (await here.get("calls"))["calls"]] == ["api.test"]
        said = {each["payload"]["team_id"] for each in (await here.get("deliveries"))["deliveries"]}
        assert acme.team_id not in said
        elsewhere = await here.get("boot", team=acme.team_id)
        assert elsewhere["me"] == acme.person("zoe").id


async def test_a_permalink_leads_to_somebody_of_its_workspace(sandbox: Sandbox, acme: Team) -> None:
    message = await acme.person("zoe").say("#general", "look here")
    await acme.person("zoe").invite("#general", acme.bot_user_id)
    link = await client(acme, sandbox).chat_getPermalink(channel=message["channel"], message_ts=message["ts"])

    async with (
        aiohttp.ClientSession() as session,
        session.get(link["permalink"], allow_redirects=False) as answer,
    ):
        assert answer.headers["Location"].endswith(f"&team={acme.team_id}")


async def test_where_the_app_is_not_installed_it_cannot_be_used_and_hears_nothing(sandbox: Sandbox) -> None:
    globex = sandbox.add_workspace("Globex")
    zoe = globex.person("zoe")
    async with raw_app(sandbox) as app:
        outcome = await zoe.command("#general", "/parrot", "hi")
        await zoe.say("#general", "anybody here?")
        with pytest.raises(SandboxError, match="not installed in Globex"):
            await zoe.shortcut("new")
        with pytest.raises(SandboxError, match="not installed in Globex"):
            await zoe.open_home()
        with pytest.raises(SandboxError, match="no installation of Parrot"):
            await globex.uninstall()
        await sandbox.idle()

    assert (outcome.ok, outcome.notice) == (False, "/parrot is not a valid command.")
    assert app.envelopes == []
    async with aiohttp.ClientSession() as session:
        boot = await Page(sandbox, session, zoe.id).get("boot")
    assert boot["apps"] == []
    assert [one["name"] for one in boot["people"]] == ["zoe", "ben", "kavya", "gus"]


async def test_one_workspace_is_uninstalled_and_the_others_go_on() -> None:
    described = manifest()
    described["settings"]["event_subscriptions"]["bot_events"] += ["app_uninstalled", "tokens_revoked"]
    async with Sandbox(described, rate_limits=False, workspaces=["Acme"]) as sandbox:
        acme = sandbox.workspace_named("Acme")
        acme.install()
        message = await client(acme, sandbox).chat_postMessage(channel=acme.person("ben").id, text="hello")
        await client(acme, sandbox).views_publish(user_id=acme.person("ben").id, view=home())
        async with raw_app(sandbox) as app:
            await acme.uninstall(uninstalled_first=True)

        told = [each["payload"] for each in app.envelopes]
        assert [each["event"]["type"] for each in told] == ["app_uninstalled", "tokens_revoked"]
        assert {each["team_id"] for each in told} == {acme.team_id}
        with pytest.raises(SlackApiError, match="account_inactive"):
            await client(acme, sandbox).auth_test()
        assert (await client(sandbox, sandbox).auth_test())["ok"]
        assert acme.person("ben").messages("@Parrot")[-1]["ts"] == message["ts"]
        assert acme.person("ben").home is None


async def test_further_workspaces_are_kept_with_what_is_installed_in_them(tmp_path: Path) -> None:
    async with Sandbox(MANIFEST, keep=tmp_path, workspaces=["Acme", "Globex"]) as sandbox:
        token = sandbox.workspace_named("Acme").install(["commands", "chat:write"])
        bot = sandbox.workspace_named("Acme").bot_user_id
        await sandbox.workspace_named("Acme").person("ben").say("#general", "remember Acme")

    async with Sandbox(MANIFEST, keep=tmp_path, workspaces=["Acme", "Initech"], rate_limits=False) as sandbox:
        acme = sandbox.workspace_named("Acme")
        assert [team.workspace.name for team in sandbox.workspaces] == ["Northwind IT", "Acme", "Globex", "Initech"]
        assert acme.person("ben").messages("#general")[-1]["text"] == "remember Acme"
        assert acme.bot_token == token
        answer = await client(acme, sandbox).auth_test()
        assert answer.headers["x-oauth-scopes"] == "commands,chat:write"
        assert answer["user_id"] == bot
        assert [team.is_installed for team in sandbox.workspaces] == [True, True, False, False]


async def test_a_workspace_needs_a_name_of_its_own(sandbox: Sandbox) -> None:
    for name in ("Acme", "acme", "Northwind IT", "!?"):
        with pytest.raises(SandboxError):
            sandbox.add_workspace(name)
    with pytest.raises(SandboxError, match="no workspace called Hooli"):
        sandbox.workspace_named("Hooli")
