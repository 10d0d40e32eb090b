"""The forms that change several records of a list at once, and the one confirmation of it."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from models.bulk import Deed, Hindered, Pair, main_step
from models.kinds import KINDS, Item, Kind
from models.kinds.base import Step
from models.labels import Labelled, Priority
from models.operations import REMARK, TEXT_MAX
from models.tables import Project
from reports.work import Page
from views.blocks import Block, Message, actions, bullets, button, cut, esc, mrkdwn, note, option, plain, rich, section
from views.forms import WHY_MOVED, FormContext, message_view
from views.lists import in_all
from views.undo import UNDO_BATCH
from views.values import People, due, name_of

# Slack's checkboxes take ten; five rows of them are as many as anybody looks through.
PICKED_EACH = 10
SHOWN = 50

ALL = "all"
DEED = "deed"
OWNER = "owner_id"
DUE = "due_date"
DUE_WORDS = "due_words"
PRIORITY = "priority"
TAGS = "tags"

NAMED = 30


def pick_form(page: Page, people: People, context: FormContext) -> Block:
    """The records of a list to choose from, and what is to be done with them."""
    rows = [option(f"{line.item.reference}  {line.item.record.title}", line.item.reference) for line in page.lines]
    for row, line in zip(rows, page.lines, strict=True):
        row["description"] = plain(_facts(line.item, line.project, people), 75)
    blocks: list[Block] = []
    if page.total > len(rows):
        blocks.append(
            note(plain(f"{len(rows)} of the {in_all(page)} in the list; page on in it to get at the others."))
        )
    if len(rows) > 1:
        blocks.append(_checks(ALL, "All of them", [option(f"All {len(rows)} below", ALL)]))
    for start in range(0, len(rows), PICKED_EACH):
        group = rows[start : start + PICKED_EACH]
        label = f"Records {start + 1} to {start + len(group)}" if len(group) > 1 else "Record"
        blocks.append(_checks(picked_id(start // PICKED_EACH), label, group))
    deeds = [option(deed.label, deed.value) for deed in Deed]
    deeds[0]["description"] = plain(_main_steps([line.item.kind for line in page.lines]), 75)
    blocks.append(_input(DEED, "What to do", {"type": "radio_buttons", "options": deeds}))
    return _modal("pick_several", "Change several", "Next", context, blocks)


def confirm_form(deed: Deed, able: Sequence[Pair], hindered: Sequence[Hindered], context: FormContext) -> Block:
    """What will be changed, what stays and why, and the questions there are; nothing is changed before its button."""
    if not able:
        return message_view("Change several", [section(plain("None of these can be changed.")), *_staying(hindered)])
    lines = "\n".join(_line(item, deed) for item, _ in able[:NAMED])
    more = f"\nand {len(able) - NAMED} more" if len(able) > NAMED else ""
    blocks = [section(plain(lines + more)), *_staying(hindered), *_QUESTIONS[deed]([item for item, _ in able])]
    title, verb = _VERBS[deed]
    return _modal("change_several", title, f"{verb} {records(len(able))}", context, blocks)


def _line(item: Item, deed: Deed) -> str:
    """A record, and where closing takes it: an approval is no small thing."""
    step = main_step(item) if deed is Deed.CLOSE else None
    becomes = f" → {item.kind.statuses(step.to).label}" if step else ""
    return f"{item.reference}  {cut(item.record.title, 60)}{becomes}"


_VERBS: Mapping[Deed, tuple[str, str]] = {
    Deed.CLOSE: ("Close several", "Close"),
    Deed.REASSIGN: ("Reassign several", "Reassign"),
    Deed.MOVE: ("Move several due dates", "Move"),
    Deed.RANK: ("Set several priorities", "Change"),
    Deed.TAG: ("Tag several", "Tag"),
}


def _ask_to_close(items: Sequence[Item]) -> list[Block]:
    """What the main steps ask for, once for each kind, and a remark for all of them."""
    blocks, reason = [], ""
    for kind, step in steps_of(items):
        reason = reason or step.reason
        if step.asks:
            spec = kind.field(step.asks)
            choices = [option(choice.label, choice.value) for choice in spec.choices or ()]
            element = {"type": "static_select", "options": choices}
            blocks.append(_input(answer_id(kind), f"{spec.label} of the {kind.plural}", element, spec.help))
    words = {"type": "plain_text_input", "multiline": True, "max_length": TEXT_MAX}
    hint = "It stands on every card and in the history."
    return [*blocks, _input(REMARK, reason or "Remark", words, hint, optional=not reason)]


def _ask_for_owner(items: Sequence[Item]) -> list[Block]:
    element = {"type": "users_select", "placeholder": plain("Choose a person")}
    return [_input(OWNER, "New owner", element, "They get one message about all of it.")]


def _ask_for_day(items: Sequence[Item]) -> list[Block]:
    words = {"type": "plain_text_input", "placeholder": plain("next friday, end of month, +1 week")}
    why = {"type": "plain_text_input", "max_length": TEXT_MAX}
    hint = "It stands in the history, and each card keeps the date that was promised first."
    return [
        _input(DUE, "New due date", {"type": "datepicker"}, "One day for all of them.", optional=True),
        _input(DUE_WORDS, "or in words", words, "", optional=True),
        _input(WHY_MOVED, "Why do the dates move?", why, hint, optional=True),
    ]


def _ask_for_priority(items: Sequence[Item]) -> list[Block]:
    choices = [option(priority.label, priority.value) for priority in reversed(Priority)]
    return [_input(PRIORITY, "Priority", {"type": "static_select", "options": choices})]


def _ask_for_tags(items: Sequence[Item]) -> list[Block]:
    return [
        _input(TAGS, "Tags to add", {"type": "plain_text_input"}, "Such as “network, pilot”. Those there are stay.")
    ]


_QUESTIONS = {
    Deed.CLOSE: _ask_to_close,
    Deed.REASSIGN: _ask_for_owner,
    Deed.MOVE: _ask_for_day,
    Deed.RANK: _ask_for_priority,
    Deed.TAG: _ask_for_tags,
}


def changed(said: str, items: Sequence[Item], hindered: Sequence[Hindered], *, batch: str) -> Message:
    """The one confirmation, with the one way back. `said` is plain text with {records} in it: "Closed {records}"."""
    text = said.replace("{records}", records(len(items)))
    blocks = [rich((text, "bold"))]
    named = [(item.reference, cut(item.record.title, 200)) for item in items[:NAMED]]
    blocks += [bullets(named)] if named else []
    blocks += [note(plain(f"and {len(items) - NAMED} more"))] if len(items) > NAMED else []
    blocks += _staying(hindered)
    blocks += [actions([button("Undo", UNDO_BATCH, batch, says=f"Undo: {text}")])] if items else []
    return Message(esc(text), blocks)


def picked(state: Mapping[str, Any], group: str) -> list[str]:
    """The values of the chosen checkboxes of a group."""
    [element] = (state.get(group) or {"": {}}).values()
    return [str(each.get("value", "")) for each in element.get("selected_options") or ()]


def picked_day(state: Mapping[str, Any]) -> date | None:
    """The day chosen in the calendar."""
    [element] = (state.get(DUE) or {"": {}}).values()
    chosen = element.get("selected_date")
    return date.fromisoformat(chosen) if chosen else None


def picked_id(number: int) -> str:
    return f"pick.{number}"


def answer_id(kind: Kind) -> str:
    """The block of the choice that a kind's main step asks for."""
    return f"answer.{kind.key}"


