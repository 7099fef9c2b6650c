"""
The sandbox as an httpx transport, for sync and async clients: no socket, no thread.

``httpx.Client(transport=SandboxTransport(sandbox))`` and ``httpx.AsyncClient(transport=SandboxTransport(sandbox))`` get
the answers that the server gives. Lost answers are the exceptions that a real connection raises.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import httpx

from airflow_provider_payrecords.sandbox.engine import Sandbox
from airflow_provider_payrecords.sandbox.exchange import Delivery, Incoming, Reply


class SandboxTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """
    Carries requests of any httpx client to *sandbox*.

    Args:
        sandbox: A new one by default; see the attribute of the same name.
        pause: Waits for slow answers in a sync client, in seconds.
        async_pause: The same in an async client.
    """

    def __init__(
        self,
        sandbox: Sandbox | None = None,
        *,
        pause: Callable[[float], object] = time.sleep,
        async_pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.sandbox = sandbox or Sandbox()
        self._pause = pause
        self._async_pause = async_pause

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """
        Answer *request*.

        Raises:
            httpx.RemoteProtocolError: A fault closed the connection without an answer, as a real one reports it.
            httpx.ReadTimeout: A fault makes the answer later than the client waits.
        """
        reply = self.sandbox.handle(_incoming(request, request.read()))
        wait = _patience(request, reply)
        if wait:
            self._pause(wait)
        return _outgoing(request, reply, wait)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer *request*; raises as ``handle_request`` does. Other tasks go on meanwhile, as with any network."""
        content = await request.aread()
        await asyncio.sleep(0)
        reply = self.sandbox.handle(_incoming(request, content))
        await asyncio.sleep(0)
        wait = _patience(request, reply)
        if wait:
            await self._async_pause(wait)
        return _outgoing(request, reply, wait)


def _incoming(request: httpx.Request, content: bytes) -> Incoming:
    path, _, query = request.url.raw_path.decode("ascii").partition("?")
    return Incoming(request.method, path, query, request.headers, content)


def _patience(request: httpx.Request, reply: Reply) -> float:
    timeout = request.extensions.get("timeout", {}).get("read")
    return reply.delay_seconds if timeout is None else min(reply.delay_seconds, timeout)


def _outgoing(request: httpx.Request, reply: Reply, waited: float) -> httpx.Response:
    reply.done()
    if waited < reply.delay_seconds:
        raise httpx.ReadTimeout("The read operation timed out", request=request)
    if reply.delivery is Delivery.NONE:
        raise httpx.RemoteProtocolError("Server disconnected without sending a response.", request=request)
    headers = {**reply.headers, "content-length": str(len(reply.content))}
    if reply.delivery is Delivery.WHOLE:
        return httpx.Response(reply.status, headers=headers, content=reply.content)
    return httpx.Response(reply.status, headers=headers, stream=_CutShort(reply))


class _CutShort(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Gives the first part of an answer and then what httpx raises when a connection closes too early."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    def __iter__(self) -> Iterator[bytes]:
        yield self._reply.part
        raise self._error()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._reply.part
        raise self._error()

    def _error(self) -> httpx.RemoteProtocolError:
        return httpx.RemoteProtocolError(
            "peer closed connection without sending complete message body "
            f"(received {len(self._reply.part)} bytes, expected {len(self._reply.content)})"
        )
