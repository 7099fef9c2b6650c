"""Requests out and answers in: ``core/wire.py``, the one place that knows the API's error envelope."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_payrecords.core.commands import (
    COMMANDS,
    AttachPayment,
    Command,
    ListPaymentAttemptRecords,
    ListPaymentRecords,
    ReportPaymentAttemptInformational,
    ReportRefund,
    RetrievePaymentAttemptRecord,
    RetrievePaymentRecord,
    build,
)
from airflow_provider_payrecords.core.errors import (
    ApiError,
    AuthenticationError,
    ConflictError,
    IdempotencyError,
    InvalidRequestError,
    OutcomeUnknownError,
    PayRecordsError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    UnknownRouteError,
    UntrustedServerError,
)
from airflow_provider_payrecords.core.models import Invoice, PaymentAttemptRecord, PaymentRecord, Receipt
from airflow_provider_payrecords.core.wire import MAX_LABEL, ApiRequest, ApiResponse, encode, read_answer
from tests.core.test_identity import payment

PAYMENT = payment()


def response(status: int, body: Any = None, headers: dict[str, str] | None = None) -> ApiResponse:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return ApiResponse(status, headers or {}, content)


def error(status: int, headers: dict[str, str] | None = None, **envelope: Any) -> ApiError:
    with pytest.raises(ApiError) as raised:
        read_answer(PAYMENT, response(status, {"error": {"type": "invalid_request_error", **envelope}}, headers))
    return raised.value


def test_a_report_becomes_a_form_with_its_idempotency_key() -> None:
    command = build(ReportPaymentAttemptInformational, {"payment_record": "pr_1", "description": "Zoë & co"})
    assert encode(command, "k") == ApiRequest(
        "POST",
        "/v1/payment_records/pr_1/report_payment_attempt_informational",
        b"description=Zo%C3%AB+%26+co",
        "k",
        "report_payment_attempt_informational",
    )


def test_a_report_may_have_an_empty_body() -> None:
    assert encode(build(ReportPaymentAttemptInformational, {"payment_record": "pr_1"}), "k").content == b""


def test_a_read_has_a_query_and_no_idempotency_key() -> None:
    plain = build(ListPaymentRecords, {})
    some = build(ListPaymentRecords, {"limit": 5, "expand": ["data.x"]})
    assert encode(plain, "k") == ApiRequest("GET", "/v1/payment_records", endpoint="list_payment_records")
    assert encode(some, "k") == ApiRequest(
        "GET", "/v1/payment_records?expand[0]=data.x&limit=5", endpoint="list_payment_records"
    )


@pytest.mark.parametrize(
    ("command", "body", "model"),
    [
        (PAYMENT, {"id": "pr_1"}, PaymentRecord),
        (build(RetrievePaymentRecord, {"payment_record": "pr_1"}), {"id": "pr_1"}, PaymentRecord),
        (
            build(RetrievePaymentAttemptRecord, {"payment_attempt_record": "par_1"}),
            {"id": "par_1"},
            PaymentAttemptRecord,
        ),
        (build(AttachPayment, {"invoice": "in_1", "payment_record": "pr_1"}), {"id": "in_1"}, Invoice),
    ],
)
def test_an_answer_is_read_as_what_the_command_asks_for(command: Command, body: dict[str, Any], model: Any) -> None:
    assert read_answer(command, response(200, body)) == model(id=body["id"])
    assert type(read_answer(command, response(201, body))) is model


@pytest.mark.parametrize(
    ("command", "id_"),
    [
        (build(ListPaymentRecords, {}), "pr_1"),
        (build(ListPaymentAttemptRecords, {"payment_record": "pr_1"}), "par_1"),
    ],
)
def test_a_list_is_read_as_a_page(command: Command, id_: str) -> None:
    page = read_answer(command, response(200, {"object": "list", "has_more": False, "data": [{"id": id_}]}))
    assert ([item.id for item in page.data], page.has_more) == ([id_], False)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>Welcome</html>",
        b'{"id": "pr_1", "obj',
        b"\xff\xfe",
        b"null",
        b"[]",
        b"{}",
        b'{"id": ""}',
        b'{"id": null}',
        b'{"id": "cus_1", "object": "customer"}',
        b'{"error": {"type": "api_error"}}',
        b'{"id": "pr_1", "amount": {"currency": "eur", "value": "much"}}',
    ],
)
def test_a_success_that_is_no_answer_of_the_api_leaves_the_outcome_unknown(content: bytes) -> None:
    with pytest.raises(OutcomeUnknownError, match="Run again") as raised:
        read_answer(PAYMENT, response(200, content))
    assert raised.value.status == 200


@pytest.mark.parametrize("status", [300, 301, 302, 307, 308, 399])
def test_a_redirect_is_never_followed(status: int) -> None:
    with pytest.raises(UntrustedServerError, match="Check the API base") as raised:
        read_answer(PAYMENT, response(status, b"", {"location": "https://elsewhere.example"}))
    assert raised.value.status == status
    assert "elsewhere" not in str(raised.value)


@pytest.mark.parametrize(
    ("status", "envelope", "kind"),
    [
        (400, {}, InvalidRequestError),
        (402, {"type": "card_error"}, InvalidRequestError),
        (404, {"code": "resource_missing"}, InvalidRequestError),
        (404, {}, UnknownRouteError),
        (404, {"code": "other"}, UnknownRouteError),
        (404, {"type": "idempotency_error"}, IdempotencyError),
        (424, {}, InvalidRequestError),
        (400, {"type": "idempotency_error"}, IdempotencyError),
        (400, {"code": "rate_limit"}, RateLimitError),
        (401, {"code": "api_key_expired"}, AuthenticationError),
        (403, {}, PermissionDeniedError),
        (409, {"type": "idempotency_error", "code": "idempotency_key_in_use"}, ConflictError),
        (409, {}, ConflictError),
        (400, {"type": "idempotency_error", "code": "idempotency_key_in_use"}, ConflictError),
        (429, {"code": "rate_limit"}, RateLimitError),
        (429, {"code": "lock_timeout"}, RateLimitError),
        (500, {"type": "api_error"}, ServerError),
        (599, {"code": "rate_limit"}, ServerError),
    ],
)
def test_status_type_and_code_say_which_error_it_is(
    status: int, envelope: dict[str, Any], kind: type[ApiError]
) -> None:
    assert type(error(status, **envelope)) is kind


def test_an_error_carries_what_is_needed_to_follow_it_up() -> None:
    raised = error(
        400,
        {
            "request-id": "req_1",
            "stripe-should-retry": "false",
            "retry-after": "1.5",
            "stripe-rate-limited-reason": "endpoint-rate",
            "idempotent-replayed": "true",
        },
        code="parameter_missing",
        param="amount_requested[value]",
        message="Missing required param: amount_requested[value].",
    )
    assert vars(raised) | {"_details": None} == {
        "message": str(raised),
        "status": 400,
        "code": "parameter_missing",
        "param": "amount_requested[value]",
        "request_id": "req_1",
        "type": "invalid_request_error",
        "reason": "endpoint-rate",
        "replayed": True,
        "should_retry": False,
        "retry_after_seconds": 1.5,
        "_details": None,
    }
    assert str(raised) == (
        "The API refused report_payment. Correct what was sent, then run again (400, parameter_missing, param "
        "amount_requested[value], req_1): Missing required param: amount_requested[value]."
    )


def test_an_error_that_says_nothing_still_says_what_to_do() -> None:
    raised = error(500)
    assert str(raised) == (
        "The API failed at report_payment; whether it took effect is unknown. Run again: the same key is sent (500)"
    )
    assert (raised.code, raised.param, raised.request_id, raised.reason) == (None, None, None, None)
    assert (raised.replayed, raised.should_retry, raised.retry_after_seconds) == (False, None, None)


@pytest.mark.parametrize(
    ("header", "value", "attribute", "read"),
    [
        ("stripe-should-retry", "true", "should_retry", True),
        ("stripe-should-retry", "perhaps", "should_retry", None),
        ("idempotent-replayed", "false", "replayed", False),
        ("retry-after", "0", "retry_after_seconds", 0.0),
        ("retry-after", "120", "retry_after_seconds", 120.0),
        ("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT", "retry_after_seconds", None),
        ("retry-after", "-1", "retry_after_seconds", None),
        ("retry-after", "inf", "retry_after_seconds", None),
        ("retry-after", "1e9", "retry_after_seconds", None),
        ("retry-after", "999999", "retry_after_seconds", None),
    ],
)
def test_a_header_is_read_as_it_is_published_or_not_at_all(header: str, value: str, attribute: str, read: Any) -> None:
    assert getattr(error(429, {header: value}), attribute) == read


@pytest.mark.parametrize("content", [b"<html>nope</html>", b"", b"[]", b'{"error": "text"}', b'{"id": "pr_1"}'])
@pytest.mark.parametrize("status", [400, 404, 405, 407, 413, 499])
def test_a_refusal_that_is_not_of_the_api_leaves_the_outcome_unknown(status: int, content: bytes) -> None:
    with pytest.raises(OutcomeUnknownError, match="not the API") as raised:
        read_answer(PAYMENT, response(status, content))
    assert raised.value.status == status


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, AuthenticationError),
        (403, PermissionDeniedError),
        (409, ConflictError),
        (429, RateLimitError),
        (503, ServerError),
    ],
)
def test_a_status_speaks_for_itself_without_an_envelope(status: int, kind: type[ApiError]) -> None:
    with pytest.raises(kind) as raised:
        read_answer(PAYMENT, response(status, b"<html>secret-token</html>"))
    assert raised.value.type is None
    assert "secret-token" not in str(raised.value)


def test_labels_of_an_error_are_one_short_line() -> None:
    raised = error(400, code="a\r\nFAKE LOG LINE", param="p" * 1000, type=5)
    assert raised.code == "a FAKE LOG LINE"
    assert raised.param == "p" * MAX_LABEL
    assert raised.type is None
    assert "\n" not in str(raised)
    assert error(400, code=" \n ").code is None


def test_an_echo_in_a_message_is_scrubbed() -> None:
    command = payment(description="canary text", customer_details={"email": "zoe@example.org", "name": "Zoë Canary"})
    body = {"error": {"message": "CANARY TEXT by Zo\u00eb Canary <zoe@example.org>, sk_test_secret"}}
    with pytest.raises(InvalidRequestError) as raised:
        read_answer(command, response(400, body))
    assert str(raised.value).endswith(": [hidden] by [hidden] <[hidden]>, [hidden]")


@given(
    st.sampled_from(sorted(COMMANDS)),
    st.integers(200, 599),
    st.binary(max_size=30)
    | st.recursive(st.none() | st.text(max_size=5), st.lists).map(lambda x: json.dumps(x).encode()),
    st.dictionaries(st.sampled_from(["retry-after", "stripe-should-retry", "request-id"]), st.text(max_size=9)),
)
def test_whatever_arrives_is_an_answer_or_one_of_our_errors(
    endpoint: str, status: int, content: bytes, headers: dict[str, str]
) -> None:
    values: Any = {"payment_record": "pr_1"}
    command = COMMANDS[endpoint].model_construct(**values)
    answer: Any = None
    with contextlib.suppress(PayRecordsError):
        answer = read_answer(command, ApiResponse(status, headers, content))
    assert answer is None or (200 <= status < 300 and isinstance(answer, command.answer))


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b'{"id": ""}', b'{"id": 5}', b'{"id": "pr_1", "object": "list"}']
)
def test_a_receipt_is_as_strict_as_a_record_about_what_says_that_it_is_one(content: bytes) -> None:
    for model in (None, Receipt):
        with pytest.raises(OutcomeUnknownError):
            read_answer(payment(), ApiResponse(200, {}, content), model)


def test_a_receipt_judges_nothing_else() -> None:
    odd = {"id": "pr_1", "amount": "free", "metadata": {"a": None}, "latest_payment_attempt_record": "par_1"}
    receipt = read_answer(payment(), response(200, odd), Receipt)
    assert (receipt.id, receipt.latest_payment_attempt_record) == ("pr_1", "par_1")
    with pytest.raises(OutcomeUnknownError):
        read_answer(payment(), response(200, odd))


def test_every_report_is_answered_with_a_record() -> None:
    reports = [command for name, command in COMMANDS.items() if name.startswith("report_")]
    assert len(reports) == 7
    assert {command.answer for command in reports} == {PaymentRecord}


def test_every_refund_field_is_found_in_the_form() -> None:
    refund = build(
        ReportRefund,
        {
            "payment_record": "pr_1",
            "amount": {"currency": "eur", "value": 5},
            "outcome": "refunded",
            "processor_details": {"type": "custom", "custom": {"refund_reference": "R-1"}},
            "refunded": {"refunded_at": 7},
        },
    )
    assert sorted(encode(refund, "k").content.split(b"&")) == [
        b"amount[currency]=eur",
        b"amount[value]=5",
        b"outcome=refunded",
        b"processor_details[custom][refund_reference]=R-1",
        b"processor_details[type]=custom",
        b"refunded[refunded_at]=7",
    ]


def test_what_no_file_or_database_takes_is_left_out_of_an_error() -> None:
    body = rb'{"error": {"type": "x", "message": "a\ud83db", "param": "p\u0000q", "code": "\ud83d"}}'
    with pytest.raises(ApiError) as caught:
        read_answer(payment(), ApiResponse(400, {}, body))
    assert (caught.value.param, caught.value.code) == ("pq", None)
    assert caught.value.message.endswith(": ab")


def test_an_answer_nested_beyond_reading_is_no_answer_of_the_api() -> None:
    with pytest.raises(OutcomeUnknownError):
        read_answer(payment(), ApiResponse(400, {}, b"[" * 200_000))
