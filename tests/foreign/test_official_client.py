"""The official SDK, an independent reading of the API, works against the foreign server."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.foreign.fixtures import StartServer

PAYMENT: Any = {
    "amount_requested": {"currency": "jpy", "value": 4950},
    "initiated_at": 1793610000,
    "payment_method_details": {"type": "custom", "custom": {"display_name": "Zoë's cheque\n& co"}},
    "processor_details": {"type": "custom", "custom": {"payment_reference": "CHQ-1"}},
    "metadata": {"payrecords_key": "CHQ-1"},
}


def _client(url: str, api_key: str = "sk_test_x", retries: int = 0) -> stripe.StripeClient:
    return stripe.StripeClient(api_key, base_addresses={"api": url}, max_network_retries=retries)


def test_it_reports_retrieves_and_lists(start_server: StartServer) -> None:
    server = start_server()
    records = _client(server.url).v1.payment_records
    made = records.report_payment(PAYMENT, {"idempotency_key": "k"})
    again = records.report_payment(PAYMENT, {"idempotency_key": "k"})
    assert made.id == again.id == records.retrieve(made.id).id
    assert [record.id for record in records.list({"limit": 5}).auto_paging_iter()] == [made.id]
    assert server.stamped() == {"CHQ-1": 1}
    assert server.commits()[0]["form"]["payment_method_details"]["custom"]["display_name"] == "Zoë's cheque\n& co"


def test_it_walks_a_payment_through_its_life(start_server: StartServer) -> None:
    records = _client(start_server().url).v1.payment_records
    made = records.report_payment(PAYMENT | {"outcome": "failed", "failed": {"failed_at": 1793610001}})
    assert made.amount_failed.value == 4950
    records.report_payment_attempt(made.id, {"initiated_at": 1793610002})
    records.report_payment_attempt_guaranteed(made.id, {"guaranteed_at": 1793610003})
    reference: Any = {"type": "custom", "custom": {"refund_reference": "R-1"}}
    done = records.report_refund(made.id, {"outcome": "refunded", "processor_details": reference})
    assert (done.amount_refunded.value, done.amount_guaranteed.value) == (4950, 0)
    assert records.report_payment_attempt_informational(made.id, {"description": "late"}).description == "late"


def test_it_raises_its_own_errors(start_server: StartServer) -> None:
    server = start_server("--revoked=sk_test_old", "--forbidden=rk_test_poor")
    with pytest.raises(stripe.AuthenticationError):
        _client(server.url, "sk_test_old").v1.payment_records.report_payment(PAYMENT)
    with pytest.raises(stripe.PermissionError):
        _client(server.url, "rk_test_poor").v1.payment_records.report_payment(PAYMENT)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        _client(server.url).v1.payment_records.retrieve("pr_missing")
    assert refused.value.code == "resource_missing"
    records = _client(server.url).v1.payment_records
    records.report_payment(PAYMENT, {"idempotency_key": "k"})
    with pytest.raises(stripe.IdempotencyError):
        records.report_payment(PAYMENT | {"description": "other"}, {"idempotency_key": "k"})


def test_its_own_retries_survive_errors_and_resets_without_a_second_record(start_server: StartServer) -> None:
    server = start_server("--seed=3", "--mix=network", "--most-faults=1")
    records = _client(server.url, retries=2).v1.payment_records
    for number in range(6):
        try:
            records.report_payment(PAYMENT, {"idempotency_key": f"k{number}"})
        except stripe.APIError:  # half a body or a page in place of JSON: the SDK does not retry these
            records.report_payment(PAYMENT, {"idempotency_key": f"k{number}"})
    assert len(server.commits()) == 6
    assert {line["idempotency_key"] for line in server.log()} == {f"k{number}" for number in range(6)}
