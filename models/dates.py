"""Due dates as people type them: "friday 3pm", "end of month", "in 3 business days", "12/03".

The grammar here is Steward's own and decides first; dateparser is asked only about what it cannot read, mostly other
languages. One rule stands above the rest: a phrase that is unreadable, impossible, ambiguous or past is asked about
(`DateProblem`), never guessed. The readings people may not expect:

- A day without a time is due by the end of that day; no time is stored. "eod", "afternoon" and "evening" say no more
  than the day; "morning" is due at its end, 12:00.
- "friday" is the next one after today, "this friday" lies in the current Monday-to-Sunday week, "next friday" in the
  following one. With a time that is still ahead, "friday 3pm" may be today.
- "next week", "next month", "week 48" are their first day; "this week" and "end of week" are Friday, "this month" and
  "end of month" the last day of the month.
- "q1" or "december" alone is asked about, since it may mean the first day or the last: "end of q1" is clear.
- "the 31st" and "29 feb" are the next ones there are. A bare hour is read as in the working day, 8 to 12; "at 3" is
  asked about. "midnight" is the coming one; "friday midnight" is asked about, as it may mean either end of Friday.
- "12/03" is read in the order of the typist's language and country (`date_order`). Where these leave a doubt the answer
  names the other reading (`other_way`).
- An abbreviation of a zone must be in force on that day: "3pm PST" in July is asked about.
"""

import re
import unicodedata
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from difflib import get_close_matches
from enum import IntEnum, StrEnum
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from models.date_words import in_english
from models.errors import DateProblem

LONGEST_PHRASE: Final = 80
END_OF_WORK: Final = time(17)
LEAP_YEAR: Final = 2028
FARTHEST_YEARS: Final = 100
MOST_BUSINESS_DAYS: Final = 1000
SHORT_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
SHORT_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MONTH_NAMES: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

# Languages that write the year first, and so the month before the day.
YEAR_FIRST: Final = ("hu", "ja", "ko", "zh")
# Time zones of the United States, or what they begin with.
IN_THE_STATES: Final = (
    *("US/", "America/New_York", "America/Detroit", "America/Kentucky/", "America/Indiana/", "America/Chicago"),
    *("America/Menominee", "America/North_Dakota/", "America/Denver", "America/Boise", "America/Phoenix"),
    *("America/Los_Angeles", "America/Anchorage", "America/Juneau", "America/Sitka", "America/Metlakatla"),
    *("America/Yakutat", "America/Nome", "America/Adak", "Pacific/Honolulu"),
)
_TWO_NUMBERS: Final = re.compile(
    r"(?<![\d./-])(?P<first>\d{1,2})([/.-])(?P<second>\d{1,2})(?:\2(?P<year>\d{4}|\d{2}))?(?![\d/-]|\.\d)"
)

WorkingDays = Callable[[date], bool]


class DateOrder(StrEnum):
    """Which of the two leading numbers of 12/03 is the day."""

    DMY = "dmy"
    MDY = "mdy"


def date_order(locale: str | None, timezone: str = "") -> DateOrder:
    """The order of numeric dates for a Slack locale such as "en-US": month first there, and where the year comes first.

    Many people outside the United States leave Slack's language at American English, so a time zone elsewhere decides.
    """
    language = _language_of(locale)
    is_american = (locale or "").replace("_", "-").lower() == "en-us"
    is_elsewhere = "/" in timezone and not timezone.startswith(("America/", "US/", "Pacific/Honolulu"))
    is_month_first = (is_american and not is_elsewhere) or language in YEAR_FIRST
    return DateOrder.MDY if is_month_first else DateOrder.DMY


def _language_of(locale: str | None) -> str:
    return re.split(r"[-_]", locale or "en")[0].lower()


def is_order_certain(locale: str | None, timezone: str = "") -> bool:
    """Whether locale and time zone leave no doubt about `date_order`.

    American English may be Slack's own choice, outside the United States; in Canada people write both.
    """
    where = (locale or "").replace("_", "-").lower()
    if where == "en-us":
        return timezone.startswith(IN_THE_STATES)
    return where not in ("", "en", "en-ca")


def other_way(text: str, day: date) -> tuple[str, str] | None:
    """The numbers in the text that name the day, and what they name in the other order: ("3/4", "4 mar").

    None where the day is not told by two numbers that may be either.
    """
    if day.day > 12 or day.day == day.month:
        return None
    for found in _TWO_NUMBERS.finditer(text):
        if {int(found["first"]), int(found["second"])} == {day.day, day.month}:
            other = f"{day.month} {SHORT_MONTHS[day.day - 1].lower()}"
            return found[0], f"{other} {day.year}" if found["year"] else other
    return None


def monday_to_friday(day: date) -> bool:
    """Whether the day is a working day where nobody said otherwise."""
    return day.weekday() < 5


class NoDate(DateProblem):
    """Nothing in the phrase is a date; it may well be ordinary words."""


class PastDate(DateProblem):
    """The phrase is a date, and it has passed: on that `day`."""

    day: date = date.min


class VagueDate(DateProblem):
    """The phrase speaks of a time but names none: "asap", "later"."""


@dataclass(frozen=True)
class Due:
    """A day, or with `time` an instant given as wall time in `zone`.

    `time.fold` is 1 only for the second pass of an hour that comes twice; where a store drops it, the first is meant.
    """

    day: date
    time: time | None
    zone: ZoneInfo

    def instant(self) -> datetime | None:
        """The moment in UTC, None for a bare day."""
        return None if self.time is None else _instant(self.day, self.time, self.zone)

    def in_zone(self, zone: ZoneInfo) -> "Due":
        """The same due date for readers in `zone`: a bare day stays that date, a time is converted."""
        instant = self.instant()
        if instant is None:
            return Due(self.day, None, zone)
        local = instant.astimezone(zone)
        return Due(local.date(), local.time(), zone)


class Needs(IntEnum):
    """How much must stand before a phrase within a sentence so that it is a due date and not ordinary words."""

    NOTHING = 0
    CONNECTOR = 1  # by, due, on, before: "12/03", "week 48", "3pm"
    DUE = 2  # "due", or a field that asks for a date: "extend by 2 weeks" names an amount


@dataclass(frozen=True)
class Reading:
    """What the own grammar made of a phrase: a due date, or why the date in it cannot be used."""

    result: Due | DateProblem
    needs: Needs


def parse_due(
    phrase: str,
    *,
    now: datetime,
    zone: ZoneInfo,
    order: DateOrder,
    is_working_day: WorkingDays = monday_to_friday,
    locale: str | None = None,
) -> Due:
    """The due date a person in `zone` means by `phrase` at `now` (aware).

    The result lies in `zone` unless the phrase names another. `locale` (Slack's, "de-DE") adds that language to
    English. Raises DateProblem, whose sentence says what is wrong and gives two examples that work.
    """
    context = _Context.of(phrase, now, zone, order, is_working_day)
    language = _language_of(locale)
    reading = _read(_normalise(phrase), context) or _read_translated(language, context)
    result = reading.result if reading else _ask_dateparser(language, context) or unreadable(context.phrase)
    if isinstance(result, DateProblem):
        raise result
    return result


