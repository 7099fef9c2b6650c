"""What the other processes of ``test_processes.py`` run; spawned, so it must be importable."""

from __future__ import annotations

from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier

from airflow_provider_payrecords.core.entry import Worker
from airflow_provider_payrecords.ledger.liveness import make_owner
from airflow_provider_payrecords.ledger.urls import open_ledger
from tests.ledger.samples import NOW, SCOPE, intent


def claim_all(path: str, keys: list[str], start: Barrier, results: Connection) -> None:
    """Open the ledger and claim *keys* ten at a time, at the same moment as the others; send back the decisions."""
    start.wait()
    ledger = open_ledger(path)
    worker = Worker(make_owner("run"), "run", lease_seconds=120)
    decided = []
    for first in range(0, len(keys), 10):
        decisions = ledger.claim(SCOPE, [intent(key) for key in keys[first : first + 10]], worker, NOW)
        decided += [(decision.entry.key, decision.action.value) for decision in decisions]
    results.send(decided)
    ledger.close()


def claim_until_killed(path: str, results: Connection) -> None:
    """Claim one row after another, and tell each key once its claim is made."""
    ledger = open_ledger(path)
    worker = Worker(make_owner("run"), "run", lease_seconds=3_600)
    results.send(worker.owner)
    for number in range(1_000_000):
        [decision] = ledger.claim(SCOPE, [intent(f"k{number}")], worker, NOW)
        results.send(decision.entry.key)
