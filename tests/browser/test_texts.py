"""How the page reads Slack's texts: formatting, mentions, dates in the reader's zone, emoji, Markdown, rich text."""

from typing import Any

import pytest
from playwright.async_api import Page

from sandbox import Sandbox
from tests.browser.conftest import OpenPage

DRAW = """async ([file, name, argument]) => {
  const module = await import(`/js/${file}.js`);
  const holder = document.createElement("div");
  holder.append(...module[name](argument));
  for (const node of holder.querySelectorAll("*")) {
    for (const {name} of [...node.attributes]) if (name !== "href" && name !== "start") node.removeAttribute(name);
  }
  return holder.innerHTML.replace(/<\\/?(span|div)>/g, "");
}"""
CALL = "async ([file, name, ...rest]) => (await import(`/js/${file}.js`))[name](...rest)"

HOME = "#/person/U00000000AN/C00000000RA"
FORMATTED = [
    ("*bold* _italic_ ~gone~ `code`", "<strong>bold</strong> <em>italic</em> <s>gone</s> <code>code</code>"),
    ("*bold _both_*", "<strong>bold <em>both</em></strong>"),
    ("2*3*4 snake_case_name ~", "2*3*4 snake_case_name ~"),
    ("* not bold * and *not\nbold*", "* not bold * and *not\nbold*"),
    ("`*as it is* <&amp;>`", "<code>*as it is* &lt;&amp;&gt;</code>"),
    ("before\n```\nx = *1*\n```after", "before\n<pre>x = *1*</pre>after"),
    ("&gt; quoted\n&gt; twice\nplain", "<blockquote>quoted\ntwice</blockquote>plain"),
    ("a &lt;b&gt; &amp;amp; c", "a &lt;b&gt; &amp;amp; c"),
    (
        "<https://example.com/?a=1&amp;b=2|two &amp; one>",
        '<a href="https://example.com/?a=1&amp;b=2">two &amp; one</a>',
    ),
    ("see https://example.com/x.", 'see <a href="https://example.com/x">https://example.com/x</a>.'),
    ("<mailto:ana@example.com|Ana>", '<a href="mailto:ana@example.com">Ana</a>'),
    ("<javascript:alert(1)|press>", "&lt;javascript:alert(1)|press&gt;"),
    ("<@U00000000BE> <@U0UNKNOWN|zoe> <!here>", "@Ben Fischer @zoe @here"),
    ("<#C00000000RA|random> <#C0SECRET|>", f'<a href="{HOME}">#random</a> a private channel'),
    ("<!subteam^S1|@engineers> <!subteam^S2>", "@engineers @S2"),
    ("10:30:45 :not_an_emoji:", "10:30:45 :not_an_emoji:"),
    ("*<https://example.com|a *b* c>*", '<strong><a href="https://example.com/">a *b* c</a></strong>'),
]


async def draw(page: Page, file: str, name: str, argument: Any) -> str:
    return str(await page.evaluate(DRAW, [file, name, argument]))


async def test_mrkdwn_is_drawn_as_slack_draws_it(open_page: OpenPage) -> None:
    page = await open_page("ana", "general")

    drawn = [(text, await draw(page, "mrkdwn", "mrkdwn", text)) for text, _ in FORMATTED]

    assert drawn == FORMATTED


MARKDOWN = [
    ("# One\n\ntwo **bold** *it*", "<p>One</p><p>two <strong>bold</strong> <em>it</em></p>"),
    ("- a\n- b\n  - c\n", "<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>"),
    ("3. x\n4. y", '<ol start="3"><li>x</li><li>y</li></ol>'),
    ("> q\n\n---\n```py\n*x*\n```", "<blockquote><p>q</p></blockquote><hr><pre>*x*</pre>"),
    (
        "|a|b|\n|-|-:|\n|1|2|",
        "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table>",
    ),
    ("[t](https://example.com) snake_case_word", '<p><a href="https://example.com/">t</a> snake_case_word</p>'),
    ("[w](https://en.example.org/A_(b))", '<p><a href="https://en.example.org/A_(b)">w</a></p>'),
    ("[bad](javascript:alert(1)) <b>", "<p>bad &lt;b&gt;</p>"),
]


async def test_markdown_blocks_are_drawn(open_page: OpenPage) -> None:
    page = await open_page("ana", "general")

    drawn = [(text, await draw(page, "markdown", "markdown", text)) for text, _ in MARKDOWN]

    assert drawn == MARKDOWN


NOW = 1_795_363_200  # Sunday 22 November 2026, 16:00 UTC; Monday morning in Auckland
DATES = [
    (NOW, "{date_num} {time}", "America/New_York", "2026-11-22 11:00 AM"),
    (NOW, "{date_num} {time}", "Pacific/Auckland", "2026-11-23 5:00 AM"),
    (NOW, "{date_long} at {time_secs}", "Asia/Kolkata", "Sunday, November 22nd, 2026 at 9:30:00 PM"),
    (NOW, "{date_pretty}", "Europe/Berlin", "Today"),
    (NOW - 86_400, "due {date_short_pretty}", "Europe/Berlin", "due yesterday"),
    (NOW + 86_400, "{date_long_pretty} {time}", "Europe/Berlin", "Tomorrow 5:00 PM"),
    (NOW + 3 * 86_400, "{date_short}", "Europe/Berlin", "Nov 25, 2026"),
    (NOW + 3 * 86_400, "{date}", "Europe/Berlin", "November 25th"),
    (NOW + 300 * 86_400, "{date}", "Europe/Berlin", "September 18th, 2027"),
    (NOW - 7_300, "{ago}", "Europe/Berlin", "2 hours ago"),
    (NOW, "{nonsense} {time}", "Nowhere/Land", "{nonsense} 4:00 PM"),
]


async def test_dates_are_told_in_the_readers_zone(open_page: OpenPage) -> None:
    page = await open_page("ana", "general")

    told = [await page.evaluate(CALL, ["time", "slackDate", at, form, zone, NOW]) for at, form, zone, _ in DATES]

    assert told == [words for *_, words in DATES]


@pytest.mark.parametrize(
    ("stamp", "zone", "epoch"),
    [
        ("2026-12-01T11:00", "America/New_York", 1_796_140_800),
        ("2026-03-08T02:30", "America/New_York", 1_772_955_000),  # skipped: moves on by the gap, to 03:30
        ("2026-11-23T09:00", "Pacific/Auckland", 1_795_377_600),
    ],
)
async def test_a_local_time_becomes_an_instant(open_page: OpenPage, stamp: str, zone: str, epoch: int) -> None:
    page = await open_page("ana", "general")

    assert await page.evaluate(CALL, ["time", "epochOf", stamp, zone]) == epoch


async def test_a_text_to_be_edited_reads_as_it_was_typed(open_page: OpenPage, workspace: Sandbox) -> None:
    page = await open_page("ana", "general")
    text = "<@U00000000BE> in <#C00000000RA|random> &amp; <https://example.com> <!here> 1 &lt; 2"

    assert await page.evaluate(CALL, ["mrkdwn", "typed", text]) == "@ben in #random & https://example.com @here 1 < 2"