def parse_past(phrase: str, *, now: datetime, zone: ZoneInfo, order: DateOrder, locale: str | None = None) -> date:
    """The latest day up to today that the phrase means: "friday", "14 nov" and "the 15th" are the last there were.

    Raises DateProblem, also for a day to come.
    """

    def read(at: datetime) -> date:
        try:
            return parse_due(phrase, now=at, zone=zone, order=order, locale=locale).day
        except PastDate as problem:
            return problem.day

    today = now.astimezone(zone).date()
    back = (0, 7, 31, 366) if _NAMES_DAY.search(_normalise(phrase)) else (0,)
    found = next((day for days in back if (day := read(now - timedelta(days=days))) <= today), None)
    if found is None:
        raise DateProblem(phrase, f"“{phrase[:60]}” has not come yet. Try “today”, “last friday” or “14 nov”.")
    return found


def read_phrase(
    phrase: str,
    *,
    now: datetime,
    zone: ZoneInfo,
    order: DateOrder,
    is_working_day: WorkingDays = monday_to_friday,
) -> Reading | None:
    """What the own grammar reads in the whole of an English phrase; None where it sees no date. Raises no refusal."""
    return _read(_normalise(phrase), _Context.of(phrase, now, zone, order, is_working_day))


def is_nearly_a_day(word: str) -> bool:
    """Whether the word is the name of a day or a month, perhaps with a slip in it as "fryday"; for no short names.

    The first letter is right: to compare each word with each name would take longer than all else in reading a line.
    """
    lower = word.lower()
    names = [name for name in _LONG_NAMES if name[0] == lower[:1] and abs(len(name) - len(lower)) < 3]
    return word.isalpha() and bool(names) and bool(get_close_matches(lower, names, n=1, cutoff=0.8))


def is_slip_of_a_day(word: str) -> bool:
    """Whether it is such a name with a slip in it, and none of a person: those begin with a capital."""
    return word.islower() and is_nearly_a_day(word) and word not in _LONG_NAMES


def is_slip_of_a_span(word: str) -> bool:
    """Whether the word is "week" or "month" with a slip in it, as "wek" is."""
    return word not in _SPANS and bool(get_close_matches(word, _SPANS, n=1, cutoff=0.85))


def unreadable(phrase: str) -> NoDate:
    """The problem with a phrase that was meant as a date, and in which none can be read."""
    return NoDate(phrase, f"I can't read {_shown(phrase)} as a date. Try “friday 3pm” or “in 2 weeks”.")


def describe_day(day: date, *, today: date) -> str:
    """ "Fri 27 Nov 2026", led by yesterday, today or tomorrow where that is what it is."""
    name = f"{SHORT_WEEKDAYS[day.weekday()]} {day.day} {SHORT_MONTHS[day.month - 1]} {day.year}"
    word = {-1: "yesterday", 0: "today", 1: "tomorrow"}.get((day - today).days)
    return f"{word}, {name}" if word else name


def describe_due(due_date: date, due_time: time | None, *, today: date, zone: ZoneInfo | None) -> str:
    """The day, and where there is a time "15:00" with the name of `zone` where one is given."""
    parts = [describe_day(due_date, today=today)]
    if due_time is not None:
        parts.append(f"{due_time:%H:%M}")
        parts.extend([zone.key] if zone is not None else [])
    return " ".join(parts)


# What surrounds a reading ------------------------------------------------------------------------------------------


def _instant(day: date, at: time, zone: tzinfo) -> datetime:
    """In UTC, since Python compares two times of one zone by the wall clock, which runs backwards once a year."""
    return datetime.combine(day, at, zone).astimezone(UTC)


@dataclass(frozen=True)
class _Clock:
    """A typed time of day. `stored` is None where the day says it all; today still counts until `ends`."""

    stored: time | None
    ends: time
    zone: tzinfo | None = None
    zone_name: str = ""
    is_midnight: bool = False
    next_day: bool = False


def _shown(phrase: str) -> str:
    words = " ".join(phrase.split())
    return f"“{words if len(words) <= 60 else words[:59] + '…'}”"


@dataclass(frozen=True)
class _Context:
    phrase: str
    now: datetime
    zone: ZoneInfo
    today: date
    order: DateOrder
    is_working_day: WorkingDays
    clock: _Clock | None = None

    @classmethod
    def of(
        cls, phrase: str, now: datetime, zone: ZoneInfo, order: DateOrder, is_working_day: WorkingDays
    ) -> "_Context":
        if now.tzinfo is None:
            raise ValueError("now must be aware")
        local = now.astimezone(zone)
        return cls(phrase, local, zone, local.date(), order, is_working_day)

    def is_ahead(self, day: date) -> bool:
        """Whether the typed time of day on `day` is still to come; False without one."""
        if self.clock is None:
            return False
        return _instant(day, self.clock.ends, self.clock.zone or self.zone) > self.now.astimezone(UTC)

    def shown(self) -> str:
        return _shown(self.phrase)

    def problem(self, what: str, first: str, second: str, kind: type[DateProblem] = DateProblem) -> DateProblem:
        return kind(self.phrase, f"{what} Try “{first}” or “{second}”.")

    def too_far(self) -> DateProblem:
        return self.problem(f"{self.shown()} is too far away to be a due date.", "in 3 months", "end of year")

    def past(self, day: date, at: time | None = None) -> DateProblem:
        moment = describe_due(day, at, today=date.max, zone=None)
        problem = self.problem(f"{self.shown()} is {moment}, which has passed.", "today", "tomorrow 9:00", PastDate)
        assert isinstance(problem, PastDate)
        problem.day = day
        return problem


# Words -------------------------------------------------------------------------------------------------------------

_WEEKDAYS: Final = {
    name: number
    for number, names in enumerate(
        (
            "monday mon",
            "tuesday tues tue",
            "wednesday weds wed",
            "thursday thurs thur thu",
            "friday fri",
            "saturday sat",
            "sunday sun",
        )
    )
    for name in names.split()
}
_MONTHS: Final = {
    name: number
    for number, full in enumerate(MONTH_NAMES, start=1)
    for name in (full.lower(), full[:3].lower(), *(["sept"] if full == "September" else []))
}
_LONG_NAMES: Final = [name for name in (*_WEEKDAYS, *_MONTHS, "tomorrow") if len(name) > 5]
_SPANS: Final = ("week", "weeks", "weekend", "month", "months")
_NUMBER_WORDS: Final = "one two three four five six seven eight nine ten eleven twelve"
_NUMBERS: Final = {word: n for n, word in enumerate(_NUMBER_WORDS.split(" "), start=1)} | {
    "fifteen": 15,
    "twenty": 20,
    "thirty": 30,
    "ninety": 90,
    "a": 1,
    "an": 1,
    "a couple of": 2,
    "a couple": 2,
    "couple of": 2,
}
_ORDINALS: Final = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "last": -1}
_VAGUE: Final = re.compile(
    r"a\.?s\.?a\.?p|as soon as possible|soon|later|immediately|urgent(?:ly)?|right away|at once|whenever|some ?time"
    r"|when (?:ready|possible)|some ?day|at some point|eventually|shortly|any ?time|tb[dac]"
)


def _alternatives(words: object) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))  # type: ignore[call-overload]


