"""A PostgreSQL ledger with a wrong password, too few rights, a wrong name, or of a newer version."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine

from airflow_provider_payrecords.core.errors import LedgerError, LedgerSchemaError, LedgerUnavailableError
from airflow_provider_payrecords.ledger.store import Selection
from airflow_provider_payrecords.ledger.urls import open_ledger
from tests.ledger.samples import ANNA, NOW, SCOPE, intent

Execute = Callable[..., object]


@pytest.fixture
def url(empty_postgresql: Callable[[], str]) -> str:
    return empty_postgresql()


@pytest.fixture
def execute(url: str) -> Iterator[Execute]:
    """Return what runs statements as the owner of the database, and gives the first value of the last."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")

    def run(*statements: str) -> object:
        with engine.connect() as connection:
            results = [connection.exec_driver_sql(statement) for statement in statements]
            return results[-1].scalar() if results[-1].returns_rows else None

    yield run
    engine.dispose()


@pytest.fixture
def guest(url: str, execute: Execute) -> Iterator[str]:
    """Return the URL of a user who needs the password "right" and has no rights."""
    rules = Path(str(execute("SHOW hba_file")))
    before = rules.read_text()
    rules.write_text(f"local all guest scram-sha-256\n{before}")
    execute("DROP ROLE IF EXISTS guest", "CREATE ROLE guest LOGIN PASSWORD 'right'", "SELECT pg_reload_conf()")
    guest = url.replace("postgres:@", "guest:right@")
    _wait_until_refused(guest.replace(":right@", ":wrong@"))
    yield guest
    rules.write_text(before)
    execute("DROP OWNED BY guest", "DROP ROLE guest", "SELECT pg_reload_conf()")


def _wait_until_refused(url: str) -> None:
    """The server reads its rules a little after it was told to."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            return
    raise AssertionError("the server goes on trusting everybody")


def refusal(url: str) -> LedgerError:
    with pytest.raises(LedgerError) as caught:
        open_ledger(url)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))
    return caught.value


def test_a_wrong_password_is_named_as_such_and_shown_nowhere(guest: str) -> None:
    error = refusal(guest.replace(":right@", ":hunter2@"))
    assert isinstance(error, LedgerUnavailableError)
    assert "Check the user and the password" in str(error)


def test_a_user_who_may_not_make_tables_is_told_so(guest: str) -> None:
    assert "Give this user the right to make, read and write" in str(refusal(guest))


def test_a_user_who_may_only_read_sees_entries_and_cannot_claim(url: str, guest: str, execute: Execute) -> None:
    ledger = open_ledger(url)
    ledger.claim(SCOPE, [intent()], ANNA, NOW)
    ledger.close()
    execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO guest")
    reader = open_ledger(guest)
    assert [entry.key for entry in reader.entries(Selection())] == ["k1"]
    with pytest.raises(LedgerUnavailableError, match="permission denied.*Give this user the right"):
        reader.claim(SCOPE, [intent("k2")], ANNA, NOW)
    reader.close()


def test_a_server_that_may_not_be_written_is_told_so(url: str) -> None:
    open_ledger(url).close()
    reader = open_ledger(f"{url}&options=-c%20default_transaction_read_only%3Don")
    with pytest.raises(LedgerUnavailableError, match="It is read-only here"):
        reader.claim(SCOPE, [intent()], ANNA, NOW)
    reader.close()


def test_a_database_that_does_not_exist_is_not_made(url: str) -> None:
    error = refusal(url.replace("/postgres?", "/nowhere?").replace("postgres:@", "postgres:hunter2@"))
    assert "Check the database and the user" in str(error)


def test_a_server_that_is_not_there_is_an_error_with_the_next_step() -> None:
    error = refusal("postgresql://me:hunter2@127.0.0.1:1/ledger")
    assert "Check that the database server is running" in str(error)


def test_a_newer_ledger_is_refused_naming_the_version_to_install(url: str, execute: Execute) -> None:
    open_ledger(url).close()
    execute("INSERT INTO ledger_meta VALUES (99, 'a colour', '9.8.7')")
    error = refusal(url)
    assert isinstance(error, LedgerSchemaError)
    assert "Install version 9.8.7 or newer" in str(error)
