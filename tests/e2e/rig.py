"""
Airflow as a company runs it: PostgreSQL, Redis, a scheduler and two Celery workers, all on this machine.

Every process has a session of its own and ends with the ``with`` block, whatever happened in it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import psutil
import psycopg
from psycopg.rows import dict_row

from airflow_provider_payrecords.demo.place import SANDBOX_KEY, free_port
from airflow_provider_payrecords.demo.process import Child
from tests.e2e.family import session_of, task_of

T = TypeVar("T")
AIRFLOW = (sys.executable, "-m", "airflow")
DAGS = Path(__file__).parent / "celery_dags"
WORKERS = ("worker-1", "worker-2")
PARTS = ("metadatabase", "scheduler", "triggerer", "dag_processor")
SLOTS = 2
START_SECONDS = 180
HEARTBEAT_TIMEOUT_SECONDS = 20
_NOT_HANDED_ON = ("AIRFLOW", "_AIRFLOW", "STRIPE_", "PAYRECORDS_", "PYTHONDONTWRITEBYTECODE")


def wait_for(found: Callable[[], T], what: str, seconds: float = 240) -> T:
    """Ask until there is an answer, with a deadline."""
    deadline = time.monotonic() + seconds
    while not (answer := found()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come within {seconds:.0f} seconds")
        time.sleep(0.1)
    return answer


class Rig:
    """
    The running processes and what a test asks them.

    Args:
        server: URL of a PostgreSQL server; it gets a database for Airflow and one for the ledger.
    """

    def __init__(self, folder: Path, server: str, stack: ExitStack) -> None:
        (folder / "logs").mkdir()
        self.folder = folder
        self._stack = stack
        self._ports = {"redis": free_port(), "api": free_port()}
        self._databases = {name: _make_database(server, name) for name in ("airflow", "ledger")}
        self.broker = f"redis://127.0.0.1:{self._ports['redis']}/0"
        self.base = f"http://localhost:{self._ports['api']}"
        self.sandbox = ""
        self.workers: dict[str, Child] = {}
        self._airflow: list[Child] = []
        self._client = httpx.Client(timeout=60)
        stack.callback(self._client.close)

    def start(self) -> None:
        """Start everything, and wait until all of it says that it is well."""
        self._child("redis", _redis(self._ports["redis"]))
        self.sandbox = self._start_sandbox()
        migrate = self._child("migrate", [*AIRFLOW, "db", "migrate"])
        migrate.process.wait()
        if migrate.process.returncode != 0:
            raise migrate.failure("failed")
        api = self._start("api-server", *AIRFLOW, "api-server")
        self._start("dag-processor", *AIRFLOW, "dag-processor")
        self._start("triggerer", *AIRFLOW, "triggerer", "--skip-serve-logs")
        self._start("scheduler", *AIRFLOW, "scheduler", "--skip-serve-logs")
        for name in WORKERS:
            self.start_worker(name)
        wait_for(lambda: self._is_healthy(api), "a healthy Airflow", START_SECONDS)
        # The first task waits, and may be tried twice, unless this part was built before.
        self._client.get(f"{self.base}/execution/health")
        self._client.headers["Authorization"] = f"Bearer {self._token()}"
        wait_for(self._dags_are_there, "the DAGs", START_SECONDS)
        for name in WORKERS:
            self.wait_for_worker(name)

    def _token(self) -> str:
        return str(self._client.get(f"{self.base}/auth/token").json()["access_token"])

    def start_worker(self, name: str) -> None:
        """Start a worker, also again after it was killed."""
        command = ["celery", "worker", "--celery-hostname", f"{name}@here", "--skip-serve-logs"]
        self.workers[name] = self._start(name, *AIRFLOW, *command, "--without-mingle", "--without-gossip")

    def wait_for_worker(self, name: str) -> None:
        """Wait until a worker takes tasks."""
        log = self.workers[name].log
        wait_for(lambda: f"{name}@here ready" in log.read_text("utf-8", "replace"), f"{name}", START_SECONDS)

    def stop_taking_tasks(self, name: str) -> None:
        """Have a worker finish what it has, and take nothing new."""
        from celery import Celery

        with Celery(broker=self.broker) as app:
            answers = app.control.cancel_consumer("default", destination=[f"{name}@here"], reply=True, timeout=20)
        assert [answer[f"{name}@here"].get("ok") for answer in answers], answers

    def task_processes(self, name: str) -> dict[str, psutil.Process]:
        """Return the processes in which tasks of a worker run, each below its supervisor, by task instance id."""
        found = ((task_of(one), one) for one in session_of(self.workers[name].process.pid))
        return {task: process for task, process in found if task}

    def is_full(self, name: str, dag_id: str, run_id: str) -> bool:
        """Say whether all slots of a worker have tasks of a run, and Airflow knows that they run."""
        running = {task["id"] for task in self.tasks(dag_id, run_id) if task["state"] == "running"}
        processes = self.task_processes(name)
        return len(processes) == SLOTS and processes.keys() <= running

    def trigger(self, dag_id: str, **conf: Any) -> str:
        """Start a run, and return its id."""
        run = self._ask("POST", f"/dags/{dag_id}/dagRuns", {"logical_date": None, "conf": conf})
        return str(run["dag_run_id"])

    def state(self, dag_id: str, run_id: str) -> str:
        """Return the state of a run."""
        return str(self._ask("GET", f"/dags/{dag_id}/dagRuns/{quote(run_id)}")["state"])

    def finish(self, dag_id: str, run_id: str, seconds: float = 240) -> str:
        """Wait for the end of a run, and return its state."""
        wait_for(lambda: self.state(dag_id, run_id) in ("success", "failed"), f"the end of {dag_id}", seconds)
        return self.state(dag_id, run_id)

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Return the task instances of a run in the order of their map indexes."""
        found = self._ask("GET", f"/dags/{dag_id}/dagRuns/{quote(run_id)}/taskInstances")["task_instances"]
        return sorted(found, key=lambda one: int(one["map_index"]))

    def xcom(self, task: dict[str, Any], key: str = "return_value") -> Any:
        """Return what a task instance left."""
        run = f"/dags/{task['dag_id']}/dagRuns/{quote(task['dag_run_id'])}"
        place = f"{run}/taskInstances/{task['task_id']}/xcomEntries/{key}?map_index={task['map_index']}"
        return self._ask("GET", place)["value"]

    def journal(self, after: int = 0) -> list[dict[str, Any]]:
        """Return the effects that the sandbox recorded after line *after*, oldest first."""
        lines: list[dict[str, Any]] = []
        while True:
            query = {"after": after + len(lines)}
            page = self._client.get(f"{self.sandbox}/_sandbox/journal", params=query).json()
            lines += page["data"]
            if not page["has_more"]:
                return lines

    def entries(self) -> list[dict[str, Any]]:
        """Return the ledger's entries, read with nothing but the database library."""
        with psycopg.connect(self._databases["ledger"], row_factory=dict_row) as server:
            return server.execute("SELECT * FROM entries ORDER BY key").fetchall()

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._client.request(method, f"{self.base}/api/v2{path}", json=body)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    def _is_healthy(self, api: Child) -> bool:
        if api.process.poll() is not None:
            raise api.failure("ended")
        try:
            health = self._client.get(f"{self.base}/api/v2/monitor/health").json()
        except httpx.TransportError:
            return False
        return all((health.get(part) or {}).get("status") == "healthy" for part in PARTS)

    def _dags_are_there(self) -> bool:
        assert self._ask("GET", "/importErrors")["import_errors"] == []
        return {"eight_tasks", "one_task"} <= {dag["dag_id"] for dag in self._ask("GET", "/dags")["dags"]}

    def _start_sandbox(self) -> str:
        config = self.folder / "sandbox.json"
        config.write_text('{"rate_limits": null}')
        command = [sys.executable, "-m", "airflow_provider_payrecords", "sandbox", "--json", "--port", "0"]
        child = self._child("sandbox", [*command, "--config", str(config)], talks=True)
        return str(json.loads(child.first_line(START_SECONDS))["url"])

    def _start(self, name: str, *command: str) -> Child:
        """Start a part of Airflow."""
        self._airflow.append(self._child(name, command))
        return self._airflow[-1]

    def ask_all_to_end(self) -> None:
        """Let all of Airflow end at the same time; one after the other it takes half a minute."""
        for child in self._airflow:
            if child.process.poll() is None:
                child.process.send_signal(signal.SIGTERM)

    def _child(self, name: str, command: Any, *, talks: bool = False) -> Child:
        return self._stack.enter_context(Child(name, command, self.folder, self._environment(), talks=talks))

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_HANDED_ON)}
        airflow, ledger = self._databases["airflow"], self._databases["ledger"]
        connection = {"conn_type": "payrecords", "host": self.sandbox, "password": SANDBOX_KEY}
        settings = {
            "CORE__EXECUTOR": "CeleryExecutor",
            "CORE__DAGS_FOLDER": str(DAGS),
            "CORE__LOAD_EXAMPLES": "False",
            "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "CORE__EXECUTION_API_SERVER_URL": f"{self.base}/execution/",
            "API__HOST": "127.0.0.1",
            "API__PORT": str(self._ports["api"]),
            "API__BASE_URL": self.base,
            "API_AUTH__JWT_SECRET": "e2e-" * 16,
            "CELERY__BROKER_URL": self.broker,
            "CELERY__RESULT_BACKEND": airflow.replace("postgresql://", "db+postgresql://"),
            "CELERY__WORKER_CONCURRENCY": str(SLOTS),
            "DATABASE__SQL_ALCHEMY_CONN": airflow.replace("postgresql://", "postgresql+psycopg2://"),
            "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": str(HEARTBEAT_TIMEOUT_SECONDS),
            "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
            "WORKERS__MIN_HEARTBEAT_INTERVAL": "2",
            "WORKERS__EXECUTION_API_TIMEOUT": "30",
            "PAYRECORDS__LEDGER": ledger,
        }
        return {
            **kept,
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), kept.get("PATH", os.defpath))),
            "AIRFLOW_HOME": str(self.folder / "airflow"),
            "AIRFLOW_CONN_PAYRECORDS_DEFAULT": json.dumps({**connection, "extra": {"account": "e2e"}}),
            **{f"AIRFLOW__{name}": value for name, value in settings.items()},
        }


@contextmanager
def celery_rig(folder: Path, server: str) -> Iterator[Rig]:
    """Start all of it, and end all of it."""
    with ExitStack() as stack:
        rig = Rig(folder, server, stack)
        try:
            rig.start()
            yield rig
        finally:
            rig.ask_all_to_end()


def _redis(port: int) -> tuple[str, ...]:
    program = shutil.which("redis-server")
    assert program, "redis-server is not installed; `make e2e` says how"
    return (program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")


def _make_database(server: str, name: str) -> str:
    """Make a database on the server at a URL, anew, and return its URL."""
    with psycopg.connect(server, autocommit=True) as session:
        session.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
        session.execute(f"CREATE DATABASE {name}".encode())
    address, mark, query = server.partition("?")
    return f"{address.rpartition('/')[0]}/{name}{mark}{query}"
