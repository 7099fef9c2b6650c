"""What each call does to the holdings, and what it shows of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_provider_payrecords.sandbox import listing
from airflow_provider_payrecords.sandbox.errors import no_such
from airflow_provider_payrecords.sandbox.invoices import attach, find_invoice, settle
from airflow_provider_payrecords.sandbox.objects import Attempt, Change, Holdings, Moment
from airflow_provider_payrecords.sandbox.render import Renderer, page
from airflow_provider_payrecords.sandbox.state import report_on_record, report_payment

Params = Mapping[str, Any]


def write(endpoint: str, holdings: Holdings, identifier: str, params: Params, moment: Moment) -> Change:
    """
    Return what a report or an attachment changes. Nothing is changed yet.

    Raises:
        RefusalError: It is not legal now.
    """
    if endpoint == "report_payment":
        return report_payment(holdings, params, moment)
    if endpoint == "attach_payment":
        return attach(holdings, identifier, params, moment)
    return settle(holdings, report_on_record(endpoint, holdings, identifier, params, moment), moment.now)


def shown_after(
    endpoint: str, change: Change, holdings: Holdings, view: Renderer, expand: Collection[str]
) -> dict[str, Any]:
    """Return the body of a write that went well. *change* is applied already."""
    if endpoint == "attach_payment":
        return view.invoice(change.invoices[0], expand)
    return view.record(holdings.records[change.attempts[0].record])


def subject(endpoint: str, change: Change, holdings: Holdings) -> Attempt:
    """Return the attempt that a write is about."""
    if endpoint == "attach_payment":
        return holdings.latest(holdings.records[change.invoice_payments[-1].record])
    return change.attempts[0]


@dataclass(frozen=True, slots=True)
class Question:
    """A read, checked: the id in its path, its parameters, and what to look at."""

    holdings: Holdings
    identifier: str
    params: Params
    view: Renderer
    expand: Collection[str]


def read(endpoint: str, question: Question) -> dict[str, Any]:
    """
    Return the body of a read.

    Raises:
        RefusalError: No such object, or an unknown cursor.
    """
    return _READS[endpoint](question)


def _record(one: Question) -> dict[str, Any]:
    return one.view.record(one.holdings.record(one.identifier))


def _records(one: Question) -> dict[str, Any]:
    found, more = listing.records(one.holdings, one.params)
    return page("/v1/payment_records", [one.view.record(record) for record in found], has_more=more)


def _attempt(one: Question) -> dict[str, Any]:
    if one.identifier not in one.holdings.attempts:
        raise no_such("payment_attempt_record", one.identifier, "id")
    return one.view.attempt(one.holdings.attempts[one.identifier])


def _attempts(one: Question) -> dict[str, Any]:
    found, more = listing.attempts(one.holdings, one.params)
    return page("/v1/payment_attempt_records", [one.view.attempt(attempt) for attempt in found], has_more=more)


def _invoice(one: Question) -> dict[str, Any]:
    return one.view.invoice(find_invoice(one.holdings, one.identifier), one.expand)


def _payment(one: Question) -> dict[str, Any]:
    if one.identifier not in one.holdings.invoice_payments:
        raise no_such("invoice_payment", one.identifier, "invoice_payment")
    return one.view.invoice_payment(one.holdings.invoice_payments[one.identifier], one.expand)


def _payments(one: Question) -> dict[str, Any]:
    found, more = listing.invoice_payments(one.holdings, one.params)
    shown = [one.view.invoice_payment(payment, one.expand) for payment in found]
    return page("/v1/invoice_payments", shown, has_more=more)


_READS: dict[str, Callable[[Question], dict[str, Any]]] = {
    "retrieve_payment_record": _record,
    "list_payment_records": _records,
    "retrieve_payment_attempt_record": _attempt,
    "list_payment_attempt_records": _attempts,
    "retrieve_invoice": _invoice,
    "retrieve_invoice_payment": _payment,
    "list_invoice_payments": _payments,
}
