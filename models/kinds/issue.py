"""Issues: what has happened and hurts now."""

from sqlalchemy import nulls_last
from sqlmodel import Field, SQLModel, col

from models.kinds.base import FieldSpec, FieldType, Kind, Step
from models.labels import Labelled
from models.tables import stored


class Severity(Labelled):
    """How badly it hurts; separate from priority, which says how soon it is dealt with."""

    CRITICAL = "1", "1 Critical"
    MAJOR = "2", "2 Major"
    MINOR = "3", "3 Minor"
    TRIVIAL = "4", "4 Trivial"


class Issue(SQLModel, table=True):
    __tablename__ = "issue"

    workspace_id: str = Field(default=None)
    record_id: int = Field(primary_key=True, foreign_key="record.id")
    severity: Severity | None = Field(default=None, sa_type=stored(Severity))
    workaround: str = ""


class IssueStatus(Labelled):
    OPEN = "open", "Open"
    IN_PROGRESS = "in_progress", "In progress"
    RESOLVED = "resolved", "Resolved"
    CLOSED = "closed", "Closed"


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
    ),
    statuses=IssueStatus,
    closed=frozenset({IssueStatus.RESOLVED, IssueStatus.CLOSED}),
    steps=(
        Step(
            key="resolve",
            label="Resolved",
            past="Resolved",
            begins=(IssueStatus.OPEN, IssueStatus.IN_PROGRESS),
            to=IssueStatus.RESOLVED,
            words=("resolved", "done", "fixed"),
            is_main=True,
        ),
        Step(
            key="start",
            label="Start",
            past="Started",
            begins=(IssueStatus.OPEN,),
            to=IssueStatus.IN_PROGRESS,
            words=("started", "begin"),
        ),
        Step(
            key="close",
            label="Close",
            past="Closed",
            begins=(IssueStatus.OPEN, IssueStatus.IN_PROGRESS, IssueStatus.RESOLVED),
            to=IssueStatus.CLOSED,
            words=("closed",),
        ),
        Step(
            key="reopen",
            label="Reopen",
            past="Reopened",
            begins=(IssueStatus.RESOLVED, IssueStatus.CLOSED),
            to=IssueStatus.OPEN,
            words=("open",),
        ),
    ),
    sort_by=(nulls_last(col(Issue.severity).asc()),),
)
