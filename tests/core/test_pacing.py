"""The token bucket of ``core/pacing.py``: never too fast, never stuck."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_payrecords.core.pacing import (
    BURST_SECONDS,
    COOL_DOWN_SECONDS,
    DOUBLING_SECONDS,
    MAX_AHEAD_SECONDS,
    MIN_RATE,
    RECOVERY_SECONDS,
    Bucket,
    book,
    burst,
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
            bucket = on_answered(bucket, now)
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
            assert last - first + 1 <= rate * span + burst(rate) + 1e-6


@given(RATES, st.integers(1, 50))
def test_senders_that_ask_at_once_are_told_to_leave_at_the_rate(rate: float, askers: int) -> None:
    bucket = new_bucket(rate, now=0.0)
    waits = []
    for _ in range(askers):
        bucket, wait = take(bucket, 0.0)
        waits.append(wait)
    assert waits == pytest.approx([place / rate for place in range(askers)])


@given(RATES, st.floats(1, 1e6))
def test_a_pause_saves_up_one_burst_and_no_more(rate: float, pause: float) -> None:
    bucket = new_bucket(rate, now=0.0)
    free = 0
    bucket, wait = take(bucket, max(pause, 1 / rate))
    while wait == 0:
        free += 1
        bucket, wait = take(bucket, max(pause, 1 / rate))
    assert free == int(burst(rate))


@pytest.mark.parametrize(("rate", "size"), [(0.5, 1.0), (4.0, 1.0), (20.0, 5.0), (100.0, 25.0)])
def test_a_burst_is_a_quarter_of_a_second_and_at_least_one(rate: float, size: float) -> None:
    assert burst(rate) == size


def test_nothing_is_saved_up_before_the_first_request() -> None:
    bucket, first = take(new_bucket(100, now=5.0), 5.0)
    assert (first, take(bucket, 5.0)[1]) == (0.0, 0.01)


def test_a_sender_that_is_late_by_less_than_a_burst_loses_nothing() -> None:
    bucket, now = new_bucket(100, now=0.0), 0.0
    for number in range(100):
        bucket, wait = take(bucket, now)
        now += wait + (BURST_SECONDS * 0.9 if number % 20 == 0 else 0)
    assert now == pytest.approx(0.99, abs=BURST_SECONDS)


def test_a_clock_that_goes_back_gives_nothing_away() -> None:
    bucket, _ = take(new_bucket(1, now=100.0), 100.0)
    bucket, wait = take(bucket, 50.0)
    assert (bucket.updated, wait) == (100.0, 1.0)


def after(bucket: Bucket, seconds: float, per_second: float, answered: bool = True) -> Bucket:
    """Let requests leave for a while, evenly, each answered at once."""
    start = bucket.updated
    for number in range(1, int(seconds * per_second) + 1):
        now = start + number / per_second
        bucket, _ = take(bucket, now)
        bucket = on_answered(bucket, now) if answered else bucket
    return bucket


def test_throttling_halves_the_rate_once_per_cool_down() -> None:
    bucket = on_throttled(new_bucket(20, now=0.0), 0.0)
    assert bucket.rate == 10
    assert on_throttled(bucket, COOL_DOWN_SECONDS / 2) is bucket
    assert on_throttled(bucket, COOL_DOWN_SECONDS).rate == 5


def test_throttling_forgets_what_was_saved_up_and_keeps_the_line() -> None:
    full, _ = take(new_bucket(100, now=0.0), 10.0)
    assert (full.tokens, on_throttled(full, 10.0).tokens) == (24.0, 0.0)
    waiting, _ = take(take(new_bucket(1, now=0.0), 0.0)[0], 0.0)
    assert on_throttled(waiting, 0.0).tokens == -1.0


@pytest.mark.parametrize("leaving", [40.0, 200.0])
def test_what_is_halved_is_the_rate_at_which_requests_left(leaving: float) -> None:
    busy = after(new_bucket(10_000, now=0.0), 3, leaving)
    assert on_throttled(busy, busy.updated).rate == pytest.approx(leaving / 2, rel=0.05)


@pytest.mark.parametrize(("allowed", "floor"), [(20, MIN_RATE), (0.2, 0.2)])
def test_throttling_never_stops_the_flow(allowed: float, floor: float) -> None:
    bucket = new_bucket(allowed, now=0.0)
    for second in range(30):
        bucket = on_throttled(bucket, second * COOL_DOWN_SECONDS)
    assert bucket.rate == floor
    assert take(take(bucket, 100.0)[0], 100.0)[1] <= 1 / floor


@pytest.mark.parametrize("allowed", [1.0, 20.0, 100.0])
def test_after_one_throttling_the_rate_is_back_in_the_published_time(allowed: float) -> None:
    bucket = on_throttled(after(new_bucket(allowed, now=0.0), 3, allowed), 3.0)
    half = after(bucket, RECOVERY_SECONDS / 2, allowed)
    assert half.rate == pytest.approx(0.75 * allowed, rel=0.1)
    assert after(bucket, RECOVERY_SECONDS + DOUBLING_SECONDS, allowed).rate == allowed


@pytest.mark.parametrize("allowed", [20.0, 100.0, 10_000.0])
def test_after_long_throttling_it_doubles_its_way_back_and_stops_at_what_is_allowed(allowed: float) -> None:
    bucket = new_bucket(allowed, now=0.0)
    for second in range(30):
        bucket = on_throttled(bucket, second * COOL_DOWN_SECONDS)
    seconds, now = 0.0, 29.0
    while bucket.rate < allowed:
        step = 1 / bucket.rate
        seconds, now = seconds + step, now + step
        bucket = on_answered(bucket, now)
        assert seconds < 60
    assert bucket.rate == allowed
    assert on_answered(bucket, now + 1) is bucket


def test_an_answer_after_a_long_pause_raises_the_rate_by_a_second_s_worth() -> None:
    bucket = on_throttled(new_bucket(20, now=0.0), 0.0)
    assert on_answered(bucket, RECOVERY_SECONDS).rate == 11.0
    assert on_answered(bucket, 1000.0).rate == pytest.approx(10 * 2 ** (1 / DOUBLING_SECONDS))
    assert on_answered(bucket, -5.0).rate == 10.0


@given(
    free_at=st.none() | st.floats(-1e6, 1e6),
    now=st.floats(-1e6, 1e6),
    seconds=st.lists(st.floats(0.01, 5), min_size=1, max_size=9),
)
def test_times_that_are_booked_never_overlap(free_at: float | None, now: float, seconds: list[float]) -> None:
    ends = now
    for one in seconds:
        begun_at = free_at
        free_at, wait = book(free_at, now, one)
        assert 0 <= wait <= MAX_AHEAD_SECONDS
        assert free_at == pytest.approx(now + wait + one)
        if begun_at is not None and now <= begun_at <= now + MAX_AHEAD_SECONDS:
            assert now + wait >= ends - 1e-6 or begun_at == free_at
        ends = now + wait + one


@pytest.mark.parametrize(
    ("free_at", "expected"),
    [
        (None, (105.0, 0.0)),
        (99.0, (105.0, 0.0)),
        (103.0, (108.0, 3.0)),
        (100 + MAX_AHEAD_SECONDS + 1, (105.0, 0.0)),
    ],
)
def test_time_is_booked_after_what_others_have(free_at: float | None, expected: tuple[float, float]) -> None:
    assert book(free_at, 100.0, 5.0) == expected
