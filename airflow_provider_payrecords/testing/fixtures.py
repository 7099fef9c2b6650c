"""
Pytest fixtures: ``pytest_plugins = ["airflow_provider_payrecords.testing.fixtures"]`` in the top ``conftest.py``.

Those for plain Python need no Airflow; ``payrecords_connection`` lets operators, hooks, triggers and ``dag.test()``
find the sandbox. Importing this module imports no Airflow, so that a ``conftest.py`` may still set ``AIRFLOW_HOME``.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from airflow_provider_payrecords.ledger.memory import MemoryLedger
from airflow_provider_payrecords.sandbox.inprocess import SandboxTransport
from airflow_provider_payrecords.sandbox.server import RunningSandbox
from airflow_provider_payrecords.settings import Settings, make_settings
from airflow_provider_payrecords.testing.sandbox import payrecords_sandbox, payrecords_sandbox_config

__all__ = [
    "payrecords_connection",
    "payrecords_ledger",
    "payrecords_network",
    "payrecords_sandbox",
    "payrecords_sandbox_config",
    "payrecords_settings",
]

API_KEY = "sk_test_payrecordsFixtures"
_QUICK = {"rate_limit": 1000}


@pytest.fixture
def payrecords_network(payrecords_sandbox: RunningSandbox) -> SandboxTransport:
    """Return the network that leads to ``payrecords_sandbox`` without a socket, for ``network=``."""
    return SandboxTransport(payrecords_sandbox.sandbox)


@pytest.fixture
def payrecords_settings(payrecords_sandbox: RunningSandbox) -> Settings:
    """Return settings for a client of ``payrecords_sandbox``, quick and in test mode."""
    return make_settings({"api_key": API_KEY, "api_base": payrecords_sandbox.url, **_QUICK}, "payrecords_settings")


@pytest.fixture
def payrecords_ledger() -> MemoryLedger:
    """Return an empty ledger in memory."""
    return MemoryLedger()


@pytest.fixture
def payrecords_connection(payrecords_sandbox: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """
    Let ``payrecords_default`` lead to ``payrecords_sandbox``, and return that id.

    Ledger and results are this test's own, in its ``tmp_path``. All of it is in environment variables, for this test.
    """
    connection = {"conn_type": "payrecords", "host": payrecords_sandbox.url, "password": API_KEY, "extra": _QUICK}
    monkeypatch.setenv("AIRFLOW_CONN_PAYRECORDS_DEFAULT", json.dumps(connection))
    monkeypatch.setenv("AIRFLOW__PAYRECORDS__LEDGER", str(tmp_path / "payrecords-ledger.db"))
    monkeypatch.setenv("AIRFLOW__PAYRECORDS__RESULTS", str(tmp_path / "payrecords-results"))
    return "payrecords_default"
