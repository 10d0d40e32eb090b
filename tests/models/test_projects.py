"""Projects: how one begins, and who may change its settings to what."""

from typing import Any

import pytest
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import projects
from models.database import Database
from models.errors import Conflict, InvalidFields, NotAllowed
from models.permissions import actor_of
from models.tables import Channel, Editors, History, Person, Project
from tests.support import NOW, WORKSPACE, make_channel, make_person, make_project


async def history(session: AsyncSession, project: Project) -> list[tuple[Any, ...]]:
    rows = await session.exec(select(History).where(col(History.project_id) == project.id).order_by(col(History.id)))
    return [(row.version, row.actor_id, str(row.act), row.field, row.before, row.after) for row in rows]


async def change(session: AsyncSession, by: Person, project: Project, version: int = 1, **values: Any) -> Project:
    settings = {"name": project.name, "coordinator_id": project.coordinator_id, "timezone": project.timezone} | values
    return await projects.change_settings(session, actor_of(by), project, settings, version=version, now=NOW)


async def test_the_first_record_makes_the_channels_project_with_the_person_as_coordinator(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        ana = await make_person(session)
        channel = await make_channel(session, members=[ana])

        project = await projects.begin(
            session, actor_of(ana), channel, name="  Data \n centre  move ", timezone="Europe/Berlin", now=NOW
        )

        assert (project.name, project.timezone, project.coordinator_id) == ("Data centre move", "Europe/Berlin", "UANA")
        assert (project.home_channel_id, project.is_private, project.created_by) == ("CMOVE", False, "UANA")
        assert channel.project_id == project.id
        assert await history(session, project) == [(1, "UANA", "created", None, None, "Data centre move")]
    async with database.unit(WORKSPACE, writes=False) as session:
        assert (await session.exec(select(Channel))).one().project_id == project.id


async def test_a_private_channel_makes_a_private_project(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        channel = await make_channel(session, is_private=True)

        assert (await make_project(session, channel=channel)).is_private


@pytest.mark.parametrize("flags", [{"is_guest": True}, {"is_external": True}], ids=str)
async def test_only_a_full_member_becomes_coordinator(database: Database, flags: dict[str, bool]) -> None:
    async with database.unit(WORKSPACE) as session:
        project = await make_project(session, by=await make_person(session, "gus", **flags))

    assert (project.coordinator_id, project.created_by) == (None, "UGUS")


async def test_a_channel_that_has_a_project_gets_no_second_one(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        ana = await make_person(session)
        first = await make_project(session, by=ana)
        channel = await make_channel(session)

        with pytest.raises(Conflict):
            await projects.begin(session, actor_of(ana), channel, name="Second", timezone="UTC", now=NOW)
        assert channel.project_id == first.id


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "A project needs a name"),
        (" \n", "A project needs a name"),
        ("x" * 81, "At most 80 characters"),
    ],
)
async def test_a_project_without_a_proper_name_is_refused(database: Database, name: str, sentence: str) -> None:
    async with database.unit(WORKSPACE) as session:
        with pytest.raises(InvalidFields, match=sentence) as refusal:
            await make_project(session, name=name)

    assert list(refusal.value.problems) == ["name"]


