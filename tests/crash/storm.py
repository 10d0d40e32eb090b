"""Steward's real processes over a database and the sandbox's real HTTP, killed, frozen and failed at random instants.

People log actions and the clock owes words meanwhile. In the end what stands in Slack is counted against what was owed.
"""

import asyncio
import random
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import aiohttp
from sqlalchemy import func
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from bot.manifest import manifest
from models import outbox
from models.database import Database
from models.database_errors import DatabaseBusy
from models.tables import Delivery, DeliveryState, Person, Record
from sandbox import Sandbox, SandboxError
from sandbox.timing import Timing
from tests.crash.balancer import balancer_over
from tests.processes import Machine, Program, free_port

# The program with a shorter lease than its own 60 seconds, so that what was left behind is found in the time of a test;
# and with shorter pauses than its five minutes, or what met four faults is still to come when it is counted.
LEASE_SECONDS, SETTLE_SECONDS = 16, 3
PROGRAM = f"""
from datetime import timedelta
from bot import claimed
from scheduler import deliveries
claimed.BACKOFF_SECONDS = (5.0, 15.0, 30.0)
deliveries.LEASE, deliveries.SETTLE = timedelta(seconds={LEASE_SECONDS}), timedelta(seconds={SETTLE_SECONDS})
from bot.command_line import main
main()
"""

# In the first two Steward may read what it posted; in the third it may only post, so that an outcome can stay unknown.
READABLE, UNREADABLE = ("#general", "#network"), "#random"
PEOPLE = ("ana", "ben", "kavya", "tane")
SETTLED_SECONDS = 240.0
# Slack resends an event that was not acknowledged; here within seconds instead of minutes. And it waits longer for an
# answer, so that on a slow machine nothing but a process that is gone leaves one out.
SLACK = Timing(acknowledge=20.0, retries=(0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0))

# How Slack may fail: the arguments of `Sandbox.fail`, and whether nobody knows afterwards what came of the call.
FAULTS: tuple[tuple[dict[str, Any], bool], ...] = (
    ({"drop": "after"}, True),
    ({"drop": "before"}, True),
    ({"status": 500}, True),
    ({"error": "internal_error"}, True),
    ({"hang": 12.0}, True),
    ({"retry_after": 1, "times": 6}, False),
)


@dataclass(frozen=True)
class Told:
    """What is counted in the end. `residue` are messages that may be missing, because nobody could find out.

    `acted` are the commands that people gave; to `failed` Slack itself said that nobody answered, and to `put_off`
    Steward said that nothing was saved. `unheard` are the mentions that Slack gave up resending.
    """

    acted: int
    failed: int
    put_off: int
    owed: int
    posted: int
    duplicates: list[str]
    lost: list[str]
    unheard: list[str]
    residue: int
    unknowns: int
    stuck: int
    bad_stops: list[str]

    @property
    def is_well(self) -> bool:
        bad = [*self.duplicates, *self.lost, *self.bad_stops]
        return not bad and not self.stuck and self.residue <= self.unknowns


