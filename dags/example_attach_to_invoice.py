"""
### Pay an invoice with a payment from elsewhere

Shows: a guaranteed payment is reported, then attached to an open invoice, which it pays. The next task reads what came
back.

Needs: a connection `payrecords_default`, and the id of an open invoice over the same amount. A sandbox makes one on
`POST /_sandbox/invoices` with `{"id": "in_Example", "amount_due": 4950, "currency": "eur"}`; `make airflow` has it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param, task

from airflow_provider_payrecords.operators.report import AttachPaymentOperator, ReportPaymentOperator

with DAG(
    "example_attach_to_invoice",
    schedule=None,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1), "retry_exponential_backoff": 2},
    params={
        "invoice": Param("in_Example", type="string", pattern="^in_[A-Za-z0-9]+$", description="An open invoice"),
        "amount": Param(4950, type="integer", minimum=1, description="What is due, in minor units"),
        "currency": Param("eur", type="string", enum=["eur", "usd", "gbp"]),
    },
    doc_md=__doc__,
    tags=["payrecords", "one call"],
):
    report = ReportPaymentOperator(
        task_id="report",
        payment={
            # A template renders text; digits in the API's integer fields are taken as the integers they are.
            "amount_requested": {"value": "{{ params.amount }}", "currency": "{{ params.currency }}"},
            "initiated_at": 1_793_606_400,
            "outcome": "guaranteed",
            "guaranteed": {"guaranteed_at": 1_793_610_000},
            "payment_method_details": {"type": "custom", "custom": {"display_name": "Cheque"}},
            "processor_details": {"type": "custom", "custom": {"payment_reference": "CHQ-{{ params.invoice }}"}},
        },
    )
    attach = AttachPaymentOperator(task_id="attach", invoice="{{ params.invoice }}", payment_record=report.output)

    @task
    def file_away(record: dict[str, Any]) -> str:
        """Say what was attached, for the books."""
        amount = record["amount_requested"]
        return f"{record['id']}: {record['state']}, {amount['value']} {amount['currency']}"

    file_away(attach.output["payment_record"])