_WEEKDAY: Final = rf"(?P<weekday>{_alternatives(_WEEKDAYS)})\.?"
_MONTH: Final = rf"(?P<month>{_alternatives(_MONTHS)})\.?"
_YEAR: Final = r"(?:,? ?'?(?P<year>\d{4}|\d{2}))?"
_ORDINAL_DAY: Final = r"(?P<day>\d{1,2})(?:st|nd|rd|th)"
_DAY: Final = r"(?P<day>\d{1,2})(?:st|nd|rd|th|\.)?"
_BUSINESS: Final = r"(?:business|working|work)[ -]?"
_NUMBER: Final = rf"(?:\d{{1,5}} ?|(?:{_alternatives(_NUMBERS)}) )"  # with its space: "and" is not "an d"
_UNITS: Final = (
    ("minutes", r"minutes?|mins?"),
    ("hours", r"hours?|hrs?|h"),
    ("business", rf"{_BUSINESS}days?|bd"),
    ("days", r"days?|d"),
    ("weeks", r"weeks?|wks?|w"),
    ("fortnights", r"fortnights?"),
    ("months", r"months?|mos?"),
    ("quarters", r"quarters?"),
    ("years", r"years?|yrs?|y"),
    ("unclear", r"m"),
)
_AMOUNT: Final = rf"{_NUMBER}(?:{'|'.join(pattern for _, pattern in _UNITS)})"
_AMOUNTS: Final = rf"(?P<amounts>{_AMOUNT}(?:(?: and)? {_AMOUNT})*)"
_ONE_AMOUNT: Final = re.compile(
    rf"(?<![a-z])(?P<number>{_NUMBER})(?:{'|'.join(f'(?P<{name}>{pattern})' for name, pattern in _UNITS)})(?![a-z])"
)

_UNMISTAKABLE: Final = re.compile(
    rf"\b(?:{_alternatives(_WEEKDAYS)}|today|tomorrow)\b|\d{{4}}-\d"
    rf"|\d(?:st|nd|rd|th|\.)?[ -](?:of )?(?:{_alternatives(_MONTHS)})\b|\b(?:{_alternatives(_MONTHS)})[ -]\d"
)

# A day by its own name, which says nothing of how far away it is.
_NAMES_DAY: Final = re.compile(
    rf"^(?!.*\b(?:next|this|in|from|after|end|start)\b)(?:.*\b(?:{_alternatives(_WEEKDAYS)}|{_alternatives(_MONTHS)})\b"
    r"|.*\d(?:st|nd|rd|th)\b)"
)

# Whatever a rule reads has one of these in it; most words people type have none, and cost no more than this look.
_HINT: Final = re.compile(
    rf"\d|{_alternatives(name[:3] for name in [*_WEEKDAYS, *_MONTHS])}|day|morrow|tonight"
    r"|week|month|quarter|year|fortnight|hour|minute|\bend\b|eo[dbwmqy]|co[bp]\b|close of|noon|night|morning|evening"
)

_TAILS: Final = (" at the latest", " the latest", " latest")
_TOMORROWS: Final = "tmrw tmr tmrow tmw tomorow tomorro tomoro tommorow tommorrow 2morrow 2moro"
_SPELLINGS: Final = {
    **dict.fromkeys(_TOMORROWS.split(" "), "tomorrow"),
    "nxt": "next",
    "wk": "week",
}
_REWRITES: Final = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"[,\s]+", " "),
        (r"^[ (\[\"'“”‘]+|[ )\]\"“”;:!?]+$", ""),
        (r"(?<=\d)t(?=\d)", " "),
        (
            r"^(?:(?:is )?(?:due(?: date)? )?(?:by|on|before|until|untill?|till?|due|no later than|latest)(?: |$)"
            r"|(?:(?:due )?date|deadline)(?::| is)? (?=.))",
            "",
        ),
        (r"(?<!\d)(?<!\d\.)\.$|(?<=\d)(?<!\d\.\d)(?<!\d\.\d\d)\.$", ""),
        (rf"\b(?:{_alternatives(_SPELLINGS)})\b", lambda found: _SPELLINGS[found[0]]),
        (r"\b(?:in the|at) (morning|afternoon|evening|night)\b", r"\1"),
        (r"\bhalf an hour\b", "30 minutes"),
        (r"\ban hour and a half\b", "90 minutes"),
        (r"\b(today|tomorrow|tonight|morning|afternoon|evening) (\d{1,2})$", r"\1 at \2"),
        (r"^(\d{1,2}) (today|tomorrow|tonight|morning|afternoon|evening)\b", r"at \1 \2"),
    )
)


def _normalise(phrase: str) -> str:
    text = unicodedata.normalize("NFKC", phrase[: 4 * LONGEST_PHRASE]).casefold().replace("’", "'")
    for pattern, replacement in _REWRITES:
        text = pattern.sub(replacement, text)
    for tail in _TAILS:
        text = text.removesuffix(tail)
    return text.strip()


# Amounts of time ---------------------------------------------------------------------------------------------------

_ELAPSED: Final = re.compile(
    rf"(?P<lead>(?:with)?in |\+ ?)?{_AMOUNTS}(?P<tail>'? (?:from now|from today|time|hence))?(?: at)?"
)


@dataclass(frozen=True)
class _Span:
    """An amount of time: calendar parts, working days and elapsed minutes."""

    months: int = 0
    days: int = 0
    business_days: int = 0
    minutes: int = 0

    def after(self, day: date, context: _Context, sign: int = 1) -> date:
        moved = _months_after(day, sign * self.months) + timedelta(days=sign * self.days)
        return _business_days_after(moved, sign * self.business_days, context)


_SPAN_OF_UNIT: Final[dict[str, Callable[[int], _Span]]] = {
    "minutes": lambda n: _Span(minutes=n),
    "hours": lambda n: _Span(minutes=60 * n),
    "business": lambda n: _Span(business_days=n),
    "days": lambda n: _Span(days=n),
    "weeks": lambda n: _Span(days=7 * n),
    "fortnights": lambda n: _Span(days=14 * n),
    "months": lambda n: _Span(months=n),
    "quarters": lambda n: _Span(months=3 * n),
    "years": lambda n: _Span(months=12 * n),
}


def _number(text: str) -> int:
    return _NUMBERS.get(text.strip()) or int(text)


def _span(amounts: str, context: _Context) -> _Span:
    total = _Span()
    for match in _ONE_AMOUNT.finditer(amounts):
        unit = match.lastgroup or ""
        if unit == "unclear" and total.minutes:
            unit = "minutes"  # "1h 30m"
        if unit == "unclear":
            number = _number(match["number"])
            months = f"in {number} month{'' if number == 1 else 's'}"
            raise context.problem(f"In {context.shown()}, m may mean minutes or months.", f"in {number} min", months)
        part = _SPAN_OF_UNIT[unit](_number(match["number"]))
        total = _Span(
            total.months + part.months,
            total.days + part.days,
            total.business_days + part.business_days,
            total.minutes + part.minutes,
        )
    return total


def _business_days_after(day: date, count: int, context: _Context) -> date:
    if abs(count) > MOST_BUSINESS_DAYS:
        raise context.too_far()
    step = timedelta(days=1 if count > 0 else -1)
    left, tries = abs(count), 7 * abs(count) + 400
    while left:
        if not tries:
            raise context.problem("No working days are set for that time.", "tomorrow", "in 2 weeks")
        day, tries = day + step, tries - 1
        left -= context.is_working_day(day)
    return day


