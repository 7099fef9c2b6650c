"""Both drivers, through the same trouble: they ask, wait, and conclude alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from airflow_provider_payrecords.core.errors import (
    AuthenticationError,
    ConflictError,
    InvalidRequestError,
    NotSentError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    UntrustedServerError,
)
from airflow_provider_payrecords.core.retry import RetryPolicy
from airflow_provider_payrecords.transport.http import MAX_ANSWER_BYTES
from tests.transport.drivers import KINDS, Make, drive, error, ok


@dataclass(frozen=True)
class Scenario:
    """
    Replies of a network and what comes of them.

    Attributes:
        ends: Type of the error that is left, or None.
        uncertain: What the call says of earlier sends.
        sleeps: Seconds waited between the sends.
    """

    replies: Make
    ends: type[Exception] | None
    uncertain: bool
    sleeps: tuple[float, ...] = ()


HTML = b"<html><h1>Service Unavailable</h1></html>"
BACKOFF = (0.5, 1.0, 2.0)
SCENARIOS: dict[str, Scenario] = {
    "answered": Scenario(lambda: [ok()], None, uncertain=False),
    "refused connection, then answered": Scenario(
        lambda: [httpx.ConnectError("no"), ok()], None, uncertain=False, sleeps=(0.5,)
    ),
    "never connected": Scenario(
        lambda: [httpx.ConnectTimeout("no")] * 4, NotSentError, uncertain=False, sleeps=BACKOFF
    ),
    "no free connection": Scenario(
        lambda: [httpx.PoolTimeout("no")] * 4, NotSentError, uncertain=False, sleeps=BACKOFF
    ),
    "reset, then answered": Scenario(lambda: [httpx.ReadError("x"), ok()], None, uncertain=True, sleeps=(0.5,)),
    "never answered": Scenario(
        lambda: [httpx.ReadTimeout("x")] * 4, OutcomeUnknownError, uncertain=True, sleeps=BACKOFF
    ),
    "lost, then not connected": Scenario(
        lambda: [httpx.WriteError("x"), *[httpx.ConnectError("no")] * 3], NotSentError, uncertain=True, sleeps=BACKOFF
    ),
    "a page with status 200": Scenario(
        lambda: [httpx.Response(200, content=HTML), ok()], None, uncertain=True, sleeps=(0.5,)
    ),
    "a proxy's 503, then answered": Scenario(
        lambda: [httpx.Response(503, content=HTML), ok()], None, uncertain=True, sleeps=(0.5,)
    ),
    "redirected": Scenario(
        lambda: [httpx.Response(307, headers={"location": "http://127.0.0.1:2/"})], UntrustedServerError, uncertain=True
    ),
    "wrong key": Scenario(lambda: [error(401)], AuthenticationError, uncertain=False),
    "no permission": Scenario(lambda: [error(403)], PermissionDeniedError, uncertain=False),
    "refused": Scenario(lambda: [error(400)], InvalidRequestError, uncertain=False),
    "refused, but told to try again": Scenario(
        lambda: [error(400, stripe_should_retry="true"), ok()], None, uncertain=False, sleeps=(0.5,)
    ),
    "key in use, then answered": Scenario(
        lambda: [error(409, code="idempotency_key_in_use"), ok()], None, uncertain=True, sleeps=(0.5,)
    ),
    "key in use, told to stop": Scenario(
        lambda: [error(409, stripe_should_retry="false")], ConflictError, uncertain=True
    ),
    "rate limit with its reason": Scenario(
        lambda: [error(429, code="rate_limit", stripe_rate_limited_reason="endpoint-rate"), ok()],
        None,
        uncertain=False,
        sleeps=(0.5,),
    ),
    "rate limit without": Scenario(lambda: [error(429, code="rate_limit"), ok()], None, uncertain=False, sleeps=(0.5,)),
    "rate limit with a time": Scenario(
        lambda: [error(429, retry_after="7"), ok()], None, uncertain=False, sleeps=(7.0,)
    ),
    "rate limit with a time beyond all patience": Scenario(
        lambda: [error(429, retry_after="9999")], RateLimitError, uncertain=False
    ),
    "locked": Scenario(lambda: [error(429, code="lock_timeout"), ok()], None, uncertain=False, sleeps=(0.5,)),
    "rate limited to the end": Scenario(lambda: [error(429)] * 4, RateLimitError, uncertain=False, sleeps=BACKOFF),
    "failed, told to stop": Scenario(lambda: [error(500, stripe_should_retry="false")], ServerError, uncertain=True),
    "failed for ever under this key": Scenario(
        lambda: [error(500, kind="api_error", idempotent_replayed="true")], ServerError, uncertain=True
    ),
    "failed to the end": Scenario(lambda: [error(500)] * 4, ServerError, uncertain=True, sleeps=BACKOFF),
}
POLICY = RetryPolicy(max_retries=3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_driver_lives_through(name: str, kind: str) -> None:
    scenario = SCENARIOS[name]
    replies = scenario.replies()
    seen: list[httpx.Request] = []
    story = drive(kind, replies, policy=POLICY, seen=seen)
    assert (type(story.called.error) if story.called.error else None) is scenario.ends
    assert (story.called.answer is None) is (scenario.ends is not None)
    assert story.called.uncertain is scenario.uncertain
    assert [wait for what, wait in story.diary if what == "sleep"] == list(scenario.sleeps)
    assert story.called.sends == len(seen) == len(replies)
    assert {request.content for request in seen} == {seen[0].content}
    assert {request.headers["idempotency-key"] for request in seen} == {"payrecords-k"}


@pytest.mark.parametrize("name", SCENARIOS)
def test_both_drivers_write_the_same_diary(name: str) -> None:
    stories = [drive(kind, SCENARIOS[name].replies(), policy=POLICY) for kind in KINDS]
    assert stories[0].diary == stories[1].diary
    assert stories[0].waits == stories[1].waits


@pytest.mark.parametrize("kind", KINDS)
def test_retries_end_with_the_total_time(kind: str) -> None:
    story = drive(kind, [error(500)] * 20, policy=RetryPolicy(max_retries=50, max_total_seconds=10), rate_limit=1000)
    sleeps = [wait for what, wait in story.diary if what == "sleep"]
    assert sleeps == [0.5, 1.0, 2.0, 4.0]
    assert sum(sleeps) <= 10


@pytest.mark.parametrize("kind", KINDS)
def test_sends_keep_the_pace_and_a_429_slows_it(kind: str) -> None:
    story = drive(kind, [error(429), error(429), ok()], policy=POLICY, rate_limit=1)
    assert story.waits == [0.5, 1.5, 1.0, 1.0]


@pytest.mark.parametrize(
    ("size", "sends"), [(MAX_ANSWER_BYTES, 1), (MAX_ANSWER_BYTES + 1, 2)], ids=["at the bound", "beyond it"]
)
@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_is_read_up_to_its_bound(kind: str, size: int, sends: int) -> None:
    start, end = b'{"id": "pr_1", "note": "', b'"}'
    huge = httpx.Response(200, content=start + b"x" * (size - len(start) - len(end)) + end)
    story = drive(kind, [huge, ok()], policy=POLICY)
    assert story.called.sends == sends
    assert story.diary[0][1] == (200 if sends == 1 else "OutcomeUnknownError")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("account", [None, "acct_1"])
def test_a_request_says_who_asks_and_holds_the_key_in_one_header_only(kind: str, account: str | None) -> None:
    seen: list[httpx.Request] = []
    drive(kind, [ok()], seen=seen, stripe_account=account)
    (request,) = seen
    headers: dict[str, Any] = dict(request.headers)
    assert headers.pop("authorization") == "Bearer sk_test_transport"
    assert "sk_test" not in f"{headers} {request.url} {request.content!r}"
    assert headers["stripe-version"] == "2026-10-28.endive"
    assert headers["user-agent"].startswith("airflow-provider-payrecords/")
    assert headers.get("stripe-account") == account
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert (request.method, request.url.path) == ("POST", "/v1/payment_records/report_payment")


@pytest.mark.parametrize("kind", KINDS)
def test_cookies_of_a_proxy_change_nothing(kind: str) -> None:
    seen: list[httpx.Request] = []
    story = drive(kind, [error(500, set_cookie="route=7; Path=/"), ok()], policy=POLICY, seen=seen)
    assert story.called.error is None
    assert len(seen) == 2
