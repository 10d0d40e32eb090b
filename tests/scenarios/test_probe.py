"""Nobody reaches a private record by any way in: each is tried by the wrong people and from the wrong workspace.

What they are answered is the same as for a record that does not exist, word for word, and nothing is stored.
"""

import json
import logging
import re
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import time
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text, update
from sqlmodel import select

from bot import answers
from bot import incoming as parsing
from bot.assemble import Slack, Steward
from bot.incoming import Incoming
from bot.slack_port import SlackPermanent
from handlers import commands, registry
from handlers.request import SourceMessage, Where
from models import directory, standups
from models.clock import SystemClock
from models.database import sqlite_path
from models.kinds import KINDS
from models.labels import Confidentiality
from models.permissions import Actor, Standing, actor_of
from models.standups import Plan
from models.tables import Delivery, EntryState, History, Record, StandupReport, Workspace
from reports.export import export
from scheduler.notices import DELIVERY_KINDS
from tests.scenarios import probes
from tests.scenarios.house import PATIENT_SECONDS, House
from tests.scenarios.probes import Aim, Aims
from tests.support import make_channel, make_person
from views.forms import FormContext

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

SECRETS = ("Zanzibar", "Quokka", "quokka", "Narwhal", "Axolotl", "walrus")
ELSEWHERE = "T0000ELSEWH"
OTHER = Workspace(id=ELSEWHERE, name="Elsewhere", bot_user_id="U0000OTHER")
NETWORK, STEERING = "C00000000NE", "C00000000ST"

TABLES: Mapping[str, tuple[Aims, Any]] = {
    "BUTTONS": (probes.BUTTONS, registry.BUTTONS),
    "FORMS": (probes.FORMS, registry.FORMS),
    "SHORTCUTS": (probes.SHORTCUTS, registry.SHORTCUTS),
    "MENUS": (probes.MENUS, registry.MENUS),
    "EVENTS": (probes.EVENTS, registry.EVENTS),
    "COMMANDS": (probes.COMMANDS, [command.name for command in commands.COMMANDS]),
    "VERBS": (probes.VERBS, [verb.word for verb in commands.VERBS]),
    "ABOUT_RECORD": (probes.ABOUT_RECORD, commands.ABOUT_RECORD),
    "LISTS": (probes.LISTS, commands.LISTS),
    "NOTICES": (probes.NOTICES, [kind.key for kind in DELIVERY_KINDS]),  # type: ignore[dict-item]
}

_numbers = count(1)


@pytest.mark.parametrize("table", TABLES)
def test_every_way_in_has_its_line_in_the_probes(table: str, engine: str) -> None:
    """A new one is added to tests/scenarios/probes.py, so that it is tried by the wrong people too."""
    tried, there = TABLES[table]

    assert set(tried) == set(there)
    assert all(aims for aims in tried.values() if isinstance(aims, tuple))


@dataclass(frozen=True)
class Target:
    """What a try is aimed at: the words that stand for `{action}`, `{project}` and so on."""

    words: Mapping[str, str]

    def fill(self, value: Any, person_id: str) -> Any:
        """The value with every `{word}` in it replaced."""
        if isinstance(value, str):
            return re.sub(
                r"\{(\w+)\}",
                lambda found: {**self.words, "person": person_id, "number": str(next(_numbers))}[found[1]],
                value,
            )
        if isinstance(value, Mapping):
            return {key: self.fill(each, person_id) for key, each in value.items()}
        return tuple(self.fill(each, person_id) for each in value) if isinstance(value, tuple) else value

    def blurred(self, text: str) -> str:
        """The text with what the try was aimed at made unrecognisable, to compare it with another's."""
        aimed_at = [each for key, each in self.words.items() if key not in ("open", "version") and len(each) > 1]
        text = text.replace("\\n", "\n")
        for word in sorted({*aimed_at, STEERING}, key=len, reverse=True):
            text = re.sub(rf"(?<![\w-]){re.escape(word)}(?!\w)", "…", text)
        return re.sub(r"\d\d:\d\d|<!date\^\d+|(?<=project_id\W{4})\d+", "…", text)


