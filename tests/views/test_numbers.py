"""Large numbers are written in one way."""

import re
from dataclasses import fields
from datetime import date, timedelta
from typing import Any

import pytest

from models.summaries import Frame, Period
from models.tables import Person, Project
from reports.digest import Digest, Group
from reports.home import Overview, Standing
from reports.projects import ProjectLine, ProjectPage
from reports.summary import Numbers, Participation, Summary
from reports.work import Page
from tests.support import NOW
from views.digest import in_numbers
from views.home import home
from views.lists import in_all, which
from views.projects import project_list
from views.reminders import in_channel
from views.summary import summary

LINE: Any = None


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (Page((LINE,) * 10, 12, 0, 10, NOW), "1 to 10 of 12"),
        (Page((LINE,) * 10, 1_000, 99, 10, NOW, is_cut=True), "991 to 1,000 of more than 1,000"),
        (Page((LINE,) * 10, 1_000, 100, 10, NOW, is_cut=True), "1,001 to 1,010 of more than 1,000"),
        (Page((LINE,) * 4, 1_234, 123, 10, NOW), "1,231 to 1,234 of 1,234"),
        (Page((LINE,), 11, 1, 10, NOW), "11 of 11"),
    ],
)
def test_a_page_says_which_of_how_many_it_shows(page: Page, said: str) -> None:
    assert f"{which(page)} of {in_all(page)}" == said


def test_home_and_the_list_of_projects_write_them_so_too() -> None:
    project = Project(id=1, name="network", timezone="UTC")
    overview = Overview(
        owned=Page((), 0, 0, 12, NOW),
        helped=(),
        helps_with_more=False,
        overdue=1_200,
        due_today=1_300,
        to_decide=(),
        to_decide_total=1_400,
        projects=(Standing(project, {"action": 2_500}, 1_200),),
        last_logged=0,
        away_until=None,
        deputy=None,
    )
    drawn = str(home(overview, Person(id="UANA", name="ana", timezone="UTC")))
    assert "1,200 overdue · 🟠 1,300 due today · ✋ 1,400 waiting" in drawn
    assert "1,200 overdue · 2,500 open: 2,500 actions" in drawn

    page = ProjectPage((ProjectLine(project, 2_500, 1_200, ()),), 1_001, 0, 10, 1_002, False, NOW)
    message = project_list(page, may_set=frozenset())
    assert message.text == "Your projects: 1,001"
    assert "2,500 open · 🔴 1,200 overdue" in str(message.blocks)
    assert "Show 1,002 archived" in str(message.blocks)


def test_summaries_digests_and_reminders_write_them_so_too() -> None:
    project = Project(id=1, name="network", timezone="UTC")
    now, before = (
        Numbers(**{each.name: most - at for at, each in enumerate(fields(Numbers))}) for most in (9_000, 8_000)
    )
    week, asked = Period(NOW - timedelta(days=7), NOW), Participation(1_500, 1_600)
    told = Summary(project, week, now, before, asked, asked, lists={})
    ana, today = Person(id="UANA", name="ana", timezone="UTC"), date(2026, 3, 2)
    drawn = [
        str(summary(told, Frame(), {})),
        in_numbers(Digest(ana, today, (), dict.fromkeys(Group, 1_300))),
        str(in_channel(project, today, [], 1_400, {})),
    ]

    assert [re.findall(r"(?<![\d,])\d{4,}", text.replace("2026", "")) for text in drawn] == [[], [], []]
    assert ["8,998 done" in drawn[0], "1,300 overdue" in drawn[1], "1,400 due or overdue" in drawn[2]] == [True] * 3