async def test_settings_are_stored_with_their_history(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        ana, _ = await make_person(session), await make_person(session, "ben")
        project = await make_project(session, by=ana)

        await change(session, ana, project, name="Move", coordinator_id="UBEN", timezone="Asia/Kolkata")

        assert (project.name, project.coordinator_id, project.timezone) == ("Move", "UBEN", "Asia/Kolkata")
        assert project.version == 2
        assert await history(session, project) == [
            (1, "UANA", "created", None, None, "Data centre move"),
            (2, "UANA", "changed", "name", "Data centre move", "Move"),
            (2, "UANA", "changed", "coordinator_id", "UANA", "UBEN"),
            (2, "UANA", "changed", "timezone", "Europe/Berlin", "Asia/Kolkata"),
        ]


async def test_settings_left_as_they_are_leave_no_trace(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        ana = await make_person(session)
        project = await make_project(session, by=ana)

        await change(session, ana, project)

        assert project.version == 1
        assert len(await history(session, project)) == 1


async def test_settings_seen_from_an_old_version_are_refused(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        ana = await make_person(session)
        project = await make_project(session, by=ana)
        await change(session, ana, project, name="First")

        with pytest.raises(Conflict, match="Somebody else changed the settings of First meanwhile"):
            await change(session, ana, project, version=1, name="Second")
        assert project.name == "First"


async def test_a_member_who_does_not_coordinate_may_not_change_settings(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        ben = await make_person(session, "ben")
        project = await make_project(session, by=await make_person(session))

        with pytest.raises(NotAllowed, match="Only the coordinator of Data centre move"):
            await change(session, ben, project, name="Mine")


async def test_a_member_takes_a_project_that_a_guest_began(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        ben = await make_person(session, "ben")
        project = await make_project(session, by=await make_person(session, "gus", is_guest=True))

        await change(session, ben, project, coordinator_id="UBEN")

        assert project.coordinator_id == "UBEN"


async def test_every_setting_is_stored_and_told_in_the_history(database: Database) -> None:
    wanted = {
        "sponsor_id": "UBEN",
        "working_days": "sun mon tue wed thu",
        "holiday_country": "DE",
        "holiday_subdivision": "BY",
        "days_off": "2026-12-24 2026-12-31",
        "who_may_edit": Editors.OWNERS,
        "may_others_log": True,
    }
    async with database.unit(WORKSPACE) as session:
        ana, _ = await make_person(session), await make_person(session, "ben")
        project = await make_project(session, by=ana)

        await change(session, ana, project, **wanted)

    async with database.unit(WORKSPACE, writes=False) as session:
        stored = (await session.exec(select(Project))).one()
        told = {field: after for _, _, _, field, _, after in (await history(session, stored))[1:]}
    assert {field: getattr(stored, field) for field in wanted} == wanted
    assert told == wanted


BAD_SETTINGS = {
    "no name": ({"name": " "}, ["name"]),
    "no zone": ({"timezone": None}, ["timezone"]),
    "an unknown zone": ({"timezone": "Europe/Atlantis"}, ["timezone"]),
    "a path for a zone": ({"timezone": "../../etc/passwd"}, ["timezone"]),
    "nobody": ({"coordinator_id": None}, ["coordinator_id"]),
    "a stranger": ({"coordinator_id": "UNOBODY"}, ["coordinator_id"]),
    "a guest": ({"coordinator_id": "UGUS"}, ["coordinator_id"]),
    "an app": ({"coordinator_id": "UROBOT"}, ["coordinator_id"]),
    "a guest for a sponsor": ({"sponsor_id": "UGUS"}, ["sponsor_id"]),
    "no working day": ({"working_days": ""}, ["working_days"]),
    "an unknown country": ({"holiday_country": "Atlantis", "holiday_subdivision": "BY"}, ["holiday_country"]),
    "a region elsewhere": ({"holiday_country": "US", "holiday_subdivision": "BY"}, ["holiday_subdivision"]),
    "a region of nowhere": ({"holiday_country": None, "holiday_subdivision": "BY"}, ["holiday_subdivision"]),
    "a calendar of days off": ({"days_off": "2026-12-24 " * 201}, ["days_off"]),
    "everything": (
        {"name": "", "timezone": "", "coordinator_id": "UGUS"},
        ["name", "coordinator_id", "timezone"],
    ),
}


@pytest.mark.parametrize(("values", "keys"), BAD_SETTINGS.values(), ids=BAD_SETTINGS.keys())
async def test_bad_settings_are_refused_each_beside_its_field(
    database: Database, values: dict[str, Any], keys: list[str]
) -> None:
    async with database.unit(WORKSPACE) as session:
        ana = await make_person(session)
        await make_person(session, "gus", is_guest=True)
        await make_person(session, "robot", is_bot=True)
        project = await make_project(session, by=ana)

        with pytest.raises(InvalidFields) as refusal:
            await change(session, ana, project, **values)

        assert list(refusal.value.problems) == keys
        assert project.version == 1


async def test_a_private_project_is_not_handed_to_somebody_who_cannot_see_it(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        ana, ben = await make_person(session), await make_person(session, "ben")
        channel = await make_channel(session, members=[ana], is_private=True)
        project = await make_project(session, by=ana, channel=channel)

        with pytest.raises(InvalidFields, match="Ben Example is not in this project's private channel"):
            await change(session, ana, project, coordinator_id="UBEN")
        await make_channel(session, members=[ana, ben], is_private=True)
        await change(session, ana, project, coordinator_id="UBEN")

        assert project.coordinator_id == "UBEN"
