"""
How long each page of Airflow's UI takes on a ledger that holds many payments.

    python -m bench.pages_scale --entries 1000000
    python -m bench.pages_scale --entries 1000000 --database postgresql

Fills a new ledger, past the store, which would take hours: most payments confirmed, some rejected, unknown, in review
and planned, in runs of which the largest has half of them. Then makes every GET by which the pages read the ledger,
through the app as Airflow mounts it, with its auth manager and a logged-in person, and prints milliseconds on the
clock: the first call, the median and the longest. What the API would be asked for is answered by a sandbox on this
machine.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple

from airflow_provider_payrecords.core.entry import Scope
from airflow_provider_payrecords.core.lifecycle import State
from airflow_provider_payrecords.ledger.schema import ENTRIES
from airflow_provider_payrecords.ledger.store import Run, RunProgress, RunReason
from airflow_provider_payrecords.ledger.urls import open_ledger
from bench.filling import confirmed_row
from bench.ledger_scale import PLACES, START, intent_of, key_of

ACCOUNT = "acme-eu"
SOURCES = ("adyen-eu", "adyen-us", "paypal", "bank")
RUNS = 2_000
_NAMES = [column.name for column in ENTRIES.columns]
_CODES = ("resource_missing", "parameter_invalid_integer", "amount_too_small", "card_declined")


class Page(NamedTuple):
    """One GET: what it shows, and its path below the app's prefix."""

    name: str
    path: str
    parameters: dict[str, Any]


def run_id_of(number: int) -> str:
    """Return the id of the run that settled payment *number*: one took half of them, the others share the rest."""
    return f"run-20260301T093000-{0 if number % 2 else 1 + number // 2 % (RUNS - 1):08x}"


def scope_of(number: int) -> Scope:
    """Return the scope of payment *number*: payments of one run are of one source."""
    run = int(run_id_of(number)[-8:], 16)
    return Scope(ACCOUNT, "test", "report_payment", SOURCES[run % len(SOURCES)])


