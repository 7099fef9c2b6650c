"""
### Report a payment, wait until it is guaranteed, then go on

Shows: `PaymentRecordSensor`, deferred to the triggerer: it holds no worker while it waits, for days if need be. If the
attempt fails, the sensor fails at once and says so, and `deliver` does not run.

The branch `bank_takes_its_time` → `bank_confirms` plays the bank, so that there is something to see. In your DAG it is
not there: another DAG reports the guarantee when the bank's statement has come.

Needs: a connection `payrecords_default`, and a triggerer.
"""

from __future__ import annotations

import time
from datetime import timedelta

from airflow.sdk import DAG, Param, chain, task

from airflow_provider_payrecords.operators.report import ReportPaymentAttemptGuaranteedOperator, ReportPaymentOperator
from airflow_provider_payrecords.sensors.payment_record import PaymentRecordSensor

with DAG(
    "example_wait_for_guarantee",
    schedule=None,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1), "retry_exponential_backoff": 2},
    params={
        "reference": Param("WIRE-7731", type="string", minLength=1, description="The bank's reference"),
        "bank_seconds": Param(20, type="integer", minimum=0, maximum=600, description="How long the bank takes"),
    },
    doc_md=__doc__,
    tags=["payrecords", "one call", "sensor"],
):
    report = ReportPaymentOperator(
        task_id="report",
        payment={
            "amount_requested": {"value": 99_000, "currency": "eur"},
            "initiated_at": 1_793_606_400,
            "payment_method_details": {"type": "custom", "custom": {"display_name": "Bank wire"}},
            "processor_details": {"type": "custom", "custom": {"payment_reference": "{{ params.reference }}"}},
        },
    )
    wait = PaymentRecordSensor(
        task_id="wait",
        payment_record=report.output,
        state="guaranteed",
        deferrable=True,
        poke_interval=timedelta(seconds=15),  # a minute or more for real
        timeout=timedelta(days=3),
    )

    @task
    def deliver(record: str) -> str:
        """Do what must not happen before the money is sure."""
        return f"{record} is paid"

    deliver(wait.output)

    @task
    def bank_takes_its_time(params: dict[str, int] | None = None) -> None:
        """Sleep as long as the form says."""
        time.sleep(params["bank_seconds"] if params else 0)

    bank_confirms = ReportPaymentAttemptGuaranteedOperator(
        task_id="bank_confirms", payment_record=report.output, guaranteed_at=1_793_692_800
    )
    chain(report, bank_takes_its_time(), bank_confirms)
