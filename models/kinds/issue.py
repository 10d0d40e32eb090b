"""Issues: what has happened and hurts now."""

from datetime import date

from sqlmodel import Field, SQLModel

from models.kinds.base import FieldSpec, FieldType, Item, Kind, Step
from models.labels import EscalationLevel, Labelled
from models.money import Money, MoneyColumn
from models.tables import stored


class Severity(Labelled):
    """How badly it hurts; separate from priority, which says how soon it is dealt with."""

    CRITICAL = "1", "1 Critical"
    MAJOR = "2", "2 Major"
    MINOR = "3", "3 Minor"
    TRIVIAL = "4", "4 Trivial"


class IssueType(Labelled):
    """What sort of issue it is, as PRINCE2 and project teams tell them apart."""

    PROBLEM = "problem", "Problem or concern"
    OFF_SPECIFICATION = "off_specification", "Off-specification"
    REQUEST = "request", "Request for change"
    DEFECT = "defect", "Defect"
    BLOCKER = "blocker", "Blocker"


class Issue(SQLModel, table=True):
    __tablename__ = "issue"

    workspace_id: str = Field(default=None)
    record_id: int = Field(primary_key=True, foreign_key="record.id")
    severity: Severity | None = Field(default=None, sa_type=stored(Severity))
    workaround: str = ""
    issue_type: IssueType | None = Field(default=None, sa_type=stored(IssueType))
    effect: str = ""
    schedule_days: int | None = None
    cost: Money | None = Field(default=None, sa_type=MoneyColumn)
    scope_effect: str = ""
    quality_effect: str = ""
    root_cause: str = ""
    decider_id: str | None = None
    decide_by: date | None = None
    escalation_level: EscalationLevel | None = Field(default=None, sa_type=stored(EscalationLevel))
    escalated_to: str | None = None
    escalated_on: date | None = None
    resolved_on: date | None = None
    resolution: str = ""
    ticket: str = ""
    reopened: int = 0


class IssueStatus(Labelled):
    OPEN = "open", "Open"
    EXAMINING = "examining", "Being examined"
    IN_PROGRESS = "in_progress", "In progress"
    BLOCKED = "blocked", "Blocked"
    ESCALATED = "escalated", "Escalated"
    RESOLVED = "resolved", "Resolved"
    VERIFIED = "verified", "Verified"
    CLOSED = "closed", "Closed"


UNRESOLVED = (
    IssueStatus.OPEN,
    IssueStatus.EXAMINING,
    IssueStatus.IN_PROGRESS,
    IssueStatus.BLOCKED,
    IssueStatus.ESCALATED,
)


def _times_reopened(item: Item, today: date) -> str | None:
    times = item.value("reopened") or 0
    return f"{times} times" if times > 1 else "once" if times else None


