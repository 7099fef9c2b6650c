"""
Whole runs in virtual time, at an allowance, over the sandbox: how much of it they use, and what they are refused.

What is measured is the sandbox's own journal. The clocks stand while the program computes, so nothing here depends on
the machine; what a busy machine costs is in ``core/test_pacing.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from airflow_provider_payrecords.bulk import RunOptions, RunSummary
from airflow_provider_payrecords.bulk.machine import Machine
from airflow_provider_payrecords.bulk.run import ExtractRun
from airflow_provider_payrecords.bulk.summary import Progress
from airflow_provider_payrecords.extract import make_extract
from airflow_provider_payrecords.ledger.urls import open_ledger
from airflow_provider_payrecords.sandbox.config import RateLimits, SandboxConfig
from airflow_provider_payrecords.sandbox.engine import Sandbox
from airflow_provider_payrecords.sandbox.faults import Fault, FaultKind
from airflow_provider_payrecords.sandbox.inprocess import SandboxTransport
from airflow_provider_payrecords.settings import Settings
from tests.bulk.virtual_loop import VirtualLoop
from tests.bulk.world import KEY, MAPPING, payments


class Distant(httpx.AsyncBaseTransport):
    """A network to *sandbox* that takes *latency* seconds there and back, and counts."""

    def __init__(self, sandbox: Sandbox, latency: float) -> None:
        self._near = SandboxTransport(sandbox)
        self._latency = latency
        self._under_way = 0
        self.most_under_way = 0
        self.answers: list[int] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._under_way += 1
        self.most_under_way = max(self.most_under_way, self._under_way)
        await asyncio.sleep(self._latency / 2)
        response = await self._near.handle_async_request(request)
        await asyncio.sleep(self._latency / 2)
        self._under_way -= 1
        self.answers.append(response.status_code)
        return response


@dataclass(frozen=True)
class Pace:
    """
    What a run came to.

    Attributes:
        per_second: Records a second in the journal, from the first to the last.
        refused: Share of the answers that were 429.
        most_under_way: Requests that were under way at once.
        rates: The run's own pace, ten times a second.
    """

    summary: RunSummary
    per_second: float
    refused: float
    most_under_way: int
    rates: list[float]
    each_once: bool


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    loop = VirtualLoop()
    yield loop
    loop.close()


def paced(
    loop: VirtualLoop, folder: Path, rows: int, latency: float, options: RunOptions, faults: tuple[Fault, ...] = ()
) -> Pace:
    """Report *rows* payments to a sandbox that allows 100 requests a second."""
    limits = RateLimits(test=100, endpoint=100)
    sandbox = Sandbox(SandboxConfig(rate_limits=limits, faults=faults), clock=lambda: loop.now().timestamp())
    network = Distant(sandbox, latency)
    rates: list[float] = []

    def progress(seen: Progress) -> None:
        rates.append(seen.rate)

    ledger = open_ledger(folder / "ledger.db")
    settings = Settings.model_validate({"api_key": KEY, "api_base": "http://127.0.0.1:1"})
    machine = Machine(network=network, now=loop.now, clock=loop.time)
    run = ExtractRun(make_extract(payments(rows)), MAPPING, settings, ledger, options, None, None, 0, machine)
    report = loop.run_until_complete(run.report(lambda: False, progress))
    ledger.close()
    times = [line.time for line in sandbox.journal]
    return Pace(
        summary=report.summary,
        per_second=(len(times) - 1) / (times[-1] - times[0]),
        refused=network.answers.count(429) / len(network.answers),
        most_under_way=network.most_under_way,
        rates=rates,
        each_once=set(sandbox.journal.times().values()) == {1} and len(times) == rows,
    )


def test_an_allowance_of_100_a_second_is_used_at_100_ms_and_nothing_is_refused(
    loop: VirtualLoop, tmp_path: Path
) -> None:
    pace = paced(loop, tmp_path, 600, 0.1, RunOptions(rate_limit=100))
    assert 98 <= pace.per_second <= 100.2
    assert pace.refused < 0.01
    assert pace.summary.counts == {"confirmed": 600}
    assert pace.each_once


@pytest.mark.parametrize(
    ("rate", "latency", "under_way"), [(20, 0.1, 3), (20, 1.0, 21), (100, 0.1, 11), (100, 0.25, 26), (100, 1.0, 32)]
)
def test_as_many_are_under_way_as_rate_and_latency_ask_for(
    rate: float, latency: float, under_way: int, loop: VirtualLoop, tmp_path: Path
) -> None:
    pace = paced(loop, tmp_path, 100, latency, RunOptions(rate_limit=rate))
    assert under_way - 1 <= pace.most_under_way <= under_way


def test_concurrency_is_the_most_that_are_under_way(loop: VirtualLoop, tmp_path: Path) -> None:
    pace = paced(loop, tmp_path, 100, 0.1, RunOptions(rate_limit=100, concurrency=4))
    assert pace.most_under_way == 4
    assert pace.per_second == pytest.approx(40, rel=0.05)


def test_an_allowance_that_nobody_told_us_of_is_found_and_nothing_lost(loop: VirtualLoop, tmp_path: Path) -> None:
    pace = paced(loop, tmp_path, 1000, 0.1, RunOptions(rate_limit=10_000, concurrency=64))
    assert pace.per_second > 90
    assert pace.refused < 0.2
    assert pace.summary.counts == {"confirmed": 1000}
    assert pace.each_once


def test_a_429_slows_the_run_and_the_pace_comes_back(loop: VirtualLoop, tmp_path: Path) -> None:
    fault = Fault(kind=FaultKind.RATE_LIMIT, skip=50)
    pace = paced(loop, tmp_path, 950, 0.1, RunOptions(rate_limit=100), (fault,))
    assert min(pace.rates) == pytest.approx(50, abs=2)
    assert pace.rates[-1] == 100
    assert pace.summary.counts == {"confirmed": 950}


def test_a_lock_on_one_record_does_not_slow_the_run(loop: VirtualLoop, tmp_path: Path) -> None:
    fault = Fault(kind=FaultKind.LOCK, skip=20, times=3)
    pace = paced(loop, tmp_path, 200, 0.1, RunOptions(rate_limit=100), (fault,))
    assert set(pace.rates) == {100}
    assert pace.summary.counts == {"confirmed": 200}
