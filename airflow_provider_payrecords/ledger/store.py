"""What every ledger can do, and the rows it keeps besides entries."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol, runtime_checkable

from airflow_provider_payrecords.core.entry import Decision, Entry, Intent, Scope, Settlement, Worker
from airflow_provider_payrecords.core.lifecycle import State

SETTLED = frozenset({State.CONFIRMED, State.REJECTED})
"""States of which nothing is open. No other entry is ever forgotten."""


@dataclass(frozen=True, slots=True)
class Run:
    """
    One execution over one extract.

    Attributes:
        extract: Name of the extract: a path without credentials, or what kind of rows it was.
        finished_at: None while it runs, and for ever if its process was killed.
        summary: The RunSummary as JSON-safe mapping, or None while it runs.
    """

    run_id: str
    scope: Scope
    extract: str
    started_at: datetime
    finished_at: datetime | None = None
    summary: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """
    Which entries: every attribute that is not None narrows the choice.

    Attributes:
        states: Entries in one of these states.
        run_id: Entries this run changed last.
        updated_before: Entries whose last change was before this instant, aware UTC.
        error_code: Entries with this code of their last error.
    """

    account: str | None = None
    mode: str | None = None
    endpoint: str | None = None
    source: str | None = None
    states: frozenset[State] | None = None
    run_id: str | None = None
    updated_before: datetime | None = None
    key: str | None = None
    payment_record: str | None = None
    error_code: str | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """Entries of one scope in one state and currency. ``amount_minor`` is their sum in minor units."""

    scope: Scope
    state: State
    currency: str | None
    entries: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Lane:
    """What shares one request rate at the API: an endpoint of an account in one mode."""

    account: str
    mode: str
    endpoint: str


class Confirmed(NamedTuple):
    """What a result says of a confirmed entry. Millions of them are read where whole entries would take too long."""

    key: str
    fingerprint: str
    idempotency_key: str
    payment_record: str | None
    request_id: str | None


class LedgerStore(Protocol):
    """
    The durable memory.

    Each method is one transaction that is committed when it returns. Every method may raise
    ``LedgerUnavailableError``. The rules of what may be sent and settled are ``core.entry.consider`` and ``settle``;
    a store only fetches, applies them and saves.
    """

    def claim(self, scope: Scope, intents: Sequence[Intent], worker: Worker, now: datetime) -> list[Decision]:
        """Decide each intent, in order, and save what changed. Keys are distinct within one call."""
        ...

    def settle(self, scope: Scope, settlements: Sequence[Settlement], now: datetime) -> list[Entry]:
        """Apply outcomes, in order, and return the entries as they then stand."""
        ...

    def look_up(self, scope: Scope, keys: Sequence[str]) -> dict[str, Entry]:
        """Return the known entries by key. Changes nothing."""
        ...

    def confirmed(self, scope: Scope, keys: Sequence[str]) -> list[Confirmed]:
        """Return those of *keys* whose entries are confirmed, in any order. Changes nothing."""
        ...

    def owners(self, scope: Scope) -> set[str]:
        """Return who holds claims in this scope."""
        ...

    def lapse(self, scope: Scope, owners: Collection[str], now: datetime) -> int:
        """Turn every claim of *owners*, who are known to be dead, into unknown. Return how many."""
        ...

    def entries(self, selection: Selection) -> Iterator[Entry]:
        """Yield entries ordered by scope and key, streamed."""
        ...

    def counts(self, selection: Selection) -> list[Count]:
        """Return entries and money by scope, state and currency."""
        ...

    def book(self, lane: Lane, seconds: float, now: datetime) -> float:
        """
        Take the next *seconds* of *lane*, in which no other worker sends. Return how long it is until they begin.

        A database server goes by its own clock, so that the clocks of workers need not agree.
        """
        ...

    def start_run(self, run: Run) -> None:
        """Remember that a run began."""
        ...

    def finish_run(self, run_id: str, finished_at: datetime, summary: dict[str, Any]) -> None:
        """Remember how a run ended."""
        ...

    def runs(self, limit: int = 20) -> list[Run]:
        """Return the latest runs, newest first."""
        ...

    def close(self) -> None:
        """Release connections. Calling twice does nothing."""
        ...


@runtime_checkable
class QueueingStore(Protocol):
    """
    A ledger whose writers may have to queue for the whole of it.

    Attributes:
        is_queueing: Only one process writes at a time, so several workers slow each other down.
    """

    is_queueing: bool
