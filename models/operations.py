"""Every change of a record: its rules, its history and what is owed because of it, in the caller's transaction.

Operations flush and never commit. Refusals are `StewardError`s; nothing is stored when one is raised, because the unit
of work rolls back.
"""

import sys
from collections import Counter as Counting
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time
from itertools import groupby
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, exists, or_, union, update
from sqlalchemy.orm.attributes import flag_modified
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import (
    batches,
    directory,
    escalations,
    ladder,
    moves,
    outbox,
    projects,
    ranks,
    reminders,
    search,
    tags,
    watching,
)
from models.clock import today_in
from models.errors import Conflict, IllegalTransition, InvalidFields, NotAllowed, NotFound, Overtaken, Unread
from models.inserting import add, add_rows, adopt, count_up, count_up_for
from models.inserting import new as new_row
from models.kinds import Item, Kind
from models.kinds.base import FieldSpec, FieldType, FollowUp, Step, own_values
from models.labels import Confidentiality, Labelled, LinkType, SourceChange
from models.money import Money
from models.moves import Destination
from models.own_fields import kind_in
from models.permissions import Actor, Right, keeps_to_channels, may, require, right_for, visible_records
from models.tables import (
    Act,
    Card,
    Counter,
    Delivery,
    DeliveryState,
    History,
    Link,
    Person,
    Project,
    Record,
    RecordHelper,
    RecordTag,
)
from models.typed import read_typed
from models.words import is_seen

REMARK = "remark"
FIRST_DUE = "first_due_date"
CONFIDENTIALITY = "confidentiality"

# Columns that follow from another change of the same moment: their history is kept for undoing, and not told.
BOOKKEEPING = frozenset({REMARK, FIRST_DUE, "due_moves", "reopened", "channel_id"})

# What the card of a linked record shows of this one.
SHOWN_ELSEWHERE = frozenset({"title", "status", "is_archived", "project_id", CONFIDENTIALITY})

# What decides when its owner is reminded before the due time.
MOVES_REMINDER = frozenset({"due_date", "due_time", "project_id", "status"})

# What a reminder in the project's channel shows.
SHOWN_IN_REMINDER = frozenset(
    {"title", "status", "is_archived", "is_draft", "project_id", "due_date", "due_time", "owner_id", CONFIDENTIALITY}
)

MOST_HELPERS = 20
# What the direct message of somebody says whose record it is no longer.
SHOWN_TO_FORMER = frozenset({"owner_id", "title", "project_id", "is_archived", CONFIDENTIALITY})

TITLE_MAX = 250
TEXT_MAX = 3_000  # what one input of a Slack form takes
LONG_TEXT_MAX = 40_000
NUMBER_MAX = 100_000

NOT_THERE = "There is no {reference} here that you can see. `/steward list` shows what there is."


@dataclass(frozen=True)
class Source:
    """The message in Slack that a record is made from; `thread_ts` where it stands in a thread."""

    link: str
    channel_id: str = ""
    ts: str = ""
    thread_ts: str = ""


async def find(
    session: AsyncSession, actor: Actor, kind: Kind, number: int, *, with_archived: bool = False
) -> tuple[Item, Project]:
    """The record of that reference with its project; one statement. Raises NotFound: hidden and absent look alike."""
    query = (
        select(Record, kind.model, Project)
        .join(kind.model, kind.model.record_id == col(Record.id))  # type: ignore[attr-defined]
        .join(Project, col(Project.id) == col(Record.project_id))
        .where(col(Record.kind) == kind.key, col(Record.number) == number, visible_records(actor))
    )
    found = (await session.exec(query)).first()
    if found is None or (found[0].is_archived and not with_archived):
        raise NotFound(NOT_THERE.format(reference=f"{kind.letter}{number}"))
    record, own, project = found
    return Item(kind_in(kind, project, record), record, own), project


async def create(
    session: AsyncSession,
    actor: Actor,
    kind: Kind,
    values: Mapping[str, Any],
    *,
    project: Project,
    channel_id: str,
    now: datetime,
    via: str,
    source: Source | None = None,
    is_draft: bool = False,
    owes_card: bool = True,
) -> Item:
    """Store a new record. Raises NotAllowed and InvalidFields (keys are the kind's field keys).

    Without `owes_card` its card waits for the record's first change, or for somebody who asks for it.
    """
    require(actor, Right.CREATE, project)
    if keeps_to_channels(actor) and not await directory.is_member(session, channel_id, actor.id):
        raise NotAllowed("Guests log only where they are: type the command in a channel of the project you are in.")
    kind = kind_in(kind, project)
    values = read_typed(kind, values, project)
    await _check(session, kind, {"title": None, **values}, project, now, before=None)
    return await store_new(
        session,
        actor,
        New(kind, values),
        project=project,
        channel_id=channel_id,
        now=now,
        via=via,
        source=source,
        is_draft=is_draft,
        owes_card=owes_card,
    )


async def store_new(
    session: AsyncSession,
    actor: Actor,
    new: "New",
    *,
    project: Project,
    channel_id: str,
    now: datetime,
    via: str,
    source: Source | None = None,
    is_draft: bool = False,
    owes_card: bool = True,
) -> Item:
    """Store a new record whose values and whose right to be there are known."""
    number, record_id = await count_up_for(session, Record, Counter, {"kind": new.kind.key}, "last")
    made_from = {f"source_{key}": value or None for key, value in (asdict(source) if source else {}).items()}
    item = _new_item(actor, new, number, project, channel_id, now, id=record_id, is_draft=is_draft, **made_from)
    await add(session, item.record)
    await add_rows(session, _beside_new(session, item, actor, via=via, now=now))
    adopt(session, item.own)
    touch(session, actor.id, item.record.owner_id, *item.record.helpers, project.coordinator_id, project.sponsor_id)
    if owes_card:
        await owe_card(session, item.record, now)
    await _owe_channel_reminder(session, project, item, now)
    if batches.current(session) or is_confidential(item.record):
        # The cards of a batch mention nobody: one word tells each owner of all that is theirs. A confidential record
        # has no card.
        await _owe_word_to_new_owner(session, actor, item, now)
    for helper_id in item.record.helpers:
        await _owe_word(session, actor, item, helper_id, now)
    return item


