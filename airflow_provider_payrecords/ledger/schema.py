"""
The tables of a ledger, and how an entry becomes a row and a row an entry.

Instants are text, ``2026-03-01T09:30:00.000000+00:00``: always UTC and always with six decimals, so that they sort as
instants do, lose nothing, and can be read by a person with any SQL tool. The columns of ``entries`` are the attributes
of ``Entry`` and nothing else: no body and no customer's data has a place to go.

``migrations.py`` creates these tables; a test compares the two.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, MetaData, Table, Text, text

from airflow_provider_payrecords.core.entry import Entry, Scope
from airflow_provider_payrecords.core.lifecycle import State
from airflow_provider_payrecords.ledger.store import NOTABLE, Run, RunProgress, RunReason

METADATA = MetaData()

ENTRIES = Table(
    "entries",
    METADATA,
    Column("account", Text, primary_key=True),
    Column("mode", Text, primary_key=True),
    Column("endpoint", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("idempotency_key", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
    Column("claimed_at", Text),
    Column("lease_until", Text),
    Column("owner", Text),
    Column("may_exist", Boolean, nullable=False),
    Column("payment_record", Text),
    Column("payment_attempt_record", Text),
    Column("amount_minor", BigInteger),
    Column("currency", Text),
    Column("run_id", Text),
    Column("error_code", Text),
    Column("error_param", Text),
    Column("error_status", Integer),
    Column("request_id", Text),
)
"""One payment each. Order of columns: the scope, then the other attributes of ``Entry`` in their order."""

_VERSION = ("state", "updated_at")
"""What tells versions of one entry apart: every change has its own time or state."""

IS_NOTABLE = text(" AND ".join(f"state <> '{state}'" for state in sorted(one.value for one in set(State) - NOTABLE)))
"""
The condition of the indexes below. SQLite uses them only for a query that holds it word for word.

Not "state IN (…)": for that SQLite makes a table of its own at every change of an entry, a third of its cost.
"""

# What a person asks for is rare. These hold nothing else, so that a million confirmed payments cost nothing.
for _name, _first in (("entries_notable", ("state",)), ("entries_run", ("run_id", "state"))):
    _columns = (*_first, "account", "mode", "endpoint", "source", "key", "error_code")
    Index(_name, *(ENTRIES.c[one] for one in _columns), sqlite_where=IS_NOTABLE, postgresql_where=IS_NOTABLE)

# Only claimed entries have an owner, so this index holds what is in flight and stays small.
Index(
    "entries_owner",
    *(ENTRIES.c[name] for name in ("account", "mode", "endpoint", "source", "owner")),
    sqlite_where=ENTRIES.c.owner.is_not(None),
    postgresql_where=ENTRIES.c.owner.is_not(None),
)

RUNS = Table(
    "runs",
    METADATA,
    Column("run_id", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("extract", Text, nullable=False),
    Column("started_at", Text, nullable=False),
    Column("finished_at", Text),
    Column("summary", Text),
    Column("started_by", Text),
)
"""One execution each; ``summary`` and ``started_by`` are JSON."""

Index("runs_started", RUNS.c.started_at, RUNS.c.run_id)

RUN_PROGRESS = Table(
    "run_progress",
    METADATA,
    Column("run_id", Text, primary_key=True),
    Column("at", Text, primary_key=True),
    Column("counts", Text, nullable=False),
    Column("money", Text, nullable=False),
    Column("requests", BigInteger, nullable=False),
    Column("throttled", BigInteger, nullable=False),
    Column("rate", Float, nullable=False),
    Column("total_rows", BigInteger),
)
"""How far a run was; ``counts`` and ``money`` are JSON. Some hundred rows a run, however long it takes."""

RUN_REASONS = Table(
    "run_reasons",
    METADATA,
    Column("run_id", Text, primary_key=True),
    Column("state", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("param", Text, primary_key=True),
    Column("rows", BigInteger, nullable=False),
    Column("first_rows", Text, nullable=False),
)
"""Why rows of a run are not confirmed; an empty text stands for none, and ``first_rows`` is a JSON list."""

HISTORY = Table(
    "history",
    METADATA,
    *(
        Column(one.name, one.type, primary_key=one.primary_key or one.name in _VERSION, nullable=one.nullable)
        for one in ENTRIES.columns
    ),
)
"""What entries were before a change that is out of the ordinary. The columns are those of ``ENTRIES``."""

PACE = Table(
    "pace",
    METADATA,
    Column("account", Text, primary_key=True),
    Column("mode", Text, primary_key=True),
    Column("endpoint", Text, primary_key=True),
    Column("free_at", BigInteger, nullable=False),
)
"""Until when the rate of an endpoint is taken, in epoch microseconds of the database's clock. Safe to empty."""

