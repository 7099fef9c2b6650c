"""
How fast to send: a token bucket as a value, and how its rate answers to throttling.

``(bucket, now) -> (bucket, wait)``. A 429 halves the rate at which requests really left, for everybody who shares the
bucket. Answers raise it again by a steady amount a second (additive increase, multiplicative decrease), so that it
is back where it was throttled after ``RECOVERY_SECONDS``; if nothing throttles it there either, it doubles every
``DOUBLING_SECONDS`` up to the rate that was allowed.

Source:
    https://docs.stripe.com/rate-limits (advises a client-side token bucket)
"""

from __future__ import annotations

from typing import NamedTuple

MIN_RATE = 0.5
"""Requests per second that throttling never goes below."""
BURST_SECONDS = 0.25
"""
A bucket saves up the requests of so much time while its senders are busy or late; one at least. At the default of 20 a
second, no second sees more than the 25 that Stripe allows.
"""
MAX_AHEAD_SECONDS = 300.0
"""So far ahead workers can have taken time of a pace they share; beyond it a clock was wrong."""
COOL_DOWN_SECONDS = 1.0
"""Throttling answers within this time of each other count as one."""
RECOVERY_SECONDS = 10.0
DOUBLING_SECONDS = 2.0
METER_SECONDS = 1.0
"""Time over which the requests that leave are counted."""


class Bucket(NamedTuple):
    """
    A token bucket. Times are monotonic seconds.

    Attributes:
        allowed: Requests per second that it never exceeds.
        rate: Requests per second at present, at most ``allowed``.
        tokens: Requests that may go now; negative while some are waiting.
        updated: When ``tokens`` was true.
        metered: Begin of the present count.
        counted: Requests since then.
        measured: Requests per second of the count before it; infinite before there is one.
        throttled: When the rate was last lowered.
        ceiling: Requests per second at which it was throttled.
        raised: When the rate was last raised or lowered.
    """

    allowed: float
    rate: float
    tokens: float
    updated: float
    metered: float
    counted: int = 0
    measured: float = float("inf")
    throttled: float = float("-inf")
    ceiling: float = 0.0
    raised: float = 0.0


def new_bucket(allowed: float, now: float) -> Bucket:
    """Return a bucket for *allowed* requests per second. One request may go at once; nothing was saved up before."""
    return Bucket(allowed=allowed, rate=allowed, tokens=1.0, updated=now, metered=now)


def burst(rate: float) -> float:
    """Return how many requests may go at once after a pause."""
    return max(1.0, rate * BURST_SECONDS)


def take(bucket: Bucket, now: float) -> tuple[Bucket, float]:
    """Take one token. Return the bucket and the seconds to wait before the request may go."""
    elapsed = max(0.0, now - bucket.updated)
    tokens = min(burst(bucket.rate), bucket.tokens + elapsed * bucket.rate) - 1.0
    metered, counted, measured = bucket.metered, bucket.counted + 1, bucket.measured
    if now - metered >= METER_SECONDS:
        metered, counted, measured = now, 1, bucket.counted / (now - metered)
    # Written out, since ``_replace`` would be the dearest part of a request's way through here.
    taken = Bucket(
        bucket.allowed,
        bucket.rate,
        tokens,
        bucket.updated + elapsed,
        metered,
        counted,
        measured,
        bucket.throttled,
        bucket.ceiling,
        bucket.raised,
    )
    return taken, (0.0 if tokens >= 0 else -tokens / bucket.rate)


def book(free_at: float | None, now: float, seconds: float) -> tuple[float, float]:
    """
    Take the next *seconds* of a pace that several workers share: while they last, nobody else sends.

    Args:
        free_at: When the last time that was taken ends, or None if none ever was.
        now: By the same clock.

    Returns:
        When the time now taken ends, and how many seconds from *now* on it begins. What ended before, or lies further
        ahead than ``MAX_AHEAD_SECONDS``, since a clock was wrong, keeps nobody waiting.
    """
    begins = free_at if free_at is not None and now <= free_at <= now + MAX_AHEAD_SECONDS else now
    return begins + seconds, begins - now


def on_throttled(bucket: Bucket, now: float) -> Bucket:
    """Halve the rate at which requests left, at most once per ``COOL_DOWN_SECONDS``, and forget what was saved up."""
    if now - bucket.throttled < COOL_DOWN_SECONDS:
        return bucket
    present = bucket.counted / max(METER_SECONDS, now - bucket.metered)
    left = min(bucket.rate, max(bucket.measured, present))
    return bucket._replace(
        rate=max(min(MIN_RATE, bucket.allowed), left / 2),
        tokens=min(0.0, bucket.tokens),
        throttled=now,
        ceiling=left,
        raised=now,
    )


def on_answered(bucket: Bucket, now: float) -> Bucket:
    """Raise the rate after an answer that was not throttled, by what is due since it was last raised."""
    if bucket.rate >= bucket.allowed:
        return bucket
    # One answer after a long pause says little of the pause.
    due = min(max(0.0, now - bucket.raised), 1.0)
    if now - bucket.throttled <= RECOVERY_SECONDS:
        rate = bucket.rate + due * bucket.ceiling / (2 * RECOVERY_SECONDS)
    else:
        rate = bucket.rate * 2 ** (due / DOUBLING_SECONDS)
    return bucket._replace(rate=min(bucket.allowed, rate), raised=max(now, bucket.raised))
