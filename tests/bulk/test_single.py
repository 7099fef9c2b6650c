"""One call through the ledger: confirmed once, repeated for nothing, refused with a reason."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_payrecords.bulk import CommandReport, default_key, report_command
from airflow_provider_payrecords.core.commands import (
    AttachPayment,
    Command,
    ReportPayment,
    ReportPaymentAttemptFailed,
    ReportRefund,
    build,
)
from airflow_provider_payrecords.core.errors import (
    AuthenticationError,
    CommandError,
    HeldError,
    InvalidRequestError,
    OutcomeUnknownError,
    ReviewNeededError,
    ServerError,
)
from airflow_provider_payrecords.sandbox.config import SandboxConfig
from airflow_provider_payrecords.sandbox.faults import Fault, FaultKind
from airflow_provider_payrecords.sandbox.inprocess import SandboxTransport
from tests.bulk.world import Crash, Doom, DoomedLedger, DoomedNetwork, World


def wire(number: int = 1, value: int = 4950, **more: Any) -> ReportPayment:
    """Return a command for wire *number*."""
    processor = {"type": "custom", "custom": {"payment_reference": f"W{number}"}}
    return build(
        ReportPayment,
        {
            "amount_requested": {"value": value, "currency": "eur"},
            "initiated_at": 1_793_610_000,
            "payment_method_details": {"type": "custom"},
            "processor_details": processor,
            **more,
        },
    )


def send(world: World, command: Command, doom: Doom | None = None, **more: Any) -> CommandReport:
    """Make one call as a process of its own would."""
    doom = doom or Doom(None)
    with world.ledger() as store:
        return report_command(
            command,
            settings=world.settings(),
            ledger=DoomedLedger(store, doom),
            network=DoomedNetwork(SandboxTransport(world.sandbox), doom),
            now=lambda: world.instant,
            **more,
        )


def test_a_repeated_call_gives_the_same_id_and_sends_nothing(world: World) -> None:
    first, again = send(world, wire()), send(world, wire())
    assert (first.new, again.new) == (True, False)
    assert first.payment_record == again.payment_record
    assert (first.answer.id, again.answer) == (first.payment_record, None)
    assert len(world.sandbox.records()) == 1


def test_the_same_payment_with_other_content_needs_a_person(world: World) -> None:
    send(world, wire())
    with pytest.raises(ReviewNeededError, match="content differs"):
        send(world, wire(value=1))
    assert len(world.sandbox.records()) == 1


def test_a_refused_call_is_made_again_when_it_is_repeated(tmp_path: Path) -> None:
    world = World(tmp_path, stripe_version="2026-08-26.dahlia")
    canceled = wire(outcome="canceled", canceled={"canceled_at": 1_793_610_100})
    for _ in range(2):
        with pytest.raises(InvalidRequestError):
            send(world, canceled)
    world.stripe_version = "2026-10-28.endive"
    assert send(world, canceled).new


def test_a_lost_answer_is_found_or_resent_under_the_same_key(tmp_path: Path) -> None:
    faults = (Fault(kind=FaultKind.DROP_AFTER), Fault(kind=FaultKind.UNAVAILABLE))
    world = World(tmp_path, config=SandboxConfig(rate_limits=None, faults=faults))
    with pytest.raises(OutcomeUnknownError):
        send(world, wire())
    assert send(world, wire()).new
    assert len(world.sandbox.records()) == 1


def test_a_stored_failure_without_a_record_ends_in_review(tmp_path: Path) -> None:
    faults = (Fault(kind=FaultKind.ERROR_BEFORE, saved=True),)
    world = World(tmp_path, config=SandboxConfig(rate_limits=None, faults=faults))
    with pytest.raises(ServerError):
        send(world, wire())
    with pytest.raises(ReviewNeededError, match="stored failure"):
        send(world, wire())


def test_a_wrong_key_is_said_and_nothing_is_lost(tmp_path: Path) -> None:
    world = World(tmp_path, config=SandboxConfig(rate_limits=None, keys=frozenset({"sk_test_other"})))
    with pytest.raises(AuthenticationError):
        send(world, wire())
    assert world.entries()["W1"].state.value == "planned"


def test_a_crash_at_any_effect_leaves_the_payment_exactly_once(tmp_path: Path) -> None:
    (tmp_path / "count").mkdir()
    counting = Doom(None)
    send(World(tmp_path / "count"), wire(), counting)
    for at in range(1, counting.effects + 1):
        (tmp_path / str(at)).mkdir()
        world = World(tmp_path / str(at))
        with pytest.raises(Crash):
            send(world, wire(), Doom(at))
        world.later(minutes=6)
        confirmed = send(world, wire())
        assert [record["id"] for record in world.sandbox.records()] == [confirmed.payment_record]


def test_a_call_that_another_worker_makes_is_held(world: World) -> None:
    with pytest.raises(Crash):
        send(world, wire(), Doom(5))  # its claim is committed and its process, this one, is alive
    with pytest.raises(HeldError, match="Another worker"):
        send(world, wire())


def test_a_call_that_hangs_is_given_up_when_asked_to_stop(tmp_path: Path) -> None:
    slow = (Fault(kind=FaultKind.SLOW, seconds=25),)
    world = World(tmp_path, config=SandboxConfig(rate_limits=None, faults=slow))
    begun = time.monotonic()
    with pytest.raises(OutcomeUnknownError):
        send(world, wire(), should_stop=lambda: time.monotonic() - begun > 0.3)
    assert time.monotonic() - begun < 5
    assert world.entries()["W1"].state.value == "unknown"


def test_a_refund_and_an_invoice_name_themselves() -> None:
    refund = build(
        ReportRefund,
        {
            "payment_record": "pr_1",
            "outcome": "refunded",
            "processor_details": {"type": "custom", "custom": {"refund_reference": "R1"}},
        },
    )
    assert default_key(refund) == "R1"
    assert default_key(AttachPayment(invoice="in_1", payment_record="pr_1")) == "in_1:pr_1"
    with pytest.raises(CommandError, match="key="):
        default_key(ReportPaymentAttemptFailed(payment_record="pr_1", failed_at=1))


class TimeIsUp(BaseException):
    """What Airflow's signal handler raises, wherever the program happens to be."""


def test_a_timeout_that_strikes_the_watcher_ends_the_call_at_once(tmp_path: Path) -> None:
    slow = (Fault(kind=FaultKind.SLOW, seconds=25),)
    world = World(tmp_path, config=SandboxConfig(rate_limits=None, faults=slow))
    begun = time.monotonic()

    def should_stop() -> bool:
        if time.monotonic() - begun > 0.3:
            raise TimeIsUp
        return False

    with pytest.raises(TimeIsUp):
        send(world, wire(), should_stop=should_stop)
    assert time.monotonic() - begun < 3
