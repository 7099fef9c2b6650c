"""The sandbox on a port of this machine: for a shell, or for a test in the same process."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Generator
from pathlib import Path
from types import TracebackType
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from airflow_provider_payrecords.core.errors import UsageError
from airflow_provider_payrecords.sandbox.app import TRANSPORT, make_app
from airflow_provider_payrecords.sandbox.config import SandboxConfig
from airflow_provider_payrecords.sandbox.engine import Sandbox, wall_clock
from airflow_provider_payrecords.sandbox.faults import FaultBoard
from airflow_provider_payrecords.sandbox.identifiers import random_id
from airflow_provider_payrecords.sandbox.journal import Journal
from airflow_provider_payrecords.sandbox.objects import Realm
from airflow_provider_payrecords.sandbox.storage import FileStorage, NoStorage, Storage
from airflow_provider_payrecords.settings import is_loopback

DEFAULT_PORT = 12111
_START_SECONDS = 30.0
_STOP_SECONDS = 3


def serve(
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    state_file: Path | str | None = None,
    config: SandboxConfig | None = None,
    *,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """
    Run a sandbox until SIGINT or SIGTERM, then return. Prints nothing.

    Args:
        host: A loopback name or address.
        port: 0 for any free one.
        state_file: Keeps everything across restarts, ``kill -9`` included; None for memory only.
        on_ready: Called with the URL once requests are answered.

    Raises:
        UsageError: Not a loopback address, the port is taken, or the state file cannot be used.
    """
    with _listen(host, port) as listener, contextlib.closing(_make_sandbox(state_file, config)) as sandbox:
        server = _Server(sandbox, lambda: on_ready(_url(listener)) if on_ready else None)
        server.run(sockets=[listener])


class RunningSandbox:
    """
    A sandbox on a free port, served by a thread of this process. A context manager; ``close`` stops it.

    Attributes:
        url: Such as ``http://127.0.0.1:40123``.
        sandbox: The engine behind it.
    """

    def __init__(self, sandbox: Sandbox, host: str, port: int) -> None:
        listener = _listen(host, port)
        ready = threading.Event()
        self.url = _url(listener)
        self.sandbox = sandbox
        self._server = _Server(sandbox, ready.set)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="payrecords-sandbox", daemon=True
        )
        self._thread.start()
        if not ready.wait(_START_SECONDS):
            raise UsageError(f"The sandbox did not start within {_START_SECONDS:.0f} seconds.")

    @property
    def journal(self) -> Journal:
        """Every effect that was committed, in order."""
        return self.sandbox.journal

    @property
    def faults(self) -> FaultBoard:
        """Switches for trouble."""
        return self.sandbox.faults

    @property
    def records(self) -> list[dict[str, Any]]:
        """Payment records of the default account in test mode, oldest first, as the API shows them."""
        return self.sandbox.records(Realm())

    def close(self) -> None:
        """Stop serving. A second call does nothing."""
        self._server.should_exit = True
        self._thread.join()
        self.sandbox.close()

    def __enter__(self) -> RunningSandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def start_sandbox(
    config: SandboxConfig | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    state_file: Path | str | None = None,
    clock: Callable[[], float] = wall_clock,
    new_id: Callable[[str], str] = random_id,
) -> RunningSandbox:
    """
    Start a sandbox for a test suite and return once it answers.

    Args:
        port: 0 for any free one.
        state_file: See ``serve``.
        clock: Epoch seconds.
        new_id: Prefix → id.

    Raises:
        UsageError: See ``serve``.
    """
    return RunningSandbox(_make_sandbox(state_file, config, clock, new_id), host, port)


class _Protocol(H11Protocol):
    """Lets the application reach its connection, to close it where an answer must not arrive."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as its parent does
        super().connection_made(transport)
        self.app_state = {**self.app_state, TRANSPORT: transport}


class _Server(uvicorn.Server):
    """uvicorn, silent, telling when it is ready, and returning from a signal instead of raising it again."""

    def __init__(self, sandbox: Sandbox, on_ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                make_app(sandbox),
                http=_Protocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=_STOP_SECONDS,
            )
        )
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen, then say so."""
        await super().startup(sockets)
        self._on_ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Stop on a signal, and leave it at that."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()


def _make_sandbox(
    state_file: Path | str | None,
    config: SandboxConfig | None,
    clock: Callable[[], float] = wall_clock,
    new_id: Callable[[str], str] = random_id,
) -> Sandbox:
    storage: Storage = NoStorage() if state_file is None else FileStorage(state_file)
    return Sandbox(config, storage=storage, clock=clock, new_id=new_id)


def _listen(host: str, port: int) -> socket.socket:
    if not is_loopback(host):
        raise UsageError(f"The sandbox listens on this machine only, not on {host}. Use 127.0.0.1.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise UsageError(f"The sandbox cannot listen on {host} port {port}: {error.strerror}.") from None
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
