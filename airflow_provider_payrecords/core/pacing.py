"""
How fast to send: a token bucket as a value, and how its rate answers to throttling.

``(bucket, now) -> (bucket, wait)``. A 429 halves the rate for everybody who shares the bucket; every answer after it
adds a little, up to the rate that was allowed (additive increase, multiplicative decrease).

Source:
    https://docs.stripe.com/rate-limits (advises a client-side token bucket)
"""

from __future__ import annotations

from dataclasses import dataclass, replace

MIN_RATE = 0.5
"""Requests per second that throttling never goes below."""
COOL_DOWN_SECONDS = 1.0
"""Throttling answers within this time of each other count as one."""
RECOVERY_SECONDS = 20.0
"""Time in which a rate recovers from its floor to what was allowed, if nothing throttles it again."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """
    A token bucket.

    Attributes:
        allowed: Requests per second that it never exceeds.
        rate: Requests per second at present, at most ``allowed``.
        burst: Requests that may go at once after a pause.
        tokens: Requests that may go now; negative while some are waiting.
        updated: Monotonic seconds at which ``tokens`` was true.
        throttled: Monotonic seconds of the last decrease.
    """

    allowed: float
    rate: float
    burst: float
    tokens: float
    updated: float
    throttled: float = float("-inf")


def new_bucket(allowed: float, now: float, burst: float | None = None) -> Bucket:
    """Return a bucket for *allowed* requests per second. A burst of a tenth of a second by default, at least one."""
    size = max(1.0, allowed / 10 if burst is None else burst)
    return Bucket(allowed=allowed, rate=allowed, burst=size, tokens=size, updated=now)


def take(bucket: Bucket, now: float) -> tuple[Bucket, float]:
    """Take one token. Return the bucket and the seconds to wait before the request may go."""
    refilled = min(bucket.burst, bucket.tokens + max(0.0, now - bucket.updated) * bucket.rate)
    tokens = refilled - 1.0
    wait = 0.0 if tokens >= 0 else -tokens / bucket.rate
    return replace(bucket, tokens=tokens, updated=max(now, bucket.updated)), wait


def on_throttled(bucket: Bucket, now: float) -> Bucket:
    """Halve the rate, at most once per ``COOL_DOWN_SECONDS``."""
    if now - bucket.throttled < COOL_DOWN_SECONDS:
        return bucket
    return replace(bucket, rate=max(min(MIN_RATE, bucket.allowed), bucket.rate / 2), throttled=now)


def on_answered(bucket: Bucket) -> Bucket:
    """Add a little to the rate after an answer that was not throttled."""
    if bucket.rate >= bucket.allowed:
        return bucket
    step = bucket.allowed / (RECOVERY_SECONDS * bucket.rate)
    return replace(bucket, rate=min(bucket.allowed, bucket.rate + step))
