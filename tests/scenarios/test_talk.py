"""Comments and helpers: what people say about a record, and who works on it besides its owner."""

import pytest

from tests.scenarios.house import House, shown
from tests.scenarios.looking import answer, answered, card, held, offered
from tests.scenarios.test_commands import typed

sqlite_only = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


async def test_a_comment_stands_on_the_card_in_the_history_and_in_the_export(house: House) -> None:
    """By words and in the small form, in the order in which they were said; the record itself stays as it was."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await typed(house, ana, "/action Order cables @ana")

    told = await typed(house, ben, "/steward A1 comment Ask @kavya,\nshe has the *offer* & <prices>")
    await typed(house, ana, "/steward A1 note Second")
    await ben.click(card(ben, "A1"), "more", "comment A1")
    await ben.submit({"comment": "Third"})
    await house.settled()

    assert "Commented on A1" in told
    assert "3 comments, the last 2:\nAna Torres: \nSecond\nBen Fischer: \nThird" in shown(card(ana, "A1"))
    history = await typed(house, ana, "/steward A1 history")
    assert "Ask @Kavya Rao,\nshe has the *offer* & <prices>" in history
    assert history.index("Ask @") < history.index("Second") < history.index("Third")
    exported = (await house.export()).comments
    assert [(each["reference"], each["author"]) for each in exported] == [
        ("A1", ben.id),
        ("A1", ana.id),
        ("A1", ben.id),
    ]
    assert exported[0]["text"] == "Ask @Kavya Rao,\nshe has the *offer* & <prices>"
    assert (await house.record("A1"))["version"] == 1


@sqlite_only
async def test_a_comment_tells_its_owner_on_the_card_only(house: House) -> None:
    """No direct message: a conversation would flood the owner."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await typed(house, ana, "/action Order cables @ben")
    before = len(ben.app_messages())

    await typed(house, ana, "/steward A1 says Hurry, please")

    assert len(ben.app_messages()) == before
    assert "Ana Torres: \nHurry, please" in shown(card(ben, "A1"))


@sqlite_only
async def test_a_comment_is_reworded_by_its_author_only(house: House) -> None:
    """By a word or below its confirmation, in a form that holds it; the history keeps that it was."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await typed(house, ana, "/action Order cables")
    await typed(house, ben, "/steward A1 comment Ben has the qoute")
    confirmation = answer(ben)

    refused = await typed(house, ana, "/steward A1 reword")
    await ben.command("#network", "/steward", "A1 reword")
    before = held(ben.modal)
    await ben.submit({"comment": "Ben has the quote"})
    await house.settled()
    told = answered(ben)
    await ben.click(confirmation, "reword")
    await ben.submit({"comment": "Ben has two quotes"})
    await house.settled()

    assert "There is no comment of yours on A1." in refused
    assert before == {"comment": "Ben has the qoute"}
    assert "Reworded your comment on A1\nBen has the quote" in told
    assert "Ben Fischer: \nBen has two quotes" in shown(card(ana, "A1"))
    assert "commented, and reworded it\nBen has two quotes" in await typed(house, ana, "/steward A1 history")
    assert "1 found" in await typed(house, ana, '/steward find "two quotes"')
    assert "Nothing found" in await typed(house, ana, "/steward find qoute")
    [stored] = (await house.export()).comments
    assert stored["reworded_at"] is not None


@sqlite_only
async def test_a_comment_is_taken_back_and_brought_back_by_its_author_only(house: House) -> None:
    """Below its confirmation at any time, or by a word; history and export keep that there was one."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await typed(house, ana, "/action Order cables")
    await typed(house, ben, "/steward A1 comment The password is 1234")
    confirmation = answer(ben)

    refused = await typed(house, ana, "/steward A1 uncomment")
    await ben.click(confirmation, "uncomment")
    await house.settled()
    gone, gone_card = answered(ben), shown(card(ana, "A1"))
    history = await typed(house, ana, "/steward A1 history")
    await ben.click(answer(ben), "uncomment:redo")
    await house.settled()
    back = shown(card(ana, "A1"))
    await typed(house, ben, "/steward A1 uncomment")

    assert "There is no comment of yours on A1" in refused
    assert "Took back your comment on A1" in gone
    assert "1234" not in gone_card + history
    assert "commented, and took it back" in history
    assert "1 comment:\nBen Fischer: \nThe password is 1234" in back
    assert "1234" not in shown(card(ana, "A1"))
    assert (await house.export()).comments[0]["taken_back_at"] is not None


@sqlite_only
async def test_a_comment_needs_words_and_takes_three_thousand_characters(house: House) -> None:
    ana = house.sandbox.person("ana")
    await typed(house, ana, "/action Order cables")

    await typed(house, ana, "/steward A1 comment")
    assert ana.modal is not None
    refused = await ana.submit({"comment": " "})
    await ana.close()
    await typed(house, ana, "/steward A1 comment " + "é" * 3_000)
    too_long = await typed(house, ana, "/steward A1 comment " + "é" * 3_001)

    assert not refused.ok or "comment" in str(refused)
    assert "At most 3,000 characters; this has 3,001" in too_long
    assert len((await house.export()).comments) == 1
    assert "é" * 3_000 in await typed(house, ana, "/steward A1 history")


@sqlite_only
async def test_an_edit_begun_before_a_comment_is_saved_without_a_conflict(house: House) -> None:
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await typed(house, ana, "/action Order cables")

    await ana.command("#network", "/steward", "A1 edit")
    await typed(house, ben, "/steward A1 comment Which ones?")
    await ana.submit({"title": "Order fibre cables"})
    await house.settled()

    assert (await house.record("A1"))["title"] == "Order fibre cables"
    assert "Which ones?" in shown(card(ana, "A1"))


@sqlite_only
async def test_a_private_card_offers_only_what_its_reader_may_do(house: House) -> None:
    """The card of the channel has many readers and offers all of it; whoever may not is told whom to ask."""
    ana, ben, mia = (house.sandbox.person(name) for name in ("ana", "ben", "mia"))
    await typed(house, ana, "/decision Use fibre")

    await typed(house, ben, "/steward D1")
    for_ben = offered(answer(ben))
    await typed(house, mia, "/steward D1")
    refused = await typed(house, ben, "/steward D1 approve")

    assert "step:approve" in offered(card(ben, "D1"))
    assert for_ben == ["step:defer", "step:need", "edit", "comment", "history", "move", "watch"]
    assert offered(answer(mia)) == ["history", "watch"]
    assert "Ask Ana Torres, or a workspace admin." in refused


@sqlite_only
async def test_helpers_stand_on_the_card_and_find_the_record_among_their_own(house: House) -> None:
    """Set in the form; the owner stays the one who answers for it."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await typed(house, ana, "/action Order cables @ana")
    await typed(house, ana, "/action Something else @ana")
    await typed(house, ana, "/action Ben's own @ben")

    await typed(house, ana, "/steward A1 edit")
    await ana.click_view("more_fields")
    await house.settled()
    await ana.submit({"helpers": [ben.id]})
    await house.settled()

    assert "*Helpers*\nBen Fischer" in shown(card(ana, "A1"))
    mine = await typed(house, ben, "/steward my")
    assert "A1  Order cables\nnetwork · Ana Torres, you help" in mine
    assert "A3  Ben's own\nnetwork · Ben Fischer" in mine
    assert "Something else" not in mine
    assert "A1  Order cables" not in await typed(house, ben, "/steward list @me")
    assert (await house.record("A1"))["helpers"] == [ben.id]
