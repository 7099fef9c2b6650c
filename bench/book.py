"""
What the server knows: records, what each idempotency key was answered, and counts of what happened.

No socket, no clock: requests come in as values and a reply goes out as one. The book is the benchmark's only source of
what became of a payment.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from bench.faults import STORED, Fault, fault_of

RATE_LIMITED = b'{"error":{"code":"rate_limit","type":"invalid_request_error","message":"Too many requests."}}'
MISUSED = b'{"error":{"type":"idempotency_error","message":"This key was used with other parameters."}}'
NOT_FOUND = b'{"error":{"type":"invalid_request_error","message":"Unrecognized request URL."}}'
BROKEN = b'{"error":{"type":"api_error","message":"An unknown error occurred."}}'
PROXY_PAGE = b"<html><head><title>503 Service Temporarily Unavailable</title></head></html>"

# Square brackets of field names may be percent-encoded or not; both are what browsers and libraries send.
_FIELD = rb"(?:^|&)%s=([^&]*)"
_OPEN, _CLOSE = rb"(?:\[|%5B)", rb"(?:\]|%5D)"


def _field(*names: bytes) -> re.Pattern[bytes]:
    head, *inner = names
    return re.compile(_FIELD % (head + b"".join(_OPEN + name + _CLOSE for name in inner)), re.IGNORECASE)


_REFERENCE = _field(b"processor_details", b"custom", b"payment_reference")
_VALUE = _field(b"amount_requested", b"value")
_CURRENCY = _field(b"amount_requested", b"currency")
_STAMPS = re.compile(
    rb"(?:^|&)metadata" + _OPEN + rb"(payrecords_(?:key|source))" + _CLOSE + rb"=([^&]*)", re.IGNORECASE
)

_ZERO = ",".join(
    f'"amount_{name}":{{"currency":"%s","value":0}}' for name in ("authorized", "canceled", "failed", "refunded")
)
_RECORD = (
    '{"id":"%s","object":"payment_record","amount":{"currency":"%s","value":%s},'
    '"amount_guaranteed":{"currency":"%s","value":%s},"amount_requested":{"currency":"%s","value":%s},' + _ZERO + ","
    '"application":null,"created":%d,"customer_details":null,"customer_presence":null,"description":null,'
    '"latest_payment_attempt_record":"par_%s","livemode":false,"metadata":{%s},'
    '"payment_method_details":{"custom":{"display_name":"Bank wire","type":null},"type":"custom"},'
    '"processor_details":{"custom":{"payment_reference":"%s"},"type":"custom"},"reported_by":"self",'
    '"shipping_details":null}'
)


@dataclass(frozen=True, slots=True)
class Reply:
    """
    What goes out.

    Attributes:
        fault: Trouble that the socket has to make: a reset, half an answer, a late one.
        replayed: The answer is the one that was stored under the key.
    """

    status: int
    body: bytes
    fault: Fault | None = None
    replayed: bool = False
    html: bool = False
    reason: str | None = None


@dataclass
class Book:
    """
    One account of the API.

    Args:
        limit: Requests a second that are let through, by a bucket that holds one second's worth. None for all.
        seed: Seed of the trouble. None for none.
    """

    limit: int | None = None
    seed: int | None = None
    records: dict[str, list[str]] = field(default_factory=dict)
    """Ids of the records by the payment's reference, in the order they were made."""
    counts: Counter[str] = field(default_factory=Counter)
    _answers: dict[bytes, tuple[int, bytes, bytes]] = field(default_factory=dict)
    _made: list[tuple[str, bytes, int]] = field(default_factory=list)
    _attempts: Counter[str] = field(default_factory=Counter)
    _tokens: float = float("inf")
    _refilled: float = 0.0

    def report(self, body: bytes, key: bytes | None, now: float) -> Reply:
        """Answer a request to report a payment. *now* is in epoch seconds."""
        if self._is_too_much(now):
            return self._counted(Reply(429, RATE_LIMITED, reason="endpoint-rate"))
        found = _REFERENCE.search(body)
        reference = unquote_to_bytes(found[1]).decode() if found else ""
        fault = self._trouble(reference)
        if fault is Fault.UNAVAILABLE:
            return self._counted(Reply(503, PROXY_PAGE, html=True))
        if fault in (Fault.ERROR_BEFORE, Fault.RESET_BEFORE):
            return self._counted(Reply(500, BROKEN, fault))
        status, answer, replayed = self._answer(reference, body, key, fault, now)
        if fault is Fault.ERROR_AFTER:
            return self._counted(Reply(500, BROKEN))
        return self._counted(Reply(status, answer, fault, replayed))

    def listing(self, after: str | None, limit: int) -> Reply:
        """Answer a request to list the records, newest first."""
        newest = list(reversed(self._made))
        start = next((place + 1 for place, made in enumerate(newest) if made[0] == after), 0)
        page = newest[start : start + limit]
        more = b"true" if start + limit < len(newest) else b"false"
        data = b",".join(answer for _, answer, _ in page)
        body = b'{"object":"list","url":"/v1/payment_records","has_more":' + more + b',"data":[' + data + b"]}"
        return self._counted(Reply(200, body))

    def _answer(
        self, reference: str, body: bytes, key: bytes | None, fault: Fault | None, now: float
    ) -> tuple[int, bytes, bool]:
        """Return status and answer, and whether they are those that the key was given before."""
        if key is not None and (known := self._answers.get(key)) is not None:
            status, answer, sent = known
            return (status, answer, True) if sent == body else (400, MISUSED, False)
        made = b"" if fault is Fault.STORED_BEFORE else self._make(reference, body, now)
        status, answer = (500, BROKEN) if fault in STORED else (200, made)
        if key is not None:
            self._answers[key] = (status, answer, body)
        return status, answer, False

    def _make(self, reference: str, body: bytes, now: float) -> bytes:
        ids = self.records.setdefault(reference, [])
        number = f"{len(self._made):014d}"
        ids.append(f"pr_{number}")
        value, currency = _VALUE.search(body), _CURRENCY.search(body)
        amount = (currency[1].decode() if currency else "eur", value[1].decode() if value else "0")
        stamps = ",".join(
            f'"{name.decode()}":"{unquote_to_bytes(text).decode()}"' for name, text in _STAMPS.findall(body)
        )
        cells = (*amount, *amount, *amount, *(amount[0],) * 4)
        answer = (_RECORD % (ids[-1], *cells, int(now), number, stamps, reference)).encode()
        self._made.append((ids[-1], answer, int(now)))
        return answer

    def _trouble(self, reference: str) -> Fault | None:
        if self.seed is None:
            return None
        self._attempts[reference] += 1
        fault = fault_of(self.seed, reference, self._attempts[reference])
        self.counts["faults"] += fault is not None
        return fault

    def _is_too_much(self, now: float) -> bool:
        if self.limit is None:
            return False
        self._tokens = min(float(self.limit), self._tokens + max(0.0, now - self._refilled) * self.limit)
        self._refilled = now
        if self._tokens < 1:
            return True
        self._tokens -= 1
        return False

    def _counted(self, reply: Reply) -> Reply:
        self.counts[f"status {reply.status}"] += 1
        self.counts["replayed"] += reply.replayed
        return reply
