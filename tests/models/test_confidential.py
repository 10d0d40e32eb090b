"""A confidential record: who sees it, and who may say that it is one."""

from typing import Any

import pytest
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import links, operations
from models.database import Database
from models.errors import InvalidFields, NotFound
from models.kinds import Item
from models.kinds.action import ACTION
from models.kinds.risk import RISK
from models.labels import Confidentiality, LinkType
from models.permissions import actor_of, visible_records
from models.tables import Delivery, Person, Project, Record
from tests.support import NOW, WORKSPACE, make_channel, make_person, make_project, make_record, undo

CONFIDENTIAL, OPEN = Confidentiality.CONFIDENTIAL, Confidentiality.OPEN

# Who is there, and whether a confidential record that Rae raised for Owen, with Hal's help, is theirs to see.
PEOPLE: dict[str, tuple[bool, dict[str, bool]]] = {
    "cora": (True, {}),  # the coordinator
    "spike": (True, {}),  # the sponsor
    "rae": (True, {}),
    "owen": (True, {}),
    "hal": (True, {"is_guest": True}),
    "mel": (False, {}),
    "addy": (False, {"is_admin": True}),
    "gus": (False, {"is_guest": True}),
    "xena": (False, {"is_external": True}),
}


class Team:
    def __init__(self, session: AsyncSession, people: dict[str, Person], project: Project) -> None:
        self.session, self.people, self.project = session, people, project

    async def log(self, **values: Any) -> Item:
        values = {"owner_id": "UOWEN", "helpers": ["UHAL"], "confidentiality": CONFIDENTIAL} | values
        return await make_record(self.session, RISK, project=self.project, by=self.people["rae"], **values)

    async def change(self, who: str, item: Item, **values: Any) -> None:
        actor, version = actor_of(self.people[who]), item.record.version
        await operations.change(self.session, actor, item, self.project, values, version=version, now=NOW, via="form")


@pytest.fixture
async def team(database: Database) -> Any:
    async with database.unit(WORKSPACE) as session:
        people = {name: await make_person(session, name, **flags) for name, (_, flags) in PEOPLE.items()}
        channel = await make_channel(session, members=people.values())
        project = await make_project(session, by=people["cora"], channel=channel)
        project.sponsor_id = "USPIKE"
        yield Team(session, people, project)


async def test_only_those_involved_see_it(team: Team) -> None:
    item = await team.log()
    seen = {}
    for name, person in team.people.items():
        query = select(Record).join(Project, col(Project.id) == col(Record.project_id))
        seen[name] = bool((await team.session.exec(query.where(visible_records(actor_of(person))))).all())

    assert seen == {name: sees for name, (sees, _) in PEOPLE.items()}
    with pytest.raises(NotFound):
        await operations.find(team.session, actor_of(team.people["mel"]), RISK, item.record.number)


sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


@sqlite_only
@pytest.mark.parametrize(
    ("who", "may"), [("owen", True), ("rae", True), ("cora", True), ("spike", True), ("hal", False)]
)
async def test_those_who_answer_for_it_say_whether_it_is_confidential(team: Team, who: str, may: bool) -> None:
    item = await team.log()

    if may:
        await team.change(who, item, confidentiality=OPEN)
        await team.change(who, item, confidentiality=CONFIDENTIAL)
        rows = [row for row in await operations.history(team.session, item) if row.field == "confidentiality"]
        assert [(row.before, row.after) for row in rows] == [("confidential", "open"), ("open", "confidential")]
    else:
        with pytest.raises(InvalidFields) as refusal:
            await team.change(who, item, title="Another", confidentiality=OPEN)
        assert list(refusal.value.problems) == ["confidentiality"]


@sqlite_only
async def test_a_member_who_may_edit_cannot_make_it_confidential_nor_undo_that_it_is(team: Team) -> None:
    item = await team.log(confidentiality=OPEN)
    with pytest.raises(InvalidFields):
        await team.change("mel", item, confidentiality=CONFIDENTIAL)
    await team.change("owen", item, confidentiality=CONFIDENTIAL)

    with pytest.raises(Exception, match="Its owner, whoever raised it"):
        await undo(team.session, actor_of(team.people["hal"]), item, team.project, version=item.record.version)


@sqlite_only
async def test_the_card_of_another_record_does_not_name_it(team: Team) -> None:
    secret = await team.log()
    other = await make_record(team.session, ACTION, project=team.project, by=team.people["rae"])
    pair = [(secret, team.project), (other, team.project)]
    await links.make(team.session, actor_of(team.people["rae"]), pair[0], LinkType.BLOCKS, pair[1], now=NOW, via="form")

    assert await links.links_of(team.session, other) == []
    assert await links.links_of(team.session, other, seen_by=actor_of(team.people["mel"])) == []
    assert len(await links.links_of(team.session, other, seen_by=actor_of(team.people["hal"]))) == 1


@sqlite_only
async def test_its_owner_is_told_directly(team: Team) -> None:
    await team.log()

    query = select(col(Delivery.kind), col(Delivery.target)).order_by(col(Delivery.id))
    assert ("assigned", "UOWEN") in (await team.session.exec(query)).all()
