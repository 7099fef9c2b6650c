"""
### Report a Parquet file in object storage

Shows: an extract named by `ObjectStoragePath`, and a plan that looks before the run sends. Columns are nested and
spelled as the API spells its fields, so the mapping only names the key.

Needs: a connection `payrecords_default`. `file://` stands for a bucket here: `s3://aws_default@bucket/wires.parquet`
works the same with the Amazon provider installed.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

from airflow.sdk import DAG, ObjectStoragePath

from airflow_provider_payrecords.operators.extract import PlanExtractOperator, ReportExtractOperator

EXTRACTS = Path(__file__).parent / "extracts"
BUCKET = ObjectStoragePath(f"file://{EXTRACTS}")

with DAG(
    "example_parquet_object_storage",
    schedule="0 6 * * 1-5",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1), "retry_exponential_backoff": 2},
    doc_md=__doc__,
    tags=["payrecords", "extract"],
):
    wires = {"extract": BUCKET / "bank_wires.parquet", "mapping": str(EXTRACTS / "bank_wires.yaml")}
    plan = PlanExtractOperator(task_id="plan", **wires)
    report = ReportExtractOperator(task_id="report", **wires)
    plan >> report
