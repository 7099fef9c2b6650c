"""What a flow may ask of the world. A driver answers each effect and sends the answer back into the flow."""

from __future__ import annotations

from collections.abc import Generator
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias, TypeVar

from airflow_provider_payrecords.core.entry import Decision, Entry, Intent, Scope, Settlement
from airflow_provider_payrecords.core.errors import TransportError
from airflow_provider_payrecords.core.wire import ApiRequest, ApiResponse


class Send(NamedTuple):
    """
    Send a request. Answered with ``Sent``.

    Attributes:
        until: Aware UTC from which on it must not leave any more, or None.
    """

    request: ApiRequest
    until: datetime | None = None


class Sent(NamedTuple):
    """What came of a send: the answer, or why there is none, and how long it took in seconds."""

    outcome: ApiResponse | TransportError
    seconds: float


class Sleep(NamedTuple):
    """Wait. Answered with None, or with ``StoppedError`` raised inside the flow if waiting was cut short."""

    seconds: float


class Claim(NamedTuple):
    """Ask the ledger for the right to send. Answered with a ``Decision`` that is already durable."""

    scope: Scope
    intent: Intent


class Settle(NamedTuple):
    """Tell the ledger the outcome. Answered with the ``Entry``, already durable."""

    scope: Scope
    settlement: Settlement


Effect: TypeAlias = Send | Sleep | Claim | Settle
EffectAnswer: TypeAlias = Sent | Decision | Entry | None
ResultT = TypeVar("ResultT")
Flow: TypeAlias = Generator[Effect, Any, ResultT]
