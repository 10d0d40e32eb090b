"""A pasted list: seen line by line before anything is stored, then stored as a whole."""

from datetime import timedelta

import pytest

from sandbox.driver import Driver
from tests.scenarios.house import House, shown
from tests.scenarios.looking import answer, answered, card, held
from tests.scenarios.test_statements import counted

sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

LIST = """\
Actions:
- [ ] Order cables @ben by 2032-03-05 !high #pilot
    twenty of them
2. R: Switch may arrive late p4 i3 @"Acme Support"
• [x] Book the room due blue moon
* @ben by friday
"""


def submit_label(person: Driver) -> str:
    assert person.modal is not None
    return str(person.modal["submit"]["text"])


async def paste(house: House, person: Driver, lines: str, channel: str = "#network", **fields: str) -> str:
    """Paste the lines into the form; what its preview shows."""
    assert (await person.command(channel, "/steward", "paste")).ok
    if "project" in fields:
        await person.options("project")
    await person.submit({"lines": lines, **fields})
    await house.settled()
    return shown(person.modal or {})


async def titles(house: House) -> list[str]:
    return [record["title"] for record in (await house.export()).records]


async def test_a_list_is_previewed_line_by_line_and_then_logged_as_a_whole(house: House) -> None:
    ana = house.sandbox.person("ana")

    preview = await paste(house, ana, LIST)
    before = await titles(house)
    label = submit_label(ana)
    outcome = await ana.submit()
    await house.settled()

    assert before == []
    assert "*3 records* to be logged in *network*. Nothing is stored yet. 1 line cannot be logged as it is" in preview
    assert (
        "Order cables\n\nAction · Ben Fischer · due Fri 5 Mar 2032 · priority High · #pilot\ntwenty of them" in preview
    )
    assert "❗ Not set: owner. Nobody here is called @Acme Support, so the details name them." in preview
    assert "❗ It was ticked in your list; here it is logged as open." in preview
    assert "❗ Not set: due date. I can't read “blue moon” as a date." in preview
    assert "🔴 Title: A title is needed: one line that says what it is." in preview
    assert label == "Log 3 records"
    assert outcome.ok
    assert await titles(house) == ["Order cables", "Switch may arrive late", "Book the room due blue moon"]
    risk, action = await house.record("R1"), await house.record("A1")
    assert (risk["probability"], risk["impact"], risk["details"]) == (4, 3, "Owner outside Slack: Acme Support")
    assert (action["owner"], action["due_date"], action["details"]) == ("U00000000BE", "2032-03-05", "twenty of them")
    assert "Logged 3 records in network: A1 to A2, R1." in answered(ana)
    assert "1 line with mistakes was left out." in answered(ana)
    assert "I began the project *network*" in answered(ana)
    assert all(card(ana, reference) for reference in ("A1", "A2", "R1"))
    await ana.click(answer(ana), "undo_batch")
    await house.settled()
    assert all(record["is_archived"] for record in (await house.export()).records)
    assert "Undone: 3 records" in answered(ana)
    assert any("A1 was removed" in message["text"] for message in ana.messages("#network"))


@sqlite_only
async def test_the_preview_tells_of_words_that_look_like_a_part_and_are_none(house: House) -> None:
    ana = house.sandbox.person("ana")

    lines = "Call @tane !urgent\nR: Late p9\nSend it every monday\nSee that it runs every day"
    preview = await paste(house, ana, lines)

    assert "❗ Not set: priority. “!urgent” stays in the title. Priorities are !low, !normal" in preview
    assert "❗ Not set: probability. “p9” stays in the title. It runs from 1 to 5, as in" in preview
    assert "Send it\n\nAction · repeats every Monday · due Mon 1 Dec 2031" in preview
    assert "❗ Not set: repeats. “every day” stays in the title" in preview


