"""Every form of the commands: words, verbs, references, steps, hints for what means nothing."""

from collections import Counter

import pytest

from models.kinds import KINDS, Kind
from sandbox.driver import Driver
from tests.scenarios.house import House, house_over_socket_mode, shown
from tests.scenarios.looking import answer, buttons, card, held

sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


async def typed(house: House, person: Driver, line: str, channel: str = "#network") -> str:
    """Type the whole line, as `/action Order cables`; what the person is told."""
    command, _, words = line.partition(" ")
    outcome = await person.command(channel, command, words)
    assert outcome.ok, outcome.notice
    await house.settled()
    told = person.ephemerals(channel)
    return shown(told[-1]) if told else ""


# Logging -------------------------------------------------------------------------------------------------------------


@sqlite_only
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
async def test_words_log_a_record_after_the_kinds_command_and_after_steward(house: House, kind: Kind) -> None:
    ana = house.sandbox.person("ana")

    for number, command in enumerate((f"/{kind.key}", f"/steward {kind.key}", f"/steward {kind.key.upper()}"), start=1):
        told = await typed(house, ana, f"{command} Something to settle @ben by 2032-03-05 !high")

        record = await house.record(f"{kind.letter}{number}")
        assert (record["kind"], record["title"]) == (kind.key, "Something to settle")
        assert record["owner"] == house.sandbox.person("ben").id
        assert (record["due_date"], record["priority"]) == ("2032-03-05", "high")
        assert f"Logged {kind.letter}{number}" in told


@sqlite_only
async def test_the_confirmation_names_reference_owner_due_day_and_reminder_and_offers_the_way_back(
    house: House,
) -> None:
    ana = house.sandbox.person("ana")

    told = await typed(house, ana, "/action Send the diagram @ben by 2032-03-05 3pm")

    assert "Logged A1" in told
    assert "Owner Ben Fischer · due Fri 5 Mar 2032, 15:00 New York time · in the digest from Wed 3 Mar 2032" in told
    assert buttons(answer(ana))[:2] == [("undo", "A1:1"), ("edit", "A1")]


@sqlite_only
async def test_further_lines_are_details(house: House) -> None:
    ana = house.sandbox.person("ana")

    await typed(house, ana, "/issue VPN drops daily @tane !critical\nSince Monday, by 2 users.\n\n* @ben saw it")

    record = await house.record("I1")
    assert record["title"] == "VPN drops daily"
    assert record["details"] == "Since Monday, by 2 users.\n\n* @Ben Fischer saw it"
    assert (record["owner"], record["due_date"]) == (house.sandbox.person("tane").id, None)


@sqlite_only
async def test_a_line_break_after_the_verb_is_a_space(house: House) -> None:
    ana = house.sandbox.person("ana")

    await typed(house, ana, "/steward action\nOrder cables\nTwenty of them")

    record = await house.record("A1")
    assert (record["title"], record["details"]) == ("Order cables", "Twenty of them")


ENTITIES = "5 < 6 & 7 > 3, then &amp; and &lt;b&gt; <!channel> see https://example.com/?a=1&b=2"


@sqlite_only
async def test_entities_are_unescaped_once_and_shown_as_typed(house: House) -> None:
    """What Slack encodes on the way is decoded once: a typed `&amp;` stays one."""
    ana = house.sandbox.person("ana")

    await typed(house, ana, f"/action {ENTITIES}\n{ENTITIES}")

    record = await house.record("A1")
    assert (record["title"], record["details"]) == (ENTITIES, ENTITIES)
    assert {"type": "text", "text": ENTITIES} in answer(ana)["blocks"][0]["elements"][0]["elements"]


@sqlite_only
async def test_only_the_whole_text_is_a_verb_after_a_kinds_command(house: House) -> None:
    ana = house.sandbox.person("ana")
    titles = ["list suppliers", "help the new colleague", "Listen to Ben", "edit A1", "A1 edition", "history of it"]

    for title in titles:
        await typed(house, ana, f"/action {title}")

    assert [record["title"] for record in (await house.export()).records] == titles


@sqlite_only
async def test_a_title_that_reads_like_a_step_with_a_remark_is_logged_and_the_other_way_is_named(house: House) -> None:
    ana = house.sandbox.person("ana")
    await typed(house, ana, "/action Order cables")

    told = await typed(house, ana, "/action A1 done they arrived")

    assert "Logged A2" in told
    assert "If you meant A1 itself, type `/steward A1 done` and your remark." in told
    assert (await house.record("A1"))["is_open"]
    assert "If you meant A1 itself" in await typed(house, ana, "/action A1 done, they arrived")


