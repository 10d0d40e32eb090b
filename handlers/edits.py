"""Small changes by words after a reference: `A12 @ben by monday !high because the vendor is late`."""

from collections.abc import Sequence
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from handlers import records
from handlers.replies import Reply
from handlers.request import Deps, Request
from handlers.slack_text import named_pieces
from models import directory, operations
from models.clock import zone_or_utc
from models.dates import date_order, monday_to_friday
from models.entry import Edits, Named, read_edits
from models.errors import NotFound
from models.kinds import Item, Kind
from models.permissions import Right, require
from models.repeating import with_first_day
from models.tables import Person, Project
from models.tags import joined
from models.working_days import working_days_of
from views import cards
from views.blocks import cut

UNREAD = (
    "I do not know “{word}” here, so nothing was changed. After {reference} say what changes: `@name`, "
    "`by friday 3pm`, `no date`, `!high`, `#tag`, `-#tag`, `helper @name`, and `because …` at the end. "
    "A step such as `done` stands alone."
)
ONLY_WHY = (
    "A reason needs a change before it, as in `/steward {reference} by friday because the vendor is late`. "
    "To say something about it, type `/steward {reference} comment` and your words."
)
WHY_LATER = "Why is it later? `/steward {reference} comment …` keeps the reason, or type `because …` after the date."


async def typed(request: Request, deps: Deps, kind: Kind, number: int, words: str, *, otherwise: str) -> Reply:
    """Change what the words say, all of it or nothing. Raises NotFound with `otherwise` where they say nothing."""
    read = read_edits(
        await named_pieces(deps.session, words),
        now=deps.now,
        zone=request.zone,
        order=date_order(request.person.locale, request.person.timezone),
        locale=request.person.locale,
        is_working_day=working_days_of(request.project) if request.project else monday_to_friday,
        scales=kind.shorthands,
        repeats_by=kind.repeats_by,
    )
    word = read.unread or ""
    if word.startswith("!") or word.lower().rstrip(":") in ("priority", "prio"):
        named = word if word.startswith("!") else next(iter(words.partition(word)[2].split()), word)
        raise NotFound(f"“{cut(named, 60)}” is no priority, so nothing was changed. {records.PRIORITIES}")
    if read.is_first_unread:
        raise NotFound(otherwise)
    item, project = await operations.find(deps.session, request.actor, kind, number)
    require(request.actor, Right.EDIT, project, item)
    if read.unread is not None:
        raise NotFound(UNREAD.format(word=read.unread, reference=item.reference))
    if problem := read.due_problem or read.repeat_problem:
        raise problem
    values = await _values(request, deps, read, item, project)
    if not values:
        raise NotFound(ONLY_WHY.format(reference=item.reference))
    before = item.record.due_date
    await operations.change(
        deps.session,
        request.actor,
        item,
        project,
        values,
        version=item.record.version,
        now=deps.now,
        via="command",
        why=read.why,
    )
    after = item.record.due_date
    is_later = before is not None and after is not None and after > before
    hints = [WHY_LATER.format(reference=item.reference)] if is_later and not read.why else []
    hints += cards.holiday_hints(item, project) if after != before else []
    hints += records.other_order(request, read, item)
    return await records.changed(deps, item, project, hints)


async def _values(request: Request, deps: Deps, read: Edits, item: Item, project: Project) -> dict[str, Any]:
    """Field values of what was typed. Raises NotFound for a name that nobody or several have."""
    record = item.record
    values: dict[str, Any] = dict.fromkeys(read.cleared) | dict(read.scales)
    if read.owner is not None:
        values["owner_id"] = await _person(deps.session, request, read.owner)
    if read.due is not None:
        here = read.due.in_zone(zone_or_utc(project.timezone))
        values |= {"due_date": here.day, "due_time": here.time}
    if read.repeats:
        dated = {"due_date": record.due_date, **values, item.kind.repeats_by: read.repeats}
        values |= with_first_day(item.kind, dated, deps.today(project))
    if read.priority is not None:
        values["priority"] = read.priority
    if read.add_tags or read.drop_tags:
        values["tags"] = joined([tag for tag in (*record.tags.split(), *read.add_tags) if tag not in read.drop_tags])
    if read.add_helpers or read.drop_helpers:
        added = [await _person(deps.session, request, each) for each in read.add_helpers]
        dropped = {await _person(deps.session, request, each) for each in read.drop_helpers}
        wanted = [each for each in dict.fromkeys((*record.helpers, *added)) if each not in dropped]
        values["helpers"] = wanted
    return values


async def _person(session: AsyncSession, request: Request, named: Named | None) -> str:
    """The id of the person meant; nobody named is whoever asks. Raises NotFound."""
    if named is None or (named.user_id is None and named.name.lower() == "me"):
        return request.actor.id
    if named.user_id is not None:
        return named.user_id
    found: Sequence[Person] = await directory.people_named(session, named.name)
    if len(found) == 1:
        return found[0].id
    if found:
        names = ", ".join(f"@{person.name}" for person in found[:5])
        raise NotFound(f"Several people are called {named.name}: {names}. Nothing was changed.")
    raise NotFound(
        f"Nobody here is called @{named.name}, so nothing was changed; "
        "pick a name from the list that Slack shows when you type @."
    )
