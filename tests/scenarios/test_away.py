"""Being away: said in words or a form, kept from stand-ups, told to a deputy once, and hinted at by a Slack status."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import col, select

from models.tables import Absence, EntryState, StandupEntry
from sandbox.driver import Driver
from tests.scenarios.house import House, shown
from tests.scenarios.looking import answered, held, offered
from tests.scenarios.steps import said
from tests.scenarios.test_standups import clock_at, digests, prompts, rows, set_up

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

TUESDAY = date(2031, 11, 25)
FRIDAY = date(2031, 11, 28)


async def absences(house: House) -> list[tuple[str, str, str | None]]:
    """Every absence, the earliest first: who, `first to last`, deputy."""
    async with house.steward.database.unit(house.sandbox.team_id, writes=False) as session:
        found = await session.exec(select(Absence).order_by(col(Absence.first_day), col(Absence.id)))
        return [(each.person_id, f"{each.first_day} to {each.last_day}", each.deputy_id) for each in found]


async def away(person: Driver, house: House, words: str) -> str:
    """What the person is answered to `/steward away` and these words."""
    await person.command("#network", "/steward", f"away {words}".strip())
    await house.settled()
    return said(person, "#network")


def words_to(person: Driver) -> list[str]:
    return [shown(message) for message in person.app_messages()]


async def states(house: House) -> dict[str, EntryState]:
    return {entry.person_id: entry.state for entry in await rows(house, StandupEntry)}


def end_of(person: Driver, day: date) -> float:
    """Midnight after that day where the person is, as Slack ends a status."""
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(person.user.tz)).astimezone(UTC).timestamp()


async def test_days_and_a_deputy_in_words_are_said_back_and_the_deputy_hears_of_it_once(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")

    confirmed = await away(ana, house, "24 nov - 28 nov @ben")
    again = await away(ana, house, "24 nov - 28 nov @ben")

    assert "You are away Mon 24 Nov to Fri 28 Nov." in confirmed
    assert "Reminders go to Ben Fischer instead, who sees only what they may see anyway." in confirmed
    assert "Mon 24 Nov to Fri 28 Nov" in again
    assert await absences(house) == [(ana.id, "2031-11-24 to 2031-11-28", ben.id)]
    [word] = words_to(ben)
    assert "Ana Torres is away Mon 24 Nov to Fri 28 Nov, and you stand in." in word
    assert words_to(ana) == [], "nobody is told of what they did themselves"


async def test_what_overlaps_is_joined_and_what_the_deputy_was_told_stays_true(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await away(ana, house, "24 nov - 28 nov @ben")

    joined = await away(ana, house, "27 nov - 5 dec")
    later = words_to(ben)
    await ana.command("#network", "/steward", "back")
    await house.settled()

    assert "Mon 24 Nov to Fri 5 Dec" in joined
    assert "joined with what was noted before" in joined
    assert len(later) == 1
    assert "Mon 24 Nov to Fri 5 Dec" in later[0]
    assert "Welcome back" in said(ana, "#network")
    assert await absences(house) == []
    assert ["no longer stand in for Ana Torres" in word for word in words_to(ben)] == [True]


async def test_each_day_has_the_deputy_who_was_named_for_it_last(house: House) -> None:
    ana, ben, tane, kavya = (house.sandbox.person(name) for name in ("ana", "ben", "tane", "kavya"))
    await ana.command("#network", "/action", "Order two racks")
    await away(ana, house, "24 nov - 28 nov @tane")

    cut = await away(ana, house, "27 nov - 5 dec @kavya")
    longer = await away(ana, house, "26 nov - 8 dec")
    apart = await away(ana, house, "9 dec - 10 dec @ben")
    noted = await absences(house)
    await away(ana, house, "2 dec @ben")
    amid = await absences(house)
    await ana.open_home()
    home = shown(ana.home or {})
    await ana.command("#network", "/steward", "back")
    await house.settled()

    assert "You will be away Thu 27 Nov to Fri 5 Dec." in cut
    assert "In place of Tane Walker, Kavya Rao stands in on these days now." in cut
    assert "As before Mon 24 Nov to Wed 26 Nov: Tane Walker stands in." in cut
    assert "in place of" not in longer.lower(), "nobody is named, so whoever is named stays"
    assert "Mon 24 Nov to Wed 26 Nov, Tane Walker stands in" in longer
    assert "Thu 27 Nov to Mon 8 Dec, Kavya Rao stands in" in longer
    assert "joined" not in apart
    assert noted == [
        (ana.id, "2031-11-24 to 2031-11-26", tane.id),
        (ana.id, "2031-11-27 to 2031-12-08", kavya.id),
        (ana.id, "2031-12-09 to 2031-12-10", ben.id),
    ]
    assert amid[1:4] == [
        (ana.id, "2031-11-27 to 2031-12-01", kavya.id),
        (ana.id, "2031-12-02 to 2031-12-02", ben.id),
        (ana.id, "2031-12-03 to 2031-12-08", kavya.id),
    ]
    assert "You are away until Wed 10 Dec 2031, and Tane Walker stands in." in home
    assert "being away until Wed 10 Dec ends today" in said(ana, "#network"), "being back ends all of it"
    assert await absences(house) == []
    words = [word for each in (ben, tane, kavya) for word in words_to(each)]
    assert ["no longer stand in for Ana Torres" in word for word in words] == [True] * 5, "one for each run of days"


async def test_a_deputy_who_is_named_again_reads_so_in_the_same_message(house: House) -> None:
    ana, tane = (house.sandbox.person(name) for name in ("ana", "tane"))
    told = []

    for name in ("tane", "kavya", "tane"):
        await away(ana, house, f"24 nov - 28 nov @{name}")
        told += words_to(tane)

    assert ["no longer stand in" in word for word in told] == [False, True, False]
    assert "and you stand in" in told[-1]


async def test_what_is_left_of_a_leave_is_named_when_some_days_of_it_are_taken_back(house: House) -> None:
    ana, tane = (house.sandbox.person(name) for name in ("ana", "tane"))
    await away(ana, house, "24 nov - 28 nov @tane")
    await away(ana, house, "27 nov - 5 dec @ben")

    await away(ana, house, "")
    await ana.click(ana.ephemerals("#network")[-1], "away:end")
    await house.settled()

    assert "being away until Wed 26 Nov ends today" in answered(ana)
    assert "Still planned:\nThu 27 Nov to Fri 5 Dec, Ben Fischer stands in" in answered(ana)
    [word] = words_to(tane)
    assert "no longer stand in" in word


async def test_what_is_planned_is_shown_changed_in_a_form_and_taken_back(house: House) -> None:
    ana, kavya = house.sandbox.person("ana"), house.sandbox.person("kavya")
    await away(ana, house, "1 dec - 5 dec @ben")
    planned = await away(ana, house, "")
    await ana.command("#network", "/steward", "back")
    too_early = said(ana, "#network")

    await ana.click(ana.ephemerals("#network")[-1], "away")
    form = held(ana.modal)
    refused = await ana.submit({"last_day": "2031-11-30"})
    errors = dict(ana.form_errors)
    await ana.submit({"last_day": "2031-12-04", "deputy_id": kavya.id})
    await house.settled()
    changed = await absences(house)
    await ana.click(ana.ephemerals("#network")[-1], "away:end")
    await house.settled()

    assert "Mon 1 Dec to Fri 5 Dec, Ben Fischer stands in" in planned
    assert "You are not away now, so nothing was changed. You will be away:" in too_early
    assert "Mon 1 Dec to Fri 5 Dec" in too_early
    assert (form["first_day"], form["last_day"]) == ("2031-12-01", "2031-12-05")
    assert not refused.ok
    assert "before the first one" in errors["last_day"]
    assert changed == [(ana.id, "2031-12-01 to 2031-12-04", kavya.id)]
    assert await absences(house) == []
    assert "is taken back" in answered(ana)
    await ana.click(ana.ephemerals("#network")[-1], "away")
    assert held(ana.modal)["deputy_id"] == kavya.id, "what was taken back can be noted again"


async def test_what_cannot_be_noted_is_refused_with_what_to_do_and_what_was_typed(house: House) -> None:
    ben, kavya = house.sandbox.person("ben"), house.sandbox.person("kavya")
    await kavya.command("#network", "/action", "Order racks")

    told = {
        "on the moon": await away(ben, house, "on the moon"),
        "2031-11-01": await away(ben, house, "2031-11-01"),
        "until friday @ben": await away(ben, house, "until friday @ben"),
        "until friday @omar": await away(ben, house, "until friday @omar"),
        "until friday @kavya @ana": await away(ben, house, "until friday @kavya @ana"),
        "for @kavya until friday": await away(ben, house, "for @kavya until friday"),
    }

    assert "I can't read “on the moon” as days" in told["on the moon"]
    assert "has passed" in told["2031-11-01"]
    assert "Somebody else has to stand in" in told["until friday @ben"]
    assert "cannot stand in. Choose somebody else" in told["until friday @omar"]
    assert "Name one deputy" in told["until friday @kavya @ana"]
    assert "Only a workspace admin, or the coordinator" in told["for @kavya until friday"]
    assert [typed for typed, answer in told.items() if typed.split("@")[0] not in answer] == []
    assert await absences(house) == []


async def test_the_coordinator_notes_it_for_somebody_of_the_project_who_hears_of_it(house: House) -> None:
    ana, kavya = house.sandbox.person("ana"), house.sandbox.person("kavya")
    house.sandbox.change_person("ana", is_admin=False, is_owner=False)
    await ana.command("#network", "/action", "Order racks")
    await house.settled()

    confirmed = await away(ana, house, "for @kavya 26 nov - 28 nov @ben")

    assert "Kavya Rao will be away Wed 26 Nov to Fri 28 Nov." in confirmed
    assert [each[0] for each in await absences(house)] == [kavya.id]
    [word] = words_to(kavya)
    assert "Ana Torres noted that you will be away Wed 26 Nov to Fri 28 Nov." in word
    assert offered(kavya.app_messages()[-1]) == ["away", "away:end"]
    await ana.click(ana.ephemerals("#network")[-1], "away:end")
    await house.settled()
    assert "Ana Torres took back that you are away Wed 26 Nov to Fri 28 Nov." in words_to(kavya)[-1]
    assert await absences(house) == []


async def test_home_says_until_when_somebody_is_away(house: House) -> None:
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Order two racks")
    await away(ana, house, "1 dec - 5 dec")
    await ana.open_home()
    before = shown(ana.home or {})

    await away(ana, house, "today until 26 nov")
    await ana.open_home()
    alone = shown(ana.home or {})
    await away(ana, house, "today until 26 nov @ben")
    await ana.open_home()

    assert "You are away" not in before
    assert "You are away until Wed 26 Nov 2031. `/steward back` ends it today." in alone
    assert "You are away until Wed 26 Nov 2031, and Ben Fischer stands in. `/steward back`" in shown(ana.home or {})


async def test_home_offers_the_form_with_today_filled_in(house: House) -> None:
    mia = house.sandbox.person("mia")
    await mia.open_home()

    await mia.click_home("away")
    today = held(mia.modal)
    await mia.submit({"last_day": "2031-11-26"})
    await house.settled()

    assert "person_id" not in today, "a guest notes nobody else"
    assert await absences(house) == [(mia.id, f"{today['first_day']} to 2031-11-26", None)]


async def test_whoever_is_away_is_not_asked_and_whoever_is_back_is(house: House) -> None:
    """Tane's round begins in Auckland while it is Monday elsewhere: an open round follows what is noted meanwhile."""
    ana, ben, tane = (house.sandbox.person(name) for name in ("ana", "ben", "tane"))
    await set_up(house)
    await away(tane, house, "2031-11-25")
    await clock_at(house, tane, TUESDAY, 9, 31)
    await away(ana, house, "2031-11-25 - 2031-11-26")
    await away(ben, house, "2031-11-25")
    during = await states(house)

    await ben.command("#network", "/steward", "away")
    await ben.click(ben.ephemerals("#network")[-1], "away:end")
    await clock_at(house, ana, TUESDAY, 9, 31)

    assert [during[each.id] for each in (ana, ben, tane)] == [EntryState.AWAY] * 3
    assert [len(prompts(each)) for each in (ana, ben, tane)] == [0, 1, 0]
    await ana.command("#network", "/standup", "history")
    assert "Tane Walker: 0 of 0 (0 %), 1 away" in answered(ana)


