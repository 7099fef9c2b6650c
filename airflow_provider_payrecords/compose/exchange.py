"""One request as it is, and its answer as it came: no retry, no ledger. For a person who looks at both."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import httpx

from airflow_provider_payrecords.core.effects import Flow, Send, Sent
from airflow_provider_payrecords.core.errors import TransportError
from airflow_provider_payrecords.core.wire import ApiRequest, ApiResponse
from airflow_provider_payrecords.settings import Settings
from airflow_provider_payrecords.transport.blocking import BlockingTransport

HIDDEN = "…"


@dataclass(frozen=True, slots=True)
class Exchange:
    """
    An answer as people read it.

    Attributes:
        response: As it came, for whoever reads it as a model.
        milliseconds: From the first byte out to the last byte in.
    """

    response: ApiResponse
    milliseconds: int

    def as_json(self, settings: Settings) -> dict[str, Any]:
        """Return it as JSON-safe data. Should a server say the key, that does not get further."""
        key = settings.api_key.get_secret_value()
        headers = {name: value.replace(key, HIDDEN) for name, value in self.response.headers.items()}
        text = self.response.content.decode("utf-8", "replace").replace(key, HIDDEN)
        return {
            "status": self.response.status,
            "headers": headers,
            "body": _parsed(text),
            "milliseconds": self.milliseconds,
            "request_id": headers.get("request-id"),
            "replayed": headers.get("idempotent-replayed") == "true",
        }


def exchange(request: ApiRequest, settings: Settings, *, network: httpx.BaseTransport | None = None) -> Exchange:
    """
    Send *request* once.

    Args:
        network: httpx transport to use in place of the network, for tests.

    Raises:
        TransportError: No answer was read; its class says whether the request left.
    """
    driver = BlockingTransport(settings, network=network)
    try:
        sent = driver.run(_once(request))
    finally:
        driver.close()
    if isinstance(sent.outcome, TransportError):
        raise sent.outcome
    return Exchange(sent.outcome, round(sent.seconds * 1000))


def _once(request: ApiRequest) -> Flow[Sent]:
    sent: Sent = yield Send(request)
    return sent


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
