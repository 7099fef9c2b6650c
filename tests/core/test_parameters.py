"""What a field takes and what it refuses, one rule of ``core/parameters.py`` a test."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any

import pytest

from airflow_provider_payrecords.core.commands import (
    ReportPayment,
    ReportPaymentAttemptInformational,
    RetrievePaymentRecord,
    build,
)
from airflow_provider_payrecords.core.errors import CommandError

PAYMENT: dict[str, Any] = {
    "amount_requested": {"value": 4950, "currency": "eur"},
    "initiated_at": 1793610000,
    "payment_method_details": {"type": "custom"},
}


class Nowhere(tzinfo):
    """A zone object that does not know its offset."""

    def utcoffset(self, when: datetime | None) -> timedelta | None:
        return None

    dst = tzname = utcoffset  # type: ignore[assignment]  # neither knows more


def payment(**fields: Any) -> ReportPayment:
    return build(ReportPayment, {**PAYMENT, **fields})


def problem(**fields: Any) -> tuple[str, str]:
    with pytest.raises(CommandError) as refused:
        payment(**fields)
    (only,) = refused.value.problems
    return only["field"], only["code"]


def test_a_currency_is_sent_in_lowercase() -> None:
    assert payment(amount_requested={"value": 1, "currency": "EUR"}).amount_requested.currency == "eur"


@pytest.mark.parametrize(
    ("amount", "field", "code"),
    [
        ({"value": 1}, "currency", "parameter_missing"),
        ({"currency": "eur"}, "value", "parameter_missing"),
        ({"value": 1, "currency": "xyz"}, "currency", "unknown_currency"),
        ({"value": 1, "currency": None}, "currency", "unknown_currency"),
        ({"value": 0, "currency": "eur"}, "value", "amount_out_of_range"),
        ({"value": 10**5000, "currency": "eur"}, "value", "amount_out_of_range"),
        ({"value": 5124, "currency": "kwd"}, "value", "invalid_minor_units"),
        ({"value": 550, "currency": "isk"}, "value", "invalid_minor_units"),
        ({"value": True, "currency": "eur"}, "value", "parameter_invalid_integer"),
        ({"value": 49.5, "currency": "eur"}, "value", "parameter_invalid_integer"),
        ({"value": 49.0, "currency": "eur"}, "value", "parameter_invalid_integer"),
        ({"value": "4950", "currency": "eur"}, "value", "parameter_invalid_integer"),
        ({"value": None, "currency": "eur"}, "value", "parameter_invalid_integer"),
        ({"value": 1, "currency": "eur", "unit": "minor"}, "unit", "parameter_unknown"),
    ],
    ids=lambda value: None if isinstance(value, str) else "amount",
)
def test_an_amount_is_a_whole_number_of_minor_units_of_a_currency(
    amount: dict[str, Any], field: str, code: str
) -> None:
    assert problem(amount_requested=amount) == (f"amount_requested.{field}", code)


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (0, 0),
        (1793610000, 1793610000),
        (99_999_999_999, 99_999_999_999),
        (datetime(2026, 11, 2, 9, 0, tzinfo=timezone.utc), 1793610000),
        (datetime(2026, 11, 2, 10, 0, tzinfo=timezone(timedelta(hours=1))), 1793610000),
    ],
)
def test_a_time_is_unix_seconds_or_an_instant(given: Any, seconds: int) -> None:
    assert payment(initiated_at=given).initiated_at == seconds


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (-1, "invalid_time"),
        (1793610000000, "invalid_time"),
        (datetime(1969, 12, 31, tzinfo=timezone.utc), "invalid_time"),
        (datetime(2026, 11, 2), "naive_time"),  # noqa: DTZ001  # the naive time is what is refused
        (datetime(2026, 11, 2, tzinfo=Nowhere()), "naive_time"),
        (1793610000.5, "parameter_invalid_integer"),
        ("2026-11-02", "parameter_invalid_integer"),
        (True, "parameter_invalid_integer"),
    ],
)
def test_a_time_that_names_no_instant_is_refused(given: Any, code: str) -> None:
    assert problem(initiated_at=given) == ("initiated_at", code)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"description": ""}, "description"),
        ({"customer_details": {"email": ""}}, "customer_details.email"),
        ({"customer_details": {"phone": ""}}, "customer_details.phone"),
        ({"payment_method_details": {"type": "custom", "custom": {"type": ""}}}, "payment_method_details.custom.type"),
    ],
)
def test_an_empty_string_would_clear_and_is_refused_where_nothing_can_be_cleared(
    fields: dict[str, Any], field: str
) -> None:
    assert problem(**fields) == (field, "parameter_invalid_empty")


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"description": "x" * 5001}, "description", "too_long"),
        ({"customer_details": {"email": "x" * 801}}, "customer_details.email", "too_long"),
        ({"description": 5}, "description", "invalid_type"),
        ({"description": b"bytes"}, "description", "invalid_type"),
        ({"customer_presence": "maybe"}, "customer_presence", "invalid_value"),
        ({"customer_details": "Anna"}, "customer_details", "invalid_type"),
        ({"payment_method_details": {}}, "payment_method_details", "parameter_missing"),
        ({"payment_method_details": {"type": "card"}}, "payment_method_details.type", "invalid_value"),
        ({"processor_details": {}}, "processor_details.type", "parameter_missing"),
        (
            {"processor_details": {"type": "custom", "custom": {}}},
            "processor_details.custom.payment_reference",
            "parameter_missing",
        ),
    ],
)
def test_a_value_of_another_kind_or_size_is_refused(fields: dict[str, Any], field: str, code: str) -> None:
    assert problem(**fields) == (field, code)


def test_texts_of_the_greatest_length_are_taken() -> None:
    made = payment(description="x" * 5000, customer_details={"email": "x" * 800, "phone": "1" * 6000})
    assert made.customer_details is not None
    assert len(made.params()["customer_details"]["phone"]) == 6000


@pytest.mark.parametrize(
    "fields",
    [
        {"description": "a\ud800"},
        {"customer_details": {"email": "\udfff"}},
        {"customer_details": {"phone": "\udfff"}},
        {"metadata": {"k": "\ud800"}},
        {"metadata": {"\ud800": "v"}},
        {"expand": ["\ud800"]},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_half_a_character_is_refused_before_it_breaks_the_encoding(fields: dict[str, Any]) -> None:
    field, code = problem(**fields)
    assert code == "invalid_text"
    assert field.startswith(next(iter(fields)))


def test_every_other_character_is_left_as_it_is() -> None:
    text = "\x00\x7f \u0000Zoë\u2028\U0001f4b6"
    assert payment(description=text).description == text


@pytest.mark.parametrize(
    ("metadata", "field"),
    [
        ({"": "x"}, "metadata."),
        ({"k" * 41: "x"}, f"metadata.{'k' * 41}"),
        ({"a[b]": "x"}, "metadata.a[b]"),
        ({"a": "x" * 501}, "metadata.a"),
        ({f"k{number}": "x" for number in range(51)}, "metadata"),
    ],
    ids=["no key", "long key", "brackets", "long value", "many"],
)
def test_metadata_keeps_the_published_limits(metadata: dict[str, str], field: str) -> None:
    assert problem(metadata=metadata) == (field, "invalid_metadata")


@pytest.mark.parametrize("metadata", [["a"], "a", 5])
def test_metadata_is_a_hash(metadata: Any) -> None:
    assert problem(metadata=metadata) == ("metadata", "invalid_type")


def test_metadata_at_its_limits_is_taken() -> None:
    metadata = {f"{number:040}": "x" * 500 for number in range(50)}
    assert payment(metadata=metadata).params()["metadata"] == metadata


@pytest.mark.parametrize("metadata", ["", {}, {"a": ""}])
def test_metadata_can_be_cleared_whole_or_by_entry(metadata: Any) -> None:
    assert payment(metadata=metadata).params()["metadata"] == metadata


def test_description_and_shipping_can_be_cleared_by_the_informational_call_only() -> None:
    cleared = {"description": "", "shipping_details": ""}
    made = build(ReportPaymentAttemptInformational, {"payment_record": "pr_1", **cleared})
    assert made.params() == cleared
    assert problem(shipping_details="") == ("shipping_details", "invalid_type")


@pytest.mark.parametrize("record", ["", "pr/1", "..", "pr_1\n", "pr 1", "x" * 256, "prü"])
def test_an_id_that_could_leave_its_place_in_the_path_is_refused(record: str) -> None:
    with pytest.raises(CommandError) as refused:
        build(RetrievePaymentRecord, {"payment_record": record})
    assert refused.value.problems[0]["field"] == "payment_record"


def test_text_that_is_too_long_is_measured_in_characters() -> None:
    with pytest.raises(CommandError, match="description: At most 5000 characters") as caught:
        build(ReportPayment, {**PAYMENT, "description": "x" * 5001})
    assert [problem["code"] for problem in caught.value.problems] == ["too_long"]
