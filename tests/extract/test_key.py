"""Keys: no two payments share one, and none is seen twice unnoticed."""

from __future__ import annotations

from contextlib import closing
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_payrecords.extract.cell import CellError
from airflow_provider_payrecords.extract.key import MAX_KEY, KeyIndex, key_text

PARTS = st.text(st.characters(blacklist_categories=("Cc", "Cs", "Z"), max_codepoint=0x2FF), min_size=1, max_size=8)


@given(one=st.lists(PARTS | st.sampled_from(["|", "\\", "a|b", "a\\"]), min_size=2, max_size=3), other=st.data())
def test_different_parts_never_make_the_same_key(one, other):
    two = other.draw(st.lists(st.sampled_from([*one, "|", "\\", "".join(one)]), min_size=2, max_size=3))
    assert (key_text(one) == key_text(two)) is (one == two)


def test_one_column_is_the_key_as_it_stands():
    assert key_text(["a|b\\c"]) == "a|b\\c"
    assert key_text([12]) == "12"
    assert key_text([Decimal("1.50"), date(2026, 1, 31)]) == "1.50|2026-01-31"


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        (None, "missing_key"),
        ("", "missing_key"),
        (" a", "invalid_key"),
        ("a ", "invalid_key"),
        ("a\nb", "invalid_key"),
        ("a\x00", "invalid_key"),
        ("a\x85b", "invalid_key"),
        (1.5, "invalid_key"),
        (2.0**53 - 1, "invalid_key"),
        (float("inf"), "invalid_key"),
        (2.0**53, "number_too_large"),
        (-1e22, "number_too_large"),
        (True, "invalid_key"),
        (["a"], "invalid_key"),
        ("x" * (MAX_KEY + 1), "invalid_key"),
    ],
)
def test_keys_are_text_of_bounded_length_or_a_problem(cell, code):
    with pytest.raises(CellError) as caught:
        key_text([cell])
    assert caught.value.code == code
    with pytest.raises(CellError):
        key_text(["ok", cell])


def test_the_longest_key_and_rare_characters_fit():
    assert key_text(["é" * MAX_KEY]) == "é" * MAX_KEY
    assert key_text(["a\u200bb"]) == "a\u200bb"


def test_the_index_names_the_first_row_and_tells_whether_it_is_the_same():
    with closing(KeyIndex()) as index:
        assert index.repeated([(1, "a", ("a", 5)), (2, "b", ("b", 5))]) == {}
        assert index.repeated([(3, "a", ("a", 5)), (4, "a", ("a", 6)), (5, "c", ())]) == {3: (1, True), 4: (1, False)}


def test_the_index_compares_the_rows_of_one_call_with_each_other():
    with closing(KeyIndex()) as index:
        assert index.repeated([(1, "a", 1), (2, "a", 2), (3, "a", 1)]) == {2: (1, False), 3: (1, True)}
