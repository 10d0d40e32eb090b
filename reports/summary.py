"""Projects in numbers and a few lines over a period, as of any instant: counted by the database, from the history.

What a record said at an instant is what it says now or, where a field changed since, what the first of those later
changes found; an undone change is one too. Whether a record counts at all goes by today: not when it was removed or is
a draft, in the project that it is in now, and only for those who may see it now.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any

from sqlalchemy import CTE, ColumnElement, Integer, String, and_, case, cast, func, literal, or_, union_all
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.clock import today_in
from models.items import with_own_rows
from models.kinds import KINDS, Item
from models.kinds.decision import DecisionStatus
from models.kinds.issue import Issue, Severity
from models.kinds.risk import BANDS, HIGH, Risk
from models.labels import Priority
from models.summaries import Period
from models.tables import Channel, EntryState, History, Project, Record, Standup, StandupEntry, StandupRound

WEEK = timedelta(days=7)
LINES = 8  # of each sort
CRITICAL = BANDS[-2][0] + 1

# The statuses in which somebody works on a record, and those that close one of which nothing came.
STARTED = ("in_progress", "responding", "examining")
DROPPED = ("cancelled", "occurred", "broken", "retired")
UNDECIDED = (DecisionStatus.PROPOSED, DecisionStatus.NEEDED, DecisionStatus.DEFERRED)
DECIDED = (DecisionStatus.APPROVED, DecisionStatus.REJECTED, DecisionStatus.SUPERSEDED)
URGENT = (Priority.HIGH, Priority.CRITICAL)


@dataclass(frozen=True)
class Numbers:
    """A project at the end of a period, and what the period brought."""

    open: int = 0
    raised: int = 0
    done: int = 0
    started: int = 0
    slipped: int = 0
    due_next: int = 0
    overdue: int = 0
    overdue_over_a_week: int = 0
    overdue_over_two_weeks: int = 0
    overdue_urgent: int = 0
    risks: int = 0
    new_risks: int = 0
    high_risks: int = 0
    critical_risks: int = 0
    issues: int = 0
    new_issues: int = 0
    critical_issues: int = 0
    major_issues: int = 0
    decisions_made: int = 0
    decisions_needed: int = 0
    decisions_late: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing open and nothing has happened."""
        return not any((self.open, self.raised, self.done, self.decisions_made))


@dataclass(frozen=True)
class Participation:
    """Answers in stand-up rounds that closed in a period, of those asked and not away."""

    answered: int = 0
    asked: int = 0

    @property
    def percent(self) -> int:
        return round(100 * self.answered / self.asked) if self.asked else 0


class Colour(Enum):
    """How a project stands, the worst first: the word always goes with the mark."""

    RED = "🔴 Red"
    AMBER = "🟠 Amber"
    GREEN = "🟢 Green"


class Area(Enum):
    """What a colour is given for."""

    SCHEDULE = "schedule"
    RISKS = "risks"
    ISSUES = "issues"
    DECISIONS = "decisions"


@dataclass(frozen=True)
class Threshold:
    """From `at_least` of these on, the area has the colour; the words say why."""

    area: Area
    colour: Colour
    number: str
    one: str
    several: str
    at_least: int = 1


# docs/summary.md shows this table.
THRESHOLDS = (
    Threshold(Area.SCHEDULE, Colour.RED, "overdue_urgent", "urgent record overdue", "urgent records overdue"),
    Threshold(
        Area.SCHEDULE,
        Colour.RED,
        "overdue_over_two_weeks",
        "record overdue for over two weeks",
        "records overdue for over two weeks",
    ),
    Threshold(Area.RISKS, Colour.RED, "critical_risks", "critical risk open", "critical risks open"),
    Threshold(Area.ISSUES, Colour.RED, "critical_issues", "critical issue open", "critical issues open"),
    Threshold(Area.SCHEDULE, Colour.AMBER, "overdue", "record overdue", "records overdue"),
    Threshold(Area.SCHEDULE, Colour.AMBER, "slipped", "due date moved back", "due dates moved back"),
    Threshold(Area.RISKS, Colour.AMBER, "high_risks", "high risk open", "high risks open"),
    Threshold(Area.ISSUES, Colour.AMBER, "major_issues", "major issue open", "major issues open"),
    Threshold(Area.DECISIONS, Colour.AMBER, "decisions_late", "decision overdue", "decisions overdue"),
)
AMBER_AREAS = 3  # so many amber areas make the whole red


