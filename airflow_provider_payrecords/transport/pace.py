"""The pace that all requests of one client keep, whoever sends them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from airflow_provider_payrecords.core.errors import TransportError
from airflow_provider_payrecords.core.pacing import new_bucket, on_answered, on_throttled, take
from airflow_provider_payrecords.core.wire import ApiResponse


class Pacer:
    """
    A token bucket with a memory. Not for use by several threads.

    Args:
        rate_limit: Requests per second.
        clock: Monotonic seconds.
    """

    def __init__(self, rate_limit: float, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._bucket = new_bucket(rate_limit, clock())

    @property
    def rate(self) -> float:
        """Requests per second at present."""
        return self._bucket.rate

    def reserve(self) -> float:
        """Take the next place in line. Return the seconds to wait before sending."""
        self._bucket, wait = take(self._bucket, self._clock())
        return wait

    def learn(self, outcome: ApiResponse | TransportError) -> None:
        """Slow down after a 429, recover after anything else that was answered."""
        if not isinstance(outcome, ApiResponse):
            return
        if outcome.status != 429:
            self._bucket = on_answered(self._bucket)
        elif not _is_lock(outcome):
            self._bucket = on_throttled(self._bucket, self._clock())


def _is_lock(response: ApiResponse) -> bool:
    """
    Tell an object lock from a rate limit: a lock concerns one record and must not slow the others.

    Source:
        https://docs.stripe.com/rate-limits (a 429 without the reason header, code ``lock_timeout``)
    """
    return "stripe-rate-limited-reason" not in response.headers and b"lock_timeout" in response.content


def uniform_jitter(random: Random | None = None) -> Iterator[float]:
    """Yield numbers uniform in [0.5, 1], for ever."""
    source = random or Random()  # noqa: S311  # spreads retries, protects nothing
    while True:
        yield source.uniform(0.5, 1.0)
