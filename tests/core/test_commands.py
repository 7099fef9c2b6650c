"""The twelve commands of ``core/commands.py``: their calls, their cross-field rules, and how they say no."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from airflow_provider_payrecords.core.commands import (
    COMMANDS,
    AttachPayment,
    Command,
    ListPaymentAttemptRecords,
    ListPaymentRecords,
    ReportPayment,
    ReportPaymentAttempt,
    ReportPaymentAttemptFailed,
    ReportRefund,
    RetrievePaymentRecord,
    build,
)
from airflow_provider_payrecords.core.errors import CommandError, Disposition
from tests.core.strategies import VALUES
from tests.core.test_parameters import PAYMENT

CALLS = {
    "report_payment": ("POST", "/v1/payment_records/report_payment"),
    "report_payment_attempt": ("POST", "/v1/payment_records/x_1/report_payment_attempt"),
    "report_payment_attempt_guaranteed": ("POST", "/v1/payment_records/x_1/report_payment_attempt_guaranteed"),
    "report_payment_attempt_failed": ("POST", "/v1/payment_records/x_1/report_payment_attempt_failed"),
    "report_payment_attempt_canceled": ("POST", "/v1/payment_records/x_1/report_payment_attempt_canceled"),
    "report_payment_attempt_informational": ("POST", "/v1/payment_records/x_1/report_payment_attempt_informational"),
    "report_refund": ("POST", "/v1/payment_records/x_1/report_refund"),
    "retrieve_payment_record": ("GET", "/v1/payment_records/x_1"),
    "list_payment_records": ("GET", "/v1/payment_records"),
    "retrieve_payment_attempt_record": ("GET", "/v1/payment_attempt_records/x_1"),
    "list_payment_attempt_records": ("GET", "/v1/payment_attempt_records"),
    "attach_payment": ("POST", "/v1/invoices/x_1/attach_payment"),
}


def problems(command_type: type[Command], **values: Any) -> list[tuple[str, str]]:
    with pytest.raises(CommandError) as refused:
        build(command_type, values)
    return [(one["field"], one["code"]) for one in refused.value.problems]


def test_there_is_a_command_for_each_of_the_twelve_calls_and_a_strategy_to_test_it_with() -> None:
    assert set(COMMANDS) == set(CALLS) == set(VALUES)


@pytest.mark.parametrize("endpoint", sorted(CALLS))
def test_a_command_goes_where_the_api_wants_it(endpoint: str) -> None:
    command_type = COMMANDS[endpoint]
    values: Any = {command_type.path_parameter: "x_1"} if command_type.path_parameter else {}
    command = command_type.model_construct(**values)
    assert (command.method, command.url_path()) == CALLS[endpoint]


@pytest.mark.parametrize("endpoint", sorted(CALLS))
def test_what_is_given_is_what_is_sent_but_for_the_id_in_the_path(endpoint: str) -> None:
    @given(VALUES[endpoint])
    def check(values: dict[str, Any]) -> None:
        command_type = COMMANDS[endpoint]
        sent = {name: value for name, value in values.items() if name != command_type.path_parameter}
        assert build(command_type, values).params() == sent

    check()


def test_a_command_cannot_be_changed() -> None:
    command = build(RetrievePaymentRecord, {"payment_record": "pr_1"})
    with pytest.raises(ValidationError, match="frozen"):
        command.payment_record = "pr_2"  # type: ignore[misc]  # what is frozen cannot be assigned


@pytest.mark.parametrize("outcome", ["canceled", "failed", "guaranteed"])
@pytest.mark.parametrize(
    ("command_type", "values"),
    [(ReportPayment, PAYMENT), (ReportPaymentAttempt, {"payment_record": "pr_1", "initiated_at": 1})],
    ids=["payment", "attempt"],
)
def test_an_outcome_and_its_detail_belong_together(
    command_type: type[Command], values: dict[str, Any], outcome: str
) -> None:
    detail = {outcome: {f"{outcome}_at": 5}}
    other = "failed" if outcome != "failed" else "guaranteed"
    assert build(command_type, {**values, "outcome": outcome, **detail}).params()["outcome"] == outcome
    missing = problems(command_type, **values, outcome=outcome)
    assert missing == [(f"{outcome}.{outcome}_at", "detail_missing")]
    assert problems(command_type, **values, **detail) == [(outcome, "detail_mismatch")]
    (crossed,) = problems(command_type, **values, outcome=other, **detail)
    assert crossed in {(outcome, "detail_mismatch"), (f"{other}.{other}_at", "detail_missing")}


def test_a_list_takes_one_cursor_and_a_limit_of_one_to_a_hundred() -> None:
    both = problems(ListPaymentRecords, starting_after="pr_1", ending_before="pr_2")
    assert both == [("ending_before", "parameters_exclusive")]
    for limit in (0, 101, True, "5"):
        assert problems(ListPaymentAttemptRecords, payment_record="pr_1", limit=limit) == [
            ("limit", "parameter_invalid_integer")
        ]


@pytest.mark.parametrize("values", [{}, {"payment_record": "pr_1", "payment_intent": "pi_1"}])
def test_one_payment_is_attached(values: dict[str, str]) -> None:
    assert problems(AttachPayment, invoice="in_1", **values) == [("payment_record", "parameter_missing")]


def test_a_refund_says_its_only_outcome_and_names_its_processor() -> None:
    assert problems(ReportRefund, payment_record="pr_1") == [
        ("outcome", "parameter_missing"),
        ("processor_details", "parameter_missing"),
    ]


def test_everything_wrong_is_named_at_once() -> None:
    wrong = problems(ReportPayment, amount_requested={"value": 1.5, "currency": "eur"}, colour="red", outcome="lost")
    assert set(wrong) == {
        ("amount_requested.value", "parameter_invalid_integer"),
        ("colour", "parameter_unknown"),
        ("outcome", "invalid_value"),
        ("initiated_at", "parameter_missing"),
        ("payment_method_details", "parameter_missing"),
    }


def test_the_error_names_the_call_the_field_and_the_reason() -> None:
    with pytest.raises(CommandError) as refused:
        build(ReportPaymentAttemptFailed, {"payment_record": "pr_1"})
    assert str(refused.value) == "report_payment_attempt_failed cannot be sent. failed_at: This field is required."
    assert refused.value.disposition is Disposition.REJECT


CANARY = "canary-4111-anna@example.org"
WRONG = st.sampled_from(
    [CANARY, [CANARY], {CANARY.strip(): CANARY}, CANARY.encode(), {"name": [CANARY]}, {"email": {"a": CANARY}}, 5.5]
)


@given(st.dictionaries(st.sampled_from(sorted(ReportPayment.model_fields)), WRONG))
def test_no_message_repeats_a_value(values: dict[str, Any]) -> None:
    given_fields = {name: value for name, value in values.items() if name != "description"}
    with pytest.raises(CommandError) as refused:
        build(ReportPayment, {"initiated_at": CANARY, **given_fields, "description": CANARY})
    texts = [one["message"] for one in refused.value.problems]
    assert CANARY not in " ".join(texts)
    with pytest.raises(ValidationError) as raw:
        ReportPayment(initiated_at=CANARY, description=CANARY)  # type: ignore[call-arg]  # the mistake under test
    assert CANARY not in str(raw.value)
