"""Two weeks with a weekend, a public holiday, two clock changes and a leave: every message that anybody got.

The project lives in Brandenburg: Friday 31 October is Reformation Day there. Europe's clocks go back on Sunday 26
October, New York's on Sunday 2 November; Auckland's Labour Day, Monday 27 October, is none of the project's holidays.
"""

import asyncio
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.assemble import Slack, Steward
from bot.manifest import manifest
from models.database import Database
from sandbox import Sandbox
from sandbox.driver import Driver
from tests.scenarios.house import PATIENT_SLACK, House, at_home, begin_at, house_over_socket_mode, shown
from tests.scenarios.looking import Json, buttons, in_menu
from tests.scenarios.steps import owed

STARTS = datetime(2031, 10, 20, 6, tzinfo=UTC)
ENDS = datetime(2031, 11, 3, 21, tzinfo=UTC)
BERLIN = "Europe/Berlin"
TEAM = ("ana", "ben", "kavya", "tane")

WORDS = {
    "morning": "digest",
    "standup_prompt": "questions",
    "standup_nudge": "still open",
    "standup_digest": "answers",
    "channel_reminder": "reminder",
    "due_soon": "due soon",
    "escalation": "asked",
    "deputy": "stands in",
    "summary_preview": "preview",
    "summary_details": "in its thread",
}
"""Kind of delivery -> what it is to whoever reads it, where that is another word."""

REFERENCE = re.compile(r"\b(?:AS|DP|[ARID])\d+\b")


class Fortnight:
    """The same two weeks, in whatever house they are lived: what people do, and what they got."""

    def __init__(self, house: House, acts: Sequence[tuple[Any, ...]] = ()) -> None:
        self.house = house
        self.acts = sorted(acts, key=self._at)

    def person(self, name: str) -> Driver:
        return self.house.sandbox.person(name)

    async def command(self, name: str, command: str, words: str) -> None:
        await self.person(name).command("#network", command, words)
        await self.house.settled()

    async def begin(self) -> None:
        """A project with its records and a stand-up."""
        await self.set_up()
        for name, command, words in LOGGED:
            await self.command(name, command, words)

    async def set_up(self) -> None:
        """Ana's project, in Brandenburg, with Tane as sponsor; a stand-up of the four at their own half past nine."""
        ana = self.person("ana")
        await self.command("ana", "/action", "Order two racks @ben by 2031-10-21")
        await self.command("ana", "/steward", "settings")
        await ana.click_view("more_settings")
        await self.house.settled()
        await ana.options("timezone", "berl")
        await ana.options("holiday_country", "germ")
        await ana.click_view("holiday_country", "DE")
        await self.house.settled()
        await ana.options("holiday_subdivision:DE", "brand")
        outcome = await ana.submit(
            {
                "timezone": BERLIN,
                "holiday_subdivision": "BB",
                "sponsor_id": self.person("tane").id,
                "channel_reminder": "due_day",
            }
        )
        assert outcome.ok, ana.form_errors
        await self.command("ana", "/standup", "new")
        outcome = await ana.submit({"participants": [self.person(name).id for name in TEAM]})
        assert outcome.ok, ana.form_errors
        await self.house.settled()

    async def until(self, instant: datetime) -> None:
        """Move the clock there, everybody doing on the way what they do in these two weeks."""
        sandbox = self.house.sandbox
        while self.acts and (at := self._at(self.acts[0])) <= instant:
            _, name, act, *about = self.acts.pop(0)
            await sandbox.advance_to(at)
            await self.house.settled()
            await act(self, name, *about)
        await sandbox.advance_to(instant)
        await self.house.settled()

    def _at(self, act: Any) -> datetime:
        """When it is done, by the clock on the wall of whoever does it."""
        local = datetime.fromisoformat(f"2031-{act[0]}").replace(tzinfo=ZoneInfo(self.person(act[1]).user.tz))
        return local.astimezone(UTC)

    async def press(self, name: str, action: str, reference: str) -> None:
        """Press a button of a line in the person's latest digest, or choose it in the line's menu."""
        message, begin = self.latest(name, "Digest settings"), f"{action} {reference} "
        if chosen := [entry for entry in in_menu(message) if entry.startswith(begin)]:
            await self.person(name).click(message, "more", chosen[0])
        else:
            [value] = [value for found, value in buttons(message) if f"{found} {value}".startswith(begin)]
            await self.person(name).click(message, action, value)
        await self.house.settled()

    async def respond(self, name: str, reference: str) -> None:
        """Choose a response to a risk, where Steward asked for one."""
        await self.person(name).click(self.latest(name, "Could you have a look"), "set:response", reference)
        outcome = await self.person(name).submit({"response": "mitigate"})
        assert outcome.ok, self.person(name).form_errors
        await self.house.settled()

    async def skip(self, name: str) -> None:
        """Skip the stand-up of the day."""
        await self.person(name).click(self.latest(name, "What will you do next?"), "standup:skip")
        await self.house.settled()

    async def make_an_issue(self, name: str) -> None:
        """Make an issue of what is in somebody's way, as the channel reads it."""
        found = [each for each in self.person(name).messages("#network") if "standup:issue" in dict(buttons(each))]
        await self.person(name).click(found[-1], "standup:issue")
        await self.house.settled()

    async def reply(self, name: str, *answers: str) -> None:
        """Answer the person's latest questions."""
        person = self.person(name)
        await person.click(self.latest(name, "What will you do next?"), "standup:answer")
        outcome = await person.submit({f"answer:{number}": answer for number, answer in enumerate(answers)})
        assert outcome.ok, person.form_errors
        await self.house.settled()

    def latest(self, name: str, words: str) -> Json:
        return [each for each in self.person(name).app_messages() if words in shown(each)][-1]


