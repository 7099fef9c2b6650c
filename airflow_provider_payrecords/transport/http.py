"""How requests look on the wire: the headers that are the same for all of them, limits and timeouts."""

from __future__ import annotations

import logging
import platform
from collections.abc import AsyncIterator
from functools import lru_cache

import httpx

from airflow_provider_payrecords import __version__
from airflow_provider_payrecords.core.wire import ApiRequest
from airflow_provider_payrecords.settings import Settings, is_loopback

USER_AGENT = f"airflow-provider-payrecords/{__version__} python/{platform.python_version()} httpx/{httpx.__version__}"
MAX_ANSWER_BYTES = 8 * 1024 * 1024
"""A page of a hundred records is well below this."""

logging.getLogger("httpx").setLevel(logging.WARNING)


def base_headers(settings: Settings) -> dict[str, str]:
    """Return the headers of every request."""
    headers = {
        "Authorization": f"Bearer {settings.api_key.get_secret_value()}",
        "Stripe-Version": settings.stripe_version,
        "User-Agent": USER_AGENT,
        "Accept": "application/json",
    }
    if settings.stripe_account:
        headers["Stripe-Account"] = settings.stripe_account
    return headers


def request_headers(request: ApiRequest) -> dict[str, str]:
    """Return the headers of one request."""
    if request.method != "POST":
        return {}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if request.idempotency_key is not None:
        headers["Idempotency-Key"] = request.idempotency_key
    return headers


class Outgoing:
    """
    Makes httpx requests of ours: what is the same for all of them is made once.

    A client that builds a request from dictionaries takes ten times the CPU for it.
    """

    def __init__(self, settings: Settings) -> None:
        host = httpx.URL(settings.api_base).netloc.decode("ascii")
        fixed = {"Host": host, **base_headers(settings), "Accept-Encoding": "gzip, deflate"}
        self._fixed = _raw(fixed)
        self._extensions = {"timeout": timeouts(settings).as_dict()}
        self._url = lru_cache(maxsize=128)(lambda target: httpx.URL(settings.api_base + target))

    def __call__(self, request: ApiRequest) -> httpx.Request:
        """Return *request* as httpx's."""
        headers = self._fixed + _raw(request_headers(request))
        if request.method == "POST":
            headers.append((b"Content-Length", b"%d" % len(request.content)))
        return httpx.Request(
            request.method,
            self._url(request.target),
            headers=headers,
            stream=httpx.ByteStream(request.content),
            extensions=self._extensions,
        )


def _raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()]


def timeouts(settings: Settings) -> httpx.Timeout:
    """Return httpx's four timeouts."""
    return httpx.Timeout(
        connect=settings.connect_timeout_seconds,
        read=settings.read_timeout_seconds,
        write=settings.write_timeout_seconds,
        pool=settings.pool_timeout_seconds,
    )


def whole_seconds(settings: Settings) -> float:
    """Return the bound on one request from its start to the last byte of its answer."""
    return (
        settings.pool_timeout_seconds
        + settings.connect_timeout_seconds
        + settings.write_timeout_seconds
        + settings.read_timeout_seconds
    )


def limits(connections: int) -> httpx.Limits:
    """Return the bounds of the one pool a client has."""
    return httpx.Limits(max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=30)


def past_proxies(settings: Settings) -> dict[str, None] | None:
    """
    Return what keeps calls to this machine off the proxies of the environment.

    Plain HTTP is allowed to this machine only, and a proxy would carry it, key and all, to another.
    """
    # As httpx writes it: a port that is the scheme's own is no part of the addresses it compares.
    return {f"all://{httpx.URL(settings.api_base).netloc.decode()}": None} if is_loopback(settings.host) else None


def headers_of(response: httpx.Response) -> dict[str, str]:
    """Return the headers of an answer, their names in lowercase."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers.raw}


def body_of(response: httpx.Response, headers: dict[str, str]) -> AsyncIterator[bytes]:
    """Return the parts of an answer's body, decompressed. httpx's own way there is taken only where it has to be."""
    if "content-encoding" in headers or not isinstance(response.stream, httpx.AsyncByteStream):
        return response.aiter_bytes()
    return aiter(response.stream)
