"""What a failure of httpx means for a payment, for both drivers."""

from __future__ import annotations

import ssl

import httpx

from airflow_provider_payrecords.core.errors import (
    NotSentError,
    OutcomeUnknownError,
    TransportError,
    UntrustedServerError,
)

_NEVER_LEFT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)


def transport_error(error: Exception) -> TransportError:
    """
    Return *error* as one of ours. Names its class only: addresses may hold credentials.

    A failure before the connection stands proves that nothing was sent; any later one proves nothing.
    """
    name = type(error).__name__
    if _is_tls_failure(error):
        return UntrustedServerError(
            "The server's certificate was not accepted, so nothing was sent. Check the API base and the machine's "
            "certificate store; verification cannot be turned off."
        )
    if isinstance(error, _NEVER_LEFT):
        return NotSentError(f"No connection to the API ({name}), so nothing was sent. Check host, network and proxy.")
    return OutcomeUnknownError(
        f"The request left and no whole answer came back ({name}). It may have taken effect; run again: the same "
        "idempotency key is sent."
    )


def cut_short() -> OutcomeUnknownError:
    """Return the error for a request that was given up while its answer was awaited."""
    return OutcomeUnknownError(
        "The request was given up before its answer was read. It may have taken effect; run again: the same "
        "idempotency key is sent."
    )


def _is_tls_failure(error: Exception) -> bool:
    if not isinstance(error, httpx.ConnectError):
        return False
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    return cause is not None or "CERTIFICATE_VERIFY_FAILED" in str(error)