LOGGED = (
    ("ana", "/action", "Call the carrier @kavya by 2031-10-23"),
    ("ana", "/action", "Label the cables @tane by 2031-10-30"),
    ("ana", "/action", "Cut-over rehearsal @ben by 2031-10-28 9am"),
    ("ana", "/action", "Write the runbook @ana by 2031-10-31"),
    ("ana", "/action", "Return the old racks @kavya by 2031-11-03"),
    ("kavya", "/issue", "Firewall drops packets @tane by 2031-10-27"),
    ("ana", "/risk", "Switch arrives late @tane p4 i4"),
    ("ana", "/risk", "Room gets warm @kavya p2 i2"),
    ("ben", "/decision", "Use the second data centre"),
    ("kavya", "/assumption", "Carrier keeps its word @kavya"),
    ("kavya", "/dependency", "Fibre from the carrier @ben by 2031-11-03"),
)


ACTS: tuple[tuple[Any, ...], ...] = (
    ("10-21 09:45", "tane", Fortnight.reply, "Read the contract", "Ask for the diagram", "none"),
    ("10-21 10:00", "ben", Fortnight.press, "digest:step:done", "A1"),
    ("10-21 10:05", "ben", Fortnight.reply, "Ordered the racks", "Cable them", "No power in rack 3"),
    ("10-21 11:00", "ben", Fortnight.command, "/steward", "away 27 oct - 29 oct @kavya"),
    ("10-21 10:00", "ana", Fortnight.make_an_issue),
    ("10-23 11:00", "ana", Fortnight.press, "digest:step:approve", "D1"),
    ("10-24 10:00", "tane", Fortnight.respond, "R1"),
    ("10-27 09:45", "kavya", Fortnight.reply, "Moved the old server", "Free two sockets", ""),
    ("10-27 10:00", "tane", Fortnight.press, "digest:week", "I1"),
    ("10-29 09:45", "tane", Fortnight.skip),
    ("10-30 09:45", "ben", Fortnight.press, "digest:step:done", "A4"),
    ("10-30 10:00", "tane", Fortnight.press, "digest:step:done", "A3"),
)
"""What people do, each at their own clock: when, who, what, about what."""


