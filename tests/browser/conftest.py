"""Chromium for tests of the page: one browser for all of them, a fresh workspace with a made-up app for each.

Browser tests run in the session's event loop, which the browser lives in; nothing here needs a display.
"""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from sandbox import Sandbox
from sandbox.timing import Timing
from tests.browser.made_up_app import MANIFEST, LunchClub, lunch_club

HERE = Path(__file__).parent
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
# How long anything in a page may take on a machine that is busy with other things; what is there sooner ends the wait.
WAIT_MS = 30_000
expect.set_options(timeout=WAIT_MS)
PATIENT = Timing(acknowledge=30.0, trigger=30.0)

OpenPage = Callable[..., Awaitable[Page]]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Every test in this folder is a browser test and shares the browser's event loop."""
    ours = [item for item in items if HERE in item.path.parents]
    for item in ours:
        item.add_marker(pytest.mark.browser)
        if pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
    if CHROMIUM is None and ours:
        skip_with_one_line(config, items, ours)


def skip_with_one_line(config: pytest.Config, items: list[pytest.Item], ours: list[pytest.Item]) -> None:
    """Without a browser one skipped test speaks for all of them."""
    speaker, *others = ours
    reason = f"no Chromium on this machine for the page's {len(ours)} tests (Debian: apt install chromium)"
    speaker.add_marker(pytest.mark.skip(reason=reason))
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if item not in others]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        await launched.close()


@pytest_asyncio.fixture(loop_scope="session")
async def workspace(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Sandbox]:
    """A fresh workspace with the made-up app installed, and without rate limits. It waits for the app, or as told."""
    async with Sandbox(MANIFEST, rate_limits=False, timing=getattr(request, "param", PATIENT)) as sandbox:
        yield sandbox


@pytest_asyncio.fixture(loop_scope="session")
async def club(workspace: Sandbox) -> AsyncIterator[LunchClub]:
    """The made-up app, connected."""
    async with lunch_club(workspace) as connected:
        yield connected


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser: Browser, workspace: Sandbox) -> AsyncIterator[OpenPage]:
    """Opens the page as a person in a conversation: `await open_page("ana", "network", width=390)`.

    At the end of the test no script may have failed and nothing may have been refused by the content security policy.
    """
    contexts: list[BrowserContext] = []
    troubles: list[str] = []

    async def open_one(who: str = "ana", where: str = "general", *, width: int = 1280, height: int = 800) -> Page:
        context = await browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
        contexts.append(context)
        context.set_default_timeout(WAIT_MS)
        page = await context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda line: troubles.append(line.text) if "Content Security Policy" in line.text else None)
        person = workspace.person(who).user.id
        room = workspace.workspace.find_channel(where)
        await page.goto(f"{workspace.url}/#/person/{person}/{room.id if room else ''}")
        await page.locator("[data-testid=messages][aria-busy=false]").wait_for()
        return page

    yield open_one

    for context in contexts:
        await context.close()
    assert troubles == []
