"""
A small API, written from Stripe's documentation and not from our code.

It knows one call that makes records and one that lists them. A key that it has not forgotten gives the answer that it
gave first, or 409 while the first request runs. Whether the effect, and whether the answer, gets through is the
weather's business.

Source:
    https://docs.stripe.com/api/idempotent_requests, https://docs.stripe.com/rate-limits
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.simulation.loop import Timeline
from tests.simulation.trace import Trace
from tests.simulation.weather import Weather

FORGETS_AFTER = 24 * 3600.0
LIST = "/v1/payment_records"
REFERENCE = "processor_details[custom][payment_reference]"
REFUSED_AMOUNT = 666
"""The API refuses a payment of so much, whoever reports it."""


@dataclass(frozen=True)
class Record:
    """A Payment Record: money that somebody will count."""

    id: str
    created: float
    visible: float
    form: dict[str, str]

    @property
    def payment(self) -> str:
        """The payment it is of, by the processor's own reference."""
        return self.form[REFERENCE]

    @property
    def content(self) -> tuple[str, str | None]:
        """What was said of the payment: amount and description."""
        return self.form["amount_requested[value]"], self.form.get("description")


@dataclass(frozen=True)
class Answer:
    """What comes back; ``kind`` is ``answer``, or how it fails to be one."""

    kind: str
    status: int = 0
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Remembered:
    """What is stored under an idempotency key. ``answer`` is None while the first request runs."""

    body: bytes
    since: float
    answer: Answer | None = None


Reply = Callable[[Answer], None]


