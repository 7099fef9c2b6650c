"""The token bucket of ``core/pacing.py``: never too fast, never stuck."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_payrecords.core.pacing import (
    COOL_DOWN_SECONDS,
    MIN_RATE,
    RECOVERY_SECONDS,
    Bucket,
    new_bucket,
    on_answered,
    on_throttled,
    take,
)

RATES = st.floats(0.1, 1000)
STEPS = st.lists(st.tuples(st.floats(0, 3), st.sampled_from(["take", "take", "take", "429", "200"])), max_size=80)


def departures(bucket: Bucket, steps: list[tuple[float, str]]) -> list[float]:
    """Play a story of one sender that waits as it is told. Return when its requests left."""
    now, left = bucket.updated, []
    for pause, event in steps:
        now += pause
        if event == "429":
            bucket = on_throttled(bucket, now)
        elif event == "200":
            bucket = on_answered(bucket)
        else:
            bucket, wait = take(bucket, now)
            now += wait
            left.append(now)
    return left


@given(RATES, STEPS)
def test_no_more_pass_in_any_span_of_time_than_the_rate_and_one_burst(
    rate: float, steps: list[tuple[float, str]]
) -> None:
    bucket = new_bucket(rate, now=100.0)
    left = departures(bucket, steps)
    for first in range(len(left)):
        for last in range(first, len(left)):
            span = left[last] - left[first]
            assert last - first + 1 <= rate * span + bucket.burst + 1e-6


@given(RATES, st.integers(1, 50))
def test_senders_that_ask_at_once_are_told_to_leave_at_the_rate(rate: float, askers: int) -> None:
    bucket = new_bucket(rate, now=0.0, burst=1)
    waits = []
    for _ in range(askers):
        bucket, wait = take(bucket, 0.0)
        waits.append(wait)
    assert waits == pytest.approx([place / rate for place in range(askers)])


@given(RATES, st.floats(0, 1e6))
def test_a_pause_saves_up_one_burst_and_no_more(rate: float, pause: float) -> None:
    bucket = new_bucket(rate, now=0.0)
    free = 0
    bucket, wait = take(bucket, pause)
    while wait == 0:
        free += 1
        bucket, wait = take(bucket, pause)
    assert free == int(bucket.burst)


@pytest.mark.parametrize(("rate", "burst"), [(0.5, 1.0), (10.0, 1.0), (20.0, 2.0), (100.0, 10.0)])
def test_a_burst_is_a_tenth_of_a_second_and_at_least_one(rate: float, burst: float) -> None:
    assert new_bucket(rate, now=0.0).burst == burst


def test_a_clock_that_goes_back_gives_nothing_away() -> None:
    bucket, _ = take(new_bucket(1, now=100.0), 100.0)
    bucket, wait = take(bucket, 50.0)
    assert (bucket.updated, wait) == (100.0, 1.0)


def test_throttling_halves_the_rate_once_per_cool_down() -> None:
    bucket = on_throttled(new_bucket(20, now=0.0), 0.0)
    assert bucket.rate == 10
    assert on_throttled(bucket, COOL_DOWN_SECONDS / 2) is bucket
    assert on_throttled(bucket, COOL_DOWN_SECONDS).rate == 5


@pytest.mark.parametrize(("allowed", "floor"), [(20, MIN_RATE), (0.2, 0.2)])
def test_throttling_never_stops_the_flow(allowed: float, floor: float) -> None:
    bucket = new_bucket(allowed, now=0.0)
    for second in range(30):
        bucket = on_throttled(bucket, second * COOL_DOWN_SECONDS)
    assert bucket.rate == floor
    assert take(take(bucket, 100.0)[0], 100.0)[1] <= 1 / floor


@pytest.mark.parametrize("allowed", [1.0, 20.0, 100.0])
def test_the_rate_recovers_in_the_published_time_and_stops_at_what_is_allowed(allowed: float) -> None:
    bucket = new_bucket(allowed, now=0.0)
    for second in range(30):
        bucket = on_throttled(bucket, second * COOL_DOWN_SECONDS)
    seconds, answers = 0.0, 0
    while bucket.rate < allowed:
        seconds += 1 / bucket.rate
        bucket = on_answered(bucket)
        answers += 1
        assert answers < 20 * allowed + 100
    assert bucket.rate == allowed
    assert seconds <= RECOVERY_SECONDS + 2
    assert on_answered(bucket) is bucket
