"""Triggers on a real event loop with a clock of their own: each wait is noted, and may change the world."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing, suppress
from typing import Any
from unittest import mock

from airflow_provider_payrecords._airflow import execution_modules
from airflow_provider_payrecords.testing.task_runner import MemorySupervisor
from airflow_provider_payrecords.triggers.new_payment_records import NewPaymentRecordsTrigger
from airflow_provider_payrecords.triggers.payment_record import PaymentRecordTrigger

BEGAN = 1_000_000.0


class EndOfTestError(Exception):
    """Stops a watcher, which never ends by itself."""


class _Timed:
    """Stands for the clock: a wait takes no time and moves it on."""

    clock = BEGAN

    def arrange(self, *meanwhile: Callable[[], Any]) -> Any:
        """Let one of *meanwhile* happen in each wait, in order; a watcher ends after the last."""
        self.waits: list[float] = []
        self.meanwhile = list(meanwhile)
        return self

    async def _pause(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.clock += seconds
        await asyncio.sleep(0)
        if self.meanwhile:
            await asyncio.to_thread(self.meanwhile.pop(0))
        elif isinstance(self, NewPaymentRecordsTrigger):
            raise EndOfTestError

    def _now(self) -> float:
        return self.clock


class TimedRecordTrigger(_Timed, PaymentRecordTrigger):
    """The trigger of the sensor."""


class TimedWatcher(_Timed, NewPaymentRecordsTrigger):
    """The trigger of the asset watcher."""


def nothing() -> None:
    """Let a wait pass."""


def fired(trigger: Any, supervisor: MemorySupervisor) -> list[Any]:
    """Return the payloads of all events of *trigger*, run to its end."""
    payloads: list[Any] = []

    async def collect() -> None:
        async with aclosing(trigger.run()) as events:
            async for event in events:
                payloads.append(event.payload)

    runner, _, _ = execution_modules()
    with mock.patch.object(runner, "SUPERVISOR_COMMS", supervisor, create=True), suppress(EndOfTestError):
        asyncio.run(collect())
    return payloads
