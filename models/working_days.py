"""Which days a project works: its weekdays, without its country's public holidays and its own days off.

The one place that asks. The `holidays` package is loaded when the first project with a holiday country needs it, and
what it says is kept for each country, region and year.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from models.dates import DateOrder, WorkingDays, monday_to_friday, parse_due
from models.errors import DateProblem
from models.tables import Project

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKDAY_NAMES: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
LONGEST_BREAK: Final = timedelta(days=366)
OWN_DAY_OFF: Final = "a day off"
YEARS_KEPT: Final = 512
ENGLISH: Final = "en_US"


def is_working_day(project: Project, day: date) -> bool:
    """Whether the project works on that day."""
    return WEEKDAYS[day.weekday()] in project.working_days.split() and holiday_on(project, day) is None


def working_days_of(project: Project | None) -> WorkingDays:
    """The same question about one project, as the date grammar asks it; Monday to Friday where none is known."""
    return monday_to_friday if project is None else lambda day: is_working_day(project, day)


def holiday_on(project: Project, day: date) -> str | None:
    """The public holiday of that day in the project's calendar, or that it is a day off of its own; else None."""
    if day.isoformat() in project.days_off.split():
        return OWN_DAY_OFF
    if project.holiday_country is None:
        return None
    return _holidays(project.holiday_country, project.holiday_subdivision, day.year).get(day)


def after_working_days(project: Project, start: date, count: int) -> date:
    """The day that many working days after `start`; with 0 the first working day from `start` on.

    A project whose calendar leaves no working day gets plain days.
    """
    day, left = start, count
    for _ in range(count * 7 + 366):
        if is_working_day(project, day):
            if left <= 0:
                return day
            left -= 1
        day += timedelta(days=1)
    return start + timedelta(days=count)


def read_days_off(typed: str, *, now: datetime, zone: ZoneInfo, order: DateOrder, locale: str | None) -> str:
    """Typed days and "... to ..." ranges, by commas or lines, as a project keeps them. Raises DateProblem.

    A day in full, as 2031-12-24, may be past; other words are read as dates are everywhere.
    """

    def one(phrase: str) -> date:
        try:
            return date.fromisoformat(phrase)
        except ValueError:
            return parse_due(phrase, now=now, zone=zone, order=order, locale=locale).day

    days: set[date] = set()
    for chunk in filter(None, (chunk.strip() for chunk in re.split(r"[,;\n]", typed))):
        first, _, last = (part.strip() for part in re.sub(r"\s+(?:to|until|[-–])\s+", "\0", chunk).partition("\0"))
        start = one(first)
        end = one(last) if last else start
        if not start <= end <= start + LONGEST_BREAK:
            raise DateProblem(chunk, f"“{chunk}” should be at most a year, from the first day to the last.")
        days |= {start + timedelta(days=n) for n in range((end - start).days + 1)}
    return " ".join(day.isoformat() for day in sorted(days))


def shown_days_off(days_off: str) -> str:
    """The same as a person reads and types it: "2031-12-24, 2031-12-27 to 2031-12-31"."""
    runs: list[list[date]] = []
    for day in map(date.fromisoformat, days_off.split()):
        if runs and runs[-1][-1] + timedelta(days=1) == day:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)


def in_words(working_days: str) -> str:
    """ "Monday to Friday", "Sunday to Thursday" or "Monday, Wednesday and Friday"."""
    chosen = [at for at, key in enumerate(WEEKDAYS) if key in working_days.split()]
    names = [WEEKDAY_NAMES[at] for at in chosen]
    if 2 < len(chosen) < 7:
        first = next(at for at in chosen if (at - 1) % 7 not in chosen)
        if all((first + step) % 7 in chosen for step in range(len(chosen))):
            return f"{WEEKDAY_NAMES[first]} to {WEEKDAY_NAMES[(first + len(chosen) - 1) % 7]}"
    if len(chosen) == 7:
        return "every day"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1] if names else ""]))


@cache
def countries() -> Mapping[str, str]:
    """Every country with a calendar of public holidays: code -> English name, by name."""
    from holidays.registry import COUNTRIES

    names = {str(codes[1]): _country_name(module) for module, codes in COUNTRIES.items()}
    return dict(sorted(names.items(), key=lambda pair: pair[1]))


@cache
def subdivisions(country: str) -> Mapping[str, str]:
    """The regions of a country that have holidays of their own: code -> name, by name."""
    calendar = _calendar_of(country)
    named = {str(code): str(name) for name, code in reversed(calendar.subdivisions_aliases.items())}
    names = {str(code): named.get(str(code), str(code)) for code in calendar.subdivisions}
    return dict(sorted(names.items(), key=lambda pair: pair[1]))


def matching(names: Mapping[str, str], typed: str) -> list[tuple[str, str]]:
    """The (code, name) pairs whose name holds the typed words or whose code they are; names that begin so first."""
    wanted = typed.strip().casefold()
    found = [pair for pair in names.items() if wanted in pair[1].casefold() or wanted == pair[0].casefold()]
    return sorted(found, key=lambda pair: not pair[1].casefold().startswith(wanted))


@lru_cache(maxsize=YEARS_KEPT)
def _holidays(country: str, subdivision: str | None, year: int) -> Mapping[date, str]:
    """The public holidays of a year with their English names, where the calendar has them."""
    calendar = _calendar_of(country)
    language = ENGLISH if ENGLISH in calendar.supported_languages else None
    return {**calendar(subdiv=subdivision, years=year, expand=False, language=language)}


def _calendar_of(country: str) -> Any:
    import holidays

    return getattr(holidays, country)


def _country_name(module: str) -> str:
    """ "bosnia_and_herzegovina" as people write it."""
    return _NAMES.get(module) or " ".join(_capitals(module.split("_")))


def _capitals(words: Iterable[str]) -> Iterable[str]:
    return (word if word in ("and", "of", "the", "da") else word.capitalize() for word in words)


_NAMES: Final = {
    "curacao": "Curaçao",
    "dr_congo": "DR Congo",
    "guinea_bissau": "Guinea-Bissau",
    "heard_island_and_mcdonald_islands": "Heard Island and McDonald Islands",
    "hongkong": "Hong Kong",
    "reunion": "Réunion",
    "timor_leste": "Timor-Leste",
}
