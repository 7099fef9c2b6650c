"""
Waiting for a record: what one look at it means, and when to look again. Pure, and the same for sensor and trigger.

A look is a read, so an answer that was lost costs nothing: it is made again, a bounded number of times in a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from airflow_provider_payrecords.core.errors import (
    AuthenticationError,
    Disposition,
    InvalidRequestError,
    NotSentError,
    PayRecordsError,
    PermissionDeniedError,
)
from airflow_provider_payrecords.core.flows import error_code
from airflow_provider_payrecords.core.models import PaymentRecord, RecordState
from airflow_provider_payrecords.core.standing import Standing, standing

DEFAULT_MAX_FAILURES = 10
MIN_INTERVAL_SECONDS = 1.0
SPREAD = 0.2
"""Waits are up to this share shorter or longer than asked for, so that many sensors do not look at once."""


class Sight(str, Enum):
    """What a look saw."""

    REACHED = "reached"  # the record is in a state that was waited for
    WAITING = "waiting"  # not yet; look again
    HOPELESS = "hopeless"  # it will not be, or cannot be seen, until a person changes something
    BLIND = "blind"  # the API could not be asked too many times in a row; another try may be luckier


@dataclass(frozen=True, slots=True)
class Look:
    """
    What came of one look at a record.

    Attributes:
        payment_record: Id of the record as the API says it, or as it was asked for if it was not seen.
        state: The record's state, or None if it was not seen.
        failures: Looks in a row, this one included, that saw nothing.
        message: One sentence for a log or an error, without personal data.
    """

    sight: Sight
    payment_record: str
    state: RecordState | None
    failures: int
    message: str


@dataclass(frozen=True, slots=True)
class Wait:
    """
    What is waited for.

    Attributes:
        payment_record: ``pr_…``, or the id of a PaymentIntent for a payment that Stripe processed.
        states: Any of these will do.
        for_new_attempt: A failed or canceled attempt is not the end: a new one may be reported.
        max_failures: Looks in a row that may see nothing before waiting ends.
    """

    payment_record: str
    states: tuple[RecordState, ...]
    for_new_attempt: bool = False
    max_failures: int = DEFAULT_MAX_FAILURES

    def look(self, record: PaymentRecord) -> Look:
        """Say what it means that the record now looks like *record*."""
        found = standing(self.states, record.state)
        is_open = found is Standing.COMING or (found is Standing.CLOSED and self.for_new_attempt)
        sight = Sight.REACHED if found is Standing.REACHED else Sight.WAITING if is_open else Sight.HOPELESS
        text = f"{record.id} is {record.state.value}"
        if sight is not Sight.REACHED:
            text += f", not {self.wanted}"
        if sight is Sight.HOPELESS:
            text += f". {_WHY[found]}"
        return Look(sight, record.id, record.state, 0, text)

    def stumble(self, error: PayRecordsError, failures_before: int) -> Look:
        """
        Say what it means that the record could not be read.

        Args:
            failures_before: Looks in a row before this one that saw nothing.
        """
        if error.disposition in (Disposition.ABORT, Disposition.REJECT):
            return Look(Sight.HOPELESS, self.payment_record, None, failures_before + 1, self._why_not(error))
        failures = failures_before + 1
        sight = Sight.BLIND if failures >= self.max_failures else Sight.WAITING
        text = f"{self.payment_record} could not be read, {failures} times in a row: {_passing(error)}"
        return Look(sight, self.payment_record, None, failures, text)

    @property
    def wanted(self) -> str:
        """The states as a person says them."""
        return " or ".join(state.value for state in self.states)

    def _why_not(self, error: PayRecordsError) -> str:
        name = self.payment_record
        if isinstance(error, InvalidRequestError) and error.code == "resource_missing":
            return (
                f"There is no payment record {name} for this key. Check the id, and that the connection's key is of "
                "the same account and mode (test or live) as the record."
            )
        if isinstance(error, PermissionDeniedError):
            return f"The API key may not read {name} (403). Grant payment_records_read to it."
        if isinstance(error, AuthenticationError):
            return f"The API key was not accepted when {name} was read (401). Check the connection's key."
        return error.message


def _passing(error: PayRecordsError) -> str:
    """Say what may pass. The texts of lost answers speak of reports, which a look is not."""
    if isinstance(error, NotSentError):
        return error.message
    request_id = getattr(error, "request_id", None)
    return f"{error_code(error)}, {request_id}" if request_id else error_code(error)


_WHY = {
    Standing.CLOSED: (
        "Its latest attempt ended so. If a new attempt is to be reported, wait for it with wait_for_new_attempt=True."
    ),
    Standing.NEVER: "The API takes no report that leads there any more.",
}


def pause_seconds(interval_seconds: float, jitter: float, left_seconds: float) -> float:
    """
    Return how long to wait before the next look: about the interval, never past the deadline.

    Args:
        jitter: Uniform in [-1, 1].
        left_seconds: Until the deadline; may be negative.
    """
    spread = max(interval_seconds, MIN_INTERVAL_SECONDS) * (1 + SPREAD * jitter)
    return max(0.0, min(spread, left_seconds))
