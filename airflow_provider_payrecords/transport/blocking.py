"""The blocking driver: performs the effects of a flow one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from functools import partial

import httpx

from airflow_provider_payrecords.core.effects import Effect, EffectAnswer, Flow, ResultT, Send, Sent, Sleep
from airflow_provider_payrecords.core.errors import NotSentError, StoppedError, TransportError
from airflow_provider_payrecords.core.wire import ApiRequest, ApiResponse
from airflow_provider_payrecords.settings import Settings
from airflow_provider_payrecords.transport import http
from airflow_provider_payrecords.transport.clock import Clock, lease_ended, utc_now
from airflow_provider_payrecords.transport.outcome import cut_short, transport_error
from airflow_provider_payrecords.transport.pace import OwnPace, Pacer


class BlockingTransport:
    """
    One httpx client and the loop that drives flows with it. For one thread at a time.

    The bound on a whole request is checked between the parts of an answer's body; its head is bounded by the read
    timeout alone, anew for every piece of it that arrives.

    Args:
        network: Transport to use in place of the network, for tests.
        pause: Waits the given seconds, or raises ``StoppedError``.
        clock: Monotonic seconds.
        now: Aware UTC, by which leases end.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        network: httpx.BaseTransport | None = None,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        now: Clock = utc_now,
    ) -> None:
        self._client = httpx.Client(
            timeout=http.timeouts(settings),
            limits=http.limits(1),
            follow_redirects=False,
            mounts=http.past_proxies(settings),
            transport=network,
        )
        self._outgoing = http.Outgoing(settings)
        self._whole_seconds = http.whole_seconds(settings)
        self._pacer: Pacer = OwnPace(settings.rate_limit, clock)
        self._pause = pause
        self._clock = clock
        self._now = now

    def run(self, flow: Flow[ResultT]) -> ResultT:
        """Drive *flow* to its end and return its value."""
        step = partial(flow.send, None)
        while True:
            try:
                effect = step()
            except StopIteration as done:
                value: ResultT = done.value
                return value
            try:
                step = partial(flow.send, self._perform(effect))
            except StoppedError as stopped:
                step = partial(flow.throw, stopped)

    def close(self) -> None:
        """Close the pool."""
        self._client.close()

    def _perform(self, effect: Effect) -> EffectAnswer:
        match effect:
            case Send(request, until):
                begun = self._clock()
                outcome = self._paced(request, until)
                self._pacer.learn(request.endpoint, outcome)
                return Sent(outcome, self._clock() - begun)
            case Sleep(seconds):
                return self._pause(seconds)
            case _:
                raise TypeError(f"{type(effect).__name__} needs a ledger, which this driver does not have.")

    def _paced(self, request: ApiRequest, until: datetime | None) -> ApiResponse | TransportError:
        wait = self._pacer.reserve(request.endpoint)
        try:
            if wait > 0:
                self._pause(wait)
        except StoppedError as stopped:
            return NotSentError(stopped.message)
        return lease_ended(until, self._now) or self._send(request)

    def _send(self, request: ApiRequest) -> ApiResponse | TransportError:
        until = self._clock() + self._whole_seconds
        try:
            with closing(self._client.send(self._outgoing(request), stream=True)) as response:
                content = bytearray()
                for chunk in response.iter_bytes():
                    content += chunk
                    if len(content) > http.MAX_ANSWER_BYTES or self._clock() > until:
                        return cut_short()
                return ApiResponse(response.status_code, http.headers_of(response), bytes(content))
        except (httpx.HTTPError, OSError) as error:
            return transport_error(error)
