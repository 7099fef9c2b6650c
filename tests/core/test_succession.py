"""``core/succession.py``: the key after a key, and what stays the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_payrecords.core.succession import is_same_content, next_key

HASHES = st.text("0123456789abcdef", min_size=48, max_size=48).map("payrecords-{}".format)


def test_the_next_key_is_counted() -> None:
    assert next_key("payrecords-a1") == "payrecords-a1.2"
    assert next_key("payrecords-a1.2") == "payrecords-a1.3"
    assert next_key("payrecords-a1.9") == "payrecords-a1.10"


@given(HASHES, st.integers(1, 50))
def test_no_key_comes_twice_and_all_stand_for_the_same_content(key: str, steps: int) -> None:
    seen = [key]
    for _ in range(steps):
        seen.append(next_key(seen[-1]))
    assert len(set(seen)) == steps + 1
    assert all(is_same_content(key, one) for one in seen)


@given(HASHES, HASHES)
def test_other_content_stays_other_content(key: str, other: str) -> None:
    assert is_same_content(next_key(key), next_key(next_key(other))) == (key == other)
