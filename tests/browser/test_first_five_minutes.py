"""The first five minutes of somebody new, in the real page: log, look, make a record of a message, wait a night.

`make pictures` runs this with PICTURES set, and so keeps the pictures of the README true.
"""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.databases import SqliteFiles
from tests.scenarios.house import House, house_over_socket_mode

PICTURES = os.environ.get("PICTURES")


@pytest_asyncio.fixture(loop_scope="session")
async def house(browser: Browser, sqlite_databases: SqliteFiles) -> AsyncIterator[House]:
    url = sqlite_databases.create(migrated=True)
    async with house_over_socket_mode(url) as opened:
        yield opened


async def picture(page: Page, name: str) -> None:
    if PICTURES:
        await page.wait_for_timeout(400)
        await page.screenshot(path=Path(PICTURES) / f"{name}.png")


async def type_command(page: Page, text: str) -> None:
    composer = page.get_by_test_id("composer")
    await composer.fill(text)
    await page.keyboard.press("Escape")
    await page.get_by_test_id("send").click()


async def become(page: Page, name: str) -> None:
    await page.get_by_test_id("person-switcher").click()
    await page.get_by_role("menuitemradio", name=name).click()


@pytest.mark.parametrize("width", [1280, 390])
async def test_a_newcomer_gets_through_the_first_five_minutes(house: House, browser: Browser, width: int) -> None:
    """Card, form, message shortcut, Home, and the daily digest with a button that works."""
    troubles: list[str] = []
    context = await browser.new_context(viewport={"width": width, "height": 800}, reduced_motion="reduce")
    page = await context.new_page()
    page.on("pageerror", lambda error: troubles.append(str(error)))
    network = house.sandbox.workspace.find_channel("network")
    assert network
    await page.goto(f"{house.sandbox.url}/#/person/{house.sandbox.person('ana').id}/{network.id}")

    await type_command(page, "/action Send the firewall diagram @ben by tomorrow 3pm !high")
    await expect(page.get_by_test_id("ephemeral").get_by_text("Logged A1")).to_be_visible()
    await expect(page.get_by_role("button", name="Done: A1")).to_be_visible()
    await picture(page, "channel") if width > 1000 else None

    await type_command(page, "/risk")
    modal = page.get_by_test_id("modal")
    await expect(modal.get_by_text("Log a risk")).to_be_visible()
    await picture(page, "form") if width > 1000 else None
    await modal.get_by_test_id("modal-submit").click()
    await expect(modal.get_by_test_id("field-error").first).to_be_visible()
    await modal.get_by_label("Title").fill("Core switch may arrive late")
    await modal.get_by_test_id("modal-submit").click()
    await expect(page.get_by_test_id("ephemeral").get_by_text("Logged R1")).to_be_visible()

    message = page.get_by_test_id("message").filter(has_text="cut-over on a weekend").first
    await message.hover()
    await message.get_by_test_id("message-menu-button").click()
    await page.get_by_role("menuitem", name="Log to Steward").click()
    await expect(modal.get_by_label("Title")).to_have_value("@Ben Fischer can we do the cut-over on a weekend?")
    await modal.get_by_test_id("modal-submit").click()
    await expect(page.get_by_test_id("ephemeral").get_by_text("Logged A2")).to_be_visible()

    await become(page, "Ben Fischer")
    if width < 1000:
        await page.get_by_test_id("sidebar-toggle").click()
    await page.get_by_test_id("conversation-steward").click()
    await expect(page.get_by_text("What you own")).to_be_visible()
    await expect(page.get_by_text("Send the firewall diagram")).to_be_visible()
    await picture(page, "home") if width > 1000 else None

    await page.get_by_test_id("tab-messages").click()
    for _ in range(2):
        if house.sandbox.person("ben").app_messages():
            break
        if width < 1000:
            await page.get_by_test_id("clock-now").click()
        await page.get_by_test_id("clock-next-morning").click()
        await expect(page.get_by_test_id("clock-now")).to_contain_text("9:00")
        await expect(page.get_by_test_id("clock-progress")).to_be_hidden()
        await house.settled()
    await expect(page.get_by_test_id("message").get_by_text("Good morning. 1 due today.")).to_be_visible()
    await picture(page, "morning") if width > 1000 else None
    await page.get_by_role("button", name="Done: A1").click()
    await expect(page.get_by_role("button", name="Undo: A1")).to_be_visible()
    await house.settled()

    assert (await house.record("A1"))["status"] == "done"
    assert len(house.sandbox.person("ben").app_messages()) == 1
    assert troubles == []
    await context.close()
