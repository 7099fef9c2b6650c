"""The example DAGs, a sandbox with the invoice one of them pays, and the connections they name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_payrecords.sandbox import InvoiceSeed, RunningSandbox, SandboxConfig, start_sandbox
from tests.airflow.conftest import airflow_database, run_dag, xcom

__all__ = ["airflow_database", "run_dag", "xcom"]


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningSandbox]:
    """Return a sandbox that ``payrecords_default`` leads to, with a ledger and results of this test's own."""
    invoice = InvoiceSeed(id="in_Example", amount_due=4950, currency="eur")
    with start_sandbox(SandboxConfig(rate_limits=None, invoices=(invoice,))) as running:
        connections = {
            "PAYRECORDS_DEFAULT": {
                "conn_type": "payrecords",
                "host": running.url,
                "password": "sk_test_examples",
                "extra": {"rate_limit": 1000},
            },
            "PAYRECORDS_CHEQUES": {"conn_type": "sqlite", "host": str(tmp_path / "cheques.db")},
        }
        for name, value in connections.items():
            monkeypatch.setenv(f"AIRFLOW_CONN_{name}", json.dumps(value))
        monkeypatch.setenv("AIRFLOW__PAYRECORDS__LEDGER", str(tmp_path / "ledger.db"))
        monkeypatch.setenv("AIRFLOW__PAYRECORDS__RESULTS", str(tmp_path / "results"))
        yield running


@pytest.fixture(scope="session")
def dags(airflow_database: Path, repository: Path) -> dict[str, Any]:
    """Return the example DAGs by id."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(repository / "dags")
    assert bag.import_errors == {}
    found: dict[str, Any] = bag.dags
    return found
