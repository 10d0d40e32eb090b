"""The benchmark runs: with tiny numbers, which say nothing of how fast it is."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_benchmark_measures_every_row_beside_the_bare_app(tmp_path: Path) -> None:
    written = tmp_path / "performance.md"

    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--write", str(written)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-3_000:]
    measured, goals = done.stdout.split("| goal ")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in measured.splitlines() if "|" in line]
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
    assert done.stdout.strip() in written.read_text(encoding="utf-8")
