"""What every record kind's description promises, checked for each of them; and descriptions that are refused."""

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import col, select

from models import kinds
from models.database import Database
from models.kinds import KINDS, Item, Kind, check, kind_named, read_reference
from models.kinds.action import ACTION
from models.kinds.assumption import ASSUMPTION
from models.kinds.base import FieldSpec, FieldType
from models.kinds.decision import DECISION
from models.kinds.dependency import DEPENDENCY
from models.kinds.issue import ISSUE
from models.kinds.risk import RISK, band, score
from models.labels import Labelled, Priority
from models.tables import Record
from tests.support import NOW, WORKSPACE, make_person, make_record, value_of

each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)


def item_of(kind: Kind, status: str | None = None, **values: Any) -> Item:
    """A record that no database has seen."""
    record = Record(
        project_id=1,
        channel_id="C1",
        kind=kind.key,
        number=7,
        title="t",
        status=status or kind.first_status,
        raised_by="UANA",
        created_at=NOW,
        updated_at=NOW,
    )
    return Item(kind, record, kind.model(record_id=1, **values))


# Promises of every kind --------------------------------------------------------------------------------------------


@each_kind
def test_a_description_agrees_with_itself_and_its_table(kind: Kind) -> None:
    check((kind,))


@each_kind
async def test_every_field_keeps_every_value_of_its_type(database: Database, kind: Kind) -> None:
    values = {field.key: value_of(field) for field in kind.all_fields}
    async with database.unit(WORKSPACE) as session:
        ana, _ = await make_person(session), await make_person(session, "ben")
        await make_record(session, kind, by=ana, **values)

    async with database.unit(WORKSPACE, writes=False) as session:
        record = (await session.exec(kinds_query(kind))).one()
        item = Item(kind, *record)

    assert {key: item.value(key) for key in values} == values


def kinds_query(kind: Kind) -> Any:
    return select(Record, kind.model).join(kind.model, kind.model.record_id == col(Record.id))  # type: ignore[attr-defined]


@each_kind
def test_a_kind_has_a_word_a_sentence_and_an_example_for_people(kind: Kind) -> None:
    assert kind.key == kind.singular
    assert kind.plural != kind.singular
    assert kind.help.endswith(".")
    assert kind.example
    assert len(kind.emoji) <= 2
    for field in kind.all_fields:
        assert field.label[0].isupper(), field.key
        assert field.help[-1] in ".”", field.key


@each_kind
def test_every_status_can_be_reached_and_left(kind: Kind) -> None:
    others = {each.to for each in kind.follow_ups if each.to} | ({kind.replacement.to} if kind.replacement else set())
    reached, waiting = {kind.first_status, *others}, [kind.first_status, *others]
    while waiting:
        for step in kind.steps_from(waiting.pop()):
            if step.to not in reached:
                reached.add(step.to)
                waiting.append(step.to)

    assert reached == set(kind.statuses)
    assert all(kind.steps_from(status) for status in set(kind.statuses) - {"withdrawn", "superseded"})


@each_kind
def test_a_new_record_is_open_and_one_main_step_closes_it(kind: Kind) -> None:
    (main,) = [step for step in kind.steps if step.is_main]

    assert kind.first_status not in kind.closed
    assert kind.first_status in main.begins
    assert main.to in kind.closed


@each_kind
def test_done_means_the_main_step_of_every_kind(kind: Kind) -> None:
    step = kind.step_named("done")

    assert step is not None
    assert step.is_main
    assert kind.step_named("dance") is None


@each_kind
def test_a_status_as_a_card_shows_it_is_a_step_to_it(kind: Kind) -> None:
    """So that “DP1 at risk, no news from them” does what it says."""
    for status in {step.to for step in kind.steps}:
        step, why = kind.step_at_start(f"{status.label}, because  so")

        assert step is not None, status
        assert (step.to, why) == (status, "because  so")
    assert kind.step_at_start("supersedes D3") == (None, "supersedes D3")


@each_kind
def test_no_step_leads_where_it_begins(kind: Kind) -> None:
    assert [step.key for step in kind.steps if step.to in step.begins or not step.begins] == []


@each_kind
def test_a_kind_is_known_by_its_names_in_any_case(kind: Kind) -> None:
    assert kind_named(kind.key) is kind_named(kind.plural.upper()) is kind_named(kind.singular.title()) is kind


@each_kind
def test_an_empty_record_can_be_shown(kind: Kind) -> None:
    item = item_of(kind)

    assert [shown(item, NOW.date()) for shown in kind.derived.values()] == [None] * len(kind.derived)
    assert item.reference == f"{kind.letter}7"
    assert item.status is kind.first_status


@each_kind
def test_fields_are_found_by_key_and_named_for_people(kind: Kind) -> None:
    assert kind.all_fields[0].key == "title"
    assert kind.field("owner_id").label == kind.label_of("owner_id") == "Owner"
    assert kind.label_of("is_archived") == "Is archived"
    with pytest.raises(KeyError):
        kind.field("nonsense")


def test_an_unknown_word_is_no_kind() -> None:
    assert kind_named("wish") is None
    assert kind_named("") is None


# References --------------------------------------------------------------------------------------------------------


@given(kind=st.sampled_from(KINDS), number=st.integers(1, 999_999_999), dash=st.sampled_from(["", "-"]))
def test_a_reference_is_read_however_it_is_written(kind: Kind, number: int, dash: str) -> None:
    for written in (f"{kind.letter}{dash}{number}", f" {kind.letter.lower()}{dash}{number}\n"):
        assert read_reference(written) == (kind, number)


