"""
### Try one payment from the trigger form

Shows: a form that composes one payment, says what would be sent, and sends it only when *Dry run* is switched off.

Needs: a connection `payrecords_default`; use a test key or a sandbox. Trigger it with *Trigger DAG w/ config*. The same
reference is never reported twice; change it to report another payment.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Param, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

from airflow_provider_payrecords.operators.extract import PlanExtractOperator
from airflow_provider_payrecords.operators.report import ReportPaymentOperator

CURRENCIES = {"eur": "Euro", "usd": "US dollar", "gbp": "Pound sterling", "jpy": "Yen (no decimals)"}
OUTCOMES = {
    "pending": "Not known yet",
    "guaranteed": "The money is sure",
    "failed": "It failed",
    "canceled": "Canceled",
}
OPTIONAL = ["null", "string"]

with DAG(
    "example_test_request",
    schedule=None,
    default_args={"retries": 2, "retry_delay": timedelta(seconds=30), "retry_exponential_backoff": 2},
    doc_md=__doc__,
    tags=["payrecords", "one call"],
    params={
        "dry_run": Param(
            True, type="boolean", title="Dry run", section="Run", description="Check and plan only; send nothing."
        ),
        "reference": Param(
            "TEST-0001", type="string", minLength=1, maxLength=200, section="Payment",
            description="The outside processor's id. It names the payment: the same one is never reported twice.",
        ),
        "amount": Param(
            4950, type="integer", minimum=1, section="Payment", description="In minor units: 4950 is 49.50 EUR."
        ),
        "currency": Param(
            "eur", type="string", enum=list(CURRENCIES), values_display=CURRENCIES, section="Payment"
        ),
        "initiated_at": Param("2026-11-02T09:30:00+00:00", type="string", format="date-time", section="Payment"),
        "outcome": Param(
            "guaranteed", type="string", enum=list(OUTCOMES), values_display=OUTCOMES, section="Outcome"
        ),
        "outcome_at": Param(
            "2026-11-02T10:00:00+00:00", type="string", format="date-time", section="Outcome",
            description="When it became sure, failed or was canceled. Not used while it is pending.",
        ),
        "display_name": Param(
            "Bank wire", type="string", minLength=1, section="Paid with", examples=["Bank wire", "Cheque", "PayPal"]
        ),
        "customer": Param(
            None, type=OPTIONAL, section="Customer",
            description="A Stripe customer, cus_… Airflow keeps what is typed here, so no name and no e-mail address.",
        ),
        "description": Param(None, type=OPTIONAL, section="Customer", format="multiline"),
    },
):  # fmt: skip

    @task
    def compose() -> dict[str, Any]:
        """Return the fields of the request, as the API spells them."""
        form = get_current_context()["params"]
        fields: dict[str, Any] = {
            "amount_requested": {"value": form["amount"], "currency": form["currency"]},
            "initiated_at": seconds(form["initiated_at"]),
            "payment_method_details": {"type": "custom", "custom": {"display_name": form["display_name"]}},
            "processor_details": {"type": "custom", "custom": {"payment_reference": form["reference"]}},
        }
        if form["outcome"] != "pending":
            outcome = form["outcome"]
            fields |= {"outcome": outcome, outcome: {f"{outcome}_at": seconds(form["outcome_at"])}}
        if form["description"]:
            fields["description"] = form["description"]
        if form["customer"]:
            fields["customer_details"] = {"customer": form["customer"]}
        return fields

    def seconds(text: str) -> int:
        """Return the Unix seconds of a date and time with a zone. Without one it names no instant."""
        try:
            moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
        except ValueError:
            moment = None
        if moment is None or moment.utcoffset() is None:
            raise AirflowFailException(f"{text}: give a date and time with a zone, such as 2026-11-02T09:30:00+00:00.")
        return int(moment.timestamp())

    @task.short_circuit
    def is_meant() -> bool:
        """Go on only if the dry run was switched off."""
        return not get_current_context()["params"]["dry_run"]

    fields = compose()
    plan = PlanExtractOperator(task_id="plan", extract=[fields], fail_on_rejects=True)
    send = ReportPaymentOperator(task_id="send", payment=fields)
    plan >> is_meant() >> send
