from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import stripe

from airflow_provider_payrecords.sandbox.config import RateLimits, SandboxConfig
from airflow_provider_payrecords.sandbox.server import RunningSandbox, start_sandbox
from tests.sandbox.samples import Clock

OFFICIAL = "sk_test_official"
READ_ONLY, ROLLED = "rk_test_reading", "sk_test_rolled"

Connect = Callable[..., stripe.StripeClient]


@pytest.fixture(scope="session")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def running(clock: Clock) -> Iterator[RunningSandbox]:
    """Serve one sandbox whose clock stands still, with the limits of live mode only."""
    config = SandboxConfig(
        rate_limits=RateLimits(test=None, endpoint=None, live=2),
        permissions={READ_ONLY: frozenset({"payment_records_read"})},
        revoked_keys=frozenset({ROLLED}),
    )
    with start_sandbox(config, clock=clock) as sandbox:
        yield sandbox


@pytest.fixture
def connect(running: RunningSandbox) -> Iterator[Connect]:
    """Make official clients; what they did is forgotten afterwards."""
    carriers = []

    def make(api_key: str = OFFICIAL, **options: Any) -> stripe.StripeClient:
        carriers.append(stripe.RequestsClient())
        given = {"http_client": carriers[-1], **options}
        return stripe.StripeClient(api_key, base_addresses={"api": running.url}, **given)

    yield make
    for carrier in carriers:
        carrier.close()
    running.sandbox.reset()
    running.faults.clear()


@pytest.fixture
def records(connect: Connect) -> stripe.PaymentRecordService:
    return connect().v1.payment_records
