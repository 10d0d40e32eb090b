"""Which titles say the same, and which open records are pointed out because of it."""

import pytest

from models import kinds, operations
from models.database import Database
from models.duplicates import likely, likely_of_each, say_the_same
from models.permissions import actor_of
from tests.support import WORKSPACE, make_channel, make_person, make_project, make_record

ACTION, RISK = kinds.KINDS[0], kinds.KINDS[1]

SAME = [
    ("Order cables", "Order the cables"),
    ("Order cables", "order CABLES!"),
    ("Order cables", "Cables: order"),
    ("Order cables", "Order cable"),
    ("Order cables", "Order cabels"),
    ("Budget", "budget"),
    ("Renew the Oracle licence before June", "Renew Oracle licences before June"),
    ("Core switch is late", "The core switch will be late"),
    ("Core switch arrives late", "Core switch arrives late from the vendor"),
    ("Send the firewall diagram", "Send firewall digaram"),
    ("Réserver la salle à Besançon", "reserver la salle a besancon"),
    ("Approve the floor plan", "Approved the floor plan"),
    ("Update rules on FW-1", "Update the rules on FW1"),
    ("交換機の故障", "交換機の故障"),
    ("🔥 drill", "Drill 🔥"),
]
OTHERS = [
    ("Order cables", "Order racks"),
    ("Order cables", "Order tables"),
    ("Order cables", "Order cables for Paris"),
    ("Order cables", "Do not order cables"),
    ("Order cables", "Return cables"),
    ("Call Ben", "Call Eva"),
    ("Budget", "Budget change"),
    ("Approve budget", "Approve budget change"),
    ("Look at rack 3", "Look at rack 4"),
    ("Look at rack 3", "Look at rack"),
    ("Update rules on FW-1", "Update rules on FW-2"),
    ("Install the firewall in Berlin", "Install the firewall in Paris"),
    ("Enable the backup job", "Disable the backup job"),
    ("Upgrade the core router", "Downgrade the core router"),
    ("Test the link", "Text the link"),
    ("Order cables for the new office", "Order chairs for the new office"),
    ("Core switch arrives late", "Core switch arrives late, so the pilot in Berlin and the training must move"),
    ("", ""),
    ("—", "*"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_titles_that_say_the_same(one: str, other: str) -> None:
    assert say_the_same(one, other)
    assert say_the_same(other, one)


@pytest.mark.parametrize(("one", "other"), OTHERS)
def test_titles_that_do_not(one: str, other: str) -> None:
    assert not say_the_same(one, other)
    assert not say_the_same(other, one)


async def test_every_such_title_is_among_the_candidates_that_the_database_gives(database: Database) -> None:
    """With many others about the same things."""
    async with database.unit(WORKSPACE) as session:
        ana = await make_person(session)
        project = await make_project(session, by=ana)
        for _, other in SAME:
            await make_record(session, ACTION, project=project, title=other)
        for n in range(30):
            await make_record(session, ACTION, project=project, title=f"Order cables and the core switch for room {n}")
        missed = []
        for one, other in SAME:
            found = [each.title for each in await likely(session, actor_of(ana), project, ACTION, one)]
            missed += [(one, other, found)] if other not in found and len(found) < 3 else []

        assert missed == []


async def test_titles_with_other_numbers_crowd_nobody_out(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        ana = await make_person(session)
        project = await make_project(session, by=ana)
        await make_record(session, ACTION, project=project, title="Patch the servers 77")
        for n in range(10, 40):
            await make_record(session, ACTION, project=project, title=f"Patch the server {n}")

        found = await likely(session, actor_of(ana), project, ACTION, "Patch the server 77")

        assert [each.title for each in found] == ["Patch the servers 77"]


async def test_a_whole_list_is_compared_as_each_of_its_titles_would_be(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        person = await make_person(session)
        ana = actor_of(person)
        project = await make_project(session, by=person)
        other = await make_project(session, by=person, channel=await make_channel(session, "other"))
        await make_record(session, RISK, project=project, title="Order cables")
        await make_record(session, ACTION, project=other, title="Budget")
        for _, title in SAME + OTHERS:
            if title:
                await make_record(session, ACTION, project=project, title=title)
        titles = [one for one, _ in SAME + OTHERS]

        at_once = await likely_of_each(session, ana, project, [(ACTION, title) for title in titles])

        one_by_one = [await likely(session, ana, project, ACTION, title) for title in titles]
        assert [len(few) for few in at_once] == [len(few) for few in one_by_one]
        for few, others in zip(at_once, one_by_one, strict=True):
            assert len(few) == 3 or {each.id for each in few} == {each.id for each in others}


async def test_only_open_records_of_the_kind_and_project_that_one_may_see_are_pointed_out(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        ana, ben = await make_person(session), await make_person(session, "ben")
        project = await make_project(session, by=ana)
        other = await make_project(session, by=ana, channel=await make_channel(session, "other"))
        secret = await make_channel(session, "secret", members=[ben], is_private=True)
        hidden = await make_project(session, by=ben, channel=secret)

        async def found(where: object = project) -> list[str]:
            return [
                f"{each.kind[0].upper()}{each.number}"
                for each in await likely(session, actor_of(ana), where, ACTION, "Order the cables")  # type: ignore[arg-type]
            ]

        await make_record(session, RISK, project=project, title="Order cables")
        await make_record(session, ACTION, project=other, title="Order cables")
        await make_record(session, ACTION, project=hidden, by=ben, title="Order cables")
        assert await found() == []
        assert await found(hidden) == []

        items = [await make_record(session, ACTION, project=project, title="Order cables") for _ in range(5)]
        assert await found() == ["A7", "A6", "A5"]

        done = ACTION.step_named("done")
        assert done is not None
        now = items[0].record.created_at
        await operations.take_step(session, actor_of(ana), items[4], project, done, now=now, via="test")
        await operations.archive(session, actor_of(ana), items[3], project, now=now, via="test")
        assert await found() == ["A5", "A4", "A3"]
