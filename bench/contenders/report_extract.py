"""Ours in Airflow: one task with ``ReportExtractOperator``."""

from __future__ import annotations

import json
import os
import time
from datetime import timedelta

from airflow.sdk import DAG

from airflow_provider_payrecords.operators.extract import ReportExtractOperator
from bench.contenders.dag_run import run_dag
from bench.contenders.ours import RATE, read_results
from bench.job import API_KEY, Job, Outcome
from bench.payments import MAPPING


def run(job: Job) -> Outcome:
    """Report every payment by one task."""
    results = job.folder / f"results-{time.time_ns()}.jsonl"
    ledger = {"conn_type": "sqlite", "host": str(job.folder / "ledger.db")}
    extra = {"ledger_conn_id": "bench_ledger"}
    payrecords = {"conn_type": "payrecords", "host": job.base, "password": API_KEY, "extra": extra}
    os.environ["AIRFLOW_CONN_BENCH_LEDGER"] = json.dumps(ledger)
    os.environ["AIRFLOW_CONN_PAYRECORDS_DEFAULT"] = json.dumps(payrecords)
    with DAG(f"bench_{job.folder.name}", schedule=None) as dag:
        ReportExtractOperator(
            task_id="report",
            extract=str(job.extract),
            mapping=MAPPING,
            results=str(results),
            options={"concurrency": job.concurrency, "rate_limit": RATE},
            retries=2,
            retry_delay=timedelta(0),
        )
    run_dag(dag)
    return read_results(results)
