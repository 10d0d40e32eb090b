"""A week of what comes by the clock, in the real page: questions, digest, being asked, the channel, the summary.

`make pictures` runs this with PICTURES set, and so keeps the pictures of docs true.
"""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from tests.databases import SqliteFiles
from tests.scenarios.house import House, house_over_socket_mode
from tests.scenarios.test_fortnight import STARTS, Fortnight

PICTURES = os.environ.get("PICTURES")


@pytest_asyncio.fixture(loop_scope="session")
async def house(browser: Browser, sqlite_databases: SqliteFiles) -> AsyncIterator[House]:
    url = sqlite_databases.create(migrated=True)
    async with house_over_socket_mode(url, starts=STARTS) as opened:
        yield opened


async def open_page(house: House, browser: Browser, troubles: list[str], *, width: int = 1280) -> Page:
    context = await browser.new_context(viewport={"width": width, "height": 800}, reduced_motion="reduce")
    page = await context.new_page()
    page.on("pageerror", lambda error: troubles.append(str(error)))
    return page


async def look(page: Page, house: House, name: str, where: str) -> None:
    """Be that person in that channel, or in the conversation with Steward."""
    room = house.sandbox.workspace.find_channel(where)
    await page.goto("about:blank")
    await page.goto(f"{house.sandbox.url}/#/person/{house.sandbox.person(name).id}/{room.id if room else ''}")
    if room is None:
        if await page.get_by_test_id("sidebar-toggle").is_visible():
            await page.get_by_test_id("sidebar-toggle").click()
        await page.get_by_test_id("conversation-steward").click()
        await page.get_by_test_id("tab-messages").click()


async def picture(page: Page, name: str, shown: Locator) -> None:
    """The page with that in view, once it is there."""
    await expect(shown).to_be_visible()
    if PICTURES:
        await shown.evaluate("it => it.closest('[data-testid=message]')?.scrollIntoView({block: 'end'})")
        await page.wait_for_timeout(400)
        await page.screenshot(path=Path(PICTURES) / f"{name}.png")


async def test_a_week_by_the_clock(house: House, browser: Browser) -> None:
    """What comes to Ben, to Tane and to the channel, at their hours; two of them dealt with in place."""
    troubles: list[str] = []
    page = await open_page(house, browser, troubles)
    walk, message, modal = Fortnight(house), page.get_by_test_id("message"), page.get_by_test_id("modal")
    await walk.begin()

    await walk.until(datetime(2031, 10, 21, 7, 30, tzinfo=UTC))
    await look(page, house, "ben", "steward")
    await expect(message.get_by_text("What will you do next?").last).to_be_visible()
    await message.get_by_role("button", name="Answer").last.click()
    await modal.get_by_label("What will you do next?").fill("Cable the racks")
    await modal.get_by_label("What is in your way?").fill("No power in rack 3")
    await picture(page, "answer", modal)
    await modal.get_by_test_id("modal-submit").click()
    await expect(modal).to_be_hidden()
    await page.get_by_role("button", name="Done: A1").last.click()
    await picture(page, "day", page.get_by_role("button", name="Undo: A1"))

    await walk.until(datetime(2031, 10, 23, 7, tzinfo=UTC))
    await look(page, house, "tane", "steward")
    await picture(page, "asked", message.get_by_text("Could you have a look").last)
    await look(page, house, "ana", "network")
    await expect(message.get_by_text("No power in rack 3").last).to_be_visible()
    await picture(page, "in-channel", message.get_by_text("due or overdue").last)

    await walk.until(datetime(2031, 10, 24, 13, tzinfo=UTC))
    await expect(message.get_by_text("week to Fri 24 Oct 2031").last).to_be_visible()
    narrow = await open_page(house, browser, troubles, width=390)
    await look(narrow, house, "ana", "steward")
    await picture(narrow, "preview", narrow.get_by_text("weekly summary").last)

    assert troubles == []
    for each in (page, narrow):
        await each.context.close()
