"""
What the pages say when something went wrong: what happened, and what to do. Never a key.

Every error of the package is a row of one table.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from airflow_provider_payrecords.core import errors

MEDIA_TYPE = "application/problem+json"


class ProblemError(Exception):
    """
    An answer that is a problem.

    Attributes:
        status: Of HTTP.
        title: In a few words.
        detail: What happened.
        next_step: What the person does now.
        problems: One mapping per field with ``field``, ``code`` and ``message``.
    """

    def __init__(
        self, status: int, title: str, detail: str, next_step: str, problems: list[dict[str, str]] | None = None
    ) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.detail = detail
        self.next_step = next_step
        self.problems = problems or []

    def as_json(self) -> dict[str, Any]:
        """Return it as the pages read it."""
        return {
            "status": self.status,
            "title": self.title,
            "detail": self.detail,
            "next_step": self.next_step,
            "problems": self.problems,
        }


class _Row(NamedTuple):
    status: int
    title: str
    next_step: str


_SAME_KEY = "Send it again: the same idempotency key goes with it, so there is no second payment."
_CHECK_LEDGER = (
    "Check [payrecords] ledger and its database, then try again. What may have been sent goes again under the same "
    "idempotency key."
)
_TABLE: dict[type[errors.PayRecordsError], _Row] = {
    errors.PayRecordsError: _Row(500, "Something failed", "Look into the log of the API server."),
    errors.UsageError: _Row(422, "This cannot work as it is", "Correct it, then try again."),
    errors.SettingsError: _Row(409, "The connection cannot be used", "Correct it under Admin → Connections."),
    errors.CommandError: _Row(422, "This cannot be sent", "Correct the marked fields. Nothing was sent."),
    errors.IllegalTransitionError: _Row(409, "The ledger does not allow this", "Load the page again: it has changed."),
    errors.LedgerError: _Row(503, "The ledger cannot be used", _CHECK_LEDGER),
    errors.ApiError: _Row(502, "The API answered with an error", "Read what it says, then try again."),
    errors.InvalidRequestError: _Row(502, "The API refused this", "Correct what it names, then send it again."),
    errors.IdempotencyError: _Row(
        502, "The API knows this idempotency key with other content", "Compare with what was sent before."
    ),
    errors.AuthenticationError: _Row(502, "The API does not accept the key", "Correct the key in the connection."),
    errors.PermissionDeniedError: _Row(502, "The key lacks a permission", "Give the key the permission, in Stripe."),
    errors.UnknownRouteError: _Row(
        502, "The API does not know this call", "Check the host and the API version of the connection."
    ),
    errors.RateLimitError: _Row(502, "Too many requests", "Wait a moment, then send it again."),
    errors.ConflictError: _Row(502, "The same request is still running", f"Wait a minute. {_SAME_KEY}"),
    errors.ServerError: _Row(502, "The API failed", f"It may have taken effect. {_SAME_KEY}"),
    errors.NotSentError: _Row(
        502, "The API cannot be reached", "Check the host of the connection and the network, then send it again."
    ),
    errors.UntrustedServerError: _Row(502, "This server is not trusted", "Check the host of the connection."),
    errors.OutcomeUnknownError: _Row(504, "No answer was read", f"It may have taken effect. {_SAME_KEY}"),
    errors.HeldError: _Row(
        409, "Somebody is sending this payment", f"If that failed, its claim ends soon. {_SAME_KEY}"
    ),
    errors.ReviewNeededError: _Row(409, "A person must look at this payment first", "Resolve it on the page of runs."),
    errors.StoppedError: _Row(503, "This was stopped before it was sent", "Send it again."),
}


def problem_of(error: errors.PayRecordsError) -> ProblemError:
    """
    Return what the pages say of *error*.

    That nothing was sent is only said of what a command's own rules refuse: before any other error a first try may
    have left, and before one of the ledger the very payment. Who knows better says it with ``nothing_was_sent``.
    """
    row = next(_TABLE[cls] for cls in type(error).__mro__ if cls in _TABLE)
    problems = error.problems if isinstance(error, errors.CommandError) else []
    return ProblemError(row.status, row.title, error.message, row.next_step, problems)


def nothing_was_sent(error: errors.PayRecordsError) -> ProblemError:
    """Return what the pages say of *error* where it is known that nothing left."""
    said = problem_of(error)
    return ProblemError(said.status, said.title, said.detail, f"Nothing was sent. {said.next_step}", said.problems)


def answer(problem: ProblemError) -> JSONResponse:
    """Return *problem* as an answer of HTTP."""
    return JSONResponse(problem.as_json(), problem.status, media_type=MEDIA_TYPE)


def answer_problem(_: Request, error: Exception) -> JSONResponse:
    """Answer a ``ProblemError``."""
    assert isinstance(error, ProblemError)  # noqa: S101 - registered for it
    return answer(error)


def answer_error(_: Request, error: Exception) -> JSONResponse:
    """Answer an error of the package."""
    assert isinstance(error, errors.PayRecordsError)  # noqa: S101 - registered for it
    return answer(problem_of(error))


def answer_unreadable(_: Request, error: Exception) -> JSONResponse:
    """Answer a request whose JSON is not what the route takes. What it held is not repeated."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    said = [
        {"field": ".".join(str(part) for part in one["loc"][1:]), "code": one["type"], "message": one["msg"]}
        for one in error.errors()
    ]
    return answer(ProblemError(422, "This request cannot be read", "A part of it is missing or wrong.", "", said))


def answer_http(_: Request, error: Exception) -> JSONResponse:
    """Answer what Airflow and FastAPI raise: no login, an expired one, no such page."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    if error.status_code == 401 or error.detail == "Invalid JWT token":
        return answer(ProblemError(401, "You are not logged in", str(error.detail), "Log in again, then repeat it."))
    return answer(ProblemError(error.status_code, str(error.detail), "", "Go back to the page and try again."))
