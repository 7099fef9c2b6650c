"""
Payments whose answer was lost, looked for among the API's own records by the stamps in their metadata.

Finding a record is a fact and confirms the payment. Not finding one proves nothing here: the entry stays as it is, and
nothing is ever sent under a new key because of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Iterator
from datetime import datetime, timedelta

from airflow_provider_payrecords.bulk.ledger_access import LedgerAccess
from airflow_provider_payrecords.bulk.options import RunOptions
from airflow_provider_payrecords.client import next_page
from airflow_provider_payrecords.core.commands import ListPaymentRecords, ReportPayment
from airflow_provider_payrecords.core.entry import Entry, Intent, Settlement
from airflow_provider_payrecords.core.flows import call
from airflow_provider_payrecords.core.identity import KEY_STAMP, SOURCE_STAMP
from airflow_provider_payrecords.core.lifecycle import LONGEST_SEND, REPLAY_WINDOW, Event, State
from airflow_provider_payrecords.core.models import PaymentRecord
from airflow_provider_payrecords.core.retry import RetryPolicy
from airflow_provider_payrecords.core.wire import encode
from airflow_provider_payrecords.transport.asynchronous import AsyncTransport

CLOCK_MARGIN = timedelta(minutes=5)
"""How far the API's clock may differ from ours."""
EDGE = timedelta(seconds=2)
"""By how much two windows overlap: the API counts whole seconds, and may leave out the edges of a window."""
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
    windows: Iterable[Window],
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


Window = tuple[datetime, datetime]


def _windows(entries: Collection[Entry]) -> list[Window]:
    """Return the times in which the records were made if they exist: first the likely ones, then what lies between."""
    likely = _merged(span for entry in entries for span in _likely(*_sends(entry)))
    return likely + _gaps(likely, _merged(_widened(*_sends(entry)) for entry in entries))


def _sends(entry: Entry) -> Window:
    """Return when the first and the last send may have been: no send is later than the replay window allows."""
    first = entry.claimed_at or entry.created_at
    return first, min(entry.updated_at, first + REPLAY_WINDOW + LONGEST_SEND)


def _likely(first: datetime, last: datetime) -> Iterator[Window]:
    yield _widened(first, min(last, first + LONGEST_SEND))
    yield _widened(max(first, last - LONGEST_SEND), last)


def _widened(begin: datetime, end: datetime) -> Window:
    return begin - CLOCK_MARGIN, end + CLOCK_MARGIN


def _merged(windows: Iterable[Window]) -> list[Window]:
    merged: list[Window] = []
    for begin, end in sorted(windows):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


def _gaps(covered: list[Window], windows: list[Window]) -> list[Window]:
    """Return what of *windows* is not *covered*, and ``EDGE`` more."""
    gaps = []
    for begin, end in windows:
        at = begin
        for inner_begin, inner_end in (one for one in covered if one[0] < end and one[1] > begin):
            if inner_begin > at:
                gaps.append((at, inner_begin + EDGE))
            at = inner_end - EDGE
        if end - at > EDGE:
            gaps.append((at, end))
    return gaps


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
