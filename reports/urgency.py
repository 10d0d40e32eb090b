"""How urgent a due date is, seen from a day."""

from datetime import date, timedelta

Urgency = str
URGENCIES: tuple[Urgency, ...] = ("Overdue", "Due today", "Due tomorrow", "Next 7 days", "Later", "No due date")


def week_end(today: date) -> date:
    """The Sunday of that day's week."""
    return today + timedelta(days=6 - today.weekday())


def urgency(due_date: date | None, today: date) -> Urgency:
    """The word for a due date seen from `today`, the same on every day of the week."""
    if due_date is None:
        return "No due date"
    days = (due_date - today).days
    if days < 0:
        return "Overdue"
    return {0: "Due today", 1: "Due tomorrow"}.get(days, "Next 7 days" if days <= 7 else "Later")
