"""A new project with what its template logs, in the caller's transaction."""

from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from models import batches, operations, outbox
from models.clock import today_in
from models.kinds import Item
from models.permissions import Actor
from models.tables import Project
from models.templates import Template

VIA = "template"


async def log_starters(
    session: AsyncSession, actor: Actor, project: Project, template: Template, *, now: datetime
) -> list[Item]:
    """Log the template's records in the project's channel as one batch, and owe the channel one message of them.

    Their cards are not posted by themselves: each comes with the record's first change, or when somebody asks for it.
    """
    batches.begin(session)
    start = today_in(project.timezone, now)
    items = [
        await operations.create(
            session,
            actor,
            starter.its_kind,
            starter.values_for(project, start),
            project=project,
            channel_id=project.home_channel_id,
            now=now,
            via=VIA,
            owes_card=False,
        )
        for starter in template.starters
    ]
    if items:
        await outbox.put(
            session,
            "begun",
            key=f"begun:{project.id}",
            target=project.home_channel_id,
            payload={"project": project.id, "by": actor.id, "records": [item.record.id for item in items]},
            due_at=now,
        )
    return items
