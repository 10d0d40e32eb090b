"""Typed dates: the policy's examples, a table of phrases, and properties around month ends and clock changes."""

import json
import re
import subprocess
import sys
import time as stopwatch
from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from models.dates import (
    DateOrder,
    Due,
    NoDate,
    PastDate,
    VagueDate,
    date_order,
    describe_day,
    describe_due,
    is_order_certain,
    monday_to_friday,
    other_way,
    parse_due,
    parse_past,
    read_phrase,
)
from models.errors import DateProblem

EXAMPLES = Path(__file__).parents[3] / "shared" / "date_phrases_examples.json"

NEW_YORK = ZoneInfo("America/New_York")
BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [
    *("America/New_York", "America/St_Johns", "America/Sao_Paulo", "Europe/Berlin", "Europe/London", "Africa/Cairo"),
    *("Asia/Kolkata", "Asia/Tehran", "Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Kiritimati", "UTC"),
]
ZONES_THAT_CHANGE = [
    *("America/New_York", "America/St_Johns", "America/Los_Angeles", "Europe/Berlin", "Europe/London"),
    *("Australia/Sydney", "Australia/Lord_Howe", "Pacific/Auckland", "America/Santiago", "Africa/Cairo"),
]

# Wednesday 18 November 2026, 10:00
WEDNESDAY = datetime(2026, 11, 18, 10, tzinfo=NEW_YORK)


def read(phrase, now=WEDNESDAY, order=DateOrder.MDY, **more):
    """The due date as "2026-11-20" or "2026-11-20 15:00 Europe/Berlin", the zone only where it is not the typist's."""
    due = parse_due(phrase, now=now, zone=now.tzinfo, order=order, **more)
    parts = [due.day.isoformat(), due.time and f"{due.time:%H:%M}", due.zone.key if due.zone != now.tzinfo else None]
    return " ".join(part for part in parts if part)


def problem_with(phrase, now=WEDNESDAY, order=DateOrder.MDY, **more):
    with pytest.raises(DateProblem) as caught:
        parse_due(phrase, now=now, zone=now.tzinfo, order=order, **more)
    return caught.value


# The policy's own examples


def policy_examples():
    if not EXAMPLES.exists():
        return [pytest.param(None, None, marks=pytest.mark.skip(reason="the examples lie beside the checkout"))]
    document = json.loads(EXAMPLES.read_text())
    return [
        pytest.param(phrase, document["references"][phrase["reference"]], id=phrase["phrase"])
        for phrase in document["phrases"]
    ]


@pytest.mark.parametrize(("phrase", "reference"), policy_examples())
def test_every_example_of_the_policy_is_read_as_expected(phrase, reference):
    now, zone = datetime.fromisoformat(reference["now"]), ZoneInfo(reference["timezone"])
    order = DateOrder(reference["date_order"].lower())

    if phrase["expected"] is None:
        with pytest.raises(DateProblem):
            parse_due(phrase["phrase"], now=now, zone=zone, order=order)
        return
    due = parse_due(phrase["phrase"], now=now, zone=zone, order=order)

    expected = datetime.fromisoformat(phrase["expected"])
    if phrase["grain"] == "day":
        assert (due.day, due.time) == (expected.date(), None)
    else:
        assert due.instant() == expected


# A table of our own, read on Wednesday 18 November 2026 at 10:00 in New York, month first

