"""One change of several records: who of them can take it, what is wrong with it, and all of it in one batch."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import batches, directory, operations, repeating
from models.clock import today_in
from models.errors import NotAllowed
from models.kinds import Item
from models.kinds.base import Step
from models.labels import Labelled
from models.permissions import Actor, Right, require, right_for
from models.tables import History, Project

Pair = tuple[Item, Project]


class Deed(Labelled):
    """What can be done with several records at once. CLOSE takes each record's main step."""

    CLOSE = "close", "Close them"
    REASSIGN = "reassign", "Give them another owner"
    MOVE = "move", "Give them another due date"
    RANK = "rank", "Set their priority"
    TAG = "tag", "Add tags"


@dataclass(frozen=True)
class Hindered:
    """A record that cannot take the change, and why, as a sentence."""

    reference: str
    why: str


def main_step(item: Item) -> Step | None:
    """The step that settles the record, if it can be taken from where it stands."""
    return next((step for step in item.kind.steps_from(item.record.status) if step.is_main), None)


def sorted_out(actor: Actor, pairs: Iterable[Pair], deed: Deed) -> tuple[list[Pair], list[Hindered]]:
    """The records with which this person may do that now, and the others with the reason."""
    able, hindered = [], []
    for item, project in pairs:
        why = _why_not(actor, item, project, deed)
        if why:
            hindered.append(Hindered(item.reference, why))
        else:
            able.append((item, project))
    return able, hindered


def _why_not(actor: Actor, item: Item, project: Project, deed: Deed) -> str:
    status = item.status.label.lower()
    right = Right.EDIT
    if deed is Deed.CLOSE:
        step = main_step(item)
        if step is None:
            return f"It is {status} already." if not item.record.is_open else f"It is {status}; open it to move it on."
        right = right_for(step, item)
    elif not item.kind.is_editable(item):
        return f"It is {status}, so its text stands."
    try:
        require(actor, right, project, item)
    except NotAllowed as refusal:
        return str(refusal)
    return ""


async def changed_meanwhile(session: AsyncSession, pairs: Sequence[Pair]) -> list[Hindered]:
    """These records as hindered by whoever changed them last; one statement, and one for the names."""
    ids = [item.record.id for item, _ in pairs]
    query = select(History).where(col(History.record_id).in_(ids)).order_by(col(History.id))
    last = {row.record_id: row.actor_id for row in await session.exec(query)} if ids else {}
    people = await directory.people(session, last.values())
    names = {record_id: people[who].shown_name for record_id, who in last.items() if who in people}
    return [
        Hindered(item.reference, f"{names.get(item.record.id, 'Somebody')} changed it meanwhile.") for item, _ in pairs
    ]


async def problems_of(
    session: AsyncSession, pairs: Sequence[Pair], values_of: Callable[[Pair], Mapping[str, Any]], *, now: datetime
) -> dict[str, str]:
    """What is wrong with the new values: field key -> sentence, which names the records where it is not all of them."""
    found: dict[tuple[str, str], list[str]] = {}
    owners: dict[tuple[str, int], str | None] = {}
    for item, project in pairs:
        values = values_of((item, project))
        today = today_in(project.timezone, now)
        problems = operations.field_problems(item.kind, values, today=today, before=item)
        if owner_id := values.get("owner_id"):
            where = owner_id, project.id or 0
            if where not in owners:
                owners[where] = await operations.owner_problem(session, project, owner_id)
            problems |= {"owner_id": problem} if (problem := owners[where]) else {}
        for field, sentence in problems.items():
            found.setdefault((field, sentence), []).append(item.reference)
    said: dict[str, str] = {}
    for (field, sentence), references in found.items():
        whose = f"{', '.join(references)}: " if len(references) < len(pairs) else ""
        said[field] = " ".join(filter(None, [said.get(field), f"{whose}{sentence}"]))
    return said


async def change(
    session: AsyncSession,
    actor: Actor,
    pairs: Sequence[Pair],
    values_of: Callable[[Pair], Mapping[str, Any]],
    *,
    now: datetime,
    via: str,
    why_moved: str = "",
) -> list[Item]:
    """Store new values in every record, as one batch; the records that had others before."""
    batches.begin(session)
    changed = []
    for item, project in pairs:
        before = item.record.version
        values = values_of((item, project))
        await operations.change(session, actor, item, project, values, version=before, now=now, via=via, why=why_moved)
        changed += [item] if item.record.version != before else []
    return changed


async def close(
    session: AsyncSession,
    actor: Actor,
    pairs: Sequence[Pair],
    answers: Mapping[str, Labelled],
    *,
    note: str,
    now: datetime,
    via: str,
) -> list[Item]:
    """Take every record's main step, as one batch. `answers` holds the choice that a kind's step asks for, by kind."""
    batches.begin(session)
    for item, project in pairs:
        step = main_step(item)
        assert step is not None
        answer = answers.get(item.kind.key)
        await repeating.take_step(session, actor, item, project, step, now=now, via=via, note=note, answer=answer)
    return [item for item, _ in pairs]
