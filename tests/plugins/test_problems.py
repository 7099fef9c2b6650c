"""Every error of the package has something to say on a page: what happened, and what to do. Never the key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from airflow_provider_payrecords.compose.exchange import HIDDEN, exchange
from airflow_provider_payrecords.core import errors
from airflow_provider_payrecords.core.commands import RetrievePaymentRecord
from airflow_provider_payrecords.core.wire import encode
from airflow_provider_payrecords.plugins.problems import problem_of
from airflow_provider_payrecords.settings import Settings
from tests.plugins.conftest import API_KEY, HEADERS
from tests.plugins.payments import draft


def all_errors(cls: type[errors.PayRecordsError] = errors.PayRecordsError) -> Iterator[type[errors.PayRecordsError]]:
    """Yield every class of the tree."""
    if cls.__module__.startswith("airflow_provider_payrecords"):
        yield cls
    for below in cls.__subclasses__():
        yield from all_errors(below)


@pytest.mark.parametrize("cls", sorted(set(all_errors()), key=lambda cls: cls.__name__))
def test_every_error_has_a_title_and_a_next_step(cls: type[errors.PayRecordsError]) -> None:
    said = problem_of(cls("what happened"))
    assert 400 <= said.status < 600
    assert said.detail == "what happened"
    assert said.title.strip()
    assert said.next_step.endswith(".")


@pytest.mark.parametrize("cls", sorted(set(all_errors()), key=lambda cls: cls.__name__))
def test_nothing_is_said_to_be_unsent_that_may_have_been_sent(cls: type[errors.PayRecordsError]) -> None:
    said = problem_of(cls("what happened")).next_step
    if not issubclass(cls, errors.CommandError):
        assert "Nothing" not in said, "an earlier try may have left, or the ledger failed after the answer"


def test_a_server_that_says_the_key_is_not_repeated() -> None:
    def echo(request: httpx.Request) -> httpx.Response:
        key = request.headers["authorization"]
        return httpx.Response(401, headers={"x-echo": key}, json={"error": {"message": f"No: {key}"}})

    settings = Settings(api_key=API_KEY, api_base="https://api.stripe.com")
    made = exchange(
        encode(RetrievePaymentRecord(payment_record="pr_1")), settings, network=httpx.MockTransport(echo)
    ).as_json(settings)
    assert API_KEY not in json.dumps(made)
    assert made["headers"]["x-echo"] == f"Bearer {HIDDEN}"
    assert made["status"] == 401


def test_an_answer_that_is_no_json_is_shown_as_the_text_it_is() -> None:
    settings = Settings(api_key=API_KEY)
    network = httpx.MockTransport(lambda _: httpx.Response(503, html="<h1>Away</h1>"))
    made = exchange(encode(RetrievePaymentRecord(payment_record="pr_1")), settings, network=network)
    assert made.as_json(settings)["body"] == "<h1>Away</h1>"


def test_an_expired_login_is_a_problem_that_says_so(server: FastAPI, connections: None) -> None:
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    user = SimpleAuthManagerUser(username="op", role="op")
    long_ago = int(timedelta(days=-1).total_seconds())
    token = get_auth_manager().generate_jwt(user, expiration_time_in_seconds=long_ago)
    with TestClient(server, base_url="http://testserver/payrecords/", headers=HEADERS) as client:
        client.cookies.set("_token", token)
        answer = client.post("api/send", json=draft())
        forged = client.get("api/me", headers={"Authorization": "Bearer no.such.token"})
    assert (answer.status_code, forged.status_code) == (401, 401)
    assert answer.json()["title"] == forged.json()["title"] == "You are not logged in"
    assert "Log in again" in answer.json()["next_step"]


def test_a_page_that_does_not_exist_is_a_problem_too(admin: httpx.Client) -> None:
    answer = admin.get("api/nothing")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
