"""What an interaction costs in SQL statements: a small number that does not grow with the data.

BEGIN and COMMIT are not counted, nor is what happens afterwards (cards, other people's Home).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date

import pytest
from sqlalchemy import event
from sqlmodel import select

from models import directory, operations
from models.kinds.action import ACTION
from models.kinds.decision import DECISION
from models.kinds.issue import ISSUE
from models.kinds.risk import RISK
from models.permissions import actor_of
from models.tables import Project
from sandbox.driver import Driver
from tests.scenarios.house import House

Act = Callable[[Driver], Awaitable[object]]


async def _save_another_title(ana: Driver) -> None:
    assert ana.modal is not None
    await ana.submit({"title": f"Order the racks of {ana.modal['id']}"})


async def _react_to_a_new_message(ana: Driver) -> None:
    message = await ana.say("#network", "We run out of sockets")
    await ana.react("#network", message["ts"], "warning")


# What is done -> how it is prepared, how it is done, and the statements it takes.
COSTS: dict[str, tuple[Act | None, Act, int]] = {
    "create by words": (
        None,
        lambda ana: ana.command("#network", "/action", "Order racks @ben by 2099-03-05 !high"),
        9,
    ),
    "open the form": (None, lambda ana: ana.command("#network", "/action", ""), 1),
    "step": (None, lambda ana: ana.command("#network", "/steward", "A1 done"), 8),
    "open the edit form": (None, lambda ana: ana.command("#network", "/steward", "A1 edit"), 2),
    "save the edit form": (lambda ana: ana.command("#network", "/steward", "A1 edit"), _save_another_title, 8),
    "list": (None, lambda ana: ana.command("#network", "/steward", "list"), 8),
    "find": (None, lambda ana: ana.command("#network", "/steward", "find rack look"), 9),
    "list of projects": (None, lambda ana: ana.command("#network", "/steward", "projects"), 5),
    "open the settings": (None, lambda ana: ana.command("#network", "/steward", "settings"), 2),
    # The person, the project, its numbers and lists, the records, one for each kind among them, stand-ups, headline.
    "summary": (None, lambda ana: ana.command("#network", "/steward", "summary"), 10),
    "portfolio": (None, lambda ana: ana.command("#network", "/steward", "portfolio"), 7),
    "save the settings": (
        lambda ana: ana.command("#network", "/steward", "settings"),
        lambda ana: ana.submit({"name": "network"}),
        3,
    ),
    "bind a channel": (
        lambda ana: ana.command("#general", "/steward", "unbind"),
        lambda ana: ana.command("#general", "/steward", "bind network"),
        15,
    ),
    "words in a direct message": (
        lambda ana: ana.command("@Steward", "/steward", "switch network"),
        lambda ana: ana.command("@Steward", "/action", "Order racks"),
        9,
    ),
    "show": (None, lambda ana: ana.command("#network", "/steward", "A1"), 5),
    "history": (None, lambda ana: ana.command("#network", "/steward", "A1 history"), 4),
    "comment": (None, lambda ana: ana.command("#network", "/steward", "A1 comment Seen"), 5),
    "change by words": (
        lambda ana: ana.command("#network", "/steward", "A1 !high"),
        lambda ana: ana.command("#network", "/steward", "A1 !low because it can wait"),
        7,
    ),
    "mention": (None, lambda ana: ana.say("#network", "@Steward action Order racks @ben by 2099-03-05 !high"), 10),
    "reaction": (None, _react_to_a_new_message, 10),
    # Two are the edge's, one is for whom, four are asked for the whole tab, and one for each kind that stands on it.
    "home": (None, lambda ana: ana.open_home(), 10),
}


@asynccontextmanager
async def counted(house: House) -> AsyncIterator[list[str]]:
    """The statements that the edge executes meanwhile, for people's requests and nothing else."""
    found: list[str] = []
    engine = house.steward.database.engine.sync_engine

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        task = asyncio.current_task()
        work = getattr(task.get_coro(), "__qualname__", "") if task else ""
        if work.startswith("Edge.") and not statement.startswith(("BEGIN", "PRAGMA")):
            found.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def store_records(house: House, number: int) -> None:
    """So many more records, of each kind, Ana's and Ben's, straight into the database and without cards."""
    owners = [house.sandbox.person(name).id for name in ("ana", "ben")]
    async with house.steward.database.unit(house.sandbox.team_id) as session:
        ana = await directory.person(session, owners[0])
        assert ana is not None
        project = (await session.exec(select(Project))).one()
        for n in range(number):
            await operations.create(
                session,
                actor_of(ana),
                (ACTION, RISK, ISSUE, DECISION)[n % 4],
                {"title": f"Look at rack {n}", "owner_id": owners[n % 2], "due_date": date(2099, 3, 5)},
                project=project,
                channel_id=project.home_channel_id,
                now=house.sandbox.clock.now(),
                via="test",
                owes_card=False,
            )
    await house.settled()


# What reads asks the same on both engines, so on PostgreSQL it is enough to look at the busiest. What is stored there
# without anything to learn from it goes in one statement, which is another number for whatever stores.
ON_BOTH = {"create by words": 5, "list": 8, "find": 9, "home": 10, "summary": 10}
EACH = [*(("sqlite", name) for name in COSTS), *(("postgresql", name) for name in ON_BOTH)]


@pytest.mark.parametrize(("engine", "name"), EACH, indirect=["engine"])
async def test_an_interaction_takes_a_fixed_number_of_statements(engine: str, house: House, name: str) -> None:
    """The same with one record of each kind and with many."""
    prepare, act, most = COSTS[name]
    if engine == "postgresql":
        most = ON_BOTH[name]
    ana = house.sandbox.person("ana")
    await ana.command("#network", "/action", "Look at the racks by 2099-03-05")
    await store_records(house, 8)
    await ana.open_home()
    await house.settled()

    taken = []
    for more in (0, 16):
        await store_records(house, more)
        await ana.command("#network", "/steward", "A1 reopen")
        if prepare is not None:
            await prepare(ana)
        async with counted(house) as statements:
            await act(ana)
            await house.settled()
        taken.append(statements)
        await ana.close(clear=True)

    few, many = taken
    assert len(few) == len(many), "\n".join(many)
    assert len(few) == most, "\n".join(few)
    assert name != "create by words" or len(few) <= 9
