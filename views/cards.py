"""The one card a record has in its channel, and the short messages about a record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from models import tags
from models.capturing import is_untitled
from models.clock import today_in
from models.comments import Talk
from models.digests import first_named_on
from models.kinds import Item, Kind
from models.kinds.base import FieldSpec, FieldType, Step
from models.labels import Confidentiality, Priority
from models.links import UNDID, Linked
from models.operations import stored_value, told
from models.own_fields import left_over
from models.permissions import Actor, Right, may, right_for
from models.recurrences import instant_of
from models.repeat_words import repeat_in_words
from models.tables import Act, Channel, Comment, History, Project, Record, Rung
from models.working_days import holiday_on
from reports.around import Around
from views.blocks import (
    Block,
    Message,
    actions,
    button,
    cut,
    esc,
    instant,
    link,
    mention,
    mrkdwn,
    note,
    overflow,
    plain,
    rich,
    section,
)
from views.values import People, day, due, moved, name_of, shown_value, status, with_article

DETAILS_SHOWN = 600

NOTHING_AROUND = Around()

# The names of the projects that the reader may know of, by id.
ProjectNames = Mapping[int, str]
NO_PROJECTS: ProjectNames = {}

WATCH = "watch"
UNWATCH = "watch:end"
UNDO = "undo"
REDO = "undo:redo"


def record_card(
    item: Item,
    project: Project,
    people: People,
    *,
    now: datetime,
    mention_owner: bool = False,
    offers_posting: bool = False,
    around: Around = NOTHING_AROUND,
    reader: Actor | None = None,
    watches: bool | None = None,
    is_whole: bool = False,
) -> Message:
    """The record's card. `mention_owner` notifies the owner, which only a first post to them should do.

    `reader` is given with a private view: it offers only what that person may do. `offers_posting` goes with a private
    view of a record whose card is not in its channel, `is_whole` with one that has room for every button, `watches`
    with one that offers to watch it, or to end that.
    """
    if item.record.is_archived:
        return _removed_card(item)
    today = today_in(project.timezone, now)
    blocks = [
        title(item),
        *_facts(item, project, people, today, mention_owner=mention_owner),
        *_escalated(item, project),
        *_remark(item),
        *_texts(item),
        *_links(around.links),
        *_talk(around.talk),
        note(*_origin(item, project, people)),
        actions(_buttons(item, project, reader, is_whole=is_whole)),
    ]
    if offers_posting:
        post = button("Post its card", "post_card", item.reference, says=f"Post the card of {item.reference}")
        blocks.append(section(plain("Its card is not in the channel."), post))
    if watches is not None:
        blocks.append(_watch_row(item, watches))
    return Message(fallback(item, project, people), blocks)


def _watch_row(item: Item, watches: bool) -> Block:
    """Whether the reader watches the record, and the button that turns it round."""
    if watches:
        return section(plain(f"You watch {item.reference}."), _button(item, "Stop watching", UNWATCH))
    return section(plain("Hear when its status or due date changes:"), _button(item, "Watch", WATCH))


def watching(item: Item, *, watches: bool) -> Message:
    """The private confirmation of somebody who watches a record now, or no longer."""
    text = f"You no longer watch {item.reference}: {item.record.title}"
    if watches:
        text = f"You watch {item.reference}: {item.record.title}. I tell you when its status or due date changes."
    label, turn = ("Stop watching", UNWATCH) if watches else ("Watch", WATCH)
    return Message(esc(text), [section(plain(text), _button(item, label, turn))])


def watched(item: Item, project: Project, people: People, rows: Sequence[History]) -> Message | None:
    """What changed of a record that somebody watches, from what it was to what it is; None where it is as it was."""
    fields = list(dict.fromkeys(row.field for row in rows))
    first = {field: next(row for row in rows if row.field == field) for field in fields}
    last = {field: next(row for row in reversed(rows) if row.field == field) for field in fields}
    said = [
        _from_to(item.kind, first[field], last[field], people)
        for field in fields
        if first[field].before != last[field].after
    ]
    if not said:
        return None
    who = " and ".join(dict.fromkeys(name_of(people, row.actor_id) for row in rows))
    text = f"{item.reference} in {project.name}, which you watch: {', '.join(said)}, by {who}"
    buttons = [_button(item, "Details", "show"), _button(item, "Stop watching", UNWATCH)]
    return Message(esc(f"{text}. {item.record.title}"), [title(item), section(plain(text)), actions(buttons)])


def fallback(item: Item, project: Project, people: People) -> str:
    """The record in one line, escaped: what a notification shows."""
    parts = [f"{item.kind.singular.capitalize()} {item.reference}: {item.record.title}"]
    if item.record.owner_id:
        parts.append(f"owner {name_of(people, item.record.owner_id)}")
    if item.record.due_date:
        parts.append(f"due {due(item, project)}")
    return esc(cut(", ".join(parts), 2_000))


def saved(
    item: Item,
    project: Project,
    people: People,
    *,
    said: str,
    now: datetime,
    hints: Sequence[str] = (),
    settings_of: int | None = None,
    way_back: str | None = UNDO,
    projects: ProjectNames = NO_PROJECTS,
    version: int | None = None,
    alike: Sequence[Record] = (),
) -> Message:
    """The private confirmation of a change, with what is stored, when it is chased, and a way back.

    `said` is the verb of what happened ("Logged", "Closed"); `hints` are sentences of what could not be done.
    `way_back` is UNDO or, after an undo, REDO, of the change that made `version`: the latest where none is given; it is
    None where the person may not. `projects` are the names of those it speaks of; `alike` are records that may be the
    same, the likest first.
    """
    today = today_in(project.timezone, now)
    text = f"{said} {item.reference}"
    owner_id = item.record.owner_id
    facts = [f"Owner {name_of(people, owner_id)}" if owner_id else "No owner yet, so nobody is reminded"]
    if item.record.confidentiality is Confidentiality.CONFIDENTIAL:
        facts.append("confidential: no card, and only those involved see it")
    if item.record.is_archived:
        facts = ["Hidden from lists and reminders"]
    elif item.record.due_date and item.record.is_open:
        facts.append(f"due {due(item, project, today)}")
        facts += [f"repeats {repeat_in_words(item.repeats)}"] if item.repeats else []
        facts += _reminded(item, project, people, now)
    if not item.record.is_open and not item.record.is_archived:
        facts = [f"Status {item.status.label.lower()}"]
    changes = _changes(item, people, projects)
    blocks = [rich((f"{text} ", "bold"), item.record.title)]
    blocks += [rich(change) for change in changes]
    blocks.append(note(plain(" · ".join(facts))))
    blocks += [section(mrkdwn(hint)) for hint in hints]
    blocks += [section(plain(looks_like(item.kind, alike, people)))] if alike else []
    offered = []
    if way_back is not None:
        label, made = "Redo" if way_back == REDO else "Undo", version or item.record.version
        offered.append(button(label, way_back, f"{item.reference}:{made}", says=f"{label}: {text}"))
    edit = button("Edit", "edit", item.reference, says=f"Edit {item.reference}")
    offered += [edit] if not item.record.is_archived and item.kind.is_editable(item) else []
    if settings_of is not None:
        offered.append(button("Project settings", "settings", str(settings_of)))
    if alike:
        other = item.kind.reference_of(alike[0])
        offered.append(button(f"Open {other}", "show", other))
        offered.append(
            button(
                "Link as duplicate",
                "duplicate",
                f"{item.reference} {other}",
                says=f"{item.reference} duplicates {other}",
            )
        )
    blocks += [actions(offered)] if offered else []
    return Message(esc(f"{text}: {item.record.title}. {'. '.join([*changes, *facts])}."), blocks)


def _changes(item: Item, people: People, projects: ProjectNames) -> list[str]:
    """What the latest change changed, each field from what to what; nothing for a step, whose name says it."""
    rows = [row for row in told(item.changed) if row.act is not Act.STEPPED and row.field != "is_archived"]
    lines = [change_in_words(item.kind, row, people, projects, cut_at=CHANGE_SHOWN) for row in rows]
    return [_capital(line.removeprefix(UNDID)) for line in lines[:CHANGES_SHOWN]]


CHANGES_SHOWN = 12
CHANGE_SHOWN = 100


def looks_like(kind: Kind, alike: Sequence[Record], people: People) -> str:
    """Plain words that point out records that may be the same as one that is being logged."""
    said = [
        f"{kind.reference_of(each)} “{each.title}” ({kind.statuses(each.status).label.lower()}, "
        f"{name_of(people, each.owner_id) if each.owner_id else 'no owner'})"
        for each in alike
    ]
    return f"Looks like {' and '.join(filter(None, [', '.join(said[:-1]), said[-1]]))}."


def holiday_hints(item: Item, project: Project) -> list[str]:
    """Mrkdwn to point out that the project is free on the due date; nothing where it is not, or for a weekend."""
    due_date = item.record.due_date
    holiday = due_date and holiday_on(project, due_date)
    return [f"{day(due_date)} is {esc(holiday)} in the project's calendar."] if due_date and holiday else []


def about_left_over(item: Item, project: Project) -> list[str]:
    """Mrkdwn that tells of values whose fields the record's project has not; nothing where there are none."""
    names = " and ".join(esc(field.label) for field in left_over(item.kind))
    if not names:
        return []
    return [f"{names}: no field of {esc(project.name)}. What stood there stays on the card, and cannot be changed."]