PHRASES = """
today                            2026-11-18
tonight                          2026-11-18
this evening                     2026-11-18
this morning                     2026-11-18 12:00
Tomorrow                         2026-11-19
tmrw                             2026-11-19
tomorrow eod                     2026-11-19
tomorrow morning                 2026-11-19 12:00
tomorrow at 9                    2026-11-19 09:00
tomorrow 9                       2026-11-19 09:00
tomorrow at noon                 2026-11-19 12:00
tomorrow evening at 7            2026-11-19 19:00
day after tomorrow               2026-11-20
the day after tomorrow 3pm       2026-11-20 15:00
monday                           2026-11-23
Mon                              2026-11-23
tues                             2026-11-24
wed                              2026-11-25
wednesday                        2026-11-25
wednesday 3pm                    2026-11-18 15:00
wednesday 10am                   2026-11-25 10:00
wednesday eod                    2026-11-18
thurs.                           2026-11-19
FRIDAY!                          2026-11-20
“friday”                         2026-11-20
by friday                        2026-11-20
due by friday.                   2026-11-20
friday, 3pm                      2026-11-20 15:00
friday by noon                   2026-11-20 12:00
3pm on friday                    2026-11-20 15:00
3 p.m. friday                    2026-11-20 15:00
noon friday                      2026-11-20 12:00
friday 12am                      2026-11-20 00:00
friday 24:00                     2026-11-21 00:00
friday afternoon at 3            2026-11-20 15:00
cob friday                       2026-11-20
end of day friday                2026-11-20
close of business tomorrow       2026-11-19
coming friday                    2026-11-20
this friday                      2026-11-20
this wednesday                   2026-11-18
this sunday                      2026-11-22
next friday                      2026-11-27
next wednesday                   2026-11-25
friday next week                 2026-11-27
next week friday                 2026-11-27
monday of next week              2026-11-23
friday after next                2026-12-04
friday week                      2026-11-27
a week from friday               2026-11-27
a week on friday                 2026-11-27
2 weeks from monday              2026-12-07
a week today                     2026-11-25
a week tomorrow                  2026-11-26
2 days before 25 dec             2026-12-23
3 days after friday              2026-11-23
this week                        2026-11-20
end of week                      2026-11-20
eow                              2026-11-20
next week                        2026-11-23
end of next week                 2026-11-27
week after next                  2026-11-30
week 48                          2026-11-23
end of week 48                   2026-11-27
friday week 48                   2026-11-27
week 3                           2027-01-18
2027-W05                         2027-02-01
2027-W05-3                       2027-02-03
this month                       2026-11-30
eom                              2026-11-30
end of the month                 2026-11-30
month end                        2026-11-30
next month                       2026-12-01
end of next month                2026-12-31
beginning of next month          2026-12-01
next quarter                     2027-01-01
end of quarter                   2026-12-31
eoq                              2026-12-31
end of q1                        2027-03-31
start of q1                      2027-01-01
end of Q4                        2026-12-31
end of q2 2028                   2028-06-30
end of year                      2026-12-31
EOY                              2026-12-31
end of 2027                      2027-12-31
next year                        2027-01-01
end of feb                       2027-02-28
end of february 2028             2028-02-29
last day of the month            2026-11-30
last working day of the month    2026-11-30
first monday of december         2026-12-07
last friday of november          2026-11-27
in 3 days                        2026-11-21
in a day                         2026-11-19
in two weeks                     2026-12-02
in a couple of weeks             2026-12-02
in a fortnight                   2026-12-02
2 weeks from now                 2026-12-02
in 2 weeks' time                 2026-12-02
within 10 days                   2026-11-28
2 weeks                          2026-12-02
2w                               2026-12-02
+3d                              2026-11-21
in 3 months                      2027-02-18
in a year                        2027-11-18
in 3 days at 9am                 2026-11-21 09:00
3 business days                  2026-11-23
in 3 working days                2026-11-23
next business day                2026-11-19
in 90 minutes                    2026-11-18 11:30
in half an hour                  2026-11-18 10:30
in an hour                       2026-11-18 11:00
in 4h                            2026-11-18 14:00
in 1h 30m                        2026-11-18 11:30
in 36 hours                      2026-11-19 22:00
in 1 day and 2 hours             2026-11-19 12:00
48h                              2026-11-20 10:00
3 dec                            2026-12-03
dec 3                            2026-12-03
Dec. 3rd                         2026-12-03
3rd of December                  2026-12-03
december 3, 2026                 2026-12-03
3-Dec-2026                       2026-12-03
3 dec 26                         2026-12-03
3 dec '27                        2027-12-03
dec 3 3pm                        2026-12-03 15:00
3pm dec 3                        2026-12-03 15:00
dec 3 at noon                    2026-12-03 12:00
sept 5                           2027-09-05
17 nov                           2027-11-17
18 nov                           2026-11-18
31 dec                           2026-12-31
29 feb                           2028-02-29
fri 27 nov                       2026-11-27
Fri 27 Nov 2026                  2026-11-27
friday the 27th                  2026-11-27
the first of december            2026-12-01
the 15th                         2026-12-15
20th                             2026-11-20
on the 18th                      2026-11-18
the 31st                         2026-12-31
15th of next month               2026-12-15
the 15th at 3pm                  2026-12-15 15:00
2026-12-01                       2026-12-01
2026/12/01                       2026-12-01
2026-12-01 14:00                 2026-12-01 14:00
2026-12-01T14:00                 2026-12-01 14:00
2026-12-01T14:00:30              2026-12-01 14:00
2026-12-01T14:00Z                2026-12-01 14:00 UTC
2026-12-01T14:00+05:30           2026-12-01 03:30
12/03                            2026-12-03
12/3/26                          2026-12-03
12-03-2026                       2026-12-03
12.03.2026                       2026-12-03
11/17                            2027-11-17
12/03 15:00                      2026-12-03 15:00
3pm                              2026-11-18 15:00
9am                              2026-11-19 09:00
10am                             2026-11-19 10:00
10:01                            2026-11-18 10:01
at 9                             2026-11-19 09:00
15:00                            2026-11-18 15:00
15h                              2026-11-18 15:00
15h30                            2026-11-18 15:30
3.30pm                           2026-11-18 15:30
noon                             2026-11-18 12:00
by noon                          2026-11-18 12:00
midnight                         2026-11-19 00:00
eod                              2026-11-18
friday 3pm PST                   2026-11-20 15:00 America/Los_Angeles
3pm PST friday                   2026-11-20 15:00 America/Los_Angeles
3pm friday PST                   2026-11-20 15:00 America/Los_Angeles
friday 3pm CST                   2026-11-20 15:00 America/Chicago
friday 15:00 CET                 2026-11-20 15:00 Europe/Berlin
friday 15:00 utc                 2026-11-20 15:00 UTC
friday 15:00 UTC+2               2026-11-20 08:00
friday 3pm ET                    2026-11-20 15:00
friday 3pm my time               2026-11-20 15:00
15:00 Europe/Berlin              2026-11-19 15:00 Europe/Berlin
tomorrow 9:00 asia/kolkata       2026-11-19 09:00 Asia/Kolkata
friday 3pm London time           2026-11-20 15:00 Europe/London
"""

