"""The parts of the documents that are written from the code: tables of README.md and of docs/, and .env.example.

`make docs` writes them, and a test says when that has been forgotten.
"""

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import astuple
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from typer.main import get_command

from bot import command_line
from bot.settings import Settings
from handlers.commands import COMMANDS, VERBS
from models.permissions import MATRIX
from reports.summary import THRESHOLDS


def commands_table() -> str:
    """Every slash command."""
    rows = [
        (
            _code(command.name),
            command.summary,
            ", ".join(_code(f"{command.name} {use}") for use in _uses(command.usage)),
        )
        for command in COMMANDS
    ]
    return _table(("Command", "What it does", "For example"), rows)


def words_table() -> str:
    """Everything that `/steward` understands."""
    return _table(
        ("For example", "What it does"), [(_code(f"/steward {verb.example}"), verb.summary) for verb in VERBS]
    )


def programs_table() -> str:
    """Every command of the machine, those of a group by themselves."""
    return _table(("Command", "What it does"), _programs("steward", get_command(command_line.app)))


def _programs(name: str, command: Any) -> Iterator[tuple[str, str]]:
    for word, each in getattr(command, "commands", {}).items():
        called = f"{name} {word}"
        if getattr(each, "commands", None):
            yield from _programs(called, each)
        else:
            yield _code(called), " ".join((each.help or "").split())


def settings_table() -> str:
    """Every environment variable."""
    rows = [
        (_code(name.upper()), _code(str(field.default)) if field.default is not None else "", str(field.description))
        for name, field in Settings.model_fields.items()
    ]
    return _table(("Variable", "Default", "What it is"), rows)


def rights_table() -> str:
    """Who may do what: the matrix of rights."""
    head = ("", "full member", "own record", "coordinator", "sponsor", "workspace admin", "guest", "other company")
    rows = [(row.about, *(grant.label for grant in astuple(row)[1:]), "no") for row in MATRIX.values()]
    return _table((*head, "deactivated, bot"), rows)


def colours_table() -> str:
    """From how many of what on an area of a project is red or amber."""
    rows = [
        (each.area.value, each.colour.value, f"{each.at_least} {each.one if each.at_least == 1 else each.several}")
        for each in THRESHOLDS
    ]
    return _table(("Area", "Colour", "From"), rows)


def env_example() -> str:
    """A `.env` to fill in: every variable, explained; as it stands it sets none."""
    head = "# Copy this file to .env and fill in what you need. What is left empty counts as not set.\n"
    return "\n".join([head, *(_env_lines(name, field) for name, field in Settings.model_fields.items())])


def _env_lines(name: str, field: FieldInfo) -> str:
    explained = str(field.description).replace("`", "")
    example = f"{name.upper()}=" if field.default is None else f"# {name.upper()}={field.default}"
    return f"# {explained}\n{example}\n"


TABLES: dict[str, Callable[[], str]] = {
    "commands": commands_table,
    "words": words_table,
    "programs": programs_table,
    "settings": settings_table,
    "rights": rights_table,
    "colours": colours_table,
}
WITH_TABLES = ("README.md", "docs/commands.md", "docs/permissions.md", "docs/settings.md", "docs/summary.md")


def with_tables(text: str) -> str:
    """The document with what stands between `<!-- NAME -->` and `<!-- /NAME -->` written anew."""
    for name, table in TABLES.items():
        between = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        text = between.sub(lambda marks, table=table: f"{marks[1]}{table()}{marks[2]}", text)  # type: ignore[misc]
    return text


def write(folder: Path) -> None:
    """Bring the documents in the folder up to date."""
    for name in WITH_TABLES:
        document = folder / name
        if document.exists():
            document.write_text(with_tables(document.read_text(encoding="utf-8")), encoding="utf-8")
    (folder / ".env.example").write_text(env_example(), encoding="utf-8")


def _uses(usage: str) -> list[str]:
    return usage.split(" | ")


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = tuple(head)
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(_escaped(cell) for cell in line)} |\n" for line in lines)


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|")


def _code(text: str) -> str:
    return f"`{text}`"


if __name__ == "__main__":
    write(Path(sys.argv[1]))