def comes_next(item: Item, project: Project) -> str:
    """Mrkdwn that tells of the next record of a series, which the end of one has just made."""
    return f"It repeats: {item.reference} is due {esc(due(item, project))}."


def _reminded(item: Item, project: Project, people: People, now: datetime) -> list[str]:
    """From when on the owner's digest names it, where they want one."""
    owner = people.get(item.record.owner_id or "")
    if owner is None or item.record.due_date is None or not owner.wants_digest:
        return []
    first = first_named_on(project, item.record.due_date)
    is_ahead = instant_of(first, owner.digest_at, owner.timezone) > now
    return [f"in the digest from {day(first)}" if is_ahead else "in the next digest"]


def is_in_hands_of(item: Item, person_id: str) -> bool:
    """Whether the person owns the record or helps with it."""
    return person_id in (item.record.owner_id, *item.record.helpers)


def assigned(
    item: Item,
    project: Project,
    people: People,
    *,
    now: datetime,
    around: Around,
    reader: Actor,
    by: str | None = None,
) -> Message:
    """The direct message by which somebody learns of a record that is theirs, or that they help with.

    `by` is whoever gave it to them, where that is not whoever raised it.
    """
    card = record_card(item, project, people, now=now, around=around, reader=reader)
    if reader.id == item.record.owner_id:
        says = f"You own {item.reference} in {project.name}, raised by {name_of(people, item.record.raised_by)}."
    else:
        owner = name_of(people, item.record.owner_id)
        says = f"You help with {item.reference} in {project.name}, which {owner} owns."
    if by and by != item.record.raised_by and reader.id == item.record.owner_id:
        says += f" {name_of(people, by)} gave it to you."
    return Message(esc(f"{says} ") + card.text, [section(plain(says)), *card.blocks])