def _read_elapsed(text: str, context: _Context) -> Reading | None:
    """ "in 90 minutes", "in 2 days and 3 hours": minutes and hours are elapsed time, the rest is calendar."""
    match = _ELAPSED.fullmatch(text)
    if match is None:
        return None
    needs = Needs.NOTHING if match["lead"] or match["tail"] else Needs.DUE
    hours = re.fullmatch(r"(\d{1,2}) ?h", text)
    if hours and 13 <= int(hours[1]) <= 23:
        return None  # a time of day, as it is written in French
    if hours and int(hours[1]) < 13:
        number = int(hours[1])
        raise context.problem(f"{context.shown()} may mean a time or an amount.", f"in {number}h", f"{number:02}:00")
    span = _span(match["amounts"], context)
    if not span.minutes:
        day = span.after(context.today, context)
        return Reading(_settled(day, None, context), needs)
    start = context.now
    if span != _Span(minutes=span.minutes):
        start = datetime.combine(span.after(context.today, context), start.time(), context.zone)
    moment = (start.astimezone(UTC) + timedelta(minutes=span.minutes, seconds=59, microseconds=999_999)).replace(
        second=0, microsecond=0
    )
    local = moment.astimezone(context.zone)
    if local.date() > _months_after(context.today, 12 * FARTHEST_YEARS):
        raise context.too_far()
    return Reading(Due(local.date(), local.time(), context.zone), needs)


# Days --------------------------------------------------------------------------------------------------------------


