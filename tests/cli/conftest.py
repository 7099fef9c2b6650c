"""A sandbox, a folder, and the command line run in this process."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from airflow_provider_payrecords.cli.app import run as run_command_line
from airflow_provider_payrecords.sandbox.config import SandboxConfig
from airflow_provider_payrecords.sandbox.server import RunningSandbox, start_sandbox
from tests.cli.command import API_KEY, Result, write_extract

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs one command line in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))

    def run_one(*arguments: object) -> Result:
        capsys.readouterr()
        exit_code = run_command_line([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Result(exit_code, out, err)

    return run_one


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    """Return a sandbox without rate limits."""
    with start_sandbox(SandboxConfig(rate_limits=None)) as running:
        yield running


@pytest.fixture
def api(sandbox: RunningSandbox) -> list[str]:
    """Return the options that point a command at the sandbox."""
    return ["--api-base", sandbox.url, "--api-key", API_KEY, "--ledger", "ledger.db"]


@pytest.fixture
def report_arguments(tmp_path: Path, api: list[str]) -> Callable[..., list[str]]:
    """Return a function that writes an extract and gives the arguments that report it."""

    def make(rows: int, *options: str, bad: tuple[int, ...] = ()) -> list[str]:
        extract, mapping = write_extract(tmp_path, rows, bad)
        return ["report", str(extract), "--mapping", str(mapping), *api, "--rate", "500", *options]

    return make


@pytest.fixture(autouse=True)
def heard_signals() -> Iterator[None]:
    """Let signals be heard that a background job or ``nohup`` ignores: processes inherit that."""
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL, signal.SIGHUP: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
