"""``payrecords plan`` and ``payrecords report`` against a real sandbox: exit codes, streams, files, keys."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from airflow_provider_payrecords.sandbox.config import SandboxConfig
from airflow_provider_payrecords.sandbox.server import RunningSandbox, start_sandbox
from tests.cli.command import API_KEY, write_extract
from tests.cli.conftest import Run

Arguments = Callable[..., list[str]]


def test_all_confirmed_is_zero_and_a_second_run_reports_nothing(
    run: Run, sandbox: RunningSandbox, report_arguments: Arguments
) -> None:
    first = run(*report_arguments(30, "--json"))
    assert (first.exit_code, first.err) == (0, "")
    assert (first.json["counts"], first.json["new"]) == ({"confirmed": 30}, 30)
    again = run(*report_arguments(30, "--json"))
    assert (again.exit_code, again.json["new"], again.json["requests"]) == (0, 0, 0)
    assert set(sandbox.journal.times().values()) == {1}
    assert len(sandbox.journal) == 30


def test_rejects_are_one_and_shown_with_row_key_field_and_reason(run: Run, report_arguments: Arguments) -> None:
    shown = run(*report_arguments(5, "--results", "results.csv", bad=(2,)))
    assert shown.exit_code == 1
    (line,) = (line for line in shown.out.splitlines() if "wire-0002" in line)
    assert line.split()[:4] == ["2", "wire-0002", "amount_requested.currency", "unknown_currency"]
    assert "results.csv" in shown.out
    assert "results.rejects.csv" in shown.out
    assert "ledger.db" in shown.out
    assert "Next: correct the rejected rows" in shown.out


def test_money_is_shown_in_major_units_by_currency(run: Run, report_arguments: Arguments) -> None:
    shown = run(*report_arguments(3))
    money = shown.out.partition("Money\n")[2].splitlines()
    assert money[0].split() == ["currency", "confirmed"]
    assert money[1].split() == ["EUR", "7.50"]


@pytest.mark.parametrize(("suffix", "read"), [("csv", csv.DictReader), ("jsonl", lambda lines: map(json.loads, lines))])
def test_results_have_a_line_for_every_row(
    run: Run, tmp_path: Path, report_arguments: Arguments, suffix: str, read: Callable[..., list[dict[str, str]]]
) -> None:
    run(*report_arguments(4, "--results", f"out.{suffix}", bad=(3,)))
    lines = list(read((tmp_path / f"out.{suffix}").read_text(encoding="utf-8").splitlines()))
    assert [line["state"] for line in lines] == ["confirmed", "confirmed", "rejected", "confirmed"]


def test_plan_says_what_would_happen_and_leaves_no_trace(
    run: Run, sandbox: RunningSandbox, tmp_path: Path, report_arguments: Arguments
) -> None:
    extract, mapping = write_extract(tmp_path, 6, bad=(1,))
    files = set(tmp_path.iterdir())
    plan = ("plan", extract, "-m", mapping, "--mode", "test", "--api-base", sandbox.url, "--ledger", "ledger.db")
    told = run(*plan, "--json")
    assert told.exit_code == 1
    assert told.json["counts"] == {"new": 5, "rejected": 1}
    assert told.json["dry_run"] is True
    assert set(tmp_path.iterdir()) == files
    assert len(sandbox.journal) == 0
    run(*report_arguments(6))
    assert run(*plan, "--json").json["counts"] == {"confirmed": 6}


def test_plan_needs_a_key_or_a_mode(run: Run, tmp_path: Path) -> None:
    extract, mapping = write_extract(tmp_path, 1)
    shown = run("plan", extract, "-m", mapping)
    assert shown.exit_code == 2
    assert "--mode" in shown.err


def test_dry_run_is_a_plan(run: Run, sandbox: RunningSandbox, report_arguments: Arguments) -> None:
    shown = run(*report_arguments(3, "--dry-run"))
    assert shown.exit_code == 0
    assert "Nothing was sent" in shown.out
    assert len(sandbox.journal) == 0


def test_a_changed_row_goes_to_review_which_is_one(run: Run, tmp_path: Path, report_arguments: Arguments) -> None:
    arguments = report_arguments(3, "--json")
    run(*arguments)
    extract = tmp_path / "wires.csv"
    extract.write_text(extract.read_text().replace("2.50", "2.51"))
    changed = run(*arguments)
    assert changed.exit_code == 1
    assert changed.json["counts"] == {"confirmed": 2, "review": 1}


def test_a_stop_rule_is_three_and_says_to_run_again(run: Run, report_arguments: Arguments) -> None:
    shown = run(*report_arguments(30, "--stop-after-rejects", "2", "--concurrency", "1", bad=(1, 2, 3)))
    assert shown.exit_code == 3
    assert "Stopped after" in shown.out
    assert "run the same command again" in shown.out


def test_a_canary_is_three_and_sends_no_more_than_it_may(
    run: Run, sandbox: RunningSandbox, report_arguments: Arguments
) -> None:
    told = run(*report_arguments(30, "--canary", "4", "--json"))
    assert (told.exit_code, told.json["status"], len(sandbox.journal)) == (3, "stopped", 4)


def test_a_refused_key_is_three_and_asks_to_mend_it(run: Run, report_arguments: Arguments) -> None:
    with start_sandbox(SandboxConfig(revoked_keys=frozenset({API_KEY}))) as closed:
        shown = run(*report_arguments(10, "--api-base", closed.url))
    assert shown.exit_code == 3
    assert "Next: mend what stopped it" in shown.out
    assert API_KEY not in shown.out + shown.err


def test_a_live_key_is_refused_before_anything_is_sent(
    run: Run, sandbox: RunningSandbox, report_arguments: Arguments
) -> None:
    live = report_arguments(2, "--api-key", "rk_live_canaryKey51Hx")
    refused = run(*live)
    assert refused.exit_code == 2
    assert "--allow-live" in refused.err
    assert len(sandbox.journal) == 0
    assert run(*live, "--allow-live").exit_code == 0


def test_a_live_key_may_look(run: Run, report_arguments: Arguments) -> None:
    assert run(*report_arguments(2, "--api-key", "rk_live_canaryKey51Hx", "--dry-run")).exit_code == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--api-base", "http://example.com"), "api_base"),
        (("--api-key", "nonsense"), "api_key"),
        (("--api-key", "pk_test_x"), "publishable"),
        (("--stripe-version", "yesterday"), "stripe_version"),
        (("--concurrency", "0"), "--concurrency:"),
        (("--rate", "-1"), "--rate:"),
        (("--canary", "0"), "--canary:"),
        (("--stop-after-rejects", "few"), "--stop-after-rejects"),
        (("--stop-after-rejects", "0"), "--stop-after-rejects:"),
        (("--stop-after-rejects", "100%"), "--stop-after-rejects"),
        (("--results", "out.xlsx"), ".parquet"),
        (("--mapping", "nowhere.yaml"), "nowhere.yaml"),
        (("--field", "amount=gross"), "amount"),
        (("--field", "nonsense"), "--field"),
        (("--key", "no_such_column"), "no_such_column"),
        (("--where", "no such sql"), "where"),
        (("--ledger", "mysql://host/x"), "ledger"),
        (("--ledger", "sqlite:///"), "ledger"),
    ],
)
def test_what_cannot_work_names_the_option_and_sends_nothing(
    run: Run, sandbox: RunningSandbox, report_arguments: Arguments, options: tuple[str, str], said: str
) -> None:
    told = run(*report_arguments(2, *options, "--json"))
    assert told.exit_code == 2
    assert said in told.json["error"]["message"]
    assert len(sandbox.journal) == 0


def test_an_extract_that_is_not_there_is_two(run: Run, api: list[str]) -> None:
    shown = run("report", "nowhere.csv", "--key", "k", *api)
    assert shown.exit_code == 2
    assert "nowhere.csv" in shown.err


def test_a_ledger_that_is_none_is_three(run: Run, tmp_path: Path, report_arguments: Arguments) -> None:
    (tmp_path / "ledger.db").write_text("this is no database, whatever its name says " * 50)
    told = run(*report_arguments(2, "--json"))
    assert told.exit_code == 3
    assert told.json["error"]["type"] == "LedgerSchemaError"


def test_options_alone_are_a_mapping(run: Run, sandbox: RunningSandbox, tmp_path: Path, api: list[str]) -> None:
    extract, _ = write_extract(tmp_path, 3)
    options = [
        *("--source", "wires", "--key", "reference", "--where", "reference <> 'wire-0001'"),
        *("--field", "amount_requested.value=gross;unit=major", "-f", "amount_requested.currency=currency"),
        *("--field", "initiated_at=created", "--constant", "payment_method_details.custom.display_name=Wire"),
    ]
    told = run("report", extract, *options, *api, "--json")
    assert (told.exit_code, told.json["source"], told.json["rows"]) == (0, "wires", 2)
    assert sandbox.records[0]["amount_requested"] == {"currency": "eur", "value": 250}


def test_options_are_put_over_the_mapping_file(run: Run, report_arguments: Arguments) -> None:
    told = run(*report_arguments(3, "--source", "other", "--constant", "description=By option", "--json"))
    assert (told.exit_code, told.json["source"], told.json["counts"]) == (0, "other", {"confirmed": 3})


def test_the_account_of_the_command_line_names_the_scope(run: Run, report_arguments: Arguments) -> None:
    assert run(*report_arguments(1, "--account", "shop", "--json")).json["account"] == "shop@127.0.0.1"


def test_without_a_ledger_option_it_is_in_the_users_data_folder(
    run: Run, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    extract, mapping = write_extract(tmp_path, 1)
    run("report", extract, "-m", mapping, "--api-base", sandbox.url, "--api-key", API_KEY)
    assert (tmp_path / "data" / "payrecords" / "ledger.db").is_file()


def test_the_ledger_of_the_environment_is_used(
    run: Run, sandbox: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAYRECORDS_LEDGER", f"sqlite:///{tmp_path}/there.db")
    extract, mapping = write_extract(tmp_path, 1)
    run("report", extract, "-m", mapping, "--api-base", sandbox.url, "--api-key", API_KEY)
    assert (tmp_path / "there.db").is_file()


def test_the_key_is_in_no_stream_and_no_file(run: Run, tmp_path: Path, report_arguments: Arguments) -> None:
    shown = run(*report_arguments(5, "--results", "results.jsonl", bad=(2,)))
    everything = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert API_KEY not in shown.out + shown.err
    assert b"canaryKey" not in everything


def test_each_payment_is_recorded_once_however_often_it_is_reported(
    run: Run, sandbox: RunningSandbox, report_arguments: Arguments
) -> None:
    sandbox.faults.add("drop_after", "error_after", "drop_before")
    for _ in range(3):
        run(*report_arguments(12, "--json"))
    assert Counter(sandbox.journal.times().values()) == {1: 12}
