"""What people typed is drawn as they typed it and never read as markup, in every kind, field and surface."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.comments import Said, Talk
from models.filters import Filters
from models.kinds import KINDS, Item, Kind
from models.kinds.base import FieldType
from models.labels import Priority
from models.links import Linked
from models.operations import TEXT_MAX, TITLE_MAX
from models.permissions import actor_of
from models.tables import Act, Channel, Comment, History, Person, Project, Record
from reports.around import Around
from reports.digest import Digest, DigestLine, Done, Group
from reports.work import Line, Page
from tests.support import NOW
from views import cards, digest, forms, me
from views.blocks import bullets, rich
from views.forms import FormContext
from views.lists import ListView, record_list

TEXT_FIELDS = (FieldType.TEXT, FieldType.LONG_TEXT)

ODD = (
    "👩🏽‍🚀🏳️‍🌈👨‍👩‍👧",
    "שלום עולم وداعا",
    "e\u0301 Z\u0351\u036b\u0343a\u0308lgo",
    "می‌خواهم",
    "<!channel>",
    "<!here|here>",
    "<!everyone>",
    "<@U00000000BE>",
    "<!subteam^S1|team>",
    "<#C1|general>",
    "<https://example.com|here>",
    "<mailto:a@b.example|x>",
    "&lt;!channel&gt;",
    "&amp;",
    "@channel",
    "*bold* _it_ ~no~ `code`",
    "{title} %s \\n",
    "|",
    "x" * 3_000,
)
words = st.lists(st.sampled_from(ODD) | st.text(st.characters(codec="utf-8", exclude_categories=("C",))), min_size=1)
typed = words.map(" ".join).map(str.strip).filter(bool)

# What may stand in angle brackets because Steward itself put it there.
OURS = re.compile(r"<@UOWNER>|<#CHOME>|<!date\^\d+\^[^<>|]*\|[^<>]*>|<https://slack\.example/p1\|[^<>]*>")


def an_item(kind: Kind, text: str) -> Item:
    """A record of the kind with the text in every field that takes one."""
    record = Record(
        id=1,
        workspace_id="T1",
        project_id=1,
        channel_id="CHOME",
        kind=kind.key,
        number=1,
        title=text[:TITLE_MAX].strip(),
        details=text,
        owner_id="UOWNER",
        status=kind.first_status,
        priority=Priority.HIGH,
        remark=text,
        raised_by="UOWNER",
        source_link="https://slack.example/p1",
        created_at=NOW,
        updated_at=NOW,
    )
    longest = {FieldType.TEXT: TEXT_MAX, FieldType.LONG_TEXT: len(text)}
    stored = [field for field in kind.fields if field.type in TEXT_FIELDS and field.key in kind.model.model_fields]
    own = {field.key: text[: longest[field.type]] for field in stored}
    return Item(kind, record, kind.model(record_id=1, **own))


def surfaces(item: Item, text: str) -> Iterator[tuple[str, Any]]:
    """Everything that is drawn of a record, its project and its people, all of which bear the text."""
    name = text[:80]
    project = Project(
        id=1, workspace_id="T1", name=name, timezone="UTC", created_by="UOWNER", home_channel_id="CHOME", created_at=NOW
    )
    owner = Person(workspace_id="T1", id="UOWNER", name=name, real_name=name)
    people, today = {"UOWNER": owner}, NOW.date()
    linked = (Linked(word="Blocks", reference="A2", title=text, is_open=True),)
    spoken = Comment(id=1, workspace_id="T1", record_id=1, author_id="UOWNER", at=NOW, text=text)
    shown = Around(linked, Talk(1, (Said(name, text),)))
    row = History(
        project_id=1, version=2, at=NOW, actor_id="UOWNER", act=Act.CHANGED, via="form", field="title", before="old",
        after=text, note=text,
    )  # fmt: skip
    page = Page(lines=(Line(item, project, today),), total=1, number=0, size=10, as_of=NOW)
    view = ListView(title="Open records", line="", empty="", filters=Filters(), reader_id="UANA", steps={})
    yield "card", cards.record_card(item, project, people, now=NOW, mention_owner=True, around=shown)
    yield "confirmation", cards.saved(item, project, people, said="Logged", now=NOW)
    yield (
        "word to the owner",
        cards.assigned(item, project, people, now=NOW, around=shown, reader=actor_of(owner), by="UOWNER"),
    )
    lines = tuple(DigestLine(group, item, project) for group in Group)
    told = Digest(person=owner, day=today, lines=lines, totals=dict.fromkeys(Group, 1))
    yield "digest", digest.digest(told, people)
    yield "preview", digest.preview(told, people, notes=["As it would look now."])
    done = [replace(line, done=Done((row,))) for line in lines]
    yield "digest again", digest.digest_again(owner, today, done, people, today=today)
    yield "nobody's", digest.nobodys(item, project, people, "UOWNER", text)
    yield "form of another date", digest.date_form(item, "due_date", FormContext(), today=today)
    yield "form of whose it is", digest.pass_form(item, project, people, FormContext())
    yield "my settings", me.form(owner, [item.record], FormContext())
    yield (
        "history",
        cards.history(
            item,
            [cards.HistoryLine(NOW, name, cards.change_in_words(item.kind, row, people)), cards.said(spoken, people)],
        ),
    )
    yield "comment", cards.commented(item, spoken)
    yield "linked", cards.linked("Linked.", [item])
    yield "list", record_list(page, people, view)
    yield "greeting", cards.hello(Channel(id="CHOME", name=name), "UBOT")
    yield "form", forms.edit_form(item, FormContext(), warning=text)
    for step in item.kind.steps:
        yield f"form of {step.key}", forms.step_form(item, step, FormContext())


def read_as_markup(part: Any) -> Iterator[str]:
    """Every string that Slack reads for mentions, links and broadcasts."""
    if hasattr(part, "blocks"):
        yield part.text
        part = part.blocks
    if isinstance(part, list):
        for each in part:
            yield from read_as_markup(each)
    elif isinstance(part, dict):
        if part.get("type") == "mrkdwn":
            yield part["text"]
        for each in part.values():
            yield from read_as_markup(each)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
@settings(max_examples=25, deadline=None)
@given(text=typed)
def test_nothing_typed_becomes_a_mention_a_link_or_a_broadcast(kind: Kind, text: str) -> None:
    """In no card, message, list, form or fallback: an angle bracket in them is Steward's own."""
    for where, drawn in surfaces(an_item(kind, text), text):
        for shown in read_as_markup(drawn):
            assert "<" not in OURS.sub("", shown), where


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
@settings(max_examples=25, deadline=None)
@given(text=typed)
def test_a_form_gives_back_every_field_to_the_byte(kind: Kind, text: str) -> None:
    """Also more than one input of Slack's takes."""
    item = an_item(kind, text)
    form = forms.edit_form(item, FormContext(shows_all=True))
    context = forms.unpack(form["private_metadata"])
    state = {
        block["block_id"]: {"x": {"type": "plain_text_input", "value": block["element"].get("initial_value")}}
        for block in form["blocks"]
        if block["type"] == "input" and block["element"]["type"] == "plain_text_input"
    }

    values = forms.read_fields(kind, state, context)

    for field in kind.form_fields:
        if field.type in TEXT_FIELDS and field.key in values:
            assert values[field.key] == item.value(field.key), field.key
    assert {"title", "details"} <= values.keys()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
