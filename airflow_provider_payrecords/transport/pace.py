"""The pace that all requests of one client keep, whoever sends them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Protocol

from airflow_provider_payrecords.core.errors import TransportError
from airflow_provider_payrecords.core.pacing import Bucket, new_bucket, on_answered, on_throttled, take
from airflow_provider_payrecords.core.wire import ApiResponse


class Pacer(Protocol):
    """
    Says when a request may leave. Requests of one endpoint, account and mode share a rate.

    Whoever asks waits as told and then sends: a place in the line that was taken is not given back.
    """

    def reserve(self, endpoint: str) -> float:
        """Take the next place in the line of *endpoint*. Return the seconds to wait before sending."""
        ...

    def learn(self, endpoint: str, outcome: ApiResponse | TransportError) -> None:
        """Take note of what came of a request."""
        ...

    def rate(self, endpoint: str) -> float:
        """Return the requests per second at present."""
        ...


class OwnPace:
    """
    The pace of one client, which has one account and one mode: a token bucket an endpoint. Not for several threads.

    Args:
        rate_limit: Requests per second, for each endpoint.
        clock: Monotonic seconds.
    """

    def __init__(self, rate_limit: float, clock: Callable[[], float]) -> None:
        self._rate_limit = rate_limit
        self._clock = clock
        self._buckets: dict[str, Bucket] = {}

    def rate(self, endpoint: str) -> float:
        """Return the requests per second at present."""
        return self._bucket(endpoint).rate

    def reserve(self, endpoint: str) -> float:
        """Take the next place in the line of *endpoint*. Return the seconds to wait before sending."""
        self._buckets[endpoint], wait = take(self._bucket(endpoint), self._clock())
        return wait

    def learn(self, endpoint: str, outcome: ApiResponse | TransportError) -> None:
        """Slow down after a 429, as far as its limit reaches; recover after anything else that was answered."""
        if not isinstance(outcome, ApiResponse):
            return
        if outcome.status != 429:
            self._buckets[endpoint] = on_answered(self._bucket(endpoint), self._clock())
            return
        for name in self._throttled(endpoint, outcome):
            self._buckets[name] = on_throttled(self._bucket(name), self._clock())

    def _throttled(self, endpoint: str, answer: ApiResponse) -> tuple[str, ...]:
        """
        Return the endpoints that a 429 slows.

        A lock concerns one record, so it slows only that record's own retry.

        Source:
            https://docs.stripe.com/rate-limits (the reasons; a 429 without one and with ``lock_timeout`` is a lock)
        """
        reason = answer.headers.get("stripe-rate-limited-reason")
        if reason is None and b"lock_timeout" in answer.content:
            return ()
        if reason is None or reason.startswith("global-"):
            return tuple({endpoint, *self._buckets})
        return (endpoint,)

    def _bucket(self, endpoint: str) -> Bucket:
        if endpoint not in self._buckets:
            self._buckets[endpoint] = new_bucket(self._rate_limit, self._clock())
        return self._buckets[endpoint]


def uniform_jitter(random: Random | None = None) -> Iterator[float]:
    """Yield numbers uniform in [0.5, 1], for ever."""
    source = random or Random()  # noqa: S311  # spreads retries, protects nothing
    while True:
        yield source.uniform(0.5, 1.0)
