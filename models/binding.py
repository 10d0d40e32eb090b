"""Which channels belong to a project, and what another set of them means for who sees it.

A project is private as soon as one of its channels is. So binding and unbinding can take sight from people or give it
to them: `effect_of` says to whom before anything is stored, for somebody to confirm.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import directory, projects
from models.errors import NotAllowed, Overtaken
from models.permissions import Actor, Right, require
from models.tables import Channel, ChannelMember, Person, Project, Record


@dataclass(frozen=True)
class Effect:
    """Who sees a project with other channels: the full members who no longer would, and those who newly would.

    `seen_by` counts all who would see it. Whoever owns open records, coordinates or sponsors stands first.
    """

    is_private: bool
    was_private: bool
    seen_by: int
    loses: tuple[Person, ...]
    gains: tuple[Person, ...]

    @property
    def changes(self) -> bool:
        return bool(self.loses or self.gains) or self.is_private != self.was_private

    @property
    def fingerprint(self) -> str:
        """What somebody confirms by it; another effect has another one."""
        return f"{self.is_private:d}.{len(self.loses)}.{len(self.gains)}"


async def channels_of(session: AsyncSession, project: Project) -> Sequence[Channel]:
    """The project's channels, by name."""
    query = select(Channel).where(col(Channel.project_id) == project.id).order_by(col(Channel.name), col(Channel.id))
    return (await session.exec(query)).all()


async def effect_of(
    session: AsyncSession, project: Project, *, adding: Channel | None = None, without: Channel | None = None
) -> Effect:
    """What binding one channel or unbinding another would change; four statements at most."""
    before = await channels_of(session, project)
    after = [each for each in before if without is None or each.id != without.id]
    after += [adding] if adding is not None else []
    members = await _members(session, {each.id for each in (*before, *after)})
    people = (await session.exec(select(Person).order_by(col(Person.real_name), col(Person.id)))).all()
    everybody = {person.id: person for person in people if projects.is_full_member(person)}

    def audience(channels: Collection[Channel]) -> set[str]:
        if not any(channel.is_private for channel in channels):
            return set(everybody)
        unreadable = any(channel.is_private and channel.members_known_at is None for channel in channels)
        inside = {person_id for channel in channels for person_id in members.get(channel.id, ())}
        return (inside | ({project.created_by} if unreadable else set())) & everybody.keys()

    seen_before, seen_after = audience(before), audience(after)
    concerned = {project.coordinator_id, project.sponsor_id, *await projects.open_owners(session, project)}

    def named(ids: set[str]) -> tuple[Person, ...]:
        found = [person for person_id, person in everybody.items() if person_id in ids]
        return tuple(sorted(found, key=lambda person: person.id not in concerned))

    return Effect(
        is_private=any(channel.is_private for channel in after),
        was_private=project.is_private,
        seen_by=len(seen_after),
        loses=named(seen_before - seen_after),
        gains=named(seen_after - seen_before),
    )


async def free_channels(session: AsyncSession, actor: Actor) -> Sequence[Channel]:
    """The channels without a project that the actor is known to be in, by name."""
    query = (
        select(Channel)
        .join(ChannelMember, col(ChannelMember.channel_id) == col(Channel.id))
        .where(col(ChannelMember.person_id) == actor.id, col(Channel.project_id).is_(None), ~col(Channel.is_archived))
        .order_by(col(Channel.name), col(Channel.id))
    )
    return (await session.exec(query)).all()


async def require_bindable(session: AsyncSession, actor: Actor, project: Project, channel: Channel) -> None:
    """Raise NotAllowed unless the actor may bind the channel to the project; also where it makes no sense."""
    require(actor, Right.SETTINGS, project)
    require(actor, Right.CREATE, project)
    await require_member(session, actor, channel)
    if channel.project_id == project.id:
        raise NotAllowed(f"This channel belongs to {project.name} already.")
    if channel.is_private and channel.members_known_at is None:
        raise NotAllowed("I cannot see who is in this private channel. Type `/invite @Steward` here, then try again.")


