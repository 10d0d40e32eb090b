"""Links between records: made, taken away, and read by both ends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, delete, exists, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import batches, operations
from models.errors import Conflict, NotAllowed, NotFound
from models.inserting import add_if_missing, add_missing
from models.kinds import Item, Kind, kind_of
from models.kinds.base import FollowUp
from models.labels import LinkType
from models.permissions import Actor, Right, is_for_everybody, require, visible_records
from models.tables import Act, ChannelMember, History, Link, Person, Project, Record

# How what supersedes reads from the new one and from the old one: until the new one is approved, and where it never was
# or another one is in force by then.
TO_COME: Final = ("Would supersede", "Would be superseded by")
PROPOSED: Final = ("Proposed in place of", "Proposed in its place")

# Before what a history says was linked or no longer, where that was taken back.
UNDID: Final = "undid: "


@dataclass(frozen=True)
class Linked:
    """The other end of a link as a card shows it: `word` says how, read from this end."""

    word: str
    reference: str
    title: str
    is_open: bool


async def links_of(session: AsyncSession, item: Item, seen_by: Actor | None = None) -> list[Linked]:
    """The links of a record that this person may see, or everybody who is in its channel; one statement.

    Those are links to records of its own project and of open projects. To guests and people of other companies, and so
    in a channel where some are, only what was logged there too. What is archived is left out, and for everybody what is
    confidential.
    """
    here = item.record.id
    for_all = or_(col(Record.channel_id) == item.record.channel_id, ~_has_guests(item.record.channel_id))
    other = or_(
        and_(col(Link.from_id) == here, col(Record.id) == col(Link.to_id)),
        and_(col(Link.to_id) == here, col(Record.id) == col(Link.from_id)),
    )
    query = (
        select(Link, Record)
        .join(Record, other)
        .join(Project, col(Project.id) == col(Record.project_id))
        .where(
            or_(col(Link.from_id) == here, col(Link.to_id) == here),
            or_(col(Record.project_id) == item.record.project_id, col(Project.is_private).is_(False)),
            and_(for_all, is_for_everybody()) if seen_by is None else visible_records(seen_by),
            col(Record.is_archived).is_(False),
        )
        .order_by(col(Link.at), col(Record.id))
    )
    return [
        Linked(
            word=(
                words_of(link.type, item.record, record)[0]
                if link.from_id == here
                else words_of(link.type, record, item.record)[1]
            ),
            reference=kind_of(record.kind).reference_of(record),
            title=record.title,
            is_open=record.is_open,
        )
        for link, record in await session.exec(query)
    ]


def words_of(type: LinkType, one: Record, other: Record) -> tuple[str, str]:
    """How the link from the one record to the other reads from the one, and from the other."""
    replacement = kind_of(one.kind).replacement
    if type is not LinkType.SUPERSEDES or replacement is None or one.status in (replacement.when, replacement.to):
        return type.label, type.inverse
    return TO_COME if one.is_open and other.status != replacement.to else PROPOSED


def _has_guests(channel_id: str) -> ColumnElement[bool]:
    """Whether somebody is in the channel who sees nothing but what is logged in their channels."""
    return exists().where(
        col(ChannelMember.workspace_id) == col(Record.workspace_id),
        col(ChannelMember.channel_id) == channel_id,
        col(Person.workspace_id) == col(ChannelMember.workspace_id),
        col(Person.id) == col(ChannelMember.person_id),
        col(Person.is_active),
        or_(col(Person.is_guest), col(Person.is_external)),
    )


async def make(
    session: AsyncSession,
    actor: Actor,
    one: tuple[Item, Project],
    type: LinkType,
    other: tuple[Item, Project],
    *,
    now: datetime,
    via: str,
) -> None:
    """Link one record to another, in the histories and on the cards of both. Raises NotAllowed and Conflict."""
    for item, project in (one, other):
        require(actor, Right.EDIT, project, item)
    if one[0].reference == other[0].reference:
        raise Conflict(f"{one[0].reference} cannot be linked with itself.")
    if type is LinkType.SUPERSEDES and operations.replaces_now(one[0]):
        require(actor, Right.APPROVE, other[1], other[0])
    if type.is_one_way:
        await _refuse_circle(session, one[0], type, other[0])
    if not await _insert(session, actor, one[0], type, other[0], now):
        raise Conflict(f"{one[0].reference} {_in_words(type)} {other[0].reference} already.")
    batches.begin(session)
    made = [_plain(one[0], type, other[0])]
    said, said_back = words_of(type, one[0].record, other[0].record)
    await _note(session, actor, one, said, other, via=via, now=now, after=made)
    await _note(session, actor, other, said_back, one, via=via, now=now, after=made)
    await operations.replace_linked(session, actor, one[0], via=via, now=now)


async def _refuse_circle(session: AsyncSession, part: Item, type: LinkType, whole: Item) -> None:
    """Raise Conflict where the part belongs to another whole already, or the whole to the part."""
    if any(each != whole.record.id for each in (await _wholes(session, part.record.id, type))[:1]):
        raise Conflict(
            f"{part.reference} is {_in_words(type)} another record already; its card shows which. "
            f"`/steward {part.reference} unlink …` ends that."
        )
    if part.record.id in await _wholes(session, whole.record.id, type):
        raise Conflict(f"{whole.reference} belongs to {part.reference} already, so it cannot be the other way round.")


async def _wholes(session: AsyncSession, part_id: int | None, type: LinkType) -> list[int]:
    """The ids of the record's whole, of that one's whole, and so on; as many statements as there are of them."""
    found: list[int] = []
    here = part_id
    while here is not None:
        query = select(Link.to_id).where(col(Link.from_id) == here, col(Link.type) == type).limit(1)
        here = (await session.exec(query)).first()
        found += [here] if here is not None else []
    return found


async def closes_circle(session: AsyncSession, row: History) -> bool:
    """Whether a link that the row of a record's history took away cannot be there again, because of newer ones."""
    for link in row.before or () if row.field == "link" else ():
        type = LinkType(link["type"])
        if type.is_one_way and (
            await _wholes(session, link["from"], type) or link["from"] in await _wholes(session, link["to"], type)
        ):
            return True
    return False


