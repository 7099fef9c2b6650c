"""What an example needs around it: a sandbox, a DAG, and the files it names."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from airflow_provider_payrecords.sandbox import RunningSandbox, SandboxConfig, start_sandbox


@pytest.fixture
def payrecords_sandbox() -> Iterator[RunningSandbox]:
    """Serve an empty sandbox without rate limits."""
    with start_sandbox(SandboxConfig(rate_limits=None)) as running:
        yield running
