"""Dependencies: what the project needs from others, or others from it, by a day."""

from datetime import date

from sqlmodel import Field, SQLModel

from models.kinds.base import FieldSpec, FieldType, Kind, Step
from models.labels import Labelled
from models.tables import stored


class Direction(Labelled):
    GETS = "gets", "We get it"
    GIVES = "gives", "We give it"


class Light(Labelled):
    """Red, amber, green: never the colour alone."""

    RED = "red", "🔴 Red"
    AMBER = "amber", "🟠 Amber"
    GREEN = "green", "🟢 Green"


class Confirmation(Labelled):
    """How sure the promised day is."""

    NONE = "none", "Not confirmed"
    SPOKEN = "spoken", "By word"
    WRITTEN = "written", "In writing"


class Dependency(SQLModel, table=True):
    __tablename__ = "dependency"

    workspace_id: str = Field(default=None)
    record_id: int = Field(primary_key=True, foreign_key="record.id")
    provider: str = ""
    direction: Direction | None = Field(default=None, sa_type=stored(Direction))
    promised: date | None = None
    confirmation: Confirmation | None = Field(default=None, sa_type=stored(Confirmation))
    light: Light | None = Field(default=None, sa_type=stored(Light))
    if_late: str = ""


class DependencyStatus(Labelled):
    REQUESTED = "requested", "Requested"
    COMMITTED = "committed", "Committed"
    AT_RISK = "at_risk", "At risk"
    DELIVERED = "delivered", "Delivered"
    ACCEPTED = "accepted", "Accepted"
    BROKEN = "broken", "Broken"


UNDELIVERED = (DependencyStatus.REQUESTED, DependencyStatus.COMMITTED, DependencyStatus.AT_RISK)

DEPENDENCY = Kind(
    key="dependency",
    letter="DP",
    singular="dependency",
    plural="dependencies",
    emoji="🔗",
    model=Dependency,
    help="Something the project needs from others, or others from it. The due date is the day it is needed by.",
    example="Firewall rules from the security team @tane by 12 dec",
    fields=(
        FieldSpec(
            key="provider",
            label="Provider",
            type=FieldType.TEXT,
            help="The team, vendor or person it comes from, or goes to.",
            in_list=True,
        ),
        FieldSpec(
            key="promised",
            label="Promised for",
            type=FieldType.DATE,
            help="The day the provider promised; the due date is the day it is needed.",
            in_list=True,
        ),
        FieldSpec(
            key="light",
            label="Outlook",
            type=FieldType.CHOICE,
            help="Red, amber or green: whether it will come in time.",
            choices=Light,
            in_list=True,
        ),
        FieldSpec(
            key="direction",
            label="Direction",
            type=FieldType.CHOICE,
            help="Whether the project gets it or gives it.",
            choices=Direction,
            under="The delivery",
        ),
        FieldSpec(
            key="confirmation",
            label="Promise confirmed",
            type=FieldType.CHOICE,
            help="Whether the provider has confirmed the promised day.",
            choices=Confirmation,
            under="The delivery",
        ),
        FieldSpec(
            key="if_late",
            label="If late",
            type=FieldType.TEXT,
            help="What it would mean for the project if it came too late.",
            under="The delivery",
        ),
    ),
    statuses=DependencyStatus,
    closed=frozenset({DependencyStatus.DELIVERED, DependencyStatus.ACCEPTED, DependencyStatus.BROKEN}),
    steps=(
        Step(
            key="deliver",
            label="Delivered",
            past="Marked as delivered",
            begins=UNDELIVERED,
            to=DependencyStatus.DELIVERED,
            words=("delivered", "done", "received"),
            is_main=True,
        ),
        Step(
            key="commit",
            label="Committed",
            past="Marked as committed",
            begins=(DependencyStatus.REQUESTED, DependencyStatus.AT_RISK),
            to=DependencyStatus.COMMITTED,
            words=("committed", "confirm", "confirmed"),
        ),
        Step(
            key="at-risk",
            label="At risk",
            past="Marked as at risk",
            begins=(DependencyStatus.REQUESTED, DependencyStatus.COMMITTED),
            to=DependencyStatus.AT_RISK,
            words=("endangered",),
            reason="What endangers it?",
        ),
        Step(
            key="accept",
            label="Accept",
            past="Accepted",
            begins=(DependencyStatus.DELIVERED,),
            to=DependencyStatus.ACCEPTED,
            words=("accepted",),
        ),
        Step(
            key="break",
            label="Broken",
            past="Marked as broken",
            begins=UNDELIVERED,
            to=DependencyStatus.BROKEN,
            words=("broken", "failed"),
            reason="What happened, and what now?",
        ),
        Step(
            key="reopen",
            label="Reopen",
            past="Reopened",
            begins=(DependencyStatus.DELIVERED, DependencyStatus.ACCEPTED, DependencyStatus.BROKEN),
            to=DependencyStatus.REQUESTED,
            words=("open", "reject", "rejected"),
        ),
    ),
    ranked_by="light",
)
