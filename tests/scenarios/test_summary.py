"""The weekly summary from the preview to the channel: once a week at the project's own hour, private until then."""

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import select

from bot.assemble import Slack, Steward
from models.database import Database
from models.tables import Project
from sandbox.driver import Driver
from tests.scenarios.house import House, house_over_socket_mode, shown
from tests.scenarios.looking import Json, answered, offered
from tests.scenarios.steps import owed

on_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

THURSDAY, FRIDAY = date(2031, 11, 27), date(2031, 11, 28)
WEEK = timedelta(days=7)


async def at(house: House, person: Driver, day: date, hour: int, minute: int = 0) -> None:
    await house.sandbox.advance_to(datetime.combine(day, time(hour, minute), ZoneInfo(person.user.tz)).astimezone(UTC))
    await house.settled()


async def log(house: House, words: str, channel: str = "#network", kind: str = "action", by: str = "ana") -> None:
    await house.sandbox.person(by).command(channel, f"/{kind}", words)
    await house.settled()


def summaries(house: House, channel: str = "#network") -> list[Json]:
    """The summaries in the channel, without their threads."""
    messages = house.sandbox.person("ana").messages(channel)
    return [message for message in messages if "bot_id" in message and ", week to " in shown(message)]


def thread(house: House, message: Json, channel: str = "#network") -> list[str]:
    replies = house.sandbox.person("ana").thread(channel, message["ts"])
    return [shown(reply) for reply in replies if reply["ts"] != message["ts"]]


def previews(person: Driver) -> list[Json]:
    return [message for message in person.app_messages() if "The weekly summary of" in shown(message)]


