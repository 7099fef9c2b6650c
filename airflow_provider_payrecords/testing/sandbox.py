"""
A sandbox for a test: ``pytest_plugins = ["airflow_provider_payrecords.testing.sandbox"]`` in ``conftest.py``.

::

    def test_refund_is_reported(payrecords_sandbox):
        my_code(api_base=payrecords_sandbox.url, api_key="sk_test_anything")
        assert payrecords_sandbox.records[0]["amount_refunded"]["value"] == 4950
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from airflow_provider_payrecords.sandbox.config import SandboxConfig
from airflow_provider_payrecords.sandbox.server import RunningSandbox, start_sandbox


@pytest.fixture
def payrecords_sandbox_config() -> SandboxConfig:
    """Return the settings of ``payrecords_sandbox``: no rate limits. Override it for others."""
    return SandboxConfig(rate_limits=None)


@pytest.fixture
def payrecords_sandbox(payrecords_sandbox_config: SandboxConfig) -> Iterator[RunningSandbox]:
    """Serve an empty sandbox on a free port: ``.url``, ``.records``, ``.journal``, ``.faults``."""
    with start_sandbox(payrecords_sandbox_config) as running:
        yield running
