"""What was measured, as tables: plain for a terminal, Markdown for a page."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from datetime import datetime, timezone
from importlib.metadata import version
from statistics import median

from bench.contenders import BASELINE, CONTENDERS
from bench.run import Measured, Scenario

Rounds = dict[str, list[Measured]]
"""What each contender took, one value a round; the rounds of all are in the same order."""
Table = list[list[str]]

HEALTHY = ("", "speed", "rows/s", "CPU", "CPU ms per 1,000 rows", "peak MB", "connections", "requests", "lost", "twice")
TROUBLE = ("", "lost", "recorded, not known", "twice", "wrong id", "in review", "requests", "429s", "seconds")
LIBRARIES = ("stripe", "httpx", "aiohttp", "apache-airflow", "apache-airflow-providers-http")


def healthy(rounds: Rounds) -> Table:
    """Return a table of speeds. Speed and CPU are ratios to the baseline of the same round."""
    base = rounds.get(BASELINE, [])
    return [list(HEALTHY)] + [
        [
            name,
            _ratios([one.rate / other.rate for one, other in zip(taken, base, strict=False)]),
            f"{median(one.rate for one in taken):,.0f}",
            _ratios([one.cpu_ms_per_1000 / other.cpu_ms_per_1000 for one, other in zip(taken, base, strict=False)]),
            f"{median(one.cpu_ms_per_1000 for one in taken):,.0f}",
            f"{max(one.peak_mb for one in taken):.0f}",
            str(max(one.connections for one in taken)),
            f"{max(one.requests for one in taken):,}",
            str(sum(one.lost for one in taken)),
            str(sum(one.twice for one in taken)),
        ]
        for name, taken in rounds.items()
    ]


def trouble(rounds: Rounds) -> Table:
    """Return a table of what became of the payments, all rounds together."""
    return [list(TROUBLE)] + [
        [
            name,
            _part(sum(one.lost for one in taken), sum(one.rows for one in taken)),
            str(sum(one.unseen for one in taken)),
            str(sum(one.twice for one in taken)),
            str(sum(one.wrong for one in taken)),
            str(sum(one.review for one in taken)),
            f"{sum(one.requests for one in taken):,}",
            f"{sum(one.throttled for one in taken):,}",
            f"{median(one.wall_seconds for one in taken):.1f}",
        ]
        for name, taken in rounds.items()
    ]


def overview(kept: dict[str, Rounds]) -> Table:
    """Return one table of the whole, for a page: the parts of it that were measured."""
    healthy_ones = [name for name in kept if name.startswith("healthy")]
    after = {name: f"lost, {name}" for name in ("limit", "faults") if name in kept}
    table = [["", *(f"speed, {name.partition('-')[2]} at once" for name in healthy_ones), "CPU ms per 1,000 rows"]]
    table[0] += ["peak MB", "connections", *after.values(), *(["twice, again"] if "again" in kept else [])]
    for name in [one for one in CONTENDERS if any(one in rounds for rounds in kept.values())]:
        calm = [taken for scenario in healthy_ones for taken in kept[scenario].get(name, [])]
        row = [name, *(_speed(kept[scenario], name) for scenario in healthy_ones)]
        row.append(f"{median(one.cpu_ms_per_1000 for one in calm):,.0f}" if calm else "")
        row.append(f"{max(one.peak_mb for one in calm):.0f}" if calm else "")
        row.append(str(max(one.connections for one in calm)) if calm else "")
        row += [_share([(one.lost, one.rows) for one in kept[scenario].get(name, [])]) for scenario in after]
        row += [_share([(one.twice, one.rows) for one in kept["again"].get(name, [])])] if "again" in kept else []
        table.append(row)
    return table


def heading(scenario: Scenario, count: int) -> str:
    """Say what a table is of."""
    what = "healthy server"
    if scenario.limit is not None:
        what = f"server that lets {scenario.limit} requests a second through"
    if scenario.seed is not None:
        what = "server with mixed faults"
    if scenario.runs > 1:
        what += ", the whole job done again as a task that is tried again does"
    times = "once" if count == 1 else f"{count} times"
    return f"{scenario.name}: {what}, {scenario.rows:,} payments, concurrency {scenario.concurrency}, {times}"


def server_line(rounds: Rounds) -> str:
    """Say how busy the server was: near 100 % it would be what was measured."""
    busiest = max((one.server_share, name) for name, taken in rounds.items() for one in taken)
    return f"  the server was busy for at most {busiest[0]:.0%} of the time ({busiest[1]})"


def surroundings() -> list[str]:
    """Return the lines that say when, where and with what this was measured."""
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    return [
        f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores ({platform.machine()}), load {load}",
        f"Python {platform.python_version()}, {libraries}",
    ]


def notes(names: Sequence[str]) -> list[str]:
    """Say what each contender does."""
    return [f"{name}: {CONTENDERS[name].text}" for name in names]


def plain(table: Table) -> str:
    """Return a table for a terminal."""
    widths = [max(len(row[place]) for row in table) for place in range(len(table[0]))]
    lines = (
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in table
    )
    return "\n".join(f"  {line}".rstrip() for line in lines)


def markdown(table: Table) -> str:
    """Return a table for a page."""
    head, *rows = table
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))


def _ratios(ratios: Sequence[float]) -> str:
    if not ratios:
        return ""
    middle = f"{median(ratios):.2f}"
    return middle if len(ratios) == 1 else f"{middle} ({min(ratios):.2f} to {max(ratios):.2f})"


def _speed(rounds: Rounds, name: str) -> str:
    ratios = [one.rate / other.rate for one, other in zip(rounds.get(name, []), rounds.get(BASELINE, []), strict=False)]
    return f"{median(ratios):.2g}" if ratios else ""


def _share(counted: Sequence[tuple[int, int]]) -> str:
    some, of = (sum(one[place] for one in counted) for place in (0, 1))
    return "" if not of else f"{some / of:.1%}" if some else "0"


def _part(some: int, of: int) -> str:
    return f"{some} of {of:,}" if some else "0"
