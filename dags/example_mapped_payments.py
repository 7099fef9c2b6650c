"""
### One task per payment, by dynamic task mapping

Shows: `ReportPaymentOperator` mapped over a list; each payment has its own task, retries and logs.

Mostly, don't. A task costs seconds of a worker for one call of a fraction of a second, Airflow maps over at most 1024
values, and there is no results file and no stop rule. `ReportExtractOperator` sends hundreds of payments in the same
time. Map where payments are few and somebody looks at each of them.

Needs: a connection `payrecords_default`.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from airflow.sdk import DAG, task

from airflow_provider_payrecords.operators.report import ReportPaymentOperator

with DAG(
    "example_mapped_payments",
    schedule="0 9 1 * *",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1), "retry_exponential_backoff": 2},
    doc_md=__doc__,
    tags=["payrecords", "one call"],
):

    @task
    def rents() -> list[dict[str, Any]]:
        """Return this month's wires as fields of the API. Amounts are in minor units: 184000 is 1,840.00 EUR."""
        return [
            {
                "amount_requested": {"value": minor, "currency": "eur"},
                "initiated_at": 1_793_523_600 + minute,
                "outcome": "guaranteed",
                "guaranteed": {"guaranteed_at": 1_793_610_000 + minute},
                "payment_method_details": {"type": "custom", "custom": {"display_name": "Bank wire"}},
                "processor_details": {"type": "custom", "custom": {"payment_reference": f"RENT-2026-11-{flat}"}},
                "metadata": {"flat": flat},
            }
            for minute, (flat, minor) in enumerate([("1A", 184_000), ("1B", 171_500), ("2A", 190_000)])
        ]

    ReportPaymentOperator.partial(
        task_id="report",
        source="rents",
        map_index_template="{{ task.payment['metadata']['flat'] }}",
        max_active_tis_per_dagrun=4,
    ).expand(payment=rents())
