"""Risks: what may happen and would hurt."""

from datetime import date

from sqlalchemy import nulls_last
from sqlmodel import Field, SQLModel, col

from models.kinds.base import FieldSpec, FieldType, Item, Kind, Step
from models.labels import Labelled
from models.tables import stored


class ResponseStrategy(Labelled):
    """Responses to a threat, as PRINCE2 and the PMBOK name them."""

    AVOID = "avoid", "Avoid"
    MITIGATE = "mitigate", "Mitigate"
    TRANSFER = "transfer", "Transfer"
    ACCEPT = "accept", "Accept"
    ESCALATE = "escalate", "Escalate"


class Risk(SQLModel, table=True):
    __tablename__ = "risk"

    workspace_id: str = Field(default=None)
    record_id: int = Field(primary_key=True, foreign_key="record.id")
    probability: int | None = None
    impact: int | None = None
    response: ResponseStrategy | None = Field(default=None, sa_type=stored(ResponseStrategy))


class RiskStatus(Labelled):
    OPEN = "open", "Open"
    RESPONDING = "responding", "Responding"
    CLOSED = "closed", "Closed"


# Score bands of a five by five matrix: the highest score that still belongs to each.
BANDS = ((5, "Low"), (11, "Medium"), (15, "High"), (25, "Critical"))


def score(probability: int | None, impact: int | None) -> int | None:
    """Probability times impact, 1 to 25; None until both are known."""
    return probability * impact if probability and impact else None


def band(points: int) -> str:
    """The word for a score: up to 5 low, up to 11 medium, up to 15 high, above that critical."""
    return next(word for highest, word in BANDS if points <= highest)


_SCORE = col(Risk.probability) * col(Risk.impact)


def _points(item: Item) -> int | None:
    return score(item.value("probability"), item.value("impact"))


def _shown_score(item: Item, today: date) -> str | None:
    points = _points(item)
    return f"{points} of 25, {band(points).lower()}" if points else None


RISK = Kind(
    key="risk",
    letter="R",
    singular="risk",
    plural="risks",
    emoji="⚠️",
    model=Risk,
    help="Something that may happen and would hurt an objective. Once it has happened it is an issue.",
    example="Core switch may arrive late and delay the pilot @kavya by 12 dec",
    fields=(
        FieldSpec(
            key="probability",
            label="Probability",
            type=FieldType.SCALE,
            help="1 rare to 5 almost certain.",
            shorthand="p",
            in_list=True,
        ),
        FieldSpec(
            key="impact",
            label="Impact",
            type=FieldType.SCALE,
            help="1 slight to 5 severe.",
            shorthand="i",
            in_list=True,
        ),
        FieldSpec(
            key="response",
            label="Response",
            type=FieldType.CHOICE,
            help="What you do about it: avoid, mitigate, transfer, accept or escalate.",
            choices=ResponseStrategy,
        ),
    ),
    statuses=RiskStatus,
    closed=frozenset({RiskStatus.CLOSED}),
    steps=(
        Step(
            key="close",
            label="Close",
            past="Closed",
            begins=(RiskStatus.OPEN, RiskStatus.RESPONDING),
            to=RiskStatus.CLOSED,
            words=("done", "closed"),
            is_main=True,
        ),
        Step(
            key="respond",
            label="Responding",
            past="Marked as responding",
            begins=(RiskStatus.OPEN,),
            to=RiskStatus.RESPONDING,
            words=("responding", "start"),
        ),
        Step(
            key="reopen",
            label="Reopen",
            past="Reopened",
            begins=(RiskStatus.CLOSED,),
            to=RiskStatus.OPEN,
            words=("open",),
        ),
    ),
    derived={"Score": _shown_score},
    score=_SCORE,
    sort_by=(nulls_last(_SCORE.desc()),),
)
