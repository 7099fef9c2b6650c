"""The official SDK with a network that only writes down what it was given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import stripe

from airflow_provider_payrecords.core.commands import COMMANDS

ANSWER = '{"id": "x_1", "object": "payment_record"}'
PAGE = '{"object": "list", "url": "/v1/payment_records", "has_more": false, "data": []}'


@dataclass(frozen=True)
class SdkRequest:
    """One request as the SDK would send it: path and query, body, headers by lowercase name."""

    method: str
    target: str
    body: str
    headers: Mapping[str, str]


class Recorder(stripe.HTTPClient):
    """An HTTP client for the SDK that answers everything with success."""

    name = "recorder"

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[SdkRequest] = []

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, **_: Any
    ) -> tuple[str, int, Mapping[str, str]]:
        target = url.removeprefix("https://api.stripe.com")
        named = {name.lower(): value for name, value in (headers or {}).items()}
        self.requests.append(SdkRequest(method.upper(), target, post_data or "", named))
        return PAGE if method == "get" and "/" not in target.split("?")[0].removeprefix("/v1/") else ANSWER, 200, {}

    def close(self) -> None:
        """Nothing is open."""


def sdk_request(endpoint: str, values: Mapping[str, Any], options: Any = None) -> SdkRequest:
    """Return the request that the SDK makes of *values*."""
    recorder = Recorder()
    v1 = stripe.StripeClient("sk_test_x", http_client=recorder, max_network_retries=0).v1
    calls: dict[str, Any] = {
        "retrieve_payment_record": v1.payment_records.retrieve,
        "list_payment_records": v1.payment_records.list,
        "retrieve_payment_attempt_record": v1.payment_attempt_records.retrieve,
        "list_payment_attempt_records": v1.payment_attempt_records.list,
        "attach_payment": v1.invoices.attach_payment,
    }
    call = calls.get(endpoint) or getattr(v1.payment_records, endpoint)
    in_path = COMMANDS[endpoint].path_parameter
    params = {name: value for name, value in values.items() if name != in_path}
    call(*([values[in_path]] if in_path else []), params, options)
    (request,) = recorder.requests
    return request
