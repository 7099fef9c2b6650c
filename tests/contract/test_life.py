"""A payment's life over all twelve endpoints, told by the official SDK."""

from __future__ import annotations

import asyncio
from typing import Any

import stripe

from airflow_provider_payrecords.core.commands import COMMANDS
from airflow_provider_payrecords.sandbox.config import InvoiceSeed
from airflow_provider_payrecords.sandbox.server import RunningSandbox
from tests.contract.conftest import Connect
from tests.sandbox.samples import PAYMENT, START, refund

CHEQUE: Any = {
    **PAYMENT,
    "customer_details": {"name": "Zoë Müller", "email": "zoë@example.com"},
    "description": "Order 7781 & a half",
    "metadata": {"order_id": "7781", "source": "airflow"},
}


def values(record: Any, *names: str) -> list[int]:
    return [getattr(record, f"amount_{name}").value for name in names]


def test_cheque_bounces_a_wire_arrives_part_goes_back_and_the_invoice_is_paid(
    running: RunningSandbox, connect: Connect
) -> None:
    running.sandbox.add_invoice(InvoiceSeed(id="in_official", amount_due=4950, currency="eur"))
    client = connect()
    records, attempts = client.v1.payment_records, client.v1.payment_attempt_records

    made = records.report_payment(CHEQUE)
    assert values(made, "requested", "guaranteed", "failed", "canceled", "refunded") == [4950, 0, 0, 0, 0]
    bounced = records.report_payment_attempt_failed(
        made.id, {"failed_at": START, "metadata": {"bank_code": "R01", "source": ""}}
    )
    assert (values(bounced, "failed"), bounced.metadata.to_dict()) == ([4950], {"order_id": "7781", "bank_code": "R01"})
    records.report_payment_attempt(made.id, {"initiated_at": START})
    records.report_payment_attempt_canceled(made.id, {"canceled_at": START})
    pending = records.report_payment_attempt(made.id, {"initiated_at": START})
    attached = client.v1.invoices.attach_payment("in_official", {"payment_record": made.id})
    assert attached.status == "open"
    records.report_payment_attempt_guaranteed(made.id, {"guaranteed_at": START})
    assert client.v1.invoices.retrieve("in_official").status == "paid"
    part = records.report_refund(made.id, refund("RF-1", 1950))  # type: ignore[arg-type] # a plain mapping
    assert values(part, "guaranteed", "refunded") == [3000, 1950]
    rest = records.report_refund(made.id, refund("RF-2"))  # type: ignore[arg-type] # a plain mapping
    assert values(rest, "guaranteed", "refunded") == [0, 4950]
    amended = records.report_payment_attempt_informational(made.id, {"description": ""})
    assert amended.description is None

    assert records.retrieve(made.id).to_dict() == amended.to_dict()
    assert [one.id for one in records.list().data] == [made.id]
    tries = attempts.list({"payment_record": made.id}).data
    assert [values(one, "failed", "canceled", "refunded") for one in tries] == [
        [0, 0, 4950],
        [0, 4950, 0],
        [4950, 0, 0],
    ]
    assert attempts.retrieve(tries[0].id).payment_record == made.id
    assert tries[0].id == pending.latest_payment_attempt_record
    called = {line.endpoint for line in running.journal}
    assert called == {name for name, command in COMMANDS.items() if command.method == "POST"}


def test_invoice_payment_leads_from_record_to_invoice(running: RunningSandbox, connect: Connect) -> None:
    running.sandbox.add_invoice(InvoiceSeed(id="in_official", amount_due=4950, currency="eur"))
    client = connect()
    paid: Any = {**PAYMENT, "outcome": "guaranteed", "guaranteed": {"guaranteed_at": START}}
    record = client.v1.payment_records.report_payment(paid)
    invoice = client.v1.invoices.attach_payment("in_official", {"payment_record": record.id, "expand": ["payments"]})
    assert invoice.payments is not None
    (payment,) = invoice.payments.data
    assert (payment.status, payment.payment.payment_record, payment.amount_paid) == ("paid", record.id, 4950)
    wanted: Any = {"payment": {"type": "payment_record", "payment_record": record.id}}
    (found,) = client.v1.invoice_payments.list(wanted).data
    assert (found.id, found.invoice) == (payment.id, "in_official")
    assert client.v1.invoice_payments.retrieve(found.id).status == "paid"


def test_pages_are_followed_by_the_sdk(records: stripe.PaymentRecordService) -> None:
    made = [records.report_payment(CHEQUE).id for _ in range(25)]
    assert [one.id for one in records.list({"limit": 10}).auto_paging_iter()] == made[::-1]
    newer = records.list({"limit": 10, "ending_before": made[4]})
    assert [one.id for one in newer.data] == made[14:4:-1]


def test_asynchronous_client_says_the_same(connect: Connect) -> None:
    async def run() -> tuple[str, list[str]]:
        carrier = stripe.HTTPXClient()
        client = connect(http_client=carrier)
        made = await client.v1.payment_records.report_payment_async(CHEQUE)
        listed = await client.v1.payment_records.list_async({"limit": 1})
        await carrier.close_async()
        return made.id, [one.id for one in listed.data]

    made, listed = asyncio.run(run())
    assert listed == [made]