@dataclass(frozen=True)
class New:
    """One of several records to be stored at once. `status` is for what has a life behind it, as an imported record."""

    kind: Kind
    values: Mapping[str, Any]
    status: Labelled | None = None


async def create_many(
    session: AsyncSession,
    actor: Actor,
    news: Sequence[New],
    *,
    project: Project,
    channel_id: str,
    now: datetime,
    via: str,
    is_quiet: bool = False,
    may_be_past: bool = False,
) -> list[Item]:
    """Store new records, in their order; as many statements for five hundred as for one of each kind.

    What is returned is for telling about them and no part of the session: to change one, find it.
    Raises NotAllowed and, when a single one of them cannot be stored, InvalidFields. With `is_quiet`
    nothing is owed to channel and owners until one of them changes. `may_be_past` takes dates that have passed.
    """
    require(actor, Right.CREATE, project)
    news = [replace(new, values=read_typed(new.kind, new.values, project)) for new in news]
    told = (new_problems(actor, project, new, now=now, may_be_past=may_be_past) for new in news)
    problems = [sentence for each in told for sentence in each.values()]
    owners = {new.values.get("owner_id") for new in news}
    problems += (await owner_problems(session, project, owners)).values()
    if problems:
        raise InvalidFields({"title": problems[0]})
    kinds = Counting(new.kind.key for new in news)
    numbers = {
        key: iter(range(await count_up(session, Counter, {"kind": key}, "last", by=many) - many + 1, sys.maxsize))
        for key, many in sorted(kinds.items())
    }
    items = [_new_item(actor, new, next(numbers[new.kind.key]), project, channel_id, now) for new in news]
    await _add_many(session, items)
    await add_rows(session, [row for item in items for row in _beside_new(session, item, actor, via=via, now=now)])
    touch(session, actor.id, *owners, project.coordinator_id, project.sponsor_id)
    if not is_quiet:
        words = (_word_to_new_owner(session, actor, item, now) for item in items)
        await outbox.put_all(session, [*(_card_owed(item.record, now) for item in items), *filter(None, words)])
    return items


def new_problems(
    actor: Actor, project: Project, new: New, *, now: datetime, may_be_past: bool = False
) -> dict[str, str]:
    """What is wrong with a record to be stored: field key -> sentence. Its owner is asked about elsewhere."""
    today = date.min if may_be_past else today_in(project.timezone, now)
    problems = field_problems(new.kind, {"title": None, **read_typed(new.kind, new.values, project)}, today=today)
    if new.status is not None and new.status != new.kind.first_status and not problems:
        item = _new_item(actor, new, 0, project, "", now)
        steps = [step for step in new.kind.steps if step.to == new.status]
        rights = [right_for(step, item) for step in steps] or [Right.APPROVE]
        if not any(may(actor, right, project, item) for right in rights):
            problems["status"] = f"Only the coordinator can log one that is {new.status.label.lower()}."
    return problems


def _new_item(
    actor: Actor, new: New, number: int, project: Project, channel_id: str, now: datetime, **beside: Any
) -> Item:
    """The rows of a new record, not yet stored; `beside` are further columns of it."""
    kind, values = kind_in(new.kind, project), {**new.values, **new.kind.follows(new.values, {})}
    if not values.get("due_date"):
        values = {**values, "due_time": None}
    own_keys = {field.key for field in kind.all_fields if field.key in kind.model.model_fields}
    status = new.status or kind.first_status
    is_open = status not in kind.closed
    record = new_row(
        Record,
        project_id=project.id or 0,
        channel_id=channel_id,
        kind=kind.key,
        number=number,
        first_due_date=values.get("due_date"),
        status=status,
        is_open=is_open,
        closed_at=None if is_open else now,
        raised_by=actor.id,
        created_at=now,
        updated_at=now,
        own_values=own_values(values),
        **beside,
        **{key: value for key, value in values.items() if key in Record.model_fields and value is not None},
    )
    own = new_row(kind.model, **{key: value for key, value in values.items() if key in own_keys})
    reminders.plan(record, project, now)
    item = Item(kind, record, own)
    search.index(item)
    ranks.rank(item)
    ladder.plan(item, project, now)
    return item


def _beside_new(session: AsyncSession, item: Item, actor: Actor, *, via: str, now: datetime) -> list[SQLModel]:
    """The rows that every new record has beside its own, once that one is stored."""
    setattr(item.own, "record_id", item.record.id)  # noqa: B010 - every kind's own table has it, SQLModel has not
    found_by = [row for index in _INDEXES.values() for row in index(item.record)]
    return [item.own, *found_by, _history(session, item, actor, Act.CREATED, via, now, after=item.record.title)]


async def _add_many(session: AsyncSession, items: Sequence[Item]) -> None:
    """Store the records in few statements, and tell them their ids."""
    await add_rows(session, [item.record for item in items])
    for kind, of_kind in groupby(sorted(items, key=_kind_and_number), key=lambda item: item.kind.key):
        by_number = {item.record.number: item.record for item in of_kind}
        first, last = min(by_number), max(by_number)
        query = select(Record.id, Record.number).where(col(Record.kind) == kind)
        for record_id, number in await session.exec(query.where(col(Record.number).between(first, last))):
            by_number[number].id = record_id


def _kind_and_number(item: Item) -> tuple[str, int]:
    return item.kind.key, item.record.number


