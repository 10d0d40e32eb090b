"""The one-line grammar: title, owner, due date and priority in any order, and nothing typed lost."""

import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.dates import DateOrder, Due, NoDate, PastDate, VagueDate
from models.entry import Entry, Mention, NamedChannel, parse_entry
from models.labels import Priority

NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 18, 15, tzinfo=UTC)  # Wednesday, 10:00 in New York
BEN, ANN = Mention("U1", "ben"), Mention("U2", "Ann Lee")
FRIDAY = Due(date(2026, 11, 20), None, NEW_YORK)
FRIDAY_3PM = Due(date(2026, 11, 20), time(15), NEW_YORK)


def pieces(text):
    """The text with "@ben" and "@ann" as people Slack knows."""
    people = {"@ben": BEN, "@ann": ANN}
    return [people.get(piece, piece) for piece in re.split(r"(@ben|@ann)\b", text)]


def parse(text, *, locale="en-US", scales=None, can_repeat=False):
    return parse_entry(
        pieces(text),
        now=NOW,
        zone=NEW_YORK,
        order=DateOrder.MDY,
        locale=locale,
        scales=scales,
        can_repeat=can_repeat,
    )


def test_every_part_is_read_from_one_line():
    entry = parse("Send the firewall diagram @ben by friday 3pm !high")

    assert entry == Entry("Send the firewall diagram", owner_id="U1", due=FRIDAY_3PM, priority=Priority.HIGH)


@pytest.mark.parametrize(
    "text",
    [
        "Send the firewall diagram @ben by friday 3pm !high",
        "Send the firewall diagram !high by friday 3pm @ben",
        "Send the firewall diagram by 3pm friday @ben !HIGH",
        "@ben Send the firewall diagram friday 3pm !high",
        "@ben: Send the firewall diagram !high friday 3pm",
        "!high @ben by friday 3pm Send the firewall diagram",
        "By friday 3pm, Send the firewall diagram @ben !high",
        "!high by friday 3pm @ben Send the firewall diagram",
        "Send the firewall diagram, due: friday 3pm, @ben, !high",
        "Send the firewall diagram – due by friday, 3pm @ben !high",
        "Send the firewall diagram (by friday 3pm) @ben !high",
        "  Send   the\tfirewall diagram  @ben   due friday   3pm !high  ",
        "Send the firewall diagram on friday at 3pm @ben !high",
        "Send the firewall diagram before friday 15:00 !high @ben",
        "@ben !high Send the firewall diagram due on 11/20 at 3pm",
        "@ben !high Send the firewall diagram 2026-11-20 15:00",
    ],
)
def test_the_parts_stand_in_any_order(text):
    assert parse(text) == Entry("Send the firewall diagram", owner_id="U1", due=FRIDAY_3PM, priority=Priority.HIGH)


TITLES = [
    *("Stand by me", "Log on server", "Due diligence on vendor", "Work on may release", "Plan for Friday"),
    *("Prepare agenda for monday", "Prepare Black Friday", "Good Friday", "Move the stand-up to tomorrow"),
    *("Notes from tuesday", "Report for week 48", "Plan next week", "Budget next year", "Wow! Great! Do it!"),
    *("Extend the contract by 2 weeks", "Cut costs by 10", "Delay caused by 3 days of rain", "Friday", "tomorrow"),
    *("Decide on week 48 plan", "Follow up on 3 dec incident", "Fix bug before friday release", "Pay what is due"),
    *("Check what is due to the vendor", "Fix the due date field", "Delay due to weather", "by", "due", "on", "!", "@"),
    *("Upgrade to 2.0", "Sit by the 3 of them", "Approved by May", "Signed by April and June"),
    *("Ship v2 1", "Call 911", "Section 12/03", "Deliver on time", "Turn 5 on", "Was sent yesterday"),
    *("Written by Friday's team", "!! !!", "!highest"),
    *("Email a@b.example", "Tell @here", "@channel please read", "“Curly” ‘quotes’ — and dashes…", "Meeting of 3 dec"),
]  # fmt: skip


