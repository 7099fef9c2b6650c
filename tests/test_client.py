"""The two clients: one verb, derived keys, pages followed to their end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import httpx
import pytest

from airflow_provider_payrecords.client import AsyncPayRecordsClient, PayRecordsClient, next_page, request_for
from airflow_provider_payrecords.core.commands import (
    ListPaymentAttemptRecords,
    ListPaymentRecords,
    ReportPayment,
    RetrievePaymentRecord,
    build,
)
from airflow_provider_payrecords.core.errors import (
    CommandError,
    InvalidRequestError,
    OutcomeUnknownError,
    UnknownRouteError,
)
from airflow_provider_payrecords.core.identity import unkeyed_idempotency_key
from airflow_provider_payrecords.core.models import Page, PaymentRecord
from airflow_provider_payrecords.settings import Settings
from tests.core.test_parameters import PAYMENT

SETTINGS = Settings(api_key="sk_test_x", api_base="http://127.0.0.1:1", max_retries=0, rate_limit=10_000)
COMMAND = build(ReportPayment, PAYMENT)
Handler = Callable[[httpx.Request], httpx.Response]


def blocking_send(handler: Handler, command: Any, key: str | None = None) -> Any:
    with PayRecordsClient(SETTINGS, network=httpx.MockTransport(handler)) as client:
        return client.send(command, key)


def asynchronous_send(handler: Handler, command: Any, key: str | None = None) -> Any:
    async def main() -> Any:
        async with AsyncPayRecordsClient(SETTINGS, network=httpx.MockTransport(handler)) as client:
            return await client.send(command, key)

    return anyio.run(main)


def blocking_list(handler: Handler, command: Any) -> list[Any]:
    with PayRecordsClient(SETTINGS, network=httpx.MockTransport(handler)) as client:
        return [item.id for item in client.iterate(command)]


def asynchronous_list(handler: Handler, command: Any) -> list[Any]:
    async def main() -> list[Any]:
        async with AsyncPayRecordsClient(SETTINGS, network=httpx.MockTransport(handler)) as client:
            return [item.id async for item in client.iterate(command)]

    return anyio.run(main)


senders = pytest.mark.parametrize("send", [blocking_send, asynchronous_send])
listers = pytest.mark.parametrize("list_all", [blocking_list, asynchronous_list])


class Records:
    """A list of records behind the API's paging, and what was asked of it."""

    def __init__(self, count: int) -> None:
        self.ids = [f"pr_{number}" for number in range(count, 0, -1)]
        self.queries: list[dict[str, str]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        query = dict(request.url.params)
        self.queries.append(query)
        limit = int(query.get("limit", "10"))
        start = self.ids.index(query["starting_after"]) + 1 if "starting_after" in query else 0
        page, more = self.ids[start : start + limit], start + limit < len(self.ids)
        if "ending_before" in query:
            end = self.ids.index(query["ending_before"])
            page, more = self.ids[max(0, end - limit) : end], end > limit
        return httpx.Response(200, json={"object": "list", "has_more": more, "data": [{"id": one} for one in page]})


@senders
def test_a_command_is_sent_and_its_answer_returned(send: Any) -> None:
    record = send(lambda request: httpx.Response(200, json={"id": "pr_1"}), COMMAND)
    assert record == PaymentRecord(id="pr_1")


@senders
@pytest.mark.parametrize(
    ("status", "content", "error"),
    [
        (404, b'{"error": {"type": "invalid_request_error", "code": "resource_missing"}}', InvalidRequestError),
        (404, b'{"error": {"type": "invalid_request_error"}}', UnknownRouteError),
        (200, b"<html>", OutcomeUnknownError),
    ],
)
def test_an_error_is_raised(send: Any, status: int, content: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        send(lambda request: httpx.Response(status, content=content), COMMAND)


@senders
def test_the_same_content_is_sent_under_the_same_key(send: Any) -> None:
    keys: list[str | None] = []

    def handle(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers.get("idempotency-key"))
        return httpx.Response(200, json={"id": "pr_1"})

    send(handle, COMMAND)
    send(handle, build(ReportPayment, dict(reversed(PAYMENT.items()))))
    send(handle, COMMAND, "my-key")
    send(handle, build(RetrievePaymentRecord, {"payment_record": "pr_1"}))
    derived = unkeyed_idempotency_key("@127.0.0.1", "test", COMMAND)
    assert keys == [derived, derived, "my-key", None]


@pytest.mark.parametrize("key", ["", "x" * 256, "line\nbreak", "ключ", "a b", "\x00"])
def test_a_key_that_no_header_can_carry_is_refused_before_anything_is_sent(key: str) -> None:
    with pytest.raises(CommandError) as refused:
        request_for(COMMAND, SETTINGS, key)
    assert refused.value.problems[0]["code"] == "invalid_idempotency_key"


@pytest.mark.parametrize("key", ["k", "x" * 255, "payrecords-1:2/3~"])
def test_any_other_key_is_sent_as_it_is(key: str) -> None:
    assert request_for(COMMAND, SETTINGS, key).idempotency_key == key


@listers
@pytest.mark.parametrize("count", [0, 1, 2, 3, 7])
def test_a_list_is_followed_to_its_end(list_all: Any, count: int) -> None:
    records = Records(count)
    assert list_all(records, build(ListPaymentRecords, {"limit": 2, "created_after": 5})) == records.ids
    assert len(records.queries) == max(1, -(-count // 2))
    assert all(query["created_after"] == "5" for query in records.queries)


@listers
def test_a_list_is_followed_backwards(list_all: Any) -> None:
    records = Records(6)
    found = list_all(records, build(ListPaymentRecords, {"limit": 2, "ending_before": "pr_1"}))
    assert found == ["pr_3", "pr_2", "pr_5", "pr_4", "pr_6"]


@listers
def test_attempts_are_listed_for_one_record(list_all: Any) -> None:
    records = Records(3)
    assert list_all(records, build(ListPaymentAttemptRecords, {"payment_record": "pr_9", "limit": 1})) == records.ids
    assert {query["payment_record"] for query in records.queries} == {"pr_9"}


@listers
def test_a_server_that_repeats_itself_does_not_keep_us_for_ever(list_all: Any) -> None:
    page = {"object": "list", "has_more": True, "data": [{"id": "pr_1"}]}
    assert list_all(lambda request: httpx.Response(200, json=page), build(ListPaymentRecords, {})) == ["pr_1", "pr_1"]


@pytest.mark.parametrize("page", [{"has_more": False, "data": [{"id": "pr_1"}]}, {"has_more": True, "data": []}])
def test_the_last_page_is_the_last(page: dict[str, Any]) -> None:
    assert next_page(build(ListPaymentRecords, {}), Page[PaymentRecord].model_validate(page)) is None
