"""Throttling, failures and lost answers: bounded, and never twice."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from airflow_provider_payrecords.bulk import report_command
from airflow_provider_payrecords.core.errors import LedgerUnavailableError
from airflow_provider_payrecords.core.lifecycle import State
from airflow_provider_payrecords.ledger.patience import Patience
from airflow_provider_payrecords.ledger.sql import SqlLedger
from airflow_provider_payrecords.ledger.store import LedgerStore, Selection
from airflow_provider_payrecords.ledger.urls import open_ledger
from airflow_provider_payrecords.sandbox.config import SandboxConfig
from airflow_provider_payrecords.sandbox.faults import Fault, FaultKind
from airflow_provider_payrecords.sandbox.inprocess import SandboxTransport
from tests.bulk.test_single import wire as wire_transfer
from tests.bulk.world import FAST, World, payment, payments
from tests.ledger.wire import Wire, wire_to


def troubled(folder: Path, *faults: Fault, keys: frozenset[str] | None = None) -> World:
    """Return a world whose sandbox has a script of trouble."""
    return World(folder, config=SandboxConfig(rate_limits=None, faults=faults, keys=keys))


@pytest.mark.parametrize(
    "kind",
    [kind for kind in FaultKind if kind is not FaultKind.SLOW],
)
def test_one_fault_of_any_kind_leaves_the_payment_exactly_once_after_two_runs(tmp_path: Path, kind: FaultKind) -> None:
    world = troubled(tmp_path, Fault(kind=kind, skip=1))
    world.report(payments(4))
    world.later(minutes=1)
    summary = world.report(payments(4)).summary
    assert summary.counts == {"confirmed": 4}
    assert set(world.committed().values()) == {1}
    assert all(entry.payment_record for entry in world.entries().values())


def test_a_429_leaves_the_payment_planned(tmp_path: Path) -> None:
    world = troubled(tmp_path, Fault(kind=FaultKind.RATE_LIMIT))
    summary = world.report(payments(2)).summary
    assert summary.counts == {"planned": 1, "confirmed": 1}
    assert summary.exit_code == 3


def test_a_stored_500_is_found_by_its_stamps_in_the_same_run(tmp_path: Path) -> None:
    world = troubled(tmp_path, Fault(kind=FaultKind.ERROR_AFTER))
    summary = world.report(payments(2)).summary
    assert summary.counts == {"confirmed": 2}
    assert summary.new == 2


def test_a_stored_500_without_a_record_is_in_review_and_never_under_a_new_key(tmp_path: Path) -> None:
    world = troubled(tmp_path, Fault(kind=FaultKind.ERROR_BEFORE, saved=True))
    first = world.report(payments(1)).summary
    assert first.counts == {"unknown": 1}
    world.later(minutes=1)
    second = world.report(payments(1)).summary
    assert second.counts == {"review": 1}
    third = world.report(payments(1)).summary
    assert (third.counts, world.committed()) == ({"review": 1}, {})
    assert world.entries()["W0001"].error_code == "stored_server_error"


def test_a_lost_answer_is_found_even_when_the_key_has_expired(tmp_path: Path) -> None:
    world = troubled(tmp_path, Fault(kind=FaultKind.DROP_AFTER), Fault(kind=FaultKind.RATE_LIMIT, times=9))
    first = world.report(payments(1)).summary
    assert first.counts == {"unknown": 1}
    world.sandbox.faults.clear()
    world.later(hours=30)
    second = world.report(payments(1)).summary
    assert second.counts == {"confirmed": 1}
    assert world.committed() == {"W0001": 1}


def test_a_wrong_key_stops_the_run_and_leaves_every_row_planned(tmp_path: Path) -> None:
    world = troubled(tmp_path, keys=frozenset({"sk_test_other"}))
    summary = world.report(payments(30)).summary
    assert (summary.status, summary.fatal, summary.exit_code) == ("stopped", True, 3)
    assert set(summary.counts) == {"planned"}
    assert "key" in (summary.stop_reason or "")
    assert "sk_test" not in summary.to_json()
    assert {entry.state for entry in world.entries().values()} == {State.PLANNED}


def test_an_outage_stops_the_run_instead_of_giving_up_every_row(tmp_path: Path) -> None:
    world = troubled(tmp_path, Fault(kind=FaultKind.UNAVAILABLE, times=1000))
    summary = world.report(payments(60)).summary
    assert (summary.status, summary.fatal, summary.exit_code) == ("stopped", False, 3)
    assert summary.requests < 30
    world.sandbox.faults.clear()
    assert world.report(payments(60)).summary.counts == {"confirmed": 60}
    assert set(world.committed().values()) == {1}


def test_retries_send_the_same_key_until_it_is_answered(tmp_path: Path) -> None:
    world = troubled(tmp_path, Fault(kind=FaultKind.DROP_BEFORE), Fault(kind=FaultKind.DROP_AFTER))
    world.retries = 3
    summary = world.report(payments(1), options=FAST).summary
    assert (summary.counts, summary.requests) == ({"confirmed": 1}, 3)
    assert world.committed() == {"W0001": 1}


def test_an_api_version_that_does_not_know_the_call_stops_the_run_and_rejects_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, stripe_version="2025-08-27.basil")
    summary = world.report(payments(30)).summary
    assert (summary.status, summary.fatal, set(summary.counts)) == ("stopped", True, {"planned"})
    world.stripe_version = "2026-10-28.endive"
    assert world.report(payments(30)).summary.counts == {"confirmed": 30}


def test_a_refusal_that_blames_no_field_stops_the_run_before_it_is_laid_to_the_rows(tmp_path: Path) -> None:
    world = World(tmp_path, stripe_version="2025-01-01.nowhere")
    summary = world.report(payments(60)).summary
    assert summary.status == "stopped"
    assert summary.counts["rejected"] < 10
    assert "stripe_version" in (summary.stop_reason or "")


class SleepingMachine(SandboxTransport):
    """A machine that sleeps past every lease after its first request was answered."""

    world: World

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass *request* on, then sleep."""
        response = await super().handle_async_request(request)
        self.world.later(hours=30)
        return response