def steps_of(items: Sequence[Item]) -> list[tuple[Kind, Step]]:
    """The main step of each kind among the records."""
    found = {item.kind.key: step for item in items if (step := main_step(item))}
    return [(kind, found[kind.key]) for kind in KINDS if kind.key in found]


def records(number: int) -> str:
    return f"{number} record" if number == 1 else f"{number} records"


def answered(kind: Kind, step: Step, chosen: str) -> Labelled | None:
    """The chosen member of what the step asks for."""
    choices = kind.choices_of(step)
    return choices(chosen) if choices and chosen in list(choices) else None


def _facts(item: Item, project: Project, people: People) -> str:
    facts = [name_of(people, item.record.owner_id), f"due {due(item, project)}" if item.record.due_date else ""]
    return " · ".join(filter(None, [*facts, item.status.label]))


def _main_steps(kinds: Sequence[Kind]) -> str:
    labels = dict.fromkeys(step.label for kind in kinds for step in kind.steps if step.is_main)
    return f"Each by its own step: {', '.join(labels)}"


def _staying(hindered: Sequence[Hindered]) -> list[Block]:
    """The records that stay as they are, each with why."""
    if not hindered:
        return []
    lines = [f"{esc(each.reference)}: {esc(each.why)}" for each in hindered[:NAMED]]
    lines += [f"and {len(hindered) - NAMED} more"] if len(hindered) > NAMED else []
    return [section(mrkdwn(cut("*Stays as it is*\n" + "\n".join(lines), 3_000)))]


def _checks(block_id: str, label: str, options: Sequence[Block]) -> Block:
    return _input(block_id, label, {"type": "checkboxes", "options": list(options)}, optional=True)


def _input(block_id: str, label: str, element: Block, hint: str = "", *, optional: bool = False) -> Block:
    drawn: Block = {"type": "input", "block_id": block_id, "label": plain(label), "element": element}
    drawn |= {"hint": plain(hint)} if hint else {}
    element.setdefault("action_id", block_id)
    return drawn | ({"optional": True} if optional else {})


def _modal(callback_id: str, title: str, submit: str, context: FormContext, blocks: Sequence[Block]) -> Block:
    return {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain(title, 24),
        "submit": plain(submit, 24),
        "close": plain("Cancel"),
        "private_metadata": context.packed(),
        "blocks": list(blocks),
    }
