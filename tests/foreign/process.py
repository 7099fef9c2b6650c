"""Start, question and kill a foreign server from a test."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

ROOT = Path(__file__).resolve().parents[2]


class ForeignServer:
    """
    One server process. Its state outlives it when it has a state file.

    Attributes:
        url: Where it listens; the same after ``restart``.
    """

    def __init__(self, state_file: Path, *options: str) -> None:
        self._state_file = state_file
        self._options = options
        self._process: subprocess.Popen[str] | None = None
        self.url = ""
        self.start()

    @property
    def port(self) -> int:
        """The port it listens on."""
        port = urlsplit(self.url).port
        assert port is not None
        return port

    def start(self, *options: str) -> None:
        """Start, on the same port as before if it ran before. *options* replace those it was made with."""
        self._options = options or self._options
        port = self.port if self.url else 0
        command = [sys.executable, "-m", "tests.foreign.server", f"--port={port}", f"--state-file={self._state_file}"]
        self._process = subprocess.Popen(
            [*command, *self._options], cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        assert self.url, "the foreign server did not start"

    def kill(self) -> None:
        """Kill it as ``kill -9`` does."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def restart(self, *options: str) -> None:
        """Kill it and start it again on the same port with the same state."""
        self.kill()
        self.start(*options)

    def log(self) -> list[dict[str, Any]]:
        """Return every request it saw."""
        log: list[dict[str, Any]] = self._ask("/__log")
        return log

    def requests(self) -> int:
        """Return how many requests it saw."""
        return int(self._ask("/__count"))

    def commits(self, endpoint: str = "report_payment") -> list[dict[str, Any]]:
        """Return every effect of *endpoint*."""
        return [commit for commit in self._ask("/__commits") if commit["endpoint"] == endpoint]

    def payments(self) -> Counter[str]:
        """Return how often each ``payment_reference`` was recorded."""
        forms = (commit["form"] for commit in self.commits())
        return Counter(form["processor_details"]["custom"]["payment_reference"] for form in forms)

    def stamped(self) -> Counter[str]:
        """Return how often each ``metadata[payrecords_key]`` was recorded."""
        return Counter(commit["form"]["metadata"]["payrecords_key"] for commit in self.commits())

    def _ask(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:  # noqa: S310 - our own loopback URL
            return json.load(answer)


def form_of(line: dict[str, Any]) -> dict[str, str]:
    """Return the form of a log line as flat names."""
    return dict(parse_qsl(line["form"], keep_blank_values=True))
