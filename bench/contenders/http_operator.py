"""Airflow's ``HttpOperator``: a task for each payment, and one task expanded over the payments."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from airflow.providers.http.operators.http import HttpOperator
from airflow.sdk import DAG

from bench.contenders.dag_run import run_dag
from bench.job import API_KEY, API_VERSION, PATH, Job, Outcome
from bench.payments import form_of, key_of, read_extract

ARGUMENTS: dict[str, Any] = {
    "http_conn_id": "stripe",
    "endpoint": PATH,
    "method": "POST",
    "response_filter": lambda answer: answer.json()["id"],
    "retries": 2,
    "retry_delay": timedelta(0),
}


def single(job: Job) -> Outcome:
    """Report every payment by a task of its own."""

    def tasks(rows: list[dict[str, str]]) -> None:
        for place, row in enumerate(rows):
            HttpOperator(task_id=f"report_{place}", **ARGUMENTS, **_request(row))

    return _run(job, tasks, lambda task_id, _: int(task_id.rpartition("_")[2]))


def mapped(job: Job) -> Outcome:
    """Report every payment by one mapped task."""

    def tasks(rows: list[dict[str, str]]) -> None:
        HttpOperator.partial(task_id="report", **ARGUMENTS).expand_kwargs([_request(row) for row in rows])

    return _run(job, tasks, lambda _, map_index: map_index)


def _request(row: dict[str, str]) -> dict[str, Any]:
    headers = {
        "Authorization": f"Bearer {API_KEY}",
        "Stripe-Version": API_VERSION,
        "Idempotency-Key": key_of(row),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return {"data": form_of(row), "headers": headers}


def _run(job: Job, tasks: Callable[[list[dict[str, str]]], None], place_of: Callable[[str, int], int]) -> Outcome:
    os.environ["AIRFLOW_CONN_STRIPE"] = json.dumps({"conn_type": "http", "host": job.base})
    rows = list(read_extract(job.extract))
    with DAG(f"bench_{len(rows)}", schedule=None) as dag:
        tasks(rows)
    ran = run_dag(dag)
    outcome = Outcome({rows[place_of(*place)]["reference"]: record for place, record in ran.returned.items()})
    for state in ran.states:
        if state != "success":
            outcome.failed(f"task {state}")
    return outcome
