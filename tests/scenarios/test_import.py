"""A table imported: a file or pasted text, every mistake with its line, nothing half done, no second time unnoticed."""

import json
from collections.abc import AsyncIterator

import pytest

from reports.export import Export
from sandbox.driver import Driver
from tests.scenarios.house import House, house_over_socket_mode, shown
from tests.scenarios.looking import CHECKER, answer, answered, held, refused_blocks
from tests.scenarios.steps import owed, until
from tests.scenarios.test_paste import submit_label, titles
from tests.scenarios.test_statements import counted

sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

LOG = """\
Ref,Kind,Summary,Assignee,Deadline,State,Likelihood,Impact,Comments
1,Action,Order cables,Ben Fischer,2030-03-05,Closed,,,Twenty of them
2,Risk,Switch may arrive late,Acme Support,05.03.2032,Monitoring,4,3,
3,Issue,VPN drops,@kavya,,In progress,,,
"""
BAD = """\
Title;Owner;Due date
Order cables;ben;2032-03-05
;ben;2032-03-05
Book the room;nobody;blue moon
Call Ben;;friday
"""


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    """Steward where Slack was asked to let it read files, too."""
    async with house_over_socket_mode(database_url, optional_scopes=True) as open_house:
        yield open_house
        assert not CHECKER.exists() or refused_blocks(open_house.sandbox) == []


async def preview(house: House, person: Driver, *, text: str = "", file: bytes = b"", **fields: str) -> str:
    """Open the form in #network and hand the table in; what its preview shows."""
    assert (await person.command("#network", "/steward", "import")).ok
    given: dict[str, object] = {"lines": text} if text else {"file": [person.upload("log.csv", file)]}
    await person.submit({**given, **fields})
    await house.settled()
    return shown(person.modal or {})


async def test_a_file_is_previewed_and_then_imported_as_a_whole(house: House) -> None:
    ana = house.sandbox.person("ana")

    seen = await preview(house, ana, file=LOG.encode("cp1252"))
    before, label = await titles(house), submit_label(ana)
    outcome = await ana.submit()
    await house.settled()

    assert before == []
    assert "3 records in log.csv, *3 can be imported* into *network*. Nothing is stored yet." in seen
    assert "Kind → Kind, Summary → Title, Assignee → Owner, Deadline → Due date, State → Status" in seen
    assert "Not known, so left out unless you choose below: \nRef" in seen
    assert "❗ Line 3: Owner: nobody here is called Acme Support, so the details name them." in seen
    assert label == "Import 3 records"
    assert outcome.ok
    action, risk, issue = [await house.record(reference) for reference in ("A1", "R1", "I1")]
    assert (action["status"], action["is_open"], action["due_date"]) == ("done", False, "2030-03-05")
    assert action["details"] == "Twenty of them"
    assert (risk["status"], risk["probability"], risk["details"]) == (
        "monitoring",
        4,
        "Owner outside Slack: Acme Support",
    )
    assert (issue["owner"], issue["is_open"]) == ("U00000000KA", True)
    assert "Imported 3 records in network: A1, R1, I1." in answered(ana)
    assert await owed(house, "card") == []


@sqlite_only
async def test_every_mistake_has_its_line_and_column_and_the_good_lines_are_imported_on_request(house: House) -> None:
    ana = house.sandbox.person("ana")

    seen = await preview(house, ana, text=BAD)
    label = submit_label(ana)
    await ana.submit()
    await house.settled()

    assert "4 records in the pasted table, *2 can be imported*" in seen
    assert "2 lines cannot be imported:" in seen
    assert "🔴 Line 3, Title: A title is needed: one line that says what it is." in seen
    assert "🔴 Line 4, Due date: I can't read “blue moon” as a date." in seen
    assert label == "Import 2 good lines"
    assert await titles(house) == ["Order cables", "Call Ben"]
    assert "2 lines with mistakes were left out." in answered(ana)


@sqlite_only
async def test_what_no_column_takes_is_kept_where_that_is_chosen_after_another_look(house: House) -> None:
    ana = house.sandbox.person("ana")
    await preview(house, ana, file=LOG.encode())

    await ana.submit({"others": ["keep"]})
    await house.settled()
    stored_by_then = await titles(house)
    await ana.submit()
    await house.settled()

    assert stored_by_then == []
    assert (await house.record("A1"))["details"] == "Ref: 1\nTwenty of them"


