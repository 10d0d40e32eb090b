"""Messages, commands, threads and menus in the page."""

import pytest
from playwright.async_api import Page, expect

from sandbox import Sandbox
from sandbox.timing import Timing
from tests.browser.conftest import OpenPage
from tests.browser.made_up_app import LunchClub
from tests.waiting import until


async def send(page: Page, text: str) -> None:
    """Type into the message box and send."""
    composer = page.get_by_test_id("composer")
    await composer.fill(text)
    await page.get_by_test_id("send").click()


async def test_a_message_appears_for_everyone_without_a_reload(open_page: OpenPage) -> None:
    ana = await open_page("ana", "network")
    ben = await open_page("ben", "network")

    await send(ana, "Lunch at *noon*, @ben? <b>not bold</b>")

    mine = ben.get_by_test_id("message").last
    await expect(mine).to_contain_text("Lunch at noon, @Ben Fischer? <b>not bold</b>")
    await expect(mine.locator("strong", has_text="noon")).to_be_visible()
    await expect(mine.locator(".mention-me")).to_have_text("@Ben Fischer")
    assert await mine.locator("b").count() == 0


async def test_unread_messages_are_marked_until_they_are_seen(open_page: OpenPage, workspace: Sandbox) -> None:
    ben = await open_page("ben", "general")

    await workspace.person("ana").say("#network", "@ben look at this")

    entry = ben.get_by_test_id("conversation-network")
    await expect(entry.locator(".badge")).to_have_text("1")
    await entry.click()
    await expect(ben.locator(".new-line")).to_be_visible()
    await expect(entry.locator(".badge")).to_have_count(0)


async def test_the_slash_menu_offers_the_apps_commands_and_the_answer_is_only_visible_to_the_person(
    open_page: OpenPage, club: LunchClub
) -> None:
    page = await open_page("ana", "network")
    composer = page.get_by_test_id("composer")

    await composer.press_sequentially("/lu")
    suggestion = page.get_by_test_id("suggestions").get_by_role("option")
    await expect(suggestion).to_contain_text(["/lunch [where] [when]"])
    await composer.press("Enter")
    await expect(composer).to_have_value("/lunch ")
    await expect(page.get_by_test_id("usage-hint")).to_contain_text("Suggest a lunch")
    await composer.press_sequentially("Noodles with @be")
    await composer.press("Tab")
    await composer.press("Enter")

    answer = page.get_by_test_id("ephemeral")
    await expect(answer).to_contain_text("Only visible to you")
    await expect(answer).to_contain_text("Suggested Noodles with @Ben Fischer.")
    assert club.heard[0]["text"] == "Noodles with <@U00000000BE|ben>"
    await answer.get_by_test_id("dismiss").click()
    await expect(answer).to_have_count(0)


async def test_an_unknown_command_is_explained_and_stays_in_the_box(open_page: OpenPage, club: LunchClub) -> None:
    page = await open_page("ana", "network")

    await send(page, "/brunch at ten")

    await expect(page.get_by_test_id("composer-note")).to_contain_text("/brunch is not a command in this workspace")
    await expect(page.get_by_test_id("composer")).to_have_value("/brunch at ten")
    assert club.heard == []


@pytest.mark.parametrize("workspace", [Timing(acknowledge=0.5)], ids=["hasty"], indirect=True)
async def test_a_command_the_app_does_not_answer_is_reported_and_can_be_sent_again(
    open_page: OpenPage, club: LunchClub
) -> None:
    page = await open_page("ana", "network")

    await send(page, "/slow down")

    await expect(page.get_by_test_id("notice").first).to_contain_text("operation_timeout")
    await expect(page.get_by_test_id("composer")).to_have_value("/slow down")


async def test_commands_are_not_for_threads(open_page: OpenPage, club: LunchClub) -> None:
    page = await open_page("ana", "network")
    await page.get_by_test_id("message").first.hover()
    await page.get_by_test_id("message").first.get_by_test_id("reply").click()
    reply = page.get_by_test_id("thread-composer")

    await reply.fill("/lunch here")
    await reply.press("Enter")

    await expect(page.get_by_test_id("thread-note")).to_have_text("/lunch is not supported in threads. Sorry!")
    assert club.heard == []


async def test_a_thread_is_read_and_answered_beside_the_conversation(open_page: OpenPage, workspace: Sandbox) -> None:
    ben = workspace.person("ben")
    parent = await ben.say("#network", "Who brings the ladder?")
    page = await open_page("ana", "network")
    message = page.get_by_test_id("messages").get_by_test_id("message").last
    await message.hover()
    await message.get_by_test_id("reply").click()

    await page.get_by_test_id("thread-composer").fill("I do")
    await page.get_by_test_id("thread-send").click()

    thread = page.get_by_test_id("thread-messages").get_by_test_id("message")
    await expect(thread).to_have_count(2)
    await expect(message.get_by_test_id("open-thread")).to_contain_text("1 reply")
    assert [each["text"] for each in ben.thread("#network", parent["ts"])] == ["Who brings the ladder?", "I do"]
    await page.get_by_test_id("thread-close").click()
    await expect(page.get_by_test_id("thread")).to_be_hidden()


