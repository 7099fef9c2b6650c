"""
The error answers of the double: one envelope, and a constructor for each error it can give.

Messages are those the live service was seen to send, where anyone has seen them; a client must never branch on them.
These values are what the *server* says. What our client makes of them is in ``core.errors``.

Source:
    https://docs.stripe.com/api/errors and https://docs.stripe.com/error-codes
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from airflow_provider_payrecords.core.money import CURRENCIES

SUPPORT = "Please see https://stripe.com/docs or we can help at https://support.stripe.com/."


@dataclass(eq=False)
class RefusalError(Exception):
    """
    The endpoint answers with an error.

    Attributes:
        status: HTTP status.
        type: ``invalid_request_error``, ``idempotency_error`` or ``api_error``.
        code: Short code, where the error has one.
        param: The parameter to blame, in bracket form.
        headers: Extra response headers, names in lowercase.
        absent: Id of the object that does not exist.
    """

    status: int
    message: str
    type: str = "invalid_request_error"
    code: str | None = None
    param: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    absent: str | None = None

    def body(self, request_log_url: str) -> dict[str, Any]:
        """Return the envelope; keys that do not apply are left out."""
        doc_url = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}" if self.code else None
        error = {
            "code": self.code,
            "doc_url": doc_url,
            "message": self.message,
            "param": self.param,
            "request_log_url": request_log_url,
            "type": self.type,
        }
        return {"error": {name: value for name, value in error.items() if value is not None}}


def invalid(message: str, param: str | None = None, code: str | None = None) -> RefusalError:
    """Return a 400 that blames *param*."""
    return RefusalError(400, message, code=code, param=param)


def missing_parameter(param: str) -> RefusalError:
    """Return the error for a required field that is absent."""
    return invalid(f"Missing required param: {param}.", param, "parameter_missing")


def unknown_parameter(param: str) -> RefusalError:
    """Return the error for a field the endpoint does not have."""
    return invalid(f"Received unknown parameter: {param}", param, "parameter_unknown")


def empty_parameter(param: str) -> RefusalError:
    """Return the error for an empty string on a field that cannot be cleared."""
    message = (
        f"You passed an empty string for '{param}'. We assume empty values are an attempt to unset a parameter; "
        f"however '{param}' cannot be unset. You should remove '{param}' from your request or supply a non-empty value."
    )
    return invalid(message, param, "parameter_invalid_empty")


def invalid_choice(param: str, choices: Iterable[str]) -> RefusalError:
    """Return the error for a value outside an enum."""
    *first, last = choices
    listed = f"{', '.join(first)}, or {last}" if len(first) > 1 else " or ".join([*first, last])
    return invalid(f"Invalid {param}: must be one of {listed}", param)


def invalid_currency(param: str, value: str) -> RefusalError:
    """Return the error for a currency that is not supported. It lists all that are."""
    known = ", ".join(["usd", *sorted(CURRENCIES - {"usd"})])
    return invalid(f"Invalid currency: {value}. Stripe currently supports these currencies: {known}", param)


def no_such(kind: str, identifier: str, param: str) -> RefusalError:
    """Return the 404 for an object that does not exist here."""
    message = f"No such {kind}: '{identifier}'"
    return RefusalError(404, message, code="resource_missing", param=param, absent=identifier)


def in_other_mode(refusal: RefusalError, mode: str, other: str) -> RefusalError:
    """Return *refusal* with the hint that the object exists for keys of the *other* mode."""
    hint = f"; a similar object exists in {other} mode, but a {mode} mode key was used to make this request."
    return replace(refusal, message=refusal.message + hint)


def unknown_url(method: str, path: str) -> RefusalError:
    """Return the 404 for a route that does not exist."""
    return RefusalError(404, f"Unrecognized request URL ({method}: {path}). {SUPPORT}")


def no_key() -> RefusalError:
    """Return the 401 for a request without an API key."""
    message = (
        "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer "
        "auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for "
        "details, or we can help at https://support.stripe.com/."
    )
    return RefusalError(401, message)


def wrong_key(masked: str) -> RefusalError:
    """Return the 401 for a key nobody gave out."""
    return RefusalError(401, f"Invalid API Key provided: {masked}")


def expired_key(masked: str) -> RefusalError:
    """Return the 401 for a key that was rolled."""
    return RefusalError(401, f"Expired API Key provided: {masked}", code="api_key_expired")


def missing_permission(masked: str, account: str, permission: str) -> RefusalError:
    """Return the 403 for a restricted key that lacks *permission*."""
    message = (
        f"The provided key '{masked}' does not have the required permissions for this endpoint on account '{account}'. "
        f"Having the 'rak_{permission}' permission would allow this request to continue."
    )
    return RefusalError(403, message)


def other_parameters(key: str) -> RefusalError:
    """Return the error for an idempotency key that was first used with other parameters."""
    message = (
        "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a "
        f"key other than '{key}' if you meant to execute a different request."
    )
    return RefusalError(400, message, type="idempotency_error")


def other_endpoint(key: str, first: str, now: str) -> RefusalError:
    """Return the error for an idempotency key that was first used on another path."""
    message = (
        "Keys for idempotent requests can only be used for the same endpoint they were first used for "
        f"('{now}' vs '{first}'). Try using a key other than '{key}' if you meant to execute a different request."
    )
    return RefusalError(400, message, type="idempotency_error")


def key_in_use(key: str) -> RefusalError:
    """Return the 409 for an idempotency key whose first request is still running."""
    message = (
        "There is currently another in-progress request using this Idempotent Key (that probably means you submitted "
        f"twice, and the other request is still going through): {key}. Please try again later."
    )
    return RefusalError(409, message, type="idempotency_error", code="idempotency_key_in_use")


def rate_limited(reason: str) -> RefusalError:
    """Return the 429 for too many requests, with its reason."""
    message = (
        "Request rate limit exceeded. You can learn more about rate limits here https://stripe.com/docs/rate-limits."
    )
    return RefusalError(429, message, code="rate_limit", headers={"stripe-rate-limited-reason": reason})


def object_locked() -> RefusalError:
    """Return the 429 for an object that another call holds. It carries no reason header."""
    message = (
        "This object cannot be accessed right now because another API request or Stripe process is currently accessing "
        "it. If you see this error intermittently, retry the request."
    )
    return RefusalError(429, message, code="lock_timeout")


def server_failure() -> RefusalError:
    """Return the 500 that says nothing about what happened."""
    return RefusalError(500, "An unknown error occurred", type="api_error")
