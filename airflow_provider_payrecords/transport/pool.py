"""
httpx's requests over aiohttp's pool: a parser in C, and no scan of all connections for each request.

aiohttp sends again by itself only what has no effect (a GET, once, when a kept connection turns out to be closed).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from functools import lru_cache

import aiohttp
import httpx
from yarl import URL

_FAILURES = (aiohttp.ClientError, OSError, asyncio.TimeoutError)
_MEANINGS: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (aiohttp.ConnectionTimeoutError, httpx.ConnectTimeout),
    (aiohttp.ClientConnectorError, httpx.ConnectError),
    (aiohttp.ServerTimeoutError, httpx.ReadTimeout),
    (aiohttp.ServerDisconnectedError, httpx.RemoteProtocolError),
    (aiohttp.ClientPayloadError, httpx.RemoteProtocolError),
    (aiohttp.ClientResponseError, httpx.RemoteProtocolError),
)
"""In this order. Only the first two are raised before a connection stands; what is not here may have been sent."""


class PooledNetwork(httpx.AsyncBaseTransport):
    """
    The network, without proxies. Opens its pool with the first request, in whose event loop it then lives.

    Args:
        connections: No more than these are ever open.
        tls: For ``https://``.
    """

    def __init__(self, timeouts: httpx.Timeout, connections: int, tls: ssl.SSLContext | None) -> None:
        self._timeouts = aiohttp.ClientTimeout(
            total=None, connect=timeouts.pool, sock_connect=timeouts.connect, sock_read=timeouts.read
        )
        self._connections = connections
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request* and return its answer, the body still to be read. Raises httpx's errors only."""
        session = self._session or self._open()
        try:
            answer = await session.request(
                request.method,
                _url(str(request.url)),
                headers=[(name.decode("ascii"), value.decode("ascii")) for name, value in request.headers.raw],
                data=await _content(request) or None,
                allow_redirects=False,
            )
        except _FAILURES as error:
            raise as_httpx(error) from error
        return httpx.Response(answer.status, headers=answer.raw_headers, stream=_Body(answer))

    async def aclose(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=self._connections, keepalive_timeout=30, ssl=True if self._tls is None else self._tls
        )
        self._session = aiohttp.ClientSession(
            connector=connector, timeout=self._timeouts, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
        )
        return self._session


async def _content(request: httpx.Request) -> bytes:
    stream = request.stream
    return b"".join(stream) if isinstance(stream, httpx.ByteStream) else await request.aread()


class _Body(httpx.AsyncByteStream, AsyncIterator[bytes]):
    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await self._answer.content.readany()
        except _FAILURES as error:
            raise as_httpx(error) from error
        if not chunk:
            raise StopAsyncIteration
        return chunk

    async def aclose(self) -> None:
        # Of an answer that was read to its end this leaves the connection open.
        self._answer.close()


def as_httpx(error: Exception) -> httpx.TransportError:
    """Return what httpx calls *error*. Unless it is certain that no connection stood, something was sent."""
    kind = next((theirs for ours, theirs in _MEANINGS if isinstance(error, ours)), httpx.ReadError)
    return kind(type(error).__name__)


@lru_cache(maxsize=128)
def _url(text: str) -> URL:
    return URL(text, encoded=True)
