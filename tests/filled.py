"""A workspace with a life behind it: rows in every table, and values in every column that are not its first ones.

It comes about by the product's own operations and jobs and by what follows a message that was sent, so what rows hold
of each other is true. `tests/test_filled.py` fails for a table or column that stays empty: let something happen here
that fills it.

await fill(database, "T0001")
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import (
    absences,
    batches,
    capturing,
    carrying,
    comments,
    directory,
    erased,
    escalations,
    installations,
    leaving,
    links,
    manners,
    moves,
    operations,
    outbox,
    projects,
    repeating,
    requests,
    standups,
    summaries,
    undoing,
    watching,
)
from models.database import Database
from models.kinds import KINDS, Item, Kind, kind_of, read_reference
from models.kinds.action import ACTION
from models.kinds.issue import ISSUE
from models.kinds.risk import RISK, RiskEnd
from models.labels import Confidentiality, LinkType, SourceChange
from models.permissions import Actor, actor_of
from models.tables import (
    ChannelReminder,
    Delivery,
    Editors,
    EntryState,
    Person,
    Project,
    Record,
    StandupReport,
    Workspace,
)
from scheduler import deliveries
from scheduler.deliveries import Call, Wait
from scheduler.jobs import JOBS
from scheduler.notices import DELIVERY_KINDS
from tests.support import NOW, WORKSPACE, a_plan, make_channel, make_person, make_workspace, value_of
from tests.support_installations import an_installation

# Another workspace, from which Steward was removed.
GONE = "T0GONE"
MONDAY = NOW
# The last instant of what `fill` lets happen: a Friday evening.
AFTERWARDS = datetime(2026, 3, 13, 18, 0, tzinfo=UTC)

# When the workspace was last brought from elsewhere, long before all that.
RESTORED = MONDAY - timedelta(days=30)
KEYS_FROM = 7_000_000
# A value for a column of each type but choices.
ANYTHING: Mapping[type, Any] = {
    int: 1,
    bool: False,
    object: {},
    str: "x",
    datetime: NOW,
    date: NOW.date(),
    time: time(9),
}
EVERYBODY = ("UANA", "UBEN", "UCLEO", "UGUS")
NOTICES = deliveries.by_key(DELIVERY_KINDS)
OWN_FIELDS = "Vendor\nCost centre: A 1 | B 2"
MANNERS: Mapping[str, Any] = {
    "digest_at": time(8, 30),
    "wants_digest": True,
    "quiet_from": time(22),
    "quiet_until": time(7),
    "nags_a_day": 5,
}
OWN_VALUES = {"own:Vendor": "Axolotl Ltd", "own:Cost centre": "B 2"}
SETTINGS: Mapping[str, Any] = {
    "coordinator_id": "UANA",
    "sponsor_id": "UCLEO",
    "working_days": "mon tue wed thu",
    "holiday_country": "DE",
    "holiday_subdivision": "BY",
    "days_off": "2026-12-24 2026-12-31",
    "who_may_edit": Editors.OWNERS,
    "may_others_log": True,
    "currency": "EUR",
    "own_fields": OWN_FIELDS,
    "lead_days": 4,
    "remind_before_minutes": 30,
    "channel_reminder": ChannelReminder.DUE_DAY,
    "names_in_channel": True,
    "escalates": True,
    "grace_days": 1,
    "has_summary": True,
    "summary_day": "thu",
    "summary_at": time(16),
}


async def fill_at(url: str) -> None:
    """Fill the SQLite database of that address, to which nobody is connected afterwards.

    Its keys begin above `KEYS_FROM`, so that they can be told from every other number: another workspace, T0000, has a
    row with that key in every table.
    """
    async with Database(url) as database:
        await take_keys(database, KEYS_FROM)
        await fill(database, WORKSPACE)
        await install(database)


async def take_keys(database: Database, key: int) -> None:
    """Give another workspace, T0000, a row with that key in every table that has keys."""
    async with database.outside(writes=True) as connection:
        for table in carrying.tables():
            if "id" in {column.name for column in carrying.keys(table)}:
                values = {column.name: anything(carrying.python_type(column)) for column in table.columns}
                taken = {column.name: key for column in carrying.keys(table)}
                await connection.execute(table.insert(), values | taken | {"workspace_id": "T0000"})


async def install(database: Database) -> None:
    """What belongs to no workspace: an installation of an organisation, one that was removed, and one begun."""
    wide = an_installation(
        "E0001",
        enterprise_id="E0001",
        sealed_tokens="sealed",
        expires_at=AFTERWARDS,
        refreshing_until=AFTERWARDS,
        refresh_error="ratelimited",
    )
    await installations.save(database, wide)
    refused = {"refused_since": MONDAY, "refused_at": AFTERWARDS}
    await installations.save(database, an_installation(GONE, removed_at=MONDAY, **refused))
    await installations.begin(database, "0" * 64, now=MONDAY, expires_at=AFTERWARDS)
    gone = Workspace(id=GONE, name="Gone", bot_user_id="UBOT", installation_id="E0001", removed_at=MONDAY, **refused)
    async with database.unit(GONE) as session:
        session.add(gone)


async def fill(database: Database, workspace_id: str) -> None:
    """Two weeks of a workspace, up to `AFTERWARDS`."""
    now = MONDAY
    for hours, happens in LIFE:
        now = MONDAY + timedelta(hours=hours)
        async with database.unit(workspace_id) as session:
            for job in JOBS:
                await job.run(session, now)
        await post_what_is_due(database, workspace_id, now)
        async with database.unit(workspace_id) as session:
            await happens(session, now)
    assert now == AFTERWARDS
    await database.beat("sender", now)


def anything(kind: type) -> Any:
    """A value for a column that holds values of that type."""
    return next(iter(kind)) if issubclass(kind, Enum) else ANYTHING[kind]


async def post_what_is_due(database: Database, workspace_id: str, now: datetime) -> None:
    """Send what is owed by the rules of the sender, in a Slack that takes everything but messages to Gus."""
    claimed = True
    while claimed:
        async with database.unit(workspace_id) as session:
            await deliveries.expire(session, NOTICES, now=now)
            claimed = await deliveries.claim(session, NOTICES, now=now, wall=now, worker="worker", limit=100)
            for row in claimed:
                await _settle(session, row, now)


async def _settle(session: AsyncSession, row: Delivery, now: datetime) -> None:
    kind = NOTICES[row.kind]
    draft = await deliveries.drawn(session, row, kind, now=now)
    if draft is None:
        await deliveries.cancel(session, row)
    elif isinstance(draft, Wait):
        await deliveries.settle_not_sent(session, row, kind, retry_at=draft.until, error="quiet hours")
    elif draft.channel == "UGUS":
        parked = await deliveries.park(session, row, error="cannot_dm_bot")
        if parked is not None and kind.failed is not None:
            await kind.failed(session, parked, now)
    else:
        sent = await deliveries.settle_sent(
            session, row, channel=draft.channel, ts=draft.ts or f"{now.timestamp():.0f}.{(row.id or 0) - KEYS_FROM:06}"
        )
        if sent is not None and kind.sent is not None:
            await kind.sent(session, sent, draft, now)


# What happens ------------------------------------------------------------------------------------------------------


async def found(session: AsyncSession, now: datetime) -> None:
    """A workspace, its people and channels, and two projects with settings of their own."""
    workspace = await make_workspace(session)
    workspace.warmed_at = now
    await make_person(session, "ana", is_admin=True, timezone="America/New_York")
    for name in ("ben", "cleo", "gus"):
        await make_person(session, name)
    await make_person(session, "dora", is_guest=True)
    await make_person(session, "eva", is_external=True)
    await make_person(session, "robot", is_bot=True)
    await make_person(session, "finn", is_active=False)
    move = await make_channel(session, "move", members=EVERYBODY, is_shared=True)
    secret = await make_channel(session, "secret", members=["UANA", "UBEN", "UCLEO"], is_private=True)
    await make_channel(session, "attic", members=EVERYBODY, is_archived=True)
    ana = await actor(session, "UANA")
    await capturing.set_reactions(session, ana, {"risk": "fire"})
    for channel, name in ((secret, "Secret"), (move, "Data centre move")):
        channel.greeted_at = now
        project = await projects.begin(session, ana, channel, name=name, timezone="Europe/Berlin", now=now)
        settings = {**SETTINGS, "escalates": name != "Secret", "has_summary": name != "Secret"}
        await projects.change_settings(session, ana, project, settings, version=project.version, now=now)
    for person in await session.exec(select(Person).where(col(Person.id).in_(EVERYBODY))):
        person.current_project_id = project.id
        person.home_opened_at = now
        await manners.change(session, person, {**MANNERS, "wants_digest": person.id != "UANA"})


async def log(session: AsyncSession, now: datetime) -> None:
    """A record of every kind with all its fields, one that only a few may see, a draft, and one that is archived."""
    for kind in KINDS:
        await make(session, kind, now, **every_value(kind), **OWN_VALUES)
    await make(session, RISK, now, owner_id="UCLEO", confidentiality=Confidentiality.CONFIDENTIAL, helpers=["UBEN"])
    await make(session, ACTION, now, owner_id="UGUS", due_date=date(2026, 3, 3))
    source = operations.Source("https://slack.example/p1", "CMOVE", "1.0001", "1.0000")
    draft = await make(session, ACTION, now, source=source, is_draft=True)
    told = {"target": "UANA", "record_id": draft.record.id, "due_at": now}
    await outbox.put(session, "draft", key=f"draft:{draft.record.id}", payload={"channel": "CMOVE"}, **told)
    await capturing.capture(session, ACTION, channel_id="CMOVE", ts="1.0001", by="UANA", now=now)
    await operations.source_changed(session, "CMOVE", "1.0001", SourceChange.EDITED, by="UANA", now=now)
    await requests.claim(session, "Ev0001", reference="A1", now=now)
    gone = await make(session, ISSUE, now, title="Logged by mistake")
    await operations.archive(session, await actor(session, "UANA"), *await find(session, gone.reference), **at(now))
    away: dict[str, Any] = {"today": now.date(), "now": now, "by": "UANA"}
    await absences.add(session, "UBEN", date(2026, 3, 9), date(2026, 3, 10), deputy_id="UCLEO", **away)


async def plan_standups(session: AsyncSession, now: datetime) -> None:
    """One that is answered in a digest, one in a thread, one that is paused."""
    ana = await actor(session, "UANA")
    daily = a_plan(asks_mood=True, participants=["UBEN", "UCLEO", "UGUS"], missing_to="UANA", makes_issues=True)
    threads = a_plan(name="Threads", zone="Europe/Berlin", report=StandupReport.THREAD)
    paused, archived = a_plan(name="Paused"), a_plan(name="Archived")
    made = [
        await standups.create(session, ana, plan, today=now.date(), now=now)
        for plan in (daily, threads, paused, archived)
    ]
    await standups.pause(session, made[2], now=now)
    await standups.archive(session, made[3], now=now)


async def log_a_batch(session: AsyncSession, now: datetime) -> None:
    """Two records that were logged at once."""
    batches.begin(session)
    for title in ("One of two", "Two of two"):
        await make(session, ACTION, now, title=title, owner_id="UBEN", due_date=date(2026, 3, 12))


async def talk(session: AsyncSession, now: datetime) -> None:
    """Comments, links, watchers, somebody who wants no reminder of a record, and a change that they hear of."""
    ana, ben, cleo = [await actor(session, each) for each in ("UANA", "UBEN", "UCLEO")]
    risk, action, issue = [await find(session, each) for each in ("R1", "A1", "I1")]
    for text in ("Seen", "Taken back", "Reworded"):
        said = await comments.add(session, ben, *risk, text, now=now)
        if text == "Taken back":
            await comments.take_back(session, ben, *risk, said, now=now)
        if text == "Reworded":
            await comments.reword(session, ben, *risk, said, "Said in other words", now=now)
    await links.make(session, ana, action, LinkType.MITIGATES, risk, **at(now))
    await watching.start(session, cleo, risk[0], now=now)
    await manners.mute(session, "UCLEO", risk[0].record.id or 0, now=now)
    changes = {"due_date": date(2026, 3, 20), "owner_id": "UCLEO", "title": "The vendor may be late"}
    why = "The vendor asked for it"
    await operations.change(session, ana, *risk, changes, version=risk[0].record.version, why=why, **at(now))
    await escalations.ask_owner(session, ana, *issue, "How is it?", "Ben", now=now)


async def take_steps(session: AsyncSession, now: datetime) -> None:
    """Every status's own columns, a series that goes on, a link that was taken away, and changes taken back."""
    ana = await actor(session, "UANA")
    for reference, key, told in (
        ("R1", "accept", {"note": "We carry it"}),
        ("R2", "close", {"answer": RiskEnd.EXPIRED}),
        ("I1", "escalate", {"note": "The board, by Friday"}),
        ("I1", "resolve", {}),
        ("I1", "reopen", {"note": "It came back"}),
        ("I1", "resolve", {}),
        ("A1", "done", {}),
        ("D1", "approve", {}),
    ):
        item, project = await find(session, reference)
        step = next(step for step in item.kind.steps if step.key == key)
        await repeating.take_step(session, ana, item, project, step, **told, **at(now))
    risk, dependency = await find(session, "R2"), await find(session, "DP1")
    await links.make(session, ana, risk, LinkType.BLOCKS, dependency, **at(now))
    await links.unmake(session, ana, risk, dependency, **at(now))
    item, project = await find(session, "A3")
    await operations.change(session, ana, item, project, {"title": "Renamed"}, version=item.record.version, **at(now))
    change = await undoing.last_on(session, item, project)
    assert change is not None
    await undoing.take_back(session, ana, change, **at(now))


