"""The link from a task to the record it made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_payrecords.links.dashboard import record_url
from airflow_provider_payrecords.operators.extract import ReportExtractOperator
from airflow_provider_payrecords.operators.report import ReportPaymentOperator
from airflow_provider_payrecords.sandbox import RunningSandbox
from airflow_provider_payrecords.testing.task_runner import MemorySupervisor, run_task
from tests.airflow.payments import payment, rows

STRIPE = "https://api.stripe.com"
LINK = "_link_PaymentRecordLink"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"api_base": STRIPE, "mode": "live"}, "https://dashboard.stripe.com/search?query=pr_1"),
        ({"api_base": STRIPE, "mode": "test"}, "https://dashboard.stripe.com/test/search?query=pr_1"),
        (
            {"api_base": STRIPE, "mode": "test", "stripe_account": "acct_9"},
            "https://dashboard.stripe.com/acct_9/test/search?query=pr_1",
        ),
        ({"api_base": "http://127.0.0.1:12111/", "mode": "test"}, "http://127.0.0.1:12111/records/pr_1"),
    ],
)
def test_address_of_a_record(arguments: dict[str, Any], expected: str) -> None:
    assert record_url("pr_1", **arguments) == expected


def test_id_cannot_break_out_of_the_address() -> None:
    assert record_url("a/b?c=d#e", api_base=STRIPE, mode="live").endswith("?query=a%2Fb%3Fc%3Dd%23e")


def test_one_call_links_to_its_record(
    supervisor: MemorySupervisor, sandbox: RunningSandbox, in_dag: Callable[..., Any]
) -> None:
    ran = run_task(in_dag(ReportPaymentOperator, payment=payment()), supervisor=supervisor)
    assert ran.xcoms[LINK] == f"{sandbox.url}/records/{ran.result}"


def test_run_links_to_its_first_record(
    supervisor: MemorySupervisor, sandbox: RunningSandbox, in_dag: Callable[..., Any]
) -> None:
    operator = in_dag(ReportExtractOperator, extract=rows(3), options={"rate_limit": 1000})
    ran = run_task(operator, supervisor=supervisor)
    assert ran.xcoms[LINK] == f"{sandbox.url}/records/{ran.xcoms['record_ids'][0]}"


def test_task_that_reported_nothing_has_an_empty_link(
    supervisor: MemorySupervisor, sandbox: RunningSandbox, in_dag: Callable[..., Any]
) -> None:
    ran = run_task(in_dag(ReportPaymentOperator, payment={"initiated_at": 1}), supervisor=supervisor)
    assert ran.state == "failed"
    assert ran.xcoms[LINK] == ""
