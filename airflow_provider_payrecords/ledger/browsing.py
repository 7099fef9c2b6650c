"""
What people ask a ledger: one run, one payment, a page of what is open. The durable store's part of ``BrowsableStore``.

Every query walks an index from one end of its answer to the other and reads a bounded number of rows. Nothing counts,
adds up or sorts the entries of a ledger: counts and money of a run are in its summary and its progress.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, bindparam, literal, select, tuple_

from airflow_provider_payrecords.core.entry import Entry, Scope
from airflow_provider_payrecords.ledger.dialect import comes_after
from airflow_provider_payrecords.ledger.paging import MAX_REASONS, Cursor, from_link, is_storable, page_of, paged_states
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
    progress_from_row,
    reason_from_row,
    run_from_row,
    to_text,
)
from airflow_provider_payrecords.ledger.store import Page, Run, RunProgress, RunReason, Selection
from airflow_provider_payrecords.ledger.transaction import Transactions

MAX_SCOPES = 1_000
"""Scopes that are looked through for a key."""
_LAST_CHARACTER = "\U0010ffff"

_SELECTABLE = (*SCOPE_COLUMNS, *(ENTRIES.c[name] for name in ("run_id", "key", "payment_record", "error_code")))
_LATEST = (RUNS.c.started_at.desc(), RUNS.c.run_id.desc())
_RUNS = select(RUNS).order_by(*_LATEST)
_PROGRESS = select(RUN_PROGRESS).where(RUN_PROGRESS.c.run_id == bindparam("run_id"))
_REASONS = (
    select(RUN_REASONS)
    .where(RUN_REASONS.c.run_id == bindparam("run_id"))
    .order_by(RUN_REASONS.c.rows.desc(), RUN_REASONS.c.state, RUN_REASONS.c.code, RUN_REASONS.c.param)
    .limit(MAX_REASONS)
)
_HISTORY = (
    select(HISTORY)
    .where(*(HISTORY.c[column.name] == bindparam(column.name) for column in KEY_COLUMNS))
    .order_by(HISTORY.c.updated_at.desc(), HISTORY.c.state.desc())
)
_SCOPES = select(*SCOPE_COLUMNS).order_by(*SCOPE_COLUMNS).limit(1)
_NOTABLE = select(ENTRIES).where(IS_NOTABLE).order_by(*KEY_COLUMNS)


class SqlBrowsing(Transactions):
    """Reads of ``BrowsableStore`` in a database."""

    def run(self, run_id: str) -> Run | None:
        """Return one run, or None if the ledger does not know it."""
        rows = self._rows_of(select(RUNS).where(RUNS.c.run_id == run_id)) if is_storable(run_id) else []
        return run_from_row(rows[0]) if rows else None

    def runs(
        self, limit: int = 20, before: str | None = None, *, account: str | None = None, mode: str | None = None
    ) -> list[Run]:
        """Return the latest runs, newest first."""
        wanted = ((RUNS.c.account, account), (RUNS.c.mode, mode))
        statement = _RUNS.where(*(column == value for column, value in wanted if value is not None)).limit(limit)
        if before is not None:
            last = self.run(before)
            if last is None:
                return []
            end = tuple_(literal(to_text(last.started_at)), literal(last.run_id))
            statement = statement.where(tuple_(RUNS.c.started_at, RUNS.c.run_id) < end)
        return [run_from_row(row) for row in self._rows_of(statement)]

    def progress(self, run_id: str, after: datetime | None = None, limit: int = 2_000) -> list[RunProgress]:
        """Return how far a run was, oldest first, each moment later than *after*."""
        statement = _PROGRESS if after is None else _PROGRESS.where(RUN_PROGRESS.c.at > to_text(after))
        rows = self._rows_of(statement.order_by(RUN_PROGRESS.c.at).limit(limit), {"run_id": run_id})
        return [progress_from_row(row) for row in rows]

    def last_progress(self, run_id: str) -> RunProgress | None:
        """Return how far a run was when it last said so."""
        rows = self._rows_of(_PROGRESS.order_by(RUN_PROGRESS.c.at.desc()).limit(1), {"run_id": run_id})
        return progress_from_row(rows[0]) if rows else None

    def reasons(self, run_id: str) -> list[RunReason]:
        """Return why rows of a run are not confirmed, the most frequent reason first."""
        return [reason_from_row(row) for row in self._rows_of(_REASONS, {"run_id": run_id})]

    def history(self, scope: Scope, key: str, limit: int = 100) -> list[Entry]:
        """Return the earlier versions of an entry that were kept, newest first."""
        rows = self._rows_of(_HISTORY.limit(limit), {**scope_values(scope), "key": key})
        return [entry_from_row(row) for row in rows]

    def find(self, text: str, limit: int = 20) -> list[Entry]:
        """Return entries of any scope whose key is *text*, then those whose keys begin with it."""
        if not is_storable(text):
            return []
        scopes = list(self._scopes())
        exact: list[Entry] = []
        begun: list[Entry] = []
        for scope in scopes:
            exact += self._with_keys(scope, ENTRIES.c.key == text, limit - len(exact))
        for scope in scopes:
            longer = (ENTRIES.c.key > text) & (ENTRIES.c.key < text + _LAST_CHARACTER)
            begun += self._with_keys(scope, longer, limit - len(exact) - len(begun))
        return exact + begun

    def page(self, selection: Selection, limit: int = 100, after: str | None = None) -> Page:
        """Return entries of *selection* that are in one of the ``NOTABLE`` states, ordered by state, scope and key."""
        begin = None if after is None else from_link(after)
        found: list[Entry] = []
        for state in paged_states(selection):
            if len(found) <= limit and (begin is None or state >= begin.state):
                found += self._in_state(selection, state, limit + 1 - len(found), begin)
        return page_of(found, limit)

    def _in_state(self, selection: Selection, state: str, limit: int, begin: Cursor | None) -> list[Entry]:
        statement = _NOTABLE.where(ENTRIES.c.state == state, *conditions(selection)).limit(limit)
        if begin is not None and begin.state == state:
            fixed: dict[Column[Any], str] = {ENTRIES.c.state: state}
            if selection.run_id is not None:
                fixed = {ENTRIES.c.run_id: selection.run_id, **fixed}
            statement = statement.where(comes_after(self._engine, fixed, KEY_COLUMNS, begin[1:]))
        return [entry_from_row(row) for row in self._rows_of(statement)]

    def _with_keys(self, scope: Sequence[str], condition: ColumnElement[bool], limit: int) -> list[Entry]:
        if limit <= 0:
            return []
        within = (column == value for column, value in zip(SCOPE_COLUMNS, scope, strict=True))
        statement = select(ENTRIES).where(*within, condition).order_by(ENTRIES.c.key).limit(limit)
        return [entry_from_row(row) for row in self._rows_of(statement)]

    def _scopes(self) -> Iterator[Sequence[str]]:
        """Yield the scopes there are, each found by a step over all entries of the one before."""
        found = self._rows_of(_SCOPES)
        for _ in range(MAX_SCOPES):
            if not found:
                return
            yield found[0]
            found = self._scope_after(found[0])

    def _scope_after(self, scope: Sequence[str]) -> Sequence[Sequence[str]]:
        # Not by comparing rows: SQLite walks over all that are equal, which may be millions, before it finds a greater.
        for depth in reversed(range(len(scope))):
            within = [column == value for column, value in zip(SCOPE_COLUMNS[:depth], scope, strict=False)]
            if rows := self._rows_of(_SCOPES.where(*within, SCOPE_COLUMNS[depth] > scope[depth])):
                return rows
        return []


def conditions(selection: Selection) -> list[ColumnElement[bool]]:
    """Return what *selection* asks of an entry, its states aside."""
    wanted = {column: getattr(selection, column.name) for column in _SELECTABLE}
    found = [column == value for column, value in wanted.items() if value is not None]
    if selection.updated_before is not None:
        found.append(ENTRIES.c.updated_at < to_text(selection.updated_before))
    return found


def scope_values(scope: Scope) -> Mapping[str, str]:
    """Return *scope* as parameters of a statement."""
    return {"account": scope.account, "mode": scope.mode, "endpoint": scope.endpoint, "source": scope.source}
