"""
### Report last night's settlement report, a CSV file

Shows: `ReportExtractOperator` with a mapping in YAML, and what the next task gets: counts, money, rejected rows. Every
payment becomes exactly one Payment Record, however often this DAG runs: a second run finds all of them in the ledger.

Needs: a connection `payrecords_default` of type *Stripe Payment Records*. Twelve rows of the file are wrong on purpose.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, task

from airflow_provider_payrecords.operators.extract import ReportExtractOperator

EXTRACTS = Path(__file__).parent / "extracts"

with DAG(
    "example_csv_extract",
    schedule="30 5 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1), "retry_exponential_backoff": 2},
    doc_md=__doc__,
    tags=["payrecords", "extract"],
):
    report = ReportExtractOperator(
        task_id="report",
        extract=str(EXTRACTS / "adyen_settlements.csv"),
        mapping=str(EXTRACTS / "adyen_settlements.yaml"),
    )

    @task
    def tell(summary: dict[str, Any]) -> str:
        """Say in one line what happened. A real one would go to a chat."""
        counts = ", ".join(f"{count} {state}" for state, count in summary["counts"].items())
        return f"{summary['extract'].rsplit('/', 1)[-1]}: {counts}; rejected rows are in {summary['rejects_path']}"

    tell(report.output)
