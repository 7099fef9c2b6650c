"""The walk over a command's fields agrees with pydantic's own description, and words are read by it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from airflow_provider_payrecords.compose.fields import fields_of, read_words, reference_of, summary_of
from airflow_provider_payrecords.core.commands import COMMANDS, ListPaymentRecords, ReportPayment, build
from airflow_provider_payrecords.core.errors import UsageError


def paths_in(schema: dict[str, Any], node: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, bool]]:
    """Yield every path of a JSON schema and whether its object requires it."""
    for name, inner in node.get("properties", {}).items():
        yield prefix + name, name in node.get("required", ())
        parts = [inner, *inner.get("anyOf", ()), *(p for one in inner.get("anyOf", ()) for p in one.get("oneOf", ()))]
        for reference in (part["$ref"] for part in parts if "$ref" in part):
            yield from paths_in(schema, schema["$defs"][reference.rpartition("/")[2]], f"{prefix}{name}.")


@pytest.mark.parametrize("endpoint", COMMANDS)
def test_fields_are_those_that_pydantic_describes(endpoint: str) -> None:
    schema = COMMANDS[endpoint].model_json_schema()
    fields = fields_of(COMMANDS[endpoint])
    assert {field.path: field.required != "no" for field in fields} == dict(paths_in(schema, schema))


@pytest.mark.parametrize("endpoint", COMMANDS)
def test_every_field_says_what_it_means(endpoint: str) -> None:
    silent = [one.path for one in fields_of(COMMANDS[endpoint]) if not one.note]
    assert silent == []


def test_an_inner_field_is_always_required_only_if_all_around_it_is() -> None:
    required = {field.path: field.required for field in fields_of(ReportPayment)}
    assert required["amount_requested.value"] == "always"
    assert required["processor_details.type"] == "in its hash"
    assert required["processor_details"] == "no"


def test_bounds_and_choices_are_shown() -> None:
    listed = {field.path: field for field in fields_of(ListPaymentRecords)}
    assert listed["limit"].limits == "1 to 100"
    reported = {field.path: field for field in fields_of(ReportPayment)}
    assert reported["outcome"].choices == ("canceled", "failed", "guaranteed")


def test_a_summary_is_the_docstring_without_its_source() -> None:
    assert summary_of(ReportPayment) == "Create a record and its first attempt, pending or with an outcome."


def test_words_become_a_command_by_the_types_of_their_fields() -> None:
    words = [
        "amount_requested.value=4950",
        "amount_requested.currency=eur",
        "initiated_at=2026-11-23T10:00:00+01:00",
        "payment_method_details.type=custom",
        "description=a=b",
        "metadata.order.no=7",
        "expand=customer",
        "expand=latest",
    ]
    values = read_words(ReportPayment, words, {})
    assert build(ReportPayment, values).params() == {
        "amount_requested": {"currency": "eur", "value": 4950},
        "description": "a=b",
        "expand": ["customer", "latest"],
        "initiated_at": 1795424400,
        "metadata": {"order.no": "7"},
        "payment_method_details": {"type": "custom"},
    }


def test_words_win_over_the_values_they_are_put_into_and_leave_those_alone() -> None:
    given = {"amount_requested": {"value": 1, "currency": "eur"}, "expand": ["a"]}
    merged = read_words(ReportPayment, ["amount_requested.value=2", "expand=b"], given)
    assert merged == {"amount_requested": {"value": 2, "currency": "eur"}, "expand": ["a", "b"]}
    assert given == {"amount_requested": {"value": 1, "currency": "eur"}, "expand": ["a"]}


@pytest.mark.parametrize("text", ["1795428000", "2026-11-23T10:00:00Z", "2026-11-23T11:00:00+01:00"])
def test_a_time_is_seconds_or_iso_with_a_zone(text: str) -> None:
    assert read_words(ReportPayment, [f"initiated_at={text}"], {}) == {"initiated_at": 1795428000}


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("amount_requested.value=49.50", "whole number"),
        ("amount_requested.value=", "whole number"),
        ("amount_requested.value=٤", "whole number"),
        ("initiated_at=2026-11-23T10:00:00", "zone"),
        ("initiated_at=yesterday", "zone"),
        ("initiated_at", "field=value"),
        ("=5", "field=value"),
    ],
)
def test_a_word_that_cannot_be_read_is_refused_with_its_form(word: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_words(ReportPayment, [word], {})


def test_a_word_that_is_no_field_is_left_for_the_commands_own_rules() -> None:
    assert read_words(ReportPayment, ["amount.value=x"], {}) == {"amount": {"value": "x"}}


def test_empty_text_is_kept_because_it_asks_to_clear() -> None:
    command = COMMANDS["report_payment_attempt_informational"]
    assert read_words(command, ["description=", "metadata="], {}) == {"description": "", "metadata": ""}


@pytest.mark.parametrize("endpoint", COMMANDS)
def test_a_reference_is_a_page_of_stripe(endpoint: str) -> None:
    found = reference_of(COMMANDS[endpoint])
    assert (found is None) is (endpoint == "list_payment_records"), "no page names it"
    assert found is None or found.startswith("https://docs.stripe.com/api/")


def test_a_name_that_says_little_alone_is_explained_with_its_hash() -> None:
    notes = {field.path: field.note for field in fields_of(ReportPayment)}
    assert "cpmt_123" in notes["payment_method_details.custom.type"]
    assert notes["payment_method_details.type"] == notes["processor_details.type"] != ""
