"""Extract operators under Airflow's own task runner, against the sandbox."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_payrecords._airflow import AirflowException, AirflowFailException, Connection, ObjectStoragePath
from airflow_provider_payrecords.core.errors import UsageError
from airflow_provider_payrecords.core.partition import partitions
from airflow_provider_payrecords.ledger.urls import open_ledger
from airflow_provider_payrecords.operators.extract import PlanExtractOperator, ReportExtractOperator
from airflow_provider_payrecords.operators.extract_run import make_source
from airflow_provider_payrecords.operators.options import make_options
from airflow_provider_payrecords.sandbox import Fault, FaultKind, RunningSandbox, SandboxConfig, start_sandbox
from airflow_provider_payrecords.testing.task_runner import MemorySupervisor, RanTask, run_task
from tests.airflow.payments import EMAIL, rows

Run = Callable[..., RanTask]


@pytest.fixture
def run(supervisor: MemorySupervisor, in_dag: Callable[..., Any], tmp_path: Path) -> Run:
    """Return a function that runs an operator; the same supervisor, ledger and sandbox each time."""

    def run_one(
        operator: type = ReportExtractOperator, run_options: dict[str, Any] | None = None, **arguments: Any
    ) -> RanTask:
        arguments = {"results": str(tmp_path / "results.jsonl"), "options": {"rate_limit": 1000}, **arguments}
        return run_task(in_dag(operator, operator.__name__, **arguments), supervisor=supervisor, **(run_options or {}))

    return run_one


@pytest.fixture
def extract(tmp_path: Path) -> Path:
    """Return a CSV extract of five rows whose columns are request fields."""
    path = tmp_path / "extract.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, list(rows(1)[0]))
        table.writeheader()
        table.writerows(rows(5))
    return path


def references(sandbox: RunningSandbox, ids: list[str]) -> list[str]:
    """Return the references of records in the order of their *ids*."""
    by_id = {record["id"]: record["metadata"]["payrecords_key"] for record in sandbox.records}
    return [by_id[one] for one in ids]


WIRES = [f"wire-{number:04d}" for number in range(1, 6)]


def test_every_row_becomes_a_record_and_ids_come_in_row_order(
    run: Run, extract: Path, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    ran = run(extract=str(extract))
    assert ran.state == "success"
    assert ran.result["counts"] == {"confirmed": 5}
    assert ran.result["money"] == {"eur": {"confirmed": 515}}
    assert references(sandbox, ran.xcoms["record_ids"]) == WIRES
    assert ran.xcoms["results_path"] == str(tmp_path / "results.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text("utf-8").splitlines()]
    assert [line["payment_record"] for line in lines] == ran.xcoms["record_ids"]


def test_the_ledger_says_which_task_started_the_run(run: Run, extract: Path, ledger_path: Path) -> None:
    done = run(extract=str(extract), run_options={"map_index": 2, "try_number": 3, "run_id": "manual__1"})
    with closing(open_ledger(ledger_path)) as ledger:
        kept = ledger.run(done.result["run_id"])
    assert kept is not None
    assert kept.started_by == {
        "dag_id": "test",
        "task_id": "ReportExtractOperator",
        "run_id": "manual__1",
        "map_index": 2,
        "try_number": 3,
    }


def test_second_run_sends_nothing_and_gives_the_same_ids(run: Run, extract: Path, sandbox: RunningSandbox) -> None:
    first = run(extract=str(extract))
    again = run(extract=str(extract), run_options={"try_number": 2, "retries": 2, "run_id": "other"})
    assert again.xcoms["record_ids"] == first.xcoms["record_ids"]
    assert again.result["new"] == again.result["requests"] == 0
    assert len(sandbox.journal) == 5


@pytest.mark.parametrize(
    "as_source", [str, Path, lambda path: f"file://{path}", lambda path: ObjectStoragePath(f"file://{path}")]
)
def test_extract_may_be_named_in_several_ways(run: Run, extract: Path, as_source: Callable[[Path], Any]) -> None:
    assert run(extract=as_source(extract)).result["counts"] == {"confirmed": 5}


def test_rows_from_another_task_are_an_extract(run: Run, sandbox: RunningSandbox) -> None:
    assert references(sandbox, run(extract=rows(5)).xcoms["record_ids"]) == WIRES


def test_query_is_an_extract(
    run: Run, supervisor: MemorySupervisor, sandbox: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as database, database:
        database.execute("CREATE TABLE wires (reference TEXT, cents INTEGER, booked INTEGER)")
        database.executemany("INSERT INTO wires VALUES (?, ?, ?)", [(wire, 700, 1_760_000_000) for wire in WIRES])
    supervisor.connections["shop"] = Connection(conn_id="shop", conn_type="sqlite", host=str(tmp_path / "shop.db"))
    mapping = {
        "source": "shop",
        "key": "reference",
        "fields": {
            "amount_requested.value": "cents",
            "amount_requested.currency": {"constant": "eur"},
            "initiated_at": "booked",
            "payment_method_details.custom.display_name": {"constant": "Wire"},
            "processor_details.custom.payment_reference": "reference",
        },
    }
    query = {
        "conn_id": "shop",
        "sql": "SELECT * FROM wires WHERE reference > ? ORDER BY reference",
        "parameters": ["wire-0001"],
    }
    ran = run(extract=query, mapping=mapping)
    assert references(sandbox, ran.xcoms["record_ids"]) == WIRES[1:]
    assert ran.result["extract"] == "query on shop"


@pytest.mark.parametrize(
    ("extract", "expected"),
    [
        ({"sql": "SELECT 1"}, "conn_id"),
        ({"conn_id": "shop", "sql": "SELECT 1", "query": 1}, "parameters"),
        (7, "int"),
        (None, "NoneType"),
        ("[{'a': 1}]", "rendered rows to text"),
        (rows(1)[0], "a list of rows"),
        ("foo://bucket/rows.csv", "no installed provider opens foo://"),
    ],
)
def test_extract_of_another_kind_is_explained(extract: Any, expected: str) -> None:
    with pytest.raises(UsageError, match=expected):
        make_source(extract)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"mapping": "{{ {'source': 'x'} }}"}, "rendered a mapping to text"),
        ({"mapping": 7}, "int is no mapping"),
        ({"options": "{{ {'concurrency': 4} }}"}, "put templates into the values"),
        ({"results": "foo://bucket/results.csv"}, "no installed provider opens foo://"),
    ],
)
def test_wrong_parameter_is_explained_and_not_retried(
    run: Run, sandbox: RunningSandbox, arguments: dict[str, Any], expected: str
) -> None:
    ran = run(extract=rows(2), run_options={"retries": 3}, **arguments)
    assert isinstance(ran.error, AirflowFailException)
    assert expected in str(ran.error)
    assert len(sandbox.journal) == 0


def test_summary_is_not_pushed_where_the_task_says_so(run: Run) -> None:
    assert "return_value" not in run(extract=rows(2), do_xcom_push=False).xcoms


def test_a_missing_file_is_explained_and_may_be_there_at_the_next_try(run: Run, tmp_path: Path) -> None:
    ran = run(extract=str(tmp_path / "nothing.csv"), run_options={"retries": 3})
    assert ran.state == "up_for_retry"
    assert "nothing.csv" in str(ran.error)


def test_rejected_rows_warn_and_the_others_are_reported(run: Run, sandbox: RunningSandbox) -> None:
    bad = rows(5)
    bad[1]["amount_requested.currency"] = "xyz"
    ran = run(extract=bad)
    assert ran.state == "success"
    assert ran.result["counts"] == {"confirmed": 4, "rejected": 1}
    assert ran.result["first_rejects"][0]["row_number"] == 2
    assert references(sandbox, ran.xcoms["record_ids"]) == [wire for wire in WIRES if wire != "wire-0002"]


def test_rejected_rows_fail_for_good_where_that_is_asked_for(run: Run, sandbox: RunningSandbox) -> None:
    bad = rows(5)
    bad[1]["amount_requested.currency"] = "xyz"
    ran = run(extract=bad, fail_on_rejects=True, run_options={"retries": 3})
    assert isinstance(ran.error, AirflowFailException)
    assert "rejects" in str(ran.error)
    assert ran.result["counts"] == {"confirmed": 4, "rejected": 1}
    assert len(sandbox.journal) == 4


def test_lost_answers_are_taken_up_by_the_retry(
    run: Run, sandbox: RunningSandbox, supervisor: MemorySupervisor
) -> None:
    supervisor.connections["payrecords_default"].extra = '{"ledger_conn_id": "ledger", "max_retries": 0}'
    sandbox.faults.add(
        Fault(kind=FaultKind.DROP_AFTER, times=2, endpoint="report_payment"),
        Fault(kind=FaultKind.UNAVAILABLE, times=50, endpoint="list_payment_records"),
    )
    lost = run(extract=rows(5), run_options={"retries": 1})
    assert lost.state == "up_for_retry"
    assert lost.result["counts"] == {"confirmed": 3, "unknown": 2}
    sandbox.faults.clear()
    retried = run(extract=rows(5), run_options={"try_number": 2, "retries": 1})
    assert retried.result["counts"] == {"confirmed": 5}
    assert set(sandbox.journal.times().values()) == {1}


def test_canary_stops_for_a_look_and_is_not_retried(run: Run, sandbox: RunningSandbox) -> None:
    ran = run(extract=rows(30), options={"canary": 2}, run_options={"retries": 3})
    assert isinstance(ran.error, AirflowFailException)
    assert ran.result["status"] == "stopped"
    assert len(sandbox.journal) == 2


def test_stop_rule_is_not_retried(run: Run) -> None:
    bad = rows(5)
    bad[0]["amount_requested.currency"] = "xyz"
    ran = run(extract=bad, options={"on_reject": "stop"}, run_options={"retries": 3})
    assert isinstance(ran.error, AirflowFailException)


def test_revoked_key_is_not_retried_and_the_summary_is_there(run: Run, supervisor: MemorySupervisor) -> None:
    connection = supervisor.connections["payrecords_default"]
    with start_sandbox(SandboxConfig(revoked_keys=frozenset({connection.password or ""}))) as strict:
        connection.host = strict.url
        ran = run(extract=rows(5), run_options={"retries": 3})
    assert isinstance(ran.error, AirflowFailException)
    assert ran.result["status"] == "stopped"
    assert ran.result["fatal"] is True


def test_outage_is_retried(run: Run, sandbox: RunningSandbox, supervisor: MemorySupervisor) -> None:
    supervisor.connections["payrecords_default"].extra = '{"ledger_conn_id": "ledger", "max_retries": 0}'
    sandbox.faults.add(Fault(kind=FaultKind.UNAVAILABLE, times=500))
    ran = run(extract=rows(40), run_options={"retries": 1})
    assert ran.state == "up_for_retry"
    assert isinstance(ran.error, AirflowException)


def test_plan_sends_nothing_and_says_what_would_happen(run: Run, sandbox: RunningSandbox) -> None:
    run(extract=rows(2))
    ran = run(PlanExtractOperator, extract=rows(5))
    assert ran.state == "success"
    assert ran.result["counts"] == {"confirmed": 2, "new": 3}
    assert ran.result["dry_run"] is True
    assert "record_ids" not in ran.xcoms
    assert len(sandbox.journal) == 2


def test_dry_run_makes_a_report_a_plan(run: Run, sandbox: RunningSandbox) -> None:
    assert run(extract=rows(5), options={"dry_run": "{{ 'true' }}"}).result["counts"] == {"new": 5}
    assert len(sandbox.journal) == 0


def test_ids_are_left_out_where_airflow_could_not_map_over_them(run: Run) -> None:
    ran = run(PlanExtractOperator, extract=rows(1025))
    assert ran.result["rows"] == 1025
    many = run(extract=rows(1025), options={"rate_limit": 10000, "concurrency": 16})
    assert many.result["counts"] == {"confirmed": 1025}
    assert "record_ids" not in many.xcoms
    assert len(Path(many.xcoms["results_path"]).read_text("utf-8").splitlines()) == 1025


def test_results_are_named_after_the_task_instance_where_nothing_is_said(
    run: Run, extract: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__PAYRECORDS__RESULTS", str(tmp_path / "kept"))
    paths = [
        run(extract=str(extract), results=None, run_options={"run_id": run_id}).xcoms["results_path"]
        for run_id in ("manual__2026-05-04T10:00:00+00:00", "manual__2026-05-04T10_00_00+00_00", "../up")
    ]
    assert len(set(paths)) == 3
    assert all(Path(path).resolve().is_relative_to(tmp_path / "kept" / "test") for path in paths)
    again = run(extract=str(extract), results=None, run_options={"run_id": "../up", "try_number": 2, "retries": 1})
    assert again.xcoms["results_path"] == paths[-1]


def test_options_come_from_the_task_then_the_connection_then_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__PAYRECORDS__RATE_LIMIT", "5")
    monkeypatch.setenv("AIRFLOW__PAYRECORDS__STOP_AFTER_REJECTS", "0.25")
    assert make_options(None, None).rate_limit == 5
    assert make_options(None, 7.5).rate_limit == 7.5
    options = make_options({"rate_limit": "9", "concurrency": "3"}, 7.5)
    assert (options.rate_limit, options.concurrency, options.stop_after_rejects) == (9, 3, 0.25)


def test_dry_run_is_never_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__PAYRECORDS__DRY_RUN", "True")
    assert make_options().dry_run is False


@pytest.mark.parametrize("given", [{"concurency": 3}, {"concurrency": "many"}, {"rate_limit": 0}])
def test_wrong_option_is_explained(given: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="Known are concurrency"):
        make_options(given, None)


def test_xcom_holds_no_person(run: Run) -> None:
    bad = rows(5)
    bad[1]["amount_requested.currency"] = EMAIL
    assert EMAIL not in json.dumps(run(extract=bad).xcoms)


def test_parts_of_an_extract_together_report_each_row_once(run: Run, extract: Path, sandbox: RunningSandbox) -> None:
    parts = [run(extract=str(extract), partition=part) for part in partitions(3)]
    assert sum(part.result["rows"] for part in parts) == 5
    assert sorted(references(sandbox, [one for part in parts for one in part.xcoms["record_ids"]])) == WIRES
    assert run(extract=str(extract)).result["new"] == 0


def test_row_without_a_key_is_rejected_by_the_first_part_alone(run: Run, sandbox: RunningSandbox) -> None:
    table = [*rows(3), {**rows(4)[3], "processor_details.custom.payment_reference": None}]
    rejected = [
        run(extract=table, partition=f"{number}/4").result["counts"].get("rejected", 0) for number in range(1, 5)
    ]
    assert rejected == [1, 0, 0, 0]


@pytest.mark.parametrize("partition", ["9/8", "0/8", "8", "{{ 1 }}"])
def test_part_out_of_range_fails_for_good_before_anything_is_sent(
    run: Run, extract: Path, sandbox: RunningSandbox, partition: str
) -> None:
    ran = run(extract=str(extract), partition=partition, run_options={"retries": 3})
    assert ran.state == "failed"
    assert "options: partition: Value error, " in str(ran.error)
    assert not sandbox.records


def test_operator_is_mapped_over_parts() -> None:
    from airflow.sdk import DAG

    with DAG("test", schedule=None) as dag:
        ReportExtractOperator.partial(task_id="report", extract="a.csv").expand(partition=partitions(8))
    assert dag.get_task("report").expand_input.value["partition"][7] == "8/8"


def test_canary_may_end_green_so_that_the_next_task_goes_on(run: Run, extract: Path, sandbox: RunningSandbox) -> None:
    canary = {"options": {"rate_limit": 1000, "canary": 2}, "fail_on_canary": False}
    first = run(extract=str(extract), **canary)
    assert first.state == "success"
    assert first.result["by_canary"] is True
    assert (first.result["status"], first.result["counts"]) == ("stopped", {"confirmed": 2})
    assert len(sandbox.records) == 2
    assert run(extract=str(extract)).result["new"] == 3
    nothing_left = run(extract=str(extract), **canary)
    assert (nothing_left.state, nothing_left.result["status"]) == ("success", "finished")


def test_green_canary_is_red_where_a_payment_of_it_is_left_open(
    run: Run, extract: Path, sandbox: RunningSandbox
) -> None:
    sandbox.faults.add(Fault(kind=FaultKind.UNAVAILABLE, times=100))
    ran = run(extract=str(extract), options={"rate_limit": 1000, "canary": 2}, fail_on_canary=False)
    assert ran.state == "failed"
    assert "not settled yet" in str(ran.error)


def test_green_canary_still_obeys_the_other_rules(run: Run, sandbox: RunningSandbox) -> None:
    table = [{**rows(1)[0], "amount_requested.value": -5}, *rows(3)[1:]]
    options = {"rate_limit": 1000, "canary": 1, "on_reject": "stop"}
    ran = run(extract=table, options=options, fail_on_canary=False)
    assert ran.state == "failed"
    assert not sandbox.records