def row_of(number: int) -> tuple[Any, ...]:
    """Return payment *number* as a row of the ledger: one in fifty is not confirmed."""
    made = START + timedelta(milliseconds=number)
    row = dict(zip(_NAMES, confirmed_row(scope_of(number), intent_of(number), made, run_id_of(number)), strict=True))
    states = {0: State.REJECTED, 1: State.REVIEW, 2: State.UNKNOWN, 3: State.PLANNED}
    state = states.get(number // 2 % 200)
    if state is not None:
        code = None if state is State.PLANNED else _CODES[number % len(_CODES)]
        row.update(state=state.value, error_code=code, payment_record=None, payment_attempt_record=None)
        row.update(may_exist=state in (State.REVIEW, State.UNKNOWN))
    return tuple(row[name] for name in _NAMES)


def tell_of_runs(url: str, entries: int) -> None:
    """Store runs with progress, reasons and summaries, as they would be."""
    with closing(open_ledger(url)) as ledger:
        for number in range(RUNS):
            run_id = f"run-20260301T093000-{number:08x}"
            begin = START + timedelta(minutes=number)
            scope = Scope(ACCOUNT, "test", "report_payment", SOURCES[number % len(SOURCES)])
            task = {"dag_id": "nightly", "task_id": "report", "run_id": f"scheduled__{number}", "try_number": 1}
            ledger.start_run(Run(run_id, scope, f"s3://finance/extract-{number}.csv.gz", begin, started_by=task))
            counts = {"confirmed": entries // 2, "rejected": entries // 400, "unknown": 12, "review": 3}
            money = {"eur": {"confirmed": 5_000_000_00, "rejected": 12_345_00}}
            for step in range(1, 301 if number == 0 else 3):
                at = begin + timedelta(seconds=step)
                done = {state: count * step // 300 for state, count in counts.items()}
                ledger.save_progress(RunProgress(run_id, at, done, money, step * 20, step // 10, 20.0, entries), [])
            ledger.save_progress(
                RunProgress(run_id, begin + timedelta(seconds=400), counts, money, 8000, 30, 20.0, entries),
                [
                    RunReason(run_id, "rejected", code, "amount_requested.value", 1_000, tuple(range(1, 201)))
                    for code in _CODES
                ],
            )
            if number != RUNS - 1:
                summary = {"status": "finished", "rows": entries // 2, "counts": counts, "money": money}
                ledger.finish_run(run_id, begin + timedelta(seconds=401), summary)


def pages(entries: int) -> list[Page]:
    """Return every GET by which the pages read the ledger."""
    connection = {"connection": "payrecords_default"}
    big = run_id_of(1)
    rejected = next(number for number in range(1, entries) if row_of(number)[_NAMES.index("state")] == "rejected")

    def payment(number: int) -> dict[str, Any]:
        scope = scope_of(number)
        named = {"account": scope.account, "mode": scope.mode, "endpoint": scope.endpoint, "source": scope.source}
        return {**connection, **named, "key": key_of(number)}

    return [
        Page("rights", "me", {}),
        Page("connections", "connections", {}),
        Page("runs", "runs", connection),
        Page("runs, older", "runs", {**connection, "before": f"run-20260301T093000-{RUNS // 2:08x}"}),
        Page("a run of half of them", f"runs/{big}", connection),
        Page("its timeline", f"runs/{big}/progress", connection),
        Page("its reasons", f"runs/{big}/reasons", connection),
        Page("its payments that are open", f"runs/{big}/entries", connection),
        Page("of these, one reason", f"runs/{big}/entries", {**connection, "state": "rejected", "code": _CODES[1]}),
        Page("a run that goes on", f"runs/run-20260301T093000-{RUNS - 1:08x}", connection),
        Page("its export of what is open", f"runs/{big}/export.csv", connection),
        Page("open payments", "open", connection),
        Page("rejected payments", "open", {**connection, "state": "rejected"}),
        Page("search: a whole key", "search", {**connection, "text": key_of(entries // 2)}),
        Page("search: begins with", "search", {**connection, "text": "PSP0"}),
        Page("search: nothing", "search", {**connection, "text": "no such key"}),
        Page("search: a record at the API", "search", {**connection, "text": "pr_nothing"}),
        Page("a confirmed payment", "payment", payment(entries // 2 | 1)),
        Page("a rejected payment", "payment", payment(rejected)),
    ]


@contextmanager
def signed_in(url: str, api: str) -> Iterator[Any]:
    """Yield a client of the app as Airflow mounts it, logged in as an admin."""
    os.environ["AIRFLOW_CONN_PAYRECORDS_DEFAULT"] = json.dumps(
        {"conn_type": "payrecords", "host": api, "password": "sk_test_bench", "extra": {"account": ACCOUNT}}
    )
    os.environ["AIRFLOW__PAYRECORDS__LEDGER"] = url
    from airflow.api_fastapi.app import get_auth_manager, init_auth_manager, purge_cached_app
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from airflow.utils import db
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    from airflow_provider_payrecords.plugins.app import create_app

    db.initdb()
    app = FastAPI()
    init_auth_manager(app)
    app.mount("/payrecords", create_app())
    with TestClient(app, base_url="http://testserver/payrecords/api/") as client:
        client.cookies.set("_token", get_auth_manager().generate_jwt(SimpleAuthManagerUser(username="a", role="admin")))
        yield client
    purge_cached_app()


def measure(call: Callable[[], Any], times: int) -> list[float]:
    """Return the milliseconds that each of *times* calls took, in order."""
    took = []
    for _ in range(times):
        begin = time.perf_counter()
        answer = call()
        took.append((time.perf_counter() - begin) * 1000)
        assert answer.status_code == 200, answer.text  # noqa: S101 - a page that fails is not measured
    return took


def main(given: list[str] | None = None) -> float:
    """Measure what the command line asks for. Return the longest time in milliseconds."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--database", choices=PLACES, default="sqlite")
    parser.add_argument("--times", type=int, default=7, help="calls of each page")
    options = parser.parse_args(given)
    with tempfile.TemporaryDirectory(prefix="pages-scale-", ignore_cleanup_errors=True) as home:
        os.environ.update(
            AIRFLOW_HOME=home,
            AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{home}/airflow.db",
            AIRFLOW__CORE__LOAD_EXAMPLES="False",
            AIRFLOW__API_AUTH__JWT_SECRET="a secret of the benchmark, long enough " * 2,
            AIRFLOW__LOGGING__LOGGING_LEVEL="ERROR",
        )
        return run(options)


def run(options: argparse.Namespace) -> float:
    """Fill a ledger, and make every GET."""
    place, fill = PLACES[options.database]
    with place() as url, running_sandbox() as api:
        open_ledger(url).close()
        fill(url, (row_of(number) for number in range(options.entries)))
        tell_of_runs(url, options.entries)
        with signed_in(url, api) as client:
            return show(client, options)


def show(client: Any, options: argparse.Namespace) -> float:
    """Make every GET, and print how long it took."""
    print(f"{options.entries:,} payments, {RUNS:,} runs, {options.database}; milliseconds on the clock", flush=True)
    print(f"{'':30}{'first':>9}{'median':>9}{'longest':>9}", flush=True)
    longest = 0.0
    for page in pages(options.entries):
        took = measure(partial(client.get, page.path, params=page.parameters), options.times)
        longest = max(longest, *took)
        print(f"{page.name:30}{took[0]:9.0f}{statistics.median(took):9.0f}{max(took):9.0f}", flush=True)
    return longest


@contextmanager
def running_sandbox() -> Iterator[str]:
    """Yield the address of a sandbox on this machine."""
    from airflow_provider_payrecords.sandbox import SandboxConfig, start_sandbox

    with start_sandbox(SandboxConfig(rate_limits=None)) as running:
        yield running.url


if __name__ == "__main__":
    main()
