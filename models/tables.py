"""Every table that is not a record kind's own. Each row carries its workspace; `models.database` filters by it.

Instants are aware UTC (SQLModel's `UTCDateTime` refuses naive ones). A due date is a calendar day in its project's
zone, never an instant, so that it cannot move when somebody reads it elsewhere.
"""

from datetime import date, datetime, time
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ColumnElement,
    Enum,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel, col

from models.labels import Confidentiality, Labelled, LinkType, Priority, SourceChange


def stored(values: type[StrEnum]) -> Enum:
    """A column type that keeps a member's value, readable in any database tool, and not its Python name."""
    return Enum(values, native_enum=False, length=20, values_callable=lambda members: [m.value for m in members])


# A list that PostgreSQL can compare, so that whole records stay comparable: its plain JSON is not.
COMPARABLE_JSON = JSON().with_variant(JSONB(), "postgresql")

# Rows are built of values that were checked before, so what would check them is made only where it is asked for.
SQLModel.model_config["defer_build"] = True

# What `models.ranks` makes a record's place of: the day after the last, and the minute after the last of a day.
NO_DAY = date.max.toordinal() + 1
NO_MINUTE = 24 * 60
PLACES_A_DAY = (NO_MINUTE + 1) * len(Priority)

# SQLAlchemy adds `AND version = :seen` to each update of these rows and raises when somebody was faster.
_project_version = Column("version", Integer, nullable=False)
_record_version = Column("version", Integer, nullable=False)
_standup_version = Column("version", Integer, nullable=False)
_entry_version = Column("version", Integer, nullable=False)


class Workspace(SQLModel, table=True):
    """One Slack workspace, keyed by Slack's team id. `reactions`: see `models/capturing.py`; None is as delivered.

    What was due up to `restored_at` may have been sent by the Steward that went on after the backup: it is not again.
    `installation_id` names the installation whose token is used here, the workspace's own or its organisation's; it is
    empty where the token is a setting. Since `removed_at` Steward is not installed here any more. Since `refused_since`
    its organisation does not give it here, as Slack said last at `refused_at`: see `bot/unheard.py`.
    """

    __tablename__ = "workspace"

    id: str = Field(primary_key=True)
    name: str
    bot_user_id: str
    warmed_at: datetime | None = None
    reactions: dict[str, str] | None = Field(default=None, sa_type=JSON)
    restored_at: datetime | None = None
    installation_id: str | None = None
    removed_at: datetime | None = None
    refused_since: datetime | None = None
    refused_at: datetime | None = None

    @property
    def organisation_wide(self) -> bool:
        """Whether the token here is that of a whole organisation, so that Slack has to be told which workspace."""
        return self.installation_id is not None and self.installation_id != self.id


class Person(SQLModel, table=True):
    """A member, guest, stranger or bot as Slack describes them, kept so that no request waits for Slack.

    Since `unreachable_since` Slack takes no digest for them, which their Home tab says.
    `current_project_id` is the project they switched to, where what they type in a direct message goes. It is no
    right: whether they may still see that project is asked each time.

    From `digest_at` on it is what they want of the clock: their digest at that hour of their own, no reminder between
    `quiet_from` and `quiet_until`, which may lie beyond midnight, and so many nags a day. `next_digest_at` is when the
    clock looks next whether there is something to say; it is empty until the clock has met them.
    """

    __tablename__ = "person"
    __table_args__ = (Index("ix_person_next_digest", "workspace_id", "next_digest_at"),)

    workspace_id: str = Field(default=None, primary_key=True)
    id: str = Field(primary_key=True)
    name: str
    real_name: str
    timezone: str = "UTC"
    locale: str | None = None
    is_admin: bool = False
    is_guest: bool = False
    is_external: bool = False
    is_bot: bool = False
    is_active: bool = True
    home_opened_at: datetime | None = None
    current_project_id: int | None = None
    digest_at: time = time(9)
    wants_digest: bool = True
    quiet_from: time | None = None
    quiet_until: time | None = None
    nags_a_day: int = 3
    next_digest_at: datetime | None = None
    unreachable_since: datetime | None = None

    @property
    def shown_name(self) -> str:
        return self.real_name or self.name


class Erased(SQLModel, table=True):
    """A mark of somebody whose traces were erased, see `models.erased`; neither their id nor their name."""

    __tablename__ = "erased"

    workspace_id: str = Field(default=None, primary_key=True)
    mark: str = Field(primary_key=True)


