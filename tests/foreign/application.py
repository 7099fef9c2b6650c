"""
From request to answer, in the API's order: authenticate, limit, route, idempotency, validation, run, store.

Source: sections 8 to 12 and 15 of the API reference.
"""

from __future__ import annotations

import copy
import json
import random
import re
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.foreign.answers import disturb, page, trouble
from tests.foreign.book import Book, Record
from tests.foreign.faults import BEFORE_EFFECT, Fault, FaultPlan
from tests.foreign.journal import Journal, Line
from tests.foreign.protocol import Answer, Request, json_answer
from tests.foreign.rules import RefusalError, check, nest, parse_pairs

_REPORT = re.compile(
    r"/v1/payment_records/([^/]+)/(report_payment_attempt(?:_guaranteed|_failed|_canceled|_informational)?|report_refund)"
)


@dataclass(frozen=True)
class Behaviour:
    """
    How a server behaves.

    Attributes:
        seed: Of every draw.
        mix: Name of a fault mix.
        most_faults: Per idempotency key or path.
        prefix: Of record ids.
        answers: ``full``, ``minimal`` (id and object), ``extra`` (unknown fields) or ``any`` (one of them by record).
        lists: The list routes exist.
        reports: The report routes exist; they do not in API versions before 2025-10-29.
        revoked: API keys that get 401.
        forbidden: API keys that get 403.
        refuse_after: After this many POSTs the key that made the next one is refused, or None.
        refuse_status: 401 or 403.
        redirect_to: Every call is answered with a 307 to this base, or None.
    """

    seed: int = 0
    mix: str = "clean"
    most_faults: int = 3
    prefix: str = "pr_"
    answers: str = "full"
    lists: bool = True
    reports: bool = True
    revoked: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    refuse_after: int | None = None
    refuse_status: int = 401
    redirect_to: str | None = None


