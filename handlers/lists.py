"""Lists of records, of a channel's project or of everything one may see, limited by filters in words."""

from collections.abc import Sequence
from dataclasses import replace

from handlers import records
from handlers.replies import Redraw, Reply, Tell
from handlers.request import Deps, Request, Where
from handlers.slack_text import encoded, pieces_with_channels
from models import directory, projects
from models.errors import NotFound
from models.filters import ME, NOBODY, Filters, Scope, UnknownFilter, read_filters, spelled
from models.kinds.base import Step
from models.permissions import Actor, Right, may, right_for
from models.tables import Project
from reports.work import Page, listed
from views import cards
from views.blocks import Message, mrkdwn, note
from views.lists import ListView, record_list

# The button of a message that is no list and stays as it is.
OPENS = "list:open"

# A button's value takes 2,000 characters; a line of a list carries its reference and page as well.
MOST_CARRIED = 1_900

# Records on a page.
SIZE = 10

OLD = "This list is from an older version of Steward. Ask for it again: `/steward list`."


async def show(request: Request, deps: Deps, filters: Filters, also: str = "") -> Reply:
    """The first page: of the channel's project, or in a direct message of all projects one may see.

    `also` is a sentence for its end.
    """
    page = await page_of(request, deps, await with_owners_found(deps, filters), 0)
    return Tell(replace(page, blocks=[*page.blocks, note(mrkdwn(also))]) if also else page)


async def turned(request: Request, deps: Deps) -> Reply:
    """Another page of the list whose button was pressed, or the opposite list; opened anew where there is none."""
    page = await page_of(request, deps, *carried(request.value))
    return Tell(page) if request.where is Where.HOME or request.name == OPENS else Redraw(page)


async def line_pressed(request: Request, deps: Deps) -> Reply:
    """Take the step of a line and draw the list anew around it."""
    reference, _, rest = request.value.partition(" ")
    filters, number = carried(rest)
    done = await records.step_pressed(replace(request, value=reference), deps)
    if isinstance(done, Tell):
        return replace(done, redraw=await page_of(request, deps, filters, number))
    return done


def carried(value: str) -> tuple[Filters, int]:
    """The list and the page that a button carries. Raises NotFound for a button that is not ours any more."""
    number, _, line = value.partition(" ")
    if not number.isdecimal():
        raise NotFound(OLD)
    try:
        return read_filters(pieces_with_channels(line)), int(number)
    except UnknownFilter as error:
        raise NotFound(OLD) from error


async def with_owners_found(deps: Deps, filters: Filters) -> Filters:
    """The filters with the names typed as "@name" turned into people. Raises NotFound."""
    owners = []
    for owner in filters.owners:
        if owner in (ME, NOBODY) or not owner.startswith("@"):
            owners.append(owner)
            continue
        named = await directory.people_named(deps.session, owner[1:])
        if not named:
            raise NotFound(f"Nobody here is called {owner}; pick a name from the list that Slack shows.")
        owners += [person.id for person in named]
    return replace(filters, owners=tuple(dict.fromkeys(owners)))


async def wanted_projects(request: Request, deps: Deps, filters: Filters) -> Sequence[Project] | None:
    """The projects the list is of; None for all one may see. Raises NotFound."""
    if filters.channels:
        return await projects_of_channels(request, deps, filters)
    if filters.everywhere or request.channel is None:
        return None
    if request.project is None:
        raise NotFound(f"Nothing is logged in this channel yet. Begin with `/{_example(filters)}` and a few words.")
    return [request.project]


async def projects_of_channels(request: Request, deps: Deps, filters: Filters) -> Sequence[Project]:
    """The projects of the channels that the filters name. Raises NotFound."""
    found = await projects.of_channels(deps.session, request.actor, filters.channels)
    if not found:
        raise NotFound("There is no project in that channel that you can see.")
    return found


async def page_of(request: Request, deps: Deps, filters: Filters, number: int) -> Message:
    """A page of the list as a message. Raises NotFound."""
    line = encoded(spelled(filters))
    if len(line) > MOST_CARRIED:
        raise NotFound("That is more than one list can be limited by. Leave some of it out.")
    wanted = await wanted_projects(request, deps, filters)
    page = await listed(deps.session, request.actor, filters, now=deps.now, projects=wanted, number=number, size=SIZE)
    ids = {person_id for each in page.lines for person_id in cards.people_of(each.item)}
    people = await directory.people(deps.session, {*ids, *filters.owners})
    what, where = _what(filters), await _where(request, deps, filters, wanted, page)
    view = ListView(
        title=f"{filters.wanted_scope.label} {what} of {where}",
        line=line,
        empty=_empty(filters, what, wanted),
        filters=filters,
        reader_id=request.actor.id,
        steps=_steps(request.actor, page),
        other=_other(filters),
        names_projects=wanted is None or len(wanted) > 1,
        offers_select=sum(may(request.actor, Right.EDIT, line.project, line.item) for line in page.lines) > 1,
    )
    return record_list(page, people, view)


def _what(filters: Filters) -> str:
    return " and ".join(kind.plural for kind in filters.wanted_kinds) if filters.kinds else "records"


def _example(filters: Filters) -> str:
    """The command that logs such a record."""
    return filters.only_kind.key if filters.only_kind else "action"


async def _where(request: Request, deps: Deps, filters: Filters, wanted: Sequence[Project] | None, page: Page) -> str:
    if wanted is None:
        return "your projects"
    if request.channel is not None and not page.total and not filters.channels:
        # It may be empty because the person sees nothing of the project; then its name is not theirs to know.
        wanted = await projects.of_channels(deps.session, request.actor, [request.channel.id])
    return ", ".join(project.name for project in wanted) or "this project"


def _empty(filters: Filters, what: str, wanted: Sequence[Project] | None) -> str:
    if replace(filters, kinds=(), scope=None, channels=(), everywhere=False) != Filters():
        if filters.waiting:
            return "Nothing waits for you."
        if wanted is None:
            return (
                f"None of the {what} are like that. `/steward list everywhere` shows everything open that you can see."
            )
        if filters.channels:
            return f"None of the {what} are like that. Fewer filters find more."
        return f"None of the {what} are like that. `/steward list` shows everything that is open here."
    if filters.wanted_scope is not Scope.OPEN:
        return f"No {filters.wanted_scope.value} {what}.".replace(" all ", " ")
    return (
        f"No open {what}. Log one with `/{filters.only_kind.key if filters.only_kind else 'action'}` and a few words."
    )


def _steps(actor: Actor, page: Page) -> dict[str, Step]:
    """The main step of each line that this person may take now, by reference."""
    return {
        line.item.reference: step
        for line in page.lines
        for step in line.item.kind.steps_from(line.item.record.status)
        if step.is_main and may(actor, right_for(step, line.item), line.project, line.item)
    }


def _other(filters: Filters) -> tuple[str, str] | None:
    """The same list of closed records, or back; where the filters themselves speak of open ones there is none."""
    if filters.statuses or filters.due or filters.waiting or filters.wanted_scope is Scope.ALL:
        return None
    label, scope = ("Show open", None) if filters.scope is Scope.CLOSED else ("Show closed", Scope.CLOSED)
    return label, encoded(spelled(replace(filters, scope=scope)))
