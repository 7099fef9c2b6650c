"""``ReconcileOperator`` under Airflow's own task runner."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_payrecords._airflow import AirflowException, AirflowFailException
from airflow_provider_payrecords.operators.extract import ReportExtractOperator
from airflow_provider_payrecords.operators.reconcile import ReconcileOperator
from airflow_provider_payrecords.sandbox import Fault, FaultKind, RunningSandbox
from airflow_provider_payrecords.testing.task_runner import MemorySupervisor, RanTask, run_task
from tests.airflow.payments import EMAIL, rows

Reconcile = Callable[..., RanTask]


@pytest.fixture
def reconcile(supervisor: MemorySupervisor, in_dag: Callable[..., Any]) -> Reconcile:
    """Return a function that compares rows, four of which are reported."""
    report = in_dag(ReportExtractOperator, "report", extract=rows(4), options={"rate_limit": 1000})
    assert run_task(report, supervisor=supervisor).state == "success"

    def run(extract: Any = None, **more: Any) -> RanTask:
        arguments = {"options": {"rate_limit": 1000}, **more}
        task = in_dag(ReconcileOperator, "reconcile", extract=extract or rows(4), **arguments)
        return run_task(task, supervisor=supervisor, retries=2)

    return run


def test_what_was_reported_agrees(reconcile: Reconcile) -> None:
    ran = reconcile()
    assert ran.state == "success"
    assert (ran.result["counts"], ran.result["extras_checked"]) == ({"agrees": 4}, True)
    lines = [json.loads(line) for line in Path(ran.xcoms["results_path"]).read_text("utf-8").splitlines()]
    assert [line["finding"] for line in lines] == ["agrees"] * 4


def test_a_difference_fails_for_good_and_the_summary_is_there(reconcile: Reconcile) -> None:
    ran = reconcile(rows(5))
    assert isinstance(ran.error, AirflowFailException)
    assert "1 differences" in str(ran.error)
    assert ran.xcoms["return_value"]["counts"] == {"agrees": 4, "missing": 1}
    assert EMAIL not in json.dumps(ran.xcoms)


def test_a_difference_may_be_left_to_the_next_task(reconcile: Reconcile, sandbox: RunningSandbox) -> None:
    ran = reconcile(rows(3), fail_on_differences=False)
    assert (ran.state, ran.result["counts"]) == ("success", {"agrees": 3, "extra": 1})
    part = reconcile(rows(3), options={"rate_limit": 1000, "partial": True})
    assert part.result["counts"] == {"agrees": 3}
    assert len(sandbox.journal) == 4


def test_what_could_not_be_checked_is_retried(
    reconcile: Reconcile, sandbox: RunningSandbox, supervisor: MemorySupervisor
) -> None:
    supervisor.connections["payrecords_default"].extra = '{"ledger_conn_id": "ledger", "max_retries": 0}'
    sandbox.faults.add(Fault(kind=FaultKind.UNAVAILABLE, times=99))
    ran = reconcile(fail_on_differences=False)
    assert isinstance(ran.error, AirflowException)
    assert not isinstance(ran.error, AirflowFailException)
    assert ran.xcoms["return_value"]["counts"] == {"not_checked": 4}


def test_rows_beyond_the_bound_are_retried_and_not_green(reconcile: Reconcile) -> None:
    ran = reconcile(options={"without_list": True, "max_lookups": 1, "concurrency": 1, "rate_limit": 1000})
    assert ran.state == "up_for_retry"
    assert "3 rows could not be checked" in str(ran.error)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"options": {"created_after": "2026-11-01"}}, "created_after"),
        ({"options": {"partially": True}}, "partially"),
        ({"options": "{{ {'partial': True} }}"}, "give a mapping"),
        ({"mapping": {"endpoint": "report_refund"}}, "Only payments"),
        ({"results": "out.xlsx"}, "end its name"),
    ],
)
def test_wrong_parameter_is_explained_and_not_retried(reconcile: Reconcile, more: dict[str, Any], said: str) -> None:
    ran = reconcile(**more)
    assert isinstance(ran.error, AirflowFailException)
    assert said in str(ran.error)


def test_a_killed_task_ends_before_its_next_request(in_dag: Callable[..., Any]) -> None:
    task = in_dag(ReconcileOperator, extract=rows(1))
    task.on_kill()
    task._stopping = threading.Event()
    task.on_kill()
    assert task._stopping.is_set()