class Channel(SQLModel, table=True):
    """A conversation Steward has met. `members_known_at` is empty until Slack let us read who is in it."""

    __tablename__ = "channel"
    __table_args__ = (Index("ix_channel_project", "workspace_id", "project_id"),)

    workspace_id: str = Field(default=None, primary_key=True)
    id: str = Field(primary_key=True)
    name: str
    is_private: bool = True
    is_archived: bool = False
    is_shared: bool = False
    has_bot: bool = False
    members_known_at: datetime | None = None
    project_id: int | None = Field(default=None, foreign_key="project.id")
    greeted_at: datetime | None = None

    @property
    def is_out_of_reach(self) -> bool:
        """Whether Steward has to be invited before it may post there; into public channels Slack lets it uninvited."""
        return self.is_private and not self.has_bot


class ChannelMember(SQLModel, table=True):
    """Somebody's membership of a channel; private projects are shown to these people only."""

    __tablename__ = "channel_member"
    __table_args__ = (Index("ix_channel_member_person", "workspace_id", "person_id"),)

    workspace_id: str = Field(default=None, primary_key=True)
    channel_id: str = Field(primary_key=True)
    person_id: str = Field(primary_key=True)


class Editors(Labelled):
    """Who may change a project's records."""

    MEMBERS = "members", "Every member"
    OWNERS = "owners", "Only those it belongs to"


class ChannelReminder(Labelled):
    """When a project's channel is reminded of what is due."""

    OFF = "off", "Never"
    DUE_DAY = "due_day", "On days on which something is due"
    MONDAY = "monday", "Every Monday"
    TUESDAY = "tuesday", "Every Tuesday"
    WEDNESDAY = "wednesday", "Every Wednesday"
    THURSDAY = "thursday", "Every Thursday"
    FRIDAY = "friday", "Every Friday"
    SATURDAY = "saturday", "Every Saturday"
    SUNDAY = "sunday", "Every Sunday"

    @property
    def weekday(self) -> int | None:
        """The day of the week, Monday = 0, of one that comes weekly."""
        return self.rank - 2 if self.rank >= 2 else None


MONDAY_TO_FRIDAY = "mon tue wed thu fri"


