"""What stands between client and server: a proxy that is asked to CONNECT, or a front that ends TLS."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Coroutine
from typing import Any

_PAGE = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
_BAD_GATEWAY = (
    b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nConnection: close\r\n"
    + f"Content-Length: {len(_PAGE)}\r\n\r\n".encode()
    + _PAGE
)
_END_OF_HEAD = b"\r\n\r\n"


class Relay:
    """
    Passes every connection on to one port of this machine, in a thread of its own. Where nothing answers, or when it
    is told to refuse, it answers 502 with a page.

    Attributes:
        port: Where it listens; the same after ``start``.
        refuses: It answers 502 to everybody.
        asked: The hosts that it was asked to CONNECT to.
    """

    def __init__(self, target_port: int, *, tls: ssl.SSLContext | None = None, connects: bool = False) -> None:
        """
        Args:
            tls: Talk TLS to the client, and plain to the target.
            connects: Be a proxy. All hosts are one to it: the target.
        """
        self._target_port = target_port
        self._tls = tls
        self._connects = connects
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="relay", daemon=True)
        self._server: asyncio.Server | None = None
        self.port = 0
        self.refuses = False
        self.asked: list[str] = []
        self._thread.start()
        self.start()

    @property
    def url(self) -> str:
        """Where it listens, for clients without TLS."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen, on the same port as before if it listened before."""
        self._do(self._listen())

    def kill(self) -> None:
        """Listen no more and reset every connection."""
        self._do(self._stop())

    def close(self) -> None:
        """End the thread."""
        self.kill()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=30)
        self._loop.close()

    def _do(self, what: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(timeout=30)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self._tls, backlog=512)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._writers):
            writer.transport.abort()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await self._pass_on(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._connects:
            head = await reader.readuntil(_END_OF_HEAD)
            self.asked.append(head.split()[1].decode())
        try:
            if self.refuses:
                raise ConnectionRefusedError
            from_target, to_target = await asyncio.open_connection("127.0.0.1", self._target_port)
        except ConnectionRefusedError:
            await self._refuse(reader, writer)
            return
        if self._connects:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self._writers.add(to_target)
        try:
            await asyncio.gather(_pump(reader, to_target), _pump(from_target, writer))
        finally:
            self._writers.discard(to_target)
            to_target.transport.abort()

    async def _refuse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._connects:
            await reader.readuntil(_END_OF_HEAD)
        writer.write(_BAD_GATEWAY)
        await writer.drain()
        while await reader.read(65536):
            pass  # until the client has read it and leaves; a reset now could take the page away from it


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        target.write(data)
        await target.drain()
    target.transport.abort()