async def require_member(session: AsyncSession, actor: Actor, channel: Channel) -> None:
    """Raise NotAllowed when Steward knows who is in the channel, and the actor is not."""
    if channel.members_known_at is not None and not await directory.is_member(session, channel.id, actor.id):
        raise NotAllowed("Only a member of the channel can do that. Join it first, then try again.")


async def require_free(session: AsyncSession, actor: Actor, project: Project, channel: Channel) -> None:
    """Raise NotAllowed unless the actor may take the channel from its project: not its last one, unless it is empty."""
    require(actor, Right.SETTINGS, project)
    await require_member(session, actor, channel)
    others = [each for each in await channels_of(session, project) if each.id != channel.id]
    if not others and await has_records(session, project):
        raise NotAllowed(
            f"This is the last channel of {project.name}, so it stays. To close the project, "
            "type `/steward project archive`."
        )


async def bind(session: AsyncSession, actor: Actor, project: Project, channel: Channel, *, now: datetime) -> None:
    """Make the channel belong to the project, which takes it from the one it belonged to.

    Raises NotAllowed, and Overtaken when somebody else was faster.
    """
    await require_bindable(session, actor, project, channel)
    old = await _project_of(session, channel)
    if old is not None:
        await require_free(session, actor, old, channel)
    await _move(session, channel, project.id)
    if old is not None:
        await _settle(session, actor, old, channel, is_added=False, now=now)
    await _settle(session, actor, project, channel, is_added=True, now=now)


async def unbind(session: AsyncSession, actor: Actor, project: Project, channel: Channel, *, now: datetime) -> None:
    """Let the channel belong to no project; its records stay with the project. Raises NotAllowed and Overtaken."""
    await require_free(session, actor, project, channel)
    await _move(session, channel, None)
    await _settle(session, actor, project, channel, is_added=False, now=now)


async def has_records(session: AsyncSession, project: Project) -> bool:
    """Whether anything was ever logged in the project."""
    query = select(Record.id).where(col(Record.project_id) == project.id).limit(1)
    return (await session.exec(query)).first() is not None


async def _move(session: AsyncSession, channel: Channel, project_id: int | None) -> None:
    seen = channel.project_id
    moved = await session.exec(
        update(Channel)
        .where(
            col(Channel.id) == channel.id,
            col(Channel.project_id).is_(None) if seen is None else col(Channel.project_id) == seen,
        )
        .values(project_id=project_id)
    )
    if moved.rowcount == 0:
        raise Overtaken("Somebody else changed what this channel belongs to at the same moment. Please try again.")


async def _settle(
    session: AsyncSession, actor: Actor, project: Project, channel: Channel, *, is_added: bool, now: datetime
) -> None:
    """What follows for a project that won or lost a channel: its privacy, its home, and the end of an empty one."""
    left = await channels_of(session, project)
    values: dict[str, object] = {"is_private": any(each.is_private for each in left) if left else project.is_private}
    if left and project.home_channel_id not in {each.id for each in left}:
        values["home_channel_id"] = min(left, key=lambda each: (not each.has_bot, each.name, each.id)).id
    if not left:
        values["archived_at"] = now
    await projects.store(session, actor, project, values, via="channels", now=now)
    before, after = (None, channel.id) if is_added else (channel.id, None)
    await projects.note(session, actor, project, "channel", before, after, via="channels", now=now)


async def _project_of(session: AsyncSession, channel: Channel) -> Project | None:
    if channel.project_id is None:
        return None
    return (await session.exec(select(Project).where(col(Project.id) == channel.project_id))).one()


async def _members(session: AsyncSession, channel_ids: Collection[str]) -> dict[str, set[str]]:
    query = select(ChannelMember).where(col(ChannelMember.channel_id).in_(channel_ids))
    found: dict[str, set[str]] = {}
    for row in await session.exec(query):
        found.setdefault(row.channel_id, set()).add(row.person_id)
    return found