async def test_ones_own_message_can_be_edited_and_deleted(open_page: OpenPage, workspace: Sandbox) -> None:
    page = await open_page("ana", "network")
    await send(page, "Firts draft for @ben")
    message = page.get_by_test_id("message").last
    await expect(message).to_contain_text("Firts draft")

    await message.hover()
    await message.get_by_test_id("message-menu-button").click()
    await page.get_by_test_id("menu-edit").click()
    await expect(page.get_by_test_id("edit-text")).to_have_value("Firts draft for @ben")
    await page.get_by_test_id("edit-text").fill("First draft for @ben & all")
    await page.get_by_test_id("edit-save").click()
    await expect(message).to_contain_text("First draft for @Ben Fischer & all (edited)")

    await message.hover()
    await message.get_by_test_id("message-menu-button").click()
    await page.get_by_test_id("menu-delete").click()
    await page.get_by_test_id("confirm-yes").click()
    await expect(page.get_by_text("First draft")).to_have_count(0)
    assert all("draft" not in each["text"] for each in workspace.person("ana").messages("#network"))


async def test_a_reaction_is_added_counted_and_taken_back(open_page: OpenPage, workspace: Sandbox) -> None:
    page = await open_page("ana", "network")
    message = page.get_by_test_id("message").first
    await message.hover()
    await message.get_by_test_id("react").click()
    await page.get_by_label("Search emoji").fill("pushpin")
    await page.locator('[data-emoji="pushpin"]').click()
    chip = message.get_by_role("button", name="pushpin: 1, you")
    await expect(chip).to_have_attribute("aria-pressed", "true")

    await workspace.person("ben").react("#network", await message.get_attribute("data-ts") or "", "pushpin")
    await message.get_by_role("button", name="pushpin: 2").click()

    await expect(message.get_by_role("button", name="pushpin: 1, Ben Fischer")).to_be_visible()


async def test_a_file_is_attached_to_a_message(open_page: OpenPage) -> None:
    page = await open_page("ana", "network")

    await page.get_by_test_id("composer-files").set_input_files(
        {"name": "menu.txt", "mimeType": "text/plain", "buffer": b"soup"}
    )
    await expect(page.get_by_role("button", name="Remove menu.txt")).to_be_visible()
    await send(page, "The menu")

    await expect(page.get_by_test_id("message").last.locator(".file-card")).to_contain_text("menu.txt")


async def test_what_is_half_written_survives_what_happens_meanwhile(open_page: OpenPage, workspace: Sandbox) -> None:
    page = await open_page("ana", "network")
    composer = page.get_by_test_id("composer")
    await composer.fill("half a sentence")
    await composer.evaluate("node => node.setSelectionRange(4, 4)")

    await workspace.person("ben").say("#network", "Meanwhile")
    await expect(page.get_by_test_id("message").last).to_contain_text("Meanwhile")
    await page.keyboard.type("!")
    await page.get_by_test_id("conversation-general").click()
    await expect(composer).to_have_value("")
    await page.get_by_test_id("conversation-network").click()

    await expect(composer).to_have_value("half! a sentence")


async def test_buttons_and_menus_of_a_message_reach_the_app(open_page: OpenPage, club: LunchClub) -> None:
    page = await open_page("ana", "network")
    await send(page, "/lunch Soup")
    card = page.get_by_test_id("message").last

    await card.get_by_role("button", name="I'm going").click()
    await expect(card).to_contain_text("Going: @Ana Torres")
    await card.get_by_role("combobox", name="Bring someone").fill("tan")
    await page.get_by_role("option", name="Tane Walker").click()
    await card.get_by_label("Day").fill("2026-12-24")
    await card.get_by_label("Day").press("Enter")
    await card.get_by_role("button", name="More actions").first.click()
    await page.get_by_role("menuitem", name="Move it").click()

    await until(lambda: len(club.heard) == 5)
    actions = {body["actions"][0]["action_id"]: body["actions"][0] for body in club.heard if "actions" in body}
    assert actions["go"]["value"] == "Soup"
    assert actions["bring"]["selected_user"] == "U00000000TA"
    assert actions["day"]["selected_date"] == "2026-12-24"
    assert actions["more"]["selected_option"]["value"] == "move"


async def test_a_confirm_dialog_asks_before_the_app_hears_of_it(open_page: OpenPage, club: LunchClub) -> None:
    page = await open_page("ana", "network")
    await send(page, "/lunch Salad")
    cancel = page.get_by_test_id("message").last.get_by_role("button", name="Cancel")

    await cancel.click()
    await expect(page.get_by_test_id("confirm")).to_contain_text("Everyone who is going will be told.")
    await page.get_by_test_id("confirm-deny").click()
    assert [body for body in club.heard if "actions" in body] == []
    await cancel.click()
    await page.get_by_test_id("confirm-yes").click()

    await expect(cancel).to_have_count(0)


async def test_a_permalink_opens_its_message(open_page: OpenPage, workspace: Sandbox) -> None:
    said = await workspace.person("ben").say("#random", "The one to find")
    page = await open_page("ana", "general")

    await page.goto(f"{workspace.url}/archives/C00000000RA/p{said['ts'].replace('.', '')}")

    await expect(page.locator(".message.pointed")).to_contain_text("The one to find")
    await expect(page).to_have_url(f"{workspace.url}/#/person/U00000000AN/C00000000RA/message/{said['ts']}")
