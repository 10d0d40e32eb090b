"""People and channels as Slack last described them, so that no request has to wait for Slack."""

from collections.abc import Collection, Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, exists, func, or_, update
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from models import erased, manners
from models.inserting import add_missing
from models.tables import Card, Channel, ChannelMember, Delivery, Person, Project, Record

# Asked about in one statement: SQLite's expressions may be a thousand deep.
NAMES_AT_ONCE = 300

# What only we know of a person, and Slack's description leaves as it is.
OURS = ("home_opened_at", "current_project_id", "unreachable_since", *manners.SETTINGS)


async def person(session: AsyncSession, person_id: str) -> Person | None:
    """The person of that id, or None when we never met; one statement, none when this session has met them."""
    return (await people(session, [person_id])).get(person_id)


async def people(session: AsyncSession, person_ids: Iterable[str | None]) -> dict[str, Person]:
    """The known people among the ids, by id; at most one statement, none when the session has met them all."""
    wanted = {person_id for person_id in person_ids if person_id}
    # Held on to here, since the session itself lets go of rows that nobody uses for a moment.
    met: dict[str, Person] = session.sync_session.info.setdefault("people", {})
    if missing := wanted - met.keys():
        found = await session.exec(select(Person).where(col(Person.id).in_(missing)))
        met |= {row.id: row for row in found}
        session.sync_session.info.setdefault("strangers", set()).update(missing - met.keys())
    return {person_id: met[person_id] for person_id in wanted & met.keys()}


def strangers(session: AsyncSession) -> Set[str]:
    """The ids that this session was asked about and that are nobody's whom we ever met."""
    found: Set[str] = session.sync_session.info.get("strangers", frozenset())
    return found


@dataclass(frozen=True)
class Asking:
    """Whoever acts, None when we never met; `place` is the channel they act in with its project, where we have met it.

    `is_stale` says that Slack should be asked again first who is where: what they may see hangs on a membership that
    was read too long ago.
    """

    person: Person | None
    is_stale: bool = False
    place: tuple[Channel, Project | None] | None = None


async def asking(session: AsyncSession, person_id: str, channel_id: str, *, asked_before: datetime) -> Asking:
    """Who acts in that channel; memberships read before that instant are stale. One statement for people we know."""
    known = {"person_id": person_id, "channel_id": channel_id, "asked_before": asked_before}
    found: Any = (await session.exec(_ASKING, params=known)).first()
    if found is None:
        return Asking(None, place=await channel(session, channel_id))
    person, is_stale, here, project = found
    session.sync_session.info.setdefault("people", {})[person_id] = person
    return Asking(person, is_stale, None if here is None else (here, project))


async def stale_channels(
    session: AsyncSession, person_id: str, channel_id: str, *, asked_before: datetime
) -> Sequence[str]:
    """The channels whose membership should be asked again, those asked longest ago first; see `asking`."""
    known = {"person_id": person_id, "channel_id": channel_id, "asked_before": asked_before}
    return (await session.exec(_STALE_CHANNELS, params=known)).all()


def _hangs_on() -> SelectOfScalar[str]:
    """The ids of the channels, read too long ago, that the `Person` is in or acts in and that decide what they see.

    The channels of private projects decide for everybody, any channel for guests and people of other companies.
    """
    keeps_to_channels = or_(col(Person.is_guest), col(Person.is_external))
    is_in_it = exists().where(
        col(ChannelMember.workspace_id) == col(Channel.workspace_id),
        col(ChannelMember.channel_id) == col(Channel.id),
        col(ChannelMember.person_id) == bindparam("person_id"),
    )
    of_private = exists().where(
        col(Project.workspace_id) == col(Channel.workspace_id),
        col(Project.id) == col(Channel.project_id),
        col(Project.is_private),
    )
    acts_in_it = col(Channel.id) == bindparam("channel_id")
    never_read = col(Channel.members_known_at).is_(None) & col(Channel.is_private).is_(False)
    return select(Channel.id).where(
        col(Channel.workspace_id) == col(Person.workspace_id),
        # Nobody joins or leaves one, and of one that was deleted Slack says nothing more.
        col(Channel.is_archived).is_(False),
        or_(
            (col(Channel.members_known_at) < bindparam("asked_before"))
            & col(Channel.project_id).is_not(None)
            & or_(of_private, keeps_to_channels)
            & or_(is_in_it, acts_in_it),
            never_read & keeps_to_channels & acts_in_it,
        ),
    )


