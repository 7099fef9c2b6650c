"""
Run one DAG in this process and write down what came of it.

Started by the demo as a process with the environment of ``place.py``: Airflow reads its configuration when it is first
imported.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import airflow
from airflow.configuration import AIRFLOW_HOME
from airflow.dag_processing.dagbag import DagBag
from airflow.models.dagrun import DagRun
from airflow.models.xcom import XComModel
from airflow.utils.db import initdb
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState, State, TaskInstanceState


def main(*arguments: str) -> None:
    """
    Prepare the database; with arguments, run a DAG and write its state and XComs to a file as JSON.

    Args:
        arguments: None, or the DAG's file, its id, and the file to write.
    """
    prepare_database(Path(AIRFLOW_HOME))
    end_unfinished()
    if arguments:
        dag_file, dag_id, answer = arguments
        Path(answer).write_text(json.dumps(run_dag(dag_file, dag_id)), encoding="utf-8")


def run_dag(dag_file: str, dag_id: str) -> dict[str, Any]:
    """Run a DAG to its end and return what came of it."""
    bag = DagBag(dag_file)
    if dag_id not in bag.dags:
        sys.exit(f"{dag_file} has no DAG {dag_id}: {bag.import_errors}")
    run = bag.dags[dag_id].test()
    return {"dag_id": dag_id, "run_id": run.run_id, "state": str(run.state), "xcoms": xcoms_of(dag_id, run.run_id)}


def prepare_database(home: Path) -> None:
    """Make or upgrade Airflow's database. One whose making was cut off is made anew."""
    ready = home / "database-ready"
    if ready.is_file() and ready.read_text() == airflow.__version__:
        return
    if not ready.exists():
        for file in home.glob("airflow.db*"):
            file.unlink()
    ready.unlink(missing_ok=True)
    initdb()
    ready.write_text(airflow.__version__)


def end_unfinished() -> None:
    """Fail runs that a demo left when it was stopped: nothing works on them, and they would keep others waiting."""
    with create_session() as session:
        unfinished = DagRun.state.in_((DagRunState.RUNNING, DagRunState.QUEUED))
        for run in session.query(DagRun).filter(unfinished).all():
            for task_instance in run.get_task_instances(session=session):
                if task_instance.state not in State.finished:
                    task_instance.state = TaskInstanceState.FAILED
            run.set_state(DagRunState.FAILED)


def xcoms_of(dag_id: str, run_id: str) -> list[dict[str, Any]]:
    """Return every XCom of a run as it stands in Airflow's database."""
    with create_session() as session:
        rows = session.query(XComModel).filter_by(dag_id=dag_id, run_id=run_id).order_by(XComModel.timestamp).all()
        return [{"task_id": row.task_id, "key": row.key, "value": XComModel.deserialize_value(row)} for row in rows]


if __name__ == "__main__":
    main(*sys.argv[1:])