@sqlite_only
async def test_going_back_to_the_list_loses_nothing_and_shows_it_once_more(house: House) -> None:
    ana = house.sandbox.person("ana")
    await paste(house, ana, "Order cables\nBook a room", default_kind="issue", **{"lines.1": "Call Ben"})

    kept = held(ana.modal)
    outcome = await ana.submit({"lines": "Order cables\nBook the room @ben"})
    await house.settled()

    assert kept == {
        "default_kind": "issue",
        "lines": "Order cables\nBook a room",
        "lines.1": "Call Ben",
        "lines.2": None,
    }
    assert outcome.ok
    assert await titles(house) == []
    assert "Book the room\n\nIssue · Ben Fischer" in shown(ana.modal or {})
    await ana.submit()
    await house.settled()
    assert await titles(house) == ["Order cables", "Book the room", "Call Ben"]


@sqlite_only
async def test_a_preview_that_a_day_has_made_untrue_is_shown_again(house: House) -> None:
    """Tomorrow is another day than the one shown."""
    ana = house.sandbox.person("ana")
    before = await paste(house, ana, "Order cables by tomorrow")

    await house.sandbox.advance(timedelta(days=1))
    await ana.submit()
    await house.settled()

    assert "due tomorrow, Tue 25 Nov 2031" in before
    assert "due tomorrow, Wed 26 Nov 2031" in shown(ana.modal or {})
    assert await titles(house) == []


@sqlite_only
async def test_more_than_fifty_lines_and_none_are_refused_beside_the_box(house: House) -> None:
    ana = house.sandbox.person("ana")

    await paste(house, ana, "\n".join(f"Line {n}" for n in range(51)))
    many = dict(ana.form_errors)
    await ana.submit({"lines": "  \n"})

    assert many == {"lines": "These are 51 records; at most 50 at once. Take some out and log them next."}
    assert "at least one line" in ana.form_errors["lines"]
    assert await titles(house) == []


@sqlite_only
async def test_from_a_direct_message_and_from_home_the_form_asks_for_the_project(house: House) -> None:
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "The first one")
    await house.settled()
    project = str((await house.record("A1"))["project_id"])

    await paste(house, ana, "@Ben Fischer: Order cables", "@Steward", project=project)
    await ana.submit()
    await house.settled()
    told = answered(ana, "@Steward")
    await ana.open_home()
    await house.settled()
    await ana.click_home("more", "paste ")
    await ana.options("project")
    await ana.submit({"project": project, "lines": "Book the room"})
    await ana.submit()
    await house.settled()

    assert "Logged 1 record in network: A2." in told
    assert (await house.record("A2"))["owner"] == "U00000000BE"
    assert card(ana, "A2", "#network")
    assert "Logged 1 record in network: A3." in shown(ana.modal or {})


@sqlite_only
async def test_an_owner_who_cannot_see_the_project_is_left_out_and_named(house: House) -> None:
    ana = house.sandbox.person("ana")
    await ana.invite("#steering", "steward")
    await house.settled()

    preview = await paste(house, ana, "Order cables @kavya\nBook the room @ben", "#steering")

    assert "❗ Not set: owner. Kavya Rao cannot see steering. Invite them to its channel first" in preview
    assert "Action · Ben Fischer" in preview


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"], indirect=True)
async def test_fifty_records_take_as_many_statements_as_two(house: House) -> None:
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "The first one")
    await house.settled()

    taken = []
    for lines in (2, 50):
        await paste(
            house, ana, "\n".join(f"Line {n} #pilot @{('ben', 'ana')[n % 2]} by 2032-03-05" for n in range(lines))
        )
        async with counted(house) as statements:
            await ana.submit()
            await house.settled()
        taken.append(len(statements))

    assert len(await titles(house)) == 53
    assert taken[0] == taken[1] <= 12, statements


@sqlite_only
async def test_what_has_become_untrue_is_shown_again_and_nothing_is_half_done(house: House) -> None:
    """Between preview and logging the owner left."""
    ana = house.sandbox.person("ana")
    await paste(house, ana, "Order cables @ben\nBook the room")

    house.sandbox.change_person("ben", deleted=True)
    await house.settled()
    await ana.submit()
    await house.settled()

    assert await titles(house) == []
    assert "Owner outside Slack: ben" in shown(ana.modal or {})
