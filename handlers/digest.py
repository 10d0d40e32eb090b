"""The buttons of a daily digest, its preview, and never being reminded of a record."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from handlers import records, undo
from handlers.replies import Nothing, OpenForm, Reply, Tell
from handlers.request import Deps, Request
from models import absences, digests, directory, manners, operations, outbox
from models.clock import today_in
from models.errors import Conflict, InvalidFields, NotFound
from models.kinds import Item, Kind
from models.permissions import Right, require
from models.recurrences import ONE_DAY
from models.tables import Project
from reports.digest import next_days
from views import cards, forms
from views import digest as views
from views.blocks import Message, esc, plain, section
from views.values import day, name_of, zone_time

OLD = "This button is from an older version of Steward. `/steward my` shows what is yours."
MUTED = "You are not reminded of {reference} any more. “/steward {reference} unmute” takes that back."
UNMUTED = "You are reminded of {reference} again, as of any other record."
PUT_OFF = ("due_date", "next_review")


@dataclass(frozen=True)
class Line:
    """The line that was pressed: its record, the digest's date, and what else the button carries."""

    item: Item
    project: Project
    of: date
    rest: str


async def pressed(request: Request, deps: Deps) -> Reply:
    """Do what the button of a line says. Raises NotFound for one that is not ours any more."""
    deed = DEEDS.get(request.name.split(":")[1] if ":" in request.name else "")
    if deed is None:
        raise NotFound(OLD)
    return await deed(request, deps, await _line(request, deps, request.value))


async def _line(request: Request, deps: Deps, value: str) -> Line:
    reference, of, rest = [*value.split(" ", 2), "", ""][:3]
    try:
        sent_on = date.fromisoformat(of)
    except ValueError as error:
        raise NotFound(OLD) from error
    item, project = await operations.find(deps.session, request.actor, *records.referred(reference))
    return Line(item, project, sent_on, rest)


async def _step(request: Request, deps: Deps, line: Line) -> Reply:
    """The step, or the small form for what it asks for."""
    step = line.item.kind.step_named(request.name.split(":")[-1])
    if step is None:
        raise NotFound(OLD)
    operations.require_step(request.actor, line.item, line.project, step)
    if operations.step_problems(line.item, step, "", None):
        context = replace(_context(request, line), step=step.key)
        return OpenForm(forms.step_form(line.item, step, context) | {"callback_id": "digest_step"})
    await operations.take_step(deps.session, request.actor, line.item, line.project, step, now=deps.now, via="digest")
    return await _drawn_anew(request, deps, line)


async def step_submitted(request: Request, deps: Deps) -> Reply:
    """The step whose small form was filled in. Raises InvalidFields, whose keys are the form's block ids."""
    line = await _line(request, deps, f"{request.context.reference} {request.context.of_day}")
    told = await records.step_submitted(request, deps)
    return await _drawn_anew(request, deps, line, otherwise=told)


async def _tomorrow(request: Request, deps: Deps, line: Line) -> Reply:
    return await _put_off(request, deps, line, digests.next_working_day)


async def _next_week(request: Request, deps: Deps, line: Line) -> Reply:
    return await _put_off(request, deps, line, digests.next_week)


async def _put_off(request: Request, deps: Deps, line: Line, to: Callable[[Project, date], date]) -> Reply:
    """Move the date that the part of the digest is about, counted from the day on which the button is pressed."""
    return await _change_date(request, deps, line, _field(line), to(line.project, _today(request, deps, line)))


async def _still_true(request: Request, deps: Deps, line: Line) -> Reply:
    """Somebody has looked: the next look is in four weeks."""
    until = digests.review_again(line.project, _today(request, deps, line))
    return await _change_date(request, deps, line, "next_review", until)


async def _change_date(request: Request, deps: Deps, line: Line, field: str, to: date, why: str = "") -> Reply:
    """Store the date, once: who presses on two devices is told that it is so already."""
    item = line.item
    if item.value(field) == to:
        label = item.kind.label_of(field).lower()
        return _tell(f"The {label} of {item.reference} is {day(to)} already.")
    await operations.change(
        deps.session,
        request.actor,
        item,
        line.project,
        {field: to},
        version=item.record.version,
        now=deps.now,
        via="digest",
        why=why,
    )
    return await _drawn_anew(request, deps, line)


