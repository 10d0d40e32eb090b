"""What a person sets for themselves: the hour of their digest, quiet hours, reminders a day, and what they muted."""

from collections.abc import Mapping, Sequence
from datetime import datetime, time
from typing import Any

from models.kinds import kind_of
from models.manners import NAGS_MAX
from models.tables import Person, Record
from views.blocks import Block, Message, actions, button, cut, esc, header, input_block, note, option, plain, section
from views.forms import FormContext, element_in, read_choice, read_choices
from views.values import zone_time

YES = "yes"
MUTED_SHOWN = 40


def form(person: Person, muted: Sequence[Record], context: FormContext) -> Block:
    """The settings of a person, with the records they are not reminded of."""
    wants = option("Send me my digest on working days", YES)
    chosen = {"initial_options": [wants]} if person.wants_digest else {}
    blocks = [
        note(plain(f"Times are {zone_time(person.timezone)}, as your Slack profile says.")),
        input_block(
            "wants_digest",
            "Daily digest",
            {"type": "checkboxes", "options": [wants]} | chosen,
            "What is due, to look at again, and waiting for your decision. With nothing to say none comes.",
            optional=True,
        ),
        input_block("digest_at", "Time of the digest", _time(person.digest_at), ""),
        input_block(
            "quiet_from",
            "Quiet from",
            _time(person.quiet_from),
            "Nothing comes by itself from then on; stand-ups ask you afterwards.",
            optional=True,
        ),
        input_block("quiet_until", "Quiet until", _time(person.quiet_until), "May be on the next day.", optional=True),
        input_block(
            "nags_a_day",
            "Reminders a day, at most",
            {
                "type": "number_input",
                "is_decimal_allowed": False,
                "min_value": "0",
                "max_value": str(NAGS_MAX),
                "initial_value": str(person.nags_a_day),
            },
            "Before a due time, of a stand-up's end, escalations. With 0 only the digest comes.",
        ),
        *_muted(muted),
    ]
    return {
        "type": "modal",
        "callback_id": "me",
        "title": plain("Your settings"),
        "submit": plain("Save"),
        "close": plain("Cancel"),
        "private_metadata": context.packed(),
        "blocks": blocks,
    }


def _time(value: time | None) -> Block:
    return {"type": "timepicker"} | ({"initial_time": f"{value:%H:%M}"} if value else {})


def _muted(muted: Sequence[Record]) -> list[Block]:
    """What the person is not reminded of, each with the way back."""
    if not muted:
        return [
            note(plain("You are reminded of every record that is yours. In a digest, a line's ⋯ menu changes that."))
        ]
    blocks = [header("Not reminded of")]
    for record in muted[:MUTED_SHOWN]:
        reference = kind_of(record.kind).reference_of(record)
        again = button("Remind me again", "unmute", reference, says=f"Remind me of {reference} again")
        blocks.append(section(plain(f"{reference}  {record.title}"), again))
    if len(muted) > MUTED_SHOWN:
        more = len(muted) - MUTED_SHOWN
        blocks.append(note(plain(f"and {more:,} more: “/steward A12 unmute” with the reference of the one you mean")))
    return blocks


def read_form(state: Mapping[str, Any]) -> dict[str, Any]:
    """What was chosen, by setting."""
    return {
        "wants_digest": YES in read_choices(state, "wants_digest"),
        "digest_at": _read_time(state, "digest_at"),
        "quiet_from": _read_time(state, "quiet_from"),
        "quiet_until": _read_time(state, "quiet_until"),
        "nags_a_day": _read_number(state, "nags_a_day"),
    }


def _read_time(state: Mapping[str, Any], key: str) -> time | None:
    chosen = element_in(state, key).get("selected_time")
    return time.fromisoformat(chosen) if chosen else None


def _read_number(state: Mapping[str, Any], key: str) -> int:
    """The number; one that is none is below what may be chosen."""
    typed = read_choice(state, key).strip()
    return int(typed) if typed.isdecimal() and len(typed) < 4 else -1


def saved(person: Person, comes: datetime | None) -> Message:
    """The confirmation, with when the next digest may come."""
    facts = ["No digest comes."]
    if comes is not None:
        stamp = f"{comes:%a} {comes.day} {comes:%b %Y, %H:%M}"
        facts = [f"Your next digest: {stamp} {zone_time(person.timezone)}, if there is something to say."]
    if person.quiet_from and person.quiet_until:
        facts.append(f"Quiet from {person.quiet_from:%H:%M} until {person.quiet_until:%H:%M}.")
    facts.append(
        f"Besides the digest at most {person.nags_a_day} reminder{'s' if person.nags_a_day != 1 else ''} a day."
    )
    text = " ".join(["Saved.", *facts])
    look = button("Preview the digest", "preview_digest", "")
    return Message(esc(cut(text, 2_000)), [section(plain(text)), actions([look])])
