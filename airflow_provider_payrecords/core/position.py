"""
How far somebody who watches the list of records has come. A value; where it is kept is another matter.

The list is read from the position towards newer records, a page at a time, so a backlog is taken in order and nothing
is skipped. How records of the same second are ordered is not published, so the newest few seconds are read again and
what was told of them is remembered.

Source:
    https://docs.stripe.com/api/pagination (``ending_before``); stripe-python 16.1.0 takes it for this list
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airflow_provider_payrecords.core.commands import ListPaymentRecords
from airflow_provider_payrecords.core.models import Page, PaymentRecord

PAGE_SIZE = 100
SETTLE_SECONDS = 10
"""A record this much older than the newest one is taken to stay where it is in the list."""


@dataclass(frozen=True, slots=True)
class Position:
    """
    Everything up to here was told.

    Attributes:
        after: Id of the record up to which all is told, or None for the beginning of the list.
        seen: Ids of newer records that were told as well, at most a page of them.
    """

    after: str | None = None
    seen: tuple[str, ...] = ()

    def command(self) -> ListPaymentRecords:
        """Return the call that lists what may be new, at most a page of it."""
        return ListPaymentRecords(ending_before=self.after, limit=PAGE_SIZE)

    def advance(self, page: Page[PaymentRecord]) -> tuple[Position, list[PaymentRecord]]:
        """
        Return the position behind *page*, and the records on it that were not told yet, oldest first.

        Args:
            page: The answer to ``command``, newest first.
        """
        fresh = [record for record in reversed(page.data) if record.id not in self.seen]
        if not page.data:
            return self, fresh
        if page.has_more:
            return Position(page.data[0].id), fresh
        settled = next((n for n, record in enumerate(page.data) if _is_settled(record, page.data[0])), len(page.data))
        after = page.data[settled].id if settled < len(page.data) else self.after
        return Position(after, tuple(record.id for record in page.data[:settled])), fresh

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {"after": self.after, "seen": list(self.seen)}


def read_position(value: Any) -> Position | None:
    """Return the position that was kept as *value*, or None if it is none: somebody else may have written there."""
    if not isinstance(value, Mapping) or "after" not in value:
        return None
    after, seen = value["after"], value.get("seen", [])
    if not isinstance(after, (str, type(None))) or not isinstance(seen, list):
        return None
    return Position(after or None, tuple(one for one in seen if isinstance(one, str)))


def newest(page: Page[PaymentRecord]) -> Position:
    """Return the position at the newest record of *page*, the first of the list: nothing before it is told."""
    return Position(page.data[0].id) if page.data else Position()


def _is_settled(record: PaymentRecord, latest: PaymentRecord) -> bool:
    return (latest.created or 0) - (record.created or 0) > SETTLE_SECONDS