async def _ask_date(request: Request, deps: Deps, line: Line) -> Reply:
    require(request.actor, Right.EDIT, line.project, line.item)
    operations.require_editable(line.item)
    field = _field(line)
    context = replace(_context(request, line), step=field)
    return OpenForm(views.date_form(line.item, field, context, today=_today(request, deps, line)))


async def date_submitted(request: Request, deps: Deps) -> Reply:
    """Put the line off to the chosen date. Raises InvalidFields, whose key is the date's."""
    line = await _line(request, deps, f"{request.context.reference} {request.context.of_day} {request.context.step}")
    field = _field(line)
    chosen = forms.element_in(request.state, field).get("selected_date")
    if not chosen:
        raise InvalidFields({field: "Choose a date."})
    why = forms.read_choice(request.state, forms.WHY_MOVED)
    return await _change_date(request, deps, line, field, date.fromisoformat(chosen), why)


async def _ask_whose(request: Request, deps: Deps, line: Line) -> Reply:
    """Whose it is instead; a helper just stops helping."""
    item = line.item
    if item.record.owner_id != request.actor.id:
        helpers = [each for each in item.record.helpers if each != request.actor.id]
        if len(helpers) == len(item.record.helpers):
            raise Conflict(await _not_theirs(deps, item))
        return await _hand_on(request, deps, line, {"helpers": helpers}, "")
    require(request.actor, Right.EDIT, line.project, item)
    operations.require_editable(item)
    people = await directory.people(deps.session, {line.project.coordinator_id})
    return OpenForm(views.pass_form(item, line.project, people, _context(request, line)))


async def pass_submitted(request: Request, deps: Deps) -> Reply:
    """Give the record to whoever was chosen; without a name its coordinator is told. Raises InvalidFields, Conflict."""
    line = await _line(request, deps, f"{request.context.reference} {request.context.of_day}")
    item, project = line.item, line.project
    if item.record.owner_id != request.actor.id:
        raise Conflict(await _not_theirs(deps, item))
    chosen = forms.read_choice(request.state, views.OWNER) or None
    why = forms.read_choice(request.state, views.WHY).strip()
    if chosen == request.actor.id:
        raise InvalidFields({views.OWNER: "That is you. Choose somebody else, or nobody."})
    heir = project.coordinator_id
    if chosen is None and heir in (None, request.actor.id):
        raise InvalidFields({views.OWNER: "Choose a person: there is no other coordinator who could find somebody."})
    reply = await _hand_on(request, deps, line, {"owner_id": chosen}, why)
    if chosen is None and heir is not None:
        await outbox.put(
            deps.session,
            "nobodys",
            key=f"nobodys:{item.record.id}:{item.record.version}",
            target=heir,
            record_id=item.record.id,
            payload={"by": request.actor.id, "why": why},
            due_at=deps.now,
        )
    return reply


async def _hand_on(request: Request, deps: Deps, line: Line, values: Mapping[str, object], why: str) -> Reply:
    await operations.change(
        deps.session,
        request.actor,
        line.item,
        line.project,
        values,
        version=line.item.record.version,
        now=deps.now,
        via="digest",
        why=why,
    )
    return await _drawn_anew(request, deps, line)


async def _not_theirs(deps: Deps, item: Item) -> str:
    people = await directory.people(deps.session, {item.record.owner_id})
    return f"{item.reference} is not yours any more: {name_of(people, item.record.owner_id)} owns it."


async def _mute(request: Request, deps: Deps, line: Line) -> Reply:
    if not await manners.mute(deps.session, request.actor.id, line.item.record.id or 0, now=deps.now):
        return _tell(f"You are not reminded of {line.item.reference} already.")
    return await _drawn_anew(request, deps, line, otherwise=_tell(MUTED.format(reference=line.item.reference)))


