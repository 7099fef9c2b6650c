"""The blocking driver: performs the effects of a flow one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import httpx

from airflow_provider_payrecords.core.effects import Effect, EffectAnswer, Flow, ResultT, Send, Sent, Sleep
from airflow_provider_payrecords.core.errors import StoppedError, TransportError
from airflow_provider_payrecords.core.wire import ApiRequest, ApiResponse
from airflow_provider_payrecords.settings import Settings
from airflow_provider_payrecords.transport import http
from airflow_provider_payrecords.transport.outcome import cut_short, transport_error
from airflow_provider_payrecords.transport.pace import Pacer


class BlockingTransport:
    """
    One httpx client and the loop that drives flows with it.

    Args:
        network: Transport to use in place of the network, for tests.
        pause: Waits the given seconds.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        network: httpx.BaseTransport | None = None,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = httpx.Client(
            base_url=settings.api_base,
            headers=http.base_headers(settings),
            timeout=http.timeouts(settings),
            limits=http.limits(1),
            follow_redirects=False,
            transport=network,
        )
        self._whole_seconds = http.whole_seconds(settings)
        self._pacer = Pacer(settings.rate_limit, clock)
        self._pause = pause
        self._clock = clock

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
            case Send(request):
                begun = self._clock()
                self._pause(self._pacer.reserve())
                outcome = self._send(request)
                self._pacer.learn(outcome)
                return Sent(outcome, self._clock() - begun)
            case Sleep(seconds):
                return self._pause(seconds)
            case _:
                raise TypeError(f"{type(effect).__name__} needs a ledger, which this driver does not have.")

    def _send(self, request: ApiRequest) -> ApiResponse | TransportError:
        until = self._clock() + self._whole_seconds
        try:
            with self._client.stream(
                request.method, request.target, content=request.content, headers=http.request_headers(request)
            ) as response:
                content = bytearray()
                for chunk in response.iter_bytes():
                    content += chunk
                    if len(content) > http.MAX_ANSWER_BYTES or self._clock() > until:
                        return cut_short()
                return http.to_response(response, bytes(content))
        except httpx.HTTPError as error:
            return transport_error(error)
