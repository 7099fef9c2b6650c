"""The simulated ledger and results of one process: the rules are the real ones, the trouble is the weather's."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, TypeVar

from airflow_provider_payrecords.bulk.results import Line
from airflow_provider_payrecords.core.entry import SENDING, Decision, Entry, Intent, Scope, Settlement, Worker
from airflow_provider_payrecords.core.errors import LedgerUnavailableError, ResultsError
from airflow_provider_payrecords.ledger.memory import MemoryLedger
from airflow_provider_payrecords.ledger.store import Confirmed, Run, RunProgress, RunReason
from tests.simulation.invariants import Invariants
from tests.simulation.process import Process
from tests.simulation.weather import Weather

ResultT = TypeVar("ResultT")


class Ledger:
    """One process's connection to the ledger all share. Every transaction can fail, before its commit and after it."""

    def __init__(self, process: Process, shared: MemoryLedger, weather: Weather, invariants: Invariants) -> None:
        self._process = process
        self._shared = shared
        self._weather = weather
        self._invariants = invariants

    def claim(self, scope: Scope, intents: Sequence[Intent], worker: Worker, now: datetime) -> list[Decision]:
        decisions = self._transact("claim", lambda: self._shared.claim(scope, intents, worker, now))
        for one in decisions:
            if one.action in SENDING and one.entry.lease_until is not None:
                self._process.claims[one.entry.idempotency_key] = one.entry.lease_until
            self._process.note("claims {}: {}", one.entry.key, one.action.value)
        return decisions

    def settle(self, scope: Scope, settlements: Sequence[Settlement], now: datetime) -> list[Entry]:
        def settle() -> list[Entry]:
            entries = self._shared.settle(scope, settlements, now)
            for one, entry in zip(settlements, entries, strict=True):
                self._process.note("settles {}: {}, now {}", one.key, one.event.value, entry.state.value)
                self._invariants.settled(self._process, entry)
            return entries

        entries = self._transact("settle", settle)
        for one in settlements:
            self._process.claims.pop(one.idempotency_key, None)
        return entries

    def look_up(self, scope: Scope, keys: Sequence[str]) -> dict[str, Entry]:
        return self._transact("look_up", lambda: self._shared.look_up(scope, keys))

    def confirmed(self, scope: Scope, keys: Sequence[str]) -> list[Confirmed]:
        return self._transact("confirmed", lambda: self._shared.confirmed(scope, keys))

    def accounts(self, scope: Scope) -> set[str]:
        return self._transact("accounts", lambda: self._shared.accounts(scope))

    def owners(self, scope: Scope) -> set[str]:
        return self._transact("owners", lambda: self._shared.owners(scope))

    def lapse(self, scope: Scope, owners: Collection[str], now: datetime) -> int:
        return self._transact("lapse", lambda: self._shared.lapse(scope, owners, now))

    def start_run(self, run: Run) -> None:
        self._transact("start_run", lambda: self._shared.start_run(run))

    def finish_run(self, run_id: str, finished_at: datetime, summary: dict[str, Any]) -> None:
        self._transact("finish_run", lambda: self._shared.finish_run(run_id, finished_at, summary))

    def save_progress(self, progress: RunProgress, reasons: Sequence[RunReason], *, wait: bool = False) -> None:
        self._transact("save_progress", lambda: self._shared.save_progress(progress, reasons, wait=wait))

    def _transact(self, name: str, work: Callable[[], ResultT]) -> ResultT:
        process = self._process
        process.effect(f"before {name} is committed")
        if self._weather.strikes("ledger_slow"):
            process.loop.freeze(self._weather.seconds(0.1, 20))
        self._fail("ledger_fails_before_commit", name)
        result = work()
        process.effect(f"after {name} is committed")
        self._fail("ledger_fails_after_commit", name)
        return result

    def _fail(self, kind: str, name: str) -> None:
        if self._weather.strikes(kind):
            self._process.troubled = True
            self._process.note("{} {}", name, kind.replace("_", " "))
            raise LedgerUnavailableError("The ledger cannot be reached. Run again.")


class Results:
    """Where one process writes what became of each row."""

    path = rejects_path = None

    def __init__(self, process: Process, weather: Weather, invariants: Invariants) -> None:
        self._process = process
        self._weather = weather
        self._invariants = invariants

    def write(self, ordinal: int, line: Line) -> None:
        self._process.effect("before a result is written")
        if self._weather.strikes("results_fail"):
            self._process.troubled = True
            raise ResultsError("The disk is full. Choose another place.")
        self._process.note("says of {}: {} {}", line.key, line.state, line.payment_record or "")
        self._invariants.told(self._process, ordinal, line)

    def finish(self, *, whole: bool = True) -> None:
        self._process.effect("before the results are finished")

    def record_ids(self, limit: int) -> list[str]:
        return []

    def first_rejects(self, limit: int) -> list[dict[str, Any]]:
        return []

    def close(self) -> None:
        """Do nothing."""
