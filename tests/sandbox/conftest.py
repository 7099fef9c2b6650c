from __future__ import annotations

import pytest

from airflow_provider_payrecords.sandbox.engine import Sandbox
from tests.sandbox.samples import Api, Clock, make_sandbox


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sandbox(clock: Clock) -> Sandbox:
    return make_sandbox(clock)


@pytest.fixture
def api(sandbox: Sandbox) -> Api:
    return Api(sandbox)