def taken_over(item: Item, people: People) -> Message:
    """What that message becomes when the record is no longer theirs."""
    if item.record.is_archived:
        return _removed_card(item)
    text = f"{_capital(name_of(people, item.record.owner_id))} owns {item.reference} now: {item.record.title}"
    return Message(esc(cut(text, 2_000)), [section(plain(text), _button(item, "Show", "show"))])


def not_yours_any_more() -> Message:
    """What that message becomes when they may no longer see the record."""
    text = "A record that was yours has moved on, and is no longer yours to see."
    return Message(text, [note(plain(text))])


def moved_away(item: Item) -> Message:
    """What a card becomes in the channel that its record left. Where it went is for those who may see it there."""
    text = f"{item.reference} was moved to another project."
    return Message(text, [section(plain(text), _button(item, "Show", "show"))])


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def assigned_batch(items: Sequence[tuple[Item, Project]], owner: Actor, *, now: datetime, by: str = "") -> Message:
    """The one direct message by which an owner learns of all that became theirs at once, from the person named `by`.

    Without a name it is the same message drawn anew, after a button in it.
    """
    says = f"You own {items[0][0].reference} in {items[0][1].name}" if len(items) == 1 else f"You own {len(items)} more"
    says = f"{says}, from {by}." if by else _still_open(items)
    blocks: list[Block] = [section(plain(says))]
    for item, project in items[:ROWS_SHOWN]:
        today = today_in(project.timezone, now)
        blocks += row(item, project, owner, today=today, actions_of=GIVEN, lasts=True)
    if len(items) > ROWS_SHOWN:
        blocks.append(note(plain(f"and {len(items) - ROWS_SHOWN} more: see Steward's Home tab")))
    references = ", ".join(item.reference for item, _ in items[:ROWS_SHOWN])
    return Message(esc(f"{says} {references}"), blocks)