# Asked with every request, so put together once and not each time.
_here, _project = aliased(Channel), aliased(Project)
_ASKING = (
    select(Person, _hangs_on().exists(), _here, _project)
    .select_from(Person)
    .join(_here, col(_here.id) == bindparam("channel_id"), isouter=True)
    .join(_project, col(_project.id) == col(_here.project_id), isouter=True)
    .where(col(Person.id) == bindparam("person_id"))
)
_STALE_CHANNELS = (
    _hangs_on().join(Person, col(Person.id) == bindparam("person_id")).order_by(col(Channel.members_known_at))
)


async def users_of_home(session: AsyncSession, person_ids: Collection[str]) -> Sequence[str]:
    """Those of the people who have ever opened their Home tab."""
    query = select(Person.id).where(col(Person.id).in_(person_ids), col(Person.home_opened_at).is_not(None))
    return (await session.exec(query)).all()


async def people_named(session: AsyncSession, name: str) -> Sequence[Person]:
    """Active people who go by that name, by handle or full name, whatever the case; in the order of their handles."""
    name = name.strip().lower()
    return (await people_of_names(session, [name])).get(name, [])


async def people_of_names(session: AsyncSession, names: Iterable[str]) -> dict[str, list[Person]]:
    """The same for many names in small letters, by name; one statement unless they are hundreds."""
    wanted = sorted(set(filter(None, names)))
    found: dict[str, list[Person]] = {}
    handle, full = func.lower(col(Person.name)), func.lower(col(Person.real_name))
    for start in range(0, len(wanted), NAMES_AT_ONCE):
        some = wanted[start : start + NAMES_AT_ONCE]
        begins = [full.startswith(name + " ", autoescape=True) for name in some]
        query = (
            select(Person)
            .where(
                col(Person.is_active),
                col(Person.is_bot).is_(False),
                or_(handle.in_(some), full.in_(some), *begins),
            )
            .order_by(col(Person.name))
        )
        people = (await session.exec(query)).all()
        for name in some:
            known = [each for each in people if _goes_by(each, name)]
            found |= {name: known} if known else {}
    return found


def _goes_by(person: Person, name: str) -> bool:
    real_name = person.real_name.lower()
    return name in (person.name.lower(), real_name) or real_name.startswith(f"{name} ")


@dataclass(frozen=True)
class Turn:
    """What became of somebody since Slack last spoke of them: gone from the workspace, living in another time zone."""

    has_left: bool = False
    has_moved: bool = False


async def save_person(session: AsyncSession, found: Person) -> Turn:
    """Store what Slack says of a person, keeping what only we know of them; nothing of somebody who was erased."""
    found.workspace_id = found.workspace_id or session.sync_session.info["workspace_id"]
    known = await person(session, found.id)
    turn = Turn()
    if known is None:
        if await erased.among(session, [found.id]):
            return turn
        await add_missing(session, Person, [found.model_dump()])
    else:
        turn = Turn(known.is_active and not found.is_active, known.timezone != found.timezone)
        for key in OURS:
            setattr(found, key, getattr(known, key))
        found.next_digest_at = manners.next_digest(known, found.timezone, known.digest_at)
    await session.merge(found)
    return turn


async def unlisted(session: AsyncSession, listed: Collection[str]) -> Sequence[Person]:
    """The active people of this workspace, as far as we know, who are not among the listed ones."""
    query = select(Person).where(
        col(Person.is_active), col(Person.is_external).is_(False), col(Person.is_bot).is_(False)
    )
    return [each for each in await session.exec(query) if each.id not in listed]


async def channel(session: AsyncSession, channel_id: str) -> tuple[Channel, Project | None] | None:
    """The channel with the project it belongs to, or None when we never met; one statement."""
    query = (
        select(Channel, Project)
        .join(Project, col(Project.id) == col(Channel.project_id), isouter=True)
        .where(col(Channel.id) == channel_id)
    )
    return (await session.exec(query)).first()


async def save_channel(
    session: AsyncSession, found: Channel, members: Iterable[str] | None, now: datetime
) -> str | None:
    """Store what Slack says of a channel, and give the name it had before; None when we never met it.

    `members` replaces who is in it, None leaves that unknown or as it was.
    """
    found.workspace_id = found.workspace_id or session.sync_session.info["workspace_id"]
    known = (await session.exec(select(Channel).where(col(Channel.id) == found.id))).first()
    before = known.name if known else None
    if known is None:
        await add_missing(session, Channel, [found.model_dump()])
    else:
        found.project_id, found.greeted_at = known.project_id, known.greeted_at
        found.members_known_at = known.members_known_at
    if members is not None:
        found.members_known_at = now
        await replace_members(session, found.id, members)
    await session.merge(found)
    await session.flush()
    if found.project_id is not None:
        await follow_privacy(session, found.project_id)
    return before


