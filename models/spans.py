"""Days away as people type them: "24 nov - 28 nov", "until friday", "today", "tomorrow for 3 days", "next week".

Each end is read as `models.dates` reads a due date, and the last day in the light of the first: of "monday - friday",
typed on a Thursday, both lie in the week to come. What cannot be read is asked about and never guessed.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from models.dates import DateOrder, NoDate, PastDate, parse_due
from models.errors import DateProblem

ONE_DAY: Final = timedelta(days=1)
# Longer than that is a slip of the pen, such as the two days in the wrong order.
LONGEST: Final = timedelta(days=366)
HALF_A_YEAR: Final = timedelta(days=183)

BACKWARDS: Final = "In “{}” the last day lies before the first, or so far behind it that it needs its year."

_YEAR: Final = re.compile(r"\d{4}")
_NUMBERS: Final = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7}
_FOR: Final = re.compile(
    r"(?:(?:(?P<first>.+?) )?for )?(?:the )?(?:next )?(?P<number>\d{1,3}|[a-z]+) (?P<unit>day|week)s?", re.IGNORECASE
)
_WEEK: Final = re.compile(r"(?:all |the )?(?P<which>this|next|nxt) (?:week|wk)", re.IGNORECASE)
_UNTIL: Final = re.compile(r"(?:until|till?|through|to) (?P<last>.+)", re.IGNORECASE)
# "24-28 nov" and "nov 24-28": one month for both.
_IN_ONE_MONTH: Final = (
    re.compile(r"(?P<from>\d{1,2})\.? ?[-–—] ?(?P<to>\d{1,2})\.? (?P<month>[^\W\d]+\.?(?: \d{4})?)"),
    re.compile(r"(?P<month>[^\W\d]+) (?P<from>\d{1,2}) ?[-–—] ?(?P<to>\d{1,2})"),
)
# Words between two dates, or a dash: with spaces around it, or behind a letter, since dates have dashes of their own.
_BETWEEN: Final = re.compile(
    r" (?:to|until|till?|through|[-–—]) |(?<=[^\W\d]) ?[-–—] ?|(?<=\.)-| ?[–—] ?", re.IGNORECASE
)


@dataclass(frozen=True)
class Span:
    """Days of somebody's calendar, both ends included."""

    first: date
    last: date


@dataclass(frozen=True)
class _Reader:
    """How the person's words are read: when, where, in which order of numbers and in which language."""

    typed: str
    now: datetime
    zone: ZoneInfo
    order: DateOrder
    locale: str | None

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    def day(self, phrase: str, base: date | None = None) -> date:
        """The day of a phrase, seen from now or from a day to come. Raises DateProblem."""
        now = self.now if base is None else datetime.combine(base, time(), self.zone)
        try:
            due = parse_due(phrase, now=now, zone=self.zone, order=self.order, locale=self.locale)
        except NoDate as problem:
            raise self.problem("I can't read “{}” as days.") from problem
        if due.time is not None:
            raise self.problem("“{}” names a time of day, and being away is kept in whole days.")
        return due.day

    def problem(self, what: str) -> DateProblem:
        words = " ".join(self.typed.split())
        shown = words if len(words) <= 60 else words[:59] + "…"
        return DateProblem(self.typed, f"{what.format(shown)} Try “24 nov - 28 nov”, “until friday” or “today”.")


def read_span(typed: str, *, now: datetime, zone: ZoneInfo, order: DateOrder, locale: str | None = None) -> Span:
    """The days that a person in `zone` means at `now`. Raises DateProblem, whose sentence says what to type instead."""
    reader = _Reader(typed, now, zone, order, locale)
    text = " ".join(typed.split()).strip(",; ")
    if not text:
        raise reader.problem("Say from when to when.")
    begins = re.match(r"from ", text, re.IGNORECASE)
    text = text[begins.end() :] if begins else text
    span = _week(text, reader) or _counted(text, reader) or _in_one_month(text, reader) or _from_to(text, reader)
    if begins and span.first == span.last:
        raise reader.problem("“{}” does not say until when.")
    if span.last - span.first >= LONGEST:
        raise reader.problem("“{}” is longer than a year.")
    return span


def _week(text: str, reader: _Reader) -> Span | None:
    found = _WEEK.fullmatch(text)
    if found is None:
        return None
    monday = reader.today - timedelta(days=reader.today.weekday())
    if found["which"].lower() != "this":
        return Span(monday + timedelta(days=7), monday + timedelta(days=13))
    return Span(reader.today, monday + timedelta(days=6))


def _counted(text: str, reader: _Reader) -> Span | None:
    """ "for 3 days", "tomorrow for a week", "the next 2 weeks", "3 days"."""
    found = _FOR.fullmatch(text)
    number = found["number"].lower() if found else ""
    count = int(number) if number.isdecimal() else _NUMBERS.get(number, 0)
    if found is None or not count:
        return None
    first = reader.day(found["first"]) if found["first"] else reader.today
    days = count * (7 if found["unit"].lower() == "week" else 1)
    return Span(first, first + timedelta(days=days - 1))


def _in_one_month(text: str, reader: _Reader) -> Span | None:
    found = next(filter(None, (pattern.fullmatch(text) for pattern in _IN_ONE_MONTH)), None)
    if found is None:
        return None
    return _between(f"{found['from']} {found['month']}", f"{found['to']} {found['month']}", reader)


def _from_to(text: str, reader: _Reader) -> Span:
    if until := _UNTIL.fullmatch(text):
        return _between("today", until["last"], reader)
    first, *rest = _BETWEEN.split(text)
    if len(rest) > 1:
        raise reader.problem("I can't read “{}” as days.")
    if rest:
        return _between(first, rest[0], reader)
    day = reader.day(text)
    return Span(day, day)


def _between(first_words: str, last_words: str, reader: _Reader) -> Span:
    last = reader.day(last_words)
    try:
        first = reader.day(first_words)
    except PastDate:
        first = reader.today  # they are away already
    if first - last > HALF_A_YEAR:
        # "24 nov - 28 nov" on 26 November: the 24th to come is next year's, and the one that is meant has passed.
        first = reader.today
    if last < first:
        try:
            last = reader.day(last_words, base=first)
        except PastDate as problem:
            raise reader.problem(BACKWARDS) from problem
    if last < first or (last - first > HALF_A_YEAR and not _YEAR.search(last_words)):
        raise reader.problem(BACKWARDS)
    return Span(first, last)