GIVEN = "given"


def _still_open(items: Sequence[tuple[Item, Project]]) -> str:
    number = sum(item.record.is_open for item, _ in items)
    return f"{number} of these still open" if number else "All of these are settled"


# Three blocks a row, of the fifty a message may have.
ROWS_SHOWN = 14


def row(
    item: Item, project: Project, reader: Actor, *, today: date, actions_of: str, lasts: bool = False
) -> list[Block]:
    """One record as a line, below it the buttons of what the reader may do; for Home and what became theirs at once.

    In a message that `lasts` no day is called tomorrow: when it is read, that may be another one.
    """
    steps = [step for step in item.kind.steps_from(item.record.status) if step.is_main]
    buttons = [_step_button(item, step) for step in steps if may(reader, right_for(step, item), project, item)]
    if item.record.is_open and may(reader, Right.EDIT, project, item):
        buttons.append(button("Edit", "edit", item.reference, says=f"Edit {item.reference}"))
    buttons.append(button("Details", "show", item.reference, says=f"Details of {item.reference}"))
    return [
        title(item),
        note(plain(" · ".join(facts_of(item, project, today, lasts=lasts)))),
        actions(buttons, block_id=f"{actions_of}:{item.reference}"),
    ]


def facts_of(item: Item, project: Project, today: date, *, lasts: bool = False) -> list[str]:
    """What a line says of a record below its title, in plain text; `lasts` as with `row`."""
    facts = [project.name, status(item)]
    if item.record.due_date:
        facts.append(f"due {due(item, project, None if lasts else today)}")
    if item.record.priority in (Priority.HIGH, Priority.CRITICAL):
        facts.append(f"{item.record.priority.label} priority")
    facts += [
        f"{label.lower()} {shown}" for label, derive in item.kind.derived.items() if (shown := derive(item, today))
    ]
    return facts


def draft_saved(item: Item, project: Project, *, began: bool) -> Message:
    """What is asked of somebody whose reaction saved a draft, seen by them alone."""
    says = f"Saved {item.reference} as a draft in {project.name}: {item.record.title}"
    asks = "Is it complete? A draft is in the lists, and nobody is reminded of it."
    if is_untitled(item.kind, item.record.title):
        asks = "It needs a title: I could not read the message. A draft is in the lists, and nobody is reminded of it."
    blocks = [section(plain(says)), note(plain(asks))]
    if began:
        blocks.append(note(plain(f"It is the first record here, so I began the project {project.name}.")))
    offered = [
        button("Complete it", "edit", item.reference, style="primary", says=f"Complete {item.reference}"),
        button("Keep as it is", "keep", item.reference, says=f"Keep {item.reference} as it is"),
        button(f"Not {with_article(item.kind.singular)}", "discard", item.reference, says=f"Remove {item.reference}"),
    ]
    return Message(esc(f"{says}. {asks}"), [*blocks, actions(offered)])


def form_offered(words: str, typed: str) -> Message:
    """A button in place of a form, which Slack lets open only when somebody presses something.

    `words` is what the button carries; `typed` what the person wrote, in plain text.
    """
    text = "That takes a form, which Slack opens only for somebody who presses a button."
    return Message(
        f"{text} {esc(cut(typed, 500))}",
        [section(plain(text)), actions([button("Open the form", "typed", words, style="primary")])],
    )


def hello(channel: Channel, bot_user_id: str) -> Message:
    """The one greeting when Steward joins a channel."""
    text = (
        "Hello. I keep this channel's log of actions, risks, issues and decisions, "
        "and remind owners when things are due."
    )
    if channel.project_id is None:
        text += " The first record logged here begins the project."
    blocks = [
        section(plain(text)),
        section(mrkdwn("Try `/action Send the firewall diagram @name by friday`, or press a button.")),
        actions(
            [
                button("Log something", "log", "", style="primary"),
                button("Set up the project", "set_up", ""),
                button("How it works", "help", ""),
            ]
        ),
    ]
    return Message(text, blocks)


