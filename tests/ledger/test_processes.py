"""Several processes on one ledger, and processes that die."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from pathlib import Path

import pytest

from airflow_provider_payrecords.core.entry import Action
from airflow_provider_payrecords.core.lifecycle import State
from airflow_provider_payrecords.ledger.liveness import is_dead
from airflow_provider_payrecords.ledger.store import Selection
from airflow_provider_payrecords.ledger.urls import open_ledger
from tests.ledger.claimant import claim_all, claim_until_killed
from tests.ledger.samples import BERT, SCOPE, intent, later

SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return where a ledger can be made that processes share."""
    if request.param == "postgresql":
        url: str = request.getfixturevalue("empty_postgresql")()
        return url
    return str(tmp_path / "new" / "ledger.db")


def test_of_three_processes_exactly_one_sends_each_row(place: str) -> None:
    keys = [f"k{number}" for number in range(500)]
    start = SPAWN.Barrier(3)
    pipes = [SPAWN.Pipe(duplex=False) for _ in range(3)]
    orders = (keys, keys[::-1], keys[250:] + keys[:250])
    processes = [
        SPAWN.Process(target=claim_all, args=(place, order, start, sender))
        for order, (_, sender) in zip(orders, pipes, strict=True)
    ]
    for process in processes:
        process.start()
    for _, sender in pipes:
        sender.close()
    decided = [pair for receiver, _ in pipes for pair in receiver.recv()]
    for process in processes:
        process.join(30)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert Counter(decided) == Counter({(key, "send"): 1 for key in keys} | {(key, "held"): 2 for key in keys})


def test_what_a_killed_process_claimed_is_known_lapses_and_is_sent_with_the_same_key(place: str) -> None:
    receiver, sender = SPAWN.Pipe(duplex=False)
    process = SPAWN.Process(target=claim_until_killed, args=(place, sender))
    process.start()
    sender.close()
    owner = receiver.recv()
    told = {receiver.recv() for _ in range(50)}
    assert not is_dead(owner)
    process.kill()
    process.join(30)

    ledger = open_ledger(place)
    claimed = {entry.key: entry for entry in ledger.entries(Selection(states=frozenset({State.CLAIMED})))}
    assert told <= claimed.keys()
    assert ledger.owners(SCOPE) == {owner}
    assert is_dead(owner)
    assert ledger.claim(SCOPE, [intent("k0")], BERT, later(seconds=1))[0].action is Action.HELD
    assert ledger.lapse(SCOPE, [owner], later(seconds=1)) == len(claimed)
    [again] = ledger.claim(SCOPE, [intent("k0")], BERT, later(seconds=2))
    assert again.action is Action.RESEND
    assert again.entry.idempotency_key == claimed["k0"].idempotency_key
    ledger.close()
