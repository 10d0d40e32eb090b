"""The benchmark runs: with tiny numbers, which say nothing of how fast it is."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from benchmarks.__main__ import PARTS, REPORT
from benchmarks.data import fill
from benchmarks.slack import BOT, CHANNEL, TEAM, TOKEN, stand_in
from bot.slack_directory import SlackDirectory
from bot.slack_port import SlackWebApi
from models.database import Database
from models.tables import Channel, ChannelMember, Person, Workspace
from tests.support import FixedClock

ROOT = Path(__file__).parent.parent


def test_the_benchmark_measures_every_row_beside_the_bare_app(tmp_path: Path) -> None:
    written = tmp_path / "performance.md"
    written.write_text(
        "Before.\n<!-- requests SQLite -->\nlast time\n<!-- /requests SQLite -->\nAfter.\n", encoding="utf-8"
    )

    told = bench("--only", "requests", "--write", str(written))

    measured, goals = told.split("| goal ")
    rows = [row for row in cells(measured) if len(row) == 11]
    asked = ["log with words", "open a form", "list", "list of one kind", "find two words"]
    assert [row[0] for row in rows[2:]] == ["acknowledge", "store one row", *asked]
    assert all(float(row[2]) > 0 for row in rows[2:])
    assert goals.count("SQLite: ") == 9
    kept = written.read_text(encoding="utf-8")
    assert kept.startswith("Before.\n<!-- requests SQLite -->\n\nMeasured on ")
    assert kept.endswith(f"{told.strip()}\n\n<!-- /requests SQLite -->\nAfter.\n")


def test_the_published_page_has_a_place_for_each_part_on_each_database() -> None:
    page = (ROOT / REPORT).read_text(encoding="utf-8")

    for part in PARTS:
        for engine in ("SQLite", "PostgreSQL"):
            assert page.count(f"<!-- {part} {engine} -->") == page.count(f"<!-- /{part} {engine} -->") == 1


def test_the_benchmark_of_the_clock_measures_few_records_and_many() -> None:
    told = cells(bench("--only", "tick"))

    rows = [row for row in told if len(row) == 11]

    assert [row[:2] for row in rows[2:]] == [["SQLite", "200"], ["SQLite", "2,000"]]
    assert all(float(row[column]) > 0 for row in rows[2:] for column in (2, 4, 7, 9))
    turns = {row[0]: float(row[1]) for row in told if len(row) == 2 and row[1].replace(".", "").isdigit()}
    assert turns.keys() == {"a look at which 100 come due", "sending them"}
    assert all(turns.values())
    claimed = [row for row in told if len(row) == 3 and row[0].isdigit()]
    assert [(row[0], row[2]) for row in claimed] == [("1", "0"), ("2", "0")]


def test_the_benchmark_of_size_asks_the_same_of_few_records_and_many() -> None:
    measured, goals = bench("--only", "size").split("| goal ")

    rows = [row for row in cells(measured) if len(row) == 7][2:]
    assert [row[0] for row in rows] == ["log with words", "open a form", "list", "list of one kind", "find two words"]
    assert all(float(row[column]) > 0 for row in rows for column in (4, 5, 6))
    assert goals.count("SQLite: ") == len(rows)


def test_the_benchmark_of_steadiness_counts_what_was_asked_and_what_is_stored() -> None:
    [told] = [row for row in cells(bench("--only", "steady")) if len(row) == 8 and row[0].startswith("SQLite")]

    assert told[2] == told[3] == "12"
    assert 0 < float(told[4]) <= float(told[6])


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_what_the_stand_in_says_of_people_and_channels_is_what_is_measured_over(
    database: Database, clock: FixedClock
) -> None:
    """Otherwise what is read again meanwhile changes it."""
    await fill(database, 8)

    async def known() -> list[dict[str, Any]]:
        async with database.unit(TEAM, writes=False) as session:
            rows = [row for table in (Channel, ChannelMember, Person) for row in await session.exec(select(table))]
        return [row.model_dump(exclude={"members_known_at"}) for row in rows]

    before = await known()
    async with stand_in() as api:
        slack = SlackWebApi(TOKEN, api)
        directory = SlackDirectory(database, slack, clock, Workspace(id=TEAM, name="Bench", bot_user_id=BOT))
        await directory.warm()
        await directory.reread([CHANNEL])
        await slack.close()

    assert await known() == before


def bench(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    return done.stdout


def cells(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if "|" in line]
