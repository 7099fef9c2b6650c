"""A server that goes away: waited for within bounds, and nothing is done twice because an answer was lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy.exc import DBAPIError, OperationalError

from airflow_provider_payrecords.core.entry import Action
from airflow_provider_payrecords.core.errors import LedgerUnavailableError
from airflow_provider_payrecords.core.lifecycle import Event, State
from airflow_provider_payrecords.ledger.dialect import is_passing
from airflow_provider_payrecords.ledger.patience import MovedError, Patience
from airflow_provider_payrecords.ledger.sql import SqlLedger
from airflow_provider_payrecords.ledger.store import Run, Selection
from airflow_provider_payrecords.ledger.urls import open_ledger
from tests.ledger.samples import ANNA, BERT, NOW, SCOPE, intent, later, outcome
from tests.ledger.wire import Wire, wire_to


class SaidError(Exception):
    """What psycopg raises: a text, and a state if the server answered in a session."""

    def __init__(self, text: str, sqlstate: str | None = None) -> None:
        super().__init__(text)
        self.sqlstate = sqlstate


def failing(times: int, error: Exception) -> Callable[[], str]:
    left = [error] * times

    def transaction() -> str:
        if left:
            raise left.pop()
        return "done"

    return transaction


AWAY = OperationalError("SELECT 1", {}, SaidError("connection refused"))


def test_each_wait_is_longer_and_all_are_bounded() -> None:
    waits: list[float] = []
    with pytest.raises(OperationalError):
        Patience(seconds=10, sleep=waits.append).insist(failing(1_000, AWAY), is_passing)
    assert waits[:4] == [0.05, 0.1, 0.2, 0.4]
    assert max(waits) == 2.0
    assert sum(waits) == pytest.approx(10)


def test_a_transaction_is_begun_anew_until_it_succeeds() -> None:
    waits: list[float] = []
    assert Patience(sleep=waits.append).insist(failing(3, AWAY), is_passing) == "done"
    assert len(waits) == 3


def test_without_patience_the_first_error_is_the_last() -> None:
    with pytest.raises(OperationalError):
        Patience(seconds=0).insist(failing(1, AWAY), is_passing)


def test_nobody_waits_for_what_does_not_pass() -> None:
    waits: list[float] = []
    wrong = OperationalError("SELECT 1", {}, SaidError("FATAL: no such database"))
    with pytest.raises(OperationalError):
        Patience(sleep=waits.append).insist(failing(1, wrong), is_passing)
    assert waits == []


def test_who_is_asked_to_stop_does_not_wait() -> None:
    waits: list[float] = []
    with pytest.raises(OperationalError):
        Patience(sleep=waits.append, may_wait=lambda: not waits).insist(failing(9, AWAY), is_passing)
    assert len(waits) == 1


def test_a_row_that_moved_is_read_again() -> None:
    assert Patience(sleep=lambda _: None).insist(failing(2, MovedError("moved")), is_passing) == "done"


@pytest.mark.parametrize(
    ("text", "sqlstate", "expected"),
    [
        ("terminating connection due to administrator command", "57P01", True),
        ("deadlock detected", "40P01", True),
        ("could not serialize access", "40001", True),
        ("remaining connection slots are reserved", "53300", True),
        ("the connection broke", "08006", True),
        ("canceling statement due to lock timeout", "55P03", False),
        ("permission denied for table entries", "42501", False),
        ("could not extend file: No space left on device", "53100", False),
        ("connection failed: Connection refused", None, True),
        ("failed to resolve host 'db': Name or service not known", None, True),
        ("consuming input failed: server closed the connection unexpectedly", None, True),
        ("connection failed: FATAL:  the database system is starting up", None, True),
        ("connection failed: FATAL:  the database system is in recovery mode", None, True),
        ("connection failed: FATAL:  sorry, too many clients already", None, True),
        ("connection failed: FATAL:  password authentication failed for user", None, False),
        ('connection failed: FATAL:  database "x" does not exist', None, False),
        ("connection failed: FATAL:  no pg_hba.conf entry for host", None, False),
    ],
)
def test_what_passes_is_told_from_what_stays(text: str, sqlstate: str | None, expected: bool) -> None:
    assert is_passing(OperationalError("SELECT 1", {}, SaidError(text, sqlstate))) is expected


def test_an_error_of_the_driver_itself_does_not_pass_unless_the_connection_is_gone() -> None:
    said = SaidError("cannot adapt type 'object'")
    assert not is_passing(DBAPIError("SELECT 1", {}, said))
    assert is_passing(DBAPIError("SELECT 1", {}, said, connection_invalidated=True))


def test_a_sqlite_file_is_not_tried_again() -> None:
    assert not is_passing(OperationalError("SELECT 1", {}, Exception("database is locked")))


@pytest.fixture
def wire(empty_postgresql: Callable[[], str]) -> Iterator[Wire]:
    with wire_to(empty_postgresql()) as wire:
        yield wire


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def ledger(wire: Wire, waits: list[float]) -> Iterator[SqlLedger]:
    """Return a ledger whose waits only count, with the pool's first connection open."""
    store = open_ledger(wire.url, patience=Patience(sleep=waits.append))
    store.runs()
    yield store
    store.close()