async def change(
    session: AsyncSession,
    actor: Actor,
    item: Item,
    project: Project,
    values: Mapping[str, Any],
    *,
    version: int,
    now: datetime,
    via: str,
    why: str = "",
) -> Item:
    """Store changed fields; `why` is the reason, of another due date above all.

    Raises NotAllowed, InvalidFields and, when `version` is no longer the latest, Conflict.
    """
    require(actor, Right.EDIT, project, item)
    require_editable(item)
    await _refuse_stale(session, item, version)
    values = read_typed(item.kind, values, project)
    await _check(session, item.kind, values, project, now, before=item)
    if CONFIDENTIALITY in values and values[CONFIDENTIALITY] != item.record.confidentiality:
        _require_confide(actor, project, item)
    values = {**values, **item.kind.follows({**item.values, **values}, item.values)}
    if "due_date" in values and values["due_date"] is None:
        values = {**values, "due_time": None}
    values = {**values, **_promise(item, values)}
    is_moved = "due_date" in values and values["due_date"] != item.record.due_date
    notes = dict.fromkeys(["due_date"] if is_moved else values, why.strip())
    await _apply(session, actor, item, values, act=Act.CHANGED, via=via, now=now, notes=notes)
    return item


def is_confidential(record: Record) -> bool:
    """Whether only those involved see the record."""
    return record.confidentiality is Confidentiality.CONFIDENTIAL


def _require_confide(actor: Actor, project: Project, item: Item) -> None:
    """Raise InvalidFields, beside the field, unless the actor may say whether the record is confidential."""
    try:
        require(actor, Right.CONFIDE, project, item)
    except NotAllowed as refusal:
        raise InvalidFields({CONFIDENTIALITY: str(refusal)}) from refusal


def _promise(item: Item, values: Mapping[str, Any]) -> dict[str, Any]:
    """The first due date and the number of moves after this change; clearing a date is no move, a new day is one."""
    record, day = item.record, values.get("due_date")
    if day is None or day == record.due_date:
        return {}
    if record.first_due_date is None:
        return {FIRST_DUE: day}
    is_move = record.due_date is not None or day != record.first_due_date
    return {"due_moves": record.due_moves + 1} if is_move else {}


def require_editable(item: Item) -> None:
    """Raise NotAllowed when the record's text stands, as an approved decision's does."""
    if not item.kind.is_editable(item):
        ways = [each for each in item.kind.follow_ups_from(item.record.status) if each.makes == item.kind.key]
        instead = f"`/steward {item.reference} {ways[0].key}` begins a new" if ways else "Log a new"
        place = "in its place" if ways else "instead"
        status = item.status.label.lower()
        raise NotAllowed(f"{item.reference} is {status}, so its text stands. {instead} {item.kind.singular} {place}.")


async def take_step(
    session: AsyncSession,
    actor: Actor,
    item: Item,
    project: Project,
    step: Step,
    *,
    now: datetime,
    via: str,
    note: str | None = None,
    answer: Labelled | None = None,
) -> Item:
    """Move the record to the step's status; `note` is why, `answer` the choice that the step asks for.

    Raises NotAllowed, IllegalTransition and, when what the step asks for is missing, InvalidFields with the keys
    REMARK and the choice's own.
    """
    require_step(actor, item, project, step)
    note = (note or "").strip()
    if problems := step_problems(item, step, note, answer):
        raise InvalidFields(problems)
    asked = {each.asks: None for each in item.kind.steps if each.asks}
    also = step.sets(item, actor.id, today_in(project.timezone, now))
    values = {"status": step.to, REMARK: note, **asked, **also}
    values |= {step.asks: answer} if step.asks else {}
    await _apply(session, actor, item, values, act=Act.STEPPED, via=via, now=now, notes={"status": note})
    return item


async def let_go(
    session: AsyncSession, actor: Actor, item: Item, values: Mapping[str, Any], *, via: str, now: datetime
) -> None:
    """Take these values from the record because whoever they name is no longer known, whatever anybody's rights are."""
    await _apply(session, actor, item, values, act=Act.CHANGED, via=via, now=now)


def require_step(actor: Actor, item: Item, project: Project, step: Step) -> None:
    """Raise NotAllowed or IllegalTransition unless this person may take the step now."""
    require(actor, right_for(step, item), project, item)
    if item.record.status not in step.begins:
        raise IllegalTransition(_impossible(item, step))


def require_follow_up(actor: Actor, item: Item, project: Project, follow_up: FollowUp) -> None:
    """Raise NotAllowed or IllegalTransition unless this person may have that follow from the record now."""
    require(actor, Right.EDIT, project, item)
    if item.record.status not in follow_up.begins:
        raise IllegalTransition(_impossible(item, follow_up))


async def follow_status(
    session: AsyncSession, actor: Actor, item: Item, to: Labelled, *, because: str, now: datetime, via: str
) -> None:
    """Move a record on because of another one, whose reference stands in the history and on the card."""
    values = {"status": to, REMARK: f"see {because}"}
    await _apply(session, actor, item, values, act=Act.STEPPED, via=via, now=now, notes={"status": values[REMARK]})


async def note_link(
    session: AsyncSession,
    actor: Actor,
    item: Item,
    said: str,
    *,
    via: str,
    now: datetime,
    before: Sequence[Mapping[str, Any]] = (),
    after: Sequence[Mapping[str, Any]] = (),
    act: Act = Act.LINKED,
) -> History:
    """Put links made or taken away into the record's history, and owe its card. `before` and `after` are the links."""
    item.record.updated_at = now
    flag_modified(item.record, "updated_at")
    session.add(item.record)
    await session.flush()
    await escalations.heard(session, item.record, actor.id, now)
    stored = {"before": [*before] or None, "after": [*after] or None}
    row = _history(session, item, actor, act, via, now, field="link", note=said, **stored)
    session.add(row)
    await owe_card(session, item.record, now)
    await session.flush()
    return row