async def test_when_everybody_is_away_the_round_says_nothing_to_anybody(house: House) -> None:
    await set_up(house, missing_to=house.sandbox.person("ana").id)
    for name in ("ana", "ben", "kavya", "tane"):
        await away(house.sandbox.person(name), house, "2031-11-25")

    await clock_at(house, house.sandbox.person("ana"), TUESDAY, 14)

    assert [words_to(house.sandbox.person(name)) for name in ("ana", "ben", "kavya", "tane")] == [[], [], [], []]
    assert digests(house) == []
    assert set((await states(house)).values()) == {EntryState.AWAY}


async def test_away_in_a_stand_up_counts_at_once_and_asks_whether_it_is_for_longer(house: House) -> None:
    ben, kavya = house.sandbox.person("ben"), house.sandbox.person("kavya")
    await set_up(house)
    await clock_at(house, ben, TUESDAY, 9, 30)

    await kavya.click(prompts(kavya)[-1], "standup:away")
    await kavya.close()
    await ben.click(prompts(ben)[-1], "standup:away")
    form = held(ben.modal)
    await ben.submit({"last_day": "2031-11-27"})
    await house.settled()
    await clock_at(house, ben, TUESDAY + timedelta(days=1), 9, 31)

    assert (form["first_day"], form["last_day"]) == ("2031-11-25", "2031-11-25")
    assert await absences(house) == [(ben.id, "2031-11-25 to 2031-11-27", None)]
    assert "You are away Tue 25 Nov to Thu 27 Nov" in words_to(ben)[-1], "the questions have made room"
    assert (len(prompts(ben)), len(prompts(kavya))) == (0, 2)