LEDGER_META = Table(
    "ledger_meta",
    METADATA,
    Column("step", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("applied_by", Text, nullable=False),
)
"""One migration step each that ran here, with the version of the package that ran it."""

SCOPE_COLUMNS = tuple(ENTRIES.c[name] for name in ("account", "mode", "endpoint", "source"))
KEY_COLUMNS = (*SCOPE_COLUMNS, ENTRIES.c.key)

_STATES = {state.value: state for state in State}
_scope = lru_cache(maxsize=256)(Scope)


@lru_cache(maxsize=256)  # one instant stands in every row of a batch
def to_text(instant: datetime) -> str:
    """Write an aware *instant* as sortable UTC text."""
    return instant.astimezone(timezone.utc).isoformat(timespec="microseconds")


def _optional_text(instant: datetime | None) -> str | None:
    return None if instant is None else to_text(instant)


def _optional_instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def entry_values(entry: Entry) -> tuple[Any, ...]:
    """Return *entry* as a row of ``ENTRIES``, in the order of its columns."""
    scope = entry.scope
    return (
        scope.account,
        scope.mode,
        scope.endpoint,
        scope.source,
        entry.key,
        entry.state.value,
        entry.fingerprint,
        entry.idempotency_key,
        to_text(entry.created_at),
        to_text(entry.updated_at),
        _optional_text(entry.claimed_at),
        _optional_text(entry.lease_until),
        entry.owner,
        entry.may_exist,
        entry.payment_record,
        entry.payment_attempt_record,
        entry.amount_minor,
        entry.currency,
        entry.run_id,
        entry.error_code,
        entry.error_param,
        entry.error_status,
        entry.request_id,
    )


def entry_from_row(row: Sequence[Any]) -> Entry:
    """Return a row of ``ENTRIES`` as an entry."""
    account, mode, endpoint, source, key, state, fingerprint, idempotency_key = row[:8]
    created_at, updated_at, claimed_at, lease_until, owner, may_exist, *rest = row[8:]
    return Entry(
        _scope(account, mode, endpoint, source),
        key,
        _STATES[state],
        fingerprint,
        idempotency_key,
        datetime.fromisoformat(created_at),
        datetime.fromisoformat(updated_at),
        _optional_instant(claimed_at),
        _optional_instant(lease_until),
        owner,
        bool(may_exist),
        *rest,
    )


def run_values(run: Run) -> tuple[Any, ...]:
    """Return *run* as a row of ``RUNS``, in the order of its columns."""
    return (
        run.run_id,
        run.scope.account,
        run.scope.mode,
        run.scope.endpoint,
        run.scope.source,
        run.extract,
        to_text(run.started_at),
        _optional_text(run.finished_at),
        None if run.summary is None else json_text(run.summary),
        None if run.started_by is None else json_text(run.started_by),
    )


def run_from_row(row: Sequence[Any]) -> Run:
    """Return a row of ``RUNS`` as a run."""
    run_id, account, mode, endpoint, source, extract, started_at, finished_at, summary, started_by = row
    return Run(
        run_id=run_id,
        scope=Scope(account, mode, endpoint, source),
        extract=extract,
        started_at=datetime.fromisoformat(started_at),
        finished_at=_optional_instant(finished_at),
        summary=None if summary is None else json.loads(summary),
        started_by=None if started_by is None else json.loads(started_by),
    )


def progress_values(progress: RunProgress) -> tuple[Any, ...]:
    """Return *progress* as a row of ``RUN_PROGRESS``, in the order of its columns."""
    return (
        progress.run_id,
        to_text(progress.at),
        json_text(progress.counts),
        json_text(progress.money),
        progress.requests,
        progress.throttled,
        progress.rate,
        progress.total_rows,
    )


def progress_from_row(row: Sequence[Any]) -> RunProgress:
    """Return a row of ``RUN_PROGRESS`` as progress."""
    run_id, at, counts, money, *numbers = row
    return RunProgress(run_id, datetime.fromisoformat(at), json.loads(counts), json.loads(money), *numbers)


def reason_values(reason: RunReason) -> tuple[Any, ...]:
    """Return *reason* as a row of ``RUN_REASONS``, in the order of its columns."""
    code, param = reason.code or "", reason.param or ""
    return (reason.run_id, reason.state, code, param, reason.rows, json_text(reason.first_rows))


def reason_from_row(row: Sequence[Any]) -> RunReason:
    """Return a row of ``RUN_REASONS`` as a reason."""
    run_id, state, code, param, rows, first_rows = row
    return RunReason(run_id, state, code or None, param or None, rows, tuple(json.loads(first_rows)))


def json_text(value: Any) -> str:
    """Write *value* as JSON."""
    return json.dumps(value, separators=(",", ":"))