@pytest.mark.parametrize(
    "text",
    ["", "A", "12", "A0", "A-0", "A012", "A--1", "A 12", "Z1", "AA1", "A1.5", "A12x", "A1234567890", "A１２", "А1"],
)
def test_what_is_no_reference_is_not_read_as_one(text: str) -> None:
    assert read_reference(text) is None


@given(st.text())
def test_any_text_is_a_reference_or_none(text: str) -> None:
    found = read_reference(text)

    assert found is None or read_reference(f"{found[0].letter}{found[1]}") == found


# Rules of single kinds ---------------------------------------------------------------------------------------------


@given(st.integers(1, 5), st.integers(1, 5))
def test_a_risks_score_is_the_product_and_grows_with_each_part(probability: int, impact: int) -> None:
    points = score(probability, impact)

    assert points == probability * impact
    assert band(points) in ("Low", "Medium", "High", "Critical")
    assert points <= (score(min(probability + 1, 5), impact) or 0)


@pytest.mark.parametrize(
    ("points", "word"),
    [
        (1, "Low"),
        (5, "Low"),
        (6, "Medium"),
        (10, "Medium"),
        (12, "High"),
        (15, "High"),
        (16, "Critical"),
        (25, "Critical"),
    ],
)
def test_a_score_has_its_word(points: int, word: str) -> None:
    assert band(points) == word


@pytest.mark.parametrize(("probability", "impact"), [(None, None), (3, None), (None, 3)])
def test_half_a_score_is_none(probability: int | None, impact: int | None) -> None:
    assert score(probability, impact) is None


def test_a_risk_shows_its_score_with_its_word() -> None:
    assert RISK.derived["Score"](item_of(RISK, probability=5, impact=4), NOW.date()) == "20 of 25, critical"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("proposed", True),
        ("deferred", True),
        ("rejected", True),
        ("needed", True),
        ("approved", False),
        ("withdrawn", False),
        ("superseded", False),
    ],
)
def test_a_decision_is_editable_until_it_is_approved(status: str, expected: bool) -> None:
    assert DECISION.is_editable(item_of(DECISION, status)) is expected


@pytest.mark.parametrize("kind", [ACTION, RISK, ISSUE, ASSUMPTION, DEPENDENCY], ids=lambda kind: kind.key)
def test_other_kinds_are_always_editable(kind: Kind) -> None:
    assert all(kind.is_editable(item_of(kind, status)) for status in kind.statuses)


def test_labels_carry_their_word_and_their_place() -> None:
    assert [(priority.value, priority.label, priority.rank) for priority in Priority] == [
        ("low", "Low", 0),
        ("normal", "Normal", 1),
        ("high", "High", 2),
        ("critical", "Critical", 3),
    ]

    class Plain(Labelled):
        ONE = "one"

    assert Plain.ONE.label == "one"


# Descriptions that are refused -------------------------------------------------------------------------------------


class OtherStatus(Labelled):
    LOST = "lost", "Lost"


def action_with(**changes: Any) -> Kind:
    return dataclasses.replace(ACTION, **changes)


def field(**changes: Any) -> FieldSpec:
    return dataclasses.replace(ACTION.fields[0], **changes)


BAD = {
    "a field without a column": (action_with(fields=(field(key="colour"),)), "no column for field 'colour'"),
    "a field without help": (action_with(fields=(field(help=""),)), "field 'done_when' has no help"),
    "a choice of nothing": (action_with(fields=(field(type=FieldType.CHOICE),)), "choice without choices"),
    "one field twice": (action_with(fields=(field(), field())), "two fields have the key 'done_when'"),
    "a closed status of another kind": (action_with(closed=frozenset(OtherStatus)), "'lost'"),
    "a step to another kind's status": (
        action_with(steps=(dataclasses.replace(ACTION.steps[0], to=OtherStatus.LOST),)),
        "'lost'",
    ),
    "a step from another kind's status": (
        action_with(steps=(dataclasses.replace(ACTION.steps[0], begins=(OtherStatus.LOST,)),)),
        "'lost'",
    ),
    "one word for two steps": (
        action_with(steps=(ACTION.steps[0], dataclasses.replace(ACTION.steps[1], words=("done",)))),
        "two steps answer to 'done'",
    ),
    "a step that asks for nothing there is": (
        action_with(steps=(dataclasses.replace(ACTION.steps[0], asks="effort"),)),
        "a step asks for 'effort'",
    ),
    "an answer nobody asks for": (
        action_with(fields=(field(type=FieldType.CHOICE, choices=OtherStatus, by_step=True),)),
        "no step asks for field 'done_when'",
    ),
    "no help": (action_with(help=""), "help and example are needed"),
    "no example": (action_with(example=""), "help and example are needed"),
}


@pytest.mark.parametrize(("kind", "sentence"), BAD.values(), ids=BAD.keys())
def test_a_description_that_contradicts_itself_is_refused_by_the_kinds_name(kind: Kind, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as refusal:
        check((RISK, kind))

    assert "record kind 'action'" in str(refusal.value)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"key": "deed"}, "two record kinds use the letter 'A'"),
        ({"letter": "X"}, "two record kinds use the key 'action'"),
        ({"letter": "ABC", "key": "deed"}, "letter"),
        ({"letter": "x", "key": "deed"}, "letter"),
    ],
)
def test_kinds_that_could_be_mistaken_for_each_other_are_refused(changes: dict[str, str], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        check((ACTION, action_with(**changes)))


def test_the_kinds_that_ship_are_checked_when_they_are_imported() -> None:
    check(kinds.KINDS)
    assert {kind.letter for kind in KINDS} >= {"A", "R", "I", "D"}