TABLE = [re.split(r"\s{2,}", line, maxsplit=1) for line in PHRASES.strip().splitlines()]


@pytest.mark.parametrize(("phrase", "expected"), TABLE, ids=[phrase for phrase, _ in TABLE])
def test_a_phrase_is_read_as_people_mean_it(phrase, expected):
    assert read(phrase) == expected


REFUSED = {
    **dict.fromkeys(["asap", "ASAP!", "soon", "later", "tbd", "when ready", "as soon as possible"], VagueDate),
    **dict.fromkeys(["", "  ", "1", "9", "42", "2026", "3.14", "1.5", "v2", "12.50", "20261201", "1,5"], NoDate),
    **dict.fromkeys(["may", "december", "me", "server", "the release", "friday or monday", "mon-fri", "?"], NoDate),
    **dict.fromkeys(
        ["in a few days", "by morning", "friday-ish", "3 dec-ish", "x" * 5000, "in 2 hours at 3pm"], NoDate
    ),
    **dict.fromkeys(["yesterday", "2020-01-01", "last friday", "last week", "3 days ago", "this monday"], PastDate),
    **dict.fromkeys(["today 9am", "3 dec 2025", "11/17/2026", "the day before yesterday", "2 weeks ago"], PastDate),
    **dict.fromkeys(["31 feb", "30 feb", "31 apr", "2027-02-29", "feb 29 2027", "0 dec", "2026-13-01"], DateProblem),
    **dict.fromkeys(["13/12", "13/13", "0/5", "15.12.", "the 32nd", "week 54", "25:00", "13pm", "9:75"], DateProblem),
    **dict.fromkeys(["at 3", "friday at 5", "3:30", "4h", "1m", "in 5m", "q1", "Q1 2027", "weekend"], DateProblem),
    **dict.fromkeys(["week 47", "friday midnight", "thu 27 nov", "friday the 13th", "3pm IST"], DateProblem),
    **dict.fromkeys(
        ["15:00 +25", "in 99999 days", "in 99999 years", "9999-12-31", "in 5000 business days"], DateProblem
    ),
    **dict.fromkeys(["2027-07-01 15:00 PST", "friday 3pm CEST", "99/99/9999"], DateProblem),
}


@pytest.mark.parametrize(("phrase", "kind"), REFUSED.items(), ids=[phrase[:20] for phrase in REFUSED])
def test_what_is_no_date_to_rely_on_is_asked_about(phrase, kind):
    problem = problem_with(phrase)

    assert type(problem) is kind
    assert problem.phrase == phrase


@pytest.mark.parametrize("phrase", REFUSED, ids=[phrase[:20] for phrase in REFUSED])
@pytest.mark.parametrize("order", DateOrder)
def test_the_two_examples_in_a_refusal_can_be_read(phrase, order):
    try:
        parse_due(phrase, now=WEDNESDAY, zone=NEW_YORK, order=order)
    except DateProblem as problem:
        examples = re.search("Try “(.+)” or “(.+)”.$", str(problem))

        assert len(set(examples.groups())) == 2
        for words in examples.groups():
            parse_due(words, now=WEDNESDAY, zone=NEW_YORK, order=order)


def test_a_refusal_says_what_is_wrong_with_the_phrase():
    assert "there is no month 13" in str(problem_with("13/12"))
    assert "“13 dec”" in str(problem_with("13/12"))
    assert "Tue 17 Nov 2026, which has passed" in str(problem_with("yesterday"))
    assert "February 2027 has 28 days" in str(problem_with("2027-02-29"))
    assert "names a month" in str(problem_with("may"))
    assert "the clocks there show PDT, not PST" in str(problem_with("2027-07-01 15:00 PST"))


def test_a_long_phrase_is_cut_in_its_refusal():
    assert len(str(problem_with("x" * 5000))) < 200


DAY_FIRST = {
    "12/03": "2027-03-12",
    "25/12": "2026-12-25",
    "15.12.": "2026-12-15",
    "15.12": "2026-12-15",
    "15.12.2026": "2026-12-15",
    "1.5.27": "2027-05-01",
    "31/12/2026 18:00": "2026-12-31 18:00",
    "2026-12-03": "2026-12-03",
    "3:30": "2026-11-19 03:30",
}


