"""What the ways of hosting promise, as far as it can be seen without a container engine: the recipe's own steps."""

import configparser
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from bot.command_line import app
from bot.settings import Settings

ROOT = Path(__file__).parents[1]
COMMANDS = {command.callback.__name__ for command in app.registered_commands if command.callback}


@pytest.fixture(scope="module")
def recipe() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile with their arguments, continued lines joined."""
    text = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    described: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return described


def _copied(recipe: list[tuple[str, str]]) -> set[str]:
    """What the image takes from the checkout."""
    own = [rest.split() for instruction, rest in recipe if instruction == "COPY" and not rest.startswith("--from")]
    return {source for words in own for source in words[:-1]}


def test_the_image_holds_every_package_and_nothing_that_is_not_there(recipe: list[tuple[str, str]]) -> None:
    copied = _copied(recipe)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = {name.rstrip("*") for name in project["tool"]["setuptools"]["packages"]["find"]["include"]}
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}

    assert packages <= copied
    assert all((ROOT / source).exists() for source in copied)
    assert copied == let_in, ".dockerignore lets in what is copied, so no secret lies about in a layer"


def test_the_image_runs_a_command_that_exists_as_nobody_in_particular(recipe: list[tuple[str, str]]) -> None:
    last = dict(recipe)

    assert last["ENTRYPOINT"] == '["steward"]'
    assert last["CMD"] == '["run"]'
    assert "health" in last["HEALTHCHECK"]
    assert {"run", "health"} <= COMMANDS
    assert last["USER"].isdigit()
    assert int(last["USER"]) > 0
    assert not any("TOKEN" in rest or "SECRET" in rest for _, rest in recipe)


def test_what_is_installed_as_in_the_image_runs_without_the_checkout(
    recipe: list[tuple[str, str]], tmp_path: Path
) -> None:
    """The recipe's install step, then the command: schema steps and the page must have come along."""
    step = next(line for line in (ROOT / "Dockerfile").read_text().splitlines() if line.endswith("--no-index ."))
    options = [word for word in step.split() if word.startswith("--no-") or word == "--disable-pip-version-check"]
    source = tmp_path / "source"
    source.mkdir()
    for name in _copied(recipe):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source)
    installed = tmp_path / "installed"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", *options, "--target", str(installed), str(source)],
        check=True,
    )
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    environment = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
    environment |= {"PYTHONPATH": str(installed), "DATABASE_URL": f"sqlite:///{elsewhere}/steward.db"}

    def steward(command: str) -> subprocess.CompletedProcess[str]:
        start = "import sys; from bot.command_line import main; sys.argv = ['steward', *sys.argv[1:]]; main()"
        return subprocess.run(
            [sys.executable, "-P", "-c", start, command],
            cwd=elsewhere,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    migrated, manifest, health = steward("migrate"), steward("manifest"), steward("health")

    assert migrated.returncode == 0, migrated.stderr
    assert '"display_information"' in manifest.stdout, manifest.stderr
    assert health.returncode == 1
    assert "steward worker" in health.stderr
    assert (installed / "sandbox" / "page" / "static").is_dir()


def test_compose_runs_commands_that_exist_after_the_schema_and_the_database(compose: dict[str, Any]) -> None:
    services = compose["services"]
    ours = {name: service for name, service in services.items() if name != "postgres"}

    assert {name: service["command"][0] for name, service in ours.items()} == {name: name for name in ours}
    assert set(ours) <= COMMANDS
    assert services["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for name in ("web", "worker"):
        assert services[name]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
        assert services[name]["read_only"]
        assert services[name]["cap_drop"] == ["ALL"]
    assert all(address.startswith("127.0.0.1:") for address in services["web"]["ports"])
    for service in ours.values():
        assert {key.lower() for key in service["environment"]} <= set(Settings.model_fields)


def test_the_unit_of_systemd_starts_a_command_that_exists_and_gives_it_time_to_stop() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(ROOT / "deploy" / "steward.service")
    service = unit["Service"]

    assert service["ExecStart"].split()[-1] in COMMANDS
    assert int(service["TimeoutStopSec"]) > 10
    assert service["DynamicUser"] == "yes"
    assert service["Environment"].split("=")[0].lower() in Settings.model_fields


@pytest.mark.parametrize("command", ["web", "worker", "migrate"])
def test_the_procfile_names_commands_that_exist(command: str) -> None:
    assert f"steward {command}" in (ROOT / "Procfile").read_text()
    assert command in COMMANDS


def test_health_says_why_it_is_not_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    told = CliRunner().invoke(app, ["health"], env={"DATABASE_URL": f"sqlite:///{tmp_path}/no/such.db"})

    assert told.exit_code == 1
    assert "There is no folder" in told.output
