"""Every engine with one thing wrong is found out within a bounded number of worlds."""

from __future__ import annotations

import pytest

from tests.simulation.mutants import MUTANTS, mutated
from tests.simulation.world import run

WITHIN = 4000
"""Worlds in which each must be found out. Most are in the first ten."""


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_found_out(name: str) -> None:
    with mutated(name):
        assert any(run(seed).wrong for seed in range(1, WITHIN + 1)), MUTANTS[name].__doc__