async def move_channel(session: AsyncSession, old_id: str, new_id: str) -> None:
    """Follow a channel to its new id: its members, records, cards, project and what is still to be posted there."""
    if old_id == new_id or await channel(session, old_id) is None:
        return
    # What was learned of the new id before we knew whose it is.
    await session.exec(delete(ChannelMember).where(col(ChannelMember.channel_id) == new_id))
    await session.exec(delete(Channel).where(col(Channel.id) == new_id))
    for column in (
        col(Channel.id),
        col(ChannelMember.channel_id),
        col(Record.channel_id),
        col(Card.channel_id),
        col(Project.home_channel_id),
        col(Delivery.target),
    ):
        table: Any = column.class_  # type: ignore[attr-defined]
        await session.exec(update(table).where(column == old_id).values({column: new_id}))


async def replace_members(session: AsyncSession, channel_id: str, members: Iterable[str]) -> None:
    """Make the stored membership of the channel equal to `members`, but for those who were erased."""
    wanted = set(members)
    query = select(ChannelMember.person_id).where(col(ChannelMember.channel_id) == channel_id)
    known = set(await session.exec(query))
    if added := wanted - known:
        await _add_members(session, channel_id, added - await erased.among(session, added))
    if gone := known - wanted:
        await session.exec(
            delete(ChannelMember).where(
                col(ChannelMember.channel_id) == channel_id, col(ChannelMember.person_id).in_(gone)
            )
        )


async def joined(session: AsyncSession, channel_id: str, person_id: str) -> None:
    """Note that the person is in the channel."""
    await _add_members(session, channel_id, {person_id})


async def left(session: AsyncSession, channel_id: str, person_id: str) -> None:
    """Note that the person is no longer in the channel."""
    await session.exec(
        delete(ChannelMember).where(
            col(ChannelMember.channel_id) == channel_id, col(ChannelMember.person_id) == person_id
        )
    )


async def bot_left(session: AsyncSession, gone: Channel) -> None:
    """Note that Steward is no longer in the channel, so that nobody tells it who is; what it knew of that is void."""
    gone.has_bot = False
    gone.members_known_at = None
    session.add(gone)
    await replace_members(session, gone.id, ())


async def closed(session: AsyncSession, channel_id: str) -> None:
    """Note that Slack no longer shows Steward the channel: who is in it is unknown, and so it counts as private."""
    place = await channel(session, channel_id)
    if place is None:
        return
    gone, project = place
    if gone.members_known_at is not None or not gone.is_private:
        gone.is_private = True
        await bot_left(session, gone)
        await session.flush()
    if project is not None and project.id is not None:
        await follow_privacy(session, project.id)


async def channels_of_projects(session: AsyncSession) -> Sequence[Channel]:
    """The channels of projects that Slack shows to Steward, except archived ones."""
    query = select(Channel).where(
        col(Channel.project_id).is_not(None),
        col(Channel.is_archived).is_(False),
        or_(col(Channel.has_bot), col(Channel.is_private).is_(False)),
    )
    return (await session.exec(query)).all()


async def channels_with_bot(session: AsyncSession) -> Sequence[Channel]:
    """The channels that Steward is in, as far as it knows."""
    return (await session.exec(select(Channel).where(col(Channel.has_bot)))).all()


async def is_member(session: AsyncSession, channel_id: str, person_id: str) -> bool:
    """Whether the person is known to be in the channel."""
    query = select(ChannelMember.person_id).where(
        col(ChannelMember.channel_id) == channel_id, col(ChannelMember.person_id) == person_id
    )
    return (await session.exec(query)).first() is not None


async def follow_privacy(session: AsyncSession, project_id: int) -> None:
    """Make the project private exactly when one of its channels is."""
    query = select(Project).where(col(Project.id) == project_id)
    project = (await session.exec(query)).one()
    private = select(Channel.id).where(col(Channel.project_id) == project_id, col(Channel.is_private))
    is_private = (await session.exec(private)).first() is not None
    if project.is_private != is_private:
        project.is_private = is_private


async def _add_members(session: AsyncSession, channel_id: str, person_ids: Iterable[str]) -> None:
    # In one order everywhere, so that two units that add the same people never wait for each other.
    await add_missing(
        session, ChannelMember, [{"channel_id": channel_id, "person_id": person_id} for person_id in sorted(person_ids)]
    )
