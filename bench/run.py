"""Starts the server and the contenders, each in a process of its own, and judges what came of a job."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bench.child import TOLD
from bench.contenders import CONTENDERS
from bench.payments import write_extract

TOP = Path(__file__).resolve().parent.parent
TIMEOUT_SECONDS = 900.0
AIRFLOW = {"AIRFLOW__CORE__LOAD_EXAMPLES": "False", "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR"}


@dataclass(frozen=True)
class Scenario:
    """
    What the server does, and how the job is done.

    Attributes:
        limit: Requests a second that the server lets through; None for all.
        seed: Seed of the server's trouble; None for none.
        runs: How often the job is done: a task that failed is tried again, and does all of it again.
    """

    name: str
    concurrency: int
    rows: int
    limit: int | None = None
    seed: int | None = None
    runs: int = 1


@dataclass(frozen=True)
class Measured:
    """
    One job of one contender.

    Attributes:
        rows: Payments of the job.
        lost: Payments of which the contender has no id and no question: what it takes for failed, or forgot.
        unseen: Those of them of which there is a record.
        twice: Records beyond the first of a payment.
        wrong: Ids that are not the payment's.
        review: Payments that the contender wants a person to look at.
        server_share: Part of the time for which the server was busy: near 1 means that it was what was measured.
    """

    rows: int
    wall_seconds: float
    cpu_seconds: float
    peak_mb: float
    start_mb: float
    connections: int
    requests: int
    throttled: int
    server_share: float
    lost: int
    unseen: int
    twice: int
    wrong: int
    review: int
    errors: dict[str, int]

    @property
    def rate(self) -> float:
        """Payments a second."""
        return self.rows / self.wall_seconds

    @property
    def cpu_ms_per_1000(self) -> float:
        """Milliseconds of the client's processor for a thousand rows."""
        return self.cpu_seconds * 1e6 / self.rows


@dataclass(frozen=True)
class Server:
    """Addresses of the running server."""

    base: str
    control: str


@contextmanager
def running_server(core: int | None) -> Iterator[Server]:
    """Start the server on a core of its own, and end it."""
    command = [sys.executable, "-m", "bench.server"]
    with subprocess.Popen(command, cwd=TOP, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101 - asked for above
        if core is not None:
            os.sched_setaffinity(process.pid, {core})
        ports = json.loads(process.stdout.readline())
        try:
            yield Server(*(f"http://127.0.0.1:{ports[name]}" for name in ("api", "control")))
        finally:
            process.kill()


def measure(server: Server, name: str, scenario: Scenario, core: int | None) -> Measured:
    """
    Let one contender do the job of *scenario* and judge what came of it.

    Raises:
        RuntimeError: The contender's process failed; its last words are in the message.
    """
    rows = max(1, round(scenario.rows * CONTENDERS[name].share))
    with tempfile.TemporaryDirectory(prefix="payrecords-bench-") as folder:
        extract = Path(folder) / "extract.csv"
        references = write_extract(extract, rows)
        asked = {
            "base": server.base,
            "control": server.control,
            "new": "/new?" + urlencode({k: v for k, v in _trouble(scenario).items() if v is not None}),
            "extract": str(extract),
            "folder": folder,
            "concurrency": scenario.concurrency,
            "runs": scenario.runs,
            "core": core,
        }
        return judge(references, _run(name, asked, Path(folder)))


def judge(references: list[str], told: dict[str, Any]) -> Measured:
    """Compare what the contender knows with what the server did."""
    outcome, book = told["outcome"], told["book"]
    ids, records = outcome["ids"], book["records"]
    lost = [one for one in references if one not in ids and one not in outcome["review"]]
    return Measured(
        rows=len(references),
        wall_seconds=told["wall"],
        cpu_seconds=told["cpu"],
        peak_mb=told["peak_mb"],
        start_mb=told["start_mb"],
        connections=book["connections"],
        requests=book["requests"],
        throttled=book["counts"].get("status 429", 0),
        server_share=book["cpu_seconds"] / told["wall"],
        lost=len(lost),
        unseen=sum(one in records for one in lost),
        twice=sum(len(made) - 1 for made in records.values()),
        wrong=sum(one not in records.get(reference, ()) for reference, one in ids.items()),
        review=len(outcome["review"]),
        errors=outcome["errors"],
    )


def _trouble(scenario: Scenario) -> dict[str, int | None]:
    return {"limit": scenario.limit, "seed": scenario.seed}


def _run(name: str, asked: dict[str, Any], folder: Path) -> dict[str, Any]:
    environment = {one: value for one, value in os.environ.items() if not one.startswith(("AIRFLOW", "PAYRECORDS_"))}
    environment |= AIRFLOW | {"AIRFLOW_HOME": str(folder / "airflow"), "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(
        [sys.executable, "-m", "bench.child", name, json.dumps(asked)],
        cwd=TOP,
        env=environment,
        text=True,
        capture_output=True,
        check=False,
        timeout=TIMEOUT_SECONDS,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{name} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    told: dict[str, Any] = json.loads((folder / TOLD).read_text("utf-8"))
    return told
