"""docs/sandbox.md says what is so."""

import re
from datetime import UTC, datetime
from pathlib import Path

from sandbox import Sandbox
from sandbox.driver import Driver
from sandbox.manifest import read_app
from sandbox.seed import fresh_workspace
from tests.sandbox.workspace_support import MANIFEST

TEXT = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text()


def test_the_people_named_are_those_of_the_workspace() -> None:
    workspace = fresh_workspace(read_app(MANIFEST), datetime(2026, 3, 2, tzinfo=UTC))
    named = dict(re.findall(r"^\| `(\w+)` \| (\S+) \|", TEXT, re.MULTILINE))

    assert named == {user.name: user.tz for user in workspace.users.values() if not user.is_bot}
    for channel in workspace.channels.values():
        assert f"`#{channel.name}`" in TEXT


def test_what_a_person_can_do_and_see_is_there() -> None:
    (line,) = re.findall(r"- `person\(name\)`: (.*?)\n- ", TEXT, re.DOTALL)
    names = re.findall(r"`(\w+)`", line)

    assert len(names) > 20
    driver = vars(Sandbox(MANIFEST).person("ana"))
    assert [name for name in names if not hasattr(Driver, name) and name not in driver] == []
