"""Parts of an extract: each row is in one of them, whatever happens around it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_payrecords.core.errors import UsageError
from airflow_provider_payrecords.core.partition import MAX_PARTITIONS, Partition, make_partition, partitions


@given(key=st.none() | st.text(), of=st.integers(1, 50))
def test_every_key_is_in_one_part(key: str | None, of: int) -> None:
    assert sum(make_partition(text).has(key) for text in partitions(of)) == 1


def test_parts_are_about_the_same_size_and_the_same_on_every_machine() -> None:
    keys = [f"wire-{number}" for number in range(8000)]
    sizes = [sum(Partition(number, 8).has(key) for key in keys) for number in range(1, 9)]
    assert min(sizes) > 850
    assert max(sizes) < 1150
    # Pinned: a release that moved keys would give one payment to two tasks of a run that it interrupts.
    assert [next(n for n in range(1, 9) if Partition(n, 8).has(key)) for key in keys[:6]] == PINNED


PINNED = [1, 4, 1, 1, 6, 4]


@pytest.mark.parametrize("text", ["3/8", " 3 / 8 "])
def test_part_has_a_name(text: str) -> None:
    assert make_partition(text) == Partition(3, 8)


def test_names_of_parts() -> None:
    assert partitions(3) == ["1/3", "2/3", "3/3"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0/8", "no part 0 of 8; the first is 1/8"),
        ("9/8", "no part 9 of 8; the first is 1/8, the last 8/8"),
        ("1/0", f"1 to {MAX_PARTITIONS} parts, not 0"),
        ("1/2000", f"1 to {MAX_PARTITIONS} parts, not 2000"),
        ("-1/8", "such as 3/8"),
        ("3", "such as 3/8"),
        ("", "such as 3/8"),
        (3, "such as 3/8"),
    ],
)
def test_part_that_is_none_is_refused(text: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        make_partition(text)
