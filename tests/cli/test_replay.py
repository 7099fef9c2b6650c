"""``payrecords replay`` against a real sandbox: which rows it takes, and what it says."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from airflow_provider_payrecords.sandbox.server import RunningSandbox
from tests.cli.conftest import Run

Arguments = Callable[..., list[str]]
CANCELED = ("--constant", "outcome=canceled", "--constant", "canceled.canceled_at=1793610100")


@pytest.fixture
def rejected(run: Run, report_arguments: Arguments) -> list[str]:
    """Return the arguments of a replay over four rows that an old API version refused."""
    arguments = report_arguments(4, *CANCELED)
    assert run(*arguments, "--stripe-version", "2026-08-26.dahlia").exit_code == 1
    return ["replay", *arguments[1:]]


def test_rows_that_are_named_are_sent_and_the_rest_is_left_alone(
    run: Run, rejected: list[str], sandbox: RunningSandbox
) -> None:
    some = run(*rejected, "--row", "2-3", "--json")
    assert (some.exit_code, some.json["counts"], some.json["left_alone"]) == (0, {"confirmed": 2}, 2)
    one = run(*rejected, "--payment", "wire-0001")
    assert one.exit_code == 0
    assert "1 confirmed now, 0 confirmed before and not sent again, 3 other rows left alone" in one.out
    assert set(sandbox.journal.times()) == {"wire-0001", "wire-0002", "wire-0003"}


def test_a_dry_replay_sends_nothing(run: Run, rejected: list[str], sandbox: RunningSandbox) -> None:
    dry = run(*rejected, "--all", "--dry-run", "--json")
    assert (dry.exit_code, dry.json["counts"]) == (0, {"new": 4})
    assert len(sandbox.journal) == 0


def test_what_is_not_in_the_extract_is_said(run: Run, rejected: list[str]) -> None:
    shown = run(*rejected, "--payment", "wire-0001", "--payment", "nobody")
    assert shown.exit_code == 1
    assert "the extract has no nobody" in shown.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "Say which rejects"),
        (("--all", "--code", "x"), "Say which rejects"),
        (("--row", "x"), "a number such as 7"),
        (("--row", "3-"), "a number such as 7"),
        (("--row", "0"), "no span of rows"),
        (("--row", "9-7"), "no span of rows"),
        (("--row", "1-99999"), "no span of rows"),
    ],
)
def test_wrong_usage_is_two(run: Run, rejected: list[str], options: tuple[str, ...], said: str) -> None:
    shown = run(*rejected, *options)
    assert shown.exit_code == 2
    assert said in shown.err


def test_without_a_ledger_there_is_nothing_to_replay(run: Run, rejected: list[str]) -> None:
    elsewhere = ["nowhere.db" if one == "ledger.db" else one for one in rejected]
    shown = run(*elsewhere, "--all")
    assert shown.exit_code == 2
    assert "There is no ledger" in shown.err


def test_a_live_key_needs_a_word(run: Run, rejected: list[str]) -> None:
    live = ["rk_live_x" if one.startswith("sk_test") else one for one in rejected]
    assert run(*live, "--all").exit_code == 2
