"""The benchmark runs: with tiny numbers, which say nothing of how fast it is."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_benchmark_measures_every_row_beside_the_bare_app(tmp_path: Path) -> None:
    written = tmp_path / "performance.md"

    told = bench("--only", "requests", "--write", str(written))

    measured, goals = told.split("| goal ")
    rows = cells(measured)
    assert [row[0] for row in rows[2:]] == [
        "acknowledge",
        "store one row",
        "log with words",
        "open a form",
        "list",
        "list of one kind",
        "find two words",
    ]
    assert {len(row) for row in rows} == {11}
    assert all(float(row[2]) > 0 for row in rows[2:])
    assert goals.count("SQLite: ") == 7
    assert told.strip() in written.read_text(encoding="utf-8")


def test_the_benchmark_of_the_clock_measures_few_records_and_many() -> None:
    rows = cells(bench("--only", "tick"))

    assert [row[:2] for row in rows[2:]] == [["SQLite", "200"], ["SQLite", "2,000"]]
    assert {len(row) for row in rows} == {11}
    assert all(float(row[column]) > 0 for row in rows[2:] for column in (2, 4, 7, 9))


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
