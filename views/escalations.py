"""What is asked of people when nobody says a word about a record: the message, the small forms, the list."""

from collections.abc import Sequence
from datetime import date

from models.clock import today_in
from models.escalations import Ask
from models.kinds import Item
from models.kinds.base import OVERDUE, Concern, Step
from models.permissions import Actor, Right, may, right_for
from models.tables import Escalation, Project, Rung
from reports.escalations import Climb
from views.blocks import Block, Message, actions, button, cut, esc, input_block, mrkdwn, note, plain, rich, section
from views.forms import FormContext
from views.values import People, day, name_of

ASKED = "asked"
SET = "set"
ASK_OWNER = "ask_owner"
WORDS = "words"
WORDS_MAX = 2_000

# Those who do the work are asked about it; those who lead are asked to see to it.
LEADS = (Rung.COORDINATOR, Rung.SPONSOR)

# Answers by button that change nothing: the button, its label, what the history says, and what the person is told.
STILL, LEAVE = "still", "still:leave"
ANSWERS = {
    STILL: ("Still working on it", "is still working on it", "noted as being worked on"),
    LEAVE: ("Leave it for now", "leaves it for now", "left for now"),
}

# The steps by which somebody says that it has to wait, whichever the kind has.
WAITING = ("wait", "block")

SETS = {
    "due_date": "Another date",
    "trigger_date": "Another date",
    "next_review": "Next review",
    "response": "Choose a response",
    "owner_id": "Reassign",
}


def said_of(ask: Ask) -> str:
    """What is the matter, as a sentence in plain text without its full stop."""
    item, concern = ask.item, ask.concern
    since = concern.since(item)
    what = f"{item.reference} “{cut(item.record.title, 150)}” {concern.says.format(day=day(since) if since else '')}"
    if since and ask.step.heard_on > since:
        last = "" if since == date.min else f", and the last word about it was on {day(ask.step.heard_on)}"
        return what + last
    return f"{what}, and there has been no word since"


def drafted(ask: Ask, people: People) -> str:
    """What is asked, as plain text."""
    owner = name_of(people, ask.item.record.owner_id)
    absence = ask.away.get(ask.item.record.owner_id or "")
    away = f"{owner} is away until {day(absence.last_day)}" if absence else ""
    if ask.step.rung not in LEADS:
        deputy = f"{away}, and you stand in. " if away and ask.step.rung is Rung.DEPUTY else ""
        return f"{deputy}{said_of(ask)}. {ask.concern.asks}"
    lead_id = _lead_id(ask)
    lead_away = ask.away.get(lead_id or "")
    is_deputy = lead_away is not None and lead_away.deputy_id == ask.step.person_id
    stand_in = f"You stand in for {name_of(people, lead_id)}, who is away. " if is_deputy else ""
    told = [_earlier(step, people, ask.project) for step in ask.earlier]
    if away and not any(step.rung is Rung.OWNER for step in ask.earlier):
        told.insert(0, f"{away}.")
    if not any(step.rung is Rung.OWNER and not step.trouble for step in ask.earlier):
        told.insert(0, f"Its owner is {owner}.")
    whose = [*told, SEE_TO] if ask.item.record.owner_id else [FIND_OWNER]
    return " ".join([f"{stand_in}{said_of(ask)}.", *whose])


SETTLED = "What I asked about here was removed, or is no longer yours to see."
SEE_TO = "Could you see to it? You may ask the owner, set another date or find somebody else for it."
FIND_OWNER = "It has no owner. Could you find somebody for it, or set another date?"


def _lead_id(ask: Ask) -> str | None:
    """Whose part it is to be asked at this step, be they away or not."""
    project = ask.project
    return project.coordinator_id if ask.step.rung is Rung.COORDINATOR else project.sponsor_id


def _earlier(step: Escalation, people: People, project: Project) -> str:
    name = name_of(people, step.person_id)
    if step.trouble:
        return f"I could not write to {name} in Slack."
    asked = today_in(project.timezone, step.asked_at) if step.asked_at else step.heard_on
    who = f"Its owner {name}" if step.rung is Rung.OWNER else name
    return f"{who} was asked on {day(asked)}."


