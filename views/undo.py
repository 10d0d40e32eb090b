"""What an undo would take back, what it took back, and what stays because somebody changed it since."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from models.kinds import Item
from models.operations import told
from models.tables import Act
from models.undoing import Change, Kept, Part, TakenBack
from views.blocks import Block, Message, actions, bullets, button, cut, esc, mrkdwn, note, plain, rich, section
from views.cards import UNDO, ProjectNames, change_in_words
from views.values import People, ago, name_of

UNDO_BATCH = "undo_batch"
REDO_BATCH = "undo_batch:redo"
UNDO_BEFORE = "undo_before"
ONLY = "only"

# Records named one by one; what a batch holds beyond them is counted.
NAMED = 30


@dataclass(frozen=True)
class Reader:
    """Who is told, whom we know, and the instant it is."""

    id: str
    people: People
    now: datetime
    projects: ProjectNames = field(default_factory=dict)


def offer(change: Change, kept: Sequence[Kept], reader: Reader, *, only: Part | None = None) -> Message:
    """What the undo of this change would take back, and the button that does it; or why nothing can be taken back.

    `only` is one record of a batch that may be taken back by itself.
    """
    hindered = [each.part for each in kept]
    free = [part for part in change.parts if part not in hindered]
    when = ago(change.at, reader.now)
    said = f"Your last change, {when}" + (", of several records" if len(change.parts) > 1 else "")
    if only:
        said = f"The last change of {only.item.reference}, {when}, was one of several records"
    blocks: list[Block] = [section(plain(f"{said}:"))]
    blocks += _named([_what(part, reader) for part in free])
    blocks += _staying(kept, reader)
    offered = [_way_back(change, f"Undo {_records(len(free))}")] if free else []
    if only and only in free:
        alone = f"{only.item.reference}:{only.rows[-1].version}:{ONLY}"
        offered.insert(0, button(f"Undo only {only.item.reference}", f"{UNDO}:{ONLY}", alone))
    if not only:
        offered.append(button("The change before it", UNDO_BEFORE, str(change.first_row)))
    references = ", ".join(part.item.reference for part in change.parts[:NAMED])
    return Message(esc(f"{said}: {references}"), [*blocks, actions(offered)])


def taken_back(outcome: TakenBack, reader: Reader, *, batch: str, is_redo: bool) -> Message:
    """The confirmation of an undone batch, with its way back."""
    text = f"{'Redone' if is_redo else 'Undone'}: {_records(len(outcome.done))}"
    label, action = ("Undo", UNDO_BATCH) if is_redo else ("Redo", REDO_BATCH)
    blocks = [
        rich((text, "bold")),
        *_named(
            [(part.item.reference, part.item.record.title) if is_redo else _what(part, reader) for part in outcome.done]
        ),
        *_staying(outcome.kept, reader),
        actions([button(label, action, batch, says=f"{label}: {text}")]),
    ]
    return Message(esc(text), blocks)


def why_kept(kept: Kept, reader: Reader, *, word: str = "since") -> str:
    """Why a record stays as it is, as mrkdwn: who changed what of it since, and when."""
    if kept.why:
        return esc(kept.why)
    rows, item = kept.part.since, kept.part.item
    ids = dict.fromkeys(row.actor_id for row in rows)
    who = " and ".join("You" if each == reader.id else esc(name_of(reader.people, each)) for each in ids)
    named = (
        "removal" if row.field == "is_archived" else item.kind.label_of(row.field).lower()
        for row in told(rows)
        if row.field
    )
    what = ", ".join(dict.fromkeys(named))
    return f"{who} changed {item.reference} {word} ({what or 'record'}, {ago(rows[-1].at, reader.now)})."


def people_of(change: Change) -> set[str | None]:
    """Everybody whom the words about a change name."""
    actors: set[str | None] = {row.actor_id for part in change.parts for row in part.since}
    owners = [row for part in change.parts for row in part.rows if row.field == "owner_id"]
    named = {each for row in owners for each in (row.before, row.after)}
    return actors | named


def _records(number: int) -> str:
    return f"{number} record" if number == 1 else f"{number} records"


def _named(lines: Sequence[tuple[str, str]]) -> list[Block]:
    blocks = [bullets([(reference, cut(text, 300)) for reference, text in lines[:NAMED]])] if lines else []
    return blocks + ([note(plain(f"and {len(lines) - NAMED} more"))] if len(lines) > NAMED else [])


def _staying(kept: Sequence[Kept], reader: Reader) -> list[Block]:
    """Each record that stays, with why."""
    sentences = [f"{each.part.item.reference} stays as it is. {why_kept(each, reader)}" for each in kept]
    if len(sentences) > NAMED:
        sentences = [*sentences[:NAMED], f"and {len(sentences) - NAMED} more"]
    return [section(mrkdwn(cut("\n".join(sentences), 3_000)))] if sentences else []


def _what(part: Part, reader: Reader) -> tuple[str, str]:
    """A record and what was done to it: "Order cables · status: Open → Done"."""
    return part.item.reference, f"{part.item.record.title} · {_in_words(part.item, part, reader)}"


def is_logging(part: Part) -> bool:
    """Whether taking it back takes the whole record away."""
    return part.rows[0].act is Act.CREATED


def _in_words(item: Item, part: Part, reader: Reader) -> str:
    if is_logging(part):
        return "you logged it"
    return "; ".join(change_in_words(item.kind, row, reader.people, reader.projects) for row in told(part.rows))


def _way_back(change: Change, label: str) -> Block:
    if change.batch is not None:
        return button(label, UNDO_BATCH, change.batch, style="primary")
    [part] = change.parts
    return button(label, UNDO, f"{part.item.reference}:{part.rows[-1].version}", style="primary")
