"""Which network the asynchronous driver uses."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx

from airflow_provider_payrecords.settings import Settings, is_loopback
from airflow_provider_payrecords.transport import http


class ProxiedNetwork(httpx.AsyncBaseTransport):
    """The network by way of the environment's proxies, after httpx's own rules. Slower than ``PooledNetwork``."""

    def __init__(self, settings: Settings, connections: int) -> None:
        self._client = httpx.AsyncClient(
            timeout=http.timeouts(settings), limits=http.limits(connections), follow_redirects=False
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request* and return its answer, the body still to be read."""
        return await self._client.send(request, stream=True)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()


def open_network(settings: Settings, connections: int) -> httpx.AsyncBaseTransport:
    """
    Return the way to the API. Calls to this machine never take a proxy.

    Args:
        connections: How many may be open at once.
    """
    if may_be_proxied(settings):
        return ProxiedNetwork(settings, connections)
    from airflow_provider_payrecords.transport.pool import PooledNetwork  # takes a tenth of a second

    tls = None
    if settings.api_base.startswith("https:"):
        tls = httpx.create_ssl_context()
        tls.set_alpn_protocols(["http/1.1"])
    return PooledNetwork(http.timeouts(settings), connections, tls)


def may_be_proxied(settings: Settings) -> bool:
    """Say whether the environment names a proxy for the API's scheme; ``NO_PROXY`` is left to httpx to understand."""
    schemes = {urlsplit(settings.api_base).scheme, "all"}
    return not is_loopback(settings.host) and not schemes.isdisjoint(getproxies())