def test_nothing_leaves_once_the_lease_of_its_claim_has_ended(tmp_path: Path) -> None:
    world = World(tmp_path)
    network = SleepingMachine(world.sandbox)
    network.world = world
    one_by_one = FAST.model_copy(update={"concurrency": 1})
    summary = world.report(payments(3), options=one_by_one, network=network).summary
    assert summary.counts == {"confirmed": 1, "planned": 2}
    assert world.committed() == {"W0001": 1}


def test_a_record_that_is_found_confirms_what_was_sent_and_not_what_the_row_became(tmp_path: Path) -> None:
    world = troubled(tmp_path, Fault(kind=FaultKind.DROP_AFTER), Fault(kind=FaultKind.RATE_LIMIT, times=9))
    assert world.report(payments(1)).summary.counts == {"unknown": 1}
    world.sandbox.faults.clear()
    changed = world.report([payment(1, **{"amount_requested.value": 999})]).summary
    assert (changed.counts, changed.new) == ({"review": 1}, 0)
    entry = world.entries()["W0001"]
    assert (entry.state, entry.error_code, entry.amount_minor) == (State.REVIEW, "content_changed", 100)
    assert entry.payment_record is not None
    assert world.report(payments(1)).summary.counts == {"confirmed": 1}
    assert world.committed() == {"W0001": 1}


def test_a_record_of_a_second_try_hours_after_the_first_is_found_once_the_key_has_expired(tmp_path: Path) -> None:
    lost_twice = (
        Fault(kind=FaultKind.DROP_BEFORE, endpoint="report_payment"),
        Fault(kind=FaultKind.DROP_AFTER, endpoint="report_payment"),
        Fault(kind=FaultKind.RATE_LIMIT, endpoint="list_payment_records", skip=1),
    )
    world = troubled(tmp_path, *lost_twice)
    assert world.report(payments(1)).summary.counts == {"unknown": 1}
    world.later(hours=5)
    assert world.report(payments(1)).summary.counts == {"unknown": 1}
    world.later(hours=25)
    assert world.report(payments(1)).summary.counts == {"confirmed": 1}
    assert world.committed() == {"W0001": 1}


