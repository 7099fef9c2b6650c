"""
Every exception of this package, and what each one means for a payment.

::

    PayRecordsError
    ├── UsageError                    ABORT    what the user wrote cannot work; nothing was sent
    │   ├── SettingsError             ABORT    key, host, limits, connection extras
    │   ├── MappingError              ABORT    the mapping, or the columns it names
    │   └── ExtractError              ABORT    the extract cannot be read
    ├── CommandError                  REJECT   a command broke a rule of the API before it was sent
    ├── IllegalTransitionError        ABORT    a ledger entry was asked to do what the table forbids
    ├── LedgerError                   ABORT    the ledger cannot be used; nothing more is sent
    │   ├── LedgerSchemaError         ABORT    written by a newer version, or not a ledger
    │   └── LedgerUnavailableError    ABORT    cannot be opened, read or written
    ├── ResultsError                  ABORT    the results file cannot be written; the ledger is right
    ├── ApiError                               an answer was read and it is an error
    │   ├── InvalidRequestError       REJECT   400, 402, 404, 424
    │   ├── IdempotencyError          REJECT   the key was used with other parameters
    │   ├── AuthenticationError       ABORT    401
    │   ├── PermissionDeniedError     ABORT    403
    │   ├── UnknownRouteError         ABORT    404 for the call itself, not for what it names
    │   ├── RateLimitError            RETRY    429
    │   ├── ConflictError             UNKNOWN  409, the key is in use by a request still running
    │   └── ServerError               UNKNOWN  500 and above
    ├── TransportError                         no answer was read
    │   ├── NotSentError              RETRY    the request did not leave
    │   │   └── LeaseEndedError       RETRY    its claim was over before it could leave
    │   ├── UntrustedServerError      ABORT    TLS verification failed, or the server sent us elsewhere
    │   └── OutcomeUnknownError       UNKNOWN  it left, and the answer was lost or unreadable
    ├── HeldError                     RETRY    another worker is sending this payment
    ├── ReviewNeededError             UNKNOWN  a person must look at the entry
    └── StoppedError                  RETRY    asked to stop before the call was made

Attributes are JSON-safe and every instance survives pickling. Messages never hold a key, a body or a customer's data.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, ClassVar


class Disposition(str, Enum):
    """What an error says about the payment, and so what may be done next."""

    RETRY = "retry"  # nothing happened; the same call may be made again
    REJECT = "reject"  # this row is wrong; other rows are not
    ABORT = "abort"  # every row would fail alike; stop
    UNKNOWN = "unknown"  # it may have happened; only the same idempotency key may be sent


class PayRecordsError(Exception):
    """Root of the tree. ``message`` says what failed and what to do next."""

    disposition: ClassVar[Disposition] = Disposition.ABORT

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self._details = details

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self._details)


def _rebuild(cls: type[PayRecordsError], message: str, details: dict[str, Any]) -> PayRecordsError:
    return cls(message, **details)


class UsageError(PayRecordsError):
    """What the user wrote cannot work. Nothing was sent."""


class SettingsError(UsageError):
    """A key, host, limit or connection extra is missing or wrong."""


class MappingError(UsageError):
    """The mapping is not well formed, or names columns the extract does not have."""


class ExtractError(UsageError):
    """The extract is missing, empty, broken or not readable."""


class CommandError(PayRecordsError):
    """
    A command broke a rule of the API and was not sent.

    Attributes:
        problems: One mapping per problem with ``field`` (dotted path), ``code`` and ``message``.
    """

    disposition = Disposition.REJECT

    def __init__(self, message: str, *, problems: list[dict[str, str]] | None = None) -> None:
        problems = list(problems or [])
        super().__init__(message, problems=problems)
        self.problems = problems


class IllegalTransitionError(PayRecordsError):
    """
    The lifecycle table has no such pair.

    Attributes:
        state: The entry's state.
        event: The event it cannot take.
    """

    def __init__(self, message: str, *, state: str = "", event: str = "") -> None:
        super().__init__(message, state=state, event=event)
        self.state = state
        self.event = event


class LedgerError(PayRecordsError):
    """The ledger cannot be used, so nothing more is sent."""


class LedgerSchemaError(LedgerError):
    """The ledger was written by a newer version of this package, or is no ledger."""


class LedgerUnavailableError(LedgerError):
    """The ledger cannot be opened, read or written."""


class ResultsError(PayRecordsError):
    """The results file cannot be written. Nothing is lost: the ledger holds every outcome."""


class ApiError(PayRecordsError):
    """
    An error answer of the API.

    Attributes:
        status: HTTP status.
        code: The API's short error code, such as ``parameter_missing``, or None.
        param: The parameter to blame in the API's bracket form, or None.
        request_id: ``req_…`` for the Dashboard's log, or None.
        type: The API's error type, or None.
        reason: For 429, the ``Stripe-Rate-Limited-Reason`` header, or None.
        replayed: The answer is a stored one, given again for the same idempotency key.
        should_retry: The server's own advice, ``Stripe-Should-Retry``, or None.
        retry_after_seconds: ``Retry-After`` if it came, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        code: str | None = None,
        param: str | None = None,
        request_id: str | None = None,
        type: str | None = None,
        reason: str | None = None,
        replayed: bool = False,
        should_retry: bool | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(
            message,
            status=status,
            code=code,
            param=param,
            request_id=request_id,
            type=type,
            reason=reason,
            replayed=replayed,
            should_retry=should_retry,
            retry_after_seconds=retry_after_seconds,
        )
        self.status = status
        self.code = code
        self.param = param
        self.request_id = request_id
        self.type = type
        self.reason = reason
        self.replayed = replayed
        self.should_retry = should_retry
        self.retry_after_seconds = retry_after_seconds


