"""The example DAGs in a whole Airflow: scheduler, triggerer, API server, and a person with a page."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.e2e.standalone import Standalone, wait_for

pytestmark = pytest.mark.e2e

EXAMPLES = sorted(path.stem for path in (Path(__file__).parents[2] / "dags").glob("example_*.py"))
BY_ITSELF = [name for name in EXAMPLES if name not in ("example_approval", "example_new_records")]


def recorded(airflow: Standalone) -> Counter[tuple[str, str]]:
    return Counter((line["endpoint"], line["idempotency_key"]) for line in airflow.journal())


def test_every_example_is_there_without_import_errors(airflow: Standalone) -> None:
    assert airflow.ask("GET", "/importErrors")["import_errors"] == []
    listed = wait_for(lambda: airflow.ask("GET", "/dags?limit=100")["dags"], "the DAGs")
    assert {dag["dag_id"] for dag in listed} >= set(EXAMPLES)


def test_every_example_succeeds_when_it_is_triggered_and_again_reports_nothing(airflow: Standalone) -> None:
    runs = {name: airflow.trigger(name) for name in BY_ITSELF}
    assert {name: airflow.finish(name, run) for name, run in runs.items()} == dict.fromkeys(BY_ITSELF, "success")
    first = recorded(airflow)
    assert set(first.values()) == {1}
    assert len(first) > 300
    again = {
        name: airflow.trigger(name) for name in ("example_csv_extract", "example_generator", "example_record_life")
    }
    assert {name: airflow.finish(name, run) for name, run in again.items()} == dict.fromkeys(again, "success")
    assert recorded(airflow) == first


def test_cleared_run_sends_nothing(airflow: Standalone) -> None:
    run = airflow.trigger("example_task_list")
    assert airflow.finish("example_task_list", run) == "success"
    before = recorded(airflow)
    airflow.ask("POST", f"/dags/example_task_list/dagRuns/{quote(run)}/clear", {"dry_run": False, "only_failed": False})
    wait_for(lambda: airflow.task("example_task_list", run, "report")["try_number"] == 2, "try 2")
    assert airflow.finish("example_task_list", run) == "success"
    assert airflow.xcom("example_task_list", run, "report")["new"] == 0
    assert recorded(airflow) == before


def test_sensor_is_deferred_to_the_triggerer_and_comes_back(airflow: Standalone) -> None:
    dag = "example_wait_for_guarantee"
    run = airflow.trigger(dag, {"reference": "E2E-WIRE", "bank_seconds": 30})

    def deferral() -> dict[str, Any] | None:
        found = airflow.task(dag, run, "wait")
        return found if found["state"] == "deferred" and found["triggerer_job"] else None

    deferred = wait_for(deferral, "the deferral")
    assert deferred["trigger"]["classpath"].endswith("PaymentRecordTrigger")
    assert "sk_" not in str(deferred["trigger"]["kwargs"])
    assert airflow.finish(dag, run) == "success"


def test_asset_event_carries_ids(airflow: Standalone) -> None:
    run = airflow.trigger("example_generator")
    assert airflow.finish("example_generator", run) == "success"
    events = airflow.asset_events()
    (ours,) = [event for event in events if event["source_run_id"] == run]
    assert ours["uri"].startswith("payrecords://")
    assert ours["extra"]["record_ids"] == airflow.xcom("example_generator", run, ours["source_task_id"], "record_ids")


def approval(airflow: Standalone, answer: str) -> str:
    dag = "example_approval"
    run = airflow.trigger(dag)
    place = f"/dags/{dag}/dagRuns/{quote(run)}/taskInstances/approve/-1/hitlDetails"
    wait_for(lambda: airflow.task(dag, run, "approve")["state"] in ("awaiting_input", "deferred"), "the question")
    body = airflow.ask("GET", place)["body"]
    assert "- **209.50 EUR**\n- **15,000 JPY**" in body
    # A person reads first. Airflow 3.3 fails a task that is answered before the scheduler has seen it pause.
    time.sleep(10)
    airflow.ask("PATCH", place, {"chosen_options": [answer], "params_input": {}})
    assert airflow.finish(dag, run) == "success"
    return run


def of_the_statement(airflow: Standalone) -> Counter[str]:
    """Return the effects of ``example_approval`` alone: examples with a schedule run beside it."""
    lines = airflow.journal()
    reported = {line["payment_record"] for line in lines if (line["payrecords_key"] or "").startswith("2026-11-02/")}
    return Counter(line["endpoint"] for line in lines if line["payment_record"] in reported)


def test_refused_approval_sends_nothing_and_a_granted_one_reports_and_pays_the_invoice(airflow: Standalone) -> None:
    refused = approval(airflow, "Reject")
    assert airflow.task("example_approval", refused, "report")["state"] == "skipped"
    assert of_the_statement(airflow) == {}
    granted = approval(airflow, "Approve")
    assert airflow.xcom("example_approval", granted, "canary")["by_canary"] is True
    assert airflow.xcom("example_approval", granted, "report")["counts"] == {"confirmed": 3, "rejected": 1}
    assert of_the_statement(airflow) == {"report_payment": 3, "attach_payment": 1}


def test_new_records_start_a_dag(airflow: Standalone) -> None:
    """The watcher has seen what the other tests reported, or sees what this one does."""
    airflow.trigger("example_test_request", {"dry_run": False, "reference": "E2E-NEW-1"})
    runs = "/dags/example_new_records/dagRuns"
    started = wait_for(lambda: airflow.ask("GET", runs)["dag_runs"], "a run that records started")
    assert airflow.finish("example_new_records", started[0]["dag_run_id"]) == "success"


def test_task_has_the_link_to_its_record_in_a_browser(airflow: Standalone, page: Any) -> None:
    dag = "example_attach_to_invoice"
    run = airflow.ask("GET", f"/dags/{dag}/dagRuns")["dag_runs"][0]["dag_run_id"]
    record = airflow.xcom(dag, run, "report")
    page.goto(f"/dags/{dag}/runs/{quote(run)}/tasks/report/details")
    link = page.get_by_role("link", name="Payment Record")
    assert link.get_attribute("href") == f"{airflow.sandbox}/records/{record}"
    page.goto(f"{airflow.sandbox}/records/{record}")
    assert page.get_by_role("heading", name=record).is_visible()


def test_connection_form_has_our_fields_in_a_browser(airflow: Standalone, page: Any) -> None:
    page.goto("/connections")
    page.get_by_role("button", name="Add Connection").click()
    page.get_by_role("combobox").first.click()
    page.keyboard.type("Stripe Payment Records")
    page.keyboard.press("Enter")
    page.get_by_text("API key", exact=False).first.wait_for()
    page.get_by_role("button", name="Extra Fields", exact=False).first.click()
    for label in ("API version", "Connected account", "Account name", "Rate limit", "Ledger connection"):
        page.get_by_text(label, exact=False).first.wait_for()
