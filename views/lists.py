"""Lists of records, ten to a page: by urgency, or in the order of their kind; with buttons on each line."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from models import tags
from models.filters import ME, NOBODY, Filters, Scope
from models.kinds.base import Step
from models.labels import Priority
from reports.urgency import URGENCIES
from reports.work import Line, Page
from views.blocks import Block, Message, actions, button, divider, esc, mrkdwn, note, plain, section
from views.values import People, due, name_of, shown_value, status


@dataclass(frozen=True)
class ListView:
    """What a list is of. `line` is its filters as one line, which its buttons carry; `other` the opposite list's.

    `other` is a label and a line, as ("Show closed", ...). `steps` are the main steps this person may take now, by
    reference; `offers_select` is whether they may change several of the records, `names_projects` whether each line
    says where it belongs. `title` and `empty` are plain text and mrkdwn.
    """

    title: str
    line: str
    empty: str
    filters: Filters
    reader_id: str
    steps: Mapping[str, Step]
    other: tuple[str, str] | None = None
    offers_select: bool = False
    names_projects: bool = False


def record_list(page: Page, people: People, view: ListView) -> Message:
    """A private list whose buttons work on it in place."""
    blocks: list[Block] = [section(mrkdwn(f"*{esc(view.title)}*"))]
    limits = limits_in_words(view.filters, people)
    blocks += [note(plain(" · ".join(limits)))] if limits else []
    count = f"{in_all(page)} {view.filters.wanted_scope.label.lower()}".removesuffix(" all")
    if page.lines:
        for heading, lines in _groups(page, view.filters):
            blocks += [note(mrkdwn(heading))] if heading else []
            for line in lines:
                blocks += _line(line, people, page, view)
        blocks += [divider(), note(plain(f"{which(page)} of {count}"))]
    else:
        blocks.append(section(mrkdwn(view.empty)))
    turns = _turns(page, view)
    return Message(
        esc(f"{view.title}: {count}") if page.lines else f"{esc(view.title)}: {view.empty}",
        [*blocks, *([actions(turns)] if turns else [])],
    )


def which(page: Page) -> str:
    """Which lines of the whole list the page shows: "1,001 to 1,010", or "11" for a line alone."""
    first = page.number * page.size + 1
    return f"{first:,} to {first + len(page.lines) - 1:,}" if len(page.lines) > 1 else f"{first:,}"


def in_all(page: Page) -> str:
    """How many there are, as far as they were counted: "12", "more than 1,000"."""
    return f"{'more than ' if page.is_cut else ''}{page.total:,}"


def limits_in_words(filters: Filters, people: People) -> list[str]:
    """What limits the list beside its kinds, whether they are open, and its projects."""
    said = [wanted.replace("_", " ") for wanted in filters.statuses]
    said += [filters.due.value] if filters.due else []
    said += [f"{priority.label.lower()} priority" for priority in filters.priorities]
    match filters.at_least, filters.at_most:
        case (int(least), int(most)):
            said.append(f"score {least} to {most}")
        case (int(least), _):
            said.append(f"score {least} or more")
        case (_, int(most)):
            said.append(f"score {most} or less")
    who = {ME: "you", NOBODY: "nobody"}
    owners = [who.get(owner) or name_of(people, owner) for owner in filters.owners]
    hands = [f"owned by {' or '.join(owners)}"] if owners else []
    hands += ["helped with by you"] if filters.helping else []
    said += [" or ".join(hands)] if hands else []
    said += [f"#{tag}" for tag in filters.tags]
    said += ["waiting on you"] if filters.waiting else []
    return [*said, *(f"“{words}” in the title" for words in filters.words)]


MARKS = dict(zip(URGENCIES, ("🔴", "🟠", "🟡", "🟡", "⚪", "⚪"), strict=True))


def _groups(page: Page, filters: Filters) -> Iterator[tuple[str, list[Line]]]:
    """The lines under their headings; all under none where something else than the due date orders them."""
    kind = filters.only_kind
    if filters.wanted_scope is not Scope.OPEN or (kind and kind.has_own_order):
        yield "", list(page.lines)
        return
    for urgency in URGENCIES:
        lines = [line for line in page.lines if line.urgency == urgency]
        if lines:
            yield f"{MARKS[urgency]} *{urgency}*", lines


def _line(line: Line, people: People, page: Page, view: ListView) -> list[Block]:
    item, record = line.item, line.item.record
    due_words = due(item, line.project, line.today if record.is_open else None)
    is_late = record.is_open and line.urgency == "Overdue"
    facts = [
        line.project.name if view.names_projects else "",
        name_of(people, record.owner_id) + (", you help" if view.reader_id in record.helpers else ""),
        f"🔴 {due_words}" if is_late else due_words,
        status(item),
        f"{record.priority.label} priority" if record.priority in (Priority.HIGH, Priority.CRITICAL) else "",
        *(
            [derive(item, line.today) or "" for derive in item.kind.derived.values()]
            or [shown_value(field, item.value(field.key), people) for field in item.kind.fields if field.in_list]
        ),
    ]
    facts.append(tags.shown(record.tags))
    text = f"{item.kind.emoji} {item.reference}  {record.title}\n" + " · ".join(filter(None, facts))
    opens = button("Show", "show", item.reference, says=f"Show {item.reference}")
    step = view.steps.get(item.reference)
    if step is None:
        return [section(plain(text), opens)]
    carried = f"{item.reference} {page.number} {view.line}"
    moves = button(step.label, f"line:{step.key}", carried, style="primary", says=f"{step.label}: {item.reference}")
    return [section(plain(text)), actions([moves, opens])]


def _turns(page: Page, view: ListView) -> list[Block]:
    """Buttons to the pages before and after, where there are any, to change several, and to the opposite list."""
    turns = [button("Previous", "list:previous", f"{page.number - 1} {view.line}")] if page.number else []
    turns += [] if page.is_last else [button("Next", "list:next", f"{page.number + 1} {view.line}")]
    if view.offers_select:
        says = "Select several records to change"
        turns.append(button("Select…", "select", f"{page.number} {view.line}", says=says))
    return [*turns, button(view.other[0], "list:other", f"0 {view.other[1]}")] if view.other else turns
