"""Forms from a kind's description: each field type has an element to draw and a way to read what was typed.

Block ids are field keys, so a fault is shown beside its field. When a form is drawn anew, Slack keeps what stands in an
input whose action id stays, and takes the new initial value only where the action id changes.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, time
from typing import Any

from models.comments import COMMENT, COMMENT_MAX
from models.errors import Unread
from models.kinds import KINDS, Item, Kind
from models.kinds.base import FieldSpec, FieldType, Step
from models.operations import NUMBER_MAX, REMARK, TEXT_MAX, TITLE_MAX, Source
from models.projects import NAME_MAX
from models.tables import Comment, Project
from models.tags import read_tags
from views.blocks import Block, actions, button, cut, header, link, mrkdwn, note, option, plain, safe, section
from views.blocks import input_block as _input
from views.values import shown_value, with_article

Values = Mapping[str, Any]
NOT_SET = "-"
WHY_MOVED = "why_moved"


@dataclass(frozen=True)
class FormContext:
    """What a form remembers between opening and submitting. Holds no rights: those are checked on submission.

    `line` is the page and filters of the list it was opened from, `chosen` the records picked there: "A12:5" with the
    version that was seen. `of_day` is the date of the digest whose button opened it.
    """

    kind: str = ""
    channel_id: str = ""
    to_channel: str = ""
    project_id: int | None = None
    reference: str = ""
    version: int = 0
    step: str = ""
    follows: str = ""
    shows_all: bool = False
    pointed_out: bool = False
    source_link: str = ""
    source_ts: str = ""
    source_thread_ts: str = ""
    response_url: str = ""
    thread_ts: str = ""
    asks: tuple[str, ...] = ()
    line: str = ""
    chosen: tuple[str, ...] = ()
    digest: str = ""
    of_day: str = ""
    file_id: str = ""
    comment_id: int = 0
    lengths: Mapping[str, int] = field(default_factory=dict)

    @property
    def source(self) -> Source | None:
        """The message that the record is made from, if it is made from one."""
        if not self.source_link and not self.source_ts:
            return None
        return Source(self.source_link, self.channel_id, self.source_ts, self.source_thread_ts)

    def made_from(self, source: Source | None) -> "FormContext":
        """The same for a record that is made from that message."""
        if source is None:
            return self
        return replace(self, source_link=source.link, source_ts=source.ts, source_thread_ts=source.thread_ts)

    def packed(self) -> str:
        """As private_metadata: at most 3,000 characters, of which a link is the longest part."""
        return json.dumps({key: value for key, value in asdict(self).items() if value}, ensure_ascii=False)


def unpack(private_metadata: str) -> FormContext:
    """The context of a submitted form; an empty one when it is not ours."""
    try:
        stored = json.loads(private_metadata or "{}")
        stored |= {key: tuple(stored.get(key, ())) for key in ("asks", "chosen")}
        return FormContext(**stored)
    except (ValueError, TypeError):
        return FormContext()


def record_form(
    kind: Kind,
    values: Values,
    context: FormContext,
    *,
    project: Project | None = None,
    title: str = "",
    alike: Sequence[Block] = (),
) -> Block:
    """The form for a new record, filled from what is known; `context.asks` may add kind, project, project_name.

    `alike` points out records that may be the same, above all else.
    """
    blocks = list(alike)
    if "kind" in context.asks:
        blocks += [_kind_choice(kind), note(plain(kind.help))]
    else:
        blocks.append(note(plain(kind.help)))
    if context.source_link:
        blocks.append(note(mrkdwn(link(context.source_link, "The message it comes from"))))
    blocks += place_inputs(context, project)
    blocks += _fields(kind, values, context, focus=True, edition=context.version)
    return {
        "type": "modal",
        "callback_id": "create",
        "title": plain(title or f"Log {with_article(kind.singular)}", 24),
        "submit": plain("Log it anyway" if context.pointed_out else "Save"),
        "close": plain("Cancel"),
        "private_metadata": _with_lengths(context, kind, values).packed(),
        "blocks": blocks,
    }


def place_inputs(context: FormContext, project: Project | None, name: str = "") -> list[Block]:
    """The inputs for what a form has to ask about the project; `name` is what was typed before."""
    inputs = [project_choice(project)] if "project" in context.asks else []
    if "project_name" in context.asks:
        element: Block = {"type": "plain_text_input", "max_length": NAME_MAX}
        hint = (
            "Slack does not let me see this private channel yet, so please name its project. "
            "Until I am invited, only you can see what you log here."
        )
        element |= {"initial_value": name} if name else {}
        inputs.append(_input("project_name", "Project name", element, hint))
    return inputs


def pointing_out(sentence: str, references: Sequence[str]) -> list[Block]:
    """What a form says of records that may be the same, with a button to look at each without losing the form."""
    looks = [button(f"Open {each}", f"look:{each}", each, says=f"Open {each}") for each in references]
    return [section(plain(f"{sentence} Nothing is saved yet: log it anyway, or look first.")), actions(looks)]


def edit_form(item: Item, context: FormContext, *, values: Values | None = None, warning: str = "") -> Block:
    """The form for an existing record, filled with what is stored, or anew with `values` under a warning."""
    kind = item.kind
    if values is None:
        values = stored_values(item)
    context = _with_lengths(context, kind, values)
    return {
        "type": "modal",
        "callback_id": "edit",
        "title": plain(f"Edit {item.reference}", 24),
        "submit": plain("Save"),
        "close": plain("Cancel"),
        "private_metadata": context.packed(),
        "blocks": [
            *([section(plain(warning))] if warning else []),
            *_asking_why_moved(item, values, _fields(kind, values, context, edition=context.version if warning else 0)),
        ],
    }


def field_form(item: Item, key: str, context: FormContext) -> Block:
    """The small form for one field of a record; it is read as the edit form is."""
    spec = item.kind.field(key)
    blocks = [note(plain(f"{item.reference}: {item.record.title}", 2_000))]
    blocks.append(_input(key, spec.label, _ELEMENTS[spec.type].draw(spec, item.value(key)), spec.help))
    if key == "due_date" and item.value(key):
        blocks.append(_why_moved())
    return {
        "type": "modal",
        "callback_id": "edit",
        "title": plain(f"Change {item.reference}", 24),
        "submit": plain("Save"),
        "close": plain("Cancel"),
        "private_metadata": context.packed(),
        "blocks": blocks,
    }


def _why_moved() -> Block:
    element = {"type": "plain_text_input", "max_length": TEXT_MAX}
    hint = "It stands in the history, and the card keeps the date that was promised first."
    return _input(WHY_MOVED, "Why does the date move?", element, hint, optional=True)


def _asking_why_moved(item: Item, values: Values, blocks: list[Block]) -> list[Block]:
    """The inputs of an edited record: its due date tells us when it is chosen, and a later one is asked about."""
    drawn = []
    for block in blocks:
        drawn.append(block | {"dispatch_action": True} if block.get("block_id") == "due_date" else block)
        before, day = item.record.due_date, values.get("due_date")
        if block.get("block_id") == "due_date" and before and day and day > before:
            drawn.append(_why_moved())
    return drawn


def stored_values(item: Item) -> dict[str, Any]:
    """What the form of a record starts from."""
    return {spec.key: item.value(spec.key) for spec in item.kind.form_fields}


def step_form(item: Item, step: Step, context: FormContext) -> Block:
    """The small form for what a step asks for: a choice, a reason, or both. A remark may always be added."""
    blocks: list[Block] = [named(item)]
    if step.asks:
        spec = item.kind.field(step.asks)
        choices = [option(choice.label, choice.value) for choice in spec.choices or ()]
        blocks.append(_input(spec.key, spec.label, {"type": "static_select", "options": choices}, spec.help))
    words = {"type": "plain_text_input", "multiline": True, "max_length": TEXT_MAX}
    label, hint = (step.reason, "") if step.reason else ("Remark", "Anything a reader should know of it.")
    blocks.append(_input(REMARK, label, words, hint, optional=not step.reason))
    return {
        "type": "modal",
        "callback_id": "step",
        "title": plain(f"{step.label} {item.reference}", 24),
        "submit": plain("Save"),
        "close": plain("Cancel"),
        "private_metadata": context.packed(),
        "blocks": blocks,
    }


def comment_form(item: Item, context: FormContext, comment: Comment | None = None) -> Block:
    """The small form for a comment, or for other words in place of one."""
    words: Block = {"type": "plain_text_input", "multiline": True, "max_length": COMMENT_MAX, "focus_on_load": True}
    hint = "Everybody who sees the card can read it."
    if comment is not None:
        context, words = replace(context, comment_id=comment.id or 0), words | {"initial_value": comment.text}
        hint += " The history keeps that you reworded it."
    return {
        "type": "modal",
        "callback_id": "reword" if comment else "comment",
        "title": plain(f"{'Reword comment' if comment else 'Comment'} on {item.reference}", 24),
        "submit": plain("Save"),
        "close": plain("Cancel"),
        "private_metadata": context.packed(),
        "blocks": [
            named(item),
            _input(COMMENT, "Comment", words, hint),
        ],
    }


def named(item: Item) -> Block:
    """Which record a small form is about."""
    return note(plain(f"{item.reference}: {item.record.title}", 2_000))


def move_form(item: Item, project: Project, to: Project, context: FormContext) -> Block:
    """The question before a record of a private project is shown to others."""
    who = "the members of its channels" if to.is_private else "everybody in this workspace"
    asks = (
        f"{item.reference} is in the private project {project.name}, which only the members of its channels see. "
        f"In {to.name} {who} can read all of it: title and texts, comments, and the history of who changed what."
    )
    return {
        "type": "modal",
        "callback_id": "move",
        "title": plain(f"Move {item.reference}?", 24),
        "submit": plain("Move"),
        "close": plain("Leave it here"),
        "private_metadata": context.packed(),
        "blocks": [section(plain(asks)), named(item)],
    }


def message_view(title: str, blocks: Sequence[Block]) -> Block:
    """A form without questions, to tell something where Slack offers no other place."""
    return {"type": "modal", "title": plain(title, 24), "close": plain("Close"), "blocks": list(blocks)}


def project_choice(project: Project | None) -> Block:
    """The input that picks a project; its options are asked from Steward as the person types."""
    element: Block = {"type": "external_select", "min_query_length": 0, "placeholder": plain("Choose a project")}
    if project is not None:
        element["initial_option"] = option(project.name, str(project.id))
    return _input("project", "Project", element, "Where it belongs; its card is posted in the project's channel.")


def read_fields(kind: Kind, state: Mapping[str, Any], context: FormContext) -> dict[str, Any]:
    """The typed values of a submitted record form by field key. Fields that the form did not show are absent."""
    values = {}
    for spec in kind.form_fields:
        parts = [spec.key, *(f"{spec.key}.{n}" for n in range(1, context.lengths.get(spec.key, 1)))]
        shown = [element_in(state, part) for part in parts if part in state]
        if shown:
            values[spec.key] = _ELEMENTS[spec.type].read(spec, shown)
    return values


def read_choice(state: Mapping[str, Any], block_id: str) -> str:
    """The chosen option's value, chosen person or typed text of an input; empty when there is none."""
    element = element_in(state, block_id)
    chosen = element.get("selected_option") or {}
    return safe(str(chosen.get("value") or element.get("selected_user") or element.get("value") or ""))