async def _unmute(request: Request, deps: Deps, line: Line) -> Reply:
    if not await manners.unmute(deps.session, request.actor.id, line.item.record.id or 0):
        return _tell(f"You are reminded of {line.item.reference} already.")
    return await _drawn_anew(request, deps, line, otherwise=_tell(UNMUTED.format(reference=line.item.reference)))


async def _undo(request: Request, deps: Deps, line: Line) -> Reply:
    """Take back what the line says was done."""
    if not line.rest.isdigit():
        raise NotFound(OLD)
    version = int(line.rest)
    message, reference = await undo.take_back_version(request, deps, line.item, line.project, version, only=True)
    return await _drawn_anew(request, deps, line, otherwise=Tell(message, reference=reference))


async def _drawn_anew(request: Request, deps: Deps, line: Line, *, otherwise: Reply | None = None) -> Reply:
    """Owe the digest with what was done in it; where it is not known any more, say what was done instead."""
    sent = await digests.sent_on(deps.session, request.actor.id, line.of)
    if sent is not None:
        because = f"{line.item.reference}:{line.item.record.version}"
        await digests.owe_again(deps.session, sent, because=because, now=deps.now)
        return Nothing()
    if otherwise is not None:
        return otherwise
    people = await directory.people(deps.session, cards.people_of(line.item))
    message = cards.saved(line.item, line.project, people, said="Changed", now=deps.now)
    return Tell(message, reference=line.item.reference)


def _context(request: Request, line: Line) -> forms.FormContext:
    return replace(records.edit_context(request, line.item), of_day=line.of.isoformat())


def _field(line: Line) -> str:
    if line.rest not in PUT_OFF:
        raise NotFound(OLD)
    return line.rest


def _today(request: Request, deps: Deps, line: Line) -> date:
    """The person's day, or the project's where that is ahead: a date may not be past there."""
    return max(today_in(request.person.timezone, deps.now), deps.today(line.project))


def _tell(text: str) -> Tell:
    return Tell(Message(esc(text), [section(plain(text))]))


DEEDS: Mapping[str, Callable[[Request, Deps, Line], Awaitable[Reply]]] = {
    "step": _step,
    "tomorrow": _tomorrow,
    "week": _next_week,
    "date": _ask_date,
    "still": _still_true,
    "pass": _ask_whose,
    "mute": _mute,
    "unmute": _unmute,
    "undo": _undo,
}


async def preview(request: Request, deps: Deps) -> Reply:
    """What the person's next digest would say now."""
    person = request.person
    tomorrow = today_in(person.timezone, deps.now) + ONE_DAY
    found = await next_days(deps.session, person, tomorrow)
    notes = [f"As it would look now. It comes at {person.digest_at:%H:%M} your time ({zone_time(person.timezone)})."]
    if not person.wants_digest:
        notes.append("You have switched it off.")
    if away := await absences.of(deps.session, [person.id], found.day):
        notes.append(f"You are away until {day(away[person.id].last_day)}; it waits until you are back.")
    if found.lines and not found.is_work:
        notes.append("None of these projects works on that day, so it would wait for the next one.")
    people = await directory.people(deps.session, views.people_of(found.lines))
    return Tell(views.preview(found, people, notes=notes))


async def mute_typed(request: Request, deps: Deps, kind: Kind, number: int) -> Reply:
    """`A12 mute`: never remind the person of it."""
    item, _ = await operations.find(deps.session, request.actor, kind, number)
    await manners.mute(deps.session, request.actor.id, item.record.id or 0, now=deps.now)
    return _tell(MUTED.format(reference=item.reference))


async def unmute_typed(request: Request, deps: Deps, kind: Kind, number: int) -> Reply:
    """`A12 unmute`: remind the person of it as of any other."""
    item, _ = await operations.find(deps.session, request.actor, kind, number)
    await manners.unmute(deps.session, request.actor.id, item.record.id or 0)
    return _tell(UNMUTED.format(reference=item.reference))
