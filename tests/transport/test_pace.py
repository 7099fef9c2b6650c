"""The pace of one client: ``transport/pace.py``."""

from __future__ import annotations

from itertools import islice
from random import Random

import pytest

from airflow_provider_payrecords.core.errors import OutcomeUnknownError
from airflow_provider_payrecords.core.wire import ApiResponse
from airflow_provider_payrecords.transport.pace import OwnPace, uniform_jitter

LOCKED = ApiResponse(429, {}, b'{"error": {"code": "lock_timeout"}}')
FINE = ApiResponse(200, {}, b"{}")


def throttled(reason: str | None) -> ApiResponse:
    headers = {"stripe-rate-limited-reason": reason} if reason else {}
    return ApiResponse(429, headers, b'{"error": {"code": "rate_limit"}}')


REPORT, LIST = "report_payment", "list_payment_records"


class Now:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def pace(rate: float = 20.0, clock: Now | None = None) -> OwnPace:
    """Return a pace of which both endpoints were used."""
    one = OwnPace(rate, clock or Now())
    one.reserve(REPORT)
    one.reserve(LIST)
    return one


def rates(one: OwnPace) -> tuple[float, float]:
    return one.rate(REPORT), one.rate(LIST)


@pytest.mark.parametrize("reason", ["global-rate", "global-concurrency", None])
def test_a_limit_of_the_account_slows_every_endpoint(reason: str | None) -> None:
    one = pace()
    one.learn(REPORT, throttled(reason))
    assert rates(one) == (10.0, 10.0)


@pytest.mark.parametrize("reason", ["endpoint-rate", "endpoint-concurrency", "resource-specific"])
def test_a_limit_of_an_endpoint_slows_that_one_only(reason: str) -> None:
    one = pace()
    one.learn(REPORT, throttled(reason))
    assert rates(one) == (10.0, 20.0)


@pytest.mark.parametrize("outcome", [LOCKED, FINE, OutcomeUnknownError("lost")])
def test_a_lock_on_one_record_and_anything_else_slows_nobody(outcome: ApiResponse | OutcomeUnknownError) -> None:
    one = pace()
    one.learn(REPORT, outcome)
    assert rates(one) == (20.0, 20.0)


def test_a_reason_beats_the_word_of_a_lock() -> None:
    one = pace()
    one.learn(REPORT, ApiResponse(429, {"stripe-rate-limited-reason": "endpoint-rate"}, LOCKED.content))
    assert rates(one) == (10.0, 20.0)


def test_an_answer_lets_the_rate_recover_and_a_lost_one_does_not() -> None:
    clock = Now()
    one = pace(clock=clock)
    one.learn(REPORT, throttled("endpoint-rate"))
    clock.seconds = 1.0
    one.learn(REPORT, OutcomeUnknownError("lost"))
    one.learn(LIST, FINE)
    assert one.rate(REPORT) == 10.0
    one.learn(REPORT, FINE)
    assert one.rate(REPORT) == 11.0


def test_places_in_the_line_are_one_after_the_other_for_each_endpoint() -> None:
    one = OwnPace(10, Now())
    assert [round(one.reserve(REPORT), 6) for _ in range(4)] == [0.0, 0.1, 0.2, 0.3]
    assert [round(one.reserve(LIST), 6) for _ in range(2)] == [0.0, 0.1]


def test_jitter_is_endless_repeatable_and_within_its_bounds() -> None:
    drawn = list(islice(uniform_jitter(Random(7)), 200))  # noqa: S311  # a seed, so that the test repeats
    assert drawn == list(islice(uniform_jitter(Random(7)), 200))  # noqa: S311  # as above
    assert min(drawn) >= 0.5
    assert max(drawn) <= 1.0
    assert len(set(islice(uniform_jitter(), 200))) == 200
