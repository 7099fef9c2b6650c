"""Every example DAG does what it says, against the sandbox, and reports nothing twice when it runs again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_payrecords._airflow import AirflowException
from airflow_provider_payrecords.sandbox import RunningSandbox

pytestmark = pytest.mark.airflow

EXAMPLES = sorted(path.stem for path in (Path(__file__).parents[2] / "dags").glob("example_*.py"))
Run = Callable[..., Any]


@pytest.fixture
def run(dags: dict[str, Any], run_dag: Run, sandbox: RunningSandbox, bank: None) -> Run:
    """Return a function that runs an example once and expects it to succeed."""

    def run_once(dag_id: str, **options: Any) -> Any:
        if dag_id == "example_wait_for_guarantee":
            options.setdefault("run_conf", {"bank_seconds": 0})
        finished = run_dag(dags[dag_id], **options)
        assert finished.state == "success"
        return finished

    return run_once


def effects(sandbox: RunningSandbox) -> Counter[str]:
    return Counter(line.endpoint for line in sandbox.journal)


def test_each_file_is_one_dag_of_its_name(dags: dict[str, Any]) -> None:
    assert sorted(dags) == EXAMPLES != []


@pytest.mark.parametrize("dag_id", EXAMPLES)
def test_example_says_what_it_shows_and_needs_and_retries(dags: dict[str, Any], dag_id: str) -> None:
    dag = dags[dag_id]
    assert "Shows:" in dag.doc_md
    assert "Needs:" in dag.doc_md
    assert "`payrecords_default`" in dag.doc_md
    assert all(task.retries >= 2 for task in dag.tasks)
    assert not dag.catchup


@pytest.mark.parametrize("dag_id", EXAMPLES)
def test_example_survives_serialization_and_is_the_same_on_each_parse(
    dags: dict[str, Any], repository: Path, dag_id: str
) -> None:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.serialization.serialized_objects import DagSerialization

    again = DagBag(repository / "dags" / f"{dag_id}.py").dags[dag_id]
    first, second = (DagSerialization.serialize_dag(dag) for dag in (dags[dag_id], again))
    assert json.dumps(first, sort_keys=True, default=str) == json.dumps(second, sort_keys=True, default=str)
    assert DagSerialization.deserialize_dag(first).task_ids == dags[dag_id].task_ids


NOT_BY_ITSELF = {"example_test_request", "example_new_records", "example_approval"}
"""Sends nothing unless told to, only reads, or waits for a person (``tests/e2e`` has one)."""


@pytest.mark.parametrize("dag_id", [name for name in EXAMPLES if name not in NOT_BY_ITSELF])
def test_second_run_reports_nothing(run: Run, sandbox: RunningSandbox, dag_id: str) -> None:
    run(dag_id)
    first = effects(sandbox)
    assert sum(first.values()) > 0
    run(dag_id)
    assert effects(sandbox) == first
    assert set(sandbox.journal.times().values()) == {1}


def test_csv_extract_reports_the_good_rows_and_names_the_others(
    run: Run, xcom: Callable[..., Any], sandbox: RunningSandbox
) -> None:
    finished = run("example_csv_extract")
    summary = xcom(finished, "report")
    assert summary["counts"] == {"confirmed": 216, "rejected": 12}
    assert summary["money"]["jpy"]["confirmed"] == 427_672
    assert len(xcom(finished, "report", "record_ids")) == len(sandbox.records) == 216
    assert xcom(finished, "tell").startswith("adyen_settlements.csv: ")
    assert Path(summary["rejects_path"]).read_text("utf-8").count("\n") == 12


def test_parquet_is_planned_before_it_is_reported(run: Run, xcom: Callable[..., Any], sandbox: RunningSandbox) -> None:
    finished = run("example_parquet_object_storage")
    assert xcom(finished, "plan")["counts"] == {"new": 59, "rejected": 1}
    assert xcom(finished, "report")["counts"] == {"confirmed": 59, "rejected": 1}
    assert len(sandbox.records) == 59


def test_table_is_reported(run: Run, xcom: Callable[..., Any], sandbox: RunningSandbox) -> None:
    summary = xcom(run("example_sql_table"), "report")
    assert summary["counts"] == {"confirmed": 38, "rejected": 2}
    assert summary["money"]["eur"]["confirmed"] == 1_877_981
    assert len(sandbox.records) == 38


def test_ids_stand_beside_the_rows_of_the_task(run: Run, xcom: Callable[..., Any], sandbox: RunningSandbox) -> None:
    filed = xcom(run("example_task_list"), "file_away")
    assert filed == {record["metadata"]["payrecords_key"]: record["id"] for record in sandbox.records}
    assert list(filed) == ["S-0412", "S-0413", "S-0414"]
    assert sorted(record["amount_guaranteed"]["value"] for record in sandbox.records) == [700, 1850, 12995]


def test_each_mapped_task_reports_its_payment(run: Run, xcom: Callable[..., Any], sandbox: RunningSandbox) -> None:
    finished = run("example_mapped_payments")
    by_id = {record["id"]: record["metadata"]["flat"] for record in sandbox.records}
    assert [by_id[xcom(finished, "report", map_index=index)] for index in range(3)] == ["1A", "1B", "2A"]


def test_test_request_sends_nothing_unless_it_is_told_to(
    run: Run, xcom: Callable[..., Any], sandbox: RunningSandbox
) -> None:
    finished = run("example_test_request")
    assert xcom(finished, "plan")["counts"] == {"new": 1}
    assert len(sandbox.journal) == 0


def test_test_request_sends_what_the_form_says_once(
    run: Run, xcom: Callable[..., Any], sandbox: RunningSandbox
) -> None:
    form = {
        "dry_run": False,
        "reference": "FORM-1",
        "amount": 700,
        "currency": "jpy",
        "outcome": "failed",
        "customer": None,
    }
    ids = {xcom(run("example_test_request", run_conf=form), "send") for _ in range(2)}
    assert ids == {sandbox.records[0]["id"]}
    assert sandbox.records[0]["amount_failed"] == {"value": 700, "currency": "jpy"}
    assert len(sandbox.journal) == 1


def test_form_refuses_what_the_api_would_refuse(dags: dict[str, Any]) -> None:
    params = dags["example_test_request"].params
    assert params.get_param("dry_run").value is True
    for name, value in (("amount", 0), ("currency", "xyz"), ("outcome", "lost"), ("reference", "")):
        with pytest.raises(AirflowException, match="Failed validating"):
            params.get_param(name).resolve(value=value)


@pytest.mark.parametrize("text", ["2026-11-02T09:30:00", "yesterday"])
def test_form_time_without_a_zone_fails_at_once(
    run_dag: Run, dags: dict[str, Any], sandbox: RunningSandbox, text: str
) -> None:
    finished = run_dag(dags["example_test_request"], run_conf={"dry_run": False, "initiated_at": text})
    assert finished.state == "failed"
    assert len(sandbox.journal) == 0


def test_record_lives_through_all_its_states(run: Run, xcom: Callable[..., Any], sandbox: RunningSandbox) -> None:
    finished = run("example_record_life")
    tasks = ["report", "fail", "try_again", "guarantee", "refund"]
    assert {xcom(finished, task) for task in tasks} == {sandbox.records[0]["id"]}
    states = [xcom(finished, task, "payment_record")["state"] for task in tasks]
    assert states == ["pending", "failed", "pending", "guaranteed", "partially_refunded"]


def test_attached_payment_pays_the_invoice(run: Run, xcom: Callable[..., Any], sandbox: RunningSandbox) -> None:
    finished = run("example_attach_to_invoice")
    assert effects(sandbox) == {"report_payment": 1, "attach_payment": 1}
    assert xcom(finished, "file_away") == f"{sandbox.records[0]['id']}: guaranteed, 4950 eur"


def test_yielded_payments_are_reported(run: Run, xcom: Callable[..., Any], sandbox: RunningSandbox) -> None:
    finished = run("example_generator")
    assert xcom(finished, "donations")["money"] == {"eur": {"confirmed": 20_350}}
    assert len(sandbox.records) == 4


def test_sensor_waits_for_the_guarantee_and_the_delivery_for_the_sensor(
    run: Run, xcom: Callable[..., Any], sandbox: RunningSandbox
) -> None:
    finished = run("example_wait_for_guarantee")
    record = sandbox.records[0]["id"]
    assert (xcom(finished, "wait"), xcom(finished, "wait", "state")) == (record, "guaranteed")
    assert xcom(finished, "deliver") == f"{record} is paid"
    assert effects(sandbox) == {"report_payment": 1, "report_payment_attempt_guaranteed": 1}


def test_new_records_are_those_of_the_events_that_started_the_run(
    run: Run, dags: dict[str, Any], xcom: Callable[..., Any]
) -> None:
    assert xcom(run("example_new_records"), "tell") == "0 new payment records"
    new_records = dags["example_new_records"].task_dict["new_records"].python_callable
    told = [
        SimpleNamespace(extra={"from_trigger": True, "payload": {"payment_records": ["pr_1", "pr_2"]}}),
        SimpleNamespace(extra={"from_trigger": True, "payload": {"payment_records": ["pr_3"]}}),
        SimpleNamespace(extra={"by": "hand"}),
    ]
    assert new_records(triggering_asset_events={"asset": told}) == ["pr_1", "pr_2", "pr_3"]


def test_plan_is_described_as_a_person_reads_money(dags: dict[str, Any]) -> None:
    describe = dags["example_approval"].get_task("describe").python_callable
    money = {"eur": {"new": 20_950}, "jpy": {"new": 15_000, "confirmed": 1}}
    plan = {
        "rows": 4,
        "extract": "rows",
        "counts": {"rejected": 1, "new": 3},
        "money": money,
        "results_path": "/r.jsonl",
    }
    assert describe(plan) == (
        "4 rows of rows: 3 new, 1 rejected.\n\n- **209.50 EUR**\n- **15,000 JPY**\n\nDetails: `/r.jsonl`"
    )
