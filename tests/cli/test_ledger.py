"""``payrecords ledger prune``: what was settled long ago goes, what is open stays."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from airflow_provider_payrecords.core.entry import Intent, Scope, Settlement, Worker
from airflow_provider_payrecords.core.lifecycle import Event
from airflow_provider_payrecords.ledger.store import Run as LedgerRun
from airflow_provider_payrecords.ledger.store import Selection
from airflow_provider_payrecords.ledger.urls import open_ledger
from tests.cli.conftest import Run

SCOPE = Scope("demo", "test", "report_payment", "bank-eu")
OLD = datetime(2020, 1, 31, 12, tzinfo=timezone.utc)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a ledger with a confirmed, a rejected and an unknown payment of 2020, and a confirmed one of today."""
    path = tmp_path / "ledger.db"
    worker = Worker("me", "run-1", 300)
    events = {"one": Event.ACCEPTED, "two": Event.REFUSED, "three": Event.LOST}
    with closing(open_ledger(path)) as ledger:
        intents = [Intent(key, "f", f"payrecords-{key}", 250, "eur") for key in (*events, "young")]
        for run_id, began in (("run-0", OLD), (worker.run_id, OLD), ("run-2", datetime.now(timezone.utc))):
            ledger.start_run(LedgerRun(run_id, SCOPE, "extract.csv", began))
        ledger.claim(SCOPE, intents, worker, OLD)
        for key, event in events.items():
            record = "pr_1" if event is Event.ACCEPTED else None
            ledger.settle(SCOPE, [Settlement(key, f"payrecords-{key}", event, payment_record=record)], OLD)
        young = Settlement("young", "payrecords-young", Event.ACCEPTED, payment_record="pr_2")
        ledger.settle(SCOPE, [young], datetime.now(timezone.utc))
    return path


def keys(path: Path) -> list[str]:
    with closing(open_ledger(path)) as ledger:
        return [entry.key for entry in ledger.entries(Selection())]


def test_what_was_settled_before_the_date_is_removed_and_counted(run: Run, path: Path) -> None:
    shown = run("ledger", "prune", "--before", "2020-02-01", "--ledger", "ledger.db")
    assert (shown.exit_code, shown.err) == (0, "")
    assert "2 payments settled before 2020-02-01T00:00:00+00:00 were removed." in shown.out
    lines = [line.split() for line in shown.out.splitlines()]
    assert ["confirmed", "1", "EUR", "2.50"] in lines
    assert keys(path) == ["three", "young"]


def test_old_runs_go_too_but_for_the_one_that_an_open_payment_names(run: Run, path: Path) -> None:
    shown = run("ledger", "prune", "--before", "2020-02-01", "--ledger", "ledger.db")
    assert "1 runs that ended before it were removed." in shown.out
    with closing(open_ledger(path)) as ledger:
        assert [one.run_id for one in ledger.runs()] == ["run-2", "run-1"]


def test_a_dry_run_says_what_would_go_and_removes_nothing(run: Run, path: Path) -> None:
    shown = run("ledger", "prune", "--before", "2020-02-01", "--ledger", "ledger.db", "--dry-run")
    assert "2 payments settled before 2020-02-01T00:00:00+00:00 would be removed." in shown.out
    assert len(keys(path)) == 4


def test_json_is_one_object(run: Run, path: Path) -> None:
    arguments = ("ledger", "prune", "--before", "2020-01-31T12:00:01Z", "--ledger", "ledger.db", "--json")
    told = run(*arguments, "--dry-run").json
    assert (told["removed"], told["dry_run"], told["before"]) == (0, True, "2020-01-31T12:00:01+00:00")
    assert {(count["state"], count["entries"]) for count in told["counts"]} == {("confirmed", 1), ("rejected", 1)}
    assert run(*arguments).json["removed"] == 2


def test_the_instant_itself_is_not_before_it_and_a_selection_narrows(run: Run, path: Path) -> None:
    for options in (("--before", "2020-01-31T12:00:00Z"), ("--before", "2020-02-01", "--source", "other")):
        assert run("ledger", "prune", *options, "--ledger", "ledger.db", "--json").json["removed"] == 0
    assert len(keys(path)) == 4


def test_a_young_date_needs_force(run: Run, path: Path) -> None:
    tomorrow = f"{datetime.now(timezone.utc) + timedelta(days=1):%Y-%m-%d}"
    refused = run("ledger", "prune", "--before", tomorrow, "--ledger", "ledger.db")
    assert (refused.exit_code, len(keys(path))) == (2, 4)
    assert "reported a second time" in refused.err
    assert run("ledger", "prune", "--before", tomorrow, "--ledger", "ledger.db", "--force").exit_code == 0
    assert keys(path) == ["three"]


@pytest.mark.parametrize("date", ["yesterday", "2020-13-01", "", "2020-01-31T12:00:00"])
def test_a_date_that_is_none_or_has_no_zone_is_wrong_usage(run: Run, path: Path, date: str) -> None:
    shown = run("ledger", "prune", "--before", date, "--ledger", "ledger.db")
    assert shown.exit_code == 2
    assert "--before" in shown.err or "has no zone" in shown.err
    assert len(keys(path)) == 4


def test_without_a_date_nothing_happens(run: Run, path: Path) -> None:
    assert run("ledger", "prune", "--ledger", "ledger.db").exit_code == 2
    assert run("ledger").exit_code in (0, 2)
    assert len(keys(path)) == 4


def test_a_ledger_that_is_not_there_is_not_made(run: Run, tmp_path: Path) -> None:
    assert run("ledger", "prune", "--before", "2020-02-01", "--ledger", "ledger.db").exit_code == 2
    assert list(tmp_path.iterdir()) == []
