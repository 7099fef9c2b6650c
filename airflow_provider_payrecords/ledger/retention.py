"""What a ledger may forget: settled payments that are old enough, and old runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Protocol

from airflow_provider_payrecords.core.entry import Entry
from airflow_provider_payrecords.core.errors import UsageError
from airflow_provider_payrecords.ledger.store import SETTLED, Count, LedgerStore, Selection

MIN_AGE = timedelta(days=90)
"""How old what is pruned must be, unless somebody insists."""
BATCH = 1_000
"""Entries removed in one transaction."""
RUNS_BATCH = 50
"""Runs removed in one transaction, each with some hundred rows of its own."""


class ForgetfulStore(LedgerStore, Protocol):
    """A ledger that can forget."""

    def forget(self, entries: Sequence[Entry]) -> int:
        """Remove the settled ones of *entries* that still stand as given, with their history. Return how many."""
        ...

    def forget_runs(self, selection: Selection, limit: int = RUNS_BATCH) -> int:
        """
        Remove runs that ended before ``selection.updated_before``, with their progress and reasons. Return how many.

        A run stays while an entry in one of the ``NOTABLE`` states names it, and so does the latest run of each scope:
        by it the ledger knows under which names accounts were reported. Of a selection only what a run has counts.
        """
        ...


def prunable(selection: Selection, before: datetime, now: datetime, *, force: bool = False) -> Selection:
    """
    Return which entries of *selection* may be pruned: settled, and last changed before *before*.

    Raises:
        UsageError: *before* has no zone, or is less than ``MIN_AGE`` ago and nobody insists.
    """
    if before.tzinfo is None:
        raise UsageError("The time before which entries are pruned has no zone. Write it as 2026-01-31T00:00:00Z.")
    if before > now - MIN_AGE and not force:
        raise UsageError(
            f"Payments settled less than {MIN_AGE.days} days ago are not pruned: should one of their rows come again,"
            " it would be reported a second time. Give an earlier date, or --force if no extract can hold them."
        )
    wanted = SETTLED if selection.states is None else selection.states & SETTLED
    return replace(selection, states=wanted, updated_before=before)


def prune(store: ForgetfulStore, selection: Selection) -> Iterator[int]:
    """
    Remove what ``prunable`` returned, a batch at a time, each in a transaction of its own.

    An entry that changes meanwhile stays. Stopped in the middle, what is left can be pruned by calling again.

    Yields:
        How many entries of a batch were removed.
    """
    entries = store.entries(selection)
    while some := list(islice(entries, BATCH)):
        yield store.forget(some)


def prune_runs(store: ForgetfulStore, selection: Selection) -> Iterator[int]:
    """
    Remove runs older than what ``prunable`` returned, a batch at a time. Call it after ``prune``.

    Nothing is removed for a selection that names payments: runs are of many.

    Yields:
        How many runs of a batch were removed.
    """
    names_payments = (selection.key, selection.payment_record, selection.error_code) != (None, None, None)
    if selection.updated_before is None or selection.states != SETTLED or names_payments:
        return
    while removed := store.forget_runs(selection):
        yield removed


def total(counts: Sequence[Count]) -> int:
    """Return how many entries *counts* add up to."""
    return sum(count.entries for count in counts)
