"""Who may see and do what: one table and one function for an item, one clause for a query.

docs/permissions.md shows the table; `make docs` writes it there.

A project is private as soon as one of its channels is; then only the members of its channels see it. Guests and
people of other companies see only what was logged in a channel they are in.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, exists, false, or_
from sqlmodel import col

from models.errors import NotAllowed
from models.kinds import Item
from models.kinds.base import Step
from models.labels import Labelled
from models.tables import Channel, ChannelMember, Person, Project, Record


class Right(StrEnum):
    """What somebody may want to do, in the words of a refusal."""

    SEE = "see"
    CREATE = "log records here"
    COMMENT = "comment on this"
    EDIT = "change this"
    DELETE = "remove this"
    APPROVE = "decide this"
    EXPORT = "export"
    SETTINGS = "change a project's settings"


class Standing(StrEnum):
    """What a person is to the workspace."""

    MEMBER = "member"
    GUEST = "guest"
    EXTERNAL = "external"
    NOBODY = "nobody"


@dataclass(frozen=True)
class Actor:
    """Whoever asks, as the rules see them."""

    id: str
    standing: Standing
    is_admin: bool = False


def actor_of(person: Person) -> Actor:
    """The person as the rules see them: the deactivated and bots are nobody."""
    if person.is_bot or not person.is_active:
        standing = Standing.NOBODY
    elif person.is_external:
        standing = Standing.EXTERNAL
    else:
        standing = Standing.GUEST if person.is_guest else Standing.MEMBER
    return Actor(id=person.id, standing=standing, is_admin=person.is_admin and standing is Standing.MEMBER)


class Grant(Labelled):
    """When a column of the matrix gives a right; the label is what docs/permissions.md shows.

    What somebody cannot see is kept from them by the queries below, before any right is asked for.
    """

    YES = "yes", "yes"
    NO = "no", "no"
    AS_SEEN = "as_seen", "open projects, and private ones of their channels"
    IN_CHANNEL = "in_channel", "in their channels"
    OWN = "own", "own"
    RAISED = "raised", "if they raised it"
    UNLED = "unled", "no, unless there is no coordinator"


@dataclass(frozen=True)
class Row:
    """Who has one right. `own` adds to `member` for what the member raised or owns, the two after it for what they are.

    Guests and people of other companies have only their own column, and the deactivated and bots have none.
    """

    about: str
    member: Grant
    own: Grant
    coordinator: Grant
    admin: Grant
    guest: Grant
    external: Grant


YES, NO, OWN, RAISED, UNLED = Grant.YES, Grant.NO, Grant.OWN, Grant.RAISED, Grant.UNLED
SEEN, HERE = Grant.AS_SEEN, Grant.IN_CHANNEL

# The one table of rights; what it does not grant is refused.
# What is done: member, own, coordinator, workspace admin, guest, somebody of another company.
MATRIX: Mapping[Right, Row] = {
    Right.SEE: Row("see", SEEN, SEEN, SEEN, SEEN, HERE, HERE),
    Right.CREATE: Row("log a record", YES, NO, YES, YES, HERE, NO),
    Right.COMMENT: Row("comment", YES, YES, YES, YES, OWN, OWN),
    Right.EDIT: Row("edit, reassign, close, reopen, link", YES, YES, YES, YES, OWN, OWN),
    Right.DELETE: Row("remove (archive)", NO, RAISED, YES, YES, NO, NO),
    Right.APPROVE: Row("approve or reject a decision, accept a risk of 12 or more", NO, NO, YES, YES, NO, NO),
    Right.EXPORT: Row("export", NO, NO, YES, YES, NO, NO),
    Right.SETTINGS: Row("project settings", UNLED, NO, YES, YES, NO, NO),
}


def may(actor: Actor, right: Right, project: Project | None, item: Item | None = None) -> bool:
    """Whether the actor has the right, given that they can see the project or item at all (see `visible_records`)."""
    return any(_holds(grant, actor, project, item) for grant in _granted(MATRIX[right], actor, project, item))


def keeps_to_channels(actor: Actor) -> bool:
    """Whether the person sees and logs only in channels they are in, as guests and people of other companies do."""
    return actor.standing is not Standing.MEMBER


def _granted(row: Row, actor: Actor, project: Project | None, item: Item | None) -> Iterator[Grant]:
    """What the columns say that the actor stands in."""
    if actor.standing is Standing.GUEST:
        yield row.guest
    if actor.standing is Standing.EXTERNAL:
        yield row.external
    if actor.standing is not Standing.MEMBER:
        return
    yield row.member
    if _is_own(actor, item):
        yield row.own
    if project is not None and project.coordinator_id == actor.id:
        yield row.coordinator
    if actor.is_admin:
        yield row.admin


def _holds(grant: Grant, actor: Actor, project: Project | None, item: Item | None) -> bool:
    match grant:
        case Grant.YES | Grant.AS_SEEN | Grant.IN_CHANNEL:
            return True
        case Grant.NO:
            return False
        case Grant.OWN:
            return _is_own(actor, item)
        case Grant.RAISED:
            return item is not None and item.record.raised_by == actor.id
        case Grant.UNLED:
            # A project that a guest began has nobody to ask; any full member who sees it may take it.
            return project is not None and project.coordinator_id is None


def _is_own(actor: Actor, item: Item | None) -> bool:
    """Whether the person raised the record or owns it."""
    return item is not None and actor.id in (item.record.owner_id, item.record.raised_by)


def right_for(step: Step, item: Item) -> Right:
    """The right that taking the step with this record needs."""
    return Right.APPROVE if step.needs_approver(item) else Right.EDIT


def require(actor: Actor, right: Right, project: Project | None, item: Item | None = None) -> None:
    """Raise NotAllowed, saying whom to ask, unless the actor has the right."""
    if may(actor, right, project, item):
        return
    if actor.standing is not Standing.MEMBER:
        if right in (Right.EDIT, Right.COMMENT):
            raise NotAllowed("Guests can change only what they own or raised. Ask a member of the channel to do it.")
        raise NotAllowed(f"Guests cannot {right.value}. Ask a member of the channel to do it.")
    if project is not None and project.coordinator_id:
        raise NotAllowed(f"Only the coordinator of {project.name} can {right.value}. Ask them, or a workspace admin.")
    raise NotAllowed(f"Only the coordinator or a workspace admin can {right.value}.")


def decides_for(actor: Actor) -> ColumnElement[bool]:
    """The projects whose decisions wait for the actor, as a condition on `Project`: those the actor coordinates.

    For an admin, who may approve everywhere, also those without a coordinator.
    """
    if actor.standing is not Standing.MEMBER:
        return false()
    leads = col(Project.coordinator_id) == actor.id
    return or_(leads, col(Project.coordinator_id).is_(None)) if actor.is_admin else leads


def visible_projects(actor: Actor) -> ColumnElement[bool]:
    """The projects the actor may know of, as a condition on `Project`."""
    in_its_channels = exists().where(
        col(Channel.workspace_id) == col(Project.workspace_id),
        col(Channel.project_id) == col(Project.id),
        col(ChannelMember.workspace_id) == col(Channel.workspace_id),
        col(ChannelMember.channel_id) == col(Channel.id),
        col(ChannelMember.person_id) == actor.id,
    )
    if actor.standing is Standing.NOBODY:
        return false()
    if actor.standing is not Standing.MEMBER:
        return in_its_channels
    unreadable = exists().where(
        col(Channel.workspace_id) == col(Project.workspace_id),
        col(Channel.project_id) == col(Project.id),
        col(Channel.is_private).is_(True),
        col(Channel.members_known_at).is_(None),
    )
    began_it = (col(Project.created_by) == actor.id) & unreadable
    return or_(col(Project.is_private).is_(False), in_its_channels, began_it)


def visible_records(actor: Actor) -> ColumnElement[bool]:
    """The records the actor may know of, as a condition on `Record` joined with `Project`."""
    if actor.standing is Standing.MEMBER:
        return visible_projects(actor)
    if actor.standing is Standing.NOBODY:
        return false()
    return exists().where(
        col(ChannelMember.workspace_id) == col(Record.workspace_id),
        col(ChannelMember.channel_id) == col(Record.channel_id),
        col(ChannelMember.person_id) == actor.id,
    )