COMMIT = b"COMMIT\0"  # BEGIN says "READ COMMITTED"
STATEMENTS = [b"BEGIN", b"SELECT account", b"INSERT INTO entries", COMMIT]


@pytest.mark.parametrize("after", [False, True], ids=["the question", "the answer"])
@pytest.mark.parametrize("at", STATEMENTS)
def test_a_claim_cut_anywhere_is_the_claim_it_would_have_been(
    ledger: SqlLedger, wire: Wire, at: bytes, after: bool
) -> None:
    ledger.claim(SCOPE, [intent("k1"), intent("k3")], BERT, NOW)
    ledger.settle(SCOPE, [outcome(Event.REFUSED, "k1"), outcome(Event.LOST, "k3")], NOW)
    wire.cut_at, wire.after = at, after
    rows = [intent("k3"), intent("k2"), intent("k1", "b"), intent("k2")]
    decisions = ledger.claim(SCOPE, rows, ANNA, later(seconds=1))
    assert wire.cuts == 1
    actions = [decision.action for decision in decisions]
    assert actions == [Action.RESEND, Action.SEND, Action.SEND, Action.RESEND]
    stored = ledger.look_up(SCOPE, ["k1", "k2", "k3"])
    assert {decision.entry.key: decision.entry for decision in decisions} == stored
    # What was never sent is still known never to have been sent.
    assert [stored[key].may_exist for key in ("k1", "k2", "k3")] == [False, True, True]
    assert {entry.owner for entry in stored.values()} == {ANNA.owner}


def test_a_new_claim_whose_commit_was_not_answered_is_not_taken_for_an_earlier_send(
    ledger: SqlLedger, wire: Wire
) -> None:
    wire.cut_at = COMMIT
    [decision] = ledger.claim(SCOPE, [intent()], ANNA, NOW)
    assert (decision.action, decision.entry.may_exist, wire.cuts) == (Action.SEND, False, 1)


def test_a_claim_that_another_worker_took_over_meanwhile_stays_with_it(ledger: SqlLedger, wire: Wire) -> None:
    other = open_ledger(wire.url)

    def another_works(_: float) -> None:
        other.lapse(SCOPE, [ANNA.owner], later(seconds=1))
        other.claim(SCOPE, [intent()], BERT, later(seconds=1))

    ledger.patience = Patience(sleep=another_works)
    wire.cut_at = COMMIT
    [decision] = ledger.claim(SCOPE, [intent()], ANNA, NOW)
    other.close()
    assert (decision.action, decision.entry.owner) == (Action.HELD, BERT.owner)


OUTCOMES = {
    Event.ACCEPTED: State.CONFIRMED,
    Event.REFUSED: State.REJECTED,
    Event.NOT_SENT: State.PLANNED,
    Event.LOST: State.UNKNOWN,
    Event.KEY_CLASH: State.REVIEW,
    Event.STUCK: State.REVIEW,
}


