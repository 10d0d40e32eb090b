"""Who may see and do what: one table and one function for an item, one clause for a query.

docs/permissions.md shows the table; `make docs` writes it there.

A project is private as soon as one of its channels is; then only the members of its channels see it. Guests and
people of other companies see only what was logged in a channel they are in. A confidential record is seen by those
involved and nobody else, if they see its project.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from sqlalchemy import ColumnElement, and_, exists, false, or_
from sqlmodel import col

from models.errors import NotAllowed
from models.kinds import Item
from models.kinds.base import Step
from models.labels import Confidentiality, Labelled
from models.tables import Channel, ChannelMember, Editors, Person, Project, Record, RecordHelper, Standup


class Right(StrEnum):
    """What somebody may want to do, in the words of a refusal."""

    SEE = "see"
    CREATE = "log records here"
    COMMENT = "comment on this"
    EDIT = "change this"
    DELETE = "remove this"
    APPROVE = "decide this"
    BEGIN = "begin a project"
    BIND = "say which project a channel belongs to"
    SETTINGS = "change a project's settings"
    CONFIDE = "say whether this is confidential"
    SUMMARIZE = "post or leave out its weekly summary"
    EXPORT = "export"
    REACTIONS = "change what reactions do"
    ABSENCE = "note that somebody else is away"
    STANDUP_SEE = "see this stand-up"
    STANDUP = "change this stand-up"


# Putting a condition together takes longer than reading a record, and a person asks with the same one each time.
CONDITIONS_KEPT = 1_000

# What an archived project no longer allows.
CHANGING = frozenset(
    {
        *(Right.CREATE, Right.COMMENT, Right.EDIT, Right.DELETE, Right.APPROVE),
        *(Right.CONFIDE, Right.SUMMARIZE),
    }
)


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
    AS_MEMBER = "as_member", "as a member"
    IN_CHANNEL = "in_channel", "in their channels"
    OWN = "own", "own"
    RAISED = "raised", "if they raised it"
    ANSWERS = "answers", "if they own or raised it"
    MEMBERS_EDIT = "members_edit", "if the project allows it (it does at first)"
    OTHERS_LOG = "others_log", "if the project allows it (not at first), in their channels"
    UNLED = "unled", "no, unless there is no coordinator"
    OPEN_CHANNEL = "open_channel", "of public channels and of theirs"


@dataclass(frozen=True)
class Row:
    """Who has one right. `own` adds to `member` for what the member raised or owns, the two after it for what they are.

    Guests and people of other companies have only their own column, and the deactivated and bots have none.
    """

    about: str
    member: Grant
    own: Grant
    coordinator: Grant
    sponsor: Grant
    admin: Grant
    guest: Grant
    external: Grant


YES, NO, OWN, RAISED = Grant.YES, Grant.NO, Grant.OWN, Grant.RAISED
SEEN, ALIKE, HERE = Grant.AS_SEEN, Grant.AS_MEMBER, Grant.IN_CHANNEL

# The one table of rights; what it does not grant is refused.
# What is done: member, own, coordinator, sponsor, workspace admin, guest, somebody of another company.
MATRIX: Mapping[Right, Row] = {
    Right.SEE: Row("see", SEEN, ALIKE, ALIKE, ALIKE, ALIKE, HERE, HERE),
    Right.CREATE: Row("log a record", YES, NO, YES, YES, YES, HERE, Grant.OTHERS_LOG),
    Right.COMMENT: Row("comment", YES, YES, YES, YES, YES, OWN, OWN),
    Right.EDIT: Row("edit, reassign, close, reopen, link", Grant.MEMBERS_EDIT, YES, YES, YES, YES, OWN, OWN),
    Right.DELETE: Row("remove (archive)", NO, RAISED, YES, YES, YES, NO, NO),
    Right.APPROVE: Row("approve or reject a decision, accept a risk of 12 or more", NO, NO, YES, YES, YES, NO, NO),
    Right.CONFIDE: Row(
        "make a record confidential, or lift that", NO, Grant.ANSWERS, YES, YES, NO, Grant.ANSWERS, Grant.ANSWERS
    ),
    Right.EXPORT: Row("export", NO, NO, YES, NO, YES, NO, NO),
    Right.BEGIN: Row("begin a project in a form", YES, NO, YES, YES, YES, NO, NO),
    Right.BIND: Row("say which project a channel belongs to", YES, NO, YES, YES, YES, NO, NO),
    Right.ABSENCE: Row("note that somebody else of the project is away", NO, NO, YES, NO, YES, NO, NO),
    Right.REACTIONS: Row("choose what reactions do", NO, NO, NO, NO, YES, NO, NO),
    Right.SUMMARIZE: Row("post or leave out the weekly summary, write its headline", NO, NO, YES, YES, YES, NO, NO),
    Right.SETTINGS: Row(
        "project settings, archive it, bind and unbind its channels", Grant.UNLED, NO, YES, YES, YES, NO, NO
    ),
    Right.STANDUP_SEE: Row(
        "see a stand-up, answer it when asked", Grant.OPEN_CHANNEL, ALIKE, ALIKE, ALIKE, ALIKE, HERE, HERE
    ),
    Right.STANDUP: Row("change, pause or remove a stand-up, see who answered", NO, RAISED, YES, YES, YES, NO, NO),
}


def may(
    actor: Actor, right: Right, project: Project | None, item: Item | None = None, *, made_by: str | None = None
) -> bool:
    """Whether the actor has the right, given that they can see the project or item at all (see `visible_records`).

    `made_by` is who set up what is no record.
    """
    if is_closed(project) and right in CHANGING:
        return False
    row = MATRIX[right]
    if actor.standing is Standing.MEMBER and actor.id == made_by and row.own is Grant.RAISED:
        return True
    return any(_holds(grant, actor, project, item) for grant in _granted(row, actor, project, item))


def may_see_standup(actor: Actor, standup: Standup, channel: Channel, *, is_member: bool) -> bool:
    """Whether the actor may know of it: the channel's members, those asked, and full members where it is public."""
    if not may(actor, Right.STANDUP_SEE, None):
        return False
    is_open = actor.standing is Standing.MEMBER and not channel.is_private
    return is_open or is_member or actor.id in standup.participants


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
    if project is not None and project.sponsor_id == actor.id:
        yield row.sponsor
    if actor.is_admin:
        yield row.admin


