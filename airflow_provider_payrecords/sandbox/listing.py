"""
Pages of lists, newest first.

Source:
    https://docs.stripe.com/api/pagination. An unknown cursor is a choice: 400 ``resource_missing`` that blames it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

from airflow_provider_payrecords.sandbox.errors import RefusalError
from airflow_provider_payrecords.sandbox.objects import Attempt, Holdings, InvoicePayment, Record
from airflow_provider_payrecords.sandbox.questions import asks_for

DEFAULT_LIMIT = 10


class _Listed(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=_Listed)


def records(holdings: Holdings, params: Mapping[str, Any]) -> tuple[list[Record], bool]:
    """Return one page of records, and whether there are more. The time filters exclude their own second."""
    order = holdings.order
    low = bisect_right(order, params["created_after"], key=_created) if "created_after" in params else 0
    high = bisect_left(order, params["created_before"], key=_created) if "created_before" in params else len(order)
    chosen = order[low:high]
    cursors = {name: _position(holdings, params[name], name) - low for name in _CURSORS if name in params}
    return _cut(chosen, params.get("limit", DEFAULT_LIMIT), **cursors)


def attempts(holdings: Holdings, params: Mapping[str, Any]) -> tuple[list[Attempt], bool]:
    """Return one page of the attempts of a record, and whether there are more."""
    record = holdings.record(params["payment_record"], "payment_record")
    return _page([holdings.attempts[one] for one in record.attempts], params, "payment_attempt_record")


def invoice_payments(holdings: Holdings, params: Mapping[str, Any]) -> tuple[list[InvoicePayment], bool]:
    """Return one page of payments of invoices, and whether there are more."""
    return _page(
        [one for one in holdings.invoice_payments.values() if _matches(one, dict(params))], params, "invoice_payment"
    )


_CURSORS = ("starting_after", "ending_before")


def _created(record: Record) -> int:
    return record.created


def _position(holdings: Holdings, identifier: str, param: str) -> int:
    if identifier not in holdings.records:
        raise _unknown_cursor("payment_record", identifier, param)
    return holdings.records[identifier].position


def _matches(payment: InvoicePayment, params: dict[str, Any]) -> bool:
    wanted = params.get("payment", {"type": "payment_record"})
    return (
        params.get("invoice", payment.invoice) == payment.invoice
        and params.get("status", payment.status) == payment.status
        and wanted["type"] == "payment_record"
        and wanted.get("payment_record", payment.record) == payment.record
        and asks_for(params, payment.created)
    )


def _page(items: Sequence[T], params: Mapping[str, Any], kind: str) -> tuple[list[T], bool]:
    places = {one.id: place for place, one in enumerate(items)}
    cursors = {}
    for name in _CURSORS:
        if name in params:
            if params[name] not in places:
                raise _unknown_cursor(kind, params[name], name)
            cursors[name] = places[params[name]]
    return _cut(items, params.get("limit", DEFAULT_LIMIT), **cursors)


def _cut(
    items: Sequence[T], limit: int, *, starting_after: int | None = None, ending_before: int | None = None
) -> tuple[list[T], bool]:
    """Cut a page out of *items*, oldest first; the cursors are places in it and may lie outside."""
    if ending_before is not None:
        start = max(0, ending_before + 1)
        end = min(len(items), start + limit)
        return list(reversed(items[start:end])), end < len(items)
    end = len(items) if starting_after is None else max(0, min(len(items), starting_after))
    start = max(0, end - limit)
    return list(reversed(items[start:end])), start > 0


def _unknown_cursor(kind: str, identifier: str, param: str) -> RefusalError:
    return RefusalError(400, f"No such {kind}: '{identifier}'", code="resource_missing", param=param)
