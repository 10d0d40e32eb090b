"""The few Block Kit shapes Steward uses, and the one place where typed text is made safe.

What people typed goes into `plain_text` or rich text, which Slack never reads as markup; where mrkdwn is needed
(mentions, links), through `esc`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Block = dict[str, Any]

# Characters that would let typed text rearrange or hide what stands around it: controls and bidi overrides.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
# An emoji as Slack hands it to apps. Slack reads it in plain_text and mrkdwn, but not in the words of rich text. A name
# has a letter in it, or "10:30:45" would have one, and no word on both sides, as in "a:b:c": the first group notes that
# none stand before it. It is looked at from each colon on, and so is short.
_EMOJI = re.compile(
    r"(?:(?<![A-Za-z0-9])(?P<free>))?"
    r":(?P<name>(?:(?=[0-9_+'-]{0,9}[a-z])[a-z0-9_+'-]{1,100}|[+-]1|100)(?:::skin-tone-[2-6])?):"
    r"(?(free)|(?![A-Za-z0-9]))"
)


@dataclass(frozen=True)
class Message:
    """A message: `text` is what notifications and screen readers get, `blocks` what is seen."""

    text: str
    blocks: list[Block]


def safe(text: str) -> str:
    """The text without control characters and bidi overrides; emoji, joiners and right-to-left letters stay."""
    return _UNSAFE.sub("", text)


def esc(text: str) -> str:
    """The text for a mrkdwn string or a fallback: nothing in it is read as a mention, link or broadcast."""
    return safe(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def cut(text: str, limit: int) -> str:
    """The text, or its beginning and an ellipsis, within `limit` code points."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def plain(text: str, limit: int = 3_000) -> Block:
    """A plain_text object; empty text becomes a dash, since Slack refuses none. Without `emoji` 🔥 shows as code."""
    return {"type": "plain_text", "text": cut(safe(text), limit) or "–", "emoji": True}


def mrkdwn(text: str) -> Block:
    """A mrkdwn object. The caller has escaped whatever a person typed."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def section(text: Block, accessory: Block | None = None) -> Block:
    return {"type": "section", "text": text} | ({"accessory": accessory} if accessory else {})


def note(*texts: Block) -> Block:
    """Small grey print: up to ten texts."""
    return {"type": "context", "elements": list(texts)}


def header(text: str) -> Block:
    return {"type": "header", "text": plain(text, 150)}


def divider() -> Block:
    return {"type": "divider"}


def button(label: str, action: str, value: str, *, style: str | None = None, says: str | None = None) -> Block:
    """A button. `says` is what a screen reader hears when the label alone does not tell which record is meant."""
    drawn: Block = {"type": "button", "text": plain(label, 75), "action_id": action, "value": value}
    if style:
        drawn["style"] = style
    if says:
        drawn["accessibility_label"] = cut(safe(says), 75)
    return drawn


def actions(elements: Sequence[Block], block_id: str | None = None) -> Block:
    drawn: Block = {"type": "actions", "elements": list(elements)}
    return drawn | ({"block_id": block_id} if block_id else {})


def overflow(buttons: Sequence[Block]) -> Block:
    """The ⋯ menu of up to five buttons that no longer fit beside the others.

    Each entry carries what its button would: `bot.incoming` reads it as that button.
    """
    entries = [
        {"text": plain(each["text"]["text"], 75), "value": f"{each['action_id']} {each['value']}"} for each in buttons
    ]
    return {"type": "overflow", "action_id": "more", "options": entries}


def option(label: str, value: str) -> Block:
    return {"text": plain(label, 75), "value": value}


def input_block(
    key: str, label: str, element: Block, hint: str, *, optional: bool = False, dispatch: bool = False
) -> Block:
    """An input whose block id, and action id unless the element has one, is the field's key."""
    block: Block = {
        "type": "input",
        "block_id": key,
        "label": plain(label),
        "element": {"action_id": key} | element,
        "optional": optional,
    }
    if hint:
        block["hint"] = plain(hint)
    return block | ({"dispatch_action": True} if dispatch else {})


def rich(*runs: str | tuple[str, str]) -> Block:
    """A rich_text block of one paragraph; a run is text or (text, style) with style bold, italic or strike."""
    elements = []
    for run in runs:
        text, style = run if isinstance(run, tuple) else (run, "")
        elements += _parts(text, style)
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}


def bullets(lines: Sequence[tuple[str, str]]) -> Block:
    """A rich_text block of one bullet list: each line is a bold beginning and the rest."""
    items = [
        {
            "type": "rich_text_section",
            "elements": [*_parts(f"{first}  ", "bold"), *_parts(safe(rest) or "–")],
        }
        for first, rest in lines
    ]
    return {"type": "rich_text", "elements": [{"type": "rich_text_list", "style": "bullet", "elements": items}]}


def _parts(text: str, style: str = "") -> list[Block]:
    """A run of rich text in its parts: words, and emoji by name; a name that Slack does not know it shows as it is."""
    styled = {"style": {style: True}} if style else {}
    return [
        {"type": "emoji", "name": part} if at % 3 == 2 else {"type": "text", "text": part} | styled
        for at, part in enumerate(_EMOJI.split(safe(text)))
        if part
    ]


def mention(person_id: str) -> str:
    """mrkdwn that notifies the person."""
    return f"<@{person_id}>"


def instant(at: datetime) -> str:
    """mrkdwn for a moment, which Slack shows in the reader's own zone."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{at:%Y-%m-%d %H:%M} UTC>"


def link(url: str, label: str) -> str:
    """mrkdwn for a link; the label is ours, the address came from Slack."""
    return f"<{esc(url).replace('|', '%7C')}|{label}>"
