"""A sandbox, a connection to it, and Airflow with a database of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_payrecords._airflow import Connection, airflow_home
from airflow_provider_payrecords.sandbox import RunningSandbox
from airflow_provider_payrecords.testing.fixtures import *  # noqa: F403 - fixtures are found by their names
from airflow_provider_payrecords.testing.task_runner import MemorySupervisor

API_KEY = "sk_test_airflowCanary51Hx"


@pytest.fixture
def sandbox(payrecords_sandbox: RunningSandbox) -> RunningSandbox:
    """Return a sandbox without rate limits."""
    return payrecords_sandbox


@pytest.fixture
def ledger_path(tmp_path: Path) -> Path:
    """Return the path of this test's ledger."""
    return tmp_path / "ledger.db"


@pytest.fixture
def supervisor(sandbox: RunningSandbox, ledger_path: Path) -> MemorySupervisor:
    """Return a supervisor that knows ``payrecords_default`` and its ledger."""
    extra = json.dumps({"timeout": 10, "ledger_conn_id": "ledger"})
    payrecords = Connection(
        conn_id="payrecords_default", conn_type="payrecords", host=sandbox.url, password=API_KEY, extra=extra
    )
    ledger = Connection(conn_id="ledger", conn_type="sqlite", host=str(ledger_path))
    return MemorySupervisor(connections={"payrecords_default": payrecords, "ledger": ledger})


@cache
def make_database() -> Path:
    """Make Airflow's database in this run's AIRFLOW_HOME, once."""
    from airflow.utils import db

    db.initdb()
    return airflow_home() / "airflow.db"


@pytest.fixture(scope="session")
def airflow_database() -> Iterator[Path]:
    """Return the path of Airflow's database."""
    from airflow.sdk.execution_time import supervisor

    with pytest.MonkeyPatch.context() as patch:
        # Airflow 3.2 builds the API that dag.test() asks anew for every task, which takes seconds. Later ones keep it.
        if not hasattr(supervisor.in_process_api_server, "cache_info"):
            patch.setattr(supervisor, "in_process_api_server", cache(supervisor.in_process_api_server))
        yield make_database()


@pytest.fixture
def run_dag(airflow_database: Path) -> Callable[..., Any]:
    """Return a function that runs a DAG by ``dag.test()``."""

    def run(dag: Any, **options: Any) -> Any:
        from airflow.models.dagbundle import DagBundleModel
        from airflow.models.serialized_dag import SerializedDagModel
        from airflow.serialization.definitions.dag import SerializedDAG
        from airflow.serialization.serialized_objects import LazyDeserializedDAG
        from airflow.utils.session import create_session

        with create_session() as session:
            session.merge(DagBundleModel(name="tests"))
            session.flush()
            lazy = LazyDeserializedDAG.from_dag(dag)
            SerializedDAG.bulk_write_to_db("tests", None, [lazy], session=session)
            SerializedDagModel.write_dag(lazy, bundle_name="tests", session=session)
        return dag.test(**options)

    return run


@pytest.fixture
def xcom(airflow_database: Path) -> Callable[..., Any]:
    """Return a function that reads an XCom of a finished run."""

    def read(run: Any, task_id: str, key: str = "return_value", map_index: int = -1) -> Any:
        from airflow.models.xcom import XComModel
        from airflow.utils.session import create_session

        with create_session() as session:
            places = {"dag_id": run.dag_id, "run_id": run.run_id, "task_id": task_id, "key": key}
            row = session.query(XComModel).filter_by(**places, map_index=map_index).one_or_none()
            return None if row is None else XComModel.deserialize_value(row)

    return read


@pytest.fixture
def in_dag() -> Callable[..., Any]:
    """Return a function that makes an operator in a DAG of its own."""
    from airflow.sdk import DAG

    def make(operator: Any, task_id: str = "task", **arguments: Any) -> Any:
        with DAG("test", schedule=None):
            return operator(task_id=task_id, **arguments)

    return make