async def source_changed(
    session: AsyncSession, channel_id: str, ts: str, change: SourceChange, *, by: str, now: datetime
) -> None:
    """Note on every record made from the message what became of it, and owe their cards.

    It is no change of theirs: their text and version stay, so that a form that is open and an undo still work. What
    was deleted stays deleted.
    """
    known = or_(col(Record.source_change).is_(None), col(Record.source_change) == SourceChange.EDITED)
    query = select(Record).where(*made_from(channel_id, ts), known).order_by(col(Record.id)).with_for_update()
    records = [record for record in await session.exec(query) if record.source_change != change]
    ids = [record.id for record in records]
    statement = update(Record).where(col(Record.id).in_(ids)).values(source_change=change)
    await session.exec(statement, execution_options={"synchronize_session": False})
    for record in records:
        session.add(
            History(
                record_id=record.id,
                project_id=record.project_id,
                version=record.version,
                at=now,
                actor_id=by,
                act=Act.SOURCE,
                via="Slack",
                note=f"the message it came from was {change.label}",
            )
        )
        await owe_card(session, record, now, because=f":source:{change}")
    await session.flush()


def made_from(channel_id: str, ts: str) -> tuple[ColumnElement[bool], ...]:
    """The records made from that message, as conditions on `Record`."""
    return (col(Record.source_channel_id) == channel_id, col(Record.source_ts) == ts)


def replaces_now(item: Item) -> bool:
    """Whether what the record supersedes is replaced from now on, and not only once it is approved."""
    replacement = item.kind.replacement
    return replacement is not None and item.record.status == replacement.when


async def replace_linked(
    session: AsyncSession, actor: Actor, item: Item, *, via: str, now: datetime, taken_back: bool = False
) -> None:
    """Move the records of its project that this one supersedes on, if it stands; back, when its standing is undone."""
    replacement = item.kind.replacement
    if replacement is None or not (taken_back or replaces_now(item)):
        return
    begins, to = (replacement.begins, replacement.to)[:: -1 if taken_back else 1]
    model: Any = item.kind.model
    query = (
        select(Record, model)
        .join(Link, col(Link.to_id) == col(Record.id))
        .join(model, model.record_id == col(Record.id))
        .where(
            col(Link.from_id) == item.record.id,
            col(Link.type) == LinkType.SUPERSEDES,
            col(Record.project_id) == item.record.project_id,
            col(Record.status) == begins,
        )
        .order_by(col(Record.id))
    )
    for record, own in (await session.exec(query)).all():
        old = Item(item.kind, record, own)
        values = {"status": to, REMARK: "" if taken_back else f"see {item.reference}"}
        notes = {"status": f"see {item.reference}"}
        await _apply(session, actor, old, values, act=Act.FOLLOWED, via=via, now=now, notes=notes)
        if taken_back:
            await _settle_followed(session, old)


async def _settle_followed(session: AsyncSession, item: Item) -> None:
    """What another record did to this one and took back again stands in the way of no undo any more."""
    await session.exec(
        update(History)
        .where(
            col(History.record_id) == item.record.id,
            col(History.act) == Act.FOLLOWED,
            col(History.undone_by).is_(None),
        )
        .values(undone_by=item.record.version)
    )


def step_problems(item: Item, step: Step, note: str, answer: Labelled | None) -> dict[str, str]:
    """What the step asks for and did not get, with how to type it: field key -> sentence."""
    typed = f"`/steward {item.kind.typed(step, item.reference)}`"
    problems = {}
    choices = item.kind.choices_of(step)
    if choices and answer not in list(choices):
        names = ", ".join(choice.label.lower() for choice in choices)
        problems[step.asks] = f"The {item.kind.label_of(step.asks).lower()} is needed: {names}. Type {typed}."
    if step.reason and not note:
        problems[REMARK] = f"{step.reason} Say it after the step: {typed}."
    elif len(note) > TEXT_MAX:
        problems[REMARK] = f"At most {TEXT_MAX:,} characters; this has {len(note):,}."
    return problems


async def move(
    session: AsyncSession,
    actor: Actor,
    item: Item,
    project: Project,
    to: Destination,
    *,
    now: datetime,
    via: str,
) -> Item:
    """Put the record into another project, with all that belongs to it. Raises NotAllowed and Conflict."""
    await moves.require_move(session, actor, item, project, to)
    await _apply(session, actor, item, moves.new_place(item, project, to), act=Act.CHANGED, via=via, now=now)
    item.kind = kind_in(item.kind, to.project, item.record)
    return item


async def keep_draft(
    session: AsyncSession, actor: Actor, item: Item, project: Project, *, now: datetime, via: str
) -> Item:
    """Make a draft a record like any other, as it is. Raises NotAllowed."""
    require(actor, Right.EDIT, project, item)
    await _apply(session, actor, item, {"is_draft": False}, act=Act.CHANGED, via=via, now=now)
    return item


async def archive(
    session: AsyncSession, actor: Actor, item: Item, project: Project, *, now: datetime, via: str
) -> Item:
    """Hide the record; undoing that brings it back. Raises NotAllowed."""
    require(actor, Right.DELETE, project, item)
    await _apply(session, actor, item, {"is_archived": True}, act=Act.CHANGED, via=via, now=now)
    return item


async def restore(
    session: AsyncSession, actor: Actor, item: Item, before: Mapping[str, Any], *, via: str, now: datetime
) -> None:
    """Give the record these earlier values back. Whether that is right and allowed is asked in `models.undoing`."""
    await _apply(session, actor, item, before, act=Act.UNDONE, via=via, now=now)