@on_sqlite
async def test_the_coordinator_sees_it_on_thursday_and_the_channel_on_friday_once(house: House) -> None:
    """At 15:00 of the project's own clock, no minute before; the records behind it in its thread; nobody mentioned."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await log(house, "Order two racks @ben by 2031-12-02")
    await log(house, "Switch <@U1> & co p4 i4", kind="risk")
    await log(house, "Measure the room")
    await ana.command("#network", "/steward", "A2 done")

    await at(house, ana, THURSDAY, 14, 59)
    too_early = len(previews(ana))
    await at(house, ana, THURSDAY, 15)
    shown_before = len(previews(ana)), len(summaries(house))
    await at(house, ana, FRIDAY, 14, 59)
    before = len(summaries(house))
    await at(house, ana, FRIDAY, 15)
    await at(house, ana, FRIDAY + WEEK, 12)

    (posted,) = summaries(house)
    (details,) = thread(house, posted)
    text = shown(posted)
    assert (too_early, shown_before, before) == (0, (1, 0), 0)
    assert previews(ben) == []
    assert "network, week to Fri 28 Nov 2031" in text
    assert "Red\n: 1 critical risk open" in text
    assert "1 (0 last week)  ·  started 0 (0)  ·  logged 3 (0)" in text
    assert "highest R1 Switch <@U1> & co, score 16 of 25, critical, new" in text
    assert "Fri 21 Nov, 15:00 to Fri 28 Nov 2031, 15:00 New York time" in text
    assert "Due in the next 7 days: 1" in details
    assert "Order two racks: due Tue 2 Dec" in details
    assert ben.id not in str(posted["blocks"])
    assert "<@" not in posted["text"]


@on_sqlite
async def test_a_coordinator_on_leave_gets_no_preview_and_the_channel_its_summary(house: House) -> None:
    ana = house.sandbox.person("ana")
    await log(house, "Measure the room")
    await ana.command("#network", "/steward", "away 27 nov")

    await at(house, ana, FRIDAY, 15)

    assert previews(ana) == []
    assert len(summaries(house)) == 1


@on_sqlite
async def test_the_deputy_of_a_coordinator_on_leave_gets_the_preview_and_nothing_to_press(house: House) -> None:
    """Who stands in has no more rights than before."""
    ana, kavya = house.sandbox.person("ana"), house.sandbox.person("kavya")
    await log(house, "Measure the room")
    await ana.command("#network", "/steward", "away 27 nov @kavya")

    await at(house, ana, FRIDAY, 15)

    [seen] = previews(kavya)
    assert previews(ana) == []
    assert "Ana Torres, who coordinates it, is away, and you stand in." in shown(seen)
    assert "As it would look now:" in shown(seen)
    assert "summary:" not in str(seen["blocks"])
    assert len(summaries(house)) == 1


@on_sqlite
async def test_a_public_channel_that_steward_is_not_in_gets_its_summary_too(house: House) -> None:
    ana = house.sandbox.person("ana")
    await ana.command("#random", "/action", "Mend the coffee machine")
    await at(house, ana, THURSDAY, 15)

    await at(house, ana, FRIDAY, 15)

    [seen] = previews(ana)
    assert "goes to #random" in shown(seen)
    assert "I am not in" not in shown(seen)
    assert any("week to" in shown(message) for message in ana.messages("#random"))


@on_sqlite
async def test_a_headline_stands_above_one_summary_with_its_authors_name(house: House) -> None:
    ana, kavya = house.sandbox.person("ana"), house.sandbox.person("kavya")
    await log(house, "Order two racks by 2031-12-01")
    await at(house, ana, THURSDAY, 15)
    await ana.click(previews(ana)[-1], "summary:headline")
    refused = await ana.submit({"headline": "x" * 301})
    assert not refused.ok

    await ana.submit({"headline": "All waits for <!channel> the switch"})
    await house.settled()
    redrawn = shown(previews(ana)[-1])
    await kavya.command("#network", "/steward", "summary")
    seen_by_others = answered(kavya)
    await at(house, ana, FRIDAY, 15)
    await at(house, ana, FRIDAY + WEEK, 15)

    first, second = (shown(message) for message in summaries(house))
    assert len(previews(ana)) == 2
    assert "All waits for <!channel> the switch\n  (Ana Torres)" in redrawn
    assert "All waits for" in seen_by_others
    assert "All waits for <!channel> the switch\n  (Ana Torres)" in first
    assert "All waits" not in second


@on_sqlite
async def test_a_week_can_be_left_out_and_so_can_all(house: House) -> None:
    """Skipped, then by the settings; the buttons are for those who lead."""
    ana, kavya = house.sandbox.person("ana"), house.sandbox.person("kavya")
    await log(house, "Order two racks by 2031-12-01")
    await at(house, ana, THURSDAY, 15)

    await ana.click(previews(ana)[-1], "summary:skip")
    await house.settled()
    said = shown(previews(ana)[-1])
    await at(house, ana, FRIDAY, 18)
    skipped = len(summaries(house))
    await at(house, ana, FRIDAY + WEEK, 15)
    after = shown(summaries(house)[-1])
    await kavya.command("#network", "/steward", "summary")
    offered_to_others = offered(kavya.ephemerals("#network")[-1])
    await ana.command("#network", "/steward", "settings")
    await ana.click_view("more_settings")
    await house.settled()
    await ana.submit({"has_summary": []})
    await house.settled()
    await at(house, ana, FRIDAY + 2 * WEEK, 15)

    assert "is left out" in said
    assert skipped == 0
    assert "None was posted on" not in after, "it was left out on purpose"
    assert "summary:post" not in offered_to_others
    assert len(summaries(house)) == 1


@on_sqlite
async def test_an_unknown_outcome_is_not_repeated_and_the_coordinator_may(house: House) -> None:
    """Pressed on two devices it is still one more."""
    ana = house.sandbox.person("ana")
    await log(house, "Order two racks by 2031-12-01")
    house.sandbox.fail("chat.postMessage", status=503, channel="#network", times=1)
    await at(house, ana, FRIDAY, 15)
    lost = len(summaries(house))
    await at(house, ana, FRIDAY, 15, 1)
    (word,) = [message for message in ana.app_messages() if "summary:again" in offered(message)]

    await ana.click(word, "summary:again")
    await ana.click(word, "summary:again")
    await house.settled()

    assert lost == 0
    assert "Slack did not say whether it was posted" in shown(word)
    assert len(summaries(house)) == 1
    assert len(thread(house, summaries(house)[0])) == 1


@on_sqlite
async def test_a_channel_without_steward_is_told_of_once_with_what_to_do(house: House) -> None:
    ana = house.sandbox.person("ana")
    await log(house, "Order two racks by 2031-12-01")
    house.sandbox.fail("chat.postMessage", error="not_in_channel", channel="#network", times=99)

    await at(house, ana, FRIDAY, 15)
    await at(house, ana, FRIDAY + WEEK, 16)

    told = [shown(message) for message in ana.app_messages() if "could not be posted" in shown(message)]
    assert len(told) == 1
    assert "/invite @Steward" in told[0]


@on_sqlite
async def test_an_archived_project_and_one_with_nothing_to_say_post_nothing(house: House) -> None:
    ana = house.sandbox.person("ana")
    await log(house, "Order two racks by 2031-12-01")
    await log(house, "Paint the wall", "#general")
    await ana.command("#general", "/steward", "A2 remove")
    await ana.command("#network", "/steward", "project archive")
    await ana.click(ana.ephemerals("#network")[-1], "archive_project")
    await house.settled()

    await at(house, ana, FRIDAY, 16)
    await ana.command("#general", "/steward", "summary")

    assert summaries(house) == summaries(house, "#general") == []
    assert previews(ana) == []
    assert "Nothing to tell of general" in answered(ana, "#general")


@on_sqlite
async def test_after_two_weeks_of_downtime_only_the_newest_is_posted_and_says_what_is_missing(
    database_url: str, tmp_path: Path
) -> None:
    keep = tmp_path / "kept"
    async with house_over_socket_mode(database_url, keep=keep) as house:
        await log(house, "Order two racks by 2031-12-01")
        house.sandbox.clock._callbacks.clear()
        await house.steward.stop()
        monday = datetime.combine(FRIDAY + 2 * WEEK, time(22), UTC)
        await house.sandbox.advance_to(monday)

    async with house_over_socket_mode(database_url, keep=keep) as house:
        for _ in range(2):
            await house.steward.runner.tick()
            await house.settled()

        (posted,) = summaries(house)
        assert "week to Fri 12 Dec 2031" in shown(posted)
        assert "None was posted on Fri 28 Nov 2031, Fri 5 Dec 2031" in shown(posted)
        assert previews(house.sandbox.person("ana")) == []


async def test_two_workers_post_one(house: House, database_url: str) -> None:
    """Neither knows of the other; the database does."""
    ana = house.sandbox.person("ana")
    await log(house, "Order two racks by 2031-12-01")
    slack = Slack(house.sandbox.bot_token, house.sandbox.api_url)
    other = Steward(Database(database_url, wait_ms=20_000), slack, clock=house.sandbox.clock, pace_seconds=0)
    await other.open()
    both = (house.steward, other)

    async def together(_now: datetime) -> datetime | None:
        for _ in range(2):
            await asyncio.gather(*(each.runner.tick() for each in both))
            await asyncio.gather(*(each.sender.drain() for each in both))
        return await house.steward.runner.next_due()

    house.sandbox.clock._callbacks.clear()
    house.sandbox.on_advance(together)
    await at(house, ana, FRIDAY, 15, 30)
    await other.stop()

    (posted,) = summaries(house)
    assert len(thread(house, posted)) == 1
    assert len(previews(ana)) == 1
    assert len(await owed(house, "summary")) == len(await owed(house, "summary_details")) == 1


@on_sqlite
async def test_the_summary_is_there_at_any_time_for_a_day_in_the_past_too_and_can_be_posted(house: House) -> None:
    ana = house.sandbox.person("ana")
    await log(house, "Order two racks by 2031-11-25")
    await at(house, ana, date(2031, 11, 26), 10)
    await ana.command("#network", "/steward", "A1 done")

    await ana.command("#network", "/steward", "summary")
    now = ana.ephemerals("#network")[-1]
    await ana.command("@Steward", "/steward", "summary network as of yesterday")
    yesterday = answered(ana, "@Steward")
    await ana.command("#network", "/steward", "summary as of 24 nov 2040")
    refused = answered(ana)
    await ana.click(now, "summary:details")
    await house.settled()
    details = answered(ana)
    await ana.click(now, "summary:post")
    await ana.click(now, "summary:post")
    await house.settled()

    assert "Done\n 1 (0 last week)" in shown(now)
    assert "Wed 19 Nov to Tue 25 Nov 2031, New York time" in yesterday
    assert "Done\n 0 (0 last week)" in yesterday
    assert "has not come yet" in refused or "too far" in refused
    assert "Done: 1" in details
    assert len(summaries(house)) == 1


@on_sqlite
async def test_the_portfolio_shows_what_one_may_see_the_worst_first(house: House) -> None:
    ana, kavya = house.sandbox.person("ana"), house.sandbox.person("kavya")
    await ana.command("#steering", "/invite", "@Steward")
    await house.settled()
    await log(house, "Zanzibar p5 i5", "#steering", "risk")
    await log(house, "Order two racks by 2031-12-01")
    await log(house, "Paint the wall by 2031-11-24 !high", "#general")
    await at(house, ana, date(2031, 11, 26), 10)

    await ana.command("#network", "/steward", "portfolio")
    anas = answered(ana)
    await ana.click(ana.ephemerals("#network")[-1], "summary:show")
    await house.settled()
    of_first = answered(ana)
    await kavya.command("#network", "/steward", "portfolio")
    kavyas = answered(kavya)

    assert "Your projects: 3" in anas
    assert anas.index("*steering*") < anas.index("*network*") > anas.index("*general*")
    assert "top risk R1 Zanzibar (25 of 25)" in anas
    assert "next due A1 Order two racks, Mon 1 Dec" in anas
    assert ", week to Wed 26 Nov 2031" in of_first
    assert "Your projects: 2" in kavyas
    assert "steering" not in kavyas
    assert "Zanzibar" not in kavyas


@on_sqlite
async def test_what_guests_in_the_channel_may_not_see_is_not_in_it(house: House) -> None:
    """Mia, a guest, is in #network and not in #general; the project has both."""
    ana = house.sandbox.person("ana")
    await log(house, "Order two racks by 2031-12-01")
    await ana.command("#general", "/steward", "bind network")
    await house.settled()
    await log(house, "Zanzibar p5 i5", "#general", "risk")

    await at(house, ana, FRIDAY, 15)

    (posted,) = summaries(house)
    assert "Zanzibar" not in shown(posted) + str(thread(house, posted))
    assert "Green" in shown(posted)
    assert "Only what was logged in this channel is counted" in shown(posted)
    await ana.command("#network", "/steward", "summary")
    assert "Zanzibar" in answered(ana)
    async with house.steward.database.unit(house.sandbox.team_id, writes=False) as session:
        assert len((await session.exec(select(Project))).all()) == 1