# Each line is a date of whoever reads it; a channel has the project's. Why a row is what it is, where it is not plain:
# - A digest speaks of what is due up to two of the project's working days ahead: on Wednesday 29 October up to Monday
#   3 November, since Friday is free. The holiday and weekends have no digest, no questions and no reminder.
# - Who does not answer the questions is reminded at 12:00, half an hour before the window ends.
# - Somebody is asked on the second working day after the due date or after the one before was asked: A2, due on
#   Thursday 23, of Kavya on Monday 27, of the coordinator on Wednesday 29, of the sponsor on Tuesday 4 in Auckland,
#   where Monday's nine o'clock passed while it was still Sunday in Berlin. R1, without a response since Monday 20.
# - A4 is due at nine in New York, which in the week between the two clock changes is 14:00 in Berlin and 18:30 in
#   Kolkata; Kavya stands in for Ben. Back on Thursday, he is asked himself.
# - The channel reads on Monday 27 nothing: I1 was moved on to 3 November by then, and what is only overdue is not news.
# - Friday's summary comes on Thursday 30, its preview on Wednesday 29 at 15:00 in Berlin: 10:00 in New York.
CAME = {
    "#network": """
Mon 20 Oct: 08:00 card A1; 08:00 card A2; 08:00 card A3; 08:00 card A4; 08:00 card A5; 08:00 card A6; \
08:00 card AS1; 08:00 card D1; 08:00 card DP1; 08:00 card I1; 08:00 card R1; 08:00 card R2; 22:45 answers
Tue 21 Oct: 09:00 reminder A1; 16:00 card I2
Thu 23 Oct: 09:00 reminder A2
Fri 24 Oct: 15:00 in its thread A1 A2 A3 A4 A5 D1 I1 I2 R1 R2; 15:00 summary R1
Mon 27 Oct: 05:15 answers I2
Tue 28 Oct: 09:00 reminder A2 A4
Thu 30 Oct: 15:00 in its thread A2 A3 A4 A5 A6 DP1 I1 I2 R1 R2; 15:00 summary R1
Mon 3 Nov: 09:00 reminder A2 A5 A6 DP1 I1
""",
    "ana": """
Mon 20 Oct: 09:00 digest D1
Tue 21 Oct: 09:00 digest D1; 09:30 questions; 12:00 still open
Wed 22 Oct: 09:00 digest D1; 09:30 questions; 12:00 still open
Thu 23 Oct: 09:00 digest D1; 09:00 preview R1; 09:30 questions; 12:00 still open
Fri 24 Oct: 09:30 questions; 12:00 still open
Mon 27 Oct: 09:30 questions; 12:00 still open
Tue 28 Oct: 09:00 digest A5; 09:30 questions; 12:00 still open
Wed 29 Oct: 09:00 asked A2; 09:00 digest A5; 09:30 questions; 10:00 preview R1; 12:00 still open
Thu 30 Oct: 09:00 digest A5; 09:30 questions; 12:00 still open
Mon 3 Nov: 09:00 digest A5; 09:30 questions; 12:00 still open
""",
    "ben": """
Mon 20 Oct: 09:00 digest A1
Tue 21 Oct: 09:00 digest A1; 09:30 questions
Wed 22 Oct: 09:30 questions; 12:00 still open
Thu 23 Oct: 09:30 questions; 12:00 still open
Fri 24 Oct: 09:00 digest A4; 09:30 questions; 12:00 still open
Thu 30 Oct: 09:00 asked A4; 09:00 digest A4 DP1; 09:30 questions; 12:00 still open
Mon 3 Nov: 09:00 digest DP1; 09:30 questions; 12:00 still open
""",
    "kavya": """
Tue 21 Oct: 09:00 digest A2; 09:30 questions; 12:00 still open; 14:30 stands in
Wed 22 Oct: 09:00 digest A2; 09:30 questions; 12:00 still open
Thu 23 Oct: 09:00 digest A2; 09:30 questions; 12:00 still open
Fri 24 Oct: 09:00 digest A2; 09:30 questions; 12:00 still open
Mon 27 Oct: 09:00 asked A2; 09:00 digest A2 A4; 09:30 questions
Tue 28 Oct: 09:00 digest A2 A4; 09:30 questions; 12:00 still open; 17:30 due soon A4
Wed 29 Oct: 09:00 digest A2 A4 A6 DP1; 09:30 questions; 12:00 still open
Thu 30 Oct: 09:00 digest A2 A6; 09:30 questions; 12:00 still open
Mon 3 Nov: 09:00 digest A2 A6; 09:30 questions; 12:00 still open
""",
    "tane": """
Tue 21 Oct: 09:00 digest D1; 09:30 questions
Wed 22 Oct: 09:00 digest D1; 09:30 questions; 12:00 still open
Thu 23 Oct: 09:00 asked R1; 09:00 digest D1 I1; 09:30 questions; 12:00 still open
Fri 24 Oct: 09:00 digest I1; 09:30 questions; 12:00 still open
Mon 27 Oct: 09:00 digest I1; 09:30 questions; 12:00 still open
Tue 28 Oct: 09:00 digest A3; 09:30 questions; 12:00 still open
Wed 29 Oct: 09:00 digest A3 I1; 09:30 questions
Thu 30 Oct: 09:00 digest A3 I1; 09:30 questions; 12:00 still open
Mon 3 Nov: 09:00 digest I1; 09:30 questions; 12:00 still open
Tue 4 Nov: 09:00 asked A2; 09:00 digest I1; 09:30 questions
""",
}

# Nobody is there from Wednesday 22, 08:00 UTC, to Thursday 23, 10:00 UTC: noon in Berlin.
STOPS, IS_BACK = datetime(2031, 10, 22, 8, tzinfo=UTC), datetime(2031, 10, 23, 10, tzinfo=UTC)

# Where a day without Steward makes another line of that date. Of Wednesday the rest has gone: a digest is worth sending
# until the reader's day is over, questions for an hour. Thursday's digests and the channel's reminder come late, also
# to Tane at 23:00; nobody is asked any more, and of all windows only Ben's is still open, half an hour before its end.
# What Tane was to be asked four hours ago waits for his next working day.
LATE = {
    "#network": "Thu 23 Oct: 12:00 reminder A2",
    "ana": "Wed 22 Oct: ",
    "ben": """
Wed 22 Oct: 09:30 questions
Thu 23 Oct: 12:00 still open
""",
    "kavya": "Thu 23 Oct: 15:30 digest A2",
    "tane": """
Thu 23 Oct: 23:00 digest D1 I1
Fri 24 Oct: 09:00 asked R1; 09:00 digest I1; 09:30 questions; 12:00 still open
""",
}


