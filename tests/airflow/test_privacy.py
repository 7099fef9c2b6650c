"""The key and the people in the data reach the API and nothing else: no log, XCom, rendered field, ledger or result."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_payrecords.operators.extract import PlanExtractOperator, ReportExtractOperator
from airflow_provider_payrecords.operators.report import (
    ReportPaymentAttemptInformationalOperator,
    ReportPaymentOperator,
)
from airflow_provider_payrecords.sandbox import Fault, FaultKind, RunningSandbox
from airflow_provider_payrecords.testing.task_runner import MemorySupervisor, RanTask, run_task
from tests.airflow.conftest import API_KEY
from tests.airflow.payments import EMAIL, PERSONAL, payment, rows


@pytest.fixture
def everything(
    in_dag: Callable[..., Any],
    sandbox: RunningSandbox,
    supervisor: MemorySupervisor,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> dict[str, str]:
    """Run what succeeds, what is refused and what breaks, and return all that was written, by where it was written."""
    caplog.set_level(logging.DEBUG)
    bad = rows(6)
    bad[1]["amount_requested.currency"] = EMAIL
    bad[2]["customer_details.email"] = 7
    results = {"results": str(tmp_path / "results.jsonl"), "options": {"rate_limit": 1000}}
    sandbox.faults.add(Fault(kind=FaultKind.ERROR_BEFORE))
    tasks = [
        in_dag(ReportPaymentOperator, "good", payment=payment()),
        in_dag(ReportPaymentOperator, "refused", payment=payment("c-2", customer_details={"customer": EMAIL})),
        in_dag(ReportPaymentOperator, "wrong", payment=payment("c-3", customer_details={"surprise": EMAIL})),
        in_dag(ReportExtractOperator, "extract", extract=bad, **results),
        in_dag(PlanExtractOperator, "plan", extract=bad, **results),
    ]
    ran = {task.task_id: run_task(task, supervisor=supervisor) for task in tasks}
    amend = {"payment_record": ran["good"].result, "details": {"customer_details": {"email": EMAIL}}}
    ran["amend"] = run_task(in_dag(ReportPaymentAttemptInformationalOperator, "amend", **amend), supervisor=supervisor)
    assert (ran["good"].state, ran["amend"].state, ran["wrong"].state) == ("success", "success", "failed")
    out, err = capfd.readouterr()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    return {
        "logs": caplog.text + out + err,
        "xcom": repr(supervisor.xcoms),
        "errors": "".join(_chain(one) for one in ran.values()),
        "rendered fields": repr(supervisor.rendered_fields),
        "files": "".join(path.read_bytes().decode("utf-8", "replace") for path in files),
    }


def _chain(ran: RanTask) -> str:
    error, text = ran.error, ""
    while error is not None:
        text += repr(error) + repr(vars(error))
        error = error.__cause__ or error.__context__
    return text


@pytest.fixture
def without_payments(everything: dict[str, str]) -> dict[str, str]:
    """Return everything but the template fields, which are the user's own parameters as the user wrote them."""
    return {place: text for place, text in everything.items() if place != "rendered fields"}


def test_key_is_nowhere(everything: dict[str, str]) -> None:
    assert [place for place, text in everything.items() if API_KEY in text] == []


def test_people_are_nowhere(without_payments: dict[str, str]) -> None:
    found = [(place, word) for place, text in without_payments.items() for word in PERSONAL if word in text]
    assert found == []


def test_something_was_written_everywhere(everything: dict[str, str]) -> None:
    assert [place for place, text in everything.items() if len(text) < 40] == []
    assert "wire-0001" in everything["files"]
    assert "cheque-1" in everything["logs"]


def test_key_is_handed_to_the_masker(everything: dict[str, str], supervisor: MemorySupervisor) -> None:
    assert API_KEY in supervisor.masked
