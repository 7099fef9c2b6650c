"""The app behind the pages as Airflow mounts it: with its auth manager, a database, a sandbox and a ledger."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from airflow_provider_payrecords.sandbox import RunningSandbox
from airflow_provider_payrecords.testing.sandbox import *  # noqa: F403 - fixtures are found by their names
from tests.airflow.conftest import airflow_database

__all__ = ["airflow_database"]

API_KEY = "sk_test_pagesCanary51Hx"
LIVE_KEY = "sk_live_pagesCanary51Hx"
HEADERS = {"X-Payrecords-Request": "1", "Sec-Fetch-Site": "same-origin"}
ROLES = ("viewer", "op", "admin")
PEOPLE = ("anonymous", *ROLES)


@pytest.fixture
def sandbox(payrecords_sandbox: RunningSandbox) -> RunningSandbox:
    """Return a sandbox without rate limits."""
    return payrecords_sandbox


@pytest.fixture
def ledger_path(tmp_path: Path) -> Path:
    """Return the path of this test's ledger."""
    return tmp_path / "ledger.db"


@pytest.fixture
def connections(sandbox: RunningSandbox, ledger_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ``payrecords_default`` (test) and ``payrecords_live`` lead to the sandbox."""
    monkeypatch.setenv("AIRFLOW__PAYRECORDS__LEDGER", str(ledger_path))
    for name, key in (("DEFAULT", API_KEY), ("LIVE", LIVE_KEY)):
        connection = {"conn_type": "payrecords", "host": sandbox.url, "password": key}
        monkeypatch.setenv(f"AIRFLOW_CONN_PAYRECORDS_{name}", json.dumps(connection))


@pytest.fixture(scope="session")
def server(airflow_database: Path) -> Iterator[FastAPI]:
    """Return an app with Airflow's simple auth manager, and ours mounted as Airflow mounts it."""
    from airflow.api_fastapi.app import init_auth_manager, purge_cached_app

    from airflow_provider_payrecords.plugins.app import create_app

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS", ",".join(f"{role}:{role}" for role in ROLES))
        patch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")  # as Airflow says it of its API server
        patch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", "a secret of the tests that is long enough " * 2)
        app = FastAPI()
        init_auth_manager(app)
        app.mount("/payrecords", create_app())
        yield app
        purge_cached_app()


@pytest.fixture
def people(server: FastAPI, connections: None) -> dict[str, httpx.Client]:
    """Return a client for each of ``PEOPLE``, that sends what our pages send."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    clients: dict[str, httpx.Client] = {}
    for person in PEOPLE:
        client = TestClient(server, base_url="http://testserver/payrecords/", headers=HEADERS)
        if person != "anonymous":
            token = get_auth_manager().generate_jwt(SimpleAuthManagerUser(username=person, role=person))
            client.cookies.set("_token", token)
        clients[person] = client
    return clients


@pytest.fixture
def admin(people: dict[str, httpx.Client]) -> httpx.Client:
    """Return the client of an admin."""
    return people["admin"]
