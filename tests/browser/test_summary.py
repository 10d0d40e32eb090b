"""The weekly summary as an executive meets it: the channel's first screen, its thread, and the portfolio."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, expect
from sqlmodel import select

from models import operations
from models.kinds import KINDS, Item
from models.permissions import actor_of
from models.tables import Person, Project
from tests.databases import SqliteFiles
from tests.scenarios.house import START, House, house_over_socket_mode

PICTURES = os.environ.get("PICTURES")
HEADLINE = "The switch decides: without it no cut-over in December."

# Kind, title, days before START on which it was logged, and what else is known of it.
LOG: tuple[tuple[str, str, int, dict[str, Any]], ...] = (
    ("action", "Order two racks", 20, {"due": 2}),
    ("action", "Send the firewall diagram", 18, {"due": -9, "priority": "high"}),
    ("action", "Book the goods lift", 18, {"due": -3}),
    ("action", "Label every cable", 12, {"due": 8}),
    ("action", "Test the backup line", 11, {"due": 9}),
    ("action", "Agree the cut-over window", 3, {"due": 7}),
    ("risk", "Core switch may arrive late", 16, {"probability": 3, "impact": 4}),
    ("risk", "Only one person knows the old firewall", 2, {"probability": 4, "impact": 3}),
    ("risk", "Power may not suffice for both sites", 10, {"probability": 2, "impact": 4}),
    ("issue", "VPN drops every evening", 5, {"severity": "2"}),
    ("issue", "Badge readers refuse contractors", 2, {"severity": "3"}),
    ("decision", "Fibre instead of copper between the halls", 9, {}),
    ("decision", "Cut over on a weekend", 2, {"due": 6}),
)


async def log_all(house: House) -> None:
    """What happened in the project in the three weeks before the scenario begins."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Measure the server room")
    await house.settled()
    async with house.steward.database.unit(house.sandbox.team_id) as session:
        project = (await session.exec(select(Project))).one()
        by = (await session.exec(select(Person).where(Person.id == ana.id))).one()
        kinds = {kind.key: kind for kind in KINDS}
        made: dict[str, Item] = {}
        for key, title, days, known in LOG:
            values = {"title": title, **known}
            if "due" in known:
                values["due_date"] = START.date() + timedelta(days=values.pop("due"))
            at = START - timedelta(days=days)
            item = await operations.create(
                session,
                actor_of(by),
                kinds[key],
                values,
                project=project,
                channel_id=project.home_channel_id,
                now=at,
                via="test",
            )
            made[title] = item
        actor = actor_of(by)

        async def step(title: str, key: str, days: float) -> None:
            item = made[title]
            found = item.kind.step_named(key)
            assert found is not None
            at = START - timedelta(days=days)
            await operations.take_step(session, actor, item, project, found, now=at, via="test", note="")

        async def change(title: str, days: float, **values: Any) -> None:
            item = made[title]
            at = START - timedelta(days=days)
            version = item.record.version
            await operations.change(session, actor, item, project, values, version=version, now=at, via="test")

        await step("Order two racks", "done", 9)
        await step("Label every cable", "start", 1)
        await step("Fibre instead of copper between the halls", "approve", 1)
        await change("Test the backup line", 1, due_date=START.date() + timedelta(days=16))
        await change("Core switch may arrive late", 1, probability=4)
    await ana.command("#network", "/steward", "A1 done")
    await house.settled()
    await ana.command("#general", "/action", "Paint the meeting rooms by 2031-12-12")
    await house.settled()


async def picture(page: Page, name: str) -> None:
    if PICTURES:
        await page.wait_for_timeout(400)
        await page.screenshot(path=Path(PICTURES) / f"{name}.png")


async def type_command(page: Page, text: str) -> None:
    await page.get_by_test_id("composer").fill(text)
    await page.keyboard.press("Escape")
    await page.get_by_test_id("send").click()


async def is_wide_enough(page: Page) -> bool:
    """Whether nothing has to be scrolled sideways."""
    wide = await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    return bool(wide)


async def test_the_summary_is_read_in_the_channel_and_its_thread(
    browser: Browser, sqlite_databases: SqliteFiles
) -> None:
    """The preview and its headline on a telephone, the channel on Friday with the thread, and the portfolio."""
    url = sqlite_databases.create(migrated=True)
    async with house_over_socket_mode(url) as house:
        await log_all(house)
        ana = house.sandbox.person("ana")
        network = house.sandbox.workspace.find_channel("network")
        assert network is not None
        await house.sandbox.advance_to(datetime(2031, 11, 27, 20, 0, tzinfo=UTC))
        await house.settled()
        direct = house.sandbox.workspace.direct(ana.id, house.sandbox.bot_user_id)
        assert direct is not None
        context = await browser.new_context(viewport={"width": 390, "height": 900}, reduced_motion="reduce")
        page = await context.new_page()
        at = f"{house.sandbox.url}/#/person/{ana.id}"
        await page.goto(f"{at}/{direct.id}")
        await page.get_by_role("button", name="Add a headline of network").click()
        modal = page.get_by_test_id("modal")
        await modal.get_by_label("What should be read first").fill(HEADLINE)
        await modal.get_by_test_id("modal-submit").click()
        await expect(page.get_by_text(HEADLINE)).to_be_visible()
        assert await is_wide_enough(page)

        await house.sandbox.advance_to(datetime(2031, 11, 28, 20, 0, tzinfo=UTC))
        await house.settled()
        await page.goto(f"{at}/{network.id}")
        posted = page.get_by_test_id("message").filter(has_text=HEADLINE)
        await expect(posted).to_be_visible()
        assert await is_wide_enough(page)
        await page.set_viewport_size({"width": 1280, "height": 900})
        await posted.get_by_test_id("open-thread").click()
        await expect(page.get_by_text("Slipped to a later day: 1")).to_be_visible()
        await expect(page.get_by_text("first promised Wed 3 Dec")).to_be_visible()
        await page.get_by_test_id("thread-messages").evaluate("each => each.scrollTo(0, 0)")
        await picture(page, "summary")

        await page.goto(f"{at}/{network.id}")
        await type_command(page, "/steward portfolio")
        await expect(page.get_by_role("heading", name="Your projects: 2")).to_be_visible()
        await page.get_by_role("button", name="Summary of network").click()
        await expect(page.get_by_role("button", name="Post the summary of network")).to_be_visible()
        await context.close()