class InvalidRequestError(ApiError):
    """The API refused this request: 400, 402, 404 or 424. Correct what was sent."""

    disposition = Disposition.REJECT


class IdempotencyError(ApiError):
    """The idempotency key was used before with other parameters. A person must look."""

    disposition = Disposition.REJECT


class AuthenticationError(ApiError):
    """The key is missing, wrong, expired or revoked: 401."""


class PermissionDeniedError(ApiError):
    """The key lacks a permission: 403."""


class UnknownRouteError(ApiError):
    """The API does not know this call: 404 without ``resource_missing``. Check the API version and the host."""


class RateLimitError(ApiError):
    """Too many requests, or an object lock: 429. The endpoint did not run."""

    disposition = Disposition.RETRY


class ConflictError(ApiError):
    """A request with the same idempotency key is still running: 409."""

    disposition = Disposition.UNKNOWN


class ServerError(ApiError):
    """The API failed: 500 and above. The payment may have been recorded."""

    disposition = Disposition.UNKNOWN


class TransportError(PayRecordsError):
    """
    No answer was read.

    Attributes:
        status: HTTP status if a status line was read, else None.
    """

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message, status=status)
        self.status = status


class NotSentError(TransportError):
    """The request did not leave: no connection, no name, no free connection in the pool."""

    disposition = Disposition.RETRY


class LeaseEndedError(NotSentError):
    """The claim's lease ended before the request left, so another worker may be sending. Run again."""


class UntrustedServerError(TransportError):
    """The server's certificate was not accepted, or it redirected the call. Check the API base."""


class OutcomeUnknownError(TransportError):
    """The request left and no readable answer came back. It may have taken effect."""

    disposition = Disposition.UNKNOWN


class HeldError(PayRecordsError):
    """Another worker holds the claim on this payment. Run again when its lease is over."""

    disposition = Disposition.RETRY


class ReviewNeededError(PayRecordsError):
    """The ledger holds this payment for a person to look at. It is not sent again on its own."""

    disposition = Disposition.UNKNOWN


class StoppedError(PayRecordsError):
    """The task or the process was asked to stop before the call was made."""

    disposition = Disposition.RETRY