@sqlite_only
async def test_marks_around_a_reference_do_no_harm_and_what_is_said_with_a_step_is_shown(house: House) -> None:
    """Who types “done by friday” sees that it is done now, and that the day is only a remark."""
    ana = house.sandbox.person("ana")
    await typed(house, ana, "/action Order cables")

    assert "Order cables" in await typed(house, ana, "/steward #A1?")
    told = await typed(house, ana, "/steward A1: done by <friday>")

    assert "Your words are kept with it: “by &lt;friday&gt;”." in told
    assert "Your words" not in await typed(house, ana, "/steward A1 reopen")


# A title that reads like a command, and what it is told.
MEANT = [
    ("/action lsit", "/steward actions"),
    ("/action hlep", "/steward help actions"),
    ("/action undo", "/steward undo"),
    ("/action edit", "/steward A12 edit"),
]


@sqlite_only
async def test_a_title_that_reads_like_a_command_is_logged_and_the_command_is_named(house: House) -> None:
    ana = house.sandbox.person("ana")

    for line, meant in MEANT:
        told = await typed(house, ana, line)

        assert told.startswith("Logged "), line
        assert f"Did you mean `{meant}`? What you typed became a title." in told

    for line in ("/action List the suppliers", "/action Help Ben move", "/action Hello"):
        assert "Did you mean" not in await typed(house, ana, line)


