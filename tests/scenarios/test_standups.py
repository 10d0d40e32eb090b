"""Stand-ups from the form to the digest: everybody asked once at their own hour, answers kept, blockers owned."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import select

from models.tables import EntryState, Standup, StandupEntry, StandupRound
from sandbox.driver import Driver
from tests.scenarios.house import House, shown
from tests.scenarios.looking import Json, answered, buttons, held
from tests.scenarios.steps import owed

on_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

TUESDAY = date(2031, 11, 25)
TEAM = ("ana", "ben", "kavya", "tane")


async def set_up(house: House, channel: str = "#network", **fields: Any) -> None:
    """A stand-up of the four members at half past nine of everybody's own morning, as the form suggests it."""
    ana = house.sandbox.person("ana")
    people = [house.sandbox.person(name).id for name in TEAM]
    await ana.command(channel, "/standup", "new")
    outcome = await ana.submit({"participants": people} | fields)
    assert outcome.ok, ana.form_errors
    await house.settled()


def instant(person: Driver, day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), ZoneInfo(person.user.tz)).astimezone(UTC)


async def clock_at(house: House, person: Driver, day: date, hour: int, minute: int = 0) -> None:
    await house.sandbox.advance_to(instant(person, day, hour, minute))
    await house.settled()


def prompts(person: Driver) -> list[Json]:
    """The messages that ask this person, without reminders."""
    return [m for m in person.app_messages() if "standup:answer" in dict(buttons(m)) and "Still open" not in shown(m)]


def digests(house: House, channel: str = "#network") -> list[str]:
    found = [shown(message) for message in house.sandbox.person("ana").messages(channel) if "bot_id" in message]
    return [text for text in found if "answered" in text]


async def reply(house: House, person: Driver, *answers: str) -> None:
    await person.click(prompts(person)[-1], "standup:answer")
    outcome = await person.submit({f"answer:{number}": answer for number, answer in enumerate(answers)})
    assert outcome.ok, person.form_errors
    await house.settled()


def told(house: House, name: str) -> list[Json]:
    return house.sandbox.person(name).app_messages()


async def rows(house: House, table: Any) -> list[Any]:
    async with house.steward.database.unit(house.sandbox.team_id, writes=False) as session:
        return list(await session.exec(select(table)))


async def test_everybody_is_asked_once_at_half_past_nine_of_their_own_morning(house: House) -> None:
    """Auckland, Kolkata, Berlin, New York: each at their own 09:30 on Tuesday, no minute before, and nobody twice."""
    await set_up(house)

    for name in ("tane", "kavya", "ben", "ana"):
        person = house.sandbox.person(name)
        await clock_at(house, person, TUESDAY, 9, 29)
        assert prompts(person) == [], name
        await clock_at(house, person, TUESDAY, 9, 30)
        assert len(prompts(person)) == 1, name

    assert [len(prompts(house.sandbox.person(name))) for name in TEAM] == [1, 1, 1, 1]
    assert "What will you do next?" in shown(prompts(house.sandbox.person("ben"))[0])


@on_sqlite
async def test_answers_come_together_in_one_message_that_is_kept_up_to_date(house: House) -> None:
    ben, kavya = house.sandbox.person("ben"), house.sandbox.person("kavya")
    await set_up(house)
    await clock_at(house, ben, TUESDAY, 9, 30)

    await reply(house, kavya, "Moved the backup server", "Free the sockets", "none")
    first = digests(house)
    await reply(house, ben, "Racks are in", "Cable them", "No power in rack 3")
    second = digests(house)
    await reply(house, ben, "Racks are in", "Cable them tomorrow", "No power in rack 3")

    assert len(first) == len(second) == len(digests(house)) == 1
    assert "1 person answered · 3 still to come" in first[0]
    assert "Moved the backup server" in first[0]
    assert "What is in your way" not in first[0], "“none” is nothing to read"
    assert "2 people answered" in second[0]
    assert "Cable them tomorrow" in digests(house)[0]
    assert "changed" in digests(house)[0]
    assert all(name not in digests(house)[0] for name in ("Ana Torres", "Tane Walker")), "nobody is shamed"


