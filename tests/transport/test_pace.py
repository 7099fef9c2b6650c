"""The pace of one client: ``transport/pace.py``."""

from __future__ import annotations

from itertools import islice
from random import Random

import pytest

from airflow_provider_payrecords.core.errors import OutcomeUnknownError
from airflow_provider_payrecords.core.wire import ApiResponse
from airflow_provider_payrecords.transport.pace import Pacer, uniform_jitter

THROTTLED = ApiResponse(429, {"stripe-rate-limited-reason": "global-rate"}, b'{"error": {"code": "rate_limit"}}')
BARE = ApiResponse(429, {}, b'{"error": {"code": "rate_limit"}}')
LOCKED = ApiResponse(429, {}, b'{"error": {"code": "lock_timeout"}}')
LIMITED_BY_RESOURCE = ApiResponse(429, {"stripe-rate-limited-reason": "resource-specific"}, LOCKED.content)
FINE = ApiResponse(200, {}, b"{}")


def pacer(rate: float = 20.0) -> Pacer:
    return Pacer(rate, clock=lambda: 0.0)


@pytest.mark.parametrize("outcome", [THROTTLED, BARE, LIMITED_BY_RESOURCE])
def test_a_rate_limit_slows_everybody(outcome: ApiResponse) -> None:
    one = pacer()
    one.learn(outcome)
    assert one.rate == 10.0


@pytest.mark.parametrize("outcome", [LOCKED, FINE, OutcomeUnknownError("lost")])
def test_a_lock_on_one_record_and_anything_else_slows_nobody(outcome: ApiResponse | OutcomeUnknownError) -> None:
    one = pacer()
    one.learn(outcome)
    assert one.rate == 20.0


def test_an_answer_lets_the_rate_recover_and_a_lost_one_does_not() -> None:
    one = pacer()
    one.learn(THROTTLED)
    one.learn(OutcomeUnknownError("lost"))
    assert one.rate == 10.0
    one.learn(FINE)
    assert one.rate == 10.1


def test_places_in_the_line_are_one_after_the_other() -> None:
    one = pacer(rate=10)
    assert [round(one.reserve(), 6) for _ in range(4)] == [0.0, 0.1, 0.2, 0.3]


def test_jitter_is_endless_repeatable_and_within_its_bounds() -> None:
    drawn = list(islice(uniform_jitter(Random(7)), 200))  # noqa: S311  # a seed, so that the test repeats
    assert drawn == list(islice(uniform_jitter(Random(7)), 200))  # noqa: S311  # as above
    assert min(drawn) >= 0.5
    assert max(drawn) <= 1.0
    assert len(set(islice(uniform_jitter(), 200))) == 200
