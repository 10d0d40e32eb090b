"""What a card and its confirmation say in words."""

from models.kinds.action import ACTION
from models.tables import Record
from views.cards import looks_like


def test_several_records_that_may_be_the_same_are_one_sentence() -> None:
    alike = [
        Record(workspace_id="T1", project_id=1, kind="action", number=each, title="Call", status="open", raised_by="U1")
        for each in (1, 2, 3)
    ]

    said = looks_like(ACTION, alike, {})

    assert said == "Looks like A1 “Call” (open, no owner), A2 “Call” (open, no owner) and A3 “Call” (open, no owner)."
