"""
Invoices and the payments attached to them. Pure, like ``state``.

Attaching a guaranteed record pays the invoice; any other leaves it open until the record is guaranteed.

Source:
    https://docs.stripe.com/payments/payment-records. Choices where nothing is published: a record is attached once and
    to one invoice, in the invoice's currency, with at least what remains; a refunded record cannot be attached; when an
    invoice is paid, its other open payments are canceled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from airflow_provider_payrecords.core.models import RecordState
from airflow_provider_payrecords.sandbox.errors import invalid, no_such
from airflow_provider_payrecords.sandbox.objects import Attempt, Change, Holdings, Invoice, InvoicePayment, Moment

_PAYABLE = ("open", "uncollectible")
_REFUNDED = (RecordState.PARTIALLY_REFUNDED, RecordState.REFUNDED)


def find_invoice(holdings: Holdings, identifier: str) -> Invoice:
    """Return an invoice, or raise the 404."""
    if identifier not in holdings.invoices:
        raise no_such("invoice", identifier, "invoice")
    return holdings.invoices[identifier]


def attach(holdings: Holdings, identifier: str, params: Mapping[str, Any], moment: Moment) -> Change:
    """
    Attach a record to the invoice *identifier*, and pay it if the record is guaranteed.

    Raises:
        RefusalError: No such invoice or record, or the two do not go together.
    """
    invoice = find_invoice(holdings, identifier)
    if "payment_intent" in params:
        raise no_such("payment_intent", params["payment_intent"], "payment_intent")
    attempt = holdings.latest(holdings.record(params["payment_record"], "payment_record"))
    _check(holdings, invoice, attempt)
    payment = InvoicePayment(
        id=moment.new_id("inpay"),
        invoice=invoice.id,
        record=attempt.record,
        created=moment.now,
        amount_requested=invoice.amount_remaining,
        currency=invoice.currency,
    )
    invoice = replace(invoice, payments=(*invoice.payments, payment.id))
    if attempt.state is RecordState.GUARANTEED:
        return _paid(holdings, invoice, payment, attempt, moment.now)
    return Change(invoices=(invoice,), invoice_payments=(payment,))


def settle(holdings: Holdings, change: Change, now: int) -> Change:
    """Return *change* with the invoice that it pays: a record attached earlier has become guaranteed."""
    for attempt in change.attempts:
        for payment in holdings.invoice_payments.values() if attempt.state is RecordState.GUARANTEED else ():
            if payment.record == attempt.record and payment.status == "open":
                paid = _paid(holdings, holdings.invoices[payment.invoice], payment, attempt, now)
                return replace(change, invoices=paid.invoices, invoice_payments=paid.invoice_payments)
    return change


def _check(holdings: Holdings, invoice: Invoice, attempt: Attempt) -> None:
    if invoice.status not in _PAYABLE:
        raise invalid(f"A payment can be attached to an open invoice only; this one is {invoice.status}.")
    if any(one.record == attempt.record and one.status != "canceled" for one in holdings.invoice_payments.values()):
        raise invalid("This payment record is already attached to an invoice.", "payment_record")
    if attempt.state in _REFUNDED:
        raise invalid("This payment record has been refunded and cannot pay an invoice.", "payment_record")
    if attempt.currency != invoice.currency:
        raise invalid(
            f"The payment record is in {attempt.currency}, the invoice in {invoice.currency}.", "payment_record"
        )
    if attempt.value < invoice.amount_remaining:
        raise invalid(
            f"Paying an invoice in part is not supported: {invoice.amount_remaining} remain, "
            f"the payment record is for {attempt.value}.",
            "payment_record",
        )


def _paid(holdings: Holdings, invoice: Invoice, payment: InvoicePayment, attempt: Attempt, now: int) -> Change:
    others = (holdings.invoice_payments[one] for one in invoice.payments if one != payment.id)
    canceled = tuple(replace(one, status="canceled", canceled_at=now) for one in others if one.status == "open")
    paid = replace(
        invoice,
        status="paid",
        paid_at=now,
        amount_paid=invoice.amount_due,
        amount_overpaid=attempt.value - invoice.amount_remaining,
    )
    settled = replace(payment, status="paid", paid_at=now, amount_paid=payment.amount_requested)
    return Change(invoices=(paid,), invoice_payments=(*canceled, settled))
