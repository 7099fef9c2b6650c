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
from airflow_provider_payrecords.ledger.batch import claim_batch, outlived, settle_batch
from airflow_provider_payrecords.ledger.paging import MAX_REASONS, cursor_of, from_link, page_of, paged_states
from airflow_provider_payrecords.ledger.retention import RUNS_BATCH
from airflow_provider_payrecords.ledger.store import (
    NOTABLE,
    SETTLED,
    Confirmed,
    Count,
    Lane,
    Page,
    Run,
    RunProgress,
    RunReason,
    Selection,
)


class MemoryLedger:
    """``LedgerStore`` in dictionaries. Threads may share one; processes cannot."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: dict[Scope, dict[str, Entry]] = defaultdict(dict)
        self._history: dict[tuple[Scope, str], dict[tuple[datetime, str], Entry]] = defaultdict(dict)
        self._runs: dict[str, Run] = {}
        self._progress: dict[str, dict[datetime, RunProgress]] = defaultdict(dict)
        self._reasons: dict[str, dict[tuple[str, str, str], RunReason]] = defaultdict(dict)
        self._free_at: dict[Lane, float] = {}

    def claim(self, scope: Scope, intents: Sequence[Intent], worker: Worker, now: datetime) -> list[Decision]:
        """Decide each intent, in order, and save what changed."""
        with self._lock:
            known = self._entries[scope]
            decisions, changed = claim_batch(known, scope, intents, worker, now)
            self._remember(outlived(known, changed))
            known.update(changed)
            return decisions

    def settle(self, scope: Scope, settlements: Sequence[Settlement], now: datetime) -> list[Entry]:
        """Apply outcomes, in order, and return the entries as they then stand."""
        with self._lock:
            known = self._entries[scope]
            entries, changed = settle_batch(known, settlements, now)
            self._remember(outlived(known, changed))
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

    def accounts(self, scope: Scope) -> set[str]:
        """Return the accounts that had runs of the mode, endpoint and source of *scope*."""
        with self._lock:
            scopes = [run.scope for run in self._runs.values()]
        return {one.account for one in scopes if replace(one, account=scope.account) == scope}

    def owners(self, scope: Scope) -> set[str]:
        """Return who holds claims in this scope."""
        with self._lock:
            return {entry.owner for entry in self._entries[scope].values() if entry.owner is not None}

    def lapse(self, scope: Scope, owners: Collection[str], now: datetime) -> int:
        """Turn every claim of *owners* into unknown. Return how many."""
        with self._lock:
            known = self._entries[scope]
            claimed = [entry for entry in known.values() if entry.owner in owners]
            self._remember(claimed)
            known.update((entry.key, rules.lapse(entry, now)) for entry in claimed)
            return len(claimed)

    def forget(self, entries: Sequence[Entry]) -> int:
        """Remove the settled ones of *entries* that still stand as given. Return how many."""
        with self._lock:
            standing = [entry for entry in entries if self._entries[entry.scope].get(entry.key) == entry]
            left = [entry for entry in standing if entry.state in SETTLED]
            for entry in left:
                del self._entries[entry.scope][entry.key]
                self._history.pop((entry.scope, entry.key), None)
            return len(left)

    def forget_runs(self, selection: Selection, limit: int = RUNS_BATCH) -> int:
        """Remove old runs that nothing asks for any more, with all that is kept of them."""
        with self._lock:
            named = {one.run_id for known in self._entries.values() for one in known.values() if one.state in NOTABLE}
            latest = {run.scope: run.run_id for run in sorted(self._runs.values(), key=_age)}
            kept_on = named | set(latest.values())
            old = [run for run in self._runs.values() if run.run_id not in kept_on and _is_run_of(run, selection)]
            gone = sorted(old, key=lambda run: run.started_at)[:limit]
            for run in gone:
                for kept in (self._runs, self._progress, self._reasons):
                    kept.pop(run.run_id, None)
            return len(gone)

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

    def save_progress(
        self,
        progress: RunProgress,
        reasons: Sequence[RunReason],
        *,
        wait: bool = False,  # noqa: ARG002 - nobody else writes here
    ) -> None:
        """Remember how far a run is, and those of its reasons that changed."""
        with self._lock:
            self._progress[progress.run_id][progress.at] = progress
            for reason in reasons:
                self._reasons[reason.run_id][_place(reason)] = reason

    def run(self, run_id: str) -> Run | None:
        """Return one run, or None if the ledger does not know it."""
        return self._runs.get(run_id)

    def runs(
        self, limit: int = 20, before: str | None = None, *, account: str | None = None, mode: str | None = None
    ) -> list[Run]:
        """Return the latest runs, newest first."""
        wanted = Selection(account=account, mode=mode)
        with self._lock:
            ordered = sorted(self._runs.values(), key=_age, reverse=True)
        if before is not None:
            last = self._runs.get(before)
            ordered = [run for run in ordered if last is not None and _age(run) < _age(last)]
        return [run for run in ordered if _is_run_of(run, wanted)][:limit]

    def progress(self, run_id: str, after: datetime | None = None, limit: int = 2_000) -> list[RunProgress]:
        """Return how far a run was, oldest first, each moment later than *after*."""
        with self._lock:
            ordered = sorted(self._progress.get(run_id, {}).values(), key=lambda one: one.at)
        return [one for one in ordered if after is None or one.at > after][:limit]

    def last_progress(self, run_id: str) -> RunProgress | None:
        """Return how far a run was when it last said so."""
        with self._lock:
            return max(self._progress.get(run_id, {}).values(), key=lambda one: one.at, default=None)

    def reasons(self, run_id: str) -> list[RunReason]:
        """Return why rows of a run are not confirmed, the most frequent reason first."""
        with self._lock:
            found = list(self._reasons.get(run_id, {}).values())
        return sorted(found, key=lambda reason: (-reason.rows, *_place(reason)))[:MAX_REASONS]

    def history(self, scope: Scope, key: str, limit: int = 100) -> list[Entry]:
        """Return the earlier versions of an entry that were kept, newest first."""
        with self._lock:
            versions = self._history.get((scope, key), {}).items()
            return [entry for _, entry in sorted(versions, reverse=True)[:limit]]

    def find(self, text: str, limit: int = 20) -> list[Entry]:
        """Return entries of any scope whose key is *text*, then those whose keys begin with it."""
        found = [entry for entry in self.entries(Selection()) if entry.key.startswith(text)]
        return sorted(found, key=lambda entry: entry.key != text)[:limit]

    def page(self, selection: Selection, limit: int = 100, after: str | None = None) -> Page:
        """Return entries of *selection* that are in one of the ``NOTABLE`` states, ordered by state, scope and key."""
        begin = None if after is None else from_link(after)
        states = paged_states(selection)
        found = [entry for entry in self.entries(selection) if entry.state.value in states]
        ordered = sorted(found, key=cursor_of)
        return page_of([entry for entry in ordered if begin is None or cursor_of(entry) > begin], limit)

    def close(self) -> None:
        """Do nothing: there is nothing to release, and the entries stay readable."""

    def _remember(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            self._history[entry.scope, entry.key][entry.updated_at, entry.state.value] = entry


def _place(reason: RunReason) -> tuple[str, str, str]:
    return reason.state, reason.code or "", reason.param or ""


def _age(run: Run) -> tuple[datetime, str]:
    return run.started_at, run.run_id


def _is_run_of(run: Run, selection: Selection) -> bool:
    ended = max(run.started_at, run.finished_at or run.started_at)
    return _is_among(run.scope, selection, ended, run_id=run.run_id)


def _is_chosen(entry: Entry, selection: Selection) -> bool:
    narrowing = ("run_id", "key", "payment_record", "error_code")
    values = {name: getattr(entry, name) for name in narrowing}
    fits = _is_among(entry.scope, selection, entry.updated_at, **values)
    return fits and (selection.states is None or entry.state in selection.states)


def _is_among(scope: Scope, selection: Selection, changed: datetime, **values: str | None) -> bool:
    """Return whether scope, values and last change are those of *selection*, as far as it names them."""
    has = {"account": scope.account, "mode": scope.mode, "endpoint": scope.endpoint, "source": scope.source, **values}
    wanted = {name: getattr(selection, name) for name in has}
    if any(want is not None and want != has[name] for name, want in wanted.items()):
        return False
    return selection.updated_before is None or changed < selection.updated_before
