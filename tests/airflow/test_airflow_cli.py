"""``airflow payrecords``: our commands with what an Airflow connection says."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from airflow.cli.cli_config import ActionCommand

from airflow_provider_payrecords.airflow_cli import COMMANDS, get_cli_commands, put_connection
from airflow_provider_payrecords.cli.app import app
from airflow_provider_payrecords.core.errors import SettingsError
from airflow_provider_payrecords.sandbox import RunningSandbox
from tests.airflow.conftest import API_KEY
from tests.airflow.payments import rows

Airflow = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def airflow(sandbox: RunningSandbox, tmp_path: Path) -> Airflow:
    """Return a function that runs ``airflow`` with connections by environment."""
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__PAYRECORDS__LEDGER": str(tmp_path / "ledger.db"),
        "AIRFLOW_CONN_PAYRECORDS_DEFAULT": json.dumps(
            {"conn_type": "payrecords", "host": sandbox.url, "password": API_KEY, "extra": {"account": "acme"}}
        ),
        "AIRFLOW_CONN_BROKEN": json.dumps({"conn_type": "payrecords", "host": sandbox.url}),
        "STRIPE_API_KEY": "sk_live_notThisOne",
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "airflow", "payrecords", *arguments],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip

    return run


@pytest.fixture
def extract(tmp_path: Path) -> str:
    """Return the path of a CSV extract of three rows."""
    path = tmp_path / "extract.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, list(rows(1)[0]))
        table.writeheader()
        table.writerows(rows(3))
    return str(path)


def test_every_command_is_one_of_ours() -> None:
    ours = {command.callback.__name__ for command in app.registered_commands if command.callback}
    ours |= {group.name for group in app.registered_groups if group.name}
    assert set(COMMANDS) == ours - {"sandbox", "schema", "demo"}


def test_airflow_is_given_one_command() -> None:
    (command,) = get_cli_commands()
    assert isinstance(command, ActionCommand)
    assert command.name == "payrecords"


@pytest.mark.airflow
def test_extract_is_planned_and_reported_with_the_connection(
    airflow: Airflow, extract: str, sandbox: RunningSandbox
) -> None:
    planned = airflow("plan", extract, "--json")
    assert planned.returncode == 0, planned.stderr
    assert json.loads(planned.stdout)["counts"] == {"new": 3}
    reported = airflow("report", extract, "--rate", "1000", "--json")
    assert json.loads(reported.stdout)["account"] == "acme@127.0.0.1"
    assert len(sandbox.records) == 3
    status = airflow("--conn-id", "payrecords_default", "status", "--json")
    assert [count["entries"] for count in json.loads(status.stdout)["counts"]] == [3]
    assert API_KEY not in planned.stdout + planned.stderr + reported.stdout + reported.stderr + status.stderr


@pytest.mark.airflow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--conn-id", "broken", "status"), "In connection 'broken': the API key is missing"),
        (("--conn-id", "nowhere", "status"), "Connection 'nowhere' cannot be read"),
        (("status", "--nonsense"), "No such option: --nonsense"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(airflow: Airflow, arguments: tuple[str, ...], said: str) -> None:
    ran = airflow(*arguments)
    assert ran.returncode == 2
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr


def test_environment_of_another_account_does_not_show_through(
    sandbox: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__PAYRECORDS__LEDGER", str(tmp_path / "ledger.db"))
    connection = {"conn_type": "payrecords", "host": sandbox.url, "password": API_KEY}
    monkeypatch.setenv("AIRFLOW_CONN_BOOKS", json.dumps(connection))
    environment = {"PAYRECORDS_STRIPE_ACCOUNT": "acct_other", "STRIPE_API_KEY": "sk_live_other", "HOME": "/"}
    put_connection("books", environment)
    assert environment == {
        "HOME": "/",
        "STRIPE_API_KEY": API_KEY,
        "PAYRECORDS_API_BASE": sandbox.url,
        "PAYRECORDS_ACCOUNT": "books",
        "PAYRECORDS_STRIPE_VERSION": environment["PAYRECORDS_STRIPE_VERSION"],
        "PAYRECORDS_LEDGER": str(tmp_path / "ledger.db"),
    }


def test_connection_that_cannot_be_used_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_BOOKS", json.dumps({"conn_type": "payrecords"}))
    environment = {"STRIPE_API_KEY": "sk_test_mine"}
    with pytest.raises(SettingsError):
        put_connection("books", environment)
    assert environment == {"STRIPE_API_KEY": "sk_test_mine"}
