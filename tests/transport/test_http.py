"""Headers, limits and timeouts: ``transport/http.py``."""

from __future__ import annotations

import logging

import httpx
import pytest

from airflow_provider_payrecords import __version__
from airflow_provider_payrecords.core.wire import ApiRequest
from airflow_provider_payrecords.transport import http
from tests.transport.drivers import settings

TIMEOUTS = {
    "connect_timeout_seconds": 1,
    "read_timeout_seconds": 2,
    "write_timeout_seconds": 3,
    "pool_timeout_seconds": 4,
}


def test_every_request_says_which_version_asks_for_which_version() -> None:
    assert http.base_headers(settings()) == {
        "Authorization": "Bearer sk_test_transport",
        "Stripe-Version": "2026-10-28.endive",
        "User-Agent": http.USER_AGENT,
        "Accept": "application/json",
    }
    assert f"airflow-provider-payrecords/{__version__} " in http.USER_AGENT
    assert http.base_headers(settings(stripe_account="acct_1"))["Stripe-Account"] == "acct_1"


@pytest.mark.parametrize(
    ("request_", "headers"),
    [
        (ApiRequest("GET", "/", idempotency_key="k"), {}),
        (ApiRequest("POST", "/"), {"Content-Type": "application/x-www-form-urlencoded"}),
        (
            ApiRequest("POST", "/", idempotency_key="k"),
            {"Content-Type": "application/x-www-form-urlencoded", "Idempotency-Key": "k"},
        ),
    ],
)
def test_a_report_carries_its_idempotency_key(request_: ApiRequest, headers: dict[str, str]) -> None:
    assert http.request_headers(request_) == headers


def test_a_request_is_made_as_it_is_written() -> None:
    made = http.Outgoing(settings(api_base="http://localhost:80", **TIMEOUTS))(
        ApiRequest("POST", "/v1/x%2Fy/report", b"a[b]=c+d", "k")
    )
    assert (made.method, made.url.raw_path, made.read()) == ("POST", b"/v1/x%2Fy/report", b"a[b]=c+d")
    assert made.extensions == {"timeout": {"connect": 1, "read": 2, "write": 3, "pool": 4}}
    assert dict(made.headers) == {
        "host": "localhost",
        **{name.lower(): value for name, value in http.base_headers(settings()).items()},
        "accept-encoding": "gzip, deflate",
        "content-type": "application/x-www-form-urlencoded",
        "idempotency-key": "k",
        "content-length": "8",
    }


def test_timeouts_are_the_settings_and_a_request_may_take_their_sum() -> None:
    given = settings(**TIMEOUTS)
    assert http.timeouts(given) == httpx.Timeout(connect=1, read=2, write=3, pool=4)
    assert http.whole_seconds(given) == 10


def test_the_pool_is_bounded() -> None:
    assert http.limits(3) == httpx.Limits(max_connections=3, max_keepalive_connections=3, keepalive_expiry=30)


@pytest.mark.parametrize(
    ("base", "mounts"),
    [
        ("https://api.stripe.com", None),
        ("http://127.0.0.1:12111", {"all://127.0.0.1:12111": None}),
        ("https://localhost", {"all://localhost": None}),
        ("http://[::1]:9", {"all://[::1]:9": None}),
        ("http://localhost:80", {"all://localhost": None}),
    ],
)
def test_calls_to_this_machine_go_past_proxies(base: str, mounts: dict[str, None] | None) -> None:
    assert http.past_proxies(settings(api_base=base)) == mounts


def test_headers_of_an_answer_are_in_lowercase() -> None:
    response = httpx.Response(200, headers={"Request-Id": "req_1", "X-A": "b"})
    assert http.headers_of(response) == {"request-id": "req_1", "x-a": "b"}


def test_httpx_does_not_log_every_address() -> None:
    assert not logging.getLogger("httpx").isEnabledFor(logging.INFO)
