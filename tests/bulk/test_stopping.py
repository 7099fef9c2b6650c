"""A run ends early by its own rules or because somebody asks, and can always be run again."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from airflow_provider_payrecords.bulk import RunOptions
from airflow_provider_payrecords.sandbox.config import SandboxConfig
from airflow_provider_payrecords.sandbox.faults import Fault, FaultKind
from tests.bulk.world import FAST, World, payment, payments


def with_rejects(count: int, every: int) -> list[dict[str, object]]:
    """Return payments of which each *every*-th breaks a rule."""
    return [payment(n, outcome="paid") if n % every == 0 else payment(n) for n in range(1, count + 1)]


def options(**changes: object) -> RunOptions:
    """Return fast options with *changes*."""
    return RunOptions.model_validate({**FAST.model_dump(), **changes})


def test_a_canary_sends_so_many_and_the_next_run_goes_on(world: World) -> None:
    canary = world.report(payments(10), options=options(canary=3)).summary
    assert (canary.status, canary.counts, canary.requests, canary.exit_code) == ("stopped", {"confirmed": 3}, 3, 3)
    assert "canary" in (canary.stop_reason or "")
    more = world.report(payments(10), options=options(canary=3)).summary
    assert (more.counts, more.requests) == ({"confirmed": 6}, 3)
    assert world.report(payments(10)).summary.counts == {"confirmed": 10}
    assert set(world.committed().values()) == {1}


def test_a_count_of_rejects_stops_the_run(world: World) -> None:
    summary = world.report(with_rejects(200, 4), options=options(stop_after_rejects=3)).summary
    assert (summary.status, summary.exit_code) == ("stopped", 3)
    assert summary.rows < 200
    assert summary.counts["rejected"] >= 3


def test_a_share_of_rejects_stops_the_run_only_after_enough_rows(world: World) -> None:
    few = world.report(with_rejects(12, 3), options=options(stop_after_rejects=0.3)).summary
    assert few.status == "finished"
    many = world.report(with_rejects(90, 3), options=options(stop_after_rejects=0.3)).summary
    assert many.status == "stopped"


def test_on_reject_stop_ends_at_the_first_one(world: World) -> None:
    summary = world.report(with_rejects(2000, 2), options=options(on_reject="stop")).summary
    assert summary.status == "stopped"
    assert summary.rows < 2000


def test_asking_to_stop_releases_what_was_not_sent(world: World) -> None:
    asked = iter([False, False, True])
    slow = options(rate_limit=20)
    summary = world.report(payments(100), options=slow, should_stop=lambda: next(asked, True)).summary
    assert summary.status == "stopped"
    assert summary.counts["planned"] > 0
    assert sum(world.committed().values()) == summary.counts.get("confirmed", 0)
    assert world.report(payments(100)).summary.counts == {"confirmed": 100}
    assert set(world.committed().values()) == {1}


def test_a_request_that_hangs_is_given_up_within_the_grace_and_is_unknown(tmp_path: Path) -> None:
    slow = SandboxConfig(rate_limits=None, faults=(Fault(kind=FaultKind.SLOW, seconds=25),))
    world = World(tmp_path, config=slow)
    begun = time.monotonic()
    summary = world.report(payments(1), should_stop=lambda: True).summary
    assert time.monotonic() - begun < 5
    assert summary.counts in ({"unknown": 1}, {"planned": 1})


@pytest.mark.parametrize(
    "changes",
    [
        {"rate_limit": 0},
        {"rate_limit": -1},
        {"rate_limit": float("nan")},
        {"rate_limit": 1e9},
        {"concurrency": 0},
        {"concurrency": 100_000},
        {"canary": 0},
        {"stop_after_rejects": 0},
        {"stop_after_rejects": 1.5},
        {"on_reject": "explode"},
        {"speed": 3},
    ],
)
def test_options_that_cannot_work_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(changes))):
        options(**changes)


class TimeIsUp(BaseException):
    """What Airflow's signal handler raises, wherever the program happens to be."""


def test_a_timeout_that_strikes_the_ticker_ends_the_run_at_once(world: World) -> None:
    asked = iter([False, False])

    def should_stop() -> bool:
        for answer in asked:
            return answer
        raise TimeIsUp

    begun = time.monotonic()
    with pytest.raises(TimeIsUp):
        world.report(payments(60), options=options(rate_limit=10), should_stop=should_stop)
    assert time.monotonic() - begun < 3
    world.later(minutes=6)
    assert world.report(payments(60)).summary.counts == {"confirmed": 60}
    assert set(world.committed().values()) == {1}


def test_a_stopped_run_leaves_the_results_of_a_whole_one_as_they_are(world: World, tmp_path: Path) -> None:
    target, stopped = tmp_path / "r.jsonl", tmp_path / "r.stopped.jsonl"
    world.report(payments(6), results=target)
    before = target.read_bytes()
    early = world.report(payments(9), options=options(canary=1), results=target).summary
    assert (early.status, early.results_path) == ("stopped", str(stopped))
    assert target.read_bytes() == before
    assert stopped.exists()
    whole = world.report(payments(9), results=target).summary
    assert (whole.results_path, len(target.read_text().splitlines())) == (str(target), 9)
    assert not stopped.exists()
