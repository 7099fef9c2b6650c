"""What tests enter into the form."""

from __future__ import annotations

from typing import Any

PAYMENT: dict[str, Any] = {
    "amount_requested": {"amount": "49.50", "currency": "eur"},
    "initiated_at": {"time": "2026-11-23T10:00:00", "zone": "Europe/Amsterdam"},
    "outcome": "guaranteed",
    "guaranteed.guaranteed_at": {"time": "2026-11-24T10:00:00", "zone": "UTC"},
    "payment_method_details.type": "custom",
    "payment_method_details.custom.display_name": "iDEAL",
    "processor_details.custom.payment_reference": "wire 4711",
    "metadata": [["order", "7"]],
}


def draft(values: dict[str, Any] | None = None, endpoint: str = "report_payment", **more: Any) -> dict[str, Any]:
    """Return what the page sends to have a form looked at."""
    values = PAYMENT if values is None else values
    return {"endpoint": endpoint, "values": values, "connection": "payrecords_default", **more}
