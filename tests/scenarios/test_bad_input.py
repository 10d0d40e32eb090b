"""What people type wrong, what changes under their hands, and what Slack refuses: said plainly, and nothing lost."""

import logging
from typing import Any

import pytest

from sandbox.driver import Driver
from tests.scenarios.house import House, shown
from tests.scenarios.looking import CHECKER, answer, answered, buttons, card, held, is_card_of, refused_blocks
from tests.scenarios.steps import owed

sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


async def log(house: House, person: Driver, line: str, channel: str = "#network") -> str:
    """Type the whole line; what the person is told."""
    command, _, words = line.partition(" ")
    outcome = await person.command(channel, command, words)
    assert outcome.ok, outcome.notice
    await house.settled()
    told = person.ephemerals(channel)
    return shown(told[-1]) if told else ""


# People --------------------------------------------------------------------------------------------------------------

WRONG_OWNERS = [
    ("@nobody", "Not set: owner. Nobody here is called @nobody, so the details name them as an owner outside"),
    ("@omar", "Not set: owner. Omar Haddad's account is deactivated. Choose somebody else."),
    ("@steward", "Not set: owner. Steward is an app and cannot own a record. Choose a person."),
]


@sqlite_only
async def test_an_owner_who_cannot_be_is_left_out_with_a_sentence_and_the_rest_is_saved(house: House) -> None:
    ana = house.sandbox.person("ana")

    for number, (named, sentence) in enumerate(WRONG_OWNERS, start=1):
        told = await log(house, ana, f"/action Order cables {named} by 2032-03-05 !high")

        assert sentence in told
        record = await house.record(f"A{number}")
        assert (record["title"], record["owner"]) == ("Order cables", None)
        assert (record["due_date"], record["priority"]) == ("2032-03-05", "high")
        assert ("edit", f"A{number}") in buttons(answer(ana))


@sqlite_only
async def test_a_name_that_several_people_have_is_asked_back(house: House) -> None:
    ana = house.sandbox.person("ana")
    house.sandbox.add_person("alex_b", "Alex Brown")
    house.sandbox.add_person("alex_k", "Alex Klein")
    await house.settled()

    told = await log(house, ana, "/action Order cables @alex")

    assert "Not set: owner. Several people are called alex: @alex_b, @alex_k." in told
    assert (await house.record("A1"))["owner"] is None


@sqlite_only
async def test_a_wrong_owner_in_the_form_is_told_beside_the_field(house: House) -> None:
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "")

    sentences = {}
    for owner_id in ("U00000000OM", house.sandbox.bot_user_id):
        await ana.submit({"title": "Order cables", "owner_id": owner_id})
        sentences[owner_id] = ana.form_errors

    assert list(sentences.values()) == [
        {"owner_id": "Omar Haddad's account is deactivated. Choose somebody else."},
        {"owner_id": "Steward is an app and cannot own a record. Choose a person."},
    ]


@sqlite_only
async def test_an_owner_who_left_while_the_form_was_open_is_refused_beside_the_field(house: House) -> None:
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "")
    house.sandbox.change_person("kavya", deleted=True)
    await house.settled()

    await ana.submit({"title": "Order cables", "owner_id": "U00000000KA"})

    assert ana.form_errors == {"owner_id": "Kavya Rao's account is deactivated. Choose somebody else."}
    assert held(ana.modal)["title"] == "Order cables"


# Dates ---------------------------------------------------------------------------------------------------------------

WRONG_DATES = [
    ("by 2020-01-01", "“2020-01-01” is Wed 1 Jan 2020, which has passed."),
    ("by 31 feb", "“31 feb” cannot be"),
    ("by someday", "“someday” is no date. Try “tomorrow” or “friday 3pm”."),
    ("by friday at 25:00", "there is no such time of day"),
]


@sqlite_only
async def test_a_date_that_cannot_be_is_left_out_with_a_sentence_and_the_rest_is_saved(house: House) -> None:
    ana = house.sandbox.person("ana")

    for number, (phrase, sentence) in enumerate(WRONG_DATES, start=1):
        told = await log(house, ana, f"/action Order cables {phrase} @ben")

        assert f"Not set: due date. {sentence}" in told or sentence in told
        record = await house.record(f"A{number}")
        assert record["title"].startswith("Order cables")
        assert (record["due_date"], record["owner"]) == (None, "U00000000BE")