@dataclass(frozen=True)
class Judgement:
    """The colour of a project, and what gives it that colour."""

    colour: Colour
    reasons: Sequence[str]


def judged(numbers: Numbers) -> Judgement:
    """Red when any area is red or three are amber, amber when any is, else green."""
    met = [each for each in THRESHOLDS if getattr(numbers, each.number) >= each.at_least]
    worst = next((colour for colour in Colour if any(each.colour is colour for each in met)), Colour.GREEN)
    reasons = [_counted(getattr(numbers, each.number), each.one, each.several) for each in met if each.colour is worst]
    areas = {each.area for each in met}
    if worst is Colour.AMBER and len(areas) >= AMBER_AREAS:
        return Judgement(Colour.RED, [f"{len(areas)} areas are amber", *reasons])
    return Judgement(worst, reasons or ["nothing is overdue, no due date moved back, no risk is high"])


def _counted(number: int, one: str, several: str) -> str:
    return f"{number:,} {one if number == 1 else several}"


@dataclass(frozen=True)
class Line:
    """One record of a list, with its due date and score at the end of the period and at its beginning."""

    item: Item
    is_new: bool
    due: date | None
    due_before: date | None
    score: int | None
    score_before: int | None


@dataclass(frozen=True)
class Summary:
    """One project over a period. `before` are the numbers of the time of the same length before it."""

    project: Project
    period: Period
    now: Numbers
    before: Numbers
    participation: Participation
    participation_before: Participation
    lists: Mapping[str, Sequence[Line]]

    @property
    def last_day(self) -> date:
        return last_day_of(self.project, self.period.end)


def last_day_of(project: Project, end: datetime) -> date:
    """The project's calendar day at that instant; of a midnight, the day that ends with it."""
    return today_in(project.timezone, end - timedelta(microseconds=1))


async def summary(
    session: AsyncSession, project: Project, period: Period, *, seen: ColumnElement[bool], lines: int = LINES
) -> Summary:
    """The project's summary from the records that are `seen`; as many statements however much there is."""
    scope = Scope([project], period, seen)
    now, before = (await numbers_of(session, scope)).get(project.id or 0, (Numbers(), Numbers()))
    answers, answers_before = await _participation(session, scope)
    return Summary(
        project=project,
        period=period,
        now=now,
        before=before,
        participation=answers,
        participation_before=answers_before,
        lists=(await lines_of(session, scope, LISTS, lines)).get(project.id or 0, {}),
    )