def people_in(state: Mapping[str, Any]) -> list[str]:
    """The ids of the people chosen in the form's inputs."""
    elements = [element_in(state, block_id) for block_id in state]
    chosen = [[each.get("selected_user"), *(each.get("selected_users") or ())] for each in elements]
    return [person_id for some in chosen for person_id in some if person_id]


def read_choices(state: Mapping[str, Any], block_id: str) -> list[str]:
    """The values of the checked boxes of an input."""
    return [str(each.get("value")) for each in element_in(state, block_id).get("selected_options") or ()]


def file_in(state: Mapping[str, Any]) -> str:
    """The id of the one file that was put into the form, wherever in it; empty when there is none."""
    held = (element for block in state.values() for element in block.values())
    ids = [str(file.get("id") or "") for element in held for file in element.get("files") or ()]
    return ids[0] if ids else ""


def element_in(state: Mapping[str, Any], block_id: str) -> Mapping[str, Any]:
    """What the block's one element holds, whatever its action id."""
    return next(iter((state.get(block_id) or {}).values()), None) or {}


@dataclass(frozen=True)
class _Element:
    draw: Callable[[FieldSpec, Any], Block]
    read: Callable[[FieldSpec, list[Mapping[str, Any]]], Any]


def _draw_text(spec: FieldSpec, value: Any) -> Block:
    limit = TITLE_MAX if spec.key == "title" else TEXT_MAX
    element: Block = {"type": "plain_text_input", "max_length": limit}
    if spec.type is FieldType.LONG_TEXT:
        element["multiline"] = True
    return element | ({"initial_value": cut(value, limit)} if value else {})


