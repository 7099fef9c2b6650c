"""The descriptive part of a payment: what it holds, and how a later call amends it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from airflow_provider_payrecords.core.parameters import MAX_METADATA_ENTRIES
from airflow_provider_payrecords.sandbox.errors import invalid

_ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")
_PERSON = ("email", "name", "phone")


@dataclass(frozen=True, slots=True)
class Details:
    """The descriptive part, hashes in the shape of the answer."""

    payment_method_details: dict[str, Any]
    processor_details: dict[str, Any]
    customer_details: dict[str, Any] | None = None
    customer_presence: str | None = None
    description: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    shipping_details: dict[str, Any] | None = None


def amended(details: Details, params: Mapping[str, Any]) -> Details:
    """
    Return *details* with what *params* say: scalars replaced, customer and shipping merged child by child.

    An empty string erases ``description``, ``shipping_details``, one entry of ``metadata`` or all of it.
    ``processor_details`` stay: those of a refund name the refund, not the payment.
    """
    new: dict[str, Any] = {}
    if "metadata" in params:
        new["metadata"] = _merged_metadata(details.metadata, params["metadata"])
    if "customer_details" in params:
        new["customer_details"] = _filled(details.customer_details, params["customer_details"], ("customer", *_PERSON))
    if "shipping_details" in params:
        new["shipping_details"] = _shipping(details.shipping_details, params["shipping_details"])
    if "description" in params:
        new["description"] = params["description"] or None
    if "payment_method_details" in params:
        new["payment_method_details"] = _payment_method(params["payment_method_details"])
    if "customer_presence" in params:
        new["customer_presence"] = params["customer_presence"]
    return replace(details, **new)


def _merged_metadata(old: Mapping[str, str], new: Mapping[str, str] | str) -> dict[str, str]:
    if isinstance(new, str):
        return {}
    merged = {key: value for key, value in {**old, **new}.items() if value != ""}
    if len(merged) > MAX_METADATA_ENTRIES:
        raise invalid(f"Metadata can have up to {MAX_METADATA_ENTRIES} keys, but you've set {len(merged)}", "metadata")
    return merged


def _filled(old: Mapping[str, Any] | None, new: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: new.get(name, (old or {}).get(name)) for name in names}


def _shipping(old: Mapping[str, Any] | None, new: Mapping[str, Any] | str) -> dict[str, Any] | None:
    if isinstance(new, str):
        return None
    address = _filled((old or {}).get("address"), new.get("address", {}), _ADDRESS)
    return {"address": address, **_filled(old, new, ("name", "phone"))}


def _payment_method(new: Mapping[str, Any]) -> dict[str, Any]:
    billing = new.get("billing_details")
    shown: dict[str, Any] = {"billing_details": None}
    if billing is not None:
        address = _filled(None, billing.get("address", {}), _ADDRESS)
        shown["billing_details"] = {"address": address, **_filled(None, billing, _PERSON)}
    if "custom" in new:
        custom = new["custom"]
        shown["custom"] = {"display_name": custom.get("display_name", "Custom"), "type": custom.get("type")}
    return {**shown, "payment_method": new.get("payment_method"), "type": "custom"}
