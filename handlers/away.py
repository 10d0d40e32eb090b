"""Being away: typed, in a form, from a stand-up, or after a question about somebody's Slack status."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from handlers.replies import Nothing, OpenForm, Redraw, Reply, Tell
from handlers.request import Deps, Request
from handlers.slack_text import as_text, named_pieces
from models import absences, directory, outbox, standups, statuses
from models.absences import Noted
from models.clock import today_in
from models.dates import date_order
from models.entry import Mention, Piece
from models.errors import InvalidFields, NotFound
from models.recurrences import ONE_DAY
from models.spans import read_span
from models.tables import Absence, Person
from views import away as views
from views.away import Filled
from views.blocks import Message
from views.forms import FormContext
from views.values import name_of

TOO_MANY = "Name one deputy, as in `/steward away 24 nov - 28 nov @name`."
OLD = "This button is from an older version of Steward. `/steward away` shows what is planned."


async def typed(request: Request, deps: Deps, words: str) -> Reply:
    """Note what was typed after `/steward away`; nothing typed shows what is planned."""
    if not words:
        return Tell(await _planned(request, deps))
    text, who, deputy = await _split(deps.session, await named_pieces(deps.session, words))
    person = await _person(request, deps, who.user_id) if who else request.person
    span = read_span(
        text,
        now=deps.now,
        zone=request.zone,
        order=date_order(request.person.locale, request.person.timezone),
        locale=request.person.locale,
    )
    filled = Filled(span.first, span.last, deputy.user_id if deputy else None)
    return Tell(await _noted(request, deps, person, filled))


async def back(request: Request, deps: Deps) -> Reply:
    """End the leave that the person is on; where there is none, that there is none, and what is planned."""
    leave = (await absences.of(deps.session, [request.actor.id], _today(request, deps))).get(request.actor.id)
    if leave is None:
        return Tell(await _planned(request, deps, says=views.NOT_AWAY))
    return Tell(await _ended(request, deps, leave.absences))


async def pressed(request: Request, deps: Deps) -> Reply:
    """The form: of the absence that the button names, of days that it carries, or a new one from today on."""
    words = request.value.split()
    if len(words) == 1 and words[0].isdecimal():
        absence = await absences.find(deps.session, request.actor, int(words[0]))
        filled = Filled(absence.first_day, absence.last_day, absence.deputy_id, absence.person_id)
        return await _form(request, deps, filled, FormContext(reference=words[0]))
    return await _form(request, deps, _carried(words, _today(request, deps)), FormContext())


async def submitted(request: Request, deps: Deps) -> Reply:
    """Store the form. Raises InvalidFields, whose keys are the form's block ids."""
    filled = views.read_form(request.state)
    if filled.first is None or filled.last is None:
        raise InvalidFields({"first_day" if filled.first is None else "last_day": "Choose a day."})
    reference = request.context.reference
    changed = await absences.find(deps.session, request.actor, int(reference)) if reference.isdecimal() else None
    person = await _person(request, deps, filled.person_id) if filled.person_id else request.person
    if changed is not None and changed.person_id != person.id:
        raise InvalidFields({"person_id": "Whose absence this is cannot change. Remove it and note another."})
    message = await _noted(request, deps, person, filled, instead_of=changed)
    # Opened from a message that asked, the answer takes its place.
    return Tell(message, redraw=message if request.context.step == ASKED else None)


async def ended(request: Request, deps: Deps) -> Reply:
    """End the absence that the button names, or forget it where it has not begun."""
    absence = await absences.find(deps.session, request.actor, _number(request.value))
    return Redraw(await _ended(request, deps, [absence]))


async def stood_up(request: Request, deps: Deps, round_name: str) -> Reply:
    """The form for somebody who is away for a round, which is noted already, and maybe for longer."""
    today = _today(request, deps)
    says = f"You are away for {round_name} and are not asked again. Save this to be away for more than that."
    return await _form(request, deps, Filled(today, today), FormContext(step=ASKED), says=says)


