"""When and how soon the same call is made again: ``core/retry.py``."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from airflow_provider_payrecords.core.errors import (
    ApiError,
    AuthenticationError,
    ConflictError,
    IdempotencyError,
    InvalidRequestError,
    LeaseEndedError,
    LedgerError,
    NotSentError,
    OutcomeUnknownError,
    PayRecordsError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    StoppedError,
    UnknownRouteError,
    UntrustedServerError,
)
from airflow_provider_payrecords.core.retry import Again, RetryPolicy, Stop, delay_seconds, is_retryable

JITTER = st.floats(0.5, 1.0)
RETRYABLE: list[type[PayRecordsError]] = [ConflictError, RateLimitError, ServerError, NotSentError, OutcomeUnknownError]
FINAL: list[type[PayRecordsError]] = [
    AuthenticationError,
    IdempotencyError,
    InvalidRequestError,
    LedgerError,
    PermissionDeniedError,
    StoppedError,
    UnknownRouteError,
    LeaseEndedError,
    UntrustedServerError,
]


@pytest.mark.parametrize("kind", RETRYABLE)
def test_what_may_pass_is_tried_again(kind: type[PayRecordsError]) -> None:
    assert is_retryable(kind("m"))


@pytest.mark.parametrize("kind", FINAL)
def test_what_will_not_pass_is_final(kind: type[PayRecordsError]) -> None:
    assert not is_retryable(kind("m"))


@pytest.mark.parametrize("kind", [InvalidRequestError, RateLimitError, ServerError, ConflictError])
@pytest.mark.parametrize("advice", [True, False])
def test_the_advice_of_the_server_beats_the_status(kind: type[ApiError], advice: bool) -> None:
    assert is_retryable(kind("m", should_retry=advice)) is advice


@pytest.mark.parametrize("advice", [None, True])
def test_a_stored_failure_is_final_whatever_the_server_advises(advice: bool | None) -> None:
    assert not is_retryable(ServerError("m", status=500, replayed=True, should_retry=advice))


@pytest.mark.parametrize(
    ("attempt", "least", "most"),
    [(1, 0.5, 0.5), (2, 0.5, 1), (3, 1, 2), (4, 2, 4), (5, 2.5, 5), (6, 2.5, 5), (100, 2.5, 5)],
)
def test_delays_are_those_of_the_official_algorithm(attempt: int, least: float, most: float) -> None:
    assert (delay_seconds(attempt, 0.5), delay_seconds(attempt, 1.0)) == (least, most)

    @given(JITTER)
    def check(jitter: float) -> None:
        assert least <= delay_seconds(attempt, jitter) <= most

    check()


def test_a_delay_that_the_server_asks_for_is_waited_for() -> None:
    policy = RetryPolicy()
    assert policy.decide(1, 0, RateLimitError("m", retry_after_seconds=7), 1.0) == Again(7)
    assert policy.decide(1, 0, RateLimitError("m", retry_after_seconds=0.1), 1.0) == Again(0.5)
    assert policy.decide(1, 0, NotSentError("m"), 1.0) == Again(0.5)
    assert policy.decide(1, 0, RateLimitError("m", retry_after_seconds=91), 1.0) == Stop()


@pytest.mark.parametrize(("attempt", "decision"), [(1, Again(0.5)), (2, Again(1.0)), (3, Stop())])
def test_there_are_so_many_retries_and_no_more(attempt: int, decision: Again | Stop) -> None:
    assert RetryPolicy(max_retries=2).decide(attempt, 0, ServerError("m"), 1.0) == decision


def test_no_retry_starts_after_the_total_time() -> None:
    policy = RetryPolicy(max_total_seconds=10)
    assert policy.decide(1, 9.5, ServerError("m"), 1.0) == Again(0.5)
    assert policy.decide(1, 9.6, ServerError("m"), 1.0) == Stop()


@given(
    st.integers(0, 12),
    st.floats(0.1, 3600),
    st.lists(
        st.tuples(st.floats(0, 400), JITTER, st.sampled_from([None, 0.0, 3.0, 99999.0])), min_size=13, max_size=13
    ),
)
def test_trying_again_always_ends(max_retries: int, total: float, story: list[tuple[float, float, Any]]) -> None:
    policy = RetryPolicy(max_retries=max_retries, max_total_seconds=total)
    elapsed, sends = 0.0, 0
    for seconds, jitter, retry_after in story:
        sends += 1
        elapsed += seconds
        decision = policy.decide(sends, elapsed, RateLimitError("m", retry_after_seconds=retry_after), jitter)
        if decision == Stop():
            break
        assert isinstance(decision, Again)
        assert decision.after_seconds >= max(0.5, retry_after or 0)
        elapsed += decision.after_seconds
        assert elapsed <= total
    else:
        pytest.fail("it went on after the last retry")
    assert sends <= max_retries + 1


@pytest.mark.parametrize(
    "bounds",
    [{"max_retries": -1}, {"max_retries": 101}, {"max_total_seconds": 0}, {"max_total_seconds": 3601}, {"tries": 3}],
)
def test_bounds_that_make_no_sense_are_refused(bounds: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RetryPolicy(**bounds)
