"""The example DAGs, a sandbox with the invoice one of them pays, and the connections they name."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_payrecords.client import PayRecordsClient
from airflow_provider_payrecords.ledger.urls import open_ledger
from airflow_provider_payrecords.operators.calling import make_call
from airflow_provider_payrecords.sandbox import InvoiceSeed, RunningSandbox, SandboxConfig
from airflow_provider_payrecords.settings import make_settings
from airflow_provider_payrecords.testing.fixtures import payrecords_connection, payrecords_sandbox
from tests.airflow.conftest import airflow_database, run_dag, xcom

__all__ = ["airflow_database", "payrecords_connection", "payrecords_sandbox", "run_dag", "xcom"]


@pytest.fixture
def bank(sandbox: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Let the guarantee be reported while the sensor of ``example_wait_for_guarantee`` waits.

    ``dag.test()`` runs one task at a time, in any order, and a trigger to its end: the branch that plays the bank may
    come too late. So each wait of the trigger makes the very call of ``bank_confirms``; the ledger knows them for one.
    """
    from airflow_provider_payrecords.triggers.payment_record import PaymentRecordTrigger

    async def confirm(trigger: PaymentRecordTrigger, _: float) -> None:
        await asyncio.to_thread(_confirm, trigger.payment_record, sandbox, tmp_path / "payrecords-ledger.db")

    monkeypatch.setattr(PaymentRecordTrigger, "_pause", confirm)


def _confirm(record: str, sandbox: RunningSandbox, ledger_path: Path) -> None:
    settings = make_settings(
        {"api_key": "sk_test_examples", "api_base": sandbox.url, "account": "payrecords_default"}, ""
    )
    with PayRecordsClient(settings) as client, closing(open_ledger(str(ledger_path))) as ledger:
        fields = {"payment_record": record, "guaranteed_at": 1_793_692_800, "metadata": None}
        make_call(
            "report_payment_attempt_guaranteed", fields, client, ledger,
            source="default", key=None, caller="the bank", should_stop=lambda: False,
        )  # fmt: skip


@pytest.fixture
def payrecords_sandbox_config() -> SandboxConfig:
    """Return the settings of a sandbox with the invoices that examples pay."""
    invoices = (
        InvoiceSeed(id="in_Example", amount_due=4950, currency="eur"),
        InvoiceSeed(id="in_Settlement", amount_due=12_000, currency="eur"),
    )
    return SandboxConfig(rate_limits=None, invoices=invoices)


@pytest.fixture
def sandbox(
    payrecords_sandbox: RunningSandbox, payrecords_connection: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> RunningSandbox:
    """Return a sandbox that ``payrecords_default`` leads to, with a ledger and results of this test's own."""
    cheques = {"conn_type": "sqlite", "host": str(tmp_path / "cheques.db")}
    monkeypatch.setenv("AIRFLOW_CONN_PAYRECORDS_CHEQUES", json.dumps(cheques))
    return payrecords_sandbox


@pytest.fixture(scope="session")
def dags(airflow_database: Path, repository: Path) -> dict[str, Any]:
    """Return the example DAGs by id."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(repository / "dags")
    assert bag.import_errors == {}
    found: dict[str, Any] = bag.dags
    return found