def in_history(ask: Ask, people: People) -> str:
    """The same as a line of the record's history."""
    return f"asked {name_of(people, ask.step.person_id)} ({ask.step.rung.label}): {drafted(ask, people)}"


def people_of(asks: Sequence[Ask]) -> set[str | None]:
    """Everybody whom these asks name, for fetching them at once."""
    steps = [step for ask in asks for step in (ask.step, *ask.earlier)]
    owners_and_leads = {who for ask in asks for who in (ask.item.record.owner_id, _lead_id(ask))}
    return owners_and_leads | {who for step in steps for who in (step.person_id, step.ended_by)}


def asking(asks: Sequence[Ask], people: People, reader: Actor) -> Message:
    """The one direct message that asks somebody about one record or several, each with its buttons.

    What was answered meanwhile is told as settled, when the message is drawn anew.
    """
    if not asks:
        return Message(SETTLED, [note(plain(SETTLED))])
    left = [ask for ask in asks if ask.step.ended_at is None]
    first = "Could you have a look at this?" if len(asks) == 1 else f"Could you have a look at these {len(asks)}?"
    blocks: list[Block] = [section(plain(first))]
    for ask in asks:
        blocks += _answered(ask, people, reader) if ask.step.ended_at else _asked(ask, people, reader)
    if left:
        blocks.append(note(plain("Any word from anybody ends this, also a comment on the record.")))
    rest = f"{said_of(left[0])}." if left else "All of it is answered."
    return Message(esc(cut(f"{first} {rest}", 2_000)), blocks)


def _answered(ask: Ask, people: People, reader: Actor) -> list[Block]:
    item, by = ask.item, ask.step.ended_by
    told = "This is answered." if by is None else f"{name_of(people, by)} has answered."
    told = "Thank you, this is answered." if by == reader.id else told
    owner_id = item.record.owner_id
    whose = "" if owner_id in (None, reader.id) else f", owner {name_of(people, owner_id)}"
    text = f"{item.reference}  {item.record.title}: {item.status.label.lower()}{whose}. {told}"
    # Its block id is how the message is found to be one of these.
    return [note(plain(text)) | {"block_id": f"{ASKED}:{item.reference}"}]


def _asked(ask: Ask, people: People, reader: Actor) -> list[Block]:
    offered = _offered(ask.item, ask.project, reader, ask.concern, leads=ask.step.rung in LEADS)
    return [section(plain(drafted(ask, people))), actions(offered, block_id=f"{ASKED}:{ask.item.reference}")]


def _offered(item: Item, project: Project, reader: Actor, concern: Concern, *, leads: bool) -> list[Block]:
    """The answers by button, of those that this person may give."""
    edits = may(reader, Right.EDIT, project, item) and item.kind.is_editable(item)
    steps = [
        step
        for step in item.kind.steps_from(item.record.status)
        if may(reader, right_for(step, item), project, item) and (step.is_main or (step.key in WAITING and not leads))
    ]
    can_ask = leads and item.record.owner_id not in (None, reader.id)
    offered = [_button(item, "Ask the owner", ASK_OWNER, "primary")] if can_ask else []
    first = None if can_ask else "primary"
    own = [_step(item, step, None if concern.asks_for_field else first) for step in steps if step.is_main]
    field = [_set(item, concern.field, first if concern.asks_for_field else None)] if edits else []
    offered += [*field, *own] if concern.asks_for_field else [*own, *field]
    offered += [_set(item, "owner_id", None)] if edits else []
    offered += [_step(item, step, None) for step in steps if not step.is_main][:1]
    answer = LEAVE if leads else STILL
    offered.append(_button(item, ANSWERS[answer][0], answer))
    return offered


def _step(item: Item, step: Step, style: str | None) -> Block:
    label = step.label if step.is_main else f"{step.label} because…"
    return _button(item, label, f"step:{step.key}", style)


def _set(item: Item, key: str, style: str | None) -> Block:
    return _button(item, SETS[key], f"{SET}:{key}", style)


