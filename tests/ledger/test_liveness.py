"""A worker is dead only if that is certain."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from airflow_provider_payrecords.ledger import liveness
from airflow_provider_payrecords.ledger.liveness import is_dead, make_owner

SHOW_OWNER = "from airflow_provider_payrecords.ledger.liveness import make_owner; print(make_owner('t'), flush=True); "


@pytest.fixture
def no_proc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(liveness, "_PROC", tmp_path)


def ended_process() -> str:
    done = subprocess.run([sys.executable, "-c", SHOW_OWNER], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


def test_an_owner_names_host_process_and_token() -> None:
    host, process, token = make_owner("run-7").split(":")
    assert host.startswith(socket.gethostname())
    assert process.partition("@")[0] == str(os.getpid())
    assert token == "run-7"


def test_we_are_alive() -> None:
    assert not is_dead(make_owner("t"))


def test_a_process_that_ended_is_dead() -> None:
    assert is_dead(ended_process())


def test_a_process_that_ended_is_dead_also_where_there_is_no_proc(no_proc: None) -> None:
    owner = make_owner("t")
    assert owner == f"{socket.gethostname()}:{os.getpid()}:t"
    assert not is_dead(owner)
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert is_dead(f"{socket.gethostname()}:{process.pid}:t")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to see zombies")
def test_a_killed_process_is_dead_before_its_parent_has_looked() -> None:
    command = [sys.executable, "-c", SHOW_OWNER + "import signal; signal.pause()"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        owner = process.stdout.readline().strip()
        assert not is_dead(owner)
        process.send_signal(signal.SIGKILL)
        process.stdout.read()  # ends when the process does
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert is_dead(owner)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to know when a process began")
def test_a_pid_that_was_used_again_is_not_the_old_process() -> None:
    host, process, token = make_owner("t").split(":")
    pid, _, start = process.partition("@")
    assert is_dead(f"{host}:{pid}@{int(start) - 1}:{token}")


def test_an_owner_without_start_time_is_alive_while_its_pid_is() -> None:
    host = make_owner("t").split(":")[0]
    assert not is_dead(f"{host}:{os.getpid()}:t")


def test_a_process_of_another_user_is_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int, number: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    assert not is_dead(make_owner("t"))


@pytest.mark.parametrize("host", ["elsewhere", f"{socket.gethostname()}~00000000", ""])
def test_a_process_of_another_host_container_or_boot_is_never_called_dead(host: str) -> None:
    assert not is_dead(f"{host}:{ended_process().split(':')[1]}:t")


@pytest.mark.parametrize("rest", ["", ":", ":x:t", ":-1:t", ":0:t", ":1.5:t", ":@1:t", ":\u0661:t"])
def test_an_owner_that_cannot_be_read_is_never_called_dead(rest: str) -> None:
    assert not is_dead(make_owner("t").split(":")[0] + rest)


def test_a_number_no_process_can_have_is_dead() -> None:
    assert is_dead(f"{make_owner('t').split(':')[0]}:{10**30}:t")


def test_a_system_that_cannot_ask_never_calls_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    owner = ended_process()
    monkeypatch.setattr(os, "name", "nt")
    assert not is_dead(owner)
