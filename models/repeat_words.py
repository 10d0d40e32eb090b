"""Rules of what comes again as people type them: "every 2 weeks on monday", "monthly on the 1st".

A rule is kept as the words of RFC 5545, and with the day from which it counts once that is known: "FREQ=WEEKLY;
INTERVAL=2;BYDAY=MO;WKST=MO from 2026-03-02". Typed without a weekday or a day of the month it takes those of that day.
"""

import re
from datetime import date, timedelta
from itertools import dropwhile
from typing import Final

from models.errors import StewardError, Unread
from models.recurrences import DAY_NAMES, DAYS, LAST_DAY, ORDINALS, BadRule, Rule

EXAMPLES: Final = "“every monday”, “every 2 weeks”, “monthly on the 1st” or “every month on the last friday”"
MOST: Final = {"DAILY": 365, "WEEKLY": 52, "MONTHLY": 60}
_FROM: Final = " from "
_KEPT: Final = re.compile(
    r"FREQ=(?:DAILY|WEEKLY|MONTHLY);INTERVAL=\d{1,3}(?:;[A-Z]+=[A-Z\d,-]+)*(?: from \d{4}-\d\d-\d\d)?"
)
_ANY_DAY: Final = date(2000, 1, 1)

# What one word says of itself.
_SHORT: Final = {
    "daily": "every day",
    "weekly": "every week",
    "fortnightly": "every 2 weeks",
    "monthly": "every month",
    "quarterly": "every 3 months",
    "yearly": "every 12 months",
    "annually": "every 12 months",
    "every quarter": "every 3 months",
    "every year": "every 12 months",
    **dict.fromkeys(
        ("every weekday", "weekdays", "every working day", "every business day", "every workday"), "mon-fri"
    ),
}
# One of these is in whatever says how often.
OFTEN: Final = frozenset(
    ("every", "each", *(short for short in _SHORT if " " not in short), *(f"{name.lower()}s" for name in DAY_NAMES))
)
_UNITS: Final = {"day": "DAILY", "week": "WEEKLY", "month": "MONTHLY"}
_NUMBERS: Final = {"": 1, "other": 2, "second": 2, "third": 3, "fourth": 4, "two": 2, "three": 3, "four": 4, "six": 6}
_WEEKDAYS: Final = {
    name: at for at, full in enumerate(DAY_NAMES) for name in (full.lower(), full[:3].lower(), f"{full.lower()}s")
}
_WHICH: Final = {word: which for which, word in ORDINALS.items()} | {"1st": 1, "2nd": 2, "3rd": 3, "4th": 4}
_PERIOD: Final = re.compile(r"every (?:(?P<many>\d{1,3}|[a-z]+) )?(?P<unit>day|week|month)s?(?: on (?P<on>.+))?")
_OF_MONTH: Final = re.compile(r"(?:every |on )?(?:the )?(?P<on>.+?) (?:of|in) (?:the|every|each|a) month")
_MONTH_DAY: Final = re.compile(r"(?:the )?(?:day )?(\d{1,2})(?:st|nd|rd|th)?")
_EACH_DAY: Final = re.compile(r"every (\d{1,2}(?:st|nd|rd|th)|(?:first|last) .+)")


class NoRepeat(Unread):
    """Nothing in the words says how often; they may well be ordinary ones."""


def read_repeat(typed: str) -> str:
    """The rule that was typed, also as it is kept, without the day from which it counts. Raises Unread."""
    if _is_rule(typed):
        return without_day(typed)
    words = " ".join(typed.lower().replace("each ", "every ").split()).rstrip(".")
    words = next((full + words[len(short) :] for short, full in _SHORT.items() if _begins(words, short)), words)
    try:
        rule = _rule(words, typed)
    except BadRule as problem:
        raise Unread(typed, str(problem)) from problem
    if rule is None:
        raise NoRepeat(typed, f"I can't read “{typed}” as how often it repeats. Type {EXAMPLES}.")
    return rule


def from_day(rule: str, day: date) -> str:
    """The rule with the day from which it counts, which gives the weekday or day of the month where none was typed."""
    frequency, every = _part(rule, "FREQ"), int(_part(rule, "INTERVAL"))
    if frequency == "WEEKLY" and not _part(rule, "BYDAY"):
        rule = Rule.weekly([day.weekday()], day, every=every).words
    if frequency == "MONTHLY" and not _part(rule, "BYDAY") and not _part(rule, "BYMONTHDAY"):
        rule = Rule.monthly_on_day(day.day, day, every=every).words
    return f"{rule}{_FROM}{day}"


def without_day(rule: str) -> str:
    """The rule alone."""
    return rule.partition(_FROM)[0]


def next_day(rule: str, after: date) -> date:
    """The first day of the rule that is later than `after`."""
    words, _, start = rule.partition(_FROM)
    dates = Rule(words, date.fromisoformat(start)).dates(after + timedelta(days=1))
    return next(dropwhile(lambda day: day <= after, dates))