def _months_after(day: date, months: int) -> date:
    """The same day of the month that many months on, or the last there is. Raises OverflowError outside 1 to 9999."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    if not 1 <= year <= 9999:
        raise OverflowError(year)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _monday(day: date, weeks: int = 0) -> date:
    return day + timedelta(days=7 * weeks - day.weekday())


def _month_start(day: date, months: int = 0) -> date:
    return _months_after(day.replace(day=1), months)


def _period(word: str, day: date, ahead: int) -> tuple[date, date]:
    """First and last day (both inclusive; a week ends on Friday) of the period `ahead` of the one `day` is in."""
    if word == "week":
        monday = _monday(day, ahead)
        return monday, monday + timedelta(days=4)
    months = {"month": 1, "quarter": 3, "year": 12}[word]
    first = _month_start(day, ahead * months - (day.month - 1) % months)
    return first, _months_after(first, months) - timedelta(days=1)


def _exact(year: int, month: int, day: int, context: _Context) -> date:
    """That date; a DateProblem where there is none."""
    _check_month(month, context)
    last = monthrange(max(year, 1), month)[1]
    if year < 1 or not 1 <= day <= last:
        raise _no_such_day(f"{MONTH_NAMES[month - 1]} {year} has {last} days", month, context)
    return date(year, month, day)


def _next_exact(month: int, day: int, context: _Context) -> date:
    """The next such date not before today: 29 Feb waits for a leap year."""
    _check_month(month, context)
    longest = monthrange(LEAP_YEAR, month)[1]
    if not 1 <= day <= longest:
        raise _no_such_day(f"{MONTH_NAMES[month - 1]} has {longest} days at most", month, context)
    years = (context.today.year + n for n in range(9))
    dates = (date(year, month, day) for year in years if day <= monthrange(year, month)[1])
    return next(found for found in dates if found >= context.today)


def _check_month(month: int, context: _Context) -> None:
    if not 1 <= month <= 12:
        raise context.problem(f"{context.shown()} cannot be: there is no month {month}.", "3 dec", "tomorrow")


def _no_such_day(why: str, month: int, context: _Context) -> DateProblem:
    name = SHORT_MONTHS[month - 1].lower()
    return context.problem(f"{context.shown()} cannot be: {why}.", f"1 {name}", f"end of {name}")


def _full_year(text: str) -> int:
    return int(text) + 2000 if len(text) == 2 else int(text)


def _dated(year: str | None, month: int, day: int, context: _Context) -> date:
    return _exact(_full_year(year), month, day, context) if year else _next_exact(month, day, context)


class _Given(dict[str, str]):
    """The named parts a pattern found; "" for one that is not there."""

    def __missing__(self, name: str) -> str:
        return ""

    @classmethod
    def of(cls, match: re.Match[str]) -> "_Given":
        return cls({name: part for name, part in match.groupdict().items() if part})


def _today(given: _Given, context: _Context) -> date:
    return context.today


def _tomorrow(given: _Given, context: _Context) -> date:
    return context.today + timedelta(days=2 if given["after"] else 1)


def _coming_weekday(weekday: int, context: _Context) -> date:
    day = context.today + timedelta(days=(weekday - context.today.weekday()) % 7)
    return day if day > context.today or context.is_ahead(day) else day + timedelta(days=7)


def _weekday(given: _Given, context: _Context) -> date:
    weekday, which = _WEEKDAYS[given["weekday"]], given["which"]
    if which == "this":
        return _monday(context.today) + timedelta(days=weekday)
    if which == "next":
        return _monday(context.today, 1) + timedelta(days=weekday)
    if which in ("last", "past", "previous"):
        back = (context.today.weekday() - weekday - 1) % 7 + 1
        return context.today - timedelta(days=back)
    return _coming_weekday(weekday, context)


def _weekday_after_next(given: _Given, context: _Context) -> date:
    return _monday(context.today, 2) + timedelta(days=_WEEKDAYS[given["weekday"]])


def _weekday_of_week(given: _Given, context: _Context) -> date:
    weeks = 2 if given["after"] else {"this": 0, "next": 1, "last": -1}[given["which"]]
    return _monday(context.today, weeks) + timedelta(days=_WEEKDAYS[given["weekday"]])


def _in_amounts(given: _Given, context: _Context) -> date:
    span = _span(given["amounts"], context)
    if span.minutes:
        raise _Unmatched(context.phrase, "")
    return span.after(context.today, context)


def _later(given: _Given, context: _Context) -> date:
    """ "a week from friday", "2 days before 24 dec", "friday week", "a week tomorrow"."""
    base = _day(given["base"], context)
    span = _span(given["amounts"], context)
    if span.minutes:
        raise _Unmatched(context.phrase, "")
    return span.after(base, context, -1 if given["how"] == "before" else 1)


def _weeks_after(given: _Given, context: _Context) -> date:
    return _day(given["base"], context) + timedelta(days=14 if given["amounts"] == "fortnight" else 7)


def _whole_period(given: _Given, context: _Context) -> date:
    """ "next week" is its first day; "this week" can only mean its end."""
    ahead = 2 if given["after"] else {"this": 0, "next": 1, "last": -1}[given["which"]]
    first, last = _period(given["period"], context.today, ahead)
    return first if ahead > 0 else last


def _edge_of_period(given: _Given, context: _Context) -> date:
    ahead = 2 if given["after"] else {"next": 1, "last": -1}.get(given["which"] or "this", 0)
    first, last = _period(given["period"], context.today, ahead)
    return first if given["edge"] in ("start", "beginning") else last


def _short_end(given: _Given, context: _Context) -> date:
    word = {"w": "week", "m": "month", "q": "quarter", "y": "year"}[given["period"]]
    return _period(word, context.today, 1 if given["which"] else 0)[1]


def _edge_of_named(given: _Given, context: _Context) -> date:
    """ "end of dec", "start of q1 2027", "end of 2027": without a year the next such day not before today."""
    length = 1 if given["month"] else 3 if given["quarter"] else 12
    first_month = _MONTHS[given["month"]] if given["month"] else 3 * int(given["quarter"] or 1) - 2
    is_start = given["edge"] in ("start", "beginning")

    def edge(year: int) -> date:
        first = _exact(year, first_month, 1, context)
        return first if is_start else _months_after(first, length) - timedelta(days=1)

    if given["year"]:
        return edge(_full_year(given["year"]))
    this_year = edge(context.today.year)
    return this_year if this_year >= context.today else edge(context.today.year + 1)


def _nth_in_month(given: _Given, context: _Context) -> date:
    """ "last working day of the month", "first monday of december", "last day of next month"."""
    nth = _ORDINALS[given["nth"]]

    def found(first: date) -> date | None:
        days = [first + timedelta(days=n) for n in range(monthrange(first.year, first.month)[1])]
        if given["weekday"]:
            days = [day for day in days if day.weekday() == _WEEKDAYS[given["weekday"]]]
        elif given["business"]:
            days = [day for day in days if context.is_working_day(day)]
        at = nth - 1 if nth > 0 else -1
        return days[at] if days[at:] else None

    if given["month"]:
        year = int(given["year"]) if given["year"] else context.today.year
        day = found(_exact(year, _MONTHS[given["month"]], 1, context))
        if not given["year"] and (day is None or day < context.today):
            day = found(date(year + 1, _MONTHS[given["month"]], 1))
    else:
        day = found(_month_start(context.today, 1 if given["which"] == "next" else 0))
    if day is None:
        raise context.problem(f"{context.shown()} cannot be: that month has no such day.", "end of month", "friday")
    return day


def _ordinal(given: _Given, context: _Context) -> date:
    """ "the 15th": the next one there is, "of next month" in that month."""
    day = 1 if given["one"] else int(given["day"])
    if given["which"]:
        first = _month_start(context.today, 1 if given["which"] == "next" else 0)
        return _exact(first.year, first.month, day, context)
    if not 1 <= day <= 31:
        raise context.problem(f"{context.shown()} cannot be: no month has a day {day}.", "the 15th", "end of month")
    firsts = (_month_start(context.today, n) for n in range(3))
    fitting = (first.replace(day=day) for first in firsts if day <= monthrange(first.year, first.month)[1])
    return next(found for found in fitting if found >= context.today)


def _named_month(given: _Given, context: _Context) -> date:
    return _dated(given["year"], _MONTHS[given["month"]], int(given["day"] or 1), context)


def _iso(given: _Given, context: _Context) -> date:
    return _exact(int(given["year"]), int(given["month"]), int(given["day"]), context)


def _numeric(given: _Given, context: _Context) -> date:
    first, second = int(given["first"]), int(given["second"])
    day, month = (first, second) if context.order is DateOrder.DMY else (second, first)
    if month > 12 and 1 <= day <= 12:
        order = "day first" if context.order is DateOrder.DMY else "month first"
        flipped = f"{month} {SHORT_MONTHS[day - 1].lower()}" if month <= monthrange(LEAP_YEAR, day)[1] else "3 dec"
        raise context.problem(
            f"{context.shown()} cannot be: dates are read {order} here, and there is no month {month}.",
            flipped,
            "tomorrow",
        )
    return _dated(given["year"], month, day, context)


def _dotted(given: _Given, context: _Context) -> date:
    """ "15.12.", and where days come first "15.12" too; elsewhere that is a number or a time."""
    if given["dot"] or (context.order is DateOrder.DMY and 1 <= int(given["second"]) <= 12):
        return _numeric(given, context)
    raise context.problem(f"I can't tell whether {context.shown()} is a date.", "3 dec", "tomorrow 9:30", NoDate)


def _week(given: _Given, context: _Context) -> date:
    """ "week 48" is its Monday, as "next week" is; "end of week 48" its Friday; ISO 8601 numbers."""
    number = int(given["number"])
    offset = _WEEKDAYS[given["weekday"]] if given["weekday"] else 4 if given["edge"] == "end" else 0
    if given["iso_day"]:
        offset = int(given["iso_day"]) - 1
    year = int(given["year"]) if given["year"] else context.today.isocalendar().year
    day = _week_day(year, number, offset, context)
    if given["year"] or day >= context.today:
        return day
    if _monday(day) == _monday(context.today):
        raise context.problem(f"Week {number} is this week, and it has begun.", "end of week", "next week")
    return _week_day(year + 1, number, offset, context)


def _week_day(year: int, number: int, offset: int, context: _Context) -> date:
    try:
        return date.fromisocalendar(year, number, 1) + timedelta(days=offset)
    except ValueError:
        raise context.problem(
            f"{context.shown()} cannot be: {year} has no week {number}.", "week 20", "next week"
        ) from None


def _next_business_day(given: _Given, context: _Context) -> date:
    return _business_days_after(context.today, 1, context)


def _past_word(given: _Given, context: _Context) -> date:
    return context.today - timedelta(days=2 if given["before"] else 1)


def _ago(given: _Given, context: _Context) -> date:
    return _span(given["amounts"], context).after(context.today, context, -1)


def _weekday_and_date(given: _Given, context: _Context) -> date:
    """ "Fri 27 Nov 2026": the two must agree."""
    day = _day(given["base"], context)
    if day.weekday() != _WEEKDAYS[given["weekday"]]:
        raise context.problem(
            f"{context.shown()} does not fit: {describe_day(day, today=date.min)} is the date named.",
            f"{day.day} {SHORT_MONTHS[day.month - 1].lower()} {day.year}",
            given["weekday"],
        )
    return day


def _bare_quarter(given: _Given, context: _Context) -> date:
    name = " ".join(filter(None, (f"Q{given['quarter']}", given["year"])))
    raise context.problem(f"{name} may mean its first day or its last.", f"end of {name}", f"start of {name}")


def _bare_month(given: _Given, context: _Context) -> date:
    name = SHORT_MONTHS[_MONTHS[given["month"]] - 1].lower()
    raise context.problem(f"{context.shown()} names a month, not a day.", f"15 {name}", f"end of {name}", NoDate)


def _weekend(given: _Given, context: _Context) -> date:
    raise context.problem("The weekend has two days.", "saturday", "sunday")


@dataclass(frozen=True)
class _Rule:
    pattern: re.Pattern[str]
    day: Callable[[_Given, _Context], date]
    needs: Needs


def _rule(pattern: str, day: Callable[[_Given, _Context], date], needs: Needs = Needs.NOTHING) -> _Rule:
    return _Rule(re.compile(pattern), day, needs)


_WHICH: Final = r"(?P<which>this|next|last)"
_EDGE: Final = r"(?:the )?(?P<edge>end|start|beginning)(?: of)?"
_NAMED: Final = rf"(?:{_MONTH}|q ?(?P<quarter>[1-4]))"
_NTH: Final = rf"(?:the )?(?P<nth>{_alternatives(_ORDINALS)})"
_OF_MONTH: Final = rf"(?:of |in )?(?:(?:the )?(?P<which>this |next )?month|{_MONTH}(?: (?P<year>\d{{4}}))?)"

_RULES: Final = (
    _rule(r"(?:later )?today|this day", _today),
    _rule(r"(?:the )?(?P<after>day after )?tomorrow", _tomorrow),
    _rule(
        rf"(?:the )?(?:(?P<which>this|next|last|past|previous|coming|(?:this|the) coming) )?{_WEEKDAY}",
        _weekday,
    ),
    _rule(rf"(?:the )?{_WEEKDAY} after next", _weekday_after_next),
    _rule(rf"{_WEEKDAY} (?:of |in )?(?:the )?(?:{_WHICH} week|(?P<after>week after next))", _weekday_of_week),
    _rule(rf"(?:the )?(?:{_WHICH} week|(?P<after>week after next))(?: on)? {_WEEKDAY}", _weekday_of_week),
    _rule(rf"(?:with)?in {_AMOUNTS}", _in_amounts),
    _rule(
        rf"(?:in )?{_AMOUNTS}(?: (?P<how>from|after|on|before)|(?= to(?:day|morrow)$)) (?P<base>.+)",
        _later,
    ),
    _rule(
        rf"(?P<base>today|tomorrow|(?:on )?(?:{_alternatives(_WEEKDAYS)})) (?P<amounts>week|fortnight)", _weeks_after
    ),
    _rule(
        rf"(?:the )?{_WHICH} (?P<period>week|month|quarter|year)",
        _whole_period,
        Needs.CONNECTOR,
    ),
    _rule(r"(?:the )?(?P<period>week|month|quarter|year) (?P<after>after next)", _whole_period, Needs.CONNECTOR),
    _rule(
        rf"{_EDGE} (?:the )?(?:{_WHICH} )?(?P<period>week|month|quarter|year)(?P<after> after next)?",
        _edge_of_period,
    ),
    _rule(
        r"(?:the )?(?:(?P<which>this|next) )?(?P<period>week|month|quarter|year)['s]*[ -](?P<edge>end)",
        _edge_of_period,
        Needs.CONNECTOR,
    ),
    _rule(r"eo(?P<period>[wmqy])(?P<which> next (?:week|month|quarter|year))?", _short_end),
    _rule(rf"{_EDGE} (?:{_NAMED}(?:,? (?P<year>\d{{4}}))?)", _edge_of_named),
    _rule(rf"{_EDGE} (?:of )?(?P<year>\d{{4}})", _edge_of_named),
    _rule(rf"{_NTH} (?:(?P<business>{_BUSINESS})?day|{_WEEKDAY}) {_OF_MONTH}", _nth_in_month),
    _rule(
        rf"(?:the )?(?:{_ORDINAL_DAY}|(?P<one>first))(?: (?:of )?(?:the )?(?P<which>this|next) month| of the month)?",
        _ordinal,
        Needs.CONNECTOR,
    ),
    _rule(rf"(?:the )?{_DAY}[ -]?(?:of )?{_MONTH}(?:[ -]?{_YEAR})?", _named_month),
    _rule(rf"(?:the )?(?P<one>first) of {_MONTH}(?:,? '?(?P<year>\d{{4}}))?", _named_month),
    _rule(rf"{_MONTH} (?:the )?{_DAY}(?:,? '?(?P<year>\d{{4}}))?", _named_month),
    _rule(r"(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})", _iso),
    _rule(r"(?P<first>\d{1,2})/(?P<second>\d{1,2})(?:/(?P<year>\d{4}|\d{2}))?", _numeric, Needs.CONNECTOR),
    _rule(r"(?P<first>\d{1,2})([-.])(?P<second>\d{1,2})\2(?P<year>\d{4}|\d{2})", _numeric, Needs.CONNECTOR),
    _rule(r"(?P<first>\d{1,2})\.(?P<second>\d{1,2})(?P<dot>\.)", _dotted, Needs.CONNECTOR),
    _rule(r"(?P<first>\d\d)\.(?P<second>\d\d)", _dotted, Needs.CONNECTOR),
    _rule(
        rf"(?:{_EDGE} |{_WEEKDAY} (?:of |in )?)?(?:the )?(?:iso )?(?:(?P<year>\d{{4}})[ -]?)?(?:week|wk|cw|kw|w) ?"
        r"(?P<number>\d{1,2})(?:-(?P<iso_day>[1-7]))?",
        _week,
        Needs.CONNECTOR,
    ),
    _rule(rf"(?:the )?next {_BUSINESS}day", _next_business_day),
    _rule(r"(?:the )?(?P<before>day before )?yesterday", _past_word),
    _rule(rf"{_AMOUNTS} ago", _ago),
    _rule(r"q ?(?P<quarter>[1-4])(?: (?P<year>\d{4}))?", _bare_quarter, Needs.CONNECTOR),
    _rule(_MONTH, _bare_month, Needs.DUE),
    _rule(r"(?:the |this |next )?week-?end", _weekend, Needs.CONNECTOR),
    _rule(rf"{_WEEKDAY} (?:the )?(?P<base>.*\d.*)", _weekday_and_date),
)


def _match_day(text: str, context: _Context) -> tuple[date, _Rule] | None:
    for rule in _RULES:
        match = rule.pattern.fullmatch(text)
        if match is not None:
            try:
                return rule.day(_Given.of(match), context), rule
            except _Unmatched:
                continue
    return None


def _day(text: str, context: _Context) -> date:
    found = _match_day(text, context)
    if found is None:
        raise _Unmatched(context.phrase, "")
    return found[0]


class _Unmatched(NoDate):
    """An inner part that no rule reads, so that the whole phrase is unreadable too."""


# Times of day ------------------------------------------------------------------------------------------------------

_ZONES: Final = {
    "utc": "UTC", "gmt": "UTC", "z": "UTC", "zulu": "UTC",
    "pt": "America/Los_Angeles", "pst": "America/Los_Angeles", "pdt": "America/Los_Angeles",
    "pacific": "America/Los_Angeles", "mountain": "America/Denver", "central": "America/Chicago",
    "mt": "America/Denver", "mst": "America/Denver", "mdt": "America/Denver",
    "ct": "America/Chicago", "cst": "", "cdt": "America/Chicago",
    "et": "America/New_York", "est": "America/New_York", "edt": "America/New_York", "eastern": "America/New_York",
    "akst": "America/Anchorage", "akdt": "America/Anchorage", "hst": "Pacific/Honolulu",
    "ast": "America/Halifax", "adt": "America/Halifax", "brt": "America/Sao_Paulo",
    "bst": "Europe/London", "ist": "", "wet": "Europe/Lisbon", "west": "Europe/Lisbon",
    "cet": "Europe/Berlin", "cest": "Europe/Berlin", "eet": "Europe/Helsinki", "eest": "Europe/Helsinki",
    "msk": "Europe/Moscow", "sast": "Africa/Johannesburg", "gst": "Asia/Dubai", "pkt": "Asia/Karachi",
    "sgt": "Asia/Singapore", "hkt": "Asia/Hong_Kong", "jst": "Asia/Tokyo", "kst": "Asia/Seoul",
    "awst": "Australia/Perth", "acst": "Australia/Adelaide", "acdt": "Australia/Adelaide",
    "aest": "Australia/Sydney", "aedt": "Australia/Sydney", "nzst": "Pacific/Auckland", "nzdt": "Pacific/Auckland",
}  # fmt: skip
_SHARED_ZONES: Final = {
    "cst": ("America/Chicago", "Asia/Shanghai"),
    "ist": ("Asia/Kolkata", "Asia/Jerusalem", "Europe/Dublin"),
}
_END_OF_DAY: Final = (
    r"eod|cob|eob|cop|(?:the )?end of (?:the )?(?:business|working|work)? ?day|(?:the )?end of business"
    r"|close of (?:business|play)"
)
_TIME: Final = (
    r"(?:by |before |until )?(?P<at>at |@ ?)?(?:"
    r"(?P<hour12>\d{1,2})(?:[:.](?P<minute12>\d{2}))? ?(?P<half>[ap])(?:m|\.m\.?)(?![a-z])"
    r"|(?P<hour24>\d{1,2}):(?P<minute24>\d{2})(?::[0-5]\d(?:\.\d+)?)?(?: ?(?:h|hrs|uhr))?"
    r"|(?P<hourh>\d{1,2}) ?(?:h(?P<minuteh>\d{2})?|uhr)"
    rf"|(?P<named>noon|midday|midnight|{_END_OF_DAY})"
    r"|(?(at)(?P<bare>\d{1,2})|(?P<oclock>\d{1,2}) o'clock)(?: o'clock)?"
    r")"
)
_ZONE: Final = (
    r"(?P<zone>[a-z]+(?:/[a-z0-9_+-]+)+|(?:utc|gmt)? ?[+-] ?\d{1,2}(?::?\d{2})?"
    rf"|(?:{_alternatives(_ZONES)})(?: time)?|(?:my|local) time|[a-z]+(?: [a-z]+)? time)"
)
_CLOCK_LAST: Final = re.compile(rf"(?:(?P<day>.*?\S) )?{_TIME}(?: ?{_ZONE})?")
_CLOCK_FIRST: Final = re.compile(rf"{_TIME}(?: ?{_ZONE})? (?:on |of )?(?P<day>.+)")
_CLOCK_FIRST_ZONE_LAST: Final = re.compile(rf"{_TIME} (?:on |of )?(?P<day>.+) {_ZONE}")
_PART: Final = re.compile(
    r"\b(?:(?P<this>this |later this )?(?P<part>morning|afternoon|evening|night)|(?P<tonight>tonight))\b"
)


def _hour_and_minute(given: _Given, part: str, context: _Context) -> time:
    """The typed time; an hour that may be of the morning or the afternoon is asked about."""
    shown = context.shown()
    hour = int(given["hour12"] or given["hour24"] or given["hourh"] or given["bare"] or given["oclock"])
    minute = int(given["minute12"] or given["minute24"] or given["minuteh"] or 0)
    half = given["half"]
    is_short = not half and len(given["hour24"]) < 2 and not given["hourh"]
    if is_short and part and 1 <= hour <= 12:
        half = "a" if part == "morning" else "p"
    if (half and not 1 <= hour <= 12) or hour > 24 or minute > 59 or (hour == 24 and minute):
        raise context.problem(f"{shown} cannot be: there is no such time of day.", "friday 15:00", "tomorrow 9am")
    if half:
        return time(hour % 12 + (12 if half == "p" else 0), minute)
    is_unclear = 1 <= hour <= (6 if given["hour24"] else 7)
    if is_short and is_unclear and (not given["hour24"] or context.order is DateOrder.MDY):
        tail = f":{minute:02}" if minute else ""
        raise context.problem(
            f"In {shown}, {hour}{tail} may be in the morning or in the afternoon.", f"{hour}{tail}pm", f"{hour}{tail}am"
        )
    return time(hour % 24, minute)


def _zone(name: str, context: _Context) -> tzinfo | None:
    """The zone a phrase names; None where the words name none."""
    name = name.removesuffix(" time").strip()
    if name in ("my", "local"):
        return context.zone
    offset = re.fullmatch(r"(?:utc|gmt)? ?([+-]) ?(\d{1,2}):?(\d{2})?", name)
    if offset:
        minutes = int(offset[2]) * 60 + int(offset[3] or 0)
        if minutes > 14 * 60:
            raise context.problem(f"{context.shown()} names no zone there is.", "15:00 UTC", "15:00 Europe/Berlin")
        return timezone(timedelta(minutes=minutes if offset[1] == "+" else -minutes))
    if name in _ZONES:
        return ZoneInfo(_abbreviated(name, context))
    key = _zone_keys().get(name.replace(" ", "_"))
    return ZoneInfo(key) if key else None


def _abbreviated(name: str, context: _Context) -> str:
    """The zone meant by an abbreviation; the typist's own where it goes by that name."""
    own = {context.now.replace(month=month, day=1).tzname() for month in (1, 7)}
    if name.upper() in own:
        return context.zone.key
    if name == "cst" and context.zone.key.startswith("America/"):
        return "America/Chicago"
    if not _ZONES[name]:
        first, second, *_ = _SHARED_ZONES[name]
        raise context.problem(
            f"{name.upper()} is the name of several zones.", f"tomorrow 15:00 {first}", f"tomorrow 15:00 {second}"
        )
    return _ZONES[name]