class Project(SQLModel, table=True):
    """What a channel's records belong to. Private as soon as one of its channels is.

    `working_days` are weekdays as "mon tue wed thu fri", `days_off` its own free days as "2031-12-24 2031-12-31"; with
    a holiday country (ISO 3166 code, as the `holidays` package knows it) its public holidays are free too. So many
    working days before it is due, `lead_days`, a record stands in its owner's digest, and so many minutes before a due
    time, `remind_before_minutes`, they are reminded; `grace_days` are the working days that each step of an escalation
    waits for a word. `next_reminder_at` is when the channel is reminded, and `reminded_on` the local date on which it
    last was. `next_summary_at` is the first instant at which its weekly summary has something to do (see
    `models/summaries.py`). Amounts typed without a currency are in `currency` (ISO 4217 code). `own_fields` are lines
    of `models.own_fields`.
    """

    __tablename__ = "project"
    __table_args__ = (
        Index("ix_project_summary", "workspace_id", "next_summary_at"),
        Index("ix_project_next_reminder", "workspace_id", "next_reminder_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(default=None, index=True)
    name: str
    timezone: str
    coordinator_id: str | None = None
    sponsor_id: str | None = None
    working_days: str = MONDAY_TO_FRIDAY
    holiday_country: str | None = None
    holiday_subdivision: str | None = None
    days_off: str = ""
    currency: str | None = None
    own_fields: str = ""
    who_may_edit: Editors = Field(default=Editors.MEMBERS, sa_type=stored(Editors))
    may_others_log: bool = False
    lead_days: int = 2
    has_summary: bool = True
    summary_day: str = "fri"
    summary_at: time = time(15)
    next_summary_at: datetime | None = None
    remind_before_minutes: int = 60
    channel_reminder: ChannelReminder = Field(default=ChannelReminder.OFF, sa_type=stored(ChannelReminder))
    names_in_channel: bool = False
    next_reminder_at: datetime | None = None
    reminded_on: date | None = None
    escalates: bool = True
    grace_days: int = 2
    created_by: str
    home_channel_id: str
    is_private: bool = False
    created_at: datetime
    archived_at: datetime | None = None
    version: int = Field(default=1, sa_column=_project_version)

    __mapper_args__ = {"version_id_col": _project_version}


class Rung(Labelled):
    """A step of the ladder that a record climbs, lowest first; NOBODY is its end. The label completes "to the"."""

    OWNER = "owner", "owner"
    DEPUTY = "deputy", "deputy"
    COORDINATOR = "coordinator", "coordinator"
    SPONSOR = "sponsor", "sponsor"
    NOBODY = "nobody", "end"


# Of the indexes that lists are read from: whose records, in which order, and what a reader may see of them.
_OF_ALL = ("workspace_id", "is_open")
_OF_OWNER = ("workspace_id", "owner_id", "is_open")
_OF_PROJECT = ("workspace_id", "project_id", "is_open")
_OF_KIND = ("workspace_id", "project_id", "kind", "is_open")
_BY_DUE_DATE = ("due_date", "place", "id")
_BY_RANK = ("kind_rank", "place", "id")
_BY_END = ("closed_at", "id")
_SEEN = ("confidentiality", "is_archived")
_WHERE_CLOSED: dict[str, Any] = {"sqlite_where": text("is_open IS 0"), "postgresql_where": text("is_open IS false")}


class Record(SQLModel, table=True):
    """What all kinds share; a kind's own table holds the rest under the same key.

    `remark` is what was said with the step that led to the present status. `first_due_date` is the first promise, which
    stays, and `due_moves` how often the due date has moved since. A record made from a message keeps its link, where
    it stands (`source_channel_id`, `source_ts`, and the first message of its thread, if it is in one), and what became
    of it. A draft was saved with one click and waits for somebody to look at it.
    `place` and `kind_rank` are where it stands in lists, see `models.ranks`.
    `remind_at` is when the clock reminds of the due time, empty where it need not look. `is_watched` is false where
    nobody ever watched it. `words` and `title_words` are what it is found by, see `models.search`. `climb_at` is the
    first instant at which its escalation may have something to do; `climb_rung` who was asked last, at `climb_since`,
    while nobody has answered.
    """

    __tablename__ = "record"
    __table_args__ = (
        UniqueConstraint("workspace_id", "kind", "number", name="uq_record_reference"),
        # In the orders of lists, so that a page costs what it shows, not what there is. What limits lists stands last:
        # a row that is not wanted, or only counted, is not read.
        Index("ix_record_due", *_OF_ALL, *_BY_DUE_DATE, "owner_id", "project_id", "kind", "priority", *_SEEN),
        Index("ix_record_owner", *_OF_OWNER, *_BY_DUE_DATE, "project_id", "kind", "priority", *_SEEN),
        Index("ix_record_listed", *_OF_PROJECT, *_BY_DUE_DATE, "kind", "priority", *_SEEN),
        Index("ix_record_kind", *_OF_KIND, *_BY_RANK, "priority", "due_date", *_SEEN),
        Index("ix_record_project", *_OF_KIND, "status", *_BY_RANK, *_SEEN),
        Index("ix_record_closed", *_OF_PROJECT, *_BY_END, "kind", "priority", *_SEEN, **_WHERE_CLOSED),
        Index("ix_record_ended", *_OF_ALL, *_BY_END, "kind", "project_id", "priority", *_SEEN, **_WHERE_CLOSED),
        Index(
            "ix_record_review",
            "workspace_id",
            "owner_id",
            "next_review",
            sqlite_where=text("next_review IS NOT NULL"),
            postgresql_where=text("next_review IS NOT NULL"),
        ),
        Index("ix_record_source", "workspace_id", "source_channel_id", "source_ts"),
        Index(
            "ix_record_remind",
            "workspace_id",
            "remind_at",
            sqlite_where=text("remind_at IS NOT NULL"),
            postgresql_where=text("remind_at IS NOT NULL"),
        ),
        Index(
            "ix_record_climb",
            "workspace_id",
            "climb_at",
            "owner_id",
            sqlite_where=text("climb_at IS NOT NULL"),
            postgresql_where=text("climb_at IS NOT NULL"),
        ),
        Index(
            "ix_record_climbing",
            "workspace_id",
            "project_id",
            sqlite_where=text("climb_rung IS NOT NULL"),
            postgresql_where=text("climb_rung IS NOT NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(default=None)
    project_id: int = Field(foreign_key="project.id")
    channel_id: str
    kind: str
    number: int
    title: str
    details: str = ""
    owner_id: str | None = None
    status: str
    is_open: bool = True
    priority: Priority = Field(default=Priority.NORMAL, sa_type=stored(Priority))
    tags: str = ""
    own_values: dict[str, str] = Field(default={}, sa_type=COMPARABLE_JSON)
    confidentiality: Confidentiality = Field(default=Confidentiality.OPEN, sa_type=stored(Confidentiality))
    helpers: list[str] = Field(default=[], sa_type=COMPARABLE_JSON)  # each record gets its own; a factory costs more
    due_date: date | None = None
    due_time: time | None = None
    place: int = Field(default=0, sa_type=BigInteger)
    kind_rank: int = 0
    remind_at: datetime | None = None
    first_due_date: date | None = None
    due_moves: int = 0
    next_review: date | None = None
    remark: str = ""
    raised_by: str
    source_link: str | None = None
    source_channel_id: str | None = None
    source_ts: str | None = None
    source_thread_ts: str | None = None
    source_change: SourceChange | None = Field(default=None, sa_type=stored(SourceChange))
    is_draft: bool = False
    is_archived: bool = False
    is_watched: bool = False
    words: str = ""
    title_words: str = ""
    climb_at: datetime | None = None
    climb_rung: Rung | None = Field(default=None, sa_type=stored(Rung))
    climb_since: datetime | None = None
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None
    version: int = Field(default=1, sa_column=_record_version)

    __mapper_args__ = {"version_id_col": _record_version}


class Escalation(SQLModel, table=True):
    """One step of a record's escalation: of whom what was asked, and who ended it by an answer.

    Planned at first; `asked_at` is when it was sent, or could not be for the reason in `trouble`. `concern` is why, see
    `Kind.concerns`, and `heard_on` the day of the last word about the record, in its project's calendar.
    """

    __tablename__ = "escalation"
    __table_args__ = (
        Index("ix_escalation_record", "workspace_id", "record_id", "ended_at"),
        Index("ix_escalation_person", "workspace_id", "person_id", "asked_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(default=None)
    record_id: int = Field(foreign_key="record.id")
    concern: str
    rung: Rung = Field(sa_type=stored(Rung))
    person_id: str | None = None
    heard_on: date
    planned_at: datetime
    asked_at: datetime | None = None
    trouble: str | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None


class RecordTag(SQLModel, table=True):
    """One tag of one record: what `Record.tags` says, in the shape in which records are found by it."""

    __tablename__ = "record_tag"
    __table_args__ = (Index("ix_record_tag_record", "workspace_id", "record_id"),)

    workspace_id: str = Field(default=None, primary_key=True)
    tag: str = Field(primary_key=True)
    record_id: int = Field(primary_key=True, foreign_key="record.id")


class RecordHelper(SQLModel, table=True):
    """One helper of one record: what `Record.helpers` says, in the shape in which one's own work is found."""

    __tablename__ = "record_helper"
    __table_args__ = (Index("ix_record_helper_record", "workspace_id", "record_id"),)

    workspace_id: str = Field(default=None, primary_key=True)
    person_id: str = Field(primary_key=True)
    record_id: int = Field(primary_key=True, foreign_key="record.id")


class Mute(SQLModel, table=True):
    """That the clock never reminds a person of a record, because they said so."""

    __tablename__ = "mute"

    workspace_id: str = Field(default=None, primary_key=True)
    person_id: str = Field(primary_key=True)
    record_id: int = Field(primary_key=True, foreign_key="record.id")
    at: datetime


class Watcher(SQLModel, table=True):
    """Somebody who is told when the record's status or due date changes."""

    __tablename__ = "watcher"

    workspace_id: str = Field(default=None, primary_key=True)
    record_id: int = Field(primary_key=True, foreign_key="record.id")
    person_id: str = Field(primary_key=True)
    at: datetime


class Comment(SQLModel, table=True):
    """What somebody said about a record. One that its author took back stays, marked with the instant.

    So is one that its author reworded. `words` is what it is found by, see `models.search`.
    """

    __tablename__ = "comment"
    __table_args__ = (Index("ix_comment_record", "workspace_id", "record_id", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(default=None)
    record_id: int = Field(foreign_key="record.id")
    author_id: str
    at: datetime
    text: str
    words: str = ""
    taken_back_at: datetime | None = None
    reworded_at: datetime | None = None


class Act(Labelled):
    """What a history row says was done; FOLLOWED is what another record's change did to this one.

    ASKED is a step of its escalation, ANSWERED what somebody said to one.
    """

    CREATED = "created", "Created"
    CHANGED = "changed", "Changed"
    STEPPED = "stepped", "Status"
    UNDONE = "undone", "Undone"
    LINKED = "linked", "Linked"
    SOURCE = "source", "Source"
    FOLLOWED = "followed", "Followed"
    ASKED = "asked", "Asked"
    ANSWERED = "answered", "Answered"


class History(SQLModel, table=True):
    """One changed field of one change; rows that share record and version are one change, undone together.

    So are those that share a `batch`, of several records. `undone_by` is the version of the record that took the change
    back; empty while the change is in effect, so also once it was brought back again.
    """

    __tablename__ = "history"
    __table_args__ = (
        Index("ix_history_record", "workspace_id", "record_id", "version"),
        Index("ix_history_actor", "workspace_id", "actor_id", "id"),
        Index(
            "ix_history_batch",
            "workspace_id",
            "batch",
            sqlite_where=text("batch IS NOT NULL"),
            postgresql_where=text("batch IS NOT NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(default=None)
    record_id: int | None = Field(default=None, foreign_key="record.id")
    project_id: int = Field(foreign_key="project.id")
    version: int
    at: datetime
    actor_id: str
    act: Act = Field(sa_type=stored(Act))
    via: str
    field: str | None = None
    before: Any = Field(default=None, sa_type=JSON)
    after: Any = Field(default=None, sa_type=JSON)
    note: str | None = None
    batch: str | None = None
    undone_by: int | None = None


class Link(SQLModel, table=True):
    """One record linked to another, once for each type; both ends show it."""

    __tablename__ = "link"
    __table_args__ = (Index("ix_link_to", "workspace_id", "to_id"),)

    workspace_id: str = Field(default=None)
    from_id: int = Field(primary_key=True, foreign_key="record.id")
    type: LinkType = Field(primary_key=True, sa_type=stored(LinkType))
    to_id: int = Field(primary_key=True, foreign_key="record.id")
    at: datetime
    made_by: str


class Capture(SQLModel, table=True):
    """A message that became a record of a kind by a reaction. The key is what makes that happen once, for good."""

    __tablename__ = "capture"

    workspace_id: str = Field(default=None, primary_key=True)
    channel_id: str = Field(primary_key=True)
    ts: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    at: datetime
    by: str


class Card(SQLModel, table=True):
    """Where a record's one message stands in Slack."""

    __tablename__ = "card"

    workspace_id: str = Field(default=None)
    record_id: int = Field(primary_key=True, foreign_key="record.id")
    channel_id: str
    ts: str


class Counter(SQLModel, table=True):
    """The last number given out for a kind, so that references never repeat in a workspace."""

    __tablename__ = "counter"

    workspace_id: str = Field(default=None, primary_key=True)
    kind: str = Field(primary_key=True)
    last: int


class SeenRequest(SQLModel, table=True):
    """A request that took effect. Stored with its effect, so a repeat finds it and does nothing twice."""

    __tablename__ = "seen_request"
    __table_args__ = (Index("ix_seen_request_age", "workspace_id", "at"),)

    workspace_id: str = Field(default=None, primary_key=True)
    key: str = Field(primary_key=True)
    at: datetime
    reference: str | None = None


class DeliveryState(StrEnum):
    DUE = "due"
    SENDING = "sending"
    SENT = "sent"
    UNCONFIRMED = "unconfirmed"
    PARKED = "parked"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class Delivery(SQLModel, table=True):
    """Something to be posted, written in the transaction that causes it. See `scheduler/deliveries.py`.

    `lane` names what must be sent in order and one at a time (a record's card); the partial unique index is what
    keeps two senders out of one lane. `due_at` and `expires_at` go by the product's clock, `lease_until` by the wall.
    `call` is what this attempt asked of Slack, from right before the call until its outcome is known.
    `is_nag` is noted with the claim, so that a person's nags of a day can be counted.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("workspace_id", "dedupe_key", name="uq_delivery_dedupe"),
        Index("ix_delivery_due", "workspace_id", "state", "due_at", "id"),
        Index("ix_delivery_lane", "workspace_id", "lane", "state"),
        Index("ix_delivery_record", "workspace_id", "record_id", "kind"),
        Index(
            "ix_delivery_nag",
            "workspace_id",
            "target",
            "due_at",
            sqlite_where=text("is_nag = 1"),
            postgresql_where=text("is_nag"),
        ),
        Index(
            "uq_delivery_lane_sending",
            "workspace_id",
            "lane",
            unique=True,
            sqlite_where=text("state = 'sending'"),
            postgresql_where=text("state = 'sending'"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(default=None)
    kind: str
    dedupe_key: str
    lane: str
    target: str
    record_id: int | None = Field(default=None, foreign_key="record.id")
    payload: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    due_at: datetime
    expires_at: datetime | None = None
    state: DeliveryState = Field(default=DeliveryState.DUE, sa_type=stored(DeliveryState))
    attempt: int = 0
    is_nag: bool = False
    claimed_by: str | None = None
    lease_until: datetime | None = None
    slack_channel: str | None = None
    slack_ts: str | None = None
    call: dict[str, Any] | None = Field(default=None, sa_type=JSON(none_as_null=True))
    last_error: str | None = None


class Heartbeat(SQLModel, table=True):
    """When a part of the installation last showed that it lives. Belongs to no workspace; instants of the wall."""

    __tablename__ = "heartbeat"

    name: str = Field(primary_key=True)
    at: datetime


class Installation(SQLModel, table=True):
    """Steward as somebody installed it: in one workspace (`id` is T…) or in a whole organisation (E…).

    Belongs to no workspace and is reached through `models/installations.py` only. `sealed_tokens` are what
    `bot/sealing.py` makes, empty once the installation was removed. Tokens that expire do so at `expires_at`;
    `refreshing_until` is the lease of the process that exchanges them, by the wall, and `refresh_error` why the last
    exchange failed. `installed_at` is told by Slack's clock, all else by ours. Slack has refused the token since
    `refused_since`, when asked last at `refused_at`: see `bot/unheard.py`.
    """

    __tablename__ = "installation"

    id: str = Field(primary_key=True)
    name: str
    enterprise_id: str | None = None
    app_id: str
    bot_user_id: str
    scopes: str
    sealed_tokens: str | None = Field(default=None, sa_type=Text, repr=False)
    expires_at: datetime | None = None
    refreshing_until: datetime | None = None
    refresh_error: str | None = None
    installed_by: str
    installed_at: datetime
    removed_at: datetime | None = None
    refused_since: datetime | None = None
    refused_at: datetime | None = None


class InstallState(SQLModel, table=True):
    """An installation that somebody began and did not finish yet: the SHA-256 of its state. Belongs to no workspace."""

    __tablename__ = "install_state"

    digest: str = Field(primary_key=True)
    expires_at: datetime = Field(index=True)


# What a unit never reaches: these tables have no workspace by which it could limit them.
OF_NO_WORKSPACE: tuple[type[SQLModel], ...] = (Heartbeat, Installation, InstallState)


class Absence(SQLModel, table=True):
    """Days on which somebody is away, both ends included, in their own calendar; `deputy_id` stands in for them."""

    __tablename__ = "absence"
    __table_args__ = (
        Index("ix_absence_person", "workspace_id", "person_id", "last_day"),
        Index("ix_absence_deputy", "workspace_id", "deputy_id", "last_day"),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(default=None)
    person_id: str
    first_day: date
    last_day: date
    deputy_id: str | None = None
    created_at: datetime


class SummaryState(StrEnum):
    """What became of a week's summary: awaited, left out by somebody, missed by a downtime, or owed to the channel."""

    AWAITED = "awaited"
    SKIPPED = "skipped"
    MISSED = "missed"
    OWED = "owed"


class WeeklySummary(SQLModel, table=True):
    """A project's summary of that day: the headline above it, what became of it, and who wrote or decided that."""

    __tablename__ = "weekly_summary"

    workspace_id: str = Field(default=None, primary_key=True)
    project_id: int = Field(primary_key=True, foreign_key="project.id")
    day: date = Field(primary_key=True)
    state: SummaryState = Field(default=SummaryState.AWAITED, sa_type=stored(SummaryState))
    headline: str = ""
    by: str | None = None


class StandupReport(Labelled):
    """How the answers of a round reach the channel."""

    DIGEST = "digest", "One message, kept up to date"
    THREAD = "thread", "One message, with each answer in its thread"


class Standup(SQLModel, table=True):
    """A round of questions that comes again and again. Without a `zone` everybody is asked at their own hour.

    `participants` empty means whoever is in the channel. `next_day` is the next round's local date and `next_at` the
    first instant at which it may have something to do; both empty while nothing is planned.
    """

    __tablename__ = "standup"
    __table_args__ = (
        Index("ix_standup_next", "workspace_id", "next_at"),
        Index("ix_standup_channel", "workspace_id", "channel_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(default=None)
    channel_id: str
    name: str
    questions: list[str] = Field(default_factory=list, sa_type=JSON)
    asks_mood: bool = False
    rule: str
    start: date
    at: time
    zone: str | None = None
    window_minutes: int
    nudge_minutes: int = 0
    participants: list[str] = Field(default_factory=list, sa_type=JSON)
    report: StandupReport = Field(default=StandupReport.DIGEST, sa_type=stored(StandupReport))
    missing_to: str | None = None
    makes_issues: bool = False
    is_paused: bool = False
    is_archived: bool = False
    next_day: date | None = None
    next_at: datetime | None = None
    created_by: str
    created_at: datetime
    version: int = Field(default=1, sa_column=_standup_version)

    __mapper_args__ = {"version_id_col": _standup_version}


class StandupRound(SQLModel, table=True):
    """One local date of a stand-up, with the questions as they were asked. `closes_at` is when the last window ends."""

    __tablename__ = "standup_round"
    __table_args__ = (
        UniqueConstraint("workspace_id", "standup_id", "day", name="uq_standup_round_day"),
        Index("ix_standup_round_open", "workspace_id", "is_open", "closes_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace_id: str = Field(default=None)
    standup_id: int = Field(foreign_key="standup.id")
    day: date
    questions: list[str] = Field(default_factory=list, sa_type=JSON)
    asks_mood: bool = False
    opens_at: datetime
    closes_at: datetime
    is_open: bool = True
    drawn: int = 0
    digest_channel: str | None = None
    digest_ts: str | None = None


class EntryState(Labelled):
    """What became of one person's part in a round."""

    WAITING = "waiting", "Not answered yet"
    ANSWERED = "answered", "Answered"
    LATE = "late", "Answered late"
    SKIPPED = "skipped", "Skipped"
    AWAY = "away", "Away"
    MISSED = "missed", "Did not answer"


class StandupEntry(SQLModel, table=True):
    """One person's part in a round: when they are asked, in which zone that was planned, and what they answered."""

    __tablename__ = "standup_entry"
    __table_args__ = (
        Index("ix_standup_entry_person", "workspace_id", "person_id", "round_id"),
        Index("ix_standup_entry_state", "workspace_id", "state", "opens_at"),
    )

    workspace_id: str = Field(default=None, primary_key=True)
    round_id: int = Field(primary_key=True, foreign_key="standup_round.id")
    person_id: str = Field(primary_key=True)
    zone: str
    opens_at: datetime
    closes_at: datetime
    state: EntryState = Field(default=EntryState.WAITING, sa_type=stored(EntryState))
    answers: list[str] = Field(default_factory=list, sa_type=JSON)
    mood: int | None = None
    answered_at: datetime | None = None
    edited_at: datetime | None = None
    issue_id: int | None = Field(default=None, foreign_key="record.id")
    reply_ts: str | None = None
    version: int = Field(default=1, sa_column=_entry_version)

    __mapper_args__ = {"version_id_col": _entry_version}


def in_use() -> ColumnElement[bool]:
    """The projects that are not archived, as a condition on `Project`."""
    return col(Project.archived_at).is_(None)


def table_of(model: type[SQLModel]) -> Table:
    """The table behind a model, for statements past the session."""
    table: Table = model.__table__  # type: ignore[attr-defined]
    return table


# What says whose their rows are is their own key; in every other table it is a column `workspace_id`.
_KEYED_BY_SCOPE = (table_of(Workspace), table_of(Installation))


def scope_of(table: Table) -> "Column[str] | None":
    """The column that says whose the table's rows are; None for a table that belongs to no workspace."""
    return table.c.id if table in _KEYED_BY_SCOPE else table.c.get("workspace_id")
