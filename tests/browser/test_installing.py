"""Installing Steward as somebody of a company does it: its own page, Slack's, back again, and the first record.

`make pictures` runs this with PICTURES set, and so keeps the pictures of docs/many-workspaces.md true.
"""

import os
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from bot.manifest import SCOPES
from bot.oauth import INSTALL
from tests.browser.conftest import WAIT_MS
from tests.databases import SqliteFiles
from tests.scenarios.house import PATIENT_SECONDS
from tests.scenarios.street import street_over_http

PICTURES = os.environ.get("PICTURES")


async def picture(page: Page, name: str) -> None:
    if PICTURES:
        await page.wait_for_timeout(400)
        await page.screenshot(path=Path(PICTURES) / f"{name}.png")


async def test_a_company_installs_steward_in_its_browser_and_logs_a_record(
    browser: Browser, sqlite_databases: SqliteFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left out on Slack's page is not granted; the pages' policies let the browser go the whole way."""
    monkeypatch.setattr("bot.slack_directory.PATIENCE_SECONDS", PATIENT_SECONDS)
    troubles: list[str] = []
    url = sqlite_databases.create(migrated=True)
    async with street_over_http(url) as street:
        acme = street.sandbox.workspace_named("Acme")
        context = await browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
        context.set_default_timeout(WAIT_MS)
        page = await context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda line: troubles.append(line.text) if "Content Security Policy" in line.text else None)

        await page.goto(f"{street.url}{INSTALL}")
        await expect(page.get_by_role("heading", name="Install Steward in Slack")).to_be_visible()
        await picture(page, "install")
        await page.get_by_role("button", name="Add to Slack").click()

        await page.get_by_label("You are").select_option("Zoe Martin, Acme")
        await page.get_by_label("files:read").uncheck()
        await picture(page, "allow")
        await page.get_by_role("button", name="Allow").click()

        await expect(page.get_by_role("heading", name="Steward is installed")).to_be_visible()
        await expect(page.get_by_text("It is in Acme now.")).to_be_visible()
        assert street.steward.access.scopes(acme.team_id) == set(SCOPES) - {"files:read"}

        network = acme.workspace.find_channel("network")
        assert network is not None
        await page.goto(f"{street.sandbox.url}/#/person/{acme.person('zoe').id}/{network.id}")
        await page.get_by_test_id("composer").fill("/action Order cables for the third floor @ben by friday 3pm !high")
        await page.keyboard.press("Escape")
        await page.get_by_test_id("send").click()
        await expect(page.get_by_test_id("ephemeral").get_by_text("Owner Ben Okafor")).to_be_visible()
        await expect(page.get_by_role("button", name="Done: A1")).to_be_visible()
        await picture(page, "installed")

        assert await street.titles(acme) == ["Order cables for the third floor"]
        assert troubles == []
        await context.close()
