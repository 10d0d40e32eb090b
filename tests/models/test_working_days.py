"""Working days: the chosen weekdays, without public holidays and the project's own days off."""

import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from models import working_days
from models.dates import DateOrder, parse_due
from models.tables import Project
from models.working_days import (
    after_working_days,
    countries,
    holiday_on,
    in_words,
    is_working_day,
    matching,
    subdivisions,
    working_days_of,
)
from tests.support import NOW


def project(**settings: str | None) -> Project:
    return Project(id=1, name="Move", timezone="UTC", created_by="U", home_channel_id="C", created_at=NOW, **settings)


AMERICAN = project(holiday_country="US", days_off="2031-11-28")
THANKSGIVING = date(2031, 11, 27)


@pytest.mark.parametrize(
    ("of", "day", "expected"),
    [
        (project(), date(2031, 11, 28), True),
        (project(), date(2031, 11, 29), False),
        (project(), THANKSGIVING, True),
        (AMERICAN, THANKSGIVING, False),
        (AMERICAN, date(2031, 11, 28), False),
        (AMERICAN, date(2031, 12, 1), True),
        (project(working_days="sun mon tue wed thu"), date(2031, 11, 30), True),
        (project(working_days="sun mon tue wed thu"), date(2031, 11, 28), False),
        (project(holiday_country="DE"), date(2031, 6, 12), True),
        (project(holiday_country="DE", holiday_subdivision="BY"), date(2031, 6, 12), False),
    ],
)
def test_a_project_works_on_its_weekdays_except_holidays_and_its_days_off(
    of: Project, day: date, expected: bool
) -> None:
    assert is_working_day(of, day) is expected


def test_a_free_day_has_its_name_in_english() -> None:
    bavarian = project(holiday_country="DE", holiday_subdivision="BY", days_off="2031-12-24")

    assert holiday_on(AMERICAN, THANKSGIVING) == "Thanksgiving Day"
    assert holiday_on(bavarian, date(2031, 6, 12)) == "Corpus Christi"
    assert holiday_on(bavarian, date(2031, 12, 24)) == "a day off"
    assert holiday_on(bavarian, date(2031, 11, 29)) is None  # a Saturday, which is no holiday


def test_a_typed_business_day_skips_the_projects_holidays() -> None:
    monday = datetime(2031, 11, 24, 15, tzinfo=UTC)

    def due(of: Project) -> date:
        zone = ZoneInfo("UTC")
        days = working_days_of(of)
        return parse_due("in 4 business days", now=monday, zone=zone, order=DateOrder.DMY, is_working_day=days).day

    assert due(project()) == date(2031, 11, 28)
    assert due(AMERICAN) == date(2031, 12, 2)


def test_days_are_counted_in_working_days() -> None:
    assert after_working_days(AMERICAN, date(2031, 11, 26), 0) == date(2031, 11, 26)
    assert after_working_days(AMERICAN, THANKSGIVING, 0) == date(2031, 12, 1)
    assert after_working_days(AMERICAN, date(2031, 11, 26), 1) == date(2031, 12, 1)
    assert after_working_days(project(working_days=""), date(2031, 11, 26), 3) == date(2031, 11, 29)


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ("mon tue wed thu fri", "Monday to Friday"),
        ("mon tue wed thu sun", "Sunday to Thursday"),
        ("mon wed fri", "Monday, Wednesday and Friday"),
        ("sat sun", "Saturday and Sunday"),
        ("mon tue wed thu fri sat sun", "every day"),
        ("fri", "Friday"),
    ],
)
def test_working_days_read_as_people_say_them(days: str, words: str) -> None:
    assert in_words(days) == words


def test_a_country_is_found_by_its_english_name() -> None:
    assert matching(countries(), "united st")[0] == ("US", "United States")
    assert [code for code, _ in matching(countries(), "GERMANY")] == ["DE"]
    assert matching(countries(), "zz") == []
    assert {"Bosnia and Herzegovina", "Hong Kong", "Curaçao"} <= set(countries().values())


def test_a_region_is_found_by_its_name_too() -> None:
    assert matching(subdivisions("DE"), "bay") == [("BY", "Bayern")]
    assert subdivisions("US")["CA"] == "California"


def test_every_country_and_region_that_can_be_chosen_has_a_calendar() -> None:
    """A new version of the package must not break a stored choice silently."""
    for country in countries():
        for region in (None, *list(subdivisions(country))[:2]):
            assert isinstance(working_days._holidays(country, region, 2031), dict), (country, region)


def test_holidays_are_not_loaded_before_a_project_needs_them() -> None:
    """The start is not slowed by calendars."""
    script = "import sys, bot.run, bot.assemble; assert 'holidays' not in sys.modules"
    root = Path(working_days.__file__).parent.parent

    subprocess.run([sys.executable, "-c", script], cwd=root, check=True)
