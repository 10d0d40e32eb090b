"""Look whether anything that Steward is built or tested with has a known vulnerability: `make audit`.

A vulnerability is a failure. Being offline is not: what could not be looked up is said, and that is all.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
TOOLS = ROOT / ".venv" / "tools" / "bin"
# The first holds what running needs too.
LOCKS = ("requirements-test.lock", "requirements-tools.lock")

# What stands in a traceback of pip-audit when its data was out of reach, and not when it is used wrongly.
OUT_OF_REACH = re.compile(r"requests\.exceptions\.|ServiceError|ConnectionError|network may be blocking")


def audited(lock: str, tools: Path = TOOLS) -> tuple[str, str]:
    """What pip-audit reports of every package that the file pins, and what it says beside it."""
    quietly = ["--disable-pip", "--require-hashes", "--progress-spinner", "off", "--timeout", "10", "--format", "json"]
    command = [tools / "pip-audit", *quietly, "--requirement", ROOT / lock]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    return ran.stdout, ran.stderr


def verdict(report: str, beside: str) -> tuple[bool, list[str]]:
    """Whether that may pass, and what to say about it."""
    try:
        packages = json.loads(report)["dependencies"]
    except (ValueError, KeyError):
        if OUT_OF_REACH.search(beside):
            return True, ["The list of known vulnerabilities is out of reach; going on without."]
        return False, ["pip-audit did not report anything:", beside.strip()]
    found = [_told(package, each) for package in packages for each in package.get("vulns", ())]
    if found:
        return False, ["Known vulnerabilities; pin what mends them with `make lock`:", *sorted(set(found))]
    unknown = sorted({package["name"] for package in packages if "skip_reason" in package})
    known = len({package["name"] for package in packages}) - len(unknown)
    if not known:
        return True, ["The list of known vulnerabilities knows none of our packages; going on without."]
    told = [f"{known} packages have no known vulnerability."]
    return True, told + ([f"Not looked up: {', '.join(unknown)}."] if unknown else [])


def _told(package: dict[str, Any], vulnerability: dict[str, Any]) -> str:
    mended = " or ".join(vulnerability["fix_versions"]) or "nothing yet"
    return f"{package['name']} {package['version']}: {vulnerability['id']}, mended in {mended}"


def main() -> int:
    """Say how it stands; 1 where something has to be done."""
    if not (TOOLS / "pip-audit").exists():
        sys.stdout.write("pip-audit could not be installed; going on without.\n")
        return 0
    passes = True
    for lock in LOCKS:
        is_fine, told = verdict(*audited(lock))
        passes = passes and is_fine
        sys.stdout.write("\n  ".join([f"{lock}:", *told]) + "\n")
    return 0 if passes else 1


if __name__ == "__main__":
    sys.exit(main())
