"""Processes by what they belong to, as Linux tells it."""

from __future__ import annotations

import contextlib
import os
import signal

import psutil


def session_of(leader: int) -> list[psutil.Process]:
    """Return the processes of the session that *leader* began and that have not ended."""
    return [one for one in psutil.process_iter() if _session(one.pid) == leader and is_alive(one)]


def is_alive(process: psutil.Process) -> bool:
    """Say whether *process* still runs: a zombie does not."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def task_of(process: psutil.Process) -> str | None:
    """Return the id of the task instance that *process* runs, by the title that Airflow gives it."""
    with contextlib.suppress(psutil.NoSuchProcess):
        title = " ".join(process.cmdline()).split()
        if title[:3] == ["airflow", "worker", "--"]:
            return title[3]
    return None


def kill(processes: list[psutil.Process]) -> None:
    """End *processes* as ``kill -9`` does, and see them gone."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs(processes, timeout=30)
    assert not [one for one in alive if is_alive(one)], "processes outlive kill -9"


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None
