"""What happened before a person opens the page of runs: runs in the ledger of a running Airflow."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import Any

import httpx

from airflow_provider_payrecords._airflow import Connection
from airflow_provider_payrecords.bulk import RunOptions, RunSummary, report_extract
from airflow_provider_payrecords.connection import read_settings
from airflow_provider_payrecords.core.commands import STRIPE_VERSION
from airflow_provider_payrecords.core.entry import Entry, Scope
from airflow_provider_payrecords.demo.place import ACCOUNT, SANDBOX_KEY
from airflow_provider_payrecords.extract import ExtractMapping, make_extract
from airflow_provider_payrecords.ledger.sql import SqlLedger
from airflow_provider_payrecords.ledger.store import Run, RunProgress, RunReason, Selection
from airflow_provider_payrecords.ledger.urls import open_ledger
from airflow_provider_payrecords.settings import Settings
from airflow_provider_payrecords.transport.clock import utc_now
from tests.bulk.world import CANCELED, OLD_VERSION, payment
from tests.e2e.standalone import Standalone

KEY = "processor_details.custom.payment_reference"


class Past:
    """Writes the past of one Airflow."""

    def __init__(self, airflow: Standalone) -> None:
        self._airflow = airflow
        extra = json.dumps({"account": ACCOUNT})
        connection = Connection(
            conn_id="payrecords_default",
            conn_type="payrecords",
            host=airflow.sandbox,
            password=SANDBOX_KEY,
            extra=extra,
        )
        self._settings: Settings = read_settings(connection)

    @contextmanager
    def ledger(self) -> Iterator[SqlLedger]:
        """Open the ledger that the page reads."""
        with closing(open_ledger(self._airflow.ledger)) as store:
            yield store

    def report(self, rows: list[dict[str, Any]], source: str, stripe_version: str = STRIPE_VERSION) -> RunSummary:
        """Report *rows* as a run of its own."""
        settings = self._settings.model_copy(update={"stripe_version": stripe_version})

        def run() -> RunSummary:
            mapping, options = ExtractMapping.load({"source": source, "key": KEY}), RunOptions(rate_limit=20)
            with self.ledger() as store:
                extract = make_extract(rows)
                return report_extract(extract, mapping, settings=settings, ledger=store, options=options).summary

        # Playwright runs an event loop in this thread, and a run wants one of its own.
        with ThreadPoolExecutor(1) as elsewhere:
            return elsewhere.submit(run).result()

    def refuse_one(self, source: str, key: str) -> RunSummary:
        """Report a payment that the API refuses, and one that it takes."""
        refused = payment(2, **CANCELED) | {KEY: key}
        summary = self.report([payment(1) | {KEY: f"{key}-1"}, refused], source, OLD_VERSION)
        assert summary.counts == {"confirmed": 1, "rejected": 1}, summary
        return summary

    def review_one(self, source: str, key: str) -> str:
        """Leave a payment in review although it was recorded. Return its record's id."""
        faults = [
            {"kind": "error_after", "endpoint": "report_payment"},
            # More than a run asks for: a trigger that watches the account lists its records meanwhile.
            {"kind": "unavailable", "endpoint": "list_payment_records", "times": 100},
        ]
        place = f"{self._airflow.sandbox}/_sandbox/faults"
        httpx.post(place, json={"faults": faults}, timeout=30).raise_for_status()
        # The failure is stored, so the first retry meets it again.
        summary = self.report([payment(3) | {KEY: key}], source)
        assert summary.counts == {"review": 1}, summary
        httpx.delete(place, timeout=30).raise_for_status()
        return next(line["payment_record"] for line in self._airflow.journal() if line["payrecords_key"] == key)

    def forget_an_answer(self, key: str, run_id: str) -> None:
        """Make a reject of a confirmed payment, as if the API had refused it, and a reason of *run_id* for it."""
        with closing(sqlite3.connect(self._airflow.ledger)) as connection, connection:
            changed = connection.execute(
                "UPDATE entries SET state = 'rejected', payment_record = NULL, error_code = 'resource_missing'"
                " WHERE key = ? AND run_id = ?",
                (key, run_id),
            )
            assert changed.rowcount == 1
        reason = RunReason(run_id, "rejected", "resource_missing", None, 1, (1,))
        with self.ledger() as store:
            last = store.last_progress(run_id)
            assert last is not None
            store.save_progress(last, [reason])

    def entry(self, key: str) -> Entry:
        """Return the one entry of *key*."""
        with self.ledger() as store:
            (found,) = store.entries(Selection(key=key))
            return found

    def begin(self, run_id: str, extract: str) -> Scope:
        """Let a run begin that has not said anything yet."""
        scope = Scope(self._settings.account_scope, "test", "report_payment", "adyen-eu")
        with self.ledger() as store:
            store.start_run(Run(run_id, scope, extract, utc_now() - timedelta(seconds=60)))
        return scope

    def tell(self, run_id: str, second: int) -> int:
        """Let that run say how far it was in its second *second*, of 60; six 429s came in the 20th. Return its rows."""
        rates = [20.0 if one < 20 else 10.0 + one / 6 for one in range(second)]
        requests, rejected, review = round(sum(rates)), second // 8, second // 30
        throttled = 0 if second < 20 else 6
        confirmed = requests - throttled - rejected - review
        counts = {"confirmed": confirmed, "rejected": rejected, "review": review}
        money = {"eur": {"confirmed": confirmed * 1_000, "rejected": rejected * 100}}
        rows = tuple(range(7, 7 + 3 * rejected, 3))
        reason = RunReason(run_id, "rejected", "parameter_invalid_integer", "amount_requested.value", rejected, rows)
        with self.ledger() as store:
            run = store.run(run_id)
            assert run is not None
            at = run.started_at + timedelta(seconds=second)
            progress = RunProgress(run_id, at, counts, money, requests, throttled, rates[-1], 2_000)
            store.save_progress(progress, [reason])
        return sum(counts.values())

    def finish(self, run_id: str) -> None:
        """Let that run end."""
        with self.ledger() as store:
            last = store.last_progress(run_id)
            assert last is not None
            summary = {"status": "finished", "counts": last.counts, "money": last.money, "requests": last.requests}
            store.finish_run(run_id, utc_now(), summary)
