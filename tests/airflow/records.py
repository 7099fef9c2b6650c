"""Payment records in a sandbox, and what becomes of them meanwhile."""

from __future__ import annotations

from typing import Any

from airflow_provider_payrecords.client import PayRecordsClient
from airflow_provider_payrecords.core.commands import COMMANDS, build
from airflow_provider_payrecords.sandbox import RunningSandbox, SandboxTransport
from airflow_provider_payrecords.settings import Settings

MORNING = 1_793_606_400


class Book:
    """Reports payments to *sandbox* as somebody else's system does, without a ledger."""

    def __init__(self, sandbox: RunningSandbox, api_key: str = "sk_test_somebodyElse") -> None:
        self._settings = Settings(api_key=api_key, api_base=sandbox.url, rate_limit=10_000)  # type: ignore[arg-type] # becomes a SecretStr
        self._sandbox = sandbox.sandbox
        self._count = 0

    def report(self, amount: int = 4950, **fields: Any) -> str:
        """Report one more payment and return the record's id."""
        self._count += 1
        return self._send(
            "report_payment",
            amount_requested={"value": amount, "currency": "eur"},
            initiated_at=MORNING + self._count,
            payment_method_details={"type": "custom", "custom": {"display_name": "Cheque"}},
            **fields,
        )

    def become(self, record: str, outcome: str) -> str:
        """Report that the latest attempt of *record* was guaranteed, failed or canceled."""
        times = {f"{outcome}_at": MORNING + 3600}
        return self._send(f"report_payment_attempt_{outcome}", payment_record=record, **times)

    def try_again(self, record: str) -> str:
        """Report another attempt."""
        self._count += 1
        return self._send("report_payment_attempt", payment_record=record, initiated_at=MORNING + self._count)

    def refund(self, record: str, amount: int) -> str:
        """Report that *amount* went back."""
        self._count += 1
        return self._send(
            "report_refund",
            payment_record=record,
            amount={"value": amount, "currency": "eur"},
            outcome="refunded",
            processor_details={"type": "custom", "custom": {"refund_reference": f"R-{self._count}"}},
        )

    def _send(self, endpoint: str, **fields: Any) -> str:
        with PayRecordsClient(self._settings, network=SandboxTransport(self._sandbox)) as client:
            return str(client.send(build(COMMANDS[endpoint], fields)).id)
