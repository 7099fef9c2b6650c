"""Commands to requests, and answers to models or errors. The only place that knows the API's error envelope."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar, cast

from pydantic import BaseModel, ValidationError

from airflow_provider_payrecords.core.commands import Command
from airflow_provider_payrecords.core.errors import (
    ApiError,
    AuthenticationError,
    ConflictError,
    IdempotencyError,
    InvalidRequestError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    UnknownRouteError,
    UntrustedServerError,
)
from airflow_provider_payrecords.core.form import encode_form
from airflow_provider_payrecords.core.scrub import scrub

MAX_LABEL = 200
"""Characters of an error's code, type and parameter that are kept."""


class ApiRequest(NamedTuple):
    """
    A request without what is the same for all of them: host, key, version.

    Attributes:
        target: Path and query, percent-encoded.
        content: Form body; empty for GET.
        idempotency_key: For POST, else None.
        endpoint: Name of the call, by which the API counts its rate.
    """

    method: str
    target: str
    content: bytes = b""
    idempotency_key: str | None = None
    endpoint: str = ""


class ApiResponse(NamedTuple):
    """An answer that was read to its end. Header names are lowercase."""

    status: int
    headers: Mapping[str, str]
    content: bytes


def encode(command: Command, idempotency_key: str | None = None) -> ApiRequest:
    """Return the request that *command* stands for."""
    form, path, endpoint = encode_form(command.params()), command.url_path(), command.endpoint
    if command.method == "GET":
        return ApiRequest("GET", f"{path}?{form.decode()}" if form else path, endpoint=endpoint)
    return ApiRequest("POST", path, form, idempotency_key, endpoint)


AnswerT = TypeVar("AnswerT", bound=BaseModel)


def read_answer(command: Command, response: ApiResponse, model: type[BaseModel] | None = None) -> Any:
    """
    Return the model of *response*.

    Args:
        model: To read it as, in place of the command's own.

    Raises:
        ApiError: The API answered with an error; the class says what it means for the payment.
        OutcomeUnknownError: This is not an answer of the API: not JSON, cut short, or without an id.
        UntrustedServerError: A redirect, which is never followed.
    """
    answer = accepted(response, model or command.answer)
    if answer is not None:
        return answer
    if 200 <= response.status < 300:
        raise OutcomeUnknownError(
            f"The answer to {command.endpoint} ({response.status}) is not one of the API: not JSON, cut short or "
            "without an id. Run again: the same idempotency key is sent.",
            status=response.status,
        )
    if 300 <= response.status < 400:
        raise UntrustedServerError(
            f"The server redirected {command.endpoint} ({response.status}); redirects are not followed. Check the "
            "API base.",
            status=response.status,
        )
    raise _error(command, response)


def accepted(response: ApiResponse, model: type[BaseModel]) -> Any:
    """Return *response* as *model* if the API says by it that the call took effect, else None."""
    if not 200 <= response.status < 300:
        return None
    try:
        return model.model_validate_json(response.content)
    except ValidationError:
        return None


def _error(command: Command, response: ApiResponse) -> ApiError | OutcomeUnknownError:
    envelope = _envelope(response)
    cls = _error_class(response.status, envelope)
    if envelope is None and cls is InvalidRequestError:
        return OutcomeUnknownError(
            f"{command.endpoint} was answered with {response.status} by something that is not the API. Check the API "
            "base and any proxy, then run again.",
            status=response.status,
        )
    envelope = envelope or {}
    request_id = response.headers.get("request-id")
    code, param = _label(envelope, "code"), _label(envelope, "param")
    said = scrub(_text(envelope, "message") or "", command)
    facts = [str(response.status), *(part for part in (code, param and f"param {param}", request_id) if part)]
    return cls(
        f"{_ADVICE[cls].format(endpoint=command.endpoint)} ({', '.join(facts)})" + (f": {said}" if said else ""),
        status=response.status,
        code=code,
        param=param,
        request_id=request_id,
        type=_label(envelope, "type"),
        reason=response.headers.get("stripe-rate-limited-reason"),
        replayed=response.headers.get("idempotent-replayed") == "true",
        should_retry={"true": True, "false": False}.get(response.headers.get("stripe-should-retry", "")),
        retry_after_seconds=_seconds(response.headers.get("retry-after")),
    )


def _error_class(status: int, envelope: Mapping[str, Any] | None) -> type[ApiError]:
    if status >= 500:
        return ServerError
    if status == 409 or (envelope or {}).get("code") == "idempotency_key_in_use":
        return ConflictError
    if status == 429 or (envelope or {}).get("code") == "rate_limit":
        return RateLimitError
    if (envelope or {}).get("type") == "idempotency_error":
        return IdempotencyError
    if status == 404 and envelope is not None and envelope.get("code") != "resource_missing":
        return UnknownRouteError
    return {401: AuthenticationError, 403: PermissionDeniedError}.get(status, InvalidRequestError)


_ADVICE: dict[type[ApiError], str] = {
    AuthenticationError: "The API key was not accepted for {endpoint}. Check the connection's key and its mode",
    PermissionDeniedError: "The API key lacks the permission for {endpoint}. Grant payment_records_write to it",
    UnknownRouteError: "The API does not know {endpoint} in this version or for this account. Check stripe_version",
    RateLimitError: "The API turned {endpoint} away for its rate or an object lock. Nothing happened; run again",
    ConflictError: "A request with this idempotency key is still running for {endpoint}. Run again in a minute",
    IdempotencyError: "The idempotency key was used with other parameters for {endpoint}. A person must compare",
    ServerError: "The API failed at {endpoint}; whether it took effect is unknown. Run again: the same key is sent",
    InvalidRequestError: "The API refused {endpoint}. Correct what was sent, then run again",
}


def _envelope(response: ApiResponse) -> Mapping[str, Any] | None:
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        return None
    error = body.get("error") if isinstance(body, dict) else None
    return cast("Mapping[str, Any]", error) if isinstance(error, dict) else None


def _text(envelope: Mapping[str, Any], name: str) -> str | None:
    value = envelope.get(name)
    # JSON can spell what no file or database takes: half a character, or the character zero.
    text = "".join(one for one in value if one.isprintable() or one.isspace()) if isinstance(value, str) else ""
    return text or None


def _label(envelope: Mapping[str, Any], name: str) -> str | None:
    value = _text(envelope, name)
    return " ".join(value.split())[:MAX_LABEL] or None if value else None


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and re.fullmatch(r"\d{1,5}(\.\d{1,3})?", text) else None
