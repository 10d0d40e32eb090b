"""When something comes round again: a local wall time, a zone and a rule, turned into an instant last.

Rules are RFC 5545 words (`FREQ=WEEKLY;BYDAY=MO`), worked out on dates without a zone, so that no clock change can move
them. A local time that the clock change skips is moved forward by the gap (RFC 5545, 3.3.5); one that comes twice is
used at its first pass. An occurrence is named by its local date, which is what keys of deliveries are made of.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, takewhile
from typing import Self

from dateutil.rrule import rrule, rrulestr

from models.clock import zone_or_utc

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth", -1: "last"}
LAST_DAY = 31
ONE_DAY = timedelta(days=1)

# How far an occurrence is looked for: a rule whose every date is skipped, as by a long leave, ends there.
HORIZON = timedelta(days=3 * 366)
LOOKING_BACK = (timedelta(days=8), timedelta(days=70), HORIZON)


class BadRule(ValueError):
    """A rule that never happens or that is not understood; the text says why."""


@dataclass(frozen=True)
class Occurrence:
    """One time that something comes round: the local date that names it, and the instant in UTC."""

    day: date
    at: datetime


@dataclass(frozen=True)
class Rule:
    """On which dates: words of RFC 5545, and the first day, from which every second week and the like are counted."""

    words: str
    start: date

    def dates(self, since: date) -> Iterator[date]:
        """The dates of the rule that are not before `since`, in order, without end. Raises BadRule."""
        return (found.date() for found in _parsed(self).xafter(_midnight(since), inc=True))

    @classmethod
    def daily(cls, start: date) -> Self:
        """Every day."""
        return cls("FREQ=DAILY", start)

    @classmethod
    def weekly(cls, weekdays: Iterable[int], start: date, *, every: int = 1) -> Self:
        """On these weekdays, Monday = 0, of every n-th week, counted from the week (Monday first) of `start`."""
        days = ",".join(DAYS[each] for each in sorted(set(weekdays)))
        if not days:
            raise BadRule("Choose at least one weekday.")
        return cls(f"FREQ=WEEKLY;INTERVAL={_positive(every)};BYDAY={days};WKST=MO", start)

    @classmethod
    def monthly_on_day(cls, day: int, start: date, *, every: int = 1) -> Self:
        """On that day of the month; in a month that is shorter, on its last day."""
        if not 1 <= day <= LAST_DAY:
            raise BadRule("A day of the month is 1 to 31.")
        days = ",".join(str(each) for each in range(min(day, 28), day + 1))
        return cls(f"FREQ=MONTHLY;INTERVAL={_positive(every)};BYMONTHDAY={days};BYSETPOS=-1", start)

    @classmethod
    def monthly_on_weekday(cls, which: int, weekday: int, start: date, *, every: int = 1) -> Self:
        """On the first, second, third, fourth (1 to 4) or last (-1) of a weekday in the month."""
        if which not in ORDINALS:
            raise BadRule("Choose the first, second, third, fourth or last of a weekday.")
        return cls(f"FREQ=MONTHLY;INTERVAL={_positive(every)};BYDAY={which}{DAYS[weekday]}", start)


@dataclass(frozen=True)
class Recurrence:
    """A rule with its local time and zone. `is_skipped` says which dates are left out: holidays, leave."""

    rule: Rule
    at: time
    zone: str
    is_skipped: Callable[[date], bool] = lambda day: False

    def following(self, instant: datetime, count: int) -> list[Occurrence]:
        """The next `count` occurrences later than `instant`; fewer where three years hold no more."""
        return list(islice((found for found in self._since(instant, HORIZON) if found.at > instant), count))

    def after(self, instant: datetime) -> Occurrence | None:
        """The first occurrence later than `instant`; None when three years hold none."""
        return next(iter(self.following(instant, 1)), None)

    def latest(self, instant: datetime) -> Occurrence | None:
        """The newest occurrence not later than `instant`; None when the last three years held none."""
        for back in LOOKING_BACK:
            found = [each for each in self._since(instant - back, back) if each.at <= instant]
            if found:
                return found[-1]
        return None

    def between(self, begin: datetime, end: datetime) -> list[Occurrence]:
        """The occurrences later than `begin` and not later than `end`, in order."""
        return [found for found in self._since(begin, end - begin) if begin < found.at <= end]

    def on(self, day: date) -> Occurrence:
        """What the occurrence of that local date would be."""
        return Occurrence(day, instant_of(day, self.at, self.zone))

    def _since(self, begin: datetime, span: timedelta) -> Iterator[Occurrence]:
        """The occurrences of that span in order, with a few before and after it: local dates are not UTC's."""
        first, last = begin.date() - 2 * ONE_DAY, (begin + span).date() + 2 * ONE_DAY
        for day in takewhile(lambda day: day <= last, self.rule.dates(first)):
            if not self.is_skipped(day) and exists(day, self.zone):
                yield self.on(day)


def instant_of(day: date, at: time, zone: str) -> datetime:
    """The instant, in UTC, of a wall time on a local date: moved forward out of a gap, the first of two passes."""
    # With fold=0 zoneinfo counts a time in a gap from before it, which moves it forward by the gap, and takes the
    # first pass of a time that comes twice.
    return datetime.combine(day, at, zone_or_utc(zone)).astimezone(UTC)


def exists(day: date, zone: str) -> bool:
    """Whether the zone ever has that date: Samoa went from 29 to 31 December 2011."""
    return instant_of(day, time(0), zone) < instant_of(day + ONE_DAY, time(0), zone)


def _parsed(rule: Rule) -> rrule:
    try:
        found = rrulestr(rule.words, dtstart=_midnight(rule.start))
    except (ValueError, TypeError, KeyError) as error:
        raise BadRule(f"This rule is not understood: {rule.words}") from error
    if not isinstance(found, rrule):
        raise BadRule("One rule at a time.")
    return found


def _midnight(day: date) -> datetime:
    """The date as the naive instant that dateutil counts with."""
    return datetime.combine(day, time(0))


def _positive(every: int) -> int:
    if every < 1:
        raise BadRule("“Every n weeks” needs a number from 1.")
    return every
