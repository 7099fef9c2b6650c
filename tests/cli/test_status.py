"""``payrecords status`` and ``payrecords export``: what the ledger holds, without asking anybody else."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path

import pytest

from airflow_provider_payrecords.core.entry import Intent, Scope, Settlement, Worker
from airflow_provider_payrecords.core.lifecycle import Event
from airflow_provider_payrecords.ledger.urls import open_ledger
from tests.cli.command import API_KEY
from tests.cli.conftest import Run

Arguments = Callable[..., list[str]]
NINE = datetime(2026, 11, 23, 9, tzinfo=timezone.utc)


@pytest.fixture
def reported(run: Run, report_arguments: Arguments, tmp_path: Path) -> str:
    """Return a run's id; three rows were reported, and one of them changed afterwards."""
    arguments = report_arguments(3, "--json")
    run(*arguments)
    extract = tmp_path / "wires.csv"
    extract.write_text(extract.read_text().replace("2.50", "2.51"))
    run_id: str = run(*arguments).json["run_id"]
    return run_id


def test_status_has_counts_money_runs_and_what_is_open(run: Run, reported: str) -> None:
    shown = run("status", "--ledger", "ledger.db")
    assert shown.exit_code == 0
    lines = [line.split() for line in shown.out.splitlines()]
    assert ["confirmed", "2", "EUR", "5.00"] in lines
    assert ["review", "1", "EUR", "2.50"] in lines
    assert [reported, "bank-eu", "wires.csv", "finished", "3", "2", "0", "1"] in lines
    (review,) = (line for line in shown.out.splitlines() if "wire-0002" in line)
    assert "differs from what was sent" in review


def test_status_as_json_is_one_object(run: Run, reported: str) -> None:
    told = run("status", "--ledger", "ledger.db", "--json").json
    assert {(count["state"], count["entries"], count["amount_minor"]) for count in told["counts"]} == {
        ("confirmed", 2, 500),
        ("review", 1, 250),
    }
    assert told["runs"][0]["run_id"] == reported
    assert told["runs"][0]["started_by"] == {"command": "payrecords report"}
    (review,) = told["open"]
    assert (review["key"], review["state"]) == ("wire-0002", "review")
    assert "Put the old content back" in review["next_step"]


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([Event.LOST], "Run again: the same idempotency key is sent. Do it before 2026-11-24 08:00:00 UTC"),
        ([Event.NOT_SENT], "Not sent. Run again."),
        ([], "A worker holds it until 2026-11-23 09:05:00 UTC. If that worker died, run again after that."),
    ],
)
def test_an_open_payment_says_what_to_do_until_when(run: Run, tmp_path: Path, events: list[Event], said: str) -> None:
    scope = Scope("demo", "test", "report_payment", "bank-eu")
    with closing(open_ledger(tmp_path / "ledger.db")) as ledger:
        ledger.claim(scope, [Intent("wire-1", "f", "payrecords-1")], Worker("me", "run-1", 300), NINE)
        ledger.settle(scope, [Settlement("wire-1", "payrecords-1", event) for event in events], NINE)
    (left,) = run("status", "--ledger", "ledger.db", "--json").json["open"]
    assert said in left["next_step"]
    assert said in run("status", "--ledger", "ledger.db").out


@pytest.mark.parametrize("selection", [("--source", "other"), ("--account", "other"), ("--mode", "live")])
def test_status_can_be_narrowed(run: Run, reported: str, selection: tuple[str, str]) -> None:
    assert run("status", "--ledger", "ledger.db", "--json", *selection).json["counts"] == []
    assert "no such payments" in run("status", "--ledger", "ledger.db", *selection).out


@pytest.mark.parametrize("command", ["status", "export"])
def test_a_ledger_that_is_not_there_is_wrong_usage_and_is_not_made(run: Run, tmp_path: Path, command: str) -> None:
    shown = run(command, "--ledger", "nowhere.db")
    assert shown.exit_code == 2
    assert "nowhere.db" in shown.err
    assert list(tmp_path.iterdir()) == []


def test_a_password_of_the_ledger_is_not_shown(run: Run) -> None:
    shown = run("status", "--ledger", "postgresql://me:hidden-word@127.0.0.1:1/x", "--json")
    assert shown.exit_code == 3
    assert "hidden-word" not in shown.out + shown.err


def test_export_is_csv_on_the_standard_output(run: Run, reported: str) -> None:
    shown = run("export", "--ledger", "ledger.db")
    rows = list(csv.DictReader(shown.out.splitlines()))
    assert [(row["key"], row["state"]) for row in rows] == [
        ("wire-0001", "confirmed"),
        ("wire-0002", "review"),
        ("wire-0003", "confirmed"),
    ]
    assert (shown.err, API_KEY in shown.out) == ("", False)


def test_export_takes_its_form_from_the_file_or_the_option(run: Run, reported: str, tmp_path: Path) -> None:
    shown = run("export", "all.jsonl", "--ledger", "ledger.db")
    assert (shown.exit_code, shown.out, shown.err) == (0, "", "3 entries are in all.jsonl.\n")
    lines = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    assert [
        json.loads(line) for line in run("export", "--ledger", "ledger.db", "--format", "jsonl").out.splitlines()
    ] == lines


def test_export_can_be_narrowed_by_state_source_and_run(run: Run, reported: str) -> None:
    def keys(*options: str) -> list[str]:
        shown = run("export", "--ledger", "ledger.db", "--format", "jsonl", *options)
        return [json.loads(line)["key"] for line in shown.out.splitlines()]

    assert keys("--state", "review") == ["wire-0002"]
    assert keys("--state", "review", "--state", "confirmed") == ["wire-0001", "wire-0002", "wire-0003"]
    assert keys("--run", reported) == ["wire-0002"]
    assert keys("--source", "bank-eu", "--state", "rejected") == []


@pytest.mark.parametrize(("file", "said"), [("out.xlsx", "csv or jsonl"), ("no/such/folder.csv", "No such file")])
def test_an_export_that_cannot_be_written_is_wrong_usage(run: Run, reported: str, file: str, said: str) -> None:
    shown = run("export", file, "--ledger", "ledger.db")
    assert shown.exit_code == 2
    assert said in shown.err
