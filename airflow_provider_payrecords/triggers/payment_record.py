"""The trigger of ``PaymentRecordSensor``: looks at one record until it stands where somebody waits for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from types import ModuleType
from typing import Any

from airflow_provider_payrecords._airflow import BaseTrigger, TriggerEvent

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
        max_failures: int = 10,
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
        looking = await asyncio.to_thread(_looking)
        payload = await looking.wait_for_state(
            self.payment_record,
            self.states,
            wait_for_new_attempt=self.wait_for_new_attempt,
            max_failures=self.max_failures,
            poll_interval=self.poll_interval,
            deadline_epoch=self.deadline_epoch,
            payrecords_conn_id=self.payrecords_conn_id,
            now=self._now,
            pause=self._pause,
        )
        yield TriggerEvent(payload)  # type: ignore[no-untyped-call] # Airflow's

    def _now(self) -> float:
        return time.time()

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def _looking() -> ModuleType:
    """Import what takes a fraction of a second to import: in a thread, or no other trigger would run meanwhile."""
    from airflow_provider_payrecords.triggers import looking

    return looking
