"""Each row of the crash matrix in docs/ledger.md happens here, or in the test that it names."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from airflow_provider_payrecords.core.commands import STRIPE_VERSION
from airflow_provider_payrecords.core.entry import Settlement
from airflow_provider_payrecords.core.errors import LedgerUnavailableError
from airflow_provider_payrecords.core.lifecycle import Event, State
from airflow_provider_payrecords.ledger.store import LedgerStore
from airflow_provider_payrecords.sandbox import Fault, FaultKind, SandboxConfig
from tests.bulk.world import KEY, World, payment, payments
from tests.docs.page import REPOSITORY, section

ELSEWHERE = {
    "the process dies before the claim is committed": "tests/bulk/test_crashes.py::test_a_crash_at_any_effect",
    "… after the claim, before the request leaves": "tests/bulk/test_crashes.py::test_a_crash_at_any_effect",
    "… while the request is on its way, or its answer is": "tests/bulk/test_crashes.py::test_a_crash_at_any_effect",
    "… after the answer was read, before it is settled": "tests/bulk/test_crashes.py::test_a_crash_at_any_effect",
    "… after it is settled": "tests/bulk/test_crashes.py::test_a_crash_at_any_effect",
    "Airflow kills the task (mark failed, clear, worker shutdown)": (
        "tests/airflow/test_kill.py::test_task_ends_in_time_and_the_retry_reports_nothing_twice"
    ),
    "a supervisor dies, its task lives on, and try 2 starts beside it": (
        "tests/ledger/test_processes.py::test_of_three_processes_exactly_one_sends_each_row"
    ),
    "the connection breaks, times out, or the answer is cut short": (
        "tests/bulk/test_trouble.py::test_one_fault_of_any_kind"
    ),
    "500 that Stripe stored, and no record of it is found": (
        "tests/bulk/test_trouble.py::test_a_stored_500_without_a_record_is_in_review"
    ),
    "… and a person says that it is absent": (
        "tests/bulk/test_review.py::test_a_stored_failure_that_is_absent_is_sent_exactly_once_under_the_key_that_follows"
    ),
    "a refused payment is replayed, and Stripe had stored the refusal": (
        "tests/bulk/test_replay.py::test_a_stored_refusal_is_followed_by_one_send_under_the_next_key"
    ),
    "more than 23 hours after the first claim of an unknown payment": (
        "tests/bulk/test_crashes.py::test_a_crash_whose_key_has_expired"
    ),
}
"""Rows that another test shows."""


def world(folder: Path, *faults: Fault, **settings: Any) -> World:
    """Return a world whose API has *faults*."""
    return World(folder, config=SandboxConfig(rate_limits=None, faults=faults, **settings))


def state(one: World) -> tuple[State, str | None]:
    """Return state and error code of the first payment."""
    found = one.entries()["W0001"]
    return found.state, found.error_code


def run(one: World, row: dict[str, Any] | None = None, **more: Any) -> dict[str, int]:
    """Report one payment and return the counts."""
    one.later(minutes=6)
    return one.report([row or payment(1)], **more).summary.counts


def timed_out(folder: Path) -> None:
    one = world(folder)

    class Timeout(BaseException):
        """Raised by an alarm in the middle of whatever runs, as Airflow's is."""

    def strike(request: httpx.Request) -> httpx.Response:
        raise Timeout

    with pytest.raises(Timeout):
        one.report(payments(3), network=httpx.MockTransport(strike))
    assert {entry.state for entry in one.entries().values()} == {State.CLAIMED}
    one.later(minutes=6)
    assert one.report(payments(3)).summary.counts == {"confirmed": 3}
    assert set(one.committed().values()) == {1}


def throttled(folder: Path) -> None:
    one = world(folder, Fault(kind=FaultKind.RATE_LIMIT))
    assert run(one) == {"planned": 1}
    assert run(one) == {"confirmed": 1}


def in_use(folder: Path) -> None:
    one = world(folder, Fault(kind=FaultKind.KEY_IN_USE))
    assert run(one) == {"unknown": 1}
    assert run(one) == {"confirmed": 1}
    assert one.committed() == {"W0001": 1}


def failed_after_effect(folder: Path) -> None:
    one = world(folder, Fault(kind=FaultKind.ERROR_AFTER))
    assert run(one) == {"confirmed": 1}
    assert one.committed() == {"W0001": 1}


def forbidden(folder: Path) -> None:
    one = world(folder, permissions={KEY: frozenset({"payment_records_read"})})
    summary = one.report(payments(9)).summary
    assert (summary.fatal, set(summary.counts)) == (True, {"planned"})
    assert {entry.state for entry in one.entries().values()} == {State.PLANNED}


def behind_a_proxy(folder: Path) -> None:
    one = world(folder)
    page = httpx.MockTransport(lambda request: httpx.Response(403, html="<html>Forbidden</html>"))
    assert run(one, network=page) == {"unknown": 1}
    assert run(one) == {"confirmed": 1}


