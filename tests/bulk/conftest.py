"""Worlds that tests of runs begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.bulk.world import CANCELED, OLD_VERSION, World, payment


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return an empty world."""
    return World(tmp_path)


@pytest.fixture
def rejects(world: World) -> list[dict[str, Any]]:
    """Return four rows, of which the API refused the second and the fourth, for reasons of a day."""
    rows = [payment(number, **(CANCELED if number % 2 == 0 else {})) for number in range(1, 5)]
    world.stripe_version = OLD_VERSION
    assert world.report(rows).summary.counts == {"confirmed": 2, "rejected": 2}
    world.stripe_version = World.stripe_version
    return rows
