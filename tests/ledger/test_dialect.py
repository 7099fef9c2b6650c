"""What differs between the databases."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_mock_engine, make_url
from sqlalchemy.exc import OperationalError

from airflow_provider_payrecords.ledger import dialect
from airflow_provider_payrecords.ledger.dialect import Writer, begin_write, is_memory, make_engine
from airflow_provider_payrecords.ledger.schema import RUNS


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def engine(path: Path) -> Iterator[Engine]:
    engine = make_engine(make_url(f"sqlite:///{path}"), busy_timeout_seconds=0.05)
    yield engine
    engine.dispose()


class BusyOnce(sqlite3.Connection):
    """A connection to a file that another process is switching to WAL at this moment."""

    busy = True

    def execute(self, sql: str, *arguments: object) -> sqlite3.Cursor:  # type: ignore[override] # only what is used
        if "journal_mode" in sql and self.busy:
            self.busy = False
            raise sqlite3.OperationalError("database is locked")
        return super().execute(sql)


def test_a_file_that_another_process_makes_at_this_moment_is_waited_for(path: Path) -> None:
    with closing(sqlite3.connect(path, factory=BusyOnce, isolation_level=None)) as connection:
        dialect._set_wal(connection)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_another_error_than_a_lock_is_not_waited_for(path: Path) -> None:
    with closing(sqlite3.connect(path)) as plain:
        plain.execute("CREATE TABLE t (n)")
    with (
        closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        dialect._set_wal(connection)


def test_a_file_that_stays_busy_is_an_error(engine: Engine, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("CREATE TABLE t (n)")
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM t").fetchall()
        with pytest.raises(OperationalError, match="locked"), engine.connect():
            pass


def test_a_write_that_fails_leaves_nothing(engine: Engine) -> None:
    with begin_write(engine) as connection:
        connection.exec_driver_sql("CREATE TABLE t (n)")
    with pytest.raises(OperationalError), begin_write(engine) as connection:  # noqa: PT012 - the first line must work
        connection.exec_driver_sql("INSERT INTO t VALUES (1)")
        connection.exec_driver_sql("NONSENSE")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM t").scalar() == 0


def test_no_two_write_transactions_overlap(engine: Engine, path: Path) -> None:
    other = make_engine(make_url(f"sqlite:///{path}"), busy_timeout_seconds=0.05)
    with (
        begin_write(engine) as connection,
        pytest.raises(OperationalError, match="locked"),
        begin_write(other),
    ):
        connection.exec_driver_sql("never reached")
    other.dispose()


@pytest.mark.parametrize(
    ("url", "expected"),
    [("sqlite://", True), ("sqlite:///:memory:", True), ("sqlite:///L.db", False), ("postgresql+psycopg://h/d", False)],
)
def test_a_database_in_memory_is_recognised(url: str, expected: bool) -> None:
    assert is_memory(make_url(url)) is expected


@pytest.mark.parametrize(("url", "rows"), [("sqlite://", "VALUES (?, "), ("postgresql://", "SELECT * FROM unnest(%s")])
def test_a_row_is_saved_by_its_primary_key_in_the_order_of_the_columns(url: str, rows: str) -> None:
    writer = Writer(create_mock_engine(url, print), RUNS)  # type: ignore[arg-type] # has a dialect
    names = ", ".join(RUNS.columns.keys())
    assert writer._insert.startswith(f"INSERT INTO runs ({names}) {rows}")
    assert writer._on_conflict == "ON CONFLICT (run_id)"
    assert writer._update.startswith("DO UPDATE SET account = excluded.account,")
    assert "run_id = excluded" not in writer._update
