"""What templates render becomes API fields, and what XCom keeps of an answer."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from airflow_provider_payrecords.core.commands import COMMANDS
from airflow_provider_payrecords.core.errors import CommandError
from airflow_provider_payrecords.core.models import PaymentRecord
from airflow_provider_payrecords.operators import values
from airflow_provider_payrecords.operators.values import check_text, compact, merged, with_integers
from tests.airflow.payments import PERSONAL, payment


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]


def _fields(model: type[BaseModel]) -> list[tuple[str, Any]]:
    inner = [(name, field.annotation) for name, field in model.model_fields.items()]
    return inner + [pair for _, annotation in inner for child in _models(annotation) for pair in _fields(child)]


def _is_integer(annotation: Any) -> bool:
    return annotation is int or any(_is_integer(part) for part in get_args(annotation))


ALL_FIELDS = [pair for command in COMMANDS.values() if command.method == "POST" for pair in _fields(command)]


def test_integer_fields_are_told_by_their_names() -> None:
    integers = {name for name, annotation in ALL_FIELDS if _is_integer(annotation)}
    others = {name for name, annotation in ALL_FIELDS if not _is_integer(annotation)}
    assert {"value", "initiated_at", "failed_at"} <= integers
    assert {name for name in integers | others if values._INTEGER_FIELD.fullmatch(name)} == integers


def test_digits_in_integer_fields_become_integers() -> None:
    fields = {"amount_requested": {"value": "4950", "currency": "eur"}, "initiated_at": "1760000000"}
    assert with_integers(fields) == {"amount_requested": {"value": 4950, "currency": "eur"}, "initiated_at": 1760000000}


@pytest.mark.parametrize("text", ["49.50", "4 950", "", "1e3", "٤", "0x10", "--1", "1" * 19])
def test_anything_but_digits_stays_text(text: str) -> None:
    assert with_integers({"value": text}) == {"value": text}


def test_digits_elsewhere_stay_text() -> None:
    fields = {
        "description": "123",
        "metadata": {"value": "7", "paid_at": "8"},
        "processor_details": {"custom": {"x": "9"}},
    }
    assert with_integers(fields) == fields


@pytest.mark.parametrize("body", ["{'a': 1}", None, [("a", 1)]])
def test_body_that_is_no_mapping_is_refused_with_what_to_do(body: Any) -> None:
    with pytest.raises(CommandError, match="render_template_as_native_obj"):
        merged({}, "payment", body)


def test_body_must_not_repeat_a_parameter() -> None:
    with pytest.raises(CommandError, match="payment_record"):
        merged({"payment_record": "pr_1"}, "refund", {"payment_record": "pr_2"})


def test_compact_record_keeps_money_and_state_and_no_person() -> None:
    answer = PaymentRecord.model_validate(
        {
            **payment("cheque-1"),
            "id": "pr_1",
            "amount_guaranteed": {"value": 4950, "currency": "eur"},
            "shipping_details": {"name": PERSONAL[0]},
            "metadata": {"payrecords_key": "cheque-1", "note": PERSONAL[2]},
            "something_new": PERSONAL[1],
        }
    )
    kept = compact(answer)
    assert kept["state"] == "guaranteed"
    assert kept["amount_requested"] == {"value": 4950, "currency": "eur"}
    assert kept["metadata"] == {"payrecords_key": "cheque-1"}
    assert kept["processor_details"]["custom"]["payment_reference"] == "cheque-1"
    text = json.dumps(kept, ensure_ascii=False)
    assert not [secret for secret in PERSONAL if secret in text]


@pytest.mark.parametrize("value", ["", "None", "null", 12345])
def test_a_name_that_a_template_made_of_nothing_or_of_a_number_is_refused(value: object) -> None:
    with pytest.raises(CommandError, match="key"):
        check_text("key", value)