def repeat_in_words(rule: str) -> str:
    """The rule as a person reads it, and may type it again: "every 2 weeks on Monday". Other words stay as they are."""
    return _in_words(without_day(rule)) if _KEPT.fullmatch(rule) else rule


def _in_words(rule: str) -> str:
    every, days = int(_part(rule, "INTERVAL")), _part(rule, "BYDAY")
    unit = next(unit for unit, frequency in _UNITS.items() if frequency == _part(rule, "FREQ"))
    period = f"every {unit}" if every == 1 else f"every {every} {unit}s"
    if unit == "month":
        return period + _on_in_words(days, _part(rule, "BYMONTHDAY"))
    if not days:
        return period
    if days == ",".join(DAYS[:5]) and every == 1:
        return "every weekday"
    names = " and ".join(DAY_NAMES[DAYS.index(day)] for day in days.split(","))
    return f"every {names}" if every == 1 else f"{period} on {names}"


def _is_rule(text: str) -> bool:
    """Whether the text is a rule as it is kept: the very one that its own words are read as."""
    try:
        return bool(_KEPT.fullmatch(text)) and read_repeat(_in_words(without_day(text))) == without_day(text)
    except (StewardError, ValueError, LookupError, StopIteration):
        return False


def _on_in_words(days: str, month_days: str) -> str:
    if days:
        return f" on the {ORDINALS[int(days[:-2])]} {DAY_NAMES[DAYS.index(days[-2:])]}"
    if not month_days:
        return ""
    day = int(month_days.split(",")[-1])
    return " on the last day" if day == LAST_DAY else f" on the {_ordinal(day)}"


def _rule(words: str, typed: str) -> str | None:
    """The rule of the words, None where they say none. Raises BadRule, and Unread where they may mean two."""
    if words == "mon-fri":
        return Rule.weekly(range(5), _ANY_DAY).words
    if match := _OF_MONTH.fullmatch(words):
        return _monthly(match["on"], 1)
    if match := _PERIOD.fullmatch(words):
        return _periodic(match["many"] or "", match["unit"], match["on"])
    if match := _EACH_DAY.fullmatch(words):
        return _monthly(match[1], 1)
    if match := re.fullmatch(r"(?:every |on )?(?:(?P<which>other|second|third|fourth) )?(?P<days>.+)", words):
        days = _weekdays(match["days"])
        if days and match["which"] not in (None, "other"):
            name = match["days"]
            raise Unread(
                typed,
                f"“{typed}” may mean every few weeks or once a month. Type “every 2 weeks on {name}” or "
                f"“monthly on the {match['which']} {name}”.",
            )
        return Rule.weekly(days, _ANY_DAY, every=2 if match["which"] else 1).words if days else None
    return None


def _periodic(many: str, unit: str, on: str | None) -> str | None:
    """The rule of "every `many` `unit`s on ..."."""
    every = int(many) if many.isdigit() else _NUMBERS.get(many)
    frequency = _UNITS[unit]
    if every is None:
        return None
    if not 1 <= every <= MOST[frequency]:
        raise BadRule(f"Choose a number of {unit}s from 1 to {MOST[frequency]}.")
    if on is None:
        return f"FREQ={frequency};INTERVAL={every}"
    if unit == "week" and (days := _weekdays(on)):
        return Rule.weekly(days, _ANY_DAY, every=every).words
    return _monthly(on, every) if unit == "month" else None


def _monthly(on: str, every: int) -> str | None:
    """The rule of "every month on the 1st", "... the last day", "... the first monday"."""
    on = on.removeprefix("the ")
    if on in ("last", "last day"):
        return Rule.monthly_on_day(LAST_DAY, _ANY_DAY, every=every).words
    if match := _MONTH_DAY.fullmatch(on):
        return Rule.monthly_on_day(int(match[1]), _ANY_DAY, every=every).words
    which, _, name = on.partition(" ")
    if which in _WHICH and name in _WEEKDAYS:
        return Rule.monthly_on_weekday(_WHICH[which], _WEEKDAYS[name], _ANY_DAY, every=every).words
    return None


def _weekdays(words: str) -> list[int]:
    """The weekdays that are listed; none where another word is among them."""
    names = re.split(r"\s*(?:,|\band\b|&|/|\s)\s*", words)
    found = [_WEEKDAYS.get(name) for name in names if name]
    return [each for each in found if each is not None] if None not in found else []


def _begins(words: str, short: str) -> bool:
    return words == short or words.startswith(f"{short} on ")


def _part(rule: str, name: str) -> str:
    match = re.search(rf"(?:^|;){name}=([^; ]*)", rule)
    return match[1] if match else ""


def _ordinal(day: int) -> str:
    ending = "th" if 10 <= day <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{ending}"
