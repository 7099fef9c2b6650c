"""
### Report the rows of a database table

Shows: a query as an extract, through any Airflow database connection. Rows are streamed; the ORDER BY gives each row
the same number on every try.

Needs: a connection `payrecords_default`, and `payrecords_cheques` of type *sqlite* whose host is the path of a file
(`make airflow` has both). The first task fills its table for the example. Install `airflow-provider-payrecords[sql]`
and your database's provider.
"""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path

from airflow.sdk import DAG, BaseHook, setup, task

from airflow_provider_payrecords.operators.extract import ReportExtractOperator

EXTRACTS = Path(__file__).parent / "extracts"
DATABASE = "payrecords_cheques"

with DAG(
    "example_sql_table",
    schedule="0 7 * * 1-5",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1), "retry_exponential_backoff": 2},
    doc_md=__doc__,
    tags=["payrecords", "extract"],
):

    @setup
    @task
    def fill_table() -> None:
        """Stand in for the accounting system, which would fill the table itself."""
        script = (EXTRACTS / "cheques.sql").read_text(encoding="utf-8")
        with closing(BaseHook.get_hook(DATABASE).get_conn()) as database:
            database.executescript(f"DROP TABLE IF EXISTS cheques; {script}")

    report = ReportExtractOperator(
        task_id="report",
        extract={"conn_id": DATABASE, "sql": "SELECT * FROM cheques ORDER BY cheque_number"},
        mapping=str(EXTRACTS / "cheques.yaml"),
    )
    fill_table() >> report
