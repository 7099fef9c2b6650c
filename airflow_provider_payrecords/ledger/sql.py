"""
The durable ledger: SQLAlchemy Core over SQLite, or PostgreSQL by the same code.

A batch costs one transaction: one SELECT for the known entries, one statement for those that changed. Rows pass as
plain tuples, which is what makes a hundred claims cost about as much as one. ``dialect.py`` knows the databases apart.

Every method but ``claim`` has the same effect done twice, and ``claim`` knows its own work again: so each is tried
again, within ``Patience``, when a database server goes away in the middle.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    bindparam,
    delete,
    exists,
    func,
    literal,
    select,
    tuple_,
    update,
)

from airflow_provider_payrecords.core import entry as rules
from airflow_provider_payrecords.core.entry import Decision, Entry, Intent, Scope, Settlement, Worker
from airflow_provider_payrecords.core.errors import LedgerError
from airflow_provider_payrecords.core.lifecycle import State
from airflow_provider_payrecords.ledger.batch import outlived, settle_batch
from airflow_provider_payrecords.ledger.browsing import SqlBrowsing, conditions, scope_values
from airflow_provider_payrecords.ledger.claiming import Claiming
from airflow_provider_payrecords.ledger.dialect import Finder, Writer
from airflow_provider_payrecords.ledger.pace import PaceBook
from airflow_provider_payrecords.ledger.patience import Patience
from airflow_provider_payrecords.ledger.retention import RUNS_BATCH
from airflow_provider_payrecords.ledger.schema import (
    ENTRIES,
    HISTORY,
    IS_NOTABLE,
    KEY_COLUMNS,
    RUN_PROGRESS,
    RUN_REASONS,
    RUNS,
    SCOPE_COLUMNS,
    entry_from_row,
    entry_values,
    json_text,
    progress_values,
    reason_values,
    run_values,
    to_text,
)
from airflow_provider_payrecords.ledger.store import (
    SETTLED,
    Confirmed,
    Count,
    Lane,
    Run,
    RunProgress,
    RunReason,
    Selection,
)

PAGE_SIZE = 1000
"""Entries fetched at once while streaming."""

_IN_SCOPE = tuple(column == bindparam(column.name) for column in SCOPE_COLUMNS)
_ACCOUNTS = (
    select(RUNS.c.account)
    .distinct()
    .where(*(RUNS.c[name] == bindparam(name) for name in ("mode", "endpoint", "source")))
)
_BY_OWNERS = (
    select(ENTRIES)
    .where(*_IN_SCOPE, ENTRIES.c.owner.in_(bindparam("owners", expanding=True)))
    .order_by(ENTRIES.c.key)
    .with_for_update()
)
_OWNERS = select(ENTRIES.c.owner).distinct().where(*_IN_SCOPE, ENTRIES.c.owner.is_not(None))
_PAGE = select(ENTRIES).order_by(*KEY_COLUMNS).limit(PAGE_SIZE)
_GROUPS = (*SCOPE_COLUMNS, ENTRIES.c.state, ENTRIES.c.currency)
_COUNTS = (
    select(*_GROUPS, func.count(), func.coalesce(func.sum(ENTRIES.c.amount_minor), 0))
    .group_by(*_GROUPS)
    .order_by(*_GROUPS[:-1], func.coalesce(ENTRIES.c.currency, ""))
)
_STANDING = tuple(column.name for column in (*KEY_COLUMNS, ENTRIES.c.state, ENTRIES.c.updated_at))
"""What tells whether an entry is still as it was read: every change has its own time or state."""
_FORGET_HISTORY = delete(HISTORY).where(
    *(HISTORY.c[column.name] == bindparam(f"of_{column.name}") for column in KEY_COLUMNS),
    ~exists().where(*(ENTRIES.c[column.name] == bindparam(f"of_{column.name}") for column in KEY_COLUMNS)),
)
"""The history of one entry that is gone."""


class SqlLedger(SqlBrowsing):
    """
    ``LedgerStore`` in a database that ``migrations.migrate`` has prepared; ``urls.open_ledger`` makes one from a URL.

    Threads may share one, and processes may share its database. A process that forks opens its own.
    """

    def __init__(self, engine: Engine, name: str, patience: Patience | None = None) -> None:
        """
        Keep *engine*; nothing is opened yet.

        Args:
            name: The ledger as people may see it in errors: a URL without a password.
            patience: How long a server that went away is waited for.
        """
        super().__init__(engine, name, patience)
        self.is_queueing = engine.dialect.name == "sqlite"
        self._entries = Writer(engine, ENTRIES)
        self._history = Writer(engine, HISTORY)
        self._runs = Writer(engine, RUNS)
        self._progress = Writer(engine, RUN_PROGRESS)
        self._reasons = Writer(engine, RUN_REASONS)
        self._pace = PaceBook(engine)
        self._by_keys = Finder(engine, ENTRIES, ENTRIES.columns.keys(), {})
        self._confirmed = Finder(engine, ENTRIES, Confirmed._fields, {"state": State.CONFIRMED.value})

    def claim(self, scope: Scope, intents: Sequence[Intent], worker: Worker, now: datetime) -> list[Decision]:
        """Decide each intent, in order, and save what changed."""
        return self._write(Claiming(self, scope, intents, worker, now))

    def settle(self, scope: Scope, settlements: Sequence[Settlement], now: datetime) -> list[Entry]:
        """Apply outcomes, in order, and return the entries as they then stand."""

        def work(connection: Connection) -> list[Entry]:
            known = self.fetch(connection, scope, {settlement.key for settlement in settlements}, lock=True)
            entries, changed = settle_batch(known, settlements, now)
            self.remember(connection, outlived(known, changed))
            self.put(connection, changed.values())
            return entries

        return self._write(work)

    def look_up(self, scope: Scope, keys: Sequence[str]) -> dict[str, Entry]:
        """Return the known entries by key, in the order of *keys*. Changes nothing."""
        known = self._read(lambda connection: self.fetch(connection, scope, keys))
        return {key: known[key] for key in keys if key in known}

    def confirmed(self, scope: Scope, keys: Sequence[str]) -> list[Confirmed]:
        """Return those of *keys* whose entries are confirmed, in any order. Changes nothing."""
        shared = _key_start(scope)
        rows = self._read(lambda connection: self._confirmed.find(connection, shared, keys))
        return list(map(Confirmed._make, rows))

    def accounts(self, scope: Scope) -> set[str]:
        """Return the accounts that had runs of the mode, endpoint and source of *scope*."""
        return {account for (account,) in self._rows_of(_ACCOUNTS, scope_values(scope))}

    def owners(self, scope: Scope) -> set[str]:
        """Return who holds claims in this scope."""
        return {owner for (owner,) in self._rows_of(_OWNERS, scope_values(scope))}

    def lapse(self, scope: Scope, owners: Collection[str], now: datetime) -> int:
        """Turn every claim of *owners*, who are known to be dead, into unknown. Return how many."""

        def work(connection: Connection) -> int:
            rows = connection.execute(_BY_OWNERS, {**scope_values(scope), "owners": list(owners)}).all()
            claimed = [entry_from_row(row) for row in rows]
            self.remember(connection, claimed)
            self.put(connection, [rules.lapse(entry, now) for entry in claimed])
            return len(rows)

        return self._write(work)

    def forget(self, entries: Sequence[Entry]) -> int:
        """Remove the settled ones of *entries* that still stand as given. Return how many."""
        rows = sorted(_standing(entry) for entry in entries if entry.state in SETTLED)
        keys = [{f"of_{column.name}": value for column, value in zip(KEY_COLUMNS, row, strict=False)} for row in rows]

        def work(connection: Connection) -> int:
            removed = self._entries.remove(connection, _STANDING, rows)
            connection.execute(_FORGET_HISTORY, keys)
            return removed

        return self._write(work) if rows else 0

    def forget_runs(self, selection: Selection, limit: int = RUNS_BATCH) -> int:
        """Remove old runs that nothing asks for any more, with all that is kept of them."""
        old = select(RUNS.c.run_id).where(*_run_conditions(selection)).order_by(RUNS.c.started_at).limit(limit)

        def work(connection: Connection) -> int:
            names = connection.execute(old).scalars().all()
            for table in (RUN_PROGRESS, RUN_REASONS, RUNS):
                connection.execute(delete(table).where(table.c.run_id.in_(names)))
            return len(names)

        return self._write(work)

    def entries(self, selection: Selection) -> Iterator[Entry]:
        """
        Yield entries ordered by scope and key, in pages of ``PAGE_SIZE``.

        Each page is its own short read, so a slow reader holds nothing up. Every entry comes once; one that changes
        meanwhile comes as it was when its page was read.
        """
        statement = _PAGE.where(*_conditions(selection))
        rows = self._rows_of(statement)
        while rows:
            yield from map(entry_from_row, rows)
            last = tuple_(*map(literal, rows[-1][: len(KEY_COLUMNS)]))
            rows = self._rows_of(statement.where(tuple_(*KEY_COLUMNS) > last)) if len(rows) == PAGE_SIZE else []

    def counts(self, selection: Selection) -> list[Count]:
        """Return entries and money by scope, state and currency, in that order."""
        return [
            Count(Scope(account, mode, endpoint, source), State(state), currency, entries, int(amount_minor))
            for account, mode, endpoint, source, state, currency, entries, amount_minor in self._rows_of(
                _COUNTS.where(*_conditions(selection))
            )
        ]

    def book(self, lane: Lane, seconds: float, now: datetime) -> float:
        """Take the next *seconds* of *lane*. Return how long it is until they begin."""
        return self._write(lambda connection: self._pace.book(connection, lane, seconds, now))

    def start_run(self, run: Run) -> None:
        """Remember that a run began. One that began before under this id is replaced."""
        self._write(lambda connection: self._runs.put(connection, [run_values(run)]))

    def finish_run(self, run_id: str, finished_at: datetime, summary: dict[str, Any]) -> None:
        """Remember how a run ended."""
        end = {"finished_at": to_text(finished_at), "summary": json_text(summary)}
        statement = update(RUNS).where(RUNS.c.run_id == run_id).values(end)
        if not self._write(lambda connection: connection.execute(statement).rowcount):
            raise LedgerError(f"Run {run_id} is not in the ledger: call start_run before finish_run.")

    def save_progress(self, progress: RunProgress, reasons: Sequence[RunReason], *, wait: bool = False) -> None:
        """Remember how far a run is, and those of its reasons that changed."""

        def work(connection: Connection) -> None:
            self._progress.put(connection, [progress_values(progress)])
            if reasons:
                self._reasons.put(connection, [reason_values(reason) for reason in reasons])

        (self._write if wait else self._write_at_once)(work)

    def fetch(
        self, connection: Connection, scope: Scope, keys: Collection[str], *, lock: bool = False
    ) -> dict[str, Entry]:
        """Return the known entries by key; with *lock*, nobody else changes them before this transaction ends."""
        shared = _key_start(scope)
        rows = self._by_keys.find(connection, shared, sorted(keys), lock=lock)
        return {entry.key: entry for entry in map(entry_from_row, rows)}

    def add(self, connection: Connection, entries: Collection[Entry]) -> set[str]:
        """Insert new *entries* of one scope. Return the keys of those that no other worker has inserted first."""
        ordered = sorted(entries, key=lambda entry: entry.key)
        return self._entries.add(connection, [entry_values(entry) for entry in ordered]) if ordered else set()

    def put(self, connection: Connection, entries: Collection[Entry]) -> None:
        """Save *entries*, which this transaction has locked or inserted."""
        if entries:
            self._entries.put(connection, [entry_values(entry) for entry in entries])

    def remember(self, connection: Connection, entries: Collection[Entry]) -> None:
        """Keep what *entries* were before this transaction changes them."""
        if entries:
            self._history.put(connection, [entry_values(entry) for entry in entries])


def _standing(entry: Entry) -> tuple[Any, ...]:
    return (*_key_start(entry.scope), entry.key, entry.state.value, to_text(entry.updated_at))


def _key_start(scope: Scope) -> tuple[str, ...]:
    """Return the values of the primary key but for its last column."""
    return scope.account, scope.mode, scope.endpoint, scope.source


def _conditions(selection: Selection) -> list[ColumnElement[bool]]:
    found = conditions(selection)
    if selection.states is not None:
        found.append(ENTRIES.c.state.in_(sorted(state.value for state in selection.states)))
    return found


def _run_conditions(selection: Selection) -> list[ColumnElement[bool]]:
    wanted = {RUNS.c[name]: getattr(selection, name) for name in ("account", "mode", "endpoint", "source", "run_id")}
    found = [column == value for column, value in wanted.items() if value is not None]
    if selection.updated_before is not None:
        until = to_text(selection.updated_before)
        found += [RUNS.c.started_at < until, func.coalesce(RUNS.c.finished_at, "") < until]
    is_named = exists().where(ENTRIES.c.run_id == RUNS.c.run_id, IS_NOTABLE)
    return [*found, ~is_named, _has_successor()]


def _has_successor() -> ColumnElement[bool]:
    later = RUNS.alias("later")
    same_scope = (later.c[column.name] == RUNS.c[column.name] for column in SCOPE_COLUMNS)
    return exists().where(
        *same_scope, tuple_(later.c.started_at, later.c.run_id) > tuple_(RUNS.c.started_at, RUNS.c.run_id)
    )
