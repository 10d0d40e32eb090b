"""Who may see and do what: one function for an item, one clause for a query. See the table in docs/permissions.md.

A project is private as soon as one of its channels is; then only the members of its channels see it. Guests and
people of other companies see only what was logged in a channel they are in.
"""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, exists, false, or_
from sqlmodel import col

from models.errors import NotAllowed
from models.kinds import Item
from models.kinds.base import Step
from models.tables import Channel, ChannelMember, Editors, Person, Project, Record


class Right(StrEnum):
    SEE = "see"
    CREATE = "log records here"
    EDIT = "change this"
    DELETE = "remove this"
    APPROVE = "decide this"
    BEGIN = "begin a project"
    BIND = "say which project a channel belongs to"
    SETTINGS = "change a project's settings"
    EXPORT = "export"
    REACTIONS = "change what reactions do"


# What an archived project no longer allows.
CHANGING = frozenset({Right.CREATE, Right.EDIT, Right.DELETE, Right.APPROVE})


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


def may(actor: Actor, right: Right, project: Project | None, item: Item | None = None) -> bool:
    """Whether the actor has the right, given that they can see the project or item at all (see `visible_records`)."""
    if actor.standing is Standing.NOBODY:
        return False
    if is_closed(project) and right in CHANGING:
        return False
    is_member = actor.standing is Standing.MEMBER
    leads = is_member and (actor.is_admin or (project is not None and project.coordinator_id == actor.id))
    decides = leads or (is_member and project is not None and project.sponsor_id == actor.id)
    match right:
        case Right.SEE:
            return True
        case Right.CREATE:
            others_log = project is not None and project.may_others_log
            return actor.standing is not Standing.EXTERNAL or others_log
        case Right.EDIT:
            members_edit = project is None or project.who_may_edit is Editors.MEMBERS
            return decides or (is_member and members_edit) or _is_own(actor, item)
        case Right.DELETE:
            return leads or (item is not None and actor.id == item.record.raised_by)
        case Right.APPROVE:
            return decides
        case Right.EXPORT:
            return leads
        case Right.BEGIN | Right.BIND:
            return is_member
        case Right.REACTIONS:
            return actor.is_admin
        case Right.SETTINGS:
            # A project that a guest began has nobody to ask; any full member who sees it may take it.
            return leads or (is_member and project is not None and project.coordinator_id is None)


def is_closed(project: Project | None) -> bool:
    """Whether the project is archived: its records can be read and nothing else."""
    return project is not None and project.archived_at is not None


def _is_own(actor: Actor, item: Item | None) -> bool:
    """Whether the actor owns or raised the record."""
    return item is not None and actor.id in (item.record.owner_id, item.record.raised_by)


def right_for(step: Step, item: Item) -> Right:
    """The right that taking the step with this record needs."""
    return Right.APPROVE if step.needs_approver(item) else Right.EDIT


def require(actor: Actor, right: Right, project: Project | None, item: Item | None = None) -> None:
    """Raise NotAllowed, saying whom to ask, unless the actor has the right."""
    if not may(actor, right, project, item):
        raise NotAllowed(_refusal(actor, right, project))


def _refusal(actor: Actor, right: Right, project: Project | None) -> str:
    if project is not None and is_closed(project) and right in CHANGING:
        return (
            f"{project.name} is archived, so nothing in it changes. Its coordinator or a workspace admin brings it "
            f"back with `/steward project restore {project.name}`."
        )
    if right is Right.REACTIONS:
        return f"Only a workspace admin can {right.value}. Ask one of them."
    if actor.standing is Standing.EXTERNAL and right is Right.CREATE:
        return "People of other companies cannot log here. The project's coordinator can allow it in its settings."
    if actor.standing is not Standing.MEMBER and right in (Right.BEGIN, Right.BIND, Right.SETTINGS):
        return f"Only full members of this workspace can {right.value}. Ask one of them to do it."
    if actor.standing is not Standing.MEMBER:
        return "Guests can change only what they own or raised. Ask a member of the channel to do it."
    if right is Right.EDIT and project is not None:
        return (
            f"In {project.name} a record is changed by its owner, by whoever raised it, by the coordinator and the "
            "sponsor. Ask one of them."
        )
    has_sponsor = project is not None and project.sponsor_id is not None
    who = "the coordinator or the sponsor" if right is Right.APPROVE and has_sponsor else "the coordinator"
    if project is not None and project.coordinator_id:
        return f"Only {who} of {project.name} can {right.value}. Ask them, or a workspace admin."
    return f"Only {who} or a workspace admin can {right.value}."


def decides_for(actor: Actor) -> ColumnElement[bool]:
    """The projects whose decisions wait for the actor, as a condition on `Project`: coordinated or sponsored by them.

    For an admin, who may approve everywhere, also those without a coordinator.
    """
    if actor.standing is not Standing.MEMBER:
        return false()
    decides = or_(col(Project.coordinator_id) == actor.id, col(Project.sponsor_id) == actor.id)
    return or_(decides, col(Project.coordinator_id).is_(None)) if actor.is_admin else decides


def takes_part(actor: Actor) -> ColumnElement[bool]:
    """The projects that are the actor's own, as a condition on `Project`: they lead it or are in its channels.

    It is no right: what they may know of is asked beside it.
    """
    leads = or_(col(Project.coordinator_id) == actor.id, col(Project.sponsor_id) == actor.id)
    return or_(leads, _is_in_its_channels(actor))


def _is_in_its_channels(actor: Actor) -> ColumnElement[bool]:
    return exists().where(
        col(Channel.workspace_id) == col(Project.workspace_id),
        col(Channel.project_id) == col(Project.id),
        col(ChannelMember.workspace_id) == col(Channel.workspace_id),
        col(ChannelMember.channel_id) == col(Channel.id),
        col(ChannelMember.person_id) == actor.id,
    )


def visible_projects(actor: Actor) -> ColumnElement[bool]:
    """The projects the actor may know of, as a condition on `Project`."""
    in_its_channels = _is_in_its_channels(actor)
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


def visible_channels(actor: Actor) -> ColumnElement[bool]:
    """The channels whose name the actor may know, as a condition on `Channel`: public ones, and those they are in."""
    inside = exists().where(
        col(ChannelMember.workspace_id) == col(Channel.workspace_id),
        col(ChannelMember.channel_id) == col(Channel.id),
        col(ChannelMember.person_id) == actor.id,
    )
    if actor.standing is Standing.NOBODY:
        return false()
    return or_(inside, col(Channel.is_private).is_(False)) if actor.standing is Standing.MEMBER else inside


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
        col(Channel.workspace_id) == col(Record.workspace_id),
        col(Channel.id) == col(Record.channel_id),
        col(Channel.project_id) == col(Record.project_id),
    )