@dataclass
class Eye:
    """Sees everything that Steward says to Slack, and lets nothing of it out."""

    said: list[Any]
    ask: Callable[..., Awaitable[dict[str, Any]]]

    async def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        if method.startswith(("users.", "conversations.")):
            return await self.ask(method, **arguments)
        arguments.pop("metadata", None)
        self.said.append([method, arguments])
        return {"ok": True, "channel": arguments.get("channel"), "ts": "1900000000.000200"}

    async def send(self, url: str, body: dict[str, Any]) -> bool:
        self.said.append(body)
        return True


@asynccontextmanager
async def watched(house: House) -> AsyncIterator[Eye]:
    """The house with nobody outside it."""
    steward = house.steward
    eye, port = Eye([], house.here.port.call), house.here.port
    await steward.runner.stop()
    outside = port.call, steward.responder.send
    port.call, steward.responder.send = eye.call, eye.send  # type: ignore[method-assign]
    try:
        yield eye
    finally:
        port.call, steward.responder.send = outside  # type: ignore[method-assign]


@dataclass
class Eavesdropper:
    """The database as rows, read from the side."""

    connection: sqlite3.Connection
    seen: tuple[Any, dict[str, list[Any]]] | None = None

    def rows(self) -> dict[str, list[Any]]:
        """Every row by table; read anew only when somebody has written."""
        (version,) = self.connection.execute("PRAGMA data_version").fetchone()
        if self.seen is None or self.seen[0] != version:
            tables = [
                name for (name,) in self.connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            ]
            self.seen = version, {name: self._all(name) for name in tables}
        return self.seen[1]

    def _all(self, table: str) -> list[Any]:
        cursor = self.connection.execute(f"SELECT * FROM {table}")
        names = [column[0] for column in cursor.description]
        # When Slack was last asked is no part of anybody's project.
        kept = [n for n, name in enumerate(names) if name != "members_known_at"]
        return [tuple(row[n] for n in kept) for row in cursor]


@pytest.fixture
def eavesdropper(database_url: str) -> Iterator[Eavesdropper]:
    path = sqlite_path(database_url)
    assert path is not None
    connection = sqlite3.connect(path, isolation_level=None)
    yield Eavesdropper(connection)
    connection.close()


async def refused(method: str, **arguments: Any) -> dict[str, Any]:
    """A Slack that knows nobody and nothing that it is asked about."""
    raise SlackPermanent("user_not_found" if method.startswith("users.") else "channel_not_found")


class Elsewhere:
    """An access to the one other workspace."""

    async def open(self) -> None:
        pass

    async def workspaces(self) -> list[Workspace]:
        return [OTHER]

    async def find(self, workspace_id: str, enterprise_id: str = "") -> Workspace | None:
        return OTHER if workspace_id == ELSEWHERE else None

    async def token(self, workspace_id: str) -> str:
        return "xoxb-elsewhere"

    def scopes(self, workspace_id: str) -> frozenset[str]:
        return frozenset()

    async def heard_from(self, workspace_id: str) -> None:
        pass


@asynccontextmanager
async def elsewhere(house: House, eye: Eye) -> AsyncIterator[House]:
    """A second workspace in the same database, with Ana and the open channel in it and nothing logged."""

    steward = Steward(
        house.steward.database,
        Slack("xoxb-elsewhere", "http://slack.example"),
        access=Elsewhere(),
        clock=house.sandbox.clock,
        patience_seconds=PATIENT_SECONDS,
    )
    steward.responder.send = eye.send  # type: ignore[method-assign]
    here = await steward.served(ELSEWHERE)
    here.port.call = Eye(eye.said, refused).call  # type: ignore[method-assign]
    ana = house.sandbox.person("ana").id
    async with steward.database.unit(ELSEWHERE) as session:
        session.add(Workspace(**OTHER.model_dump()))
        await make_person(session, "ana", id=ana)
        await make_channel(session, "network", id=NETWORK, members=[ana])
    yield House(house.sandbox, steward, here)
    await here.port.close()
    await steward.responder.close()


