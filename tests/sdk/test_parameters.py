"""Our commands take what the official SDK's parameter types describe: neither more, nor less, nor otherwise."""

from __future__ import annotations

import importlib
from dataclasses import replace
from typing import Any

import pytest
from pydantic import create_model

from airflow_provider_payrecords.core.commands import COMMANDS, STRIPE_VERSION, ReportRefund
from tests.sdk.shapes import INTEGER, TEXT, Field, Shape, shape_of_model, shape_of_sdk

PARAMS = {
    "retrieve_payment_record": "PaymentRecordRetrieveParams",
    "list_payment_records": "PaymentRecordListParams",
    "retrieve_payment_attempt_record": "PaymentAttemptRecordRetrieveParams",
    "list_payment_attempt_records": "PaymentAttemptRecordListParams",
    "attach_payment": "InvoiceAttachPaymentParams",
}
"""Where the SDK's name is not ours in capitals. What a command refuses beyond this is a rule between fields: a detail
without its outcome, two cursors, two payments, no payment method. Enumerations that the SDK leaves open are closed."""


def sdk_params(endpoint: str) -> Any:
    words = endpoint.title().replace("_", "")
    name = PARAMS.get(endpoint, f"PaymentRecord{words}Params")
    return getattr(importlib.import_module("stripe.params"), name)


def ours(endpoint: str) -> Shape:
    return shape_of_model(COMMANDS[endpoint], without=COMMANDS[endpoint].path_parameter)


@pytest.mark.parametrize("endpoint", sorted(COMMANDS))
def test_a_command_has_the_fields_of_the_sdk(endpoint: str) -> None:
    assert ours(endpoint) == shape_of_sdk(sdk_params(endpoint))


def test_the_pinned_api_version_is_the_one_of_the_sdk() -> None:
    version = importlib.import_module("stripe._api_version")._ApiVersion.CURRENT
    assert version == STRIPE_VERSION


def test_shapes_are_read_to_the_last_leaf() -> None:
    shape = ours("report_payment")
    method = shape["payment_method_details"]
    assert (method.required, method.clearable) == (True, False)
    assert method.kind["billing_details"].kind["address"].kind["city"] == Field(False, False, TEXT)
    assert method.kind["type"] == Field(False, False, frozenset({"custom"}))
    assert shape["amount_requested"].kind["value"] == Field(True, False, INTEGER)
    assert shape["metadata"] == Field(False, True, "map of text")
    assert shape["expand"] == Field(False, False, "list of text")
    assert shape["outcome"].kind == {"canceled", "failed", "guaranteed"}
    assert ours("report_payment_attempt_informational")["shipping_details"].clearable


@pytest.mark.parametrize(
    "drifted",
    [
        create_model("More", __base__=ReportRefund, extra=(str | None, None)),
        create_model("Stricter", __base__=ReportRefund, initiated_at=(int, ...)),
        create_model("Looser", __base__=ReportRefund, outcome=(str, "refunded")),
        create_model("Other", __base__=ReportRefund, initiated_at=(str | None, None)),
    ],
    ids=lambda model: model.__name__,
)
def test_a_model_that_drifts_is_found(drifted: Any) -> None:
    sdk = shape_of_sdk(sdk_params("report_refund"))
    assert shape_of_model(ReportRefund, without="payment_record") == sdk
    assert shape_of_model(drifted, without="payment_record") != sdk


def test_an_sdk_that_drifts_is_found() -> None:
    shape = ours("report_payment")
    sdk = shape_of_sdk(sdk_params("report_payment"))
    address = sdk["shipping_details"].kind["address"].kind
    for changed in (
        {name: field for name, field in sdk.items() if name != "canceled"},
        {**sdk, "metadata": replace(sdk["metadata"], clearable=False)},
        {**sdk, "outcome": replace(sdk["outcome"], kind=frozenset({"failed", "guaranteed"}))},
        {**sdk, "description": replace(sdk["description"], required=True)},
    ):
        assert shape != changed
    address["line3"] = Field(False, False, TEXT)
    assert shape != sdk
