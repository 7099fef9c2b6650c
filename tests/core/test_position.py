"""How far a watcher of the list has come: nothing is told twice, nothing is skipped."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_payrecords.core.models import Page, PaymentRecord
from airflow_provider_payrecords.core.position import PAGE_SIZE, SETTLE_SECONDS, Position, newest, read_position

NOW = 1_793_606_400


def record(name: int, created: int | None = NOW) -> PaymentRecord:
    return PaymentRecord(id=f"pr_{name}", created=created)


def page(*newest_first: PaymentRecord, has_more: bool = False) -> Page[PaymentRecord]:
    return Page[PaymentRecord](data=list(newest_first), has_more=has_more)


def names(records: list[PaymentRecord]) -> list[str]:
    return [one.id for one in records]


def test_beginning_is_at_the_newest_record() -> None:
    assert newest(page(record(9), has_more=True)) == Position("pr_9")
    assert newest(page()) == Position()


def test_call_reads_from_the_position_towards_newer_ones() -> None:
    assert Position("pr_9").command().params() == {"ending_before": "pr_9", "limit": PAGE_SIZE}
    assert Position().command().params() == {"limit": PAGE_SIZE}


def test_nothing_new_leaves_the_position_as_it_is() -> None:
    position = Position("pr_1", ("pr_2",))
    assert position.advance(page()) == (position, [])


def test_new_records_are_told_oldest_first_and_once() -> None:
    position, fresh = Position("pr_1").advance(page(record(3), record(2)))
    assert names(fresh) == ["pr_2", "pr_3"]
    assert position == Position("pr_1", ("pr_3", "pr_2"))
    assert position.advance(page(record(3), record(2)))[1] == []


def test_record_that_sorts_before_a_told_one_of_its_second_is_told_as_well() -> None:
    position, _ = Position("pr_1").advance(page(record(5)))
    assert names(position.advance(page(record(5), record(4)))[1]) == ["pr_4"]


def test_position_moves_past_what_is_old_enough_to_stay_where_it_is() -> None:
    old, new = record(2, NOW - SETTLE_SECONDS - 1), record(3)
    position, fresh = Position("pr_1").advance(page(new, old))
    assert (position, names(fresh)) == (Position("pr_2", ("pr_3",)), ["pr_2", "pr_3"])


def test_full_page_moves_the_position_to_its_end_so_that_a_backlog_is_worked_off() -> None:
    position, fresh = Position("pr_1").advance(page(record(3), record(2), has_more=True))
    assert (position, len(fresh)) == (Position("pr_3"), 2)


def test_records_without_a_time_are_told_and_remembered() -> None:
    position, fresh = Position().advance(page(record(3, None), record(2, None)))
    assert (len(fresh), position.seen) == (2, ("pr_3", "pr_2"))


@given(
    arrivals=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 8)), max_size=25),
    page_size=st.integers(1, 4),
)
def test_whatever_the_bursts_each_record_is_told_once(arrivals: list[tuple[int, int]], page_size: int) -> None:
    listed: list[PaymentRecord] = [record(0)]  # oldest first, as they arrive
    position, told, now = newest(page(record(0))), [], NOW
    for gap, burst in [*arrivals, *[(0, 0)] * 300]:
        now += gap
        listed += [record(len(listed) + n, now) for n in range(burst)]
        start = 1 + next(n for n, one in enumerate(listed) if one.id == position.after)
        end = min(len(listed), start + page_size)
        position, fresh = position.advance(page(*reversed(listed[start:end]), has_more=end < len(listed)))
        told += names(fresh)
        assert len(position.seen) <= page_size
    assert told == names(listed[1:])


def test_position_survives_json() -> None:
    for position in (Position(), Position("pr_1"), Position("pr_1", ("pr_2", "pr_3"))):
        assert read_position(position.to_json()) == position


@pytest.mark.parametrize("value", [None, "pr_1", [], {}, {"seen": []}, {"after": 3}, {"after": None, "seen": "pr_1"}])
def test_what_is_no_position_is_none(value: Any) -> None:
    assert read_position(value) is None
