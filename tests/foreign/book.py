"""The records and attempts themselves, and what each call does to them. No HTTP, no faults, no clock."""

from __future__ import annotations

import copy
from typing import Any

from tests.foreign.rules import Form, RefusalError

Record = dict[str, Any]

_BUCKETS = ("amount_authorized", "amount_canceled", "amount_failed", "amount_guaranteed", "amount_refunded")
_ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")
_ATTEMPT_CALLS = {
    "report_payment_attempt_guaranteed": "guaranteed",
    "report_payment_attempt_failed": "failed",
    "report_payment_attempt_canceled": "canceled",
}


def _pick(values: Form, *names: str) -> Form:
    return {name: values.get(name) for name in names}


def _party(values: Form) -> Form:
    return {"address": _pick(values.get("address", {}), *_ADDRESS), **_pick(values, "name", "phone")}


def _method(details: Form) -> Form:
    billing = details.get("billing_details", {})
    custom = details.get("custom", {})
    return {
        "billing_details": {**_party(billing), "email": billing.get("email")},
        "custom": {"display_name": custom.get("display_name", "Custom"), "type": custom.get("type")},
        "payment_method": details.get("payment_method"),
        "type": "custom",
    }


def _customer(form: Form) -> Form | None:
    details = form.get("customer_details")
    return None if details is None else _pick(details, "customer", "email", "name", "phone")


def _shipping(form: Form) -> Form | None:
    details = form.get("shipping_details")
    return None if not details else _party(details)


def _merge(metadata: dict[str, str], form: Form) -> None:
    sent = form.get("metadata", {})
    if sent == "":
        metadata.clear()
        return
    metadata.update(sent)
    for name in [name for name, value in metadata.items() if value == ""]:
        del metadata[name]


class Book:
    """
    All records of one server.

    Attributes:
        records: By id.
        attempts: By id.
    """

    def __init__(self, record_prefix: str) -> None:
        self.records: dict[str, Record] = {}
        self.attempts: dict[str, Record] = {}
        self._record_prefix = record_prefix

    def report_payment(self, form: Form, created: int) -> Record:
        """Make a record and its first attempt."""
        amount = {"currency": form["amount_requested"]["currency"], "value": int(form["amount_requested"]["value"])}
        zero = {"currency": amount["currency"], "value": 0}
        record: Record = {
            "id": f"{self._record_prefix}{len(self.records) + 1:024d}",
            "object": "payment_record",
            "amount": amount,
            "amount_requested": dict(amount),
            **{bucket: dict(zero) for bucket in _BUCKETS},
            "application": None,
            "created": created,
            "customer_details": _customer(form),
            "customer_presence": form.get("customer_presence"),
            "description": form.get("description"),
            "latest_payment_attempt_record": None,
            "livemode": False,
            "metadata": {},
            "payment_method_details": _method(form["payment_method_details"]),
            "processor_details": form.get("processor_details") or {"type": "custom"},
            "reported_by": "self",
            "shipping_details": _shipping(form),
        }
        _merge(record["metadata"], form)
        self.records[record["id"]] = record
        return self._add_attempt(record, form, created)

    def change(self, endpoint: str, record_id: str, form: Form, created: int) -> Record:
        """
        Apply one of the calls on a record.

        Raises:
            RefusalError: The record is unknown, or its state forbids the call.
        """
        record = self.record(record_id)
        if endpoint == "report_payment_attempt":
            self._allow(self._state(record) in ("failed", "canceled"), endpoint, record)
            for bucket in _BUCKETS:
                record[bucket]["value"] = 0
            _merge(record["metadata"], form)
            return self._add_attempt(record, form, created)
        if endpoint in _ATTEMPT_CALLS:
            self._allow(self._state(record) == "pending", endpoint, record)
            self._fill(record, _ATTEMPT_CALLS[endpoint])
        elif endpoint == "report_refund":
            self._refund(record, form)
        else:
            self._inform(record, form)
        _merge(record["metadata"], form)
        return self._mirror(record)

    def record(self, record_id: str) -> Record:
        """Return a record or raise the API's 404."""
        return self._find(self.records, record_id, "payment_record")

    def attempt(self, attempt_id: str) -> Record:
        """Return an attempt or raise the API's 404."""
        return self._find(self.attempts, attempt_id, "payment_attempt_record")

    def _find(self, things: dict[str, Record], thing_id: str, noun: str) -> Record:
        if thing_id not in things:
            raise RefusalError(f"No such {noun}: '{thing_id}'", status=404, code="resource_missing", param="id")
        return things[thing_id]

    def _add_attempt(self, record: Record, form: Form, created: int) -> Record:
        record["latest_payment_attempt_record"] = f"par_{len(self.attempts) + 1:024d}"
        if "payment_method_details" in form:
            record["payment_method_details"] = _method(form["payment_method_details"])
        if "outcome" in form:
            self._fill(record, form["outcome"])
        self.attempts[record["latest_payment_attempt_record"]] = {"created": created}
        return self._mirror(record)

    def _mirror(self, record: Record) -> Record:
        attempt = copy.deepcopy(record)
        attempt_id = attempt.pop("latest_payment_attempt_record")
        created = self.attempts[attempt_id]["created"]
        self.attempts[attempt_id] = {
            **attempt,
            "id": attempt_id,
            "object": "payment_attempt_record",
            "payment_record": record["id"],
            "created": created,
        }
        return record

    def _fill(self, record: Record, outcome: str) -> None:
        record[f"amount_{outcome}"]["value"] = record["amount_requested"]["value"]

    def _state(self, record: Record) -> str:
        for name in ("refunded", "guaranteed", "failed", "canceled"):
            if record[f"amount_{name}"]["value"]:
                return name
        return "pending"

    def _allow(self, legal: bool, endpoint: str, record: Record) -> None:
        if not legal:
            raise RefusalError(f"{endpoint} is not possible: the latest attempt is {self._state(record)}.")

    def _refund(self, record: Record, form: Form) -> None:
        self._allow(self._state(record) in ("guaranteed", "refunded"), "report_refund", record)
        refundable = record["amount_requested"]["value"] - record["amount_refunded"]["value"]
        amount = form.get("amount", {"currency": record["amount"]["currency"], "value": refundable})
        if amount["currency"] != record["amount"]["currency"]:
            raise RefusalError("The refund has another currency than the payment.", param="amount[currency]")
        if not 0 < int(amount["value"]) <= refundable:
            raise RefusalError("The refund is larger than what is left.", param="amount[value]")
        record["amount_refunded"]["value"] += int(amount["value"])
        record["amount_guaranteed"]["value"] -= int(amount["value"])

    def _inform(self, record: Record, form: Form) -> None:
        if "description" in form:
            record["description"] = form["description"] or None
        if "shipping_details" in form:
            record["shipping_details"] = _shipping(form)
        if "customer_details" in form:
            record["customer_details"] = _customer(form)
