"""Modals, the app's Home, and every kind of field and block."""

import json
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from sandbox import Sandbox
from tests.browser.conftest import OpenPage
from tests.browser.made_up_app import LunchClub, field, order_form, plain
from tests.sandbox.block_kit_examples import BLOCK_NAMES, ELEMENT_NAMES, Document, block_document, element_document
from tests.waiting import until

Json = dict[str, Any]


async def open_form(page: Page) -> Locator:
    """Open the order form with its command."""
    await page.get_by_test_id("composer").fill("/order")
    await page.get_by_test_id("composer").press("Enter")
    modal = page.get_by_test_id("modal")
    await modal.get_by_label("Title").wait_for()
    return modal


async def choose(page: Page, modal: Locator, label: str, *options: str) -> None:
    menu = modal.get_by_role("combobox", name=label)
    for option in options:
        await menu.fill(option[:4])
        await page.get_by_role("option", name=option).click()
    await menu.press("Tab")


async def fill_what_is_asked(page: Page, modal: Locator) -> None:
    await modal.get_by_label("Title").fill("Team lunch")
    await modal.get_by_label("Number of guests").fill("4")
    await choose(page, modal, "Dish", "Curry")


async def test_what_is_missing_or_wrong_is_said_beside_its_field_and_nothing_is_sent(
    open_page: OpenPage, club: LunchClub
) -> None:
    page = await open_page("ana", "network")
    modal = await open_form(page)
    await expect(modal.get_by_label("Title")).to_be_focused()
    await modal.get_by_label("Title").fill("ab")
    await modal.get_by_label("Number of guests").fill("40")
    await modal.get_by_label("Email of the place").fill("nowhere")
    await modal.get_by_label("Link to the menu").fill("soup")

    await page.get_by_test_id("modal-submit").click()

    shown = modal.locator(".invalid .field-error")
    await expect(shown).to_have_text(
        [
            "Please write at least 3 characters.",
            "Please enter a number of at most 12.",
            "Please enter a valid email address.",
            "Please enter a valid link, such as https://example.com.",
            "Please complete this required field.",
        ]
    )
    await expect(modal.get_by_label("Title")).to_have_attribute("aria-invalid", "true")
    await expect(modal.get_by_label("Title")).to_be_focused()
    assert club.submitted == []


async def test_errors_of_the_app_stand_beside_the_field_and_what_was_typed_stays(
    open_page: OpenPage, club: LunchClub
) -> None:
    page = await open_page("ana", "network")
    modal = await open_form(page)
    await fill_what_is_asked(page, modal)
    await modal.get_by_label("Title").fill("Nothing")

    await page.get_by_test_id("modal-submit").click()

    await expect(modal.locator(".invalid .field-error")).to_have_text(["Nothing is not a lunch."])
    await expect(modal.get_by_label("Title")).to_have_value("Nothing")
    await modal.get_by_label("Title").fill("Something")
    await page.get_by_test_id("modal-submit").click()
    await expect(modal).to_have_count(0)
    assert len(club.submitted) == 1
    await expect(page.get_by_test_id("composer")).to_be_focused()


async def test_every_kind_of_field_reaches_the_app_in_slacks_shape(open_page: OpenPage, club: LunchClub) -> None:
    page = await open_page("ana", "network")
    modal = await open_form(page)
    await fill_what_is_asked(page, modal)
    await modal.get_by_label("Notes").fill("two\nlines")
    await modal.get_by_label("Email of the place").fill("hello@example.com")
    await modal.get_by_label("Link to the menu").fill("https://example.com/menu")
    await modal.get_by_role("textbox", name="Message to the cook").click()
    await page.keyboard.type("No ")
    await page.keyboard.press("Control+b")
    await page.keyboard.type("nuts")
    await choose(page, modal, "Drinks", "Tea", "Juice")
    await choose(page, modal, "Place", "Harvest")
    await choose(page, modal, "Host", "Kavya Rao")
    await choose(page, modal, "Company", "Ben Fischer", "Tane Walker")
    await choose(page, modal, "Channel", "#random")
    await modal.get_by_label("Order until").fill("2026-12-01T11:00")
    await modal.get_by_label("Bread").check()
    await modal.get_by_role("radio", name="Host").check()
    paper: Any = {"name": "menu.txt", "mimeType": "text/plain", "buffer": b"soup"}
    await modal.get_by_test_id("file-input").set_input_files(paper)
    await expect(modal.get_by_text("menu.txt")).to_be_visible()

    await page.get_by_test_id("modal-submit").click()
    await expect(modal).to_have_count(0)

    values = {name: each["value"] for name, each in club.submitted[0]["view"]["state"]["values"].items()}
    assert values["title"] == {"type": "plain_text_input", "value": "Team lunch"}
    assert values["notes"]["value"] == "two\nlines"
    assert values["guests"] == {"type": "number_input", "value": "4"}
    assert values["email"]["value"] == "hello@example.com"
    assert values["link"]["value"] == "https://example.com/menu"
    assert values["rich"]["rich_text_value"]["elements"] == [
        {
            "type": "rich_text_section",
            "elements": [{"type": "text", "text": "No "}, {"type": "text", "text": "nuts", "style": {"bold": True}}],
        }
    ]
    assert values["dish"]["selected_option"]["value"] == "curry"
    assert [each["value"] for each in values["drinks"]["selected_options"]] == ["tea", "juice"]
    assert values["place"]["selected_option"]["value"] == "harvest"
    assert values["host"]["selected_user"] == "U00000000KA"
    assert values["company"]["selected_users"] == ["U00000000BE", "U00000000TA"]
    assert values["channel"]["selected_channel"] == "C00000000RA"
    assert values["rooms"]["selected_conversations"] == ["C00000000NE"]
    assert values["day"]["selected_date"] == "2026-12-01"
    assert values["start"]["selected_time"] == "12:30"
    assert values["until"]["selected_date_time"] == 1796140800  # 11:00 in New York, where Ana is
    assert [each["value"] for each in values["extras"]["selected_options"]] == ["bread"]
    assert values["pay"]["selected_option"]["value"] == "host"
    assert values["size"]["selected_option"] is None
    assert [each["id"][0] for each in values["papers"]["files"]] == ["F"]


