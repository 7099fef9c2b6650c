"""Every Python and YAML example of the pages works as it stands."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG

from airflow_provider_payrecords._airflow import Connection
from airflow_provider_payrecords.cli.inputs import read_document
from airflow_provider_payrecords.extract import ExtractMapping
from airflow_provider_payrecords.operators.extract import ReportExtractOperator
from airflow_provider_payrecords.operators.report import ReportPaymentOperator
from airflow_provider_payrecords.sandbox import RunningSandbox, SandboxConfig
from airflow_provider_payrecords.testing.task_runner import MemorySupervisor, RanTask, run_task
from tests.docs.page import Block, blocks, blocks_in

SANDBOX_URL = "http://127.0.0.1:12111"
"""What the pages write for the address of a running sandbox."""
NOT_EVERYWHERE = {"airflow_provider_payrecords.retry_policy": "Airflow 3.3 has retry policies"}
"""Modules that an older Airflow has nothing to build on, and since when it has."""

PYTHON = blocks_in("python")
EXTRACT = """psp_reference,gross,currency,created,booked,status
A1,49.50,EUR,2026-11-01 10:00:00,2026-11-02 10:00:00,Settled
A2,10.00,EUR,2026-11-01 11:00:00,2026-11-02 10:00:00,Refused
"""


@pytest.mark.parametrize("block", PYTHON, ids=lambda block: block.place)
def test_python_example_runs(
    block: Block,
    payrecords_sandbox: RunningSandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    for module in NOT_EVERYWHERE.keys() & set(re.findall(r"from (\S+) import", block.text)):
        pytest.importorskip(module, reason=NOT_EVERYWHERE[module], exc_type=ImportError)
    monkeypatch.chdir(tmp_path)
    dag, names = run_example(block, payrecords_sandbox, tmp_path)
    for name, test in names.items():
        if name.startswith("test_"):
            test(**{fixture: request.getfixturevalue(fixture) for fixture in inspect.signature(test).parameters})
    for task in dag.tasks:
        if isinstance(task, ReportPaymentOperator):
            assert run(task, payrecords_sandbox, tmp_path).state == "success"


def run_example(block: Block, sandbox: RunningSandbox, folder: Path) -> tuple[DAG, dict[str, Any]]:
    """Execute *block* inside a DAG; return that DAG and the names the block made."""
    names: dict[str, Any] = {"__name__": "example", "__file__": str(folder / "example.py")}
    code = compile(block.text.replace(SANDBOX_URL, sandbox.url), block.place, "exec")
    with DAG("docs", schedule=None) as dag:
        exec(code, names)  # noqa: S102 - the example is ours
    return dag, names


def run(task: Any, sandbox: RunningSandbox, folder: Path) -> RanTask:
    """Run *task* with the connection that the pages make."""
    extra = json.dumps({"account": "acme-eu", "ledger_conn_id": "ledger"})
    api = Connection(
        conn_id="payrecords_default", conn_type="payrecords", host=sandbox.url, password="sk_test_sandbox", extra=extra
    )
    ledger = Connection(conn_id="ledger", conn_type="sqlite", host=str(folder / "ledger.db"))
    return run_task(task, supervisor=MemorySupervisor(connections={"payrecords_default": api, "ledger": ledger}))


def test_the_first_dag_reports_the_first_extract_once(payrecords_sandbox: RunningSandbox, tmp_path: Path) -> None:
    (python,) = (block for block in blocks("docs/getting-started.md") if block.language == "python")
    (mapping,) = (block for block in blocks("docs/getting-started.md") if block.language == "yaml")
    (tmp_path / "adyen.yaml").write_text(mapping.text, "utf-8")
    (tmp_path / "last_night.csv").write_text(EXTRACT, "utf-8")
    _, names = run_example(python, payrecords_sandbox, tmp_path)
    (task,) = names["dag"].tasks
    assert isinstance(task, ReportExtractOperator)
    first, second = (run(task, payrecords_sandbox, tmp_path) for _ in range(2))
    assert (first.state, first.result["counts"]) == ("success", {"confirmed": 2})
    assert (second.result["new"], second.result["requests"]) == (0, 0)
    assert second.xcoms["record_ids"] == first.xcoms["record_ids"]
    # Two requests are under way at once, so the sandbox may have made the second row's record first.
    assert sorted(first.xcoms["record_ids"]) == sorted(one["id"] for one in payrecords_sandbox.records)


YAML = blocks_in("yaml")


@pytest.mark.parametrize("block", YAML, ids=lambda block: block.place)
def test_yaml_example_is_taken(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "example.yaml"
    path.write_text(block.text, "utf-8")
    if block.page == "docs/sandbox.md":
        SandboxConfig.model_validate(read_document(path))
    else:
        assert ExtractMapping.load(path).fields


def test_the_pages_have_examples_at_all() -> None:
    assert len(PYTHON) >= 8
    assert len(YAML) >= 5
