"""Every ledger hands out the time of a lane to one worker after the other."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from airflow_provider_payrecords.ledger.store import Lane, LedgerStore
from airflow_provider_payrecords.ledger.urls import open_ledger

LANE = Lane("acme", "test", "report_payment")
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=timezone.utc)


def test_each_booking_begins_where_the_one_before_it_ends(ledger: LedgerStore) -> None:
    waits = [ledger.book(LANE, 10.0, NOW) for _ in range(4)]
    # A server goes on by its own clock between the statements.
    assert waits == pytest.approx([0, 10, 20, 30], abs=5)


def test_lanes_do_not_wait_for_each_other(ledger: LedgerStore) -> None:
    for lane in (
        LANE,
        Lane("acme", "live", "report_payment"),
        Lane("acme", "test", "report_refund"),
        Lane("b", "test", "x"),
    ):
        assert ledger.book(lane, 100.0, NOW) == 0


def test_lane_that_is_free_again_keeps_nobody_waiting(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "ledger.db")
    ledger.book(LANE, 10.0, NOW)
    assert ledger.book(LANE, 10.0, NOW + timedelta(seconds=4)) == pytest.approx(6)
    assert ledger.book(LANE, 10.0, NOW + timedelta(seconds=60)) == 0
    ledger.close()


def test_clock_that_was_far_ahead_keeps_nobody_waiting(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "ledger.db")
    ledger.book(LANE, 10.0, NOW + timedelta(days=9))
    assert ledger.book(LANE, 10.0, NOW) == 0
    ledger.close()


def test_workers_side_by_side_never_get_the_same_time(ledger: LedgerStore) -> None:
    waits: list[float] = []

    def work() -> None:
        waits.extend(ledger.book(LANE, 1.0, NOW) for _ in range(20))

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(waits) == 80
    # Together they have taken all of it: a second each, and none twice.
    assert ledger.book(LANE, 1.0, NOW) == pytest.approx(80, abs=20)
