"""
Claims of a batch where other workers claim at the same time, in as few round trips as that takes.

What is known is read without a lock. A row that needs no change was decided by that reading. A new row is inserted,
which only one worker can; a known one is locked and decided anew, because it may have changed since it was read.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection

from airflow_provider_payrecords.core.entry import Decision, Entry, Intent, Scope, Worker
from airflow_provider_payrecords.ledger.batch import ClaimBatch, claim_batch, outlived, undone
from airflow_provider_payrecords.ledger.patience import MovedError


class EntryRows(Protocol):
    """The rows of one ledger."""

    def fetch(
        self, connection: Connection, scope: Scope, keys: Collection[str], *, lock: bool = False
    ) -> dict[str, Entry]:
        """Return the known entries by key; with *lock*, nobody else changes them before this transaction ends."""
        ...

    def add(self, connection: Connection, entries: Collection[Entry]) -> set[str]:
        """Insert new *entries*. Return the keys of those that no other worker has inserted first."""
        ...

    def put(self, connection: Connection, entries: Collection[Entry]) -> None:
        """Save *entries*, which this transaction has locked or inserted."""
        ...

    def remember(self, connection: Connection, entries: Collection[Entry]) -> None:
        """Keep what *entries* were before this transaction changes them."""
        ...


class Claiming:
    """One call of ``claim``. Call it once in each transaction, until one's COMMIT is answered."""

    def __init__(self, rows: EntryRows, scope: Scope, intents: Sequence[Intent], worker: Worker, now: datetime) -> None:
        self._rows = rows
        self._scope = scope
        self._intents = intents
        self._worker = worker
        self._now = now
        self._before: dict[str, Entry] = {}
        self._written: dict[str, Entry] = {}

    def __call__(self, connection: Connection) -> list[Decision]:
        """
        Decide each intent, in order, and save what changed.

        Raises:
            MovedError: An entry vanished between reading and locking it: it was pruned. Begin anew.
        """
        known = self._fetch(connection, {intent.key for intent in self._intents}, lock=False)
        batch = self._decide(known)
        added = self._rows.add(connection, [entry for key, entry in batch.changed.items() if key not in known])
        if contested := batch.changed.keys() - added:
            known |= self._fetch(connection, contested, lock=True)
            batch = self._decide(known)
            self._rows.remember(connection, outlived(known, batch.changed))
            self._rows.put(connection, [entry for key, entry in batch.changed.items() if key not in added])
        self._before = known
        self._written = batch.changed
        return batch.decisions

    def _decide(self, known: dict[str, Entry]) -> ClaimBatch:
        return claim_batch(known, self._scope, self._intents, self._worker, self._now)

    def _fetch(self, connection: Connection, keys: Collection[str], *, lock: bool) -> dict[str, Entry]:
        found = self._rows.fetch(connection, self._scope, keys, lock=lock)
        if lock and found.keys() != keys:
            raise MovedError("An entry was removed from the ledger while it was being claimed. Run again.")
        return undone(found, self._before, self._written)
