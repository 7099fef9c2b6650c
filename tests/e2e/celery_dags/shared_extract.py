"""One extract shared by eight tasks, and the same by one task. The run's conf says which extract and how fast."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from airflow.sdk import DAG

from airflow_provider_payrecords.core.partition import partitions
from airflow_provider_payrecords.operators.extract import ReportExtractOperator

COMMON: dict[str, Any] = {
    "extract": "{{ dag_run.conf['extract'] }}",
    "mapping": {"source": "wires"},
    "options": {"rate_limit": "{{ dag_run.conf['rate'] }}", "share_rate": True},
}
SETTINGS: dict[str, Any] = {
    "start_date": datetime(2026, 1, 1, tzinfo=timezone.utc),
    "render_template_as_native_obj": True,
    "default_args": {"retries": 5, "retry_delay": timedelta(seconds=1)},
}

with DAG("eight_tasks", schedule=None, **SETTINGS):
    ReportExtractOperator.partial(task_id="report", **COMMON).expand(partition=partitions(8))

with DAG("one_task", schedule=None, **SETTINGS):
    ReportExtractOperator(task_id="report", **COMMON)
