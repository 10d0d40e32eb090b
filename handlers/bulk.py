"""Several records of a list at once: pick them, see what will be done and what stays, confirm once, undo once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from handlers import lists
from handlers.replies import FieldErrors, OpenForm, Reply, Tell, UpdateForm
from handlers.request import Deps, Request, Where
from models import batches, bulk, directory
from models.bulk import Deed, Hindered, Pair
from models.clock import zone_or_utc
from models.dates import Due, date_order, parse_due
from models.errors import DateProblem, InvalidFields, NotAllowed
from models.kinds import read_reference
from models.labels import Labelled, Priority
from models.operations import REMARK
from models.permissions import Right, may
from models.tags import joined, read_tags
from models.working_days import working_days_of
from reports.work import items_of, listed
from views import bulk as views
from views.blocks import Message
from views.forms import WHY_MOVED, FormContext, read_choice
from views.values import day, name_of

ValuesOf = Callable[[Pair], Mapping[str, Any]]


async def select_pressed(request: Request, deps: Deps) -> Reply:
    """The form with the list's records that this person may change. Raises NotAllowed where there is none."""
    filters, number = lists.carried(request.value)
    wanted = await lists.wanted_projects(request, deps, filters)
    at = number * lists.SIZE // views.SHOWN
    page = await listed(
        deps.session, request.actor, filters, now=deps.now, projects=wanted, number=at, size=views.SHOWN
    )
    lines = tuple(line for line in page.lines if may(request.actor, Right.EDIT, line.project, line.item))
    if not lines:
        raise NotAllowed("None of these is yours to change by now. Ask for the list again: `/steward list`.")
    people = await directory.people(deps.session, {line.item.record.owner_id for line in lines})
    context = FormContext(
        channel_id=request.channel_id,
        line=request.value,
        chosen=tuple(line.item.reference for line in lines),
        response_url=request.response_url if request.where is Where.EPHEMERAL else "",
    )
    return OpenForm(views.pick_form(replace(page, lines=lines), people, context))


