"""The API of the page of runs: what ran and what is open, as the ledger has it."""

from __future__ import annotations

import csv
import io
import sqlite3
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx
import pytest

from airflow_provider_payrecords.core.entry import Scope
from airflow_provider_payrecords.ledger.store import Run, RunProgress, RunReason
from airflow_provider_payrecords.plugins import ledgers, runs_api
from airflow_provider_payrecords.plugins.shown import state_of
from airflow_provider_payrecords.transport.clock import utc_now
from tests.bulk.world import payment
from tests.plugins.past import CANARIES, FIRST, SOURCE, entry, ledger, report, report_some

SCOPE = Scope("acme", "test", "report_payment", "adyen-eu")
TASK = {"dag_id": "nightly", "task_id": "report", "run_id": "manual__1", "map_index": -1, "try_number": 2}


def ask(client: httpx.Client, path: str, status: int = 200, **parameters: Any) -> Any:
    """Return the JSON of a GET of our API, answered with *status*."""
    answer = client.get(f"api/{path}", params={**FIRST, **parameters})
    assert answer.status_code == status, answer.text
    return answer.json()


def begin(run_id: str, started_at: datetime) -> Run:
    """Let a run begin, and say nothing more."""
    run = Run(run_id, SCOPE, "s3://bucket/night.csv", started_at, started_by=TASK)
    with ledger() as store:
        store.start_run(run)
    return run


def tell(run_id: str, at: datetime, confirmed: int) -> None:
    """Let a run say how far it is."""
    counts, money = {"confirmed": confirmed, "rejected": 2}, {"eur": {"confirmed": confirmed * 100}}
    reason = RunReason(run_id, "rejected", "invalid_currency", "amount_requested.currency", 2, (4, 7))
    with ledger() as store:
        store.save_progress(RunProgress(run_id, at, counts, money, confirmed + 1, 1, 20.0, 50), [reason])


def test_runs_are_listed_newest_first_with_state_counts_and_money(admin: httpx.Client, ledger_path: Path) -> None:
    first = report_some()
    second = report([payment(5)])
    found = ask(admin, "runs")
    assert [run["run_id"] for run in found["runs"]] == [second.run_id, first.run_id]
    run = found["runs"][1]
    assert (run["state"], run["rows"], run["counts"]) == ("finished", 4, {"confirmed": 2, "rejected": 2})
    assert run["money"] == {"eur": {"confirmed": 400, "rejected": 200}}
    assert (run["source"], run["kind"], run["mode"]) == (SOURCE, "run", "test")
    assert found["before"] is None
    assert found["ledger"] == str(ledger_path)


def test_runs_come_in_pages(admin: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs_api, "RUNS_A_PAGE", 2)
    ids = [report([payment(number)]).run_id for number in (1, 2, 3)]
    page = ask(admin, "runs")
    assert [run["run_id"] for run in page["runs"]] == [ids[2], ids[1]]
    rest = ask(admin, "runs", before=page["before"])
    assert ([run["run_id"] for run in rest["runs"]], rest["before"]) == ([ids[0]], None)


def test_a_run_that_goes_on_says_how_far_it_is(admin: httpx.Client) -> None:
    begin("run-1", utc_now() - timedelta(seconds=9))
    assert ask(admin, "runs/run-1")["state"] == "running"
    tell("run-1", utc_now(), 30)
    run = ask(admin, "runs/run-1")
    assert (run["state"], run["rows"], run["total_rows"], run["rate"]) == ("running", 32, 50, 20.0)
    assert run["money"] == {"eur": {"confirmed": 3000}}
    assert run["started_by"] == TASK


@pytest.mark.parametrize(
    ("heard_after", "now_after", "state"),
    [(0, 60, "running"), (0, 61, "silent"), (30_000, 30_359, "running"), (30_000, 30_361, "silent")],
)
def test_a_run_that_should_have_said_something_is_silent(heard_after: int, now_after: int, state: str) -> None:
    started = datetime(2026, 11, 1, tzinfo=timezone.utc)
    run = Run("run-1", SCOPE, "x", started)
    heard = RunProgress("run-1", started + timedelta(seconds=heard_after), {}, {}, 0, 0, 1.0) if heard_after else None
    assert state_of(run, heard, started + timedelta(seconds=now_after)) == state


def test_progress_comes_as_columns_of_one_length(admin: httpx.Client) -> None:
    started = utc_now() - timedelta(seconds=5)
    begin("run-1", started)
    for second in (1, 2, 3):
        tell("run-1", started + timedelta(seconds=second), second * 10)
    columns = ask(admin, "runs/run-1/progress")
    assert columns["confirmed"] == [10, 20, 30]
    assert columns["throttled"] == [1, 1, 1]
    assert columns["at"][2] - columns["at"][0] == pytest.approx(2)
    assert {len(column) for column in columns.values()} == {3}


def test_reasons_name_rows(admin: httpx.Client) -> None:
    begin("run-1", utc_now())
    tell("run-1", utc_now(), 3)
    assert ask(admin, "runs/run-1/reasons") == [
        {
            "state": "rejected",
            "code": "invalid_currency",
            "param": "amount_requested.currency",
            "rows": 2,
            "first_rows": [4, 7],
            "replay": None,
        }
    ]