async def with_a_secret(house: House) -> tuple[Target, Target]:
    """A private project with a record of each kind and an open one; what is there to aim at, and what is not."""
    ana, ben, kavya = (house.sandbox.person(name) for name in ("ana", "ben", "kavya"))
    await ana.invite("#steering", "steward")
    await house.settled()
    for kind in KINDS:
        await ana.command("#steering", f"/{kind.key}", "Zanzibar #quokka by 2031-11-24\nAxolotl")
    await ben.command("#network", "/action", "Order two racks")
    await ana.command("#network", "/steward", "settings")
    await ana.submit({"coordinator_id": kavya.id})
    await ana.command("#steering", "/steward", "settings")
    await ana.submit({"name": "Operation Narwhal"})
    await ana.rename_channel("#steering", "walrus-room")
    await house.settled()
    everything = await house.export()
    (project,) = [each for each in everything.projects if each["name"] == "Operation Narwhal"]
    hidden = {each["kind"]: each["reference"] for each in everything.records if each["project_id"] == project["id"]}
    (open_one,) = [each["reference"] for each in everything.records if each["project_id"] != project["id"]]
    assert set(hidden) == {kind.key for kind in KINDS}
    async with house.steward.database.engine.begin() as connection:
        await connection.execute(text("UPDATE history SET batch = 'batch-of-secrets' WHERE project_id = :id"), project)
    standup, round_ = await with_a_standup(house)
    there = {
        **hidden,
        "standup": standup,
        "round": round_,
        "insider": ben.id,
        "batch": "batch-of-secrets",
        "project": str(project["id"]),
        "channel": STEERING,
        "version": "1",
        "open": open_one,
    }
    absent = {kind.key: f"{kind.letter}9876" for kind in KINDS}
    absent |= {
        "standup": "9871",
        "round": "9872",
        "insider": "U0000ABSENT",
        "batch": "batch-of-nothing",
        "project": "98765",
        "channel": "C0000ABSENT",
        "version": "1",
        "open": open_one,
    }
    return Target(there), Target(absent)


async def with_a_standup(house: House) -> tuple[str, str]:
    """A stand-up of the private channel and a round of it that nobody answered."""
    ana, now = house.sandbox.person("ana"), house.sandbox.clock.now()
    plan = Plan(
        channel_id=STEERING,
        name="Narwhal daily",
        questions=["What about Zanzibar?"],
        asks_mood=False,
        weekdays=range(7),
        every_weeks=1,
        at=time(9),
        zone="Europe/Berlin",
        window_minutes=60,
        nudge_minutes=0,
        participants=(),
        report=StandupReport.DIGEST,
        missing_to=None,
        makes_issues=False,
    )
    async with house.steward.database.unit(house.sandbox.team_id) as session:
        standup = await standups.create(session, Actor(ana.id, Standing.MEMBER), plan, today=now.date(), now=now)
        round_ = await standups.run_now(session, standup, today=now.date(), now=now)
        assert round_ is not None
        for entry in await standups.entries(session, round_):
            entry.state = EntryState.MISSED
    await house.settled()
    return str(standup.id), str(round_.id)


# Of these also the words are compared with those about a record that is not there; the rest are told nothing at all.
COMPARED = ("a member", "a guest", "somebody of another company")


async def wrong_people(house: House) -> dict[str, str]:
    """Who is none of the private channel: how they stand -> their id."""
    sandbox = house.sandbox
    sandbox.change_person("kavya", is_admin=True)
    zoe = sandbox.add_person("zoe", "Zoe of another company")
    await sandbox.person("ana").invite("#network", "zoe")
    await house.settled()
    await house.here.directory.save_person({"id": zoe.id, "name": "zoe", "is_stranger": True})
    return {
        "a member": sandbox.person("tane").id,
        "an admin who coordinates another project": sandbox.person("kavya").id,
        "a guest": sandbox.person("mia").id,
        "somebody of another company": zoe.id,
        "somebody deactivated": sandbox.person("omar").id,
        "an app": sandbox.bot_user_id,
        "somebody whom Slack does not know": "U0000NOBODY",
    }


