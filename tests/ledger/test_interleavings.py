"""Any order of claims, outcomes and deaths: the durable ledger does what the one in memory does."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from airflow_provider_payrecords.core.entry import SENDING, Entry, Worker
from airflow_provider_payrecords.core.errors import IllegalTransitionError, LedgerError
from airflow_provider_payrecords.core.lifecycle import Event, State
from airflow_provider_payrecords.ledger.memory import MemoryLedger
from airflow_provider_payrecords.ledger.store import BrowsableStore, Selection
from airflow_provider_payrecords.ledger.urls import open_ledger
from tests.ledger.samples import NOW, SCOPE, intent, outcome

KEYS = ("k1", "k2")
OUTCOMES = (Event.ACCEPTED, Event.REFUSED, Event.NOT_SENT, Event.LOST, Event.KEY_CLASH, Event.FOUND, Event.ABSENT)
contents = st.sampled_from("aaab")
rows = st.lists(st.tuples(st.sampled_from(KEYS), contents), min_size=1, max_size=4)
words = st.tuples(st.sampled_from(KEYS), contents, st.sampled_from(OUTCOMES))
names = st.sampled_from(["anna", "bert", "carl"])


class TwoLedgers(RuleBasedStateMachine):
    """The same calls to both ledgers; every answer and all that is stored must be equal."""

    empty_postgresql: Callable[[], str] | None = None

    @initialize()
    def open(self) -> None:
        self.now = NOW
        self.folder = tempfile.TemporaryDirectory()
        self.url = self.empty_postgresql() if self.empty_postgresql else str(Path(self.folder.name, "ledger.db"))
        self.sql = open_ledger(self.url)
        self.memory = MemoryLedger()
        self.accepted: set[tuple[str, str]] = set()
        self.held: dict[str, Entry] = {}

    def teardown(self) -> None:
        if hasattr(self, "sql"):
            self.sql.close()
            self.folder.cleanup()

    def both(self, call: Callable[[BrowsableStore], Any]) -> Any:
        answers = []
        for ledger in (self.memory, self.sql):
            try:
                answers.append(call(ledger))
            except (LedgerError, IllegalTransitionError) as error:
                answers.append((type(error), str(error)))
        assert answers[0] == answers[1]
        return answers[0]

    @rule(seconds=st.sampled_from([0.000_001, 1, 119, 130, 40_000, 90_000]))
    def time_passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(rows=rows, name=names)
    def claim(self, rows: list[tuple[str, str]], name: str) -> None:
        worker = Worker(f"host:1:{name}", f"run-{name}", lease_seconds=120)
        intents = [intent(key, content) for key, content in rows]
        for decision in self.both(lambda ledger: ledger.claim(SCOPE, intents, worker, self.now)):
            if decision.action not in SENDING:
                continue
            before = self.held.get(decision.entry.key)
            if before is not None and before.may_exist | (before.state is State.CLAIMED):
                assert decision.entry.idempotency_key == before.idempotency_key
            self.held[decision.entry.key] = decision.entry

    @precondition(lambda self: self.held)
    @rule(words=st.lists(words, min_size=1, max_size=3))
    def settle(self, words: list[tuple[str, str, Event]]) -> None:
        settlements = [outcome(event, key, content) for key, content, event in words]
        self.accepted |= {(one.key, one.idempotency_key) for one in settlements if one.payment_record}
        self.both(lambda ledger: ledger.settle(SCOPE, settlements, self.now))

    @rule(owners=st.sets(names.map("host:1:{}".format), min_size=1))
    def workers_are_found_dead(self, owners: set[str]) -> None:
        self.both(lambda ledger: ledger.lapse(SCOPE, owners, self.now))

    @rule()
    def the_ledger_is_opened_again(self) -> None:
        self.sql.close()
        self.sql = open_ledger(self.url)

    @invariant()
    def both_hold_the_same(self) -> None:
        self.held = self.both(lambda ledger: ledger.look_up(SCOPE, KEYS))
        self.both(lambda ledger: list(ledger.entries(Selection())))
        self.both(lambda ledger: ledger.counts(Selection()))
        self.both(lambda ledger: ledger.owners(SCOPE))
        self.both(lambda ledger: ledger.page(Selection()))
        self.both(lambda ledger: [ledger.history(SCOPE, key) for key in KEYS])

    @invariant()
    def nothing_is_confirmed_without_proof(self) -> None:
        for entry in self.held.values():
            if entry.state is State.CONFIRMED:
                assert (entry.key, entry.idempotency_key) in self.accepted


def test_sqlite_does_what_the_ledger_in_memory_does() -> None:
    run_state_machine_as_test(TwoLedgers, settings=settings(max_examples=40, stateful_step_count=15, deadline=None))


def test_postgresql_does_what_the_ledger_in_memory_does(empty_postgresql: Callable[[], str]) -> None:
    class OnPostgresql(TwoLedgers):
        pass

    OnPostgresql.empty_postgresql = staticmethod(empty_postgresql)
    run_state_machine_as_test(OnPostgresql, settings=settings(max_examples=20, stateful_step_count=15, deadline=None))
