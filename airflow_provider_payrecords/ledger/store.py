"""What every ledger can do, and the rows it keeps besides entries."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol, runtime_checkable

from airflow_provider_payrecords.core.entry import Decision, Entry, Intent, Scope, Settlement, Worker
from airflow_provider_payrecords.core.lifecycle import State

SETTLED = frozenset({State.CONFIRMED, State.REJECTED})
"""States of which nothing is open. No other entry is ever forgotten."""
NOTABLE = frozenset({State.PLANNED, State.REJECTED, State.UNKNOWN, State.REVIEW})
"""States that a person may ask about: not confirmed, and not on its way. Entries in these are found without a scan."""


@dataclass(frozen=True, slots=True)
class Run:
    """
    One execution over one extract.

    Attributes:
        extract: Name of the extract: a path without credentials, or what kind of rows it was.
        finished_at: None while it runs, and for ever if its process was killed.
        summary: The RunSummary as JSON-safe mapping, or None while it runs.
        started_by: Where it was started, JSON-safe: the Airflow task instance, or the command. None if nobody said.
    """

    run_id: str
    scope: Scope
    extract: str
    started_at: datetime
    finished_at: datetime | None = None
    summary: dict[str, Any] | None = None
    started_by: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class RunProgress:
    """
    How far a run was at one moment. Counts and money are of the rows that had a result by then.

    Attributes:
        at: Aware UTC.
        counts: Rows by state, as in a summary.
        money: Currency → state → minor units, as in a summary.
        requests: Requests that had left.
        throttled: Answers with status 429 among them.
        rate: Requests per second that the pace allowed.
        total_rows: Rows of the extract, or None where that is not known before the end.
    """

    run_id: str
    at: datetime
    counts: dict[str, int]
    money: dict[str, dict[str, int]]
    requests: int
    throttled: int
    rate: float
    total_rows: int | None = None


@dataclass(frozen=True, slots=True)
class RunReason:
    """
    Rows of a run that are not confirmed for one reason.

    Attributes:
        state: As in a summary: ``rejected``, ``review``, ``unknown``, ``held`` or ``planned``.
        code: Error code, or None.
        param: Field that is to blame, as a dotted path, or None.
        rows: How many rows.
        first_rows: Numbers of the first of them, in the order in which they had their results.
    """

    run_id: str
    state: str
    code: str | None
    param: str | None
    rows: int
    first_rows: tuple[int, ...]


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
class Page:
    """
    Some entries of a selection.

    Attributes:
        after: What to ask for the next page with, or None if there is none.
    """

    entries: list[Entry]
    after: str | None


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

    def accounts(self, scope: Scope) -> set[str]:
        """Return the accounts that had runs of the mode, endpoint and source of *scope*."""
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

    def save_progress(self, progress: RunProgress, reasons: Sequence[RunReason], *, wait: bool = False) -> None:
        """
        Remember how far a run is, and those of its reasons that changed; the same ones are replaced.

        Args:
            wait: Whether to wait for a ledger that is busy or away; else that is an error at once.
        """
        ...

    def runs(self, limit: int = 20) -> list[Run]:
        """Return the latest runs, newest first."""
        ...

    def close(self) -> None:
        """Release connections. Calling twice does nothing."""
        ...


class BrowsableStore(LedgerStore, Protocol):
    """
    A ledger that people look into, page by page.

    Every answer is bounded, and found without reading more of the ledger than that, however many payments it holds.
    """

    def run(self, run_id: str) -> Run | None:
        """Return one run, or None if the ledger does not know it."""
        ...

    def runs(
        self, limit: int = 20, before: str | None = None, *, account: str | None = None, mode: str | None = None
    ) -> list[Run]:
        """
        Return the latest runs, newest first.

        Args:
            before: Id of the last run of the page before. One that is not known has no page after it.
        """
        ...

    def progress(self, run_id: str, after: datetime | None = None, limit: int = 2_000) -> list[RunProgress]:
        """Return how far a run was, oldest first, each moment later than *after*."""
        ...

    def last_progress(self, run_id: str) -> RunProgress | None:
        """Return how far a run was when it last said so."""
        ...

    def reasons(self, run_id: str) -> list[RunReason]:
        """Return why rows of a run are not confirmed, the most frequent reason first. They are few."""
        ...

    def history(self, scope: Scope, key: str, limit: int = 100) -> list[Entry]:
        """
        Return the earlier versions of an entry, newest first, without the present one.

        The ordinary ones are left out: a new payment's claim that its own worker settled.
        """
        ...

    def find(self, text: str, limit: int = 20) -> list[Entry]:
        """Return entries of any scope whose key is *text*, then those whose keys begin with it."""
        ...

    def page(self, selection: Selection, limit: int = 100, after: str | None = None) -> Page:
        """
        Return entries of *selection* that are in one of the ``NOTABLE`` states, ordered by state, scope and key.

        Args:
            after: ``Page.after`` of the page before.

        Raises:
            UsageError: The selection asks for another state, or *after* is not from a page.
        """
        ...


@runtime_checkable
class QueueingStore(Protocol):
    """
    A ledger whose writers may have to queue for the whole of it.

    Attributes:
        is_queueing: Only one process writes at a time, so several workers slow each other down.
    """

    is_queueing: bool


@runtime_checkable
class PatientStore(Protocol):
    """A ledger that waits for its server while that is away."""

    def waiting_while(self, may_wait: Callable[[], bool]) -> AbstractContextManager[None]:
        """Within it, wait for a server that is away only while *may_wait* says so. Not for several threads at once."""
        ...


def until_asked_to_stop(ledger: LedgerStore, should_stop: Callable[[], bool]) -> AbstractContextManager[None]:
    """Let *ledger* wait for its server within it, if it does so at all, only until somebody asks to stop."""
    return ledger.waiting_while(lambda: not should_stop()) if isinstance(ledger, PatientStore) else nullcontext()