@settings(max_examples=25, deadline=None)
@given(text=typed)
def test_a_title_is_shown_to_the_byte(kind: Kind, text: str) -> None:
    """On its card, as text that is no markup."""
    item = an_item(kind, text)
    card = next(drawn for where, drawn in surfaces(item, text) if where == "card")

    elements = [
        each for block in card.blocks for part in block.get("elements", ()) for each in part.get("elements", ())
    ]
    plain = [block["text"]["text"] for block in card.blocks if block.get("text", {}).get("type") == "plain_text"]

    assert any(item.record.title in shown for shown in [*plain, *(each.get("text", "") for each in elements)])


def test_emoji_are_emoji_in_rich_text_too() -> None:
    """Slack hands apps an emoji by its name, and shows no name in rich text as anything but letters."""
    (line,) = rich("📝 ", (":x:Ship it:+1::skin-tone-3: :8ball: at 10:30:45, a:b:c :B:", "bold"))["elements"]

    bold = {"style": {"bold": True}}
    assert line["elements"] == [
        {"type": "text", "text": "📝 "},
        {"type": "emoji", "name": "x"},
        {"type": "text", "text": "Ship it"} | bold,
        {"type": "emoji", "name": "+1::skin-tone-3"},
        {"type": "text", "text": " "} | bold,
        {"type": "emoji", "name": "8ball"},
        {"type": "text", "text": " at 10:30:45, a:b:c :B:"} | bold,
    ]
    assert bullets([("A1", ":warning: late")])["elements"][0]["elements"][0]["elements"] == [
        {"type": "text", "text": "A1  "} | bold,
        {"type": "emoji", "name": "warning"},
        {"type": "text", "text": " late"},
    ]
