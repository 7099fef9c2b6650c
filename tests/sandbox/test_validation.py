"""Each way a request can be wrong, and what the API says to it. One error at a time, top level first."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_payrecords.sandbox.exchange import Incoming
from airflow_provider_payrecords.sandbox.validation import decode, digest
from tests.sandbox.samples import PAYMENT, REPORT, START, Api

AMOUNT = {"currency": "eur", "value": 4950}
METHOD = {"type": "custom"}

REFUSED: dict[str, tuple[dict[str, Any], str | None, str | None]] = {
    "unknown field": ({"amount": 1}, "parameter_unknown", "amount"),
    "unknown inner field": (
        {"amount_requested": {**AMOUNT, "unit": "x"}},
        "parameter_unknown",
        "amount_requested[unit]",
    ),
    "unknown field deep inside": (
        {"shipping_details": {"address": {"town": "x"}}},
        "parameter_unknown",
        "shipping_details[address][town]",
    ),
    "missing inner field": ({"amount_requested": {"currency": "eur"}}, "parameter_missing", "amount_requested[value]"),
    "no way of paying": (
        {"payment_method_details": {"custom": {"display_name": "x"}}},
        "parameter_missing",
        "payment_method_details[type]",
    ),
    "empty text": ({"description": ""}, "parameter_invalid_empty", "description"),
    "empty inner text": ({"customer_details": {"name": ""}}, "parameter_invalid_empty", "customer_details[name]"),
    "empty hash": ({"customer_details": ""}, "parameter_invalid_empty", "customer_details"),
    "empty number": ({"initiated_at": ""}, "parameter_invalid_empty", "initiated_at"),
    "empty choice": ({"outcome": ""}, "parameter_invalid_empty", "outcome"),
    "empty currency": ({"amount_requested": {"currency": "", "value": 1}}, "parameter_invalid_empty", None),
    "word for a number": ({"initiated_at": "soon"}, "parameter_invalid_integer", "initiated_at"),
    "fraction": ({"amount_requested": {"currency": "eur", "value": "1.0"}}, "parameter_invalid_integer", None),
    "zero": (
        {"amount_requested": {"currency": "eur", "value": 0}},
        "parameter_invalid_integer",
        "amount_requested[value]",
    ),
    "negative": ({"amount_requested": {"currency": "eur", "value": -5}}, "parameter_invalid_integer", None),
    "milliseconds": ({"initiated_at": START * 1000}, "parameter_invalid_integer", "initiated_at"),
    "hash for a number": ({"initiated_at": {"a": "1"}}, "parameter_invalid_integer", "initiated_at"),
    "choice": ({"customer_presence": "maybe"}, None, "customer_presence"),
    "inner choice": ({"payment_method_details": {"type": "card"}}, None, "payment_method_details[type]"),
    "currency": ({"amount_requested": {"currency": "xyz", "value": 1}}, None, "amount_requested[currency]"),
    "minor units": ({"amount_requested": {"currency": "kwd", "value": 5124}}, None, "amount_requested[value]"),
    "text for a hash": ({"shipping_details": "home"}, None, "shipping_details"),
    "hash for a text": ({"description": {"a": "b"}}, None, "description"),
    "text for a list": ({"expand": "customer"}, None, "expand"),
    "empty entry of a list": ({"expand": [""]}, "parameter_invalid_empty", "expand[0]"),
    "too long": ({"description": "x" * 5001}, None, "description"),
    "detail missing": ({"outcome": "failed"}, "parameter_missing", "failed[failed_at]"),
    "detail of another outcome": ({"outcome": "failed", "canceled": {"canceled_at": START}}, None, "canceled"),
    "detail without outcome": ({"guaranteed": {"guaranteed_at": START}}, None, "guaranteed"),
    "metadata value": ({"metadata": {"k": "x" * 501}}, None, "metadata"),
    "metadata key": ({"metadata": {"k" * 41: "x"}}, None, "metadata"),
    "metadata count": ({"metadata": {f"k{n}": "x" for n in range(51)}}, None, "metadata"),
    "metadata text": ({"metadata": "x"}, None, "metadata"),
    "metadata nested": ({"metadata": {"k": {"inner": "x"}}}, None, "metadata[k]"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_wrong_parameter_is_refused_by_its_code_and_its_name(api: Api, case: str) -> None:
    changes, code, param = REFUSED[case]
    answer = api.post(REPORT, {**PAYMENT, **changes})
    assert answer.status == 400
    assert answer.error["type"] == "invalid_request_error"
    assert answer.error.get("code") == code
    assert param is None or answer.error["param"] == param
    assert ("doc_url" in answer.error) == (code is not None)
    assert len(api.sandbox.journal) == 0


@pytest.mark.parametrize("name", ["amount_requested", "initiated_at", "payment_method_details"])
def test_required_field_that_is_absent_is_named(api: Api, name: str) -> None:
    answer = api.post(REPORT, {key: value for key, value in PAYMENT.items() if key != name})
    assert answer.blame == (400, "parameter_missing", name)
    assert answer.error["message"] == f"Missing required param: {name}."
    assert answer.error["doc_url"] == "https://stripe.com/docs/error-codes/parameter-missing"


def test_top_level_is_blamed_before_what_is_inside(api: Api) -> None:
    answer = api.post(REPORT, {**PAYMENT, "amount_requested": {"currency": "xyz"}, "initiated_at": "soon"})
    assert answer.error["param"] == "initiated_at"


MESSAGES: dict[str, tuple[dict[str, Any], str]] = {
    "unknown": ({"foo": "1"}, "Received unknown parameter: foo"),
    "integer": ({"initiated_at": "abc"}, "Invalid integer: abc"),
    "small": ({"amount_requested": {**AMOUNT, "value": 0}}, "This value must be greater than or equal to 1."),
    "choice": ({"outcome": "lost"}, "Invalid outcome: must be one of canceled, failed, or guaranteed"),
    "two choices": ({"customer_presence": "x"}, "Invalid customer_presence: must be one of off_session or on_session"),
    "metadata": (
        {"metadata": {f"k{n}": "x" for n in range(51)}},
        "Metadata can have up to 50 keys, but you've set 51",
    ),
}


@pytest.mark.parametrize("case", MESSAGES)
def test_message_is_the_one_that_was_observed(api: Api, case: str) -> None:
    changes, message = MESSAGES[case]
    assert api.post(REPORT, {**PAYMENT, **changes}).error["message"] == message


def test_text_that_is_too_long_is_measured_in_characters(api: Api) -> None:
    answer = api.post(REPORT, {**PAYMENT, "description": "x" * 5001})
    assert answer.error["message"] == "At most 5000 characters."


def test_unknown_currency_lists_the_known_ones(api: Api) -> None:
    answer = api.post(REPORT, {**PAYMENT, "amount_requested": {"currency": "xyz", "value": 1}})
    assert answer.error["message"].startswith(
        "Invalid currency: xyz. Stripe currently supports these currencies: usd, aed"
    )


def test_least_payment_is_accepted(api: Api) -> None:
    least = {"amount_requested": AMOUNT, "initiated_at": START, "payment_method_details": METHOD}
    record = api.post(REPORT, least).body
    assert (record["processor_details"], record["customer_details"]) == ({"type": "custom"}, None)
    assert "custom" not in record["payment_method_details"]


def test_processor_details_may_be_a_type_alone(api: Api) -> None:
    assert api.report(processor_details={"type": "custom"})["processor_details"] == {"type": "custom"}


def test_payment_method_id_can_stand_for_the_type(api: Api) -> None:
    shown = api.report(payment_method_details={"payment_method": "pm_1"})["payment_method_details"]
    assert (shown["payment_method"], shown["type"]) == ("pm_1", "custom")


def test_empty_string_clears_where_it_may(api: Api) -> None:
    record = api.report(
        description="x",
        shipping_details={"name": "Zoë"},
        metadata={"a": "1", "b": "2"},
        customer_details={"name": "Zoë"},
    )
    cleared = {"description": "", "shipping_details": "", "metadata": {"a": ""}}
    shown = api.act(record["id"], "report_payment_attempt_informational", cleared).body
    assert (shown["description"], shown["shipping_details"], shown["metadata"]) == (None, None, {"b": "2"})
    shown = api.act(record["id"], "report_payment_attempt_informational", {"metadata": ""}).body
    assert (shown["metadata"], shown["customer_details"]["name"]) == ({}, "Zoë")
    kept = api.act(record["id"], "report_payment_attempt_informational", {"customer_details": ""})
    assert kept.blame == (400, "parameter_invalid_empty", "customer_details")


def test_partial_hashes_are_merged_child_by_child(api: Api) -> None:
    record = api.report(
        customer_details={"name": "Zoë", "email": "z@example.com"}, shipping_details={"address": {"city": "Köln"}}
    )
    params = {"customer_details": {"phone": "1"}, "shipping_details": {"name": "Zoë", "address": {"country": "DE"}}}
    shown = api.act(record["id"], "report_payment_attempt_informational", params).body
    assert shown["customer_details"] == {"customer": None, "email": "z@example.com", "name": "Zoë", "phone": "1"}
    address = shown["shipping_details"]["address"]
    assert (address["city"], address["country"], shown["shipping_details"]["name"]) == ("Köln", "DE", "Zoë")


def test_metadata_is_limited_after_merging_too(api: Api) -> None:
    record = api.report(metadata={f"k{n}": "x" for n in range(50)})
    answer = api.act(record["id"], "report_payment_attempt_informational", {"metadata": {"more": "x"}})
    assert answer.error["message"] == "Metadata can have up to 50 keys, but you've set 51"


def test_metadata_keys_that_are_numbers_stay_keys(api: Api) -> None:
    assert api.report(metadata={"0": "a", "1": "b"})["metadata"] == {"0": "a", "1": "b"}


def test_refund_needs_processor_details_and_outcome(api: Api) -> None:
    record = api.report()
    assert api.act(record["id"], "report_refund", {"outcome": "refunded"}).error["param"] == "processor_details"
    details = {"processor_details": {"type": "custom"}}
    assert api.act(record["id"], "report_refund", details).error["param"] == "outcome"


def test_id_of_the_path_is_no_parameter(api: Api) -> None:
    record = api.report()
    answer = api.act(record["id"], "report_payment_attempt_failed", {"failed_at": START, "payment_record": "x"})
    assert answer.blame == (400, "parameter_unknown", "payment_record")


@pytest.mark.parametrize("body", [b"amount_requested[value", b"a=1&a[b]=2", b"x=%ff", b"a" + b"[b]" * 500 + b"=1"])
def test_malformed_form_is_refused(api: Api, body: bytes) -> None:
    assert api.post(REPORT, body).status == 400


def test_json_body_is_refused(api: Api) -> None:
    headers = {**api.headers, "content-type": "application/json"}
    assert api.send(Incoming("POST", REPORT, "", headers, b"{}")).status == 400


def test_both_array_forms_and_any_order_have_one_digest() -> None:
    one = decode("", b"a=1&expand[]=x&expand[]=y")
    other = decode("", b"expand[0]=x&expand[1]=y&a=1")
    assert digest(one) == digest(other) != digest(decode("", b"a=2&expand[]=x&expand[]=y"))
