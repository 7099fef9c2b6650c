"""``@task.report_payment`` and ``@task.report_payments`` under Airflow's own task runner."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG, task
from airflow.sdk.exceptions import AirflowSkipException

from airflow_provider_payrecords._airflow import AirflowException, AirflowFailException
from airflow_provider_payrecords.core.commands import ReportPayment, RetrievePaymentRecord
from airflow_provider_payrecords.core.errors import ExtractError
from airflow_provider_payrecords.decorators import report_payment, report_payments
from airflow_provider_payrecords.sandbox import RunningSandbox
from airflow_provider_payrecords.testing.task_runner import MemorySupervisor, RanTask, run_task
from tests.airflow.payments import EMAIL, NAME, guaranteed, payment, rows

FAST: Any = {"options": {"rate_limit": 1000}}


@pytest.fixture
def run(supervisor: MemorySupervisor) -> Callable[..., RanTask]:
    """Return a function that calls a decorated function in a DAG and runs the task that makes."""

    def run_one(decorated: Any, *arguments: Any, **options: Any) -> RanTask:
        with DAG("test", schedule=None):
            made = decorated(*arguments)
        return run_task(made.operator, supervisor=supervisor, **options)

    return run_one


@pytest.mark.parametrize("returned", [guaranteed("chq-1"), ReportPayment.model_validate(guaranteed("chq-1"))])
def test_returned_payment_is_reported(run: Callable[..., RanTask], sandbox: RunningSandbox, returned: Any) -> None:
    @report_payment(source="cheques")
    def cheque() -> Any:
        return returned

    ran = run(cheque)
    assert ran.state == "success"
    assert ran.result == sandbox.records[0]["id"]
    assert sandbox.records[0]["metadata"] == {"payrecords_key": "chq-1", "payrecords_source": "cheques"}
    again = run(cheque, try_number=2, retries=2)
    assert again.result == ran.result
    assert len(sandbox.journal) == 1


def test_function_gets_arguments_and_context(run: Callable[..., RanTask], sandbox: RunningSandbox) -> None:
    @task.report_payment
    def cheque(number: int, params: Any = None, run_id: str | None = None) -> dict[str, Any]:
        assert params is not None
        return payment(f"{run_id}-{number}")

    assert run(cheque, 7, run_id="manual-1").state == "success"
    assert sandbox.records[0]["metadata"]["payrecords_key"] == "manual-1-7"


def test_returned_payment_is_no_template_and_is_not_shown(
    run: Callable[..., RanTask], supervisor: MemorySupervisor, sandbox: RunningSandbox
) -> None:
    @task.report_payment(key="one")
    def cheque() -> dict[str, Any]:
        return payment("chq-1", metadata={"note": "{{ ds }}"})

    assert run(cheque).state == "success"
    assert sandbox.records[0]["metadata"]["note"] == "{{ ds }}"
    assert NAME not in str(supervisor.rendered_fields)
    assert EMAIL not in str(supervisor.rendered_fields)


@pytest.mark.parametrize("returned", [None, "pr_1", [payment()], RetrievePaymentRecord(payment_record="pr_1")])
def test_function_that_returns_no_payment_fails_for_good(
    run: Callable[..., RanTask], sandbox: RunningSandbox, returned: Any
) -> None:
    @task.report_payment
    def cheque() -> Any:
        return returned

    ran = run(cheque, retries=3)
    assert ran.state == "failed"
    assert isinstance(ran.error, AirflowFailException)
    assert str(ran.error) == (
        f"cheque: Return one payment, as a mapping of API fields or a ReportPayment, not {type(returned).__name__}."
    )
    assert not sandbox.records


def test_decorated_payment_can_be_mapped() -> None:
    with DAG("test", schedule=None) as dag:

        @task.report_payment(source="rents")
        def rent(flat: str) -> dict[str, Any]:
            return payment(flat)

        rent.expand(flat=["1A", "1B"])
    assert dag.get_task("rent").partial_kwargs["source"] == "rents"


@pytest.mark.parametrize("kind", [dict, ReportPayment.model_validate])
def test_yielded_payments_are_reported(
    run: Callable[..., RanTask], sandbox: RunningSandbox, kind: Callable[[Any], Any]
) -> None:
    @report_payments(**FAST)
    def wires(count: int) -> Iterator[Any]:
        for number in range(count):
            yield kind(guaranteed(f"wire-{number}"))

    ran = run(wires, 3)
    assert ran.state == "success"
    assert ran.result["counts"] == {"confirmed": 3}
    keys = sorted(record["metadata"]["payrecords_key"] for record in sandbox.records)
    assert keys == ["wire-0", "wire-1", "wire-2"]
    assert len(ran.xcoms["record_ids"]) == 3
    assert run(wires, 4).result["new"] == 1


def test_rows_pass_through_a_mapping_and_come_as_a_list_as_well(
    run: Callable[..., RanTask], sandbox: RunningSandbox
) -> None:
    @task.report_payments(mapping={"source": "shop", "key": "processor_details.custom.payment_reference"}, **FAST)
    def wires() -> list[dict[str, Any]]:
        return rows(2)

    ran = run(wires)
    assert ran.result["source"] == "shop"
    assert ran.result["counts"] == {"confirmed": 2}


def test_command_of_another_call_is_a_bad_row_and_the_others_go_on(
    run: Callable[..., RanTask], sandbox: RunningSandbox
) -> None:
    @task.report_payments(**FAST)
    def wires() -> Iterator[Any]:
        yield ReportPayment.model_validate(payment("wire-1"))
        yield RetrievePaymentRecord(payment_record="pr_1")

    ran = run(wires)
    assert ran.result["counts"] == {"confirmed": 1, "rejected": 1}
    assert ran.result["first_rejects"][0]["code"] == "wrong_command"


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (OSError("the bank's server is away"), "up_for_retry"),
        (AirflowSkipException("no statement today"), "skipped"),
        (AirflowFailException("wrong account"), "failed"),
    ],
)
def test_exception_of_the_function_ends_the_task_as_it_says_and_loses_nothing(
    run: Callable[..., RanTask], sandbox: RunningSandbox, error: Exception, state: str
) -> None:
    broken = True

    @task.report_payments(**FAST)
    def wires() -> Iterator[Any]:
        yield from rows(2)
        if broken:
            raise error
        yield from rows(3)[2:]

    ran = run(wires, retries=3)
    assert ran.state == state
    assert ran.error is error or state == "skipped"
    assert ran.xcoms["return_value"]["counts"] == {"confirmed": 2}
    broken = False
    assert run(wires, retries=3, try_number=2).result["new"] == 1
    assert len(sandbox.journal) == 3


@pytest.mark.parametrize("returned", [None, {"one": 1}, "text", 7])
def test_function_that_yields_no_payments_says_so(run: Callable[..., RanTask], returned: Any) -> None:
    @task.report_payments(**FAST)
    def wires() -> Any:
        return returned

    ran = run(wires)
    assert ran.state == "failed"
    assert isinstance(ran.error, (ExtractError, AirflowException))
    assert f"wires returned a {type(returned).__name__}" in str(ran.error)


def test_a_generator_is_read_while_it_is_reported(
    run: Callable[..., RanTask], sandbox: RunningSandbox, tmp_path: Path
) -> None:
    seen: list[int] = []

    @task.report_payments(results=str(tmp_path / "results.jsonl"), **FAST)
    def wires() -> Iterator[Any]:
        for row in rows(3000):
            seen.append(len(sandbox.journal))
            yield row

    assert run(wires).result["rows"] == 3000
    assert seen[-1] > 0
