"""Finding records by their words: the same answers from both databases, whatever is typed and in whatever language."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from itertools import pairwise
from string import ascii_uppercase
from typing import Any

import pytest
from sqlalchemy import func, literal, select, text
from sqlmodel.ext.asyncio.session import AsyncSession

from bot import migrate
from models import comments, kinds, operations, search, sqlite
from models.database import Database
from models.filters import read_search, spelled_search
from models.kinds import Item
from models.permissions import actor_of
from models.words import joined_words_of, words_of
from reports.finding import excerpt, excerpts, found, sought_in
from reports.work import Page
from tests.support import NOW, WORKSPACE, make_channel, make_person, make_project, make_record, make_workspace, undo

ACTION, RISK, DECISION = kinds.KINDS[0], kinds.KINDS[1], kinds.KINDS[3]

# The titles and details of what there is, by reference.
STORED = {
    "A1": ("Order cables", "For the core switch in Berlin, 100% tested"),
    "A2": ("Fix the fail-over of the core-switch", ""),
    "A3": ("Réserver la salle à Besançon", "Straße, Ünïcode, Łódź"),
    "A4": ("交換機の故障を調べる", "メールで報告"),
    "A5": ("🔥 Drill 👩🏽‍💻 in Москва", "Ёлка и йод; see A-12 or a.b@example.com"),
    "A6": ("Say 'AND' or OR not NOT near", 'C:\\temp <script> O’Brien\'s "quoted" 5" disk_a'),
    "A7": ("ตรวจสอบเครือข่าย", "שלום עולם مرحبا"),
    "A8": ("Core routers and their switches", ""),
    "A9": ("Gələn kΩ", "10μm, x‑βeta"),
}

# What is typed, and what is found.
CASES: dict[str, str] = {
    "cables": "A1",
    "CABLES": "A1",
    "cab": "A1",
    "ables": "",
    "core switch": "A1 A2 A8",
    '"core switch"': "A1 A2",
    '"switch core"': "",
    '"order cables for"': "",
    "berlin order": "A1",
    "failover": "A2",
    "fail-over": "A2",
    "over": "A2",
    "core-switch": "A1 A2",
    "100%": "A1",
    "10": "A1 A9",
    "switc": "A1 A2 A8",
    "switches": "A8",
    "g": "A9",
    "gə": "A9",
    "gel": "",
    "gələ": "A9",
    "k": "A9",
    "ΚΩ": "",
    "kω": "A9",
    "x": "A9",
    "xβ": "A9",
    "%": "-",
    "reserver besancon": "A3",
    "RÉSERVER": "A3",
    "re\u0301server": "A3",
    "strasse unicode lodz": "A3",
    "交換": "A4",
    "換機": "A4",
    "障": "A4",
    "調べる": "A4",
    "機交": "",
    "ﾒｰﾙ": "A4",
    "🔥": "A5",
    "👩‍💻": "A5",
    "🧯": "",
    "москва": "A5",
    "елка": "A5",
    "a-12": "A5",
    "A5": "A5",
    "a-5": "A5",
    "example.com": "A5",
    "a.b@example.com": "A5",
    "AND": "A6 A8",
    "NOT NEAR OR": "A6",
    "obrien": "A6",
    "o'brien": "A6",
    '5"': "A6",
    "*": "-",
    '"': "-",
    "ca*": "A1",
    "title:cables": "",
    "'": "-",
    "\\": "-",
    "c:\\temp": "A6",
    "&": "-",
    "<script>": "A6",
    "disk_a": "A6",
    "' OR 1=1 --": "",
    "cables) OR (and": "",
    "เครือข่าย": "A7",
    "שלום": "A7",
    "שָׁלוֹם": "A7",
    "مرحبا": "A7",
    "": "-",
    "‖": "-",
    "x" * 5000: "",
}


async def fill(session: AsyncSession) -> None:
    await make_workspace(session)
    for title, details in STORED.values():
        await make_record(session, ACTION, title=title, details=details)


async def references(session: AsyncSession, line: str, who: str = "ana", **standing: Any) -> list[str]:
    """What that person finds, best first; a dash where there is nothing to look for."""
    search = read_search([line])
    if not sought_in(search):
        return ["-"]
    actor = actor_of(await make_person(session, who, **standing))
    page = await found(session, actor, search, now=NOW)
    assert page.total == len(page.lines)
    return [line.item.reference for line in page.lines]


async def test_what_is_typed_finds_the_same_in_both_databases(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        await fill(session)
        seen = {typed: sorted(await references(session, typed)) for typed in CASES}

    assert seen == {typed: wanted.split() for typed, wanted in CASES.items()}


async def test_titles_come_before_other_texts_and_whole_words_before_beginnings(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        for title, details in (
            ("Nothing of it", "a switch"),
            ("Switches", ""),
            ("Switch", ""),
            ("Switch", "an older one"),
        ):
            await make_record(session, ACTION, title=title, details=details)
        item, project = await operations.find(session, actor_of(await make_person(session)), ACTION, 3)
        done = ACTION.step_named("done")
        assert done is not None
        await operations.take_step(session, actor_of(await make_person(session)), item, project, done, now=NOW, via="")

        assert await references(session, "switch") == ["A4", "A3", "A2", "A1"]
        assert await references(session, "switch open") == ["A4", "A2", "A1"]
        assert await references(session, "switch closed") == ["A3"]
        assert await references(session, 'switch "older"') == ["A4"]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_pages_of_what_is_found_leave_nothing_out_and_end_with_what_is_counted(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database.unit(WORKSPACE) as session:
        for number in range(7):
            await make_record(session, (ACTION, RISK)[number % 2], title=f"Switch {number}")
        ana = actor_of(await make_person(session))

        async def page(number: int) -> Page:
            return await found(session, ana, read_search(["switch"]), now=NOW, number=number, size=3)

        whole = [await page(number) for number in range(3)]
        monkeypatch.setattr("reports.finding.MOST_COUNTED", 5)
        cut = [await page(number) for number in (0, 1, 2)]
        monkeypatch.undo()
        beyond = await page(7)

    shown = [[line.item.reference for line in each.lines] for each in (*whole, *cut, beyond)]
    assert shown[:3] == [["A4", "R3", "A3"], ["R2", "A2", "R1"], ["A1"]]
    assert shown[3:6] == [["A4", "R3", "A3"], ["R2", "A2"], ["R2", "A2"]]
    assert shown[6] == shown[0], "as many as there were are there no more"
    assert [(each.number, each.total, each.is_cut) for each in (*whole, *cut, beyond)] == [
        (0, 7, False),
        (1, 7, False),
        (2, 7, False),
        (0, 5, True),
        (1, 5, True),
        (1, 5, True),
        (0, 7, False),
    ]


async def test_filters_go_with_the_words(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        ben = await make_person(session, "ben")
        await make_channel(session, members=[ben])
        await make_project(session)
        await make_record(session, RISK, title="Core switch is late", tags="network", probability=4, impact=4)
        await make_record(session, RISK, title="Core switch breaks", tags="pilot", owner_id=ben.id)
        await make_record(session, ACTION, title="Order the core switch", tags="network")

        assert await references(session, '"core switch" risks #network') == ["R1"]
        assert await references(session, "core switch >=12") == ["R1"]
        assert await references(session, "core risk switch") == []
        assert sorted(await references(session, "switch #network")) == ["A1", "R1"]
        assert await references(session, "pilot") == ["R2"]
        assert await references(session, "core !normal @nobody risks") == ["R1"]


@pytest.mark.parametrize("kind", kinds.KINDS, ids=lambda kind: kind.key)
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_every_text_of_every_kind_is_found_and_follows_each_change(database: Database, kind: kinds.Kind) -> None:
    """Through creating, changing, undoing, removing and bringing back, whatever the path."""
    texts = {field.key: f"word{field.key}s of it" for field in kind.all_fields if field.is_text and not field.by_step}
    async with database.unit(WORKSPACE) as session:
        ana = await make_person(session)
        item = await make_record(session, kind, **texts, tags="pilot")
        actor, project = actor_of(ana), (await operations.find(session, actor_of(ana), kind, 1))[1]

        async def finds(word: str) -> bool:
            await session.flush()
            return await references(session, word) == [item.reference]

        for key in texts:
            assert await finds(f"word{key}")
            changed = {key: "something new entirely"}
            version = item.record.version
            await operations.change(session, actor, item, project, changed, version=version, now=NOW, via="test")
            assert not await finds(f"word{key}")
            assert await finds("entirely")
            await undo(session, actor, item, project, version=item.record.version)
            assert await finds(f"word{key}")
            assert not await finds("entirely")
        await operations.change(
            session, actor, item, project, {"tags": "cutover"}, version=item.record.version, now=NOW, via="test"
        )
        assert await finds("cutover")
        assert not await finds("pilot")
        await operations.archive(session, actor, item, project, now=NOW, via="test")
        assert not await finds("cutover")
        await undo(session, actor, item, project, version=item.record.version)
        assert await finds("cutover")


async def test_only_what_one_may_see_is_found_and_nothing_of_another_workspace(database: Database) -> None:
    async with database.unit("T0002") as session:
        await fill(session)
    async with database.unit(WORKSPACE) as session:
        ana, ben = await make_person(session), await make_person(session, "ben")
        secret = await make_channel(session, "secret", members=[ben], is_private=True)
        project = await make_project(session, by=ben, channel=secret, name="Secret")
        await make_record(session, ACTION, project=project, by=ben, title="Order cables in secret")
        await make_record(session, ACTION, by=ana, title="Order cables for all")

        assert await references(session, "cables") == ["A2"]
        assert sorted(await references(session, "cables", "ben")) == ["A1", "A2"]
        assert await references(session, "secret") == []
        assert await references(session, "cables", "gus", is_guest=True) == []


async def test_comments_are_found_beside_the_record_and_not_once_they_are_taken_back(database: Database) -> None:
    """A word of the record and a word of a comment together; with the place where it stands."""
    async with database.unit("T0002") as session:
        await fill(session)
        other = await make_person(session)
        item, project = await operations.find(session, actor_of(other), ACTION, 1)
        await comments.add(session, actor_of(other), item, project, "Ben has the quote", now=NOW)
    async with database.unit(WORKSPACE) as session:
        await fill(session)
        ana = actor_of(await make_person(session))
        item, project = await operations.find(session, ana, ACTION, 1)
        said = await comments.add(session, ana, item, project, "Ben has the Zürich-Quote by now", now=NOW)
        await comments.add(session, ana, item, project, "—, not any cables", now=NOW)

        assert await references(session, "cables quote") == ["A1"]
        assert await references(session, "cables") == ["A1"]
        assert await references(session, "cables actions risks") == ["A1"]
        assert await references(session, '"has the zurich-quote"') == ["A1"]
        assert await references(session, '"cables ben"') == []
        sought = sought_in(read_search(["cables quote"]))
        place = (await excerpts(session, [item], sought))["A1"]
        assert place is not None
        assert (place.label, place.match) == ("Comment", "Zürich-Quote")
        await comments.take_back(session, ana, item, project, said, now=NOW)
        assert await references(session, "cables quote") == []


async def test_a_text_that_is_as_long_as_can_be_is_stored_and_found(database: Database) -> None:
    """PostgreSQL's index takes a megabyte a record: what is beyond is stored all the same."""
    han = "".join(chr(0x4E00 + at * 7 % 20_000) for at in range(operations.LONG_TEXT_MAX))
    longest = {field.key: han for field in DECISION.all_fields if field.type == "long_text" and not field.by_step}
    async with database.unit(WORKSPACE) as session:
        item = await make_record(session, DECISION, title="Long", **longest)

        assert await references(session, han[5:9]) == ["D1"]
        assert len(item.record.words) <= search.MOST_INDEXED


