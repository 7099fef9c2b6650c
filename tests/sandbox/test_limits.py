"""Rate limits: one second's worth at once, then the rate, for each account and endpoint."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_payrecords.sandbox.config import RateLimits
from airflow_provider_payrecords.sandbox.limits import Limiter
from airflow_provider_payrecords.sandbox.objects import Realm
from tests.sandbox.samples import PAYMENT, REPORT, START, Api, Clock, make_sandbox

TEST, LIVE = Realm(), Realm(livemode=True)


def refusals(limiter: Limiter, realm: Realm, endpoint: str | None, count: int, now: float) -> list[str | None]:
    return [limiter.refuse(realm, endpoint, now) for _ in range(count)]


def test_documented_limit_of_an_endpoint_is_25_a_second() -> None:
    limiter = Limiter(RateLimits())
    assert refusals(limiter, TEST, "report_payment", 26, START) == [None] * 25 + ["endpoint-rate"]
    assert refusals(limiter, LIVE, "report_payment", 26, START) == [None] * 25 + ["endpoint-rate"]


@pytest.mark.parametrize(("realm", "rate"), [(TEST, 25), (LIVE, 100)])
def test_documented_limit_of_an_account_depends_on_the_mode(realm: Realm, rate: int) -> None:
    limiter = Limiter(RateLimits())
    answers = [limiter.refuse(realm, f"endpoint-{number % 10}", START) for number in range(rate + 1)]
    assert answers == [None] * rate + ["global-rate"]


def test_bucket_fills_with_time() -> None:
    limiter = Limiter(RateLimits(endpoint=10))
    refusals(limiter, TEST, "x", 10, START)
    assert refusals(limiter, TEST, "x", 3, START + 0.2) == [None, None, "endpoint-rate"]


def test_refused_request_counts_for_nothing() -> None:
    limiter = Limiter(RateLimits(test=3, endpoint=1))
    assert refusals(limiter, TEST, "x", 3, START) == [None, "endpoint-rate", "endpoint-rate"]
    assert [limiter.refuse(TEST, endpoint, START) for endpoint in "yzw"] == [None, None, "global-rate"]


def test_clock_that_is_set_back_neither_fills_nor_drains() -> None:
    limiter = Limiter(RateLimits(endpoint=2))
    assert refusals(limiter, TEST, "x", 1, START) == [None]
    assert refusals(limiter, TEST, "x", 2, START - 100) == [None, "endpoint-rate"]


def test_limits_can_be_turned_off() -> None:
    assert set(refusals(Limiter(None), TEST, "x", 500, START)) == {None}
    assert set(refusals(Limiter(RateLimits(test=None, endpoint=None)), TEST, "x", 500, START)) == {None}


@given(st.lists(st.floats(0, 0.5), max_size=200))
def test_no_second_admits_more_than_a_full_bucket_and_the_rate(gaps: list[float]) -> None:
    limiter, now, admitted = Limiter(RateLimits(test=None, endpoint=5)), float(START), []
    for gap in gaps:
        now += gap
        if limiter.refuse(TEST, "x", now) is None:
            admitted.append(now)
    assert all(sum(start <= one < start + 1 for one in admitted) <= 10 for start in admitted)


def test_too_many_requests_are_answered_with_429_and_the_reason(clock: Clock) -> None:
    api = Api(make_sandbox(clock, rate_limits=RateLimits(endpoint=1)))
    api.report()
    answer = api.post(REPORT, PAYMENT)
    assert answer.blame == (429, "rate_limit", None)
    assert answer.headers["stripe-rate-limited-reason"] == "endpoint-rate"
    clock.now += 1
    assert api.post(REPORT, PAYMENT).status == 200


def test_429_is_not_kept_under_the_key(clock: Clock) -> None:
    api = Api(make_sandbox(clock, rate_limits=RateLimits(endpoint=1)))
    api.report()
    assert api.post(REPORT, PAYMENT, "k").status == 429
    clock.now += 1
    assert "idempotent-replayed" not in api.post(REPORT, PAYMENT, "k").headers


def test_unknown_routes_count_for_the_account() -> None:
    api = Api(make_sandbox(rate_limits=RateLimits(test=1)))
    assert api.get("/v1/nothing").status == 404
    assert api.get("/v1/nothing").headers["stripe-rate-limited-reason"] == "global-rate"