async def unmake(
    session: AsyncSession,
    actor: Actor,
    one: tuple[Item, Project],
    other: tuple[Item, Project],
    *,
    now: datetime,
    via: str,
) -> None:
    """Take every link between the two records away, in either direction. Raises NotAllowed and NotFound."""
    for item, project in (one, other):
        require(actor, Right.EDIT, project, item)
    for item, _ in (one, other):
        if item.kind.replacement and item.record.status == item.kind.replacement.to:
            raise NotAllowed(f"{item.reference} is {item.status.label.lower()}, so this link stays.")
    ids = [one[0].record.id, other[0].record.id]
    gone = (await session.exec(select(Link).where(col(Link.from_id).in_(ids), col(Link.to_id).in_(ids)))).all()
    if not gone:
        raise NotFound(f"{one[0].reference} and {other[0].reference} are not linked.")
    batches.begin(session)
    for link in gone:
        await session.delete(link)
    before = [{"from": link.from_id, "type": link.type.value, "to": link.to_id} for link in gone]
    await _note(session, actor, one, "No longer linked with", other, via=via, now=now, before=before)
    await _note(session, actor, other, "No longer linked with", one, via=via, now=now, before=before)


async def restore(session: AsyncSession, actor: Actor, item: Item, row: History, *, via: str, now: datetime) -> History:
    """Take back what a row of the record's history says was linked, or no longer; the row that says so.

    Both ends' rows may be taken back.
    """
    for link in row.after or ():
        same = col(Link.from_id) == link["from"], col(Link.type) == link["type"], col(Link.to_id) == link["to"]
        await session.exec(delete(Link).where(*same))
    rows = [
        {"from_id": link["from"], "type": LinkType(link["type"]), "to_id": link["to"], "at": now, "made_by": actor.id}
        for link in row.before or ()
    ]
    await add_missing(session, Link, rows)
    said = row.note or "link"
    said = said.removeprefix(UNDID) if said.startswith(UNDID) else f"{UNDID}{said}"
    return await operations.note_link(
        session, actor, item, said, via=via, now=now, before=row.after or (), after=row.before or (), act=Act.UNDONE
    )


async def follow(
    session: AsyncSession,
    actor: Actor,
    old: tuple[Item, Project],
    follow_up: FollowUp,
    new: Item,
    *,
    now: datetime,
    via: str,
) -> None:
    """Link a record just made to the one it follows from, and move that one on.

    Raises NotAllowed and, when the old one moved meanwhile, IllegalTransition.
    """
    item, project = old
    operations.require_follow_up(actor, item, project, follow_up)
    to_it = follow_up.is_from_new
    await tie(session, actor, old, follow_up.link, (new, project), is_to_it=to_it, now=now, via=via)
    if follow_up.to is not None and item.record.status != follow_up.to:
        await operations.follow_status(session, actor, item, follow_up.to, because=new.reference, now=now, via=via)


async def tie(
    session: AsyncSession,
    actor: Actor,
    one: tuple[Item, Project],
    type: LinkType,
    new: tuple[Item, Project],
    *,
    is_to_it: bool,
    now: datetime,
    via: str,
) -> None:
    """Link a record to one just made, or that one to it (`is_to_it`), in the history of the first."""
    ends = (new[0], one[0]) if is_to_it else (one[0], new[0])
    await _insert(session, actor, ends[0], type, ends[1], now)
    word = words_of(type, ends[0].record, ends[1].record)[is_to_it]
    await _note(session, actor, one, word, new, via=via, now=now, after=[_plain(ends[0], type, ends[1])])


def link_word(words: str) -> tuple[LinkType, str] | None:
    """The link that the words begin with, and what follows it; None when they begin with none."""
    type, rest = LinkType.at_start(words)
    return (type, rest) if type else None


def kinds_words() -> Sequence[str]:
    """What a person can type between two references."""
    return [_in_words(type) for type in LinkType]


def _in_words(type: LinkType) -> str:
    return type.label.lower()


async def _insert(
    session: AsyncSession, actor: Actor, source: Item, type: LinkType, target: Item, now: datetime
) -> bool:
    """Whether the link is new."""
    row = {"from_id": source.record.id, "type": type, "to_id": target.record.id, "at": now, "made_by": actor.id}
    return await add_if_missing(session, Link, row)


async def _note(
    session: AsyncSession,
    actor: Actor,
    one: tuple[Item, Project],
    word: str,
    other: tuple[Item, Project],
    *,
    via: str,
    now: datetime,
    before: Sequence[Mapping[str, Any]] = (),
    after: Sequence[Mapping[str, Any]] = (),
) -> None:
    """In the one's history, where everybody who sees it reads, a record of a private project is not named."""
    (item, project), (linked, elsewhere) = one, other
    is_told = project.id == elsewhere.id or not elsewhere.is_private
    said = f"{word.lower()} {linked.reference if is_told else 'a record of a private project'}"
    await operations.note_link(session, actor, item, said, via=via, now=now, before=before, after=after)


def _plain(source: Item, type: LinkType, target: Item) -> dict[str, Any]:
    """A link as history keeps it."""
    return {"from": source.record.id, "type": type.value, "to": target.record.id}


def follow_up_kind(follow_up: FollowUp) -> Kind:
    """The kind of record that the follow-up makes."""
    return kind_of(follow_up.makes)
