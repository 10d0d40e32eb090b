"""Text as Slack encodes it, turned into what the person typed."""

import pytest

from handlers.slack_text import decoded, pieces
from models.entry import Mention

SENT_AND_TYPED = [
    ("5 &lt; 6 &amp;&amp; 7 &gt; 3", "5 < 6 && 7 > 3"),
    ("&amp;amp; &amp;lt;b&amp;gt; &quot;", "&amp; &lt;b&gt; &quot;"),
    ("ask <@U0001|ben> or <@W0002>", "ask @ben or @W0002"),
    ("in <#C0001|network> or <#C0002|>", "in #network or #C0002"),
    ("<!here> <!channel> <!subteam^S1|@ops> <!subteam^S1>", "@here @channel @ops @S1"),
    ("<!date^1392734382^{date}|18 Feb 2014>", "18 Feb 2014"),
    ("<https://example.com/?a=1&amp;b=2>", "https://example.com/?a=1&b=2"),
    ("<http://example.com|example.com>", "example.com"),
    ("<https://example.com/plan|the plan>", "the plan (https://example.com/plan)"),
    ("<mailto:ben@example.com|ben@example.com>", "ben@example.com"),
    ("a\x00b\u202ec\x07 d\u2066\ttab\nline", "abc d\ttab\nline"),
    ("an < alone and an unclosed <@U0001", "an < alone and an unclosed <@U0001"),
    ("", ""),
]


@pytest.mark.parametrize(("sent", "typed"), SENT_AND_TYPED)
def test_entities_are_decoded_once_and_nothing_else_is_touched(sent: str, typed: str) -> None:
    assert decoded(sent) == typed


def test_people_are_kept_apart_from_the_words_around_them() -> None:
    assert pieces("ask <@U0001|ben>, then <@U0002|ana>") == [
        "ask ",
        Mention("U0001", "ben"),
        ", then ",
        Mention("U0002", "ana"),
    ]
