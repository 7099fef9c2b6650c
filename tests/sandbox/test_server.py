"""The server as a process and as a thread."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest

from airflow_provider_payrecords.core.errors import UsageError
from airflow_provider_payrecords.sandbox.config import SandboxConfig
from airflow_provider_payrecords.sandbox.faults import Fault, FaultKind
from airflow_provider_payrecords.sandbox.server import serve, start_sandbox

SERVE = """
from airflow_provider_payrecords.sandbox import serve
serve(port=0, on_ready=lambda url: print(url, flush=True))
"""
KEY = {"authorization": "Bearer sk_test_1"}


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_process_stops_cleanly_on_a_signal_and_prints_nothing(stop: signal.Signals) -> None:
    command = [sys.executable, "-c", SERVE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        url = process.stdout.readline().strip()
        assert httpx.get(f"{url}/v1/payment_records", headers=KEY).status_code == 200
        process.send_signal(stop)
        assert process.wait(20) == 0
        assert (process.stdout.read(), process.stderr.read()) == ("", "")


def test_thread_listens_on_a_free_port_and_stops() -> None:
    with start_sandbox() as one, start_sandbox() as other:
        assert one.url != other.url
        assert httpx.get(f"{one.url}/v1/payment_records", headers=KEY).status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(one.url)


def test_closing_twice_is_closing_once() -> None:
    running = start_sandbox()
    running.close()
    running.close()


@pytest.mark.parametrize("host", ["0.0.0.0", "example.com", "10.0.0.1"])  # noqa: S104 - it must be refused
def test_only_this_machine_can_be_listened_on(host: str) -> None:
    with pytest.raises(UsageError, match="this machine only"):
        serve(host=host)


def test_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=str(port)):
            start_sandbox(port=port)


def test_state_file_in_use_is_named(tmp_path: Path) -> None:
    with start_sandbox(state_file=tmp_path / "state"), pytest.raises(UsageError, match="another sandbox"):
        start_sandbox(state_file=tmp_path / "state")


def test_lost_and_cut_answers_are_lost_and_cut_on_the_wire() -> None:
    with start_sandbox(SandboxConfig(rate_limits=None)) as running, httpx.Client(headers=KEY) as client:
        running.faults.add("drop_before", "drop_after", "truncated")
        for _ in range(3):
            with pytest.raises(httpx.RemoteProtocolError):
                client.get(f"{running.url}/v1/payment_records")
        assert client.get(f"{running.url}/v1/payment_records").status_code == 200


def test_answer_that_is_too_slow_is_not_waited_for() -> None:
    with start_sandbox(SandboxConfig(rate_limits=None)) as running:
        running.faults.add(Fault(kind=FaultKind.SLOW, seconds=0.5))
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{running.url}/v1/payment_records", headers=KEY, timeout=0.1)
        assert httpx.get(f"{running.url}/v1/payment_records", headers=KEY).status_code == 200


def test_requests_from_many_threads_make_one_record_each() -> None:
    with start_sandbox(SandboxConfig(rate_limits=None)) as running:
        form = {
            "amount_requested[value]": "1",
            "amount_requested[currency]": "eur",
            "initiated_at": "1",
            "payment_method_details[type]": "custom",
        }

        def report(worker: int) -> None:
            with httpx.Client(base_url=running.url, headers=KEY) as client:
                for number in range(10):
                    headers = {"idempotency-key": f"{(worker + number) % 10}"}
                    client.post("/v1/payment_records/report_payment", data=form, headers=headers)

        threads = [threading.Thread(target=report, args=(worker,)) for worker in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(running.records) == len(running.journal) == 10
