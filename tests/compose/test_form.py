"""Every field of every command has one control in its form."""

from __future__ import annotations

import pytest

from airflow_provider_payrecords.compose.fields import fields_of
from airflow_provider_payrecords.compose.form import FormField, form_of
from airflow_provider_payrecords.core.commands import COMMANDS, ReportPayment


def controls(endpoint: str) -> list[FormField]:
    return [field for group in form_of(COMMANDS[endpoint]) for field in group.fields]


@pytest.mark.parametrize("endpoint", COMMANDS)
def test_every_field_that_takes_a_value_has_one_control(endpoint: str) -> None:
    paths = [field.path for field in controls(endpoint)]
    amounts = {field.path for field in controls(endpoint) if field.control == "amount"}
    leaves = {info.path for info in fields_of(COMMANDS[endpoint]) if info.type != "hash"}
    parts = {f"{path}.{part}" for path in amounts for part in ("value", "currency")}
    assert sorted(paths) == sorted((leaves - parts) | amounts)


@pytest.mark.parametrize("endpoint", COMMANDS)
def test_every_control_has_a_label_of_its_own_in_its_group_and_says_what_it_is_for(endpoint: str) -> None:
    for group in form_of(COMMANDS[endpoint]):
        labels = [field.label for field in group.fields]
        assert len(set(labels)) == len(labels)
        assert all(field.help for field in group.fields)


def test_details_belong_to_their_outcome() -> None:
    when = {group.path: group.when for group in form_of(ReportPayment) if group.when}
    assert when == {"canceled": "canceled", "failed": "failed", "guaranteed": "guaranteed"}


def test_the_only_outcome_of_a_refund_hides_nothing_and_is_filled_in() -> None:
    assert [group.when for group in form_of(COMMANDS["report_refund"])] == [None] * 3
    assert {field.path: field.fixed for field in controls("report_refund") if field.fixed} == {
        "outcome": "refunded",
        "processor_details.type": "custom",
    }


def test_only_what_can_be_erased_is_offered_for_it() -> None:
    assert [field.path for field in controls("report_payment") if field.erasable] == []
    informational = [field.path for field in controls("report_payment_attempt_informational") if field.erasable]
    assert informational == ["description", "metadata"]
    erasable = [group.path for group in form_of(COMMANDS["report_payment_attempt_informational"]) if group.erasable]
    assert erasable == ["shipping_details"]


def test_the_form_begins_with_what_people_look_for() -> None:
    first, *_ = form_of(ReportPayment)
    assert [field.path for field in first.fields][:3] == ["amount_requested", "initiated_at", "outcome"]
    assert [field.path for field in first.fields][-2:] == ["metadata", "expand"]