@pytest.mark.parametrize(("phrase", "expected"), DAY_FIRST.items(), ids=DAY_FIRST)
def test_outside_the_united_states_the_day_comes_first(phrase, expected):
    assert read(phrase, now=WEDNESDAY.replace(tzinfo=BERLIN), order=DateOrder.DMY) == expected


def test_a_day_that_only_fits_the_other_order_is_asked_about():
    assert "day first" in str(problem_with("12/13", order=DateOrder.DMY))


@pytest.mark.parametrize(
    ("locale", "order"),
    [
        *(("en-US", DateOrder.MDY), ("en_us", DateOrder.MDY), ("en-GB", DateOrder.DMY), ("de-DE", DateOrder.DMY)),
        *(("en", DateOrder.DMY), (None, DateOrder.DMY), ("", DateOrder.DMY)),
        *(("ja-JP", DateOrder.MDY), ("zh-TW", DateOrder.MDY)),
    ],
)
def test_american_english_and_who_begins_with_the_year_put_the_month_first(locale, order):
    assert date_order(locale) is order


@pytest.mark.parametrize(
    ("locale", "timezone", "is_certain"),
    [
        *(("en-US", "America/New_York", True), ("en-US", "America/Toronto", False), ("en-US", "Europe/Berlin", False)),
        *(("en-US", "", False), ("en-GB", "America/New_York", True), ("de-DE", "", True), ("en-CA", "", False)),
        (None, "Europe/Berlin", False),
    ],
)
def test_the_order_is_not_certain_where_american_english_may_be_slacks_own_choice(locale, timezone, is_certain):
    assert is_order_certain(locale, timezone) is is_certain


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("Order 12/8 cables by 3/4", ("3/4", "4 mar")),
        ("by 04/03/2027", ("04/03/2027", "4 mar 2027")),
        ("am 3.4. fertig", ("3.4", "4 mar")),
        *(
            ("by 3 april", None),
            ("by 2027-04-03", None),
            ("by friday, 1/2 done", None),
            ("section 3.4.2 by friday", None),
        ),
    ],
)
def test_the_other_way_to_read_two_numbers_is_told_where_there_is_one(text, other):
    assert other_way(text, date(2027, 4, 3)) == other


@pytest.mark.parametrize(("text", "day"), [("by 4/4", date(2027, 4, 4)), ("by 13/4", date(2027, 4, 13))])
def test_equal_numbers_and_those_that_are_no_month_can_be_read_in_one_way_only(text, day):
    assert other_way(text, day) is None


def test_an_abbreviation_means_the_typists_own_zone_where_it_is_used_there():
    assert read("friday 15:00 IST", now=WEDNESDAY.astimezone(ZoneInfo("Asia/Kolkata"))) == "2026-11-20 15:00"
    assert read("friday 15:00 IST", now=WEDNESDAY.astimezone(ZoneInfo("Europe/Dublin")).replace(month=7)).endswith(
        "15:00"
    )
    assert read("friday 15:00 CST", now=WEDNESDAY.astimezone(ZoneInfo("Asia/Shanghai"))) == "2026-11-20 15:00"


def test_the_day_is_the_typists_and_the_time_that_of_the_named_zone():
    now = datetime(2026, 11, 18, 20, tzinfo=ZoneInfo("Pacific/Auckland"))

    due = parse_due("tomorrow 9:00 America/New_York", now=now, zone=now.tzinfo, order=DateOrder.DMY)

    assert (due.day, due.time, due.zone.key) == (date(2026, 11, 19), time(9), "America/New_York")


def test_today_follows_the_zone_and_not_utc():
    now = datetime(2026, 11, 18, 23, 30, tzinfo=UTC)

    assert parse_due("today", now=now, zone=ZoneInfo("Pacific/Auckland"), order=DateOrder.DMY).day == date(2026, 11, 19)
    assert parse_due("today", now=now, zone=NEW_YORK, order=DateOrder.DMY).day == date(2026, 11, 18)


def test_on_a_weekend_the_end_of_this_week_has_passed():
    saturday = datetime(2026, 11, 21, 10, tzinfo=NEW_YORK)

    assert isinstance(problem_with("end of week", now=saturday), PastDate)
    assert read("friday", now=saturday) == "2026-11-27"
    assert read("next friday", now=saturday) == "2026-11-27"
    assert read("next week", now=saturday) == "2026-11-23"


def test_the_first_day_there_is_has_passed_and_is_not_today():
    assert "is Mon 1 Jan 1, which has passed" in str(problem_with("1/1/0001"))


def test_a_naive_now_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="aware"):
        parse_due("today", now=datetime(2026, 11, 18), zone=NEW_YORK, order=DateOrder.DMY)  # noqa: DTZ001


# Working days


def test_business_days_skip_the_holidays_of_the_project():
    thanksgiving = {date(2026, 11, 26), date(2026, 11, 27)}

    def works(day):
        return monday_to_friday(day) and day not in thanksgiving

    assert read("in 7 business days", is_working_day=works) == "2026-12-01"
    assert read("in 7 business days") == "2026-11-27"
    assert read("last working day of november", is_working_day=lambda day: works(day) and day.day < 30) == "2026-11-25"


