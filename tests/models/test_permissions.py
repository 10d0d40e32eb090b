"""The table of rights, row by row: who may do what to what they can see."""

from typing import Any

import pytest

from models.errors import NotAllowed
from models.kinds import Item
from models.kinds.action import ACTION, Action
from models.permissions import Actor, Right, Standing, actor_of, may, require
from models.tables import Editors, Person, Project, Record
from tests.support import NOW

PROJECT = Project(
    id=1,
    workspace_id="T1",
    name="Move",
    timezone="UTC",
    coordinator_id="UCOORDINATOR",
    sponsor_id="USPONSOR",
    created_by="UCOORDINATOR",
    home_channel_id="C1",
    created_at=NOW,
)
WITHOUT_COORDINATOR = PROJECT.model_copy(update={"coordinator_id": None, "sponsor_id": None})
SOMEBODYS = Item(
    ACTION,
    Record(
        project_id=1,
        channel_id="C1",
        kind="action",
        number=1,
        title="t",
        status="open",
        raised_by="URAISER",
        owner_id="UOWNER",
        helpers=["UHELPER"],
        created_at=NOW,
        updated_at=NOW,
    ),
    Action(record_id=1),
)

COLUMNS = {
    "member": Actor("UMEMBER", Standing.MEMBER),
    "owner": Actor("UOWNER", Standing.MEMBER),
    "raiser": Actor("URAISER", Standing.MEMBER),
    "helper": Actor("UHELPER", Standing.MEMBER),
    "coordinator": Actor("UCOORDINATOR", Standing.MEMBER),
    "sponsor": Actor("USPONSOR", Standing.MEMBER),
    "admin": Actor("UADMIN", Standing.MEMBER, is_admin=True),
    "guest": Actor("UGUEST", Standing.GUEST),
    "owning guest": Actor("UOWNER", Standing.GUEST),
    "raising guest": Actor("URAISER", Standing.GUEST),
    "helping guest": Actor("UHELPER", Standing.GUEST),
    "external": Actor("UEXTERNAL", Standing.EXTERNAL),
    "owning external": Actor("UOWNER", Standing.EXTERNAL),
    "nobody": Actor("UNOBODY", Standing.NOBODY),
    "helping nobody": Actor("UHELPER", Standing.NOBODY),
    "owning nobody": Actor("UOWNER", Standing.NOBODY),
    "raising nobody": Actor("URAISER", Standing.NOBODY),
}

EVERYBODY = set(COLUMNS) - {"nobody", "helping nobody", "owning nobody", "raising nobody"}
MEMBERS = {"member", "owner", "raiser", "helper", "coordinator", "sponsor", "admin"}
LEADERS = {"coordinator", "admin"}

MATRIX = {
    Right.SEE: EVERYBODY,
    Right.CREATE: MEMBERS | {"guest", "owning guest", "raising guest", "helping guest"},
    Right.COMMENT: MEMBERS | {"owning guest", "raising guest", "helping guest", "owning external"},
    Right.EDIT: MEMBERS | {"owning guest", "raising guest", "helping guest", "owning external"},
    Right.DELETE: LEADERS | {"sponsor", "raiser"},
    Right.APPROVE: LEADERS | {"sponsor"},
    Right.CONFIDE: {
        *("owner", "raiser", "coordinator", "sponsor"),
        *("owning guest", "raising guest", "owning external"),
    },
    Right.EXPORT: LEADERS,
    Right.SETTINGS: LEADERS | {"sponsor"},
    Right.BEGIN: MEMBERS,
    Right.BIND: MEMBERS,
    Right.ABSENCE: LEADERS,
    Right.REACTIONS: {"admin"},
    Right.SUMMARIZE: LEADERS | {"sponsor"},
    Right.STANDUP_SEE: EVERYBODY,
    Right.STANDUP: LEADERS | {"sponsor", "raiser"},
}


def test_every_right_has_its_row() -> None:
    assert set(MATRIX) == set(Right)


@pytest.mark.parametrize("who", COLUMNS)
@pytest.mark.parametrize("right", MATRIX)
def test_a_right_is_given_exactly_to_those_in_its_row(right: Right, who: str) -> None:
    assert may(COLUMNS[who], right, PROJECT, SOMEBODYS) is (who in MATRIX[right])


# A setting -> the right it moves and who has that right then.
SETTINGS = {
    "owners only": (
        {"who_may_edit": Editors.OWNERS},
        Right.EDIT,
        MATRIX[Right.EDIT] - {"member"},
    ),
    "others may log": ({"may_others_log": True}, Right.CREATE, MATRIX[Right.CREATE] | {"external", "owning external"}),
    **{
        f"archived: {right.value}": ({"archived_at": NOW}, right, set())
        for right in (Right.CREATE, Right.COMMENT, Right.EDIT, Right.DELETE, Right.APPROVE, Right.SUMMARIZE)
    },
    "archived: see": ({"archived_at": NOW}, Right.SEE, EVERYBODY),
    "archived: settings": ({"archived_at": NOW}, Right.SETTINGS, LEADERS | {"sponsor"}),
}


