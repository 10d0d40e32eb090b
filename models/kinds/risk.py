"""Risks: what may happen and would hurt, or help."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from sqlmodel import Field, SQLModel

from models.kinds.base import OVERDUE, Concern, FieldSpec, FieldType, FollowUp, Item, Kind, Step, Values
from models.labels import EscalationLevel, Labelled, LinkType
from models.money import Money, MoneyColumn
from models.tables import stored


class ResponseStrategy(Labelled):
    """Responses to a threat and to an opportunity, as PRINCE2 and the PMBOK name them."""

    AVOID = "avoid", "Avoid"
    MITIGATE = "mitigate", "Mitigate"
    TRANSFER = "transfer", "Transfer"
    ACCEPT = "accept", "Accept"
    ESCALATE = "escalate", "Escalate"
    EXPLOIT = "exploit", "Exploit"
    ENHANCE = "enhance", "Enhance"
    SHARE = "share", "Share"


TO_A_THREAT = (ResponseStrategy.AVOID, ResponseStrategy.MITIGATE, ResponseStrategy.TRANSFER)
TO_AN_OPPORTUNITY = (ResponseStrategy.EXPLOIT, ResponseStrategy.ENHANCE, ResponseStrategy.SHARE)


class Nature(Labelled):
    THREAT = "threat", "Threat"
    OPPORTUNITY = "opportunity", "Opportunity"


class Category(Labelled):
    SCHEDULE = "schedule", "Schedule"
    COST = "cost", "Cost"
    SCOPE = "scope", "Scope"
    QUALITY = "quality", "Quality"
    RESOURCE = "resource", "Resource"
    VENDOR = "vendor", "Vendor"
    TECHNICAL = "technical", "Technical"
    SECURITY = "security", "Security"
    COMPLIANCE = "compliance", "Compliance"
    EXTERNAL = "external", "External"


class Proximity(Labelled):
    """How near in time it would happen."""

    IMMINENT = "imminent", "Imminent"
    STAGE = "stage", "Within this stage"
    PROJECT = "project", "Within the project"
    LATER = "later", "After the project"


class RiskEnd(Labelled):
    """Why a risk was closed."""

    MITIGATED = "mitigated", "Mitigated"
    EXPIRED = "expired", "Expired"
    AVOIDED = "avoided", "Avoided"
    TRANSFERRED = "transferred", "Transferred"
    DUPLICATE = "duplicate", "Duplicate"
    NOT_VALID = "not_valid", "Not valid"


class Risk(SQLModel, table=True):
    __tablename__ = "risk"

    workspace_id: str = Field(default=None)
    record_id: int = Field(primary_key=True, foreign_key="record.id")
    probability: int | None = None
    impact: int | None = None
    impact_schedule: int | None = None
    impact_cost: int | None = None
    impact_scope: int | None = None
    impact_quality: int | None = None
    response: ResponseStrategy | None = Field(default=None, sa_type=stored(ResponseStrategy))
    cause: str = ""
    effect: str = ""
    objective: str = ""
    cost: Money | None = Field(default=None, sa_type=MoneyColumn)
    nature: Nature | None = Field(default=None, sa_type=stored(Nature))
    category: Category | None = Field(default=None, sa_type=stored(Category))
    proximity: Proximity | None = Field(default=None, sa_type=stored(Proximity))
    trigger_date: date | None = None
    trigger_sign: str = ""
    contingency: str = ""
    contingency_budget: Money | None = Field(default=None, sa_type=MoneyColumn)
    residual_probability: int | None = None
    residual_impact: int | None = None
    escalation_level: EscalationLevel | None = Field(default=None, sa_type=stored(EscalationLevel))
    accepted_by: str | None = None
    closed_as: RiskEnd | None = Field(default=None, sa_type=stored(RiskEnd))


class RiskStatus(Labelled):
    OPEN = "open", "Open"
    ASSESSED = "assessed", "Assessed"
    RESPONDING = "responding", "Responding"
    MONITORING = "monitoring", "Monitoring"
    ACCEPTED = "accepted", "Accepted"
    OCCURRED = "occurred", "Occurred"
    CLOSED = "closed", "Closed"


LIVE = (RiskStatus.OPEN, RiskStatus.ASSESSED, RiskStatus.RESPONDING, RiskStatus.MONITORING)

# Score bands of a five by five matrix: the highest score that still belongs to each.
BANDS = ((5, "Low"), (11, "Medium"), (15, "High"), (25, "Critical"))

# From this score on, only the coordinator may accept a risk.
HIGH = 12


def score(probability: int | None, impact: int | None) -> int | None:
    """Probability times impact, 1 to 25; None until both are known."""
    return probability * impact if probability and impact else None


def band(points: int) -> str:
    """The word for a score: up to 5 low, up to 11 medium, up to 15 high, above that critical."""
    return next(word for highest, word in BANDS if points <= highest)


# How likely each step of the scale is, in percent: the middle of each fifth, as in the probability and impact matrix of
# the PMBOK Guide (5th edition, figure 11-10: 0.1, 0.3, 0.5, 0.7, 0.9).
PERCENT = {1: 10, 2: 30, 3: 50, 4: 70, 5: 90}


def exposure(probability: int | None, cost: Money | None) -> Money | None:
    """What the risk is worth, probability times cost, by the expected monetary value of the PMBOK Guide; see PERCENT.

    None until both are known. Rounded to what the currency can be paid in.
    """
    if not probability or cost is None:
        return None
    return Money.of(cost.amount * Decimal(PERCENT[probability]) / 100, cost.currency)


def _points(item: Item) -> int | None:
    return score(item.value("probability"), item.value("impact"))


def _in_words(points: int | None) -> str | None:
    return f"{points} of 25, {band(points).lower()}" if points else None


def _shown_score(item: Item, today: date) -> str | None:
    return _in_words(_points(item))


def _shown_exposure(item: Item, today: date) -> str | None:
    worth = exposure(item.value("probability"), item.value("cost"))
    return worth.shown if worth else None


IMPACT_PARTS = {
    "impact_schedule": "schedule",
    "impact_cost": "cost",
    "impact_scope": "scope",
    "impact_quality": "quality",
}


def _worst(values: Values) -> int | None:
    """The highest of the four parts of the impact; None where none is known."""
    return max((values[key] for key in IMPACT_PARTS if values.get(key)), default=None)


def _contradictions(values: Values, before: Values) -> Mapping[str, str]:
    problems = {}
    worst, impact = _worst(values), values.get("impact")
    if worst and impact and impact not in (worst, before.get("impact")):
        problems["impact"] = (
            f"The impact is the highest of those on schedule, cost, scope and quality, which is {worst}. "
            "Change that one, or clear all four."
        )
    nature, response = values.get("nature"), values.get("response")
    others = {Nature.THREAT: TO_AN_OPPORTUNITY, Nature.OPPORTUNITY: TO_A_THREAT}.get(nature, ()) if nature else ()
    if nature and response in others:
        possible = ", ".join(each.label.lower() for each in ResponseStrategy if each not in others)
        problems["response"] = f"That is no response to {nature.label.lower()}s. Choose one of: {possible}."
    return problems


def _follows(values: Values, before: Values) -> Mapping[str, Any]:
    worst = _worst(values)
    return {"impact": worst} if worst else {}


def _shown_residual(item: Item, today: date) -> str | None:
    return _in_words(score(item.value("residual_probability"), item.value("residual_impact")))


def _is_high(item: Item) -> bool:
    return (_points(item) or 0) >= HIGH


def _unanswered_since(item: Item) -> date | None:
    """Ever since somebody said something about it, while it is high and nobody has said what to do about it."""
    is_unanswered = _is_high(item) and item.value("response") is None and item.record.status in LIVE
    return date.min if is_unanswered else None


CONCERNS = (
    OVERDUE,
    Concern(
        key="expired",
        since=lambda item: item.value("trigger_date"),
        says="could happen until {day}, which has passed",
        asks="Can it be closed as expired, or is there another trigger date?",
        field="trigger_date",
    ),
    Concern(
        key="review",
        since=lambda item: item.record.next_review if _is_high(item) else None,
        says=f"scores {HIGH} or more, and its review was due {{day}}",
        asks="Could you look at it again, and set the next review?",
        field="next_review",
        asks_for_field=True,
    ),
    Concern(
        key="unanswered",
        since=_unanswered_since,
        says=f"scores {HIGH} or more and has no response yet",
        asks="Could you choose one: avoid, mitigate, transfer, accept or escalate?",
        field="response",
        asks_for_field=True,
    ),
)


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
            help="What you do about a threat: avoid, mitigate, transfer, accept or escalate; "
            "about an opportunity: exploit, enhance, share, accept or escalate.",
            choices=ResponseStrategy,
        ),
        FieldSpec(
            key="cause",
            label="Cause",
            type=FieldType.TEXT,
            help="What it would come from. The title says what would happen.",
            under="The risk in words",
        ),
        FieldSpec(
            key="effect",
            label="Effect",
            type=FieldType.TEXT,
            help="What it would do to the project, and to which objective.",
            under="The risk in words",
        ),
        FieldSpec(
            key="objective",
            label="Objective hit",
            type=FieldType.TEXT,
            help="Which aim of the project it would hurt or help.",
            under="The risk in words",
        ),
        *(
            FieldSpec(
                key=key,
                label=f"Impact on {part}",
                type=FieldType.SCALE,
                help="1 slight to 5 severe. The highest of the four is the impact.",
                under="What it would cost",
            )
            for key, part in IMPACT_PARTS.items()
        ),
        FieldSpec(
            key="cost",
            label="Cost if it happens",
            type=FieldType.MONEY,
            help="As “EUR 1200”. Times the probability (1 is 10 %, 2 is 30 %, 3 is 50 %, 4 is 70 %, 5 is 90 %) "
            "it is the exposure.",
            under="What it would cost",
        ),
        FieldSpec(
            key="nature",
            label="Threat or opportunity",
            type=FieldType.CHOICE,
            help="Whether it would hurt or help.",
            choices=Nature,
            under="The risk in words",
        ),
        FieldSpec(
            key="category",
            label="Category",
            type=FieldType.CHOICE,
            help="What it is about.",
            choices=Category,
            under="The risk in words",
        ),
        FieldSpec(
            key="proximity",
            label="Proximity",
            type=FieldType.CHOICE,
            help="How soon it would happen.",
            choices=Proximity,
            under="When",
        ),
        FieldSpec(
            key="trigger_date",
            label="Trigger date",
            type=FieldType.DATE,
            help="The day after which it can no longer happen.",
            under="When",
        ),
        FieldSpec(
            key="trigger_sign",
            label="Early sign",
            type=FieldType.TEXT,
            help="How you would notice that it begins to happen.",
            under="When",
        ),
        FieldSpec(
            key="contingency",
            label="Contingency plan",
            type=FieldType.LONG_TEXT,
            help="What you do if it happens all the same.",
            under="The response",
        ),
        FieldSpec(
            key="contingency_budget",
            label="Contingency budget",
            type=FieldType.MONEY,
            help="What is set aside for the contingency plan, as “EUR 1200”.",
            under="The response",
        ),
        FieldSpec(
            key="residual_probability",
            label="Residual probability",
            type=FieldType.SCALE,
            help="What is left after the response: 1 rare to 5 almost certain.",
            under="The response",
        ),
        FieldSpec(
            key="residual_impact",
            label="Residual impact",
            type=FieldType.SCALE,
            help="What is left after the response: 1 slight to 5 severe.",
            under="The response",
        ),
        FieldSpec(
            key="escalation_level",
            label="Escalation level",
            type=FieldType.CHOICE,
            help="To whom it was last raised; also noted when Steward asks on.",
            choices=EscalationLevel,
            under="The response",
        ),
        FieldSpec(
            key="accepted_by",
            label="Accepted by",
            type=FieldType.PERSON,
            help="Who decided that the project lives with it.",
            by_step=True,
        ),
        FieldSpec(
            key="closed_as",
            label="Closing reason",
            type=FieldType.CHOICE,
            help="Why it is a risk no longer.",
            choices=RiskEnd,
            by_step=True,
        ),
    ),
    statuses=RiskStatus,
    closed=frozenset({RiskStatus.OCCURRED, RiskStatus.CLOSED}),
    steps=(
        Step(
            key="close",
            label="Close",
            past="Closed",
            begins=(*LIVE, RiskStatus.ACCEPTED),
            to=RiskStatus.CLOSED,
            words=("done", "closed"),
            is_main=True,
            asks="closed_as",
        ),
        Step(
            key="respond",
            label="Responding",
            past="Marked as responding",
            begins=(RiskStatus.OPEN, RiskStatus.ASSESSED, RiskStatus.MONITORING, RiskStatus.ACCEPTED),
            to=RiskStatus.RESPONDING,
            words=("responding", "start"),
            sets=lambda item, by, today: {"accepted_by": None},
        ),
        Step(
            key="assess",
            label="Assessed",
            past="Marked as assessed",
            begins=(RiskStatus.OPEN,),
            to=RiskStatus.ASSESSED,
            words=("assessed",),
        ),
        Step(
            key="monitor",
            label="Monitor",
            past="Monitoring",
            begins=(RiskStatus.OPEN, RiskStatus.ASSESSED, RiskStatus.RESPONDING),
            to=RiskStatus.MONITORING,
            words=("monitoring", "watch"),
        ),
        Step(
            key="accept",
            label="Accept",
            past="Accepted",
            begins=LIVE,
            to=RiskStatus.ACCEPTED,
            words=("accepted",),
            reason="Why can the project live with it?",
            sets=lambda item, by, today: {"accepted_by": by},
            needs_approver=_is_high,
        ),
        Step(
            key="reopen",
            label="Reopen",
            past="Reopened",
            begins=(RiskStatus.ACCEPTED, RiskStatus.OCCURRED, RiskStatus.CLOSED),
            to=RiskStatus.OPEN,
            words=("open",),
            reason="What has changed?",
            sets=lambda item, by, today: {"accepted_by": None},
        ),
    ),
    follow_ups=(
        FollowUp(
            key="happened",
            label="It happened",
            begins=(*LIVE, RiskStatus.ACCEPTED),
            makes="issue",
            link=LinkType.RESULTS_IN,
            copies=("title", "effect", "owner_id", "priority", "details"),
            says="{old} has happened. The two are linked.",
            to=RiskStatus.OCCURRED,
            words=("occurred",),
        ),
    ),
    derived={"Score": _shown_score, "Residual score": _shown_residual, "Exposure": _shown_exposure},
    contradictions=_contradictions,
    follows=_follows,
    score=_points,
    concerns=CONCERNS,
)