def test_a_project_without_working_days_is_told_so():
    assert "working days" in str(problem_with("in 3 business days", is_working_day=lambda day: False))


# Clock changes


def test_a_time_the_clock_change_skips_moves_forward_by_the_gap():
    now = datetime(2027, 3, 26, 10, tzinfo=BERLIN)

    assert read("28 march 02:30", now=now, order=DateOrder.DMY) == "2027-03-28 03:30"
    assert read("in 2 days at 02:00", now=now, order=DateOrder.DMY) == "2027-03-28 03:00"


def test_a_time_that_comes_twice_is_the_first():
    now = datetime(2026, 10, 23, 10, tzinfo=BERLIN)

    due = parse_due("25 oct 02:30", now=now, zone=BERLIN, order=DateOrder.DMY)

    assert due.instant() == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_in_the_second_pass_of_an_hour_its_times_are_tomorrows():
    second_pass = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)  # 02:30 for the second time

    due = parse_due("02:45", now=second_pass, zone=BERLIN, order=DateOrder.DMY)

    assert (due.day, due.time) == (date(2026, 10, 26), time(2, 45))


def test_hours_are_elapsed_time_over_the_clock_change():
    now = datetime(2026, 10, 24, 10, tzinfo=BERLIN)

    assert read("in 24 hours", now=now) == "2026-10-25 09:00"
    assert read("in 1 day", now=now) == "2026-10-25"


def test_an_amount_of_minutes_is_never_early_by_its_seconds():
    now = datetime(2026, 11, 18, 10, 0, 20, tzinfo=NEW_YORK)

    assert read("in 1 minute", now=now) == "2026-11-18 10:02"


# Other languages

GERMAN = """
heute|2026-11-18
morgen|2026-11-19
übermorgen|2026-11-20
uebermorgen|2026-11-20
freitag|2026-11-20
bis Freitag|2026-11-20
nächsten Freitag|2026-11-27
naechsten freitag|2026-11-27
kommenden Freitag|2026-11-20
Freitag 15 Uhr|2026-11-20 15:00
Freitag um 15:00|2026-11-20 15:00
Freitag um 15.30 Uhr|2026-11-20 15:30
morgen um 9 Uhr 30|2026-11-19 09:30
in 3 Tagen um 9 Uhr|2026-11-21 09:00
Freitag Morgen|2026-11-20 12:00
Freitagnachmittag|2026-11-20
heute Abend um 8|2026-11-18 20:00
in zwei Wochen|2026-12-02
in einem Monat|2026-12-18
in 90 Minuten|2026-11-18 11:30
in 3 Werktagen|2026-11-23
nächste Woche|2026-11-23
Ende nächster Woche|2026-11-27
Ende des Monats|2026-11-30
Monatsende|2026-11-30
Ende Dezember|2026-12-31
15. Dezember|2026-12-15
3. Dez. 2026|2026-12-03
Mittwoch, 25. November 2026|2026-11-25
am 15.|2026-12-15
KW 48|2026-11-23
Ende KW 48|2026-11-27
"""
FRENCH = """
aujourd’hui 17h|2026-11-18 17:00
demain|2026-11-19
après-demain|2026-11-20
vendredi prochain|2026-11-27
ce vendredi|2026-11-20
vendredi à 15h|2026-11-20 15:00
vendredi à 15h30|2026-11-20 15:30
demain à 9 heures|2026-11-19 09:00
vendredi après-midi|2026-11-20
demain midi|2026-11-19 12:00
le 3 décembre|2026-12-03
1er décembre|2026-12-01
le 15|2026-12-15
dans deux semaines|2026-12-02
dans 2 heures|2026-11-18 12:00
dans 3 jours ouvrés|2026-11-23
d'ici 2 semaines|2026-12-02
d'ici vendredi|2026-11-20
la semaine prochaine|2026-11-23
fin de semaine|2026-11-20
fin du mois prochain|2026-12-31
fin d'année|2026-12-31
"""
SPANISH = """
hoy|2026-11-18
mañana|2026-11-19
manana|2026-11-19
pasado mañana|2026-11-20
el viernes|2026-11-20
el viernes que viene|2026-11-27
próximo viernes|2026-11-27
viernes a las 15|2026-11-20 15:00
viernes a las 15:00|2026-11-20 15:00
mañana a las 3 de la tarde|2026-11-19 15:00
mañana por la mañana|2026-11-19 12:00
en 2 semanas|2026-12-02
dentro de 3 días|2026-11-21
en 3 días hábiles|2026-11-23
la semana que viene|2026-11-23
fin de mes|2026-11-30
finales de diciembre|2026-12-31
3 de diciembre de 2026|2026-12-03
el 15|2026-12-15
antes del viernes|2026-11-20
"""
ITALIAN = """
domani|2026-11-19
venerdì|2026-11-20
3 dicembre|2026-12-03
3 dicembre 2026|2026-12-03
in 2 settimane|2026-12-02
"""
TRANSLATED = [
    (locale, *line.split("|"))
    for locale, lines in (("de-DE", GERMAN), ("fr-FR", FRENCH), ("es-ES", SPANISH), ("it-IT", ITALIAN))
    for line in lines.strip().splitlines()
]


