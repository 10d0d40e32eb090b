"""Bodies of acknowledgements and follow-ups, and how refusals read. Pure."""

from collections.abc import Mapping
from typing import Any

from bot.incoming import Incoming
from handlers.registry import FORMS
from handlers.replies import FieldErrors, OpenForm, Redraw, Reply, Tell, UpdateForm
from handlers.request import Where
from handlers.slack_text import decoded
from models.errors import InvalidFields, StewardError
from views.blocks import Message, cut, esc, mrkdwn, plain, safe, section
from views.forms import file_in
from views.forms import message_view as form_view
from views.refill import refilled, typed_into

TYPED_SHOWN = 2_500

STILL_WORKING = Message("Still working …", [section(plain("Still working …"))])
READING = Message("Reading the file …", [section(plain("Reading the file …"))])


def private(message: Message) -> dict[str, Any]:
    """A message only the person sees, as the answer to a command."""
    return {"response_type": "ephemeral", "text": message.text, "blocks": message.blocks}


def beside(message: Message, thread_ts: str = "") -> dict[str, Any]:
    """A message only the person sees, below the one they acted on: in its thread, if it stands in one."""
    return private(message) | {"replace_original": False} | ({"thread_ts": thread_ts} if thread_ts else {})


def instead(message: Message) -> dict[str, Any]:
    """A message in place of the one that was acted on."""
    return {"replace_original": True, "text": message.text, "blocks": message.blocks}


def message_view(message: Message, title: str = "Steward") -> dict[str, Any]:
    """A message as a window, where Slack offers no other place."""
    return form_view(title, message.blocks)


def in_form(message: Message) -> dict[str, Any]:
    """The form's acknowledgement that turns it into a message."""
    return {"response_action": "update", "view": message_view(message)}


def still_working(incoming: Incoming) -> dict[str, Any] | None:
    """The acknowledgement of what takes longer than Slack waits. It promises nothing."""
    message = READING if is_reading(incoming) or incoming.context.file_id else STILL_WORKING
    match incoming.where:
        case Where.COMMAND:
            return private(message)
        case Where.FORM:
            return in_form(message)
        case Where.OPTIONS:
            return {"options": []}
        case _:
            return None


def is_reading(incoming: Incoming) -> bool:
    """Whether a file has just been put into the form, which takes longer than people look at a still window."""
    entry = FORMS.get(incoming.name) if incoming.where is Where.FORM else None
    return entry is not None and entry.reads_file and file_in(incoming.state) not in ("", incoming.context.file_id)


def not_installed(incoming: Incoming) -> dict[str, Any] | None:
    """The acknowledgement of a request from where Steward is not, or no longer, installed."""
    match incoming.where:
        case Where.COMMAND:
            sentence = "Steward is not installed in this workspace. Ask who looks after it to install it again."
            return private(Message(sentence, [section(plain(sentence))]))
        case Where.OPTIONS:
            return {"options": []}
        case _:
            return None


def refusal(incoming: Incoming, error: StewardError) -> Reply:
    """A refusal where the person acted: beside fields in a form, else as words with what they typed."""
    if incoming.where is Where.FORM:
        problems = error.problems if isinstance(error, InvalidFields) else {}
        return FieldErrors(problems or {"": str(error)})
    # A refusal is plain words, names of people's making among them; the backticks around commands stay.
    sentence = esc(str(error))
    if incoming.where is Where.MENTION:
        # In a thread, commands do not work, and words after a mention are read in the same way.
        sentence = sentence.replace("`/steward ", "`@Steward ")
    return Tell(_with_typed(incoming, sentence))


def fault(incoming: Incoming, reference: str) -> Reply:
    """A mistake of ours: the reference stands in the log."""
    sentence = (
        f"Something went wrong on Steward's side, so nothing was saved. Please try again; if it happens again, "
        f"give your administrator this reference: {reference}."
    )
    if incoming.where is Where.FORM:
        return FieldErrors({"": sentence})
    return Tell(_with_typed(incoming, sentence))


def beside_fields(incoming: Incoming, problems: Mapping[str, str]) -> dict[str, str]:
    """Sentences under the ids of the form's inputs; what belongs to no input of it stands beside the first."""
    inputs = [str(block["block_id"]) for block in incoming.view.get("blocks", ()) if block.get("type") == "input"]
    aliases = {"name": "project_name"}
    placed: dict[str, str] = {}
    for key, sentence in problems.items():
        key = key if key in inputs else aliases.get(key, key)
        block_id = key if key in inputs else (inputs[0] if inputs else key)
        placed[block_id] = f"{placed[block_id]} {sentence}" if block_id in placed else sentence
    return {block_id: cut(sentence, 2_000) for block_id, sentence in placed.items()}


def late_view(incoming: Incoming, reply: Reply) -> dict[str, Any]:
    """What a form shows after "Still working": the outcome, or itself again with everything typed and what is wrong."""
    match reply:
        case Tell(message=message) | Redraw(message=message):
            return message_view(message)
        case UpdateForm(view=view) | OpenForm(view=view):
            return dict(view)
        case FieldErrors(problems=problems):
            placed = beside_fields(incoming, problems)
            return refilled(incoming.view, beside={key: f"⚠️ {sentence}" for key, sentence in placed.items()})
        case _:
            return message_view(Message("Done.", [section(plain("Done."))]))


def late_message(incoming: Incoming, reply: Reply) -> Message:
    """The same for somebody who closed the form meanwhile: the outcome, or what is wrong and everything typed."""
    match reply:
        case Tell(message=message) | Redraw(message=message):
            return message
        case FieldErrors(problems=problems):
            sentence = " ".join(problems.values())
        case _:
            sentence = "The form was closed before it was saved, so nothing was stored."
    return _with_block(esc(sentence), "\n".join(typed_into(incoming.view)))


def too_late_for_form(incoming: Incoming) -> Tell:
    """Slack lets a form open only within three seconds; say so and give the words back."""
    return Tell(_with_typed(incoming, "Slack did not let me open the form in time. Please try once more."))


def _with_typed(incoming: Incoming, sentence: str) -> Message:
    """The mrkdwn sentence, and below it what was typed, ready to be copied."""
    has_words = incoming.where in (Where.COMMAND, Where.MENTION) and incoming.text.strip()
    name = "@Steward" if incoming.where is Where.MENTION else incoming.name
    return _with_block(sentence, f"{name} {decoded(incoming.text)}".strip() if has_words else "")


def _with_block(sentence: str, typed: str) -> Message:
    blocks = [section(mrkdwn(sentence))]
    if typed:
        elements = [{"type": "text", "text": cut(safe(typed), TYPED_SHOWN)}]
        blocks.append({"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": elements}]})
    return Message(f"{sentence} {esc(cut(typed, 500))}".strip(), blocks)
