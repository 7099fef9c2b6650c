"""A command as the exact HTTP request that would be sent, and as a curl line that sends the same."""

from __future__ import annotations

import shlex
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from airflow_provider_payrecords.bulk.prepare import prepare
from airflow_provider_payrecords.core.commands import Command
from airflow_provider_payrecords.core.entry import Scope
from airflow_provider_payrecords.core.form import parse_pairs
from airflow_provider_payrecords.core.wire import ApiRequest, encode
from airflow_provider_payrecords.settings import Settings
from airflow_provider_payrecords.transport.http import base_headers, request_headers

_SHOWN = len("sk_test_")
"""Characters of a key that tell its kind and mode, and nothing else."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """
    A request as people read it. The key is cut down to its prefix.

    Attributes:
        form: Names and values as the server decodes them, in their order.
        body: The bytes of the form; empty for GET.
        curl: Sends the same request with the key in ``$STRIPE_API_KEY``.
    """

    method: str
    url: str
    headers: dict[str, str]
    form: list[tuple[str, str]]
    body: str
    idempotency_key: str | None
    curl: str

    def as_text(self) -> str:
        """Return the request as HTTP/1.1 writes it."""
        parts = urlsplit(self.url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        lines = [f"{self.method} {target} HTTP/1.1", f"Host: {parts.netloc}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\n".join([*lines, "", self.body]) if self.body else "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """Return the request as JSON-safe data."""
        return asdict(self)


def compose(request: ApiRequest, settings: Settings) -> HttpRequest:
    """Return *request* as it goes out under *settings*."""
    url = settings.api_base + request.target
    headers = {**base_headers(settings), **request_headers(request)}
    body = request.content.decode()
    return HttpRequest(
        method=request.method,
        url=url,
        headers={**headers, "Authorization": f"Bearer {settings.api_key.get_secret_value()[:_SHOWN]}…"},
        form=parse_pairs(body or request.target.partition("?")[2]),
        body=body,
        idempotency_key=request.idempotency_key,
        curl=_curl(url, headers, body),
    )


def api_request(command: Command, settings: Settings, source: str, key: str, *, stamped: bool = True) -> ApiRequest:
    """
    Return the request for *command*: for a report the one a run would send for that source and key.

    Args:
        key: Row key; not looked at for what only reads.

    Raises:
        CommandError: *key* or *source* cannot be one.
    """
    if command.method == "GET":
        return encode(command)
    scope = Scope(settings.account_scope, settings.mode, command.endpoint, source)
    return prepare(command, scope, key, stamped=stamped).request


def _curl(url: str, headers: dict[str, str], body: str) -> str:
    shown = {name: value for name, value in headers.items() if name not in ("Authorization", "User-Agent", "Accept")}
    words = ["curl", "--globoff", shlex.quote(url)]
    # The shell puts the key in; quoting must leave the variable alone.
    lines = [" ".join(words), '-H "Authorization: Bearer $STRIPE_API_KEY"']
    lines += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in shown.items()]
    lines += [f"-d {shlex.quote(pair)}" for pair in body.split("&") if pair]
    return " \\\n  ".join(lines)
