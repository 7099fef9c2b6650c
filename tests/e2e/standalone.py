"""``make airflow`` as a process, and its REST API as a person with a browser reaches it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

START_SECONDS = 300
RUN_SECONDS = 300


class Standalone:
    """An Airflow with the example DAGs, and the sandbox they are wired to."""

    def __init__(self, base: str, sandbox: str, home: Path) -> None:
        self.base = base
        self.sandbox = sandbox
        self.ledger = home / "ledger.db"
        token = httpx.get(f"{base}/auth/token", timeout=60).json()["access_token"]
        self._client = httpx.Client(base_url=f"{base}/api/v2", headers={"Authorization": f"Bearer {token}"}, timeout=60)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Make one call of the REST API."""
        answer = self._client.request(method, path, json=body)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json() if answer.content else None

    def trigger(self, dag_id: str, conf: dict[str, Any] | None = None) -> str:
        """Start a run by hand, and return its id."""
        place, body = f"/dags/{dag_id}/dagRuns", {"logical_date": None, "conf": conf or {}}
        for _ in range(10):
            answer = self._client.post(place, json=body)
            if answer.status_code != httpx.codes.INTERNAL_SERVER_ERROR:
                break
            time.sleep(1)  # Airflow's database here is SQLite, which a busy scheduler keeps locked
        assert answer.is_success, f"{place}: {answer.status_code} {answer.text[:500]}"
        return str(answer.json()["dag_run_id"])

    def state(self, dag_id: str, run_id: str) -> str:
        """Return the state of a run."""
        return str(self.ask("GET", f"/dags/{dag_id}/dagRuns/{quote(run_id)}")["state"])

    def finish(self, dag_id: str, run_id: str) -> str:
        """Wait for the end of a run, and return its state."""
        return str(wait_for(lambda: self._ended(dag_id, run_id), f"the end of {dag_id}"))

    def _ended(self, dag_id: str, run_id: str) -> str | None:
        state = self.state(dag_id, run_id)
        return state if state in ("success", "failed") else None

    def task(self, dag_id: str, run_id: str, task_id: str) -> dict[str, Any]:
        """Return one task instance."""
        found: dict[str, Any] = self.ask("GET", f"/dags/{dag_id}/dagRuns/{quote(run_id)}/taskInstances/{task_id}")
        return found

    def xcom(self, dag_id: str, run_id: str, task_id: str, key: str = "return_value") -> Any:
        """Return an XCom as JSON."""
        place = f"/dags/{dag_id}/dagRuns/{quote(run_id)}/taskInstances/{task_id}/xcomEntries/{key}"
        return self.ask("GET", place)["value"]

    def asset_events(self) -> list[dict[str, Any]]:
        """
        Return what the tasks told of their outlets.

        Airflow answers 500 while a run that such an event started is queued: its answer must hold the run's start.
        """
        place = "/assets/events?limit=100&order_by=-timestamp"
        answer = wait_for(lambda: self._unless_failing(place), "the asset events")
        found: list[dict[str, Any]] = answer["asset_events"]
        return found

    def _unless_failing(self, place: str) -> Any:
        answer = self._client.get(place)
        return None if answer.status_code == httpx.codes.INTERNAL_SERVER_ERROR else answer.raise_for_status().json()

    def journal(self) -> list[dict[str, Any]]:
        """Return every effect that the sandbox recorded."""
        lines: list[dict[str, Any]] = []
        while True:
            page = httpx.get(f"{self.sandbox}/_sandbox/journal", params={"after": len(lines)}, timeout=30).json()
            lines += page["data"]
            if not page["has_more"]:
                return lines


def wait_for(found: Any, what: str, seconds: float = RUN_SECONDS) -> Any:
    """Ask until there is an answer."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = found()
        if answer:
            return answer
        time.sleep(1)
    raise AssertionError(f"{what} did not come within {seconds:.0f} seconds")


@contextmanager
def standalone(home: Path) -> Iterator[Standalone]:
    """Start what ``make airflow`` starts, in a folder of its own, and end all of it."""
    command = [
        sys.executable,
        "-m",
        "airflow_provider_payrecords",
        "demo",
        "--serve",
        "--home",
        str(home),
        "--port",
        "0",
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    log = home / "serve.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream, env=environment, start_new_session=True)
    try:
        yield Standalone(*wait_for(lambda: _addresses(process, log), "Airflow", START_SECONDS), home)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def _addresses(process: subprocess.Popen[bytes], log: Path) -> tuple[str, str] | None:
    text = log.read_text("utf-8", errors="replace")
    assert process.poll() is None, text[-2000:]
    base = re.search(r"^Airflow\s+(http\S+)", text, re.MULTILINE)
    sandbox = re.search(r"^The sandbox\s+(http\S+?)/_sandbox", text, re.MULTILINE)
    return (base[1], sandbox[1]) if base and sandbox and "Ctrl-C" in text else None
