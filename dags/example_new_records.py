"""
### Start a DAG when new Payment Records appear

Shows: an `AssetWatcher` that looks at the list of records every minute or so and starts this DAG when there are new
ones, whoever reported them: another DAG, another system, or Stripe itself. The event has the ids, and how many there
are in which state; at most 100 a run, the rest with the next one.

From Airflow 3.3 on the watcher remembers where it was over a restart of the triggerer. Before, a restart begins at the
newest record: what appeared while no triggerer ran is not told.

A DAG that reports payments itself must not be started like this, or it starts itself.

Needs: a connection `payrecords_default`, a key that may read, and a triggerer.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Asset, AssetWatcher, task

from airflow_provider_payrecords.triggers.new_payment_records import NewPaymentRecordsTrigger

NEW_RECORDS = Asset(
    "payrecords_new_records",
    watchers=[AssetWatcher(name="payment_records", trigger=NewPaymentRecordsTrigger(poll_interval=60))],
)

with DAG(
    "example_new_records",
    schedule=[NEW_RECORDS],
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1), "retry_exponential_backoff": 2},
    doc_md=__doc__,
    tags=["payrecords", "asset"],
):

    @task
    def new_records(triggering_asset_events: Any = None) -> list[str]:
        """Return the ids of the records that started this run: none if a person started it."""
        events = [event for found in (triggering_asset_events or {}).values() for event in found]
        payloads = [event.extra["payload"] for event in events if event.extra.get("from_trigger")]
        return [record for payload in payloads for record in payload["payment_records"]]

    @task
    def tell(records: list[str]) -> str:
        """Say how many there are; yours would look at them, or file them away."""
        return f"{len(records)} new payment records"

    tell(new_records())
