"""A project's summary as its channel would read it, with what stands around the numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import directory, summaries
from models.permissions import is_for_everybody, seen_by_all_at_home
from models.recurrences import Occurrence
from models.summaries import Frame, Period
from models.tables import Channel, Person, Project, Record
from reports.summary import Summary, summary


@dataclass(frozen=True)
class Weekly:
    """A summary for everybody in the project's channel.

    `is_limited` is whether it leaves out what was logged elsewhere, since guests or other companies read along.
    """

    told: Summary
    frame: Frame
    people: Mapping[str, Person]
    channel: Channel | None
    is_limited: bool

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to say."""
        return self.told.now.is_empty and not self.frame.headline


async def weekly(session: AsyncSession, project: Project, period: Period, *, day: date | None) -> Weekly:
    """The summary of the period; `day` names a week's own one, with its headline."""
    told = await summary(session, project, period, seen=seen_by_all_at_home())
    frame = await summaries.frame_of(session, project, day)
    found = await directory.channel(session, project.home_channel_id)
    left_out = (
        select(Record.id)
        .join(Project, col(Project.id) == col(Record.project_id))
        # What is confidential is not spoken of: nobody is told that it is left out.
        .where(
            col(Project.id) == project.id,
            col(Record.is_archived).is_(False),
            is_for_everybody(),
            ~seen_by_all_at_home(),
        )
        .limit(1)
    )
    return Weekly(
        told=told,
        frame=frame,
        people=await directory.people(session, {frame.by}),
        channel=found[0] if found else None,
        is_limited=(await session.exec(left_out)).first() is not None,
    )


async def coming(session: AsyncSession, project: Project, slot: Occurrence, *, now: datetime) -> Weekly:
    """The summary of that slot as it would look now."""
    return await weekly(session, project, summaries.week_until(project, now), day=slot.day)