@dataclass
class Storm:
    """A running installation, and what was done to it. `owed` is what somebody was promised: its text -> its place."""

    slack: Sandbox
    database: Database
    machine: Machine
    variables: dict[str, object]
    chance: random.Random
    names: list[str]
    ports: dict[str, int]
    programs: dict[str, Program] = field(default_factory=dict)
    owed: dict[str, str] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    mentioned: dict[str, str] = field(default_factory=dict)
    bad_stops: list[str] = field(default_factory=list)
    cut_off: set[tuple[int | None, int]] = field(default_factory=set)
    _leaving: AsyncExitStack = field(default_factory=AsyncExitStack)
    _over: asyncio.Event = field(default_factory=asyncio.Event)
    _working: list[asyncio.Task[None]] = field(default_factory=list)
    _starting: asyncio.Lock = field(default_factory=asyncio.Lock)
    _supervising: asyncio.Task[None] | None = None

    # ---- the installation -------------------------------------------------------------------------------------------

    async def start(self, name: str) -> None:
        """Start a process, or start it again."""
        command = name.partition(" ")[0]
        port = {"PORT": self.ports[name]} if name in self.ports else {}
        program = self.machine.program(sys.executable, "-c", PROGRAM, command, **self.variables, **port)
        self.programs[name] = await self._leaving.enter_async_context(program)

    async def ready(self) -> None:
        """Wait until every process that is running works."""
        for name in self.programs:
            await self._is_ready(name)

    async def _is_ready(self, name: str) -> None:
        await self.programs[name].says("Steward answers" if name.startswith("web") else "Steward's worker reminds")

    def supervise(self) -> None:
        """From now on start again whatever ends by itself, as when Slack was out of reach at its start."""

        async def look() -> None:
            while True:
                await asyncio.sleep(0.5)
                async with self._starting:
                    for name, program in list(self.programs.items()):
                        if program.has_ended:
                            await self.start(name)

        self._supervising = asyncio.create_task(look())

    async def people_work(self) -> None:
        """From when Steward knows them, people log and the clock owes, until `settled`."""
        while await self._known() < len(PEOPLE):  # noqa: ASYNC110 - another process has no event to wait for
            await asyncio.sleep(0.1)
        ways = (self._log, self._mention, self._owe)
        self._working = [asyncio.create_task(way()) for way in ways]

    async def _known(self) -> int:
        async with self.database.unit(self.slack.team_id, writes=False) as session:
            names = col(Person.name).in_(PEOPLE)
            return (await session.exec(select(func.count()).select_from(Person).where(names))).one()

    async def _log(self) -> None:
        """One action after another; what was answered with "Logged" is owed as a card."""
        number = 0
        while not self._over.is_set():
            number += 1
            person, room = self.chance.choice(PEOPLE), self.chance.choice((*READABLE, UNREADABLE))
            title = f"Move rack {number:04}"
            outcome = await self.slack.person(person).command(room, "/action", title)
            said = str(outcome.body)
            self.asked["acted"] += 1
            self.asked["failed"] += not outcome.ok
            self.asked["put off"] += outcome.ok and "Nothing was saved" in said
            if outcome.ok and "Logged" in said:
                self.owed[title] = room
            await self._pause(0.8)

    async def _mention(self) -> None:
        """One event after another: what Slack was told it need not resend is owed as a card."""
        number = 0
        while not self._over.is_set():
            number += 1
            person, title = self.chance.choice(PEOPLE), f"Label rack {number:04}"
            self.mentioned[title] = self.chance.choice(READABLE)
            await self.slack.person(person).say(self.mentioned[title], f"<@{self.slack.bot_user_id}> action {title}")
            await self._pause(2.0)

    async def _owe(self) -> None:
        """A word to somebody, written into the outbox as any transaction does."""
        number = 0
        while not self._over.is_set():
            number += 1
            person, word = self.chance.choice(PEOPLE), f"Word {number:04}"
            with suppress(DatabaseBusy, SQLAlchemyError):
                async with self.database.unit(self.slack.team_id) as session:
                    payload, now = {"sentence": word}, datetime.now(UTC)
                    target = self.slack.person(person).id
                    await outbox.put(session, "word", key=word, target=target, payload=payload, due_at=now)
                self.owed[word] = f"@{person}"
            await self._pause(0.8)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), seconds)

    # ---- what is done to it -----------------------------------------------------------------------------------------

    async def kill(self, name: str | None = None) -> None:
        """kill -9 for one process, whatever it is doing, and start it again."""
        name = name or self.chance.choice(self.names)
        async with self._starting:
            await self.programs[name].kill()
            self.done[f"killed {name.partition(' ')[0]}"] += 1
            await self._note_calls()
            await self.start(name)

    async def stop(self, name: str) -> None:
        """SIGTERM for one process, whatever it is doing, and start it again when it has ended."""
        async with self._starting:
            await self._end(name)
            await self.start(name)

    async def _end(self, name: str) -> None:
        code, seconds = await self.programs[name].stopped()
        self.done[f"stopped {name.partition(' ')[0]}"] += 1
        has_given_up = code == 1 and "could be finished in" in self.programs[name].said
        if seconds > 10 or not (code == 0 or has_given_up):
            self.bad_stops.append(f"{name} ended with {code} after {seconds:.1f} s:\n{self.programs[name].said}")
        await self._note_calls()

    async def stop_all(self) -> None:
        """SIGTERM for all of them, at the same moment; they stay away until `start_all`."""
        await self._starting.acquire()
        await asyncio.gather(*(self._end(name) for name in self.names))

    async def start_all(self) -> None:
        for name in self.names:
            await self.start(name)
        await self.ready()
        self._starting.release()

    async def roll(self, names: list[str]) -> None:
        """Restart these one after the other, as at an upgrade; every other one is killed, at random from which on."""
        kills = self.chance.random() < 0.5
        for name in names:
            await (self.kill(name) if kills else self.stop(name))
            async with self._starting:
                await self._is_ready(name)
            kills = not kills

    @property
    def webs(self) -> list[str]:
        return list(self.ports)

    @property
    def workers(self) -> list[str]:
        return [name for name in self.names if name not in self.ports]

    async def is_calling(self) -> bool:
        """Whether somebody waits for Slack's answer to a message."""
        return any(row.state is DeliveryState.SENDING and row.call is not None for row in await self._rows())

    async def _note_calls(self) -> None:
        """Note the calls in whose middle somebody may just have been: of each nobody may ever know what came."""
        under_way = [row for row in await self._rows() if row.state is DeliveryState.SENDING and row.call is not None]
        self.cut_off |= {(row.id, row.attempt) for row in under_way}

    async def freeze(self, seconds: float) -> None:
        """Stop one worker for a while, and let it go on as if nothing had been."""
        name = self.chance.choice(self.workers)
        program = self.programs[name]
        program.signal(signal.SIGSTOP)
        self.done["frozen"] += 1
        await asyncio.sleep(seconds)
        program.signal(signal.SIGCONT)

    async def fail(self) -> None:
        """One of Slack's ways to fail, at the next message."""
        fault, is_unknown = self.chance.choice(FAULTS)
        self.slack.fail("chat.postMessage", **fault)
        self.done["faults"] += 1
        self.done["unknown"] += is_unknown

    async def be_unreachable(self, seconds: float) -> None:
        """Connections are refused; calls that were under way are cut."""
        self.done["outages"] += 1
        await self._note_calls()
        await self.slack.unreachable(seconds)

    async def health(self) -> int:
        """What `/healthz` of the first `web` answers."""
        url = f"http://127.0.0.1:{self.ports['web 1']}/healthz"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return answer.status

    # ---- what came of it --------------------------------------------------------------------------------------------

    async def settled(self) -> None:
        """People stop; wait until nothing is owed any more. What hangs longer is counted as stuck."""
        self._over.set()
        await asyncio.gather(*self._working)
        self.slack._core.faults.ordered.clear()
        until = monotonic() + SETTLED_SECONDS
        resent = min(until, monotonic() + sum(SLACK.retries) + SLACK.acknowledge)
        while monotonic() < resent and self._unheard():  # noqa: ASYNC110 - Slack resends when it does
            await asyncio.sleep(0.5)
        while monotonic() < until and any(_is_open(row) for row in await self._rows()):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.5)

    async def told(self) -> Told:
        """What stands in Slack against what was owed."""
        rooms = self.slack.workspace.channels.values()
        posts = [message for room in rooms for message in room.messages.values() if message.get("metadata")]
        rows = await self._rows()
        for title in self._heard():
            self.owed[title] = self.mentioned[title]
        numbers = Counter(message["metadata"]["event_payload"]["id"] for message in posts)
        records = Counter(await self._titles())
        words = {text: sum(text in str(message) for message in posts) for text in self.owed}
        unsure = Counter(row.kind for row in rows if row.state is DeliveryState.UNCONFIRMED)
        missing = [text for text, count in words.items() if count == 0]
        excused = [text for text in missing if self.owed[text] == UNREADABLE][: unsure["card"]]
        return Told(
            acted=self.asked["acted"],
            failed=self.asked["failed"],
            put_off=self.asked["put off"],
            owed=len(self.owed),
            posted=len(posts),
            duplicates=[str(number) for number, count in numbers.items() if count > 1]
            + [text for text, count in words.items() if count > 1]
            + [f"{title} as a record" for title, count in records.items() if count > 1],
            lost=[text for text in missing if text not in excused]
            + [f"{text} as a record" for text in self.owed if "rack" in text and not records[text]],
            unheard=self._unheard(),
            residue=sum(unsure.values()),
            unknowns=len(self.cut_off) + self.done["unknown"],
            stuck=sum(_is_open(row) for row in rows),
            bad_stops=self.bad_stops,
        )

    def _heard(self) -> list[str]:
        """The mentions that were acknowledged."""
        mentions = [each for each in self.slack.deliveries if each.kind == "app_mention"]
        heard = [str(each.payload) for each in mentions if each.outcome == "200"]
        return [title for title in self.mentioned if any(title in payload for payload in heard)]

    def _unheard(self) -> list[str]:
        return sorted(set(self.mentioned) - set(self._heard()))

    async def _titles(self) -> list[str]:
        async with self.database.unit(self.slack.team_id, writes=False) as session:
            return list(await session.exec(select(Record.title)))

    async def _rows(self) -> list[Delivery]:
        async with self.database.unit(self.slack.team_id, writes=False) as session:
            return list(await session.exec(select(Delivery).order_by(col(Delivery.id))))

    async def end(self) -> None:
        self._over.set()
        for task in [*self._working, *([self._supervising] if self._supervising else [])]:
            task.cancel()
            with suppress(asyncio.CancelledError, SandboxError):
                await task
        await self._leaving.aclose()


