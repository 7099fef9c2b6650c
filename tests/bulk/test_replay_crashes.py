"""A replay of a stored refusal is ended before and after every effect; the refund is made exactly once all the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from airflow_provider_payrecords.core.lifecycle import State
from airflow_provider_payrecords.sandbox.inprocess import SandboxTransport
from tests.bulk.test_replay import REFUNDS, guarantee, refund, refunds_of
from tests.bulk.world import Crash, Doom, DoomedLedger, DoomedNetwork, World, payment


def refused(folder: Path) -> tuple[World, list[dict[str, Any]]]:
    """Return a world whose API has stored that it refused a refund, which it would take now."""
    folder.mkdir()
    world = World(folder)
    (record,) = world.report([payment(1)]).record_ids
    rows = [refund(record, 1)]
    assert world.report(rows, mapping=REFUNDS).summary.counts == {"rejected": 1}
    guarantee(world)
    return world, rows


def replay_until(world: World, rows: list[dict[str, Any]], at: int | None) -> Doom:
    """Replay once and end the world at effect *at*."""
    doom = Doom(at)
    with world.ledger() as store:
        network = DoomedNetwork(SandboxTransport(world.sandbox), doom)
        try:
            world.replay(rows, {"all": True}, mapping=REFUNDS, ledger=DoomedLedger(store, doom), network=network)
        except Crash:
            return doom
    return doom


def test_a_crash_at_any_effect_of_a_replay_leaves_one_refund(tmp_path: Path) -> None:
    effects = replay_until(*refused(tmp_path / "count"), None).effects
    assert effects > 12
    for at in range(1, effects + 1):
        world, rows = refused(tmp_path / str(at))
        replay_until(world, rows, at)
        assert refunds_of(world) in ([0], [100]), at
        world.later(minutes=6)
        world.report(rows, mapping=REFUNDS)  # takes up what may exist, and leaves a refusal alone
        world.replay(rows, {"all": True}, mapping=REFUNDS)
        entry = world.entries()["R0001"]
        assert (entry.state, refunds_of(world)) == (State.CONFIRMED, [100]), at
