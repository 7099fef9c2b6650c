"""``payrecords reconcile`` against a real sandbox: exit codes, what is shown, and what cannot work."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from airflow_provider_payrecords.sandbox import Fault, FaultKind, RunningSandbox
from tests.cli.command import API_KEY, write_extract
from tests.cli.conftest import Run

Arguments = Callable[..., list[str]]


@pytest.fixture
def compare(run: Run, report_arguments: Arguments) -> list[str]:
    """Return the arguments that compare three reported rows."""
    arguments = report_arguments(3)
    assert run(*arguments).exit_code == 0
    return ["reconcile", *arguments[1:]]


def test_all_agree_is_zero(run: Run, compare: list[str]) -> None:
    shown = run(*compare)
    assert shown.exit_code == 0
    assert "3 rows, all agree; 1 requests." in shown.out
    lines = [line.split() for line in shown.out.splitlines()]
    assert ["EUR", "7.50", "7.50", "7.50", "0.00"] in lines
    assert run(*compare, "--json").json["counts"] == {"agrees": 3}


def test_differences_are_one_and_in_the_results(run: Run, compare: list[str], tmp_path: Path) -> None:
    write_extract(tmp_path, 4)
    shown = run(*compare, "--results", "found.csv")
    assert shown.exit_code == 1
    assert "4 rows, 1 differences" in shown.out
    (line,) = (line for line in shown.out.splitlines() if "wire-0004" in line)
    assert line.split()[:3] == ["4", "wire-0004", "missing"]
    found = list(csv.DictReader((tmp_path / "found.csv").read_text("utf-8").splitlines()))
    assert [row["finding"] for row in found] == ["agrees", "agrees", "agrees", "missing"]
    assert API_KEY not in shown.out + (tmp_path / "found.csv").read_text("utf-8")


def test_extras_that_were_not_looked_for_are_said(run: Run, compare: list[str], sandbox: RunningSandbox) -> None:
    sandbox.faults.add(Fault(kind=FaultKind.RATE_LIMIT, times=99, endpoint="list_payment_records"))
    stopped = run(*compare, "--json", "--without-list")
    assert (stopped.exit_code, stopped.json["extras_checked"]) == (0, False)
    shown = run(*compare, "--without-list")
    assert "Extra records were not looked for" in shown.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--created-after", "yesterday"), "--created-after"),
        (("--created-after", "2026-11-23T00:00:00"), "--created-after"),
        (("--created-after", "2999-01-01T00:00:00Z"), "must lie before"),
        (("--rate", "0"), "--rate"),
        (("--results", "out.xlsx"), "end its name"),
    ],
)
def test_wrong_usage_is_two(run: Run, compare: list[str], options: tuple[str, ...], said: str) -> None:
    shown = run(*compare, *options)
    assert shown.exit_code == 2
    assert said in shown.err


def test_a_key_that_is_none_and_a_ledger_that_is_not_there_are_wrong_usage(run: Run, compare: list[str]) -> None:
    wrong = ["nokey" if one == API_KEY else one for one in compare]
    assert run(*wrong).exit_code == 2
    assert run(*compare, "--ledger", "nowhere.db").exit_code == 2


def test_rate_may_stand_in_the_environment(run: Run, compare: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    place = compare.index("--rate")
    unrated = compare[:place] + compare[place + 2 :]
    monkeypatch.setenv("PAYRECORDS_RATE", "0")
    shown = run(*unrated)
    assert shown.exit_code == 2
    assert "--rate" in shown.err
    assert run(*compare).exit_code == 0
