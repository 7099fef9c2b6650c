"""
Objects as the API shows them: every documented key, in alphabetical order after ``id`` and ``object``.

Source:
    https://docs.stripe.com/api/payment-record/object, /api/payment-attempt-record/object, /api/invoice-payment/object
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from airflow_provider_payrecords.sandbox.objects import (
    Attempt,
    Holdings,
    Invoice,
    InvoicePayment,
    Realm,
    Record,
)
from airflow_provider_payrecords.sandbox.state import RefundModel, buckets
from airflow_provider_payrecords.sandbox.versions import RECORD_SAYS_REPORTED_BY

_NOTHING: frozenset[str] = frozenset()


class Renderer:
    """Shows the objects of one realm under one API version."""

    def __init__(self, realm: Realm, holdings: Holdings, model: RefundModel, version: str) -> None:
        self._realm = realm
        self._holdings = holdings
        self._model = model
        self._version = version

    def record(self, record: Record) -> dict[str, Any]:
        """Return a payment record. Its amounts and details are those of its latest attempt."""
        shown = self._shared(self._holdings.latest(record), record.id, record.created)
        shown["object"] = "payment_record"
        shown["latest_payment_attempt_record"] = record.attempts[-1]
        if self._version < RECORD_SAYS_REPORTED_BY:
            del shown["reported_by"]
        return _ordered(shown)

    def attempt(self, attempt: Attempt) -> dict[str, Any]:
        """Return a payment attempt record."""
        shown = self._shared(attempt, attempt.id, attempt.created)
        return _ordered({**shown, "object": "payment_attempt_record", "payment_record": attempt.record})

    def invoice(self, invoice: Invoice, expand: Collection[str] = _NOTHING) -> dict[str, Any]:
        """Return an invoice, as far as the sandbox knows invoices."""
        shown = {
            "id": invoice.id,
            "object": "invoice",
            "amount_due": invoice.amount_due,
            "amount_overpaid": invoice.amount_overpaid,
            "amount_paid": invoice.amount_paid,
            "amount_remaining": invoice.amount_remaining,
            "created": invoice.created,
            "currency": invoice.currency,
            "customer": invoice.customer,
            "livemode": self._realm.livemode,
            "metadata": {},
            "status": invoice.status,
            "status_transitions": {
                "finalized_at": None if invoice.status == "draft" else invoice.created,
                "marked_uncollectible_at": None,
                "paid_at": invoice.paid_at,
                "voided_at": None,
            },
            "total": invoice.amount_due,
        }
        inner = [path.removeprefix("payments.data.") for path in expand if path.startswith("payments.")]
        if inner or "payments" in expand:
            payments = [self._holdings.invoice_payments[one] for one in reversed(invoice.payments)]
            data = [self.invoice_payment(one, inner) for one in payments]
            shown["payments"] = page(f"/v1/invoices/{invoice.id}/payments", data, has_more=False)
        return shown

    def invoice_payment(self, payment: InvoicePayment, expand: Collection[str] = _NOTHING) -> dict[str, Any]:
        """Return a payment of an invoice."""
        record: Any = payment.record
        if "payment.payment_record" in expand:
            record = self.record(self._holdings.records[payment.record])
        invoice: Any = payment.invoice
        if "invoice" in expand:
            invoice = self.invoice(self._holdings.invoices[payment.invoice])
        return {
            "id": payment.id,
            "object": "invoice_payment",
            "amount_paid": payment.amount_paid,
            "amount_requested": payment.amount_requested,
            "created": payment.created,
            "currency": payment.currency,
            "invoice": invoice,
            "is_default": False,
            "livemode": self._realm.livemode,
            "payment": {"payment_record": record, "type": "payment_record"},
            "status": payment.status,
            "status_transitions": {"canceled_at": payment.canceled_at, "paid_at": payment.paid_at},
        }

    def _shared(self, attempt: Attempt, identifier: str, created: int) -> dict[str, Any]:
        details = attempt.details
        amounts = buckets(attempt, self._model)
        return {
            **{name: {"currency": attempt.currency, "value": value} for name, value in amounts.items()},
            "id": identifier,
            "application": None,
            "created": created,
            "customer_details": details.customer_details,
            "customer_presence": details.customer_presence,
            "description": details.description,
            "livemode": self._realm.livemode,
            "metadata": details.metadata,
            "payment_method_details": details.payment_method_details,
            "processor_details": details.processor_details,
            "reported_by": "self",
            "shipping_details": details.shipping_details,
        }


def page(url: str, data: Sequence[Mapping[str, Any]], *, has_more: bool) -> dict[str, Any]:
    """Return a list body."""
    return {"object": "list", "data": list(data), "has_more": has_more, "url": url}


def _ordered(shown: dict[str, Any]) -> dict[str, Any]:
    first = {"id": shown["id"], "object": shown["object"]}
    return {**first, **{name: shown[name] for name in sorted(shown) if name not in first}}
