"""
### Money needs a human: plan, approve, canary, report, compare, attach

Shows: nothing is sent before somebody has read the plan, its counts and its money by currency, and approved it. Then
two payments go first; if those are confirmed the others follow, the extract is compared with what Stripe holds, and
each payment with an invoice is attached to it. A refused approval skips all of that: nothing is sent, nothing is lost.

Needs: a connection `payrecords_default`, and the open invoice `in_Settlement`. A sandbox makes one on
`POST /_sandbox/invoices` with `{"id": "in_Settlement", "amount_due": 12000, "currency": "eur"}`; `make airflow` has it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG, task

from airflow_provider_payrecords.operators.extract import PlanExtractOperator, ReportExtractOperator
from airflow_provider_payrecords.operators.reconcile import ReconcileOperator
from airflow_provider_payrecords.operators.report import AttachPaymentOperator

MAPPING = {
    "source": "house-bank",
    "key": "statement_line",
    "fields": {
        "amount_requested.value": {"column": "amount", "unit": "major"},
        "amount_requested.currency": "currency",
        "initiated_at": {"column": "booked_at", "timezone": "Europe/Amsterdam"},
        "outcome": {"constant": "guaranteed"},
        "guaranteed.guaranteed_at": {"column": "booked_at", "timezone": "Europe/Amsterdam"},
        "payment_method_details.custom.display_name": {"constant": "Bank wire"},
        "processor_details.custom.payment_reference": "statement_line",
    },
}

with DAG(
    "example_approval",
    schedule=None,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1), "retry_exponential_backoff": 2},
    doc_md=__doc__,
    tags=["payrecords", "extract"],
):

    @task
    def statement() -> list[dict[str, Any]]:
        """Return the lines of today's bank statement."""
        lines = [
            ("120.00", "EUR", "in_Settlement"),
            ("89.50", "EUR", None),
            ("15000", "JPY", None),
            ("7.125", "EUR", None),
        ]
        return [
            {
                "statement_line": f"2026-11-02/{number}",
                "amount": amount,
                "currency": currency,
                "booked_at": f"2026-11-02 09:{number:02d}:00",
                "invoice": invoice,
            }
            for number, (amount, currency, invoice) in enumerate(lines, start=1)
        ]

    @task
    def describe(plan: dict[str, Any]) -> str:
        """Say what would be sent, as a person reads money."""
        from airflow_provider_payrecords.core.money import from_minor_units

        sums = {code: from_minor_units(one.get("new", 0), code) for code, one in plan["money"].items()}
        money = "\n".join(f"- **{amount:,} {code.upper()}**" for code, amount in sorted(sums.items()))
        counts = ", ".join(f"{count} {state}" for state, count in sorted(plan["counts"].items()))
        return f"{plan['rows']} rows of {plan['extract']}: {counts}.\n\n{money}\n\nDetails: `{plan['results_path']}`"

    @task
    def to_attach(rows: list[dict[str, Any]], results: str) -> list[dict[str, str]]:
        """Pair each payment that belongs to an invoice with its Payment Record, by the results file."""
        import json
        from pathlib import Path

        lines = map(json.loads, Path(results).read_text("utf-8").splitlines())
        records = {line["key"]: line["payment_record"] for line in lines if line["state"] == "confirmed"}
        paid = [row for row in rows if row["invoice"] and row["statement_line"] in records]
        return [{"invoice": row["invoice"], "payment_record": records[row["statement_line"]]} for row in paid]

    extract = statement()
    plan = PlanExtractOperator(task_id="plan", extract=extract, mapping=MAPPING)
    approve = ApprovalOperator(
        task_id="approve",
        subject="Report these payments to Stripe?",
        body="{{ ti.xcom_pull(task_ids='describe') }}",
        response_timeout=timedelta(hours=24),
    )
    canary = ReportExtractOperator(
        task_id="canary", extract=extract, mapping=MAPPING, options={"canary": 2}, fail_on_canary=False
    )
    report = ReportExtractOperator(task_id="report", extract=extract, mapping=MAPPING)
    reconcile = ReconcileOperator(task_id="reconcile", extract=extract, mapping=MAPPING, fail_on_differences=False)
    attach = AttachPaymentOperator.partial(task_id="attach").expand_kwargs(
        to_attach(extract, report.output["results_path"])
    )

    describe(plan.output) >> approve >> canary >> report >> reconcile >> attach