@pytest.mark.parametrize("title", TITLES)
def test_ordinary_words_stay_a_title(title):
    assert replace(parse(title), strays={}) == Entry(title)


@pytest.mark.parametrize(
    ("text", "title", "due"),
    [
        ("Send report tomorrow", "Send report", "2026-11-19"),
        ("Send report in 2 weeks", "Send report", "2026-12-02"),
        ("Send report next friday", "Send report", "2026-11-27"),
        ("Send report 3 dec", "Send report", "2026-12-03"),
        ("Send report friday morning", "Send report", "2026-11-20"),
        ("Send report eod", "Send report", "2026-11-18"),
        ("Send report by 12/03", "Send report", "2026-12-03"),
        ("Send report by the end of next week", "Send report", "2026-11-27"),
        ("Send report by end of day tomorrow", "Send report", "2026-11-19"),
        ("Send report by nxt friday", "Send report", "2026-11-27"),
        ("Send report til friday", "Send report", "2026-11-20"),
        ("Send report by monday at the latest", "Send report", "2026-11-23"),
        ("Send report due date friday", "Send report", "2026-11-20"),
        ("Send report, deadline: friday", "Send report", "2026-11-20"),
        ("Set the date friday", "Set the date", "2026-11-20"),
        ("Send report due in 3 business days", "Send report", "2026-11-23"),
        ("Send report due 2 weeks", "Send report", "2026-12-02"),
        ("Send report by the 15th", "Send report", "2026-12-15"),
        ("Send report by week 48", "Send report", "2026-11-23"),
        ("Send report by next week", "Send report", "2026-11-23"),
        ("Finish the report by friday for the board", "Finish the report for the board", "2026-11-20"),
        ("Plan for Friday by thursday", "Plan for Friday", "2026-11-19"),
        ("Stand by me by friday", "Stand by me", "2026-11-20"),
        ("Log on to the server on monday", "Log on to the server", "2026-11-23"),
        ("Due friday: pay the invoice", "pay the invoice", "2026-11-20"),
        ("Prepare monday's demo by friday", "Prepare monday's demo", "2026-11-20"),
        ("Review on monday the plan due friday", "Review on monday the plan", "2026-11-20"),
        ("by friday", "", "2026-11-20"),
    ],
)
def test_a_date_is_found_where_the_grammar_says_so(text, title, due):
    entry = parse(text)

    assert (entry.title, entry.due and entry.due.day.isoformat()) == (title, due)
    assert entry.due_problem is None


@pytest.mark.parametrize(
    ("text", "title", "kind", "phrase"),
    [
        ("Pay by yesterday", "Pay", PastDate, "yesterday"),
        ("Pay due 2020-01-01 !low", "Pay", PastDate, "2020-01-01"),
        ("Pay due asap", "Pay", VagueDate, "asap"),
        ("Pay by asap", "Pay", VagueDate, "asap"),
        ("Decision taken on 3 nov 2026", "Decision taken on 3 nov 2026", PastDate, "3 nov 2026"),
        ("Pay today at 8am", "Pay today at 8am", PastDate, "today at 8am"),
        ("Pay due somewhen", "Pay due somewhen", NoDate, "somewhen"),
        ("Pay due may", "Pay due may", NoDate, "may"),
    ],
)
def test_a_date_that_cannot_be_used_is_asked_about(text, title, kind, phrase):
    entry = parse(text)

    assert (entry.title, entry.due) == (title, None)
    assert type(entry.due_problem) is kind
    assert entry.due_problem.phrase == phrase


@pytest.mark.parametrize(
    ("text", "title", "says"),
    [
        ("Pay by 31 feb", "Pay", "February has 29 days at most"),
        ("Pay on 13/12", "Pay", "there is no month 13"),
        ("Pay by q1", "Pay", "first day or its last"),
        ("Pay friday at 3", "Pay friday at 3", "in the morning or in the afternoon"),
        ("Pay 31 feb", "Pay 31 feb", "February has 29 days at most"),
        ("Pay thu 20 nov 2026", "Pay thu 20 nov 2026", "does not fit"),
    ],
)
def test_a_slip_in_a_date_is_asked_about_and_kept_where_it_may_be_words(text, title, says):
    entry = parse(text)

    assert (entry.title, entry.due) == (title, None)
    assert says in str(entry.due_problem)


