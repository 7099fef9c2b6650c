"""
### Report what a function yields, and tell other DAGs

Shows: `@task.report_payments` over a generator, which needs no mapping and no file: rows pass through memory a few
hundred at a time. The task's outlet is an asset of the records; its event carries their ids, counts and money to every
DAG that is scheduled on it (`schedule=[DONATIONS]`).

Needs: a connection `payrecords_default`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

from airflow.sdk import DAG

from airflow_provider_payrecords.assets import create_asset
from airflow_provider_payrecords.core.commands import ReportPayment
from airflow_provider_payrecords.decorators import report_payments

DONATIONS = create_asset(account="payrecords_default", source="default")
NOVEMBER = 1_793_520_000  # 2026-11-01 08:00 UTC, in Unix seconds as the API counts

with DAG(
    "example_generator",
    schedule="0 6 1 * *",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1), "retry_exponential_backoff": 2},
    doc_md=__doc__,
    tags=["payrecords", "extract"],
):

    @report_payments(outlets=[DONATIONS], fail_on_rejects=True)
    def donations() -> Iterator[ReportPayment]:
        """Yield last month's donations, as an API of the bank might page through them."""
        for day, cents in enumerate([2_500, 10_000, 500, 7_350]):
            received = NOVEMBER + day * 86_400
            yield ReportPayment.model_validate(
                {
                    "amount_requested": {"value": cents, "currency": "eur"},
                    "initiated_at": received,
                    "outcome": "guaranteed",
                    "guaranteed": {"guaranteed_at": received},
                    "payment_method_details": {"type": "custom", "custom": {"display_name": "Bank wire"}},
                    "processor_details": {"type": "custom", "custom": {"payment_reference": f"GIFT-2026-11-{day + 1}"}},
                }
            )

    donations()
