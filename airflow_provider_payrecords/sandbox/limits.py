"""
Rate limits per account and per endpoint, as token buckets that hold one second's worth.

Source:
    https://docs.stripe.com/rate-limits
"""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_payrecords.sandbox.config import RateLimits
from airflow_provider_payrecords.sandbox.objects import Realm


@dataclass(slots=True)
class _Bucket:
    rate: float
    tokens: float
    updated: float

    def refill(self, now: float) -> bool:
        # A clock that was set back refills nothing, and must not drain either.
        self.tokens = min(self.capacity, self.tokens + max(0.0, now - self.updated) * self.rate)
        self.updated = now
        return self.tokens >= 1

    @property
    def capacity(self) -> float:
        return max(1.0, self.rate)


class Limiter:
    """Counts requests. ``refuse`` says why one is too many, in the words of the reason header."""

    def __init__(self, limits: RateLimits | None) -> None:
        self._limits = limits
        self._buckets: dict[tuple[Realm, str | None], _Bucket] = {}

    def refuse(self, realm: Realm, endpoint: str | None, now: float) -> str | None:
        """
        Count a request, unless it is one too many.

        Args:
            endpoint: None for a route that does not exist; only the account's limit applies to it.
            now: Epoch seconds.

        Returns:
            None, or ``endpoint-rate`` or ``global-rate``. A refused request counts for neither limit.
        """
        if self._limits is None:
            return None
        buckets = {
            "endpoint-rate": self._bucket(realm, endpoint, self._limits.endpoint if endpoint else None, now),
            "global-rate": self._bucket(realm, None, self._limits.live if realm.livemode else self._limits.test, now),
        }
        for reason, bucket in buckets.items():
            if bucket is not None and not bucket.refill(now):
                return reason
        for bucket in buckets.values():
            if bucket is not None:
                bucket.tokens -= 1
        return None

    def _bucket(self, realm: Realm, endpoint: str | None, rate: float | None, now: float) -> _Bucket | None:
        if rate is None:
            return None
        return self._buckets.setdefault((realm, endpoint), _Bucket(rate, max(1.0, rate), now))
