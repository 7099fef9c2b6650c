"""Shapes of answers: every documented key is there, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.samples import PAYMENT, REPORT, START, Api

SHARED = {
    *("id", "object", "amount", "amount_authorized", "amount_canceled", "amount_failed", "amount_guaranteed"),
    *("amount_refunded", "amount_requested", "application", "created", "customer_details", "customer_presence"),
    *("description", "livemode", "metadata", "payment_method_details", "processor_details", "reported_by"),
    "shipping_details",
}
ADDRESS = dict.fromkeys(["city", "country", "line1", "line2", "postal_code", "state"])

FULL: dict[str, Any] = {
    **PAYMENT,
    "customer_details": {"customer": "cus_1", "email": "zoë@example.com", "name": "Zoë", "phone": "1"},
    "customer_presence": "off_session",
    "description": "Order 7781 & more",
    "metadata": {"order": "7781"},
    "shipping_details": {"name": "Zoë", "address": {"city": "Köln"}},
    "payment_method_details": {
        "type": "custom",
        "payment_method": "pm_1",
        "custom": {"display_name": "Chèque", "type": "cpmt_1"},
        "billing_details": {"name": "Zoë", "address": {"country": "DE"}},
    },
}


def test_record_and_attempt_have_the_documented_keys(api: Api) -> None:
    record = api.report()
    attempt = api.get(f"/v1/payment_attempt_records/{record['latest_payment_attempt_record']}").body
    assert set(record) == SHARED | {"latest_payment_attempt_record"}
    assert set(attempt) == SHARED | {"payment_record"}
    assert (record["object"], attempt["object"]) == ("payment_record", "payment_attempt_record")
    assert attempt["payment_record"] == record["id"]


def test_what_was_not_sent_is_null(api: Api) -> None:
    record = api.report()
    nulls = ("application", "customer_details", "customer_presence", "description", "shipping_details")
    assert {record[name] for name in nulls} == {None}
    assert (record["metadata"], record["reported_by"], record["livemode"]) == ({}, "self", False)
    assert record["payment_method_details"] == {
        "billing_details": None,
        "custom": {"display_name": "Wire", "type": None},
        "payment_method": None,
        "type": "custom",
    }


def test_what_was_sent_is_shown_with_every_key_of_its_hash(api: Api) -> None:
    record = api.post(REPORT, FULL).body
    assert record["customer_details"] == FULL["customer_details"]
    assert record["shipping_details"] == {"address": {**ADDRESS, "city": "Köln"}, "name": "Zoë", "phone": None}
    assert record["payment_method_details"] == {
        "billing_details": {"address": {**ADDRESS, "country": "DE"}, "email": None, "name": "Zoë", "phone": None},
        "custom": {"display_name": "Chèque", "type": "cpmt_1"},
        "payment_method": "pm_1",
        "type": "custom",
    }
    assert record["processor_details"] == PAYMENT["processor_details"]
    assert record["created"] == START


def test_custom_method_without_a_name_still_has_one(api: Api) -> None:
    details = {"type": "custom", "custom": {"type": "cpmt_1"}}
    shown = api.report(payment_method_details=details)["payment_method_details"]["custom"]
    assert shown == {"display_name": "Custom", "type": "cpmt_1"}


def test_text_is_plain_utf8(api: Api) -> None:
    assert "zoë@example.com".encode() in api.post(REPORT, FULL).reply.content


@pytest.mark.parametrize("path", ["customer", "latest_payment_attempt_record", "payment_method_details.custom"])
def test_nothing_of_a_record_can_be_expanded(api: Api, path: str) -> None:
    answer = api.post(REPORT, {**PAYMENT, "expand": [path]}, "k")
    assert answer.error["message"] == f"This property cannot be expanded ({path})."
    assert len(api.sandbox.journal) == 0
    assert api.post(REPORT, PAYMENT, "k").status == 200


def test_expansion_stops_at_four_levels(api: Api) -> None:
    answer = api.get("/v1/payment_records", expand=["data.a.b.c.d"])
    assert answer.blame == (400, "property_expansion_max_depth", "expand")
