"""The Home tab: drawn when it is opened and after every change that concerns its person."""

from dataclasses import replace

from handlers import project_life, records
from handlers.replies import Nothing, Reply, ShowHome
from handlers.request import Deps, Request
from models import projects
from models.kinds import KINDS, kind_named
from models.tables import Person
from reports.home import overview
from views.blocks import Block, Message
from views.home import home


async def opened(request: Request, deps: Deps) -> Reply:
    """Note that this person uses Home, so that it is kept up to date, and show it."""
    if request.payload.get("tab", "home") == "home" and request.person.home_opened_at is None:
        request.person.home_opened_at = deps.now
        deps.session.add(request.person)
    return ShowHome()


async def turned(request: Request, deps: Deps) -> Reply:
    """Another page of what the person owns."""
    return ShowHome(int(request.value) if request.value.isdigit() else 0)


async def quick_typed(request: Request, deps: Deps) -> Reply:
    """Log the typed line, of the kind that its first word names, else an action.

    It goes to the person's current project, or to the only one there is; else a form asks which is meant.
    """
    word, _, rest = request.value.strip().partition(" ")
    if not word:
        return Nothing()
    if request.project is None:
        seen = await projects.seen_by(deps.session, request.actor)
        request = replace(request, project=seen[0] if len(seen) == 1 else None)
    kind = kind_named(word) if rest.strip() else None
    text = rest if kind else request.value
    return await records.log_words(request, deps, kind or KINDS[0], text.strip())


async def switch_pressed(request: Request, deps: Deps) -> Reply:
    """Ask which project is the person's current one."""
    return await project_life.switch(request, deps, "")


async def draw(deps: Deps, person: Person, *, page: int = 0, notice: Message | None = None) -> Block:
    """The Home view of a person from the latest state."""
    return home(await overview(deps.session, person, now=deps.now, number=page), person, notice=notice)
