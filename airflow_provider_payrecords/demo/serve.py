"""``payrecords demo --serve``: Airflow's own pages with the example DAGs, wired to the sandbox, until Ctrl-C."""

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from airflow_provider_payrecords.cli import console
from airflow_provider_payrecords.demo.place import (
    AIRFLOW_CHILD,
    EXAMPLE_DAG,
    Place,
    environment,
    find_place,
    free_port,
    need_airflow,
    only_one,
)
from airflow_provider_payrecords.demo.process import Child, run_to_its_end
from airflow_provider_payrecords.demo.sandbox import running

START_SECONDS = 180
_POLL_SECONDS = 1.0
_PARTS = ("metadatabase", "scheduler", "triggerer", "dag_processor")


def serve(home: Path | None, port: int) -> None:
    """
    Serve until a signal.

    Args:
        port: Of Airflow's pages; 0 for any free one.

    Raises:
        UsageError: There are no example DAGs here, or no Airflow, or another demo runs in this folder.
        DemoError: The sandbox or Airflow failed.
    """
    need_airflow()
    place = find_place(home)
    with only_one(place), running(place) as sandbox:
        base = f"http://localhost:{port or free_port()}"
        variables = _variables(place, sandbox.url, base)
        console.note(f"The sandbox answers at {sandbox.url}. Airflow starts (up to a minute) …")
        run_to_its_end("airflow", [sys.executable, "-m", AIRFLOW_CHILD], place.home, variables)
        command = [sys.executable, "-m", "airflow", "standalone"]
        with Child("airflow", command, place.home, variables, patience_seconds=20) as child:
            _wait_until_healthy(child, base)
            _tell(base, sandbox.url, place)
            _wait_for_the_end(child)
            raise child.failure("ended by itself")


def _variables(place: Place, sandbox_url: str, base: str) -> dict[str, str]:
    """Return the environment that lets a whole Airflow run beside others, on this machine only."""
    return {
        **environment(place, sandbox_url),
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": base.rpartition(":")[2],
        "AIRFLOW__API__BASE_URL": base,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{base}/execution/",
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "30",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port()),
    }


def _wait_until_healthy(child: Child, base: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _is_healthy(base):
        if child.process.poll() is not None:
            raise child.failure("ended while it started")
        if time.monotonic() > deadline:
            raise child.failure(f"was not healthy after {START_SECONDS} seconds")
        time.sleep(_POLL_SECONDS)
    # The first task is slow, and may be tried twice, unless this part was built before.
    _ask(f"{base}/execution/health")


def _wait_for_the_end(child: Child) -> None:
    try:
        child.process.wait()
    except KeyboardInterrupt:
        console.note("Stopping (up to 25 seconds; once more ends it at once) …")
        raise


def _is_healthy(base: str) -> bool:
    health = _ask(f"{base}/api/v2/monitor/health") or {}
    return all((health.get(part) or {}).get("status") == "healthy" for part in _PARTS)


def _ask(url: str, token: str | None = None) -> dict[str, Any] | None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:  # noqa: S310 - loopback
            found: dict[str, Any] = json.load(answer)
            return found
    except (urllib.error.URLError, OSError, ValueError):
        return None


def _tell(base: str, sandbox_url: str, place: Place) -> None:
    console.say(f"Airflow         {base}  (no login)")
    console.say(f"An example      {base}/dags/{EXAMPLE_DAG}")
    console.say(f"The sandbox     {sandbox_url}/_sandbox/journal")
    console.say(f"The ledger      payrecords status --ledger {place.ledger}")
    console.say("Ctrl-C stops everything; what was reported stays.")
    for name, error in _import_errors(base):
        console.note(f"error: {name} cannot be imported: {error}")
    console.flush()


def _import_errors(base: str) -> list[tuple[str, str]]:
    token = (_ask(f"{base}/auth/token") or {}).get("access_token")
    listed = (_ask(f"{base}/api/v2/importErrors", token) or {}).get("import_errors", [])
    return [(one["filename"], one["stack_trace"].strip().rpartition("\n")[2]) for one in listed]
