"""Retries follow the official SDK's algorithm, but for the two differences that are named here."""

from __future__ import annotations

import json
from typing import Any

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_payrecords.core.errors import NotSentError, PayRecordsError, UntrustedServerError
from airflow_provider_payrecords.core.retry import delay_seconds, is_retryable
from airflow_provider_payrecords.core.wire import ApiResponse, read_answer
from tests.core.test_identity import payment

OURS_ONLY = {429}
"""The SDK leaves rate limits to its caller; Stripe advises to back off and try again."""


class Steady(stripe.HTTPClient):
    """The SDK's rules with a given jitter."""

    jitter = 1.0

    def _add_jitter_time(self, sleep_seconds: float) -> float:
        return sleep_seconds * self.jitter


def sdk_would_retry(status: int, headers: dict[str, str]) -> bool:
    return bool(Steady()._should_retry(("", status, headers), None, 0, 1))


@pytest.mark.parametrize("advice", [None, "true", "false", "maybe"])
@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 424, 429, 500, 502, 503, 504, 599])
def test_the_same_answers_are_asked_for_again(status: int, advice: str | None) -> None:
    headers = {} if advice is None else {"stripe-should-retry": advice}
    body = json.dumps({"error": {"type": "api_error"}}).encode()
    with pytest.raises(PayRecordsError) as raised:
        read_answer(payment(), ApiResponse(status, headers, body))
    differs = status in OURS_ONLY and advice not in ("true", "false")
    assert is_retryable(raised.value) is (sdk_would_retry(status, headers) or differs)


@pytest.mark.parametrize("error", [NotSentError("m"), UntrustedServerError("m")])
def test_a_failed_connection_is_tried_again_and_a_bad_certificate_is_not(error: PayRecordsError) -> None:
    failure: Any = stripe.APIConnectionError
    theirs = failure("m", should_retry=isinstance(error, NotSentError))
    assert is_retryable(error) is bool(Steady()._should_retry(None, theirs, 0, 1))


@given(st.integers(1, 30), st.floats(0.5, 1.0))
def test_waits_are_as_long(attempt: int, jitter: float) -> None:
    sdk = Steady()
    sdk.jitter = jitter
    assert delay_seconds(attempt, jitter) == sdk._sleep_time_seconds(attempt)
