"""``python -m bench``: every contender in every scenario, and the tables. ``make bench`` calls it."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from bench import tables
from bench.contenders import BASELINE, CONTENDERS, Contender
from bench.run import Scenario, Server, measure, running_server

LIMIT = 100
FULL = (
    (Scenario("healthy-8", 8, 1000), 5),
    (Scenario("healthy-32", 32, 1000), 5),
    (Scenario("healthy-100", 100, 1000), 5),
    (Scenario("limit", 8, 1000, limit=LIMIT), 3),
    (Scenario("faults", 32, 1000, seed=1), 3),
    (Scenario("again", 32, 1000, seed=1, runs=2), 1),
)
QUICK = (
    (Scenario("healthy-32", 32, 300), 1),
    (Scenario("limit", 8, 300, limit=LIMIT), 1),
    (Scenario("faults", 32, 200, seed=1), 1),
)


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    asked = _parser().parse_args(arguments)
    client_core, server_core = _cores(pinned=not asked.no_pin)
    print("\n".join(tables.surroundings()))
    print("speed and CPU are ratios to the same round's", BASELINE, "\n")
    kept: dict[str, tables.Rounds] = {}
    with running_server(server_core) as server:
        for scenario, count in _chosen(asked):
            rounds = _measure(server, scenario, count, _names(asked, scenario), client_core)
            table = (tables.trouble if scenario.limit or scenario.seed else tables.healthy)(rounds)
            print(tables.heading(scenario, count))
            print(tables.markdown(table) if asked.markdown else tables.plain(table))
            print(tables.server_line(rounds), "\n", flush=True)
            kept[scenario.name] = rounds
    print("overview: all scenarios")
    print((tables.markdown if asked.markdown else tables.plain)(tables.overview(kept)), "\n")
    print("\n".join(tables.notes([name for name in CONTENDERS if any(name in rounds for rounds in kept.values())])))
    print(f"load at the end {os.getloadavg()[0]:.1f}")
    if asked.json:
        text = json.dumps(kept, default=asdict, indent=1)
        asked.json.write_text(text, encoding="utf-8")


def _measure(server: Server, scenario: Scenario, count: int, names: Sequence[str], core: int | None) -> tables.Rounds:
    """
    Measure in turns, each other turn backwards: what drifts on the machine meets all alike.

    What runs in Airflow does so once. Its start is not measured, but takes longer than all the others.
    """
    rounds: tables.Rounds = {name: [] for name in names}
    for number in range(count):
        seed = None if scenario.seed is None else scenario.seed + number
        for name in names if number % 2 == 0 else reversed(names):
            if number > 0 and CONTENDERS[name].airflow:
                continue
            begun = time.monotonic()
            rounds[name].append(measure(server, name, replace(scenario, seed=seed), core))
            print(f"  {scenario.name} {number + 1}/{count} {name} {time.monotonic() - begun:.1f} s", file=sys.stderr)
    return rounds


def _chosen(asked: argparse.Namespace) -> list[tuple[Scenario, int]]:
    return [
        (replace(scenario, rows=asked.rows or scenario.rows), asked.rounds or count)
        for scenario, count in (QUICK if asked.quick else FULL)
        if not asked.scenario or scenario.name in asked.scenario
    ]


def _names(asked: argparse.Namespace, scenario: Scenario) -> list[str]:
    if asked.only:
        return [name for name in CONTENDERS if name in asked.only]
    takes_part = _in_quick if asked.quick else _in_full
    return [name for name, one in CONTENDERS.items() if takes_part(name, one, scenario)]


def _in_full(name: str, one: Contender, scenario: Scenario) -> bool:
    """Say who takes part: one request at a time is the same at any concurrency, and a key matters in a second run."""
    first = scenario.name == FULL[0][0].name
    if one.airflow:
        return first or (scenario.seed is not None and name != "HttpOperator")
    return (first or not one.serial) and (one.keyed or scenario.runs > 1)


def _in_quick(name: str, one: Contender, scenario: Scenario) -> bool:
    first = scenario.name == QUICK[0][0].name
    return (
        one.keyed
        and (name == "HttpOperator mapped" if one.airflow and first else not one.airflow)
        and (first or not one.serial)
    )


def _cores(*, pinned: bool) -> tuple[int | None, int | None]:
    """Return a core for the client and one for the server, where the system has two to give."""
    if not pinned or not hasattr(os, "sched_getaffinity"):
        return None, None
    cores = sorted(os.sched_getaffinity(0))
    return (cores[0], cores[1]) if len(cores) > 1 else (None, None)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description="Measure us and the alternatives.")
    parser.add_argument("--quick", action="store_true", help="small, in under a minute")
    parser.add_argument("--only", action="append", choices=list(CONTENDERS), metavar="NAME", help=", ".join(CONTENDERS))
    parser.add_argument("--scenario", action="append", choices=[scenario.name for scenario, _ in FULL])
    parser.add_argument("--rows", type=int, help="payments in a job")
    parser.add_argument("--rounds", type=int, help="how often each job is done")
    parser.add_argument("--markdown", action="store_true", help="print the tables for a page")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single measurement here")
    parser.add_argument("--no-pin", action="store_true", help="let the system choose the cores")
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
