"""Ledgers filled with confirmed payments past the store, which would take hours for millions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from itertools import islice
from typing import Any

from airflow_provider_payrecords.core.entry import Entry, Intent, Scope, Settlement
from airflow_provider_payrecords.core.lifecycle import Event, State
from airflow_provider_payrecords.ledger.schema import ENTRIES, entry_values

FILL_ROWS = 50_000


def outcome_of(intent: Intent, owner: str) -> Settlement:
    """Return the API's acceptance of *intent*."""
    tail = intent.fingerprint[:24]
    return Settlement(
        intent.key,
        intent.idempotency_key,
        Event.ACCEPTED,
        payment_record=f"pr_{tail}",
        payment_attempt_record=f"par_{tail}",
        request_id=f"req_{tail[:14]}",
        owner=owner,
    )


def confirmed_row(scope: Scope, intent: Intent, made: datetime, run_id: str) -> tuple[Any, ...]:
    """Return *intent* as the row of a payment that was claimed, accepted and settled at *made*."""
    outcome = outcome_of(intent, "")
    entry = Entry(
        scope,
        intent.key,
        State.CONFIRMED,
        intent.fingerprint,
        intent.idempotency_key,
        created_at=made,
        updated_at=made,
        claimed_at=made,
        payment_record=outcome.payment_record,
        payment_attempt_record=outcome.payment_attempt_record,
        amount_minor=intent.amount_minor,
        currency=intent.currency,
        run_id=run_id,
        request_id=outcome.request_id,
    )
    return entry_values(entry)


def fill_sqlite(url: str, rows: Iterator[tuple[Any, ...]]) -> None:
    """Put *rows* into a ledger, past the store, which would take hours."""
    marks = ", ".join("?" * len(ENTRIES.columns))
    with closing(sqlite3.connect(url, isolation_level=None)) as connection:
        connection.executescript("PRAGMA synchronous=OFF; PRAGMA cache_size=-3000000")
        while some := list(islice(rows, FILL_ROWS)):
            connection.execute("BEGIN")
            connection.executemany(f"INSERT INTO entries VALUES ({marks})", some)
            connection.execute("COMMIT")
        connection.executescript("PRAGMA wal_checkpoint(TRUNCATE)")


def fill_postgresql(url: str, rows: Iterator[tuple[Any, ...]]) -> None:
    """Put *rows* into a ledger by COPY."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        while some := list(islice(rows, FILL_ROWS)):
            with connection.cursor().copy("COPY entries FROM STDIN") as copy:
                for row in some:
                    copy.write_row(row)
        connection.execute("VACUUM ANALYZE entries")
        connection.execute("CHECKPOINT")
