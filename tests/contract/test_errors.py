"""Errors, replays and trouble arrive in the official SDK as the classes it has for them."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from airflow_provider_payrecords.sandbox.faults import Fault, FaultKind
from airflow_provider_payrecords.sandbox.server import RunningSandbox
from tests.contract.conftest import READ_ONLY, ROLLED, Connect
from tests.sandbox.samples import PAYMENT, START, Clock, refund

Records = stripe.PaymentRecordService
REPORT: Any = PAYMENT
GUARANTEED: Any = {**PAYMENT, "outcome": "guaranteed", "guaranteed": {"guaranteed_at": START}}

REFUSED: dict[str, tuple[dict[str, Any], str | None, str]] = {
    "missing": ({"amount_requested": {"currency": "eur"}}, "parameter_missing", "amount_requested[value]"),
    "unknown": ({"amount": 1}, "parameter_unknown", "amount"),
    "empty": ({"description": ""}, "parameter_invalid_empty", "description"),
    "float": (
        {"amount_requested": {"currency": "eur", "value": 1.0}},
        "parameter_invalid_integer",
        "amount_requested[value]",
    ),
    "choice": ({"outcome": "lost"}, None, "outcome"),
    "currency": ({"amount_requested": {"currency": "xyz", "value": 1}}, None, "amount_requested[currency]"),
    "metadata": ({"metadata": {"k": "v" * 501}}, None, "metadata"),
    "expand": ({"expand": ["customer_details"]}, None, "expand"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_wrong_parameter_is_an_invalid_request(records: Records, case: str) -> None:
    changes, code, param = REFUSED[case]
    params: Any = {**PAYMENT, **changes}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        records.report_payment(params)
    assert (refused.value.http_status, refused.value.code, refused.value.param) == (400, code, param)
    assert refused.value.request_id


def test_refund_that_does_not_fit_is_an_invalid_request(records: Records) -> None:
    record = records.report_payment(GUARANTEED).id
    cases: list[tuple[Any, str]] = [
        (refund("a", 4951), "amount[value]"),
        (refund("a", 100, "usd"), "amount[currency]"),
        (refund("used", 100), "processor_details[custom][refund_reference]"),
    ]
    records.report_refund(record, refund("used", 1))  # type: ignore[arg-type] # a plain mapping
    for params, param in cases:
        with pytest.raises(stripe.InvalidRequestError) as refused:
            records.report_refund(record, params)
        assert refused.value.param == param


def test_unknown_record_is_missing(records: Records) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        records.retrieve("pr_missing")
    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")


def test_keys_are_refused_by_their_fault(connect: Connect) -> None:
    for key in ("pk_test_1", ROLLED):
        with pytest.raises(stripe.AuthenticationError):
            connect(key).v1.payment_records.report_payment(REPORT)
    with pytest.raises(stripe.PermissionError):
        connect(READ_ONLY).v1.payment_records.report_payment(REPORT)
    assert connect(READ_ONLY).v1.payment_records.list().data == []


def test_connected_account_has_its_own_records(connect: Connect) -> None:
    client = connect(stripe_account="acct_2")
    record = client.v1.payment_records.report_payment(REPORT)
    assert client.v1.payment_records.retrieve(record.id).id == record.id
    with pytest.raises(stripe.InvalidRequestError):
        connect().v1.payment_records.retrieve(record.id)


def test_one_key_makes_one_record_and_replays_it(records: Records) -> None:
    first = records.report_payment(REPORT, {"idempotency_key": "k"})
    again = records.report_payment(REPORT, {"idempotency_key": "k"})
    assert again.to_dict() == first.to_dict()
    assert again.last_response is not None
    assert again.last_response.headers["idempotent-replayed"] == "true"
    assert len(records.list().data) == 1


def test_key_with_other_parameters_is_an_idempotency_error(records: Records) -> None:
    records.report_payment(REPORT, {"idempotency_key": "k"})
    with pytest.raises(stripe.IdempotencyError):
        records.report_payment(GUARANTEED, {"idempotency_key": "k"})


def test_key_is_new_after_a_day(records: Records, clock: Clock) -> None:
    first = records.report_payment(REPORT, {"idempotency_key": "k"})
    clock.now += 24 * 3600
    assert records.report_payment(REPORT, {"idempotency_key": "k"}).id != first.id


def test_rate_limit_is_a_rate_limit_error(connect: Connect) -> None:
    live = connect("sk_live_1").v1.payment_records
    assert [live.list().data, live.list().data] == [[], []]
    with pytest.raises(stripe.RateLimitError) as limited:
        live.list()
    assert limited.value.headers is not None
    assert limited.value.headers["stripe-rate-limited-reason"] == "global-rate"


def test_older_version_lacks_what_came_later(connect: Connect) -> None:
    records = connect().v1.payment_records
    old: Any = {"stripe_version": "2026-06-24.dahlia"}
    canceled: Any = {**PAYMENT, "outcome": "canceled", "canceled": {"canceled_at": START}}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        records.list(options=old)
    assert refused.value.http_status == 404
    with pytest.raises(stripe.InvalidRequestError) as refused:
        records.report_payment(canceled, old)
    assert (refused.value.code, refused.value.param) == ("parameter_unknown", "canceled")
    with pytest.raises(stripe.InvalidRequestError, match="2020-99-99"):
        records.list(options={"stripe_version": "2020-99-99"})


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("key_in_use", stripe.APIError),
        ("rate_limit", stripe.RateLimitError),
        ("lock", stripe.RateLimitError),
        ("error_before", stripe.APIError),
        ("error_after", stripe.APIError),
        ("unavailable", stripe.APIError),
        ("drop_before", stripe.APIConnectionError),
        ("drop_after", stripe.APIConnectionError),
        ("truncated", stripe.APIConnectionError),
    ],
)
def test_trouble_is_the_error_the_sdk_has_for_it(
    running: RunningSandbox, records: Records, kind: str, error: type[stripe.StripeError]
) -> None:
    running.faults.add(kind)
    with pytest.raises(error):
        records.report_payment(REPORT, {"idempotency_key": "k"})
    took_effect = kind in ("error_after", "drop_after", "truncated")
    assert len(running.records) == int(took_effect)


@pytest.mark.parametrize("kind", ["key_in_use", "lock", "error_before", "drop_before", "drop_after"])
def test_retries_of_the_sdk_end_in_one_record(running: RunningSandbox, connect: Connect, kind: str) -> None:
    running.faults.add(Fault(kind=FaultKind(kind)))
    record = connect(max_network_retries=1).v1.payment_records.report_payment(REPORT)
    assert [one["id"] for one in running.records] == [record.id]
