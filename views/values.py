"""Stored values as words."""

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from models import erased, tags
from models.kinds import Item
from models.kinds.base import FieldSpec, FieldType
from models.money import Money
from models.repeat_words import repeat_in_words
from models.tables import Person, Project

People = Mapping[str, Person]


def name_of(people: People, person_id: str | None) -> str:
    """The person's name, also that they left, or a word for somebody Steward has not met; never a mention."""
    if person_id is None:
        return "nobody"
    person = people.get(person_id)
    if person is None:
        return erased.NAME if erased.is_stand_in(person_id) else "somebody"
    return person.shown_name if person.is_active else f"{person.shown_name} (left)"


def day(value: date, today: date | None = None, clock: str = "") -> str:
    """`Fri 27 Nov 2026`, with the time if there is one, and how far away it is where that helps a reader."""
    shown = f"{value:%a} {value.day} {value:%b %Y}{clock}"
    if today is None:
        return shown
    away = (value - today).days
    if away < -1:
        return f"{shown}, {-away} days ago"
    return {0: f"today, {shown}", 1: f"tomorrow, {shown}", -1: f"yesterday, {shown}"}.get(away, shown)


def days(first: date, last: date, today: date) -> str:
    """`Mon 24 Nov to Fri 28 Nov`, with the year where it is not this one; one day alone is `Mon 24 Nov`."""

    def one(value: date) -> str:
        return f"{value:%a} {value.day} {value:%b}" + ("" if value.year == today.year else f" {value.year}")

    return one(first) if first == last else f"{one(first)} to {one(last)}"


def status(item: Item) -> str:
    """The status in a word; of a draft, that it is one."""
    return "Draft" if item.record.is_draft else item.status.label


def ago(at: datetime, now: datetime) -> str:
    """How long ago that was, in words that need no time zone."""
    minutes = int((now - at).total_seconds() // 60)
    for size, word in ((24 * 60, "day"), (60, "hour"), (1, "minute")):
        if number := minutes // size:
            return f"{number} {word}{'s' if number > 1 else ''} ago"
    return "just now"


def due(item: Item, project: Project, today: date | None = None) -> str:
    """The due date in words, with time and zone when a time was given; empty without a due date."""
    record = item.record
    return day_and_time(record.due_date, record.due_time, project, today) if record.due_date else ""


def day_and_time(value: date, at: time | None, project: Project, today: date | None = None) -> str:
    """A day as `day` shows it, with the time in the project's zone if there is one."""
    return day(value, today, f", {at:%H:%M} {zone_time(project.timezone)}" if at is not None else "")


def zone_time(timezone: str) -> str:
    """A time zone as people speak of it: `New York time`."""
    _, slash, city = timezone.rpartition("/")
    return f"{city.replace('_', ' ')} time" if slash else timezone


def moved(item: Item) -> str:
    """`moved twice, first promised Fri 4 Dec 2026`; empty while the first promise stands."""
    record = item.record
    if not record.due_moves or record.first_due_date is None:
        return ""
    times = {1: "once", 2: "twice"}.get(record.due_moves, f"{record.due_moves} times")
    return f"moved {times}, first promised {day(record.first_due_date)}"


def shown_value(field: FieldSpec, value: Any, people: People) -> str:
    """A field's value as plain text; empty when it has none."""
    if value is None or value == "":
        return ""
    match field.type:
        case FieldType.PERSON:
            return name_of(people, value)
        case FieldType.PEOPLE:
            return ", ".join(name_of(people, person_id) for person_id in value)
        case FieldType.DATE:
            return day(value)
        case FieldType.TIME:
            return f"{value:%H:%M}" if isinstance(value, time) else str(value)
        case FieldType.CHOICE:
            return str(value.label)
        case FieldType.REPEAT:
            return repeat_in_words(value)
        case FieldType.MONEY:
            return value.shown if isinstance(value, Money) else str(value)
        case FieldType.TAGS:
            return tags.shown(value)
        case _:
            return str(value)


def with_article(word: str) -> str:
    """The word with a or an before it."""
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"