async def set_archived(
    session: AsyncSession, actor: Actor, items: Sequence[Item], is_archived: bool, *, via: str, now: datetime
) -> None:
    """Hide many records, or bring them back, by an undo: what `restore` does, in statements that do not grow with them.

    Raises Overtaken when one of them was changed at the same moment.
    """
    # What is brought back is planned anew by the next tick.
    climb = {"climb_at": None if is_archived else now, "climb_rung": None, "climb_since": None}
    if climbing := [item.record.id for item in items if item.record.climb_rung is not None]:
        await escalations.end(session, climbing, actor.id, now)
    changes = {"is_archived": is_archived, "updated_at": now, **climb}
    for version, same in groupby(sorted(items, key=_version), key=_version):
        ids = [item.record.id for item in same]
        query = update(Record).where(col(Record.id).in_(ids), col(Record.version) == version)
        changed = await session.exec(query.values(**changes, version=version + 1))
        if changed.rowcount != len(ids):
            raise Overtaken("Somebody else changed one of these at the same moment. Please try again.")
    told = [
        _history(
            session, item, actor, Act.UNDONE, via, now, field="is_archived", before=not is_archived, after=is_archived
        )
        for item in items
    ]
    await add_rows(session, told)
    await outbox.put_all(session, [_card_owed(item.record, now) for item in items])
    for item in items:
        await _touch_all(session, actor, item)
    for project_id, item in {item.record.project_id: item for item in items}.items():
        await _owe_channel_reminder(session, await session.get(Project, project_id), item, now)
    await _owe_linked_cards(session, items, now)


def _version(item: Item) -> int:
    return item.record.version


async def history(session: AsyncSession, item: Item, *, version: int | None = None) -> list[History]:
    """The record's history rows, oldest first; only those of one change when `version` is given."""
    query = select(History).where(col(History.record_id) == item.record.id).order_by(col(History.id))
    if version is not None:
        query = query.where(col(History.version) == version)
    return list(await session.exec(query))


def told(rows: Iterable[History]) -> list[History]:
    """The rows that people are shown."""
    return [row for row in rows if row.field not in BOOKKEEPING]


def right_to_restore(item: Item, before: Mapping[str, Any]) -> Right:
    """What undoing takes: as much as doing it would, in whichever direction it goes."""
    if "is_archived" in before:
        return Right.DELETE
    if CONFIDENTIALITY in before:
        return Right.CONFIDE
    decided = {step.to for step in item.kind.steps if step.needs_approver(item)}
    is_decision = "status" in before and not decided.isdisjoint({item.record.status, before["status"]})
    return Right.APPROVE if is_decision else Right.EDIT


async def _check(
    session: AsyncSession, kind: Kind, values: Mapping[str, Any], project: Project, now: datetime, before: Item | None
) -> None:
    problems = field_problems(kind, values, today=today_in(project.timezone, now), before=before)
    owner_id = values.get("owner_id")
    if owner_id and (before is None or before.record.owner_id != owner_id):
        problem = await owner_problem(session, project, owner_id)
        problems |= {"owner_id": problem} if problem else {}
    if problem := await helpers_problem(session, project, values.get("helpers") or (), before):
        problems["helpers"] = problem
    if problems:
        raise InvalidFields(problems)


def field_problems(kind: Kind, values: Mapping[str, Any], *, today: date, before: Item | None = None) -> dict[str, str]:
    """What is wrong with typed values: field key -> sentence. `today` is the project's; an old past date may stay."""
    problems = {
        field.key: problem
        for field in kind.all_fields
        if field.key in values and not _stays(field, values, before)
        if (problem := _value_problem(field, values[field.key]))
    }
    for key in ("due_date", "next_review"):
        day = values.get(key)
        if day and day < today and (before is None or before.value(key) != day):
            problems[key] = f"{day:%a} {day.day} {day:%b %Y} is past. Choose today or a later day."
    if not problems:
        was = before.values if before else {}
        problems |= kind.contradictions({**was, **values}, was)
    due = values.get("due_date", before and before.record.due_date)
    if values.get("due_time") and not due and (before or "due_date" in values):
        problems["due_time"] = "A time needs a day: choose a due date too, or clear the time."
    return problems


def _stays(field: FieldSpec, values: Mapping[str, Any], before: Item | None) -> bool:
    """Whether the value is one that was right when it was chosen, and that may stay though its project changed."""
    return field.type is FieldType.OPTION and before is not None and before.value(field.key) == values[field.key]


def _value_problem(field: FieldSpec, value: Any) -> str | None:
    """What is wrong with the value by itself, whatever the others are."""
    if field.key == "title" and not is_seen(value or ""):
        return "A title is needed: one line that says what it is."
    if value is None:
        return None
    if isinstance(value, Unread):
        return str(value)
    limit = {FieldType.TEXT: TEXT_MAX, FieldType.LONG_TEXT: LONG_TEXT_MAX}.get(field.type)
    limit = TITLE_MAX if field.key == "title" else limit
    if limit and len(value) > limit:
        return f"At most {limit:,} characters; this has {len(value):,}. Put the rest into the details."
    if field.type is FieldType.TAGS:
        return tags.problem(value)
    if field.type is FieldType.SCALE and value not in range(1, 6):
        return "Choose a number from 1 to 5."
    if field.type is FieldType.NUMBER and abs(value) > NUMBER_MAX:
        return f"Choose a number from -{NUMBER_MAX:,} to {NUMBER_MAX:,}."
    if field.type is FieldType.OPTION and value and value not in field.options:
        return f"Choose one of: {', '.join(field.options)}."
    if field.choices and value not in list(field.choices):
        return f"Choose one of: {', '.join(choice.label for choice in field.choices)}."
    return None


async def helpers_problem(
    session: AsyncSession, project: Project, helpers: Sequence[str], before: Item | None
) -> str | None:
    """Why these people cannot help with a record of the project, as a sentence; those who do already may stay."""
    if len(helpers) > MOST_HELPERS:
        return f"At most {MOST_HELPERS} people can help with one record; these are {len(helpers)}."
    known = before.record.helpers if before else ()
    for person_id in helpers:
        if person_id not in known and (problem := await owner_problem(session, project, person_id, "help with")):
            return problem
    return None


async def owner_problem(session: AsyncSession, project: Project, owner_id: str, part: str = "own") -> str | None:
    """Why that person cannot own (or whatever `part` says) a record of the project, as a sentence; None if they can."""
    owner = await directory.person(session, owner_id)
    if problem := _no_owner(owner, part):
        return problem
    assert owner is not None
    return None if await projects.can_see(session, project, owner) else _cannot_see(owner, project)


