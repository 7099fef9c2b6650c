"""What only the blocking driver does: it stops where its pause says so, and knows no ledger."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import httpx
import pytest

from airflow_provider_payrecords.core.effects import Claim, Effect, Flow
from airflow_provider_payrecords.core.entry import Intent, Scope
from airflow_provider_payrecords.core.errors import LeaseEndedError, NotSentError, ServerError, StoppedError
from airflow_provider_payrecords.core.flows import Called, call
from airflow_provider_payrecords.core.retry import RetryPolicy
from airflow_provider_payrecords.core.wire import encode
from airflow_provider_payrecords.transport.blocking import BlockingTransport
from tests.core.feeding import NO_JITTER
from tests.transport.drivers import COMMAND, Replies, error, network, ok, settings


def stop(seconds: float) -> None:
    raise StoppedError("asked to stop")


def a_call() -> Flow[Called]:
    return call(COMMAND, encode(COMMAND, "k"), RetryPolicy(), NO_JITTER)


def stopped(replies: Replies, sends: int, rate_limit: float = 20.0) -> Called:
    """Return what the last of *sends* calls came to, when every wait is a stop."""
    driver = BlockingTransport(settings(rate_limit=rate_limit), network=network(replies), pause=stop, clock=lambda: 0.0)
    for _ in range(sends - 1):
        driver.run(a_call())
    called = driver.run(a_call())
    driver.close()
    return called


def test_a_stop_while_waiting_to_try_again_ends_the_call_with_what_is_known() -> None:
    called = stopped([error(500)], sends=1)
    assert (type(called.error), called.uncertain) == (ServerError, True)


def test_a_stop_while_waiting_for_its_turn_means_that_nothing_was_sent() -> None:
    called = stopped([ok()], sends=2, rate_limit=1)
    assert (type(called.error), called.uncertain) == (NotSentError, False)


def test_nobody_is_made_to_wait_for_no_time() -> None:
    assert stopped([ok()], sends=1, rate_limit=1).error is None


@pytest.mark.parametrize(("seconds", "sent"), [(-1, 1), (0, 0), (1, 0)])
def test_nothing_leaves_after_its_lease(seconds: int, sent: int) -> None:
    seen: list[httpx.Request] = []
    lease = datetime(2026, 3, 1, tzinfo=timezone.utc)
    driver = BlockingTransport(
        settings(), network=network([ok()], seen), clock=lambda: 0.0, now=lambda: lease + timedelta(seconds=seconds)
    )
    called = driver.run(call(COMMAND, encode(COMMAND, "k"), RetryPolicy(), NO_JITTER, until=lease))
    driver.close()
    assert len(seen) == sent
    assert (type(called.error) if called.error else None) is (None if sent else LeaseEndedError)
    assert not called.uncertain


def test_a_flow_that_needs_a_ledger_says_so() -> None:
    def claiming() -> Flow[None]:
        effect: Effect = Claim(Scope("a", "test", "report_payment", "s"), Intent("k", "fp", "ik"))
        yield effect

    driver = BlockingTransport(settings(), network=network([]))
    with pytest.raises(TypeError, match="Claim needs a ledger"):
        driver.run(claiming())
    driver.close()
