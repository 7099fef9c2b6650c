"""Answers that depend on a fault, and pages of lists."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode
from zlib import crc32

from tests.foreign.book import Record
from tests.foreign.faults import Fault
from tests.foreign.protocol import Answer, Delivery, Request, json_answer
from tests.foreign.rules import RefusalError, parse_pairs

_DELIVERIES = {
    Fault.RESET_AFTER: Delivery.RESET,
    Fault.TRUNCATED: Delivery.TRUNCATED,
    Fault.LATE: Delivery.LATE,
}
_PAGE = Answer(503, b"<html><body><h1>503 Service Unavailable</h1></body></html>", {"Content-Type": "text/html"})


def _error(status: int, message: str, *, code: str = "", headers: dict[str, str] | None = None) -> Answer:
    kind = "api_error" if status >= 500 else "invalid_request_error"
    error = {"type": kind, "message": message, **({"code": code} if code else {})}
    return json_answer(status, {"error": error}, headers)


def _echo(request: Request) -> str:
    """Return what was sent: each time from another place on, now as people read it and now as it was encoded."""
    pairs = parse_pairs(request.body)
    start = crc32(request.headers.get("idempotency-key", "").encode())
    turned = pairs[start % len(pairs) :] + pairs[: start % len(pairs)]
    text = urlencode(turned) if start % 3 == 0 else "; ".join(f"{name} is '{value}'" for name, value in turned)
    return f"Cannot take {text} with {request.headers.get('authorization')}"


def trouble(fault: Fault | None, request: Request) -> Answer:
    """Return the answer of a fault that strikes before the effect."""
    echo = _echo(request)
    match fault:
        case Fault.RATE_LIMIT:
            return _error(429, "Too fast.", code="rate_limit", headers={"Stripe-Rate-Limited-Reason": "endpoint-rate"})
        case Fault.RATE_LIMIT_BARE:
            return _error(429, "Too fast.", code="rate_limit")
        case Fault.LOCK_TIMEOUT:
            return _error(429, "This object cannot be accessed right now.", code="lock_timeout")
        case Fault.KEY_IN_USE:
            return _error(409, "A request with this key is in progress.", code="idempotency_key_in_use")
        case Fault.UNAVAILABLE:
            return _PAGE
        case Fault.RESET_BEFORE:
            return Answer(500, b"", delivery=Delivery.RESET)
        case Fault.ECHO_REFUSAL:
            return _error(400, echo, code="parameter_invalid_string_blank")
        case Fault.ECHO_ERROR:
            return _error(500, echo)
    return _error(500, "An unknown error occurred.")


def disturb(answer: Answer, fault: Fault | None) -> Answer:
    """Return what a fault that strikes after the effect makes of *answer*."""
    if fault is Fault.ERROR_AFTER:
        return _error(500, "An unknown error occurred.")
    if fault is Fault.NOT_JSON:
        return Answer(200, b"<html>Welcome to the captive portal</html>", {"Content-Type": "text/html"})
    return replace(answer, delivery=_DELIVERIES.get(fault, Delivery.SENT)) if fault else answer


def page(path: str, things: list[Record], query: dict[str, str]) -> Answer:
    """Return one page, newest first."""
    limit = int(query.get("limit", "10"))
    if not 1 <= limit <= 100:
        raise RefusalError("Invalid limit.", code="parameter_invalid_integer", param="limit")
    after, before = int(query.get("created_after", 0)), int(query.get("created_before", 10**11))
    newest = [thing for thing in reversed(things) if after < thing["created"] < before]
    ids = [thing["id"] for thing in newest]
    start, end = 0, len(newest)
    for name in ("starting_after", "ending_before"):
        if name in query and query[name] not in ids:
            raise RefusalError(f"No such object: '{query[name]}'", code="resource_missing", param=name)
    if "starting_after" in query:
        start = ids.index(query["starting_after"]) + 1
    if "ending_before" in query:
        end = ids.index(query["ending_before"])
        start = max(0, end - limit)
    shown = newest[start:end][:limit]
    more = start > 0 if "ending_before" in query else start + limit < len(newest)
    return json_answer(200, {"object": "list", "url": path, "has_more": more, "data": shown})
