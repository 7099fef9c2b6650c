"""The trigger of ``PaymentRecordSensor``: looks at one record until it stands where somebody waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from random import Random
from typing import Any

from airflow_provider_payrecords._airflow import BaseTrigger, TriggerEvent
from airflow_provider_payrecords.core.commands import RetrievePaymentRecord, build
from airflow_provider_payrecords.core.errors import PayRecordsError
from airflow_provider_payrecords.core.standing import parse_states
from airflow_provider_payrecords.core.waiting import DEFAULT_MAX_FAILURES, Look, Sight, Wait, pause_seconds
from airflow_provider_payrecords.transport.clock import utc_now
from airflow_provider_payrecords.triggers.access import ApiAccess

__all__ = ["PaymentRecordTrigger"]


class PaymentRecordTrigger(BaseTrigger):
    """
    Waits for a state of a record. Only reads, so two triggerers may run it at once.

    Fires one event: ``status`` (``reached``, ``hopeless``, ``blind`` or ``timeout``), ``payment_record``, ``state`` and
    ``message``. It waits before it looks, since the sensor has just looked, and looks once more when the deadline has
    passed.

    Args:
        payment_record: Id of the record, ``pr_…``.
        states: Any of these will do.
        deadline_epoch: Unix seconds: an instant, so that a restart of the triggerer does not start the wait anew.
        poll_interval: Seconds between looks, give or take a fifth.
        wait_for_new_attempt: Go on after a failed or canceled attempt.
        max_failures: Looks in a row that may see nothing.
        payrecords_conn_id: Connection of type ``payrecords``, read in the triggerer.
    """

    def __init__(
        self,
        *,
        payment_record: str,
        states: list[str],
        deadline_epoch: float,
        poll_interval: float = 60.0,
        wait_for_new_attempt: bool = False,
        max_failures: int = DEFAULT_MAX_FAILURES,
        payrecords_conn_id: str = "payrecords_default",
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # Airflow's
        self.payment_record = payment_record
        self.states = states
        self.deadline_epoch = deadline_epoch
        self.poll_interval = poll_interval
        self.wait_for_new_attempt = wait_for_new_attempt
        self.max_failures = max_failures
        self.payrecords_conn_id = payrecords_conn_id

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class and its arguments: ids and numbers, no secret and nothing of the record."""
        return (
            f"{PaymentRecordTrigger.__module__}.{PaymentRecordTrigger.__qualname__}",
            {
                "payment_record": self.payment_record,
                "states": self.states,
                "deadline_epoch": self.deadline_epoch,
                "poll_interval": self.poll_interval,
                "wait_for_new_attempt": self.wait_for_new_attempt,
                "max_failures": self.max_failures,
                "payrecords_conn_id": self.payrecords_conn_id,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait, and fire one event."""
        access = ApiAccess(self.payrecords_conn_id)
        try:
            yield TriggerEvent(await self._outcome(access))  # type: ignore[no-untyped-call] # Airflow's
        finally:
            await access.close()

    async def _outcome(self, access: ApiAccess) -> dict[str, Any]:
        try:
            command = build(RetrievePaymentRecord, {"payment_record": self.payment_record})
            states = parse_states(self.states)
        except PayRecordsError as error:
            return self._event(Sight.HOPELESS.value, None, error.message)
        wait = Wait(self.payment_record, states, self.wait_for_new_attempt, self.max_failures)
        spread, failures = Random(), 0  # noqa: S311 - spreads looks, protects nothing
        while True:
            left = self.deadline_epoch - self._now()
            await self._pause(pause_seconds(self.poll_interval, spread.uniform(-1, 1), left))
            is_last = self._now() >= self.deadline_epoch
            look = await self._look(access, wait, command, failures)
            if look.sight is not Sight.WAITING:
                return self._event(look.sight.value, look, look.message)
            if is_last:
                return self._event("timeout", look, f"{look.message}. The sensor's timeout has passed.")
            self.log.info("%s", look.message)
            failures = look.failures

    async def _look(self, access: ApiAccess, wait: Wait, command: RetrievePaymentRecord, failures: int) -> Look:
        try:
            client = await access.client()
            return wait.look(await client.send(command))
        except PayRecordsError as error:
            return wait.stumble(error, failures)

    def _event(self, status: str, look: Look | None, message: str) -> dict[str, Any]:
        return {
            "status": status,
            "payment_record": look.payment_record if look else self.payment_record,
            "state": look.state.value if look and look.state else None,
            "message": message,
        }

    def _now(self) -> float:
        return utc_now().timestamp()

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