async def picked(request: Request, deps: Deps) -> Reply:
    """What would be changed, and what not, with the questions that the change asks. Nothing is stored."""
    offered = request.context.chosen
    groups = range(len(offered) // views.PICKED_EACH + 1)
    references = [each for group in groups for each in views.picked(request.state, views.picked_id(group))]
    if views.picked(request.state, views.ALL):
        references = list(offered)
    if not references:
        return FieldErrors({views.ALL: "Choose at least one record."})
    deed = Deed(read_choice(request.state, views.DEED))
    pairs = await items_of(
        deps.session, request.actor, [found for each in references if (found := read_reference(each))]
    )
    able, hindered = bulk.sorted_out(request.actor, pairs, deed)
    chosen = tuple(f"{item.reference}:{item.record.version}" for item, _ in able)
    context = replace(request.context, chosen=chosen, step=deed.value)
    return UpdateForm(views.confirm_form(deed, able, hindered, context))


async def confirmed(request: Request, deps: Deps) -> Reply:
    """Change all that still can be, in one batch; what somebody changed since it was picked stays and is named."""
    deed = Deed(request.context.step)
    seen = dict(each.split(":") for each in request.context.chosen)
    pairs = await items_of(deps.session, request.actor, [found for each in seen if (found := read_reference(each))])
    untouched = [pair for pair in pairs if str(pair[0].record.version) == seen[pair[0].reference]]
    able, hindered = bulk.sorted_out(request.actor, untouched, deed)
    hindered += await bulk.changed_meanwhile(deps.session, [pair for pair in pairs if pair not in untouched])
    hindered += [Hindered(each, "It is not there any more.") for each in seen.keys() - {p[0].reference for p in pairs}]
    said, changed = await _DEEDS[deed](request, deps, able) if able else ("Nothing was changed", [])
    message = views.changed(said, changed, hindered, batch=batches.begin(deps.session))
    return Tell(message, redraw=await _list_anew(request, deps))


async def _list_anew(request: Request, deps: Deps) -> Message | None:
    """The list it began in, where that is a message that can be drawn anew."""
    if not request.response_url:
        return None
    return await lists.page_of(request, deps, *lists.carried(request.context.line))


async def _close(request: Request, deps: Deps, pairs: Sequence[Pair]) -> tuple[str, Sequence[Any]]:
    answers: dict[str, Labelled] = {}
    problems = {}
    for kind, step in views.steps_of([item for item, _ in pairs]):
        answer = views.answered(kind, step, read_choice(request.state, views.answer_id(kind)))
        if answer:
            answers[kind.key] = answer
        elif step.asks:
            problems[views.answer_id(kind)] = "Choose one."
    if problems:
        raise InvalidFields(problems)
    note = read_choice(request.state, REMARK)
    items = await bulk.close(deps.session, request.actor, pairs, answers, note=note, now=deps.now, via="list")
    return "Closed {records}", items


async def _reassign(request: Request, deps: Deps, pairs: Sequence[Pair]) -> tuple[str, Sequence[Any]]:
    owner_id = read_choice(request.state, views.OWNER)
    items = await _change(request, deps, pairs, lambda pair: {"owner_id": owner_id})
    people = await directory.people(deps.session, [owner_id])
    return f"{name_of(people, owner_id)} owns {{records}} now", items


async def _move(request: Request, deps: Deps, pairs: Sequence[Pair]) -> tuple[str, Sequence[Any]]:
    due = _typed_day(request, deps, pairs)

    def values_of(pair: Pair) -> Mapping[str, Any]:
        here = due.in_zone(zone_or_utc(pair[1].timezone))
        return {"due_date": here.day} | ({"due_time": here.time} if here.time else {})

    items = await _change(request, deps, pairs, values_of)
    return f"{{records}} due {day(due.day)} now", items


async def _rank(request: Request, deps: Deps, pairs: Sequence[Pair]) -> tuple[str, Sequence[Any]]:
    priority = Priority(read_choice(request.state, views.PRIORITY))
    items = await _change(request, deps, pairs, lambda pair: {"priority": priority})
    return f"{priority.label} priority for {{records}}", items


async def _tag(request: Request, deps: Deps, pairs: Sequence[Pair]) -> tuple[str, Sequence[Any]]:
    new = read_tags(read_choice(request.state, views.TAGS)).split()
    items = await _change(request, deps, pairs, lambda pair: {"tags": joined([*pair[0].record.tags.split(), *new])})
    return f"Tagged {{records}} {' '.join(f'#{tag}' for tag in new)}", items


_DEEDS = {Deed.CLOSE: _close, Deed.REASSIGN: _reassign, Deed.MOVE: _move, Deed.RANK: _rank, Deed.TAG: _tag}


async def _change(request: Request, deps: Deps, pairs: Sequence[Pair], values_of: ValuesOf) -> Sequence[Any]:
    """Store the values in all of them. Raises InvalidFields, before anything is stored, with what is wrong."""
    if problems := await bulk.problems_of(deps.session, pairs, values_of, now=deps.now):
        raise InvalidFields(problems)
    why = read_choice(request.state, WHY_MOVED)
    return await bulk.change(deps.session, request.actor, pairs, values_of, now=deps.now, via="list", why_moved=why)


def _typed_day(request: Request, deps: Deps, pairs: Sequence[Pair]) -> Due:
    """The day that was picked or written, by the calendar of the project if they are of one. Raises InvalidFields."""
    words = read_choice(request.state, views.DUE_WORDS).strip()
    chosen = views.picked_day(request.state)
    if not words and chosen is None:
        raise InvalidFields({views.DUE: "Choose a day, or write one below."})
    if not words and chosen is not None:
        return Due(chosen, None, request.zone)
    person = request.person
    try:
        return parse_due(
            words,
            now=deps.now,
            zone=request.zone,
            order=date_order(person.locale, person.timezone),
            locale=person.locale,
            is_working_day=working_days_of(pairs[0][1] if len({project.id for _, project in pairs}) == 1 else None),
        )
    except DateProblem as problem:
        raise InvalidFields({views.DUE_WORDS: str(problem)}) from problem