@pytest.mark.parametrize("event", OUTCOMES)
@pytest.mark.parametrize("at", [b"SELECT account", b"INSERT INTO entries", COMMIT])
def test_an_outcome_whose_answer_was_lost_is_saved_once(ledger: SqlLedger, wire: Wire, event: Event, at: bytes) -> None:
    ledger.claim(SCOPE, [intent()], ANNA, NOW)
    wire.cut_at = at
    [entry] = ledger.settle(SCOPE, [outcome(event, owner=ANNA.owner)], later(seconds=1))
    assert (entry.state, wire.cuts) == (OUTCOMES[event], 1)
    assert ledger.look_up(SCOPE, ["k1"]) == {"k1": entry}


def test_everything_else_goes_on_after_a_cut(ledger: SqlLedger, wire: Wire) -> None:
    run = Run("r1", SCOPE, "extract.csv", NOW)
    ledger.claim(SCOPE, [intent()], ANNA, NOW)
    for call in (
        lambda: ledger.start_run(run),
        lambda: ledger.finish_run("r1", later(seconds=1), {"rows": 1}),
        lambda: ledger.lapse(SCOPE, [ANNA.owner], later(seconds=1)),
    ):
        wire.cut_at = COMMIT
        call()
    for call in (
        ledger.runs,
        lambda: ledger.look_up(SCOPE, ["k1"]),
        lambda: ledger.owners(SCOPE),
        lambda: list(ledger.entries(Selection())),
        lambda: ledger.counts(Selection()),
    ):
        wire.cut_at = b"SELECT"
        call()
    assert wire.cuts == 8
    assert ledger.look_up(SCOPE, ["k1"])["k1"].state is State.UNKNOWN
    assert [one.summary for one in ledger.runs()] == [{"rows": 1}]


def test_a_server_that_comes_back_in_time_is_used_again(ledger: SqlLedger, wire: Wire) -> None:
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        wire.is_down = len(waits) < 5

    ledger.patience = Patience(sleep=wait)
    wire.cut_at, wire.is_down = b"BEGIN", True
    [decision] = ledger.claim(SCOPE, [intent()], ANNA, NOW)
    assert (decision.action, len(waits)) == (Action.SEND, 5)


def test_a_server_that_stays_away_is_an_error_that_names_it_without_the_password(
    ledger: SqlLedger, wire: Wire, waits: list[float]
) -> None:
    wire.cut_at, wire.is_down = b"BEGIN", True
    with pytest.raises(LedgerUnavailableError, match="Check that the database server is running") as caught:
        ledger.claim(SCOPE, [intent()], ANNA, NOW)
    assert "hunter2" not in str(caught.value)
    assert sum(waits) == pytest.approx(30)


def test_a_server_that_was_waited_for_in_vain_is_not_waited_for_again_before_it_answers(
    ledger: SqlLedger, wire: Wire, waits: list[float]
) -> None:
    wire.cut_at, wire.is_down = b"BEGIN", True
    for _ in range(3):
        with pytest.raises(LedgerUnavailableError):
            ledger.claim(SCOPE, [intent()], ANNA, NOW)
    assert sum(waits) == pytest.approx(30)
    wire.is_down = False
    assert ledger.claim(SCOPE, [intent()], ANNA, NOW)[0].action is Action.SEND
    wire.cut_at = b"BEGIN"
    ledger.claim(SCOPE, [intent("k2")], ANNA, NOW)
    assert sum(waits) > 30


def test_a_server_that_is_not_there_at_first_is_an_error_at_once(wire: Wire, waits: list[float]) -> None:
    wire.is_down = True
    with pytest.raises(LedgerUnavailableError):
        open_ledger(wire.url, patience=Patience(sleep=waits.append))
    assert waits == []


def test_who_asks_to_stop_is_not_kept_waiting_for_a_server(ledger: SqlLedger, wire: Wire, waits: list[float]) -> None:
    ledger.patience = Patience(sleep=waits.append)
    wire.cut_at, wire.is_down = b"BEGIN", True
    with ledger.waiting_while(lambda: len(waits) < 3), pytest.raises(LedgerUnavailableError):
        ledger.claim(SCOPE, [intent()], ANNA, NOW)
    assert len(waits) == 3
    wire.is_down = False
    ledger.claim(SCOPE, [intent()], ANNA, NOW)
    wire.cut_at, wire.is_down = b"BEGIN", True
    with pytest.raises(LedgerUnavailableError):
        ledger.claim(SCOPE, [intent("k2")], ANNA, NOW)
    assert sum(waits[3:]) == pytest.approx(30)