@lru_cache(maxsize=1)
def _zone_keys() -> dict[str, str]:
    """Lower-case names of zones, whole ("europe/berlin") and by city ("berlin")."""
    keys = sorted(available_timezones())
    return {key.rsplit("/", 1)[-1].lower(): key for key in keys if "/" in key} | {key.lower(): key for key in keys}


def _clock(given: _Given, part: str, context: _Context) -> _Clock | None:
    """The time of day in a match; None where what looked like a zone is none."""
    zone_name = given["zone"]
    zone = _zone(zone_name, context) if zone_name else None
    if zone_name and zone is None:
        return None
    named = given["named"]
    if named in ("noon", "midday"):
        return _Clock(time(12), time(12), zone, zone_name)
    if named == "midnight":
        return _Clock(time(0), time(0), zone, zone_name, is_midnight=True)
    if named:
        return _Clock(None, END_OF_WORK, zone, zone_name)
    at = _hour_and_minute(given, part, context)
    is_24 = (given["hour24"] or given["hourh"]) == "24"
    return _Clock(at, time.max if is_24 else at, zone, zone_name, next_day=is_24)


def _split_clock(text: str, part: str, context: _Context) -> tuple[str, _Clock | DateProblem | None]:
    """The words of the day, and the time beside them or why it is none."""
    for pattern in (_CLOCK_LAST, _CLOCK_FIRST_ZONE_LAST, _CLOCK_FIRST):
        match = pattern.fullmatch(text)
        if match is None:
            continue
        try:
            clock = _clock(_Given.of(match), part, context)
        except DateProblem as problem:
            return match["day"] or "", problem
        if clock:
            return match["day"] or "", clock
    return text, None


