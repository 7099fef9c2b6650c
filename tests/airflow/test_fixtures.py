"""The fixtures that users get, in a project of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from airflow_provider_payrecords.client import PayRecordsClient
from airflow_provider_payrecords.core.commands import ListPaymentRecords
from airflow_provider_payrecords.hooks.payrecords import PaymentRecordsHook
from airflow_provider_payrecords.ledger.memory import MemoryLedger
from airflow_provider_payrecords.ledger.store import Selection
from airflow_provider_payrecords.sandbox import RunningSandbox, SandboxTransport
from airflow_provider_payrecords.settings import Settings
from tests.airflow.records import Book

CONFTEST = """
import sys
pytest_plugins = ["airflow_provider_payrecords.testing.fixtures"]
def pytest_sessionstart(session):
    assert "airflow" not in sys.modules, "AIRFLOW_HOME could not be set any more"
"""
TESTS = """
import pytest
from airflow_provider_payrecords.sandbox import SandboxConfig

@pytest.fixture
def payrecords_sandbox_config():
    return SandboxConfig(default_version="2026-09-30.endive")

def test_settings_are_mine(payrecords_sandbox):
    assert payrecords_sandbox.sandbox.config.default_version == "2026-09-30.endive"

def test_nothing_is_left_of_another_test(payrecords_sandbox, payrecords_ledger, payrecords_network):
    assert payrecords_sandbox.records == payrecords_network.sandbox.records() == []
"""


def test_plugin_works_in_a_project_of_its_own_and_leaves_airflow_unimported(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST, "utf-8")
    (tmp_path / "test_mine.py").write_text(TESTS, "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    environment = {**os.environ, "PYTEST_ADDOPTS": "", "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert process.returncode == 0, process.stdout + process.stderr
    assert "2 passed" in process.stdout


def test_connection_leads_to_the_sandbox_with_a_ledger_of_the_tests_own(
    payrecords_connection: str, payrecords_sandbox: RunningSandbox, tmp_path: Path
) -> None:
    hook = PaymentRecordsHook(payrecords_connection)
    assert hook.settings.api_base == payrecords_sandbox.url
    hook.ledger().close()
    assert (tmp_path / "payrecords-ledger.db").is_file()


def test_network_and_settings_lead_to_the_same_sandbox(
    payrecords_network: SandboxTransport, payrecords_settings: Settings, payrecords_sandbox: RunningSandbox
) -> None:
    record = Book(payrecords_sandbox).report()
    for network in (payrecords_network, None):
        with PayRecordsClient(payrecords_settings, network=network) as client:
            assert [one.id for one in client.send(ListPaymentRecords()).data] == [record]


@pytest.mark.parametrize("which", ["first", "second"])
def test_ledger_is_in_memory_and_new_for_each_test(payrecords_ledger: MemoryLedger, which: str) -> None:
    assert isinstance(payrecords_ledger, MemoryLedger)
    assert list(payrecords_ledger.entries(Selection())) == []
