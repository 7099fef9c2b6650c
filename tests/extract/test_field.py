"""The request fields are those of the commands."""

from __future__ import annotations

import pytest

from airflow_provider_payrecords.core.commands import COMMANDS
from airflow_provider_payrecords.extract.field import ENDPOINTS, REFERENCES, Kind, nearest, request_fields


def test_every_report_call_can_be_made_from_an_extract():
    assert set(ENDPOINTS) == {name for name, command in COMMANDS.items() if "/report_" in command.path}


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_every_field_of_a_call_but_expand_is_a_target(endpoint):
    fields = request_fields(endpoint)
    roots = {path.partition(".")[0] for path in [*fields.leaves, *fields.objects]}
    assert roots == set(COMMANDS[endpoint].model_fields) - {"expand"}


def test_kinds_follow_what_the_api_takes():
    fields = request_fields("report_payment")
    assert fields.kind("amount_requested.value") is Kind.AMOUNT
    assert fields.kind("amount_requested.currency") is Kind.CURRENCY
    assert fields.kind("guaranteed.guaranteed_at") is Kind.TIME
    assert fields.kind("metadata.order.id") is Kind.METADATA
    assert fields.kind("shipping_details.address.postal_code") is Kind.TEXT
    assert fields.kind("shipping_details") is fields.kind("nonsense") is None
    assert request_fields("report_payment_attempt_informational").is_known("shipping_details.name")


def test_the_default_keys_are_fields():
    assert all(request_fields(endpoint).kind(path) is Kind.TEXT for endpoint, path in REFERENCES.items())


def test_details_belong_to_an_outcome():
    assert request_fields("report_payment").detail("failed.failed_at") == "failed"
    assert request_fields("report_refund").detail("refunded.refunded_at") == "refunded"
    assert request_fields("report_payment_attempt_failed").detail("failed_at") is None


def test_the_nearest_name_is_offered_and_long_ones_are_not():
    assert nearest("Ammount", ["amount", "id"]) == " Did you mean 'amount'?"
    assert nearest("zzz", ["amount"]) == ""
    assert nearest("x" * 80, ["x" * 80]) == ""
