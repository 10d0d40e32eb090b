"""The one confirmation of several records that were logged together."""

from collections.abc import Sequence

from models.kinds import Item
from models.repeat_words import repeat_in_words
from views.blocks import Block, Message, actions, button, esc, mrkdwn, overflow, plain, section
from views.cards import UNDO
from views.undo import ONLY, UNDO_BATCH
from views.values import People, day, name_of


def logged(
    rows: Sequence[tuple[Item, Sequence[str]]], people: People, batch: str | None, hints: Sequence[str] = ()
) -> Message:
    """The one confirmation of new records, each with what could not be done and a ⋯ menu of its own.

    One button takes back the whole `batch`; without one its reader may not, and no way back is offered.
    """
    text = f"Logged {len(rows)}: {', '.join(item.reference for item, _ in rows)}"
    blocks: list[Block] = [section(plain(text))]
    for item, problems in rows:
        facts = [name_of(people, item.record.owner_id) if item.record.owner_id else "no owner yet"]
        facts += [f"due {day(item.record.due_date)}"] if item.record.due_date else []
        facts += [f"repeats {repeat_in_words(item.repeats)}"] if item.repeats else []
        offered = [button(f"Undo {item.reference}", UNDO, f"{item.reference}:{item.record.version}:{ONLY}")]
        offered = [*(offered if batch else []), button(f"Edit {item.reference}", "edit", item.reference)]
        line = plain(f"{item.kind.emoji} {item.reference}  {item.record.title}\n{' · '.join(facts)}")
        blocks.append(section(line, overflow(offered)))
        blocks += [section(mrkdwn(" ".join(problems)))] if problems else []
    undo_all = [actions([button("Undo all", UNDO_BATCH, batch, says=f"Undo: {text}")])] if batch else []
    return Message(esc(text), [*blocks, *(section(mrkdwn(hint)) for hint in hints), *undo_all])