class Scope:
    """Projects over a period, and which of their records are seen, as conditions on `Record` joined with `Project`.

    Three instants matter: the end, the beginning, and the beginning of the time before.
    """

    def __init__(self, projects: Sequence[Project], period: Period, seen: ColumnElement[bool]) -> None:
        self.projects = projects
        self.period = period
        self.moments = (period.end, period.begin, period.before().begin)
        first = self.moments[-1]
        self._counts = (
            col(Record.project_id).in_([project.id for project in projects]),
            col(Record.is_archived).is_(False),
            col(Record.is_draft).is_(False),
            col(Record.created_at) <= period.end,
            # What was closed before and left alone since is in no number.
            or_(col(Record.is_open), col(Record.updated_at) > first),
            seen,
        )
        self.states = self._states()

    def day(self, moment: int, ahead: int = 0) -> ColumnElement[str]:
        """The day of the project at that instant, or so many days later, as JSON text."""
        days = {each.timezone: last_day_of(each, self.moments[moment]) for each in self.projects}
        shown = {zone: f'"{day + timedelta(days=ahead)}"' for zone, day in days.items()}
        return case(shown, value=self.states.c.timezone)

    def _states(self) -> CTE:
        """Each record with what it said at each of the instants, as JSON text: `"open"`, `4`, `null`."""
        then = [self._said_at(number) for number in range(len(self.moments))]
        said = [
            func.coalesce(then[number].c[key], column).label(f"{key}_{number}")
            for number in range(len(self.moments))
            for key, column in _PRESENT.items()
        ]
        itself: list[Any] = [Record.id, Record.kind, Record.project_id, Record.created_at, Project.timezone]
        query: Any = select(*itself, *said).join(Project, col(Project.id) == col(Record.project_id))
        for model in (Risk, Issue):
            query = query.outerjoin(model, model.record_id == col(Record.id))
        for each in then:
            query = query.outerjoin(each, each.c.record_id == col(Record.id))
        said_then = query.where(*self._counts).cte("said")
        worked_out = [
            column.label(f"{key}_{number}")
            for number in range(len(self.moments))
            for key, column in _worked_out(said_then.c, number).items()
        ]
        states: CTE = select(*said_then.c, *worked_out).cte("states")
        return states

    def _said_at(self, number: int) -> Any:
        """What changed after that instant, and what each first such change found."""
        first: Any = (
            select(col(History.record_id), col(History.field), func.min(History.id).label("id"))
            .join(Record, col(Record.id) == col(History.record_id))
            .join(Project, col(Project.id) == col(Record.project_id))
            .where(
                *self._counts,
                col(Record.updated_at) > self.moments[number],
                col(History.at) > self.moments[number],
                col(History.field).in_(_PRESENT),
            )
            .group_by(col(History.record_id), col(History.field))
            .subquery()
        )
        found = func.coalesce(cast(History.before, String), "null")
        return (
            select(
                first.c.record_id,
                *(func.max(case((first.c.field == key, found))).label(key) for key in _PRESENT),
            )
            .join(History, col(History.id) == first.c.id)
            .group_by(first.c.record_id)
            .subquery(f"said_{number}")
        )


def _worked_out(c: Any, number: int) -> Mapping[str, ColumnElement[Any]]:
    """What follows from what a record said at an instant."""
    status = c[f"status_{number}"]
    closed = [and_(c.kind == kind.key, status.in_(_words(sorted(kind.closed)))) for kind in KINDS]
    return {
        "is_open": case((or_(*closed), 0), else_=1),
        "score": _int(c[f"probability_{number}"]) * _int(c[f"impact_{number}"]),
    }


def _quoted(column: Any) -> Any:
    return func.coalesce(literal('"') + cast(column, String) + literal('"'), "null")


def _bare(column: Any) -> Any:
    return func.coalesce(cast(column, String), "null")


# Fields that change, as JSON text of what they say now.
_PRESENT: Mapping[str, Any] = {
    "status": _quoted(Record.status),
    "due_date": _quoted(Record.due_date),
    "priority": _quoted(Record.priority),
    "probability": _bare(Risk.probability),
    "impact": _bare(Risk.impact),
    "severity": _quoted(Issue.severity),
}


def _words(values: Sequence[Any]) -> list[str]:
    """Values as JSON text."""
    return [f'"{getattr(value, "value", value)}"' for value in values]


def _int(text: Any) -> Any:
    """JSON text as a number; nothing where there is none."""
    return cast(func.nullif(text, "null"), Integer)


