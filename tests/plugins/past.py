"""What happened before a page is opened: real runs against the sandbox, in the ledger that the pages read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from airflow_provider_payrecords.bulk import RunOptions, RunSummary, report_extract
from airflow_provider_payrecords.core.commands import STRIPE_VERSION
from airflow_provider_payrecords.core.entry import Entry
from airflow_provider_payrecords.extract import ExtractMapping, make_extract
from airflow_provider_payrecords.hooks.payrecords import PaymentRecordsHook
from airflow_provider_payrecords.ledger.sql import SqlLedger
from airflow_provider_payrecords.ledger.store import Selection
from airflow_provider_payrecords.sandbox import Fault, FaultKind, RunningSandbox
from airflow_provider_payrecords.transport.clock import Clock, utc_now
from tests.bulk.world import CANCELED, OLD_VERSION, payment

CONNECTION = "payrecords_default"
SOURCE = "bank & <b>sons</b>"
KEY = "processor_details.custom.payment_reference"
FIRST = {"connection": CONNECTION}
CANARIES = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "=HYPERLINK(1)", "${7*7}{{7*7}}")


@contextmanager
def ledger() -> Iterator[SqlLedger]:
    """Open the ledger of ``payrecords_default``."""
    store = PaymentRecordsHook(CONNECTION).ledger()
    try:
        yield store
    finally:
        store.close()


SOME = [payment(1), payment(2, **CANCELED), payment(3), payment(4, **{"amount_requested.currency": "euros"})]
"""Four rows: the API refuses the second if it is asked in its old version, our checks refuse the fourth."""


def report(
    rows: list[dict[str, Any]], *, source: str = SOURCE, stripe_version: str = STRIPE_VERSION, now: Clock = utc_now
) -> RunSummary:
    """Report *rows* as a task does."""
    settings = PaymentRecordsHook(CONNECTION).settings
    with ledger() as store:
        return report_extract(
            make_extract(rows),
            ExtractMapping.load({"source": source, "key": KEY}),
            settings=settings.model_copy(update={"max_retries": 0, "stripe_version": stripe_version}),
            ledger=store,
            options=RunOptions(rate_limit=10_000, concurrency=4),
            now=now,
        ).summary


def report_some() -> RunSummary:
    """Report ``SOME``: two are confirmed, two rejected."""
    summary = report(SOME, stripe_version=OLD_VERSION)
    assert summary.counts == {"confirmed": 2, "rejected": 2}
    return summary


def long_ago() -> datetime:
    """Return an instant after which an idempotency key is of no more use."""
    return utc_now() - timedelta(hours=30)


def review_one(sandbox: RunningSandbox, kind: FaultKind) -> Entry:
    """Leave payment 9 in review: its answer was lost, with or without effect by *kind*, and its key is too old."""
    no_list = Fault(kind=FaultKind.UNAVAILABLE, times=9, endpoint="list_payment_records")
    sandbox.faults.add(Fault(kind=kind, endpoint="report_payment"), no_list)
    assert report([payment(9)], now=long_ago).counts == {"unknown": 1}
    assert report([payment(9)]).counts == {"review": 1}
    sandbox.faults.clear()
    return entry("W0009")


def stuck_one(sandbox: RunningSandbox) -> Entry:
    """Leave payment 9 in review: it was recorded, and the API answers with a stored failure for ever."""
    no_list = Fault(kind=FaultKind.UNAVAILABLE, times=9, endpoint="list_payment_records")
    sandbox.faults.add(Fault(kind=FaultKind.ERROR_AFTER, endpoint="report_payment"), no_list)
    assert report([payment(9)]).counts == {"unknown": 1}
    assert report([payment(9)]).counts == {"review": 1}
    sandbox.faults.clear()
    return entry("W0009")


def entry(key: str) -> Entry:
    """Return one entry."""
    with ledger() as store:
        (found,) = store.entries(Selection(key=key))
        return found


def named(one: Entry, connection: str = CONNECTION) -> dict[str, str]:
    """Return what names *one* in a request."""
    scope = one.scope
    places = {"account": scope.account, "mode": scope.mode, "endpoint": scope.endpoint, "source": scope.source}
    return {"connection": connection, **places, "key": one.key}
