"""Amounts of money: an exact decimal number and its currency, as people type them.

A typed amount that may mean two things is asked about, never guessed: "1.200" may be one thousand two hundred, or one
and a fifth. Amounts are stored as text, "1200.50 EUR", on both databases: SQLite has no decimal numbers, so that a
number there would come back as a binary fraction that is nearly the amount.
"""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from sqlalchemy import String
from sqlalchemy.types import TypeDecorator

from models.errors import Unread

MOST_DIGITS: Final = 15


def _codes(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


# ISO 4217: the currencies that are legal tender somewhere, without those of metals and funds.
CURRENCIES: Final = _codes(
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF "
    "CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG "
    "HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA "
    "MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD "
    "RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX "
    "USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG"
)
_NO_CENTS: Final = _codes("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF")
# Paid in thousandths; written with four decimals, so that nobody takes 1.200 for thousands.
_THOUSANDTHS: Final = _codes("BHD IQD JOD KWD LYD OMR TND")

# Signs that mean one currency, and those that mean several: the project's, where it is one of them.
_SIGNS: Final = {"€": "EUR", "£": "GBP", "₹": "INR", "₺": "TRY", "₪": "ILS", "₴": "UAH", "₩": "KRW"}
_SHARED_SIGNS: Final = {
    "$": _codes(
        "AUD BBD BMD BND BSD BZD CAD CLP COP CVE DOP FJD GYD HKD JMD KYD LRD MXN NAD NZD SBD SGD SRD TTD TWD USD UYU "
        "XCD"
    ),
    "¥": _codes("CNY JPY"),
}

_TYPED: Final = re.compile(
    r"(?P<before>[^\d\s.,'’-]*)\s*(?P<number>\d[\d\s.,'’]*?)\s*(?P<kilo>k(?![^\W\d]))?\s*(?P<after>[^\d\s.,]*)",
    re.IGNORECASE,
)
_GAPS: Final = re.compile(r"(?<=\d)[\s'’](?=\d{3}(?!\d))")
# Thousands in groups of three behind one and the same mark, then perhaps decimals behind the other one.
_NUMBER: Final = re.compile(
    r"(?P<whole>\d+|\d{1,3}(?P<mark>[.,])\d{3}(?:(?P=mark)\d{3})*)(?:(?!(?P=mark))[.,](?P<decimals>\d+))?"
)
_EITHER: Final = re.compile(r"([1-9]\d{0,2})[.,](\d{3})")
EXAMPLE: Final = "“EUR 1200” or “1200.50 EUR”"


@dataclass(frozen=True)
class Money:
    """An amount with as many decimals as its currency has."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        """As it is stored and exported: `1200.50 EUR`."""
        return f"{self.amount} {self.currency}"

    @property
    def shown(self) -> str:
        """As a person reads it, and may type it again: `EUR 1,200.50`."""
        return f"{self.currency} {self.amount:,}"

    @classmethod
    def of(cls, amount: Decimal, currency: str) -> "Money":
        """The amount, rounded to what the currency can be paid in, a half upwards."""
        return cls(amount.quantize(Decimal(1).scaleb(-_decimals(currency)), ROUND_HALF_UP), currency)

    @classmethod
    def stored(cls, text: str) -> "Money":
        """The amount that `str` wrote."""
        amount, _, currency = text.partition(" ")
        return cls(Decimal(amount), currency)


class MoneyColumn(TypeDecorator[Money]):
    """Keeps an amount as its text, exactly, on every database."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Any) -> Money | None:
        return None if value is None else Money.stored(value)


def read_money(typed: str, usual: str | None) -> Money:
    """The amount that was typed, in the `usual` currency of the project where none was named. Raises Unread."""
    match = _TYPED.fullmatch(" ".join(typed.split()))
    if match is None:
        if re.search(r"-\s*\d", typed):
            raise Unread(typed, "An amount is not below zero. Type it without the minus.")
        raise Unread(typed, f"I can't read “{typed}” as an amount. Type {EXAMPLE}.")
    currency = _currency(typed, match["before"], match["after"], usual)
    amount = _number(typed, match["number"], currency, thousand=bool(match["kilo"]))
    if amount.adjusted() >= MOST_DIGITS:
        raise Unread(typed, f"“{typed}” has more than {MOST_DIGITS} digits. Look at it again.")
    return Money.of(amount, currency)


def _currency(typed: str, before: str, after: str, usual: str | None) -> str:
    if before and after:
        raise Unread(typed, f"“{typed}” names two currencies. Type one, as in {EXAMPLE}.")
    word = (before or after).upper()
    if not word and usual is None:
        raise Unread(typed, f"In which currency? Type {EXAMPLE}, or set the project's currency in its settings.")
    if word in _SHARED_SIGNS:
        if usual not in _SHARED_SIGNS[word]:
            raise Unread(typed, f"“{word}” stands for several currencies. Type its code, as in “USD 1200”.")
        return str(usual)
    code = _SIGNS.get(word, word) or str(usual)
    if code not in CURRENCIES:
        raise Unread(
            typed, f"“{before or after}” is no currency that I know. Type its code of three letters, as in {EXAMPLE}."
        )
    return code


def _number(typed: str, number: str, currency: str, *, thousand: bool) -> Decimal:
    """The number without its separators. Raises Unread where one may mean thousands or decimals."""
    number, factor = _GAPS.sub("", number), 1000 if thousand else 1
    places = _decimals(currency) + (3 if thousand else 0)
    if (either := _EITHER.fullmatch(number)) and places:
        meanings = (factor * Decimal(f"{either[1]}{either[2]}"), factor * Decimal(f"{either[1]}.{either[2]}"))
        said = " or ".join(f"{each.normalize():f}" for each in meanings)
        raise Unread(typed, f"“{typed}” may mean {said}. Type it in that way.")
    match = _NUMBER.fullmatch(number)
    if match is None:
        raise Unread(typed, f"I can't read “{typed}” as an amount: look at its points and commas. Type {EXAMPLE}.")
    whole, decimals = re.sub(r"\D", "", match["whole"]), match["decimals"] or ""
    if either:
        whole, decimals = whole + decimals, ""
    if len(decimals.rstrip("0")) > places:
        raise Unread(typed, f"“{typed}” has more decimals than {currency} has. Type {EXAMPLE}.")
    return factor * Decimal(f"{whole}.{decimals or '0'}")


def _decimals(currency: str) -> int:
    return 0 if currency in _NO_CENTS else 4 if currency in _THOUSANDTHS else 2
