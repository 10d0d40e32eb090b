"""The page around the messages: people, clock, what the app sent, small screens, lost connections."""

from datetime import timedelta

from playwright.async_api import Browser, expect

from sandbox import Sandbox
from tests.browser.conftest import OpenPage
from tests.browser.made_up_app import MANIFEST, LunchClub, lunch_card
from tests.waiting import until


async def test_a_reload_comes_back_to_the_same_person_and_place(open_page: OpenPage) -> None:
    page = await open_page("kavya", "random")
    await page.get_by_test_id("conversation-network").click()
    await expect(page.get_by_test_id("message").first).to_contain_text("The new switches arrived")
    assert page.url.endswith("#/person/U00000000KA/C00000000NE")

    await page.reload()

    await expect(page.get_by_role("heading", name="network")).to_be_visible()
    await expect(page.get_by_test_id("person-switcher")).to_contain_text("Kavya Rao")
    await expect(page.get_by_test_id("person-switcher")).to_contain_text("Kolkata")


async def test_another_person_sees_their_own_conversations_hours_and_secrets(
    open_page: OpenPage, club: LunchClub, workspace: Sandbox
) -> None:
    await workspace.person("ana").command("#network", "/lunch", "Soup")
    page = await open_page("ana", "network")
    await expect(page.get_by_test_id("ephemeral")).to_have_count(1)
    ends = page.get_by_test_id("message").last.locator(".context time")
    await expect(ends).to_have_text("Nov 25, 2026 at 5:00 AM")
    await expect(page.get_by_test_id("conversation-steering")).to_be_visible()

    await page.get_by_test_id("person-switcher").click()
    await page.get_by_test_id("person-kavya").click()

    await expect(page.get_by_test_id("person-switcher")).to_contain_text("Kavya Rao")
    await expect(ends).to_have_text("Nov 25, 2026 at 3:30 PM")
    await expect(page.get_by_test_id("ephemeral")).to_have_count(0)
    await expect(page.get_by_test_id("conversation-steering")).to_have_count(0)


async def test_a_status_is_set_and_cleared_where_one_chooses_who_one_is(
    open_page: OpenPage, workspace: Sandbox
) -> None:
    kavya = workspace.person("kavya").user
    page = await open_page("kavya", "network")

    await page.get_by_test_id("person-switcher").click()
    await page.get_by_test_id("status-palm_tree").click()
    await expect(page.get_by_test_id("notice")).to_contain_text("Your status is set.")
    shown = (kavya.status_emoji, kavya.status_text, kavya.has_status(workspace.clock.now().timestamp()))
    await page.get_by_test_id("person-switcher").click()
    await expect(page.get_by_test_id("person-kavya")).to_contain_text("Vacationing")
    await page.get_by_test_id("status-clear").click()

    assert shown == (":palm_tree:", "Vacationing", True)
    await until(lambda: kavya.status_emoji == "")


async def test_a_channel_one_is_not_in_can_be_looked_at_and_joined(open_page: OpenPage, workspace: Sandbox) -> None:
    await workspace.person("ana").leave("#random")
    page = await open_page("ana", "random")
    await expect(page.get_by_test_id("composer")).to_be_hidden()

    await page.get_by_test_id("join").click()

    await expect(page.get_by_test_id("composer")).to_be_visible()


async def test_a_direct_message_can_be_begun_with_anyone(open_page: OpenPage, workspace: Sandbox) -> None:
    page = await open_page("ana", "general")

    await page.get_by_test_id("conversation-tane").click()
    await page.get_by_test_id("composer").fill("Good evening")
    await page.get_by_test_id("composer").press("Enter")

    await expect(page.get_by_test_id("message")).to_contain_text(["Good evening"])
    assert [each["text"] for each in workspace.person("tane").messages("@ana")] == ["Good evening"]


async def test_the_clock_moves_to_the_next_morning_of_the_person(open_page: OpenPage, workspace: Sandbox) -> None:
    page = await open_page("ben", "general")
    before = workspace.clock.now()

    await page.get_by_test_id("clock-next-morning").click()

    await expect(page.get_by_test_id("clock-now")).to_contain_text("9:00 AM")
    await expect(page.get_by_test_id("notice")).to_contain_text("9:00 AM in Berlin")
    assert timedelta(0) < workspace.clock.now() - before <= timedelta(hours=25)
    await expect(page.get_by_test_id("clock-progress")).to_be_hidden()
    await page.get_by_test_id("clock-hour").click()
    await expect(page.get_by_test_id("clock-now")).to_contain_text("10:0")