async def owner_problems(session: AsyncSession, project: Project, owner_ids: Iterable[str | None]) -> dict[str, str]:
    """The same for several people: id -> sentence of those who cannot; a few statements for however many."""
    wanted = {owner_id for owner_id in owner_ids if owner_id}
    known = await directory.people(session, wanted)
    problems = {each: problem for each in wanted if (problem := _no_owner(known.get(each)))}
    rest = [known[each] for each in sorted(wanted - problems.keys())]
    blind = await projects.blind_to(session, project, rest)
    return problems | {owner.id: _cannot_see(owner, project) for owner in rest if owner.id in blind}


def _no_owner(person: Person | None, part: str = "own") -> str | None:
    if person is None:
        return "Steward does not know that person. Choose somebody of this workspace."
    if person.is_bot:
        return f"{person.shown_name} is an app and cannot {part} a record. Choose a person."
    if not person.is_active:
        return f"{person.shown_name}'s account is deactivated. Choose somebody else."
    return None


def _cannot_see(person: Person, project: Project) -> str:
    return f"{person.shown_name} cannot see {project.name}. Invite them to its channel first, or choose another."


async def _refuse_stale(session: AsyncSession, item: Item, version: int) -> None:
    if item.record.version == version:
        return
    rows = [row for row in await history(session, item) if row.version > version]
    names = await directory.people(session, {row.actor_id for row in rows})
    who = " and ".join(sorted({names[row.actor_id].shown_name for row in rows if row.actor_id in names})) or "Somebody"
    what = ", ".join(dict.fromkeys(item.kind.label_of(row.field).lower() for row in told(rows) if row.field))
    raise Conflict(
        f"{who} changed {item.reference} meanwhile ({what or 'record'}), "
        "and nothing was overwritten: look at it and try again."
    )


async def _apply(
    session: AsyncSession,
    actor: Actor,
    item: Item,
    values: Mapping[str, Any],
    *,
    act: Act,
    via: str,
    now: datetime,
    notes: Mapping[str, str] | None = None,
) -> None:
    """The one place where a record changes: new values, history, version, and the messages owed.

    `notes` are remarks on single fields' changes.
    """
    notes = notes or {}
    if act is not Act.UNDONE and "is_archived" not in values:
        values = {**values, "is_draft": False}
    changes = {key: (item.value(key), value) for key, value in values.items() if item.value(key) != value}
    item.changed = ()
    if not changes:
        return
    for key, (_, value) in changes.items():
        item.put(key, value)
    if "status" in changes:
        item.record.is_open = item.record.status not in item.kind.closed
        item.record.closed_at = None if item.record.is_open else now
    # Whoever changes a record has read its project, so this asks the database nothing.
    project = await session.get(Project, item.record.project_id)
    if project is not None and MOVES_REMINDER & changes.keys():
        reminders.plan(item.record, project, now)
    if search.is_found_by(item.kind, set(changes)):
        search.index(item)
    ranks.rank(item)
    was_climbing = project is not None and ladder.plan(item, project, now)
    item.record.updated_at = now
    # So that the version moves even when only the kind's own row changed, within the same instant.
    flag_modified(item.record, "updated_at")
    session.add_all([item.record, item.own])
    await session.flush()
    for key in _INDEXES.keys() & changes.keys():
        await index_anew(session, item.record, key)
    item.changed = tuple(
        _history(
            session, item, actor, act, via, now, field=key, before=before, after=after, note=notes.get(key) or None
        )
        for key, (before, after) in changes.items()
    )
    session.add_all(item.changed)
    if was_climbing:
        await escalations.end(session, [item.record.id], actor.id, now)
    await _owe_cards(session, item, changes, now)
    await _owe_words_anew(session, item, changes, now)
    if SHOWN_IN_REMINDER & changes.keys():
        for project_id in {item.record.project_id, changes.get("project_id", (item.record.project_id,))[0]}:
            await _owe_channel_reminder(session, await session.get(Project, project_id), item, now)
    await _touch_all(session, actor, item, changes.get("owner_id", (None, None))[0])
    touch(session, *changes.get("helpers", ((), ()))[0], *item.record.helpers)
    if SHOWN_ELSEWHERE & changes.keys():
        await _owe_linked_cards(session, [item], now)
    if item.record.is_watched and not changes.keys().isdisjoint(watching.WATCHED):
        await watching.owe(session, item.record, by=actor.id, now=now)
    if "status" in changes:
        await _replace(session, actor, item, str(changes["status"][0]), act=act, via=via, now=now)
    if "owner_id" in changes:
        await _owe_word_to_new_owner(session, actor, item, now)
    for helper_id in item.record.helpers if "helpers" in changes else ():
        if helper_id not in changes["helpers"][0]:
            await _owe_word(session, actor, item, helper_id, now)
    await session.flush()


Changes = Mapping[str, tuple[Any, Any]]


async def _owe_cards(session: AsyncSession, item: Item, changes: Changes, now: datetime) -> None:
    """Owe the record's card; where it moved, first that the old one says so, and then a new one."""
    if "channel_id" not in changes:
        await owe_card(session, item.record, now)
        return
    record = item.record
    await outbox.put(
        session,
        "card_left",
        key=f"card_left:{record.id}:{record.version}",
        lane=f"card:{record.id}",
        target=changes["channel_id"][0],
        record_id=record.id,
        due_at=now,
    )
    await owe_card(session, record, now, owner_knows=await has_card(session, item))


async def _owe_channel_reminder(session: AsyncSession, project: Project | None, item: Item, now: datetime) -> None:
    """Owe that the reminder which stands in the project's channel today says how the record is now."""
    if project is None or project.reminded_on != today_in(project.timezone, now):
        return
    lane = reminders.lane_of(project, project.reminded_on)
    await outbox.put(
        session,
        "channel_reminder_again",
        key=f"{lane}:{item.record.id}:{item.record.version}",
        lane=lane,
        target=project.home_channel_id,
        payload={"project": project.id, "day": project.reminded_on.isoformat()},
        due_at=now,
    )


