"""Finding records by their words, among all that the person may see."""

from collections.abc import Sequence

from handlers.lists import MOST_CARRIED, OLD, projects_of_channels, with_owners_found
from handlers.replies import Redraw, Reply, Tell
from handlers.request import Deps, Request
from handlers.slack_text import encoded, pieces_with_channels
from models import directory
from models.errors import NotFound
from models.filters import Search, UnknownFilter, read_search, spelled_search
from models.tables import Project
from reports.finding import excerpts, found, sought_in
from views import cards
from views.blocks import Message
from views.finding import Hits, found_list

MOST_WORDS = 10

EMPTY = (
    "Say what to look for: `/steward find core switch`. Words in quotes stand together, and filters go with them: "
    '`/steward find "core switch" risks #network`.'
)


async def find(request: Request, deps: Deps, search: Search) -> Reply:
    """The first page of what holds those words. Raises NotFound where no word is among them."""
    filters = await with_owners_found(deps, search.filters)
    return Tell(await _page(request, deps, Search(filters, search.words, search.phrases), 0))


async def turned(request: Request, deps: Deps) -> Reply:
    """Another page of the search whose button was pressed."""
    number, _, line = request.value.partition(" ")
    try:
        return Redraw(await _page(request, deps, read_search(pieces_with_channels(line)), int(number)))
    except (UnknownFilter, ValueError) as error:
        raise NotFound(OLD) from error


async def _page(request: Request, deps: Deps, search: Search, number: int) -> Message:
    line = encoded(spelled_search(search))
    sought = sought_in(search)
    if not sought:
        raise NotFound(EMPTY)
    if len(sought) > MOST_WORDS or len(line) > MOST_CARRIED:
        raise NotFound(f"At most {MOST_WORDS} words can be looked for at once. Leave out what matters least.")
    wanted: Sequence[Project] | None = None
    if search.filters.channels:
        wanted = await projects_of_channels(request, deps, search.filters)
    page = await found(deps.session, request.actor, search, now=deps.now, projects=wanted, number=number)
    ids = {person_id for each in page.lines for person_id in cards.people_of(each.item)}
    people = await directory.people(deps.session, {*ids, *search.filters.owners})
    where = await excerpts(deps.session, [each.item for each in page.lines], sought)
    places = tuple(project.name for project in wanted or ())
    return found_list(page, people, Hits(search=search, line=line, places=places, excerpts=where))
