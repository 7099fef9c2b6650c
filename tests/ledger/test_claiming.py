"""Workers on one PostgreSQL ledger at the same moment: side by side on other rows, one after the other on the same."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from airflow_provider_payrecords.core.entry import Action, Decision, Intent, Worker, settle
from airflow_provider_payrecords.core.errors import LedgerUnavailableError
from airflow_provider_payrecords.core.lifecycle import Event, State
from airflow_provider_payrecords.ledger.claiming import Claiming
from airflow_provider_payrecords.ledger.dialect import begin_write
from airflow_provider_payrecords.ledger.sql import SqlLedger
from airflow_provider_payrecords.ledger.urls import open_ledger
from tests.ledger.samples import ANNA, BERT, NOW, SCOPE, intent, later, outcome

DEADLINE_SECONDS = 30


@pytest.fixture
def url(empty_postgresql: Callable[[], str]) -> str:
    return empty_postgresql()


@pytest.fixture
def ledger(url: str) -> Iterator[SqlLedger]:
    store = open_ledger(url)
    yield store
    store.close()


class Aside:
    """Another worker, in a thread of its own."""

    def __init__(self, ledger: SqlLedger, pool: ThreadPoolExecutor) -> None:
        self._ledger = ledger
        self._pool = pool

    def starts(self, call: Callable[[], Any]) -> Future[Any]:
        """Start *call*, and return once it waits for a lock in the database."""
        future = self._pool.submit(call)
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not self._waits():
            assert not future.done() or future.exception() is None, future.exception()
            assert not future.done(), "it did not wait"
            assert time.monotonic() < deadline, "it neither waits nor ends"
        return future

    def _waits(self) -> bool:
        sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        with self._ledger._engine.connect() as connection:
            return bool(connection.exec_driver_sql(sql).scalar())


@pytest.fixture
def aside(ledger: SqlLedger) -> Iterator[Aside]:
    with ThreadPoolExecutor(1) as pool:
        yield Aside(ledger, pool)


@contextmanager
def uncommitted(ledger: SqlLedger, intents: list[Intent], now: datetime = NOW) -> Iterator[Connection]:
    """Claim for Anna in a transaction that is committed at the end of the block."""
    with begin_write(ledger._engine) as connection:
        Claiming(ledger, SCOPE, intents, ANNA, now)(connection)
        yield connection


def claim(ledger: SqlLedger, *intents: Intent, now: datetime = NOW) -> list[Decision]:
    return ledger.claim(SCOPE, list(intents), BERT, now)


def test_of_two_that_claim_a_new_payment_at_once_the_later_waits_and_is_held(ledger: SqlLedger, aside: Aside) -> None:
    with uncommitted(ledger, [intent()]):
        other = aside.starts(lambda: claim(ledger, intent()))
    [decision] = other.result(DEADLINE_SECONDS)
    assert (decision.action, decision.entry.owner) == (Action.HELD, ANNA.owner)
    assert ledger.look_up(SCOPE, ["k1"])["k1"] == decision.entry


def test_another_content_claimed_at_the_same_moment_gets_no_second_key(ledger: SqlLedger, aside: Aside) -> None:
    with uncommitted(ledger, [intent(content="a")]):
        other = aside.starts(lambda: claim(ledger, intent(content="b")))
    [decision] = other.result(DEADLINE_SECONDS)
    assert decision.action is Action.HELD
    assert decision.entry.idempotency_key == intent(content="a").idempotency_key


def test_a_claim_that_is_rolled_back_leaves_the_payment_to_the_one_who_waits(ledger: SqlLedger, aside: Aside) -> None:
    with uncommitted(ledger, [intent()]) as connection:
        other = aside.starts(lambda: claim(ledger, intent()))
        connection.rollback()
    [decision] = other.result(DEADLINE_SECONDS)
    assert (decision.action, decision.entry.owner) == (Action.SEND, BERT.owner)


@pytest.mark.parametrize(
    ("event", "action"), [(Event.LOST, Action.RESEND), (Event.NOT_SENT, Action.SEND), (Event.REFUSED, Action.SEND)]
)
def test_of_two_that_take_up_an_open_payment_at_once_one_sends_it(
    ledger: SqlLedger, aside: Aside, event: Event, action: Action
) -> None:
    ledger.claim(SCOPE, [intent()], ANNA, NOW)
    ledger.settle(SCOPE, [outcome(event)], NOW)
    again = intent(content="b") if event is Event.REFUSED else intent()
    with begin_write(ledger._engine) as connection:
        [first] = Claiming(ledger, SCOPE, [again], ANNA, later(seconds=1))(connection)
        other = aside.starts(lambda: claim(ledger, again, now=later(seconds=1)))
    [second] = other.result(DEADLINE_SECONDS)
    assert (first.action, second.action) == (action, Action.HELD)
    assert second.entry == first.entry


def test_a_batch_waits_only_for_the_rows_it_shares_and_is_decided_in_its_order(ledger: SqlLedger, aside: Aside) -> None:
    ledger.claim(SCOPE, [intent("k0"), intent("k2")], ANNA, NOW)
    ledger.settle(SCOPE, [outcome(Event.ACCEPTED, "k0"), outcome(Event.LOST, "k2")], NOW)
    with uncommitted(ledger, [intent("k2"), intent("k4")]):
        other = aside.starts(lambda: claim(ledger, *(intent(f"k{number}") for number in (5, 4, 3, 2, 1, 0))))
    actions = [decision.action for decision in other.result(DEADLINE_SECONDS)]
    assert actions == [Action.SEND, Action.HELD, Action.SEND, Action.HELD, Action.SEND, Action.DONE]


def test_workers_on_other_rows_do_not_wait(url: str, ledger: SqlLedger) -> None:
    ledger.claim(SCOPE, [intent("k1"), intent("done")], ANNA, NOW)
    ledger.settle(SCOPE, [outcome(Event.ACCEPTED, "done")], NOW)
    impatient = open_ledger(url, busy_timeout_seconds=0.05)
    with uncommitted(ledger, [intent("k2"), intent("k4")]):
        assert [one.action for one in claim(impatient, intent("k3"), intent("done"))] == [Action.SEND, Action.DONE]
        [entry] = impatient.settle(SCOPE, [outcome(Event.ACCEPTED, "k1")], NOW)
        assert impatient.lapse(SCOPE, [BERT.owner], NOW) == 1
        assert impatient.look_up(SCOPE, ["k2"]) == {}
    impatient.close()
    assert entry.state is State.CONFIRMED


def test_waiting_for_a_row_ends_with_an_error_that_says_so(url: str, ledger: SqlLedger) -> None:
    impatient = open_ledger(url, busy_timeout_seconds=0.05)
    with (
        uncommitted(ledger, [intent("secret-key")]),
        pytest.raises(LedgerUnavailableError, match="let it finish, then run again") as caught,
    ):
        claim(impatient, intent("secret-key"))
    assert "secret-key" not in str(caught.value)
    assert claim(impatient, intent("k2"))[0].action is Action.SEND
    impatient.close()


def test_a_worker_that_is_frozen_in_a_transaction_does_not_keep_its_rows(ledger: SqlLedger) -> None:
    with suppress(DBAPIError), uncommitted(ledger, [intent()]) as connection:
        assert connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar() == "15s"
        assert connection.exec_driver_sql("SHOW lock_timeout").scalar() == "30s"
        connection.exec_driver_sql("SET idle_in_transaction_session_timeout = 200")
        [decision] = claim(ledger, intent())  # waits until the server has ended the other one
    assert (decision.action, decision.entry.owner) == (Action.SEND, BERT.owner)


def test_an_outcome_that_comes_while_its_claim_lapses_is_not_lost(ledger: SqlLedger, aside: Aside) -> None:
    ledger.claim(SCOPE, [intent()], ANNA, NOW)
    with begin_write(ledger._engine) as connection:
        ledger.fetch(connection, SCOPE, ["k1"], lock=True)
        lapsing = aside.starts(lambda: ledger.lapse(SCOPE, [ANNA.owner], later(seconds=5)))
        claimed = ledger.fetch(connection, SCOPE, ["k1"], lock=True)["k1"]
        ledger.put(connection, [settle(claimed, outcome(Event.ACCEPTED), later(seconds=4))])
    assert lapsing.result(DEADLINE_SECONDS) == 0
    assert ledger.look_up(SCOPE, ["k1"])["k1"].state is State.CONFIRMED


def test_an_entry_removed_while_it_was_being_claimed_is_claimed_as_new(ledger: SqlLedger, aside: Aside) -> None:
    ledger.claim(SCOPE, [intent()], ANNA, NOW)
    ledger.settle(SCOPE, [outcome(Event.REFUSED)], NOW)
    with begin_write(ledger._engine) as connection:
        connection.exec_driver_sql("DELETE FROM entries")
        other = aside.starts(lambda: claim(ledger, intent(content="b"), now=later(seconds=1)))
    [decision] = other.result(DEADLINE_SECONDS)
    assert (decision.action, decision.entry.created_at) == (Action.SEND, later(seconds=1))


def test_many_workers_in_all_orders_wait_for_each_other_without_a_circle(url: str, ledger: SqlLedger) -> None:
    names = [f"k{number:02}" for number in range(40)]
    sent: list[tuple[str, str]] = []
    errors: list[BaseException] = []
    start = threading.Barrier(6)

    def work(number: int) -> None:
        store = open_ledger(url)
        worker = Worker(f"host:{number}:w", f"run-{number}", lease_seconds=3_600)
        try:
            start.wait()
            for turn in range(12):
                now = datetime.now(timezone.utc)
                order = sorted(names, key=lambda name: hash((name, number, turn)))[:25]
                mine = [
                    one.entry
                    for one in store.claim(SCOPE, [intent(key) for key in order], worker, now)
                    if one.action in (Action.SEND, Action.RESEND)
                ]
                sent.extend((entry.key, entry.idempotency_key) for entry in mine)
                event = (Event.LOST, Event.NOT_SENT, Event.REFUSED)[turn % 3]
                store.settle(SCOPE, [outcome(event, entry.key, owner=worker.owner) for entry in mine[::-1]], now)
                store.lapse(SCOPE, [f"host:{turn % 6}:w"], now)
        except BaseException as error:  # noqa: BLE001 - told by the thread that waits
            errors.append(error)
        finally:
            store.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_SECONDS * 4)
    assert errors == []
    assert {key for key, _ in sent} == set(names)
    assert len(set(sent)) == len(names)
    assert _deadlocks(ledger) == 0


def _deadlocks(ledger: SqlLedger) -> int:
    with ledger._engine.connect() as connection:
        sql = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        return int(connection.exec_driver_sql(sql).scalar_one())
