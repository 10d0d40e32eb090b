"""The projects one may see, how each stands at an instant, the worst first."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.permissions import Actor, visible_projects, visible_records
from models.summaries import WEEK, Period
from models.tables import Project, in_use
from reports.summary import Colour, Judgement, Line, Numbers, Scope, judged, lines_of, numbers_of

SIZE = 8


@dataclass(frozen=True)
class PortfolioLine:
    """One project: its numbers, why it has its colour, its highest risk and what is due next in it."""

    project: Project
    numbers: Numbers
    judgement: Judgement
    top_risk: Line | None
    next_due: Line | None


@dataclass(frozen=True)
class PortfolioPage:
    """Some projects of a longer list, `number` counted from 0.

    `colours` counts all of them; `asked` is the instant that was asked for, or empty.
    """

    lines: Sequence[PortfolioLine]
    total: int
    number: int
    period: Period
    colours: Mapping[Colour, int]
    asked: str

    @property
    def is_last(self) -> bool:
        return (self.number + 1) * SIZE >= self.total


async def portfolio(
    session: AsyncSession, actor: Actor, *, now: datetime, as_of: datetime | None, number: int = 0
) -> PortfolioPage:
    """A page of the projects in use; as many statements however many there are."""
    end = as_of or now
    period = Period(end - WEEK, end)
    query = select(Project).where(visible_projects(actor), in_use(), col(Project.created_at) <= end)
    projects = (await session.exec(query)).all()
    numbers = await numbers_of(session, Scope(projects, period, visible_records(actor))) if projects else {}
    told = [(project, numbers.get(project.id or 0, (Numbers(), Numbers()))[0]) for project in projects]
    colours = {project.id: judged(each) for project, each in told}
    worst_first = list(Colour)
    told.sort(
        key=lambda each: (
            worst_first.index(colours[each[0].id].colour),
            -each[1].overdue,
            -each[1].open,
            each[0].name.lower(),
        )
    )
    number = max(0, min(number, (len(told) - 1) // SIZE))
    page = told[number * SIZE : (number + 1) * SIZE]
    shown = Scope([project for project, _ in page], period, visible_records(actor))
    first = await lines_of(session, shown, ("risks", "coming"), 1) if page else {}
    lines = [
        PortfolioLine(
            project,
            each,
            colours[project.id],
            top_risk=next(iter(first[project.id or 0].get("risks", ())), None),
            next_due=next(iter(first[project.id or 0].get("coming", ())), None),
        )
        for project, each in page
    ]
    counted = Counter(judgement.colour for judgement in colours.values())
    return PortfolioPage(
        lines=lines,
        total=len(told),
        number=number,
        period=period,
        colours={colour: counted[colour] for colour in Colour},
        asked=as_of.isoformat() if as_of else "",
    )
