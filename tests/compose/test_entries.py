"""What a person enters becomes a command by the library's own rules, or its problems in the library's own words."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_payrecords.compose.entries import ERASE, read_entries
from airflow_provider_payrecords.core.commands import COMMANDS, ReportPayment, build
from airflow_provider_payrecords.core.errors import CommandError

PAYMENT: dict[str, Any] = {
    "amount_requested": {"amount": "49.50", "currency": "eur"},
    "initiated_at": {"time": "2026-11-23T10:00", "zone": "Europe/Amsterdam"},
    "payment_method_details.type": "custom",
}


def problems_of(**entries: Any) -> dict[str, str]:
    """Return the messages by field for a payment with other entries."""
    read = read_entries(ReportPayment, {**PAYMENT, **entries})
    assert (read.command is None) is bool(read.problems)
    return {one["field"]: one["message"] for one in read.problems}


def test_a_form_becomes_the_command_it_describes() -> None:
    entries = {
        **PAYMENT,
        "outcome": "guaranteed",
        "guaranteed.guaranteed_at": {"time": "2026-11-23T09:30:15", "zone": "UTC"},
        "processor_details.custom.payment_reference": "wire 4711",
        "metadata": [["order.no", "7"], ["", ""]],
        "expand": ["customer", ""],
        "description": "",
    }
    read = read_entries(ReportPayment, entries)
    assert read.problems == []
    assert read.command is not None
    assert read.command.params() == {
        "amount_requested": {"currency": "eur", "value": 4950},
        "expand": ["customer"],
        "guaranteed": {"guaranteed_at": 1795426215},
        "initiated_at": 1795424400,
        "metadata": {"order.no": "7"},
        "outcome": "guaranteed",
        "payment_method_details": {"type": "custom"},
        "processor_details": {"custom": {"payment_reference": "wire 4711"}, "type": "custom"},
    }


def test_amounts_and_times_say_what_they_were_taken_for() -> None:
    assert read_entries(ReportPayment, PAYMENT).shown == {
        "amount_requested": "4,950 minor units of EUR",
        "initiated_at": "1795424400 = 2026-11-23 09:00:00 UTC",
    }


@pytest.mark.parametrize(
    ("amount", "currency", "said"),
    [
        ("49.505", "eur", "More decimals than EUR has"),
        ("1,000", "eur", "Not a plain decimal number"),
        ("0", "eur", "at least 1 minor unit"),
        ("5.125", "kwd", "the last to be 0"),
        ("49.50", "jpy", "More decimals than JPY has: at most 0"),
        ("49.50", "xyz", "not a currency the API takes"),
        ("49.50", "", "needs a number and a currency"),
        ("", "eur", "needs a number and a currency"),
    ],
)
def test_an_amount_that_cannot_be_sent_has_the_message_of_the_library(amount: str, currency: str, said: str) -> None:
    problems = problems_of(amount_requested={"amount": amount, "currency": currency})
    assert list(problems) == ["amount_requested"]
    assert said in problems["amount_requested"]


@pytest.mark.parametrize(
    ("time", "zone", "said"),
    [
        ("2026-03-29T02:30", "Europe/Amsterdam", "skipped"),
        ("2026-10-25T02:30", "Europe/Amsterdam", "twice"),
        ("2026-11-23T10:00", "", "carries no zone"),
        ("2026-11-23T10:00", "Europe/Nowhere", "no such time zone"),
        ("2026-02-30T10:00", "UTC", "no such date"),
        ("yesterday", "UTC", "ISO 8601"),
    ],
)
def test_a_time_that_names_no_instant_or_two_is_a_problem(time: str, zone: str, said: str) -> None:
    problems = problems_of(initiated_at={"time": time, "zone": zone})
    assert list(problems) == ["initiated_at"]
    assert said in problems["initiated_at"].lower() or said in problems["initiated_at"]


def test_an_empty_form_names_what_is_missing_and_nothing_else() -> None:
    read = read_entries(ReportPayment, {"description": "", "amount_requested": {"amount": "", "currency": ""}})
    assert {one["field"] for one in read.problems} == {"amount_requested", "initiated_at", "payment_method_details"}


def test_problems_of_the_rules_are_those_of_the_command() -> None:
    entries = {**PAYMENT, "outcome": "failed", "metadata": [["a[b]", "1"]]}
    with pytest.raises(CommandError) as refused:
        build(ReportPayment, read_entries(ReportPayment, entries).values)
    assert read_entries(ReportPayment, entries).problems == refused.value.problems


def test_a_method_of_stripe_is_not_called_custom() -> None:
    entries = {**PAYMENT, "payment_method_details.type": "", "payment_method_details.payment_method": "pm_1"}
    command = read_entries(ReportPayment, entries).command
    assert command is not None
    assert command.params()["payment_method_details"] == {"payment_method": "pm_1"}


def test_what_the_record_has_is_erased_only_where_it_is_asked_for() -> None:
    informational = COMMANDS["report_payment_attempt_informational"]
    entries = {"payment_record": "pr_1", "description": ERASE, "shipping_details": ERASE, "metadata": ERASE}
    command = read_entries(informational, entries).command
    assert command is not None
    assert command.params() == {"description": "", "metadata": "", "shipping_details": ""}


@pytest.mark.parametrize("path", ["amount_requested", "initiated_at", "metadata", "expand", "description", "outcome"])
@pytest.mark.parametrize("entry", [5, True, [1], [["a"]], {"amount": 1}, {"time": []}, {"x": {}}, "x" * 6000, [[]]])
def test_an_entry_of_another_kind_is_a_problem_and_no_crash(path: str, entry: Any) -> None:
    assert path.partition(".")[0] in {field.partition(".")[0] for field in problems_of(**{path: entry})}


@pytest.mark.parametrize("path", ["", ".", "a..b", "amount_requested.value.x", "metadata.", "no_such_field"])
def test_a_path_that_is_no_field_is_a_problem_and_no_crash(path: str) -> None:
    read = read_entries(ReportPayment, {**PAYMENT, path: "x"})
    assert read.command is None or path == "metadata."


def test_limits_are_whole_numbers() -> None:
    command = COMMANDS["list_payment_records"]
    assert read_entries(command, {"limit": "5"}).values == {"limit": 5}
    assert [one["field"] for one in read_entries(command, {"limit": "5.5"}).problems] == ["limit"]
    assert [one["field"] for one in read_entries(command, {"limit": "500"}).problems] == ["limit"]
