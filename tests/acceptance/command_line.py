"""The product as a user meets it: a process with arguments, an exit code and two streams."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.foreign.process import ForeignServer

API_KEY = "sk_test_acceptanceKey51Hx"
MODULE = (sys.executable, "-m", "airflow_provider_payrecords")
SCRIPT = (str(Path(sys.executable).parent / "payrecords"),)
TIMEOUT_SECONDS = 100


@dataclass(frozen=True)
class Result:
    """How a process ended."""

    exit_code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """What ``--json`` printed, which must be all of the standard output."""
        value: dict[str, Any] = json.loads(self.out)
        return value

    def expect(self, *exit_codes: int) -> None:
        """Fail, showing everything it said, unless it ended with one of *exit_codes*."""
        if self.exit_code not in exit_codes:
            raise AssertionError(f"exit code {self.exit_code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}")


class Workspace:
    """A folder with one extract, mapping, ledger and results file, and the command lines that use them."""

    def __init__(self, folder: Path, ledger_url: str | None = None) -> None:
        """
        Args:
            ledger_url: Of a PostgreSQL ledger; without it the ledger is a SQLite file in the folder.
        """
        self.folder = folder
        self.extract = folder / "extract.csv"
        self.mapping = folder / "mapping.yaml"
        self.ledger = folder / "ledger.db"
        self.results = folder / "results.jsonl"
        self._ledger_url = ledger_url

    @property
    def ledger_url(self) -> str:
        """Where the ledger is."""
        return self._ledger_url or f"sqlite:///{self.ledger}"

    def report_arguments(self, api_base: str, *options: str, api_key: str = API_KEY) -> list[str]:
        """Return the arguments of the usual ``report``; later *options* win."""
        return ["report", *self._common(api_base, api_key), "--rate=500", "--concurrency=16", *options]

    def plan_arguments(self, api_base: str) -> list[str]:
        """Return the arguments of the usual ``plan``."""
        return ["plan", *self._common(api_base, API_KEY)]

    def _common(self, api_base: str, api_key: str) -> list[str]:
        files = [f"--mapping={self.mapping}", f"--ledger={self.ledger_url}", f"--results={self.results}"]
        return [str(self.extract), *files, f"--api-base={api_base}", f"--api-key={api_key}", "--json"]

    def report(self, api_base: str, *options: str) -> Result:
        """Run ``report`` to its end."""
        return self.run(self.report_arguments(api_base, *options))

    def run(
        self,
        arguments: Sequence[str],
        command: Sequence[str] = MODULE,
        before: Callable[[], None] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Result:
        """Run any command line to its end; see ``start``."""
        return finish(self.start(arguments, command, before, environment))

    def start(
        self,
        arguments: Sequence[str],
        command: Sequence[str] = MODULE,
        before: Callable[[], None] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[str]:
        """Start a process in a group of its own. *before* runs in the child."""
        return subprocess.Popen(
            [*command, *arguments],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C.UTF-8", **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,
            preexec_fn=before,
        )

    def result_lines(self) -> list[dict[str, Any]]:
        """Return the results file."""
        return [json.loads(line) for line in self.results.read_text(encoding="utf-8").splitlines()]

    def entries(self) -> list[dict[str, Any]]:
        """Return the ledger's entries, read with nothing but the database library."""
        if self.ledger_url.startswith("postgresql"):
            with psycopg.connect(self.ledger_url, row_factory=dict_row) as server:
                return server.execute('SELECT * FROM entries ORDER BY key COLLATE "C"').fetchall()
        with closing(sqlite3.connect(self.ledger)) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute("SELECT * FROM entries ORDER BY key")]

    def ledger_ids(self) -> dict[str, str]:
        """Return key → Payment Record id of the confirmed entries."""
        return {entry["key"]: entry["payment_record"] for entry in self.entries() if entry["state"] == "confirmed"}

    def everything_on_disk(self) -> bytes:
        """Return the bytes of every file but the extract: ledger, its log, results and whatever else was left."""
        files = (path for path in self.folder.rglob("*") if path.is_file() and path.suffix != ".tape")
        return b"".join(path.read_bytes() for path in files if path not in (self.extract, self.mapping))


def finish(process: subprocess.Popen[str], timeout_seconds: float = TIMEOUT_SECONDS) -> Result:
    """Wait for a process; one that hangs is killed and fails the test."""
    try:
        out, err = process.communicate(timeout=timeout_seconds)
    except subprocess.TimeoutExpired:
        kill_group(process)
        out, err = process.communicate()
        raise AssertionError(f"The command did not end in {timeout_seconds} s.\n{out}\n{err}") from None
    return Result(process.returncode, out, err)


def kill_group(process: subprocess.Popen[str]) -> None:
    """Kill a process and its children as ``kill -9`` does."""
    os.killpg(process.pid, signal.SIGKILL)


def wait_until(is_so: Callable[[], bool], what: str, seconds: float = 30) -> None:
    """Ask until it is so, with a deadline."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise AssertionError(f"Still waiting after {seconds} s: {what}")
        time.sleep(0.005)


def wait_for_requests(server: ForeignServer, process: subprocess.Popen[str], requests: int) -> None:
    """Wait until *server* saw so many requests, or the process that makes them has ended."""
    wait_until(
        lambda: server.requests() >= requests or process.poll() is not None, f"{requests} requests at the server"
    )
