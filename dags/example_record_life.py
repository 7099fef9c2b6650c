"""
### The life of one payment: reported, failed, tried again, guaranteed, partly refunded

Shows: the calls on a record, each a task, with the id travelling by XCom. Clear any of the tasks, or run it all again:
the ledger knows each call, and nothing is sent a second time.

Needs: a connection `payrecords_default`.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Param, chain

from airflow_provider_payrecords.operators.report import (
    ReportPaymentAttemptFailedOperator,
    ReportPaymentAttemptGuaranteedOperator,
    ReportPaymentAttemptOperator,
    ReportPaymentOperator,
    ReportRefundOperator,
)

MORNING = 1_793_606_400  # 2026-11-02 08:00 UTC, in Unix seconds as the API counts
HOUR = 3600

with DAG(
    "example_record_life",
    schedule=None,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1), "retry_exponential_backoff": 2},
    params={"reference": Param("DEBIT-2041", type="string", minLength=1, description="The outside processor's id")},
    doc_md=__doc__,
    tags=["payrecords", "one call"],
):
    report = ReportPaymentOperator(
        task_id="report",
        payment={
            "amount_requested": {"value": 12_000, "currency": "eur"},
            "initiated_at": MORNING,
            "payment_method_details": {"type": "custom", "custom": {"display_name": "Direct debit"}},
            "processor_details": {"type": "custom", "custom": {"payment_reference": "{{ params.reference }}"}},
        },
    )
    record = report.output
    fail = ReportPaymentAttemptFailedOperator(task_id="fail", payment_record=record, failed_at=MORNING + 2 * HOUR)
    try_again = ReportPaymentAttemptOperator(
        task_id="try_again",
        payment_record=record,
        attempt={"initiated_at": MORNING + 24 * HOUR, "description": "Second debit, after a call"},
    )
    guarantee = ReportPaymentAttemptGuaranteedOperator(
        task_id="guarantee", payment_record=record, guaranteed_at=MORNING + 48 * HOUR, metadata={"desk": "arrears"}
    )
    refund = ReportRefundOperator(
        task_id="refund",
        payment_record=record,
        refund={
            "amount": {"value": 2_000, "currency": "eur"},
            "outcome": "refunded",
            "processor_details": {"type": "custom", "custom": {"refund_reference": "{{ params.reference }}-R1"}},
            "refunded": {"refunded_at": MORNING + 72 * HOUR},
        },
    )
    chain(report, fail, try_again, guarantee, refund)
