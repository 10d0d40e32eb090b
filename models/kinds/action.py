"""Actions: pieces of work with one owner and a due date."""

from sqlmodel import Field, SQLModel

from models.kinds.base import FieldSpec, FieldType, Kind, Step
from models.labels import Labelled


class Action(SQLModel, table=True):
    __tablename__ = "action"

    workspace_id: str = Field(default=None)
    record_id: int = Field(primary_key=True, foreign_key="record.id")
    done_when: str = ""


class ActionStatus(Labelled):
    OPEN = "open", "Open"
    IN_PROGRESS = "in_progress", "In progress"
    DONE = "done", "Done"
    CANCELLED = "cancelled", "Cancelled"


ACTION = Kind(
    key="action",
    letter="A",
    singular="action",
    plural="actions",
    emoji="📝",
    model=Action,
    help="A piece of work that one person answers for.",
    example="Send the firewall diagram @ben by friday 3pm !high",
    fields=(
        FieldSpec(
            key="done_when",
            label="Done when",
            type=FieldType.TEXT,
            help="How everyone will see that it is finished, e.g. “vendor confirmed in writing”.",
        ),
    ),
    statuses=ActionStatus,
    closed=frozenset({ActionStatus.DONE, ActionStatus.CANCELLED}),
    steps=(
        Step(
            key="done",
            label="Done",
            past="Closed",
            begins=(ActionStatus.OPEN, ActionStatus.IN_PROGRESS),
            to=ActionStatus.DONE,
            words=("close", "closed", "finish", "finished", "complete", "completed"),
            is_main=True,
        ),
        Step(
            key="start",
            label="Start",
            past="Started",
            begins=(ActionStatus.OPEN,),
            to=ActionStatus.IN_PROGRESS,
            words=("started", "begin"),
        ),
        Step(
            key="cancel",
            label="Cancel",
            past="Cancelled",
            begins=(ActionStatus.OPEN, ActionStatus.IN_PROGRESS),
            to=ActionStatus.CANCELLED,
            words=("cancelled", "drop"),
        ),
        Step(
            key="reopen",
            label="Reopen",
            past="Reopened",
            begins=(ActionStatus.DONE, ActionStatus.CANCELLED),
            to=ActionStatus.OPEN,
            words=("open",),
        ),
    ),
)