@on_sqlite
async def test_a_blocker_becomes_an_issue_with_one_press_and_stays_until_it_is_resolved(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await set_up(house)
    await clock_at(house, ben, TUESDAY, 9, 30)
    await reply(house, ben, "Racks are in", "Cable them", "No power in rack 3")
    digest = next(m for m in ana.messages("#network") if "bot_id" in m and "answered" in shown(m))

    await ana.click(digest, "standup:issue")
    await house.settled()
    made = await house.record("I1")
    await clock_at(house, ben, TUESDAY + timedelta(days=1), 9, 30)
    await reply(house, ben, "Cabled", "More", "none")
    next_day = digests(house)[-1]
    await ben.command("#network", "/steward", "I1 done")
    await house.settled()
    await clock_at(house, ben, TUESDAY + timedelta(days=2), 9, 30)
    await reply(house, ben, "Nothing", "More", "none")

    assert (made["title"], made["owner"]) == ("No power in rack 3", ben.id)
    assert len([each for each in (await house.export()).records if each["kind"] == "issue"]) == 1
    assert "Still in the way" in next_day
    assert "I1 No power in rack 3" in next_day
    assert "I1" not in digests(house)[-1]


@on_sqlite
async def test_a_blocker_that_begins_the_channels_project_says_so(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await set_up(house)
    await clock_at(house, ben, TUESDAY, 9, 30)
    await reply(house, ben, "Racks are in", "Cable them", "No power in rack 3")
    digest = next(m for m in ana.messages("#network") if "bot_id" in m and "answered" in shown(m))

    await ana.click(digest, "standup:issue")
    await house.settled()

    assert "Logged I1, owner Ben Fischer: No power in rack 3" in answered(ana)
    assert "I began the project *network*, with you as coordinator" in answered(ana)


@on_sqlite
async def test_the_form_begins_with_what_was_planned_closed_and_due(house: House) -> None:
    ben = house.sandbox.person("ben")
    await set_up(house)
    await clock_at(house, ben, TUESDAY, 9, 30)
    await reply(house, ben, "Racks are in", "Cable them", "")
    await ben.command("#network", "/action", f"Order cables @ben by {TUESDAY + timedelta(days=1)}")
    await ben.command("#network", "/action", "Label the racks @ben")
    await house.settled()
    await ben.command("#network", "/steward", "A2 done")
    await house.settled()
    await clock_at(house, ben, TUESDAY + timedelta(days=1), 9, 30)

    await ben.click(prompts(ben)[-1], "standup:answer")

    form = held(ben.modal)
    assert form["answer:0"] == "Cable them\n• A2 Label the racks"
    assert form["answer:1"] == "• A1 Order cables"
    assert form["answer:2"] is None


@on_sqlite
async def test_late_answers_are_taken_and_marked_and_the_next_round_ends_them(house: House) -> None:
    ben = house.sandbox.person("ben")
    await set_up(house)
    await clock_at(house, ben, TUESDAY, 13)
    first = prompts(ben)[-1]

    await reply(house, ben, "Late but here", "", "")
    await ben.click(first, "standup:answer")
    await clock_at(house, ben, TUESDAY + timedelta(days=1), 9, 31)
    outcome = await ben.submit({"answer:0": "Too late by now"})

    assert "late" in digests(house)[0]
    assert not outcome.ok
    assert "the next one has begun. Copy your words" in next(iter(ben.form_errors.values()))
    assert held(ben.modal)["answer:0"] == "Too late by now"


@on_sqlite
async def test_a_round_that_is_over_opens_no_form_to_type_into_in_vain(house: House) -> None:
    ben = house.sandbox.person("ben")
    await set_up(house)
    await clock_at(house, ben, TUESDAY, 9, 31)
    first = prompts(ben)[-1]
    await clock_at(house, ben, TUESDAY + timedelta(days=1), 9, 31)

    await ben.click(first, "standup:answer")
    await house.settled()

    assert ben.modal is None
    assert "is over, the next one has begun. Answer that one: `/standup answer`." in answered(ben, first["channel"])


@on_sqlite
async def test_skipping_and_being_away_are_said_once_and_can_be_taken_back(house: House) -> None:
    ben, kavya = house.sandbox.person("ben"), house.sandbox.person("kavya")
    await set_up(house)
    await clock_at(house, ben, TUESDAY, 9, 30)

    await ben.click(prompts(ben)[-1], "standup:skip")
    await kavya.click(prompts(kavya)[-1], "standup:away")
    await house.settled()
    states = {entry.person_id: entry.state for entry in await rows(house, StandupEntry)}
    await ben.command("@ben", "/standup", "answer")
    await ben.submit({"answer:0": "Here after all"})
    await house.settled()

    assert states[ben.id] is EntryState.SKIPPED
    assert states[kavya.id] is EntryState.AWAY
    assert "Here after all" in digests(house)[0]


@on_sqlite
async def test_who_has_not_answered_is_reminded_and_only_the_chosen_person_hears_who_is_missing(house: House) -> None:
    ana, ben, tane = (house.sandbox.person(name) for name in ("ana", "ben", "tane"))
    await set_up(house, missing_to=ana.id, whose="team")
    at = instant(ana, TUESDAY, 9, 30)
    await house.sandbox.advance_to(at)
    await house.settled()
    await reply(house, ben, "Here", "", "")

    await house.sandbox.advance_to(at + timedelta(minutes=150))
    await house.settled()
    reminded = [name for name in TEAM if any("Still open: Daily, Tue" in shown(m) for m in told(house, name))]
    await house.sandbox.advance_to(at + timedelta(minutes=181))
    await house.settled()

    assert sorted(reminded) == ["ana", "kavya", "tane"]
    missing = [
        shown(message) for message in told(house, "ana") if "Tue 25 Nov 2031: 3 people did not" in shown(message)
    ]
    assert len(missing) == 1
    assert tane.user.real_name in missing[0]
    assert ben.user.real_name not in missing[0]
    assert "did not answer" not in "".join(shown(m) for m in tane.app_messages())
    assert "closed" in digests(house)[-1]


@on_sqlite
async def test_weekends_and_public_holidays_are_left_out(house: House) -> None:
    """Thursday 27 November 2031 is Thanksgiving in the United States."""
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Begin the project")
    await house.settled()
    async with house.steward.database.unit(house.sandbox.team_id) as session:
        from models.tables import Project

        project = (await session.exec(select(Project))).one()
        project.holiday_country = "US"
        session.add(project)
    await set_up(house)

    await clock_at(house, ana, TUESDAY + timedelta(days=7), 12)

    days = sorted(round_.day for round_ in await rows(house, StandupRound))
    assert days == [date(2031, 11, d) for d in (25, 26, 28)] + [date(2031, 12, 1), date(2031, 12, 2)]
    assert len(prompts(ana)) == 5


@on_sqlite
async def test_pausing_stops_the_questions_and_resuming_goes_on_without_a_burst(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await set_up(house)
    await ana.command("#network", "/standup", "list")
    await ana.click(ana.ephemerals("#network")[-1], "standup:pause")
    await clock_at(house, ben, TUESDAY + timedelta(days=2), 12)
    asked_while_paused = len(prompts(ben))

    await ana.command("#network", "/standup", "list")
    await ana.click(ana.ephemerals("#network")[-1], "standup:pause")
    await clock_at(house, ben, TUESDAY + timedelta(days=3), 12)

    assert asked_while_paused == 0
    assert len(prompts(ben)) == 1


@on_sqlite
async def test_somebody_who_moves_zones_before_their_hour_is_asked_at_the_new_one_and_once(house: House) -> None:
    ben = house.sandbox.person("ben")
    await set_up(house)
    await clock_at(house, ben, TUESDAY, 7)

    house.sandbox.change_person("ben", tz="America/New_York")
    await house.settled()
    await house.sandbox.advance_to(instant_in("Europe/Berlin", 12))
    await house.settled()
    in_berlin = len(prompts(ben))
    await house.sandbox.advance_to(instant_in("America/New_York", 12))
    await house.settled()

    assert in_berlin == 0
    assert len(prompts(ben)) == 1


@on_sqlite
async def test_who_moves_before_the_first_round_is_asked_at_the_new_hour_and_once(house: House) -> None:
    """At half past five in Los Angeles her hour is to come, and comes an hour later in New York."""
    ana = house.sandbox.person("ana")
    house.sandbox.change_person("ana", tz="America/Los_Angeles")
    await clock_at(house, ana, TUESDAY, 5, 30)
    await set_up(house, participants=[ana.id])

    house.sandbox.change_person("ana", tz="America/New_York")
    await house.settled()
    before = len(prompts(ana))
    await house.sandbox.advance_to(instant_in("America/New_York", 10))
    await house.settled()
    in_new_york = len(prompts(ana))
    await house.sandbox.advance_to(instant_in("America/Los_Angeles", 12))
    await house.settled()

    assert [before, in_new_york, len(prompts(ana))] == [0, 1, 1]


def instant_in(zone: str, hour: int) -> datetime:
    return datetime.combine(TUESDAY, time(hour), ZoneInfo(zone)).astimezone(UTC)


@on_sqlite
async def test_the_same_press_on_two_devices_and_a_form_sent_twice_take_effect_once(house: House) -> None:
    ben = house.sandbox.person("ben")
    await set_up(house)
    await clock_at(house, ben, TUESDAY, 9, 30)
    prompt = prompts(ben)[-1]

    await ben.click(prompt, "standup:skip")
    await ben.click(prompt, "standup:skip")
    await house.settled()
    await reply(house, ben, "Here", "", "")

    assert [entry.state for entry in await rows(house, StandupEntry) if entry.person_id == ben.id] == ["answered"]
    assert len([row for row in await owed(house, "standup_prompt") if row.target == ben.id]) == 1


@on_sqlite
async def test_in_a_public_channel_without_steward_it_is_said_what_it_does_not_hear_of(house: House) -> None:
    ana = house.sandbox.person("ana")
    await set_up(house, "#random")
    of_the_chosen = answered(ana, "#random")
    await set_up(house, "#random", participants=[])
    of_the_channel = answered(ana, "#random")

    await clock_at(house, ana, TUESDAY, 10)
    await reply(house, ana, "Mended the coffee machine", "", "")

    assert "New stand-up" in of_the_chosen
    assert "I am not in" not in of_the_chosen
    told = "I am not in #random, so I hear late or not at all who joins or leaves it. Type /invite @Steward in it."
    assert told in of_the_channel
    assert "Mended the coffee machine" in "\n".join(digests(house, "#random"))


@on_sqlite
async def test_what_cannot_be_is_said_beside_its_field_and_nothing_typed_is_lost(house: House) -> None:
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/standup", "new")

    await ana.submit({"name": " ", "questions": "How are you?\n!", "window": "30", "nudge": "30"})

    assert set(ana.form_errors) == {"name", "questions", "nudge"}
    assert held(ana.modal)["questions"] == "How are you?\n!"
    assert await rows(house, Standup) == []


@on_sqlite
async def test_history_is_everybodys_for_who_leads_and_ones_own_for_the_others(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await set_up(house)
    await clock_at(house, ben, TUESDAY, 9, 30)
    await reply(house, ben, "Here", "", "")

    await ana.command("#network", "/standup", "history")
    for_ana = answered(ana)
    await ben.command("#network", "/standup", "history")

    assert "Ben Fischer: 1 of 1 (100 %)" in for_ana
    assert "You: 1 of 1 (100 %)" in answered(ben)
    assert "Kavya" not in answered(ben)


@on_sqlite
async def test_in_a_thread_each_answer_is_a_message_of_its_own_that_changes_with_it(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await set_up(house, report="thread")
    await clock_at(house, ben, TUESDAY, 9, 30)

    await reply(house, ben, "Racks are in", "Cable them", "")
    await reply(house, ben, "Racks are in", "Cable them tomorrow", "")
    digest = next(m for m in ana.messages("#network") if "bot_id" in m and "answered" in shown(m))
    in_thread = [shown(message) for message in ana.thread("#network", digest["ts"]) if message["ts"] != digest["ts"]]

    assert "Racks are in" not in shown(digest)
    assert "Ben Fischer" in shown(digest)
    assert len(in_thread) == 1
    assert "Cable them tomorrow" in in_thread[0]


@on_sqlite
async def test_run_now_asks_everybody_at_once_and_the_day_has_no_second_round(house: House) -> None:
    ana = house.sandbox.person("ana")
    await set_up(house, whose="team")
    await clock_at(house, ana, TUESDAY, 3)
    await ana.command("#network", "/standup", "list")

    await ana.click(ana.ephemerals("#network")[-1], "more", "standup:now 1")
    await house.settled()
    asked_at_once = [len(prompts(house.sandbox.person(name))) for name in TEAM]
    await clock_at(house, ana, TUESDAY, 12)

    assert min(asked_at_once) >= 1
    assert [len(prompts(house.sandbox.person(name))) for name in TEAM] == asked_at_once


@on_sqlite
async def test_the_preview_says_who_gets_what_when_in_their_zone(house: House) -> None:
    ana = house.sandbox.person("ana")
    await set_up(house)
    await ana.command("#network", "/standup", "list")

    await ana.click(ana.ephemerals("#network")[-1], "standup:preview")
    await house.settled()

    told = answered(ana)
    assert "Tue 25 Nov 2031" in told
    order = [told.index(f"Tue 09:30 {city} time") for city in ("Auckland", "Kolkata", "Berlin", "New York")]
    assert order == sorted(order)


@on_sqlite
async def test_the_first_round_is_today_while_its_hour_is_to_come_for_everybody_and_run_now_brings_it_forward(
    house: House,
) -> None:
    """At nine in New York nobody but New York is asked: today counts, though it began long ago in Auckland."""
    ana = house.sandbox.person("ana")
    await set_up(house, participants=[ana.id])
    said = answered(ana)
    await ana.command("#network", "/standup", "list")

    await ana.click(ana.ephemerals("#network")[-1], "standup:preview")
    await house.settled()
    previewed = answered(ana)
    await ana.command("#network", "/standup", "list")
    await ana.click(ana.ephemerals("#network")[-1], "more", "standup:now 1")
    await house.settled()
    asked_at_once = len(prompts(ana))
    await clock_at(house, ana, TUESDAY, 9, 29)

    assert "next on Mon 24 Nov 2031" in said
    assert "Mon 24 Nov 2031" in previewed
    assert [asked_at_once, len(prompts(ana))] == [1, 1], "the day has no second round"


@on_sqlite
async def test_a_copy_is_a_new_stand_up_and_removing_one_can_be_taken_back(house: House) -> None:
    ana = house.sandbox.person("ana")
    await set_up(house)
    await ana.command("#network", "/standup", "list")
    await ana.click(ana.ephemerals("#network")[-1], "more", "standup:copy 1")
    await ana.submit({})
    await house.settled()
    first, second = await rows(house, Standup)

    await ana.command("#network", "/standup", "list")
    await ana.click(ana.ephemerals("#network")[-1], "more", "standup:remove 1")
    await house.settled()
    removed = [each.is_archived for each in await rows(house, Standup)]
    await ana.click(ana.ephemerals("#network")[-1], "standup:remove")

    assert (first.name, second.name) == ("Daily", "Daily (copy)")
    assert (second.questions, second.rule) == (first.questions, first.rule)
    assert removed == [True, False]
    assert [each.is_archived for each in await rows(house, Standup)] == [False, False]


@on_sqlite
async def test_what_slack_will_not_take_is_told_once_to_whoever_set_the_stand_up_up(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await set_up(house)
    await clock_at(house, ben, TUESDAY, 9, 30)
    house.sandbox.fail("chat.postMessage", error="is_archived", channel="#network", times=9)

    await reply(house, ben, "Here", "", "")
    await reply(house, ben, "Here again", "", "")

    told = [shown(message) for message in ana.app_messages() if "could not post" in shown(message)]
    assert len(told) == 1
    assert "archived" in told[0]
    assert [entry.answers[0] for entry in await rows(house, StandupEntry) if entry.person_id == ben.id] == [
        "Here again"
    ]


@on_sqlite
async def test_only_those_who_lead_change_a_stand_up_and_outsiders_do_not_see_it(house: House) -> None:
    ana, ben, kavya = (house.sandbox.person(name) for name in ("ana", "ben", "kavya"))
    await ana.command("#steering", "/invite", "@Steward")
    await house.settled()
    await set_up(house, "#steering", participants=[ana.id, ben.id])
    [standup] = await rows(house, Standup)

    await ben.command("#steering", "/standup", "list")
    offered = [action for action, _ in buttons(ben.ephemerals("#steering")[-1])]
    await set_up(house)
    await kavya.command("#network", "/standup", "list")
    await kavya.click(kavya.ephemerals("#network")[-1], "standup:preview", "2")
    await house.settled()
    seen = answered(kavya)
    forged = kavya.ephemerals("#network")[-1]

    assert "standup:edit" not in offered
    assert "standup:history" in offered
    assert "Preview" in seen
    assert standup.channel_id not in str(forged)
