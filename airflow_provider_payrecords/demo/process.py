"""Processes of the demo: each in a session of its own, so that all of it can be ended, also by the next demo."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from airflow_provider_payrecords.core.errors import PayRecordsError

_TAIL_LINES = 15


class DemoError(PayRecordsError):
    """A process of the demo failed. Its log says more."""


class Child:
    """
    One process and all it starts. A context manager that ends it.

    Args:
        name: Names its log and its pid file.
        patience_seconds: How long it may take to end once it was asked.
        talks: Its first line is wanted. What any other prints goes to its log.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        *,
        patience_seconds: float = 10,
        talks: bool = False,
    ) -> None:
        self.name = name
        self.log = folder / "logs" / f"{name}.log"
        self._pid_file = folder / f"{name}.pid"
        self._patience_seconds = patience_seconds
        end_leftover(self._pid_file)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own command
                command,
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if talks else log,
                stderr=log,
                start_new_session=True,
            )
        self._pid_file.write_text(json.dumps({"pid": self.process.pid, "started": _start_of(self.process.pid)}))

    def first_line(self, within_seconds: float) -> str:
        """
        Return the first line it prints.

        Raises:
            DemoError: It ended, or was silent for too long.
        """
        stream = self.process.stdout
        assert stream is not None  # noqa: S101 - it was made to talk
        with selectors.DefaultSelector() as selector:
            selector.register(stream, selectors.EVENT_READ)
            line = stream.readline().decode() if selector.select(within_seconds) else ""
        if not line:
            raise self.failure("did not start")
        return line

    def failure(self, what: str) -> DemoError:
        """Return the error that shows the end of the log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL_LINES:]
        return DemoError(f"The {self.name} of the demo {what}. Its log is {self.log} and ends: {' / '.join(lines)}")

    def stop(self) -> None:
        """Ask it to end, wait, and end whatever is left of its session."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGINT)
        # A second Ctrl-C means: do not wait.
        with contextlib.suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
            self.process.wait(self._patience_seconds)
        _kill_session(self.process.pid)
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self._pid_file.unlink(missing_ok=True)

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def run_to_its_end(name: str, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
    """
    Run a process and wait.

    Raises:
        DemoError: It failed.
    """
    with Child(name, command, folder, environment) as child:
        child.process.wait()
        if child.process.returncode != 0:
            raise child.failure("failed")


def end_leftover(pid_file: Path) -> None:
    """End the processes that a demo left behind when it was killed, if it is certainly that one."""
    try:
        known = json.loads(pid_file.read_text())
        pid, started = int(known["pid"]), known["started"]
    except (OSError, ValueError, TypeError, KeyError):
        return
    if started and _start_of(pid) == started:
        _kill_session(pid)
    pid_file.unlink(missing_ok=True)


def _start_of(pid: int) -> str | None:
    """Return when *pid* was started, in clock ticks since boot, or None where the system does not tell."""
    facts = _facts(str(pid))
    return facts[19] if facts else None


def _kill_session(leader: int) -> None:
    # Airflow gives each task a group of its own; its session is still ours.
    members = [int(name) for name in _processes() if (facts := _facts(name)) and facts[3] == str(leader)]
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
    for member in members:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(member, signal.SIGKILL)


def _processes() -> list[str]:
    """Return the running processes, or none where the system does not tell."""
    return [path.name for path in Path("/proc").glob("[0-9]*")]


def _facts(pid: str) -> list[str]:
    """Return what ``/proc/<pid>/stat`` says from the state on: 1 is the parent, 3 the session, 19 the start."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