async def said_yes(request: Request, deps: Deps) -> Reply:
    """Hold reminders until the day that the question named."""
    until = _day(request.value)
    if until is None:
        raise NotFound(OLD)
    return Redraw(await _noted(request, deps, request.person, Filled(_today(request, deps), until)))


async def names_deputy(request: Request, deps: Deps) -> Reply:
    """The form with the days that the question named."""
    today = _today(request, deps)
    return await _form(request, deps, Filled(today, _day(request.value) or today), FormContext(step=ASKED))


async def said_no(request: Request, deps: Deps) -> Reply:
    """Go on as usual."""
    return Redraw(views.goes_on())


async def looks_away(session: AsyncSession, payload: Mapping[str, Any]) -> bool:
    """Whether Slack tells of somebody whose status looks like leave; nearly always it does not."""
    return statuses.read(payload.get("user")) is not None


async def status_changed(request: Request, deps: Deps) -> Reply:
    """Ask whoever has such a status, once for each, whether they are away; nobody else is told of it."""
    status = statuses.read(request.payload.get("user"))
    if status is not None:
        await statuses.owe_question(deps.session, request.person, status, deps.now)
    return Nothing()


ASKED = "asked"


async def _split(session: AsyncSession, pieces: list[Piece]) -> tuple[str, Mention | None, Mention | None]:
    """The days' words, for whom they are where somebody is named after "for", and the deputy. Raises NotFound."""
    who, deputies, words = None, [], list[Piece]()
    for piece in pieces:
        if not isinstance(piece, Mention):
            words.append(piece)
        elif as_text(words).split()[-1:] == ["for"] and who is None:
            who, words = piece, [as_text(words).rstrip().removesuffix("for")]
        else:
            deputies.append(piece)
    text = as_text(words).split()
    for name in [word for word in text if word.startswith("@")]:
        text.remove(name)
        deputies.append(await _named(session, name[1:]))
    if len(deputies) > 1:
        raise NotFound(TOO_MANY)
    return " ".join(text), who, deputies[0] if deputies else None


async def _named(session: AsyncSession, name: str) -> Mention:
    """The one person of a name that was typed and not picked. Raises NotFound."""
    found = await directory.people_named(session, name)
    if len(found) != 1:
        many = "Several people here are" if found else "Nobody here is"
        raise NotFound(f"{many} called @{name}. Pick the name from the list that Slack shows after @.")
    return Mention(found[0].id, found[0].shown_name)


async def _noted(
    request: Request, deps: Deps, person: Person, filled: Filled, *, instead_of: Absence | None = None
) -> Message:
    """Note the absence, and the person's open stand-ups with it; the confirmation."""
    assert filled.first is not None
    assert filled.last is not None
    today = today_in(person.timezone, deps.now)
    known = await absences.overlapping(deps.session, person.id, filled.first, filled.last)
    deputies = {each.deputy_id for each in known if each is not instead_of}
    noted = await absences.add(
        deps.session,
        person.id,
        filled.first,
        filled.last,
        deputy_id=filled.deputy_id,
        today=today,
        now=deps.now,
        by=request.actor.id,
        instead_of=instead_of,
    )
    await standups.follow_absences(deps.session, person.id, deps.now)
    named = {each.deputy_id for each in noted.covers}
    beside = {each.deputy_id for each in noted.beside}
    people = await directory.people(deps.session, {person.id, *deputies, *named, *beside})
    hints = await _hints(deps, noted, people, filled, deputies - named - {None}, today)
    return views.noted(noted.covers, people, reader_id=request.actor.id, today=today, hints=hints)