def _read_text(spec: FieldSpec, shown: list[Mapping[str, Any]]) -> str:
    return safe("".join(part.get("value") or "" for part in shown))


def _draw_tags(spec: FieldSpec, value: str | None) -> Block:
    return _draw_text(spec, ", ".join((value or "").split()))


def _draw_person(spec: FieldSpec, value: Any) -> Block:
    element: Block = {"type": "users_select", "placeholder": plain("Choose a person")}
    return element | ({"initial_user": value} if value else {})


def _draw_people(spec: FieldSpec, value: Any) -> Block:
    element: Block = {"type": "multi_users_select", "placeholder": plain("Choose people")}
    return element | ({"initial_users": list(value)} if value else {})


def _draw_date(spec: FieldSpec, value: date | None) -> Block:
    return {"type": "datepicker"} | ({"initial_date": value.isoformat()} if value else {})


def _read_date(spec: FieldSpec, shown: list[Mapping[str, Any]]) -> date | None:
    chosen = shown[0].get("selected_date")
    return date.fromisoformat(chosen) if chosen else None


def _draw_time(spec: FieldSpec, value: time | None) -> Block:
    return {"type": "timepicker"} | ({"initial_time": f"{value:%H:%M}"} if value else {})


def _read_time(spec: FieldSpec, shown: list[Mapping[str, Any]]) -> time | None:
    chosen = shown[0].get("selected_time")
    return time.fromisoformat(chosen) if chosen else None


