"""What a summary says of single records."""

from datetime import date, timedelta

import pytest

from models.kinds import Item
from models.kinds.decision import DECISION, Decision
from models.summaries import Frame, Period
from models.tables import Project, Record
from reports.summary import Line, Numbers, Participation, Summary
from tests.support import NOW
from views.summary import details, summary


@pytest.mark.parametrize(("due_in", "ending"), [(-6, ", 6 days late"), (-1, ", 1 day late"), (0, ""), (2, "")])
def test_a_decision_that_is_late_is_called_late(due_in: int, ending: str) -> None:
    end = NOW.replace(hour=12)
    due = end.date() + timedelta(days=due_in)
    record = Record(
        project_id=1, kind="decision", number=2, title="Move", status="proposed", raised_by="U1", due_date=due
    )
    line = Line(Item(DECISION, record, Decision()), False, due, due, None, None)
    asked = Participation(0, 0)
    told = Summary(
        Project(id=1, name="network", timezone="UTC"),
        Period(end - timedelta(days=7), end),
        Numbers(decisions_needed=1),
        Numbers(),
        asked,
        asked,
        lists={"decisions_needed": (line,)},
    )

    by = f"by {short_day(due)}{ending}"
    assert f"1 needed, D2 Move {by}'" in str(summary(told, Frame(), {}).blocks)
    assert f"Move: needed {by}'" in str(details(told).blocks)


def short_day(value: date) -> str:
    return f"{value:%a} {value.day} {value:%b}"
