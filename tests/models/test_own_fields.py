"""Fields that a project adds to its records."""

from typing import Any

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

from models import moves, operations
from models.database import Database
from models.errors import InvalidFields
from models.importing import Reader, columns_of, read_rows, read_table
from models.kinds import Item
from models.kinds.action import ACTION
from models.kinds.risk import RISK
from models.own_fields import kind_in, left_over, problem, tidied
from models.permissions import actor_of
from models.search import passages
from models.tables import Person, Project
from models.undoing import of_version, take_back
from reports.export import export
from tests.support import NOW, WORKSPACE, make_channel, make_person, make_project, make_record, make_workspace

LINES = "Vendor\nCost centre: A 1 | B 2"
VALUES = {"own:Vendor": "Axolotl Ltd", "own:Cost centre": "B 2"}


def test_lines_are_tidied_and_stay_as_they_are_then() -> None:
    typed = "  Vendor \n\n Cost  centre :A 1|  B 2 | \n"

    assert tidied(typed) == LINES
    assert tidied(LINES) == LINES
    assert problem(LINES) is None
    assert problem("") is None


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("\n".join(f"Field {n}" for n in range(11)), "At most 10 fields; these are 11."),
        ("x" * 41, "a name of at most 40 characters"),
        (": A | B", "should begin with a name"),
        ("Owner", "There is a field “Owner” already"),
        ("Vendor\nvendor", "There is a field “Vendor” already"),
        ("Site: Paris", "at least two words to choose from"),
        ("Site:", "at least two words to choose from"),
        ("Site: A | a", "has the same word twice"),
        (f"Site: A | {'b' * 76}", "each of at most 75 characters"),
    ],
)
def test_lines_that_cannot_be_fields_are_refused_with_what_to_write(lines: str, said: str) -> None:
    assert said in (problem(lines) or "")


@pytest.fixture
async def session(database: Database) -> Any:
    async with database.unit(WORKSPACE) as session:
        yield session


@pytest.fixture
async def ana(session: AsyncSession) -> Person:
    await make_workspace(session)
    return await make_person(session)


@pytest.fixture
async def project(session: AsyncSession, ana: Person) -> Project:
    project = await make_project(session, by=ana)
    project.own_fields = LINES
    return project


async def change(session: AsyncSession, ana: Person, project: Project, item: Item, **values: Any) -> None:
    named = {f"own:{name.replace('_', ' ')}": value for name, value in values.items()}
    version = item.record.version
    await operations.change(session, actor_of(ana), item, project, named, version=version, now=NOW, via="form")


async def test_values_are_stored_found_exported_changed_and_undone(
    session: AsyncSession, ana: Person, project: Project
) -> None:
    made = await make_record(session, RISK, project=project, by=ana, **VALUES)
    item, _ = await operations.find(session, actor_of(ana), RISK, made.record.number)
    assert {key: item.value(key) for key in VALUES} == VALUES
    assert {passage.text for passage in passages(item)} >= set(VALUES.values())
    assert "axolotl" in item.record.words

    await change(session, ana, project, item, Vendor="Narwhal", Cost_centre="")
    (row,) = [row for row in await operations.history(session, item) if row.field == "own:Vendor"]
    assert (row.before, row.after, item.record.own_values) == ("Axolotl Ltd", "Narwhal", {"Vendor": "Narwhal"})

    made_it = await of_version(session, item, project, item.record.version)
    assert made_it is not None
    await take_back(session, actor_of(ana), made_it, now=NOW, via="undo")
    [exported] = (await export(session)).records
    assert {key: exported[key] for key in VALUES} == VALUES


sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


@sqlite_only
async def test_a_word_that_is_no_choice_is_refused_and_one_that_was_may_stay(
    session: AsyncSession, ana: Person, project: Project
) -> None:
    item = await make_record(session, ACTION, project=project, by=ana, **VALUES)
    with pytest.raises(InvalidFields) as refusal:
        await change(session, ana, project, item, Cost_centre="C 3")
    assert refusal.value.problems == {"own:Cost centre": "Choose one of: A 1, B 2."}

    project.own_fields = "Cost centre: A 1 | C 3"
    item, _ = await operations.find(session, actor_of(ana), ACTION, item.record.number)
    await change(session, ana, project, item, Cost_centre="B 2")
    await change(session, ana, project, item, Cost_centre="C 3")
    assert [field.label for field in left_over(item.kind)] == ["Vendor"]


@sqlite_only
async def test_a_record_that_moves_keeps_what_its_new_project_has_no_field_for(
    session: AsyncSession, ana: Person, project: Project
) -> None:
    item = await make_record(session, ACTION, project=project, by=ana, **VALUES)
    channel = await make_channel(session, "other", members=[ana])
    other = await make_project(session, by=ana, channel=channel, name="Other")
    other.own_fields = "Vendor"

    to = moves.Destination(other, channel.id)
    await operations.move(session, actor_of(ana), item, project, to, now=NOW, via="form")

    item, _ = await operations.find(session, actor_of(ana), ACTION, item.record.number)
    assert [field.label for field in left_over(item.kind)] == ["Cost centre"]
    assert {key: item.value(key) for key in VALUES} == VALUES
    assert "own:Cost centre" not in {field.key for field in item.kind.form_fields}


@sqlite_only
async def test_a_table_names_them_by_their_headers(session: AsyncSession, project: Project) -> None:
    table = read_table("Title,Vendor,Cost centre\nOrder,Acme,b 2\nPay,,D")
    columns = columns_of(table, ACTION, project)
    reader = Reader(NOW, NOW.tzinfo, "dmy", None, {}, project)  # type: ignore[arg-type]

    good, bad = read_rows(table, columns, ACTION, reader, keeps_unknown=False)

    assert good.new.values == {"title": "Order", "own:Vendor": "Acme", "own:Cost centre": "B 2"}
    assert [fault.sentence for fault in bad.faults] == ["“D” is none of these: A 1, B 2."]


def test_a_kind_is_itself_where_a_project_adds_nothing() -> None:
    plain = Project(name="x", timezone="UTC", created_by="U", home_channel_id="C", created_at=NOW)

    assert kind_in(ACTION, plain) is ACTION
    assert kind_in(kind_in(ACTION, plain.model_copy(update={"own_fields": "Vendor"})), plain) == ACTION
