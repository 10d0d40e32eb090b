"""What reactions save messages as: in words, and as the form in which workspace admins choose."""

from collections.abc import Mapping

from models.kinds import KINDS
from views.blocks import Block, Message, esc, input_block, mrkdwn, note, plain, section
from views.forms import FormContext
from views.values import with_article

EXPLAINED = (
    "A reaction on a message in a channel where I am saves it as a draft, once for each kind, and asks you for what is "
    "missing."
)


def in_words(chosen: Mapping[str, str], *, said: str = "") -> Message:
    """What each emoji does, for one person. `said` goes first."""
    lines = [
        f":{chosen[kind.key]}:  `:{chosen[kind.key]}:`  {esc(kind.singular)}" for kind in KINDS if kind.key in chosen
    ]
    words = "\n".join(lines) or "No emoji does anything at present."
    blocks = [
        section(plain(f"{said}{EXPLAINED}")),
        section(mrkdwn(words)),
        note(plain("Workspace admins choose the emoji with “/steward reactions”.")),
    ]
    return Message(f"{said}{EXPLAINED}", blocks)


def settings_form(chosen: Mapping[str, str], context: FormContext) -> Block:
    """One emoji a kind; a field left empty switches its reaction off."""
    inputs = [
        input_block(
            kind.key,
            f"Saves {with_article(kind.singular)}",
            {"type": "plain_text_input", "max_length": 120}
            | ({"initial_value": f":{chosen[kind.key]}:"} if kind.key in chosen else {}),
            "The emoji's name, such as pushpin. Empty: no reaction does.",
            optional=True,
        )
        for kind in KINDS
    ]
    return {
        "type": "modal",
        "callback_id": "reactions",
        "title": plain("Reactions"),
        "submit": plain("Save"),
        "close": plain("Cancel"),
        "private_metadata": context.packed(),
        "blocks": [note(plain(EXPLAINED)), *inputs],
    }
