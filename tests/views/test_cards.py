"""What cards, confirmations and small forms say in words."""

from models.kinds import Item
from models.kinds.action import ACTION, Action
from models.tables import Person, Project, Record
from tests.support import NOW
from views.cards import looks_like
from views.digest import pass_form
from views.forms import FormContext


def an_action(number: int) -> Record:
    return Record(
        workspace_id="T1", project_id=1, kind="action", number=number, title="Call", status="open", raised_by="U1"
    )


def test_several_records_that_may_be_the_same_are_one_sentence() -> None:
    said = looks_like(ACTION, [an_action(number) for number in (1, 2, 3)], {})

    assert said == "Looks like A1 “Call” (open, no owner), A2 “Call” (open, no owner) and A3 “Call” (open, no owner)."


def test_nobody_is_asked_to_find_an_owner_where_nobody_coordinates() -> None:
    item = Item(ACTION, an_action(1), Action())
    project = Project(workspace_id="T1", name="Racks", timezone="UTC", created_by="U1", created_at=NOW)

    alone = pass_form(item, project, {}, FormContext())
    project.coordinator_id = "U1"
    people = {"U1": Person(workspace_id="T1", id="U1", name="ana", real_name="Ana Torres")}
    coordinated = pass_form(item, project, people, FormContext())

    assert "They are told. Without a name it is nobody's." in str(alone)
    assert "Without a name Ana Torres, who coordinates Racks, is asked to find somebody." in str(coordinated)
