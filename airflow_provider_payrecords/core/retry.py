"""
When to make the same call again, and after how long. A decision is a value.

The official SDK's algorithm, plus 429 and 409, within a bound on attempts and on total time. The same idempotency key
is sent every time.

Source:
    stripe-python 16.1.0, ``_HTTPClient._should_retry`` and ``_sleep_time_seconds``; https://docs.stripe.com/rate-limits
    advises backoff for 429, which the SDK does not do
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from airflow_provider_payrecords.core.errors import (
    ApiError,
    ConflictError,
    Disposition,
    LeaseEndedError,
    PayRecordsError,
    RateLimitError,
    ServerError,
    TransportError,
)

INITIAL_DELAY_SECONDS = 0.5
MAX_DELAY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Again:
    """Make the same call again, ``after_seconds`` from now."""

    after_seconds: float


@dataclass(frozen=True, slots=True)
class Stop:
    """Do not call again."""


class RetryPolicy(BaseModel):
    """
    Bounds of one call.

    Attributes:
        max_retries: Sends after the first one.
        max_total_seconds: No retry starts later than this after the first send.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_retries: int = Field(default=6, ge=0, le=100)
    max_total_seconds: float = Field(default=90.0, gt=0, le=3600)

    def decide(self, attempt: int, elapsed_seconds: float, error: PayRecordsError, jitter: float) -> Again | Stop:
        """
        Decide what follows a failed send.

        Args:
            attempt: 1 for the first send.
            elapsed_seconds: Since the first send began.
            jitter: Uniform in [0.5, 1].
        """
        if attempt > self.max_retries or not is_retryable(error):
            return Stop()
        after = delay_seconds(attempt, jitter)
        if isinstance(error, ApiError) and error.retry_after_seconds is not None:
            after = max(after, error.retry_after_seconds)
        return Again(after) if elapsed_seconds + after <= self.max_total_seconds else Stop()


def is_retryable(error: PayRecordsError) -> bool:
    """
    Say whether the same call may succeed when made again with the same key.

    A stored failure that was replayed is final: the API gives it again for ever under this key.
    """
    if isinstance(error, ApiError):
        if error.replayed:
            return False
        if error.should_retry is not None:
            return error.should_retry
        return isinstance(error, (ConflictError, RateLimitError, ServerError))
    if isinstance(error, LeaseEndedError):
        return False
    return isinstance(error, TransportError) and error.disposition is not Disposition.ABORT


def delay_seconds(attempt: int, jitter: float) -> float:
    """Return the wait before retry number *attempt*: 0.5; 0.5 to 1; 1 to 2; 2 to 4; then 2.5 to 5 seconds."""
    grown: float = min(INITIAL_DELAY_SECONDS * 2 ** (attempt - 1), MAX_DELAY_SECONDS)
    return max(INITIAL_DELAY_SECONDS, grown * jitter)
