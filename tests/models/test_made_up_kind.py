"""A new kind of record is one file, one line in the tuple and a migration. Done here to a copy of the project.

The copy lives in a folder of its own and is run in processes of its own, so that no other test sees the kind.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent

KIND_FILE = '''
"""Promises: what somebody said they would do."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from models.kinds.base import FieldSpec, FieldType, Kind, Step
from models.labels import Labelled
from models.tables import stored


class Certainty(Labelled):
    GUESS = "guess", "A guess"
    LIKELY = "likely", "Likely"


class Promise(SQLModel, table=True):
    __tablename__ = "promise"

    workspace_id: str = Field(default=None)
    record_id: int = Field(primary_key=True, foreign_key="record.id")
    basis: str = ""
    certainty: Certainty | None = Field(default=None, sa_type=stored(Certainty))
    tested_at: datetime | None = None


class PromiseStatus(Labelled):
    HELD = "held", "Held"
    TESTED = "tested", "Tested"


PROMISE = Kind(
    key="promise",
    letter="PR",
    singular="promise",
    plural="promises",
    emoji="🤝",
    model=Promise,
    help="What somebody said they would do.",
    example="The vendor sends a second engineer",
    fields=(
        FieldSpec(key="basis", label="Basis", type=FieldType.TEXT, help="Why we believe it."),
        FieldSpec(
            key="certainty", label="Certainty", type=FieldType.CHOICE, help="How sure we are.", choices=Certainty
        ),
    ),
    statuses=PromiseStatus,
    closed=frozenset({PromiseStatus.TESTED}),
    steps=(
        Step(
            key="test",
            label="Tested",
            past="Tested",
            begins=(PromiseStatus.HELD,),
            to=PromiseStatus.TESTED,
            words=("done",),
            is_main=True,
        ),
        Step(
            key="reopen",
            label="Doubt",
            past="Doubted",
            begins=(PromiseStatus.TESTED,),
            to=PromiseStatus.HELD,
        ),
    ),
)
'''

USE_IT = '''
"""Log, find, change, move and undo a promise through the operations that every kind goes through."""

from datetime import timedelta

from models import operations
from models.database import Database
from models.errors import InvalidFields
from models.kinds import kind_named, read_reference
from models.permissions import actor_of
from tests.support import NOW, WORKSPACE, make_person, make_record, undo

import pytest


async def test_a_promise_lives_as_every_record_does(database: Database) -> None:
    kind = kind_named("promises")
    assert kind is not None and read_reference("pr-1") == (kind, 1)
    async with database.unit(WORKSPACE) as session:
        ana = await make_person(session)
        await make_record(session, kind, by=ana, title="A second engineer", basis="Said by phone", certainty="guess")
    actor, later = actor_of(ana), NOW + timedelta(hours=1)

    async with database.unit(WORKSPACE) as session:
        item, project = await operations.find(session, actor, kind, 1)
        assert (item.reference, item.value("basis")) == ("PR1", "Said by phone")
        assert item.value("certainty").label == "A guess"
        change = {"basis": "Measured", "certainty": "likely"}
        await operations.change(session, actor, item, project, change, version=1, now=later, via="form")
        await operations.take_step(session, actor, item, project, kind.step_named("done"), now=later, via="button")
        assert not item.record.is_open
        await undo(session, actor, item, project, version=3, now=later)
        with pytest.raises(InvalidFields, match="A guess, Likely"):
            await operations.change(session, actor, item, project, {"certainty": "x"}, version=4, now=later, via="form")

    async with database.unit(WORKSPACE, writes=False) as session:
        item, _ = await operations.find(session, actor, kind, 1)
        assert (item.value("basis"), item.record.status, item.record.version) == ("Measured", "held", 4)
        acts = [str(row.act) for row in await operations.history(session, item)]
        assert acts == ["created", "changed", "changed", "stepped", "undone"]

    async with database.unit("T0002", writes=False) as session:
        from sqlmodel import select
        assert (await session.exec(select(kind.model))).all() == [], "another workspace sees no promise"
'''


def run(folder: Path, *arguments: str) -> str:
    """What the command prints, run by this Python inside the copy. A failure shows all of it."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The project and some of its tests, with the new kind's file and line in it."""
    folder = tmp_path / "copy"
    for package in ("models", "reports", "views", "scheduler", "handlers", "bot", "migrations"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(ROOT / "pyproject.toml", folder / "pyproject.toml")
    (folder / "tests" / "models").mkdir(parents=True)
    for file in (*(ROOT / "tests").glob("*.py"), *(ROOT / "tests" / "models").glob("*.py")):
        shutil.copyfile(file, folder / file.relative_to(ROOT))

    (folder / "models" / "kinds" / "promise.py").write_text(KIND_FILE, encoding="utf-8")
    listed = folder / "models" / "kinds" / "__init__.py"
    text = listed.read_text(encoding="utf-8")
    line = "KINDS: tuple[Kind, ...] = (ACTION, RISK, ISSUE, DECISION, ASSUMPTION, DEPENDENCY)"
    assert line in text
    text = text.replace(line, "from models.kinds.promise import PROMISE\n" + line[:-1] + ", PROMISE)")
    listed.write_text(text, encoding="utf-8")
    return folder


def test_a_made_up_kind_is_one_file_one_line_and_a_migration(copied: Path) -> None:
    (copied / "tests" / "models" / "test_promise.py").write_text(USE_IT, encoding="utf-8")

    written = run(copied, "-c", "from bot import migrate; print(migrate.write_step('Add promises'))").split()[-1]

    step = Path(written)
    before = max(path.stem[:4] for path in (ROOT / "migrations" / "versions").glob("0*.py"))
    assert step.relative_to(copied) == Path(f"migrations/versions/{int(before) + 1:04}_add_promises.py")
    assert "import models" not in step.read_text(encoding="utf-8")
    assert "sqlmodel" not in step.read_text(encoding="utf-8"), "a step says what the database knows"
    tests = (
        "tests/models/test_promise.py",
        "tests/models/test_kinds.py",
        "tests/models/test_scope.py",
        "tests/test_migrations.py::test_a_database_built_by_migrations_equals_one_built_from_the_models",
        "tests/test_migrations.py::test_the_way_back_to_nothing_works",
    )
    chosen = "not postgresql and (promise or test_scope or test_migrations)"
    assert "passed" in run(copied, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", chosen, *tests)


def test_a_made_up_kind_without_its_migration_is_noticed(copied: Path) -> None:
    comparing = "tests/test_migrations.py::test_a_database_built_by_migrations_equals_one_built_from_the_models"

    with pytest.raises(AssertionError, match="add_table"):
        run(copied, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "sqlite", comparing)