def _refused(day: str, problem: DateProblem, context: _Context) -> Reading | None:
    """A time that cannot be used is worth a word only beside a day, or alone."""
    if day and _match_day(day, context) is None:
        return None
    raise problem


def _split_part(text: str) -> tuple[str, str]:
    """The text without "morning", "this evening" or "tonight", and that part of the day."""
    match = _PART.search(text)
    if match is None:
        return text, ""
    rest = " ".join((text[: match.start()] + " " + text[match.end() :]).split())
    if match["this"] or match["tonight"]:
        rest = rest if re.search(r"\btoday\b", rest) else f"today {rest}".strip()
    return rest, match["part"] or "night"


_PARTS: Final = {
    "": None,
    "morning": _Clock(time(12), time(12)),
    "afternoon": _Clock(None, END_OF_WORK),
    "evening": _Clock(None, time.max),
    "night": _Clock(None, time.max),
}


def _read_day_and_clock(text: str, context: _Context) -> Reading | None:
    if _VAGUE.fullmatch(text):
        raise context.problem(f"{context.shown()} is no date.", "tomorrow", "friday 3pm", VagueDate)
    found = _match_day(text, context) if not _PART.search(text) else None
    if found is not None:
        return Reading(_settled(found[0], None, context), found[1].needs)
    rest, part = _split_part(text)
    rest, clock = _split_clock(rest, part, context)
    if isinstance(clock, DateProblem):
        return _refused(rest, clock, context)
    clock = clock or _PARTS[part]
    if clock is None:
        return None
    context = replace(context, clock=clock)
    if not rest and part == "morning":
        return None  # "by morning" speaks of tomorrow, or of today, before dawn
    if not rest:
        is_end_of_day = clock.stored is None and not part
        return Reading(_bare_clock(clock, context), Needs.NOTHING if is_end_of_day else Needs.CONNECTOR)
    found = _match_day(rest, context)
    if found is None:
        return None
    return Reading(_settled(found[0], clock, context), found[1].needs)