def test_records_from_before_there_was_an_index_are_found_after_the_upgrade(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "AT_ONCE", 1)

    async def store() -> None:
        async with Database(database_url) as database:
            async with database.unit(WORKSPACE) as session:
                await fill(session)
                ana = actor_of(await make_person(session))
                item, project = await operations.find(session, ana, ACTION, 4)
                for said in ("No switch either", "—"):
                    await comments.add(session, ana, item, project, said, now=NOW)
            async with database.unit("T0002") as session:
                await make_record(session, RISK, title="Switch of others")

    async def finds(line: str) -> list[str]:
        async with Database(database_url) as database, database.unit(WORKSPACE) as session:
            return sorted(await references(session, line))

    asyncio.run(store())
    migrate.downgrade(database_url, "0009")
    migrate.upgrade(database_url)

    assert asyncio.run(finds("switch")) == ["A1", "A2", "A4", "A8"]


def test_words_from_before_parts_of_them_were_words_are_indexed_anew_by_the_upgrade(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def store() -> None:
        async with Database(database_url) as database, database.unit(WORKSPACE) as session:
            await fill(session)
            item, project = await operations.find(session, actor_of(await make_person(session)), ACTION, 1)
            await comments.add(session, actor_of(await make_person(session)), item, project, "In kΩ", now=NOW)

    async def finds(line: str) -> list[str]:
        async with Database(database_url) as database, database.unit(WORKSPACE) as session:
            return sorted(await references(session, line))

    with monkeypatch.context() as before:
        before.setattr(search, "_further_words_of", joined_words_of)
        migrate.downgrade(database_url, "0027")
        asyncio.run(store())
    migrate.upgrade(database_url)

    assert asyncio.run(finds("k")) == ["A1", "A9"]


async def test_an_index_lookup_answers_and_no_walk_through_the_records(database: Database) -> None:
    """In a workspace of any size; on PostgreSQL once there are more than a few."""
    async with database.unit(WORKSPACE) as session:
        await fill(session)
    if not database.is_sqlite:
        return
    async with database.engine.connect() as connection:
        plan = await connection.execute(
            text(
                "EXPLAIN QUERY PLAN SELECT count(*) FROM record WHERE workspace_id = 'T' AND id IN "
                "(SELECT rowid FROM record_words WHERE record_words MATCH 'x')"
            )
        )
        steps = [row[-1] for row in plan]

    assert steps[0] == "SEARCH record USING INTEGER PRIMARY KEY (rowid=?)"


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("most", [2, 100])
async def test_whole_words_in_place_of_a_beginning_give_what_the_beginning_gives(
    database: Database, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """Of few words that begin so, and of so many that the beginning itself is asked for."""
    monkeypatch.setattr(sqlite, "MOST_WORDS", most)
    async with database.unit(WORKSPACE) as session:
        await fill(session)
        for title in ("Routes", "Core router", "Cores of rooms", "交換 交差 交"):
            await make_record(session, ACTION, title=title)
    begun = sorted({word[:size] for text in STORED.values() for word in words_of(" ".join(text)) for size in (1, 2, 4)})
    questions = [f'(("{one}"*) AND (("{other}"*) OR ("{one}" AND "core"*)))' for one, other in pairwise([*begun, "zz"])]

    with closing(sqlite3.connect(str(database.url.database))) as connection:
        sqlite.add_functions(connection)
        asked = [sqlite.in_whole_words(connection, "record_words", question) for question in questions]
        answers = [
            [connection.execute(MATCHING, (question,)).fetchall() for question in each] for each in (questions, asked)
        ]

    assert answers[0] == answers[1]
    assert any(answers[0])
    assert any("*" in each for each in asked) == (most == 2)


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_postgresql_indexes_words_as_it_is_asked_for_them_and_not_among_what_begins_with_them(
    database: Database,
) -> None:
    """So it finds what has several whole words without gathering all that has one of them."""
    stored = [words_of(" ".join(texts)) for texts in STORED.values()]
    words = {*(word for each in stored for word in each), "a", "a1", "1a", "aß1βc", search.in_title(RISK, "switch")}
    async with database.engine.connect() as connection:
        indexed = await connection.scalar(select(func.tsvector_to_array(search._Vector(literal(" ".join(words))))))

    assert set(indexed) == {search._word_in_postgresql(word).strip("'") for word in words}
    for word in words:
        whole, longer = (part.strip("()':*") for part in search._beginning_in_postgresql(word).split(" | "))
        assert whole.startswith(longer) is (whole[-1] not in ascii_uppercase)


MATCHING = "SELECT rowid FROM record_words WHERE record_words MATCH ? ORDER BY rowid DESC"


@pytest.mark.parametrize(
    ("details", "typed", "shown"),
    [
        ("For the core switch in Berlin", "switch", ("Details", "For the core ", "switch", " in Berlin")),
        ("For the core switch", "order", None),
        ("x " * 100 + "the Café\nhere " + "y " * 100, "cafe", ("Details", "…x", "Café", " here y")),
        ("交換機の故障を調べる", "故障", ("Details", "", "交換機の故障を調べる", "")),
        ("see fail-over", "failover order", ("Details", "see ", "fail-over", "")),
        ("", "pilot", ("Tags", "", "#pilot", "")),
    ],
)
def test_an_excerpt_shows_where_the_words_stand(details: str, typed: str, shown: Sequence[str] | None) -> None:
    record = operations.Record(
        project_id=1,
        channel_id="C",
        kind="action",
        number=1,
        title="Order",
        details=details,
        tags="pilot",
        status="open",
    )
    item = Item(ACTION, record, ACTION.model())
    search.index(item)

    found_at = excerpt(item, sought_in(read_search([typed])))

    if shown is None:
        assert found_at is None
        return
    assert found_at is not None
    assert found_at.label == shown[0]
    assert found_at.before.startswith(shown[1][:3])
    assert found_at.match == shown[2]
    assert found_at.after.startswith(shown[3])


@pytest.mark.parametrize(
    "line", ['core switch "in Berlin" risks #network', '5" disk', "open", '"open"', "@me closed !high cab", "a,b; c"]
)
def test_a_search_survives_being_spelled(line: str) -> None:
    search = read_search([line])

    assert read_search(spelled_search(search)) == search


def test_words_hold_nothing_that_a_question_could_be_made_of() -> None:
    everything = "".join(chr(point) for point in range(0x20000) if not 0xD800 <= point < 0xE000)

    words = [*words_of(everything), *joined_words_of(everything)]
    assert {char for word in words for char in word if char.isascii() and not char.isalnum()} == set()
