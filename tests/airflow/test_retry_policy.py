"""The retry policy waits as the API asks, and does not retry what cannot heal."""

from __future__ import annotations

from datetime import timedelta

import pytest

from airflow_provider_payrecords._airflow import AirflowException
from airflow_provider_payrecords.core import errors

retry_policy = pytest.importorskip(
    "airflow_provider_payrecords.retry_policy", reason="Airflow 3.3 has retry policies", exc_type=ImportError
)
POLICY = retry_policy.PayRecordsRetryPolicy(held_seconds=120)


def decide(error: BaseException) -> tuple[str, timedelta | None]:
    decision = POLICY.evaluate(error, 1, 3)
    return decision.action.value, decision.retry_delay


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.RateLimitError("", retry_after_seconds=7.5), ("retry", timedelta(seconds=7.5))),
        (errors.ServerError("", retry_after_seconds=90), ("retry", timedelta(seconds=90))),
        (errors.HeldError(""), ("retry", timedelta(seconds=120))),
        (errors.ConflictError(""), ("retry", timedelta(seconds=60))),
        (errors.RateLimitError(""), ("default", None)),
        (errors.OutcomeUnknownError(""), ("default", None)),
        (errors.LedgerUnavailableError(""), ("default", None)),
        (errors.AuthenticationError(""), ("fail", None)),
        (errors.InvalidRequestError("", retry_after_seconds=9), ("fail", None)),
        (errors.ReviewNeededError(""), ("fail", None)),
        (ValueError(""), ("default", None)),
    ],
)
def test_decision(error: BaseException, expected: tuple[str, timedelta | None]) -> None:
    assert decide(error) == expected


def test_cause_decides_behind_another_exception() -> None:
    outer = AirflowException("the run failed")
    outer.__cause__ = errors.RateLimitError("", retry_after_seconds=3)
    assert decide(outer) == ("retry", timedelta(seconds=3))


def test_chain_of_causes_that_bites_its_tail_ends() -> None:
    one, two = ValueError(), ValueError()
    one.__cause__, two.__cause__ = two, one
    assert decide(one) == ("default", None)


def test_policy_survives_serialization() -> None:
    again = retry_policy.PayRecordsRetryPolicy.deserialize(POLICY.serialize())
    assert again.held_seconds == 120
