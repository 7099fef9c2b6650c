"""A driver made of plain data: it feeds a flow prepared answers and notes what the flow asked for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Any

from airflow_provider_payrecords.core.effects import Effect, Flow, ResultT, Send, Sent
from airflow_provider_payrecords.core.errors import StoppedError, TransportError
from airflow_provider_payrecords.core.wire import ApiResponse

NO_JITTER: Iterator[float] = repeat(1.0)


def feed(flow: Flow[ResultT], answers: Iterable[Any]) -> tuple[ResultT, list[Effect]]:
    """Run *flow* on *answers*; a ``StoppedError`` among them is raised inside it. All of them must be used."""
    left, asked = list(answers), []
    try:
        effect = next(flow)
        while True:
            asked.append(effect)
            answer = left.pop(0)
            effect = flow.throw(answer) if isinstance(answer, StoppedError) else flow.send(answer)
    except StopIteration as done:
        assert left == [], "the flow ended before it used every answer"
        result: ResultT = done.value
        return result, asked


def answered(status: int, body: Any = None, seconds: float = 0.0, **headers: str) -> Sent:
    """Return an answer of the API; header names with underscores for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Sent(ApiResponse(status, named, body if isinstance(body, bytes) else json.dumps(body).encode()), seconds)


def refused(
    status: int,
    seconds: float = 0.0,
    *,
    type: str = "invalid_request_error",
    code: str = "",
    param: str | None = None,
    **headers: str,
) -> Sent:
    """Return an error of the API in its envelope."""
    return answered(status, {"error": {"type": type, "code": code, "param": param}}, seconds, **headers)


def failed(error: TransportError, seconds: float = 0.0) -> Sent:
    """Return a send that was not answered."""
    return Sent(error, seconds)


def sends(effects: list[Effect]) -> int:
    """Return how many requests left."""
    return sum(isinstance(effect, Send) for effect in effects)