@pytest.mark.parametrize(("locale", "phrase", "expected"), TRANSLATED, ids=[phrase for _, phrase, _ in TRANSLATED])
def test_other_languages_follow_the_same_policy(locale, phrase, expected):
    now = WEDNESDAY.replace(tzinfo=BERLIN)

    assert read(phrase, now=now, order=DateOrder.DMY, locale=locale) == expected


@pytest.mark.parametrize(
    ("locale", "phrase", "kind"),
    [
        *(("de-DE", "gestern", PastDate), ("de-DE", "vor 3 Tagen", PastDate), ("de-DE", "31. Februar", DateProblem)),
        *(("de-DE", "Mai", NoDate), ("de-DE", "sofort", VagueDate), ("de-DE", "Wochenende", DateProblem)),
        *(("de-DE", "Die Freigabe", NoDate), ("de-DE", "1", NoDate), ("fr-FR", "hier", PastDate)),
        *(("fr-FR", "dès que possible", VagueDate), ("fr-FR", "31 février", DateProblem)),
        *(("es-ES", "ayer", PastDate), ("es-ES", "hace 3 días", PastDate), ("es-ES", "fin de semana", DateProblem)),
        *(("es-ES", "mayo", NoDate), ("it-IT", "maggio", NoDate), ("it-IT", "ieri", PastDate)),
        *(("pt-BR", "às 15h", NoDate), ("ja-JP", "12月3日", NoDate), ("ja-JP", "来週", NoDate)),
        ("xx-XX", "freitag", NoDate),
    ],
)  # fmt: skip
def test_in_other_languages_too_nothing_is_guessed(locale, phrase, kind):
    problem = problem_with(phrase, now=WEDNESDAY.replace(tzinfo=BERLIN), order=DateOrder.DMY, locale=locale)

    assert type(problem) is kind


# Descriptions


def test_a_day_is_described_with_weekday_and_year():
    today = date(2026, 11, 22)

    assert describe_day(date(2026, 11, 27), today=today) == "Fri 27 Nov 2026"
    assert describe_day(today, today=today) == "today, Sun 22 Nov 2026"
    assert describe_day(date(2026, 11, 23), today=today) == "tomorrow, Mon 23 Nov 2026"
    assert describe_day(date(2026, 11, 21), today=today) == "yesterday, Sat 21 Nov 2026"


def test_a_due_date_is_described_with_its_time_and_zone():
    day, today = date(2026, 11, 27), date(2026, 11, 22)

    assert describe_due(day, None, today=today, zone=BERLIN) == "Fri 27 Nov 2026"
    assert describe_due(day, time(15), today=today, zone=None) == "Fri 27 Nov 2026 15:00"
    assert describe_due(day, time(9, 5), today=today, zone=BERLIN) == "Fri 27 Nov 2026 09:05 Europe/Berlin"


# Properties

FRAGMENTS = "in a of the next last this end 3 12 31 99 0 15th pm : / . - + by at on week friday dec"
WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday"

zones = st.sampled_from(ZONES).map(ZoneInfo)
instants = st.datetimes(datetime(2024, 1, 1), datetime(2032, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
days = st.dates(date(2024, 1, 1), date(2032, 12, 31))
orders = st.sampled_from(DateOrder)
phrases = st.sampled_from([phrase for phrase, _ in TABLE] + list(REFUSED))
glued = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "in",
                "a",
                "of",
                "the",
                "next",
                "last",
                "this",
                "end",
                "3",
                "12",
                "31",
                "99",
                "0",
                "15th",
                "pm",
                ":",
                "/",
                ".",
                "-",
                "+",
                "by",
                "at",
                "on",
                "week",
                "friday",
                "dec",
            ]
        ),
        st.sampled_from(["q1", "may", "noon", "midnight", "utc", "europe/berlin", "business days", "m", "h", "٣", "½"]),
        st.text(max_size=5),
    ),
    max_size=8,
).map(" ".join)
joined = glued.map(lambda text: text.replace(" ", ""))


@given(phrase=st.one_of(phrases, glued, joined, st.text(max_size=100)), now=instants, zone=zones, order=orders)
@example(phrase="\x00", now=datetime(2026, 11, 18, tzinfo=UTC), zone=BERLIN, order=DateOrder.DMY)
@example(phrase="0000-01-01", now=datetime(2026, 11, 18, tzinfo=UTC), zone=BERLIN, order=DateOrder.DMY)
@example(phrase="30 feb 0000", now=datetime(2026, 11, 18, tzinfo=UTC), zone=BERLIN, order=DateOrder.DMY)
@settings(max_examples=400, deadline=None)
def test_any_text_is_a_due_date_that_is_not_past_or_a_problem(phrase, now, zone, order):
    try:
        due = parse_due(phrase, now=now, zone=zone, order=order)
    except DateProblem:
        return

    if due.time is None:
        assert due.day >= now.astimezone(zone).date()
    else:
        assert due.instant() > now