def _draw_number(spec: FieldSpec, value: int | None) -> Block:
    element: Block = {"type": "number_input", "is_decimal_allowed": False}
    element |= {"min_value": str(-NUMBER_MAX), "max_value": str(NUMBER_MAX)}
    return element | ({"initial_value": str(value)} if value is not None else {})


def _read_number(spec: FieldSpec, shown: list[Mapping[str, Any]]) -> int | None:
    typed = shown[0].get("value")
    return int(typed) if typed else None


def _draw_typed(spec: FieldSpec, value: Any) -> Block:
    """The value in words that are read as the same value again; what could not be read, as it was typed."""
    return _draw_text(spec, value.typed if isinstance(value, Unread) else shown_value(spec, value, {}))


def _draw_menu(spec: FieldSpec, value: Any) -> Block:
    """A menu can be emptied again only through an option that says so."""
    choices = [option(label, key) for key, label in _menu(spec)]
    wanted = spec.default if value is None else value
    chosen = next((choice for choice in choices if choice["value"] == str(wanted)), None)
    return {"type": "static_select", "options": choices} | ({"initial_option": chosen} if chosen else {})


def _draw_option(spec: FieldSpec, value: str | None) -> Block:
    """The words to choose from, and the one that stands there although it is no longer among them."""
    words = dict.fromkeys([*spec.options, *([value] if value else [])])
    choices = [option("Not set", NOT_SET), *(option(word, word) for word in words)]
    chosen = next((choice for choice in choices if choice["value"] == value), None)
    return {"type": "static_select", "options": choices} | ({"initial_option": chosen} if chosen else {})


def _read_option(spec: FieldSpec, shown: list[Mapping[str, Any]]) -> str:
    chosen = str((shown[0].get("selected_option") or {}).get("value", NOT_SET))
    return "" if chosen == NOT_SET else chosen


def _menu(spec: FieldSpec) -> list[tuple[str, str]]:
    if spec.choices is None:
        return [(NOT_SET, "Not set"), *((str(n), str(n)) for n in range(1, 6))]
    blank = [] if spec.default else [(NOT_SET, "Not set")]
    return [*blank, *((str(c.value), c.label) for c in spec.choices)]


def _read_menu(spec: FieldSpec, shown: list[Mapping[str, Any]]) -> Any:
    chosen = (shown[0].get("selected_option") or {}).get("value", NOT_SET)
    if chosen == NOT_SET:
        return spec.default
    return spec.choices(chosen) if spec.choices else int(chosen)


