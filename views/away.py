"""Being away as people see it: the form, what is planned, the word to a deputy, the question after a Slack status."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from models.tables import Absence
from views.blocks import Block, Message, actions, button, esc, input_block, mrkdwn, note, plain, section
from views.forms import FormContext, element_in, read_choice
from views.values import People, days, name_of

HELD = "No stand-up asks you then, and no reminder is sent."
STANDS_IN = "Reminders go to {deputy} instead, who sees only what they may see anyway."
NOT_AWAY = "You are not away now, so nothing was changed."
HOW = "Type `/steward away 24 nov - 28 nov @name`, `away until friday` or `away today`. The name is your deputy's."


@dataclass(frozen=True)
class Filled:
    """What the form of an absence holds; `person_id` is empty where it is the person's own and nothing is asked."""

    first: date | None
    last: date | None
    deputy_id: str | None = None
    person_id: str = ""


def form(filled: Filled, context: FormContext, *, says: str = "") -> Block:
    """The form of an absence; `says` is what stands above it."""
    who: Block = {"type": "users_select"} | ({"initial_user": filled.person_id} if filled.person_id else {})
    deputy: Block = {"type": "users_select", "placeholder": plain("Nobody")}
    deputy |= {"initial_user": filled.deputy_id} if filled.deputy_id else {}
    blocks = [note(plain(says))] if says else []
    if filled.person_id:
        blocks.append(input_block("person_id", "Who", who, "You, or somebody whose project you coordinate."))
    blocks += [
        input_block("first_day", "First day", _date(filled.first), ""),
        input_block("last_day", "Last day", _date(filled.last), "The last day away, not the first one back."),
        input_block(
            "deputy_id",
            "Deputy",
            deputy,
            "Gets the reminders meanwhile, of what they may see anyway. Without one nobody is reminded.",
            optional=True,
        ),
    ]
    return {
        "type": "modal",
        "callback_id": "away",
        "title": plain("Away", 24),
        "submit": plain("Save"),
        "close": plain("Cancel"),
        "private_metadata": context.packed(),
        "blocks": blocks,
    }


def read_form(state: Mapping[str, Any]) -> Filled:
    """What was chosen."""
    first, last = (element_in(state, key).get("selected_date") for key in ("first_day", "last_day"))
    return Filled(
        date.fromisoformat(first) if first else None,
        date.fromisoformat(last) if last else None,
        read_choice(state, "deputy_id") or None,
        read_choice(state, "person_id"),
    )


def noted(
    covers: Sequence[Absence], people: People, *, reader_id: str, today: date, hints: Sequence[str] = ()
) -> Message:
    """The private confirmation of days, or of several runs of them; `hints` are plain sentences."""
    first, last = covers[0], covers[-1]
    text = f"{_who(first, people, reader_id, today)} away {days(first.first_day, last.last_day, today)}."
    above, below = [note(plain(_meanwhile(first, people)))], [actions(_buttons(first))]
    if len(covers) > 1:
        above, below = [block for each in covers for block in _listed(each, people, today)], []
    told = [section(plain(hint)) for hint in hints]
    return Message(esc(text), [section(plain(text)), *above, *told, *below])


def as_before(absence: Absence, people: People, *, today: date) -> str:
    """That these days are as they were, in plain text."""
    return f"As before {days(absence.first_day, absence.last_day, today)}: {who_stands_in(absence, people)}."


def who_stands_in(absence: Absence, people: People) -> str:
    """The same in three words, in plain text."""
    return f"{name_of(people, absence.deputy_id) if absence.deputy_id else 'nobody'} stands in"


def planned(found: Sequence[Absence], people: People, *, today: date, says: str = "") -> Message:
    """What is planned, with what can be done to it; `says` goes before it."""
    first = "You have not said that you will be away."
    if found:
        first = "You are away:" if found[0].first_day <= today else "You will be away:"
    first = f"{says} {first}".strip()
    blocks = [section(plain(first))]
    blocks += [block for each in found for block in _listed(each, people, today)]
    blocks += [actions([button("Another time away" if found else "I'm away", "away", "")]), note(mrkdwn(HOW))]
    return Message(first, blocks)


