"""HTTP/1.1 on asyncio streams, so that an answer can be cut, reset or held back at any byte. Knows no API."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urlsplit


class Delivery(Enum):
    """What happens to an answer on its way back."""

    SENT = "sent"
    RESET = "reset"  # the connection is reset and not one byte goes out
    TRUNCATED = "truncated"  # half of the body goes out, then the connection ends
    LATE = "late"  # the answer is held back


@dataclass(frozen=True)
class Request:
    """One request as it arrived. Header names are lowercase."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """One answer and how it is delivered."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    delivery: Delivery = Delivery.SENT


Handler = Callable[[Request], Awaitable[Answer]]


def json_answer(status: int, value: Any, headers: dict[str, str] | None = None) -> Answer:
    """Return *value* as a JSON answer."""
    body = json.dumps(value, ensure_ascii=False).encode()
    return Answer(status, body, {"Content-Type": "application/json", **(headers or {})})


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """Return the next request of a connection, or None once the client has gone."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        start, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length") or 0))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    method, target, _ = start.split(" ", 2)
    url = urlsplit(target)
    return Request(method, unquote(url.path), url.query, headers, body)


def _encode(answer: Answer) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
    headers = {**answer.headers, "Content-Length": str(len(answer.body))}
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


def _reset(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _deliver(answer: Answer, writer: asyncio.StreamWriter, delay_seconds: float) -> bool:
    """Send *answer* and return whether the connection goes on."""
    if answer.delivery is Delivery.RESET:
        _reset(writer)
        return False
    if answer.delivery is Delivery.LATE:
        await asyncio.sleep(delay_seconds)
    cut = answer.delivery is Delivery.TRUNCATED
    writer.write(_encode(answer) + (answer.body[: len(answer.body) // 2] if cut else answer.body))
    await writer.drain()
    return not cut


async def serve_connection(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handle: Handler, delay_seconds: float
) -> None:
    """Answer the requests of one connection until either side ends it."""
    try:
        while (request := await read_request(reader)) is not None:
            if not await _deliver(await handle(request), writer, delay_seconds):
                break
    except ConnectionError:
        pass
    finally:
        writer.close()
