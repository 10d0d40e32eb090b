"""Where a record may move to: another project, into one of its channels. `operations.move` does it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from models import directory, projects
from models.clock import zone_or_utc
from models.dates import Due
from models.errors import Conflict, NotAllowed, NotFound
from models.kinds import Item
from models.permissions import Actor, Right, Standing, require
from models.tables import Project

ASKS_FIRST = (
    "{reference} is in a private project now, and undoing this would show it to others. "
    "`/steward {reference} move` moves it back, and asks first."
)


@dataclass(frozen=True)
class Destination:
    """A project, and the channel of it in which the record's card is to stand."""

    project: Project
    channel_id: str


async def to_channel(session: AsyncSession, actor: Actor, channel_id: str) -> Destination:
    """The project of that channel. Raises NotFound, the same for hidden and absent."""
    found = await projects.of_channels(session, actor, [channel_id])
    if not found:
        raise NotFound(
            "There is no project in that channel that you can see. The first record logged in a channel begins its "
            "project; then things can be moved there."
        )
    return Destination(found[0], channel_id)


async def to_project(session: AsyncSession, actor: Actor, project_id: int) -> Destination:
    """The project of that id, in its first channel. Raises NotFound."""
    project = await projects.find(session, actor, project_id)
    return Destination(project, project.home_channel_id)


async def require_move(session: AsyncSession, actor: Actor, item: Item, project: Project, to: Destination) -> None:
    """Raise NotAllowed or Conflict unless this person may move the record there now.

    Whoever owns it or helps with it must be able to see it there.
    """
    require(actor, Right.EDIT, project, item)
    if to.project.id == project.id:
        raise Conflict(f"{item.reference} is in {project.name} already. Name another project's channel.")
    require(actor, Right.CREATE, to.project)
    if item.record.status in {step.to for step in item.kind.steps if step.needs_approver(item)}:
        # Otherwise a decision could come into a project without those who decide there.
        require(actor, Right.APPROVE, to.project, item)
    if actor.standing is not Standing.MEMBER and not await directory.is_member(session, to.channel_id, actor.id):
        raise NotAllowed(f"You are not in the channel of {to.project.name}. Ask a member of it to move the record.")
    for person_id in filter(None, dict.fromkeys((item.record.owner_id, *item.record.helpers))):
        person = await directory.person(session, person_id)
        if person is not None and person.is_active and not await _sees(session, to, person_id):
            part = "owns" if person_id == item.record.owner_id else "helps with"
            raise NotAllowed(
                f"{person.shown_name}, who {part} {item.reference}, cannot see {to.project.name}. Invite them to its "
                "channel first, or change who works on it."
            )


async def _sees(session: AsyncSession, to: Destination, person_id: str) -> bool:
    person = await directory.person(session, person_id)
    assert person is not None
    if projects.is_full_member(person):
        return await projects.can_see(session, to.project, person)
    return await directory.is_member(session, to.channel_id, person_id)


def shows_to_others(project: Project) -> bool:
    """Whether people will see a record that leaves the project who could not before, so that it is asked about."""
    return project.is_private


def new_place(item: Item, project: Project, to: Destination) -> Mapping[str, Any]:
    """The values of a record at its destination. A due date stays that day; with a time it stays that instant."""
    record = item.record
    place: dict[str, Any] = {"project_id": to.project.id, "channel_id": to.channel_id}
    if record.due_date is None or record.due_time is None:
        return place
    due = Due(record.due_date, record.due_time, zone_or_utc(project.timezone))
    there = due.in_zone(zone_or_utc(to.project.timezone))
    return place | {"due_date": there.day, "due_time": there.time}