@sqlite_only
async def test_a_date_in_numbers_is_read_in_the_persons_order_and_echoed_with_its_weekday(house: House) -> None:
    """Ana's Slack speaks American English: the month comes first, and the echo leaves no doubt."""
    ana = house.sandbox.person("ana")

    told = await log(house, ana, "/action Order cables by 05/06/2032")

    assert (await house.record("A1"))["due_date"] == "2032-05-06"
    assert "due Thu 6 May 2032" in told
    assert "I cannot know" not in told


@sqlite_only
async def test_where_the_order_of_numbers_cannot_be_known_the_other_reading_is_offered(house: House) -> None:
    """Ben is in Berlin, with Slack in American English, which is what Slack begins with."""
    ben = house.sandbox.person("ben")

    told = await log(house, ben, "/action Order cables by 3/4")
    put_right = await log(house, ben, "/steward A1 by 4 mar")
    again = await log(house, ben, "/steward A1 by 5/4/2032")
    in_title = await log(house, ben, "/action Fix the 3/4 inch pipe by 3 april\nUpgrade to 3.4 first")

    doubt = "I cannot know whether you write the day or the month first: "
    assert f"{doubt}3/4 was read as Sat 3 Apr 2032. For 4 mar type `/steward A1 by 4 mar`." in told
    assert "Due date: Sat 3 Apr 2032 → Thu 4 Mar 2032" in put_right
    assert doubt not in put_right
    assert f"{doubt}5/4/2032 was read as Mon 5 Apr 2032. For 4 may 2032 type `/steward A1 by 4 may 2032`." in again
    assert "due Sat 3 Apr 2032" in in_title
    assert doubt not in in_title


# Texts ---------------------------------------------------------------------------------------------------------------

ODD_TEXTS = [
    "🎉 party 👩‍👩‍👧 :tada:",
    "שלום עולם وداعا",
    "*bold* _it_ ~no~ `code` > quote",
    "<!channel> and <!here> and <@U00000000BE> and <https://example.com|here>",
    "'; DROP TABLE record; --",
    '=HYPERLINK("x") {"json": [1]} %s {} \\n',
    "@channel @here @everyone look",
]


async def test_odd_texts_are_stored_as_typed_and_never_read_as_markup(house: House) -> None:
    """In a title and in details, by words and in a form, shown as text everywhere: on card, list, Home and history."""
    ana = house.sandbox.person("ana")
    await ana.open_home()

    for number, text in enumerate(ODD_TEXTS, start=1):
        await ana.command("#network", "/action", "")
        await ana.submit({"title": text, "details": text, "owner_id": ana.id})
        await house.settled()
        record = await house.record(f"A{number}")
        assert (record["title"], record["details"]) == (text, text)
    await log(house, ana, "/action list")
    await log(house, ana, "/steward A4 history")

    everything = [call.args for call in house.sandbox.calls]
    everything += [each.answer for each in house.sandbox.deliveries if isinstance(each.answer, dict)]
    for sent in everything:
        for text in [*_mrkdwn_in(sent), str(sent.get("text", ""))]:
            assert not any(sign in text for sign in ("<!channel>", "<!here>", "<@U00000000BE>", "<https://example"))


def _mrkdwn_in(part: Any) -> list[str]:
    if isinstance(part, list):
        return [text for each in part for text in _mrkdwn_in(each)]
    if not isinstance(part, dict):
        return []
    if part.get("type") == "mrkdwn":
        return [part["text"]]
    return [text for each in part.values() for text in _mrkdwn_in(each)]


async def test_characters_that_no_text_should_hold_are_taken_out(house: House) -> None:
    """Controls, which PostgreSQL would refuse, and overrides of the writing direction."""
    ana = house.sandbox.person("ana")

    told = await log(house, ana, "/action Order\x00 ca\u202ebles\x07\nTwen\x00ty")
    await ana.command("#network", "/risk", "")
    await ana.submit({"title": "Late\x00 switch", "details": "a\x00b"})
    await house.settled()

    assert "Logged A1" in told
    record, risk = await house.record("A1"), await house.record("R1")
    assert (record["title"], record["details"]) == ("Order cables", "Twenty")
    assert (risk["title"], risk["details"]) == ("Late switch", "ab")


