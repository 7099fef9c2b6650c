"""Every store there is, as one fixture. A PostgreSQL database named by ``LEDGER_TEST_POSTGRES`` is one more."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from airflow_provider_payrecords.ledger.memory import MemoryLedger
from airflow_provider_payrecords.ledger.schema import METADATA
from airflow_provider_payrecords.ledger.store import LedgerStore
from airflow_provider_payrecords.ledger.urls import open_ledger

POSTGRES = os.environ.get("LEDGER_TEST_POSTGRES")


@pytest.fixture(params=["memory", "sqlite", *(["postgresql"] if POSTGRES else [])])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LedgerStore]:
    """Return an empty ledger."""
    if request.param == "memory":
        yield MemoryLedger()
        return
    url = str(tmp_path / "ledger.db")
    if request.param == "postgresql":
        url = str(POSTGRES)
        engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
        METADATA.drop_all(engine)
        engine.dispose()
    store = open_ledger(url)
    yield store
    store.close()
