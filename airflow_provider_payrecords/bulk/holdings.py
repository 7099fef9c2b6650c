"""What the API holds: records listed within a time, and records asked for one by one. Reads only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from airflow_provider_payrecords.client import next_page
from airflow_provider_payrecords.core.commands import Command, ListPaymentRecords, RetrievePaymentRecord
from airflow_provider_payrecords.core.errors import InvalidRequestError, PayRecordsError, StoppedError
from airflow_provider_payrecords.core.flows import Called, call
from airflow_provider_payrecords.core.identity import KEY_STAMP, SOURCE_STAMP
from airflow_provider_payrecords.core.models import PaymentRecord
from airflow_provider_payrecords.core.retry import RetryPolicy
from airflow_provider_payrecords.core.wire import encode
from airflow_provider_payrecords.transport.asynchronous import AsyncTransport
from airflow_provider_payrecords.transport.pace import uniform_jitter

MAX_LISTED_PAGES = 100_000
Keep = Callable[[dict[str, Any]], None]


class Holdings:
    """
    Reads records through *transport* and hands each to *keep* as a flat line.

    Attributes:
        listed: Records that were listed.
        error: Why reading ended early, or None.
    """

    def __init__(
        self, transport: AsyncTransport, policy: RetryPolicy, source: str, keep: Keep, should_stop: Callable[[], bool]
    ) -> None:
        self._transport = transport
        self._policy = policy
        self._source = source
        self._keep = keep
        self._should_stop = should_stop
        self.listed = 0
        self.error: PayRecordsError | None = None

    async def list_between(self, after: datetime, before: datetime) -> bool:
        """Keep all records of that time which may be of our source. Return whether the list was read to its end."""
        command: Any = ListPaymentRecords(
            created_after=int(after.timestamp()), created_before=int(before.timestamp()) + 1, limit=100
        )
        for _ in range(MAX_LISTED_PAGES):
            called = await self._call(command)
            if called.error is not None:
                self.error = called.error
                return False
            for record in called.answer.data:
                self.listed += 1
                self._keep_record(record)
            command = next_page(command, called.answer)
            if command is None:
                return True
        self.error = StoppedError(f"More than {MAX_LISTED_PAGES} pages of records are listed. Name a shorter time.")
        return False

    async def retrieve(self, ids: Sequence[str]) -> None:
        """Keep the records of *ids*; one that does not exist is kept as gone."""
        for record_id, called in zip(ids, await asyncio.gather(*map(self._retrieve, ids)), strict=True):
            if called.error is None:
                self._keep_record(called.answer)
            elif isinstance(called.error, InvalidRequestError) and called.error.status == 404:
                self._keep({"id": record_id, "gone": True})
            else:
                self.error = self.error or called.error

    async def _retrieve(self, record_id: str) -> Called:
        return await self._call(RetrievePaymentRecord(payment_record=record_id))

    async def _call(self, command: Command) -> Called:
        if self._should_stop():
            stopped = StoppedError("Asked to stop. Run again to compare all of it.")
            return Called(None, stopped, None, False, 0)
        return await self._transport.run(call(command, encode(command), self._policy, uniform_jitter()))

    def _keep_record(self, record: PaymentRecord) -> None:
        metadata = record.metadata or {}
        source = metadata.get(SOURCE_STAMP)
        if source not in (None, self._source):
            return
        money = record.amount_requested or record.amount
        line = {
            "id": record.id,
            "key": metadata.get(KEY_STAMP) if source is not None else None,
            "created": record.created,
            "amount": money and money.value,
            "currency": money and money.currency,
            "state": record.state.value,
            "gone": False,
        }
        self._keep(line)
