"""
All that differs between SQLite and PostgreSQL.

Both give the same promise: a write transaction begun by ``begin_write`` runs alone, so what it read is still true when
it writes, also for rows that did not exist yet. On SQLite that is ``BEGIN IMMEDIATE``; on PostgreSQL an advisory lock
that ends with the transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.pool import QueuePool

POSTGRESQL_DRIVER = "postgresql+psycopg"
SQLITE_DRIVER = "sqlite+pysqlite"

_WRITING = "payrecords_writing"
_ADVISORY_LOCK = 0x7061_7972_6563  # "payrec" in ASCII

_WAL_ATTEMPTS = 20

_TEXT_TYPES = {"sqlite": "TEXT", "postgresql": 'TEXT COLLATE "C"'}
_INSERTS = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def make_engine(url: URL, busy_timeout_seconds: float) -> Engine:
    """
    Return an engine for *url*, whose driver is one of the two above. Opens nothing yet.

    Args:
        busy_timeout_seconds: How long a SQLite ledger waits for another process's transaction.
    """
    if url.get_backend_name() == "sqlite":
        return _sqlite_engine(url, busy_timeout_seconds)
    # Positional parameters, so that prepared rows are plain tuples for both databases.
    return create_engine(
        url, paramstyle="format", isolation_level="READ COMMITTED", pool_pre_ping=True, hide_parameters=True
    )


@contextmanager
def begin_write(engine: Engine) -> Iterator[Connection]:
    """Run a transaction that no other writer overlaps; committed at the end, rolled back on any error."""
    with engine.execution_options(**{_WRITING: True}).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
        yield connection


def upsert_sql(engine: Engine, table: Table) -> str:
    """Return SQL, compiled once, that saves a tuple of all columns of *table* by its primary key."""
    statement: Any = _INSERTS[engine.dialect.name](table)
    statement = statement.on_conflict_do_update(
        index_elements=list(table.primary_key.columns),
        set_={column.name: statement.excluded[column.name] for column in table.columns if not column.primary_key},
    )
    return str(statement.compile(dialect=engine.dialect))


def text_type(connection: Connection) -> str:
    """Return the column type for text that compares byte by byte, so that every ledger has the same order."""
    return _TEXT_TYPES[connection.dialect.name]


def _sqlite_engine(url: URL, busy_timeout_seconds: float) -> Engine:
    arguments: dict[str, Any] = {
        # Transactions are begun below; the driver's own habit of beginning them late would let two workers read first.
        "isolation_level": None,
        # The pool hands a connection to one thread at a time.
        "check_same_thread": False,
        "timeout": busy_timeout_seconds,
    }
    engine = create_engine(url, connect_args=arguments, poolclass=QueuePool, hide_parameters=True)
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def is_memory(url: URL) -> bool:
    """Return whether *url* is a SQLite database that is gone with its last connection."""
    if url.get_backend_name() != "sqlite":
        return False
    named = f"{url.database or ''}?{url.query}"
    return not url.database or ":memory:" in named or "mode=memory" in named or url.query.get("mode") == "memory"


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    # WAL lets people read while a run writes. With FULL a commit survives a power cut; WAL alone does not promise it.
    _set_wal(connection)
    connection.execute("PRAGMA synchronous=FULL")


def _set_wal(connection: Any) -> None:
    """
    Switch a new file to WAL, also when several processes open it first at the same moment.

    SQLite does not wait for its busy timeout here, it says "locked" at once. An empty transaction does wait, and after
    it the other process has made the switch.
    """
    for attempts_left in reversed(range(_WAL_ATTEMPTS)):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or not attempts_left:
                raise
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("COMMIT")
        else:
            break


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get(_WRITING, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
