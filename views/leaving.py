"""What those are told who can hand on what somebody left behind."""

from collections.abc import Sequence

from models.leaving import LeftBehind
from models.tables import Person
from views.blocks import Message, actions, button, esc, plain, section

MOST_PROJECTS = 10


def left_behind(leaver: Person, found: Sequence[LeftBehind], line: str) -> Message:
    """How much somebody who left still owns, with a button to hand it on; and the projects that need a coordinator.

    `line` is the list of their open records in these projects, as the button carries it.
    """
    name = leaver.shown_name
    return _handing_on(
        found,
        line,
        what=f"{name} has left the workspace.",
        owned="They still own {records}: {where}. Nobody is reminded of them until somebody else owns them.",
        needs=f"needs another coordinator: {name} was it.",
        says=f"Hand on what {name} owns",
    )


def ownerless(found: Sequence[LeftBehind], line: str) -> Message:
    """How much has no owner since somebody was erased, with a button to hand it on; `line` is the list of it."""
    return _handing_on(
        found,
        line,
        what="Somebody was erased from Steward.",
        owned="Without an owner since then: {records}, {where}. Nobody is reminded of them until somebody owns them.",
        needs="needs a coordinator.",
        says="Hand on what nobody owns",
    )


def taken_out() -> Message:
    """What stands where somebody's answers to a stand-up stood."""
    text = "What stood here was erased."
    return Message(text, [section(plain(text))])


def _handing_on(found: Sequence[LeftBehind], line: str, *, what: str, owned: str, needs: str, says: str) -> Message:
    """`owned` is a sentence about the `records` and `where` they are; `needs` goes on after a project's name."""
    told, total = [what], sum(left.records for left in found)
    if total:
        records = "1 open record" if total == 1 else f"{total:,} open records"
        where = ", ".join(f"{left.records:,} in {left.project.name}" for left in found[:MOST_PROJECTS] if left.records)
        told.append(owned.format(records=records, where=where))
    blocks = [section(plain(" ".join(told)))]
    if total:
        blocks.append(actions([button("Hand them on", "select", line, style="primary", says=says)]))
    for left in found[:MOST_PROJECTS]:
        if left.coordinates:
            sentence = f"{left.project.name} {needs}"
            told.append(sentence)
            blocks.append(section(plain(sentence), button("Choose one", "settings", str(left.project.id))))
    return Message(esc(" ".join(told)), blocks)
