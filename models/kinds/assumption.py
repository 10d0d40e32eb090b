"""Assumptions: what the plan takes for true without proof."""

from sqlmodel import Field, SQLModel

from models.kinds.base import FieldSpec, FieldType, FollowUp, Kind, Step
from models.labels import Labelled, LinkType
from models.tables import stored


class Confidence(Labelled):
    LOW = "low", "Low"
    MEDIUM = "medium", "Medium"
    HIGH = "high", "High"


class Assumption(SQLModel, table=True):
    __tablename__ = "assumption"

    workspace_id: str = Field(default=None)
    record_id: int = Field(primary_key=True, foreign_key="record.id")
    basis: str = ""
    confidence: Confidence | None = Field(default=None, sa_type=stored(Confidence))
    if_false: str = ""
    validator_id: str | None = None
    how_checked: str = ""


class AssumptionStatus(Labelled):
    OPEN = "open", "Open"
    VALIDATED = "validated", "Validated"
    INVALIDATED = "invalidated", "Invalidated"
    RETIRED = "retired", "Retired"


ASSUMPTION = Kind(
    key="assumption",
    letter="AS",
    singular="assumption",
    plural="assumptions",
    emoji="💭",
    model=Assumption,
    help="Something the plan takes for true without proof. The owner finds out by the due date whether it holds.",
    example="The floor carries twelve racks @kavya by 12 dec",
    fields=(
        FieldSpec(key="basis", label="Basis", type=FieldType.TEXT, help="Why you believe it."),
        FieldSpec(
            key="confidence",
            label="Confidence",
            type=FieldType.CHOICE,
            help="How sure you are of it.",
            choices=Confidence,
            in_list=True,
        ),
        FieldSpec(
            key="if_false",
            label="If false",
            type=FieldType.TEXT,
            help="What it would mean for the project if it did not hold.",
        ),
        FieldSpec(
            key="validator_id",
            label="Validator",
            type=FieldType.PERSON,
            help="Who can say whether it holds, where that is not the owner.",
            under="Checking it",
        ),
        FieldSpec(
            key="how_checked",
            label="How to check",
            type=FieldType.LONG_TEXT,
            help="How it will be, or was, found out.",
            under="Checking it",
        ),
    ),
    statuses=AssumptionStatus,
    closed=frozenset({AssumptionStatus.VALIDATED, AssumptionStatus.INVALIDATED, AssumptionStatus.RETIRED}),
    steps=(
        Step(
            key="validate",
            label="It holds",
            past="Validated",
            begins=(AssumptionStatus.OPEN,),
            to=AssumptionStatus.VALIDATED,
            words=("validated", "done", "holds", "true"),
            is_main=True,
        ),
        Step(
            key="invalidate",
            label="It does not hold",
            past="Invalidated",
            begins=(AssumptionStatus.OPEN, AssumptionStatus.VALIDATED),
            to=AssumptionStatus.INVALIDATED,
            words=("invalidated", "wrong", "false"),
            reason="What turned out instead?",
        ),
        Step(
            key="retire",
            label="Retire",
            past="Retired",
            begins=(AssumptionStatus.OPEN,),
            to=AssumptionStatus.RETIRED,
            words=("retired", "drop"),
        ),
        Step(
            key="reopen",
            label="Reopen",
            past="Reopened",
            begins=(AssumptionStatus.VALIDATED, AssumptionStatus.INVALIDATED, AssumptionStatus.RETIRED),
            to=AssumptionStatus.OPEN,
            words=("open",),
        ),
    ),
    follow_ups=tuple(
        FollowUp(
            key=makes,
            label=f"Log the {makes}",
            begins=(AssumptionStatus.OPEN, AssumptionStatus.VALIDATED, AssumptionStatus.INVALIDATED),
            makes=makes,
            link=LinkType.RESULTS_IN,
            copies=("title", "owner_id", "priority", "details"),
            says="{old} does not hold. The two are linked.",
            to=AssumptionStatus.INVALIDATED,
        )
        for makes in ("issue", "risk")
    ),
    ranked_by="confidence",
)
