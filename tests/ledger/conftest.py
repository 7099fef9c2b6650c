"""Every store there is, as one fixture: in memory, SQLite, and a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_provider_payrecords.ledger.memory import MemoryLedger
from airflow_provider_payrecords.ledger.store import LedgerStore
from airflow_provider_payrecords.ledger.urls import open_ledger


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LedgerStore]:
    """Return an empty ledger."""
    if request.param == "memory":
        yield MemoryLedger()
        return
    url = str(tmp_path / "ledger.db")
    if request.param == "postgresql":
        url = request.getfixturevalue("empty_postgresql")()
    store = open_ledger(url)
    yield store
    store.close()