@asynccontextmanager
async def storm(
    folder: Path, url: str, *, workers: int, seed: int, webs: int = 1, looks_at: str | None = None
) -> AsyncIterator[Storm]:
    """So many `web`s behind one address, and `worker`s, over a migrated database, ready, with people at work.

    `looks_at` is the database's own address where the processes reach it by another.
    """
    ports = {f"web {number}": free_port() for number in range(1, webs + 1)}
    async with AsyncExitStack() as stack:
        _, port = await stack.enter_async_context(balancer_over(list(ports.values())))
        request_url = f"http://127.0.0.1:{port}/slack/events"
        described = manifest(request_url=request_url)
        slack = await stack.enter_async_context(Sandbox(described, request_url=request_url, timing=SLACK))
        variables: dict[str, object] = {
            "DATABASE_URL": url,
            "SLACK_API_URL": slack.api_url,
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_SIGNING_SECRET": slack.signing_secret,
        }
        names = [*ports, *(f"worker {number}" for number in range(1, workers + 1))]
        database = Database(looks_at or url, wait_ms=10_000)
        running = Storm(slack, database, Machine(folder), variables, random.Random(seed), names, ports)
        try:
            for name in names:
                await running.start(name)
            await running.ready()
            running.supervise()
            await running.people_work()
            yield running
        finally:
            await running.end()
            await database.dispose()


def _is_open(row: Delivery) -> bool:
    """Whether something is still to come: not of what is late for good or a card's update that waits for its turn."""
    is_due = row.state is DeliveryState.DUE and row.due_at < datetime.now(UTC) + timedelta(minutes=1)
    return is_due or row.state is DeliveryState.SENDING
