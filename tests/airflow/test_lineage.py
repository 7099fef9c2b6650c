"""OpenLineage events of real runs, written to a file by Airflow's OpenLineage provider."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.lineage import HookLineageCollector

from airflow_provider_payrecords.operators import lineage
from airflow_provider_payrecords.operators.extract import PlanExtractOperator, ReportExtractOperator
from airflow_provider_payrecords.operators.lineage import Lineage, extract_address
from airflow_provider_payrecords.operators.report import ReportPaymentOperator
from airflow_provider_payrecords.sandbox import RunningSandbox
from airflow_provider_payrecords.testing.task_runner import MemorySupervisor, run_task
from tests.airflow.conftest import API_KEY
from tests.airflow.payments import EMAIL, NAME, payment, rows


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("/data/a b.csv", "file:///data/a%20b.csv"),
        ("s3://bucket/x/*.parquet", "s3://bucket/x/*.parquet"),
        ("rows", None),
        ("query on shop", None),
    ],
)
def test_address_of_an_extract(name: str, address: str | None) -> None:
    assert extract_address(name) == address


def test_datasets_have_openlineage_names() -> None:
    told = lineage.operator_lineage(
        Lineage("s3://bucket/x/a.csv", "acme", "adyen-eu", {"rows": 5, "new": 4, "counts": {}})
    )
    assert [(one.namespace, one.name) for one in told.inputs] == [("s3://bucket", "x/a.csv")]
    assert [(one.namespace, one.name) for one in told.outputs] == [("payrecords://acme", "adyen-eu")]
    assert told.inputs[0].inputFacets["inputStatistics"].rowCount == 5
    assert told.outputs[0].outputFacets["outputStatistics"].rowCount == 4


def test_operator_tells_its_extract_at_the_start_and_its_records_at_the_end(
    supervisor: MemorySupervisor, sandbox: RunningSandbox, in_dag: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "extract.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows(3)), "utf-8")
    task = in_dag(ReportExtractOperator, extract=str(path), options={"rate_limit": 1000})
    (begun,) = task.get_openlineage_facets_on_start().inputs
    assert (begun.namespace, begun.name) == ("file", str(path))
    assert task.get_openlineage_facets_on_complete(None) is None


def test_hooks_lineage_has_extract_and_records(
    supervisor: MemorySupervisor,
    sandbox: RunningSandbox,
    in_dag: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    collector = HookLineageCollector()
    monkeypatch.setattr(lineage, "get_hook_lineage_collector", lambda: collector)
    path = tmp_path / "extract.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows(3)), "utf-8")
    run_task(in_dag(PlanExtractOperator, extract=str(path)), supervisor=supervisor)
    assert [one.asset.uri for one in collector.collected_assets.inputs] == [f"file://{path}"]
    assert collector.collected_assets.outputs == []
    run_task(in_dag(ReportPaymentOperator, payment=payment(), source="till"), supervisor=supervisor)
    (made,) = collector.collected_assets.outputs
    assert made.asset.uri == "payrecords://payrecords_default%40127.0.0.1/till"


_DAG = """
import json, sys
from airflow.sdk import DAG
from airflow_provider_payrecords.operators.extract import ReportExtractOperator
with DAG("lineage", schedule=None) as dag:
    ReportExtractOperator(task_id="report", extract=sys.argv[1], options={"rate_limit": 1000})
"""
_PROGRAM = """
from airflow.utils import db
db.initdb()
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
run = dag.test()
assert run.state == sys.argv[2], run.state
"""


@pytest.mark.airflow
@pytest.mark.parametrize(("good", "state"), [(3, "success"), (0, "failed")])
def test_real_run_writes_openlineage_events_with_input_output_and_counts(
    sandbox: RunningSandbox, tmp_path: Path, good: int, state: str
) -> None:
    path, log = tmp_path / "extract.jsonl", tmp_path / "lineage.jsonl"
    table = [*rows(good), {"amount_requested.value": -5}] if good else [{"nonsense": 1}]
    path.write_text("".join(json.dumps(row) + "\n" for row in table), "utf-8")
    program = tmp_path / "program.py"
    program.write_text(_DAG + _PROGRAM, "utf-8")
    transport = {"type": "file", "log_file_path": str(log), "append": True}
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(transport),
        "AIRFLOW_CONN_PAYRECORDS_DEFAULT": json.dumps(
            {"conn_type": "payrecords", "host": sandbox.url, "password": API_KEY, "extra": {"account": "acme"}}
        ),
    }
    ran = subprocess.run(
        [sys.executable, str(program), str(path), state], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    events = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    task = [event for event in events if event["job"]["name"] == "lineage.report"]
    assert [event["eventType"] for event in task] == ["START", "COMPLETE" if good else "FAIL"]
    for event in task:
        assert [(one["namespace"], one["name"]) for one in event["inputs"]] == [("file", str(path))]
    if good:
        assert task[1]["inputs"][0]["inputFacets"]["inputStatistics"]["rowCount"] == good + 1
        (out,) = task[1]["outputs"]
        assert (out["namespace"], out["name"]) == ("payrecords://acme%40127.0.0.1", "default")
        assert out["outputFacets"]["outputStatistics"]["rowCount"] == good
    assert not any(canary in log.read_text("utf-8") for canary in (NAME, EMAIL, API_KEY))