@pytest.mark.parametrize(
    "text",
    [
        *("Pay by fryday", "Pay by next wensday 3pm", "Pay due wendesday @ben", "Pay by 3 febuary", "Pay by next wek"),
        *("Pay fryday", "Pay next wendesday @ben", "Pay on fryday", "Pay by 3pm fryday", "Pay by 12th of decmber"),
        *("Pay by end of mont", "Pay by monday or tuesday", "Pay by end of year 2032"),
    ],
)
def test_a_slip_in_the_name_of_a_day_is_asked_about(text):
    entry = parse(text)

    assert isinstance(entry.due_problem, NoDate)
    assert entry.title == text.removesuffix(" @ben")


@pytest.mark.parametrize(
    "text",
    [
        *("Report by Marc", "Written by the team", "Sold by Sandy", "Friendly by nature", "Call Augusta", "Call Mondy"),
        *("Prepare for fryday", "Cut by a week", "Approved by the weekly meeting"),
    ],
)
def test_who_does_it_is_no_slip(text):
    assert parse(text).due_problem is None


@pytest.mark.parametrize(
    ("text", "strays"),
    [
        ("Order tea @kavya for lunch !urgent", {"owner_id": "@kavya", "priority": "!urgent"}),
        ("Switch late p9 i3", {"probability": "p9"}),
        ("Switch late p0 p4", {}),
        ("Switch late impact 5 prob 4", {"impact": "impact 5", "probability": "prob 4"}),
        ("Measure the impact", {}),
        ("@ben @ann order tea", {"helpers": "@Ann Lee"}),
        ("Order tea @ben,@ann", {"helpers": "@ben,@Ann Lee"}),
        ("@ben and @ann meet", {}),
        ("Order tea helper @ann", {"helpers": "helper @Ann Lee"}),
        ("Order tea @ben helper @zoe", {"helpers": "helper @zoe"}),
        ("Switch late prio high", {"priority": "prio high"}),
        ("Switch late !p1", {"priority": "!p1"}),
        ("Fix !important rules !high", {}),
        ("Order tea @kavya for lunch @ben", {}),
        ("Talk it over with @kavya", {}),
        ("Wow! Great!", {}),
    ],
)
def test_what_looks_like_a_part_and_is_none_is_told(text, strays):
    assert parse(text, scales={"p": "probability", "i": "impact"}).strays == strays


MONDAYS = "FREQ=WEEKLY;INTERVAL=1;BYDAY=MO;WKST=MO"
LAST_FRIDAYS = "FREQ=MONTHLY;INTERVAL=1;BYDAY=-1FR"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Send it every monday @ben", MONDAYS),
        ("Send it @ben (every Monday) #pilot", MONDAYS),
        ("Send it on mondays", MONDAYS),
        ("Every monday: Send it", MONDAYS),
        ("Send it every second week on monday", MONDAYS.replace("1", "2")),
        ("Send it every 2 weeks on monday", MONDAYS.replace("1", "2")),
        ("Send it on the last friday of every month", LAST_FRIDAYS),
        ("Send it monthly on the last friday", LAST_FRIDAYS),
    ],
)
def test_how_often_it_comes_again_is_read_at_the_end_of_the_sentence(text, rule):
    entry = parse(text, can_repeat=True)

    assert (entry.title, entry.repeats, entry.repeat_problem) == ("Send it", rule, None)