class _Sorts:
    """The conditions by which records are counted and chosen, at the end of a period that ends at one of the instants.

    The period began at the instant after it in the scope's order.
    """

    def __init__(self, scope: Scope, moment: int) -> None:
        c = scope.states.c
        self._scope, self._moment, self._c = scope, moment, c
        self.is_there = c.created_at <= scope.moments[moment]
        self.is_new = c.created_at > scope.moments[moment + 1]
        self.status, self.was = c[f"status_{moment}"], c[f"status_{moment + 1}"]
        self.due, self.due_before = c[f"due_date_{moment}"], c[f"due_date_{moment + 1}"]
        self.score = c[f"score_{moment}"]
        self.score_before = case((self.is_new, None), else_=c[f"score_{moment + 1}"])
        self.is_open, self.was_open = c[f"is_open_{moment}"] == 1, c[f"is_open_{moment + 1}"] == 1

    def _of(self, kind: str) -> ColumnElement[bool]:
        return and_(self._c.kind == kind, self.is_open)

    def _severity(self, severity: Severity) -> ColumnElement[bool]:
        return and_(self._of("issue"), self._c[f"severity_{self._moment}"] == _words([severity])[0])

    def _overdue(self, days: int = 0) -> ColumnElement[bool]:
        return and_(self.is_open, self.due != "null", self.due < self._scope.day(self._moment, -days))

    def _turned(self, statuses: Sequence[Any]) -> ColumnElement[bool]:
        """What came into one of these statuses in the period."""
        words = _words(statuses)
        return and_(self.status.in_(words), or_(self.is_new, self.was.not_in(words)))

    def all(self) -> Mapping[str, ColumnElement[bool]]:
        """What each number of `Numbers` counts, and what is `coming`: open, and due from that day on."""
        day = self._scope.day(self._moment)
        decision, is_open = self._c.kind == "decision", self.is_open
        undecided = and_(decision, self.status.in_(_words(UNDECIDED)))
        moved = and_(~self.is_new, self.due != "null", self.due_before != "null", self.due > self.due_before)
        soon = and_(self.due > day, self.due <= self._scope.day(self._moment, 7))
        found = {
            "open": is_open,
            "raised": self.is_new,
            "done": and_(
                ~decision,
                ~is_open,
                or_(self.is_new, self.was_open),
                self.status.not_in(_words(DROPPED)),
            ),
            "started": self._turned(STARTED),
            "slipped": and_(is_open, moved),
            "due_next": and_(is_open, self.due != "null", soon),
            "overdue": self._overdue(),
            "overdue_over_a_week": self._overdue(7),
            "overdue_over_two_weeks": self._overdue(14),
            "overdue_urgent": and_(self._overdue(), self._c[f"priority_{self._moment}"].in_(_words(URGENT))),
            "risks": self._of("risk"),
            "new_risks": and_(self._of("risk"), self.is_new),
            "high_risks": and_(self._of("risk"), self.score >= HIGH, self.score < CRITICAL),
            "critical_risks": and_(self._of("risk"), self.score >= CRITICAL),
            "issues": self._of("issue"),
            "new_issues": and_(self._of("issue"), self.is_new),
            "critical_issues": self._severity(Severity.CRITICAL),
            "major_issues": self._severity(Severity.MAJOR),
            "decisions_made": and_(decision, self._turned(DECIDED)),
            "decisions_needed": undecided,
            "decisions_late": and_(undecided, self._overdue()),
            "coming": and_(is_open, self.due != "null", self.due >= day),
        }
        return {name: and_(self.is_there, condition) for name, condition in found.items()}


async def numbers_of(session: AsyncSession, scope: Scope) -> dict[int, tuple[Numbers, Numbers]]:
    """The numbers of each project and those of the time before, by the project's key; one statement."""
    counts = [_Sorts(scope, moment).all() for moment in (0, 1)]
    names = [each.name for each in fields(Numbers)]
    columns = [func.sum(case((found[name], 1), else_=0)) for found in counts for name in names]
    query: Any = select(scope.states.c.project_id, *columns).group_by(scope.states.c.project_id)
    found = {}
    for project_id, *numbers in await session.exec(query):
        told = [int(number or 0) for number in numbers]
        found[project_id] = Numbers(*told[: len(names)]), Numbers(*told[len(names) :])
    return found


# What a summary lists: which number's records, and what stands first among them.
LISTS = ("done", "started", "slipped", "due_next", "overdue", "risks", "issues", "decisions_made", "decisions_needed")