def tries(surface: str, name: str, aim: Aim) -> Iterator[Incoming]:
    """The aim as Slack would deliver it, on each surface where it may be, from the open channel and the private one."""
    base = Incoming(
        where=Where.COMMAND,
        name=aim.name or name,
        workspace_id="",
        person_id="",
        source_key="",
        channel_id=NETWORK,
        text=aim.text,
        value=aim.value,
        context=FormContext(**aim.context),
        state={block: {block: _element(block, value)} for block, value in aim.state.items()},
        response_url="https://answer.example",
        trigger_id="1.1",
        view={"id": "V1", "hash": "h"},
        payload=aim.payload,
    )
    match surface:
        case "BUTTONS":
            card = SourceMessage(ts="1900000000.000100", text="A card")
            places = {
                Where.MESSAGE: {"message": card},
                Where.MODAL: {},
                Where.HOME: {"channel_id": "", "response_url": ""},
                # Still on the screen of somebody who is no longer in the channel.
                Where.EPHEMERAL: {"channel_id": STEERING},
            }
            for where in aim.wheres or (Where.MESSAGE, Where.EPHEMERAL):
                yield replace(base, where=where, **places[where])  # type: ignore[arg-type]
        case "FORMS":
            yield replace(base, where=Where.FORM, channel_id=base.context.channel_id)
        case "SHORTCUTS":
            message = SourceMessage(ts="1.1", text=aim.text, link="https://archives.example/p1")
            yield replace(base, where=Where.SHORTCUT, message=message)
            yield replace(base, where=Where.SHORTCUT, channel_id="", response_url="")
        case "MENUS":
            yield replace(base, where=Where.OPTIONS, channel_id="", response_url="")
        case "EVENTS":
            yield replace(base, where=Where.EVENT)
        case "COMMANDS" | "ABOUT_RECORD" | "VERBS":
            yield base if surface == "COMMANDS" else replace(base, name="/steward")
        case _:
            yield replace(base, name="/steward")
            yield replace(base, name="/steward", channel_id="D0000DIRECT")


def _element(block: str, value: str) -> dict[str, Any]:
    shapes = {"project": {"selected_option": {"value": value}}, "all": {"selected_options": [{"value": value}]}}
    return shapes.get(block, {"value": value})


def aimed(attempt: Incoming, target: Target, person_id: str, workspace_id: str) -> Incoming:
    """The try at this target, by this person, in an envelope of its own."""
    context = {key: value for key, value in asdict(attempt.context).items() if value}
    if attempt.where is Where.EVENT:
        body = {"team_id": workspace_id, "event_id": f"Ev{next(_numbers)}"}
        return parsing.event(body | {"event": {"type": attempt.name, **target.fill(attempt.payload, person_id)}})
    filled = target.fill(context, person_id)
    if isinstance(filled.get("project_id"), str):
        filled["project_id"] = int(filled["project_id"])
    return replace(
        attempt,
        workspace_id=workspace_id,
        person_id=person_id,
        source_key=f"probe:{next(_numbers)}",
        text=target.fill(attempt.text, person_id),
        value=target.fill(attempt.value, person_id),
        context=FormContext(**filled),
        state=target.fill(attempt.state, person_id),
        channel_id=target.fill(attempt.channel_id, person_id),
    )


def every_try() -> Iterator[tuple[str, Aim, Incoming]]:
    for surface, (tried, _) in TABLES.items():
        if surface != "NOTICES":
            for name, aims in tried.items():
                for aim in aims:
                    for attempt in tries(surface, name, aim):
                        yield f"{surface} {name}", aim, attempt


async def answered(house: House, eye: Eye, request: Incoming) -> str:
    """Everything that anybody is told because of the request."""
    eye.said.clear()
    acknowledgement = await house.steward.answer(request)
    await house.steward.background.settle()
    await house.steward.settle_homes()
    if request.where is Where.EVENT:
        await house.steward.sender.drain()
    return json.dumps([acknowledgement, eye.said], ensure_ascii=False, default=str)


def complaints(where: str, before: Mapping[str, list[Any]], after: Mapping[str, list[Any]], aim: Aim) -> Iterator[str]:
    for table, rows in after.items():
        if rows != before[table] and table not in (*aim.stores, "seen_request"):
            yield f"{where}: {table} changed"


def differences(where: str, here: str, there: str) -> Iterator[str]:
    if here != there:
        start = next(n for n in count() if here[n : n + 1] != there[n : n + 1])
        yield f"{where}: tells …{here[max(0, start - 100) : start + 200]}… and not …{there[start : start + 200]}…"


