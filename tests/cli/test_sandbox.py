"""``payrecords sandbox``, as a process."""

from __future__ import annotations

import json
import signal
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.command import API_KEY, finish, start
from tests.cli.conftest import Run

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Start]:
    """Return a function that starts a sandbox on a free port; what it started ends with the test."""
    processes: list[subprocess.Popen[str]] = []

    def start_one(*options: str) -> subprocess.Popen[str]:
        processes.append(start(["sandbox", "--port", "0", *options], tmp_path))
        return processes[-1]

    yield start_one
    for process in processes:
        process.kill()
        process.communicate()


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def journal(url: str) -> int:
    with urllib.request.urlopen(f"{url}/_sandbox/journal", timeout=10) as answer:  # noqa: S310 - our own sandbox
        return len(json.load(answer)["data"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_is_and_a_signal_ends_it_well(started: Start, number: signal.Signals) -> None:
    process = started()
    told = "".join(iter(lambda: first_line(process), "Ctrl-C stops it.\n"))
    assert told.startswith("The sandbox answers at http://127.0.0.1:")
    assert "--api-base http://127.0.0.1:" in told
    process.send_signal(number)
    ended = finish(process)
    assert (ended.exit_code, ended.out, ended.err) == (0, "Stopped.\n", "")


def test_its_state_outlives_it(started: Start, run: Run, tmp_path: Path) -> None:
    payment = ("amount_requested.value=1", "amount_requested.currency=eur", "initiated_at=1750000000")
    arguments = ("request", "report_payment", *payment, "payment_method_details.type=custom", "--key", "k", "--send")
    process = started("--json", "--state", "state.db")
    told = json.loads(first_line(process))
    assert told["state_file"] == "state.db"
    sent = run(*arguments, "--api-base", told["url"], "--api-key", API_KEY)
    assert sent.exit_code == 0
    assert journal(told["url"]) == 1
    process.send_signal(signal.SIGINT)
    assert finish(process).out == ""
    assert journal(json.loads(first_line(started("--json", "--state", "state.db")))["url"]) == 1


def test_its_configuration_is_read_from_a_file(started: Start, run: Run, tmp_path: Path) -> None:
    (tmp_path / "sandbox.yaml").write_text("keys: [sk_test_onlyThis]\n")
    url = json.loads(first_line(started("--json", "--config", "sandbox.yaml")))["url"]
    listing = ("request", "list_payment_records", "--send", "--api-base", url, "--api-key")
    assert run(*listing, "sk_test_onlyThis").exit_code == 0
    assert run(*listing, "sk_test_another").exit_code == 3


@pytest.mark.parametrize(
    ("text", "said"), [("keyz: []", "keyz"), ("faults: [{kind: nonsense}]", "faults"), ("- 1", "one mapping")]
)
def test_a_wrong_configuration_is_named(run: Run, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "sandbox.yaml").write_text(text)
    shown = run("sandbox", "--port", "0", "--config", "sandbox.yaml")
    assert shown.exit_code == 2
    assert said in shown.err


def test_it_does_not_listen_for_other_machines(run: Run) -> None:
    assert run("sandbox", "--host", "0.0.0.0").exit_code == 2  # noqa: S104 - that is what is refused
