"""Our answer models read what the official SDK's resources describe."""

from __future__ import annotations

import types
from typing import Any, Literal, Union, get_args, get_origin

import pytest
import stripe
from pydantic import BaseModel

from airflow_provider_payrecords.core.models import Invoice, PaymentAttemptRecord, PaymentRecord

RESOURCES: dict[type[BaseModel], type[stripe.StripeObject]] = {
    PaymentRecord: stripe.PaymentRecord,
    PaymentAttemptRecord: stripe.PaymentAttemptRecord,
    Invoice: stripe.Invoice,
}


LEAVES: dict[Any, Any] = {int: 7, bool: True, float: 1.5}


def fields(resource: type[Any]) -> dict[str, Any]:
    """Return the annotations of a resource; those that refer forward stay unread, and none of ours does."""
    return {
        name: hint for name, hint in resource.__annotations__.items() if name.islower() and not name.startswith("_")
    }


def sample(hint: Any, *, absent: bool) -> Any:
    """Return a value of *hint*; with *absent*, null wherever it may be."""
    if get_origin(hint) in (Union, types.UnionType):
        options = get_args(hint)
        if absent and type(None) in options:
            return None
        return sample(next(one for one in options if one is not type(None)), absent=absent)
    if get_origin(hint) is Literal:
        return get_args(hint)[0]
    if "UntypedStripeObject" in str(hint):
        return {} if absent else {"k": "v"}
    if isinstance(hint, type) and issubclass(hint, stripe.StripeObject):
        return {name: sample(inner, absent=absent) for name, inner in fields(hint).items()}
    return LEAVES.get(hint, "x")


@pytest.mark.parametrize("model", [PaymentRecord, PaymentAttemptRecord])
def test_a_model_has_the_fields_of_the_sdk(model: type[BaseModel]) -> None:
    assert set(model.model_fields) == set(fields(RESOURCES[model]))


def test_an_invoice_has_some_of_the_fields_of_the_sdk() -> None:
    assert set(Invoice.model_fields) < set(fields(stripe.Invoice))


@pytest.mark.parametrize("model", RESOURCES, ids=lambda model: model.__name__)
@pytest.mark.parametrize("absent", [False, True], ids=["all there", "null where it may be"])
def test_a_model_reads_what_the_sdk_describes(model: type[BaseModel], absent: bool) -> None:
    known = fields(RESOURCES[model])
    answer = {name: sample(known[name], absent=absent) for name in model.model_fields}
    assert model.model_validate(answer).model_dump() == answer


@pytest.mark.parametrize("model", RESOURCES, ids=lambda model: model.__name__)
def test_a_sample_is_not_empty(model: type[BaseModel]) -> None:
    known = fields(RESOURCES[model])
    answer = {name: sample(known[name], absent=False) for name in model.model_fields}
    assert None not in answer.values()
    assert answer["object"] == RESOURCES[model].OBJECT_NAME  # type: ignore[attr-defined]  # every resource has one
