"""
A retry policy for Airflow 3.3 and later that knows our errors and ``Retry-After``.

    ReportPaymentOperator(..., retries=5, retry_policy=PayRecordsRetryPolicy())

Retrying is always safe: the same call has the same idempotency key. The policy only says whether it can help, and when.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

try:
    from airflow_provider_payrecords._airflow import RetryDecision, RetryPolicy
except ImportError:
    raise ImportError(
        "Retry policies need Airflow 3.3 or later. Leave retry_policy out: retries work without."
    ) from None

HELD_SECONDS = 300.0
"""The default lease: so long another worker keeps a payment at most once it has vanished."""
KEY_IN_USE_SECONDS = 60.0
"""After this a request that is still running under the same idempotency key has ended."""


class PayRecordsRetryPolicy(RetryPolicy):
    """
    Waits as long as the API asks, and does not retry what cannot heal by itself.

    For operators of this package and for any task that uses the hook's clients. An error that is none of ours is left
    to the task's own settings, and so is the number of retries.

    Args:
        held_seconds: Wait where another worker has the payment; the runs' ``lease_seconds``.
    """

    def __init__(self, held_seconds: float = HELD_SECONDS) -> None:
        self.held_seconds = held_seconds

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,  # noqa: ARG002 - Airflow's signature
        max_tries: int,  # noqa: ARG002 - the same
        context: Any = None,  # noqa: ARG002 - the same
    ) -> RetryDecision:
        """Decide by the first of our errors in the chain of causes."""
        from airflow_provider_payrecords.core.errors import ApiError, ConflictError, HeldError, PayRecordsError
        from airflow_provider_payrecords.operators.failure import is_final

        error = next((one for one in _causes(exception) if isinstance(one, PayRecordsError)), None)
        if error is None:
            return RetryDecision.default()
        if is_final(error):
            return RetryDecision.fail(f"{type(error).__name__}: a retry cannot heal it")
        if isinstance(error, ApiError) and error.retry_after_seconds is not None:
            return RetryDecision.retry(timedelta(seconds=error.retry_after_seconds), "the API's Retry-After")
        if isinstance(error, HeldError):
            return RetryDecision.retry(timedelta(seconds=self.held_seconds), "another worker is sending this payment")
        if isinstance(error, ConflictError):
            return RetryDecision.retry(timedelta(seconds=KEY_IN_USE_SECONDS), "its idempotency key is still in use")
        return RetryDecision.default()

    def serialize(self) -> dict[str, Any]:
        """Return the policy as data."""
        return {"held_seconds": self.held_seconds}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> PayRecordsRetryPolicy:
        """Return the policy that ``serialize`` wrote."""
        return cls(**data)


def _causes(exception: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while exception is not None and id(exception) not in seen:
        seen.add(id(exception))
        yield exception
        exception = exception.__cause__
