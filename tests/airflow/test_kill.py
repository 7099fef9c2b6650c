"""A task that is told to end does so within the five seconds Airflow gives it, and nothing is reported twice."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_payrecords.operators.extract import ReportExtractOperator
from airflow_provider_payrecords.operators.report import ReportPaymentOperator
from airflow_provider_payrecords.sandbox import Fault, FaultKind, RunningSandbox
from airflow_provider_payrecords.testing.task_runner import MemorySupervisor, run_task
from tests.airflow.payments import payment, rows

AIRFLOW_WAITS_SECONDS = 5
ANSWER_SECONDS = 4


@contextmanager
def terminated_at_first_effect(sandbox: RunningSandbox) -> Iterator[None]:
    """Send this process SIGTERM, as Airflow's supervisor does, once the sandbox has recorded something."""
    is_over = threading.Event()

    def terminate() -> None:
        while not len(sandbox.journal) and not is_over.wait(0.01):
            pass
        if not is_over.is_set():
            os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=terminate)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


@pytest.mark.parametrize(
    ("operator", "arguments"),
    [
        (ReportPaymentOperator, {"payment": payment()}),
        (ReportExtractOperator, {"extract": rows(30), "options": {"concurrency": 4, "rate_limit": 1000}}),
    ],
)
def test_task_ends_in_time_and_the_retry_reports_nothing_twice(
    operator: Any,
    arguments: dict[str, Any],
    in_dag: Callable[..., Any],
    sandbox: RunningSandbox,
    supervisor: MemorySupervisor,
    tmp_path: Path,
) -> None:
    if operator is ReportExtractOperator:
        arguments = {**arguments, "results": str(tmp_path / "results.jsonl")}
    sandbox.faults.add(Fault(kind=FaultKind.SLOW, seconds=ANSWER_SECONDS, times=4, endpoint="report_payment"))
    task = in_dag(operator, **arguments)
    with terminated_at_first_effect(sandbox):
        begin = time.monotonic()
        killed = run_task(task, supervisor=supervisor, retries=1)
        took = time.monotonic() - begin
    assert killed.state == "up_for_retry"
    assert took < AIRFLOW_WAITS_SECONDS
    sandbox.faults.clear()
    retried = run_task(task, supervisor=supervisor, try_number=2, retries=1)
    assert retried.state == "success"
    assert set(sandbox.journal.times().values()) == {1}
    assert len(sandbox.records) == (1 if operator is ReportPaymentOperator else 30)


def test_signal_before_the_task_began_to_work_is_harmless(in_dag: Callable[..., Any]) -> None:
    in_dag(ReportPaymentOperator, payment=payment()).on_kill()
    in_dag(ReportExtractOperator, extract=[]).on_kill()
