"""The trigger that starts DAGs when new Payment Records appear, for an ``AssetWatcher``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from types import ModuleType
from typing import Any

from airflow_provider_payrecords._airflow import BaseEventTrigger, TriggerEvent

__all__ = ["NewPaymentRecordsTrigger"]


class NewPaymentRecordsTrigger(BaseEventTrigger):
    """
    Fires when records appear that were not there before. Runs for ever and only reads.

    At most one event per interval, for at most 100 records; a backlog is told in order, page by page. Its payload has
    no personal data: ``payment_records`` (ids, oldest first), ``count``, ``states`` and ``reported_by`` (how many of
    each), ``mode``, and ``more`` if further records wait for the next event.

    The position is kept in Airflow's asset state store (3.3 and later) once an event is out, so a restart of the
    triggerer goes on from there and may tell the last event again, but leaves none out. Without a store, a restart
    begins at the newest record of that moment. The first start begins there as well: what is already listed is not new.

    Args:
        payrecords_conn_id: Connection of type ``payrecords``, read in the triggerer. A key that may read is enough.
        poll_interval: Seconds between looks, give or take a fifth.
    """

    def __init__(self, *, payrecords_conn_id: str = "payrecords_default", poll_interval: float = 60.0) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # Airflow's
        self.payrecords_conn_id = payrecords_conn_id
        self.poll_interval = poll_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class and its arguments, by which Airflow also tells one watcher from another."""
        return (
            f"{NewPaymentRecordsTrigger.__module__}.{NewPaymentRecordsTrigger.__qualname__}",
            {"payrecords_conn_id": self.payrecords_conn_id, "poll_interval": self.poll_interval},
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look, tell what is new, wait, for ever."""
        watching = await asyncio.to_thread(_watching)
        store = getattr(self, "asset_state_store", None)  # since Airflow 3.3
        async with aclosing(
            watching.watch(self.payrecords_conn_id, self.poll_interval, store, self._pause)
        ) as payloads:
            async for payload in payloads:
                yield TriggerEvent(payload)  # type: ignore[no-untyped-call] # Airflow's

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def _watching() -> ModuleType:
    """Import what takes a fraction of a second to import: in a thread, or no other trigger would run meanwhile."""
    from airflow_provider_payrecords.triggers import watching

    return watching
