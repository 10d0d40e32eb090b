"""`make setup` on machines of all kinds: what it does when nothing changed, and what it says when it cannot go on."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAKE = shutil.which("make") or ""

pytestmark = pytest.mark.skipif(not MAKE, reason="there is no make on this machine")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What `make setup` looks at, and nothing else."""
    for name in ("Makefile", "pyproject.toml", "requirements.lock", "requirements-test.lock"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def python_that(checkout: Path, does: str) -> str:
    """A `python3` that does so and nothing else."""
    path = checkout / "another-python"
    path.write_text(f"#!/bin/sh\n{does}\n")
    path.chmod(0o755)
    return f"PYTHON={path}"


def make(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        [MAKE, *arguments], cwd=checkout, env=environment, capture_output=True, text=True, check=False
    )


def set_up(checkout: Path) -> None:
    """As a finished `make setup-test` leaves the checkout, every file a second newer than the one before."""
    (checkout / ".venv" / "bin").mkdir(parents=True)
    files = ["requirements.lock", "requirements-test.lock", "pyproject.toml", ".venv/bin/pip"]
    for second, name in enumerate([*files, ".venv/.run-ready", ".venv/.test-ready"]):
        (checkout / name).touch()
        os.utime(checkout / name, (1_700_000_000 + second,) * 2)


def test_what_is_set_up_is_left_alone(checkout: Path) -> None:
    set_up(checkout)

    assert make(checkout, "--question", "setup", "setup-test").returncode == 0


@pytest.mark.parametrize(
    ("changed", "target"),
    [("requirements.lock", "setup"), ("pyproject.toml", "setup"), ("requirements-test.lock", "setup-test")],
)
def test_what_changed_is_set_up_anew(checkout: Path, changed: str, target: str) -> None:
    set_up(checkout)
    (checkout / changed).touch()

    assert make(checkout, "--question", target).returncode == 1


def test_what_only_tests_need_does_not_hold_up_running(checkout: Path) -> None:
    set_up(checkout)
    (checkout / "requirements-test.lock").touch()

    assert make(checkout, "--question", "setup").returncode == 0


def test_a_python_without_virtual_environments_is_told_what_to_install(checkout: Path) -> None:
    """Debian keeps it in a package of its own."""
    told = make(checkout, "setup", python_that(checkout, 'case "$2" in *ensurepip*) exit 1;; esac'))

    assert told.returncode != 0
    assert "apt install python3-venv" in told.stdout
    assert not (checkout / ".venv").exists()


def test_an_old_python_is_told_which_one_is_needed(checkout: Path) -> None:
    old = 'case "$1" in -V) echo Python 3.9.2;; *) exit 1;; esac'

    told = make(checkout, "setup", python_that(checkout, old))

    assert told.returncode != 0
    assert "Steward needs Python 3.11 or newer" in told.stdout
    assert "Python 3.9.2" in told.stdout
    assert not (checkout / ".venv").exists()


def test_no_python_at_all_is_told_too(checkout: Path) -> None:
    told = make(checkout, "setup", "PYTHON=python-that-is-not-there")

    assert told.returncode != 0
    assert "Steward needs Python 3.11 or newer" in told.stdout


def test_every_target_is_explained(checkout: Path) -> None:
    told = make(checkout, "help").stdout

    for target in ("setup", "run", "test", "check", "manifest", "docs", "lock", "clean"):
        assert f"\n{target} " in f"\n{told}"
