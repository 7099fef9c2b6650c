"""What each failure of httpx proves about a payment."""

from __future__ import annotations

import ssl

import httpx
import pytest

from airflow_provider_payrecords.core.errors import (
    NotSentError,
    OutcomeUnknownError,
    TransportError,
    UntrustedServerError,
)
from airflow_provider_payrecords.transport.outcome import cut_short, transport_error

BEFORE: list[type[httpx.HTTPError]] = [
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
]


def every_error(root: type[httpx.HTTPError] = httpx.HTTPError) -> set[type[httpx.HTTPError]]:
    """Return all that httpx raises; other packages derive errors of their own from these."""
    below = (one for one in root.__subclasses__() if one.__module__.startswith("httpx"))
    return {root}.union(*(every_error(one) for one in below))


@pytest.mark.parametrize("cls", sorted(every_error(), key=str))
def test_only_a_failure_before_the_connection_stands_proves_that_nothing_left(cls: type[httpx.HTTPError]) -> None:
    made = httpx.HTTPStatusError("m", request=None, response=None) if cls is httpx.HTTPStatusError else cls("m")  # type: ignore[arg-type]  # it is not read
    assert type(transport_error(made)) is (NotSentError if cls in BEFORE else OutcomeUnknownError)


def caused(by: Exception, error: Exception) -> Exception:
    error.__cause__ = by
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (caused(ssl.SSLCertVerificationError("x"), httpx.ConnectError("m")), UntrustedServerError),
        (
            caused(caused(ssl.SSLCertVerificationError("x"), OSError("y")), httpx.ConnectError("m")),
            UntrustedServerError,
        ),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"), UntrustedServerError),
        (caused(ssl.SSLError("wrong version"), httpx.ConnectError("m")), NotSentError),
        (caused(ssl.SSLCertVerificationError("x"), httpx.ReadError("m")), OutcomeUnknownError),
        (httpx.ReadError("CERTIFICATE_VERIFY_FAILED"), OutcomeUnknownError),
    ],
    ids=range(6),
)
def test_a_certificate_is_refused_while_connecting_or_not_at_all(error: Exception, kind: type[TransportError]) -> None:
    assert type(transport_error(error)) is kind


@pytest.mark.parametrize("cls", [httpx.ConnectError, httpx.ReadError, httpx.ProxyError])
def test_a_message_names_the_failure_and_not_the_address(cls: type[httpx.RequestError]) -> None:
    text = str(transport_error(cls("http://user:secret@proxy:3128 said no")))
    assert cls.__name__ in text
    assert "secret" not in text


def test_a_request_that_was_given_up_may_have_taken_effect() -> None:
    assert isinstance(cut_short(), OutcomeUnknownError)
