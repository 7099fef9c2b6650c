"""
All that differs between SQLite and PostgreSQL.

On SQLite a write transaction runs alone (``BEGIN IMMEDIATE``). On PostgreSQL they run side by side: a row that is there
is locked when it is read for a change, and of two that insert one key the later waits and is told. Both locks are taken
in the order of the keys, and no transaction inserts after it has locked, so none waits in a circle.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from sqlalchemy import (
    URL,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Row,
    Table,
    create_engine,
    event,
    literal,
    tuple_,
)
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import QueuePool

POSTGRESQL_DRIVER = "postgresql+psycopg"
SQLITE_DRIVER = "sqlite+pysqlite"

_WRITING = "payrecords_writing"
_WAITING = "payrecords_waiting"
_ADVISORY_LOCK = 0x7061_7972_6563  # "payrec" in ASCII

_WAL_ATTEMPTS = 20
_SQLITE_CACHE_KIB = 16_000
_KEYS_PER_SELECT = 500  # SQLite before 3.32 takes 999 parameters a statement

_TEXT_TYPES = {"sqlite": "TEXT", "postgresql": 'TEXT COLLATE "C"'}

_PASSING_STATES = frozenset(
    {
        "25P03",  # this transaction was left idle for too long, and ended
        "40001",  # serialization failure
        "40P01",  # deadlock
        "53300",  # too many connections
        "57P01",  # the server shuts down
        "57P02",  # it crashed
        "57P03",  # it is starting, or recovering
    }
)
_PASSING_REFUSALS = (
    "starting up",
    "shutting down",
    "recovery mode",
    "not yet accepting",
    "too many",
    "slots are reserved",
)
# A worker that is frozen, or cut off, in a transaction keeps its rows from the others: the server ends it before they
# lose patience.
_IDLE_MILLISECONDS = 15_000
_SESSION = "SET lock_timeout = {lock}; SET idle_in_transaction_session_timeout = {idle}"


def make_engine(url: URL, busy_timeout_seconds: float) -> Engine:
    """
    Return an engine for *url*, whose driver is one of the two above. Opens nothing yet.

    Args:
        busy_timeout_seconds: How long one waits for another's lock: on the file with SQLite, on a row with PostgreSQL.
    """
    if url.get_backend_name() == "sqlite":
        return _sqlite_engine(url, busy_timeout_seconds)
    return _postgresql_engine(url, busy_timeout_seconds)


@contextmanager
def begin_write(engine: Engine, *, wait: bool = True) -> Iterator[Connection]:
    """
    Run a transaction that may write; committed at the end, rolled back on any error.

    Args:
        wait: Whether to wait for another process that is writing to a SQLite file.
    """
    with engine.execution_options(**{_WRITING: True, _WAITING: wait}).begin() as connection:
        yield connection


@contextmanager
def begin_alone(engine: Engine) -> Iterator[Connection]:
    """Run a write transaction that no other of this kind overlaps."""
    with begin_write(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
        yield connection


class Writer:
    """Saves rows of one table. A row is a tuple of all its columns; the last one of the primary key names it."""

    def __init__(self, engine: Engine, table: Table) -> None:
        self._in_arrays = engine.dialect.name == "postgresql"
        names = ", ".join(table.columns.keys())
        keys = ", ".join(table.primary_key.columns.keys())
        rest = ", ".join(f"{one.name} = excluded.{one.name}" for one in table.columns if not one.primary_key)
        types = [one.type.compile(engine.dialect) for one in table.columns]
        # One statement for any number of rows, which the server parses and plans once.
        places = ", ".join(f"%s::{one}[]" for one in types)
        arrays = f"SELECT * FROM unnest({places})"  # noqa: S608 - the types of our own columns
        rows = arrays if self._in_arrays else f"VALUES ({', '.join('?' * len(types))})"
        self._table = table.name
        self._insert = f"INSERT INTO {table.name} ({names}) {rows}"
        self._on_conflict = f"ON CONFLICT ({keys})"
        self._update = f"DO UPDATE SET {rest}"
        self._key = table.primary_key.columns.keys()[-1]
        self._key_index = table.columns.keys().index(self._key)

    def add(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> set[str]:
        """
        Insert *rows*, given in the order of their keys, that this transaction did not find.

        Returns:
            The keys that were inserted: all but those that another worker's transaction inserted meanwhile.
        """
        if not self._in_arrays:
            connection.exec_driver_sql(self._insert, list(rows))
            return {row[self._key_index] for row in rows}
        sql = f"{self._insert} {self._on_conflict} DO NOTHING RETURNING {self._key}"
        return set(connection.exec_driver_sql(sql, _as_arrays(rows)).scalars())

    def put(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Save *rows* over those of the same primary key."""
        sql = f"{self._insert} {self._on_conflict} {self._update}"
        connection.exec_driver_sql(sql, _as_arrays(rows) if self._in_arrays else list(rows))

    def remove(self, connection: Connection, names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> int:
        """Delete the rows whose columns *names* have the values of one of *rows*. Return how many there were."""
        mark = "%s" if self._in_arrays else "?"
        conditions = " AND ".join(f"{name} = {mark}" for name in names)
        sql = f"DELETE FROM {self._table} WHERE {conditions}"  # noqa: S608 - names of our own columns
        return connection.exec_driver_sql(sql, list(rows)).rowcount


class Finder:
    """
    Finds rows of one table by their primary keys, many at a time, without the cost of building a statement for each.

    Args:
        names: The columns of the rows that are given back.
        where: Further columns, and the value that each of them has.
    """

    def __init__(self, engine: Engine, table: Table, names: Sequence[str], where: Mapping[str, Any]) -> None:
        self._in_arrays = engine.dialect.name == "postgresql"
        *shared, self._key = table.primary_key.columns.keys()
        mark = "%s" if self._in_arrays else "?"
        fixed = " AND ".join(f"{name} = {mark}" for name in (*shared, *where))
        self._select = f"SELECT {', '.join(names)} FROM {table.name} WHERE {fixed} AND {self._key}"  # noqa: S608 - our own names
        self._fixed = tuple(where.values())

    def find(
        self, connection: Connection, shared: Sequence[Any], keys: Iterable[str], *, lock: bool = False
    ) -> list[Row[Any]]:
        """
        Return the rows that are there, in any order.

        Args:
            shared: The values that all of them have in the primary key but for its last column.
            keys: Those of that column.
            lock: Whether nobody else may change them before this transaction ends.
        """
        found: list[Row[Any]] = []
        remaining = iter(keys)
        while some := list(islice(remaining, _KEYS_PER_SELECT)):
            if self._in_arrays:
                sql = f"{self._select} = ANY(%s::text[])" + (f" ORDER BY {self._key} FOR UPDATE" if lock else "")
                values = (*shared, *self._fixed, some)
            else:
                sql = f"{self._select} IN ({', '.join('?' * len(some))})"
                values = (*shared, *self._fixed, *some)
            found += connection.exec_driver_sql(sql, values).all()
        return found


def clock_sql(engine: Engine) -> str:
    """Return SQL for the clock all workers go by, in epoch microseconds: the server's, or with SQLite ``:now``."""
    if engine.dialect.name == "postgresql":
        return "CAST(1000000 * extract(epoch FROM statement_timestamp()) AS bigint)"
    return ":now"


def _as_arrays(rows: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
    return tuple(map(list, zip(*rows, strict=True)))


def comes_after(
    engine: Engine, fixed: Mapping[Column[Any], Any], columns: Sequence[Column[Any]], values: Sequence[Any]
) -> ColumnElement[bool]:
    """
    Return the condition that a row comes after *values* in an index of the *fixed* columns and then of *columns*.

    SQLite enters such an index by what follows the fixed columns. PostgreSQL would, for that, enter the primary key
    and walk: it takes the first column of a comparison of rows for all of it, and so expects to find almost nothing.
    """
    if engine.dialect.name == "postgresql":
        columns, values = [*fixed, *columns], [*fixed.values(), *values]
    return tuple_(*columns) > tuple_(*map(literal, values))


def is_passing(error: DBAPIError) -> bool:
    """
    Return whether the same transaction may succeed a little later: the server restarts, or ended a conflict.

    A busy SQLite file has been waited for already. A server that refuses this user or database goes on refusing.
    """
    if not hasattr(error.orig, "sqlstate"):
        return False
    state: str | None = getattr(error.orig, "sqlstate")  # noqa: B009 - not an attribute of every exception
    if state is not None:
        return state in _PASSING_STATES or state.startswith("08")
    said = str(error.orig)
    is_refusal = "FATAL" in said and not any(phrase in said for phrase in _PASSING_REFUSALS)
    return error.connection_invalidated or (isinstance(error, OperationalError) and not is_refusal)


def text_type(connection: Connection) -> str:
    """Return the column type for text that compares byte by byte, so that every ledger has the same order."""
    return _TEXT_TYPES[connection.dialect.name]


def _postgresql_engine(url: URL, lock_timeout_seconds: float) -> Engine:
    # A server that vanishes without a word must end in an error and not in a call that waits for hours.
    arguments = {
        "connect_timeout": "10",
        "keepalives_idle": "15",
        "keepalives_interval": "5",
        "tcp_user_timeout": "30000",
    }
    engine = create_engine(
        url,
        connect_args={name: value for name, value in arguments.items() if name not in url.query},
        # Positional parameters, so that prepared rows are plain tuples for both databases.
        paramstyle="format",
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        hide_parameters=True,
    )
    # Set here and not as options of the connection, which poolers such as PgBouncer refuse.
    sql = _SESSION.format(lock=int(lock_timeout_seconds * 1000), idle=_IDLE_MILLISECONDS)
    event.listen(engine, "connect", lambda connection, _record: _run_alone(connection, sql))
    return engine


def _run_alone(connection: Any, sql: str) -> None:
    connection.autocommit, before = True, connection.autocommit
    connection.execute(sql)
    connection.autocommit = before


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
    # Keys come in no order, so each touches a page of the index of its own, and of millions few stay in SQLite's 2 MB.
    connection.execute(f"PRAGMA cache_size=-{_SQLITE_CACHE_KIB}")
    connection.execute(f"PRAGMA wal_autocheckpoint={_SQLITE_CACHE_KIB // 4}")  # pages of 4 KiB


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
    options = connection.get_execution_options()
    if not options.get(_WRITING, False):
        connection.exec_driver_sql("BEGIN")
    elif options.get(_WAITING, True):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        _begin_without_waiting(connection)


def _begin_without_waiting(connection: Connection) -> None:
    patience = connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
    connection.exec_driver_sql("PRAGMA busy_timeout=0")
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={patience}")
