"""A run is ended before and after every single effect; the next run must make it whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from airflow_provider_payrecords.core.lifecycle import State
from airflow_provider_payrecords.sandbox.inprocess import SandboxTransport
from tests.bulk.world import Crash, Doom, DoomedLedger, DoomedNetwork, World, payments

ROWS = payments(5)


def run_until(world: World, at: int | None) -> Doom:
    """Run once and end the world at effect *at*."""
    doom = Doom(at)
    with world.ledger() as store:
        network = DoomedNetwork(SandboxTransport(world.sandbox), doom)
        try:
            world.report(ROWS, ledger=DoomedLedger(store, doom), network=network)
        except Crash:
            return doom
    return doom


def count_effects(folder: Path) -> int:
    """Return how many effects an undisturbed run has."""
    folder.mkdir()
    return run_until(World(folder), None).effects


def assert_whole(world: World) -> None:
    """Assert that each payment exists once and that its id is in the ledger."""
    keys = [row["processor_details.custom.payment_reference"] for row in ROWS]
    assert world.committed() == dict.fromkeys(keys, 1)
    entries = world.entries()
    ids = {line.key: line.payment_record for line in map(as_pair, world.sandbox.records())}
    assert {key: (entry.state, entry.payment_record) for key, entry in entries.items()} == {
        key: (State.CONFIRMED, ids[key]) for key in keys
    }


class as_pair:  # noqa: N801  # reads as a function where it is used
    """Key and id of a record as the sandbox holds it."""

    def __init__(self, record: dict[str, object]) -> None:
        metadata = record["metadata"]
        assert isinstance(metadata, dict)
        self.key = metadata["payrecords_key"]
        self.payment_record = record["id"]


def test_a_crash_at_any_effect_leaves_every_payment_exactly_once(tmp_path: Path) -> None:
    effects = count_effects(tmp_path / "count")
    assert effects > 4 * len(ROWS)
    for at in range(1, effects + 1):
        folder = tmp_path / str(at)
        folder.mkdir()
        world = World(folder)
        run_until(world, at)
        world.later(minutes=6)
        summary = world.report(ROWS).summary
        assert (summary.status, summary.counts) == ("finished", {"confirmed": len(ROWS)}), at
        assert_whole(world)


def test_a_crash_at_any_effect_is_made_whole_from_a_postgresql_ledger(
    tmp_path: Path, empty_postgresql: Callable[[], str]
) -> None:
    effects = count_effects(tmp_path / "count")
    for at in range(1, effects + 1):
        world = World(tmp_path, ledger_url=empty_postgresql())
        run_until(world, at)
        world.later(minutes=6)
        assert world.report(ROWS).summary.counts == {"confirmed": len(ROWS)}, at
        assert_whole(world)


def test_two_crashes_in_a_row_leave_every_payment_exactly_once(tmp_path: Path) -> None:
    effects = count_effects(tmp_path / "count")
    for at in range(1, effects + 1, 3):
        folder = tmp_path / str(at)
        folder.mkdir()
        world = World(folder)
        run_until(world, at)
        world.later(minutes=6)
        run_until(world, max(1, effects - at))
        world.later(minutes=6)
        assert world.report(ROWS).summary.counts == {"confirmed": len(ROWS)}
        assert_whole(world)


@pytest.mark.parametrize("at", [6, 11, 17])
def test_a_crash_whose_key_has_expired_is_found_at_the_api_and_not_sent_again(tmp_path: Path, at: int) -> None:
    world = World(tmp_path)
    run_until(world, at)
    unsent = {key for key, entry in world.entries().items()} - set(world.committed())
    world.later(hours=24)
    report = world.report(ROWS)
    assert all(times == 1 for times in world.committed().values())
    assert report.summary.counts.get("review", 0) == len(unsent)
    assert {key for key, entry in world.entries().items() if entry.state is State.REVIEW} == unsent
