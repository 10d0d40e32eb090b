"""Answers that take their time: what a person does meanwhile is done where they see themselves doing it."""

import asyncio
from collections.abc import Callable

from playwright.async_api import Locator, Page, Request, Route, expect

from sandbox import Sandbox
from tests.browser.conftest import OpenPage
from tests.waiting import until

NETWORK, RANDOM = "C00000000NE", "C00000000RA"

Which = Callable[[Request], bool]


class Held:
    """The page's requests of one sort, kept from the workspace until they are let go."""

    def __init__(self) -> None:
        self._free = asyncio.Event()
        self.asked = asyncio.Event()

    async def keep(self, route: Route) -> None:
        self.asked.set()
        await self._free.wait()
        await route.continue_()

    def let_go(self) -> None:
        self._free.set()


async def hold(page: Page, which: Which) -> Held:
    held = Held()

    async def handle(route: Route) -> None:
        await (held.keep(route) if which(route.request) else route.fallback())

    await page.route("**/sandbox/**", handle)
    return held


def doing(name: str) -> Which:
    return lambda request: request.url.endswith("/sandbox/do") and (request.post_data_json or {}).get("do") == name


def reading(name: str, of: str) -> Which:
    return lambda request: f"/sandbox/{name}?" in request.url and of in request.url


def texts(workspace: Sandbox, who: str, where: str) -> list[str]:
    return [each["text"] for each in workspace.person(who).messages(where)]


async def until_said(workspace: Sandbox, who: str, where: str, text: str) -> None:
    await until(lambda: text in texts(workspace, who, where))


async def write(composer: Locator, text: str) -> None:
    await composer.fill(text)
    await composer.press("Enter")


async def test_words_for_somebody_new_wait_for_the_direct_message_and_do_not_go_to_the_channel_before(
    open_page: OpenPage, workspace: Sandbox
) -> None:
    page = await open_page("ana", "general")
    opening = await hold(page, doing("open_direct"))

    await page.get_by_test_id("conversation-tane").click()
    writing = asyncio.create_task(write(page.get_by_test_id("composer"), "Good evening"))
    await expect(page.get_by_role("heading", name="Tane Walker")).to_be_visible()
    await expect(page.get_by_test_id("composer")).to_be_hidden()
    opening.let_go()
    await writing

    await until_said(workspace, "tane", "@ana", "Good evening")
    assert "Good evening" not in texts(workspace, "ana", "#general")
    await page.get_by_test_id("conversation-general").click()
    await expect(page.get_by_test_id("composer")).to_have_value("")


async def test_who_goes_elsewhere_before_a_direct_message_is_there_stays_elsewhere(open_page: OpenPage) -> None:
    page = await open_page("ana", "general")
    opening = await hold(page, doing("open_direct"))
    await page.get_by_test_id("conversation-tane").click()
    await opening.asked.wait()

    await page.get_by_test_id("conversation-random").click()
    await expect(page.get_by_role("heading", name="random")).to_be_visible()
    async with page.expect_request_finished(doing("open_direct")):
        opening.let_go()
    # Longer than the page would take to go where the answer leads.
    for _ in range(3):
        await page.evaluate("async () => (await fetch('/sandbox/boot?person=U00000000AN')).text()")

    assert page.url.endswith(RANDOM)
    await expect(page.get_by_role("heading", name="random")).to_be_visible()


async def test_words_go_to_the_conversation_that_was_chosen_though_it_is_not_read_yet(
    open_page: OpenPage, workspace: Sandbox
) -> None:
    page = await open_page("ana", "general")
    answer = await hold(page, reading("conversation", NETWORK))

    await page.get_by_test_id("conversation-network").click()
    await write(page.get_by_test_id("composer"), "Who is on call?")

    await until_said(workspace, "ana", "#network", "Who is on call?")
    await expect(page.get_by_test_id("message")).to_have_count(0)
    answer.let_go()
    await expect(page.get_by_test_id("message").last).to_contain_text("Who is on call?")
    assert "Who is on call?" not in texts(workspace, "ana", "#general")


async def test_a_thread_that_comes_late_does_not_take_the_pen_away(open_page: OpenPage, workspace: Sandbox) -> None:
    said = await workspace.person("ben").say("#network", "Who brings the ladder?")
    page = await open_page("ana", "network")
    answer = await hold(page, reading("thread", said["ts"]))
    message = page.get_by_test_id("messages").get_by_test_id("message").last
    await message.hover()
    await message.get_by_test_id("reply").click()
    await expect(page.get_by_test_id("thread-composer")).to_be_focused()

    await page.get_by_test_id("composer").fill("Something else")
    answer.let_go()
    await expect(page.get_by_test_id("thread-messages")).to_contain_text("Who brings the ladder?")

    await expect(page.get_by_test_id("composer")).to_be_focused()


async def test_a_file_stays_with_the_conversation_it_was_put_into(open_page: OpenPage) -> None:
    page = await open_page("ana", "network")
    sending = await hold(page, lambda request: "/sandbox/upload" in request.url)
    await page.get_by_test_id("composer-files").set_input_files(
        {"name": "menu.txt", "mimeType": "text/plain", "buffer": b"soup"}
    )
    await sending.asked.wait()

    await page.get_by_test_id("conversation-random").click()
    await expect(page.get_by_role("heading", name="random")).to_be_visible()
    async with page.expect_request_finished(lambda request: "/sandbox/upload" in request.url):
        sending.let_go()
    await page.get_by_test_id("composer").fill("Not the menu")
    await expect(page.get_by_role("button", name="Remove menu.txt")).to_have_count(0)
    await page.get_by_test_id("conversation-network").click()

    await expect(page.get_by_role("button", name="Remove menu.txt")).to_be_visible()


async def test_an_edit_goes_on_while_others_react_to_the_message(open_page: OpenPage, workspace: Sandbox) -> None:
    said = await workspace.person("ana").say("#network", "Firts draft")
    page = await open_page("ana", "network")
    message = page.get_by_test_id("message").last
    await message.hover()
    await message.get_by_test_id("message-menu-button").click()
    await page.get_by_test_id("menu-edit").click()
    await page.get_by_test_id("edit-text").fill("First draft, mended")

    await workspace.person("ben").react("#network", said["ts"], "pushpin")
    await expect(message.get_by_role("button", name="pushpin: 1")).to_be_visible()

    await expect(page.get_by_test_id("edit-text")).to_have_value("First draft, mended")
    await page.get_by_test_id("edit-save").click()
    await expect(message).to_contain_text("First draft, mended (edited)")


async def test_a_click_is_not_lost_when_news_come_while_the_button_is_down(
    open_page: OpenPage, workspace: Sandbox
) -> None:
    page = await open_page("ana", "general")
    entry = page.get_by_test_id("conversation-network")
    await entry.hover()
    await page.mouse.down()

    async with page.expect_response("**/sandbox/boot?*"):
        await workspace.person("ben").say("#network", "@ana look at this")
    await page.mouse.up()

    await expect(page.get_by_role("heading", name="network")).to_be_visible()
