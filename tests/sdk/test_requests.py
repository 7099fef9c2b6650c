"""Our requests are, byte for byte, those of the official SDK for the same values."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from airflow_provider_payrecords.core.commands import COMMANDS, build
from airflow_provider_payrecords.core.form import decode_form
from airflow_provider_payrecords.core.wire import ApiRequest, encode
from airflow_provider_payrecords.settings import Settings
from airflow_provider_payrecords.transport.http import base_headers, request_headers
from tests.core.strategies import VALUES
from tests.core.test_parameters import PAYMENT
from tests.sdk.recorder import sdk_request

SETTINGS = Settings(api_key="sk_test_x", stripe_account="acct_1")


def parts(target: str, body: str) -> tuple[str, list[str], list[str]]:
    """Return path, query and body: pairs sorted, and brackets literal, as the SDK leaves them in values too."""
    target, body = (text.replace("%5B", "[").replace("%5D", "]") for text in (target, body))
    path, _, query = target.partition("?")
    return path, sorted(query.split("&")), sorted(body.split("&"))


@pytest.mark.parametrize("endpoint", sorted(COMMANDS))
def test_a_request_is_that_of_the_sdk(endpoint: str) -> None:
    @settings(max_examples=60)
    @given(VALUES[endpoint])
    def check(values: dict[str, Any]) -> None:
        theirs = sdk_request(endpoint, values)
        mine = encode(build(COMMANDS[endpoint], values), "k")
        assert mine.method == theirs.method
        assert parts(mine.target, mine.content.decode()) == parts(theirs.target, theirs.body)
        assert decode_form(mine.content) == decode_form(theirs.body)

    check()


@pytest.mark.parametrize("text", ["a b", "a+b", "ë", "[x]", "a&b=c", "%41", "\x00\n", "\U0001f4b6", "~*'()!-._/"])
def test_awkward_text_is_encoded_as_the_sdk_does(text: str) -> None:
    values = {**PAYMENT, "description": text, "metadata": {text.strip("[]") or "k": text}}
    theirs = sdk_request("report_payment", values)
    assert parts("", encode(build(COMMANDS["report_payment"], values)).content.decode()) == parts("", theirs.body)


def test_headers_are_those_of_the_sdk() -> None:
    options = {"idempotency_key": "k", "stripe_account": "acct_1"}
    theirs = sdk_request("report_payment", PAYMENT, options).headers
    mine = {**base_headers(SETTINGS), **request_headers(ApiRequest("POST", "/", b"", "k"))}
    for name in ("Authorization", "Stripe-Version", "Stripe-Account", "Idempotency-Key", "Content-Type"):
        assert mine[name] == theirs[name.lower()]
    assert mine["User-Agent"].startswith("airflow-provider-payrecords/")


def test_a_difference_would_be_found() -> None:
    theirs = sdk_request("report_payment", {**PAYMENT, "description": "other"})
    mine = encode(build(COMMANDS["report_payment"], PAYMENT))
    assert parts(mine.target, mine.content.decode()) != parts(theirs.target, theirs.body)
