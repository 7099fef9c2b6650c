"""Calls that the sandbox answers and the client never makes: the reads that show what attaching a payment did."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from airflow_provider_payrecords.core.commands import Command
from airflow_provider_payrecords.core.parameters import EpochSeconds, Identifier, Integer, Parameter, Text


class RetrieveInvoice(Command):
    """Read one invoice."""

    endpoint = "retrieve_invoice"
    method = "GET"
    path = "/v1/invoices/{invoice}"
    path_parameter = "invoice"
    answer = dict

    invoice: Identifier


class RetrieveInvoicePayment(Command):
    """Read one payment of an invoice."""

    endpoint = "retrieve_invoice_payment"
    method = "GET"
    path = "/v1/invoice_payments/{invoice_payment}"
    path_parameter = "invoice_payment"
    answer = dict

    invoice_payment: Identifier


class CreatedRange(Parameter):
    """Unix seconds, each bound on its own."""

    gt: EpochSeconds | None = None
    gte: EpochSeconds | None = None
    lt: EpochSeconds | None = None
    lte: EpochSeconds | None = None

    def holds(self, created: int) -> bool:
        """Say whether *created* is inside."""
        return (
            (self.gt is None or created > self.gt)
            and (self.gte is None or created >= self.gte)
            and (self.lt is None or created < self.lt)
            and (self.lte is None or created <= self.lte)
        )


class PaymentFilter(Parameter):
    """What an invoice was paid with."""

    payment_intent: Text | None = None
    payment_record: Text | None = None
    type: Literal["payment_intent", "payment_record"]


class ListInvoicePayments(Command):
    """
    Page through payments of invoices, newest first.

    Source:
        https://docs.stripe.com/api/invoice-payment
    """

    endpoint = "list_invoice_payments"
    method = "GET"
    path = "/v1/invoice_payments"
    answer = dict

    created: CreatedRange | None = None
    ending_before: Text | None = None
    invoice: Text | None = None
    limit: Integer | None = Field(default=None, ge=1, le=100)
    payment: PaymentFilter | None = None
    starting_after: Text | None = None
    status: Literal["canceled", "open", "paid"] | None = None


QUESTIONS: dict[str, type[Command]] = {
    one.endpoint: one for one in (RetrieveInvoice, ListInvoicePayments, RetrieveInvoicePayment)
}
"""Every question by its endpoint's name."""


def asks_for(params: dict[str, Any], created: int) -> bool:
    """Say whether the ``created`` filter in checked *params* lets *created* pass."""
    return CreatedRange(**params.get("created", {})).holds(created)
