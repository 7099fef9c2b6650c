"""What a database says becomes an error with a next step, and without rows."""

from __future__ import annotations

import pickle
from contextlib import suppress

import pytest
from sqlalchemy.exc import InvalidRequestError, OperationalError

from airflow_provider_payrecords.core.errors import LedgerError, LedgerSchemaError, LedgerUnavailableError
from airflow_provider_payrecords.ledger.failures import guarded


def translated(said: str) -> LedgerError:
    with pytest.raises(LedgerError) as caught, guarded("L.db"):
        raise OperationalError("INSERT INTO entries", {"key": "psp-1"}, Exception(said))
    return caught.value


@pytest.mark.parametrize(
    ("said", "next_step"),
    [
        ("database is locked", "let it finish"),
        ("attempt to write a readonly database", "write access"),
        ("database or disk is full", "Free some disk space"),
        ("disk I/O error", "Check the disk"),
        ("unable to open database file", "folder exists"),
        ("database disk image is malformed", "restore it from a backup"),
        ('connection failed: FATAL: password authentication failed for user "x"', "Check the user and the password"),
        ("connection refused", "database server is running"),
        ("canceling statement due to lock timeout", "the same payments: let it finish"),
        ("cannot execute INSERT in a read-only transaction", "the server that may be written"),
        ("permission denied for table entries", "Give this user the right"),
        ("could not extend file: No space left on device", "disk space on the database server"),
        ('connection failed: FATAL: database "x" does not exist', "Check the database and the user"),
        ("failed to resolve host 'db'", "Check the host"),
        ("something new", "Correct the cause"),
    ],
)
def test_each_failure_names_the_ledger_and_the_next_step(said: str, next_step: str) -> None:
    error = translated(said)
    assert isinstance(error, LedgerUnavailableError)
    assert str(error).startswith(f"The ledger L.db cannot be used: {said}. ")
    assert next_step in str(error)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_a_file_that_is_no_database_is_a_schema_error() -> None:
    assert isinstance(translated("file is not a database"), LedgerSchemaError)


def test_the_lines_in_which_a_database_quotes_rows_are_left_out() -> None:
    error = translated('duplicate key value violates unique constraint "x"\nDETAIL:  Key (key)=(psp-1) already exists.')
    assert "psp-1" not in str(error)


def test_a_failure_of_sqlalchemy_itself_is_one_of_the_ledger() -> None:
    with pytest.raises(LedgerUnavailableError, match="no connection left"), guarded("L.db"):
        raise InvalidRequestError("no connection left")


def test_a_failure_without_words_is_named_by_its_type() -> None:
    with pytest.raises(LedgerUnavailableError, match="cannot be used: TimeoutError"), guarded("L.db"):
        raise OperationalError("SELECT 1", {}, TimeoutError())


def test_our_own_errors_pass_unchanged() -> None:
    ours = LedgerError("ours")
    with suppress(LedgerError), guarded("L.db"):
        raise ours
    with pytest.raises(LedgerError) as caught, guarded("L.db"):
        raise ours
    assert caught.value is ours
