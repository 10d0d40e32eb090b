"""Lists of records, grouped by urgency, ten to a page."""

import json

from reports.work import URGENCIES, Page
from views.blocks import Block, Message, actions, button, esc, mrkdwn, note, plain, section
from views.values import People, due, name_of, shown_value


def record_list(page: Page, people: People, *, title: str, of: dict[str, str], empty: str) -> Message:
    """A private list. `of` says what is listed, for the page buttons; `empty` is the sentence for an empty list."""
    blocks: list[Block] = [section(mrkdwn(f"*{esc(title)}*"))]
    if not page.lines:
        return Message(esc(f"{title}: {empty}"), [*blocks, section(mrkdwn(empty))])
    for urgency in URGENCIES:
        lines = [line for line in page.lines if line.urgency == urgency]
        if lines:
            blocks.append(note(mrkdwn(f"{MARKS[urgency]} *{urgency}*")))
        for line in lines:
            item = line.item
            facts = [shown_value(f, item.value(f.key), people) for f in item.kind.fields if f.in_list]
            derived = [derive(item, line.today) or "" for derive in item.kind.derived.values()]
            shown = [name_of(people, item.record.owner_id), due(item, line.project, line.today), item.status.label]
            text = f"{item.kind.emoji} {item.reference}  {item.record.title}\n" + " · ".join(
                filter(None, [*shown, *(derived or facts)])
            )
            opens = button("Open", "show", item.reference, says=f"Open {item.reference}")
            blocks.append(section(plain(text), opens))
    first = page.number * page.size + 1
    blocks.append(note(plain(f"{first} to {first + len(page.lines) - 1} of {page.total} open")))
    turns = _turns(page, of)
    return Message(esc(f"{title}: {page.total} open"), [*blocks, *([actions(turns)] if turns else [])])


MARKS = {"Overdue": "🔴", "Due today": "🟠", "Due this week": "🟡", "Later": "⚪", "No due date": "⚪"}


def _turns(page: Page, of: dict[str, str]) -> list[Block]:
    """Buttons to the pages before and after, where there are any."""

    def turn(label: str, action: str, number: int) -> Block:
        return button(label, action, json.dumps(of | {"page": str(number)}, ensure_ascii=False))

    turns = [turn("Previous", "list:previous", page.number - 1)] if page.number else []
    return turns if page.is_last else [*turns, turn("Next", "list:next", page.number + 1)]