ISSUE = Kind(
    key="issue",
    letter="I",
    singular="issue",
    plural="issues",
    emoji="🔥",
    model=Issue,
    help="Something that has happened and needs to be dealt with. While it only may happen it is a risk.",
    example="VPN drops every evening at six @tane due tomorrow !critical",
    fields=(
        FieldSpec(
            key="severity",
            label="Severity",
            type=FieldType.CHOICE,
            help="How badly it hurts, whoever deals with it and when.",
            choices=Severity,
            in_list=True,
        ),
        FieldSpec(
            key="workaround",
            label="Workaround",
            type=FieldType.TEXT,
            help="What people can do until it is resolved.",
        ),
        FieldSpec(
            key="issue_type",
            label="Type",
            type=FieldType.CHOICE,
            help="What sort of issue it is.",
            choices=IssueType,
            under="What it does",
        ),
        FieldSpec(
            key="effect",
            label="Effect",
            type=FieldType.TEXT,
            help="What it does to the project.",
            under="What it does",
        ),
        FieldSpec(
            key="schedule_days",
            label="Days lost",
            type=FieldType.NUMBER,
            help="How many calendar days it costs the schedule; below zero where it gains some.",
            under="What it does",
        ),
        FieldSpec(
            key="cost",
            label="Extra cost",
            type=FieldType.MONEY,
            help="What it costs beyond the plan, as “EUR 1200”.",
            under="What it does",
        ),
        FieldSpec(
            key="scope_effect",
            label="Effect on scope",
            type=FieldType.TEXT,
            help="What will not be done, or has to be done besides.",
            under="What it does",
        ),
        FieldSpec(
            key="quality_effect",
            label="Effect on quality",
            type=FieldType.TEXT,
            help="What will be less good than agreed.",
            under="What it does",
        ),
        FieldSpec(
            key="root_cause",
            label="Root cause",
            type=FieldType.LONG_TEXT,
            help="Why it happened.",
            under="The way out",
        ),
        FieldSpec(
            key="decider_id",
            label="Decision by",
            type=FieldType.PERSON,
            help="Who has to decide something before it can go on.",
            under="The way out",
        ),
        FieldSpec(
            key="decide_by",
            label="Decide by",
            type=FieldType.DATE,
            help="The day by which that decision is needed.",
            under="The way out",
        ),
        FieldSpec(
            key="escalation_level",
            label="Escalation level",
            type=FieldType.CHOICE,
            help="To whom it was last raised; also noted when Steward asks on.",
            choices=EscalationLevel,
            under="Escalation",
        ),
        FieldSpec(
            key="escalated_to",
            label="Escalated to",
            type=FieldType.PERSON,
            help="Who was asked to help from above.",
            under="Escalation",
        ),
        FieldSpec(
            key="escalated_on",
            label="Escalated on",
            type=FieldType.DATE,
            help="The day it was last escalated.",
            by_step=True,
        ),
        FieldSpec(
            key="resolved_on",
            label="Resolved on",
            type=FieldType.DATE,
            help="The day it was resolved; the due date is the day it should be.",
            by_step=True,
        ),
        FieldSpec(
            key="resolution",
            label="Resolution",
            type=FieldType.LONG_TEXT,
            help="What was done about it.",
            under="The way out",
        ),
        FieldSpec(
            key="ticket",
            label="Ticket",
            type=FieldType.TEXT,
            help="Its number or address in another system.",
            under="The way out",
        ),
    ),
    statuses=IssueStatus,
    closed=frozenset({IssueStatus.RESOLVED, IssueStatus.VERIFIED, IssueStatus.CLOSED}),
    steps=(
        Step(
            key="resolve",
            label="Resolved",
            past="Resolved",
            begins=UNRESOLVED,
            to=IssueStatus.RESOLVED,
            words=("resolved", "done", "fixed"),
            is_main=True,
            sets=lambda item, by, today: {"resolved_on": today},
        ),
        Step(
            key="start",
            label="Start",
            past="Started",
            begins=(IssueStatus.OPEN, IssueStatus.EXAMINING, IssueStatus.BLOCKED, IssueStatus.ESCALATED),
            to=IssueStatus.IN_PROGRESS,
            words=("started", "begin", "resume"),
        ),
        Step(
            key="verify",
            label="Verified",
            past="Verified",
            begins=(IssueStatus.RESOLVED,),
            to=IssueStatus.VERIFIED,
            words=("verified", "checked"),
        ),
        Step(
            key="escalate",
            label="Escalate",
            past="Escalated",
            begins=(IssueStatus.OPEN, IssueStatus.EXAMINING, IssueStatus.IN_PROGRESS, IssueStatus.BLOCKED),
            to=IssueStatus.ESCALATED,
            words=("escalated",),
            reason="To whom, and what is needed from them by when?",
            sets=lambda item, by, today: {"escalated_on": today},
        ),
        Step(
            key="block",
            label="Blocked",
            past="Marked as blocked",
            begins=(IssueStatus.OPEN, IssueStatus.EXAMINING, IssueStatus.IN_PROGRESS, IssueStatus.ESCALATED),
            to=IssueStatus.BLOCKED,
            words=("blocked",),
            reason="What stands in the way?",
        ),
        Step(
            key="examine",
            label="Examine",
            past="Marked as being examined",
            begins=(IssueStatus.OPEN,),
            to=IssueStatus.EXAMINING,
            words=("examining",),
        ),
        Step(
            key="close",
            label="Close",
            past="Closed",
            begins=(*UNRESOLVED, IssueStatus.RESOLVED, IssueStatus.VERIFIED),
            to=IssueStatus.CLOSED,
            words=("closed",),
            sets=lambda item, by, today: {"resolved_on": item.value("resolved_on") or today},
        ),
        Step(
            key="reopen",
            label="Reopen",
            past="Reopened",
            begins=(IssueStatus.RESOLVED, IssueStatus.VERIFIED, IssueStatus.CLOSED),
            to=IssueStatus.OPEN,
            words=("open",),
            sets=lambda item, by, today: {"reopened": item.value("reopened") + 1, "resolved_on": None},
        ),
    ),
    derived={"Reopened": _times_reopened},
    ranked_by="severity",
)