async def test_a_status_that_looks_like_leave_is_asked_about_once_and_decides_nothing(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await ana.command("#network", "/action", "Order racks @ben")
    await house.settled()
    before = len(words_to(ben))

    await ben.set_status(":palm_tree:", "Vacationing", end_of(ben, FRIDAY))
    house.sandbox.change_person("ben", title="Network lead")
    await house.settled()
    asked = ben.app_messages()[before:]
    undecided = await absences(house)
    await ben.click(asked[0], "away:no")
    await house.settled()
    refused = words_to(ben)[before], await absences(house)
    await ben.set_status(":palm_tree:", "Vacationing", end_of(ben, date(2031, 11, 27)))
    await house.settled()
    await ben.click(ben.app_messages()[before + 1], "away:yes")
    await house.settled()

    assert len(asked) == 1
    assert "away until Fri 28 Nov. Shall I hold your reminders" in shown(asked[0])
    assert offered(asked[0]) == ["away:yes", "away:deputy", "away:no"]
    assert undecided == []
    assert "go on as usual" in refused[0]
    assert refused[1] == []
    assert await absences(house) == [(ben.id, "2031-11-24 to 2031-11-27", None)]
    assert "You are away Mon 24 Nov to Thu 27 Nov." in words_to(ben)[before + 1]


async def test_a_status_may_name_a_deputy_in_the_form_or_be_none_of_stewards_business(house: House) -> None:
    ana, ben, tane = (house.sandbox.person(name) for name in ("ana", "ben", "tane"))
    await ana.command("#network", "/action", "Order racks @ben")
    await house.settled()

    await ben.set_status("face_with_thermometer", "Out sick")
    await tane.set_status("palm_tree", "Vacationing", end_of(tane, FRIDAY))
    await ana.set_status("coffee", "Back in a minute")
    await house.settled()
    question = ben.app_messages()[-1]
    await ben.click(question, "away:deputy")
    await ben.submit({"last_day": "2031-11-26", "deputy_id": ana.id})
    await house.settled()
    await ben.set_status("face_with_thermometer", "Out sick", end_of(ben, date(2031, 11, 25)))
    await house.settled()

    assert offered(question) == ["away:deputy", "away:no"], "without an end it asks until when"
    assert await absences(house) == [(ben.id, "2031-11-24 to 2031-11-26", ana.id)]
    assert words_to(tane) == [], "Steward asks him nothing, so there is nothing to hold"
    assert ["Slack status" in word for word in words_to(ben)].count(True) == 0, "what is noted needs no question"
    assert ["you stand in" in word for word in words_to(ana)] == [True]