def test_what_comes_again_may_have_a_date_beside_it():
    entry = Entry("Send it", due=FRIDAY, repeats=MONDAYS)

    assert parse("Send it every monday by friday", can_repeat=True) == entry
    assert parse("Send it every monday starting friday @ben", can_repeat=True) == replace(entry, owner_id="U1")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Check that the backup runs every day", "“every day” stays in the title"),
        ("Send it weekly", "“weekly” stays in the title"),
        ("Send every monday the report", "“every monday” stays in the title"),
        ("Send it every monday by yesterday", "“every monday” stays in the title"),
        ("Send it every second friday", "may mean every few weeks or once a month"),
        ("Send it every morning", "I can't read “every morning” as how often it repeats"),
        ("Send it every fryday", "I can't read “every fryday” as how often it repeats"),
        ("every monday", "“every monday” stays in the title"),
        ("Send it every few weeks on mondays", "“on mondays” stays in the title"),
    ],
)
def test_how_often_stays_in_the_title_and_is_told_where_it_may_be_of_the_sentence(text, says):
    entry = parse(text, can_repeat=True)

    assert (entry.title, entry.repeats) == (text.removesuffix(" by yesterday"), "")
    assert says in str(entry.repeat_problem)


@pytest.mark.parametrize(
    "text",
    [
        "Thank every volunteer",
        "Plan for every monday",
        "Fix the weekly report",
        "On the phone",
        "Ask for daily numbers",
    ],
)
def test_words_that_do_not_say_how_often_are_a_title(text):
    assert parse(text, can_repeat=True) == Entry(text)


def test_a_helper_is_no_owner():
    assert parse("Order tea helper @ann").owner_id is None
    assert parse("Order tea helper @ann @ben").owner_id == "U1"
    assert parse("Find a helper @ben") == Entry("Find a helper", owner_id="U1")


def test_a_usable_date_wins_over_one_that_is_not():
    entry = parse("Redo what was due yesterday by friday")

    assert (entry.title, entry.due, entry.due_problem) == ("Redo what was due yesterday", FRIDAY, None)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("@ben send it", "send it"),
        ("Send it @ben", "Send it"),
        ("Send it @ben.", "Send it"),
        ("Send @ben by friday the file", "Send the file"),
        ("Send @ben !low the file", "Send the file"),
        ("Ask @ben about the firewall", "Ask @ben about the firewall"),
        ("Report to @ben", "Report to @ben"),
        ("Fix (@ben) it", "Fix (@ben) it"),
        ("Read @ben's notes", "Read @ben's notes"),
        ("@ben and @ann meet", "@ben and @ann meet"),
        ("@ben introduce @ann to the team", "introduce @Ann Lee to the team"),
        ("Ask @ben about @zoe", "Ask @ben about @zoe"),
        ("@ben @ann send it", "@Ann Lee send it"),
        ("@ben", ""),
        ("Send it, owner: @ben", "Send it"),
        ("Send it assigned to @ben by friday", "Send it"),
        ("Ask the owner @ben", "Ask the owner"),
    ],
)
def test_the_first_person_is_the_owner_and_leaves_the_title_unless_it_needs_them(text, title):
    entry = parse(text)

    assert (entry.owner_id, entry.unknown_owner) == ("U1", None)
    assert entry.title == title.replace("@ann", "@Ann Lee")


@pytest.mark.parametrize(
    ("text", "title", "unknown"),
    [
        ("@zoe send it", "send it", "zoe"),
        ("Send it @zoe.b, by friday", "Send it", "zoe.b"),
        ("Send it @zoë !low", "Send it", "zoë"),
        ("Ask @zoe about it", "Ask @zoe about it", None),
        ("Report to @zoe", "Report to @zoe", None),
        ("Call @3pm", "Call @3pm", None),
    ],
)
def test_a_name_that_slack_does_not_know_is_told_where_an_owner_stands(text, title, unknown):
    entry = parse(text)

    assert (entry.title, entry.owner_id, entry.unknown_owner) == (title, None, unknown)


@pytest.mark.parametrize(("word", "priority"), [(f"!{priority}", priority) for priority in Priority])
def test_a_priority_is_one_word_after_an_exclamation_mark(word, priority):
    assert parse(f"Send it {word}") == parse(f"{word.upper()} Send it") == Entry("Send it", priority=priority)


def test_only_the_first_priority_counts_and_the_other_stays():
    assert parse("Send it !low !high") == Entry("Send it !high", priority=Priority.LOW)


def test_further_lines_are_details_to_the_letter():
    entry = parse("Send it friday\n  first,  @ann\n\n\tby tomorrow !high \n")

    assert entry == Entry("Send it", details="  first,  @Ann Lee\n\n\tby tomorrow !high \n", due=FRIDAY)


