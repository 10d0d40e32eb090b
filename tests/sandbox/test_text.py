"""Text on the wire: what people type and what apps send, in Slack's form."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.manifest import read_app
from sandbox.seed import fresh_workspace
from sandbox.text import mentions, normalise, rich_text, typed_command, typed_message, unescape
from tests.sandbox.workspace_support import MANIFEST

WORKSPACE = fresh_workspace(read_app(MANIFEST), datetime(2026, 3, 2, tzinfo=UTC))


@pytest.mark.parametrize(
    ("typed", "wire"),
    [
        ("hello @ben", "hello <@U00000000BE|ben>"),
        ("hello @Ben Fischer, ok?", "hello <@U00000000BE|ben>, ok?"),
        ("@parrot list", "<@U00000000BT|parrot> list"),
        ("in #network and #steering", "in <#C00000000NE|network> and <#C00000000ST|>"),
        ("see https://a.example/x?b=1&c=2.", "see <https://a.example/x?b=1&amp;c=2>."),
        ("mail ana@northwind-it.example", "mail <mailto:ana@northwind-it.example|ana@northwind-it.example>"),
        ("a < b & c > d", "a &lt; b &amp; c &gt; d"),
        ("@nobody #nowhere", "@nobody #nowhere"),
        ("@benjamin", "@benjamin"),
        ("<@U00000000KA> picked from the menu", "<@U00000000KA|kavya> picked from the menu"),
        ("tell @here", "tell <!here>"),
    ],
)
def test_a_command_that_asks_for_it_gets_entities(typed: str, wire: str) -> None:
    assert typed_command(WORKSPACE, typed, should_escape=True) == wire


def test_a_command_that_does_not_ask_gets_what_was_typed() -> None:
    typed = "tell @ben in #network: a < b & https://a.example"

    assert typed_command(WORKSPACE, typed, should_escape=False) == typed
    assert typed_command(WORKSPACE, "<@U00000000KA> and <#C00000000NE>", should_escape=False) == "@kavya and #network"


def test_a_message_mentions_people_by_id_alone() -> None:
    wire = typed_message(WORKSPACE, "@ana and @ben: x<y")

    assert wire == "<@U00000000AN> and <@U00000000BE>: x&lt;y"
    assert mentions(wire) == {"U00000000AN", "U00000000BE"}


@pytest.mark.parametrize(
    ("sent", "given_back"),
    [
        ("a & b", "a &amp; b"),
        ("a &amp; b &lt;", "a &amp; b &lt;"),
        ("x < y > z", "x &lt; y &gt; z"),
        ("> a quote", "&gt; a quote"),
        ("<@U1> <#C1|net> <!here> <!date^1^{date}|then>", "<@U1> <#C1|net> <!here> <!date^1^{date}|then>"),
        ("<https://a.example|here> https://b.example", "<https://a.example|here> <https://b.example>"),
        ("`https://a.example <b>`", "`https://a.example &lt;b&gt;`"),
        ("done ✅ 🎉", "done :white_check_mark: :tada:"),
        ("👍🏽 of 👩🏽‍💻 with ❤️‍🔥", "👍🏽 of 👩🏽‍💻 with ❤️‍🔥"),
        ("<b>", "&lt;b&gt;"),
    ],
)
def test_apps_get_their_text_back_in_slacks_form(sent: str, given_back: str) -> None:
    assert normalise(sent) == given_back


@given(st.text())
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    once = normalise(text)

    assert normalise(once) == once


@given(st.text(alphabet="lt <>&;"))
def test_escaping_loses_no_character(text: str) -> None:
    assert unescape(typed_message(WORKSPACE, text)) == text


def test_a_typed_message_becomes_rich_text() -> None:
    block = rich_text("Hi <@U1>, see <https://a.example|a &amp; b> :tada: in <#C1|x> &lt;", "b1")

    (line,) = block["elements"]
    assert [element["type"] for element in line["elements"]] == [
        "text", "user", "text", "link", "text", "emoji", "text", "channel", "text",
    ]  # fmt: skip
    assert line["elements"][3] == {"type": "link", "url": "https://a.example", "text": "a & b"}
    assert line["elements"][-1]["text"] == " <"
