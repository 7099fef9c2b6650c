"""What the server remembers: requests, commits and stored answers, in memory and in a file that survives it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Line = dict[str, Any]


class Journal:
    """
    An append-only list of lines, each written whole before the answer it belongs to leaves.

    A commit and the answer stored under its idempotency key are one line, so a kill cannot part them.

    Attributes:
        requests: Every request of the API, in order of arrival.
        stored: Everything that ran: the answer under its idempotency key and the commit, if it made one.
    """

    def __init__(self, path: Path | None) -> None:
        self.requests: list[Line] = []
        self.stored: list[Line] = []
        if path is not None and path.exists():
            for text in path.read_text(encoding="utf-8").splitlines():
                self._keep(json.loads(text))
        self._file = None if path is None else path.open("a", encoding="utf-8")

    @property
    def commits(self) -> list[Line]:
        """Every effect: endpoint, record, idempotency key, form."""
        return [line["commit"] for line in self.stored if line["commit"] is not None]

    def add_request(self, line: Line) -> None:
        """Remember one request."""
        self._write({"kind": "request", **line})

    def add_stored(self, line: Line) -> None:
        """Remember one answer and what was committed with it."""
        self._write({"kind": "stored", **line})

    def _write(self, line: Line) -> None:
        self._keep(line)
        if self._file is not None:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()

    def _keep(self, line: Line) -> None:
        (self.requests if line["kind"] == "request" else self.stored).append(line)
