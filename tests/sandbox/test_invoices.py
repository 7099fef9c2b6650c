"""Attaching a record to an invoice, and what it does then and later."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_payrecords.core.models import RecordState
from airflow_provider_payrecords.sandbox.config import InvoiceSeed
from tests.sandbox.samples import START, Answer, Api

INVOICE = "/v1/invoices/in_1"
PAYMENTS = "/v1/invoice_payments"


@pytest.fixture
def api(api: Api) -> Api:
    """Return an API with an open invoice over the amount of a sample payment."""
    api.sandbox.add_invoice(InvoiceSeed(id="in_1", amount_due=4950, currency="EUR", customer="cus_1"))
    return api


def attach(api: Api, record: str, invoice: str = "in_1", **params: Any) -> Answer:
    return api.post(f"/v1/invoices/{invoice}/attach_payment", {"payment_record": record, **params})


def test_guaranteed_record_pays_the_invoice(api: Api) -> None:
    record = api.record_in(RecordState.GUARANTEED)["id"]
    invoice = attach(api, record, expand=["payments"]).body
    amounts = [invoice[f"amount_{name}"] for name in ("due", "paid", "remaining", "overpaid")]
    assert (invoice["status"], amounts) == ("paid", [4950, 4950, 0, 0])
    (payment,) = invoice["payments"]["data"]
    assert (payment["status"], payment["amount_paid"], payment["amount_requested"]) == ("paid", 4950, 4950)
    assert payment["payment"] == {"payment_record": record, "type": "payment_record"}
    assert payment["status_transitions"] == {"canceled_at": None, "paid_at": START}


@pytest.mark.parametrize("state", [RecordState.PENDING, RecordState.FAILED, RecordState.CANCELED])
def test_record_without_money_leaves_the_invoice_open(api: Api, state: RecordState) -> None:
    invoice = attach(api, api.record_in(state)["id"], expand=["payments"]).body
    (payment,) = invoice["payments"]["data"]
    assert (invoice["status"], invoice["amount_remaining"]) == ("open", 4950)
    assert (payment["status"], payment["amount_paid"]) == ("open", None)


def test_later_guarantee_pays_the_invoice(api: Api) -> None:
    record = api.report()["id"]
    attach(api, record)
    api.act(record, "report_payment_attempt_failed")
    assert api.get(INVOICE).body["status"] == "open"
    given = {"initiated_at": START, "outcome": "guaranteed", "guaranteed": {"guaranteed_at": START}}
    api.act(record, "report_payment_attempt", given)
    assert api.get(INVOICE).body["status"] == "paid"


def test_first_record_to_be_guaranteed_pays_and_the_other_is_canceled(api: Api) -> None:
    one, other = api.report()["id"], api.report()["id"]
    attach(api, one)
    attach(api, other)
    api.act(other, "report_payment_attempt_guaranteed")
    statuses = {
        payment["payment"]["payment_record"]: payment["status"]
        for payment in api.get(PAYMENTS, invoice="in_1").body["data"]
    }
    assert statuses == {one: "canceled", other: "paid"}
    api.act(one, "report_payment_attempt_guaranteed")
    assert api.get(INVOICE).body["amount_paid"] == 4950


def test_refund_does_not_open_the_invoice_again(api: Api) -> None:
    record = api.record_in(RecordState.GUARANTEED)["id"]
    attach(api, record)
    api.act(record, "report_refund")
    assert api.get(INVOICE).body["status"] == "paid"


def test_what_is_paid_too_much_is_shown(api: Api) -> None:
    api.sandbox.add_invoice(InvoiceSeed(id="in_2", amount_due=4000, currency="eur"))
    invoice = attach(api, api.record_in(RecordState.GUARANTEED)["id"], "in_2").body
    assert (invoice["amount_paid"], invoice["amount_overpaid"], invoice["amount_remaining"]) == (4000, 950, 0)


def test_unknown_objects_are_named(api: Api) -> None:
    assert attach(api, "pr_1", "in_none").blame == (404, "resource_missing", "invoice")
    assert attach(api, "pr_none").blame == (404, "resource_missing", "payment_record")
    answer = api.post(f"{INVOICE}/attach_payment", {"payment_intent": "pi_1"})
    assert answer.blame == (404, "resource_missing", "payment_intent")


def test_exactly_one_payment_is_attached(api: Api) -> None:
    assert api.post(f"{INVOICE}/attach_payment").blame == (400, "parameter_missing", "payment_record")
    assert attach(api, "pr_1", payment_intent="pi_1").blame == (400, "parameters_exclusive", "payment_record")


def test_record_is_attached_once(api: Api) -> None:
    api.sandbox.add_invoice(InvoiceSeed(id="in_2", amount_due=4950, currency="eur"))
    record = api.report()["id"]
    attach(api, record)
    assert attach(api, record).blame == (400, None, "payment_record")
    assert attach(api, record, "in_2").blame == (400, None, "payment_record")


@pytest.mark.parametrize("status", ["draft", "paid", "void"])
def test_invoice_that_takes_no_payment_refuses_it(api: Api, status: Any) -> None:
    api.sandbox.add_invoice(InvoiceSeed(id="in_2", amount_due=4950, currency="eur", status=status))
    assert attach(api, api.report()["id"], "in_2").blame == (400, None, None)


def test_uncollectible_invoice_can_be_paid(api: Api) -> None:
    api.sandbox.add_invoice(InvoiceSeed(id="in_2", amount_due=4950, currency="eur", status="uncollectible"))
    assert attach(api, api.record_in(RecordState.GUARANTEED)["id"], "in_2").body["status"] == "paid"


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_requested": {"currency": "usd", "value": 4950}},
        {"amount_requested": {"currency": "eur", "value": 4949}},
    ],
)
def test_record_in_another_currency_or_too_small_is_refused(api: Api, changes: dict[str, Any]) -> None:
    assert attach(api, api.report(**changes)["id"]).blame == (400, None, "payment_record")


@pytest.mark.parametrize("state", [RecordState.PARTIALLY_REFUNDED, RecordState.REFUNDED])
def test_refunded_record_is_refused(api: Api, state: RecordState) -> None:
    assert attach(api, api.record_in(state)["id"]).blame == (400, None, "payment_record")


def test_payments_are_found_by_record_invoice_status_and_time(api: Api) -> None:
    record = api.report()["id"]
    attach(api, record)

    def found(**params: Any) -> int:
        return len(api.get(PAYMENTS, **params).body["data"])

    assert found(payment={"type": "payment_record", "payment_record": record}) == 1
    assert found(payment={"type": "payment_record", "payment_record": "pr_none"}) == 0
    assert found(payment={"type": "payment_intent"}) == 0
    assert (found(invoice="in_1", status="open"), found(invoice="in_1", status="paid"), found(invoice="x")) == (1, 0, 0)
    assert (found(created={"gte": START}), found(created={"gt": START}), found(created={"lt": START})) == (1, 0, 0)
    assert found(created={"lte": START, "gt": START - 1}) == 1
    assert api.get(PAYMENTS, payment={"payment_record": record}).blame == (400, "parameter_missing", "payment[type]")


def test_payments_of_invoices_come_in_pages_and_one_by_one(api: Api) -> None:
    for _ in range(3):
        attach(api, api.report()["id"])
    page = api.get(PAYMENTS, limit=2).body
    rest = api.get(PAYMENTS, starting_after=page["data"][-1]["id"]).body
    assert (len(page["data"]), page["has_more"], len(rest["data"]), rest["has_more"]) == (2, True, 1, False)
    one = rest["data"][0]
    assert api.get(f"{PAYMENTS}/{one['id']}").body == one
    assert api.get(f"{PAYMENTS}/none").blame == (404, "resource_missing", "invoice_payment")


def test_records_and_invoices_can_be_expanded(api: Api) -> None:
    record = api.record_in(RecordState.GUARANTEED)
    paths = ["payments.data.payment.payment_record"]
    invoice = attach(api, record["id"], expand=paths).body
    assert invoice["payments"]["data"][0]["payment"]["payment_record"] == record
    payment = invoice["payments"]["data"][0]["id"]
    assert api.get(f"{PAYMENTS}/{payment}", expand=["invoice"]).body["invoice"]["id"] == "in_1"
    page = api.get(PAYMENTS, expand=["data.payment.payment_record"]).body
    assert page["data"][0]["payment"]["payment_record"] == record


def test_seeds_belong_to_their_account_and_mode(api: Api) -> None:
    api.sandbox.add_invoice(InvoiceSeed(id="in_3", amount_due=1, currency="eur", account="acct_2", livemode=True))
    assert api.get("/v1/invoices/in_3").status == 404
    assert Api(api.sandbox, "sk_live_1", stripe_account="acct_2").get("/v1/invoices/in_3").body["livemode"] is True


def test_effect_is_in_the_journal(api: Api) -> None:
    record = api.record_in(RecordState.GUARANTEED)["id"]
    attach(api, record)
    line = list(api.sandbox.journal)[-1]
    assert (line.endpoint, line.payment_record, line.amount, line.currency) == ("attach_payment", record, 4950, "eur")
