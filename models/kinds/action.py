"""Actions: pieces of work with one owner and a due date."""

from sqlmodel import Field, SQLModel

from models.kinds.base import FieldSpec, FieldType, Kind, Step
from models.labels import Labelled


class Action(SQLModel, table=True):
    __tablename__ = "action"

    workspace_id: str = Field(default=None)
    record_id: int = Field(primary_key=True, foreign_key="record.id")
    done_when: str = ""
    effort: str = ""
    result: str = ""


class ActionStatus(Labelled):
    OPEN = "open", "Open"
    IN_PROGRESS = "in_progress", "In progress"
    BLOCKED = "blocked", "Blocked"
    WAITING = "waiting", "Waiting"
    DONE = "done", "Done"
    VERIFIED = "verified", "Verified"
    CANCELLED = "cancelled", "Cancelled"


UNFINISHED = (ActionStatus.OPEN, ActionStatus.IN_PROGRESS, ActionStatus.BLOCKED, ActionStatus.WAITING)

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
        FieldSpec(
            key="effort",
            label="Effort",
            type=FieldType.TEXT,
            help="How much work it is, e.g. “two days”.",
            is_extra=True,
        ),
        FieldSpec(
            key="result",
            label="Result",
            type=FieldType.LONG_TEXT,
            help="What came of it, and where that can be seen.",
            is_extra=True,
        ),
    ),
    statuses=ActionStatus,
    closed=frozenset({ActionStatus.DONE, ActionStatus.VERIFIED, ActionStatus.CANCELLED}),
    steps=(
        Step(
            key="done",
            label="Done",
            past="Closed",
            begins=UNFINISHED,
            to=ActionStatus.DONE,
            words=("close", "closed", "finish", "finished", "complete", "completed"),
            is_main=True,
        ),
        Step(
            key="start",
            label="Start",
            past="Started",
            begins=(ActionStatus.OPEN, ActionStatus.BLOCKED, ActionStatus.WAITING),
            to=ActionStatus.IN_PROGRESS,
            words=("started", "begin", "resume"),
        ),
        Step(
            key="verify",
            label="Verified",
            past="Verified",
            begins=(ActionStatus.DONE,),
            to=ActionStatus.VERIFIED,
            words=("verified", "checked"),
        ),
        Step(
            key="wait",
            label="Waiting",
            past="Set waiting",
            begins=(ActionStatus.OPEN, ActionStatus.IN_PROGRESS, ActionStatus.BLOCKED),
            to=ActionStatus.WAITING,
            words=("waiting",),
            reason="What or whom does it wait for?",
        ),
        Step(
            key="block",
            label="Blocked",
            past="Marked as blocked",
            begins=(ActionStatus.OPEN, ActionStatus.IN_PROGRESS, ActionStatus.WAITING),
            to=ActionStatus.BLOCKED,
            words=("blocked",),
            reason="What stands in the way?",
        ),
        Step(
            key="cancel",
            label="Cancel",
            past="Cancelled",
            begins=UNFINISHED,
            to=ActionStatus.CANCELLED,
            words=("cancelled", "drop"),
            reason="Why is it not needed any more?",
        ),
        Step(
            key="reopen",
            label="Reopen",
            past="Reopened",
            begins=(ActionStatus.DONE, ActionStatus.VERIFIED, ActionStatus.CANCELLED),
            to=ActionStatus.OPEN,
            words=("open",),
        ),
    ),
)
