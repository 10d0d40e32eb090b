"""Tables as spreadsheets write them: encodings, delimiters, headers in other words, and every fault with its place."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.dates import DateOrder
from models.importing import NoTable, Reader, columns_of, decoded, names_of, read_rows, read_table
from models.kinds import KINDS
from models.kinds.action import ACTION, ActionStatus
from models.kinds.decision import DecisionStatus
from models.kinds.risk import RISK
from models.labels import Priority
from models.tables import Person

BERLIN = ZoneInfo("Europe/Berlin")
BEN = Person(id="U0000BEN", name="ben", real_name="Ben Fischer")
ALEX = [Person(id=f"U000{n}", name=f"alex_{n}", real_name="Alex Kim") for n in "ab"]
READER = Reader(
    now=datetime(2026, 11, 18, 15, tzinfo=UTC),
    zone=BERLIN,
    order=DateOrder.DMY,
    locale="en-GB",
    people={"ben": [BEN], "ben fischer": [BEN], "u0000ben": [BEN], "alex kim": ALEX},
)


def drafts(text, kind=ACTION, *, keeps_unknown=False):
    table = read_table(text)
    return read_rows(table, columns_of(table, kind), kind, READER, keeps_unknown=keeps_unknown)


def values(text, kind=ACTION):
    [draft] = drafts(text, kind)
    assert not draft.faults, draft.faults
    return dict(draft.new.values)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_what_a_spreadsheet_writes_is_read(encoding, delimiter, newline):
    lines = [["Title", "Owner"], ["Bücher, bestellen; heute\tnoch", "ben"], ["", ""], ['Two\nlines of "it"', ""]]
    text = newline.join(delimiter.join(f'''"{cell.replace('"', '""')}"''' for cell in line) for line in lines)

    table = read_table(decoded(text.encode(encoding)))

    assert table.header == ("Title", "Owner")
    assert [row.cells[0] for row in table.rows] == ["Bücher, bestellen; heute\tnoch", 'Two\nlines of "it"']
    assert [row.line for row in table.rows] == [2, 4]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04rest of a workbook", "That is no CSV file."),
        (b"a,b\x00c", "That is no CSV file."),
        (b"\xff\xfea", "That is no CSV file."),
        (b"", "There is nothing in it."),
        (b"Title,Owner\n", "There is only one line in it."),
        (b"Owner,Due\nben,friday\n", "No column is the title. Call one Title, Summary or Name"),
        (b'Title\nfine\n"never closed\n', "Line 3 cannot be read as a table"),
        (b"Title\n" + b"x\n" * 501, "That are 501 records; at most 500 at once."),
    ],
)
def test_what_is_no_table_is_refused_with_what_to_do(content, said):
    with pytest.raises(NoTable) as refused:
        columns_of(read_table(decoded(content)), ACTION)

    assert str(refused.value).startswith(said)


@pytest.mark.parametrize(
    ("header", "field"),
    [
        *(("Summary", "title"), ("NAME", "title"), ("Assignee", "owner_id"), ("assigned_to", "owner_id")),
        *(("Risk owner", "owner_id"), ("Due date", "due_date"), ("due_date", "due_date"), ("Deadline", "due_date")),
        *(("Likelihood", "probability"), ("Risk impact", "impact"), ("State", "status"), ("Description", "details")),
        *(("Prio", "priority"), ("owner", "owner_id"), ("Residual probability", "residual_probability")),
    ],
)
def test_a_header_is_a_label_a_key_or_another_word_for_it(header, field):
    columns = columns_of(read_table(f"Title,{header}\na,b" if field != "title" else f"{header}\na"), RISK)

    assert columns[-1].fields == {"risk": field}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
def test_every_label_of_every_form_is_understood(kind):
    header = ",".join(field.label for field in kind.all_fields)

    columns = columns_of(read_table(f"{header}\n{',' * header.count(',')}x"), kind)

    assert [column.fields.get(kind.key) for column in columns] == [field.key for field in kind.all_fields]


def test_a_type_column_is_the_kind_where_it_names_kinds_and_a_field_where_not():
    both = drafts("Type,Title\nRisk,Late\nA,Order\n")
    [issue] = drafts("Type,Title\nDefect,Broken\n", KINDS[2])

    assert [draft.new.kind.key for draft in both] == ["risk", "action"]
    assert issue.new.values["issue_type"].value == "defect"


def test_every_type_of_cell_is_read():
    text = (
        "Kind,Title,Owner,Due,Priority,Tags,Status,Probability,Impact,Response\n"
        'risk,Late,Ben Fischer,20.11.2026,Medium,"wan, pilot",Monitoring,4,5 - severe,Mitigate\n'
    )
    [draft] = drafts(text)

    assert not draft.faults
    assert draft.new.status == "monitoring"
    assert draft.new.values == {
        "title": "Late",
        "owner_id": "U0000BEN",
        "due_date": date(2026, 11, 20),
        "priority": Priority.NORMAL,
        "tags": "wan pilot",
        "probability": 4,
        "impact": 5,
        "response": "mitigate",
    }


@pytest.mark.parametrize("word", ["Unassigned", "none", "N/A", "TBD", "-"])
def test_a_cell_that_says_nothing_is_an_empty_one_and_a_text_stays(word):
    text = f"Title,Owner,Helpers,Due,Priority,Tags,Effort\n{word},{word},{word},{word},{word},{word},{word}\n"
    [draft] = drafts(text)

    assert not draft.faults
    assert not draft.notes
    assert draft.new.values == {"title": word, "effort": word}


@pytest.mark.parametrize(
    ("cell", "day", "at"),
    [
        ("2026-11-20", "2026-11-20", None),
        ("2026-11-20 00:00:00", "2026-11-20", None),
        ("2026-11-20T15:30:00", "2026-11-20", time(15, 30)),
        ("03/12/2026", "2026-12-03", None),
        ("3 Mar 2024", "2024-03-03", None),
        ("01.02.2020", "2020-02-01", None),
        ("friday 3pm", "2026-11-20", time(15)),
    ],
)
def test_dates_of_the_past_are_taken_from_a_table_when_they_name_their_year(cell, day, at):
    read = values(f"Title,Due\na,{cell}")

    assert (read["due_date"].isoformat(), read.get("due_time")) == (day, at)


@pytest.mark.parametrize(
    ("status", "kind", "stored"),
    [
        ("done", ACTION, ActionStatus.DONE),
        ("Closed", ACTION, ActionStatus.DONE),
        ("in_progress", ACTION, ActionStatus.IN_PROGRESS),
        ("To do", ACTION, ActionStatus.OPEN),
        ("approved", KINDS[3], DecisionStatus.APPROVED),
    ],
)
def test_a_status_is_one_of_the_kind_or_what_its_steps_are_called(status, kind, stored):
    [draft] = drafts(f"Title,Status\na,{status}", kind)

    assert (draft.new.status, draft.faults) == (stored, ())


@pytest.mark.parametrize(
    ("header", "cell", "said"),
    [
        ("Due date", "soonish", "I can't read “soonish” as a date."),
        ("Due date", "yesterday", "“yesterday” is Tue 17 Nov 2026, which has passed."),
        ("Due date", "31.02.2027", "“31.02.2027” cannot be"),
        ("Priority", "huge", "“huge” is none of these: Low, Normal, High, Critical."),
        ("Status", "Parked", "“Parked” is no status of risks. There are: Open, Assessed"),
        ("Impact", "7", "“7” is no number from 1 to 5."),
        ("Owner", "Alex Kim", "Several people are called Alex Kim: @alex_a, @alex_b."),
        ("Kind", "Stakeholder", "“Stakeholder” is no kind of record. There are: action, risk"),
        ("Due time", "noonish", "I can't read “noonish” as a time."),
    ],
)
def test_a_cell_that_cannot_be_read_is_named_with_its_line_and_column(header, cell, said):
    [good, bad] = drafts(f'Title,{header}\na,\n"b",{cell}\n', RISK)

    assert good.faults == ()
    [fault] = bad.faults
    assert (bad.line, fault.label) == (3, header)
    assert fault.sentence.startswith(said)


def test_what_no_field_takes_goes_nowhere_or_to_the_details():
    text = "Ref,Title,Probability,Details,Sponsor\nX-1,Order,4,soon,Zoe\n"

    [left_out], [kept] = drafts(text), drafts(text, keeps_unknown=True)

    assert left_out.new.values == {"title": "Order", "details": "soon"}
    assert kept.new.values["details"] == "Ref: X-1\nProbability: 4\nSponsor: Zoe\nsoon"


def test_a_column_that_other_kinds_have_is_named_where_it_means_nothing():
    [action, _] = drafts("Kind,Title,Probability\naction,Order,4\nrisk,Late,4\n")

    assert action.notes == ("Probability means nothing for actions, so it is left out.",)


def test_people_who_are_not_here_are_kept_by_name():
    [draft] = drafts('Title,Owner,Deciders\na,Acme Support,"ben, Zoe; Max"\n', KINDS[3])

    assert draft.new.values["deciders"] == ["U0000BEN"]
    assert draft.new.values["details"] == "Owner outside Slack: Acme Support\nDeciders outside Slack: Zoe, Max"
    assert len(draft.notes) == 2


def test_a_line_with_more_cells_than_columns_is_a_fault_and_one_with_fewer_is_none():
    [short, long] = drafts("Title,Owner\na\nb,ben,c\n")

    assert short.faults == ()
    assert "The line has 3 cells, the first line names 2." in long.faults[0].sentence


def test_the_quote_before_a_formula_is_taken_off_again():
    assert values("Title\n'=SUM(A1)")["title"] == "=SUM(A1)"
    assert values("Title\n'tis fine")["title"] == "'tis fine"


def test_names_to_look_up_are_those_of_person_columns_only():
    table = read_table('Title,Owner,Deciders\nZoe,@Ben Fischer,"Max; Mia"\n')

    assert names_of(table, columns_of(table, KINDS[3])) == {"ben fischer", "max; mia", "max", "mia"}


CELL = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(st.lists(st.lists(CELL, min_size=4, max_size=4), min_size=1, max_size=4))
def test_no_cells_make_it_fail(rows):
    """Whatever stands in them, each row is a draft with values, or with faults that say why not."""
    lines = [["Title", "Due date", "Owner", "Status"], *rows]
    text = "\n".join(",".join('"' + cell.replace('"', '""') + '"' for cell in line) for line in lines)
    try:
        found = drafts(text)
    except NoTable:
        return

    assert len(found) <= len(rows)
    assert all(draft.faults or draft.new.values or draft.new.status for draft in found)
