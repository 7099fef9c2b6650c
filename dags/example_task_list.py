"""
### Report what another task returns

Shows: rows by XCom as an extract, a mapping written in Python, and the ids that come back in row order.

Needs: a connection `payrecords_default`. XCom is for hundreds of rows; above that let the task write a file and
hand over its path.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from airflow.sdk import DAG, task

from airflow_provider_payrecords.operators.extract import ReportExtractOperator

MAPPING = {
    "source": "market-stall",
    "key": "slip",
    "fields": {
        "amount_requested.value": {"column": "total", "unit": "major"},
        "amount_requested.currency": {"constant": "eur"},
        "initiated_at": {"column": "sold_at", "timezone": "Europe/Amsterdam"},
        "outcome": {"constant": "guaranteed"},
        "guaranteed.guaranteed_at": {"column": "sold_at", "timezone": "Europe/Amsterdam"},
        "payment_method_details.custom.display_name": {"constant": "Cash"},
        "processor_details.custom.payment_reference": "slip",
    },
}

with DAG(
    "example_task_list",
    schedule="0 20 * * 6",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1), "retry_exponential_backoff": 2},
    doc_md=__doc__,
    tags=["payrecords", "extract"],
):

    @task
    def sales() -> list[dict[str, Any]]:
        """Return last Saturday's sales. Amounts are text: XCom would round decimals."""
        return [
            {"slip": "S-0412", "total": "18.50", "sold_at": "2026-11-07 09:12:44"},
            {"slip": "S-0413", "total": "7.00", "sold_at": "2026-11-07 09:31:02"},
            {"slip": "S-0414", "total": "129.95", "sold_at": "2026-11-07 11:05:18"},
        ]

    @task
    def file_away(rows: list[dict[str, Any]], record_ids: list[str]) -> dict[str, str]:
        """Put each slip beside its Payment Record, as a bookkeeper would."""
        return dict(zip((row["slip"] for row in rows), record_ids, strict=True))

    sold = sales()
    report = ReportExtractOperator(task_id="report", extract=sold, mapping=MAPPING, fail_on_rejects=True)
    file_away(sold, report.output["record_ids"])