def trouble(sentence: str, item: Item | None = None) -> Message:
    """A direct message about something that could not be done, and what to do about it. The sentence is mrkdwn."""
    offered = [actions([button("Open", "show", item.reference, says=f"Open {item.reference}")])] if item else []
    return Message(sentence, [section(mrkdwn(sentence)), *offered])


@dataclass(frozen=True)
class HistoryLine:
    """One entry of a record's history; `words` is what was said with it, shown whole below."""

    at: datetime
    who: str
    what: str
    words: str = ""


def history(item: Item, lines: Sequence[HistoryLine]) -> Message:
    """A record's history for one person, newest last, instants in the reader's zone."""
    blocks: list[Block] = [title(item)]
    shown = lines[-HISTORY_ROWS:]
    if len(shown) < len(lines):
        blocks.append(note(plain(f"{len(lines) - len(shown):,} earlier changes are in the export")))
    for line in shown:
        blocks.append(note(mrkdwn(instant(line.at)), plain(line.who), plain(line.what, 1_500)))
        blocks += [rich(line.words)] if line.words else []
    return Message(esc(f"History of {item.reference}: {len(lines):,} changes"), blocks)


# At most two blocks each, of the fifty a message may have.
HISTORY_ROWS = 24


def said(comment: Comment, people: People) -> HistoryLine:
    """A comment as a line of the history; what was taken back is not repeated."""
    who = name_of(people, comment.author_id)
    if comment.taken_back_at is not None:
        return HistoryLine(comment.at, who, "commented, and took it back")
    return HistoryLine(
        comment.at, who, "commented, and reworded it" if comment.reworded_at else "commented", comment.text
    )


def commented(item: Item, comment: Comment) -> Message:
    """The private confirmation of a comment, or that it was taken back, with the way back and to other words."""
    is_gone, carried = comment.taken_back_at is not None, f"{item.reference}:{comment.id}"
    did = "Took back your comment" if is_gone else "Reworded your comment" if comment.reworded_at else "Commented"
    text = f"{did} on {item.reference}"
    label, action = ("Bring it back", RECOMMENT) if is_gone else ("Take back", UNCOMMENT)
    blocks = [rich((text, "bold")), *([] if is_gone else [rich(cut(comment.text, DETAILS_SHOWN))])]
    offered = [button(label, action, carried, says=f"{label}: {text}")]
    offered += [] if is_gone else [button("Reword", "reword", carried, says=f"Reword: {text}")]
    blocks.append(actions(offered))
    return Message(esc(f"{text}." if is_gone else f"{text}: {cut(comment.text, 300)}"), blocks)


UNCOMMENT = "uncomment"
RECOMMENT = "uncomment:redo"


def first_values(item: Item, rows: Sequence[History], people: People) -> str:
    """What the record was logged with, as words: the value before a field's first change, else the present one."""
    before = {row.field: stored_value(item.kind, row.field, row.before) for row in reversed(rows) if row.field}
    said = []
    for field in item.kind.form_fields:
        value = shown_value(field, before.get(field.key, item.value(field.key)), people)
        if value and not (field.default and value == field.default.label):
            said.append(f"“{cut(value, 250)}”" if field.key == "title" else f"{field.label.lower()} {cut(value, 100)}")
    return ", ".join(said)


def change_in_words(
    kind: Kind,
    row: History,
    people: People,
    projects: ProjectNames = NO_PROJECTS,
    *,
    cut_at: int = 3_000,
    first: str = "",
) -> str:
    """One history row as a sentence in plain text; `cut_at` shortens each value, `first` is what it was logged with.

    A project that the reader may not know of is not among `projects`, and not named.
    """
    if row.act is Act.CREATED:
        return f"logged it from {row.via}" + (f": {first}" if first else "")
    if row.field == "is_archived":
        return "removed it" if row.after else "brought it back"
    if row.field == "link":
        return row.note or "link"
    if row.act in (Act.SOURCE, Act.ASKED, Act.ANSWERED):
        return row.note or row.act.label.lower()
    if row.field == "is_draft":
        return "made it a draft again" if row.after else "it is a draft no longer"
    field = next((field for field in kind.all_fields if field.key == row.field), None)
    if row.field == "project_id":
        before, after = (projects.get(value, "a project you do not see") for value in (row.before, row.after))
    else:
        before, after = (cut(_past_value(kind, field, value, people), cut_at) for value in (row.before, row.after))
    word = UNDID if row.act is Act.UNDONE else ""
    remark = f" ({row.note})" if row.note else ""
    return f"{word}{kind.label_of(row.field or '').lower()}: {before or 'empty'} → {after or 'empty'}{remark}"


