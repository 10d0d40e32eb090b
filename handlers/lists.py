"""Lists of open records, of a channel's project or of everything one may see."""

import json

from handlers.replies import Redraw, Reply, Tell
from handlers.request import Deps, Request
from models import directory, projects
from models.errors import NotFound
from models.kinds import Kind, kind_named
from models.tables import Project
from reports.work import open_records
from views import cards
from views.blocks import Message
from views.lists import record_list


async def show(request: Request, deps: Deps, kind: Kind | None) -> Reply:
    """The first page: of the channel's project, or in a direct message of all projects one may see."""
    return Tell(await _page(request, deps, kind, request.project, request.channel is not None, 0))


async def turned(request: Request, deps: Deps) -> Reply:
    """Another page of the list whose button was pressed."""
    try:
        wanted = json.loads(request.value)
        kind = kind_named(wanted.get("kind", "")) if wanted.get("kind") else None
        number, project_id = int(wanted["page"]), int(wanted.get("project", 0))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotFound("This list is from an older version of Steward. Ask for it again: `/steward list`.") from error
    project = await projects.find(deps.session, request.actor, project_id) if project_id else None
    return Redraw(await _page(request, deps, kind, project, project_id != 0, number))


async def _page(
    request: Request, deps: Deps, kind: Kind | None, project: Project | None, in_channel: bool, number: int
) -> Message:
    what = kind.plural if kind else "records"
    example = kind.key if kind else "action"
    if in_channel and project is None:
        raise NotFound(f"Nothing is logged in this channel yet. Begin with `/{example}` and a few words.")
    page = await open_records(
        deps.session, request.actor, now=deps.now, project=project, kind=kind, number=max(0, number)
    )
    ids = {person_id for line in page.lines for person_id in cards.people_of(line.item)}
    people = await directory.people(deps.session, ids)
    of = {"kind": kind.key if kind else "", "project": str(project.id) if project else "0"}
    where = project.name if project and page.total else "your projects" if project is None else "this project"
    return record_list(
        page,
        people,
        title=f"Open {what} of {where}",
        of=of,
        empty=f"No open {what}. Log one with `/{example}` and a few words.",
    )
