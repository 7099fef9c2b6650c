"""Answers have the keys, the types and the nulls that the official SDK declares for them."""

from __future__ import annotations

import typing
from typing import Any

import pytest
import stripe
from stripe._expandable_field import ExpandableField
from stripe._stripe_object import UntypedStripeObject

from airflow_provider_payrecords.sandbox.config import InvoiceSeed
from airflow_provider_payrecords.sandbox.server import RunningSandbox
from tests.contract.conftest import Connect
from tests.sandbox.samples import PAYMENT

ABSENT_UNLESS_OF_THAT_KIND = {"payment_method_details", "processor_details", "payment"}
"""Hashes with one key for each type a thing may have, of which the others are absent."""

FULL: Any = {
    **PAYMENT,
    "customer_details": {"customer": "cus_1", "email": "zoë@example.com", "name": "Zoë", "phone": "1"},
    "customer_presence": "on_session",
    "description": "Order",
    "metadata": {"order": "1"},
    "shipping_details": {"name": "Zoë", "phone": "1", "address": {"city": "Köln"}},
    "payment_method_details": {
        "type": "custom",
        "payment_method": "pm_1",
        "custom": {"display_name": "Cheque", "type": "cpmt_1"},
        "billing_details": {"name": "Zoë"},
    },
}


EXPANDED: dict[str, Any] = {
    "Charge": stripe.Charge,
    "DeletedInvoice": stripe.Invoice,
    "Invoice": stripe.Invoice,
    "PaymentIntent": stripe.PaymentIntent,
    "PaymentRecord": stripe.PaymentRecord,
}
"""Classes that declarations name without importing them at run time."""


def mismatches(declared: type, shown: dict[str, Any], where: str) -> list[str]:
    """Return where *shown* is not what the SDK class *declared* says."""
    hints = declarations(declared)
    found = [f"{where}.{name} is not declared" for name in shown if name not in hints]
    for name, hint in hints.items():
        if name in shown:
            found += wrong(hint, shown[name], f"{where}.{name}")
        elif where.rpartition(".")[2] not in ABSENT_UNLESS_OF_THAT_KIND:
            found.append(f"{where}.{name} is absent")
    return found


def declarations(declared: type) -> dict[str, Any]:
    known = {"ExpandableField": ExpandableField, **EXPANDED, **vars(declared)}
    hints = typing.get_type_hints(declared, localns=known)
    own = [name for name in declared.__annotations__ if not name.startswith("_") and name != "OBJECT_NAME"]
    return {name: hints[name] for name in own}


def wrong(hint: Any, value: Any, where: str) -> list[str]:
    options = list(typing.get_args(hint)) if typing.get_origin(hint) is typing.Union else [hint]
    if value is None:
        return [] if type(None) in options else [f"{where} is null"]
    if isinstance(value, dict):
        inner = [one for one in options if isinstance(one, type) and issubclass(one, stripe.StripeObject)]
        return mismatches(inner[0], value, where) if inner else untyped(hint, where)
    literals = [value for one in options if typing.get_origin(one) is typing.Literal for value in typing.get_args(one)]
    return [] if value in literals or type(value) in options else [f"{where} is a {type(value).__name__}"]


def untyped(hint: Any, where: str) -> list[str]:
    return [] if typing.get_origin(hint) is UntypedStripeObject else [f"{where} is a hash"]


@pytest.mark.parametrize("params", [PAYMENT, FULL], ids=["least", "most"])
def test_record_and_attempt_are_what_the_sdk_declares(connect: Connect, params: Any) -> None:
    client = connect()
    record = client.v1.payment_records.report_payment(params)
    attempt = client.v1.payment_attempt_records.retrieve(str(record.latest_payment_attempt_record))
    assert mismatches(stripe.PaymentRecord, record.to_dict(recursive=True), "record") == []
    assert mismatches(stripe.PaymentAttemptRecord, attempt.to_dict(recursive=True), "attempt") == []


def test_invoice_payment_is_what_the_sdk_declares(running: RunningSandbox, connect: Connect) -> None:
    running.sandbox.add_invoice(InvoiceSeed(id="in_1", amount_due=4950, currency="eur"))
    client = connect()
    record = client.v1.payment_records.report_payment(FULL)
    client.v1.invoices.attach_payment("in_1", {"payment_record": record.id})
    (payment,) = client.v1.invoice_payments.list().data
    assert mismatches(stripe.InvoicePayment, payment.to_dict(recursive=True), "payment") == []


def test_comparison_finds_what_is_missing_foreign_and_of_another_type(connect: Connect) -> None:
    shown = connect().v1.payment_records.report_payment(FULL).to_dict(recursive=True)
    del shown["amount"]["value"]
    shown.update({"status": "x", "created": "today", "livemode": None})
    assert mismatches(stripe.PaymentRecord, shown, "record") == [
        "record.status is not declared",
        "record.amount.value is absent",
        "record.created is a str",
        "record.livemode is null",
    ]