@pytest.mark.parametrize("text", ["\n\n Send it \r\nmore", "Send it\nmore", " \t\nSend it\nmore"])
def test_the_title_is_the_first_line_that_says_something(text):
    assert parse(text) == Entry("Send it", details="more")


@pytest.mark.parametrize("text", ["", " ", "\n", " \r\n\t\n "])
def test_no_words_make_an_empty_entry(text):
    assert parse(text) == Entry("")


def test_a_mention_may_begin_a_line_or_stand_alone_on_it():
    assert parse("@ben\nmore @ann") == Entry("", details="more @Ann Lee", owner_id="U1")
    assert parse("\n@ben send it") == Entry("send it", owner_id="U1")


@pytest.mark.parametrize(
    "title",
    [
        "👩🏽‍💻 ship 🏳️‍🌈",
        "שלח את הדוח",
        "أرسل التقرير",
        "e\u0301 and é",
        "a\u200db\u200cc",
        "x\u202ey",
        "<!channel> *bold* `x`",
    ],
)
def test_characters_of_a_title_are_kept_as_typed(title):
    assert parse(f"{title} by friday") == Entry(title, due=FRIDAY)


@pytest.mark.parametrize(
    ("locale", "text", "due"),
    [
        ("de-DE", "Bericht due Freitag", FRIDAY),
        ("fr-FR", "Rapport by vendredi à 15h", FRIDAY_3PM),
        ("es-ES", "Informe due el viernes @ben", FRIDAY),
        ("it-IT", "Rapporto due venerdì", FRIDAY),
    ],
)
def test_dates_in_the_persons_language_follow_the_connecting_words(locale, text, due):
    entry = parse(text, locale=locale)

    assert (entry.title, entry.due) == (text.split()[0], due)


def test_in_another_language_a_word_that_is_no_date_stays_too():
    assert parse("Bericht by Fritz", locale="de-DE") == Entry("Bericht by Fritz")
    assert type(parse("Bericht by gestern", locale="de-DE").due_problem) is PastDate


# Properties

WORDS = [
    *(
        "by",
        "due",
        "on",
        "before",
        "for",
        "and",
        "the",
        "friday",
        "tomorrow",
        "3pm",
        "in",
        "2",
        "weeks",
        "next",
        "week",
    ),
    *(
        "31",
        "feb",
        "may",
        "12/03",
        "2026-12-01",
        "asap",
        "yesterday",
        "!high",
        "!low",
        "!",
        "@zoe",
        "@ben",
        "@ann",
        "at",
    ),
    *(
        "send",
        "report",
        "end",
        "of",
        "month",
        "q1",
        "noon",
        "—",
        ",",
        "x,",
        "(by",
        "friday)",
        "Due:",
        "@ben,",
        "(@ann)",
    ),
]
sentences = st.lists(st.one_of(st.sampled_from(WORDS), st.text(min_size=1, max_size=6)), max_size=14).map(" ".join)
texts = st.one_of(sentences, st.text(max_size=80), st.lists(sentences, max_size=4).map("\n".join))


def bare_words(text):
    """The words without what separates them; a person's name stands for its mention."""
    return [word for piece in text.split() if (word := piece.strip("()[]\"'“”‘’.,;:!?–—-"))]


@given(text=texts, locale=st.sampled_from(["en-US", "de-DE", None]))
@example(text="\x00 by \x00", locale="en-US")
@example(text="@ben" * 50, locale="en-US")
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_and_no_word_is_made_up(text, locale):
    entry = parse(text, locale=locale)

    shown = text.replace("@ann", "@Ann Lee")
    assert not Counter(bare_words(entry.title)) - Counter(bare_words(shown))
    assert entry.due is None or entry.due_problem is None
    assert entry.title == " ".join(entry.title.split())


different_words = st.lists(
    st.one_of(st.sampled_from(WORDS), st.text(min_size=1, max_size=6)),
    max_size=14,
    unique_by=lambda word: " ".join(bare_words(word)).lower(),
)