def _holds(grant: Grant, actor: Actor, project: Project | None, item: Item | None) -> bool:
    match grant:
        case Grant.YES | Grant.AS_SEEN | Grant.AS_MEMBER | Grant.IN_CHANNEL | Grant.OPEN_CHANNEL:
            return True
        case Grant.NO:
            return False
        case Grant.OWN:
            return _is_own(actor, item)
        case Grant.RAISED:
            return item is not None and item.record.raised_by == actor.id
        case Grant.ANSWERS:
            return item is not None and actor.id in (item.record.owner_id, item.record.raised_by)
        case Grant.MEMBERS_EDIT:
            return project is None or project.who_may_edit is Editors.MEMBERS
        case Grant.OTHERS_LOG:
            return project is not None and project.may_others_log
        case Grant.UNLED:
            # A project that a guest began has nobody to ask; any full member who sees it may take it.
            return project is not None and project.coordinator_id is None


def _is_own(actor: Actor, item: Item | None) -> bool:
    """Whether the person owns, raised or helps with the record."""
    return item is not None and actor.id in (item.record.owner_id, item.record.raised_by, *item.record.helpers)


def is_closed(project: Project | None) -> bool:
    """Whether the project is archived: its records can be read and nothing else."""
    return project is not None and project.archived_at is not None


def right_for(step: Step, item: Item) -> Right:
    """The right that taking the step with this record needs."""
    return Right.APPROVE if step.needs_approver(item) else Right.EDIT


def require(actor: Actor, right: Right, project: Project | None, item: Item | None = None) -> None:
    """Raise NotAllowed, saying whom to ask, unless the actor has the right."""
    if not may(actor, right, project, item):
        raise NotAllowed(_refusal(actor, right, project), ask=_who_may(right, project))


def _who_may(right: Right, project: Project | None) -> list[str]:
    """The people of the project to ask for what only they may do."""
    if project is None:
        return []
    leading = (project.coordinator_id, project.sponsor_id if right in (Right.APPROVE, Right.SUMMARIZE) else None)
    return [person_id for person_id in leading if person_id]


