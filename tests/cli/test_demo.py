"""``payrecords demo``: what it needs, what it leaves behind, and the whole story through Airflow."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest

from airflow_provider_payrecords.demo.place import SANDBOX_KEY, Place, environment, find_place, free_port
from airflow_provider_payrecords.demo.process import Child, DemoError, all_ended, end_leftover, run_to_its_end
from airflow_provider_payrecords.demo.sandbox import running
from airflow_provider_payrecords.demo.signals import SIGNALS, Signals
from airflow_provider_payrecords.demo.story import Story
from tests.cli.command import Result, finish, start
from tests.cli.conftest import Run

SLEEPER = [sys.executable, "-c", "import time; print('ready', flush=True); time.sleep(600)"]
DEAF = [sys.executable, "-c", f"import signal; signal.signal(2, signal.SIG_IGN)\n{SLEEPER[2]}"]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return find_place(tmp_path)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_another_demo_in_the_same_folder_is_refused(run: Run, tmp_path: Path) -> None:
    with (tmp_path / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        shown = run("demo", "--home", tmp_path)
    assert shown.exit_code == 2
    assert "Another demo is running" in shown.err


def test_without_airflow_it_says_so(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "sys.modules['airflow'] = None\n"
        "from airflow_provider_payrecords.cli.app import run\n"
        f"sys.exit(run(['demo', '--home', {str(tmp_path)!r}]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Airflow is not installed" in done.stderr


def test_its_airflow_gets_nothing_of_the_persons_own(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STRIPE_API_KEY", "AIRFLOW_CONN_OTHER", "AIRFLOW__CORE__EXECUTOR", "PAYRECORDS_LEDGER"):
        monkeypatch.setenv(name, "mine")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    variables = environment(place, "http://127.0.0.1:1")
    assert "mine" not in variables.values()
    assert "PYTHONDONTWRITEBYTECODE" not in variables
    connection = json.loads(variables["AIRFLOW_CONN_PAYRECORDS_DEFAULT"])
    assert (connection["host"], connection["extra"]) == ("http://127.0.0.1:1", {"account": "demo"})


def test_a_free_port_is_one() -> None:
    assert 1024 <= free_port() <= 65535


@pytest.mark.parametrize("command", [SLEEPER, DEAF], ids=["that obeys", "that does not listen"])
def test_a_process_that_is_not_needed_any_more_is_ended(place: Place, command: list[str]) -> None:
    with Child("sleeper", command, place.home, os.environ, patience_seconds=0.5, talks=True) as child:
        assert child.first_line(30) == "ready\n"
        assert (place.home / "sleeper.pid").exists()
    assert not is_running(child.process.pid)
    assert not (place.home / "sleeper.pid").exists()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the system does not tell who belongs together")
def test_what_it_started_in_another_group_is_ended_as_well(place: Place) -> None:
    # As Airflow does with every task.
    code = "import os, time\nchild = os.fork()\nif not child:\n  os.setpgid(0, 0)\n  time.sleep(600)\n"
    command = [sys.executable, "-c", f"{code}print(child, flush=True)\ntime.sleep(600)"]
    with Child("parent", command, place.home, os.environ, patience_seconds=0.5, talks=True) as child:
        task = int(child.first_line(30))
        assert is_running(task)
    deadline = time.monotonic() + 30
    while is_running(task) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_running(task)


def test_what_a_killed_demo_left_running_is_ended_by_the_next(place: Place) -> None:
    child = Child("sleeper", SLEEPER, place.home, os.environ, talks=True)
    child.first_line(30)
    end_leftover(place.home / "sleeper.pid")
    assert child.process.wait(30) == -signal.SIGKILL
    child.stop()


def test_a_pid_that_is_now_another_process_is_left_alone(place: Place) -> None:
    child = Child("sleeper", SLEEPER, place.home, os.environ, patience_seconds=0.5, talks=True)
    child.first_line(30)
    file = place.home / "sleeper.pid"
    file.write_text(json.dumps({"pid": child.process.pid, "started": "1"}))
    end_leftover(file)
    assert child.process.poll() is None
    child.stop()


@pytest.mark.parametrize("text", ["", "no json", "[]", "{}", '{"pid": "x", "started": 1}'])
def test_a_broken_pid_file_is_no_trouble(place: Place, text: str) -> None:
    file = place.home / "x.pid"
    file.write_text(text)
    end_leftover(file)
    end_leftover(place.home / "not there.pid")


def test_a_process_that_fails_shows_the_end_of_its_log(place: Place) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('what went wrong')"]
    child = Child("broken", command, place.home, os.environ, talks=True)
    with child, pytest.raises(DemoError, match="what went wrong"):
        child.first_line(30)


def test_a_process_that_prints_more_than_a_pipe_holds_goes_on_and_shows_it_when_it_fails(place: Place) -> None:
    # As Airflow does: nobody reads what it prints while the demo waits for it to be healthy.
    command = [sys.executable, "-c", "print('x' * 1_000_000); print('what it printed'); raise SystemExit(1)"]
    with pytest.raises(DemoError, match="what it printed"):
        run_to_its_end("loud", command, place.home, os.environ)


def test_what_the_examples_need_is_there(place: Place) -> None:
    for _ in range(2):
        with running(place) as sandbox, httpx.Client(base_url=sandbox.url, auth=(SANDBOX_KEY, "")) as client:
            assert client.get("/v1/invoices/in_Example").json()["amount_due"] == 4950
    cheques = json.loads(environment(place, "http://127.0.0.1:1")["AIRFLOW_CONN_PAYRECORDS_CHEQUES"])
    assert cheques == {"conn_type": "sqlite", "host": str(place.home / "cheques.db")}


def test_a_payment_recorded_twice_spoils_the_story() -> None:
    run = {"dag_id": "d", "run_id": "r", "state": "success", "xcoms": []}
    assert Story(run, Counter(), Counter(a=1, b=1)).is_good
    twice = Story(run, Counter(), Counter(a=1, b=2))
    assert (twice.is_good, twice.repeated) == (False, ["b"])
    assert not Story({**run, "state": "failed"}, Counter(), Counter(a=1)).is_good


def demo(home: Path, *options: str) -> Result:
    """Run the demo as a process; it takes longer than other commands."""
    process = start(["demo", "--home", str(home), *options], home)
    try:
        out, err = process.communicate(timeout=300)
    except subprocess.TimeoutExpired:
        process.terminate()
        raise AssertionError(f"The demo did not end.\n{finish(process)}") from None
    return Result(process.returncode, out, err)


@pytest.mark.e2e
@pytest.mark.airflow
def test_the_demo_reports_through_airflow_once_and_nothing_twice(tmp_path: Path) -> None:
    first = demo(tmp_path, "--json")
    assert first.exit_code == 0, first.err
    story = first.json
    (summary,) = story["summaries"]
    assert story["state"] == "success"
    assert summary["rows"] >= 200
    assert summary["new"] == story["payments_after"] == len(story["record_ids"]) == len(set(story["record_ids"]))
    assert summary["counts"]["rejected"] >= len(summary["first_rejects"]) > 0
    second = demo(tmp_path)
    assert second.exit_code == 0, second.err
    assert f"holds {story['payments_after']} now, 0 of them new" in second.out
    assert "Nothing was reported twice" in second.out
    assert story["record_ids"][0] in second.out
    assert list(tmp_path.glob("*.pid")) == []


def left_of(home: Path) -> list[str]:
    """Return the command lines of running processes that have the demo's folder in them or in their environment."""
    mark = str(home).encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (process / "cmdline").read_bytes()
            if command and mark in command + (process / "environ").read_bytes():
                found.append(command.replace(b"\0", b" ").decode())
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the system does not tell what runs")
@pytest.mark.e2e
@pytest.mark.airflow
@pytest.mark.parametrize("until", ["The sandbox answers", "Airflow runs"])
@pytest.mark.parametrize(
    ("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=lambda one: one
)
def test_a_signal_ends_the_demo_and_all_it_started(
    tmp_path: Path, number: signal.Signals, exit_code: int, until: str
) -> None:
    process = start(["demo", "--home", str(tmp_path)], tmp_path)
    assert process.stderr is not None
    while until not in (line := process.stderr.readline()):
        assert line, "it ended before the signal"
    process.send_signal(number)
    ended = finish(process)
    assert left_of(tmp_path) == []
    assert (ended.exit_code, ended.out) == (exit_code, "")
    assert "Traceback" not in ended.err
    assert list(tmp_path.glob("*.pid")) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_between_the_start_of_a_process_and_its_with_leaves_nothing(
    place: Place, number: signal.Signals
) -> None:
    started = []

    def start_and_be_stopped() -> None:
        with all_ended():
            started.append(Child("sleeper", SLEEPER, place.home, os.environ, talks=True))
            signal.raise_signal(number)

    with pytest.raises((KeyboardInterrupt, SystemExit)):
        start_and_be_stopped()
    assert started[0].process.returncode is not None
    assert list(place.home.glob("*.pid")) == []


def test_a_signal_waits_while_it_is_held_and_the_next_ones_only_hurry() -> None:
    signals, seen = Signals(), []

    def be_signalled() -> None:
        with signals.caught():
            with signals.held():
                for number in (signal.SIGHUP, signal.SIGINT):
                    signal.raise_signal(number)
                    seen.append(signals.is_urgent)
            pytest.fail("the signal was not raised")

    with pytest.raises(SystemExit) as ended:
        be_signalled()
    assert (seen, ended.value.code) == ([False, True], 128 + signal.SIGHUP)


def test_an_impatient_person_does_not_wait_for_a_process_that_does_not_listen(place: Place) -> None:
    before = time.monotonic()
    child = Child("deaf", DEAF, place.home, os.environ, patience_seconds=300, talks=True)
    assert child.first_line(30) == "ready\n"

    def be_stopped_twice() -> None:
        with all_ended(), child, SIGNALS.held():
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        be_stopped_twice()
    assert child.process.returncode == -signal.SIGKILL
    assert time.monotonic() - before < 60


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tell a process that its parent died")
def test_a_demo_that_is_killed_takes_its_processes_with_it(place: Place) -> None:
    code = (
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from airflow_provider_payrecords.demo.process import Child\n"
        f"child = Child('sleeper', {SLEEPER!r}, Path({str(place.home)!r}), os.environ, talks=True)\n"
        "child.first_line(30)\n"
        "print(child.process.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout:
        pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 30
    while has_not_ended(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not has_not_ended(pid)


def has_not_ended(pid: int) -> bool:
    """Say whether *pid* runs; one whose parent does not wait for it stays as a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
