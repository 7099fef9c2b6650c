"""Whole DAGs by ``dag.test()``: what one task reports, the next one gets."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_payrecords.operators.extract import ReportExtractOperator
from airflow_provider_payrecords.operators.report import (
    ReportPaymentAttemptGuaranteedOperator,
    ReportPaymentOperator,
    ReportRefundOperator,
)
from airflow_provider_payrecords.sandbox import Fault, FaultKind, RunningSandbox
from tests.airflow.conftest import API_KEY
from tests.airflow.payments import STARTED, payment, refund, rows

pytestmark = pytest.mark.airflow
AT_ONCE: Any = {"retries": 3, "retry_delay": timedelta(0)}
"""``dag.test()`` waits for the delay of a retry."""


@pytest.fixture(autouse=True)
def _connections(sandbox: RunningSandbox, ledger_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = {"conn_type": "payrecords", "host": sandbox.url, "password": API_KEY, "extra": {"max_retries": 0}}
    monkeypatch.setenv("AIRFLOW_CONN_PAYRECORDS_DEFAULT", json.dumps(connection))
    monkeypatch.setenv("AIRFLOW__PAYRECORDS__LEDGER", str(ledger_path))
    monkeypatch.setenv("AIRFLOW__PAYRECORDS__RESULTS", str(ledger_path.parent / "results"))


def life_of_a_payment() -> Any:
    from airflow.sdk import DAG

    with DAG("life_of_a_payment", schedule=None) as dag:
        report = ReportPaymentOperator(task_id="report", payment=payment("{{ dag_run.conf['reference'] }}"), **AT_ONCE)
        ReportPaymentAttemptGuaranteedOperator(
            task_id="guarantee", payment_record=report.output, guaranteed_at=STARTED + 5
        ) >> ReportRefundOperator(task_id="refund", payment_record=report.output, refund=refund("r-1"))
    return dag


def test_ids_travel_between_tasks(
    run_dag: Callable[..., Any], xcom: Callable[..., Any], sandbox: RunningSandbox
) -> None:
    run = run_dag(life_of_a_payment(), run_conf={"reference": "chq-1"})
    assert run.state == "success"
    assert {xcom(run, task) for task in ("report", "guarantee", "refund")} == {sandbox.records[0]["id"]}
    assert xcom(run, "refund", "payment_record")["state"] == "refunded"


def test_lost_answer_is_healed_by_the_retry_and_the_whole_run_again_sends_nothing(
    run_dag: Callable[..., Any], xcom: Callable[..., Any], sandbox: RunningSandbox
) -> None:
    sandbox.faults.add(
        Fault(kind=FaultKind.DROP_AFTER, endpoint="report_payment"),
        Fault(kind=FaultKind.UNAVAILABLE, endpoint="list_payment_records"),
    )
    first = run_dag(life_of_a_payment(), run_conf={"reference": "chq-2"})
    assert first.state == "success"
    effects = len(sandbox.journal)
    again = run_dag(life_of_a_payment(), run_conf={"reference": "chq-2"})
    assert xcom(again, "report") == xcom(first, "report")
    assert len(sandbox.journal) == effects == 3


def test_rows_of_one_task_are_reported_and_their_ids_mapped_over(
    run_dag: Callable[..., Any], xcom: Callable[..., Any], sandbox: RunningSandbox
) -> None:
    from airflow.sdk import DAG, task

    with DAG("rows_to_ids", schedule=None) as dag:

        @task
        def payments() -> list[dict[str, Any]]:
            return rows(3)

        @task
        def one_by_one(record_ids: list[str]) -> list[str]:
            return record_ids

        report = ReportExtractOperator(task_id="report", extract=payments())
        ReportPaymentAttemptGuaranteedOperator.partial(task_id="guarantee", guaranteed_at=STARTED + 9).expand(
            payment_record=one_by_one(report.output["record_ids"])
        )
    run = run_dag(dag)
    assert run.state == "success"
    assert xcom(run, "report")["counts"] == {"confirmed": 3}
    ids = xcom(run, "report", "record_ids")
    assert ids == [record["id"] for record in sorted(sandbox.records, key=lambda one: one["amount_requested"]["value"])]
    assert [xcom(run, "guarantee", map_index=index) for index in range(3)] == ids


def test_failed_run_has_its_summary(
    run_dag: Callable[..., Any], xcom: Callable[..., Any], sandbox: RunningSandbox
) -> None:
    from airflow.sdk import DAG

    sandbox.faults.add(Fault(kind=FaultKind.DROP_AFTER, endpoint="report_payment", times=5))
    sandbox.faults.add(Fault(kind=FaultKind.UNAVAILABLE, endpoint="list_payment_records", times=5))
    with DAG("lost_answers", schedule=None) as dag:
        ReportExtractOperator(task_id="report", extract=rows(3))
    run = run_dag(dag)
    assert run.state == "failed"
    assert xcom(run, "report")["counts"] == {"unknown": 3}


def test_pickled_and_copied_operators_work(run_dag: Callable[..., Any], sandbox: RunningSandbox) -> None:
    import copy
    import pickle

    dag = pickle.loads(pickle.dumps(copy.deepcopy(life_of_a_payment())))  # our own
    assert run_dag(dag, run_conf={"reference": "chq-3"}).state == "success"