def test_a_reason_says_whose_rejects_can_be_sent_again(admin: httpx.Client) -> None:
    def tell_reason(run_id: str) -> str | None:
        with ledger() as store:
            code = entry("W0002").error_code
            refused = RunReason(run_id, "rejected", code, None, 1, (2,))
            store.save_progress(RunProgress(run_id, utc_now(), {}, {}, 0, 0, 1.0), [refused])
        reasons = ask(admin, f"runs/{run_id}/reasons")
        return next(one["replay"] for one in reasons if one["code"] == code and one["param"] is None)

    assert tell_reason(report_some().run_id) == "run"
    assert tell_reason(report_some().run_id) == "source"


def test_payments_of_a_run_that_are_not_confirmed_are_listed_by_state_and_code(admin: httpx.Client) -> None:
    run = f"runs/{report_some().run_id}/entries"
    (refused,) = ask(admin, run)["entries"]
    assert (refused["key"], refused["state"], refused["amount_minor"]) == ("W0002", "rejected", 200)
    assert "Correct the row" in refused["next_step"]
    assert ask(admin, run, state="rejected", code=refused["error_code"])["entries"] == [refused]
    assert ask(admin, run, code="something_else")["entries"] == []
    assert ask(admin, run, state="unknown")["entries"] == []


def test_what_is_open_comes_in_pages(admin: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs_api, "ENTRIES_A_PAGE", 1)
    report_some()
    report_some()
    assert ask(admin, "open") == {"entries": [], "after": None}
    page = ask(admin, "open", state="rejected")
    assert ([one["key"] for one in page["entries"]], page["after"]) == (["W0002"], None)
    assert ask(admin, "open", state=["rejected", "planned"])["entries"] == page["entries"]
    assert ask(admin, "open", state="rejected", source="another")["entries"] == []


def test_confirmed_payments_are_no_list_but_can_be_exported(admin: httpx.Client) -> None:
    run_id = report_some().run_id
    assert "export" in ask(admin, f"runs/{run_id}/entries", 422, state="confirmed")["detail"]
    answer = admin.get(f"api/runs/{run_id}/export.csv", params={**FIRST, "confirmed": True})
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["key"], row["state"]) for row in rows] == [
        ("W0001", "confirmed"),
        ("W0002", "rejected"),
        ("W0003", "confirmed"),
    ]
    assert rows[0]["payment_record"] == entry("W0001").payment_record
    assert answer.headers["content-disposition"] == f'attachment; filename="{run_id}.csv"'
    assert answer.headers["content-type"].startswith("text/csv")


def test_an_export_of_what_is_open_holds_no_formula(admin: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    summary = report_some()
    with ledger() as store:
        changed = {"account": "=cmd()", "key": "-1+1"}
        row = store.page(runs_api.Selection(run_id=summary.run_id)).entries[0]
    lines = "".join(runs_api.csv_chunks([row._replace(key=changed["key"], error_code=changed["account"])]))
    (found,) = csv.DictReader(io.StringIO(lines))
    assert (found["key"], found["error_code"]) == ("'-1+1", "'=cmd()")
    exported = admin.get(f"api/runs/{summary.run_id}/export.csv", params=FIRST).text
    assert [one["key"] for one in csv.DictReader(io.StringIO(exported))] == ["W0002"]


@pytest.mark.parametrize("path", ["runs/run-x", "runs/run-x/progress", "runs/run-x/reasons", "runs/run-x/entries"])
def test_a_run_that_does_not_exist_is_said(admin: httpx.Client, path: str) -> None:
    report_some()
    problem = ask(admin, path, 404)
    assert problem["title"] == "There is no such run"
    assert "run-x" in problem["detail"]
    assert problem["next_step"]


@pytest.mark.parametrize("path", ["runs", "open", "search?text=x"])
def test_a_missing_ledger_is_said_and_none_is_made(admin: httpx.Client, ledger_path: Path, path: str) -> None:
    problem = admin.get(f"api/{path}", params={**FIRST, "text": "x"}).json()
    assert problem["title"] == "There is no ledger yet"
    assert str(ledger_path) in problem["detail"]
    assert not ledger_path.exists()


def test_a_connection_that_does_not_exist_is_said(admin: httpx.Client) -> None:
    assert ask(admin, "runs", 404, connection="nobody")["title"] == "There is no such connection"


def test_a_file_that_is_no_ledger_is_said(admin: httpx.Client, ledger_path: Path) -> None:
    ledger_path.write_bytes(b"no database" * 100)
    problem = ask(admin, "runs", 503)
    assert problem["title"] == "The ledger cannot be used"
    assert problem["next_step"]


def test_a_locked_ledger_is_said(admin: httpx.Client, ledger_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report_some()
    monkeypatch.setattr(ledgers, "WAIT_SECONDS", 0.05)
    holder = sqlite3.connect(ledger_path)
    holder.executescript("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=DELETE; BEGIN EXCLUSIVE")
    try:
        assert ask(admin, "runs", 503)["title"] == "The ledger cannot be used"
    finally:
        holder.close()
    assert ask(admin, "runs")["runs"]


def test_a_cursor_from_nowhere_is_said(admin: httpx.Client) -> None:
    report_some()
    assert "first page" in ask(admin, "open", 422, after="nonsense")["detail"]
    assert ask(admin, "runs", before="run-x")["runs"] == []


def test_names_from_outside_are_data_and_never_markup(admin: httpx.Client) -> None:
    for source in CANARIES:
        report([payment(1)], source=source)
    answer = admin.get("api/runs", params=FIRST)
    assert {run["source"] for run in answer.json()["runs"]} == set(CANARIES)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