async def move_one(session: AsyncSession, now: datetime) -> None:
    """A record goes to another project, whose id then stands in its history."""
    ana = await actor(session, "UANA")
    item, project = await find(session, "A4")
    await operations.move(session, ana, item, project, await moves.to_channel(session, ana, "CSECRET"), **at(now))


async def reply_to_escalations(session: AsyncSession, now: datetime) -> None:
    """Ana says a word about whatever somebody was asked about."""
    ana = await actor(session, "UANA")
    for record in (await session.exec(select(Record).where(col(Record.climb_rung).is_not(None)).limit(2))).all():
        item, project = await find(session, kind_of(record.kind).reference_of(record))
        await escalations.answer(session, ana, item, project, "We know", **at(now))


async def nothing(session: AsyncSession, now: datetime) -> None:
    """Only the clock's work."""


async def answer(session: AsyncSession, now: datetime) -> None:
    """Two answer the stand-ups, one changes it and makes an issue of a blocker, one is skipped."""
    ana = await actor(session, "UANA")
    for part in await standups.answerable(session, "UBEN", now):
        entry = await standups.answer(session, part, ["Racks", "Cables", "No power"], mood=4, now=now)
        await standups.answer(session, part, ["Racks", "Cables", "Still no power"], mood=2, now=now)
        blocker = await make(session, ISSUE, now, title="Still no power", owner_id="UBEN")
        entry.issue_id = blocker.record.id
        session.add(entry)
    for part in await standups.answerable(session, "UCLEO", now):
        await standups.skip(session, part, EntryState.SKIPPED, now=now)
    move = await project_of(session, "CMOVE")
    week = summaries.coming(move, now)
    assert week is not None
    await summaries.write_headline(session, ana, move, week.day, "On our way", now=now)


