"""What one look at a record means, and when to look again."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_payrecords.core.errors import (
    AuthenticationError,
    ConflictError,
    InvalidRequestError,
    NotSentError,
    OutcomeUnknownError,
    PayRecordsError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    SettingsError,
    UnknownRouteError,
    UntrustedServerError,
)
from airflow_provider_payrecords.core.models import PaymentRecord, RecordState
from airflow_provider_payrecords.core.waiting import MIN_INTERVAL_SECONDS, SPREAD, Sight, Wait, pause_seconds

FOR_GUARANTEED = Wait("pr_1", (RecordState.GUARANTEED,))


def record(**buckets: int) -> PaymentRecord:
    amounts = {f"amount_{name}": {"value": value, "currency": "eur"} for name, value in buckets.items()}
    return PaymentRecord.model_validate(
        {"id": "pr_1", "amount_requested": {"value": 4950, "currency": "eur"}, **amounts}
    )


def test_state_that_is_there_is_reached() -> None:
    look = FOR_GUARANTEED.look(record(guaranteed=4950))
    assert (look.sight, look.payment_record, look.state) == (Sight.REACHED, "pr_1", RecordState.GUARANTEED)
    assert (look.failures, look.message) == (0, "pr_1 is guaranteed")


def test_pending_record_is_waited_for() -> None:
    look = FOR_GUARANTEED.look(record())
    assert (look.sight, look.message) == (Sight.WAITING, "pr_1 is pending, not guaranteed")


def test_failed_record_ends_the_wait_and_the_message_says_how_to_go_on() -> None:
    look = FOR_GUARANTEED.look(record(failed=4950))
    assert look.sight is Sight.HOPELESS
    assert look.message.startswith("pr_1 is failed, not guaranteed. Its latest attempt ended so.")
    assert "wait_for_new_attempt=True" in look.message


def test_failed_record_is_waited_for_where_a_new_attempt_is_expected() -> None:
    wait = Wait("pr_1", (RecordState.GUARANTEED,), for_new_attempt=True)
    assert wait.look(record(failed=4950)).sight is Sight.WAITING
    assert wait.look(record(refunded=4950)).sight is Sight.HOPELESS


def test_state_that_no_report_leads_to_ends_the_wait() -> None:
    wait = Wait("pr_1", (RecordState.FAILED, RecordState.CANCELED), for_new_attempt=True)
    look = wait.look(record(guaranteed=4950))
    assert (look.sight, look.state) == (Sight.HOPELESS, RecordState.GUARANTEED)
    assert look.message == (
        "pr_1 is guaranteed, not failed or canceled. The API takes no report that leads there any more."
    )


@pytest.mark.parametrize("guaranteed", [0, 4950], ids=["a refund moves the amount", "a refund keeps the amount"])
def test_refunds_are_understood_under_both_models(guaranteed: int) -> None:
    assert FOR_GUARANTEED.look(record(guaranteed=guaranteed, refunded=4950)).sight is Sight.HOPELESS
    assert FOR_GUARANTEED.look(record(guaranteed=guaranteed, refunded=50)).sight is Sight.REACHED


def test_id_is_the_records_own_where_another_one_led_to_it() -> None:
    look = Wait("pi_1", (RecordState.GUARANTEED,)).look(record(guaranteed=4950))
    assert look.payment_record == "pr_1"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RateLimitError("run again", status=429, code="rate_limit", request_id="req_1"), "rate_limit, req_1"),
        (ServerError("it may have taken effect", status=503), "server_error"),
        (ConflictError("in use", status=409), "conflict"),
        (OutcomeUnknownError("It may have taken effect; run again"), "outcome_unknown"),
        (NotSentError("No connection to the API. Check host."), "No connection to the API. Check host."),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)  # fmt: skip
def test_what_may_pass_is_borne_a_bounded_number_of_times(error: PayRecordsError, said: str) -> None:
    wait = Wait("pr_1", (RecordState.GUARANTEED,), max_failures=3)
    looks = [wait.stumble(error, before) for before in range(3)]
    assert [look.sight for look in looks] == [Sight.WAITING, Sight.WAITING, Sight.BLIND]
    assert [look.failures for look in looks] == [1, 2, 3]
    assert looks[2].message == f"pr_1 could not be read, 3 times in a row: {said}"
    assert (looks[2].payment_record, looks[2].state) == ("pr_1", None)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (InvalidRequestError("no", status=404, code="resource_missing"), "no payment record pr_1 for this key"),
        (InvalidRequestError("The API refused retrieve_payment_record", status=400), "The API refused"),
        (PermissionDeniedError("Grant payment_records_write", status=403), "Grant payment_records_read"),
        (AuthenticationError("no", status=401), "The API key was not accepted when pr_1 was read (401)"),
        (UnknownRouteError("The API does not know it", status=404), "The API does not know it"),
        (UntrustedServerError("certificate"), "certificate"),
        (SettingsError("In connection 'x': the API key is missing"), "the API key is missing"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)  # fmt: skip
def test_what_a_person_must_mend_ends_the_wait_at_once(error: PayRecordsError, said: str) -> None:
    look = FOR_GUARANTEED.stumble(error, 0)
    assert look.sight is Sight.HOPELESS
    assert said in look.message


@pytest.mark.parametrize(
    ("interval", "jitter", "left", "expected"),
    [
        (60.0, 0.0, 1e6, 60.0),
        (60.0, 1.0, 1e6, 60 * (1 + SPREAD)),
        (60.0, -1.0, 1e6, 60 * (1 - SPREAD)),
        (60.0, 1.0, 5.0, 5.0),
        (60.0, 0.0, -3.0, 0.0),
        (0.0, 0.0, 1e6, MIN_INTERVAL_SECONDS),
        (-5.0, 0.0, 1e6, MIN_INTERVAL_SECONDS),
    ],
)
def test_pause_is_about_the_interval_and_never_past_the_deadline(
    interval: float, jitter: float, left: float, expected: Any
) -> None:
    assert pause_seconds(interval, jitter, left) == pytest.approx(expected)