async def test_a_form_on_top_of_a_form_leads_back_to_what_was_typed(open_page: OpenPage, club: LunchClub) -> None:
    page = await open_page("ana", "network")
    modal = await open_form(page)
    await modal.get_by_label("Title").fill("With a guest")

    await modal.get_by_role("button", name="Add a guest").click()
    await modal.get_by_label("Name of the guest").fill("Zoe")
    await page.get_by_test_id("modal-submit").click()

    await expect(modal.get_by_label("Title")).to_have_value("With a guest")
    await modal.get_by_role("button", name="Add a guest").click()
    await expect(modal.get_by_label("Name of the guest")).to_be_visible()
    await page.get_by_test_id("modal-back").click()
    await expect(modal.get_by_label("Title")).to_have_value("With a guest")
    await page.get_by_test_id("modal-x").click()
    await expect(modal).to_have_count(0)
    assert club.submitted[0]["view"]["state"]["values"]["guest"]["value"]["value"] == "Zoe"


async def test_an_update_of_a_form_keeps_what_is_being_typed(open_page: OpenPage, club: LunchClub) -> None:
    page = await open_page("ana", "network")
    modal = await open_form(page)
    await modal.get_by_label("Title").fill("Half a ti")
    view_id = await modal.get_attribute("data-view-id")

    fresh = order_form()
    fresh["blocks"].insert(1, field("new", "Something new", {"type": "plain_text_input"}, optional=True))
    await club.app.client.views_update(view_id=view_id, view=fresh)
    await modal.get_by_label("Something new").wait_for()
    await page.keyboard.type("tle")

    await expect(modal.get_by_label("Title")).to_have_value("Half a title")


async def test_a_field_that_dispatches_tells_the_app_while_the_form_is_open(
    open_page: OpenPage, club: LunchClub
) -> None:
    page = await open_page("ana", "network")
    modal = await open_form(page)

    await choose(page, modal, "Size of the table", "Large")
    await until(lambda: club.heard[-1].get("type") == "block_actions")

    heard = club.heard[-1]
    assert heard["actions"][0]["selected_option"]["value"] == "large"
    await expect(modal).to_be_visible()


async def test_a_form_holds_the_focus_and_escape_gives_it_back(open_page: OpenPage, club: LunchClub) -> None:
    page = await open_page("ana", "network")
    modal = await open_form(page)

    for _ in range(60):
        await page.keyboard.press("Tab")
        assert await modal.evaluate("node => node.contains(document.activeElement)")
    await page.keyboard.press("Escape")

    await expect(modal).to_have_count(0)
    await expect(page.get_by_test_id("composer")).to_be_focused()


async def test_shortcuts_of_the_workspace_and_of_a_message_open_forms(open_page: OpenPage, club: LunchClub) -> None:
    page = await open_page("ana", "network")
    await page.get_by_test_id("shortcut-menu").click()
    await page.get_by_test_id("shortcut-plan").click()
    await expect(page.get_by_test_id("modal")).to_contain_text("Order lunch")
    await page.get_by_test_id("modal-close").click()
    await expect(page.get_by_test_id("modal")).to_have_count(0)

    message = page.get_by_test_id("message").first
    await message.hover()
    await message.get_by_test_id("message-menu-button").click()
    await page.get_by_test_id("message-shortcut-remember").click()

    notes = page.get_by_test_id("modal").get_by_label("Notes")
    await expect(notes).to_have_value("The new switches arrived. Rack 3 has no free power sockets though.")


