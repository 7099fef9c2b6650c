"""
Memory and scale: what a million rows cost that are reported already.

For each size: an extract is made, a SQLite ledger is filled as if every row of it had been reported, and then ``plan``
and a second ``report`` run over it, each in a process of its own, with a network that fails when it is used. Printed
are seconds of CPU, microseconds a row, and peak memory.

    python -m bench.scale                         # 10,000, 1,000,000 and 2,000,000 rows; about half an hour
    python -m bench.scale --rows 10000 --rows 100000
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import httpx

from airflow_provider_payrecords.bulk import RunOptions, plan_extract, report_extract
from airflow_provider_payrecords.bulk.prepare import prepare_row
from airflow_provider_payrecords.core.entry import Scope
from airflow_provider_payrecords.extract import ExtractMapping, Row, make_extract
from airflow_provider_payrecords.ledger.urls import open_ledger
from airflow_provider_payrecords.settings import Settings
from bench.filling import confirmed_row, fill_sqlite
from bench.memory import peak_mb

SIZES = (10_000, 1_000_000, 2_000_000)
SETTINGS = Settings(api_key="sk_test_scale", api_base="http://127.0.0.1:1")
FIELDS = {
    "amount_requested.value": {"column": "gross", "unit": "major"},
    "amount_requested.currency": "currency",
    "initiated_at": {"column": "created", "timezone": "Europe/Amsterdam", "format": "%Y-%m-%d %H:%M:%S"},
    "outcome": {"column": "status", "values": {"Settled": "guaranteed", "Refused": "failed"}},
    "guaranteed.guaranteed_at": {"column": "booked", "timezone": "Europe/Amsterdam"},
    "failed.failed_at": {"column": "booked", "timezone": "Europe/Amsterdam"},
    "customer_details.email": "email",
    "processor_details.custom.payment_reference": "psp_reference",
    "payment_method_details.custom.display_name": {"constant": "Bank transfer"},
    "metadata.order": "merchant_reference",
}
MAPPING = ExtractMapping.load({"source": "scale", "key": "psp_reference", "fields": FIELDS})
SELECT = """
SELECT 'PSP' || md5(number::VARCHAR)[:16] AS psp_reference,
       'order-' || number AS merchant_reference,
       (100 + number % 900000)::DECIMAL(12, 2) / 100 AS gross,
       CASE number % 3 WHEN 0 THEN 'EUR' WHEN 1 THEN 'USD' ELSE 'GBP' END AS currency,
       strftime(TIMESTAMP '2026-05-01 06:00:00' + INTERVAL (number % 3000000) SECOND, '%Y-%m-%d %H:%M:%S') AS created,
       strftime(TIMESTAMP '2026-05-02 06:00:00' + INTERVAL (number % 3000000) SECOND, '%Y-%m-%d %H:%M:%S') AS booked,
       CASE WHEN number % 10 = 0 THEN 'Refused' ELSE 'Settled' END AS status,
       'buyer' || number || '@example.com' AS email
FROM range({rows}) AS numbers(number)
"""


def make(folder: Path, rows: int) -> None:
    """Write the extract and fill the ledger."""
    with duckdb.connect() as database:
        database.execute(f"COPY ({SELECT.replace('{rows}', str(rows))}) TO '{folder / 'extract.csv'}' (HEADER)")
    open_ledger(folder / "ledger.db").close()
    fill_sqlite(str(folder / "ledger.db"), _reported(folder / "extract.csv"))


def _reported(extract: Path) -> Iterator[tuple[Any, ...]]:
    scope = Scope(SETTINGS.account_scope, SETTINGS.mode, MAPPING.endpoint, MAPPING.source)
    made = datetime.now(timezone.utc)
    with make_extract(extract).open(MAPPING) as opened:
        for batch in opened.batches(2000):
            for row in batch:
                if isinstance(row, Row):
                    yield confirmed_row(scope, prepare_row(row, scope, stamped=True).intent, made, "run-fill")


class NoNetwork(httpx.AsyncBaseTransport):
    """Fails when anything is sent."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Fail."""
        raise AssertionError(f"{request.url} was asked for; every row is reported already")


def work(what: str, folder: Path) -> dict[str, Any]:
    """Plan or report the extract, and return what it took."""
    ledger = open_ledger(folder / "ledger.db")
    extract = make_extract(folder / "extract.csv")
    results = folder / f"results-{what}.csv"
    before, began = time.process_time(), time.monotonic()
    if what == "plan":
        summary = plan_extract(extract, MAPPING, settings=SETTINGS, ledger=ledger, results=results)
    else:
        options = RunOptions()
        report = report_extract(
            extract, MAPPING, settings=SETTINGS, ledger=ledger, results=results, options=options, network=NoNetwork()
        )
        summary = report.summary
    cpu, wall = time.process_time() - before, time.monotonic() - began
    ledger.close()
    if summary.counts != {"confirmed": summary.rows}:
        raise SystemExit(f"Not every row is confirmed: {summary.counts}")
    return {"rows": summary.rows, "cpu": cpu, "wall": wall, "peak": peak_mb()}


def measure(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what each kind of run took, in a process of its own on one core."""
    core = str(min(os.sched_getaffinity(0)))
    for what in ("plan", "report"):
        command = ["taskset", "-c", core, sys.executable, "-m", "bench.scale", "--child", what, str(folder)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        yield what, json.loads(done.stdout)


def main() -> None:
    """Print one line per size and kind of run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, action="append", help="size of an extract; may be repeated")
    parser.add_argument("--folder", type=Path, help="keep extracts and ledgers here, and use those that are here")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(work(arguments.child[0], Path(arguments.child[1]))))
        return
    print(f"{'rows':>10}  {'run':<8}{'CPU s':>8}{'µs/row':>8}{'wall s':>8}{'peak MiB':>10}")
    with TemporaryDirectory(prefix="payrecords-scale-") as temporary:
        for rows in arguments.rows or SIZES:
            folder = (arguments.folder or Path(temporary)) / str(rows)
            if not folder.exists():
                folder.mkdir(parents=True)
                make(folder, rows)
            for what, took in measure(folder):
                each = took["cpu"] / took["rows"] * 1e6
                print(
                    f"{rows:>10,}  {what:<8}{took['cpu']:>8.1f}{each:>8.1f}{took['wall']:>8.1f}{took['peak']:>10.0f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
