"""What the fields of single kinds do beyond being stored: what follows from others, and what steps set."""

from typing import Any

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

from models import links, operations
from models.database import Database
from models.errors import InvalidFields
from models.kinds import Item
from models.kinds.assumption import ASSUMPTION
from models.kinds.issue import ISSUE
from models.kinds.risk import RISK, Nature, ResponseStrategy
from models.permissions import actor_of
from models.tables import Person, Project
from tests.support import NOW, WORKSPACE, make_person, make_project, make_record, undo

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


@pytest.fixture
async def session(database: Database) -> Any:
    async with database.unit(WORKSPACE) as session:
        yield session


@pytest.fixture
async def ana(session: AsyncSession) -> Person:
    return await make_person(session)


@pytest.fixture
async def project(session: AsyncSession, ana: Person) -> Project:
    return await make_project(session, by=ana)


async def change(session: AsyncSession, ana: Person, project: Project, item: Item, **values: Any) -> None:
    version = item.record.version
    await operations.change(session, actor_of(ana), item, project, values, version=version, now=NOW, via="form")


async def step(session: AsyncSession, ana: Person, project: Project, item: Item, key: str, **said: Any) -> None:
    found = item.kind.step_named(key)
    assert found is not None
    await operations.take_step(session, actor_of(ana), item, project, found, now=NOW, via="form", **said)


async def test_the_impact_is_the_highest_of_its_four_parts(
    session: AsyncSession, ana: Person, project: Project
) -> None:
    item = await make_record(session, RISK, project=project, by=ana, probability=3, impact_cost=4, impact_quality=2)
    assert item.value("impact") == 4

    await change(session, ana, project, item, impact=4, impact_cost=1)
    assert item.value("impact") == 2
    with pytest.raises(InvalidFields, match="highest of those on schedule, cost, scope and quality, which is 2"):
        await change(session, ana, project, item, impact=5)

    await change(session, ana, project, item, impact=5, impact_cost=None, impact_quality=None)
    await undo(session, actor_of(ana), item, project, version=item.record.version)
    assert (item.value("impact"), item.value("impact_quality")) == (2, 2)


async def test_a_response_that_does_not_fit_is_refused_beside_its_field(
    session: AsyncSession, ana: Person, project: Project
) -> None:
    item = await make_record(session, RISK, project=project, by=ana, response=ResponseStrategy.EXPLOIT)

    with pytest.raises(InvalidFields) as refusal:
        await change(session, ana, project, item, nature=Nature.THREAT)

    said = "That is no response to threats. Choose one of: avoid, mitigate, transfer, accept, escalate."
    assert refusal.value.problems == {"response": said}


async def test_who_accepted_a_risk_is_kept_until_it_is_open_again(
    session: AsyncSession, ana: Person, project: Project
) -> None:
    item = await make_record(session, RISK, project=project, by=ana)

    await step(session, ana, project, item, "accept", note="It is small")
    assert item.value("accepted_by") == ana.id
    await step(session, ana, project, item, "reopen", note="It grew")

    assert item.value("accepted_by") is None


async def test_an_issue_keeps_the_days_of_its_escalation_and_its_resolution(
    session: AsyncSession, ana: Person, project: Project
) -> None:
    item = await make_record(session, ISSUE, project=project, by=ana)

    await step(session, ana, project, item, "escalate", note="To Zoe, by Friday")
    await step(session, ana, project, item, "resolve")
    assert item.value("escalated_on") == item.value("resolved_on") == NOW.date()

    await step(session, ana, project, item, "reopen")
    assert (item.value("resolved_on"), item.value("reopened")) == (None, 1)


@pytest.mark.parametrize(("makes", "letter"), [("issue", "I"), ("risk", "R")])
async def test_an_assumption_that_does_not_hold_becomes_an_issue_or_a_risk(
    session: AsyncSession, ana: Person, project: Project, makes: str, letter: str
) -> None:
    old = await make_record(session, ASSUMPTION, project=project, by=ana)
    follow_up = ASSUMPTION.follow_up_named(makes)
    assert follow_up is not None
    new = await make_record(session, links.follow_up_kind(follow_up), project=project, by=ana)

    await links.follow(session, actor_of(ana), (old, project), follow_up, new, now=NOW, via="form")

    assert (old.record.status, old.record.remark) == ("invalidated", f"see {letter}1")
    assert [each.word for each in await links.links_of(session, new)] == ["Results from"]