class Server:
    """
    The API.

    Attributes:
        records: Every record there is.
        stored_500: Payments whose key gives a stored failure.
        refused: Payments that it refused although nothing is wrong with them.
        lists: Whether this account may list records at all.
    """

    def __init__(
        self,
        timeline: Timeline,
        weather: Weather,
        trace: Trace,
        epoch: float,
        *,
        lists: bool,
        on_record: Callable[[Record], None],
    ) -> None:
        self._timeline = timeline
        self._weather = weather
        self._trace = trace
        self._epoch = epoch
        self._keys: dict[str, Remembered] = {}
        self._requests = 0
        self.records: list[Record] = []
        self.stored_500: set[str] = set()
        self.refused: set[str] = set()
        self.lists = lists
        self._on_record = on_record

    def receive(self, method: str, url: str, key: str, body: bytes, reply: Reply) -> None:
        """Take a request that arrived now. *reply* is called later, once or never."""
        self._requests += 1
        early = self._turned_away(method)
        if early is not None:
            self._send(early, reply)
        elif method == "GET":
            self._send(self._list(dict(parse_qsl(urlsplit(url).query))), reply)
        else:
            self._report(key, body, reply)

    def _turned_away(self, method: str) -> Answer | None:
        strikes = self._weather.strikes
        if strikes("proxy_before"):
            return Answer("answer", 502 if self._requests % 2 else 403, b"<html>Not you</html>")
        if strikes("unauthorized"):
            return self._error(401, "invalid_request_error", "Invalid API key")
        if strikes("throttled"):
            return self._error(429, "invalid_request_error", "Slow down", code="rate_limit", reason="global-rate")
        if method == "POST" and strikes("locked"):
            return self._error(429, "invalid_request_error", "Locked", code="lock_timeout")
        if strikes("failed_before") or (method == "GET" and strikes("list_fails")):
            return self._error(500, "api_error", "Something broke before it ran")
        return None

    def _report(self, key: str, body: bytes, reply: Reply) -> None:
        now, known = self._timeline.now, self._keys.get(key)
        form = dict(parse_qsl(body.decode()))
        if self._weather.strikes("refused_before"):
            # It never looked for the key, so whatever became of an earlier request, it says nothing of that.
            self.refused.add(form[REFERENCE])
            return self._send(self._error(400, "invalid_request_error", "Not now"), reply)
        if known is not None and now - known.since >= FORGETS_AFTER:
            known = None
        if known is None:
            if form["amount_requested[value]"] == str(REFUSED_AMOUNT):
                param = "amount_requested[value]"
                return self._send(self._error(400, "invalid_request_error", "Not this amount", param=param), reply)
            self._keys[key] = known = Remembered(body, now)
            return self._begin(known, form, reply)
        if known.body != body:
            return self._send(self._error(400, "idempotency_error", "Other parameters"), reply)
        if known.answer is None:
            code = "idempotency_key_in_use"
            return self._send(self._error(409, "idempotency_error", "In progress", code=code), reply)
        replayed = Answer(
            "answer", known.answer.status, known.answer.body, {**known.answer.headers, "idempotent-replayed": "true"}
        )
        return self._send(replayed, reply)

    def _begin(self, known: Remembered, form: dict[str, str], reply: Reply) -> None:
        seconds = self._weather.seconds(0.01, 0.2)
        if self._weather.strikes("slow_work"):
            seconds = self._weather.seconds(1, 90)
        self._timeline.at(self._timeline.now + seconds, lambda: self._finish(known, form, reply))

    def _finish(self, known: Remembered, form: dict[str, str], reply: Reply) -> None:
        strikes = self._weather.strikes
        payment = form[REFERENCE]
        if strikes("stored_refusal"):
            self.refused.add(payment)
            known.answer = self._error(400, "invalid_request_error", "Refused while it ran", param="initiated_at")
            return self._send(known.answer, reply)
        if strikes("stored_500"):
            self.stored_500.add(payment)
            known.answer = self._error(500, "api_error", "Failed while it ran")
            return self._send(known.answer, reply)
        now = self._timeline.now
        record = Record(f"pr_{len(self.records) + 1}", now, now + self._weather.seconds(0, 30), form)
        self.records.append(record)
        self._on_record(record)
        self._trace.note(now, "API", "records {} as {}: {}", payment, record.id, record.content)
        if strikes("stored_500_after_effect"):
            self.stored_500.add(payment)
            known.answer = self._error(500, "api_error", "Failed after it ran")
        else:
            known.answer = Answer("answer", 200, json.dumps(_as_json(record, self._epoch)).encode(), self._id())
        if strikes("proxy_after"):
            return self._send(Answer("answer", 504, b"<html>Timeout</html>"), reply)
        return self._send(known.answer, reply)

    def _list(self, query: dict[str, str]) -> Answer:
        if not self.lists:
            return self._error(404, "invalid_request_error", "Unrecognized request URL")
        after, before = float(query["created_after"]), float(query["created_before"])
        found = [
            one
            for one in reversed(self.records)
            if one.visible <= self._timeline.now and after < int(self._epoch + one.created) < before
        ]
        if "starting_after" in query:
            found = found[[one.id for one in found].index(query["starting_after"]) + 1 :]
        # Pages are short here, so that there is more than one.
        data, more = found[:2], len(found) > 2
        page = {"object": "list", "url": LIST, "has_more": more, "data": [_as_json(one, self._epoch) for one in data]}
        return Answer("answer", 200, json.dumps(page).encode(), self._id())

    def _send(self, answer: Answer, reply: Reply) -> None:
        seconds = self._weather.seconds(0.01, 0.1)
        if self._weather.strikes("late_answer"):
            seconds = self._weather.seconds(1, 60)
        if self._weather.strikes("lost_answer"):
            answer = Answer("lost")
        elif self._weather.strikes("cut_answer"):
            answer = Answer("cut", answer.status, answer.body[: len(answer.body) // 2], answer.headers)
        self._timeline.at(self._timeline.now + seconds, lambda: reply(answer))

    def _error(
        self, status: int, kind: str, message: str, *, code: str = "", param: str = "", reason: str = ""
    ) -> Answer:
        error = {
            "type": kind,
            "message": message,
            **({"code": code} if code else {}),
            **({"param": param} if param else {}),
        }
        limited = {"stripe-rate-limited-reason": reason} if reason else {}
        return Answer("answer", status, json.dumps({"error": error}).encode(), {**self._id(), **limited})

    def _id(self) -> dict[str, str]:
        return {"request-id": f"req_{self._requests}"}


def _as_json(record: Record, epoch: float) -> dict[str, Any]:
    money = {
        "currency": record.form["amount_requested[currency]"],
        "value": int(record.form["amount_requested[value]"]),
    }
    stamps = {name[9:-1]: value for name, value in record.form.items() if name.startswith("metadata[")}
    return {
        "id": record.id,
        "object": "payment_record",
        "created": int(epoch + record.created),
        "amount": money,
        "amount_requested": money,
        "metadata": stamps,
        "latest_payment_attempt_record": record.id.replace("pr_", "par_"),
    }
