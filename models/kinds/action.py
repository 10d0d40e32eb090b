"""Actions: pieces of work with one owner and a due date."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Field, SQLModel

from models.kinds.base import FieldSpec, FieldType, Kind, Renewal, Step, Values
from models.labels import Labelled
from models.repeat_words import from_day, without_day


class Action(SQLModel, table=True):
    __tablename__ = "action"

    workspace_id: str = Field(default=None)
    record_id: int = Field(primary_key=True, foreign_key="record.id")
    done_when: str = ""
    effort: str = ""
    result: str = ""
    repeats: str | None = None
    next_id: int | None = None


class ActionStatus(Labelled):
    OPEN = "open", "Open"
    IN_PROGRESS = "in_progress", "In progress"
    BLOCKED = "blocked", "Blocked"
    WAITING = "waiting", "Waiting"
    DONE = "done", "Done"
    VERIFIED = "verified", "Verified"
    CANCELLED = "cancelled", "Cancelled"


UNFINISHED = (ActionStatus.OPEN, ActionStatus.IN_PROGRESS, ActionStatus.BLOCKED, ActionStatus.WAITING)


def _contradictions(values: Values, before: Values) -> Mapping[str, str]:
    if values.get("repeats") and not values.get("due_date"):
        return {"due_date": "What repeats needs a due date: the day of the first one."}
    return {}


def _follows(values: Values, before: Values) -> Mapping[str, Any]:
    """A rule that was typed counts from the due date; typed again as it was, it goes on as before."""
    rule, old = values.get("repeats") or "", before.get("repeats") or ""
    if not rule or rule != without_day(rule) or not values.get("due_date"):
        return {}
    return {"repeats": old if without_day(old) == rule else from_day(rule, values["due_date"])}


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
            under="The work",
        ),
        FieldSpec(
            key="repeats",
            label="Repeats",
            type=FieldType.REPEAT,
            help="“every monday”, “every 2 weeks”, “monthly on the 1st”. When it is done, the next one is logged.",
            under="The work",
        ),
        FieldSpec(
            key="result",
            label="Result",
            type=FieldType.LONG_TEXT,
            help="What came of it, and where that can be seen.",
            under="The work",
        ),
    ),
    statuses=ActionStatus,
    renewal=Renewal(
        when=ActionStatus.DONE, rule="repeats", mark="next_id", leaves=("due_date", "result", "next_review")
    ),
    contradictions=_contradictions,
    follows=_follows,
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
            past="Marked as waiting",
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