async def _hints(
    deps: Deps,
    noted: Noted,
    people: Mapping[str, Person],
    filled: Filled,
    replaced: Collection[str | None],
    today: date,
) -> list[str]:
    """What the person may not expect: days that were joined or keep their deputy, one replaced, one who is away too."""
    hints = []
    first, last = noted.covers[0], noted.covers[-1]
    if (first.first_day, last.last_day) != (filled.first, filled.last):
        hints.append("It is joined with what was noted before.")
    if replaced:
        names = " and ".join(sorted(name_of(people, each) for each in replaced))
        hints.append(f"In place of {names}, {views.who_stands_in(first, people)} on these days now.")
    hints += [views.as_before(each, people, today=today) for each in noted.beside]
    for absence in noted.covers:
        deputy = people.get(absence.deputy_id or "")
        if deputy and await absences.overlapping(deps.session, deputy.id, absence.first_day, absence.last_day):
            hints.append(f"{deputy.shown_name} is away too on some of these days. Then nobody stands in.")
    return hints


async def _ended(request: Request, deps: Deps, ending: Sequence[Absence]) -> Message:
    """End these absences in a row; the word that they are over, to whoever acts and to whose they were."""
    first = ending[0]
    person = await _person(request, deps, first.person_id)
    today, last_day = today_in(person.timezone, deps.now), ending[-1].last_day
    is_begun = first.first_day <= today
    for absence in reversed(ending):
        await absences.end(deps.session, absence, today=today, now=deps.now)
    await standups.follow_absences(deps.session, person.id, deps.now)
    then = await absences.overlapping(deps.session, person.id, last_day + ONE_DAY, last_day + ONE_DAY)
    people = await directory.people(deps.session, {person.id, *(each.deputy_id for each in then)})
    if person.id != request.actor.id:
        await outbox.put(
            deps.session,
            "word",
            key=f"away_ended:{first.id}:{last_day}:{request.actor.id}:{today}",
            target=person.id,
            payload={"sentence": views.ended_for_you(request.person.shown_name, first, last_day, today)},
            due_at=deps.now,
        )
    return views.ended(
        first, people, reader_id=request.actor.id, today=today, last_day=last_day, is_begun=is_begun, then=then
    )


async def _planned(request: Request, deps: Deps, *, says: str = "") -> Message:
    today = _today(request, deps)
    found = await absences.to_come(deps.session, request.actor.id, today)
    people = await directory.people(deps.session, {each.deputy_id for each in found})
    return views.planned(found, people, today=today, says=says)


async def _form(request: Request, deps: Deps, filled: Filled, context: FormContext, *, says: str = "") -> Reply:
    """The form, which asks whose absence it is only where it may be somebody else's."""
    whose = filled.person_id or request.actor.id
    asks = whose != request.actor.id or await absences.may_note_others(deps.session, request.actor)
    filled = replace(filled, person_id=whose if asks else "")
    context = replace(context, channel_id=request.channel_id, response_url=request.response_url)
    return OpenForm(views.form(filled, context, says=says))


async def _person(request: Request, deps: Deps, person_id: str) -> Person:
    """Whose absence it is. Raises NotAllowed, whoever that may be, and NotFound."""
    await absences.require_note(deps.session, request.actor, person_id)
    person = await directory.person(deps.session, person_id)
    if person is None:
        raise NotFound("I do not know that person. Choose somebody of this workspace.")
    return person


def _carried(words: list[str], today: date) -> Filled:
    """What a button carries as `2031-11-24 2031-11-28 PERSON DEPUTY`; today where it carries nothing."""
    first, last, person_id, deputy_id = [*words, "", "", "", ""][:4]
    return Filled(_day(first) or today, _day(last) or today, deputy_id or None, person_id)


def _day(word: str) -> date | None:
    try:
        return date.fromisoformat(word)
    except ValueError:
        return None


def _number(value: str) -> int:
    if not value.isdecimal():
        raise NotFound(OLD)
    return int(value)


def _today(request: Request, deps: Deps) -> date:
    return today_in(request.person.timezone, deps.now)


# What the buttons about being away do, and whether that stores anything.
PRESSED: Mapping[str, tuple[Callable[[Request, Deps], Awaitable[Reply]], bool]] = {
    "end": (ended, True),
    "yes": (said_yes, True),
    "deputy": (names_deputy, False),
    "no": (said_no, False),
}
