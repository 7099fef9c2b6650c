"""Processes of the demo: each in a session of its own, so that all of it can be ended, also by the next demo."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from airflow_provider_payrecords.core.errors import PayRecordsError
from airflow_provider_payrecords.demo.signals import SIGNALS

_TAIL_LINES = 15
_POLL_SECONDS = 0.05
_PATIENCE_SECONDS = 5
_KILL_SECONDS = 5
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_running: list[Child] = []


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
        with SIGNALS.held(), self.log.open("wb") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own command
                command,
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if talks else log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_end_with_parent,  # safe: this process has one thread
            )
            _running.append(self)
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
        with SIGNALS.held():
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGINT)
            deadline = time.monotonic() + self._patience_seconds
            while self.process.poll() is None and time.monotonic() < deadline and not SIGNALS.is_urgent:
                time.sleep(_POLL_SECONDS)
            _kill_session(self.process.pid)
            self.process.wait()
            if self.process.stdout is not None:
                self.process.stdout.close()
            self._pid_file.unlink(missing_ok=True)
            if self in _running:
                _running.remove(self)

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


@contextlib.contextmanager
def all_ended() -> Iterator[None]:
    """Catch signals inside the block, and leave no process behind: a signal may come before its ``with`` is entered."""
    with SIGNALS.caught():
        try:
            yield
        finally:
            with SIGNALS.held():
                for child in reversed(_running[:]):
                    child.stop()


def run_to_its_end(name: str, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
    """
    Run a process and wait.

    Raises:
        DemoError: It failed.
    """
    with Child(name, command, folder, environment, patience_seconds=_PATIENCE_SECONDS) as child:
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


def _end_with_parent() -> None:
    """Have this new process asked to end when the demo is killed, where the system can do that."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


def _kill_session(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
    # Airflow gives each task a group of its own; its session is still ours. One may start another while we look.
    deadline = time.monotonic() + _KILL_SECONDS
    while (members := _members(leader)) and time.monotonic() < deadline:
        for member in members:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(member, signal.SIGKILL)
        time.sleep(_POLL_SECONDS)


def _members(leader: int) -> list[int]:
    """Return the processes of the session of *leader* that have not ended, as far as the system tells."""
    told = ((name, _facts(name)) for name in _processes())
    return [int(name) for name, facts in told if facts and facts[3] == str(leader) and facts[0] not in "ZX"]


def _processes() -> list[str]:
    """Return the running processes, or none where the system does not tell."""
    return [path.name for path in Path("/proc").glob("[0-9]*")]


def _facts(pid: str) -> list[str]:
    """Return what ``/proc/<pid>/stat`` says from the state (0) on: 1 is the parent, 3 the session, 19 the start."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