def _bare_clock(clock: _Clock, context: _Context) -> Due:
    """A time alone is today's, or tomorrow's once it has passed; "eod" alone is today."""
    today = context.now.astimezone(clock.zone or context.zone).date()
    if clock.stored is None:
        return _settled(context.today, clock, context)
    day = today if context.is_ahead(today) else today + timedelta(days=1)
    return _settled(day, replace(clock, is_midnight=False), context)


def _settled(day: date, clock: _Clock | None, context: _Context) -> Due:
    """The due date of a day and a time, both checked. Raises DateProblem for what is past or too far."""
    if clock and clock.is_midnight:
        if day != context.today:
            name = SHORT_WEEKDAYS[day.weekday()].lower()
            raise context.problem(f"{context.shown()} may mean either end of the day.", f"{name} 0:00", f"{name} 23:59")
        day += timedelta(days=1)
    if clock and clock.next_day:
        day += timedelta(days=1)
    if day > _months_after(context.today, 12 * FARTHEST_YEARS):
        raise context.too_far()
    if clock is None or clock.stored is None:
        if day < context.today:
            raise context.past(day)
        return Due(day, None, context.zone)
    return _settled_instant(day, clock.stored, clock, context)


def _settled_instant(day: date, at: time, clock: _Clock, context: _Context) -> Due:
    zone = clock.zone or context.zone
    # Through UTC and back: a time the clock change skips moves forward by the gap, one that comes twice is the first.
    wall = _instant(day, at, zone).astimezone(zone)
    _check_in_force(wall, clock.zone_name, context)
    if wall.astimezone(UTC) <= context.now.astimezone(UTC):
        raise context.past(day, at)
    if not isinstance(zone, ZoneInfo):
        wall, zone = wall.astimezone(context.zone), context.zone
    return Due(wall.date(), wall.time(), zone)


def _check_in_force(wall: datetime, zone_name: str, context: _Context) -> None:
    typed, actual = zone_name.removesuffix(" time").upper(), wall.tzname() or ""
    if len(typed) < 3 or typed.lower() not in _ZONES or typed.endswith(("IC", "RN")) or typed in ("GMT", "ZULU"):
        return
    if actual.isalpha() and actual != typed and isinstance(wall.tzinfo, ZoneInfo):
        local = f"{wall.date().isoformat()} {wall:%H:%M}"
        raise context.problem(
            f"On {describe_day(wall.date(), today=date.min)} the clocks there show {actual}, not {typed}.",
            f"{local} {actual}",
            f"{local} {wall.tzinfo.key}",
        )


# What the grammar cannot read --------------------------------------------------------------------------------------


def _read(text: str, context: _Context) -> Reading | None:
    if len(text) > LONGEST_PHRASE or not (_HINT.search(text) or _VAGUE.fullmatch(text)):
        return None
    try:
        return _read_elapsed(text, context) or _read_day_and_clock(text, context)
    except DateProblem as problem:
        needs = Needs.NOTHING if _UNMISTAKABLE.search(text) else Needs.CONNECTOR
        return Reading(problem, Needs.DUE if isinstance(problem, NoDate) else needs)
    except OverflowError:
        return Reading(context.too_far(), Needs.CONNECTOR)


def _read_translated(language: str, context: _Context) -> Reading | None:
    text = _normalise(context.phrase)
    english = in_english(text, language) if len(text) <= LONGEST_PHRASE else None
    return _read(_normalise(english), context) if english else None


@dataclass(frozen=True)
class _Guess:
    """dateparser's reading: wall time, and how fine it is ("time", "day", "week", "month", "year")."""

    moment: datetime
    period: str


def _ask_dateparser(language: str, context: _Context) -> Due | DateProblem | None:
    """dateparser's reading where it can be trusted; None where it has none or guesses."""
    text = _normalise(context.phrase)
    if len(text) > LONGEST_PHRASE or not any(letter.isalpha() for letter in text):
        return None
    guess = _trusted_guess(text, language, context.now.replace(tzinfo=None))
    if guess is None:
        return None
    clock = _Clock(guess.moment.time(), guess.moment.time()) if guess.period == "time" else None
    try:
        return _settled(guess.moment.date(), clock, context)
    except DateProblem as problem:
        return problem


def _trusted_guess(text: str, language: str, start: datetime) -> _Guess | None:
    """What dateparser reads, if the phrase is of one of two kinds; `start` is the wall time now.

    It makes dates of "1" and "mai", days of numbers it does not understand, and flips day and month as it likes. So a
    phrase must move along with the day it is read on, with one number at most ("domani", "venerdì", "in 2 settimane"),
    or name a day and a month in either order of numbers, with every number found again in the result.
    """
    guess = _guess(text, language, start, "DMY", needs_date=True)
    is_named = guess is not None
    guess = guess or _guess(text, language, start, "DMY", needs_date=False)
    if guess is None or guess != _guess(text, language, start, "MDY", needs_date=is_named):
        return None
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    moved = _guess(text, language, start + timedelta(days=7), "DMY", needs_date=is_named)
    if moved is not None and moved.moment - guess.moment == timedelta(days=7):
        is_amount = is_named and len(numbers) == 1 and guess.period in ("day", "week")
        return guess if is_amount or (not numbers and guess.period in ("day", "time")) else None
    return guess if is_named and numbers and _accounts_for(numbers, guess) else None


def _accounts_for(numbers: list[int], guess: _Guess) -> bool:
    moment = guess.moment
    known = {moment.day, moment.month, moment.year, moment.year % 100}
    if guess.period == "time":
        known |= {moment.hour, moment.hour % 12 or 12, moment.minute}
    return all(number in known for number in numbers)


def _guess(text: str, language: str, start: datetime, order: str, *, needs_date: bool) -> _Guess | None:
    from dateparser.date import DateDataParser  # a tenth of a second to import, so only where it is needed

    settings = {
        "RELATIVE_BASE": start,
        "PREFER_DATES_FROM": "future",
        "DATE_ORDER": order,
        "RETURN_TIME_AS_PERIOD": True,
        "REQUIRE_PARTS": ["day", "month"] if needs_date else [],
    }
    languages = [name for name in dict.fromkeys((language, "en")) if name in _dateparser_languages()]
    try:
        data = DateDataParser(languages=languages, settings=settings).get_date_data(text)
    except (ValueError, OverflowError):
        return None
    if data.date_obj is None or data.date_obj.tzinfo is not None:
        return None
    return _Guess(data.date_obj, data.period)


@lru_cache(maxsize=1)
def _dateparser_languages() -> frozenset[str]:
    from dateparser.data.languages_info import language_order

    return frozenset(language_order)