async def test_a_title_of_10000_characters_is_shortened_and_kept_whole_in_the_details(house: House) -> None:
    ana = house.sandbox.person("ana")
    words = " ".join(f"word{number}" for number in range(1_300))

    told = await log(house, ana, f"/action {words}\nand more")

    record = await house.record("A1")
    assert len(words) > 10_000
    assert len(record["title"]) <= 250
    assert record["details"] == f"{words}\n\nand more"
    assert "The title was longer than 250 characters, so I kept all of it in the details." in told
    assert record["title"] in shown(card(ana, "A1"))


@sqlite_only
async def test_details_of_10000_characters_are_kept_whole_and_the_card_shows_their_beginning(house: House) -> None:
    ana = house.sandbox.person("ana")
    details = "\n".join(f"Line {number} of the log" for number in range(500))

    await log(house, ana, f"/issue VPN drops\n{details}")

    assert (await house.record("I1"))["details"] == details
    text = shown(card(ana, "I1"))
    assert "Line 0 of the log" in text
    assert "Line 499" not in text


@sqlite_only
async def test_an_over_long_text_in_a_form_is_refused_beside_its_field(house: House) -> None:
    """Slack itself limits an input; a form that was made longer by hand is refused all the same."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "")
    [view] = house.sandbox.workspace.stack(ana.id)
    for block in view.body["blocks"]:
        if block.get("element", {}).get("type") == "plain_text_input":
            block["element"]["max_length"] = 3_000

    await ana.submit({"title": "x" * 2_000})

    assert ana.form_errors["title"].startswith("At most 250 characters; this has 2,000.")


@sqlite_only
async def test_only_a_broadcast_or_white_space_is_no_reason_to_fail(house: House) -> None:
    ana = house.sandbox.person("ana")

    await log(house, ana, "/action @everyone")
    await log(house, ana, "/action \n\n \n")

    assert (await house.record("A1"))["title"] == "@everyone"
    assert ana.modal is not None


# References ----------------------------------------------------------------------------------------------------------


@sqlite_only
async def test_a_reference_that_is_not_there_and_one_that_is_not_yours_are_told_alike(house: House) -> None:
    ana, kavya = house.sandbox.person("ana"), house.sandbox.person("kavya")
    await ana.invite("#steering", "steward")
    await house.settled()
    await log(house, ana, "/action Secret budget", "#steering")

    for words in ("{}", "{} done", "{} edit", "{} history", "{} done with a remark"):
        foreign = await log(house, kavya, f"/steward {words.format('A1')}")
        absent = await log(house, kavya, f"/steward {words.format('A9')}")

        assert foreign.replace("A1", "A9") == absent, words
        assert "There is no A1 here that you can see." in foreign
        assert "Secret" not in foreign
        assert kavya.modal is None
    assert (await house.record("A1"))["version"] == 1


# What changed meanwhile ----------------------------------------------------------------------------------------------


@sqlite_only
async def test_a_record_removed_while_its_form_was_open_is_told_in_the_form(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await log(house, ana, "/action Order cables")
    logged = answer(ana)
    await ben.command("#network", "/steward", "A1 edit")
    await ana.click(logged, "undo")
    await house.settled()

    await ben.submit({"details": "Twenty of them"})

    assert "There is no A1 here that you can see." in ben.form_errors["title"]
    assert held(ben.modal)["details"] == "Twenty of them"


@sqlite_only
async def test_a_form_left_open_while_the_channels_project_began_logs_into_it(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await ana.command("#network", "/action", "")
    await log(house, ben, "/action Faster")

    await ana.submit({"title": "Slower"})
    await house.settled()

    assert len((await house.export()).projects) == 1
    assert "began the project" not in answered(ana)


@sqlite_only
async def test_settings_changed_by_two_are_not_overwritten(house: House) -> None:
    ana = house.sandbox.person("ana")
    await log(house, ana, "/action Order cables")
    await ana.command("#network", "/steward", "settings")
    [late] = house.sandbox.workspace.stack(ana.id)
    await ana.command("#network", "/steward", "settings")
    await ana.submit({"name": "First"})
    await house.settled()
    house.sandbox.workspace.modals[ana.id] = [late]

    await ana.submit({"name": "Second"})

    assert "Somebody else changed the settings of First meanwhile." in ana.form_errors["name"]
    assert [project["name"] for project in (await house.export()).projects] == ["First"]


# Slack's refusals ----------------------------------------------------------------------------------------------------


@sqlite_only
async def test_a_form_that_slack_does_not_open_gives_the_words_back(house: House) -> None:
    ana = house.sandbox.person("ana")

    for line in ("/risk", "/action @ben by friday !high", "/steward settings"):
        await log(house, ana, "/issue So that there is a project")
        house.sandbox.fail("views.open", error="expired_trigger_id")
        told = await log(house, ana, line)

        assert told.startswith("Slack did not let me open the form in time. Please try once more.")
        assert told.endswith(line) or " " not in line
        assert ana.modal is None


@sqlite_only
async def test_a_form_that_slack_does_not_open_from_a_button_or_message_is_told_there(house: House) -> None:
    ana = house.sandbox.person("ana")
    await log(house, ana, "/action Order cables")
    message = await ana.say("#network", "Something to log")

    for act in (
        lambda: ana.click(card(ana, "A1"), "edit"),
        lambda: ana.message_shortcut("#network", message["ts"], "log_message"),
    ):
        before = len(ana.ephemerals("#network"))
        house.sandbox.fail("views.open", error="expired_trigger_id")
        assert (await act()).ok
        await house.settled()

        assert len(ana.ephemerals("#network")) == before + 1
        assert "Slack did not let me open the form in time." in answered(ana)


@sqlite_only
async def test_a_form_that_slack_does_not_open_from_home_is_told_on_top_of_it(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await log(house, ana, "/action Order cables @ben")
    await ben.open_home()
    await house.settled()

    for action_id in ("log:risk", "edit", "show", "settings", "help"):
        house.sandbox.fail("views.open", error="expired_trigger_id")
        assert (await ben.click_home(action_id)).ok
        await house.settled()

        assert ben.modal is None, action_id
        assert "Slack did not let me open the form in time." in shown(ben.home or {}).partition("What you own")[0]


CARD_REFUSALS = [
    ("not_in_channel", "I am not in <#C00000000NE>: invite me there"),
    ("is_archived", "<#C00000000NE> is archived"),
    ("invalid_blocks", "Slack gave this reason: `invalid_blocks`."),
    ("channel_not_found", "I am not in <#C00000000NE>: invite me there"),
    ("msg_too_long", "It is too long for Slack: shorten the texts with `/steward {} edit`."),
    ("restricted_action", "Only some people may post in <#C00000000NE>"),
]


async def test_a_record_whose_card_slack_refuses_is_saved_and_its_author_learns_why(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")

    for number, (code, reason) in enumerate(CARD_REFUSALS, start=1):
        house.sandbox.fail("chat.postMessage", error=code, channel="#network")
        told = await log(house, ana, f"/action Order cables number {number} @ben")

        assert f"Logged A{number}" in told
        assert (await house.record(f"A{number}"))["is_open"]
        word = ana.app_messages()[-1]
        assert f"A{number} is saved, but its card could not be posted." in shown(word)
        assert reason.format(f"A{number}") in shown(word)
        assert buttons(word) == [("show", f"A{number}")]
        assert f"You own A{number} in network" in shown(ben.app_messages()[-1])
    assert not any("bot_id" in message for message in ana.messages("#network"))


@sqlite_only
async def test_the_next_change_posts_the_card_that_was_refused(house: House) -> None:
    ana = house.sandbox.person("ana")
    house.sandbox.fail("chat.postMessage", error="not_in_channel", channel="#network")
    await log(house, ana, "/action Order cables")
    missing = [message for message in ana.messages("#network") if is_card_of(message, "A1")]

    await log(house, ana, "/steward A1 start")

    assert missing == []
    assert "*Status*\nIn progress" in shown(card(ana, "A1"))


@sqlite_only
async def test_the_open_button_of_the_word_about_a_missing_card_shows_the_record(house: House) -> None:
    ana = house.sandbox.person("ana")
    house.sandbox.fail("chat.postMessage", error="is_archived", channel="#network")
    await log(house, ana, "/action Order cables")
    word = ana.app_messages()[-1]

    await ana.click(word, "show")
    await house.settled()

    assert "A1  \nOrder cables" in shown(ana.ephemerals(word["channel"])[-1])


@sqlite_only
async def test_in_a_public_channel_without_the_app_everything_works(house: House) -> None:
    ana = house.sandbox.person("ana")

    told = await log(house, ana, "/action Mend the coffee machine", "#random")

    assert "Logged A1" in told
    assert "Mend the coffee machine" in shown(card(ana, "A1", "#random"))


@sqlite_only
async def test_in_a_private_channel_without_the_app_the_record_is_saved_and_the_invitation_named(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """Slack does not show Steward that channel: the form asks a name, and only its author sees the record."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await log(house, ana, "/action Check the budget", "#steering")
    assert held(ana.modal)["title"] == "Check the budget"

    await ana.submit({"project_name": "Steering"})
    await house.settled()

    told = "\n".join(shown(each) for each in ana.ephemerals("#steering"))
    assert "Logged A1" in told
    assert "I am not in this channel, so I cannot post the card here: type `/invite @Steward`." in told
    assert (await house.record("A1"))["title"] == "Check the budget"
    assert "There is no A1 here" in await log(house, ben, "/steward A1", "#steering")
    await house.here.directory.refresh()
    await log(house, ana, "/steward A1 comment Ask Ben", "#steering")
    assert [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING] == [], "it is no fault"
    assert [row.last_error for row in await owed(house, "card")] == ["channel_not_found"] * 2