async def _owe_words_anew(session: AsyncSession, item: Item, changes: Changes, now: datetime) -> None:
    """Owe that the direct messages about the record keep up with it: those of whoever has to do with it.

    What those of others say of it, whose it is and what it is called, is kept true as well.
    """
    record = item.record
    told = [DeliveryState.DUE, DeliveryState.SENDING, DeliveryState.SENT]
    query = select(Delivery).where(
        col(Delivery.record_id) == record.id, col(Delivery.kind) == "assigned", col(Delivery.state).in_(told)
    )
    hands = {record.owner_id, *record.helpers, *changes.get("helpers", ((), ()))[0]}
    for word in await session.exec(query):
        if word.target in hands or SHOWN_TO_FORMER & changes.keys():
            await outbox.put(
                session,
                "assigned_again",
                key=f"assigned_again:{word.id}:{record.version}",
                lane=word.lane,
                target=word.target,
                record_id=record.id,
                payload={"of": word.id},
                due_at=now,
            )


def _tag_rows(record: Record) -> list[SQLModel]:
    return [RecordTag(tag=tag, record_id=record.id or 0) for tag in record.tags.split()]


def _helper_rows(record: Record) -> list[SQLModel]:
    return [RecordHelper(person_id=person_id, record_id=record.id or 0) for person_id in record.helpers]


# Columns of several values -> the rows by which a record is found by each of them.
_INDEXES: Mapping[str, Callable[[Record], list[SQLModel]]] = {"tags": _tag_rows, "helpers": _helper_rows}
_INDEX_TABLES: Mapping[str, Any] = {"tags": RecordTag, "helpers": RecordHelper}


async def index_anew(session: AsyncSession, record: Record, key: str) -> None:
    """Write the rows by which the record is found by each of its tags, or helpers, as `key` says."""
    table = _INDEX_TABLES[key]
    await session.exec(delete(table).where(table.record_id == record.id))
    session.add_all(_INDEXES[key](record))


async def _replace(
    session: AsyncSession, actor: Actor, item: Item, before: str, *, act: Act, via: str, now: datetime
) -> None:
    """What a new status means for the records this one supersedes."""
    replacement = item.kind.replacement
    if replacement is None or item.record.status == replacement.to or before == replacement.to:
        return
    taken_back = act is Act.UNDONE and before == replacement.when
    await replace_linked(session, actor, item, via=via, now=now, taken_back=taken_back)


async def _touch_all(session: AsyncSession, actor: Actor, item: Item, *others: str | None) -> None:
    """Note everybody whose Home tells of the record: who acts, its owner, and whoever it may wait for."""
    # Whoever changes a record has read its project, so this asks the database nothing.
    project = await session.get(Project, item.record.project_id)
    leads = (project.coordinator_id, project.sponsor_id) if project else ()
    touch(session, actor.id, item.record.owner_id, *leads, *others)


def touch(session: AsyncSession, *person_ids: str | None) -> None:
    """Note whose work this unit changed; after the commit their Home tabs are drawn anew."""
    session.sync_session.info.setdefault("touched", set()).update(filter(None, person_ids))


def touched(session: AsyncSession) -> set[str]:
    """The people whose work this unit changed."""
    return set(session.sync_session.info.get("touched", ()))


async def has_card(session: AsyncSession, item: Item) -> bool:
    """Whether the record's card is known to stand in Slack."""
    query = select(Card.record_id).where(col(Card.record_id) == item.record.id)
    return (await session.exec(query)).first() is not None


async def owe_card_again(session: AsyncSession, item: Item, *, now: datetime) -> None:
    """Owe the card to a record that has none: because somebody asked, however old it is. Raises Conflict."""
    if is_confidential(item.record):
        raise Conflict(f"{item.reference} is confidential, so it has no card.")
    if not await has_card(session, item):
        await owe_card(session, item.record, now, because=f":{now.isoformat()}", asked=True)


async def owe_cards_of_owner(session: AsyncSession, person_id: str, *, now: datetime) -> None:
    """Owe the cards of the open records that this person owns, because what they say of their owner changed."""
    query = (
        select(Record)
        .join(Card, col(Card.record_id) == col(Record.id))
        .where(col(Record.owner_id) == person_id, col(Record.is_open), col(Record.is_archived).is_(False))
        .order_by(col(Record.id))
    )
    for record in await session.exec(query):
        await owe_card(session, record, now, because=f":{now.isoformat()}")


async def owe_standing_cards(session: AsyncSession, record_ids: Iterable[int], *, now: datetime, because: str) -> None:
    """Owe the cards of these records and of those linked with them, as far as they stand in Slack."""
    ids = sorted(record_ids)
    for start in range(0, len(ids), CARDS_AT_ONCE):
        some = ids[start : start + CARDS_AT_ONCE]
        shown_on: Any = union(
            select(Record.id).where(col(Record.id).in_(some)),
            select(Link.to_id).where(col(Link.from_id).in_(some)),
            select(Link.from_id).where(col(Link.to_id).in_(some)),
        )
        query = select(Record).join(Card, col(Card.record_id) == col(Record.id)).where(col(Record.id).in_(shown_on))
        records = (await session.exec(query.order_by(col(Record.id)))).all()
        await outbox.put_all(session, [_card_owed(record, now, because=f":{because}") for record in records])


CARDS_AT_ONCE: Final = 500

# So many cards at once are a greeting; more are one list, and each card comes when its record changes.
MOST_MISSING_CARDS: Final = 3