async def test_no_way_in_leads_the_wrong_people_to_a_private_record(
    house: House, eavesdropper: Eavesdropper, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever they press, submit, choose or type; and they cannot tell the record from one that is not there."""
    secret, absent = await with_a_secret(house)
    people = await wrong_people(house)
    team, found = house.sandbox.team_id, []
    caplog.set_level(logging.INFO)
    caplog.clear()

    async with watched(house) as eye:
        for who, person_id in people.items():
            for name, aim, attempt in every_try():
                if aim.is_slacks_word:
                    continue
                where = f"{who}: {name} {attempt.where.value} {attempt.text or attempt.value} in {attempt.channel_id}"
                before = eavesdropper.rows()
                here = await answered(house, eye, aimed(attempt, secret, person_id, team))
                found += complaints(where, before, eavesdropper.rows(), aim)
                found += [f"{where}: tells {word!r}" for word in SECRETS if word in here]
                found += [f"{where}: fails"] if "Something went wrong" in here else []
                if who in COMPARED:
                    there = await answered(house, eye, aimed(attempt, absent, person_id, team))
                    found += differences(where, secret.blurred(here), absent.blurred(there))

    assert found == [], "\n".join(found[:20])
    assert [word for word in SECRETS if word in caplog.text] == []


async def test_no_message_export_or_home_tells_the_wrong_people_of_a_private_record(house: House) -> None:
    """What is owed to a person is drawn with that person's rights; what goes to a channel goes to the record's own."""
    secret, _ = await with_a_secret(house)
    people = await wrong_people(house)
    kinds = {kind.key: kind for kind in DELIVERY_KINDS}
    said: dict[str, Any] = {}

    async with house.steward.database.unit(house.sandbox.team_id, writes=False) as session:
        query = select(Record).where(Record.kind == "action", Record.number == int(secret.words["action"][1:]))
        record = (await session.exec(query)).one()
        for who, person_id in people.items():
            person = await directory.person(session, person_id)
            if person is not None:
                said[f"{who}: export"] = asdict(await export(session, actor_of(person)))
            for key, payload in probes.NOTICES.items():
                if payload is None:
                    continue
                owed = Delivery(
                    id=1,
                    workspace_id=house.sandbox.team_id,
                    kind=key,
                    dedupe_key="probe",
                    lane="probe",
                    target=person_id,
                    record_id=record.id,
                    payload=secret.fill(payload, person_id),
                    due_at=SystemClock().now(),
                )
                said[f"{who}: {key}"] = await kinds[key].draw(session, owed, house.sandbox.clock.now())

    leaked = [f"{where}: tells {word!r}" for where, told in said.items() for word in SECRETS if word in str(told)]
    assert leaked == []


async def with_confidential_records(house: House) -> tuple[Target, Target]:
    """A confidential record of each kind in the open project; what is there to aim at, and what is not."""
    ben = house.sandbox.person("ben")
    await house.sandbox.person("ana").command("#network", "/action", "Order two racks")
    for kind in KINDS:
        await ben.command("#network", f"/{kind.key}", "Zanzibar #quokka by 2031-11-24\nAxolotl")
    await house.settled()
    async with house.steward.database.unit(house.sandbox.team_id) as session:
        await session.exec(
            update(Record).where(Record.raised_by == ben.id).values(confidentiality=Confidentiality.CONFIDENTIAL)
        )
        await session.exec(update(History).where(History.actor_id == ben.id).values(batch="batch-of-secrets"))
    records = (await house.export()).records
    there = {each["kind"]: each["reference"] for each in records if each["raised_by"] == ben.id}
    same = {
        "project": str(records[0]["project_id"]),
        "channel": NETWORK,
        "version": "1",
        "open": records[0]["reference"],
        "standup": "9871",
        "round": "9872",
        "insider": ben.id,
    }
    absent = {kind.key: f"{kind.letter}9876" for kind in KINDS}
    return (
        Target({**there, **same, "batch": "batch-of-secrets"}),
        Target({**absent, **same, "batch": "batch-of-nothing"}),
    )


ABOUT_ONE = re.compile(r"\{(?:batch|" + "|".join(kind.key for kind in KINDS) + r")\}")
LISTING = re.compile(
    r"(LISTS|MENUS|VERBS (list|my|overdue|waiting|find|undo|projects)|BUTTONS (list|found|home|select)) ?"
)


async def test_no_way_in_leads_others_to_a_confidential_record(house: House, eavesdropper: Eavesdropper) -> None:
    """Who sees its project, even as an admin, cannot tell it from one that is not there, and is told nothing of it."""
    secret, absent = await with_confidential_records(house)
    house.sandbox.change_person("kavya", is_admin=True)
    team, found, said = house.sandbox.team_id, [], {}
    kinds = {kind.key: kind for kind in DELIVERY_KINDS}

    async with watched(house) as eye:
        for person_id in (house.sandbox.person(name).id for name in ("kavya", "mia")):
            for name, aim, attempt in every_try():
                is_aimed = ABOUT_ONE.search(str(aim))
                if aim.is_slacks_word or not (is_aimed or LISTING.match(name)):
                    continue
                where = f"{person_id}: {name} {attempt.where.value} {attempt.text or attempt.value}"
                before = eavesdropper.rows()
                here = await answered(house, eye, aimed(attempt, secret, person_id, team))
                found += complaints(
                    where, before, eavesdropper.rows(), replace(aim, stores=aim.stores | {"channel", "person"})
                )
                found += [f"{where}: tells {word!r}" for word in SECRETS if word in here]
                if is_aimed:
                    there = await answered(house, eye, aimed(attempt, absent, person_id, team))
                    found += differences(where, secret.blurred(here), absent.blurred(there))
            async with house.steward.database.unit(team, writes=False) as session:
                person = await directory.person(session, person_id)
                assert person is not None
                said[f"{person_id}: export"] = asdict(await export(session, actor_of(person)))
                query = select(Record).where(Record.kind == "action", Record.number == int(secret.words["action"][1:]))
                record = (await session.exec(query)).one()
                for key, payload in probes.NOTICES.items():
                    if payload is not None:
                        owed = Delivery(
                            id=1, workspace_id=team, kind=key, dedupe_key="probe", lane="probe", target=person_id,
                            record_id=record.id, payload=secret.fill(payload, person_id), due_at=SystemClock().now(),
                        )  # fmt: skip
                        said[f"{person_id}: {key}"] = await kinds[key].draw(session, owed, house.sandbox.clock.now())

    found += [f"{where}: tells {word!r}" for where, told in said.items() for word in SECRETS if word in str(told)]
    assert found == [], "\n".join(found[:20])


async def test_an_envelope_of_another_workspace_reaches_nothing(house: House, eavesdropper: Eavesdropper) -> None:
    """Not even from somebody who may do it here."""
    secret, _ = await with_a_secret(house)
    ana = house.sandbox.person("ana").id
    found = []

    async with watched(house) as eye:
        for name, _, attempt in every_try():
            before = eavesdropper.rows()
            request = aimed(attempt, secret, ana, ELSEWHERE)
            told = await answered(house, eye, request)
            nothing = json.dumps([answers.not_installed(request), []], ensure_ascii=False)
            found += [f"{name}: tells {told}"] if told != nothing else []
            found += complaints(name, before, eavesdropper.rows(), Aim())

    assert found == [], "\n".join(found[:20])


async def test_the_same_ids_in_another_workspace_mean_nothing_there(house: House) -> None:
    """A second workspace in the same database, with the same people in it: its units see nothing of the first."""
    secret, absent = await with_a_secret(house)
    ana, before = house.sandbox.person("ana").id, await house.stored()
    found = []

    async with watched(house) as eye, elsewhere(house, eye) as other:
        for name, aim, attempt in every_try():
            if aim.is_slacks_word:
                continue
            here = await answered(other, eye, aimed(attempt, secret, ana, ELSEWHERE))
            there = await answered(other, eye, aimed(attempt, absent, ana, ELSEWHERE))
            found += [f"{name}: tells {word!r}" for word in SECRETS if word in here]
            found += differences(name, secret.blurred(here), absent.blurred(there))

    assert found == [], "\n".join(found[:20])
    assert await house.stored() == before
