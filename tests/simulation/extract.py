"""Extracts of a few payments. A content is mapped once by the real mapping, and then remembered for all worlds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import NamedTuple

from airflow_provider_payrecords.extract import Extract, ExtractMapping, Problem, Row, RowProblem, make_extract

MAPPING = ExtractMapping.load({"source": "wires"})


class Payment(NamedTuple):
    """What a row says. Its key is the processor's reference; an ``amount`` of None is none."""

    key: str
    amount: int | None
    description: str | None = None


class FewPayments(Extract):
    """Payments as they are at one time. A key that comes twice is a problem of its later row, as in real extracts."""

    name = "payments"

    def __init__(self, payments: Sequence[Payment]) -> None:
        self.total_rows = len(payments)
        self._payments = payments

    def open(self, mapping: ExtractMapping) -> AbstractContextManager[FewPayments]:  # type: ignore[override] # these are read otherwise
        return nullcontext(self)

    def batches(self, size: int) -> Iterator[list[Row | RowProblem]]:
        rows = [_row(payment)._replace(number=number) for number, payment in enumerate(self._payments, 1)]
        seen: set[str] = set()
        for place, payment in enumerate(self._payments):
            if payment.key in seen:
                repeated = Problem("key", "duplicate_key", "An earlier row has the same key.")
                rows[place] = RowProblem(place + 1, payment.key, (repeated,))
            seen.add(payment.key)
        for begin in range(0, len(rows), size):
            yield rows[begin : begin + size]


@cache
def _row(payment: Payment) -> Row | RowProblem:
    row = {
        "amount_requested.value": payment.amount,
        "amount_requested.currency": "eur",
        "description": payment.description,
        "initiated_at": 1_793_610_000,
        "payment_method_details.type": "custom",
        "payment_method_details.custom.display_name": "Bank wire",
        "processor_details.type": "custom",
        "processor_details.custom.payment_reference": payment.key,
    }
    with make_extract([row]).open(MAPPING) as opened:
        return next(opened.batches(1))[0]
