"""The fixture that users' suites load."""

from __future__ import annotations

import httpx
import pytest
from freezegun import freeze_time

from airflow_provider_payrecords.sandbox.config import SandboxConfig
from airflow_provider_payrecords.sandbox.engine import Sandbox
from airflow_provider_payrecords.sandbox.server import RunningSandbox
from airflow_provider_payrecords.testing.sandbox import payrecords_sandbox, payrecords_sandbox_config
from tests.sandbox.samples import Api

__all__ = ["payrecords_sandbox", "payrecords_sandbox_config"]


def test_fixture_serves_an_empty_sandbox(payrecords_sandbox: RunningSandbox) -> None:
    assert (payrecords_sandbox.records, len(payrecords_sandbox.journal)) == ([], 0)
    headers = {"authorization": "Bearer sk_test_1"}
    answers = [httpx.get(f"{payrecords_sandbox.url}/v1/payment_records", headers=headers) for _ in range(30)]
    assert {answer.status_code for answer in answers} == {200}


@pytest.mark.parametrize("payrecords_sandbox_config", [SandboxConfig(keys=frozenset())])
def test_its_settings_can_be_overridden(payrecords_sandbox: RunningSandbox) -> None:
    headers = {"authorization": "Bearer sk_test_1"}
    assert httpx.get(f"{payrecords_sandbox.url}/v1/payment_records", headers=headers).status_code == 401


def test_frozen_clock_of_a_users_test_expires_keys() -> None:
    api = Api(Sandbox())
    with freeze_time("2026-11-01 12:00:00"):
        first = api.report("k")
    with freeze_time("2026-11-02 11:59:59"):
        assert api.report("k") == first
    with freeze_time("2026-11-02 12:00:00"):
        assert api.report("k")["id"] != first["id"]
