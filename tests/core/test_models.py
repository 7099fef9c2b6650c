"""What ``core/models.py`` reads off an answer, and what it refuses to take for one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from airflow_provider_payrecords.core.models import Invoice, Page, PaymentAttemptRecord, PaymentRecord, RecordState

REQUESTED = 4950


def record(**buckets: int) -> PaymentRecord:
    amounts: dict[str, Any] = {f"amount_{name}": {"currency": "eur", "value": value} for name, value in buckets.items()}
    return PaymentRecord.model_validate({"id": "pr_1", "amount_requested": money(REQUESTED), **amounts})


def money(value: int) -> dict[str, Any]:
    return {"currency": "eur", "value": value}


@pytest.mark.parametrize(
    ("buckets", "state"),
    [
        ({}, RecordState.PENDING),
        ({"guaranteed": 0, "failed": 0, "canceled": 0, "refunded": 0}, RecordState.PENDING),
        ({"authorized": REQUESTED}, RecordState.PENDING),
        ({"guaranteed": REQUESTED}, RecordState.GUARANTEED),
        ({"failed": REQUESTED}, RecordState.FAILED),
        ({"canceled": REQUESTED}, RecordState.CANCELED),
        ({"guaranteed": REQUESTED - 1, "refunded": 1}, RecordState.PARTIALLY_REFUNDED),
        ({"guaranteed": REQUESTED, "refunded": 1}, RecordState.PARTIALLY_REFUNDED),
        ({"guaranteed": 0, "refunded": REQUESTED}, RecordState.REFUNDED),
        ({"guaranteed": REQUESTED, "refunded": REQUESTED}, RecordState.REFUNDED),
    ],
)
def test_a_state_is_read_off_the_amount_buckets(buckets: dict[str, int], state: RecordState) -> None:
    assert record(**buckets).state is state


@given(st.integers(0, REQUESTED))
def test_what_is_refundable_is_the_same_whether_a_refund_lowers_the_guaranteed_amount_or_not(refunded: int) -> None:
    moved = record(guaranteed=REQUESTED - refunded, refunded=refunded)
    kept = record(guaranteed=REQUESTED, refunded=refunded)
    assert moved.refundable == kept.refundable == REQUESTED - refunded
    assert moved.state is kept.state


@pytest.mark.parametrize("bucket", ["failed", "canceled", "authorized"])
def test_nothing_can_be_refunded_of_what_was_never_guaranteed(bucket: str) -> None:
    assert record(**{bucket: REQUESTED}).refundable == 0


@pytest.mark.parametrize("model", [PaymentRecord, PaymentAttemptRecord, Invoice])
def test_an_answer_needs_its_id_only_and_keeps_what_nobody_knows_yet(model: Any) -> None:
    answer = model.model_validate({"id": "x_1", "brand_new": {"deep": [1, None]}})
    assert answer.model_dump()["brand_new"] == {"deep": [1, None]}
    assert answer.object is None


@pytest.mark.parametrize("model", [PaymentRecord, PaymentAttemptRecord, Invoice])
@pytest.mark.parametrize("answer", [{}, {"id": ""}, {"id": None}, {"id": 5}, {"id": "x_1", "object": "customer"}])
def test_what_has_no_id_or_is_something_else_is_no_answer(model: Any, answer: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(answer)


def test_a_page_says_whether_more_follow() -> None:
    page = Page[PaymentRecord].model_validate({"object": "list", "has_more": True, "data": [{"id": "pr_1"}]})
    assert (page.has_more, page.data[0].id) == (True, "pr_1")
    cuts: list[dict[str, Any]] = [{"data": []}, {"has_more": False}, {"has_more": False, "data": [{}]}]
    for cut in cuts:
        with pytest.raises(ValidationError):
            Page[PaymentRecord].model_validate(cut)
