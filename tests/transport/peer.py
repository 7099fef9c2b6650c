"""A server of a few lines on this machine: it plays a part a request, on a thread, and notes what it was sent."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from itertools import count

Part = Callable[[socket.socket, threading.Event], bool]
"""Answer one request; True keeps the connection open. The event is set when the test is over."""

RECORD = b'{"id": "pr_1", "object": "payment_record"}'


class Peer:
    """
    A listening server.

    Args:
        parts: Played in their order, the last one again and again.
        tls: Context to speak TLS with.
    """

    def __init__(self, *parts: Part, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.asked = threading.Event()
        self._parts, self._tls, self._over, self._turn = parts, tls, threading.Event(), count()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._converse, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _converse(self, connection: socket.socket) -> None:
        try:
            with self._tls.wrap_socket(connection, server_side=True) if self._tls else connection as wire:
                wire.settimeout(0.05)
                while (request := _read(wire, self._over)) is not None:
                    self.requests.append(request)
                    self.asked.set()
                    if not self._parts[min(next(self._turn), len(self._parts) - 1)](wire, self._over):
                        return
        except OSError:  # the other side went away, which is what many tests are about
            return


def _read(wire: socket.socket, over: threading.Event) -> bytes | None:
    """Return one whole request, or None when the other side or the test has ended."""
    data = b""
    while not over.is_set():
        head, end, body = data.partition(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
        )
        if end and len(body) >= length:
            return data
        try:
            chunk = wire.recv(65536)
        except TimeoutError:
            continue
        if not chunk:
            return None
        data += chunk
    return None


def answer(status: int = 200, body: bytes = RECORD, *headers: str) -> Part:
    """Answer in full and keep the connection."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Request-Id: req_1", *headers]

    def part(wire: socket.socket, over: threading.Event) -> bool:
        wire.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        return True

    return part


def reset(sent: bytes = b"") -> Part:
    """Send some bytes and reset the connection."""

    def part(wire: socket.socket, over: threading.Event) -> bool:
        wire.sendall(sent)
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    return part


def cut(sent: bytes) -> Part:
    """Send some bytes and close the connection."""

    def part(wire: socket.socket, over: threading.Event) -> bool:
        wire.sendall(sent)
        return False

    return part


def silence(wire: socket.socket, over: threading.Event) -> bool:
    """Never answer."""
    over.wait()
    return False


def dribble(wire: socket.socket, over: threading.Event) -> bool:
    """Answer in full, but with a byte now and then, so that no single wait is long."""
    drops = 300
    wire.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(RECORD) + drops) + RECORD)
    for _ in range(drops):
        if over.wait(0.01):
            return False
        wire.sendall(b" ")
    return True