@pytest.mark.parametrize(("settings", "right", "allowed"), SETTINGS.values(), ids=SETTINGS.keys())
def test_a_setting_moves_a_right_exactly_so(settings: dict[str, Any], right: Right, allowed: set[str]) -> None:
    project = PROJECT.model_copy(update=settings)

    assert {who for who in COLUMNS if may(COLUMNS[who], right, project, SOMEBODYS)} == allowed


def test_a_setting_moves_nothing_but_its_right() -> None:
    changed = PROJECT.model_copy(update={"who_may_edit": Editors.OWNERS, "may_others_log": True})

    for right in set(Right) - {Right.EDIT, Right.CREATE}:
        assert {who for who in COLUMNS if may(COLUMNS[who], right, changed, SOMEBODYS)} == MATRIX[right]


@pytest.mark.parametrize("right", [Right.APPROVE, Right.EXPORT, Right.SETTINGS, Right.DELETE])
@pytest.mark.parametrize("standing", [Standing.GUEST, Standing.EXTERNAL, Standing.NOBODY])
def test_a_guest_leads_nothing_even_where_named_coordinator_or_admin(right: Right, standing: Standing) -> None:
    assert not may(Actor("UCOORDINATOR", standing, is_admin=True), right, PROJECT, SOMEBODYS)


@pytest.mark.parametrize(("who", "expected"), [("member", True), ("admin", True), ("guest", False), ("nobody", False)])
def test_a_project_without_coordinator_may_be_taken_by_any_full_member(who: str, expected: bool) -> None:
    assert may(COLUMNS[who], Right.SETTINGS, WITHOUT_COORDINATOR) is expected


@pytest.mark.parametrize("right", [Right.APPROVE, Right.EXPORT])
def test_a_project_without_coordinator_is_led_by_admins_only(right: Right) -> None:
    assert [who for who in COLUMNS if may(COLUMNS[who], right, WITHOUT_COORDINATOR, SOMEBODYS)] == ["admin"]


@pytest.mark.parametrize("right", [Right.EDIT, Right.DELETE])
def test_what_belongs_to_nobody_is_nobodys_own(right: Right) -> None:
    ownerless = Item(ACTION, SOMEBODYS.record.model_copy(update={"owner_id": None, "raised_by": "UGONE"}), Action())

    assert not may(COLUMNS["guest"], right, PROJECT, ownerless)


PEOPLE = {
    "a full member": ({}, Standing.MEMBER, False),
    "an admin": ({"is_admin": True}, Standing.MEMBER, True),
    "a guest": ({"is_guest": True}, Standing.GUEST, False),
    "somebody from another company": ({"is_external": True}, Standing.EXTERNAL, False),
    "their admin": ({"is_external": True, "is_admin": True}, Standing.EXTERNAL, False),
    "their guest": ({"is_external": True, "is_guest": True}, Standing.EXTERNAL, False),
    "somebody deactivated": ({"is_active": False}, Standing.NOBODY, False),
    "a deactivated admin": ({"is_active": False, "is_admin": True}, Standing.NOBODY, False),
    "an app": ({"is_bot": True}, Standing.NOBODY, False),
}


@pytest.mark.parametrize(("flags", "standing", "is_admin"), PEOPLE.values(), ids=PEOPLE.keys())
def test_a_persons_standing_follows_from_what_slack_says(
    flags: dict[str, bool], standing: Standing, is_admin: bool
) -> None:
    person = Person(workspace_id="T1", id="U1", name="ana", real_name="Ana", **flags)

    assert actor_of(person) == Actor("U1", standing, is_admin)


REFUSALS = [
    ("guest", Right.EDIT, PROJECT, r"Guests can change only what they own or raised, or help with\. Ask a member"),
    (
        "member",
        Right.APPROVE,
        PROJECT,
        r"Only the coordinator or the sponsor of Move can decide this\. Ask them",
    ),
    (
        "member",
        Right.EDIT,
        PROJECT.model_copy(update={"who_may_edit": Editors.OWNERS}),
        r"In Move a record is changed by its owner and helpers, by whoever raised it",
    ),
    ("external", Right.CREATE, PROJECT, r"People of other companies cannot log here"),
    (
        "coordinator",
        Right.CREATE,
        PROJECT.model_copy(update={"archived_at": NOW}),
        r"Move is archived, so nothing in it changes.*`/steward project restore Move`",
    ),
    ("member", Right.SETTINGS, PROJECT, r"Only the coordinator or the sponsor of Move can change a project's settings"),
    ("member", Right.APPROVE, WITHOUT_COORDINATOR, r"Only the coordinator or a workspace admin can decide this"),
    ("member", Right.EXPORT, None, r"Only the coordinator or a workspace admin can export"),
]


@pytest.mark.parametrize(("who", "right", "project", "sentence"), REFUSALS)
def test_a_refusal_says_whom_to_ask(who: str, right: Right, project: Project | None, sentence: str) -> None:
    with pytest.raises(NotAllowed, match=sentence):
        require(COLUMNS[who], right, project, SOMEBODYS)


def test_nothing_is_raised_for_those_who_may() -> None:
    require(COLUMNS["coordinator"], Right.APPROVE, PROJECT, SOMEBODYS)
