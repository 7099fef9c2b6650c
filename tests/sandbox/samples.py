"""Requests and a small client of the engine that the sandbox's tests share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airflow_provider_payrecords.core.form import encode_form
from airflow_provider_payrecords.core.models import RecordState
from airflow_provider_payrecords.sandbox.config import SandboxConfig
from airflow_provider_payrecords.sandbox.engine import Sandbox
from airflow_provider_payrecords.sandbox.exchange import Delivery, Incoming, Reply
from airflow_provider_payrecords.sandbox.identifiers import CountedIds
from airflow_provider_payrecords.sandbox.storage import Storage

START = 1_793_610_000
"""Epoch seconds at which test clocks begin."""

REPORT = "/v1/payment_records/report_payment"

PAYMENT: dict[str, Any] = {
    "amount_requested": {"currency": "eur", "value": 4950},
    "initiated_at": START,
    "payment_method_details": {"type": "custom", "custom": {"display_name": "Wire"}},
    "processor_details": {"type": "custom", "custom": {"payment_reference": "WIRE-1"}},
}

CALLS: dict[str, dict[str, Any]] = {
    "report_payment_attempt": {"initiated_at": START},
    "report_payment_attempt_guaranteed": {"guaranteed_at": START},
    "report_payment_attempt_failed": {"failed_at": START},
    "report_payment_attempt_canceled": {"canceled_at": START},
    "report_payment_attempt_informational": {"description": "amended"},
    "report_refund": {"outcome": "refunded", "processor_details": {"type": "custom"}},
}
"""Every call on a record with parameters that are right in themselves."""


def refund(reference: str, value: int | None = None, currency: str = "eur") -> dict[str, Any]:
    """Return the parameters of a refund; all that is left without a *value*."""
    amount = {} if value is None else {"amount": {"currency": currency, "value": value}}
    details = {"type": "custom", "custom": {"refund_reference": reference}}
    return {"outcome": "refunded", "processor_details": details, **amount}


PATHS: dict[RecordState, list[tuple[str, dict[str, Any]]]] = {
    RecordState.PENDING: [],
    RecordState.FAILED: [("report_payment_attempt_failed", {"failed_at": START})],
    RecordState.CANCELED: [("report_payment_attempt_canceled", {"canceled_at": START})],
    RecordState.GUARANTEED: [("report_payment_attempt_guaranteed", {"guaranteed_at": START})],
    RecordState.PARTIALLY_REFUNDED: [
        ("report_payment_attempt_guaranteed", {"guaranteed_at": START}),
        ("report_refund", refund("path-part", 950)),
    ],
    RecordState.REFUNDED: [
        ("report_payment_attempt_guaranteed", {"guaranteed_at": START}),
        ("report_refund", refund("path-whole")),
    ],
}
"""State → the calls that bring a fresh payment there."""


class Clock:
    """Epoch seconds that move only when told to."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Answer:
    """An answer of the engine, read."""

    status: int
    headers: Mapping[str, str]
    body: Any
    reply: Reply

    @property
    def error(self) -> dict[str, Any]:
        error: dict[str, Any] = self.body["error"]
        return error

    @property
    def blame(self) -> tuple[int, str | None, str | None]:
        """Status, code and param of an error."""
        return self.status, self.error.get("code"), self.error.get("param")


class Api:
    """Calls one engine as one user."""

    def __init__(self, sandbox: Sandbox, api_key: str = "sk_test_1234567890", **headers: str) -> None:
        self.sandbox = sandbox
        self.headers = {"authorization": f"Bearer {api_key}", **{k.replace("_", "-"): v for k, v in headers.items()}}

    def post(self, path: str, params: Mapping[str, Any] | bytes = b"", key: str | None = None) -> Answer:
        content = params if isinstance(params, bytes) else encode_form(params)
        headers = {**self.headers, "content-type": "application/x-www-form-urlencoded"}
        if key is not None:
            headers["idempotency-key"] = key
        return self.send(Incoming("POST", path, "", headers, content))

    def get(self, path: str, **params: Any) -> Answer:
        return self.send(Incoming("GET", path, encode_form(params).decode(), self.headers, b""))

    def send(self, request: Incoming) -> Answer:
        reply = self.sandbox.handle(request)
        is_json = reply.headers.get("content-type") == "application/json" and reply.delivery is Delivery.WHOLE
        return Answer(reply.status, reply.headers, json.loads(reply.content) if is_json else None, reply)

    def report(self, key: str | None = None, **changes: Any) -> dict[str, Any]:
        """Report a payment that is accepted, and return the record."""
        answer = self.post(REPORT, {**PAYMENT, **changes}, key)
        assert answer.status == 200, answer.body
        record: dict[str, Any] = answer.body
        return record

    def act(self, record: str, call: str, params: Mapping[str, Any] | None = None, key: str | None = None) -> Answer:
        return self.post(f"/v1/payment_records/{record}/{call}", CALLS[call] if params is None else params, key)

    def record_in(self, state: RecordState) -> dict[str, Any]:
        """Bring a new payment into *state* and return its record."""
        record = self.report()
        for call, params in PATHS[state]:
            answer = self.act(record["id"], call, params)
            assert answer.status == 200, answer.body
            record = answer.body
        return record


def make_sandbox(clock: Clock | None = None, storage: Storage | None = None, **config: Any) -> Sandbox:
    """Return an engine with countable ids, a still clock and no rate limits unless *config* has some."""
    settings = SandboxConfig(**{"rate_limits": None, **config})
    return Sandbox(settings, storage=storage, clock=clock or Clock(), new_id=CountedIds())
