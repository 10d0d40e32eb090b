"""The authorisation page, and how an app comes to its token by it."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from sandbox import Sandbox, SandboxError
from tests.sandbox.raw_app import raw_app
from tests.sandbox.workspace_support import PATIENT, manifest

Json = dict[str, Any]

REDIRECT = "https://parrot.example/slack/oauth_redirect"


def described() -> Json:
    """A manifest with a redirect URL, an optional scope, a user scope, and news of its end."""
    changed = manifest()
    changed["oauth_config"] |= {"redirect_urls": ["https://parrot.example/slack"]}
    changed["oauth_config"]["scopes"] |= {"bot_optional": ["files:read"], "user": ["search:read"]}
    changed["settings"]["event_subscriptions"]["bot_events"] += ["app_uninstalled", "tokens_revoked"]
    return changed


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """Northwind IT and Acme, the app installed nowhere."""
    options: Json = {"rate_limits": False, "timing": PATIENT, "installed": False, "workspaces": ["Acme"]}
    async with Sandbox(described(), **options) as running:
        yield running


def asking(sandbox: Sandbox, **changes: str | None) -> str:
    """The address an app sends people to; None leaves a part out."""
    query: dict[str, str | None] = {
        "client_id": sandbox.client_id,
        "scope": "commands,chat:write,files:read",
        "state": "s-1",
        "redirect_uri": REDIRECT,
    }
    return f"{sandbox.authorize_url}?{urlencode({k: v for k, v in (query | changes).items() if v is not None})}"


def answer_in(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query))


async def exchange(
    sandbox: Sandbox,
    code: str,
    redirect_uri: str | None = REDIRECT,
    *,
    client: tuple[str, str] | None = None,
    **more: str,
) -> Json:
    """What oauth.v2.access answers, id and secret given by basic authentication."""
    headers = {"Authorization": aiohttp.encode_basic_auth(*(client or (sandbox.client_id, sandbox.client_secret)))}
    data = {"code": code, **({"redirect_uri": redirect_uri} if redirect_uri is not None else {}), **more}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{sandbox.api_url}oauth.v2.access", data=data) as answer,
    ):
        told: Json = await answer.json()
        return told


async def test_the_page_says_what_is_asked_and_leads_back_with_a_code(sandbox: Sandbox) -> None:
    ben = sandbox.workspace_named("Acme").person("ben")
    async with aiohttp.ClientSession() as session:
        async with session.get(asking(sandbox)) as shown:
            page = await shown.text()
        form = {"person": ben.id, "answer": "allow"}
        async with session.post(asking(sandbox), data=form, allow_redirects=False) as pressed:
            back = pressed.headers["Location"]

    assert shown.status == 200
    for words in ("Parrot", "Northwind IT", "Acme", "Ben Okafor", "commands", "chat:write", "https://parrot.example"):
        assert words in page
    assert re.findall(r'<input type="checkbox" name="optional" value="([^"]+)" checked>', page) == ["files:read"]
    assert "form-action 'self' https://parrot.example;" in shown.headers["Content-Security-Policy"]
    assert back.startswith(f"{REDIRECT}?code=")
    assert answer_in(back)["state"] == "s-1"
    told = await exchange(sandbox, answer_in(back)["code"])
    assert (told["team"]["name"], told["scope"]) == ("Acme", "commands,chat:write")


async def test_the_form_of_the_page_carries_on_what_the_address_asked(sandbox: Sandbox) -> None:
    async with aiohttp.ClientSession() as session, session.get(asking(sandbox, state="a&b\"<'")) as shown:
        page = await shown.text()

    (action,) = re.findall(r'action="([^"]+)"', page)
    assert parse_qs(urlsplit(unescape(action)).query)["state"] == ["a&b\"<'"]


async def test_a_code_is_exchanged_once_for_a_token_that_works(sandbox: Sandbox) -> None:
    acme = sandbox.workspace_named("Acme")
    address = await acme.person("zoe").install(asking(sandbox), without=["files:read"])
    code = answer_in(address)["code"]

    told = await exchange(sandbox, code)

    assert told == {
        "ok": True,
        "access_token": acme.bot_token,
        "token_type": "bot",
        "scope": "commands,chat:write",
        "bot_user_id": acme.bot_user_id,
        "app_id": sandbox.app.id,
        "team": {"id": acme.team_id, "name": "Acme"},
        "enterprise": None,
        "is_enterprise_install": False,
        "authed_user": {"id": acme.person("zoe").id},
    }
    assert (await exchange(sandbox, code))["error"] == "invalid_code"
    client = AsyncWebClient(token=told["access_token"], base_url=sandbox.api_url)
    assert (await client.auth_test())["team_id"] == acme.team_id
    with pytest.raises(SlackApiError, match="missing_scope"):
        await client.users_list()
    async with raw_app(sandbox) as app:
        assert (await acme.person("ben").command("#general", "/raw", "hi")).ok
    assert app.payloads("slash_commands")[0]["team_id"] == acme.team_id
    assert not sandbox.is_installed


async def test_cancel_leads_back_with_a_refusal(sandbox: Sandbox) -> None:
    by_program = await sandbox.person("ana").refuse_to_install(asking(sandbox))
    async with (
        aiohttp.ClientSession() as session,
        session.post(asking(sandbox), data={"answer": "cancel"}, allow_redirects=False) as pressed,
    ):
        assert pressed.headers["Location"] == by_program

    assert answer_in(by_program) == {"error": "access_denied", "state": "s-1"}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": "1.2"}, "invalid_client_id"),
        ({"client_id": None}, "invalid_client_id"),
        ({"scope": None}, "no_scopes"),
        ({"scope": "commands,admin"}, "invalid_scope"),
        ({"scope": None, "user_scope": "chat:write"}, "invalid_scope"),
        ({"redirect_uri": "https://elsewhere.example/slack"}, "bad_redirect_uri"),
        ({"redirect_uri": "http://parrot.example/slack"}, "bad_redirect_uri"),
        ({"redirect_uri": "https://parrot.example/slackers"}, "bad_redirect_uri"),
        ({"redirect_uri": "http://a;b@127.0.0.1/"}, "bad_redirect_uri"),
        ({"redirect_uri": "http://127.0.0.1:port/"}, "bad_redirect_uri"),
        ({"redirect_uri": "javascript:alert(1)"}, "bad_redirect_uri"),
    ],
)
async def test_what_slack_does_not_take_is_refused_on_the_page(
    sandbox: Sandbox, changes: dict[str, str | None], error: str
) -> None:
    async with aiohttp.ClientSession() as session:
        for method in ("GET", "POST"):
            data = {"answer": "allow", "person": sandbox.person("ana").id}
            address = asking(sandbox, **changes)
            async with session.request(method, address, data=data, allow_redirects=False) as answer:
                assert (answer.status, error in await answer.text()) == (400, True)


@pytest.mark.parametrize("redirect_uri", ["http://127.0.0.1:8080/back", "http://localhost/back", None])
async def test_plain_http_to_this_machine_will_do_and_the_first_configured_address_where_none_is_given(
    sandbox: Sandbox, redirect_uri: str | None
) -> None:
    address = await sandbox.person("ben").install(asking(sandbox, redirect_uri=redirect_uri))

    assert address.startswith(f"{redirect_uri or 'https://parrot.example/slack'}?code=")
    assert (await exchange(sandbox, answer_in(address)["code"], redirect_uri))["ok"]


async def test_guests_and_those_who_left_may_not_install(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxError, match="Mia Lopez may not install apps"):
        await sandbox.person("mia").install(asking(sandbox))
    with pytest.raises(SandboxError, match="deactivated"):
        await sandbox.person("omar").install(asking(sandbox))
    with pytest.raises(SandboxError, match="commands cannot be left out"):
        await sandbox.person("ana").install(asking(sandbox), without=["commands"])
    data = {"answer": "allow", "person": sandbox.person("mia").id}
    async with aiohttp.ClientSession() as session:
        async with session.post(asking(sandbox), data=data) as answer:
            shown = await answer.text()
        assert (answer.status, "Mia Lopez may not install apps" in shown) == (400, True)
        [again] = re.findall('<a href="([^"]*)">Choose again</a>', shown)
        async with session.get(unescape(again)) as answer:
            assert "asks to be installed" in await answer.text()


async def test_other_web_sites_cannot_press_the_buttons(sandbox: Sandbox) -> None:
    data = {"answer": "allow", "person": sandbox.person("ana").id}
    headers = {"Origin": "https://evil.example"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(asking(sandbox), data=data) as answer,
    ):
        assert answer.status == 403


async def test_the_exchange_refuses_as_slack_does(sandbox: Sandbox) -> None:
    async def fresh() -> str:
        return answer_in(await sandbox.person("ana").install(asking(sandbox)))["code"]

    assert (await exchange(sandbox, await fresh(), client=("1.2", sandbox.client_secret)))[
        "error"
    ] == "invalid_client_id"
    assert (await exchange(sandbox, await fresh(), client=(sandbox.client_id, "wrong")))["error"] == "bad_client_secret"
    assert (await exchange(sandbox, await fresh(), "https://parrot.example/slack"))["error"] == "bad_redirect_uri"
    assert (await exchange(sandbox, await fresh(), None))["error"] == "bad_redirect_uri"
    assert (await exchange(sandbox, await fresh(), grant_type="password"))["error"] == "invalid_grant_type"
    assert (await exchange(sandbox, "made-up"))["error"] == "invalid_code"
    assert not sandbox.is_installed


async def test_a_code_is_good_for_ten_minutes(sandbox: Sandbox) -> None:
    address = await sandbox.person("ana").install(asking(sandbox))
    await sandbox.advance(timedelta(minutes=10))

    assert (await exchange(sandbox, answer_in(address)["code"]))["error"] == "invalid_code"


async def test_id_and_secret_may_stand_in_the_form(sandbox: Sandbox) -> None:
    code = answer_in(await sandbox.person("ana").install(asking(sandbox)))["code"]
    form = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret, "code": code}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{sandbox.api_url}oauth.v2.access", data={**form, "redirect_uri": REDIRECT}) as answer,
    ):
        assert (await answer.json())["access_token"] == sandbox.bot_token


async def test_no_secret_stands_in_the_record_of_calls(sandbox: Sandbox) -> None:
    address = await sandbox.person("ana").install(asking(sandbox, user_scope="search:read"))
    told = await exchange(sandbox, answer_in(address)["code"])

    (call,) = sandbox.calls
    assert (call.method, call.team) == ("oauth.v2.access", "")
    kept = f"{call.args}{call.answer}"
    for secret in (
        sandbox.client_secret,
        answer_in(address)["code"],
        told["access_token"],
        told["authed_user"]["access_token"],
    ):
        assert secret not in kept


async def test_installing_again_gives_another_token_and_what_is_granted_adds_up(sandbox: Sandbox) -> None:
    async def installed(scope: str) -> Json:
        address = await sandbox.person("ana").install(asking(sandbox, scope=scope))
        return await exchange(sandbox, answer_in(address)["code"])

    first, second = await installed("commands,chat:write"), await installed("users:read,chat:write")

    assert first["access_token"] != second["access_token"] == sandbox.bot_token
    assert (first["scope"], second["scope"]) == ("commands,chat:write", "commands,chat:write,users:read")
    assert first["bot_user_id"] == second["bot_user_id"]
    await sandbox.uninstall()
    third = await installed("commands")
    assert third["scope"] == "commands"
    for token, error in ((first["access_token"], "account_inactive"), (third["access_token"], None)):
        client = AsyncWebClient(token=token, base_url=sandbox.api_url)
        if error:
            with pytest.raises(SlackApiError, match=error):
                await client.auth_test()
        else:
            assert (await client.auth_test())["ok"]


async def test_with_scopes_of_a_user_only_there_is_no_token_of_a_bot(sandbox: Sandbox) -> None:
    address = await sandbox.person("ana").install(asking(sandbox, scope=None, user_scope="search:read"))

    told = await exchange(sandbox, answer_in(address)["code"])

    assert "access_token" not in told
    assert told["authed_user"]["scope"] == "search:read"
    assert not sandbox.is_installed
    with pytest.raises(SlackApiError, match="not_allowed_token_type"):
        await AsyncWebClient(token=told["authed_user"]["access_token"], base_url=sandbox.api_url).auth_test()


async def test_a_token_is_revoked_and_the_last_one_takes_the_app_with_it(sandbox: Sandbox) -> None:
    first, second = sandbox.install(), sandbox.install()
    slack = AsyncWebClient(base_url=sandbox.api_url)
    async with raw_app(sandbox) as app:
        assert (await slack.auth_revoke(token=first, test=True))["revoked"] is False
        assert (await slack.auth_revoke(token=first))["revoked"] is True
        with pytest.raises(SlackApiError, match="token_revoked"):
            await slack.auth_test(token=first)
        assert (await slack.auth_test(token=second))["ok"]
        await slack.auth_revoke(token=second)
        with pytest.raises(SlackApiError, match="account_inactive"):
            await slack.auth_test(token=second)
        await sandbox.idle()

    assert [each["payload"]["event"]["type"] for each in app.envelopes] == [
        "tokens_revoked",
        "tokens_revoked",
        "app_uninstalled",
    ]
    assert not sandbox.is_installed


async def test_an_app_uninstalls_itself_with_its_secret(sandbox: Sandbox) -> None:
    slack = AsyncWebClient(token=sandbox.install(), base_url=sandbox.api_url)
    with pytest.raises(SlackApiError, match="bad_client_secret"):
        await slack.apps_uninstall(client_id=sandbox.client_id, client_secret="wrong")

    await slack.apps_uninstall(client_id=sandbox.client_id, client_secret=sandbox.client_secret)

    assert not sandbox.is_installed
    with pytest.raises(SlackApiError, match="account_inactive"):
        await slack.auth_test()


# ---- tokens that rotate ---------------------------------------------------------------------------------------------


@pytest.fixture
async def rotating() -> AsyncIterator[Sandbox]:
    """Northwind IT with an app whose tokens rotate; nobody has installed it."""
    changed = described()
    changed["settings"]["token_rotation_enabled"] = True
    async with Sandbox(changed, rate_limits=False, timing=PATIENT, installed=False) as running:
        yield running


async def refreshed(sandbox: Sandbox, refresh_token: str) -> Json:
    return await exchange(sandbox, "", None, grant_type="refresh_token", refresh_token=refresh_token)


async def installed_in(sandbox: Sandbox) -> Json:
    address = await sandbox.person("ana").install(asking(sandbox))
    return await exchange(sandbox, answer_in(address)["code"])


async def fault_of(sandbox: Sandbox, told: Json) -> str:
    """The error a call with this token gets; empty when it is good."""
    try:
        await AsyncWebClient(token=told["access_token"], base_url=sandbox.api_url).auth_test()
    except SlackApiError as refused:
        return str(refused.response["error"])
    return ""


async def test_a_rotating_token_is_good_for_twelve_hours_of_the_sandboxs_clock(rotating: Sandbox) -> None:
    first = await installed_in(rotating)

    assert first["access_token"].startswith("xoxe.xoxb-1-")
    assert (first["expires_in"], first["refresh_token"][:7]) == (43_200, "xoxe-1-")
    assert await fault_of(rotating, first) == ""
    await rotating.advance(timedelta(hours=12))
    assert await fault_of(rotating, first) == "token_expired"
    second = await refreshed(rotating, first["refresh_token"])
    assert await fault_of(rotating, second) == ""
    assert {key: second[key] for key in ("scope", "bot_user_id", "team", "expires_in", "token_type")} == {
        key: first[key] for key in ("scope", "bot_user_id", "team", "expires_in", "token_type")
    }
    assert second["refresh_token"] != first["refresh_token"]


async def test_a_refresh_token_is_good_once_and_a_moment_longer(rotating: Sandbox) -> None:
    first = await installed_in(rotating)

    assert (await refreshed(rotating, first["refresh_token"]))["ok"]
    assert (await refreshed(rotating, first["refresh_token"]))["ok"]
    await rotating.advance(timedelta(minutes=2))
    assert (await refreshed(rotating, first["refresh_token"]))["error"] == "invalid_refresh_token"
    assert (await refreshed(rotating, "xoxe-1-made-up"))["error"] == "invalid_refresh_token"


async def test_at_most_two_rotating_tokens_are_good(rotating: Sandbox) -> None:
    first = await installed_in(rotating)
    second = await refreshed(rotating, first["refresh_token"])
    assert [await fault_of(rotating, each) for each in (first, second)] == ["", ""]

    third = await refreshed(rotating, second["refresh_token"])

    assert [await fault_of(rotating, each) for each in (first, second, third)] == ["token_revoked", "", ""]


async def test_nothing_is_refreshed_once_the_app_is_gone(rotating: Sandbox) -> None:
    first = await installed_in(rotating)
    await rotating.uninstall()

    assert (await refreshed(rotating, first["refresh_token"]))["error"] == "invalid_refresh_token"
    assert await fault_of(rotating, first) == "account_inactive"


async def test_what_the_sandbox_installed_itself_does_not_rotate() -> None:
    changed = described()
    changed["settings"]["token_rotation_enabled"] = True
    async with Sandbox(changed, rate_limits=False) as running:
        await running.advance(timedelta(days=1))

        assert await fault_of(running, {"access_token": running.bot_token}) == ""