class Reply(SandboxTransport):
    """A network that breaks in its own way after the payment was recorded, and lists nothing."""

    def __init__(self, world: World, trouble: Exception) -> None:
        super().__init__(world.sandbox)
        self.trouble = trouble
        self.lists = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass *request* on and lose its answer."""
        if request.method == "GET":
            self.lists += 1
        else:
            await super().handle_async_request(request)
        raise self.trouble


def test_a_broken_tls_record_is_a_lost_answer(tmp_path: Path) -> None:
    world = World(tmp_path)
    summary = world.report(payments(1), network=Reply(world, ssl.SSLError(1, "bad record mac"))).summary
    assert summary.counts == {"unknown": 1}


def test_records_are_looked_for_no_further_than_the_first_failure(tmp_path: Path) -> None:
    world = World(tmp_path)
    for number in range(1, 4):
        world.report([payment(number)], network=Reply(world, httpx.ReadError("lost")))
        world.later(hours=30)
    network = Reply(world, httpx.ReadError("lost"))
    assert world.report(payments(3), network=network).summary.counts == {"review": 3}
    assert network.lists == 1


def test_a_refusal_for_the_version_does_not_reject_what_may_have_been_recorded(tmp_path: Path) -> None:
    world = troubled(tmp_path, Fault(kind=FaultKind.DROP_AFTER), Fault(kind=FaultKind.RATE_LIMIT, times=9))
    assert world.report(payments(1)).summary.counts == {"unknown": 1}
    world.sandbox.faults.clear()
    right, world.stripe_version = world.stripe_version, "2025-01-01.nowhere"
    assert world.report(payments(1)).summary.counts == {"unknown": 1}
    world.stripe_version = right
    corrected = [payment(1, **{"amount_requested.value": 101})]
    assert world.report(corrected).summary.counts == {"review": 1}
    assert world.committed() == {"W0001": 1}


class Beside:
    """A ledger beside whose methods something else happens: right after ``claim``, right before ``settle``."""

    def __init__(self, store: LedgerStore, **happens: Callable[[], None]) -> None:
        self._store = store
        self._happens = happens

    def __getattr__(self, name: str) -> Any:
        method, happens = getattr(self._store, name), self._happens.get(name, lambda: None)

        def beside(*args: Any, **kwargs: Any) -> Any:
            if name == "settle":
                happens()
            result = method(*args, **kwargs)
            if name == "claim":
                happens()
            return result

        return beside


def test_a_long_lease_does_not_send_once_the_api_has_forgotten_the_key(tmp_path: Path) -> None:
    world = troubled(tmp_path, Fault(kind=FaultKind.DROP_AFTER), Fault(kind=FaultKind.RATE_LIMIT, times=9))
    assert world.report(payments(1)).summary.counts == {"unknown": 1}
    world.sandbox.faults.clear()
    world.later(hours=22.9)
    patient = FAST.model_copy(update={"lease_seconds": 86_400.0})
    with world.ledger() as store:
        slow = Beside(store, claim=lambda: world.later(hours=2))
        world.report(payments(1), options=patient, ledger=slow)
    assert world.committed() == {"W0001": 1}


def test_a_ledger_that_fails_is_not_asked_again_for_every_row(tmp_path: Path) -> None:
    world = World(tmp_path)
    asked = []

    def fail() -> None:
        asked.append(1)
        raise LedgerUnavailableError("database is locked")

    with world.ledger() as store, pytest.raises(LedgerUnavailableError):
        world.report(payments(900), ledger=Beside(store, settle=fail))
    assert len(asked) < 6


class AwayAfterClaim:
    """A ledger whose server goes away when something was claimed."""

    def __init__(self, store: SqlLedger, wire: Wire) -> None:
        self._store = store
        self._wire = wire

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def waiting_while(self, may_wait: Callable[[], bool]) -> AbstractContextManager[None]:
        return self._store.waiting_while(may_wait)

    def claim(self, *args: Any) -> Any:
        decisions = self._store.claim(*args)
        self._wire.cut_at, self._wire.is_down = b"BEGIN", True
        return decisions


Stop = Callable[[], bool]


def an_extract(world: World, ledger: Any, should_stop: Stop) -> None:
    world.report(payments(1), ledger=ledger, should_stop=should_stop)


def one_call(world: World, ledger: Any, should_stop: Stop) -> None:
    network = SandboxTransport(world.sandbox)
    report_command(wire_transfer(), settings=world.settings(), ledger=ledger, should_stop=should_stop, network=network)


@pytest.mark.parametrize("report", [an_extract, one_call])
def test_a_stop_while_the_ledger_s_server_is_away_does_not_wait_for_it(
    tmp_path: Path, empty_postgresql: Callable[[], str], report: Callable[[World, Any, Stop], None]
) -> None:
    waits: list[float] = []
    patience = Patience(sleep=waits.append)
    with wire_to(empty_postgresql()) as wire, closing(open_ledger(wire.url, patience=patience)) as store:
        with pytest.raises(LedgerUnavailableError):
            report(World(tmp_path), AwayAfterClaim(store, wire), lambda: len(waits) >= 2)
        assert len(waits) == 2
        wire.is_down = False
        assert [entry.state for entry in store.entries(Selection())] == [State.CLAIMED]
        assert store.patience == patience
