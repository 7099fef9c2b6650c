"""
The client: one verb, ``send(command)``, for each of the API's calls.

The two classes differ by their driver only. They know no ledger: a command sent twice carries the same idempotency key
and replays for 24 hours, no longer. Reports that must never double go through ``bulk``.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import Any

import httpx

from airflow_provider_payrecords.core.commands import Command, ListPaymentAttemptRecords, ListPaymentRecords
from airflow_provider_payrecords.core.errors import CommandError
from airflow_provider_payrecords.core.flows import call, raise_for
from airflow_provider_payrecords.core.identity import unkeyed_idempotency_key
from airflow_provider_payrecords.core.wire import ApiRequest, encode
from airflow_provider_payrecords.settings import Settings
from airflow_provider_payrecords.transport.asynchronous import AsyncTransport
from airflow_provider_payrecords.transport.blocking import BlockingTransport
from airflow_provider_payrecords.transport.pace import uniform_jitter

MAX_IDEMPOTENCY_KEY = 255

ListCommand = ListPaymentRecords | ListPaymentAttemptRecords


class PayRecordsClient:
    """
    Blocking client.

    Args:
        network: httpx transport to use in place of the network, such as the in-process sandbox.
    """

    def __init__(self, settings: Settings, *, network: httpx.BaseTransport | None = None) -> None:
        self.settings = settings
        self._driver = BlockingTransport(settings, network=network)
        self._jitter = uniform_jitter()

    def send(self, command: Command, idempotency_key: str | None = None) -> Any:
        """
        Send *command* and return the model of its answer.

        Args:
            idempotency_key: 1 to 255 printable ASCII characters. Derived from the command's content when None, never
                random.

        Raises:
            CommandError: The idempotency key cannot be one.
            ApiError: The API refused it, or failed until the retries were used up.
            TransportError: No answer was read.
        """
        request = request_for(command, self.settings, idempotency_key)
        return raise_for(self._driver.run(call(command, request, self.settings.retry_policy, self._jitter)))

    def iterate(self, command: ListCommand) -> Iterator[Any]:
        """Yield every object that *command* lists, page after page."""
        page_of: ListCommand | None = command
        while page_of is not None:
            page = self.send(page_of)
            yield from page.data
            page_of = next_page(page_of, page)

    def close(self) -> None:
        """Close the connections."""
        self._driver.close()

    def __enter__(self) -> PayRecordsClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncPayRecordsClient:
    """
    Asynchronous client; the twin of ``PayRecordsClient``.

    Args:
        network: httpx transport to use in place of the network, such as the in-process sandbox.
        connections: Size of the pool.
    """

    def __init__(
        self, settings: Settings, *, network: httpx.AsyncBaseTransport | None = None, connections: int = 8
    ) -> None:
        self.settings = settings
        self._driver = AsyncTransport(settings, network=network, connections=connections)
        self._jitter = uniform_jitter()

    async def send(self, command: Command, idempotency_key: str | None = None) -> Any:
        """Send *command* and return the model of its answer, as ``PayRecordsClient.send`` does."""
        request = request_for(command, self.settings, idempotency_key)
        return raise_for(await self._driver.run(call(command, request, self.settings.retry_policy, self._jitter)))

    async def iterate(self, command: ListCommand) -> AsyncIterator[Any]:
        """Yield every object that *command* lists, page after page."""
        page_of: ListCommand | None = command
        while page_of is not None:
            page = await self.send(page_of)
            for item in page.data:
                yield item
            page_of = next_page(page_of, page)

    async def close(self) -> None:
        """Close the connections."""
        await self._driver.close()

    async def __aenter__(self) -> AsyncPayRecordsClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def request_for(command: Command, settings: Settings, idempotency_key: str | None = None) -> ApiRequest:
    """
    Return the request for *command*, with a key derived from its content if none is given.

    Raises:
        CommandError: The idempotency key cannot be one.

    Source:
        https://docs.stripe.com/api/idempotent_requests (its length)
    """
    if idempotency_key is None:
        idempotency_key = unkeyed_idempotency_key(settings.account_scope, settings.mode, command)
    elif not (1 <= len(idempotency_key) <= MAX_IDEMPOTENCY_KEY and re.fullmatch(r"[!-~]+", idempotency_key)):
        message = f"Send 1 to {MAX_IDEMPOTENCY_KEY} printable ASCII characters, or none for a key made of the content."
        raise CommandError(
            f"idempotency_key: {message}",
            problems=[{"field": "idempotency_key", "code": "invalid_idempotency_key", "message": message}],
        )
    return encode(command, idempotency_key)


def next_page(command: ListCommand, page: Any) -> ListCommand | None:
    """
    Return the command for the page after *page*, or None at the end.

    A page that names the same cursor again, or none, is the last: a list never loops.
    """
    if not page.has_more or not page.data:
        return None
    backwards = getattr(command, "ending_before", None) is not None
    name = "ending_before" if backwards else "starting_after"
    cursor = page.data[0 if backwards else -1].id
    if cursor == getattr(command, name):
        return None
    return command.model_copy(update={name: cursor})