class Application:
    """One server's API."""

    def __init__(self, behaviour: Behaviour, state_file: Path | None = None) -> None:
        self._behaviour = behaviour
        self.journal = Journal(state_file)
        self._faults = FaultPlan(behaviour.seed, behaviour.mix, behaviour.most_faults)
        self._book = Book(behaviour.prefix)
        self._stored: dict[str, Line] = {}
        self._refused = dict.fromkeys(behaviour.revoked, 401) | dict.fromkeys(behaviour.forbidden, 403)
        self._posts = 0
        self._restore()

    async def handle(self, request: Request) -> Answer:
        """Answer one request. Effects happen before the first await, so requests never interleave."""
        if request.path == "/__log":
            return json_answer(200, self.journal.requests)
        if request.path == "/__count":
            return json_answer(200, len(self.journal.requests))
        if request.path == "/__commits":
            return json_answer(200, self.journal.commits)
        fault = self._faults.draw(_visit_key(request))
        line: Line = {**_describe(request), "fault": fault.value if fault else None}
        answer = self._answer(request, fault)
        self.journal.add_request({**line, "status": answer.status, "delivery": answer.delivery.value})
        request_id = f"req_{len(self.journal.requests):08d}"
        return replace(answer, headers={"Request-Id": request_id, **answer.headers})

    def _answer(self, request: Request, fault: Fault | None) -> Answer:
        if self._behaviour.redirect_to is not None:
            return Answer(307, b"", {"Location": self._behaviour.redirect_to + request.path})
        try:
            self._authenticate(request)
            if fault in BEFORE_EFFECT:
                return trouble(fault, request)
            answer = self._post(request, fault) if request.method == "POST" else self._get(request)
        except RefusalError as refusal:
            return json_answer(refusal.status, refusal.body)
        return disturb(answer, fault)

    def _authenticate(self, request: Request) -> None:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not key:
            raise RefusalError("You did not provide an API key.", status=401)
        if not key.startswith(("sk_test_", "rk_test_")):
            raise RefusalError(f"Invalid API Key provided: {key[:8]}***{key[-4:]}", status=401)
        self._posts += request.method == "POST"
        if self._behaviour.refuse_after is not None and self._posts == self._behaviour.refuse_after + 1:
            self._refused[key] = self._behaviour.refuse_status
        if key in self._refused:
            raise RefusalError(f"Invalid API Key provided: {key}", status=self._refused[key])

    def _post(self, request: Request, fault: Fault | None) -> Answer:
        endpoint, record_id = _route(request)
        if not self._behaviour.reports:
            raise _unknown_route(request)
        try:
            pairs = parse_pairs(request.body)
        except ValueError as error:
            raise RefusalError("The body is not form-encoded UTF-8.") from error
        key = request.headers.get("idempotency-key", "")
        scope = f"{request.headers.get('stripe-account', '')}|{key}"
        digest = json.dumps([request.path, sorted(pairs)])
        stored = self._stored.get(scope) if key else None
        if stored is not None:
            if stored["digest"] != digest:
                message = "Keys for idempotent requests can only be used with the same parameters."
                raise RefusalError(message, type_="idempotency_error")
            return json_answer(stored["status"], stored["body"], {"Idempotent-Replayed": "true"})
        check(endpoint, pairs)
        line = self._run(endpoint, record_id, nest(pairs), key, fault)
        self.journal.add_stored({**line, "scope": scope, "digest": digest})
        if key:
            self._stored[scope] = self.journal.stored[-1]
        return json_answer(line["status"], line["body"], {"Idempotency-Key": key} if key else {})

    def _run(self, endpoint: str, record_id: str, form: dict[str, Any], key: str, fault: Fault | None) -> Line:
        try:
            if endpoint == "report_payment":
                record = self._book.report_payment(form, int(time.time()))
            else:
                record = self._book.change(endpoint, record_id, form, int(time.time()))
        except RefusalError as refusal:
            return {"status": refusal.status, "body": refusal.body, "commit": None}
        attempt = self._book.attempts[record["latest_payment_attempt_record"]]
        commit = {"endpoint": endpoint, "record": record["id"], "idempotency_key": key, "form": form}
        body: Any = self._shape(record)
        if fault is Fault.ERROR_STORED:
            body = {"error": {"type": "api_error", "message": "An unknown error occurred."}}
        after = {"record": copy.deepcopy(record), "attempt": attempt}
        return {"status": 500 if fault is Fault.ERROR_STORED else 200, "body": body, "commit": commit, "after": after}

    def _shape(self, record: Record) -> Record:
        kind = self._behaviour.answers
        if kind == "any":
            chance = random.Random(f"{self._behaviour.seed}|{record['id']}")  # noqa: S311 - repeatable, not secret
            kind = chance.choice(("full", "minimal", "extra"))
        if kind == "minimal":
            return {"id": record["id"], "object": "payment_record"}
        extra = {"refund_details": [{"type": "custom"}], "new_field": {"deep": [1, None]}} if kind == "extra" else {}
        return {**copy.deepcopy(record), **extra}

    def _get(self, request: Request) -> Answer:
        query = dict(parse_pairs(request.query.encode()))
        match request.path.strip("/").split("/"):
            case ["v1", "payment_records", record_id]:
                return json_answer(200, self._book.record(record_id))
            case ["v1", "payment_attempt_records", attempt_id]:
                return json_answer(200, self._book.attempt(attempt_id))
            case ["v1", "payment_records"] if self._behaviour.lists:
                return page(request.path, list(self._book.records.values()), query)
            case ["v1", "payment_attempt_records"] if self._behaviour.lists:
                attempts = [
                    one for one in self._book.attempts.values() if one["payment_record"] == query.get("payment_record")
                ]
                return page(request.path, attempts, query)
        raise _unknown_route(request)

    def _restore(self) -> None:
        for line in self.journal.stored:
            if line["commit"] is not None:
                self._book.records[line["after"]["record"]["id"]] = line["after"]["record"]
                self._book.attempts[line["after"]["attempt"]["id"]] = line["after"]["attempt"]
            if not line["scope"].endswith("|"):
                self._stored[line["scope"]] = line
        for line in self.journal.requests:
            self._faults.remember(line["idempotency_key"] or line["path"])


def _visit_key(request: Request) -> str:
    return request.headers.get("idempotency-key") or request.path


def _describe(request: Request) -> Line:
    """Return the log line of a request: everything but the value of Authorization."""
    headers = {name: value for name, value in request.headers.items() if name != "authorization"}
    return {
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "idempotency_key": request.headers.get("idempotency-key"),
        "authorized": "authorization" in request.headers,
        "headers": headers,
        "form": request.body.decode("utf-8", "replace"),
    }


def _unknown_route(request: Request) -> RefusalError:
    return RefusalError(f"Unrecognized request URL ({request.method}: {request.path}).", status=404)


def _route(request: Request) -> tuple[str, str]:
    if request.path == "/v1/payment_records/report_payment":
        return "report_payment", ""
    found = _REPORT.fullmatch(request.path)
    if found is None:
        raise _unknown_route(request)
    return found.group(2), found.group(1)
