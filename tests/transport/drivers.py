"""Both drivers behind one function, with a clock that only moves when it is waited on, and a diary of the effects."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

import anyio
import httpx

from airflow_provider_payrecords.core.commands import Command
from airflow_provider_payrecords.core.effects import Effect, Flow, ResultT, Send, Sent, Sleep
from airflow_provider_payrecords.core.errors import StoppedError
from airflow_provider_payrecords.core.flows import Called, call
from airflow_provider_payrecords.core.retry import RetryPolicy
from airflow_provider_payrecords.core.wire import ApiResponse, encode
from airflow_provider_payrecords.settings import Settings
from airflow_provider_payrecords.transport.asynchronous import AsyncTransport
from airflow_provider_payrecords.transport.blocking import BlockingTransport
from tests.core.test_identity import payment

COMMAND = payment(metadata={"order": "7"})
KINDS = ("blocking", "asynchronous")
Replies = list[httpx.Response | Exception]


def settings(**values: Any) -> Settings:
    return Settings(**{"api_key": "sk_test_transport", "api_base": "http://127.0.0.1:1", **values})


class Clock:
    """Seconds that pass when they are waited for."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waits.append(round(seconds, 6))
        self.now += seconds


class RealClock(Clock):
    """Seconds that pass on their own as well."""

    def __call__(self) -> float:
        return self.now + time.monotonic()


@dataclass
class Story:
    """What one drive came to."""

    called: Called
    waits: list[float]
    diary: list[tuple[str, Any]] = field(default_factory=list)


def network(replies: Replies, seen: list[httpx.Request] | None = None) -> httpx.MockTransport:
    """Return a network that gives *replies* one after the other."""
    left = list(replies)

    def handle(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        reply = left.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply

    return httpx.MockTransport(handle)


def drive(
    kind: str,
    replies: Replies | None = None,
    *,
    command: Command = COMMAND,
    policy: RetryPolicy | None = None,
    seen: list[httpx.Request] | None = None,
    real_clock: bool = False,
    **values: Any,
) -> Story:
    """Send *command* by the named driver, over prepared replies or over real sockets, and tell the story."""
    given = settings(**values)
    flow = call(command, encode(command, "payrecords-k"), policy or given.retry_policy, repeat(1.0))
    diary: list[tuple[str, Any]] = []
    clock = RealClock() if real_clock else Clock()
    run = blocking if kind == "blocking" else asynchronous
    called = run(recorded(flow, diary), given, None if replies is None else network(replies, seen), clock)
    return Story(called, clock.waits, diary)


def blocking(flow: Flow[ResultT], given: Settings, over: httpx.MockTransport | None, clock: Clock) -> ResultT:
    driver = BlockingTransport(given, network=over, pause=clock.wait, clock=clock)
    try:
        return driver.run(flow)
    finally:
        driver.close()


def asynchronous(flow: Flow[ResultT], given: Settings, over: httpx.MockTransport | None, clock: Clock) -> ResultT:
    async def pause(seconds: float) -> None:
        clock.wait(seconds)

    async def main() -> ResultT:
        driver = AsyncTransport(given, network=over, pause=pause, clock=clock)
        try:
            return await driver.run(flow)
        finally:
            await driver.close()

    return anyio.run(main)


def recorded(flow: Flow[ResultT], diary: list[tuple[str, Any]]) -> Flow[ResultT]:
    """Pass *flow* on and write down what it asked and what it was told."""
    try:
        effect = next(flow)
        while True:
            try:
                told = yield effect
            except StoppedError as stopped:
                diary.append((type(effect).__name__, "stopped"))
                effect = flow.throw(stopped)
            else:
                diary.append(_entry(effect, told))
                effect = flow.send(told)
    except StopIteration as done:
        result: ResultT = done.value
        return result


def _entry(effect: Effect, told: Any) -> tuple[str, Any]:
    match effect:
        case Send(request):
            outcome = told.outcome if isinstance(told, Sent) else told
            what = outcome.status if isinstance(outcome, ApiResponse) else type(outcome).__name__
            return f"{request.method} {request.idempotency_key}", what
        case Sleep(seconds):
            return "sleep", seconds
    return type(effect).__name__, told


def ok(**headers: str) -> httpx.Response:
    return httpx.Response(200, json={"id": "pr_1", "object": "payment_record"}, headers=headers)


def error(
    status: int, *, code: str | None = None, kind: str = "invalid_request_error", **headers: str
) -> httpx.Response:
    """Return an error of the API; header names with underscores for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json={"error": {"type": kind, "code": code}}, headers=named)


Make = Callable[[], Replies]
