"""Values that the ledger's tests share."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from airflow_provider_payrecords.core.entry import Intent, Scope, Settlement, Worker
from airflow_provider_payrecords.core.lifecycle import Event

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=timezone.utc)
SCOPE = Scope("acct_1", "test", "report_payment", "adyen-eu")
OTHER_SCOPES = (
    Scope("acct_2", "test", "report_payment", "adyen-eu"),
    Scope("acct_1", "live", "report_payment", "adyen-eu"),
    Scope("acct_1", "test", "report_refund", "adyen-eu"),
    Scope("acct_1", "test", "report_payment", "adyen-us"),
)
ANNA = Worker("host:1:anna", "run-anna", lease_seconds=120)
BERT = Worker("host:2:bert", "run-bert", lease_seconds=120)


def later(seconds: float = 0, hours: float = 0) -> datetime:
    return NOW + timedelta(seconds=seconds, hours=hours)


def intent(
    key: str = "k1", content: str = "a", amount_minor: int | None = 4950, currency: str | None = "eur"
) -> Intent:
    return Intent(key, f"fp-{content}", f"payrecords-{key}-{content}", amount_minor, currency)


def outcome(event: Event, key: str = "k1", content: str = "a", **details: Any) -> Settlement:
    if event in (Event.ACCEPTED, Event.FOUND):
        details = {"payment_record": f"pr_{key}_{content}", "payment_attempt_record": "par_1", **details}
    return Settlement(key, f"payrecords-{key}-{content}", event, **details)
