"""A small ledger is filled, used and reported into, and every part of it is timed."""

from __future__ import annotations

import os

import pytest

from bench.ledger_scale import measure


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_every_ledger_is_measured_in_every_round(database: str) -> None:
    cores = os.sched_getaffinity(0)
    found = measure(database, [0, 300], rows=100, rounds=2)
    assert os.sched_getaffinity(0) == cores
    assert list(found) == [0, 300]
    for times in found.values():
        assert {name: len(values) for name, values in times.items()} == {
            **dict.fromkeys(("claim", "settle", "look up", "claim, known"), 2),
            **dict.fromkeys(("run", "run, CPU"), 2),
        }
        assert all(value > 0 for values in times.values() for value in values)