@sqlite_only
async def test_the_same_table_is_warned_of_whatever_its_file_is_called(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await preview(house, ana, file=LOG.encode())
    await ana.submit()
    await house.settled()

    again = await preview(house, ben, text=LOG.replace(",", "\t"))
    await ben.close()
    await ana.click(answer(ana), "undo_batch")
    await house.settled()
    undone = await preview(house, ana, file=LOG.encode())
    other = await preview(house, ana, text=LOG.replace("cables", "racks"))

    warning = "Ana Torres imported the same table on Mon 24 Nov 2031 (3 records, log.csv)."
    assert warning in again
    assert "imported the same table" not in undone
    assert "imported the same table" not in other


@sqlite_only
async def test_what_cannot_be_read_is_said_beside_its_input_and_the_form_stays(house: House) -> None:
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/steward", "import")

    async def refused(**fields: object) -> dict[str, str]:
        await ana.submit(fields)
        await house.settled()
        return dict(ana.form_errors)

    async def read(name: str, content: bytes, *, beside: str = "file", **fields: object) -> str:
        """What stands right below that input once the file has been read."""
        await refused(file=[ana.upload(name, content)], **fields)
        assert ana.modal is not None
        blocks = ana.modal["blocks"]
        at = next(at for at, block in enumerate(blocks) if block["block_id"] == beside)
        return shown({"blocks": [blocks[at + 1]]})

    assert await refused() == {"file": "Choose a file, or paste the table below."}
    assert "No column is the title." in (await refused(lines="Owner\nben"))["lines"]
    # By then the window says that the file is read, so the form comes back with what is wrong below its input.
    assert "There is a file as well." in await read("log.csv", b"Title\na", beside="lines")
    assert held(ana.modal)["lines"] == "Owner\nben"
    assert "no CSV file" in await read("log.xlsx", b"PK\x03\x04", lines="")
    assert "larger than 1 MB" in await read("log.csv", b"x" * 1_000_001)
    house.sandbox.fail("files.info", error="file_not_found")
    assert "Slack did not let me read the file." in await read("a.csv", b"x")
    assert await titles(house) == []


@sqlite_only
async def test_a_file_is_waited_for_with_a_word_at_once(house: House) -> None:
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/steward", "import")

    await ana.submit({"file": [ana.upload("log.csv", LOG.encode())]})
    meanwhile = shown(ana.modal or {})
    await until(house, lambda: "can be imported" in shown(ana.modal or {}))
    preview = submit_label(ana)
    await ana.submit()
    await house.settled()

    assert "Reading the file …" in meanwhile
    assert preview == "Import 3 records"
    assert "Imported 3 records in network" in answered(ana)


@sqlite_only
async def test_the_token_goes_to_slack_and_to_nobody_else(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address elsewhere is not asked, whoever names it."""
    ana = house.sandbox.person("ana")
    asked: list[str] = []

    async def elsewhere(method: str, **arguments: object) -> dict[str, object]:
        asked.append(method)
        return {
            "file": {"id": "F1", "name": "log.csv", "size": 3, "url_private_download": "https://slack.com.example/x"}
        }

    monkeypatch.setattr(house.here.edge._files._port, "call", elsewhere)
    found = await house.here.edge._files.read("F1")

    assert asked == ["files.info"]
    assert "Slack did not let me read the file." in found.problem
    assert ana.modal is None


@sqlite_only
async def test_without_the_scope_the_form_offers_the_text_box_only(database_url: str) -> None:
    async with house_over_socket_mode(database_url) as house:
        ana = house.sandbox.person("ana")
        await ana.command("#network", "/steward", "import")
        blocks = held(ana.modal)

        await ana.submit({"lines": "Title\nOrder cables"})
        await ana.submit()
        await house.settled()

        assert "file" not in blocks
        assert await titles(house) == ["Order cables"]


@sqlite_only
async def test_a_status_that_needs_the_coordinator_is_refused_to_others(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await ana.command("#network", "/action", "The first one")
    await house.settled()
    text = "Kind,Title,Status\ndecision,Use fibre,Approved\n"

    theirs = await preview(house, ben, text=text)
    hers = await preview(house, ana, text=text)

    assert "🔴 Line 2, Status: Only the coordinator can log one that is approved." in theirs
    assert "*1 can be imported*" in hers


@sqlite_only
async def test_what_steward_exports_can_be_imported_again(house: House) -> None:
    """As a table of its records: keys as headers, people by their ids."""
    ana = house.sandbox.person("ana")
    await preview(house, ana, file=LOG.encode())
    await ana.submit()
    await house.settled()
    before = await house.export()

    await preview(house, ana, file=as_table(before).encode("utf-8-sig"))
    await ana.submit()
    await house.settled()

    kept = ("kind", "title", "owner", "status", "priority", "due_date", "details", "probability", "impact")
    after = [{key: record.get(key) for key in kept} for record in (await house.export()).records]
    assert after[3:] == after[:3]
    assert len(after) == 6


def as_table(export: Export) -> str:
    """The records as CSV, every column there is."""
    names = list(dict.fromkeys(name for record in export.records for name in record))
    lines = [names, *([_cell(record.get(name)) for name in names] for record in export.records)]
    return "\r\n".join(",".join('"' + cell.replace('"', '""') + '"' for cell in line) for line in lines)


def _cell(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"], indirect=True)
async def test_two_hundred_records_take_as_many_statements_as_twenty(house: House) -> None:
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "The first one")
    await house.settled()

    taken = []
    for lines in (20, 200):
        rows = "\n".join(f"Record {n},{('ben', 'ana')[n % 2]},pilot" for n in range(lines))
        await preview(house, ana, file=f"Title,Owner,Tags\n{rows}".encode())
        async with counted(house) as statements:
            await ana.submit()
            await house.settled()
        taken.append(len(statements))

    assert len(await titles(house)) == 221
    assert await owed(house, "assigned_batch") == []
    assert taken[0] == taken[1] <= 14, statements
