"""What the watcher of new records does when it runs: read the list from where it was, say what is new, wait."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from random import Random
from typing import Any

from airflow_provider_payrecords.client import AsyncPayRecordsClient
from airflow_provider_payrecords.core.commands import ListPaymentRecords
from airflow_provider_payrecords.core.errors import InvalidRequestError, PayRecordsError
from airflow_provider_payrecords.core.models import Page, PaymentRecord
from airflow_provider_payrecords.core.position import Position, newest
from airflow_provider_payrecords.core.waiting import pause_seconds
from airflow_provider_payrecords.triggers.access import ApiAccess
from airflow_provider_payrecords.triggers.memory import PositionMemory

MAX_PAUSE_SECONDS = 900.0
"""The longest wait between tries while the API cannot be read, unless two intervals are longer."""

_log = logging.getLogger(__name__)


async def watch(
    payrecords_conn_id: str, poll_interval: float, store: Any, pause: Callable[[float], Awaitable[None]]
) -> AsyncGenerator[dict[str, Any], None]:
    """
    Yield the payload of an event whenever there are new records, for ever.

    Args:
        poll_interval: Seconds between looks, give or take a fifth. Doubled by each failure in a row.
        store: Airflow's asset state store, or None.
        pause: Waits the given seconds.
    """
    access, memory = ApiAccess(payrecords_conn_id), PositionMemory(store)
    longest = max(2 * poll_interval, MAX_PAUSE_SECONDS)
    spread, failures = Random(), 0  # noqa: S311 - spreads looks, protects nothing
    try:
        while True:
            payload = None
            try:
                payload, failures = await _look(access, memory), 0
            except PayRecordsError as error:
                failures += 1
                _log.error("New payment records cannot be listed. %s", error.message)
                await access.close()  # the next look reads the connection anew: somebody may have mended it
            if payload is not None:
                yield payload
            interval = poll_interval * 2 ** min(failures, 10)
            await pause(pause_seconds(interval, spread.uniform(-1, 1), longest))
    finally:
        await access.close()


async def _look(access: ApiAccess, memory: PositionMemory) -> dict[str, Any] | None:
    """Return the payload of an event, or None if nothing is new."""
    await memory.save()  # what was told in the last round is in Airflow's database by now
    client = await access.client()
    name = f"payrecords_position/{client.settings.mode}/{client.settings.account_scope}"
    position = await memory.load(name)
    page = None if position is None else await _page(client, position)
    if position is None or page is None:
        memory.keep(name, newest(await client.send(ListPaymentRecords(limit=1))))
        await memory.save()
        return None
    has_more = page.has_more and position.after is not None
    position, fresh = position.advance(page)
    memory.keep(name, position)
    return _payload(fresh, client.settings.mode, more=has_more) if fresh else None


async def _page(client: AsyncPayRecordsClient, position: Position) -> Page[PaymentRecord] | None:
    """Return what is newer than *position*, or None if the API does not know the record it names."""
    try:
        page: Page[PaymentRecord] = await client.send(position.command())
    except InvalidRequestError as error:
        if error.param != "ending_before":
            raise
        _log.warning("The list has no %s, the last record told. Going on from the newest.", position.after)
        return None
    return page


def _payload(fresh: list[PaymentRecord], mode: str, *, more: bool) -> dict[str, Any]:
    return {
        "payment_records": [record.id for record in fresh],
        "count": len(fresh),
        "states": dict(Counter(record.state.value for record in fresh)),
        "reported_by": dict(Counter(record.reported_by or "unknown" for record in fresh)),
        "mode": mode,
        "more": more,
    }