@pytest.mark.parametrize("locale", ["de-DE", "fr-FR", "es-ES", "it-IT", "ja-JP"])
@given(phrase=st.one_of(glued, st.text(max_size=30), st.sampled_from([phrase for _, phrase, _ in TRANSLATED])))
@settings(max_examples=40, deadline=None)
def test_any_text_is_safe_in_any_language(locale, phrase):
    try:
        due = parse_due(phrase, now=WEDNESDAY, zone=BERLIN, order=DateOrder.DMY, locale=locale)
    except DateProblem:
        return

    assert due.day >= WEDNESDAY.astimezone(BERLIN).date()


@given(day=days, now=instants, zone=zones, order=orders)
def test_a_described_day_is_read_as_that_day_again(day, now, zone, order):
    today = now.astimezone(zone).date()
    assume(day >= today)

    assert parse_due(describe_day(day, today=date.min), now=now, zone=zone, order=order) == Due(day, None, zone)


@given(day=days, now=instants, zone=zones)
def test_a_written_out_date_is_read_in_every_form(day, now, zone):
    assume(day >= now.astimezone(zone).date())
    forms = [
        (day.isoformat(), DateOrder.MDY),
        (f"{day:%m/%d/%Y}", DateOrder.MDY),
        (f"{day:%d/%m/%Y}", DateOrder.DMY),
        (f"{day:%d.%m.%y}", DateOrder.DMY),
        (f"{day.day} {day:%B} {day.year}", DateOrder.MDY),
        (f"{day:%b} {day.day}, {day.year}", DateOrder.DMY),
    ]

    for text, order in forms:
        assert parse_due(text, now=now, zone=zone, order=order).day == day


@given(day=days, now=instants, zone=zones)
def test_a_date_without_a_year_is_the_next_one(day, now, zone):
    today = now.astimezone(zone).date()

    found = parse_due(f"{day.day} {day:%b}", now=now, zone=zone, order=DateOrder.DMY).day

    assert (found.month, found.day) == (day.month, day.day)
    assert today <= found
    years_between = range(today.year, found.year)
    same_days = [date(y, day.month, day.day) for y in years_between if day.day <= monthrange(y, day.month)[1]]
    assert all(earlier < today for earlier in same_days)


@given(now=instants, zone=zones, number=st.integers(1, 31))
def test_an_ordinal_is_the_next_such_day_of_a_month_that_has_it(now, zone, number):
    today = now.astimezone(zone).date()

    found = parse_due(f"the {number}th", now=now, zone=zone, order=DateOrder.DMY).day

    assert found.day == number
    span = [today + timedelta(days=n) for n in range((found - today).days)]
    assert number not in {day.day for day in span}


@given(now=instants, zone=zones, count=st.integers(1, 2000))
def test_in_some_days_counts_local_dates(now, zone, count):
    today = now.astimezone(zone).date()

    assert parse_due(f"in {count} days", now=now, zone=zone, order=DateOrder.DMY) == Due(
        today + timedelta(days=count), None, zone
    )


@given(now=instants, zone=zones, count=st.integers(1, 200))
def test_in_some_months_keeps_the_day_or_ends_the_month(now, zone, count):
    today = now.astimezone(zone).date()

    found = parse_due(f"in {count} months", now=now, zone=zone, order=DateOrder.DMY).day

    assert (found.year * 12 + found.month) - (today.year * 12 + today.month) == count
    assert found.day == min(today.day, monthrange(found.year, found.month)[1])


@given(now=instants, zone=zones, count=st.integers(1, 300))
def test_business_days_are_counted_one_by_one(now, zone, count):
    today = now.astimezone(zone).date()

    found = parse_due(f"in {count} business days", now=now, zone=zone, order=DateOrder.DMY).day

    between = [today + timedelta(days=n) for n in range(1, (found - today).days + 1)]
    assert sum(day.weekday() < 5 for day in between) == count
    assert found.weekday() < 5


@given(now=instants, zone=zones, minutes=st.integers(1, 5000))
def test_minutes_are_elapsed_time_rounded_up(now, zone, minutes):
    due = parse_due(f"in {minutes} minutes", now=now, zone=zone, order=DateOrder.DMY)

    assert timedelta(0) <= due.instant() - (now + timedelta(minutes=minutes)) < timedelta(minutes=1)


@given(now=instants, zone=zones)
def test_the_end_of_a_month_is_its_last_day(now, zone):
    found = parse_due("end of month", now=now, zone=zone, order=DateOrder.DMY).day

    assert (found + timedelta(days=1)).day == 1
    assert (found.year, found.month) == (now.astimezone(zone).year, now.astimezone(zone).month)