@sqlite_only
async def test_a_home_that_slack_refuses_is_drawn_at_the_next_opening(house: House) -> None:
    ben = house.sandbox.person("ben")
    house.sandbox.fail("views.publish", error="internal_error")

    await ben.open_home()
    await house.settled()
    refused = ben.home
    await ben.open_home()
    await house.settled()

    assert refused is None
    assert "What you own" in shown(ben.home or {})


# All of it -----------------------------------------------------------------------------------------------------------


@sqlite_only
@pytest.mark.skipif(not CHECKER.exists(), reason="the independent checker is not beside this repository")
async def test_every_message_and_view_passes_the_independent_checker(house: House) -> None:
    """Each scenario's end looks at what it sent; this one makes sure that the look sees every sort of thing."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await ben.open_home()
    for line in ("/action Order cables @ben\nTwenty", "/risk", "/steward A1", "/steward A1 history", "/action help"):
        await log(house, ana, line)
    await ana.close()
    await ben.click_home("step:done", "A1")
    await house.settled()
    [broken] = [call for call in house.sandbox.calls if call.method == "chat.postMessage"][:1]

    assert refused_blocks(house.sandbox) == []
    broken.args["blocks"][0]["type"] = "paragraph"
    assert len(refused_blocks(house.sandbox)) == 1
    broken.args["blocks"][0]["type"] = "rich_text"
    house.sandbox.workspace.ephemerals[-1].message["blocks"][0].pop("type")
    assert len(refused_blocks(house.sandbox)) == 1
    house.sandbox.workspace.ephemerals.clear()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_refusal_shows_names_of_peoples_making_as_they_were_typed(house: House) -> None:
    """Neither markup nor a mass mention comes of them, and nothing is escaped twice."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Order two racks")
    await ana.command("#network", "/steward", "settings")
    await ana.submit({"name": "<!channel> & *Co*"})
    await house.settled()

    await ana.command("#network", "/steward", "unbind")

    told = ana.ephemerals("#network")[-1]
    assert "last channel of &lt;!channel&gt; &amp; *Co*" in shown(told)
    assert "<!channel>" not in told["text"]
