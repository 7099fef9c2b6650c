"""A wire to a PostgreSQL server that a test can cut at a chosen place."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

ANSWER_BYTES = 65_536
GOODBYE = b"X\0\0\0\4"  # the server ends the session once it has done what came before


@dataclass
class Wire:
    """
    Between a client and the server, on loopback.

    Attributes:
        cut_at: Cut when the client sends this; None leaves it whole. Each cut happens once.
        after: The server gets it, and it is the answer that is lost; else the server never hears of it.
        is_down: Whoever connects is turned away at once.
    """

    server: str
    port: int = 0
    cut_at: bytes | None = None
    after: bool = True
    is_down: bool = False
    cuts: int = 0

    @property
    def url(self) -> str:
        return f"postgresql://postgres:hunter2@127.0.0.1:{self.port}/postgres"

    def carry(self, client: socket.socket) -> None:
        """Forward questions and answers until one side is gone, or the wire is cut."""
        server, lost = socket.socket(socket.AF_UNIX), threading.Event()
        with client, server, suppress(OSError):
            if self.is_down:
                return
            server.connect(self.server)
            answers = threading.Thread(target=_forward, args=(server, client, lost), daemon=True)
            answers.start()
            while asked := client.recv(ANSWER_BYTES):
                if self.cut_at is not None and self.cut_at in asked:
                    self.cut_at, self.cuts = None, self.cuts + 1
                    lost.set()
                    server.sendall(asked + GOODBYE if self.after else b"")
                    break
                server.sendall(asked)
            # Closing alone would not reach the server while the other thread still listens to it.
            server.shutdown(socket.SHUT_WR)
            answers.join()


def _forward(server: socket.socket, client: socket.socket, lost: threading.Event) -> None:
    """Forward answers until the server has done all that it was asked; the lost ones are thrown away."""
    with suppress(OSError):
        while answer := server.recv(ANSWER_BYTES):
            if not lost.is_set():
                client.sendall(answer)
        client.shutdown(socket.SHUT_RDWR)


@contextmanager
def wire_to(url: str) -> Iterator[Wire]:
    """Lay a wire to the server at *url*, which has a socket in a folder."""
    [folder] = parse_qs(urlsplit(url).query)["host"]
    wire = Wire(f"{folder}/.s.PGSQL.5432")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        wire.port = listener.getsockname()[1]
        threading.Thread(target=_accept, args=(listener, wire), daemon=True).start()
        yield wire
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, wire: Wire) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=wire.carry, args=(client,), daemon=True).start()