def _from_to(kind: Kind, first: History, last: History, people: People) -> str:
    """The way of a field over several changes, in plain text: `status Open → Done`."""
    field = next((field for field in kind.all_fields if field.key == first.field), None)
    before, after = (_past_value(kind, field, value, people) or "empty" for value in (first.before, last.after))
    return f"{kind.label_of(first.field or '').lower()} {before} → {after}"


def _past_value(kind: Kind, field: FieldSpec | None, stored: Any, people: People) -> str:
    if stored is None:
        return ""
    if field is None:
        return kind.statuses(stored).label if stored in list(kind.statuses) else str(stored)
    return shown_value(field, stored_value(kind, field.key, stored), people)


def title(item: Item) -> Block:
    """The record's reference and title; struck through once it is done with."""
    stands = item.record.is_open or item.record.status in item.kind.stands
    style = "bold" if stands else "strike"
    return rich(f"{item.kind.emoji} ", (f"{item.reference}  ", "bold"), (item.record.title, style))


def _facts(item: Item, project: Project, people: People, today: date, *, mention_owner: bool) -> list[Block]:
    record = item.record
    owner = mention(record.owner_id) if mention_owner and record.owner_id else esc(name_of(people, record.owner_id))
    facts: dict[str, str] = {"Owner": owner if record.owner_id else "nobody yet", "Status": status(item)}
    facts |= {label: shown for label, derive in item.kind.derived.items() if (shown := derive(item, today))}
    if record.due_date:
        is_late = record.is_open and record.due_date < today
        facts["Due"] = "\n".join(filter(None, [("🔴 Overdue: " if is_late else "") + due(item, project), moved(item)]))
    if record.closed_at:
        facts[f"{item.status.label} on"] = day(today_in(project.timezone, record.closed_at))
    if record.priority is not Priority.NORMAL:
        facts["Priority"] = record.priority.label
    for field in item.kind.all_fields:
        value = item.value(field.key)
        if not field.is_text and field.key not in SHOWN_APART and value != field.default:
            facts[field.label] = esc(cut(shown_value(field, value, people), FACT_SHOWN))
    drawn = [mrkdwn(f"*{label}*\n{value}") for label, value in facts.items() if value]
    return [
        {"type": "section", "fields": drawn[start : start + FACTS_EACH]} for start in range(0, len(drawn), FACTS_EACH)
    ]


def _escalated(item: Item, project: Project) -> list[Block]:
    """That somebody above was asked; that its owner was is between Steward and them."""
    record = item.record
    if record.climb_since is None or record.climb_rung not in (Rung.COORDINATOR, Rung.SPONSOR):
        return []
    on = day(today_in(project.timezone, record.climb_since))
    return [note(plain(f"Escalated to the {record.climb_rung.label} on {on}."))]


SHOWN_APART = ("owner_id", "due_date", "due_time", "priority", "tags")
FACTS_EACH = 10  # fields that Slack allows in one section
FACT_SHOWN = 1_000


def _remark(item: Item) -> list[Block]:
    """What was said with the latest step: why it is cancelled, what it waits for."""
    said = item.record.remark
    return [rich((f"{item.status.label}: ", "bold"), cut(said, DETAILS_SHOWN))] if said else []


def _texts(item: Item) -> list[Block]:
    fields = [f for f in item.kind.all_fields if f.is_text and f.key != "title"]
    return [
        rich((f"{field.label}: ", "bold"), cut(item.value(field.key), DETAILS_SHOWN))
        for field in fields
        if item.value(field.key)
    ]


def _links(links: Sequence[Linked]) -> list[Block]:
    drawn = [
        rich((f"{each.word}: ", "bold"), f"{each.reference}  ", (each.title, "" if each.is_open else "strike"))
        for each in links[:LINKS_SHOWN]
    ]
    if len(links) > LINKS_SHOWN:
        drawn.append(note(plain(f"and {len(links) - LINKS_SHOWN:,} more links")))
    return drawn


