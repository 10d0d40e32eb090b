"""Going from one workspace to another in the page, and letting an app into one."""

from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest_asyncio
from playwright.async_api import Browser, expect
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sandbox import Sandbox
from tests.browser.conftest import PATIENT, WAIT_MS, OpenPage
from tests.browser.made_up_app import MANIFEST, LunchClub
from tests.sandbox.workspace_support import serving


@pytest_asyncio.fixture(loop_scope="session")
async def workspace(browser: Browser) -> AsyncIterator[Sandbox]:
    """Northwind IT with the made-up app, and Acme without."""
    async with Sandbox(MANIFEST, rate_limits=False, timing=PATIENT, workspaces=["Acme"]) as sandbox:
        yield sandbox


async def test_one_goes_to_another_workspace_and_sees_only_what_is_there(
    workspace: Sandbox, club: LunchClub, open_page: OpenPage
) -> None:
    acme = workspace.workspace_named("Acme")
    acme.install()
    await acme.person("ben").say("#general", "The crane is here.")
    await AsyncWebClient(token=workspace.bot_token, base_url=workspace.api_url).users_list()
    page = await open_page("ben", "network")
    await page.get_by_test_id("calls-toggle").click()
    await expect(page.get_by_test_id("calls-drawer")).to_contain_text("users.list")

    await page.get_by_test_id("workspace-switcher").click()
    await page.get_by_test_id("workspace-acme").click()

    await expect(page.get_by_test_id("workspace-switcher")).to_contain_text("Acme")
    await expect(page.get_by_test_id("messages")).to_contain_text("The crane is here.")
    await expect(page.get_by_test_id("person-switcher")).to_contain_text("Zoe Martin")
    assert f"#/person/{acme.person('zoe').id}/" in page.url
    await expect(page.get_by_test_id("calls-drawer")).not_to_contain_text("users.list")
    await page.get_by_test_id("conversation-lunch-club").click()
    await expect(page.get_by_role("heading", name="Lunch Club")).to_be_visible()


async def test_an_app_is_let_in_on_the_authorisation_page_and_appears(
    workspace: Sandbox, browser: Browser, open_page: OpenPage
) -> None:
    """The browser sends the form with its origin, and the page's policy lets it be led on to the app."""

    async def welcome(request: Request) -> Response:
        return PlainTextResponse("Thank you.")

    page = await open_page("ana")
    await page.get_by_test_id("workspace-switcher").click()
    await page.get_by_test_id("workspace-acme").click()
    await expect(page.get_by_test_id("workspace-switcher")).to_contain_text("Acme")
    await expect(page.get_by_test_id("conversation-lunch-club")).to_have_count(0)

    async with serving(Starlette(routes=[Route("/back", welcome)])) as address:
        query = {"client_id": workspace.client_id, "scope": "commands", "state": "s", "redirect_uri": f"{address}/back"}
        context = await browser.new_context()
        context.set_default_timeout(WAIT_MS)
        asked = await context.new_page()
        await asked.goto(f"{workspace.authorize_url}?{urlencode(query)}")
        await asked.get_by_label("You are").select_option("Ben Okafor, Acme")
        await asked.get_by_role("button", name="Allow").click()
        await asked.wait_for_url(f"{address}/back?**")
        code = parse_qs(urlsplit(asked.url).query)["code"][0]
        answer = await context.request.post(
            f"{workspace.api_url}oauth.v2.access",
            form={
                "client_id": workspace.client_id,
                "client_secret": workspace.client_secret,
                "code": code,
                "redirect_uri": query["redirect_uri"],
            },
        )
        told = await answer.json()
        await context.close()

    assert told["team"]["name"] == "Acme"
    await expect(page.get_by_test_id("conversation-lunch-club")).to_be_visible()


async def test_an_admin_lets_what_the_organisation_installed_into_a_workspace(
    workspace: Sandbox, open_page: OpenPage
) -> None:
    acme, group = workspace.workspace_named("Acme"), workspace.organise("Northwind Group")
    group.install()
    page = await open_page("ana")
    await page.get_by_test_id("workspace-switcher").click()
    await page.get_by_test_id("workspace-acme").click()
    await expect(page.get_by_test_id("person-switcher")).to_contain_text("Zoe Martin")

    await page.get_by_test_id("workspace-switcher").click()
    await page.get_by_test_id("let-in").click()

    await expect(page.get_by_test_id("conversation-lunch-club")).to_be_visible()
    await page.get_by_test_id("workspace-switcher").click()
    await expect(page.get_by_test_id("let-in")).to_have_attribute("aria-checked", "true")
    assert group.granted == [acme.team_id]
