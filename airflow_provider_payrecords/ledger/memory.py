"""A ledger that forgets everything with its process: for tests, ours and users'."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import astuple, replace
from datetime import datetime
from threading import Lock
from typing import Any

from airflow_provider_payrecords.core import entry as rules
from airflow_provider_payrecords.core import pacing
from airflow_provider_payrecords.core.entry import Decision, Entry, Intent, Scope, Settlement, Worker
from airflow_provider_payrecords.core.errors import LedgerError
from airflow_provider_payrecords.core.lifecycle import State
from airflow_provider_payrecords.ledger.batch import claim_batch, settle_batch
from airflow_provider_payrecords.ledger.store import SETTLED, Confirmed, Count, Lane, Run, Selection


class MemoryLedger:
    """``LedgerStore`` in dictionaries. Threads may share one; processes cannot."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: dict[Scope, dict[str, Entry]] = defaultdict(dict)
        self._runs: dict[str, Run] = {}
        self._free_at: dict[Lane, float] = {}

    def claim(self, scope: Scope, intents: Sequence[Intent], worker: Worker, now: datetime) -> list[Decision]:
        """Decide each intent, in order, and save what changed."""
        with self._lock:
            known = self._entries[scope]
            decisions, changed = claim_batch(known, scope, intents, worker, now)
            known.update(changed)
            return decisions

    def settle(self, scope: Scope, settlements: Sequence[Settlement], now: datetime) -> list[Entry]:
        """Apply outcomes, in order, and return the entries as they then stand."""
        with self._lock:
            known = self._entries[scope]
            entries, changed = settle_batch(known, settlements, now)
            known.update(changed)
            return entries

    def look_up(self, scope: Scope, keys: Sequence[str]) -> dict[str, Entry]:
        """Return the known entries by key."""
        with self._lock:
            known = self._entries[scope]
            return {key: known[key] for key in keys if key in known}

    def confirmed(self, scope: Scope, keys: Sequence[str]) -> list[Confirmed]:
        """Return those of *keys* whose entries are confirmed."""
        found = self.look_up(scope, keys).values()
        return [
            Confirmed(one.key, one.fingerprint, one.idempotency_key, one.payment_record, one.request_id)
            for one in found
            if one.state is State.CONFIRMED
        ]

    def owners(self, scope: Scope) -> set[str]:
        """Return who holds claims in this scope."""
        with self._lock:
            return {entry.owner for entry in self._entries[scope].values() if entry.owner is not None}

    def lapse(self, scope: Scope, owners: Collection[str], now: datetime) -> int:
        """Turn every claim of *owners* into unknown. Return how many."""
        with self._lock:
            known = self._entries[scope]
            lapsed = {entry.key: rules.lapse(entry, now) for entry in known.values() if entry.owner in owners}
            known.update(lapsed)
            return len(lapsed)

    def forget(self, entries: Sequence[Entry]) -> int:
        """Remove the settled ones of *entries* that still stand as given. Return how many."""
        with self._lock:
            standing = [entry for entry in entries if self._entries[entry.scope].get(entry.key) == entry]
            left = [entry for entry in standing if entry.state in SETTLED]
            for entry in left:
                del self._entries[entry.scope][entry.key]
            return len(left)

    def entries(self, selection: Selection) -> Iterator[Entry]:
        """Yield entries ordered by scope and key, as they were when the first one was taken."""
        with self._lock:
            chosen = [
                entry for known in self._entries.values() for entry in known.values() if _is_chosen(entry, selection)
            ]
        yield from sorted(chosen, key=lambda entry: (astuple(entry.scope), entry.key))

    def counts(self, selection: Selection) -> list[Count]:
        """Return entries and money by scope, state and currency, in that order."""
        groups: dict[tuple[Scope, State, str | None], list[int]] = defaultdict(list)
        for entry in self.entries(selection):
            groups[entry.scope, entry.state, entry.currency].append(entry.amount_minor or 0)
        counts = [
            Count(scope, state, currency, entries=len(amounts), amount_minor=sum(amounts))
            for (scope, state, currency), amounts in groups.items()
        ]
        return sorted(counts, key=lambda count: (astuple(count.scope), count.state.value, count.currency or ""))

    def book(self, lane: Lane, seconds: float, now: datetime) -> float:
        """Take the next *seconds* of *lane*. Return how long it is until they begin."""
        with self._lock:
            self._free_at[lane], wait = pacing.book(self._free_at.get(lane), now.timestamp(), seconds)
            return wait

    def start_run(self, run: Run) -> None:
        """Remember that a run began."""
        with self._lock:
            self._runs[run.run_id] = run

    def finish_run(self, run_id: str, finished_at: datetime, summary: dict[str, Any]) -> None:
        """Remember how a run ended."""
        with self._lock:
            if run_id not in self._runs:
                raise LedgerError(f"Run {run_id} is not in the ledger: call start_run before finish_run.")
            self._runs[run_id] = replace(self._runs[run_id], finished_at=finished_at, summary=summary)

    def runs(self, limit: int = 20) -> list[Run]:
        """Return the latest runs, newest first."""
        with self._lock:
            ordered = sorted(self._runs.values(), key=lambda run: (run.started_at, run.run_id), reverse=True)
        return ordered[:limit]

    def close(self) -> None:
        """Do nothing: there is nothing to release, and the entries stay readable."""


def _is_chosen(entry: Entry, selection: Selection) -> bool:
    scope = entry.scope
    wanted = (
        (selection.account, scope.account),
        (selection.mode, scope.mode),
        (selection.endpoint, scope.endpoint),
        (selection.source, scope.source),
        (selection.run_id, entry.run_id),
        (selection.key, entry.key),
        (selection.payment_record, entry.payment_record),
        (selection.error_code, entry.error_code),
    )
    if any(want is not None and want != has for want, has in wanted):
        return False
    if selection.updated_before is not None and entry.updated_at >= selection.updated_before:
        return False
    return selection.states is None or entry.state in selection.states