_ELEMENTS = {
    FieldType.TEXT: _Element(_draw_text, _read_text),
    FieldType.LONG_TEXT: _Element(_draw_text, _read_text),
    FieldType.PERSON: _Element(_draw_person, lambda spec, shown: shown[0].get("selected_user") or None),
    FieldType.PEOPLE: _Element(_draw_people, lambda spec, shown: list(shown[0].get("selected_users") or ())),
    FieldType.DATE: _Element(_draw_date, _read_date),
    FieldType.TIME: _Element(_draw_time, _read_time),
    FieldType.CHOICE: _Element(_draw_menu, _read_menu),
    FieldType.SCALE: _Element(_draw_menu, _read_menu),
    FieldType.NUMBER: _Element(_draw_number, _read_number),
    FieldType.REPEAT: _Element(_draw_typed, _read_text),
    FieldType.MONEY: _Element(_draw_typed, _read_text),
    FieldType.OPTION: _Element(_draw_option, _read_option),
    FieldType.TAGS: _Element(_draw_tags, lambda spec, shown: read_tags(_read_text(spec, shown))),
}


def _fields(kind: Kind, values: Values, context: FormContext, *, focus: bool = False, edition: int = 0) -> list[Block]:
    """The inputs of a kind: the few that matter first, the rest where they hold a value or were asked for.

    An `edition` above 0 marks them as new ones, so that Slack shows these values in them.
    """
    specs = [
        spec
        for spec in _by_heading(kind)
        if context.shows_all or not spec.is_extra or not spec.is_usual(values.get(spec.key))
    ]
    room = MOST_INPUTS - len({spec.under for spec in specs})
    parts, left_out = [], []
    for spec in specs:
        inputs = _inputs_of(spec, values.get(spec.key), focus=focus, edition=edition)
        if len(inputs) <= room:
            parts.append((spec.under, inputs))
            room -= len(inputs)
        else:
            left_out.append(spec.label.lower())
    blocks = under_headings(parts)
    if left_out:
        blocks.append(note(plain(f"Too long for this form, and left as it is: {', '.join(left_out)}.")))
    if len(specs) < len(kind.form_fields):
        blocks.append(actions([button("More fields", "more_fields", kind.key)], block_id="more_fields"))
    return blocks


# Of the hundred blocks that a form may have; the rest is for what stands around the fields.
MOST_INPUTS = 90


def _by_heading(kind: Kind) -> list[FieldSpec]:
    """The fields of a form: the few that always stand there, then the others, together with what has their heading."""
    headings = list(dict.fromkeys(spec.under for spec in kind.form_fields))
    return sorted(kind.form_fields, key=lambda spec: (spec.is_extra, headings.index(spec.under)))


def under_headings(parts: Sequence[tuple[str, list[Block]]]) -> list[Block]:
    """The inputs of a form, each heading once above those that follow under it; an empty one is not drawn."""
    blocks: list[Block] = []
    before = ""
    for heading, inputs in parts:
        blocks += [header(heading)] if heading and heading != before else []
        blocks += inputs
        before = heading
    return blocks


def _inputs_of(spec: FieldSpec, value: Any, *, focus: bool, edition: int) -> list[Block]:
    """The input of a field, or the several that a long text takes."""
    inputs = []
    for number, part in enumerate(_parts(spec, value)):
        key = f"{spec.key}.{number}" if number else spec.key
        element = _ELEMENTS[spec.type].draw(spec, part)
        if focus and spec.key == "title" and not part:
            element["focus_on_load"] = True
        if edition:
            element["action_id"] = f"{key}:{edition}"
        label = f"{spec.label}, continued" if number else spec.label
        inputs.append(_input(key, label, element, "" if number else spec.help, optional=spec.key != "title"))
    return inputs


def _parts(spec: FieldSpec, value: Any) -> list[Any]:
    """A long text in pieces that an input can take, so that editing a record never cuts it."""
    if spec.type is not FieldType.LONG_TEXT or not value:
        return [value]
    return [value[start : start + TEXT_MAX] for start in range(0, len(value), TEXT_MAX)]


def _with_lengths(context: FormContext, kind: Kind, values: Values) -> FormContext:
    lengths = {spec.key: len(_parts(spec, values.get(spec.key))) for spec in kind.form_fields}
    return FormContext(**(asdict(context) | {"lengths": {key: count for key, count in lengths.items() if count > 1}}))


def _kind_choice(kind: Kind) -> Block:
    choices = [option(f"{k.emoji} {k.singular.capitalize()}", k.key) for k in KINDS]
    element = {
        "type": "static_select",
        "options": choices,
        "initial_option": next(choice for choice in choices if choice["value"] == kind.key),
    }
    return _input("kind", "What is it?", element, "", dispatch=True)
