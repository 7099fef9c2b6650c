"""What a DAG file pays for importing operators, and that it is the same DAG each time it is parsed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_payrecords.operators import extract, one_call, report
from airflow_provider_payrecords.sensors import payment_record

IMPORT_BUDGET_SECONDS = 0.020
_TIMED = """
import sys, time
import airflow
from airflow.sdk import BaseOperator
before = set(sys.modules)
begin = time.perf_counter()
import airflow_provider_payrecords.operators.report
import airflow_provider_payrecords.operators.extract
import airflow_provider_payrecords.sensors.payment_record
took = time.perf_counter() - begin
import json
print(json.dumps([took, sorted(set(sys.modules) - before)]))
"""
_OPERATORS = [getattr(module, name) for module in (report, extract, payment_record) for name in module.__all__]
_ARGUMENTS: dict[str, Any] = {
    "payment": {"amount_requested": {"value": 1, "currency": "eur"}},
    "payment_record": "{{ ti.xcom_pull('report') }}",
    "attempt": {"initiated_at": 1},
    "guaranteed_at": 1,
    "failed_at": "{{ params.at }}",
    "canceled_at": 1,
    "details": {"description": ""},
    "refund": {"outcome": "refunded"},
    "invoice": "in_1",
    "extract": Path("/data/extract.csv"),
}


@pytest.fixture(scope="module")
def timed(tmp_path_factory: pytest.TempPathFactory) -> tuple[float, list[str]]:
    """Return the least time of three processes, and the modules that were imported."""
    home = str(tmp_path_factory.mktemp("home"))
    runs = []
    for _ in range(3):
        process = subprocess.run(
            [sys.executable, "-c", _TIMED], capture_output=True, text=True, check=True,
            env={"AIRFLOW_HOME": home, "HOME": home, "PATH": ""},
        )  # fmt: skip
        runs.append(json.loads(process.stdout.splitlines()[-1]))
    return min(took for took, _ in runs), runs[0][1]


def test_operators_import_within_their_budget(timed: tuple[float, list[str]]) -> None:
    assert timed[0] <= IMPORT_BUDGET_SECONDS


def test_operators_import_nothing_heavy(timed: tuple[float, list[str]]) -> None:
    ours = [name for name in timed[1] if name.startswith("airflow_provider_payrecords")]
    # The package itself is there already: Airflow asked it for its provider info.
    allowed = ("._airflow", ".links", ".links.payment_record", ".operators", ".sensors", ".sensors.payment_record")
    allowed += tuple(f".operators.{name}" for name in ("one_call", "reading", "report", "extract"))
    assert sorted(ours) == sorted(f"airflow_provider_payrecords{name}" for name in allowed)
    assert not {"httpx", "duckdb", "sqlalchemy", "airflow.triggers.base"} & set(timed[1])


def build() -> Any:
    """Return a DAG with every operator, as parsing a file makes it."""
    from airflow.sdk import DAG

    with DAG("every_operator", schedule=None) as dag:
        for operator in _OPERATORS:
            names = [name for name in operator.template_fields if name in _ARGUMENTS]
            if operator is report.AttachPaymentOperator:
                names = ["invoice", "payment_record"]
            operator(task_id=operator.__name__, **{name: _ARGUMENTS[name] for name in names})
    return dag


def test_dag_is_the_same_on_each_parse() -> None:
    from airflow.serialization.serialized_objects import DagSerialization

    first, second = (json.dumps(DagSerialization.serialize_dag(build()), sort_keys=True, default=str) for _ in range(2))
    assert first == second
    assert "0x" not in first


def test_dag_survives_serialization() -> None:
    from airflow.serialization.serialized_objects import DagSerialization

    dag = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(build()))
    assert {task.task_id for task in dag.tasks} == {operator.__name__ for operator in _OPERATORS}


@pytest.mark.parametrize("operator", _OPERATORS)
def test_operator_has_few_parameters_of_its_own_and_all_can_be_templates(operator: Any) -> None:
    own = {
        name
        for cls in operator.__mro__
        if cls.__module__.startswith("airflow_provider_payrecords")
        for name in getattr(cls.__init__, "__kwdefaults__", None) or cls.__init__.__annotations__
        if name not in ("self", "return", "kwargs")
    } | set(operator.template_fields)
    assert len(own) <= 8
    plain = {"fail_on_canary", "fail_on_rejects", "wait_for_new_attempt", "max_failures", "deferrable"}
    assert own - set(operator.template_fields) <= plain


def test_every_one_call_operator_has_an_endpoint_and_says_where_its_fields_are() -> None:
    from airflow_provider_payrecords.core.commands import COMMANDS

    for name in report.__all__:
        operator = getattr(report, name)
        own = set(operator.template_fields) - set(one_call.SHARED_TEMPLATE_FIELDS)
        assert own == {*operator.flat, operator.body} - {None}
        assert set(operator.flat) <= set(COMMANDS[operator.endpoint].model_fields)


def test_default_source_is_the_ledgers() -> None:
    import inspect

    from airflow_provider_payrecords.core.identity import DEFAULT_SOURCE

    assert inspect.signature(one_call.OneCallOperator).parameters["source"].default == DEFAULT_SOURCE