def ended(
    absence: Absence,
    people: People,
    *,
    reader_id: str,
    today: date,
    last_day: date,
    is_begun: bool,
    then: Sequence[Absence] = (),
) -> Message:
    """The private word after an absence ended early or was taken back, with the way to note it again.

    What follows on it, `then`, stays planned.
    """
    was = days(absence.first_day, last_day, today)
    whose = "" if absence.person_id == reader_id else f" for {name_of(people, absence.person_id)}"
    text = f"No longer away{whose}: {was} is taken back."
    if is_begun:
        text = f"Welcome back{whose}: being away until {days(last_day, last_day, today)} ends today."
    again = f"{max(absence.first_day, today)} {last_day} {absence.person_id} {absence.deputy_id or ''}".strip()
    blocks = [section(plain(text)), actions([button("Away after all", "away", again)])]
    if then:
        blocks += [
            section(plain("Still planned:")),
            *(block for each in then for block in _listed(each, people, today)),
        ]
    return Message(esc(text), blocks)


def ended_for_you(by: str, absence: Absence, last_day: date, today: date) -> str:
    """mrkdwn for somebody whose absence somebody else took back."""
    return (
        f"{esc(by)} took back that you are away {days(absence.first_day, last_day, today)}. If you are, type "
        "`/steward away` and the days."
    )


def stands_in(absence: Absence, people: People, *, by: str, today: date) -> Message:
    """For the deputy: whom they stand in for and when."""
    name = name_of(people, absence.person_id)
    verb = "will be" if absence.first_day > today else "is"
    text = f"{name} {verb} away {_days(absence, today)}, and you stand in."
    if by and by != absence.person_id:
        text += f" {name_of(people, by)} noted it."
    means = "Reminders of what they own come to you meanwhile, as far as you may see it."
    shows = button("What they own", "list:open", f"0 <@{absence.person_id}> everywhere", says=f"What {name} owns")
    return Message(esc(text), [section(plain(text)), note(plain(means)), actions([shows])])


def stands_in_no_more(person_id: str, people: People) -> Message:
    """What that message becomes when they are not needed any more."""
    text = f"You no longer stand in for {name_of(people, person_id)} on the days noted here before."
    return Message(esc(text), [note(plain(text))])


def noted_for_you(absence: Absence, people: People, *, by: str, today: date) -> Message:
    """For somebody whom somebody else noted as away."""
    verb = "will be" if absence.first_day > today else "are"
    text = f"{name_of(people, by)} noted that you {verb} away {_days(absence, today)}."
    lines = [section(plain(text)), note(plain(_meanwhile(absence, people)))]
    return Message(esc(text), [*lines, actions(_buttons(absence))])


def asks(until: date | None, *, today: date) -> Message:
    """The question after a Slack status that looks like leave; Steward never decides by itself."""
    text = "Your Slack status says that you are away"
    text += f" until {days(until, until, today)}" if until else ""
    value = until.isoformat() if until else ""
    offered = [
        button("Yes", "away:yes", value, style="primary"),
        button("Yes, with a deputy", "away:deputy", value),
        button("No", "away:no", value),
    ]
    if until is None:
        offered = [button("Yes, say until when", "away:deputy", value, style="primary"), offered[-1]]
    asked = section(plain(f"{text}. Shall I hold your reminders and stand-ups meanwhile?"))
    return Message(text, [asked, actions(offered)])


def goes_on() -> Message:
    """The answer to a no."""
    text = "All right: reminders and stand-ups go on as usual. `/steward away` changes that at any time."
    return Message(text, [note(mrkdwn(text))])


def _who(absence: Absence, people: People, reader_id: str, today: date) -> str:
    is_own, is_ahead = absence.person_id == reader_id, absence.first_day > today
    verb = "will be" if is_ahead else "are" if is_own else "is"
    return f"{'You' if is_own else name_of(people, absence.person_id)} {verb}"


def _listed(absence: Absence, people: People, today: date) -> list[Block]:
    deputy = f", {who_stands_in(absence, people)}" if absence.deputy_id else ""
    return [section(plain(f"{_days(absence, today)}{deputy}")), actions(_buttons(absence))]


def _days(absence: Absence, today: date) -> str:
    return days(absence.first_day, absence.last_day, today)


def _meanwhile(absence: Absence, people: People) -> str:
    if absence.deputy_id is None:
        return HELD
    return f"No stand-up asks you then. {STANDS_IN.format(deputy=name_of(people, absence.deputy_id))}"


def _buttons(absence: Absence) -> list[Block]:
    value = str(absence.id)
    return [button("Change", "away", value), button("End or remove", "away:end", value)]


def _date(value: date | None) -> Block:
    return {"type": "datepicker"} | ({"initial_date": value.isoformat()} if value else {})
