"""An organisation of workspaces, and an app installed in all of it: whose token, which workspace, what is told."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from sandbox import Enterprise, Sandbox, SandboxError, Team
from tests.sandbox.raw_app import raw_app
from tests.sandbox.test_installing import answer_in, asking, described, exchange
from tests.sandbox.test_page_api import Page
from tests.sandbox.workspace_support import PATIENT, actions, button, home, modal

Json = dict[str, Any]


def for_organisations() -> Json:
    changed = described()
    changed["settings"]["org_deploy_enabled"] = True
    changed["settings"]["event_subscriptions"]["bot_events"] += ["team_access_granted", "team_access_revoked"]
    return changed


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """Northwind IT and Acme in Northwind Group, Globex outside; the app installed nowhere."""
    options: Json = {"rate_limits": False, "timing": PATIENT, "installed": False, "workspaces": ["Acme", "Globex"]}
    async with Sandbox(for_organisations(), **options) as running:
        running.organise("Northwind Group", "Northwind IT", "Acme")
        yield running


@pytest.fixture
def group(sandbox: Sandbox) -> Enterprise:
    return sandbox.organisations[0]


@pytest.fixture
def acme(sandbox: Sandbox) -> Team:
    return sandbox.workspace_named("Acme")


def client(sandbox: Sandbox, token: str) -> AsyncWebClient:
    return AsyncWebClient(token=token, base_url=sandbox.api_url)


async def refusal(call: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


async def test_an_admin_installs_for_all_and_the_token_is_of_no_workspace(sandbox: Sandbox, group: Enterprise) -> None:
    address = await sandbox.person("ana").install(asking(sandbox), everywhere=True)

    told = await exchange(sandbox, answer_in(address)["code"])

    assert (told["team"], told["is_enterprise_install"]) == (None, True)
    assert told["enterprise"] == {"id": group.id, "name": "Northwind Group"}
    assert told["access_token"] == group.bot_token
    who = await client(sandbox, group.bot_token).auth_test()
    assert (who["team_id"], who["enterprise_id"], who["is_enterprise_install"]) == (group.id, group.id, True)
    assert who["user_id"] == told["bot_user_id"]
    assert (await client(sandbox, group.bot_token).auth_teams_list())["teams"] == []
    assert not sandbox.is_installed


async def test_only_admins_of_an_organisation_install_for_all_and_only_what_is_meant_for_it(
    sandbox: Sandbox, acme: Team
) -> None:
    with pytest.raises(SandboxError, match="only its admins may"):
        await acme.person("ben").install(asking(sandbox), everywhere=True)
    with pytest.raises(SandboxError, match="belongs to no organisation"):
        await sandbox.workspace_named("Globex").person("zoe").install(asking(sandbox), everywhere=True)
    async with Sandbox(described(), organisation="Northwind Group") as other:
        with pytest.raises(SandboxError, match="does not say that organisations may install it"):
            await other.person("ana").install(asking(other), everywhere=True)


async def test_the_page_offers_the_organisation(sandbox: Sandbox) -> None:
    form = {"person": sandbox.person("ana").id, "answer": "allow", "everywhere": "yes"}
    async with aiohttp.ClientSession() as session:
        async with session.get(asking(sandbox)) as shown:
            assert "For all of the organisation (Northwind Group)" in await shown.text()
        async with session.post(asking(sandbox), data=form, allow_redirects=False) as pressed:
            code = answer_in(pressed.headers["Location"])["code"]

    assert (await exchange(sandbox, code))["is_enterprise_install"] is True


async def test_it_is_used_where_it_was_let_in(sandbox: Sandbox, group: Enterprise, acme: Team) -> None:
    slack = client(sandbox, group.install())
    async with raw_app(sandbox) as app:
        await group.grant("Northwind IT", "Acme")
        assert (await acme.person("ben").command("#general", "/raw", "hi")).ok
        assert await refusal(slack.users_list()) == "missing_argument"
        assert await refusal(slack.conversations_list()) == "missing_argument"
        for team in (sandbox, acme):
            members = (await slack.users_list(team_id=team.team_id))["members"]
            assert {member["team_id"] for member in members} == {team.team_id}
            zoe_or_ana = next(user.id for user in team.workspace.users.values() if user.is_owner)
            assert (await slack.users_info(user=zoe_or_ana))["user"]["team_id"] == team.team_id
            posted = await slack.chat_postMessage(channel=zoe_or_ana, text=f"Hello {team.workspace.name}")
            assert team.person(zoe_or_ana).app_messages()[-1]["ts"] == posted["ts"]
        assert (await slack.chat_postMessage(channel=acme.person("ben").id, text="x", team={"id": "odd"}))["ok"]
        await group.withdraw("Acme")
        assert await refusal(slack.users_list(team_id=acme.team_id)) == "team_access_not_granted"
        assert (
            await refusal(slack.chat_postMessage(channel=acme.person("ben").id, text="x")) == "team_access_not_granted"
        )
        assert (await slack.users_list(team_id=sandbox.team_id))["ok"]

    granted, revoked = app.payloads("team_access_granted"), app.payloads("team_access_revoked")
    assert [(each["enterprise_id"], each["event"]["team_ids"]) for each in granted] == [
        (group.id, [sandbox.team_id, acme.team_id])
    ]
    assert [each["event"]["team_ids"] for each in revoked] == [[acme.team_id]]
    assert "team_id" not in granted[0]
    assert not acme.is_installed


async def test_payloads_are_those_of_an_installation_for_all(sandbox: Sandbox, group: Enterprise, acme: Team) -> None:
    slack, ben = client(sandbox, group.install()), acme.person("ben")
    async with raw_app(sandbox) as app:
        await group.grant("Acme")
        await ben.command("#general", "/raw", "hi")
        await ben.open_home()
        await ben.shortcut("new")
        trigger = app.payloads("shortcut")[0]["trigger_id"]
        await slack.views_open(trigger_id=trigger, view=modal(external_id="the-form"))
        assert (await slack.views_update(external_id="the-form", view=modal(external_id="the-form")))["ok"]
        await ben.submit({"title": "Crane"})
        await slack.views_publish(user_id=ben.id, view=home(actions(button("go"))))
        await ben.click_home("go")

    (command,) = app.payloads("slash_commands")
    assert (command["team_id"], command["enterprise_id"], command["enterprise_name"]) == (
        acme.team_id,
        group.id,
        "Northwind Group",
    )
    assert command["is_enterprise_install"] == "true"
    (opened,) = app.payloads("app_home_opened")
    assert (opened["team_id"], opened["enterprise_id"]) == (acme.team_id, group.id)
    (authorised,) = opened["authorizations"]
    assert (authorised["team_id"], authorised["enterprise_id"], authorised["is_enterprise_install"]) == (
        None,
        group.id,
        True,
    )
    for kind in ("shortcut", "view_submission", "block_actions"):
        (payload,) = app.payloads(kind)
        assert (payload["team"], payload["is_enterprise_install"]) == (None, True)
        assert payload["enterprise"] == {"id": group.id, "name": "Northwind Group"}
        assert payload["user"]["team_id"] == acme.team_id
    (view,) = [payload["view"] for payload in app.payloads("view_submission")]
    assert (view["team_id"], view["app_installed_team_id"]) == (acme.team_id, group.id)
    async with aiohttp.ClientSession() as session:
        delivered = await Page(sandbox, session, ben.id).get("deliveries")
        elsewhere = await Page(sandbox, session, sandbox.person("ana").id).get("deliveries")
    assert {"block_actions", "/raw"} <= {each["kind"] for each in delivered["deliveries"]}
    assert {each["kind"] for each in elsewhere["deliveries"]} == {"team_access_granted"}


async def test_a_workspaces_own_installation_goes_before_that_of_its_organisation(
    sandbox: Sandbox, group: Enterprise, acme: Team
) -> None:
    above = group.install()
    await group.grant("Northwind IT", "Acme")
    own = acme.install()
    async with raw_app(sandbox) as app:
        await acme.person("ben").command("#general", "/raw", "one")
        assert (await client(sandbox, own).auth_test())["team_id"] == acme.team_id
        assert await refusal(client(sandbox, above).users_list(team_id=acme.team_id)) == "team_access_not_granted"
        await acme.uninstall()
        await acme.person("ben").command("#general", "/raw", "two")

    one, two = app.payloads("slash_commands")
    assert (one["is_enterprise_install"], two["is_enterprise_install"]) == ("false", "true")
    assert one["enterprise_id"] == group.id
    assert [each["team_id"] for each in app.payloads("app_uninstalled")] == [acme.team_id]
    assert (await client(sandbox, above).users_list(team_id=acme.team_id))["ok"]


async def test_the_end_of_it_is_told_of_the_organisation_and_ends_everywhere(
    sandbox: Sandbox, group: Enterprise, acme: Team
) -> None:
    token = group.install()
    own = sandbox.install()
    await group.grant("Northwind IT", "Acme")
    async with raw_app(sandbox) as app:
        await group.uninstall(uninstalled_first=True)

    told = [each["payload"] for each in app.envelopes]
    assert [each["event"]["type"] for each in told] == ["app_uninstalled", "tokens_revoked"]
    assert {each["enterprise_id"] for each in told} == {group.id}
    assert all(each.get("team_id") is None for each in told)
    assert await refusal(client(sandbox, token).auth_test()) == "account_inactive"
    assert (acme.is_installed, sandbox.is_installed) == (False, True)
    assert (await client(sandbox, own).users_list())["ok"]
    group.install()
    assert group.granted == []


async def test_an_admin_lets_it_in_on_the_page(sandbox: Sandbox, group: Enterprise, acme: Team) -> None:
    async with aiohttp.ClientSession() as session:
        zoe, ben = (Page(sandbox, session, acme.person(name).id) for name in ("zoe", "ben"))
        refused = await zoe.do("let_in", on=True)
        group.install()
        told = [await ben.do("let_in", on=True), await zoe.do("let_in", on=True), await zoe.do("let_in", on=True)]
        boot = await zoe.get("boot")
        outside = await Page(sandbox, session, sandbox.workspace_named("Globex").person("zoe").id).get("boot")

    assert refused["notice"] == "Parrot is not installed in Northwind Group."
    assert [each.get("notice") for each in told] == [
        "Ben Okafor is no admin of Acme.",
        None,
        "Parrot may already be used in Acme.",
    ]
    assert boot["organisation"] == {
        "id": group.id,
        "name": "Northwind Group",
        "app": "Parrot",
        "installed": True,
        "granted": True,
    }
    assert outside["organisation"] is None


async def test_it_is_kept(tmp_path: Path) -> None:
    async with Sandbox(for_organisations(), keep=tmp_path, workspaces=["Acme"], organisation="Group") as sandbox:
        token = sandbox.organisations[0].install(["commands", "users:read"])
        await sandbox.organisations[0].grant("Acme")
        bot = sandbox.workspace_named("Acme").bot_user_id

    async with Sandbox(for_organisations(), keep=tmp_path, organisation="Group", rate_limits=False) as sandbox:
        (group,), acme = sandbox.organisations, sandbox.workspace_named("Acme")
        assert group.granted == [acme.team_id]
        assert (await client(sandbox, token).users_list(team_id=acme.team_id))["ok"]
        assert (await client(sandbox, token).auth_test())["user_id"] == bot
        with pytest.raises(SandboxError, match="already belongs to an organisation"):
            sandbox.organise("Another")
