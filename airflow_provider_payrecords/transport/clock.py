"""The time of day, and what it means for a claim."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone

from airflow_provider_payrecords.core.errors import LeaseEndedError

Clock = Callable[[], datetime]
"""Tells the time as aware UTC."""


def utc_now() -> datetime:
    """Return the present instant as aware UTC."""
    return datetime.now(timezone.utc)


def lease_ended(until: datetime | None, now: Clock) -> LeaseEndedError | None:
    """Return why a request must not leave any more, or None if it may."""
    if until is None or now() < until:
        return None
    return LeaseEndedError("The claim on this payment ended before its request left. Run again.")
