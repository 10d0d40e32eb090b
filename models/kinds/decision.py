"""Decisions: what was decided, by whom and why. Proposed first; once approved the text stands."""

from sqlmodel import JSON, Field, SQLModel

from models.kinds.base import FieldSpec, FieldType, FollowUp, Kind, Replacement, Step
from models.labels import Labelled, LinkType
from models.tables import stored


class Reversibility(Labelled):
    EASY = "easy", "Easily"
    COSTLY = "costly", "At a cost"
    FINAL = "final", "Not at all"


class Decision(SQLModel, table=True):
    __tablename__ = "decision"

    workspace_id: str = Field(default=None)
    record_id: int = Field(primary_key=True, foreign_key="record.id")
    rationale: str = ""
    alternatives: str = ""
    deciders: list[str] = Field(default_factory=list, sa_type=JSON)
    problem: str = ""
    drivers: str = ""
    consequences: str = ""
    effect: str = ""
    confirmation: str = ""
    reversibility: Reversibility | None = Field(default=None, sa_type=stored(Reversibility))
    consulted: list[str] = Field(default_factory=list, sa_type=JSON)
    informed: list[str] = Field(default_factory=list, sa_type=JSON)


class DecisionStatus(Labelled):
    """Proposed comes first, as what people log is mostly a proposal; "needed" is a question without one."""

    PROPOSED = "proposed", "Proposed"
    NEEDED = "needed", "Needed"
    DEFERRED = "deferred", "Deferred"
    APPROVED = "approved", "Approved"
    REJECTED = "rejected", "Rejected"
    SUPERSEDED = "superseded", "Superseded"
    WITHDRAWN = "withdrawn", "Withdrawn"


STANDING = frozenset({DecisionStatus.APPROVED, DecisionStatus.SUPERSEDED, DecisionStatus.WITHDRAWN})
"""The statuses in which a decision's text is never edited: it was approved once."""

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
        FieldSpec(key="deciders", label="Deciders", type=FieldType.PEOPLE, help="Who makes this decision."),
        FieldSpec(
            key="problem",
            label="Problem",
            type=FieldType.LONG_TEXT,
            help="What has to be decided, and what led to the question.",
            under="The question",
        ),
        FieldSpec(
            key="drivers",
            label="What matters",
            type=FieldType.LONG_TEXT,
            help="What a good answer has to satisfy: cost, time, safety.",
            under="The question",
        ),
        FieldSpec(
            key="consequences",
            label="Consequences",
            type=FieldType.LONG_TEXT,
            help="What good and what bad comes of it.",
            under="What follows",
        ),
        FieldSpec(
            key="effect",
            label="Effect",
            type=FieldType.TEXT,
            help="What it changes in scope, schedule, cost and risks.",
            under="What follows",
        ),
        FieldSpec(
            key="reversibility",
            label="Can be undone",
            type=FieldType.CHOICE,
            help="How easily the project could change its mind.",
            choices=Reversibility,
            under="What follows",
        ),
        FieldSpec(
            key="confirmation",
            label="Checked by",
            type=FieldType.TEXT,
            help="How everyone will see that it was carried out.",
            under="What follows",
        ),
        FieldSpec(
            key="consulted",
            label="Consulted",
            type=FieldType.PEOPLE,
            help="Whose view was asked for.",
            under="People",
        ),
        FieldSpec(
            key="informed",
            label="Informed",
            type=FieldType.PEOPLE,
            help="Who has to know of it.",
            under="People",
        ),
    ),
    statuses=DecisionStatus,
    closed=STANDING | {DecisionStatus.REJECTED},
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
            needs_approver=lambda item: True,
        ),
        Step(
            key="reject",
            label="Reject",
            past="Rejected",
            begins=(DecisionStatus.PROPOSED, DecisionStatus.DEFERRED),
            to=DecisionStatus.REJECTED,
            words=("rejected",),
            needs_approver=lambda item: True,
        ),
        Step(
            key="defer",
            label="Defer",
            past="Deferred",
            begins=(DecisionStatus.PROPOSED, DecisionStatus.NEEDED),
            to=DecisionStatus.DEFERRED,
            words=("deferred", "later"),
        ),
        Step(
            key="need",
            label="Still needed",
            past="Marked as needed",
            begins=(DecisionStatus.PROPOSED, DecisionStatus.DEFERRED),
            to=DecisionStatus.NEEDED,
            words=("needed", "undecided"),
        ),
        Step(
            key="propose",
            label="Propose",
            past="Proposed",
            begins=(DecisionStatus.NEEDED, DecisionStatus.DEFERRED, DecisionStatus.REJECTED),
            to=DecisionStatus.PROPOSED,
            words=("reopen", "open", "proposed"),
        ),
        Step(
            key="withdraw",
            label="Withdraw",
            past="Withdrawn",
            begins=(DecisionStatus.APPROVED,),
            to=DecisionStatus.WITHDRAWN,
            words=("withdrawn", "revoke"),
            reason="Why does it no longer hold?",
            needs_approver=lambda item: True,
        ),
    ),
    follow_ups=(
        FollowUp(
            key="supersede",
            label="Supersede",
            begins=(DecisionStatus.APPROVED,),
            makes="decision",
            link=LinkType.SUPERSEDES,
            is_from_new=True,
            copies=(
                "title",
                "rationale",
                "alternatives",
                "deciders",
                "problem",
                "drivers",
                "consequences",
                "effect",
                "reversibility",
                "confirmation",
                "consulted",
                "informed",
                "owner_id",
                "priority",
                "details",
            ),
            says="{old} holds until this one is approved. The two are linked.",
            words=("replace",),
        ),
    ),
    # The old decision holds until the coordinator approves the new one.
    replacement=Replacement(when=DecisionStatus.APPROVED, begins=DecisionStatus.APPROVED, to=DecisionStatus.SUPERSEDED),
    is_editable=lambda item: item.record.status not in STANDING,
    awaits_approval=frozenset({DecisionStatus.PROPOSED}),
)
