"""Projects: begun by the first record in a channel, tuned in a form."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import available_timezones

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import directory
from models.errors import Conflict, InvalidFields, NotFound, Overtaken
from models.permissions import (
    Actor,
    Right,
    Standing,
    actor_of,
    logs_in_channel,
    require,
    visible_projects,
)
from models.tables import Act, Channel, ChannelMember, History, Person, Project

NAME_MAX = 80


async def begin(
    session: AsyncSession, actor: Actor, channel: Channel, *, name: str, timezone: str, now: datetime
) -> Project:
    """Make the channel's project, with the person as coordinator when they are a full member.

    Raises InvalidFields, and Overtaken when the channel has a project by now.
    """
    project = planned(actor, channel, name=name, timezone=timezone, now=now)
    session.add(project)
    await session.flush()
    assert project.id is not None
    taken = await session.exec(
        update(Channel)
        .where(col(Channel.id) == channel.id, col(Channel.project_id).is_(None))
        .values(project_id=project.id)
    )
    if taken.rowcount == 0:
        raise Overtaken("Somebody else logged the first record here at the same moment. Please try again.")
    session.add(
        History(
            project_id=project.id,
            version=1,
            at=now,
            actor_id=actor.id,
            act=Act.CREATED,
            via="first record",
            after=project.name,
        )
    )
    await session.flush()
    return project


def planned(actor: Actor, channel: Channel, *, name: str, timezone: str, now: datetime) -> Project:
    """The project that a first record here would begin, not stored. Raises InvalidFields."""
    return Project(
        name=_checked_name(name),
        timezone=timezone,
        coordinator_id=actor.id if actor.standing is Standing.MEMBER else None,
        created_by=actor.id,
        home_channel_id=channel.id,
        is_private=channel.is_private,
        created_at=now,
    )


async def seen_by(session: AsyncSession, actor: Actor) -> Sequence[Project]:
    """The projects the actor may know of, by name."""
    return (await session.exec(select(Project).where(visible_projects(actor)).order_by(col(Project.name)))).all()


async def find(session: AsyncSession, actor: Actor, project_id: int) -> Project:
    """The project, if the actor may know of it. Raises NotFound, the same for hidden and absent."""
    query = select(Project).where(col(Project.id) == project_id, visible_projects(actor))
    project = (await session.exec(query)).first()
    if project is None:
        raise NotFound("There is no such project here. Log a record in its channel to begin one.")
    return project


async def of_channels(session: AsyncSession, actor: Actor, channel_ids: Sequence[str]) -> Sequence[Project]:
    """The projects of those channels that the actor may know of, by name; one statement."""
    theirs = select(Channel.project_id).where(col(Channel.id).in_(channel_ids))
    query = select(Project).where(col(Project.id).in_(theirs), visible_projects(actor)).order_by(col(Project.name))
    return (await session.exec(query)).all()


async def of_channel(session: AsyncSession, actor: Actor, channel_id: str) -> Project:
    """The project of a channel in which the actor may log something; one statement.

    Raises NotFound, the same for a channel that is hidden, that is not there and that has no project.
    """
    query = select(Project).where(logs_in_channel(actor, channel_id))
    project = (await session.exec(query)).first()
    if project is None:
        raise NotFound(
            "There is no project in that channel that you can log in, so nothing was saved. The first record that is "
            "logged in a channel begins its project. If the channel belongs to the title, put a word after it."
        )
    return project


async def change_settings(
    session: AsyncSession,
    actor: Actor,
    project: Project,
    *,
    name: str,
    coordinator_id: str | None,
    timezone: str | None,
    version: int,
    now: datetime,
) -> Project:
    """Store new settings with their history. Raises NotAllowed, Conflict and InvalidFields."""
    require(actor, Right.SETTINGS, project)
    if project.version != version:
        raise Conflict(f"Somebody else changed the settings of {project.name} meanwhile. Open them again to see.")
    problems: dict[str, str] = {}
    try:
        name = _checked_name(name)
    except InvalidFields as refusal:
        problems |= refusal.problems
    coordinator = await directory.person(session, coordinator_id) if coordinator_id else None
    if coordinator is None or not is_full_member(coordinator):
        problems["coordinator_id"] = "The coordinator must be an active full member of this workspace. Choose another."
    elif project.is_private and not await can_see(session, project, coordinator):
        problems["coordinator_id"] = f"{coordinator.shown_name} is not in this project's private channel. Invite them."
    if timezone not in available_timezones():
        problems["timezone"] = "Choose a time zone from the list, such as Europe/Berlin."
    if problems:
        raise InvalidFields(problems)
    assert project.id is not None
    wanted = {"name": name, "coordinator_id": coordinator_id, "timezone": timezone}
    for field, after in wanted.items():
        before = getattr(project, field)
        if before != after:
            setattr(project, field, after)
            session.add(
                History(
                    project_id=project.id,
                    version=version + 1,
                    at=now,
                    actor_id=actor.id,
                    act=Act.CHANGED,
                    via="settings",
                    field=field,
                    before=before,
                    after=after,
                )
            )
    session.add(project)
    await session.flush()
    return project


def is_full_member(person: Person) -> bool:
    """Whether the person is an active full member: no guest, no bot, nobody from another company."""
    return person.is_active and not (person.is_bot or person.is_guest or person.is_external)


async def can_see(session: AsyncSession, project: Project, person: Person) -> bool:
    """Whether the person may know of the project, for handing them something of it."""
    if is_full_member(person) and not project.is_private:
        return True
    query = select(Project.id).where(col(Project.id) == project.id, visible_projects(actor_of(person)))
    return (await session.exec(query)).first() is not None


async def blind_to(session: AsyncSession, project: Project, people: Sequence[Person]) -> set[str]:
    """The ids of those who may not know of the project; a project not stored yet is seen as its channel is."""
    asked = {person.id: person for person in people if project.is_private or not is_full_member(person)}
    if not asked:
        return set()
    here = col(Channel.project_id) == project.id if project.id else col(Channel.id) == project.home_channel_id
    query = (
        select(ChannelMember.person_id)
        .join(Channel, col(Channel.id) == col(ChannelMember.channel_id))
        .where(here, col(ChannelMember.person_id).in_(asked))
    )
    blind = asked.keys() - set(await session.exec(query))
    began = asked.get(project.created_by) if project.created_by in blind else None
    if began and (project.id is None or await can_see(session, project, began)):
        blind -= {began.id}
    return blind


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise InvalidFields({"name": "A project needs a name."})
    if len(name) > NAME_MAX:
        raise InvalidFields({"name": f"At most {NAME_MAX} characters; this has {len(name)}."})
    return name
