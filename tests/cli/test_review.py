"""``payrecords review``: what is listed, what is asked, and what a person may say; exit codes and words."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from airflow_provider_payrecords.sandbox import Fault, FaultKind, RunningSandbox
from tests.cli.conftest import Run

Arguments = Callable[..., list[str]]
LIST_IS_DOWN = Fault(kind=FaultKind.UNAVAILABLE, times=99, endpoint="list_payment_records")
QUICK = ("--ledger", "ledger.db")


@pytest.fixture
def stuck(run: Run, sandbox: RunningSandbox, report_arguments: Arguments) -> list[str]:
    """Return the arguments of a run whose second row the API failed at, for ever under its key."""
    sandbox.faults.add(Fault(kind=FaultKind.ERROR_BEFORE, skip=1, saved=True, endpoint="report_payment"))
    arguments = report_arguments(2, "--concurrency", "1")
    assert run(*arguments).exit_code == 1
    return arguments


def test_what_is_open_is_listed_with_reason_and_next_step_and_without_a_key(run: Run, stuck: list[str]) -> None:
    shown = run("review", *QUICK)
    assert shown.exit_code == 0
    (line,) = (line for line in shown.out.splitlines() if "wire-0002" in line)
    assert "stored_server_error" in line
    assert "payrecords review resolve" in line
    (entry,) = run("review", *QUICK, "--json").json["open"]
    assert (entry["key"], entry["state"]) == ("wire-0002", "review")
    assert "Nothing is open" in run("review", *QUICK, "--source", "other").out


def test_a_payment_that_is_absent_is_sent_by_the_next_run(
    run: Run, stuck: list[str], api: list[str], sandbox: RunningSandbox
) -> None:
    said = run("review", "resolve", "wire-0002", "--absent", *api)
    assert (said.exit_code, said.err) == (0, "On your word: that no record without our metadata is this payment.\n")
    assert "wire-0002 is planned now: the next run sends it, under the idempotency key that follows." in said.out
    assert run(*stuck).exit_code == 0
    assert sandbox.journal.times() == {"wire-0001": 1, "wire-0002": 1}
    again = run("review", "resolve", "wire-0002", "--absent", *api)
    assert (again.exit_code, "has a record" in again.err) == (1, True)


def test_a_look_finds_nothing_and_says_so_or_that_it_could_not_look(
    run: Run, stuck: list[str], api: list[str], sandbox: RunningSandbox
) -> None:
    looked = run("review", "--look", *api)
    assert (looked.exit_code, "0 found and confirmed, 1 left" in looked.out) == (1, True)
    sandbox.faults.add(LIST_IS_DOWN)
    down = run("review", "--look", "--json", *api)
    assert (down.exit_code, down.json["complete"]) == (3, False)


def test_a_record_that_took_effect_is_found(run: Run, sandbox: RunningSandbox, report_arguments: Arguments) -> None:
    sandbox.faults.add(Fault(kind=FaultKind.ERROR_AFTER, endpoint="report_payment"), LIST_IS_DOWN)
    arguments = report_arguments(1)
    assert run(*arguments).exit_code == 1
    api = arguments[arguments.index("--api-base") : arguments.index("--rate")]
    sandbox.faults.clear()
    record = sandbox.records[0]["id"]
    wrong = run("review", "resolve", "wire-0001", "--found", "pr_nobody", *api)
    assert (wrong.exit_code, "Nothing was changed" in wrong.err) == (2, True)
    said = run("review", "resolve", "wire-0001", "--found", record, "--json", *api)
    assert (said.exit_code, said.json["entry"]["payment_record"]) == (0, record)
    assert run("review", "--look", *api).exit_code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--absent"], "Say which payment"),
        (["resolve"], "review resolve KEY"),
        (["settle", "wire-0002"], "review resolve KEY"),
        (["resolve", "wire-0002"], "--found ID or --absent"),
        (["resolve", "wire-0002", "--absent", "--found", "pr_1"], "one of the two"),
        (["resolve", "wire-0002", "--absent", "--look"], "one of the two"),
        (["resolve", "nobody", "--absent"], "has no payment nobody"),
        (["resolve", "wire-0002", "--absent", "--mode", "live"], "--mode live"),
    ],
)
def test_wrong_usage_is_two(run: Run, stuck: list[str], api: list[str], words: list[str], said: str) -> None:
    shown = run("review", *words, *api)
    assert shown.exit_code == 2
    assert said in shown.err


def test_a_look_needs_a_key_and_a_ledger(run: Run, stuck: list[str], api: list[str]) -> None:
    assert run("review", "--look", *QUICK).exit_code == 2
    assert run("review", "--ledger", "nowhere.db").exit_code == 2
    other = run("review", "resolve", "wire-0002", "--absent", *api[:-2], *QUICK, "--account", "other")
    assert (other.exit_code, "no payment" in other.err) == (2, True)
