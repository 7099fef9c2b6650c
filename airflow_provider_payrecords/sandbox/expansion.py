"""
What ``expand`` may name. On records and attempts nothing a reported payment has can be expanded.

Source:
    https://docs.stripe.com/api/expanding_objects
"""

from __future__ import annotations

from collections.abc import Sequence

from airflow_provider_payrecords.sandbox.errors import invalid

MAX_DEPTH = 4

_INVOICE = frozenset({"payments", "payments.data.payment.payment_record"})
_INVOICE_PAYMENT = frozenset({"invoice", "payment.payment_record"})

EXPANDABLE = {
    "attach_payment": _INVOICE,
    "retrieve_invoice": _INVOICE,
    "retrieve_invoice_payment": _INVOICE_PAYMENT,
    "list_invoice_payments": frozenset(f"data.{path}" for path in _INVOICE_PAYMENT),
}
"""Endpoint → paths that can be expanded in its answer."""


def check_expand(endpoint: str, paths: Sequence[str]) -> frozenset[str]:
    """
    Return the paths to expand, without the ``data.`` of lists.

    Raises:
        RefusalError: More than four levels, or a property that cannot be expanded.
    """
    known = EXPANDABLE.get(endpoint, frozenset())
    for path in paths:
        if path.count(".") >= MAX_DEPTH:
            raise invalid(
                f"You cannot expand more than {MAX_DEPTH} levels of a property. Property: {path}",
                "expand",
                "property_expansion_max_depth",
            )
        if path not in known:
            raise invalid(f"This property cannot be expanded ({path}).", "expand")
    return frozenset(path.removeprefix("data.") for path in paths)
