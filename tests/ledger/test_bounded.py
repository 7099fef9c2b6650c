"""
What people ask a ledger costs the same however many confirmed payments it holds.

Cost is what the database itself counts: steps of SQLite's machine, blocks that PostgreSQL touches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing
from functools import partial
from typing import Any

import pytest
from sqlalchemy import event

from airflow_provider_payrecords.core.entry import Entry, Scope
from airflow_provider_payrecords.core.lifecycle import Event, State
from airflow_provider_payrecords.ledger.dialect import begin_write
from airflow_provider_payrecords.ledger.schema import entry_values
from airflow_provider_payrecords.ledger.sql import SqlLedger
from airflow_provider_payrecords.ledger.store import Page, Run, RunProgress, Selection
from airflow_provider_payrecords.ledger.urls import open_ledger
from tests.ledger.samples import ANNA, BERT, NOW, OTHER_SCOPES, SCOPE, intent, outcome

FEW, MANY = 300, 15_000
OPEN = frozenset({State.UNKNOWN, State.REVIEW})
LAST = OTHER_SCOPES[0]
"""The scope after which PostgreSQL expects nothing more, and might walk to see so."""


def second_page(ledger: SqlLedger, selection: Selection) -> Page:
    return ledger.page(selection, 295, ledger.page(selection, 295).after)


QUESTIONS: dict[str, Callable[[SqlLedger], Any]] = {
    "a run": lambda ledger: ledger.run(BERT.run_id),
    "runs": lambda ledger: ledger.runs(),
    "runs of an account": lambda ledger: ledger.runs(before="r1", account="acct_1"),
    "progress": lambda ledger: ledger.progress(BERT.run_id),
    "the last progress": lambda ledger: ledger.last_progress(BERT.run_id),
    "reasons": lambda ledger: ledger.reasons(BERT.run_id),
    "history": lambda ledger: ledger.history(LAST, "a-u"),
    "a key": lambda ledger: ledger.find("k000100"),
    "the begin of a key": lambda ledger: ledger.find("k0001"),
    "a key that is not there": lambda ledger: ledger.find("zzz"),
    "what a run left": lambda ledger: ledger.page(Selection(run_id=BERT.run_id)),
    "what a run left, by code": lambda ledger: ledger.page(Selection(run_id=BERT.run_id, error_code="none")),
    "the next page of it": lambda ledger: second_page(ledger, Selection(run_id=BERT.run_id)),
    "what is open": lambda ledger: ledger.page(Selection(states=OPEN)),
    "what is open in a scope": lambda ledger: ledger.page(Selection(account="acct_2", mode="test", states=OPEN)),
    "all that is out of the ordinary": lambda ledger: ledger.page(Selection()),
    "the next page of that": lambda ledger: second_page(ledger, Selection(account="acct_2")),
}


class Meter:
    """Counts what *ledger*'s database does for a question."""

    def __init__(self, ledger: SqlLedger) -> None:
        self.count = 0
        if ledger.is_queueing:
            ledger.close()
            event.listen(ledger._engine, "connect", lambda connection, _: connection.set_progress_handler(self.step, 1))
        else:
            event.listen(ledger._engine, "before_cursor_execute", self.explain)

    def step(self) -> int:
        self.count += 1
        return 0

    def explain(self, connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        with connection.connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", parameters)
            plan = cursor.fetchone()[0][0]["Plan"]
        self.count += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]

    def of(self, question: Callable[[], Any]) -> int:
        question()  # prepared, and its pages read
        before = self.count
        question()
        return self.count - before


def put(ledger: SqlLedger, scope: Scope, keys: Iterable[str], state: State) -> None:
    rows = [entry_values(Entry(scope, key, state, "f", "i", NOW, NOW, run_id=BERT.run_id)) for key in keys]
    with begin_write(ledger._engine) as connection:
        ledger._entries.put(connection, rows)


def fill(ledger: SqlLedger, confirmed: int) -> None:
    for scope in (SCOPE, *OTHER_SCOPES):
        put(ledger, scope, (f"k{number:06}" for number in range(confirmed)), State.CONFIRMED)
    put(ledger, LAST, (f"a-r{number}" for number in range(300)), State.REJECTED)
    odd = {"a-u": Event.LOST, "a-v": Event.KEY_CLASH}
    for worker in (ANNA, BERT):
        ledger.claim(LAST, [intent(key, content=worker.owner) for key in odd], worker, NOW)
        ledger.settle(LAST, [outcome(one, key, content=worker.owner) for key, one in odd.items()], NOW)
    for run_id in ("r1", BERT.run_id):
        ledger.start_run(Run(run_id, SCOPE, "extract.csv", NOW))
    ledger.save_progress(RunProgress(BERT.run_id, NOW, {}, {}, 0, 0, 20.0), [])
    with begin_write(ledger._engine) as connection:
        if not ledger.is_queueing:
            connection.exec_driver_sql("ANALYZE")


def costs(url: Callable[[], str]) -> dict[str, list[int]]:
    """Return what each question costs, in a ledger of few and in one of many payments."""
    found: dict[str, list[int]] = {name: [] for name in QUESTIONS}
    for confirmed in (FEW, MANY):
        with closing(open_ledger(url())) as ledger:
            fill(ledger, confirmed)
            meter = Meter(ledger)
            for name, ask in QUESTIONS.items():
                found[name].append(meter.of(partial(ask, ledger)))
    return found


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[int]]:
    return costs(lambda: str(tmp_path_factory.mktemp("bounded") / "ledger.db"))


@pytest.mark.parametrize("question", QUESTIONS)
def test_sqlite_does_not_walk_over_the_confirmed_payments(steps: dict[str, list[int]], question: str) -> None:
    few, many = steps[question]
    assert few > 10
    assert many <= 1.5 * few + 100


def test_postgresql_does_not_walk_over_the_confirmed_payments(empty_postgresql: Callable[[], str]) -> None:
    found = costs(empty_postgresql)
    # A larger table is read by its indexes, a block or two for each look. A walk would touch thousands.
    assert {name: (few, many) for name, (few, many) in found.items() if many > few + 200} == {}