def changed_after_confirmed(folder: Path) -> None:
    one = world(folder)
    run(one)
    assert run(one, payment(1, description="other")) == {"review": 1}
    assert state(one) == (State.REVIEW, "content_changed")
    assert one.entries()["W0001"].payment_record == one.sandbox.records()[0]["id"]
    assert run(one) == {"confirmed": 1}


def changed_after_rejected(folder: Path) -> None:
    one = world(folder)
    one.stripe_version = "2026-08-26.dahlia"  # knows no canceled payments
    canceled = {"outcome": "canceled", "canceled.canceled_at": 1_793_610_100}
    assert run(one, payment(1, **canceled)) == {"rejected": 1}
    first_key = one.entries()["W0001"].idempotency_key
    assert run(one) == {"confirmed": 1}
    assert one.entries()["W0001"].idempotency_key != first_key


def changed_while_unknown(folder: Path) -> None:
    one = world(folder, Fault(kind=FaultKind.DROP_BEFORE))
    assert run(one) == {"unknown": 1}
    assert run(one, payment(1, description="other")) == {"review": 1}
    assert state(one) == (State.REVIEW, "content_changed")
    assert run(one) == {"review": 1}
    assert one.committed() == {}


def asleep(folder: Path) -> None:
    one = world(folder)

    class Asleep(Wrapped):
        """A ledger after whose claim the machine sleeps."""

        def claim(self, *arguments: Any) -> Any:
            decisions = self.store.claim(*arguments)
            one.later(minutes=6)
            return decisions

    with one.ledger() as store:
        assert run(one, ledger=Asleep(store)) == {"planned": 1}
    assert one.committed() == {}
    assert run(one) == {"confirmed": 1}


def answered_too_late(folder: Path) -> None:
    one = world(folder)
    run(one)
    known = one.entries()["W0001"]
    late = Settlement("W0001", "payrecords-other", Event.ACCEPTED, payment_record="pr_other")
    with one.ledger() as store:
        store.settle(known.scope, [late], one.instant)
    assert state(one) == (State.REVIEW, "second_record")
    assert one.entries()["W0001"].payment_record == known.payment_record
    assert run(one) == {"review": 1}


def unknown_call(folder: Path) -> None:
    one = world(folder)
    one.stripe_version = "2025-01-27.acacia"
    summary = one.report(payments(9)).summary
    assert (summary.fatal, set(summary.counts)) == (True, {"planned"})
    one.stripe_version = STRIPE_VERSION
    assert one.report(payments(9)).summary.counts == {"confirmed": 9}


class Wrapped:
    """A ledger of which a part is replaced."""

    def __init__(self, store: LedgerStore) -> None:
        self.store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


class CannotSettle(Wrapped):
    """A ledger whose disk is full once payments are on their way."""

    def settle(self, scope: Any, settlements: Sequence[Settlement], now: Any) -> Any:
        raise LedgerUnavailableError("The ledger cannot be written.")


def unwritable(folder: Path) -> None:
    one = world(folder)
    with one.ledger() as store, pytest.raises(LedgerUnavailableError):
        run(one, ledger=CannotSettle(store))
    assert state(one) == (State.CLAIMED, None)
    assert run(one) == {"confirmed": 1}
    assert one.committed() == {"W0001": 1}


def lost(folder: Path) -> None:
    one = world(folder)
    for hours, records in ((0, 1), (17, 1), (24, 2)):
        one.later(hours=hours)
        for file in folder.glob("ledger.db*"):
            file.unlink()
        assert run(one) == {"confirmed": 1}
        assert len(one.sandbox.records()) == records


HERE: dict[str, Callable[[Path], None]] = {
    "`execution_timeout` ends the task, or the process is killed at once": timed_out,
    "429 of the API, or no connection": throttled,
    "409, the key is in use": in_use,
    "500, and it took effect": failed_after_effect,
    "401 or 403 of the API": forbidden,
    "an error page of something that is not the API (a proxy)": behind_a_proxy,
    "the row's content changed after it was confirmed": changed_after_confirmed,
    "… after it was rejected": changed_after_rejected,
    "… while its outcome is unknown": changed_while_unknown,
    "the machine sleeps, or is frozen, until the lease is over": asleep,
    "an answer comes after its payment was given up and sent under another key": answered_too_late,
    "404 for the call itself (an API version or a host that does not know it)": unknown_call,
    "the ledger cannot be written": unwritable,
    "the ledger is lost and no backup exists": lost,
}


@pytest.mark.parametrize("scenario", HERE.values(), ids=lambda scenario: scenario.__name__)
def test_row_of_the_matrix_is_true(scenario: Callable[[Path], None], tmp_path: Path) -> None:
    scenario(tmp_path)


def test_every_row_is_shown_somewhere() -> None:
    rows = re.findall(r"^\| (.+?) \|", section("docs/ledger.md", "The crash matrix"), re.MULTILINE)
    assert set(rows[2:]) == set(HERE) | set(ELSEWHERE)


@pytest.mark.parametrize("place", sorted(set(ELSEWHERE.values())))
def test_the_test_that_a_row_names_exists(place: str) -> None:
    path, _, name = place.partition("::")
    assert f"def {name}" in (REPOSITORY / path).read_text("utf-8")
