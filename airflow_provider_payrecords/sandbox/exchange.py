"""What goes into the engine and what comes out of it, whatever carries it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from airflow_provider_payrecords.sandbox.errors import invalid
from airflow_provider_payrecords.sandbox.faults import Fault
from airflow_provider_payrecords.sandbox.idempotency import SavedAnswer
from airflow_provider_payrecords.sandbox.objects import Realm
from airflow_provider_payrecords.sandbox.validation import decode

_FORM = "application/x-www-form-urlencoded"


class Delivery(str, Enum):
    """How much of an answer leaves."""

    WHOLE = "whole"
    PART = "part"  # the headers and half of the content, then the connection closes
    NONE = "none"  # the connection closes without an answer


@dataclass(frozen=True, slots=True)
class Incoming:
    """
    A request.

    Attributes:
        path: As it was sent, percent-encoded, without the query.
        query: As it was sent, without the question mark.
        headers: Names in lowercase.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    content: bytes


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Reply:
    """
    An answer, and how it is to be delivered.

    Attributes:
        delay_seconds: To wait before the first byte.
        done: To be called once after the wait, whether or not anyone still listens.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes
    delivery: Delivery = Delivery.WHOLE
    delay_seconds: float = 0.0
    done: Callable[[], None] = _nothing

    @property
    def part(self) -> bytes:
        """The half of the content that ``Delivery.PART`` lets through."""
        return self.content[: len(self.content) // 2]


def to_json(body: Mapping[str, Any]) -> bytes:
    """Return *body* as compact UTF-8 JSON."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def decode_request(request: Incoming) -> dict[str, Any]:
    """
    Return the nested parameters of a request: the query of a GET, query and form of a POST.

    Raises:
        RefusalError: They are malformed, or the body is not a form.
    """
    if request.method != "POST":
        return decode(request.query, b"")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.content and kind != _FORM:
        raise invalid(f"The body of a request must be {_FORM}. JSON bodies are not accepted here.")
    return decode(request.query, request.content)


@dataclass(slots=True)
class Call:
    """
    A request on its way through the engine, which fills in what it finds out.

    Attributes:
        now: Epoch seconds.
        endpoint: Name of the call, once it is known.
        identifier: The decoded id in the path.
        digest: Of the parameters.
    """

    request: Incoming
    request_id: str
    now: float
    version: str
    realm: Realm = field(default_factory=Realm)
    endpoint: str = ""
    identifier: str = ""
    digest: str = ""
    fault: Fault | None = None

    @property
    def key(self) -> str | None:
        """The idempotency key; it has a meaning on POST only."""
        return self.request.headers.get("idempotency-key") if self.request.method == "POST" else None

    @property
    def log_url(self) -> str:
        """Where the Dashboard would show this request."""
        mode = "" if self.realm.livemode else "test/"
        return f"https://dashboard.stripe.com/{self.realm.account}/{mode}workbench/logs?object={self.request_id}"

    def reply(self, status: int, content: bytes, extra: Mapping[str, str] | None = None) -> Reply:
        """Return an answer with the headers that every one has."""
        headers = {
            "content-type": "application/json",
            "request-id": self.request_id,
            "stripe-version": self.version,
            **(extra or {}),
        }
        if self.key is not None:
            headers["idempotency-key"] = self.key
            headers.setdefault("original-request", self.request_id)
        # On a 5xx the server has no advice: whether the answer was kept decides, and a client cannot see that.
        if self.request.method == "POST" and status < 500:
            headers["stripe-should-retry"] = "true" if status in (409, 429) else "false"
        return Reply(status, headers, content)

    def replay(self, saved: SavedAnswer) -> Reply:
        """Return *saved* once more."""
        again = {"original-request": saved.request_id, "idempotent-replayed": "true"}
        return self.reply(saved.status, saved.content.encode(), again)

    def to_save(self, status: int, content: bytes) -> SavedAnswer | None:
        """Return what to keep for a replay, or None for a request without a key."""
        if self.key is None:
            return None
        return SavedAnswer(
            realm=self.realm,
            key=self.key,
            path=self.request.path,
            digest=self.digest,
            status=status,
            content=content.decode(),
            request_id=self.request_id,
            saved_at=self.now,
        )
