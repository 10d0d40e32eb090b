"""Forms by which many records are logged at once, each with its preview above what was typed, and what they made."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from models.drafts import Draft, storable
from models.importing import MOST_BYTES, MOST_ROWS, Column
from models.kinds import KINDS, Item, Kind
from models.kinds.base import FieldType
from models.operations import TEXT_MAX
from models.pasting import MOST_RECORDS
from models.tables import Project
from views.blocks import (
    Block,
    Message,
    actions,
    button,
    cut,
    divider,
    esc,
    input_block,
    mrkdwn,
    note,
    option,
    plain,
    rich,
    section,
)
from views.forms import FormContext, place_inputs
from views.undo import UNDO_BATCH
from views.values import People, day_and_time, shown_value

DEFAULT_KIND = "default_kind"
BOX = "lines"
BOXES = 3
FILE = "file"
OTHERS = "others"
KEEP = "keep"

ROWS_SHOWN = 5
FAULTS_SHOWN = 30
NOTES_SHOWN = 10
RECORDS_NAMED = 20
DETAILS_SHOWN = 150


@dataclass(frozen=True)
class Typed:
    """What stands in the form: nothing of it is lost from one drawing to the next."""

    kind: Kind = KINDS[0]
    boxes: tuple[str, ...] = ()
    project: Project | None = None
    project_name: str = ""
    keeps_others: bool = False
    takes_files: bool = False


@dataclass(frozen=True)
class Preview:
    """What would be stored now. `columns` and `source` are of a table; `warning` is a sentence above everything."""

    drafts: Sequence[Draft]
    project: Project
    people: People
    today: date
    columns: Sequence[Column] = field(default=())
    source: str = ""
    warning: str = ""

    @property
    def good(self) -> int:
        return len(storable(self.drafts))


def paste_form(context: FormContext, typed: Typed, preview: Preview | None = None) -> Block:
    """The form for a pasted list; with a preview of what it says, the form that logs it."""
    blocks: list[Block] = []
    if preview is None:
        blocks.append(
            note(plain(f"One record a line, at most {MOST_RECORDS}. You see them before anything is logged."))
        )
    else:
        blocks += [section(mrkdwn(_paste_summary(preview))), *(_row(draft, preview) for draft in preview.drafts)]
        blocks += [divider(), note(plain("To change something, change your lines here: then you see it once more."))]
    blocks += place_inputs(context, typed.project, typed.project_name)
    blocks.append(
        _kind_input(typed.kind, "What most lines are", "Another kind is named in its line: “risk: …” or “R: …”.")
    )
    blocks += _boxes(
        typed,
        "Your lines",
        "As after a command: a title, @name, by friday, !high, #tag. Bullets, numbers and checkboxes are left out; "
        "indented lines are the details of the one above.",
    )
    good = preview.good if preview else 0
    submit = f"Log {_many(good, 'record')}" if good else "Preview"
    return _form(context, "paste", "Paste a list", submit, blocks, is_ready=bool(good))


def import_form(context: FormContext, typed: Typed, preview: Preview | None = None) -> Block:
    """The form for a table; with a preview of what it says, the form that imports it."""
    blocks: list[Block] = []
    if preview is None:
        blocks.append(note(plain(_IMPORT_HELP)))
    else:
        blocks += _import_preview(preview)
        blocks += [divider(), note(plain("To change something, change it here: then you see it once more."))]
    if preview and any(not column.is_known for column in preview.columns):
        blocks.append(_others_input(typed.keeps_others))
    blocks += place_inputs(context, typed.project, typed.project_name)
    blocks.append(_kind_input(typed.kind, "What the records are", "Where no column says “Kind”."))
    if typed.takes_files:
        element = {"type": "file_input", "filetypes": ["csv", "tsv", "txt", "text"], "max_files": 1}
        kept = f"Now it is {preview.source}; another file takes its place." if context.file_id and preview else ""
        hint = f"CSV, up to {MOST_ROWS} records and {MOST_BYTES // 1_000_000} MB. {kept}".strip()
        blocks.append(input_block(FILE, "A file", element, hint, optional=True))
    label = "Or the table as text" if typed.takes_files else "The table as text"
    blocks += _boxes(typed, label, "With the line that names the columns. Cells copied from a spreadsheet work too.")
    good = preview.good if preview else 0
    submit = "Preview"
    if preview and good:
        submit = f"Import {_many(good, 'record' if good == len(preview.drafts) else 'good line')}"
    return _form(context, "import", "Import a table", submit, blocks, is_ready=bool(good))


_IMPORT_HELP = (
    "The first line names the columns: Title, Owner, Due date, Status, Priority, Kind and whatever else forms hold, or "
    "what other lists call them. You see everything before anything is stored."
)


def _form(context: FormContext, name: str, title: str, submit: str, blocks: list[Block], *, is_ready: bool) -> Block:
    """With something to store, submitting stores it; else it shows the preview."""
    return {
        "type": "modal",
        "callback_id": f"{name}_log" if is_ready else name,
        "title": plain(title, 24),
        "submit": plain(submit, 24),
        "close": plain("Cancel"),
        "private_metadata": (context if is_ready else replace(context, digest="")).packed(),
        "blocks": blocks,
    }


def _kind_input(kind: Kind, label: str, hint: str) -> Block:
    choices = [option(f"{k.emoji} {k.plural.capitalize()}", k.key) for k in KINDS]
    chosen = next(choice for choice in choices if choice["value"] == kind.key)
    return input_block(
        DEFAULT_KIND, label, {"type": "static_select", "options": choices, "initial_option": chosen}, hint
    )


def _boxes(typed: Typed, label: str, hint: str) -> list[Block]:
    """Inputs for a long text: Slack lets one of them take 3,000 characters."""
    blocks = []
    for number, key in enumerate(box_ids()):
        text = typed.boxes[number] if number < len(typed.boxes) else ""
        element: Block = {"type": "plain_text_input", "multiline": True, "max_length": TEXT_MAX}
        element |= {"initial_value": text} if text else {}
        if number == 0:
            hint = f"{hint} A box takes {TEXT_MAX:,} characters; go on in the next one with a new line."
        blocks.append(
            input_block(
                key, label if number == 0 else f"{label}, continued", element, "" if number else hint, optional=True
            )
        )
    return blocks


def box_ids() -> list[str]:
    """The block ids of the boxes, in order."""
    return [BOX, *(f"{BOX}.{number}" for number in range(1, BOXES))]


def _others_input(is_kept: bool) -> Block:
    keep = option("Keep them in the details", KEEP)
    element: Block = {"type": "checkboxes", "options": [keep]} | ({"initial_options": [keep]} if is_kept else {})
    return input_block(OTHERS, "What is in the other columns", element, "", optional=True)


# Previews ----------------------------------------------------------------------------------------------------------


def _paste_summary(preview: Preview) -> str:
    bad = len(preview.drafts) - preview.good
    said = f"*{_many(preview.good, 'record')}* to be logged in *{esc(preview.project.name)}*. Nothing is stored yet."
    if bad:
        said += f" {_many(bad, 'line')} cannot be logged as {'it is' if bad == 1 else 'they are'}: see below."
    if alike := _alike(preview):
        said += f" {_many(len(alike), 'line')} may be in the log already, and would be logged all the same."
    return said


def _alike(preview: Preview) -> list[Draft]:
    """What would be stored though something like it is open already."""
    return [draft for draft in storable(preview.drafts) if draft.looks_like]


def _import_preview(preview: Preview) -> list[Block]:
    bad = len(preview.drafts) - preview.good
    said = f"{_many(len(preview.drafts), 'record')} in {esc(preview.source)}, "
    said += f"*{preview.good} can be imported* into *{esc(preview.project.name)}*. Nothing is stored yet."
    blocks = [section(plain(f"⚠️ {preview.warning}"))] if preview.warning else []
    blocks.append(section(mrkdwn(said)))
    known = [f"{column.name} → {column.means}" for column in preview.columns if column.is_known]
    blocks.append(rich(("Understood: ", "bold"), cut(", ".join(known), 2_000)))
    if others := [column.name or "(no name)" for column in preview.columns if not column.is_known]:
        blocks.append(rich(("Not known, so left out unless you choose below: ", "bold"), cut(", ".join(others), 2_000)))
    faults = [
        f"Line {draft.line}, {fault.label}: {fault.sentence}" for draft in preview.drafts for fault in draft.faults
    ]
    if bad:
        title = f"{_many(bad, 'line')} cannot be imported:"
        blocks.append(rich((title, "bold"), "".join(f"\n🔴 {cut(each, 400)}" for each in _some(faults, FAULTS_SHOWN))))
    if notes := [f"Line {draft.line}: {said}" for draft in preview.drafts for said in draft.notes]:
        blocks.append(rich("\n".join(f"❗ {cut(each, 400)}" for each in _some(notes, NOTES_SHOWN))))
    if alike := _alike(preview):
        title = f"{_many(len(alike), 'line')} may be in the log already, and would be imported all the same:"
        lines = _some([f"Line {draft.line}: {draft.looks_like}" for draft in alike], NOTES_SHOWN)
        blocks.append(rich((title, "bold"), "".join(f"\n👀 {cut(each, 400)}" for each in lines)))
    shown = storable(preview.drafts)[:ROWS_SHOWN]
    if shown:
        some = f", the first {len(shown)} of {preview.good}" if preview.good > len(shown) else ""
        blocks.append(rich((f"To be imported{some}:", "bold")))
    blocks += [_row(replace(draft, notes=(), looks_like=""), preview) for draft in shown]
    if preview.good:
        blocks.append(note(plain("Their cards are not posted now: each comes to its channel when it first changes.")))
    return blocks


def _some(lines: Sequence[str], limit: int) -> list[str]:
    more = len(lines) - limit
    return [*lines[:limit], *([f"and {more} more like these"] if more > 0 else [])]


def _row(draft: Draft, preview: Preview) -> Block:
    """One record to be, with what was not understood of its line below it."""
    kind, values = draft.new.kind, draft.new.values
    below = [" · ".join(_facts(draft, preview)), cut(" ".join(str(values.get("details") or "").split()), DETAILS_SHOWN)]
    below += [f"👀 {draft.looks_like}"] if draft.looks_like else []
    below += [f"❗ {said}" for said in draft.notes]
    below += [f"🔴 {fault.label}: {fault.sentence}" for fault in draft.faults]
    title = cut(str(values.get("title") or "(no title)"), 300)
    return rich(f"{draft.line}  {kind.emoji} ", (title, "bold"), "".join(f"\n{line}" for line in below if line))


def _facts(draft: Draft, preview: Preview) -> list[str]:
    kind, values = draft.new.kind, draft.new.values
    facts = [kind.singular.capitalize(), *([draft.new.status.label] if draft.new.status else [])]
    for spec in kind.all_fields:
        value: Any = values.get(spec.key)
        if not value or spec.is_text or spec.key == "due_time":
            continue
        shown = shown_value(spec, value, preview.people)
        if spec.key == "due_date":
            shown = f"due {day_and_time(value, values.get('due_time'), preview.project, preview.today)}"
        named = spec.key in ("owner_id", "due_date") or spec.type is FieldType.TAGS
        facts.append(shown if named else f"{spec.label.lower()} {shown}")
    return facts


# What they made ----------------------------------------------------------------------------------------------------


def logged_many(
    items: Sequence[Item], project: Project, *, batch: str | None, said: str, hints: Sequence[str] = ()
) -> Message:
    """The one private confirmation of several records, with the way back; `hints` are mrkdwn sentences.

    Without a `batch` its reader may not take them back.
    """
    text = f"{said} {_many(len(items), 'record')} in {project.name}: {_ranges(items)}."
    named = "\n".join(f"{item.reference}  {item.record.title}" for item in items[:RECORDS_NAMED])
    if len(items) > RECORDS_NAMED:
        named += f"\nand {len(items) - RECORDS_NAMED} more"
    blocks = [section(mrkdwn(f"*{esc(text)}*")), rich(named), *(section(mrkdwn(hint)) for hint in hints)]
    blocks += [actions([button("Undo", UNDO_BATCH, batch, says=f"Undo: {text}")])] if batch else []
    return Message(esc(text), blocks)


def _ranges(items: Sequence[Item]) -> str:
    """`A3 to A14, R2`: records that were stored together have numbers in a row."""
    shown = []
    for kind in KINDS:
        numbers = [item.record.number for item in items if item.kind.key == kind.key]
        if numbers:
            first, last = f"{kind.letter}{min(numbers)}", f"{kind.letter}{max(numbers)}"
            shown.append(first if first == last else f"{first} to {last}")
    return ", ".join(shown)


def _many(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
