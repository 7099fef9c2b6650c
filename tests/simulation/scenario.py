"""What a world is: its payments as they change, who reports them when, and what befalls whom. All from one seed."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from airflow_provider_payrecords.bulk.options import RunOptions
from tests.simulation.extract import Payment
from tests.simulation.process import Fate
from tests.simulation.server import REFUSED_AMOUNT

MINUTE, HOUR = 60.0, 3600.0
BETWEEN_RUNS = (0.0, 0.3, 3.0, 20.0, 2 * MINUTE, 20 * MINUTE, 5 * HOUR, 22.8 * HOUR, 25 * HOUR)
FREEZES = (2.0, 40.0, 400.0, 2 * HOUR, 25 * HOUR)
MAX_CLOCK_ERROR = 120.0
"""
Seconds by which a clock may be wrong, either way. The ledger's rules take clocks for right within an hour: a machine
whose clock is a day off can do anything.
"""


@dataclass(frozen=True)
class Launch:
    """
    One process: when it starts after the one before, what it is given, how it behaves, what befalls it.

    A replay sends the rejects among its rows again, and no other row.
    """

    after: float
    rows: list[Payment]
    options: RunOptions
    fate: Fate
    is_replay: bool


@dataclass(frozen=True)
class Scenario:
    """
    One world before it begins.

    Attributes:
        lists: Whether the account may list its records.
        final: The rows as they are at the end.
        changed: Payments whose content was not always the same.
        clock_jump: When every clock but the API's jumps ahead, and by how many seconds, or None.
        healing: Seconds between the runs at the end, when all is well.
    """

    launches: list[Launch]
    stamped: bool
    lists: bool
    read_timeout: float
    max_retries: int
    final: list[Payment]
    changed: frozenset[str]
    clock_jump: tuple[float, float] | None
    healing: tuple[float, ...]


def draw(random: Random) -> Scenario:
    """Draw a world."""
    stamped = random.random() < 0.85
    payments = [_payment(random, number) for number in range(1, random.choice((1, 2, 3, 5, 8)) + 1)]
    changed: set[str] = set()
    calm = random.random() < 0.5
    launches = []
    for _ in range(random.choice((1, 2, 2, 3, 4))):
        launches.append(
            Launch(
                random.choice(BETWEEN_RUNS) if launches else 0.0,
                _rows(random, payments),
                _options(random, stamped),
                _fate(random),
                is_replay=bool(launches) and random.random() < 0.15,
            )
        )
        if not calm:
            changed |= _change(random, payments)
    return Scenario(
        launches,
        stamped,
        lists=random.random() < 0.8,
        read_timeout=random.choice((0.5, 3.0, 10.0)),
        max_retries=random.choice((0, 1, 3)),
        final=payments,
        changed=frozenset(changed),
        clock_jump=(random.uniform(0, 10), 26 * HOUR) if random.random() < 0.1 else None,
        healing=(random.choice((20 * MINUTE, 20 * MINUTE, 25 * HOUR)), 20 * MINUTE, 20 * MINUTE),
    )


def _payment(random: Random, number: int) -> Payment:
    return Payment(f"W{number}", REFUSED_AMOUNT if random.random() < 0.1 else number * 100)


def _change(random: Random, payments: list[Payment]) -> set[str]:
    changed = set()
    for place, before in enumerate(payments):
        if random.random() < 0.2:
            corrections = ({"description": "corrected"}, {"description": None}, {"amount": (place + 1) * 100})
            payments[place] = before._replace(**random.choice(corrections))
        if payments[place] != before:
            changed.add(before.key)
    return changed


def _rows(random: Random, payments: list[Payment]) -> list[Payment]:
    rows = list(payments)
    if random.random() < 0.1:
        rows.append(random.choice(rows))  # twice the same payment in one extract
    if random.random() < 0.1:
        rows.insert(0, Payment("broken", None))
    return rows


def _options(random: Random, stamped: bool) -> RunOptions:
    return RunOptions(
        concurrency=random.choice((1, 2, 4)),
        rate_limit=random.choice((2.0, 20.0, 1000.0)),
        canary=random.choice((None, None, None, None, 1, 2)),
        stop_after_rejects=random.choice((None, None, None, 1)),
        stamp_metadata=stamped,
        lease_seconds=random.choice((10.0, 60.0, 300.0)),
    )


def _fate(random: Random) -> Fate:
    def sometimes(odds: float, value: Any) -> Any:
        return value if random.random() < odds else None

    freezes = [(random.uniform(0, 3), random.choice(FREEZES), random.random() < 0.5)] if random.random() < 0.2 else []
    steps = [(random.uniform(0, 3), random.uniform(-0.5, 0.5) * MAX_CLOCK_ERROR)] if random.random() < 0.1 else []
    return Fate(
        crash_at=sometimes(0.4, random.randint(1, 40)),
        kill_after=sometimes(0.15, random.uniform(0, 4)),
        stop_after=sometimes(0.1, random.uniform(0, 3)),
        freezes=tuple(freezes),
        clock_ahead=random.uniform(-0.5, 0.5) * MAX_CLOCK_ERROR if random.random() < 0.3 else 0.0,
        clock_steps=tuple(steps),
        seen_dead=random.random() < 0.5,
    )
