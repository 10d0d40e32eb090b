"""Decisions: what was decided, by whom and why. Proposed first; once approved the text stands."""

from sqlmodel import Field, SQLModel

from models.kinds.base import FieldSpec, FieldType, Kind, Step
from models.labels import Labelled


class Decision(SQLModel, table=True):
    __tablename__ = "decision"

    workspace_id: str = Field(default=None)
    record_id: int = Field(primary_key=True, foreign_key="record.id")
    rationale: str = ""
    alternatives: str = ""


class DecisionStatus(Labelled):
    PROPOSED = "proposed", "Proposed"
    DEFERRED = "deferred", "Deferred"
    APPROVED = "approved", "Approved"
    REJECTED = "rejected", "Rejected"


DECISION = Kind(
    key="decision",
    letter="D",
    singular="decision",
    plural="decisions",
    emoji="📌",
    model=Decision,
    help="What was decided and why. Logged as proposed, editable until the coordinator approves it.",
    example="Use the second data centre for backups @ana",
    fields=(
        FieldSpec(
            key="rationale", label="Why", type=FieldType.LONG_TEXT, help="The reasons, for a reader a year from now."
        ),
        FieldSpec(
            key="alternatives",
            label="Alternatives",
            type=FieldType.LONG_TEXT,
            help="What else was on the table, and why not.",
        ),
    ),
    statuses=DecisionStatus,
    closed=frozenset({DecisionStatus.APPROVED, DecisionStatus.REJECTED}),
    stands=frozenset({DecisionStatus.APPROVED}),
    steps=(
        Step(
            key="approve",
            label="Approve",
            past="Approved",
            begins=(DecisionStatus.PROPOSED, DecisionStatus.DEFERRED),
            to=DecisionStatus.APPROVED,
            words=("approved", "done"),
            is_main=True,
            needs_approver=True,
        ),
        Step(
            key="reject",
            label="Reject",
            past="Rejected",
            begins=(DecisionStatus.PROPOSED, DecisionStatus.DEFERRED),
            to=DecisionStatus.REJECTED,
            words=("rejected",),
            needs_approver=True,
        ),
        Step(
            key="defer",
            label="Defer",
            past="Deferred",
            begins=(DecisionStatus.PROPOSED,),
            to=DecisionStatus.DEFERRED,
            words=("deferred", "later"),
        ),
        Step(
            key="propose",
            label="Propose again",
            past="Proposed again",
            begins=(DecisionStatus.DEFERRED, DecisionStatus.REJECTED),
            to=DecisionStatus.PROPOSED,
            words=("reopen", "open", "proposed"),
        ),
    ),
    is_editable=lambda item: item.record.status != DecisionStatus.APPROVED,
    awaits_approval=frozenset({DecisionStatus.PROPOSED}),
)
