"""
Payments whose answer was lost, looked for among the API's own records by the stamps in their metadata.

Finding a record is a fact and confirms the payment. Not finding one proves nothing here: the entry stays as it is, and
nothing is ever sent under a new key because of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from airflow_provider_payrecords.bulk.ledger_access import LedgerAccess
from airflow_provider_payrecords.bulk.options import RunOptions
from airflow_provider_payrecords.client import next_page
from airflow_provider_payrecords.core.commands import ListPaymentRecords, ReportPayment
from airflow_provider_payrecords.core.entry import Entry, Intent, Settlement
from airflow_provider_payrecords.core.errors import PayRecordsError, StoppedError
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


@dataclass(frozen=True, slots=True)
class Search:
    """
    What a look through the listed records gave.

    Attributes:
        matches: Records by the row key that their metadata names.
        error: Why not all were read, or None.
    """

    matches: Mapping[str, list[PaymentRecord]]
    error: PayRecordsError | None

    def settlements(self, entries: Iterable[Entry], run_id: str | None = None) -> Iterator[Settlement]:
        """Yield what confirms those of *entries* that have exactly one record, of the money that was sent."""
        for entry in entries:
            records = {record.id: record for record in self.matches.get(entry.key, ())}
            for record in records.values():
                if len(records) == 1 and same_money(entry, record):
                    yield Settlement(
                        key=entry.key,
                        idempotency_key=entry.idempotency_key,
                        event=Event.FOUND,
                        payment_record=record.id,
                        payment_attempt_record=record.latest_payment_attempt_record,
                        run_id=run_id,
                    )


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
    entries = [entry for _, entry in rows]
    search = await search_records(entries, access.scope.source, transport, policy, jitter)
    found = {entry.key: entry for entry in access.settle(list(search.settlements(entries)))}
    changed = [one for one, _ in rows if one.key in found and found[one.key].fingerprint != one.fingerprint]
    return found | {decision.entry.key: decision.entry for decision in access.claim(changed)}


async def search_records(
    entries: Sequence[Entry], source: str, transport: AsyncTransport, policy: RetryPolicy, jitter: Iterator[float]
) -> Search:
    """Return the listed records that carry the stamps of *entries*. Nothing is changed."""
    wanted = {entry.key for entry in entries}
    matches: dict[str, list[PaymentRecord]] = defaultdict(list)
    pages = 0
    for after, before in _windows(entries):
        command: ListPaymentRecords | None = ListPaymentRecords(
            created_after=int(after.timestamp()), created_before=int(before.timestamp()), limit=100
        )
        while command is not None:
            if pages == MAX_PAGES:
                return Search(matches, StoppedError(f"More than {MAX_PAGES} pages are listed; the rest was not read."))
            pages += 1
            called = await transport.run(call(command, encode(command), policy, jitter))
            if called.error is not None:
                return Search(matches, called.error)
            for record in called.answer.data:
                key = _key_of(record, source)
                if key is not None and key in wanted:
                    matches[key].append(record)
            command = next_page(command, called.answer)  # type: ignore[assignment]  # the same class comes back
    return Search(matches, None)


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


def same_money(entry: Entry, record: PaymentRecord) -> bool:
    """Say whether *record* is of the amount and currency that were sent; unknown ones are taken for the same."""
    money = record.amount_requested or record.amount
    if money is None or entry.amount_minor is None:
        return True
    return (money.value, money.currency) == (entry.amount_minor, entry.currency)
