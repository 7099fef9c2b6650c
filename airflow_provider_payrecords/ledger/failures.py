"""What a database said, as an error of ours: which ledger, what is wrong with it, what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from airflow_provider_payrecords.core.errors import LedgerError, LedgerSchemaError, LedgerUnavailableError

_NOT_A_DATABASE = "file is not a database"
_NEXT_STEPS = {
    "database is locked": "Another process is writing to it: let it finish, then run again.",
    "lock timeout": "Another process is writing the same payments: let it finish, then run again.",
    "readonly database": "It is read-only here: give this user write access to the file and its folder.",
    "read-only transaction": "It is read-only here: give the server that may be written, and a user who may write.",
    "permission denied": "Give this user the right to make, read and write the ledger's tables.",
    "disk is full": "Free some disk space, then run again.",
    "disk i/o error": "Check the disk and its free space, then run again.",
    "unable to open database file": "Check that its folder exists and that this user may write there.",
    "malformed": "The file is damaged: restore it from a backup; do not start an empty one for payments already sent.",
    "password authentication failed": "Check the user and the password of the ledger's connection.",
    "no space left on device": "Free some disk space on the database server, then run again.",
    "does not exist": "Check the database and the user of the ledger's connection, and make them first.",
    "resolve host": "Check the host of the ledger's connection.",
    "connection": "Check that the database server is running and can be reached from here.",
}
_OTHERWISE = "Nothing more was sent. Correct the cause, then run again."


@contextmanager
def guarded(name: str) -> Iterator[None]:
    """
    Raise what SQLAlchemy and its drivers raise as errors of the ledger.

    Args:
        name: The ledger as people may see it: a URL without a password.

    Raises:
        LedgerSchemaError: The file is not a database.
        LedgerUnavailableError: Everything else: locked, read-only, full, damaged, not reachable.
    """
    try:
        yield
    except SQLAlchemyError as error:
        raise _translated(name, _reason(error)) from error


def unavailable(name: str, reason: str, next_step: str = _OTHERWISE) -> LedgerUnavailableError:
    """Return the error for a ledger that cannot be used."""
    return LedgerUnavailableError(f"The ledger {name} cannot be used: {reason.rstrip('.')}. {next_step}")


def _translated(name: str, reason: str) -> LedgerError:
    said = reason.lower()
    if _NOT_A_DATABASE in said:
        return LedgerSchemaError(f"{name} is not a SQLite database. Give the path of a ledger, or of a new file.")
    next_step = next((step for sign, step in _NEXT_STEPS.items() if sign in said), _OTHERWISE)
    return unavailable(name, reason, next_step)


def _reason(error: SQLAlchemyError) -> str:
    """Return the first line of what the driver said: later lines of PostgreSQL's errors quote rows."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    lines = str(cause).splitlines()
    return lines[0] if lines else type(cause).__name__
