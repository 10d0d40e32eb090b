"""Tokens at rest: what is stored shows none, opens with our keys only, and only as what it was sealed for."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet

from bot import sealing
from bot.sealing import CannotOpen, Seal, Tokens, new_key
from models import installations
from models.database import Database
from tests.support_installations import an_installation

TOKENS = Tokens("xoxb-hunter2", "xoxe-1-hunter2")

OLD, NEW = new_key(), new_key()


def test_tokens_open_as_they_were_and_what_is_stored_shows_none() -> None:
    sealed = Seal([NEW]).seal("T0001", TOKENS)

    assert Seal([NEW]).open(an_installation(sealed_tokens=sealed)) == TOKENS
    assert "hunter2" not in sealed
    assert "hunter2" not in f"{TOKENS} {an_installation(sealed_tokens=sealed)!r}"
    assert sealed not in f"{an_installation(sealed_tokens=sealed)!r}"
    assert Seal([NEW]).seal("T0001", TOKENS) != sealed


def test_an_older_key_still_opens_and_the_newest_seals() -> None:
    old = an_installation(sealed_tokens=Seal([OLD]).seal("T0001", TOKENS))
    both = Seal([NEW, OLD])

    assert both.open(old) == TOKENS
    assert not both.is_newest(old)
    assert Seal([NEW]).open(an_installation(sealed_tokens=both.seal("T0001", TOKENS))) == TOKENS


@pytest.mark.parametrize(
    ("stored", "told"),
    [
        (Seal([OLD]).seal("T0001", TOKENS), "Put the key they were sealed with back into it"),
        (Seal([NEW]).seal("T0002", TOKENS), "were sealed for another installation"),
        ("", "do not open with the keys in STEWARD_ENCRYPTION_KEYS"),
        ("nonsense", "do not open with the keys in STEWARD_ENCRYPTION_KEYS"),
        (Fernet(OLD).encrypt(b"{}").decode(), "do not open with the keys in STEWARD_ENCRYPTION_KEYS"),
    ],
    ids=["another key", "a moved row", "nothing", "nonsense", "somebody else's"],
)
def test_what_is_not_ours_to_open_is_refused_in_words(stored: str, told: str) -> None:
    with pytest.raises(CannotOpen, match=told) as refused:
        Seal([NEW]).open(an_installation(sealed_tokens=stored))

    assert "T0001" in str(refused.value)
    assert "hunter2" not in str(refused.value)
    assert NEW not in str(refused.value)


async def test_everything_is_sealed_anew_once_and_a_second_time_changes_nothing(database: Database) -> None:
    for number in range(3):
        sealed = Seal([OLD]).seal(f"T{number}", Tokens(f"xoxb-{number}"))
        await installations.save(database, an_installation(f"T{number}", sealed_tokens=sealed))
    await installations.save(database, an_installation("T9", sealed_tokens=None))

    renewed = await sealing.renew(database, Seal([NEW, OLD]))
    again = await sealing.renew(database, Seal([NEW, OLD]))

    assert (renewed, again) == (3, 0)
    stored = await installations.everywhere(database)
    assert [Seal([NEW]).open(each).access for each in stored[:3]] == ["xoxb-0", "xoxb-1", "xoxb-2"]
    assert stored[3].sealed_tokens is None


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_sealing_anew_waits_for_tokens_that_are_being_exchanged(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the new ones, which Slack gives once, would find another row than they were exchanged for."""
    seal, wall = Seal([NEW, OLD]), sealing.SystemClock().now()
    before = an_installation(sealed_tokens=Seal([OLD]).seal("T0001", TOKENS))
    await installations.save(database, before)
    assert await installations.lease(database, before, wall=wall, until=wall + timedelta(hours=1))
    waited = asyncio.Event()
    monkeypatch.setattr(sealing.asyncio, "sleep", _noting(waited))

    renewing = asyncio.create_task(sealing.renew(database, seal))
    async with asyncio.timeout(30):
        await waited.wait()
    stored = Seal([OLD]).seal("T0001", Tokens("xoxb-exchanged"))
    assert await installations.renew(database, before, sealed_tokens=stored, refreshing_until=None)

    assert await renewing == 1
    [after] = await installations.everywhere(database)
    assert Seal([NEW]).open(after).access == "xoxb-exchanged"


def _noting(waited: asyncio.Event, sleep: Callable[..., object] = asyncio.sleep) -> Callable[..., object]:
    def noted(seconds: float) -> object:
        waited.set()
        return sleep(0)

    return noted
