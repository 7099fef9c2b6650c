"""The network between one simulated process and the simulated API, as an httpx transport."""

from __future__ import annotations

import asyncio
import json

import httpx

from tests.simulation.invariants import Invariants
from tests.simulation.loop import Timeline
from tests.simulation.process import Process
from tests.simulation.server import Answer, Server
from tests.simulation.weather import Weather


class Wire(httpx.AsyncBaseTransport):
    """Carries requests and answers, late or never. Keeps the read timeout, as a real transport would."""

    def __init__(
        self, process: Process, server: Server, weather: Weather, timeline: Timeline, invariants: Invariants
    ) -> None:
        self._process = process
        self._server = server
        self._weather = weather
        self._timeline = timeline
        self._invariants = invariants

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request*, and return what comes back."""
        body = await request.aread()
        process, key = self._process, request.headers.get("idempotency-key", "")
        process.effect("before a request leaves")
        if self._weather.is_out(self._timeline.now) or self._weather.strikes("no_connection"):
            process.note("finds no connection")
            raise httpx.ConnectError("no connection", request=request)
        self._invariants.leaves(process, request.method, key)
        arrived: asyncio.Future[Answer] = process.loop.create_future()
        self._carry(request, key, body, arrived)
        process.effect("after a request left")
        answer = await self._arrival(arrived, request)
        process.effect("before an answer is read")
        return self._read(answer, request)

    def _carry(self, request: httpx.Request, key: str, body: bytes, arrived: asyncio.Future[Answer]) -> None:
        process, seconds = self._process, self._weather.seconds(0.01, 0.1)
        if self._weather.strikes("late_request"):
            seconds = self._weather.seconds(1, 300)

        def reply(answer: Answer) -> None:
            if not arrived.done():
                arrived.set_result(answer)

        process.note("sends {} {} {}", request.method, request.url.path.rsplit("/", 1)[-1], key[-6:])
        if self._weather.strikes("lost_request"):
            self._timeline.at(process.loop.instant() + seconds, lambda: reply(Answer("lost")))
            return
        method, url = request.method, str(request.url)
        self._timeline.at(process.loop.instant() + seconds, lambda: self._server.receive(method, url, key, body, reply))

    async def _arrival(self, arrived: asyncio.Future[Answer], request: httpx.Request) -> Answer:
        seconds = request.extensions["timeout"]["read"]
        timer = self._process.loop.call_later(seconds, lambda: arrived.done() or arrived.set_result(Answer("timeout")))
        try:
            return await arrived
        finally:
            timer.cancel()

    def _read(self, answer: Answer, request: httpx.Request) -> httpx.Response:
        if answer.kind == "timeout":
            self._process.note("hears nothing")
            raise httpx.ReadTimeout("no answer", request=request)
        if answer.kind == "lost":
            self._process.note("loses the connection")
            raise httpx.RemoteProtocolError("connection lost", request=request)
        self._process.note(
            "reads {} {}{}", answer.status, answer.body[:80], "" if answer.kind == "answer" else " (cut)"
        )
        if answer.kind == "answer" and answer.status == 200:
            whole = json.loads(answer.body)
            self._invariants.reads([one["id"] for one in whole.get("data", [whole])])
        return httpx.Response(answer.status, headers=answer.headers, content=answer.body, request=request)
