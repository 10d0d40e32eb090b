"""`steward erase`: asks first, says how much that was, and can be tried without changing anything."""

import asyncio
import os
import signal
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from bot import erase, stopping
from tests.bot.test_command_line import fill, installation, nothing, steward, two_projects

__all__ = ["installation"]

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


def rows(url: str, query: str) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        return connection.execute(query).fetchall()


def test_a_person_is_erased_once_their_id_was_typed_again(database_url: str) -> None:
    fill(database_url, two_projects)

    mistyped = steward("erase", "--person", "UBEN", input="UANA\n", DATABASE_URL=database_url)
    before = rows(database_url, "SELECT id FROM person")
    typed = steward("erase", "--person", "UBEN", input="UBEN\n", DATABASE_URL=database_url)

    assert (mistyped.exit_code, mistyped.stderr) == (1, "That is another id. Nothing was erased.\n")
    assert ("UBEN",) in before
    assert typed.exit_code == 0
    assert ["record", "0", "2"] in [line.split() for line in typed.stdout.splitlines()]
    assert "Looked for: UBEN, Ben Example, ben.\n" in typed.stdout
    assert rows(database_url, "SELECT id FROM person WHERE id = 'UBEN'") == []
    assert rows(database_url, "SELECT title FROM record") == [("Check the fans",), ("Nobody knows",)]


def test_who_or_what_is_erased_is_said_before_the_id_is_asked_for(database_url: str) -> None:
    fill(database_url, two_projects)
    fill(database_url, nothing, "T0002")

    def said(*options: str) -> str:
        """What stands above the question, whose answer is another id."""
        told = steward("erase", *options, input="no\n", DATABASE_URL=database_url)
        assert (told.exit_code, told.stderr) == (1, "That is another id. Nothing was erased.\n")
        return told.stdout.partition("Erasing cannot be undone.")[0]

    known = said("--person", "UBEN", "--workspace", "T0001")
    unmet = said("--person", "U0123456789", "--workspace", "T0002")
    whole = said("--workspace", "T0002")

    assert known == "UBEN is Ben Example (@ben) in the workspace Northwind (T0001).\n"
    assert unmet == (
        "Steward knows nobody with the id U0123456789 in the workspace Northwind (T0002). "
        "Only what names them would go.\n"
    )
    assert whole == "This is all of the workspace Northwind (T0002).\n"
    assert ("UBEN",) in rows(database_url, "SELECT id FROM person")


def test_what_cannot_be_erased_is_refused_before_the_id_is_asked_for(database_url: str) -> None:
    fill(database_url, two_projects)

    told = [
        steward("erase", *options, input="", DATABASE_URL=database_url)
        for options in (["--person", "ben"], ["--workspace", "T9"])
    ]

    assert [each.stdout for each in told] == ["", ""]
    assert told[0].stderr.startswith("ben is no user id of Slack's, so nothing was erased.")
    assert told[1].stderr == "There is no workspace T9 here.\n"


def test_what_would_go_is_counted_without_changing_anything(database_url: str) -> None:
    fill(database_url, two_projects)

    person = steward("erase", "--person", "UBEN", "--also", "ben@x.example", "--dry-run", DATABASE_URL=database_url)
    workspace = steward("erase", "--workspace", "T0001", "--dry-run", DATABASE_URL=database_url)

    assert [person.exit_code, workspace.exit_code] == [0, 0]
    assert ["person", "1", "0"] in [line.split() for line in person.stdout.splitlines()]
    assert person.stdout.endswith("Looked for: UBEN, Ben Example, ben, ben@x.example.\nNothing was changed.\n")
    assert ["person", "3"] in [line.split() for line in workspace.stdout.splitlines()]
    assert len(rows(database_url, "SELECT id FROM person")) == 3


def test_a_whole_workspace_is_deleted_and_no_other(database_url: str) -> None:
    fill(database_url, two_projects)
    fill(database_url, two_projects, "T0002")

    told = steward("erase", "--workspace", "T0002", "--yes", DATABASE_URL=database_url)

    assert told.exit_code == 0
    assert told.stdout.endswith("Backups and exports made before still hold what was erased: delete them too.\n")
    assert rows(database_url, "SELECT DISTINCT workspace_id FROM record") == [("T0001",)]
    assert rows(database_url, "SELECT id FROM workspace") == [("T0001",)]


def test_what_cannot_be_erased_is_said(database_url: str) -> None:
    fill(database_url, nothing)
    fill(database_url, nothing, "T0002")

    nobody = steward("erase", DATABASE_URL=database_url)
    unsaid = steward("erase", "--person", "UBEN", "--yes", DATABASE_URL=database_url)
    wrong = steward("erase", "--workspace", "T9", "--yes", DATABASE_URL=database_url)

    assert nobody.stderr == "Say who shall be erased: --person U… or a whole workspace, --workspace T…\n"
    assert unsaid.stderr == "Say which workspace: --workspace T0001 or T0002\n"
    assert wrong.stderr == "There is no workspace T9 here.\n"
    assert {told.exit_code for told in (nobody, unsaid, wrong)} == {1}


@pytest.mark.parametrize("whom", ["fans", "ben", "@ben", "<@UBEN>", "URGENT", "uben"])
def test_what_is_nobodys_id_is_not_taken_out_of_every_text(database_url: str, whom: str) -> None:
    fill(database_url, two_projects)
    before = rows(database_url, "SELECT title FROM record")

    told = steward("erase", "--person", whom, "--yes", DATABASE_URL=database_url)

    assert told.exit_code == 1
    assert told.stderr.startswith(f"{whom} is no user id of Slack's, so nothing was erased.")
    assert rows(database_url, "SELECT title FROM record") == before


def test_somebody_whom_steward_never_met_and_somebody_erased_before_can_be_erased(database_url: str) -> None:
    fill(database_url, two_projects)

    told = [
        steward("erase", "--person", whom, "--yes", DATABASE_URL=database_url)
        for whom in ("U0123456789", "UBEN", "UBEN")
    ]

    assert [each.exit_code for each in told] == [0, 0, 0]
    first = [each.stdout.partition("\n")[0] for each in told]
    assert [first[0], first[1].split()[0], first[2]] == ["Nothing was found.", "table", "Nothing was found."]


def test_a_file_that_somebody_reads_is_said_to_hold_more(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads the old state keeps it in the log beside the file."""
    monkeypatch.setattr(erase, "WORKER_WAIT_MS", 50)
    fill(database_url, two_projects)
    with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM person").fetchall()

        told = steward("erase", "--workspace", "T0001", "--yes", DATABASE_URL=database_url)

    assert told.exit_code == 0
    assert "Stop Steward and run the same command again." in told.stdout


def test_an_erasure_that_is_interrupted_does_not_end_as_one_that_was_done(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def interrupted(*_: Any, **__: Any) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.Event().wait()

    fill(database_url, two_projects)
    monkeypatch.setattr(erase.erasing, "erase", interrupted)
    monkeypatch.setattr(stopping, "_end", lambda: None)  # which would end the tests as well
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts beside itself ignores it
    try:
        told = steward("erase", "--person", "UBEN", "--yes", DATABASE_URL=database_url)
    finally:
        signal.signal(signal.SIGINT, before)

    assert (told.exit_code, told.stderr) == (1, "Interrupted before its end: run the same command again.\n")
