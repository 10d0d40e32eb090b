"""The house keeps its floors: imports point one way, and each outside library is known in one place only."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# What a package may import of ours: itself and the floors below. The sandbox could leave for a house of its own.
FLOORS = {
    "models": {"models"},
    "reports": {"models", "reports"},
    "views": {"models", "reports", "views"},
    "scheduler": {"models", "reports", "views", "scheduler"},
    "handlers": {"models", "reports", "views", "handlers"},
    "sandbox": {"sandbox"},
    "migrations": {"migrations"},
    "bot": {"models", "reports", "views", "scheduler", "handlers", "sandbox", "migrations", "bot"},
}

# Outside packages with a home: only files whose path begins so may import them.
HOMES = {
    "slack_bolt": ("bot/",),
    "slack_sdk": ("bot/",),
    "slack": ("bot/",),
    "apscheduler": ("scheduler/runner.py",),
    "alembic": ("bot/migrate.py", "migrations/"),
    "aiosqlite": ("models/sqlite.py",),
    "asyncpg": ("models/postgresql.py",),
}

# Names that open a database; everything else gets a session from a unit of work.
ENGINE_NAMES = {
    "AsyncEngine",
    "Engine",
    "async_sessionmaker",
    "create_async_engine",
    "create_engine",
    "sessionmaker",
}
ENGINE_HOMES = ("bot/", "models/database.py", "models/sqlite.py", "models/writer.py", "models/postgresql.py")

# Ways past a unit, which alone knows whose rows are whose: connections, tables and statements as text.
PAST_UNITS = {"engine", "outside", "__table__", "table_of", "exec_driver_sql", "sqlalchemy.text"}
PAST_UNITS_HOMES = ("models/", "migrations/", "bot/migrate.py", "bot/doctor.py", "sandbox/")


def imported(tree: ast.AST) -> Iterator[str]:
    """The dotted names that the source imports, wherever in it, also by `import_module("...")`."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=str(module), level=0, names=names):
                yield from (f"{module}.{name.name}" for name in names)
            case ast.Call(
                func=ast.Name(id="import_module") | ast.Attribute(attr="import_module"),
                args=[ast.Constant(value=str(module)), *_],
            ):
                yield module


def named(tree: ast.AST) -> Iterator[str]:
    """Every name that the source speaks of, imported or not."""
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(module), names=names):
                yield from (f"{module}.{name.name}" for name in names)
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
                yield name


def faults(path: str, source: str) -> list[str]:
    """What in the file breaks the rules above, as sentences; `path` is relative to the project."""
    tree = ast.parse(source, path)
    package = path.partition("/")[0]
    packages = [name.partition(".")[0] for name in imported(tree)]
    found = [f"{path} imports {name}" for name in packages if name in FLOORS and name not in FLOORS[package]]
    found += [f"{path} imports {name}" for name in packages if name in HOMES and not path.startswith(HOMES[name])]
    found += [
        f"{path} opens the database: {name}"
        for name in sorted(ENGINE_NAMES & set(named(tree)))
        if package != "migrations" and not path.startswith(ENGINE_HOMES)
    ]
    found += [
        f"{path} goes past the units: {name}"
        for name in sorted(PAST_UNITS & set(named(tree)))
        if not path.startswith(PAST_UNITS_HOMES)
    ]
    found += [
        f"{path} imports by dots; write the whole name"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    return sorted(set(found))


@pytest.mark.parametrize("package", FLOORS)
def test_imports_point_only_to_the_floors_below(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))

    found = [
        fault for file in files for fault in faults(file.relative_to(ROOT).as_posix(), file.read_text(encoding="utf-8"))
    ]

    assert found == []


def test_every_folder_of_code_has_its_floor() -> None:
    folders = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks"}

    assert folders <= set(FLOORS)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("models/risk.py", "import views"),
        ("models/risk.py", "from slack_sdk.errors import SlackApiError"),
        ("models/risk.py", "def late():\n    import scheduler.jobs"),
        ("models/risk.py", "importlib.import_module('bot.edge')"),
        ("models/risk.py", "from . import tables"),
        ("models/projects.py", "from sqlalchemy.ext.asyncio import create_async_engine"),
        ("models/projects.py", "import sqlalchemy\nsqlalchemy.create_engine('sqlite://')"),
        ("reports/due.py", "from views import cards"),
        ("views/cards.py", "from handlers import forms"),
        ("handlers/forms.py", "from scheduler import deliveries"),
        ("scheduler/deliveries.py", "from handlers import forms"),
        ("scheduler/deliveries.py", "from apscheduler.schedulers.asyncio import AsyncIOScheduler"),
        ("scheduler/deliveries.py", "from slack_bolt import App"),
        ("handlers/forms.py", "import sandbox.page"),
        ("sandbox/page/pages.py", "from models.clock import Clock"),
        ("sandbox/methods/chat.py", "import slack_sdk"),
        ("migrations/versions/0002_more.py", "from models import tables"),
        ("handlers/forms.py", "from sqlalchemy import text"),
        ("reports/due.py", "from models.tables import table_of"),
        ("scheduler/jobs/due_soon.py", "def ask(database):\n    return database.outside(writes=False)"),
        ("bot/edge.py", "def ask(database):\n    return database.engine.connect()"),
    ],
)
def test_the_walk_finds_a_step_upwards(path: str, source: str) -> None:
    assert len(faults(path, source)) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("bot/assemble.py", "import sandbox, handlers, scheduler\nfrom slack_bolt.async_app import AsyncApp"),
        ("scheduler/runner.py", "from apscheduler.schedulers.asyncio import AsyncIOScheduler"),
        ("models/database.py", "from sqlalchemy.ext.asyncio import create_async_engine"),
        ("handlers/forms.py", "from models import operations\nfrom views.forms import form"),
    ],
)
def test_the_walk_lets_a_rightful_import_pass(path: str, source: str) -> None:
    assert faults(path, source) == []
