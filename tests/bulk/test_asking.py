"""Rejects that somebody asks for from afar: the next run that has their rows replays them, each at most once more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from airflow_provider_payrecords.bulk.asking import Asked, ask_to_replay
from airflow_provider_payrecords.bulk.lines import explain
from airflow_provider_payrecords.core.lifecycle import State
from airflow_provider_payrecords.core.replay import REPLAY_ASKED
from airflow_provider_payrecords.ledger.store import Selection
from airflow_provider_payrecords.sandbox.inprocess import SandboxTransport
from tests.bulk.test_replay import REFUNDS, Recorder, guarantee, refund, refunds_of
from tests.bulk.world import Crash, Doom, DoomedLedger, DoomedNetwork, World, payment

EVERYTHING = Selection()


def ask(world: World, selection: Selection = EVERYTHING, **more: Any) -> Asked:
    """Ask for the rejects of *selection*, as a page does."""
    with world.ledger() as store:
        return ask_to_replay(store, selection, now=lambda: world.instant, **more)


def test_asking_sends_nothing_and_the_next_run_sends_each_reject_once(
    world: World, rejects: list[dict[str, Any]]
) -> None:
    assert ask(world) == Asked(["W0002", "W0004"], left=False)
    assert world.committed() == {"W0001": 1, "W0003": 1}
    summary = world.report(rejects).summary
    assert (summary.requests, summary.new, summary.counts) == (2, 2, {"confirmed": 4})
    assert world.report(rejects).summary.requests == 0
    assert set(world.committed().values()) == {1}


def test_a_reject_nobody_asked_for_stays_one(world: World, rejects: list[dict[str, Any]]) -> None:
    assert ask(world, Selection(key="W0002")).keys == ["W0002"]
    assert world.report(rejects).summary.counts == {"confirmed": 3, "rejected": 1}
    assert world.entries()["W0004"].state is State.REJECTED


def test_asking_twice_asks_once(world: World, rejects: list[dict[str, Any]]) -> None:
    ask(world)
    before = world.entries()
    assert ask(world).keys == []
    assert world.entries() == before


def test_rejects_can_be_asked_for_by_code_parameter_and_run(world: World, rejects: list[dict[str, Any]]) -> None:
    entry = world.entries()["W0002"]
    assert ask(world, Selection(error_code="something_else")).keys == []
    assert ask(world, Selection(run_id="run-other")).keys == []
    assert ask(world, param="something[else]").keys == []
    chosen = Selection(error_code=entry.error_code, run_id=entry.run_id)
    assert ask(world, chosen, param=entry.error_param).keys == ["W0002", "W0004"]


def test_more_rejects_than_one_question_takes_are_left_for_another(world: World, rejects: list[dict[str, Any]]) -> None:
    assert ask(world, limit=1) == Asked(["W0002"], left=True)
    assert ask(world, limit=1) == Asked(["W0004"], left=False)


def test_who_asked_is_kept_as_a_run_and_the_entry_says_what_comes_next(
    world: World, rejects: list[dict[str, Any]]
) -> None:
    ask(world)
    entry = world.entries()["W0002"]
    with world.ledger() as store:
        (run,) = [one for one in store.runs() if one.run_id == entry.run_id]
    assert run.extract == "replay: asked"
    assert run.summary is not None
    assert run.summary["counts"] == {"planned": 2}
    assert entry.error_code == REPLAY_ASKED
    assert "next run that has its row" in explain("planned", entry, None)


def test_replaying_an_extract_takes_what_was_asked_for_as_the_rejects_they_are(
    world: World, rejects: list[dict[str, Any]]
) -> None:
    ask(world)
    assert world.replay(rejects, {"all": True}).summary.counts == {"confirmed": 2}


def refused_refund(world: World) -> list[dict[str, Any]]:
    """Return a refund whose refusal the API has stored, and which it would take now."""
    (record,) = world.report([payment(1)]).record_ids
    rows = [refund(record, 1)]
    assert world.report(rows, mapping=REFUNDS).summary.counts == {"rejected": 1}
    guarantee(world)
    return rows


def test_a_refusal_that_the_api_had_stored_is_followed_by_the_next_key_in_the_same_run(world: World) -> None:
    rows = refused_refund(world)
    ask(world)
    network = Recorder(world)
    assert world.report(rows, mapping=REFUNDS, network=network).summary.counts == {"confirmed": 1}
    assert [key.partition(".")[2] for key in network.keys] == ["", "2"]
    assert refunds_of(world) == [100]


def asked_until(world: World, rows: list[dict[str, Any]], at: int | None) -> Doom:
    """Ask, then run, and end the world at effect *at* of both."""
    doom = Doom(at)
    with world.ledger() as store:
        ledger: Any = DoomedLedger(store, doom)
        network = DoomedNetwork(SandboxTransport(world.sandbox), doom)
        try:
            ask_to_replay(ledger, Selection(), now=lambda: world.instant)
            world.report(rows, mapping=REFUNDS, ledger=ledger, network=network)
        except Crash:
            pass
    return doom


def test_a_crash_at_any_effect_leaves_one_refund(tmp_path: Path) -> None:
    def fresh(name: str) -> tuple[World, list[dict[str, Any]]]:
        (tmp_path / name).mkdir()
        world = World(tmp_path / name)
        return world, refused_refund(world)

    effects = asked_until(*fresh("count"), None).effects
    assert effects > 12
    for at in range(1, effects + 1):
        world, rows = fresh(str(at))
        asked_until(world, rows, at)
        assert refunds_of(world) in ([0], [100]), at
        for _ in range(2):  # what may exist is taken up first, and may be the refusal again
            world.later(minutes=6)
            ask(world)
            world.report(rows, mapping=REFUNDS)
        assert (world.entries()["R0001"].state, refunds_of(world)) == (State.CONFIRMED, [100]), at
