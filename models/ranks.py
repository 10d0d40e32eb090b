"""Where a record stands in lists, as numbers that a database can index; the smaller come first.

`Record.place` is the order of most lists: by due date, then due time, then priority; without a date, or a time, last.
`Record.kind_rank` is what its kind puts before that in a list of it alone.
"""

from datetime import date, time
from typing import Final

from models.kinds import Item
from models.labels import Priority
from models.tables import NO_DAY, NO_MINUTE, PLACES_A_DAY

# Of what the kind ranks by and this record does not have.
LAST: Final = 99


def rank(item: Item) -> None:
    """Note on the record where it stands."""
    record = item.record
    record.place = place(record.due_date, record.due_time, record.priority)
    record.kind_rank = _kind_rank(item)


def place(day: date | None, at: time | None, priority: Priority) -> int:
    """Where what is due then, and matters so much, stands by its due date."""
    minute = at.hour * 60 + at.minute if at else NO_MINUTE
    below_critical = Priority.CRITICAL.rank - Priority(priority).rank
    return (day.toordinal() if day else NO_DAY) * PLACES_A_DAY + minute * len(Priority) + below_critical


def _kind_rank(item: Item) -> int:
    if item.kind.score is not None:
        return -(item.kind.score(item) or 0)
    if not item.kind.ranked_by:
        return 0
    choices, chosen = item.kind.field(item.kind.ranked_by).choices, item.value(item.kind.ranked_by)
    return choices(chosen).rank if choices and chosen else LAST
