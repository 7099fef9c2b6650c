"""Thousands of worlds, and in none of them anything is wrong. ``make test WORLDS=100000`` looks at more of them."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor

import pytest

from tests.simulation.world import look, run

WORLDS = int(os.environ.get("WORLDS") or 10_000)
SEEDS = [range(begin, min(begin + 1000, WORLDS + 1)) for begin in range(1, WORLDS + 1, 1000)]
PART = 100
"""Worlds that one process looks at before it says what it saw."""


@pytest.fixture(scope="module")
def workers() -> Iterator[Executor]:
    """Return up to four processes."""
    # Each begins anew: a fork would copy whatever threads other tests have left.
    with ProcessPoolExecutor(min(4, os.cpu_count() or 1), multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.mark.parametrize("seeds", SEEDS, ids=lambda seeds: f"{seeds.start}-{seeds.stop - 1}")
def test_nothing_is_wrong_in_any_world(workers: Executor, seeds: range) -> None:
    parts = [seeds[place : place + PART] for place in range(0, len(seeds), PART)]
    wrong = [story for stories in workers.map(look, parts) for story in stories]
    if wrong:
        pytest.fail(f"{len(wrong)} of {len(seeds)} worlds went wrong. The first one:\n{wrong[0]}", pytrace=False)


@pytest.mark.parametrize("seed", range(1, 30))
def test_the_same_seed_tells_the_same_story(seed: int) -> None:
    assert str(run(seed)) == str(run(seed))
