"""Large numbers are written in one way."""

from typing import Any

import pytest

from models.tables import Person, Project
from reports.home import Overview, Standing
from reports.projects import ProjectLine, ProjectPage
from reports.work import Page
from tests.support import NOW
from views.home import home
from views.lists import in_all, which
from views.projects import project_list

LINE: Any = None


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (Page((LINE,) * 10, 12, 0, 10, NOW), "1 to 10 of 12"),
        (Page((LINE,) * 10, 1_000, 99, 10, NOW, is_cut=True), "991 to 1,000 of more than 1,000"),
        (Page((LINE,) * 10, 1_000, 100, 10, NOW, is_cut=True), "1,001 to 1,010 of more than 1,000"),
        (Page((LINE,) * 4, 1_234, 123, 10, NOW), "1,231 to 1,234 of 1,234"),
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