@given(words=different_words)
@settings(max_examples=300, deadline=None)
def test_words_leave_the_title_only_when_they_were_understood(words):
    text = " ".join(words)

    entry = parse(text)

    kept = bare_words(entry.title) + bare_words(entry.details)
    left = [word for word in bare_words(text.replace("@ann", "@Ann Lee")) if word not in kept]
    if entry.owner_id or entry.unknown_owner:
        left = [word for word in left if word not in ("@ben", "@Ann", "Lee", f"@{entry.unknown_owner}")]
    if entry.priority:
        left = [word for word in left if word.lower() != entry.priority]
    understood = parse(f"x due {' '.join(left)}") if left else entry
    assert (understood.due, type(understood.due_problem)) == (entry.due, type(entry.due_problem))


@given(words=st.lists(st.text(min_size=1, max_size=8), max_size=6), details=st.text(max_size=40))
@settings(deadline=None)
def test_plain_text_is_a_title_and_its_details(words, details):
    title = " ".join(" ".join(words).split())

    entry = parse_entry([title, "\n", details], now=NOW, zone=NEW_YORK, order=DateOrder.MDY)

    if title and entry == Entry(entry.title, details=entry.details):
        assert (entry.title, entry.details) == (title, details)


@given(
    parts=st.permutations(["@ben", "by friday 3pm", "!critical", "Send the plan"]),
    gap=st.sampled_from([" ", "  ", "\t", "\u00a0"]),
)
def test_any_order_of_the_parts_gives_the_same_record(parts, gap):
    entry = parse(gap.join(gap.join(part.split()) for part in parts))

    assert entry == Entry("Send the plan", owner_id="U1", due=FRIDAY_3PM, priority=Priority.CRITICAL)


def test_a_very_long_line_is_read_without_effort():
    entry = parse("by " * 4000 + "friday")

    assert entry.due == FRIDAY
    assert entry.title.count("by") == 3999


# Tags and scales ---------------------------------------------------------------------------------------------------

RISK_SCALES = {"p": "probability", "i": "impact"}


def parse_risk(text):
    return parse_entry(pieces(text), now=NOW, zone=NEW_YORK, order=DateOrder.MDY, scales=RISK_SCALES)


@pytest.mark.parametrize(
    "text",
    [
        "Core switch is late p4 i3 !high @ben #network #pilot by friday",
        "p4 i3 #network #pilot Core switch is late by friday @ben !high",
        "#Network Core switch is late by friday #pilot I3 P4 !high @ben",
        "@ben #network, #PILOT, Core switch is late, p4, i3, !high by friday",
        "Core switch is late by friday #network p4 @ben i3 #pilot !high #network",
    ],
)
def test_tags_and_scales_stand_in_any_order_too(text):
    entry = parse_risk(text)

    assert (entry.title, entry.owner_id, entry.due, entry.priority) == (
        "Core switch is late",
        "U1",
        FRIDAY,
        Priority.HIGH,
    )
    assert set(entry.tags.split()) == {"network", "pilot"}
    assert entry.scales == {"probability": 4, "impact": 3}


@pytest.mark.parametrize(
    ("text", "title", "tags"),
    [
        ("Ask #legal about it", "Ask #legal about it", "legal"),
        ("Write about #legal", "Write about #legal", "legal"),
        ("#legal and finance agree", "#legal and finance agree", "legal"),
        ("Close bug #123", "Close bug #123", ""),
        ("Learn C# and F#", "Learn C# and F#", ""),
        ("See https://example.com/#part", "See https://example.com/#part", ""),
        ("Order cables #été", "Order cables", "été"),
        ("Order cables #परियोजना", "Order cables", "परियोजना"),
        ("Order cables ##x", "Order cables ##x", ""),
        ("Order cables #a&b", "Order cables #a&b", ""),
        ("Order cables #" + "x" * 41, "Order cables #" + "x" * 41, ""),
        ("#legal", "", "legal"),
    ],
)
def test_a_tag_in_the_midst_of_a_title_counts_and_stays_in_it(text, title, tags):
    entry = parse(text)

    assert (entry.title, entry.tags) == (title, tags)