LINKS_SHOWN = 10


def _talk(talk: Talk) -> list[Block]:
    """How many comments there are, and what was said last."""
    if not talk.count:
        return []
    count = "1 comment" if talk.count == 1 else f"{talk.count:,} comments"
    if talk.count > len(talk.latest):
        count += f", the last {len(talk.latest)}"
    return [
        note(plain(f"{count}:")),
        *(rich((f"{each.who}: ", "bold"), cut(each.text, COMMENT_SHOWN)) for each in talk.latest),
    ]


COMMENT_SHOWN = 300


def linked(sentence: str, items: Sequence[Item]) -> Message:
    """The private confirmation that two records are linked, or no longer; the sentence is plain text."""
    rows = [title(item) for item in items]
    return Message(esc(sentence), [section(plain(sentence)), *rows])


def _origin(item: Item, project: Project, people: People) -> list[Block]:
    raised = day(today_in(project.timezone, item.record.created_at))
    origin = [plain(f"{project.name} · raised by {name_of(people, item.record.raised_by)} · {raised}")]
    if item.record.tags:
        origin.append(plain(tags.shown(item.record.tags)))
    if item.record.source_link:
        origin.append(mrkdwn(link(item.record.source_link, "from this message")))
    if item.record.source_change:
        origin.append(plain(f"The message it came from was {item.record.source_change.label}."))
    return origin


def _buttons(item: Item, project: Project, reader: Actor | None, *, is_whole: bool) -> list[Block]:
    """At most five in a row: the first steps of the kind's description, Edit, and a ⋯ menu with the rest.

    What finds no room in the menu either stands behind its *More…*, which shows them all (`is_whole`).
    For a reader only what that person may do; the card of a channel has many readers and offers everything.
    """

    def allowed(right: Right) -> bool:
        return reader is None or may(reader, right, project, item)

    moves = [
        _step_button(item, step) for step in item.kind.steps_from(item.record.status) if allowed(right_for(step, item))
    ]
    if allowed(Right.EDIT):
        moves += [
            _button(item, each.label, f"follow:{each.key}") for each in item.kind.follow_ups_from(item.record.status)
        ]
    edits = [_button(item, "Edit", "edit")] if allowed(Right.EDIT) and item.kind.is_editable(item) else []
    rest = [_button(item, "Comment", "comment")] if allowed(Right.COMMENT) else []
    rest.append(_button(item, "History", "history"))
    rest += [_button(item, "Move to another project", "move")] if allowed(Right.EDIT) else []
    if is_whole:
        return [*moves, *edits, *rest]
    room = BUTTONS_EACH - len(edits) - 1
    menu = [*moves[room:], *rest]
    if len(menu) > MENU_MAX:
        menu = [*moves[room:][: MENU_MAX - 2], rest[0], _button(item, "More…", "all")]
    return [*moves[:room], *edits, overflow(menu)]


BUTTONS_EACH = 5
MENU_MAX = 5  # entries that Slack allows in a ⋯ menu


def _button(item: Item, label: str, action: str) -> Block:
    return button(label, action, item.reference, says=f"{label}: {item.reference}")


def _step_button(item: Item, step: Step) -> Block:
    return button(
        step.label,
        f"step:{step.key}",
        item.reference,
        style="primary" if step.is_main else None,
        says=f"{step.label}: {item.reference}",
    )


def confidential_card(item: Item) -> Message:
    """What the card of a confidential record becomes in its channel: its reference, and the way for those involved."""
    text = f"{item.reference} is confidential."
    return Message(text, [section(plain(text), _button(item, "Show", "show"))])


def _removed_card(item: Item) -> Message:
    text = f"{item.reference} was removed: {item.record.title}"
    return Message(esc(cut(text, 2_000)), [note(plain(text))])


def people_of(item: Item) -> set[str | None]:
    """Everybody a card names, for fetching them at once."""
    fields = item.kind.all_fields
    persons = {item.value(field.key) for field in fields if field.type is FieldType.PERSON}
    several = {each for field in fields if field.type is FieldType.PEOPLE for each in item.value(field.key)}
    return {*persons, *several, item.record.raised_by}
