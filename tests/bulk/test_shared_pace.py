"""Workers that share a lane keep its rate together, in virtual time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from itertools import cycle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_payrecords.bulk.options import RunOptions
from airflow_provider_payrecords.bulk.shared_pace import TURN_SECONDS, SharedPace
from airflow_provider_payrecords.core.wire import ApiResponse
from airflow_provider_payrecords.ledger.memory import MemoryLedger
from airflow_provider_payrecords.ledger.store import Lane
from airflow_provider_payrecords.transport.pace import OwnPace

START = datetime(2026, 11, 26, tzinfo=timezone.utc)
ENDPOINT = "report_payment"


class World:
    """Workers with one ledger and one clock. The ledger's answers take as long as ``answers`` says, in turn."""

    def __init__(self, rate: float, workers: int, answers: Sequence[float] = (0.0,)) -> None:
        self.answers = cycle(answers)
        self.now = 0.0
        self.ledger = MemoryLedger()
        self.sent: list[tuple[float, int]] = []
        self.free_at = [0.0] * workers
        self.paces = [SharedPace(OwnPace(rate, self.clock), self.book, self.clock) for _ in range(workers)]

    def clock(self) -> float:
        return self.now

    def book(self, endpoint: str, seconds: float) -> float:
        wait = self.ledger.book(Lane("acme", "test", endpoint), seconds, START + timedelta(seconds=self.now))
        self.now += next(self.answers)
        return wait

    def run(self, seconds: float, latency: float = 0.0) -> None:
        """Let each worker send whenever it may, and be busy for *latency* after each request."""
        while True:
            worker = min(range(len(self.paces)), key=lambda one: self.free_at[one])
            self.now = max(self.now, self.free_at[worker])
            if self.now > seconds:
                return
            leaves = self.now + self.paces[worker].reserve(ENDPOINT)
            self.sent.append((leaves, worker))
            self.free_at[worker] = leaves + latency


@settings(max_examples=40, deadline=None)
@given(rate=st.floats(0.5, 400), workers=st.integers(1, 9), latency=st.sampled_from([0.0, 0.003, 0.1, 0.7]))
def test_rate_is_never_exceeded_by_all_of_them_together(rate: float, workers: int, latency: float) -> None:
    world = World(rate, workers)
    world.run(20.0, latency)
    times = sorted(leaves for leaves, _ in world.sent)
    for first, time in enumerate(times):
        within = sum(1 for one in times[first:] if one < time + 1.0)
        assert within <= rate + 1


@pytest.mark.parametrize("answers", [(0.0, 0.1), (0.2, 0.0, 0.0), (0.05, 0.15, 0.0, 0.24)])
def test_rate_is_kept_when_some_answers_of_the_ledger_come_late(answers: tuple[float, ...]) -> None:
    world = World(100, 4, answers)
    world.run(20.0)
    times = sorted(leaves for leaves, _ in world.sent)
    assert len(times) > 20 * 100 / 3
    assert max(sum(1 for one in times[first:] if one < time + 1.0) for first, time in enumerate(times)) <= 100 + 2


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_rate_is_used_and_everybody_gets_the_same_share(workers: int) -> None:
    world = World(100, workers)
    world.run(60.0)
    assert len(world.sent) > 0.95 * 60 * 100
    shares = [sum(1 for _, who in world.sent if who == one) for one in range(workers)]
    assert max(shares) - min(shares) <= 2 * TURN_SECONDS * 100


def test_worker_that_vanished_holds_nobody_up_for_long() -> None:
    world = World(100, 3)
    world.run(5.0)
    world.paces, world.free_at, world.sent = world.paces[:1], world.free_at[:1], []
    world.run(10.0)
    assert len(world.sent) > 0.85 * 5 * 100


def test_throttled_worker_asks_for_fewer_places_in_the_same_time() -> None:
    world = World(100, 1)
    assert world.paces[0].rate(ENDPOINT) == 100
    world.paces[0].learn(ENDPOINT, ApiResponse(429, {"stripe-rate-limited-reason": "endpoint-rate"}, b""))
    assert world.paces[0].rate(ENDPOINT) == 50
    world.run(1.0)
    assert len(world.sent) <= 60


@pytest.mark.parametrize(
    ("options", "shares"),
    [
        ({}, False),
        ({"partition": "1/2"}, True),
        ({"share_rate": True}, True),
        ({"partition": "1/2", "share_rate": False}, False),
    ],
)
def test_parts_of_an_extract_share_the_rate_unless_told_otherwise(options: dict[str, object], shares: bool) -> None:
    assert RunOptions.model_validate(options).shares_rate is shares