async def lines_of(
    session: AsyncSession, scope: Scope, names: Sequence[str], most: int
) -> dict[int, dict[str, list[Line]]]:
    """The first records of each sort in each project, by the project's key.

    One statement, one for the records and one for each kind among them.
    """
    sorts = _Sorts(scope, 0)
    conditions = sorts.all()
    firsts = [
        _firsts(scope.states.c, sorts, name, most, and_(scope.states.c.project_id == project.id, conditions[name]))
        for project in scope.projects
        for name in names
    ]
    wanted: Any = union_all(*(select(*each.c) for each in firsts)).subquery()
    rows = [row._mapping for row in await session.exec(select(*wanted.c).order_by(wanted.c.rank))]
    items = await _items(session, [row["id"] for row in rows])
    found: dict[int, dict[str, list[Line]]] = {project.id or 0: {} for project in scope.projects}
    for row in rows:
        if row["id"] in items:
            found[row["project_id"]].setdefault(row["name"], []).append(_line(items[row["id"]], row))
    return found


def _firsts(c: Any, sorts: _Sorts, name: str, most: int, wanted: ColumnElement[bool]) -> Any:
    """The first of the wanted records, with what is shown of each; `name` is of what sort they are."""
    urgency = Priority.ranked(func.replace(c.priority_0, '"', "")).desc()
    by_due = (sorts.due == "null", sorts.due, urgency, c.id)
    order = {"risks": (sorts.score.is_(None), sorts.score.desc(), c.id), "issues": (c.severity_0, *by_due)}
    first = order.get(name, by_due)
    shown: list[Any] = [
        c.id,
        c.project_id,
        literal(name).label("name"),
        func.row_number().over(order_by=first).label("rank"),
        sorts.is_new.label("is_new"),
        sorts.due.label("due"),
        case((sorts.is_new, "null"), else_=sorts.due_before).label("due_before"),
        sorts.score.label("score"),
        sorts.score_before.label("score_before"),
    ]
    query: Any = select(*shown).where(wanted)
    return query.order_by(*first).limit(most).subquery()


def _line(item: Item, row: Mapping[str, Any]) -> Line:
    return Line(
        item,
        is_new=bool(row["is_new"]),
        due=_day(row["due"]),
        due_before=_day(row["due_before"]),
        score=row["score"],
        score_before=row["score_before"],
    )


def _day(text: str) -> date | None:
    return None if text == "null" else date.fromisoformat(text.strip('"'))


async def _items(session: AsyncSession, ids: Sequence[int]) -> dict[int, Item]:
    query = (
        select(Record, Project).join(Project, col(Project.id) == col(Record.project_id)).where(col(Record.id).in_(ids))
    )
    found = await with_own_rows(session, [(record, project) for record, project in await session.exec(query)])
    return {item.record.id: item for item, _ in found if item.record.id is not None}


async def _participation(session: AsyncSession, scope: Scope) -> tuple[Participation, Participation]:
    """Over the rounds that closed in the period and in the time before, of stand-ups in the projects' channels."""
    end, begin, earlier = scope.moments
    is_now = col(StandupRound.closes_at) > begin
    was_asked = col(StandupEntry.state) != EntryState.AWAY
    answered = col(StandupEntry.state).in_((EntryState.ANSWERED, EntryState.LATE))
    counts: list[Any] = [
        func.sum(case((and_(when, what), 1), else_=0)) for when in (is_now, ~is_now) for what in (answered, was_asked)
    ]
    query: Any = (
        select(*counts)
        .select_from(StandupEntry)
        .join(StandupRound, col(StandupRound.id) == col(StandupEntry.round_id))
        .join(Standup, col(Standup.id) == col(StandupRound.standup_id))
        .join(Channel, col(Channel.id) == col(Standup.channel_id))
        .where(
            col(Channel.project_id).in_([project.id for project in scope.projects]),
            col(StandupRound.closes_at) > earlier,
            col(StandupRound.closes_at) <= end,
        )
    )
    told = [int(number or 0) for number in (await session.exec(query)).one()]
    return Participation(*told[:2]), Participation(*told[2:])
