"""What the sensor's trigger does when it runs: wait, look, say how it ended."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

from airflow_provider_payrecords.core.commands import RetrievePaymentRecord, build
from airflow_provider_payrecords.core.errors import PayRecordsError
from airflow_provider_payrecords.core.standing import parse_states
from airflow_provider_payrecords.core.waiting import Look, Sight, Wait, pause_seconds
from airflow_provider_payrecords.triggers.access import ApiAccess

_log = logging.getLogger(__name__)


async def wait_for_state(
    payment_record: str,
    states: Any,
    *,
    wait_for_new_attempt: bool,
    max_failures: int,
    poll_interval: float,
    deadline_epoch: float,
    payrecords_conn_id: str,
    now: Callable[[], float],
    pause: Callable[[float], Awaitable[None]],
) -> dict[str, Any]:
    """
    Return the payload of the one event, however the wait ends.

    Args:
        deadline_epoch: Unix seconds. One look follows it.
        now: Tells the time in Unix seconds.
        pause: Waits the given seconds.
    """
    try:
        command = build(RetrievePaymentRecord, {"payment_record": payment_record})
        wait = Wait(payment_record, parse_states(states), wait_for_new_attempt, max_failures)
    except PayRecordsError as error:
        return _payload(Sight.HOPELESS.value, Look(Sight.HOPELESS, payment_record, None, 0, error.message))
    access = ApiAccess(payrecords_conn_id)
    try:
        return await _wait(access, wait, command, poll_interval, deadline_epoch, now, pause)
    finally:
        await access.close()


async def _wait(
    access: ApiAccess,
    wait: Wait,
    command: RetrievePaymentRecord,
    poll_interval: float,
    deadline_epoch: float,
    now: Callable[[], float],
    pause: Callable[[float], Awaitable[None]],
) -> dict[str, Any]:
    spread, failures = Random(), 0  # noqa: S311 - spreads looks, protects nothing
    while True:
        await pause(pause_seconds(poll_interval, spread.uniform(-1, 1), deadline_epoch - now()))
        is_last = now() >= deadline_epoch
        look = await _look(access, wait, command, failures)
        if look.sight is not Sight.WAITING:
            return _payload(look.sight.value, look)
        if is_last:
            return _payload("timeout", look, ". The sensor's timeout has passed.")
        _log.info("%s", look.message)
        failures = look.failures


async def _look(access: ApiAccess, wait: Wait, command: RetrievePaymentRecord, failures: int) -> Look:
    try:
        client = await access.client()
        return wait.look(await client.send(command))
    except PayRecordsError as error:
        return wait.stumble(error, failures)


def _payload(status: str, look: Look, more: str = "") -> dict[str, Any]:
    return {
        "status": status,
        "payment_record": look.payment_record,
        "state": look.state.value if look.state else None,
        "message": look.message + more,
    }
