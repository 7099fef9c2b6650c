"""
Who holds a claim, and whether that process is certainly gone.

A dead worker's claims may lapse at once instead of after their lease. "Dead" must be a fact: a process of another
machine, container or boot may still be sending, so it is never called dead here and its lease decides.
"""

from __future__ import annotations

import hashlib
import os
import socket
from pathlib import Path

_PROC = Path("/proc")


def make_owner(token: str) -> str:
    """
    Return who we are: ``host~place:pid@start:token``.

    Args:
        token: Anything that tells apart two runs of one process.

    Returns:
        ``place`` tells apart machines of one name, containers and boots, and ``start`` tells apart two processes that
        got the same pid. Both are left out where ``/proc`` does not give them.
    """
    return f"{_host()}:{_process(os.getpid())}:{token}"


def is_dead(owner: str) -> bool:
    """
    Return True only if *owner* was a process of this very host, and it is gone.

    Everything else is False: another host, a boot we do not know, an owner we cannot read, a system that cannot tell.
    """
    host, _, rest = owner.partition(":")
    process = rest.partition(":")[0]
    pid = process.partition("@")[0]
    # os.kill(pid, 0) only asks on POSIX; on Windows it would send Ctrl-C.
    if host != _host() or not (pid.isascii() and pid.isdigit()) or int(pid) == 0 or os.name != "posix":
        return False
    if not _is_running(int(pid)):
        return True
    return "@" in process and "@" in (present := _process(int(pid))) and present != process


def _host() -> str:
    place = _place()
    return f"{socket.gethostname()}~{place}" if place else socket.gethostname()


def _place() -> str:
    """Return eight hexadecimal digits for this boot and this process namespace, or an empty text."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text()
        namespace = (_PROC / "self/ns/pid").readlink()
    except OSError:
        return ""
    return hashlib.sha256(f"{boot}{namespace}".encode()).hexdigest()[:8]


def _process(pid: int) -> str:
    stat = _stat(pid)
    return f"{pid}@{stat[19]}" if stat else str(pid)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    stat = _stat(pid)
    return not stat or stat[0] not in {"Z", "X"}  # a zombie has ended, its parent has not looked yet


def _stat(pid: int) -> list[str]:
    """
    Return the fields after the process name: state first, start time in clock ticks since boot at index 19.

    Source:
        proc_pid_stat(5)
    """
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return []
    # The name stands in brackets and may itself hold spaces and brackets.
    return text.rpartition(")")[2].split()