async def test_the_clock_goes_to_a_chosen_time_and_never_back(open_page: OpenPage, workspace: Sandbox) -> None:
    page = await open_page("ana", "general")
    await page.get_by_test_id("clock-set").click()
    await page.get_by_test_id("clock-when").fill("2020-01-01T10:00")
    await page.get_by_test_id("clock-when").evaluate("node => node.removeAttribute('min')")
    before = workspace.clock.now()
    await page.get_by_test_id("clock-go").click()
    await expect(page.get_by_test_id("notice")).to_contain_text("only goes forward")
    assert workspace.clock.now() - before < timedelta(minutes=5)

    later = before.astimezone() + timedelta(days=2)
    await page.get_by_test_id("clock-when").fill(later.strftime("%Y-%m-%dT15:30"))
    await page.get_by_test_id("clock-go").click()

    await expect(page.get_by_test_id("clock-now")).to_contain_text("3:30 PM")


async def test_what_the_app_sent_and_was_sent_can_be_looked_at(
    open_page: OpenPage, club: LunchClub, workspace: Sandbox
) -> None:
    page = await open_page("ana", "network")
    await page.get_by_test_id("calls-toggle").click()
    await expect(page.get_by_test_id("call").filter(has_text="apps.connections.open")).to_have_count(1)

    await club.app.client.chat_postMessage(channel="C00000000NE", text="Hi", blocks=lunch_card("Soup", []))
    call = page.get_by_test_id("call").filter(has_text="chat.postMessage")
    await call.get_by_role("button").click()
    await expect(call.locator("pre").first).to_contain_text('"text": "*Lunch:* Soup')
    await expect(call.locator("pre").last).to_contain_text('"ok": true')
    await page.get_by_test_id("calls-filter").fill("connections.o")
    await expect(page.get_by_test_id("call")).to_have_count(1)

    await page.get_by_test_id("calls-filter").fill("")
    await workspace.person("ana").command("#network", "/lunch", "Salad")
    await page.get_by_test_id("tab-deliveries").click()
    await expect(page.get_by_test_id("delivery").filter(has_text="/lunch")).to_have_count(1)

    await expect(page.get_by_test_id("rate-limits")).not_to_be_checked()
    await page.get_by_test_id("rate-limits").check()
    await expect(page.get_by_test_id("rate-limits")).to_be_checked()
    await until(lambda: workspace.rate_limits)


async def test_on_a_phone_the_conversations_come_out_of_the_side_and_nothing_is_too_wide(
    open_page: OpenPage, club: LunchClub
) -> None:
    page = await open_page("ana", "network", width=390, height=844)
    await club.app.client.chat_postMessage(channel="C00000000NE", text="Hi", blocks=lunch_card("w" * 200, []))
    await expect(page.get_by_test_id("message").last).to_contain_text("Lunch:")
    await expect(page.get_by_test_id("conversation-general")).not_to_be_in_viewport()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390

    await page.get_by_test_id("sidebar-toggle").click()
    await page.get_by_test_id("conversation-general").click()

    await expect(page.get_by_role("heading", name="general")).to_be_visible()
    await expect(page.get_by_test_id("conversation-general")).not_to_be_in_viewport()


async def test_menus_and_lists_answer_to_the_keyboard(open_page: OpenPage, club: LunchClub) -> None:
    page = await open_page("ana", "network")
    await page.get_by_test_id("person-switcher").focus()
    await page.keyboard.press("Enter")
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_test_id("person-ben")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("person-switcher")).to_be_focused()

    await page.get_by_test_id("messages").focus()
    await page.keyboard.press("ArrowUp")
    await expect(page.get_by_test_id("message").last).to_be_focused()
    await page.keyboard.press("ArrowUp")
    await expect(page.get_by_test_id("message").nth(-2)).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(page.get_by_test_id("message").nth(-2).get_by_test_id("react")).to_be_focused()


async def test_an_app_that_is_not_connected_is_announced(open_page: OpenPage) -> None:
    page = await open_page("ana", "network")

    await expect(page.get_by_test_id("app-notice")).to_contain_text("Lunch Club is not connected")


async def test_a_lost_connection_is_said_and_mended(browser: Browser) -> None:
    context = await browser.new_context()
    page = await context.new_page()
    async with Sandbox(MANIFEST) as first:
        await page.goto(first.url)
        await page.get_by_test_id("messages").wait_for()
        port = int(first.url.rsplit(":", 1)[1])
    await expect(page.get_by_test_id("connection-lost")).to_contain_text("The connection to the workspace is lost")

    async with Sandbox(MANIFEST, port=port):
        await expect(page.get_by_test_id("connection-lost")).to_be_hidden()
    await context.close()