async def end_it(session: AsyncSession, now: datetime) -> None:
    """Somebody leaves, somebody was erased, a project is closed; some deliveries are on their way or in doubt."""
    ana = await actor(session, "UANA")
    cleo = await person(session, "UCLEO")
    cleo.is_active = False
    session.add(cleo)
    await leaving.note(session, "UCLEO", now)
    await erased.remember(session, "UGONE")
    await projects.archive(session, ana, await project_of(session, "CSECRET"), now=now)
    await make(session, ACTION, now, title="Logged last", owner_id="UBEN")
    sending, *_ = await deliveries.claim(session, NOTICES, now=now, wall=now, worker="worker", limit=1)
    call = Call("post", sending.target, None, sending.target, now)
    await deliveries.begin_call(session, sending, call, wall=now)
    workspace = (await session.exec(select(Workspace))).one()
    workspace.restored_at = RESTORED
    session.add(workspace)


# How it is said in short -------------------------------------------------------------------------------------------


def at(now: datetime) -> Any:
    return {"now": now, "via": "test"}


def every_value(kind: Kind) -> dict[str, Any]:
    """A value for every field that a form may show."""
    return {field.key: value_of(field) for field in kind.form_fields} | {
        "confidentiality": Confidentiality.OPEN,  # a confidential record has no card
        "owner_id": "UBEN",
        "helpers": ["UCLEO"],
        "due_date": date(2026, 3, 4),
        "due_time": time(15, 0),
        "next_review": date(2026, 3, 9),
    }


