"""The fixture that both suites share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.foreign.process import ForeignServer

StartServer = Callable[..., ForeignServer]


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """Return a function that starts a foreign server with the given options; it dies with the test."""
    started: list[ForeignServer] = []

    def start(*options: str) -> ForeignServer:
        started.append(ForeignServer(tmp_path / f"server-{len(started)}.jsonl", *options))
        return started[-1]

    yield start
    for server in started:
        server.kill()
