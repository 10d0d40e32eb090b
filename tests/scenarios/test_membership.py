"""Who is in a channel when Slack's events get lost: right within a minute, for whoever acts and whoever is told."""

from datetime import timedelta

import pytest

from models.database_errors import DatabaseBusy
from tests.scenarios.house import House, shown
from tests.scenarios.steps import everything_shown_to, said

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)

SECRET = "Sell the old warehouse"
MINUTE = timedelta(seconds=61)


async def log_in_steering(house: House, words: str = SECRET) -> None:
    """A1 in the private channel, of which Steward knows the members."""
    ana = house.sandbox.person("ana")
    await ana.invite("#steering", "steward")
    await house.settled()
    await ana.command("#steering", "/action", words)
    await house.settled()


def leaves_unheard(house: House, name: str, channel: str = "steering") -> None:
    """The person leaves, and the event of it is lost."""
    house.sandbox.workspace.find_channel(channel).members.remove(house.sandbox.person(name).id)


def joins_unheard(house: House, name: str, channel: str = "steering") -> None:
    """The person joins, and the event of it is lost."""
    house.sandbox.workspace.find_channel(channel).members.append(house.sandbox.person(name).id)


def asked(house: House) -> int:
    """How often Slack was asked who is in a channel."""
    return sum(call.method == "conversations.members" for call in house.sandbox.calls)


async def test_whoever_left_unheard_sees_nothing_of_it_a_minute_later(house: House) -> None:
    """In a direct message, in a list and on Home."""
    ben = house.sandbox.person("ben")
    await log_in_steering(house, f"{SECRET} @ben")
    await ben.command("@Steward", "/steward", "A1")
    before = said(ben, "@Steward")
    told = len(ben.ephemerals("@Steward"))

    leaves_unheard(house, "ben")
    await house.sandbox.advance(MINUTE)
    for words in ("A1", "my", "list everywhere", "A1 done"):
        await ben.command("@Steward", "/steward", words)
    await ben.open_home()
    await house.settled()

    assert SECRET in before
    assert SECRET not in "".join(shown(message) for message in ben.ephemerals("@Steward")[told:])
    assert SECRET not in shown(ben.home or {})
    assert (await house.record("A1"))["status"] == "open"


async def test_whoever_joined_unheard_is_let_in_by_the_next_look(house: House) -> None:
    """The look goes on in the background, while nobody asks."""
    kavya = house.sandbox.person("kavya")
    await log_in_steering(house)

    joins_unheard(house, "kavya")
    await house.sandbox.advance(timedelta(seconds=31))
    await house.here.directory.refresh()
    await kavya.command("@Steward", "/steward", "A1")

    assert SECRET in said(kavya, "@Steward")


async def test_a_button_in_the_channel_works_for_whoever_joined_unheard(house: House) -> None:
    """What Slack last said of the channel is a minute old, so it is asked first."""
    kavya = house.sandbox.person("kavya")
    await log_in_steering(house)
    card = next(m for m in house.sandbox.person("ana").messages("#steering") if SECRET in shown(m))

    joins_unheard(house, "kavya")
    await house.sandbox.advance(MINUTE)
    await kavya.click(card, "step:done")
    await house.settled()

    assert (await house.record("A1"))["status"] == "done"


async def test_slack_is_not_asked_again_within_the_minute_nor_about_what_nothing_hangs_on(house: House) -> None:
    """An open project is everybody's, and a fresh answer is an answer."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await log_in_steering(house)
    await house.sandbox.person("kavya").command("#network", "/action", "Order two racks")
    await house.sandbox.advance(MINUTE)
    before = asked(house)

    for person in (ana, ben, ana, ben):
        await person.command("@Steward", "/steward", "A1")
    once = asked(house) - before
    for _ in range(3):
        await house.sandbox.person("kavya").command("#network", "/steward", "A2")

    assert once == 1
    assert asked(house) - before == 1


async def test_when_slack_does_not_say_what_it_last_said_holds(house: House) -> None:
    """Never more than that: who was not in it stays out; and the next minute it is asked again."""
    ben, kavya = house.sandbox.person("ben"), house.sandbox.person("kavya")
    await log_in_steering(house)
    await house.sandbox.advance(MINUTE)
    house.sandbox.fail("conversations.info", error="internal_error", times=2)

    leaves_unheard(house, "ben")
    await ben.command("@Steward", "/steward", "A1")
    as_known = said(ben, "@Steward")
    await kavya.command("@Steward", "/steward", "A1")

    assert SECRET in as_known
    assert "There is no A1 here that you can see" in said(kavya, "@Steward")


async def test_a_morning_message_asks_once_more_before_it_is_sent(house: House) -> None:
    """Rights are checked when it is owed and when it is sent."""
    ana, ben = house.sandbox.person("ana"), house.sandbox.person("ben")
    await log_in_steering(house, f"{SECRET} @ben by tomorrow")
    await ana.command("#network", "/action", "Order two racks @ben by tomorrow")
    await house.settled()
    told = len(ben.app_messages())

    leaves_unheard(house, "ben")
    for _ in range(2):
        await house.sandbox.next_morning("ben")
    await house.settled()

    since = "".join(shown(message) for message in ben.app_messages()[told:])
    assert "Order two racks" in since
    assert SECRET not in since


async def test_a_guest_who_left_unheard_sees_nothing_of_the_open_channel(house: House) -> None:
    """What a guest sees hangs on channels that are open to everybody else."""
    mia = house.sandbox.person("mia")
    await house.sandbox.person("kavya").command("#network", "/action", "Order two racks")

    leaves_unheard(house, "mia", "network")
    await house.sandbox.advance(MINUTE)
    await mia.command("@Steward", "/steward", "A1")

    assert "There is no A1 here that you can see" in said(mia, "@Steward")


async def test_a_guest_logs_by_form_in_an_open_channel_that_steward_is_not_in(house: House) -> None:
    """Slack tells the members of a public channel to anybody."""
    await house.sandbox.person("ana").invite("#random", "mia")
    mia = house.sandbox.person("mia")

    await mia.command("#random", "/issue", "")
    await mia.submit({"title": "The coffee machine is broken"})
    await mia.command("#random", "/steward", "I1")

    assert "The coffee machine is broken" in said(mia, "#random")


async def test_a_form_that_was_open_while_its_person_left_logs_nothing_there(house: House) -> None:
    """The form itself is no proof; what was typed stays in it."""
    ben = house.sandbox.person("ben")
    await log_in_steering(house)
    await ben.command("#steering", "/risk", "")

    leaves_unheard(house, "ben")
    await house.sandbox.advance(MINUTE)
    await ben.submit({"title": "No buyer may be found"})
    await house.settled()

    assert "Please open the form in the channel." in " ".join(ben.form_errors.values())
    assert [record["reference"] for record in (await house.export()).records] == ["A1"]
    assert SECRET not in everything_shown_to(ben)


async def test_what_a_busy_database_cannot_keep_is_asked_again_later(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def busy(*_: object) -> None:
        raise DatabaseBusy("Steward's database was busy.")

    network = house.sandbox.person("ana").channel("#network").id
    monkeypatch.setattr(house.here.directory, "_save_channel", busy)

    await house.here.directory.reread([network])

    assert f"channel {network} could not be read again" in caplog.text
