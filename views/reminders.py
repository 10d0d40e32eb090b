"""What the clock says about due dates: before a due time, and in a project's channel."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from models import reminders
from models.clock import today_in
from models.kinds import Item
from models.permissions import actor_of
from models.tables import Person, Project
from models.working_days import after_working_days
from views import cards
from views.blocks import Block, Message, actions, button, cut, esc, note, plain, rich, section
from views.values import People, day, due, name_of, zone_time

LINES_SHOWN = 10


def due_soon(item: Item, project: Project, owner: Person, reader: Person, *, now: datetime, at: datetime) -> Message:
    """The reminder before a due time; to a deputy it says whose the record is."""
    says = f"{item.reference} is due at {item.record.due_time:%H:%M} {zone_time(project.timezone)}, {_in(at - now)}."
    if owner.id != reader.id:
        says += f" {owner.shown_name} owns it and is away, and you stand in."
    today = today_in(project.timezone, now)
    *shown, buttons = cards.row(item, project, actor_of(reader), today=today, actions_of="due_soon")
    kept = [each for each in buttons["elements"] if each["action_id"] != "edit"]
    offered = actions([*kept[:-1], *_later(item, project, today), kept[-1]])
    return Message(esc(cut(f"{says} {item.record.title}", 2_000)), [section(plain(says)), *shown, offered])


def _later(item: Item, project: Project, today: date) -> list[Block]:
    """An hour later, and the next working day at the same time."""
    value = f"{item.reference} {reminders.value_of(item.record)}"
    tomorrow = after_working_days(project, today + timedelta(days=1), 0)
    name = "Tomorrow" if tomorrow == today + timedelta(days=1) else f"{tomorrow:%A}"
    return [
        button("One hour later", "later:hour", value, says=f"One hour later: {item.reference}"),
        button(name, "later:day", value, says=f"{name}: {item.reference}"),
    ]


def _in(left: timedelta) -> str:
    """`in 1 hour`, `in 45 minutes`; a minute that has begun counts."""
    minutes = -int(-left.total_seconds() // 60)
    if minutes % 60:
        return f"in {minutes} minute{'s' if minutes > 1 else ''}"
    hours = minutes // 60
    return f"in {hours} hour{'s' if hours > 1 else ''}"


def in_channel(project: Project, on: date, items: Sequence[Item], total: int, people: People) -> Message:
    """What is due and overdue, for a project's channel: items, with names only where the project wants them, no ping.

    `items` are the lines shown, the oldest first; `total` counts what finds no room too.
    """
    if not total:
        text = f"{project.name}: all that was due by {day(on)} is settled."
        return Message(esc(text), [section(plain(text))])
    text = f"{project.name}, {day(on)}: {total:,} due or overdue"
    blocks: list[Block] = [section(plain(text))]
    late = [item for item in items if item.record.due_date and item.record.due_date < on]
    for title, part in (("🔴 Overdue", late), ("🟠 Due", items[len(late) :])):
        if part:
            blocks += [rich((title, "bold")), *(_line(item, project, people, on) for item in part)]
    if total > len(items):
        blocks.append(note(plain(f"and {total - len(items):,} more")))
    blocks.append(note(plain("Kept up to date until the end of the day.")))
    return Message(esc(text), blocks)


def _line(item: Item, project: Project, people: People, on: date) -> Block:
    facts = [f"due {due(item, project, on)}"]
    if project.names_in_channel:
        facts.append(name_of(people, item.record.owner_id) if item.record.owner_id else "no owner yet")
    return rich((f"{item.reference}  ", "bold"), cut(item.record.title, 150), f" · {' · '.join(facts)}")


def not_posted(project: Project, why: str) -> str:
    """mrkdwn for the coordinator: today's reminder could not be posted, and what to do about it."""
    return f"I could not post today's reminder of {esc(project.name)} in <#{project.home_channel_id}>. {why}"