def _refusal(actor: Actor, right: Right, project: Project | None) -> str:
    if project is not None and is_closed(project) and right in CHANGING:
        return (
            f"{project.name} is archived, so nothing in it changes. Its coordinator or a workspace admin brings it "
            f"back with `/steward project restore {project.name}`."
        )
    if right is Right.REACTIONS:
        return f"Only a workspace admin can {right.value}. Ask one of them."
    if right is Right.ABSENCE:
        return (
            f"Only a workspace admin, or the coordinator of a project they are in, can {right.value}. They can type "
            "`/steward away` themselves."
        )
    if actor.standing is Standing.EXTERNAL and right is Right.CREATE:
        return "People of other companies cannot log here. The project's coordinator can allow it in its settings."
    if actor.standing is not Standing.MEMBER and right in (Right.BEGIN, Right.BIND, Right.SETTINGS):
        return f"Only full members of this workspace can {right.value}. Ask one of them to do it."
    if right is Right.CONFIDE:
        return "Its owner, whoever raised it, the coordinator and the sponsor say whether it is confidential. Ask them."
    if actor.standing is not Standing.MEMBER:
        if right in (Right.EDIT, Right.COMMENT):
            verb = "comment on only" if right is Right.COMMENT else "change only"
            return f"Guests can {verb} what they own or raised, or help with. Ask a member of the channel to do it."
        return f"Guests cannot {right.value}. Ask a member of the channel to do it."
    if right is Right.EDIT and project is not None:
        return (
            f"In {project.name} a record is changed by its owner and helpers, by whoever raised it, by the coordinator "
            "and the sponsor. Ask one of them."
        )
    has_sponsor = project is not None and project.sponsor_id is not None and MATRIX[right].sponsor is Grant.YES
    who = "the coordinator or the sponsor" if has_sponsor else "the coordinator"
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


@lru_cache(maxsize=CONDITIONS_KEPT)
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


def seen_by_all_at_home() -> ColumnElement[bool]:
    """The records that everybody in their project's home channel may know of, on `Record` joined with `Project`."""
    logged_there = col(Record.channel_id) == col(Project.home_channel_id)
    return and_(is_for_everybody(), or_(logged_there, ~_others_read_along()))


def _others_read_along() -> ColumnElement[bool]:
    """Whether guests or people of other companies are in the home channel, as a condition on `Project`.

    They see only what was logged there.
    """
    inside = exists().where(
        col(ChannelMember.workspace_id) == col(Project.workspace_id),
        col(ChannelMember.channel_id) == col(Project.home_channel_id),
        col(Person.workspace_id) == col(ChannelMember.workspace_id),
        col(Person.id) == col(ChannelMember.person_id),
        or_(col(Person.is_guest), col(Person.is_external)),
        col(Person.is_bot).is_(False),
        col(Person.is_active),
    )
    is_shared = exists().where(
        col(Channel.workspace_id) == col(Project.workspace_id),
        col(Channel.id) == col(Project.home_channel_id),
        col(Channel.is_shared),
    )
    return or_(inside, is_shared)


def logs_in_channel(actor: Actor, channel_id: str) -> ColumnElement[bool]:
    """Whether the channel is one of the project's that the actor may name to log there, as a condition on `Project`.

    Every full member may where anybody may read along, else those who are in the channel.
    """
    began_unread = col(Channel.members_known_at).is_(None) & (col(Project.created_by) == actor.id)
    return visible_projects(actor) & exists().where(
        col(Channel.workspace_id) == col(Project.workspace_id),
        col(Channel.project_id) == col(Project.id),
        col(Channel.id) == channel_id,
        or_(visible_channels(actor), began_unread),
    )


@lru_cache(maxsize=CONDITIONS_KEPT)
def visible_records(actor: Actor) -> ColumnElement[bool]:
    """The records the actor may know of, as a condition on `Record` joined with `Project`."""
    if actor.standing is Standing.NOBODY:
        return false()
    in_sight = visible_projects(actor) if actor.standing is Standing.MEMBER else _logged_in_their_channels(actor)
    return and_(in_sight, or_(is_for_everybody(), _is_involved(actor)))


def is_for_everybody() -> ColumnElement[bool]:
    """The records that whoever sees their project may see, and a channel may be told of, as a condition on `Record`."""
    return col(Record.confidentiality) == Confidentiality.OPEN


def _is_involved(actor: Actor) -> ColumnElement[bool]:
    """The records that concern the actor, as a condition on `Record` joined with `Project`."""
    helps = exists().where(
        col(RecordHelper.workspace_id) == col(Record.workspace_id),
        col(RecordHelper.record_id) == col(Record.id),
        col(RecordHelper.person_id) == actor.id,
    )
    theirs = (Record.owner_id, Record.raised_by, Project.coordinator_id, Project.sponsor_id)
    return or_(*(col(person_id) == actor.id for person_id in theirs), helps)


def _logged_in_their_channels(actor: Actor) -> ColumnElement[bool]:
    return exists().where(
        col(ChannelMember.workspace_id) == col(Record.workspace_id),
        col(ChannelMember.channel_id) == col(Record.channel_id),
        col(ChannelMember.person_id) == actor.id,
        col(Channel.workspace_id) == col(Record.workspace_id),
        col(Channel.id) == col(Record.channel_id),
        col(Channel.project_id) == col(Record.project_id),
    )
