"""What people ask a ledger costs the same however many confirmed payments it holds: counted in SQLite's own steps."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Any

import pytest
from sqlalchemy import event

from airflow_provider_payrecords.core.entry import Entry
from airflow_provider_payrecords.core.lifecycle import Event, State
from airflow_provider_payrecords.ledger.dialect import begin_write
from airflow_provider_payrecords.ledger.schema import entry_values
from airflow_provider_payrecords.ledger.sql import SqlLedger
from airflow_provider_payrecords.ledger.store import Run, RunProgress, Selection
from airflow_provider_payrecords.ledger.urls import open_ledger
from tests.ledger.samples import ANNA, BERT, NOW, OTHER_SCOPES, SCOPE, intent, outcome

FEW, MANY = 300, 15_000
OPEN = frozenset({State.UNKNOWN, State.REVIEW})

QUESTIONS: dict[str, Callable[[SqlLedger], Any]] = {
    "a run": lambda ledger: ledger.run(ANNA.run_id),
    "runs": lambda ledger: ledger.runs(),
    "runs of an account": lambda ledger: ledger.runs(before="r1", account="acct_1"),
    "progress": lambda ledger: ledger.progress(ANNA.run_id),
    "the last progress": lambda ledger: ledger.last_progress(ANNA.run_id),
    "reasons": lambda ledger: ledger.reasons(ANNA.run_id),
    "history": lambda ledger: ledger.history(SCOPE, "odd-u"),
    "a key": lambda ledger: ledger.find("k000100"),
    "the begin of a key": lambda ledger: ledger.find("k0001"),
    "a key that is not there": lambda ledger: ledger.find("zzz"),
    "what a run left": lambda ledger: ledger.page(Selection(run_id=ANNA.run_id)),
    "what a run left, by code": lambda ledger: ledger.page(Selection(run_id=ANNA.run_id, error_code="none")),
    "what is open": lambda ledger: ledger.page(Selection(states=OPEN)),
    "what is open in a scope": lambda ledger: ledger.page(Selection(account="acct_1", mode="test", states=OPEN)),
    "all that is out of the ordinary": lambda ledger: ledger.page(Selection()),
}


class Steps:
    """Counts the steps of SQLite's machine."""

    def __init__(self, ledger: SqlLedger) -> None:
        self.count = 0
        ledger._engine.dispose()
        event.listen(ledger._engine, "connect", lambda connection, _: connection.set_progress_handler(self.step, 1))

    def step(self) -> int:
        self.count += 1
        return 0

    def of(self, question: Callable[[], Any]) -> int:
        question()  # prepared, and its pages read
        before = self.count
        question()
        return self.count - before


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[int]]:
    """Return what each question costs, in a ledger of few and in one of many payments."""
    costs: dict[str, list[int]] = {name: [] for name in QUESTIONS}
    for confirmed in (FEW, MANY):
        with closing(open_ledger(tmp_path_factory.mktemp("bounded") / "ledger.db")) as ledger:
            fill(ledger, confirmed)
            counter = Steps(ledger)
            for name, ask in QUESTIONS.items():
                costs[name].append(counter.of(partial(ask, ledger)))
    return costs


def fill(ledger: SqlLedger, confirmed: int) -> None:
    for scope in (SCOPE, *OTHER_SCOPES):
        rows = [
            Entry(scope, f"k{number:06}", State.CONFIRMED, "f", "i", NOW, NOW, run_id=ANNA.run_id)
            for number in range(confirmed)
        ]
        with begin_write(ledger._engine) as connection:
            ledger._entries.put(connection, [entry_values(entry) for entry in rows])
    odd = {"odd-u": Event.LOST, "odd-r": Event.REFUSED, "odd-v": Event.KEY_CLASH}
    ledger.claim(SCOPE, [intent(key) for key in odd], BERT, NOW)
    ledger.settle(SCOPE, [outcome(one, key) for key, one in odd.items()], NOW)
    ledger.claim(SCOPE, [intent("odd-u")], ANNA, NOW)
    for run_id in ("r1", ANNA.run_id):
        ledger.start_run(Run(run_id, SCOPE, "extract.csv", NOW))
    ledger.save_progress(RunProgress(ANNA.run_id, NOW, {}, {}, 0, 0, 20.0), [])


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_does_not_walk_over_the_confirmed_payments(steps: dict[str, list[int]], question: str) -> None:
    few, many = steps[question]
    assert few > 10
    assert many <= 1.5 * few + 100
