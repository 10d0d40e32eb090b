"""Amounts as people type them, and as both databases keep them."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import select

from models.database import Database
from models.errors import InvalidFields, Unread
from models.kinds.risk import RISK, Risk, exposure
from models.money import CURRENCIES, Money, read_money
from tests.support import WORKSPACE, make_project, make_record


@pytest.mark.parametrize(
    ("typed", "amount"),
    [
        *(("1.200,50 EUR", "1200.50 EUR"), ("EUR 1200", "1200.00 EUR"), ("1,200.50", "1200.50 EUR")),
        *(("€ 1.200.000", "1200000.00 EUR"), ("1 200,5€", "1200.50 EUR"), ("1'200.50 chf", "1200.50 CHF")),
        *(("1200.5 EUR", "1200.50 EUR"), ("12,5", "12.50 EUR"), ("5k", "5000.00 EUR"), ("1.5k USD", "1500.00 USD")),
        *(("1,200 JPY", "1200 JPY"), ("0.500", "0.50 EUR"), ("1 KWD", "1.0000 KWD"), ("3 KRW", "3 KRW")),
    ],
)
def test_an_amount_is_read_however_it_is_written(typed: str, amount: str) -> None:
    assert str(read_money(typed, "EUR")) == amount


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("1.200", "may mean 1200 or 1.2"),
        ("1,200 USD", "may mean 1200 or 1.2"),
        ("1.250k", "may mean 1250000 or 1250"),
        ("$ 5", "stands for several currencies"),
        ("5 XYZ", "is no currency that I know"),
        ("EUR 5 USD", "names two currencies"),
        ("1.200.00", "look at its points and commas"),
        ("1 2", "look at its points and commas"),
        ("1.2345", "more decimals than EUR has"),
        ("-5", "not below zero"),
        ("9999999999999999", "more than 15 digits"),
        ("a lot", "I can't read"),
    ],
)
def test_what_may_mean_two_things_or_nothing_is_asked_about(typed: str, said: str) -> None:
    with pytest.raises(Unread, match=said):
        read_money(typed, "EUR")


def test_without_a_currency_of_the_project_one_has_to_be_typed() -> None:
    with pytest.raises(Unread, match="In which currency"):
        read_money("1200", None)
    assert read_money("$1200", "CAD") == Money.of(Decimal(1200), "CAD")


@settings(deadline=None)
@given(st.decimals(0, 10**12, places=4), st.sampled_from(sorted(CURRENCIES)))
def test_what_is_shown_and_what_is_stored_are_read_as_the_same_amount(amount: Decimal, currency: str) -> None:
    money = Money.of(amount, currency)

    assert read_money(money.shown, None) == read_money(str(money), None) == Money.stored(str(money)) == money


async def test_an_amount_comes_back_from_the_database_to_the_last_digit(database: Database) -> None:
    """A tenth is no binary fraction, and the second amount is too long for one."""
    for typed, stored in (("0.10 EUR", "0.10 EUR"), ("9007199254740.93 EUR", "9007199254740.93 EUR")):
        async with database.unit(WORKSPACE) as session:
            item = await make_record(session, RISK, cost=typed)
        async with database.unit(WORKSPACE, writes=False) as session:
            risk = (await session.exec(select(Risk).where(Risk.record_id == item.record.id))).one()
            assert str(risk.cost) == stored


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_an_amount_without_a_code_is_in_the_projects_currency(database: Database) -> None:
    async with database.unit(WORKSPACE) as session:
        project = await make_project(session)
        with pytest.raises(InvalidFields) as refusal:
            await make_record(session, RISK, project=project, cost="1200", contingency_budget="1.200 EUR")
        assert set(refusal.value.problems) == {"cost", "contingency_budget"}

        project.currency = "SEK"
        item = await make_record(session, RISK, project=project, cost="1200", contingency_budget=" ")

        assert (item.value("cost").shown, item.value("contingency_budget")) == ("SEK 1,200.00", None)


@pytest.mark.parametrize(
    ("probability", "worth"), [(1, "100.05"), (2, "300.14"), (3, "500.23"), (4, "700.32"), (5, "900.41")]
)
def test_exposure_is_probability_times_cost_rounded_as_money_is(probability: int, worth: str) -> None:
    assert str(exposure(probability, Money(Decimal("1000.45"), "EUR"))) == f"{worth} EUR"


def test_half_an_exposure_is_none() -> None:
    assert exposure(None, Money(Decimal(1), "EUR")) is exposure(3, None) is None
