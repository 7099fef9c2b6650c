"""The asynchronous driver: the blocking one's loop with await, for many flows that share a pool and a pace."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Protocol

import anyio
import httpx

from airflow_provider_payrecords.core.effects import (
    Claim,
    Effect,
    EffectAnswer,
    Flow,
    ResultT,
    Send,
    Sent,
    Settle,
    Sleep,
)
from airflow_provider_payrecords.core.entry import Decision, Entry, Intent, Scope, Settlement
from airflow_provider_payrecords.core.errors import NotSentError, StoppedError, TransportError
from airflow_provider_payrecords.core.wire import ApiRequest, ApiResponse
from airflow_provider_payrecords.settings import Settings
from airflow_provider_payrecords.transport import http
from airflow_provider_payrecords.transport.clock import Clock, lease_ended, utc_now
from airflow_provider_payrecords.transport.in_flight import InFlight
from airflow_provider_payrecords.transport.network import open_network
from airflow_provider_payrecords.transport.outcome import cut_short, transport_error
from airflow_provider_payrecords.transport.pace import OwnPace, Pacer


class AsyncLedger(Protocol):
    """What the driver asks of a ledger: one payment at a time. Both are durable when they return."""

    async def claim_one(self, scope: Scope, intent: Intent) -> Decision:
        """Decide and save."""
        ...

    async def settle_one(self, scope: Scope, settlement: Settlement) -> Entry:
        """Apply and save."""
        ...


class AsyncTransport:
    """
    One pool of connections and the loop that drives flows with it.

    Args:
        connections: Size of the pool, and so how many flows can send at once.
        network: Transport to use in place of the network, for tests.
        ledger: Where claims and settlements go; needed only by flows that make them.
        pacer: Says when a request may leave; by default the client's own pace.
        pause: Waits the given seconds.
        clock: Monotonic seconds.
        now: Aware UTC, by which leases end.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        connections: int = 8,
        network: httpx.AsyncBaseTransport | None = None,
        ledger: AsyncLedger | None = None,
        pacer: Pacer | None = None,
        pause: Callable[[float], Awaitable[None]] = anyio.sleep,
        clock: Callable[[], float] = time.monotonic,
        now: Clock = utc_now,
    ) -> None:
        self._network = network or open_network(settings, connections)
        self._outgoing = http.Outgoing(settings)
        self._in_flight = InFlight(http.whole_seconds(settings))
        self._ledger = ledger
        self._pause = pause
        self._clock = clock
        self._now = now
        self._waiting: set[anyio.CancelScope] = set()
        self._stopping = False
        self._lines: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.pacer: Pacer = pacer or OwnPace(settings.rate_limit, clock)
        self.requests = 0
        """How many requests left."""
        self.throttled = 0
        """How many of them were answered with status 429."""

    async def run(self, flow: Flow[ResultT], *, in_turn: bool = False) -> ResultT:
        """
        Drive *flow* to its end and return its value.

        Args:
            in_turn: Its first request has waited for its ``turn``.
        """
        step = partial(flow.send, None)
        while True:
            try:
                effect = step()
            except StopIteration as done:
                value: ResultT = done.value
                return value
            try:
                step = partial(flow.send, await self._perform(effect, in_turn))
            except StoppedError as stopped:
                step = partial(flow.throw, stopped)
            in_turn = in_turn and not isinstance(effect, Send)

    async def turn(self, endpoint: str) -> None:
        """
        Wait until a request of *endpoint* may leave.

        Those who wait stand in a line, and the pace is asked only for the first of them: a 429 slows all others.

        Raises:
            StoppedError: No more requests are to leave.
        """
        async with self._lines[endpoint]:
            await self._wait(self.pacer.reserve(endpoint))

    def stop(self) -> None:
        """Send nothing more and wait for nothing more. Requests on their way may still be answered."""
        self._stopping = True
        for scope in list(self._waiting):
            scope.cancel()

    def give_up(self) -> None:
        """Stop, and leave the requests on their way: their outcome is unknown."""
        self.stop()
        self._in_flight.give_up()

    async def close(self) -> None:
        """Close the pool."""
        self._in_flight.close()
        await self._network.aclose()

    async def _perform(self, effect: Effect, in_turn: bool) -> EffectAnswer:
        match effect:
            case Send(request, until):
                begun = self._clock()
                outcome = await self._paced(request, until, in_turn)
                self.pacer.learn(request.endpoint, outcome)
                self.throttled += isinstance(outcome, ApiResponse) and outcome.status == 429
                return Sent(outcome, self._clock() - begun)
            case Sleep(seconds):
                await self._wait(seconds)
                return None
            case Claim(scope, intent):
                return await self._memory.claim_one(scope, intent)
            case Settle(scope, settlement):
                return await self._memory.settle_one(scope, settlement)

    @property
    def _memory(self) -> AsyncLedger:
        if self._ledger is None:
            raise TypeError("This flow claims and settles; give its driver a ledger.")
        return self._ledger

    async def _paced(self, request: ApiRequest, until: datetime | None, in_turn: bool) -> ApiResponse | TransportError:
        try:
            if not in_turn:
                await self.turn(request.endpoint)
            self._go_on()
        except StoppedError as stopped:
            return NotSentError(stopped.message)
        return lease_ended(until, self._now) or await self._send(request)

    async def _wait(self, seconds: float) -> None:
        if seconds > 0 and not self._stopping:
            with anyio.CancelScope() as scope:
                self._waiting.add(scope)
                try:
                    await self._pause(seconds)
                finally:
                    self._waiting.discard(scope)
        self._go_on()

    def _go_on(self) -> None:
        if self._stopping:
            raise StoppedError("Asked to stop before the request was made. Run again.")

    async def _send(self, request: ApiRequest) -> ApiResponse | TransportError:
        self.requests += 1
        try:
            answer = await self._in_flight.bounded(self._exchange(request))
        except (httpx.HTTPError, OSError) as error:
            return transport_error(error)
        return cut_short() if answer is None else answer

    async def _exchange(self, request: ApiRequest) -> ApiResponse | TransportError:
        response = await self._network.handle_async_request(self._outgoing(request))
        try:
            headers, content = http.headers_of(response), bytearray()
            async for chunk in http.body_of(response, headers):
                content += chunk
                if len(content) > http.MAX_ANSWER_BYTES:
                    return cut_short()
            return ApiResponse(response.status_code, headers, bytes(content))
        finally:
            await response.aclose()
