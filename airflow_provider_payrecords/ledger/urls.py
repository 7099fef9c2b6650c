"""Where a ledger is: reading, showing and opening its URL."""

from __future__ import annotations

import os
from os import PathLike
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from airflow_provider_payrecords.core.errors import SettingsError
from airflow_provider_payrecords.ledger.dialect import POSTGRESQL_DRIVER, SQLITE_DRIVER, is_memory, make_engine
from airflow_provider_payrecords.ledger.failures import unavailable
from airflow_provider_payrecords.ledger.migrations import migrate
from airflow_provider_payrecords.ledger.patience import Patience
from airflow_provider_payrecords.ledger.sql import SqlLedger

_DRIVERS = {"sqlite": SQLITE_DRIVER, "postgresql": POSTGRESQL_DRIVER, "postgres": POSTGRESQL_DRIVER}
_UNREADABLE = "(unreadable URL)"
_URL_ADVICE = "Give sqlite:///path/ledger.db, postgresql://user@host/database, or a path."


def open_ledger(
    url: str | PathLike[str], *, busy_timeout_seconds: float = 30.0, patience: Patience | None = None
) -> SqlLedger:
    """
    Open a ledger; make it if it does not exist.

    A new SQLite file, and its folder if that is new, belong to this user alone: 0600 and 0700.

    Args:
        url: ``sqlite:///relative.db``, ``sqlite:////absolute.db``, ``postgresql://user:password@host/database``, or the
            path of a SQLite file. Nothing that lives in memory: ``MemoryLedger`` is for tests.
        busy_timeout_seconds: How long a call waits for what another process is writing: the whole ledger on SQLite,
            the same payments on PostgreSQL.
        patience: How long a server that goes away later is waited for; one that is not there now is an error at once.

    Raises:
        SettingsError: This names no place that remembers.
        LedgerSchemaError: What is there is not a ledger, or a newer version of this package wrote it.
        LedgerUnavailableError: It cannot be opened, made or read.
    """
    parsed = _parsed(url)
    name = safe_url(url)
    if is_memory(parsed):
        raise SettingsError(
            f"The ledger {name} would be in memory and forget at once what was sent, so a second run would send it "
            f"again. {_URL_ADVICE} Is a variable in it empty?"
        )
    _make_private_file(parsed, name)
    try:
        engine = make_engine(parsed, busy_timeout_seconds)
    except ImportError as error:
        install = "Install airflow-provider-payrecords[postgres]."
        raise unavailable(name, "the PostgreSQL driver is not installed", install) from error
    try:
        migrate(engine, name)
    except BaseException:
        engine.dispose()
        raise
    return SqlLedger(engine, name, patience)


def safe_url(url: str | PathLike[str]) -> str:
    """Return *url* as people may see it: the path of a SQLite file, or a URL without password and query."""
    try:
        parsed = _parsed(url)
    except SettingsError:
        return _UNREADABLE
    if parsed.get_backend_name() == "sqlite":
        return parsed.database or ":memory:"
    shown = URL.create(parsed.drivername, parsed.username, None, parsed.host, parsed.port, parsed.database)
    return shown.render_as_string()


def is_missing_file(url: str | PathLike[str]) -> bool:
    """Return whether *url* names a SQLite file that is not there, which ``open_ledger`` would make."""
    return not os.fspath(url).startswith("postgres") and not Path(safe_url(url)).exists()


def _parsed(url: str | PathLike[str]) -> URL:
    """Return *url* with the driver this package uses."""
    text = os.fspath(url)
    if "://" not in text:
        return URL.create(SQLITE_DRIVER, database=text if text == ":memory:" else str(Path(text).expanduser()))
    try:
        parsed = make_url(text)
    except (ArgumentError, ValueError):
        # The cause is not chained: it may quote the URL with its password.
        raise SettingsError(f"The ledger's URL cannot be read. {_URL_ADVICE}") from None
    driver = _DRIVERS.get(parsed.drivername.partition("+")[0])
    if driver is None:
        raise SettingsError(f"A ledger cannot live in a database of type {parsed.drivername}. {_URL_ADVICE}")
    return parsed.set(drivername=driver)


def _make_private_file(url: URL, name: str) -> None:
    """Create a missing SQLite file before SQLite does, which would let every user read it."""
    if url.get_backend_name() != "sqlite" or "uri" in url.query:
        return
    path = Path(str(url.database))
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDONLY, 0o600))
    except OSError as error:
        advice = "Check that its folder can be made and written by this user."
        raise unavailable(name, error.strerror or type(error).__name__, advice) from error
