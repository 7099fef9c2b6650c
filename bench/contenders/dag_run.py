"""
A DAG run in this process, by ``dag.test()``.

The tasks run one after the other, through Airflow's own task runner, database and Execution API. A deployment adds a
scheduler and a process for each task, and runs some of them at once.
"""

from __future__ import annotations

import logging
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cache
from typing import Any

from airflow.models.dagbundle import DagBundleModel
from airflow.models.serialized_dag import SerializedDagModel
from airflow.models.taskinstance import TaskInstance
from airflow.models.xcom import XComModel
from airflow.sdk import DAG
from airflow.serialization.definitions.dag import SerializedDAG
from airflow.serialization.serialized_objects import LazyDeserializedDAG
from airflow.utils.db import initdb
from airflow.utils.session import create_session


@dataclass(frozen=True)
class Ran:
    """
    A DAG run that ended.

    Attributes:
        returned: What each task instance returned, by task id and map index. One that failed is not there.
        states: The state of every task instance.
    """

    returned: dict[tuple[str, int], Any]
    states: list[str]


def run_dag(dag: DAG) -> Ran:
    """Run *dag* to its end."""
    _prepare()
    # Standard output is where this process says what it took.
    with redirect_stdout(sys.stderr):
        _save(dag)
        run = dag.test()
    place = {"dag_id": dag.dag_id, "run_id": run.run_id}
    with create_session() as session:
        xcoms = session.query(XComModel).filter_by(**place, key="return_value").all()
        returned = {(one.task_id, one.map_index): XComModel.deserialize_value(one) for one in xcoms}
        states = [str(task.state) for task in session.query(TaskInstance).filter_by(**place)]
    return Ran(returned, states)


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