def _button(item: Item, label: str, action: str, style: str | None = None) -> Block:
    return button(label, action, item.reference, style=style, says=f"{label}: {item.reference}")


def thanked(item: Item, answer: str) -> Message:
    """The private confirmation of an answer by button."""
    text = f"Thank you. {item.reference} is {ANSWERS[answer][2]}."
    return Message(text, [section(plain(f"{text} Its history says so, and nobody else is asked for now."))])


def ask_form(item: Item, words: str, owner: str, context: FormContext) -> Block:
    """What is to be asked of the owner, to be changed before it is sent."""
    element: Block = {
        "type": "plain_text_input",
        "multiline": True,
        "max_length": WORDS_MAX,
        "initial_value": cut(words, WORDS_MAX),
    }
    return {
        "type": "modal",
        "callback_id": ASK_OWNER,
        "title": plain(f"Ask about {item.reference}", 24),
        "submit": plain("Send"),
        "close": plain("Cancel"),
        "private_metadata": context.packed(),
        "blocks": [
            note(plain(f"{owner} gets this as a direct message from me, with your name.")),
            input_block(WORDS, "Message", element, "It stands in the history of the record too."),
        ],
    }


def question(item: Item, ask: Ask | None) -> str:
    """What a lead may want to ask the owner, in plain text."""
    if ask is None:
        return f"Could you say where {item.reference} “{cut(item.record.title, 150)}” stands?"
    return f"{said_of(ask)}. {ask.concern.asks}"


def to_owner(item: Item, project: Project, owner: Actor, by: str, words: str) -> Message:
    """Somebody's question about a record, as a direct message to its owner."""
    first = f"{by} asks about {item.reference}, {cut(item.record.title, 150)}:"
    buttons = actions(_offered(item, project, owner, OVERDUE, leads=False))
    return Message(esc(cut(f"{first} {words}", 2_000)), [section(plain(first)), rich(words), buttons])


def not_delivered(item: Item, owner: str) -> str:
    """What whoever asked is told when Slack would not take the question; mrkdwn."""
    return esc(f"Slack would not let me write to {owner} about {item.reference}. Please ask them yourself.")


def asked_owner(item: Item, owner: str) -> Message:
    """The private confirmation that the owner is asked."""
    text = f"{owner} is asked about {item.reference}: “{item.record.title}”."
    return Message(esc(text), [section(plain(text))])


def climbing(
    climbs: Sequence[Climb], people: People, *, where: str, more: int, names_projects: bool = False
) -> Message:
    """What is on its way up: who was asked when, and when the next one is."""
    if not climbs:
        text = f"Nothing in {where} waits for an answer."
        return Message(esc(text), [section(plain(text))])
    title = f"Waiting for an answer in {where}"
    blocks: list[Block] = [section(plain(f"{title}:"))]
    for climb in climbs:
        item, project = climb.item, climb.project
        lines = [_in_list(step, people, project) for step in climb.steps]
        said = " · ".join(filter(None, [project.name if names_projects else "", *lines, _next(climb)]))
        show = button("Show", "show", item.reference, says=f"Show {item.reference}")
        blocks += [section(mrkdwn(f"*{item.reference}*  {esc(item.record.title)}"), show), note(plain(said))]
    if more:
        blocks.append(note(plain(f"and {more:,} more")))
    blocks.append(note(plain("Any word about a record ends its questions.")))
    return Message(esc(f"{title}: {', '.join(climb.item.reference for climb in climbs)}"), blocks)


def _in_list(step: Escalation, people: People, project: Project) -> str:
    if step.rung is Rung.NOBODY or step.asked_at is None:
        return ""
    when = day(today_in(project.timezone, step.asked_at))
    name = name_of(people, step.person_id)
    if step.trouble:
        return f"could not write to {name} ({step.rung.label}) on {when}"
    return f"asked {name} ({step.rung.label}) on {when}"


def _next(climb: Climb) -> str:
    if climb.item.record.climb_at is None:
        return "nobody is left to ask"
    when = day(today_in(climb.project.timezone, climb.item.record.climb_at))
    return f"next step on {when}"
