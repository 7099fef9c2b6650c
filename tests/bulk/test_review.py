"""How payments leave review: found at the API, found by a person, or absent by a person's word; never twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from airflow_provider_payrecords.bulk.review import LookReport, Resolution, find_entry
from airflow_provider_payrecords.client import PayRecordsClient
from airflow_provider_payrecords.core.commands import ReportPayment, ReportPaymentAttemptCanceled, build
from airflow_provider_payrecords.core.entry import Entry, Intent, Settlement, Worker
from airflow_provider_payrecords.core.errors import (
    HeldError,
    PayRecordsError,
    ReviewNeededError,
    ServerError,
    UsageError,
)
from airflow_provider_payrecords.core.lifecycle import Event, State
from airflow_provider_payrecords.ledger.store import Selection
from airflow_provider_payrecords.sandbox.config import SandboxConfig
from airflow_provider_payrecords.sandbox.faults import Fault, FaultKind
from airflow_provider_payrecords.sandbox.inprocess import SandboxTransport
from tests.bulk.test_replay import GUARANTEED, REFUNDS, guarantee, refund
from tests.bulk.world import FAST, World, payment, payments

NO_LIST = Fault(kind=FaultKind.UNAVAILABLE, times=99, endpoint="list_payment_records")
STORED = Fault(kind=FaultKind.ERROR_BEFORE, saved=True, endpoint="report_payment")


def world_with(folder: Path, *faults: Fault, **settings: Any) -> World:
    """Return a world whose API has *faults*."""
    return World(folder, config=SandboxConfig(rate_limits=None, faults=faults, **settings))


def stuck(folder: Path, *faults: Fault) -> World:
    """Return a world whose first payment failed without effect, and whose failure the API has stored."""
    world = world_with(folder, *(faults or (STORED,)))
    assert world.report(payments(1)).summary.counts == {"unknown": 1}
    assert world.report(payments(1)).summary.counts == {"review": 1}
    return world


def recorded_but_lost(folder: Path) -> World:
    """Return a world whose first payment is recorded, which the ledger does not know, and whose key has expired."""
    world = world_with(folder, Fault(kind=FaultKind.DROP_AFTER, endpoint="report_payment"), NO_LIST)
    world.report(payments(1))
    world.later(hours=30)
    assert world.report(payments(1)).summary.counts == {"review": 1}
    return world


def entry_of(world: World, key: str = "W0001") -> Entry:
    """Return the entry of *key*."""
    return world.entries()[key]


def found(world: World, record: str, key: str = "W0001", **more: Any) -> Resolution:
    """Say that *record* is the payment."""
    with world.reviewer(**more) as reviewer:
        return reviewer.resolve_found(entry_of(world, key), record)


def absent(world: World, key: str = "W0001", **more: Any) -> Resolution:
    """Say that the payment is absent."""
    with world.reviewer(**more) as reviewer:
        return reviewer.resolve_absent(entry_of(world, key))


def look(world: World) -> LookReport:
    """Look for all open payments."""
    with world.reviewer() as reviewer:
        return reviewer.look(Selection())


def only_record(world: World) -> str:
    """Return the id of the one record there is."""
    (record,) = world.sandbox.records()
    return str(record["id"])


def without_list(status: int) -> type[SandboxTransport]:
    """Return a network whose API does not offer the list of records."""

    class WithoutList(SandboxTransport):
        """Answers everything but the list."""

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.method == "GET" and request.url.path == "/v1/payment_records":
                error = {"type": "invalid_request_error", "message": "Unrecognized request URL."}
                return httpx.Response(status, json={"error": error})
            return await super().handle_async_request(request)

    return WithoutList


def made_by_hand(world: World, **metadata: str) -> str:
    """Return the id of a record of one euro that somebody made without us."""
    command = build(
        ReportPayment,
        {
            "amount_requested": {"value": 100, "currency": "eur"},
            "initiated_at": 1_793_610_000,
            "payment_method_details": {"type": "custom"},
            "metadata": metadata or None,
        },
    )
    with PayRecordsClient(world.settings(), network=SandboxTransport(world.sandbox)) as client:
        return str(client.send(command, "by-hand").id)


def cancel(world: World, record: str) -> None:
    """Cancel the attempt of *record*."""
    with PayRecordsClient(world.settings(), network=SandboxTransport(world.sandbox)) as client:
        client.send(ReportPaymentAttemptCanceled(payment_record=record, canceled_at=1_793_620_000))


def test_a_stored_failure_that_is_absent_is_sent_exactly_once_under_the_key_that_follows(tmp_path: Path) -> None:
    world = stuck(tmp_path)
    before = entry_of(world)
    after = absent(world).after
    assert (after.state, after.idempotency_key) == (State.PLANNED, f"{before.idempotency_key}.2")
    assert after.run_id is not None
    assert after.run_id.startswith("review-")
    assert world.report(payments(1)).summary.counts == {"confirmed": 1}
    assert world.report(payments(1)).summary.requests == 0
    assert world.committed() == {"W0001": 1}


def test_a_stored_failure_that_took_effect_is_found_by_a_person(tmp_path: Path) -> None:
    world = stuck(tmp_path, Fault(kind=FaultKind.ERROR_AFTER, endpoint="report_payment"), NO_LIST)
    resolution = found(world, only_record(world))
    assert (resolution.after.state, resolution.unchecked) == (State.CONFIRMED, ())
    assert world.report(payments(1)).summary.counts == {"confirmed": 1}
    assert world.committed() == {"W0001": 1}


def test_a_look_finds_what_the_list_did_not_show_before(tmp_path: Path) -> None:
    world = recorded_but_lost(tmp_path)
    lost = look(world)
    assert (lost.looked_at, lost.found) == (1, [])
    assert isinstance(lost.error, ServerError)
    world.sandbox.faults.clear()
    report = look(world)
    assert ([one.key for one in report.found], report.error) == (["W0001"], None)
    assert entry_of(world).payment_record == only_record(world)
    assert look(world).looked_at == 0


def test_a_look_that_finds_nothing_changes_nothing(tmp_path: Path) -> None:
    world = stuck(tmp_path)
    before = entry_of(world)
    assert look(world) == LookReport(1, [], [], None)
    assert entry_of(world) == before


def test_absent_is_not_believed_where_the_api_lists_the_record(tmp_path: Path) -> None:
    world = recorded_but_lost(tmp_path)
    world.sandbox.faults.clear()
    assert absent(world).after.payment_record == only_record(world)
    assert world.report(payments(1)).summary.requests == 0


def test_absent_waits_for_an_api_that_cannot_be_asked_now(tmp_path: Path) -> None:
    world = recorded_but_lost(tmp_path)
    before = entry_of(world)
    with pytest.raises(ServerError):
        absent(world)
    assert entry_of(world) == before


@pytest.mark.parametrize("status", [403, 404])
def test_absent_is_taken_on_the_person_s_word_where_there_is_no_list(tmp_path: Path, status: int) -> None:
    world = stuck(tmp_path)
    resolution = absent(world, network=without_list(status)(world.sandbox))
    assert resolution.after.state is State.PLANNED
    assert "is not offered" in resolution.unchecked[0]


def test_an_expired_key_whose_payment_is_absent_is_sent_again(tmp_path: Path) -> None:
    world = world_with(tmp_path, Fault(kind=FaultKind.DROP_BEFORE), NO_LIST)
    world.report(payments(1))
    world.later(hours=23, minutes=30)
    assert world.report(payments(1)).summary.counts == {"review": 1}
    world.sandbox.faults.clear()
    with pytest.raises(HeldError, match="may still take effect"):
        absent(world)
    world.later(minutes=31)
    before = entry_of(world)
    assert absent(world).after.idempotency_key == before.idempotency_key
    assert world.report(payments(1)).summary.counts == {"confirmed": 1}
    assert world.committed() == {"W0001": 1}


def test_a_person_who_is_wrong_doubles_nothing_as_long_as_the_api_keeps_the_key(tmp_path: Path) -> None:
    lost = Fault(kind=FaultKind.DROP_AFTER, endpoint="report_payment")
    world = world_with(tmp_path, lost, NO_LIST, idempotency_hours=48)
    world.report(payments(1))
    world.later(hours=30)
    assert world.report(payments(1)).summary.counts == {"review": 1}
    absent(world, network=without_list(404)(world.sandbox))
    assert world.report(payments(1)).summary.counts == {"confirmed": 1}
    assert world.committed() == {"W0001": 1}


@pytest.mark.parametrize(
    ("state", "error", "said"),
    [
        ("confirmed", ReviewNeededError, "has a record"),
        ("claimed", HeldError, "A worker is sending"),
        ("unknown", HeldError, "run again"),
        ("rejected", ReviewNeededError, "needs no word"),
    ],
)
def test_absent_is_refused_where_something_else_is_known(
    tmp_path: Path, state: str, error: type[PayRecordsError], said: str
) -> None:
    world = world_with(tmp_path)
    world.report([payment(2)])
    scope = entry_of(world, "W0002").scope
    intent = Intent("W0001", "f", "payrecords-1", 100, "eur")
    events = {"confirmed": Event.ACCEPTED, "unknown": Event.LOST, "rejected": Event.REFUSED}
    with world.ledger() as store:
        store.claim(scope, [intent], Worker("elsewhere:1:x", "run-1", 300), world.instant)
        if state in events:
            settlement = Settlement("W0001", "payrecords-1", events[state], payment_record="pr_1")
            store.settle(scope, [settlement], world.instant)
    before = entry_of(world)
    with pytest.raises(error, match=said):
        absent(world)
    assert entry_of(world) == before


def test_a_payment_that_another_worker_took_meanwhile_keeps_what_that_worker_made_of_it(tmp_path: Path) -> None:
    world = stuck(tmp_path)
    seen = entry_of(world)
    absent(world)
    world.report(payments(1))
    with world.reviewer() as reviewer, pytest.raises(ReviewNeededError, match="changed meanwhile"):
        reviewer.resolve_found(seen, only_record(world))
    assert entry_of(world).state is State.CONFIRMED


def test_a_record_is_not_found_while_a_worker_holds_the_claim(tmp_path: Path) -> None:
    world = stuck(tmp_path)
    absent(world)
    entry = entry_of(world)
    with world.ledger() as store:
        intent = Intent(entry.key, entry.fingerprint, entry.idempotency_key)
        store.claim(entry.scope, [intent], Worker("elsewhere:1:x", "run-1", 300), world.instant)
    with pytest.raises(HeldError, match="A worker is sending"):
        found(world, "pr_1")


@pytest.mark.parametrize("record", ["pr_nobody", "no id/../at all"])
def test_a_record_that_does_not_exist_is_refused(tmp_path: Path, record: str) -> None:
    world = stuck(tmp_path)
    before = entry_of(world)
    with pytest.raises(UsageError):
        found(world, record)
    assert entry_of(world) == before


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (payment(1, **{"amount_requested.value": 101}), "amount or currency"),
        (payment(1, **{"amount_requested.currency": "usd"}), "amount or currency"),
        (payment(2, **{"amount_requested.value": 100}), "metadata names another payment"),
    ],
)
def test_the_record_of_another_payment_is_refused(tmp_path: Path, other: dict[str, Any], said: str) -> None:
    world = stuck(tmp_path)
    mapping = REFUNDS.model_copy(update={"source": "other", "endpoint": "report_payment"})
    (record,) = world.report([other], mapping=mapping).record_ids
    with pytest.raises(UsageError, match=said):
        found(world, record)
    assert entry_of(world).state is State.REVIEW


def test_a_record_without_our_metadata_is_taken_on_the_person_s_word_and_only_once(tmp_path: Path) -> None:
    world = stuck(tmp_path)
    plain = world.report(
        [payment(7, **{"amount_requested.value": 100})], options=FAST.model_copy(update={"stamp_metadata": False})
    ).record_ids[0]
    with pytest.raises(UsageError, match="is the record of W0007"):
        found(world, plain)
    other = made_by_hand(world)
    resolution = found(world, other)
    assert resolution.after.payment_record == other
    assert "none of our metadata" in resolution.unchecked[0]


def test_a_key_of_another_account_or_mode_is_refused(tmp_path: Path) -> None:
    world = stuck(tmp_path)
    with pytest.raises(UsageError, match="in live mode"):
        absent(world, api_key="sk_live_x")
    with pytest.raises(UsageError, match="in live mode"):
        found(world, "pr_1", api_key="sk_live_x")


def test_of_two_records_the_one_that_stands_is_chosen_once_the_other_is_undone(tmp_path: Path) -> None:
    world = world_with(tmp_path)
    world.report([payment(1, **GUARANTEED)])
    first = only_record(world)
    entry = entry_of(world)
    second = made_by_hand(world, payrecords_key="W0001", payrecords_source="wires")
    with world.ledger() as store:
        late = Settlement("W0001", "payrecords-other", Event.ACCEPTED, payment_record=second)
        store.settle(entry.scope, [late], world.instant)
    assert entry_of(world).error_code == "second_record"
    with pytest.raises(ReviewNeededError, match=f"still recorded by {second}"):
        found(world, first)
    cancel(world, second)
    assert found(world, first).after.payment_record == first
    assert world.report([payment(1, **GUARANTEED)]).summary.counts == {"confirmed": 1}


def test_a_confirmed_payment_has_its_record(tmp_path: Path) -> None:
    world = world_with(tmp_path)
    world.report(payments(2))
    first, second = (entry_of(world, key).payment_record or "" for key in ("W0001", "W0002"))
    with pytest.raises(ReviewNeededError, match="already"):
        found(world, first)
    with pytest.raises(ReviewNeededError, match="A payment has one"):
        found(world, second)


def test_a_refund_is_found_where_so_much_was_refunded(tmp_path: Path) -> None:
    world = world_with(tmp_path)
    ids = world.report(payments(2)).record_ids
    guarantee(world)
    world.sandbox.faults.add(Fault(kind=FaultKind.ERROR_AFTER, endpoint="report_refund"))
    for _ in range(2):
        world.report([refund(ids[0], 1)], mapping=REFUNDS)
    assert entry_of(world, "R0001").state is State.REVIEW
    with pytest.raises(UsageError, match="not refunded"):
        found(world, ids[1], "R0001")
    resolution = found(world, ids[0], "R0001")
    assert resolution.after.state is State.CONFIRMED
    assert "their sum only" in resolution.unchecked[0]


def test_what_was_decided_is_kept_as_a_run_and_names_nobody(tmp_path: Path) -> None:
    world = stuck(tmp_path)
    run_id = absent(world).after.run_id
    with world.ledger() as store:
        (run,) = (run for run in store.runs() if run.run_id == run_id)
    assert run.extract == "review: absent"
    assert run.summary == {"status": "finished", "decision": "absent", "rows": 1, "counts": {"planned": 1}}


def test_one_entry_is_found_by_its_key_or_the_choice_is_named(tmp_path: Path) -> None:
    world = world_with(tmp_path)
    world.report(payments(1))
    world.report(payments(1), mapping=REFUNDS.model_copy(update={"source": "two", "endpoint": "report_payment"}))
    with world.ledger() as store:
        with pytest.raises(UsageError, match="no payment W0009"):
            find_entry(store, Selection(key="W0009"))
        with pytest.raises(UsageError, match="more than once.*--source two"):
            find_entry(store, Selection(key="W0001"))
        assert find_entry(store, Selection(key="W0001", source="two")).scope.source == "two"