async def test_the_apps_home_is_published_on_opening_and_its_buttons_work(open_page: OpenPage, club: LunchClub) -> None:
    page = await open_page("ana", "network")
    await page.get_by_test_id("conversation-lunch-club").click()
    home = page.get_by_test_id("home")
    await expect(home).to_contain_text("You have counted to 0.")

    await home.get_by_label("A wish").fill("half a wi")
    await home.get_by_role("button", name="Count on").click()
    await expect(home).to_contain_text("You have counted to 1.")
    await expect(home.get_by_label("A wish")).to_have_value("half a wi")
    await home.get_by_label("A wish").press("Enter")
    await until(lambda: bool(club.heard))
    assert club.heard[-1]["actions"][0]["value"] == "half a wi"

    await page.get_by_test_id("tab-messages").click()
    await expect(page.get_by_test_id("messages")).to_contain_text("This is where Lunch Club writes to you")


NAMES = [f"block {name}" for name in BLOCK_NAMES] + [f"element {name}" for name in ELEMENT_NAMES]


def shown_to_ana(content: Any) -> Any:
    """The examples name people and places of their own; here they are Ana and #network."""
    text = json.dumps(content).replace("U0000000001", "U00000000AN").replace("C0000000001", "C00000000NE")
    return json.loads(text)


async def test_every_block_and_element_is_drawn(open_page: OpenPage, workspace: Sandbox, club: LunchClub) -> None:
    documents = [block_document(name) for name in BLOCK_NAMES] + [element_document(name) for name in ELEMENT_NAMES]
    documents = [Document(each.surface, shown_to_ana(each.content)) for each in documents]
    page = await open_page("ana", "general")
    forms: list[Json] = []
    for name, document in zip(NAMES, documents, strict=True):
        if document.surface == "message":
            await club.app.client.chat_postMessage(channel="C00000000GE", text=name, blocks=document.content)
        else:
            forms.append({**document.content, "external_id": name})
    messages = page.get_by_test_id("message").filter(has=page.locator(".block"))
    await expect(messages).to_have_count(len(NAMES) - len(forms))
    for message in await messages.all():
        await expect(message.locator(".block").first).to_be_visible()
    await expect(page.get_by_test_id("unknown-block")).to_have_count(0)

    assert forms
    for form in forms:
        await page.get_by_test_id("composer").fill("/order")
        await page.get_by_test_id("composer").press("Enter")
        modal = page.get_by_test_id("modal")
        await modal.get_by_label("Title").wait_for()
        await club.app.client.views_update(view_id=await modal.get_attribute("data-view-id"), view=form)
        await expect(modal.get_by_role("heading", name="Title")).to_be_visible()
        await expect(modal.locator(".block").first).to_be_visible()
        await expect(modal.get_by_test_id("unknown-block")).to_have_count(0)
        await page.keyboard.press("Escape")
        await expect(modal).to_have_count(0)


@pytest.mark.parametrize("block", [{"type": "hologram"}, {"type": "table", "rows": 1}, {"type": "image"}])
async def test_a_block_nobody_knows_is_a_quiet_box(
    open_page: OpenPage, workspace: Sandbox, club: LunchClub, block: Json
) -> None:
    page = await open_page("ana", "random")
    odd = {"type": "message", "user": "U00000000BT", "bot_id": "B1", "ts": "1700000000.000100", "text": "x"}
    odd["blocks"] = [block, {"type": "section", "text": plain("Still here")}]  # type: ignore[assignment]

    async def answer(route: Any) -> None:
        response = await route.fetch()
        body = await response.json()
        await route.fulfill(json={**body, "messages": [odd]})

    await page.route("**/sandbox/conversation?*", answer)
    await page.get_by_test_id("conversation-network").click()

    await expect(page.get_by_test_id("message")).to_contain_text("Still here")
    await expect(page.locator(".unknown-block, .picture-missing")).to_have_count(1)


async def test_words_of_people_and_apps_are_never_markup(open_page: OpenPage, club: LunchClub) -> None:
    page = await open_page("ana", "network")
    hostile = '<img src=x onerror="document.title=1"><script>document.title=2</script>'
    blocks = [
        {"type": "section", "text": {"type": "mrkdwn", "text": f"{hostile} <javascript:alert(1)|press> *{hostile}*"}},
        {"type": "markdown", "text": f"[press](javascript:alert(1)) {hostile} **{hostile}**"},
        {"type": "header", "text": plain(hostile)},
    ]

    await club.app.client.chat_postMessage(channel="C00000000NE", text=hostile, blocks=blocks)

    message = page.get_by_test_id("message").last
    await expect(message).to_contain_text("onerror=")
    assert await message.locator("img, script, a[href^='javascript']").count() == 0