async def owe_missing_cards(session: AsyncSession, channel_id: str, *, now: datetime, at_most: int = 100) -> None:
    """Owe the cards of a channel's newest open records that have none, as when Steward was not in it.

    Of more than a few one message that lists them is owed instead.
    """
    has_one = exists().where(col(Card.workspace_id) == col(Record.workspace_id), col(Card.record_id) == col(Record.id))
    query = (
        select(Record)
        .where(col(Record.channel_id) == channel_id, col(Record.is_open), col(Record.is_archived).is_(False), ~has_one)
        .order_by(col(Record.id).desc())
        .limit(at_most)
    )
    missing = sorted(await session.exec(query), key=lambda record: record.id or 0)
    if len(missing) > MOST_MISSING_CARDS:
        key, ids = f"so_far:{channel_id}:{now.isoformat()}", [record.id for record in missing]
        await outbox.put(session, "so_far", key=key, target=channel_id, payload={"records": ids}, due_at=now)
        return
    for record in missing:
        await owe_card(session, record, now, because=f":{now.isoformat()}", asked=True)


async def _owe_linked_cards(session: AsyncSession, items: Sequence[Item], now: datetime) -> None:
    """Owe the cards that show these records' titles, or that they are settled, beside their own."""
    here = [item.record.id for item in items]
    ends = union(
        select(Link.to_id).where(col(Link.from_id).in_(here)),
        select(Link.from_id).where(col(Link.to_id).in_(here)),
    )
    linked = await session.exec(select(Record).where(col(Record.id).in_(ends)).order_by(col(Record.id)))
    because = f":{here[0]}:{items[0].record.version}"
    await outbox.put_all(session, [_card_owed(record, now, because=because) for record in linked.all()])


async def owe_card(
    session: AsyncSession,
    record: Record,
    now: datetime,
    *,
    because: str = "",
    asked: bool = False,
    owner_knows: bool = False,
    beside: Sequence[outbox.Owed] = (),
) -> None:
    """Owe the record's card, posted or updated, and what is `beside` it, in one statement.

    `because` tells what of the same version it is owed for; `asked` posts it however old the record is; when
    `owner_knows`, a first post tells its owner nothing.
    """
    card = _card_owed(record, now, because=because, asked=asked, owner_knows=owner_knows)
    await outbox.put_all(session, [card, *beside])


def _card_owed(record: Record, now: datetime, *, because: str = "", **flags: bool) -> outbox.Owed:
    return outbox.owed(
        "card",
        key=f"card:{record.id}:{record.version}{because}",
        payload={flag: True for flag, is_set in flags.items() if is_set},
        lane=f"card:{record.id}",
        target=record.channel_id,
        record_id=record.id,
        due_at=now,
    )


async def _owe_word_to_new_owner(session: AsyncSession, actor: Actor, item: Item, now: datetime) -> None:
    """Owe the new owner, unless they did it themselves, one direct message: that the record, or a batch, is theirs."""
    if word := _word_to_new_owner(session, actor, item, now):
        await outbox.put_all(session, [word])


def _word_to_new_owner(session: AsyncSession, actor: Actor, item: Item, now: datetime) -> outbox.Owed | None:
    owner_id, batch = item.record.owner_id, batches.current(session)
    if owner_id is None or owner_id == actor.id:
        return None
    if batch is None:
        return _word(actor, item, owner_id, now)
    if not batches.is_new_to(session, owner_id):
        return None
    key, payload = f"assigned:{batch}:{owner_id}", {"batch": batch, "by": actor.id}
    return outbox.owed("assigned_batch", key=key, target=owner_id, payload=payload, due_at=now)


async def _owe_word(session: AsyncSession, actor: Actor, item: Item, person_id: str, now: datetime) -> None:
    """Owe somebody one direct message that the record is theirs, or that they help with it; not of their own act."""
    if person_id != actor.id:
        await outbox.put_all(session, [_word(actor, item, person_id, now)])


def _word(actor: Actor, item: Item, person_id: str, now: datetime) -> outbox.Owed:
    return outbox.owed(
        "assigned",
        key=f"assigned:{item.record.id}:{person_id}:{item.record.version}",
        target=person_id,
        record_id=item.record.id,
        payload={"by": actor.id},
        due_at=now,
    )


def _history(
    session: AsyncSession,
    item: Item,
    actor: Actor,
    act: Act,
    via: str,
    now: datetime,
    *,
    field: str | None = None,
    before: Any = None,
    after: Any = None,
    note: str | None = None,
) -> History:
    return new_row(
        History,
        record_id=item.record.id,
        project_id=item.record.project_id,
        version=item.record.version,
        at=now,
        actor_id=actor.id,
        act=act,
        via=via,
        field=field,
        before=_plain(before),
        after=_plain(after),
        note=note,
        batch=batches.current(session),
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Money):
        return str(value)
    return value.isoformat() if isinstance(value, date | time) else value


def stored_value(kind: Kind, key: str | None, stored: Any) -> Any:
    """A value as history keeps it, back in the type its column has."""
    field = next((field for field in kind.all_fields if field.key == key), None)
    if key == FIRST_DUE and stored:
        return date.fromisoformat(stored)
    if field is None or stored is None:
        return stored
    if field.type is FieldType.DATE:
        return date.fromisoformat(stored)
    if field.type is FieldType.TIME:
        return time.fromisoformat(stored)
    if field.type is FieldType.MONEY:
        return Money.stored(stored)
    return field.choices(stored) if field.choices else stored


def _impossible(item: Item, step: Step | FollowUp) -> str:
    now = f"{item.reference} is {item.status.label.lower()}"
    if step.to == item.record.status:
        now += " already."
    else:
        now += f", so “{step.label.lower()}” is not possible now."
    steps = [item.kind.typed(s, item.reference) for s in item.kind.steps_from(item.record.status)]
    steps += [f"{item.reference} {each.key}" for each in item.kind.follow_ups_from(item.record.status)]
    possible = ", ".join(f"`/steward {each}`" for each in steps)
    return f"{now} " + (f"Possible: {possible}." if possible else f"`/steward {item.reference} history` says why.")
