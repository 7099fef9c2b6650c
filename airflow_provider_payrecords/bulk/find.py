"""
Payments whose answer was lost, looked for among the API's own records by the stamps in their metadata.

Finding a record is a fact and confirms the payment. Not finding one proves nothing here: the entry stays as it is, and
nothing is ever sent under a new key because of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import datetime, timedelta

from airflow_provider_payrecords.bulk.ledger_access import LedgerAccess
from airflow_provider_payrecords.bulk.options import RunOptions
from airflow_provider_payrecords.client import next_page
from airflow_provider_payrecords.core.commands import ListPaymentRecords, ReportPayment
from airflow_provider_payrecords.core.entry import Entry, Intent, Settlement
from airflow_provider_payrecords.core.flows import call
from airflow_provider_payrecords.core.identity import KEY_STAMP, SOURCE_STAMP
from airflow_provider_payrecords.core.lifecycle import LONGEST_SEND, Event, State
from airflow_provider_payrecords.core.models import PaymentRecord
from airflow_provider_payrecords.core.retry import RetryPolicy
from airflow_provider_payrecords.core.wire import encode
from airflow_provider_payrecords.transport.asynchronous import AsyncTransport

CLOCK_MARGIN = timedelta(minutes=5)
"""How far the API's clock may differ from ours."""
MAX_PAGES = 200


def may_be_found(entry: Entry, options: RunOptions) -> bool:
    """Say whether the payment of *entry* may exist and carries the stamps to find it by."""
    open_ended = entry.state is State.UNKNOWN or (entry.state is State.REVIEW and entry.payment_record is None)
    return open_ended and options.stamp_metadata and entry.scope.endpoint == ReportPayment.endpoint


async def find_records(
    rows: list[tuple[Intent, Entry]],
    access: LedgerAccess,
    transport: AsyncTransport,
    policy: RetryPolicy,
    jitter: Iterator[float],
) -> dict[str, Entry]:
    """
    Confirm those entries whose record the API lists. Returns them by key, as they then stand.

    A record confirms what was sent: where the row has other content by now, its entry goes on to review. A list that
    the API does not offer, or that is longer than ``MAX_PAGES``, finds nothing more; no error is raised.
    """
    wanted = {entry.key: entry for _, entry in rows}
    matches: dict[str, list[PaymentRecord]] = defaultdict(list)
    async for record in _listed(_windows(wanted.values()), transport, policy, jitter):
        key = _key_of(record, access.scope.source)
        if key in wanted:
            matches[key].append(record)
    found = {entry.key: entry for entry in access.settle(list(_settlements(wanted, matches)))}
    changed = [one for one, _ in rows if one.key in found and found[one.key].fingerprint != one.fingerprint]
    return found | {decision.entry.key: decision.entry for decision in access.claim(changed)}


async def _listed(
    windows: Iterable[tuple[datetime, datetime]],
    transport: AsyncTransport,
    policy: RetryPolicy,
    jitter: Iterator[float],
) -> AsyncIterator[PaymentRecord]:
    pages = 0
    for after, before in windows:
        command: ListPaymentRecords | None = ListPaymentRecords(
            created_after=int(after.timestamp()), created_before=int(before.timestamp()), limit=100
        )
        while command is not None:
            if pages == MAX_PAGES:
                return
            pages += 1
            called = await transport.run(call(command, encode(command), policy, jitter))
            if called.error is not None:
                return
            for record in called.answer.data:
                yield record
            command = next_page(command, called.answer)  # type: ignore[assignment]  # the same class comes back


def _windows(entries: Iterable[Entry]) -> list[tuple[datetime, datetime]]:
    """Return the times in which the records were made if they exist, merged where they overlap."""
    merged: list[tuple[datetime, datetime]] = []
    for begin, end in sorted(span for entry in entries for span in _spans(entry)):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


def _spans(entry: Entry) -> Iterator[tuple[datetime, datetime]]:
    """Yield the time after the first claim, and the time before the entry last changed: sends lie in these."""
    first, last = entry.claimed_at or entry.created_at, entry.updated_at
    yield first - CLOCK_MARGIN, min(last, first + LONGEST_SEND) + CLOCK_MARGIN
    yield max(first, last - LONGEST_SEND) - CLOCK_MARGIN, last + CLOCK_MARGIN


def _key_of(record: PaymentRecord, source: str) -> str | None:
    metadata = record.metadata or {}
    return metadata.get(KEY_STAMP) if metadata.get(SOURCE_STAMP) == source else None


def _settlements(wanted: dict[str, Entry], matches: dict[str, list[PaymentRecord]]) -> Iterator[Settlement]:
    for key, records in matches.items():
        entry, ids = wanted[key], {record.id for record in records}
        if len(ids) == 1 and _same_money(entry, records[0]):
            yield Settlement(
                key=key,
                idempotency_key=entry.idempotency_key,
                event=Event.FOUND,
                payment_record=records[0].id,
                payment_attempt_record=records[0].latest_payment_attempt_record,
            )


def _same_money(entry: Entry, record: PaymentRecord) -> bool:
    money = record.amount_requested or record.amount
    if money is None or entry.amount_minor is None:
        return True
    return (money.value, money.currency) == (entry.amount_minor, entry.currency)
