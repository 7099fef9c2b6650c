"""Amounts, currencies and text: exact, or a problem that tells the next step."""

from __future__ import annotations

import uuid
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_payrecords.core.money import CURRENCIES, decimals, from_minor_units
from airflow_provider_payrecords.extract.cell import (
    CellError,
    currency_code,
    lookup_reader,
    major_reader,
    metadata_text,
    minor_amount,
    plain_text,
    shown_number,
    shown_time,
)

TWO_DECIMALS = sorted(code for code in CURRENCIES if decimals(code) == 2 and code not in ("isk", "ugx"))


def code_of(call, *args) -> str:
    with pytest.raises(CellError) as caught:
        call(*args)
    return caught.value.code


@given(minor=st.integers(1, 10**15), currency=st.sampled_from(TWO_DECIMALS))
def test_major_units_round_trip_exactly_as_text_and_decimal(minor, currency):
    major = from_minor_units(minor, currency)
    assert major_reader(None)(f"{major:f}", currency) == minor
    assert major_reader(None)(major, currency) == minor
    assert major_reader(",")(f"{major:f}".replace(".", ","), currency) == minor


@given(minor=st.integers(-(10**19), 10**19))
def test_minor_units_are_taken_as_they_are(minor):
    assert minor_amount(minor) == minor_amount(str(minor)) == minor_amount(Decimal(minor)) == minor


@given(amount=st.floats())
def test_no_float_is_ever_an_amount(amount):
    assert code_of(minor_amount, amount) == "float_amount"
    assert code_of(major_reader(None), amount, "eur") == "float_amount"


@pytest.mark.parametrize(
    "text", ["1,234.50", "1 234.50", "€49.50", "EUR 49.50", "49,50", "", "1e3", "٤٩", "4_950", "NaN"]
)
def test_separators_signs_and_spaces_are_not_guessed(text):
    assert code_of(major_reader(None), text, "eur") == "not_a_number"


@pytest.mark.parametrize(
    "cell", ["49.50", "49,50", "4 950", "٤٩", Decimal("49.50"), Decimal("4950.00"), True, "9" * 30, None]
)
def test_minor_units_must_be_whole(cell):
    assert code_of(minor_amount, cell) == "not_an_integer"


def test_more_decimals_than_the_currency_has_are_a_problem():
    assert code_of(major_reader(None), "49.505", "eur") == "too_many_decimals"
    assert code_of(major_reader(None), "49.5", "jpy") == "too_many_decimals"


@pytest.mark.parametrize("text", ["1.000", "49.000", "-123.000"])
def test_what_may_be_thousands_needs_the_decimal_sign(text):
    assert code_of(major_reader(None), text, "eur") == "ambiguous_amount"


def test_a_named_decimal_sign_settles_what_may_be_thousands():
    assert major_reader(".")("1.000", "eur") == 100
    assert major_reader(None)("1.000", "kwd") == 1000
    assert major_reader(None)(Decimal("1.000"), "eur") == 100
    assert code_of(major_reader(","), "1.000", "eur") == "not_a_number"
    assert code_of(major_reader(","), "1.000,50", "eur") == "not_a_number"


def test_integers_are_major_units_where_the_mapping_says_so():
    assert major_reader(None)(49, "eur") == 4900
    assert code_of(major_reader(None), True, "eur") == "not_a_number"
    assert code_of(major_reader(None), [49], "eur") == "not_a_number"


def test_currencies_are_sent_in_lower_case_and_must_be_known():
    assert currency_code("EUR") == "eur"
    assert code_of(currency_code, "EURO") == code_of(currency_code, 978) == "unknown_currency"


def test_text_keeps_the_digits_it_has():
    assert plain_text(12345) == "12345"
    assert plain_text(Decimal("1.50")) == "1.50"
    assert plain_text(Decimal("1E+3")) == "1000"
    assert plain_text(uuid.UUID(int=1)) == "00000000-0000-0000-0000-000000000001"


def test_what_has_no_one_spelling_is_no_text():
    assert code_of(plain_text, 12345.0) == code_of(plain_text, float("nan")) == "float_text"
    assert code_of(plain_text, 1.2e22) == "number_too_large"
    assert code_of(plain_text, True) == code_of(plain_text, date(2026, 1, 1)) == "invalid_type"


def test_metadata_spells_truth_values_and_dates_out():
    assert metadata_text(True) == "true"
    assert metadata_text(False) == "false"
    assert metadata_text(date(2026, 1, 31)) == "2026-01-31"
    assert metadata_text("x") == "x"


def test_a_value_missing_from_the_table_is_named_only_if_it_is_nearly_a_known_one():
    with pytest.raises(CellError, match="'Setled' .did you mean 'Settled'"):
        lookup_reader({"Settled": "guaranteed"}, may_show=True)("Setled")
    with pytest.raises(CellError) as shifted:
        lookup_reader({"Settled": "guaranteed"}, may_show=True)("Canary")
    assert "Canary" not in shifted.value.message
    with pytest.raises(CellError) as hidden:
        lookup_reader({"Settled": "guaranteed"}, may_show=False)("Canary")
    assert "Canary" not in hidden.value.message
    with pytest.raises(CellError) as spaced:
        lookup_reader({"Settled": "guaranteed"}, may_show=True)("Canary Jansen")
    assert "Canary" not in spaced.value.message


def test_tables_take_numbers_by_their_digits():
    assert lookup_reader({"1": "guaranteed", "2": None}, may_show=True)(1) == "guaranteed"
    assert lookup_reader({"1": "guaranteed", "2": None}, may_show=True)("2") is None


@pytest.mark.parametrize("text", ["49,50", "1.234,50", "-25.00", "12.345", 1200, "1234567.89"])
def test_an_amount_is_shown(text):
    assert shown_number(text) == f" '{text}'"


@pytest.mark.parametrize("text", ["Canary", "1" * 41, "49.50 EUR", "+49 151 7654321", "+491517654321", "0151-7654321"])
def test_what_may_be_a_phone_number_or_a_name_is_not_shown(text):
    assert shown_number(text) == shown_time(text) == ""


@pytest.mark.parametrize("text", ["2026-03-29 02:30:00", "29.03.2026", "2026-11-02T09:30:00Z", "3/29/26 2:30"])
def test_a_time_is_shown(text):
    assert shown_time(text) == f" '{text}'"
