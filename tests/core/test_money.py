"""Amounts are exact: ``core/money.py`` against arithmetic on the digits themselves."""

from __future__ import annotations

import pickle
from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_payrecords.core.money import (
    CURRENCIES,
    MAX_MINOR_UNITS,
    THREE_DECIMAL,
    WHOLE_UNITS_AS_TWO_DECIMAL,
    ZERO_DECIMAL,
    MoneyError,
    check_minor_units,
    decimals,
    from_minor_units,
    normalize_currency,
    to_minor_units,
)

DIGITS = {"usd": 2, "eur": 2, "huf": 2, "twd": 2, "jpy": 0, "krw": 0, "bhd": 3, "tnd": 3, "isk": 2, "ugx": 2}
ZEROS_AT_THE_END = {"bhd": 1, "tnd": 1, "isk": 2, "ugx": 2}


def code_of(amount: Any, currency: str = "usd") -> str:
    with pytest.raises(MoneyError) as refused:
        to_minor_units(amount, currency)
    return refused.value.code


@st.composite
def written_amounts(draw: st.DrawFn) -> tuple[str, str, int]:
    """Draw an amount as text, its currency, and the minor units that its digits spell."""
    currency = draw(st.sampled_from(sorted(DIGITS)))
    zeros = ZEROS_AT_THE_END.get(currency, 0)
    digits = str(draw(st.integers(1, 10 ** (15 - zeros)))) + "0" * zeros
    padded = digits.zfill(DIGITS[currency] + 1)
    point = len(padded) - DIGITS[currency]
    text = padded[:point] + ("." + padded[point:] if DIGITS[currency] else "")
    return text + "0" * draw(st.integers(0, 3)) if "." in text else text, currency, int(digits)


@given(written_amounts())
def test_digits_on_paper_are_the_digits_sent(written: tuple[str, str, int]) -> None:
    text, currency, minor = written
    assert to_minor_units(text, currency) == to_minor_units(Decimal(text), currency.upper()) == minor
    assert from_minor_units(minor, currency) == Decimal(text)
    assert to_minor_units(from_minor_units(minor, currency), currency) == minor


def said(amount: Any, currency: str) -> int | str:
    """Return the minor units, or the code of the problem."""
    try:
        return to_minor_units(amount, currency)
    except MoneyError as error:
        return error.code


@given(st.from_regex(r"[0-9]{0,20}(\.[0-9]{0,4})?", fullmatch=True), st.sampled_from(["usd", "jpy", "kwd", "isk"]))
def test_text_is_the_number_that_it_spells(text: str, currency: str) -> None:
    number = Decimal(text) if text.strip(".") else Decimal("NaN")
    assert said(text, currency) == said(number, currency)


@given(written_amounts(), st.integers(1, 6))
def test_digits_do_not_depend_on_the_decimal_context_of_the_caller(written: tuple[str, str, int], prec: int) -> None:
    text, currency, minor = written
    with localcontext() as context:
        context.prec = prec
        assert to_minor_units(text, currency) == minor
        assert to_minor_units(from_minor_units(minor, currency), currency) == minor


@given(st.integers(0, 10**6), st.integers(3, 60))
def test_a_digit_too_many_is_found_however_far_behind_the_point_it_is(whole: int, places: int) -> None:
    assert code_of(f"{whole}.{'0' * (places - 1)}1") == "too_many_decimals"


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        (Decimal("12.30"), "USD", 1230),
        ("0.01", "eur", 1),
        (".5", "usd", 50),
        ("5.", "usd", 500),
        ("+5", "usd", 500),
        ("007", "usd", 700),
        (7, "usd", 700),
        (500, "jpy", 500),
        (Decimal("1E+2"), "jpy", 100),
        ("5.120", "kwd", 5120),
        ("5.12", "kwd", 5120),
        (5, "isk", 500),
    ],
)
def test_major_units_become_minor_units(amount: Any, currency: str, minor: int) -> None:
    assert to_minor_units(amount, currency) == minor


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        (12.3, "usd", "float_amount"),
        (float("nan"), "usd", "float_amount"),
        (True, "usd", "not_a_number"),
        (None, "usd", "not_a_number"),
        ([], "usd", "not_a_number"),
        ("", "usd", "not_a_number"),
        ("1,234.50", "usd", "not_a_number"),
        ("1 234", "usd", "not_a_number"),
        ("€5", "usd", "not_a_number"),
        ("1e3", "usd", "not_a_number"),
        ("1-2", "usd", "not_a_number"),
        ("٣", "usd", "not_a_number"),
        ("NaN", "usd", "not_a_number"),
        (Decimal("sNaN"), "usd", "not_a_number"),
        (Decimal("Infinity"), "usd", "not_a_number"),
        pytest.param(10**5000, "usd", "not_a_number", id="huge"),
        (Decimal("1E+999999"), "usd", "not_a_number"),
        (Decimal("1E-999999999"), "usd", "too_many_decimals"),
        ("12.345", "usd", "too_many_decimals"),
        ("0.5", "jpy", "too_many_decimals"),
        ("5.1234", "kwd", "too_many_decimals"),
        ("5.124", "kwd", "invalid_minor_units"),
        ("5.50", "isk", "invalid_minor_units"),
        ("0", "usd", "amount_out_of_range"),
        ("-5", "usd", "amount_out_of_range"),
        ("10000000000000.01", "usd", "amount_out_of_range"),
        ("1", "xyz", "unknown_currency"),
        ("1", "", "unknown_currency"),
    ],
)
def test_an_amount_that_is_not_exact_is_refused(amount: Any, currency: str, code: str) -> None:
    assert code_of(amount, currency) == code


@pytest.mark.parametrize("value", [1, MAX_MINOR_UNITS])
def test_the_bounds_are_amounts(value: int) -> None:
    check_minor_units(value, "eur")


@pytest.mark.parametrize("value", [0, -1, MAX_MINOR_UNITS + 1, pytest.param(10**5000, id="huge")])
def test_what_is_outside_the_bounds_is_refused(value: int) -> None:
    with pytest.raises(MoneyError, match="at least 1 minor unit"):
        check_minor_units(value, "eur")


def test_every_currency_has_the_decimals_that_the_api_publishes() -> None:
    published = dict.fromkeys(CURRENCIES, 2)
    published |= dict.fromkeys("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split(), 0)
    published |= dict.fromkeys("bhd jod kwd omr tnd".split(), 3)
    assert {currency: decimals(currency) for currency in CURRENCIES} == published


def test_special_currencies_are_currencies_and_in_one_group_only() -> None:
    groups = (ZERO_DECIMAL, THREE_DECIMAL, WHOLE_UNITS_AS_TWO_DECIMAL)
    assert frozenset().union(*groups) <= CURRENCIES
    assert sum(map(len, groups)) == len(frozenset().union(*groups))


def test_a_currency_is_taken_in_any_case() -> None:
    assert normalize_currency("EuR") == "eur"


def test_the_error_survives_pickling_with_its_code() -> None:
    copy = pickle.loads(pickle.dumps(MoneyError("m", code="c", problems=[{"field": "f"}])))
    assert (copy.message, copy.code, copy.problems) == ("m", "c", [{"field": "f"}])


def test_the_error_does_not_repeat_the_amount() -> None:
    with pytest.raises(MoneyError) as refused:
        to_minor_units("4111111111111111x", "usd")
    assert "4111" not in str(refused.value)
