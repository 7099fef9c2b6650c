"""Ctrl-C while payments are being sent, in a real process."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from airflow_provider_payrecords.sandbox.faults import Fault
from airflow_provider_payrecords.sandbox.server import RunningSandbox
from tests.cli.command import API_KEY, finish, start
from tests.cli.conftest import Run

Arguments = Callable[..., list[str]]


def wait_for_payments(sandbox: RunningSandbox, count: int) -> None:
    """Wait until the sandbox recorded *count* payments, with a deadline."""
    deadline = time.monotonic() + 30
    while len(sandbox.journal) < count:
        assert time.monotonic() < deadline, "nothing was reported"
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminate"])
def test_a_signal_stops_cleanly_and_the_next_run_ends_it(
    run: Run, sandbox: RunningSandbox, tmp_path: Path, report_arguments: Arguments, number: signal.Signals
) -> None:
    arguments = report_arguments(120, "--results", "results.jsonl", "--json")
    process = start([*arguments, "--rate", "20"], tmp_path)
    wait_for_payments(sandbox, 5)
    process.send_signal(number)
    ended = finish(process)
    assert ended.exit_code == 3
    assert ended.json["status"] == "stopped"
    assert 5 <= ended.json["counts"]["confirmed"] < 120
    assert "Stopping" in ended.err
    assert "Traceback" not in ended.err
    assert API_KEY not in ended.out + ended.err
    assert run(*arguments).exit_code == 0
    assert Counter(sandbox.journal.times().values()) == {1: 120}


def test_a_second_signal_ends_at_once_and_nothing_is_lost_or_doubled(
    run: Run, sandbox: RunningSandbox, tmp_path: Path, report_arguments: Arguments
) -> None:
    sandbox.faults.add(Fault(kind="slow", times=8, seconds=1.5))
    arguments = report_arguments(20, "--json")
    process = start(arguments, tmp_path)
    wait_for_payments(sandbox, 1)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert [process.stderr.readline(), process.stderr.readline()[:9]] == ["\n", "Stopping:"]
    process.send_signal(signal.SIGINT)
    ended = finish(process)
    assert (ended.exit_code, ended.out) == (130, "")
    assert run(*arguments).exit_code == 0
    assert Counter(sandbox.journal.times().values()) == {1: 20}
