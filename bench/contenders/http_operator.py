"""
Airflow's ``HttpOperator``: a task for each payment, and one task expanded over the payments.

Run by ``dag.test()``: the tasks run one after the other in this process, through Airflow's own task runner, database
and Execution API. A deployment adds a scheduler and a process for each task, and runs a few of them at once; its cost
for a payment is higher than what is measured here.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from datetime import timedelta
from functools import cache
from typing import Any

os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "ERROR"

from airflow.models.dagbundle import DagBundleModel
from airflow.models.serialized_dag import SerializedDagModel
from airflow.models.taskinstance import TaskInstance
from airflow.models.xcom import XComModel
from airflow.providers.http.operators.http import HttpOperator
from airflow.sdk import DAG
from airflow.serialization.definitions.dag import SerializedDAG
from airflow.serialization.serialized_objects import LazyDeserializedDAG
from airflow.utils.db import initdb
from airflow.utils.session import create_session

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
    _prepare()
    os.environ["AIRFLOW_CONN_STRIPE"] = json.dumps({"conn_type": "http", "host": job.base})
    rows = list(read_extract(job.extract))
    with DAG(f"bench_{len(rows)}", schedule=None) as dag:
        tasks(rows)
    with redirect_stdout(sys.stderr):
        _save(dag)
        run = dag.test()
    outcome = Outcome()
    with create_session() as session:
        for one in session.query(XComModel).filter_by(dag_id=dag.dag_id, run_id=run.run_id, key="return_value"):
            row = rows[place_of(one.task_id, one.map_index)]
            outcome.ids[row["reference"]] = XComModel.deserialize_value(one)
        for task in session.query(TaskInstance).filter_by(dag_id=dag.dag_id, run_id=run.run_id):
            if task.state != "success":
                outcome.failed(f"task {task.state}")
    return outcome


@cache
def _prepare() -> None:
    logging.disable(logging.ERROR)
    initdb()


def _save(dag: DAG) -> None:
    """Put the DAG where the processor of DAG files would: its run refers to it."""
    with create_session() as session:
        session.merge(DagBundleModel(name="bench"))
        session.flush()
        lazy = LazyDeserializedDAG.from_dag(dag)
        SerializedDAG.bulk_write_to_db("bench", None, [lazy], session=session)
        SerializedDagModel.write_dag(lazy, bundle_name="bench", session=session)
