"""How urgent a due date is, seen from a day."""

from datetime import date, timedelta

Urgency = str
URGENCIES: tuple[Urgency, ...] = ("Overdue", "Due today", "Due this week", "Later", "No due date")


def week_end(today: date) -> date:
    """The Sunday of that day's week."""
    return today + timedelta(days=6 - today.weekday())


def urgency(due_date: date | None, today: date) -> Urgency:
    """The word for a due date seen from `today`; the week ends on Sunday."""
    if due_date is None:
        return "No due date"
    if due_date < today:
        return "Overdue"
    if due_date == today:
        return "Due today"
    return "Due this week" if due_date <= week_end(today) else "Later"
