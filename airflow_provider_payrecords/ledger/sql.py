"""
The durable ledger: SQLAlchemy Core over SQLite, or PostgreSQL by the same code.

A batch costs one transaction: one SELECT for the known entries, one executemany for those that changed. Rows pass as
plain tuples, which is what makes a hundred claims cost about as much as one. ``dialect.py`` knows the databases apart.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Executable, bindparam, func, literal, select, tuple_, update

from airflow_provider_payrecords.core import entry as rules
from airflow_provider_payrecords.core.entry import Decision, Entry, Intent, Scope, Settlement, Worker
from airflow_provider_payrecords.core.errors import LedgerError
from airflow_provider_payrecords.core.lifecycle import State
from airflow_provider_payrecords.ledger.batch import claim_batch, settle_batch
from airflow_provider_payrecords.ledger.dialect import begin_write, upsert_sql
from airflow_provider_payrecords.ledger.failures import guarded
from airflow_provider_payrecords.ledger.schema import (
    ENTRIES,
    KEY_COLUMNS,
    RUNS,
    SCOPE_COLUMNS,
    entry_from_row,
    entry_values,
    run_from_row,
    run_values,
    summary_text,
    to_text,
)
from airflow_provider_payrecords.ledger.store import Count, Run, Selection

PAGE_SIZE = 1000
"""Entries fetched at once while streaming."""
_KEYS_PER_SELECT = 500  # SQLite before 3.32 takes 999 parameters a statement

_IN_SCOPE = tuple(column == bindparam(column.name) for column in SCOPE_COLUMNS)
_BY_KEYS = select(ENTRIES).where(*_IN_SCOPE, ENTRIES.c.key.in_(bindparam("keys", expanding=True)))
_BY_OWNERS = select(ENTRIES).where(*_IN_SCOPE, ENTRIES.c.owner.in_(bindparam("owners", expanding=True)))
_OWNERS = select(ENTRIES.c.owner).distinct().where(*_IN_SCOPE, ENTRIES.c.owner.is_not(None))
_PAGE = select(ENTRIES).order_by(*KEY_COLUMNS).limit(PAGE_SIZE)
_GROUPS = (*SCOPE_COLUMNS, ENTRIES.c.state, ENTRIES.c.currency)
_COUNTS = (
    select(*_GROUPS, func.count(), func.coalesce(func.sum(ENTRIES.c.amount_minor), 0))
    .group_by(*_GROUPS)
    .order_by(*_GROUPS[:-1], func.coalesce(ENTRIES.c.currency, ""))
)
_RUNS = select(RUNS).order_by(RUNS.c.started_at.desc(), RUNS.c.run_id.desc())


class SqlLedger:
    """
    ``LedgerStore`` in a database that ``migrations.migrate`` has prepared; ``urls.open_ledger`` makes one from a URL.

    Threads may share one, and processes may share its database. A process that forks opens its own.
    """

    def __init__(self, engine: Engine, name: str) -> None:
        """
        Keep *engine*; nothing is opened yet.

        Args:
            name: The ledger as people may see it in errors: a URL without a password.
        """
        self.name = name
        self._engine = engine
        self._upsert_entry = upsert_sql(engine, ENTRIES)
        self._upsert_run = upsert_sql(engine, RUNS)

    def claim(self, scope: Scope, intents: Sequence[Intent], worker: Worker, now: datetime) -> list[Decision]:
        """Decide each intent, in order, and save what changed: one transaction, alone among writers."""
        with guarded(self.name), begin_write(self._engine) as connection:
            known = _fetch(connection, scope, [intent.key for intent in intents])
            decisions, changed = claim_batch(known, scope, intents, worker, now)
            self._save(connection, changed.values())
        return decisions

    def settle(self, scope: Scope, settlements: Sequence[Settlement], now: datetime) -> list[Entry]:
        """Apply outcomes, in order, and return the entries as they then stand."""
        with guarded(self.name), begin_write(self._engine) as connection:
            known = _fetch(connection, scope, [settlement.key for settlement in settlements])
            entries, changed = settle_batch(known, settlements, now)
            self._save(connection, changed.values())
        return entries

    def look_up(self, scope: Scope, keys: Sequence[str]) -> dict[str, Entry]:
        """Return the known entries by key, in the order of *keys*. Changes nothing."""
        with guarded(self.name), self._engine.connect() as connection:
            known = _fetch(connection, scope, keys)
        return {key: known[key] for key in keys if key in known}

    def owners(self, scope: Scope) -> set[str]:
        """Return who holds claims in this scope."""
        with guarded(self.name), self._engine.connect() as connection:
            return set(connection.execute(_OWNERS, _scope_values(scope)).scalars())

    def lapse(self, scope: Scope, owners: Collection[str], now: datetime) -> int:
        """Turn every claim of *owners*, who are known to be dead, into unknown. Return how many."""
        with guarded(self.name), begin_write(self._engine) as connection:
            rows = connection.execute(_BY_OWNERS, {**_scope_values(scope), "owners": list(owners)}).all()
            self._save(connection, [rules.lapse(entry_from_row(row), now) for row in rows])
        return len(rows)

    def entries(self, selection: Selection) -> Iterator[Entry]:
        """
        Yield entries ordered by scope and key, in pages of ``PAGE_SIZE``.

        Each page is its own short read, so a slow reader holds nothing up. Every entry comes once; one that changes
        meanwhile comes as it was when its page was read.
        """
        statement = _PAGE.where(*_conditions(selection))
        rows = self._read(statement)
        while rows:
            yield from map(entry_from_row, rows)
            last = tuple_(*map(literal, rows[-1][: len(KEY_COLUMNS)]))
            rows = self._read(statement.where(tuple_(*KEY_COLUMNS) > last)) if len(rows) == PAGE_SIZE else []

    def counts(self, selection: Selection) -> list[Count]:
        """Return entries and money by scope, state and currency, in that order."""
        return [
            Count(Scope(account, mode, endpoint, source), State(state), currency, entries, int(amount_minor))
            for account, mode, endpoint, source, state, currency, entries, amount_minor in self._read(
                _COUNTS.where(*_conditions(selection))
            )
        ]

    def start_run(self, run: Run) -> None:
        """Remember that a run began. One that began before under this id is replaced."""
        with guarded(self.name), begin_write(self._engine) as connection:
            connection.exec_driver_sql(self._upsert_run, run_values(run))

    def finish_run(self, run_id: str, finished_at: datetime, summary: dict[str, Any]) -> None:
        """Remember how a run ended."""
        end = {"finished_at": to_text(finished_at), "summary": summary_text(summary)}
        with guarded(self.name), begin_write(self._engine) as connection:
            if not connection.execute(update(RUNS).where(RUNS.c.run_id == run_id).values(end)).rowcount:
                raise LedgerError(f"Run {run_id} is not in the ledger: call start_run before finish_run.")

    def runs(self, limit: int = 20) -> list[Run]:
        """Return the latest runs, newest first."""
        return [run_from_row(row) for row in self._read(_RUNS.limit(limit))]

    def close(self) -> None:
        """Release connections. Calling twice does nothing."""
        self._engine.dispose()

    def _read(self, statement: Executable) -> Sequence[Sequence[Any]]:
        with guarded(self.name), self._engine.connect() as connection:
            return list(connection.execute(statement))

    def _save(self, connection: Connection, entries: Iterable[Entry]) -> None:
        rows = [entry_values(entry) for entry in entries]
        if rows:
            connection.exec_driver_sql(self._upsert_entry, rows)


def _fetch(connection: Connection, scope: Scope, keys: Sequence[str]) -> dict[str, Entry]:
    values = _scope_values(scope)
    remaining = iter(keys)
    known: dict[str, Entry] = {}
    while some := list(islice(remaining, _KEYS_PER_SELECT)):
        rows = connection.execute(_BY_KEYS, {**values, "keys": some})
        known.update((entry.key, entry) for entry in map(entry_from_row, rows))
    return known


def _scope_values(scope: Scope) -> Mapping[str, str]:
    return {"account": scope.account, "mode": scope.mode, "endpoint": scope.endpoint, "source": scope.source}


def _conditions(selection: Selection) -> list[ColumnElement[bool]]:
    wanted = {column: getattr(selection, column.name) for column in (*SCOPE_COLUMNS, ENTRIES.c.run_id)}
    conditions = [column == value for column, value in wanted.items() if value is not None]
    if selection.states is not None:
        conditions.append(ENTRIES.c.state.in_(sorted(state.value for state in selection.states)))
    return conditions
