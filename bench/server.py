"""
The server of the benchmark: as much HTTP as clients need, in a process of its own, fast enough not to be measured.

``python -m bench.server`` prints two ports as JSON and serves until its standard input ends: the API on the first; on
the second, whose connections are not counted, ``/new?limit=…&seed=…`` opens a new book, and ``/book`` tells what is in
the present one.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import sys
import time
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from bench.book import NOT_FOUND, Book, Reply
from bench.faults import Fault
from bench.loop import in_loop

REPORT = b"/v1/payment_records/report_payment"
LIST = b"/v1/payment_records"
SLOW_SECONDS = 1.0
_RESETS = (Fault.RESET_BEFORE, Fault.RESET_AFTER)
_WANTED = re.compile(rb"\r\n(content-length|idempotency-key): *([^\r]*)", re.IGNORECASE)


class Desk:
    """The book of the present job, and what the sockets count for it."""

    def __init__(self) -> None:
        self.open(None, None)

    def open(self, limit: int | None, seed: int | None) -> None:
        """Begin a new book. Connections from before are no longer counted."""
        self.book = Book(limit, seed)
        self.connections = self.requests = 0
        self._cpu = _cpu_seconds()

    def tell(self) -> dict[str, Any]:
        """Return what the book and the sockets know, as JSON-safe data."""
        return {
            "connections": self.connections,
            "requests": self.requests,
            "cpu_seconds": _cpu_seconds() - self._cpu,
            "counts": dict(self.book.counts),
            "records": self.book.records,
        }


class Connection(asyncio.Protocol):
    """One connection to the API. Requests are answered in their order; none comes before its predecessor's answer."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._read = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: Any) -> None:
        """Count it."""
        self._transport = transport
        self._desk.connections += 1

    def data_received(self, data: bytes) -> None:
        """Answer the request once it is whole."""
        self._read += data
        while (end := self._read.find(b"\r\n\r\n")) >= 0:
            head = self._read[:end]
            named = {name.lower(): value for name, value in _WANTED.findall(head)}
            whole = end + 4 + int(named.get(b"content-length", 0))
            if len(self._read) < whole:
                return
            body, self._read = self._read[end + 4 : whole], self._read[whole:]
            self._desk.requests += 1
            self._send(self._reply(head, body, named.get(b"idempotency-key")))

    def _reply(self, head: bytes, body: bytes, key: bytes | None) -> Reply:
        method, target, _ = head.split(b" ", 2)
        path, _, query = target.partition(b"?")
        if method == b"POST" and path == REPORT:
            return self._desk.book.report(body, key, time.time())
        if method == b"GET" and path == LIST:
            asked = dict(parse_qsl(query.decode()))
            return self._desk.book.listing(asked.get("starting_after"), int(asked.get("limit", "10")))
        return Reply(404, NOT_FOUND)

    def _send(self, reply: Reply) -> None:
        if reply.fault in _RESETS:
            self._transport.abort()
        elif reply.fault is Fault.SLOW:
            asyncio.get_running_loop().call_later(SLOW_SECONDS, self._write, _bytes_of(reply))
        elif reply.fault is Fault.TRUNCATED:
            whole = _bytes_of(reply)
            self._write(whole[: len(whole) - len(reply.body) // 2])
            self._transport.close()
        else:
            self._write(_bytes_of(reply))

    def _write(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)


_REASONS = {200: b"OK", 400: b"Bad Request", 404: b"Not Found", 429: b"Too Many Requests"}


def _bytes_of(reply: Reply) -> bytes:
    kind = b"text/html" if reply.html else b"application/json"
    return b"HTTP/1.1 %d %b\r\nContent-Type: %b\r\nContent-Length: %d\r\nRequest-Id: req_bench\r\n%b%b\r\n%b" % (
        reply.status,
        _REASONS.get(reply.status, b"Error"),
        kind,
        len(reply.body),
        b"Idempotent-Replayed: true\r\n" if reply.replayed else b"",
        b"Stripe-Rate-Limited-Reason: %b\r\n" % reply.reason.encode() if reply.reason else b"",
        reply.body,
    )


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def _control(desk: Desk, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one request of the benchmark itself."""
    head = await reader.readuntil(b"\r\n\r\n")
    path, _, query = head.split(b" ", 2)[1].decode().partition("?")
    if path == "/new":
        asked = {name: int(value) for name, value in parse_qsl(query)}
        desk.open(asked.get("limit"), asked.get("seed"))
    body = json.dumps(desk.tell()).encode()
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
    await writer.drain()
    writer.close()


async def _serve() -> None:
    loop, desk = asyncio.get_running_loop(), Desk()
    api = await loop.create_server(partial(Connection, desk), "127.0.0.1", 0, backlog=1024)
    control = await asyncio.start_server(partial(_control, desk), "127.0.0.1", 0)
    ports = [server.sockets[0].getsockname()[1] for server in (api, control)]
    print(json.dumps(dict(zip(("api", "control"), ports, strict=True))), flush=True)
    # Whoever started it holds the other end, and it ends with them, however they end.
    await loop.run_in_executor(None, sys.stdin.read)
    os._exit(0)


def main() -> None:
    """Serve until whoever started it ends."""
    in_loop(_serve())


if __name__ == "__main__":
    main()
