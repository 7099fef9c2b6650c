"""Every route of the app, tried by everybody. A route without a row here fails."""

from __future__ import annotations

import json
from typing import Any, NamedTuple
from urllib.parse import urlencode

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from tests.plugins.conftest import HEADERS, PEOPLE
from tests.plugins.payments import draft


class Tried(NamedTuple):
    """
    How a route is tried, and who gets past its door.

    Attributes:
        path: With its parameters filled in, below the prefix.
        allowed: Who is neither unknown nor forbidden; what the answer is besides is no matter here.
    """

    path: str
    allowed: str
    body: Any = None


READERS = "viewer op admin"
DECIDERS = "op admin"
PAYMENT = {
    "connection": "payrecords_default",
    "account": "acme",
    "mode": "test",
    "endpoint": "report_payment",
    "source": "adyen-eu",
    "key": "x",
}
TABLE = {
    ("GET", "/static/{path:path}"): Tried("static/ui.js", READERS),
    ("GET", "/api/me"): Tried("api/me", READERS),
    ("GET", "/api/connections"): Tried("api/connections", READERS),
    ("GET", "/api/endpoints"): Tried("api/endpoints", READERS),
    ("GET", "/api/endpoints/{name}"): Tried("api/endpoints/report_refund", READERS),
    ("POST", "/api/compose"): Tried("api/compose", READERS, draft()),
    ("POST", "/api/send"): Tried("api/send", "op admin", draft()),
    ("GET", "/api/runs"): Tried("api/runs?connection=payrecords_default", READERS),
    ("GET", "/api/runs/{run_id}"): Tried("api/runs/run-1?connection=payrecords_default", READERS),
    ("GET", "/api/runs/{run_id}/progress"): Tried("api/runs/run-1/progress?connection=payrecords_default", READERS),
    ("GET", "/api/runs/{run_id}/reasons"): Tried("api/runs/run-1/reasons?connection=payrecords_default", READERS),
    ("GET", "/api/runs/{run_id}/entries"): Tried("api/runs/run-1/entries?connection=payrecords_default", READERS),
    ("GET", "/api/runs/{run_id}/export.csv"): Tried("api/runs/run-1/export.csv?connection=payrecords_default", READERS),
    ("GET", "/api/open"): Tried("api/open?connection=payrecords_default", READERS),
    ("GET", "/api/search"): Tried("api/search?connection=payrecords_default&text=x", READERS),
    ("GET", "/api/payment"): Tried(f"api/payment?{urlencode(PAYMENT)}", READERS),
    ("GET", "/api/payment/live"): Tried(f"api/payment/live?{urlencode(PAYMENT)}", READERS),
    ("POST", "/api/replay"): Tried("api/replay", DECIDERS, PAYMENT),
    ("POST", "/api/resolve"): Tried("api/resolve", DECIDERS, {**PAYMENT, "updated_at": "x", "absent": True}),
}


@pytest.fixture
def routes(server: FastAPI) -> set[tuple[str, str]]:
    """Return method and path of every route that the app answers."""
    mounted: Any = next(route for route in server.routes if getattr(route, "path", "") == "/payrecords")
    assert all(isinstance(route, APIRoute) for route in mounted.routes), "a mount would pass by the app's checks"
    return {(method, route.path) for route in mounted.routes for method in route.methods}


def test_every_route_has_a_row(routes: set[tuple[str, str]]) -> None:
    assert set(TABLE) == routes


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("route", TABLE, ids=" ".join)
def test_route_lets_in_whom_it_may(people: dict[str, httpx.Client], person: str, route: tuple[str, str]) -> None:
    tried = TABLE[route]
    answer = people[person].request(route[0], tried.path, json=tried.body)
    expected = person in tried.allowed.split()
    assert (answer.status_code not in (401, 403)) is expected, answer.text
    if not expected:
        assert answer.status_code == (401 if person == "anonymous" else 403)
        assert answer.json()["title"]
        assert answer.headers["content-type"] == "application/problem+json"


CHANGES = [(route, tried) for route, tried in TABLE.items() if route[0] != "GET"]


@pytest.mark.parametrize(("route", "tried"), CHANGES, ids=[" ".join(route) for route, _ in CHANGES])
@pytest.mark.parametrize(
    "headers",
    [
        {"X-Payrecords-Request": None},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": None, "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": None, "Origin": "null"},
    ],
    ids=str,
)
def test_request_of_another_site_is_refused(
    admin: httpx.Client, route: tuple[str, str], tried: Tried, headers: dict[str, str | None]
) -> None:
    sent = {"Content-Type": "application/json", **HEADERS, **headers}
    admin.headers.clear()
    answer = admin.request(
        route[0],
        tried.path,
        content=json.dumps(tried.body),
        headers={name: value for name, value in sent.items() if value},
    )
    assert answer.status_code == 403
    assert answer.json()["title"] == "This request did not come from this page"


def test_static_files_are_scripts_and_never_cached_unasked(admin: httpx.Client) -> None:
    answer = admin.get("static/ui.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cache-control"] == "no-cache, private"
    assert admin.get("static/ui.js", headers={"If-None-Match": answer.headers["etag"]}).status_code == 304


@pytest.mark.parametrize("path", ["static/../app.py", "static/%2e%2e/app.py", "static/nothing.js", "static/vendor"])
def test_nothing_but_static_files_is_served(admin: httpx.Client, path: str) -> None:
    assert admin.get(path).status_code == 404
