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
    name, total = leaver.shown_name, sum(left.records for left in found)
    says = [f"{name} has left the workspace."]
    if total:
        records = "1 open record" if total == 1 else f"{total} open records"
        where = ", ".join(f"{left.records} in {left.project.name}" for left in found[:MOST_PROJECTS] if left.records)
        says.append(f"They still own {records}: {where}. Nobody is reminded of them until somebody else owns them.")
    blocks = [section(plain(" ".join(says)))]
    if total:
        hand_on = button("Hand them on", "select", line, style="primary", says=f"Hand on what {name} owns")
        blocks.append(actions([hand_on]))
    for left in found[:MOST_PROJECTS]:
        if left.coordinates:
            sentence = f"{left.project.name} needs another coordinator: {name} was it."
            says.append(sentence)
            blocks.append(section(plain(sentence), button("Choose one", "settings", str(left.project.id))))
    return Message(esc(" ".join(says)), blocks)
