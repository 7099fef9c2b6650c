"""The task runner that users get for their own tests."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import pytest
from airflow.sdk import BaseHook, BaseOperator

from airflow_provider_payrecords._airflow import AirflowFailException, Connection
from airflow_provider_payrecords.sandbox import RunningSandbox
from airflow_provider_payrecords.sensors.payment_record import PaymentRecordSensor
from airflow_provider_payrecords.testing.task_runner import MemorySupervisor, resume_task, run_task
from tests.airflow.records import Book


class Step(BaseOperator):
    """Says which try it is, and fails where it is told to."""

    template_fields = ("text",)

    def __init__(self, *, text: str = "", fails: type[Exception] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.text = text
        self.fails = fails

    def execute(self, context: Any) -> dict[str, Any]:
        context["ti"].xcom_push(key="seen", value=context["ti"].xcom_pull(task_ids="first", key="return_value"))
        if self.fails:
            raise self.fails("as told")
        return {"text": self.text, "try": context["ti"].try_number}


def test_templates_are_rendered_and_the_return_value_is_kept(in_dag: Callable[..., Any]) -> None:
    ran = run_task(in_dag(Step, text="{{ dag_run.conf['a'] }}/{{ run_id }}"), conf={"a": 1}, run_id="mine")
    assert (ran.state, ran.result) == ("success", {"text": "1/mine", "try": 1})
    assert ran.supervisor.rendered_fields["text"] == "1/mine"


def test_failure_is_retried_while_tries_are_left(in_dag: Callable[..., Any]) -> None:
    task = in_dag(Step, fails=ValueError)
    states = [run_task(task, try_number=number, retries=1).state for number in (1, 2)]
    assert states == ["up_for_retry", "failed"]
    assert run_task(in_dag(Step, fails=AirflowFailException), retries=1).state == "failed"


def test_tasks_that_share_a_supervisor_share_xcom(in_dag: Callable[..., Any]) -> None:
    supervisor = MemorySupervisor()
    first = run_task(in_dag(Step, "first", text="a"), supervisor=supervisor)
    assert run_task(in_dag(Step, "second"), supervisor=supervisor).xcoms["seen"] == first.result


def test_mapped_instances_are_kept_apart(in_dag: Callable[..., Any]) -> None:
    supervisor = MemorySupervisor()
    for index in range(2):
        run_task(in_dag(Step, "first", text=str(index)), supervisor=supervisor, map_index=index)
    assert [supervisor.xcoms["first", index, "return_value"]["text"] for index in range(2)] == ["0", "1"]


def test_what_a_task_pushed_is_gone_on_its_next_try(in_dag: Callable[..., Any]) -> None:
    supervisor = MemorySupervisor()
    assert run_task(in_dag(Step), supervisor=supervisor).result is not None
    assert run_task(in_dag(Step, fails=ValueError), supervisor=supervisor).result is None


def test_manual_run_without_a_logical_date_has_no_date(in_dag: Callable[..., Any]) -> None:
    ran = run_task(in_dag(Step, text="{{ ds is defined }}"))
    assert ran.result["text"] == "False"


def test_connections_are_found_and_the_others_are_not(in_dag: Callable[..., Any]) -> None:
    class Asks(BaseOperator):
        def execute(self, context: Any) -> str | None:
            return BaseHook.get_connection(self.task_id).host

    supervisor = MemorySupervisor(connections={"known": Connection(conn_id="known", conn_type="http", host="h")})
    assert run_task(in_dag(Asks, "known"), supervisor=supervisor).result == "h"
    assert "unknown" in str(run_task(in_dag(Asks, "unknown"), supervisor=supervisor).error)


@pytest.mark.parametrize("fails", [None, ValueError])
def test_signal_handler_is_given_back(in_dag: Callable[..., Any], fails: type[Exception] | None) -> None:
    before = signal.getsignal(signal.SIGTERM)
    run_task(in_dag(Step, fails=fails))
    assert signal.getsignal(signal.SIGTERM) is before


def test_trigger_that_waits_for_ever_is_an_error_of_the_test(
    in_dag: Callable[..., Any], payrecords_connection: str, sandbox: RunningSandbox
) -> None:
    task = in_dag(PaymentRecordSensor, payment_record=Book(sandbox).report(), deferrable=True)
    deferred = run_task(task)
    with pytest.raises(AssertionError, match="has waited 3 times"):
        resume_task(task, deferred, max_waits=3)