@given(
    now=instants,
    zone=zones,
    weekday=st.sampled_from(["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]),
)
def test_weekdays_lie_in_the_week_they_name(now, zone, weekday):
    today = now.astimezone(zone).date()
    monday = today - timedelta(days=today.weekday())

    plain = parse_due(weekday, now=now, zone=zone, order=DateOrder.DMY).day
    following = parse_due(f"next {weekday}", now=now, zone=zone, order=DateOrder.DMY).day

    assert f"{plain:%A}".lower() == f"{following:%A}".lower() == weekday
    assert 1 <= (plain - today).days <= 7
    assert 7 <= (following - monday).days <= 13


@given(day=days, wall=st.times(), source=zones, target=zones)
def test_a_time_keeps_its_instant_in_another_zone(day, wall, source, target):
    due = Due(day, wall, source)

    moved = due.in_zone(target)

    assert moved.zone is target
    assert moved.instant() == due.instant()
    assert moved.in_zone(source).instant() == due.instant()


@given(day=days, source=zones, target=zones)
def test_a_bare_day_stays_that_date_in_every_zone(day, source, target):
    assert Due(day, None, source).in_zone(target) == Due(day, None, target)
    assert Due(day, None, source).instant() is None


def clock_changes(zone):
    """The hours around which the zone's offset changes within two years, as UTC instants."""
    hours = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(24 * 730)]
    offsets = [hour.astimezone(zone).utcoffset() for hour in hours]
    return [hour for hour, before, after in zip(hours[1:], offsets, offsets[1:], strict=False) if before != after]


@pytest.mark.parametrize("name", ZONES_THAT_CHANGE)
def test_every_minute_around_a_clock_change_is_a_real_wall_time_at_its_first_pass(name):
    zone = ZoneInfo(name)
    changes = clock_changes(zone)
    assert len(changes) >= 3

    for change in changes:
        now = change - timedelta(days=3)
        day = change.astimezone(zone).date()
        for minute in range(0, 24 * 60, 15):
            wall = time(minute // 60, minute % 60)
            due = parse_due(f"{day.isoformat()} {wall:%H:%M}", now=now, zone=zone, order=DateOrder.DMY)

            asked = datetime.combine(day, wall, zone)
            real = asked.astimezone(UTC).astimezone(zone)
            gap = real.replace(tzinfo=None) - asked.replace(tzinfo=None)
            assert datetime.combine(due.day, due.time) - datetime.combine(day, wall) == gap
            assert timedelta(0) <= gap <= timedelta(hours=1)
            assert due.instant() == asked.astimezone(UTC)
            assert due.time.fold == 0


# Cost


def test_the_own_grammar_reads_a_phrase_well_within_a_millisecond():
    for phrase, _ in TABLE:
        read_phrase(phrase, now=WEDNESDAY, zone=NEW_YORK, order=DateOrder.MDY)

    started = stopwatch.process_time()
    for phrase, _ in TABLE:
        read_phrase(phrase, now=WEDNESDAY, zone=NEW_YORK, order=DateOrder.MDY)
    average = (stopwatch.process_time() - started) / len(TABLE)

    assert average < 0.001


def test_dateparser_is_loaded_only_for_what_the_grammar_cannot_read():
    script = (
        "import sys, datetime, zoneinfo, models.entry, models.dates as d\n"
        "d.parse_due('friday', now=datetime.datetime.now(datetime.UTC), zone=zoneinfo.ZoneInfo('UTC'),"
        " order=d.DateOrder.DMY)\n"
        "sys.exit('dateparser' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parents[2], timeout=60, check=False)

    assert done.returncode == 0


PAST = {
    "2026-11-18": ["today", "wednesday", "18 nov", "the 18th"],
    "2026-11-17": ["yesterday", "tuesday", "last tuesday", "17 nov", "11/17/2026", "1 day ago"],
    "2026-11-13": ["friday", "last friday", "13 nov 2026", "2026-11-13"],
    "2026-10-31": ["31 oct", "the 31st"],
    "2025-12-24": ["24 dec", "24 december 2025"],
}


@pytest.mark.parametrize(("day", "phrase"), [(day, phrase) for day, phrases in PAST.items() for phrase in phrases])
def test_a_day_looked_back_at_is_the_last_there_was(day: str, phrase: str) -> None:
    """It is Wednesday 18 November 2026."""
    found = parse_past(phrase, now=WEDNESDAY, zone=NEW_YORK, order=DateOrder.MDY)

    assert found.isoformat() == day


@pytest.mark.parametrize("phrase", ["tomorrow", "next friday", "in 3 days", "24 dec 2026", "end of november", "soon"])
def test_a_day_to_come_cannot_be_looked_back_at(phrase: str) -> None:
    with pytest.raises(DateProblem):
        parse_past(phrase, now=WEDNESDAY, zone=NEW_YORK, order=DateOrder.MDY)