@sqlite_only
async def test_after_a_kinds_command_a_list_takes_filters_and_says_how_to_log_it_as_a_title(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await typed(house, ana, f"/risk Core switch fails <@{ben.id}|ben>")
    await typed(house, ana, "/action Order cables")

    told = await typed(house, ana, f"/risk list <@{ben.id}|ben>")

    assert "Core switch fails" in told
    assert "Order cables" not in told
    assert "To log that as a title, type `/steward risk list @ben`." in told
    assert (await typed(house, ana, "/steward action list overdue")).startswith("Logged A2")
    assert "To log that" not in await typed(house, ana, "/risk list")


@sqlite_only
async def test_what_looks_like_a_part_of_a_record_and_is_none_is_told(house: House) -> None:
    ana = house.sandbox.person("ana")

    told = await typed(house, ana, "/risk Core @somebody switch p9 !urgent by fryday")

    assert "Core @somebody switch p9 !urgent by fryday\n" in told
    assert "Not set: due date. I can't read “fryday” as a date." in told
    assert "Not set: owner. “@somebody” stays in the title." in told
    assert "Not set: probability. “p9” stays in the title. It runs from 1 to 5, as in" in told
    assert "Not set: priority. “!urgent” stays in the title. Priorities are `!low`" in told

    several = await typed(house, ana, "/steward risk Late\naction Call !urgent")

    assert "Not set: priority. “!urgent” stays in the title." in several


@sqlite_only
async def test_how_often_an_action_comes_again_is_typed_in_its_line_or_after_its_reference(house: House) -> None:
    ana = house.sandbox.person("ana")

    told = await typed(house, ana, "/action Send the status report every monday @ben")
    unclear = await typed(house, ana, "/action Check that the backup runs every day")
    changed = await typed(house, ana, "/steward A2 every day")
    kept = await typed(house, ana, "/risk The line fails every monday")

    assert "Send the status report\n" in told
    assert "due Mon 1 Dec 2031 · repeats every Monday" in told
    assert (await house.record("A1"))["due_date"] == "2031-12-01"
    assert "Not set: repeats. “every day” stays in the title, where it may belong to the sentence." in unclear
    assert "To repeat A2, type how often after it: `/steward A2 every monday`." in unclear
    assert "Repeats: empty → every day" in changed
    assert (await house.record("A2"))["due_date"] == "2031-11-25"
    assert "The line fails every monday\n" in kept
    assert "repeat" not in kept


@sqlite_only
async def test_a_title_that_nobody_would_see_is_none(house: House) -> None:
    """A line that copied from elsewhere holds nothing but a joiner, or a space of no width."""
    ana = house.sandbox.person("ana")

    await typed(house, ana, "/action \u200b\u2060")
    assert ana.modal is not None
    await ana.submit({"title": "\u200b"})

    assert ana.form_errors == {"title": "A title is needed: one line that says what it is."}
    assert (await house.export()).records == []


@sqlite_only
async def test_nothing_after_a_kind_opens_its_form(house: House) -> None:
    ana = house.sandbox.person("ana")

    for line in ("/risk", "/risk    ", "/steward risk"):
        await typed(house, ana, line)

        assert ana.modal is not None, line
        assert ana.modal["title"]["text"] == "Log a risk"
        await ana.close()


# Lists and help ------------------------------------------------------------------------------------------------------


@sqlite_only
async def test_list_shows_the_open_records_of_that_kind(house: House) -> None:
    ana = house.sandbox.person("ana")
    for logged in ("/risk Late switch @kavya by 2032-03-05", "/risk Gone by now", "/action Order cables"):
        await typed(house, ana, logged)
    await typed(house, ana, "/steward R2 close expired")

    for line in ("/risk list", "/risk LIST", "/steward list risks", "/steward list risk", "/steward risks"):
        told = await typed(house, ana, line)

        assert "*Open risks of network*" in told, line
        assert "R1  Late switch\nKavya Rao · Fri 5 Mar 2032 · Open" in told
        assert "R2" not in told
        assert "A1" not in told
        assert buttons(answer(ana)) == [
            ("line:close", "R1 0 risks"),
            ("show", "R1"),
            ("list:other", "0 risks closed"),
        ]


@sqlite_only
async def test_list_alone_shows_every_kind_and_an_empty_list_says_how_to_begin(house: House) -> None:
    ana = house.sandbox.person("ana")

    before_anything = await typed(house, ana, "/steward list")
    for logged in ("/risk Late switch", "/action Order cables", "/issue VPN drops", "/decision Use fibre"):
        await typed(house, ana, logged)
    everything = await typed(house, ana, "/steward list")
    await typed(house, ana, "/steward I1 resolve")
    no_issues = await typed(house, ana, "/issue list")

    assert "Nothing is logged in this channel yet. Begin with `/action` and a few words." in before_anything
    assert all(f"{reference}  " in everything for reference in ("A1", "R1", "I1", "D1"))
    assert "No open issues. Log one with `/issue` and a few words." in no_issues


@sqlite_only
async def test_help_of_a_kind_explains_its_fields_and_steps(house: House) -> None:
    ana = house.sandbox.person("ana")

    for kind in KINDS:
        for line in (f"/{kind.key} help", f"/{kind.key} Help", f"/steward help {kind.plural}"):
            told = await typed(house, ana, line)

            assert kind.help in told, line
            assert all(f"*{field.label}*" in told for field in kind.all_fields)
            assert all(f"`{kind.typed(step, f'{kind.letter}12')}`" in told for step in kind.steps)


@sqlite_only
async def test_steward_alone_and_help_show_what_there_is(house: House) -> None:
    ana = house.sandbox.person("ana")

    for line in ("/steward", "/steward help", "/steward HELP"):
        told = await typed(house, ana, line)

        assert all(f"`/{kind.key}`" in told for kind in KINDS), line
        assert "`/steward A12 done`" in told
        assert buttons(answer(ana)) == [("log", "")]


# References ----------------------------------------------------------------------------------------------------------


@sqlite_only
async def test_a_reference_shows_the_record_to_this_person_only(house: House) -> None:
    ana = house.sandbox.person("ana")
    await typed(house, ana, "/action Order cables @ben")
    messages_before = len(ana.messages("#network"))

    for line in ("/steward A1", "/steward a1", "/steward A-1", "/action A1", "/risk a-1", "/steward show A1"):
        told = await typed(house, ana, line)

        assert "A1  \nOrder cables" in told, line
        assert "Ben Fischer" in told
    assert len(ana.messages("#network")) == messages_before


STEPS = [
    ("action", "done", "done"),
    ("action", "finish", "done"),
    ("action", "start", "in_progress"),
    ("action", "cancel no longer needed", "cancelled"),
    ("risk", "close expired", "closed"),
    ("risk", "Done not valid, says the vendor", "closed"),
    ("risk", "accept it is insured", "accepted"),
    ("risk", "responding", "responding"),
    ("issue", "fixed", "resolved"),
    ("issue", "start", "in_progress"),
    ("issue", "close", "closed"),
    ("decision", "approve", "approved"),
    ("decision", "Rejected", "rejected"),
    ("decision", "later", "deferred"),
]


@sqlite_only
async def test_a_reference_with_a_step_word_moves_the_record_on(house: House) -> None:
    ana = house.sandbox.person("ana")
    letters = {kind.key: kind.letter for kind in KINDS}
    count: Counter[str] = Counter()

    for key, word, status in STEPS:
        count[key] += 1
        reference = f"{letters[key]}{count[key]}"
        await typed(house, ana, f"/{key} Something to settle")

        told = await typed(house, ana, f"/steward {reference} {word}")

        assert (await house.record(reference))["status"] == status, word
        assert ("undo", f"{reference}:2") in buttons(answer(ana))
        assert reference in told


@sqlite_only
async def test_words_after_a_step_are_kept_as_its_remark(house: House) -> None:
    ana = house.sandbox.person("ana")
    remark = "Sent <b> & signed by @ben"

    for reference, line in (("A1", f"/steward A1 done {remark}"), ("A2", f"/steward done A2 {remark}")):
        await typed(house, ana, "/action Send the contract")
        await typed(house, ana, line)

        assert (await house.record(reference))["status"] == "done", line
    notes = [row["note"] for row in (await house.export()).history if row["field"] == "status"]
    assert notes == [remark, remark]
    history = await typed(house, ana, "/steward A1 history")
    assert "status: Open → Done (Sent &lt;b&gt; &amp; signed by @ben)" in history


@sqlite_only
async def test_a_step_typed_without_what_it_asks_for_says_how_to_type_it(house: House) -> None:
    ana = house.sandbox.person("ana")
    for line in ("/action Order cables", "/risk Late switch"):
        await typed(house, ana, line)

    for line, says in (
        ("/steward A1 cancel", "Why is it not needed any more? Say it after the step: `/steward A1 cancel …`."),
        ("/action A1 cancel", "Say it after the step: `/steward A1 cancel …`."),
        ("/steward R1 close", "The closing reason is needed: mitigated, expired,"),
        ("/steward R1 close whatever", "Type `/steward R1 close mitigated`."),
    ):
        assert says in await typed(house, ana, line), line

    assert {record["version"] for record in (await house.export()).records} == {1}


@sqlite_only
async def test_the_reason_of_a_step_stands_on_the_card_and_in_the_history(house: House) -> None:
    ana = house.sandbox.person("ana")
    await typed(house, ana, "/action Order cables")

    await typed(house, ana, "/steward A1 cancel *We* have <some> left")

    assert "Cancelled: \n*We* have <some> left" in shown(card(ana, "A1"))
    assert (await house.record("A1"))["remark"] == "*We* have <some> left"
    history = await typed(house, ana, "/steward A1 history")
    assert "status: Open → Cancelled (*We* have &lt;some&gt; left)" in history
    assert "remark" not in history
    await typed(house, ana, "/steward A1 reopen")
    assert "Open: " not in shown(card(ana, "A1"))


@sqlite_only
async def test_edit_opens_the_form_with_what_is_stored(house: House) -> None:
    ana = house.sandbox.person("ana")
    await typed(house, ana, "/action Order cables @ben !high\nTwenty of them")

    for line in ("/steward A1 edit", "/steward edit A1", "/action A1 edit", "/action A1 EDIT"):
        await typed(house, ana, line)

        form = held(ana.modal)
        assert (form["title"], form["owner_id"]) == ("Order cables", house.sandbox.person("ben").id), line
        assert (form["priority"], form["details"]) == ("high", "Twenty of them")
        await ana.close()


@sqlite_only
async def test_history_names_who_did_what_in_order(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await typed(house, ana, "/action Order cables")
    await typed(house, ben, "/steward A1 start")
    await ben.command("#network", "/steward", "A1 edit")
    await ben.submit({"title": "Order fibre", "owner_id": ana.id})

    lines = ("/steward A1 history", "/steward history A1", "/action A1 history")
    told = {await typed(house, ana, line) for line in lines}

    assert len(told) == 1
    assert [line for line in told.pop().splitlines() if line and not line.startswith("<!date")][3:] == [
        "Ana Torres",
        "logged it from /action: “Order cables”",
        "Ben Fischer",
        "status: Open → In progress",
        "Ben Fischer",
        "title: Order cables → Order fibre",
        "Ben Fischer",
        "owner: empty → Ana Torres",
    ]


@sqlite_only
async def test_settings_opens_the_projects_form_or_says_how_one_begins(house: House) -> None:
    ana = house.sandbox.person("ana")

    before = await typed(house, ana, "/steward settings")
    await typed(house, ana, "/action Order cables")
    await typed(house, ana, "/steward settings")

    assert "This channel has no project yet" in before
    assert held(ana.modal) == {
        "name": "network",
        "coordinator_id": ana.id,
        "sponsor_id": None,
        "timezone": "America/New_York",
    }


# What means nothing --------------------------------------------------------------------------------------------------

HINTS = [
    ("lst", "I do not know “lst”. Did you mean `/steward list risks`?"),
    ("setings", "I do not know “setings”. Did you mean `/steward settings`?"),
    ("settings please", "I do not know “settings please”. Did you mean `/steward settings`?"),
    ("decisin use fibre", "I do not know “decisin use fibre”. Did you mean `/steward decision`?"),
    ("list riks", "I do not know “riks” in a list. Did you mean `/steward list risks`?"),
    (
        "list risks opn >=12 @ana",
        "I do not know “opn” in a list. Did you mean `/steward list risks open &gt;=12 @ana`?",
    ),
    ("my ovrdue high", "I do not know “ovrdue” in a list. Did you mean `/steward my overdue high`?"),
    ("list zebra", 'I do not know “zebra” in a list. Words of a title go in quotes, as in `/steward list "switch"`'),
    ("list actions >=12", "I do not know “&gt;=12” in a list."),
    ("edit", "I do not know “edit”. Did you mean `/steward A12 edit`?"),
    ("A1 dnoe", "I do not know “dnoe”. Did you mean `/steward A1 done`?\n"),
    (
        "A1 !urgent",
        "“!urgent” is no priority, so nothing was changed. Priorities are `!low`, `!normal`, `!high`, `!critical`.",
    ),
    ("A1 by friday !urgent", "“!urgent” is no priority, so nothing was changed."),
    ("A1 priority urgent", "“urgent” is no priority, so nothing was changed."),
    ("A1 priority", "“priority” is no priority, so nothing was changed."),
    ("A1 title Order more", "Did you mean `/steward A1 edit`?"),
    ("A1 blocks", "Did you mean `/steward A1 blocks A13`?"),
    ("A1 repeat", "Did you mean `/steward A1 every monday`?"),
    ("A1, A2 done", "After a reference comes what to do with that one record, as in `/steward A12 done`."),
    ("new risk Late", "Did you mean `/steward risk Late`?"),
    ("log a thing", "Did you mean `/steward action Order cables @ben`?"),
    ("list ben", "I do not know “ben” in a list. Words of a title go in quotes"),
    ("project rename Office", "Did you mean `/steward settings`?"),
    ("list due friday", "After `due` comes `today` or `this week`; `overdue` and `no date` stand alone."),
    ("unmute", "Did you mean `/steward A12 unmute`? A12 stands for the record's own reference."),
    ("A1 fnish", "I do not know “fnish”. Did you mean `/steward A1 finish`?"),
    ("A1 edit now", "I do not know “edit now”. Did you mean `/steward A1 edit`?"),
    ("A1 xyzzy", "I do not know “xyzzy”. `/steward help actions` shows what there is."),
    ("risks quarrel", "To log a new one, type `/steward risk` and your words."),
    ("zebra crossing", "I do not know “zebra crossing”. `/steward help` shows what there is."),
    ("budget", "I do not know “budget”. `/steward help` shows what there is."),
    ("serch cables", "Did you mean `/steward search core switch`?"),
    ("reject", "Did you mean `/steward D12 reject`? D12 stands for"),
    ("bind nothing", "There is no project called “nothing” that you can see. `/steward projects` shows what there is."),
    ("bind network", "This channel belongs to network already."),
    ("A99 done", "There is no A99 here that you can see. `/steward list` shows what there is."),
]


@sqlite_only
async def test_an_unknown_word_gets_the_nearest_command_and_the_line_back(house: House) -> None:
    ana = house.sandbox.person("ana")
    await typed(house, ana, "/action Order cables")

    for words, hint in HINTS:
        told = await typed(house, ana, f"/steward {words}")

        assert hint in told
        assert told.endswith(f"/steward {words}")
    assert [record["reference"] for record in (await house.export()).records] == ["A1"]


@sqlite_only
async def test_a_line_that_means_nothing_comes_back_as_it_was_typed(house: House) -> None:
    ana = house.sandbox.person("ana")
    line = "/steward aktion Send <the> diagram & more\nto @ben in #general"

    told = await typed(house, ana, line)

    assert told.endswith(line)


# Names ---------------------------------------------------------------------------------------------------------------


@sqlite_only
async def test_commands_work_under_a_prefix(database_url: str) -> None:
    """Where another app has /action, the manifest is generated with a prefix."""
    async with house_over_socket_mode(database_url, prefix="acme") as house:
        ana = house.sandbox.person("ana")

        told = await typed(house, ana, "/acme-action Order cables")
        told_by_steward = await typed(house, ana, "/acme-steward A1 done")
        await typed(house, ana, "/acme-risk")

        assert "Logged A1" in told
        assert "Closed A1" in told_by_steward
        assert ana.modal is not None
        assert ana.modal["title"]["text"] == "Log a risk"
