"""Payments for tests, with personal data that must not get out."""

from __future__ import annotations

from typing import Any

NAME = "Zoë Canary"
EMAIL = "zoe.canary@example.com"
DESCRIPTION = "Canary goods"
PERSONAL = (NAME, EMAIL, DESCRIPTION)
STARTED = 1_760_000_000
"""Unix seconds."""


def payment(reference: str | None = "cheque-1", **fields: Any) -> dict[str, Any]:
    """Return the fields of a pending payment."""
    custom = {} if reference is None else {"custom": {"payment_reference": reference}}
    return {
        "amount_requested": {"value": 4950, "currency": "eur"},
        "initiated_at": STARTED,
        "payment_method_details": {"type": "custom", "custom": {"display_name": "Cheque"}},
        "processor_details": {"type": "custom", **custom},
        "customer_details": {"name": NAME, "email": EMAIL},
        "description": DESCRIPTION,
        **fields,
    }


def guaranteed(reference: str, **fields: Any) -> dict[str, Any]:
    """Return the fields of a payment whose money is there."""
    detail = {"outcome": "guaranteed", "guaranteed": {"guaranteed_at": STARTED + 60}}
    return payment(reference, **detail, **fields)


def rows(count: int) -> list[dict[str, Any]]:
    """Return *count* rows whose columns are request fields."""
    return [
        {
            "amount_requested.value": 100 + number,
            "amount_requested.currency": "eur",
            "initiated_at": STARTED + number,
            "payment_method_details.custom.display_name": "Wire",
            "processor_details.custom.payment_reference": f"wire-{number:04d}",
            "customer_details.name": NAME,
            "customer_details.email": EMAIL,
        }
        for number in range(1, count + 1)
    ]


def refund(reference: str, **fields: Any) -> dict[str, Any]:
    """Return the fields of a refund of all that is refundable."""
    return {
        "outcome": "refunded",
        "processor_details": {"type": "custom", "custom": {"refund_reference": reference}},
        "refunded": {"refunded_at": STARTED + 500},
        **fields,
    }