async def make(session: AsyncSession, kind: Kind, now: datetime, **values: Any) -> Item:
    """A record that Ana logs in #move."""
    beside = {key: values.pop(key) for key in ("source", "is_draft") if key in values}
    told = {"title": f"One {kind.singular}"} | values
    project = await project_of(session, "CMOVE")
    place = {"project": project, "channel_id": "CMOVE"}
    return await operations.create(session, await actor(session, "UANA"), kind, told, **place, **at(now), **beside)


async def find(session: AsyncSession, reference: str) -> tuple[Item, Project]:
    read = read_reference(reference)
    assert read is not None
    return await operations.find(session, await actor(session, "UANA"), *read)


async def person(session: AsyncSession, person_id: str) -> Person:
    found = await directory.person(session, person_id)
    assert found is not None
    return found


async def actor(session: AsyncSession, person_id: str) -> Actor:
    return actor_of(await person(session, person_id))


async def project_of(session: AsyncSession, channel_id: str) -> Project:
    return (await session.exec(select(Project).where(col(Project.home_channel_id) == channel_id))).one()


# Hours after `MONDAY` -> what happens then, after the clock's work and after what was owed has been sent.
LIFE: tuple[tuple[int, Callable[[AsyncSession, datetime], Awaitable[None]]], ...] = (
    (0, found),
    (0, log),
    (0, log_a_batch),
    (0, plan_standups),
    (1, talk),
    (25, answer),
    (27, take_steps),
    (47, move_one),
    (73, answer),
    (78, nothing),
    (97, nothing),
    (168, answer),
    (192, reply_to_escalations),
    (273, end_it),
)
