"""The notifier speaks when somebody must look, once, and says nothing of a customer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from airflow.sdk import BaseNotifier

from airflow_provider_payrecords.notifications.rejects import RejectsNotifier
from airflow_provider_payrecords.operators.extract import ReportExtractOperator
from airflow_provider_payrecords.sandbox import RunningSandbox
from airflow_provider_payrecords.testing.task_runner import MemorySupervisor, RanTask, run_task
from tests.airflow.conftest import API_KEY
from tests.airflow.payments import DESCRIPTION, EMAIL, NAME, rows


class Recorder(BaseNotifier):
    """Keeps what it would send."""

    template_fields = ("text",)

    def __init__(self, sent: list[Any]) -> None:
        super().__init__()
        self.sent = sent
        self.text = "{{ payrecords.text }} ({{ payrecords.counts }})"

    def notify(self, context: Any) -> None:
        self.sent.append((self.text, context["payrecords"]))


@pytest.fixture
def sent() -> list[Any]:
    """Return what was sent."""
    return []


@pytest.fixture
def run(supervisor: MemorySupervisor, in_dag: Callable[..., Any], sent: list[Any]) -> Callable[..., RanTask]:
    """Return a function that reports rows and tells of it."""

    def run_one(table: Any, tries: dict[str, Any] | None = None, **arguments: Any) -> RanTask:
        operator = in_dag(
            ReportExtractOperator,
            extract=table,
            on_success_callback=RejectsNotifier(Recorder(sent)),
            on_failure_callback=RejectsNotifier(Recorder(sent)),
            **{"options": {"rate_limit": 1000}, **arguments},
        )
        return run_task(operator, supervisor=supervisor, **(tries or {}))

    return run_one


def with_a_bad_row() -> list[dict[str, Any]]:
    return [*rows(2), {**rows(3)[2], "amount_requested.value": -5}]


def test_rejected_row_is_told_once_by_number_key_and_code(
    run: Callable[..., RanTask], sandbox: RunningSandbox, sent: list[Any]
) -> None:
    ran = run(with_a_bad_row())
    assert ran.state == "success"
    ((text, about),) = sent
    assert text == (
        "test.task succeeded. 1 rejected, of 3 rows of rows. "
        f"Which and why: {ran.result['rejects_path']} ({{'rejected': 1, 'confirmed': 2}})"
    )
    assert about["first_rejects"] == [
        {"row_number": 3, "key": "wire-0003", "code": "amount_out_of_range", "field": "amount_requested.value"}
    ]
    assert not any(canary in str(sent) for canary in (NAME, EMAIL, DESCRIPTION, API_KEY))


def test_run_without_anything_to_look_at_is_quiet(
    run: Callable[..., RanTask], sandbox: RunningSandbox, sent: list[Any]
) -> None:
    assert run(rows(2)).state == "success"
    assert sent == []


def test_failing_run_tells_once(run: Callable[..., RanTask], sandbox: RunningSandbox, sent: list[Any]) -> None:
    assert run(with_a_bad_row(), fail_on_rejects=True).state == "failed"
    ((text, _),) = sent
    assert text.startswith("test.task failed. 1 rejected, of 3 rows")


def test_retry_is_not_told(run: Callable[..., RanTask], sandbox: RunningSandbox, sent: list[Any]) -> None:
    assert run("/nowhere/a.csv", {"retries": 2}).state == "up_for_retry"
    assert sent == []


def test_task_that_failed_before_its_run_began_is_told(
    run: Callable[..., RanTask], sandbox: RunningSandbox, sent: list[Any]
) -> None:
    assert run(rows(1), mapping={"sourze": 1}).state == "failed"
    ((text, about),) = sent
    assert text == "test.task failed. ({})"
    assert about["counts"] == {}


def test_stop_rule_is_told(run: Callable[..., RanTask], sandbox: RunningSandbox, sent: list[Any]) -> None:
    assert run(with_a_bad_row(), options={"on_reject": "stop", "rate_limit": 1000}).state == "failed"
    assert "The run stopped: A row was rejected and on_reject is stop." in sent[0][0]