@pytest.mark.parametrize(
    ("text", "title", "scales"),
    [
        ("Laptops with i5 may fail", "Laptops with i5 may fail", {}),
        ("Replace laptops with i5", "Replace laptops with i5", {}),
        ("Switch p4 i3 may fail", "Switch may fail", {"probability": 4, "impact": 3}),
        ("Switch may fail p4", "Switch may fail", {"probability": 4}),
        ("Switch may fail p6 i0", "Switch may fail p6 i0", {}),
        ("Switch may fail p4 p2", "Switch may fail p4 p2", {}),
        ("Switch may fail p44", "Switch may fail p44", {}),
    ],
)
def test_a_scale_that_could_be_an_ordinary_word_stays_one(text, title, scales):
    entry = parse_risk(text)

    assert (entry.title, dict(entry.scales)) == (title, scales)


def test_what_no_scale_of_the_kind_is_stays_in_the_title():
    assert parse("Upgrade to p4 i3").title == "Upgrade to p4 i3"
    assert parse("Upgrade p4 i3").scales == {}


def test_a_channel_is_no_tag():
    entry = parse_entry(["Move ", NamedChannel("C1", "network"), " #wan"], now=NOW, zone=NEW_YORK, order=DateOrder.MDY)

    assert (entry.title, entry.tags, entry.channel_id) == ("Move #network", "wan", None)


@pytest.mark.parametrize(
    ("typed", "title", "channel_id"),
    [
        (["Order cables ", NamedChannel("C1", "network")], "Order cables", "C1"),
        ([NamedChannel("C1", "network"), ": Order cables by friday"], "Order cables", "C1"),
        (["Order cables ", NamedChannel("C1", "network"), " @ben"], "Order cables", "C1"),
        ([NamedChannel("C1", "network"), " Order cables"], "Order cables", "C1"),
        (["Order cables @ben ", NamedChannel("C1", "network"), ", #pilot"], "Order cables", "C1"),
        (["Announce it in ", NamedChannel("C1", "network")], "Announce it in #network", None),
        (["Merge ", NamedChannel("C1", "a"), " and ", NamedChannel("C2", "b"), " soon"], "Merge #a and #b soon", None),
        (["Rename ", NamedChannel("C1", "a"), " this week"], "Rename #a this week", None),
    ],
)
def test_a_channel_that_stands_apart_picks_the_project(typed, title, channel_id):
    parts = [part for piece in typed for part in (pieces(piece) if isinstance(piece, str) else [piece])]

    entry = parse_entry(parts, now=NOW, zone=NEW_YORK, order=DateOrder.MDY)

    assert (entry.title, entry.channel_id) == (title, channel_id)


@pytest.mark.parametrize(
    ("text", "title", "unknown"),
    [
        ('Order cables @"Acme Support" by friday', "Order cables", "Acme Support"),
        ("@“Acme  Support”: Order cables", "Order cables", "Acme Support"),
        ('Write to @"Acme Support"', 'Write to @"Acme Support"', None),
        ('Order "cables" @Acme', 'Order "cables"', "Acme"),
        ('Order cables @"Acme', 'Order cables @"Acme', None),
    ],
)
def test_a_name_of_several_words_stands_in_quotes(text, title, unknown):
    entry = parse(text)

    assert (entry.title, entry.unknown_owner) == (title, unknown)


TAGGED = st.lists(
    st.one_of(
        st.sampled_from(
            ["#a", "#b-c", "p4", "i3", "@ben", "by friday", "!high", "with", "and", "Core", "switch", "#1"]
        ),
        st.text(max_size=6),
    ),
    max_size=9,
)


@given(TAGGED)
def test_no_word_is_lost_whatever_it_stands_beside(words):
    text = " ".join(" ".join(words).split())

    entry = parse_risk(text)

    kept = entry.title + entry.details
    for at, word in enumerate(words):
        if word in ("Core", "switch", "with", "and", "#1") and words.count(word) == 1:
            assert word in kept, at
        if word in ("#a", "#b-c") and "\n" not in text:
            assert word[1:] in entry.tags.split() or word in kept
        if word in ("p4", "i3"):
            assert entry.scales or word in kept
