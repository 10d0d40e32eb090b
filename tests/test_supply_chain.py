"""What Steward is made of: pinned with hashes, listed whole, and looked up where the list of vulnerabilities is."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.supply_chain import ROOT, TOOLS, verdict

LOCKED = re.compile(r"^([a-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)
FINE = {"name": "starlette", "version": "1.0.0", "vulns": []}
SKIPPED = {"name": "aiohttp", "skip_reason": "Dependency not found on PyPI"}
BAD = {
    "name": "aiohttp",
    "version": "3.0.0",
    "vulns": [{"id": "PYSEC-2024-24", "fix_versions": ["3.9.2"], "aliases": [], "description": ""}],
}


def report(*packages: dict[str, object]) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


def test_a_known_vulnerability_fails_and_says_what_mends_it() -> None:
    passes, told = verdict(report(FINE, BAD, BAD), "Found 1 known vulnerability in 1 package")

    assert not passes
    assert told[1:] == ["aiohttp 3.0.0: PYSEC-2024-24, mended in 3.9.2"]


@pytest.mark.parametrize(
    ("found", "beside", "said"),
    [
        ("", "requests.exceptions.ProxyError: HTTPSConnectionPool(host='pypi.org', port=443)", "out of reach"),
        ("", "ERROR: Tip: your network may be blocking this service.", "out of reach"),
        (report(SKIPPED), "No known vulnerabilities found", "knows none of our packages"),
        (report(FINE, SKIPPED), "No known vulnerabilities found", "1 packages have no known vulnerability"),
    ],
)
def test_without_its_data_the_look_says_so_and_passes(found: str, beside: str, said: str) -> None:
    passes, told = verdict(found, beside)

    assert passes
    assert said in told[0]


def test_a_look_that_did_not_work_is_no_pass() -> None:
    assert verdict("", "pip-audit: error: unrecognized arguments: --quietly")[0] is False


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-test.lock", "requirements-tools.lock"])
def test_every_package_is_pinned_with_its_hashes(lock: str) -> None:
    packages = (ROOT / lock).read_text().replace("\\\n", " ").splitlines()

    assert packages
    assert all(LOCKED.match(package) and "--hash=sha256:" in package for package in packages)


def test_the_bill_of_materials_names_every_locked_package_and_is_the_same_each_time(tmp_path: Path) -> None:
    """As `make sbom` writes it."""
    if not (TOOLS / "cyclonedx-py").exists():
        pytest.skip("the tools are not installed: make sbom")
    recipe = (ROOT / "Makefile").read_text().partition("\nsbom:")[2].partition("\n\n")[0]
    step = re.sub(r"\\\n\s*", "", recipe).splitlines()[1].strip().lstrip("@").replace("$(TOOLS)", str(TOOLS.parent))
    for name in ("requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)

    written, quietly = [], os.environ | {"PYTHONWARNINGS": ""}
    for _ in range(2):
        subprocess.run(step, shell=True, check=True, cwd=tmp_path, capture_output=True, env=quietly)
        written.append((tmp_path / "sbom.json").read_text())

    described = json.loads(written[0])
    listed = {(part["name"], part["version"]) for part in described["components"]}
    assert written[0] == written[1]
    assert listed == set(LOCKED.findall((ROOT / "requirements.lock").read_text()))
    assert all(part["externalReferences"][0]["hashes"] for part in described["components"])
