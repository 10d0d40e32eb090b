"""A person's daily digest: its lines with what can be done to each, what was done to them, and the small forms."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time

from models import digests
from models.kinds import Item
from models.operations import TEXT_MAX
from models.permissions import Actor, Right, actor_of, may, right_for
from models.tables import Act, Person, Project
from reports.digest import Digest, DigestLine, Group, Mark
from views.blocks import (
    Block,
    Message,
    actions,
    button,
    cut,
    esc,
    header,
    input_block,
    mrkdwn,
    note,
    overflow,
    plain,
    section,
)
from views.cards import change_in_words, facts_of, title
from views.forms import WHY_MOVED, FormContext
from views.values import People, day, name_of

EMOJI: Mapping[Group, str] = {
    Group.OVERDUE: "🔴",
    Group.TODAY: "🟠",
    Group.SOON: "🟡",
    Group.REVIEW: "🔎",
    Group.DECIDE: "✋",
}

# What "tomorrow" and the like move for a line of the part; nothing where the record waits for an answer.
PUTS_OFF: Mapping[Group, str] = {
    Group.OVERDUE: "due_date",
    Group.TODAY: "due_date",
    Group.SOON: "due_date",
    Group.REVIEW: "next_review",
}

ANSWERS_SHOWN = 3
MINE = "0 mine helping everywhere"
WAITING = "0 waiting on me everywhere"
OWNER, WHY = "owner_id", "why"


def digest(found: Digest, people: People) -> Message:
    """The digest as it is sent."""
    says = in_numbers(found)
    blocks = [header(f"{_greeting(found.person.digest_at)}. {says}.")]
    blocks += _parts(found.lines, found.totals, people, found.person, found.day, today=found.day)
    return Message(_in_one_line(says, found.lines), [*blocks, *_foot(found)])


def preview(found: Digest, people: People, *, notes: Sequence[str]) -> Message:
    """The digest as it would look, without its buttons; `notes` say when it comes, and why it would not."""
    says = in_numbers(found) or "Nothing to do, so no message"
    blocks = [header(f"Digest of {day(found.day)}: {says}."), note(*map(plain, notes))]
    blocks += _parts(found.lines, found.totals, people, found.person, found.day, today=found.day, is_preview=True)
    return Message(_in_one_line(says, found.lines), [*blocks, actions([_settings()])])


def digest_again(person: Person, of: date, lines: Sequence[DigestLine], people: People, *, today: date) -> Message:
    """A digest that was sent, with what was done to its lines."""
    left = sum(line.done is None and line.item.record.is_open for line in lines)
    says = f"{left} of these still to do" if left else "All of these are dealt with"
    blocks = [header(f"Your digest of {day(of)}: {says}.")]
    blocks += _parts(lines, {}, people, person, of, today=today)
    return Message(esc(f"{says}, of your digest of {day(of)}"), [*blocks, actions([_all(), _settings()])])


def in_numbers(found: Digest) -> str:
    """ "2 overdue, 1 due today"; empty when there is nothing."""
    words = {
        Group.OVERDUE: "overdue",
        Group.TODAY: "due today",
        Group.SOON: "due soon",
        Group.REVIEW: "to review",
        Group.DECIDE: "waiting for your decision",
    }
    return ", ".join(f"{found.totals[group]:,} {words[group]}" for group in Group if found.totals.get(group))


def people_of(lines: Iterable[DigestLine]) -> set[str | None]:
    """Whom the lines name."""
    changed = [row for line in lines for row in (line.done.rows if line.done else ())]
    owners = {value for row in changed if row.field == OWNER for value in (row.before, row.after)}
    return {line.item.record.owner_id for line in lines} | owners


def marks_in(message: Message) -> list[Mark]:
    """The part and the reference of each line that the message holds."""
    marks = [str(block.get("block_id", "")).split(":") for block in message.blocks if block["type"] == "actions"]
    return [(mark[1], mark[2]) for mark in marks if len(mark) == 3]


def _greeting(at: time) -> str:
    return "Good morning" if at.hour < 12 else "Good afternoon" if at.hour < 18 else "Good evening"


def _in_one_line(says: str, lines: Sequence[DigestLine]) -> str:
    first = f", first {lines[0].item.reference}: {cut(lines[0].item.record.title, 200)}" if lines else ""
    return esc(f"{says}{first}")


def _parts(
    lines: Sequence[DigestLine],
    totals: Mapping[Group, int],
    people: People,
    reader: Person,
    of: date,
    *,
    today: date,
    is_preview: bool = False,
) -> list[Block]:
    """Every part with its lines: title, facts and what can be done; what was done, with the way back."""
    blocks: list[Block] = []
    for group in Group:
        here = [line for line in lines if line.group is group]
        if here:
            of_all = f" · {len(here)} of {totals[group]:,}" if totals.get(group, 0) > len(here) else ""
            blocks.append(section(mrkdwn(f"{EMOJI[group]} *{group.label}*{of_all}")))
        for line in here:
            facts = [_done(line, people)] if line.done else _facts(line, people, reader, today)
            blocks += [title(line.item), note(plain(" · ".join(facts)))]
            if not is_preview:
                buttons = _ways_back(line, of) if line.done else _buttons(line, actor_of(reader), of, today)
                blocks.append(actions(buttons, block_id=f"digest:{group}:{line.item.reference}"))
    return blocks


def _facts(line: DigestLine, people: People, reader: Person, today: date) -> list[str]:
    record = line.item.record
    facts = facts_of(line.item, line.project, today)
    if line.group is Group.REVIEW:
        asked = f"to look at again since {day(record.next_review, today)}" if record.next_review else ""
        facts.append(asked or f"untouched since {day(record.updated_at.date())}: is it still true?")
    owner = name_of(people, record.owner_id)
    if line.absence:
        facts.append(f"for {owner}, away until {day(line.absence.last_day)}")
    elif record.owner_id != reader.id and line.group is not Group.DECIDE:
        facts.append(f"{owner} owns it, you help")
    return facts


def _done(line: DigestLine, people: People) -> str:
    """What the reader did to the line, in plain text."""
    if not line.done or not line.done.rows:
        return "🔕 You are not reminded of it any more"
    kind = line.item.kind
    said = [
        kind.statuses(row.after).label
        if row.act is Act.STEPPED and row.field == "status"
        else change_in_words(kind, row, people, cut_at=100)
        for row in line.done.rows
    ]
    return f"✓ {'; '.join(said)}"


def _ways_back(line: DigestLine, of: date) -> list[Block]:
    if line.done and line.done.rows:
        back = _button(line, "Undo", "undo", f"{of} {line.done.rows[0].version}")
    else:
        back = _button(line, "Remind me again", "unmute", f"{of}")
    return [back, _details(line)]


def _buttons(line: DigestLine, reader: Actor, of: date, today: date) -> list[Block]:
    """What this reader may do: at most four buttons, and the rest in the ⋯ menu."""
    item, project = line.item, line.project
    never = _button(line, "Never remind me of this", "mute", f"{of}")
    steps = [
        _button(line, step.label, f"step:{step.key}", f"{of}", style="primary" if step.is_main else None)
        for step in item.kind.steps_from(item.record.status)
        if may(reader, right_for(step, item), project, item) and (step.is_main or line.group is Group.DECIDE)
    ]
    if line.group not in PUTS_OFF:
        return [*steps[:ANSWERS_SHOWN], _details(line), never]
    if not item.record.is_open or not item.kind.is_editable(item) or not may(reader, Right.EDIT, project, item):
        return [*steps, _details(line), never]
    field = PUTS_OFF[line.group]
    puts_off = _putting_off(line, f"{of} {field}", item.value(field) or today, today)
    still = _button(line, "Still true", "still", f"{of}")
    is_theirs = reader.id in (item.record.owner_id, *item.record.helpers)
    others = [_button(line, "Not me", "pass", f"{of}")] if is_theirs else []
    if line.group is Group.REVIEW:
        return [still, *steps, _details(line), overflow([*puts_off, *others, never])]
    return [*steps, *puts_off[:1], _details(line), overflow([*puts_off[1:], *others, still, never])]


def _putting_off(line: DigestLine, value: str, present: date, today: date) -> list[Block]:
    """Tomorrow and next week, as far as these are later than now, and another date."""
    tomorrow = digests.next_working_day(line.project, today)
    label = "Tomorrow" if (tomorrow - today).days == 1 else f"{tomorrow:%A}"
    week = digests.next_week(line.project, today)
    offered = [(label, "tomorrow", tomorrow), ("Next week", "week", week)]
    later = [_button(line, label, word, value) for label, word, to in offered if to > present]
    return [*later, _button(line, "Another date", "date", value)]


def _button(line: DigestLine, label: str, word: str, rest: str, *, style: str | None = None) -> Block:
    reference = line.item.reference
    return button(label, f"digest:{word}", f"{reference} {rest}", style=style, says=f"{label}: {reference}")


def _details(line: DigestLine) -> Block:
    reference = line.item.reference
    return button("Details", "show", reference, says=f"Details of {reference}")


def _all() -> Block:
    return button("All that is yours", "list:open", MINE)


def _settings() -> Block:
    return button("Digest settings", "me", "")


def _foot(found: Digest) -> list[Block]:
    more = found.total - len(found.lines)
    buttons = [_all()]
    hidden = found.totals.get(Group.DECIDE, 0) - sum(line.group is Group.DECIDE for line in found.lines)
    if hidden:
        buttons.append(button("All that waits for you", "list:waiting", WAITING))
    return [
        *([note(plain(f"and {more:,} more"))] if more else []),
        actions([*buttons, _settings()]),
    ]


def nobodys(item: Item, project: Project, people: People, by: str, why: str) -> Message:
    """What the coordinator is told when somebody says that a record is not theirs."""
    says = f"{name_of(people, by)} says that {item.reference} in {project.name} is not theirs. Nobody owns it now."
    blocks = [section(plain(says)), *([section(plain(f"“{why}”"))] if why else []), title(item)]
    edit = button("Choose an owner", "edit", item.reference, style="primary", says=f"Choose an owner: {item.reference}")
    return Message(esc(f"{says} {cut(item.record.title, 200)}"), [*blocks, actions([edit])])


def date_form(item: Item, field: str, context: FormContext, *, today: date) -> Block:
    """The small form that asks to which date a line is put off, and why."""
    label = item.kind.label_of(field)
    element = {"type": "datepicker", "initial_date": max(item.value(field) or today, today).isoformat()}
    hint = "It stands in the history."
    return _form(
        "digest_date",
        f"Another date: {item.reference}",
        item,
        context,
        [input_block(field, label, element, ""), _why(WHY_MOVED, "Why?", hint)],
    )


def pass_form(item: Item, project: Project, people: People, context: FormContext) -> Block:
    """The small form that asks whose a line is instead."""
    element = {"type": "users_select", "placeholder": plain("Choose a person")}
    hint = "They are told. Without a name it is nobody's."
    if project.coordinator_id:
        coordinator = name_of(people, project.coordinator_id)
        hint = (
            f"They are told. Without a name {coordinator}, who coordinates {project.name}, is asked to find somebody."
        )
    return _form(
        "digest_pass",
        f"Not me: {item.reference}",
        item,
        context,
        [
            input_block(OWNER, "Whose is it?", element, hint, optional=True),
            _why(WHY, "Why?", "It stands in the history."),
        ],
    )


def _why(key: str, label: str, hint: str) -> Block:
    return input_block(key, label, {"type": "plain_text_input", "max_length": TEXT_MAX}, hint, optional=True)


def _form(callback_id: str, name: str, item: Item, context: FormContext, inputs: Sequence[Block]) -> Block:
    return {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain(name, 24),
        "submit": plain("Save"),
        "close": plain("Cancel"),
        "private_metadata": context.packed(),
        "blocks": [note(plain(f"{item.reference}: {item.record.title}", 2_000)), *inputs],
    }
