"""One client for the life of a trigger, made without blocking the event loop that all triggers share."""

from __future__ import annotations

import asyncio

from airflow_provider_payrecords._airflow import AirflowException, AirflowRuntimeError
from airflow_provider_payrecords.client import AsyncPayRecordsClient
from airflow_provider_payrecords.core.errors import NotSentError
from airflow_provider_payrecords.hooks.payrecords import PaymentRecordsHook


class ApiAccess:
    """
    Reads the connection when it is first needed, by its id.

    Args:
        payrecords_conn_id: Connection of type ``payrecords``.
    """

    def __init__(self, payrecords_conn_id: str) -> None:
        self._conn_id = payrecords_conn_id
        self._client: AsyncPayRecordsClient | None = None

    async def client(self) -> AsyncPayRecordsClient:
        """
        Return the client.

        Raises:
            SettingsError: The connection is incomplete or wrong.
            NotSentError: There is no such connection. That may pass: Airflow says "not defined" as well when whoever
                would know cannot be asked.
        """
        if self._client is None:
            hook = PaymentRecordsHook(self._conn_id)
            try:
                await hook.load()
            except (AirflowException, AirflowRuntimeError, PermissionError):
                raise NotSentError(
                    f"Connection {self._conn_id!r} is not defined, or could not be read. Create it or correct "
                    "payrecords_conn_id, then clear the task."
                ) from None
            # Making one reads the certificate store, 25 ms in which no other trigger would run.
            self._client = await asyncio.to_thread(hook.async_client)
        return self._client

    async def close(self) -> None:
        """Close the client. The next one reads the connection anew."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()