def lines(*tables: str) -> dict[str, str]:
    """Tables as above by their dates, the later ones going before the earlier; a date without words is left out."""
    found = (line.partition(": ") for table in tables for line in table.strip("\n").splitlines())
    return {day: words for day, words in {day: words for day, _, words in found}.items() if words}


def is_twice(line: str) -> bool:
    """Whether somebody got two of one kind on that date."""
    kinds = [re.sub(REFERENCE, "", words[len("09:00 ") :]).strip() for words in line.split("; ")]
    return len(kinds) != len(set(kinds))


async def what_came(house: House) -> dict[str, dict[str, str]]:
    """All that was posted, by the person or channel that got it and by their date, in the order of its hours."""
    kinds = {row.id: row.kind for row in await owed(house)}
    known = {each["reference"] for each in (await house.export()).records}
    workspace = house.sandbox.workspace
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for call in house.sandbox.calls:
        if call.method != "chat.postMessage" or not call.answer["ok"]:
            continue
        person = workspace.users.get(call.args["channel"])
        local = call.at.astimezone(ZoneInfo(person.tz if person else BERLIN))
        kind = kinds[call.args["metadata"]["event_payload"]["id"]]
        named = sorted(known & set(REFERENCE.findall(shown(call.args))))
        name = person.name if person else f"#{workspace.channels[call.args['channel']].name}"
        words = " ".join([f"{local:%H:%M}", WORDS.get(kind, kind), *named])
        found[name][f"{local:%a} {local.day} {local:%b}"].append(words)
    return {name: {day: "; ".join(sorted(words)) for day, words in days.items()} for name, days in found.items()}


def everything_stands(house: House) -> bool:
    """Whether Slack holds each message that it was given, and none besides; nothing was said that stands nowhere."""
    assert "chat.postEphemeral" not in {call.method for call in house.sandbox.calls}
    given = [call.answer["ts"] for call in house.sandbox.calls if call.method == "chat.postMessage"]
    rooms = house.sandbox.workspace.channels.values()
    held = [ts for room in rooms for ts, message in room.messages.items() if "bot_id" in message]
    return sorted(given) == sorted(held)


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_each_message_of_two_weeks_comes_once_at_its_hour_and_to_nobody_else(database_url: str) -> None:
    async with house_over_socket_mode(database_url, starts=STARTS) as house:
        walk = Fortnight(house, ACTS)
        await walk.begin()
        await walk.until(ENDS)

        assert await what_came(house) == {name: lines(table) for name, table in CAME.items()}
        assert [line for name in TEAM for line in lines(CAME[name]).values() if is_twice(line)] == []
        assert everything_stands(house)
        assert house.steward.runner.failures == {}


@asynccontextmanager
async def two_at_work(sandbox: Sandbox, database_url: str) -> AsyncIterator[House]:
    """A Steward that starts now, and beside it a second worker that ticks and sends at the same moments."""
    async with at_home(sandbox, database_url) as house:
        slack = Slack(sandbox.bot_token, sandbox.api_url)
        second = Steward(
            Database(database_url, wait_ms=20_000), slack, clock=sandbox.clock, pace_seconds=0, settle=timedelta(0)
        )
        await second.open()
        both = (house.steward, second)

        async def together(_now: datetime) -> datetime | None:
            await asyncio.gather(*(each.runner.tick() for each in both))
            await asyncio.gather(*(each.sender.drain() for each in both))
            await house.steward.settle_homes()
            return await second.runner.next_due() or datetime.max.replace(tzinfo=UTC)

        sandbox.clock._callbacks.clear()
        sandbox.on_advance(together)
        await together(sandbox.clock.now())
        try:
            yield house
        finally:
            await second.stop()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_restart_a_second_worker_and_a_day_of_downtime_change_nothing_but_lateness(database_url: str) -> None:
    async with Sandbox(manifest(), rate_limits=False, timing=PATIENT_SLACK, optional_scopes=False) as sandbox:
        await begin_at(sandbox, STARTS)
        async with two_at_work(sandbox, database_url) as house:
            walk = Fortnight(house, ACTS)
            await walk.begin()
            await walk.until(STOPS)
        await sandbox.advance_to(IS_BACK)
        async with two_at_work(sandbox, database_url) as house:
            walk.house = house
            await walk.until(datetime(2031, 10, 28, 7, 45, tzinfo=UTC))
        async with two_at_work(sandbox, database_url) as house:
            walk.house = house
            await walk.until(ENDS)

            assert await what_came(house) == {name: lines(CAME[name], LATE.get(name, "")) for name in CAME}
            assert everything_stands(house)
