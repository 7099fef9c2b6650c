"""
The order of things, written once: generators that yield effects and are sent the answers.

``call`` sends one command until it is answered or given up. ``report`` does so through the ledger: claim, send, settle,
in this order and no other. Neither touches a clock, a socket or a database; the drivers in ``transport`` do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import BaseModel

from airflow_provider_payrecords.core.commands import AttachPayment, Command
from airflow_provider_payrecords.core.effects import Claim, Flow, Send, Sent, Settle, Sleep
from airflow_provider_payrecords.core.entry import (
    SENDING,
    STORED_FAILURE,
    Decision,
    Entry,
    Intent,
    Scope,
    Settlement,
    is_spent,
)
from airflow_provider_payrecords.core.errors import (
    ApiError,
    AuthenticationError,
    Disposition,
    IdempotencyError,
    NotSentError,
    PayRecordsError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    StoppedError,
    TransportError,
    UnknownRouteError,
    UntrustedServerError,
)
from airflow_provider_payrecords.core.lifecycle import Event
from airflow_provider_payrecords.core.retry import Again, RetryPolicy
from airflow_provider_payrecords.core.shape import Draft, command_of
from airflow_provider_payrecords.core.wire import ApiRequest, ApiResponse, accepted, read_answer


class Called(NamedTuple):
    """
    What came of a call.

    Attributes:
        answer: The model of the answer, or None.
        error: Why there is none, or None.
        request_id: ``req_…`` of the answer that was read last, or None.
        uncertain: Not every send is proven to have had no effect. With an ``error`` that refuses the row: not every
            earlier one.
        sends: How many requests left for it.
    """

    answer: Any
    error: PayRecordsError | None
    request_id: str | None
    uncertain: bool
    sends: int


def call(
    content: Command | Draft,
    request: ApiRequest,
    policy: RetryPolicy,
    jitter: Iterator[float],
    until: datetime | None = None,
    model: type[BaseModel] | None = None,
) -> Flow[Called]:
    """
    Send *request* until it is answered or *policy* gives up.

    Args:
        content: What *request* says; a draft is built only to explain an answer that is not the hoped-for one.
        jitter: Endless; numbers uniform in [0.5, 1].
        until: End of the claim's lease: nothing leaves later, since a machine may sleep between any two lines.
        model: To read the answer as, in place of the command's own.
    """
    attempt, elapsed, uncertain, request_id = 0, 0.0, False, None
    while True:
        attempt += 1
        sent: Sent = yield Send(request, until)
        elapsed += sent.seconds
        try:
            answer = _answer(content, sent.outcome, model)
        except PayRecordsError as failure:
            error = failure
        else:
            return Called(answer, None, _request_id(sent.outcome), uncertain, attempt)
        request_id = _request_id(sent.outcome) or request_id
        uncertain = uncertain or not _proves_nothing_happened(error)
        match policy.decide(attempt, elapsed, error, next(jitter)):
            case Again(after):
                try:
                    yield Sleep(after)
                except StoppedError:
                    return Called(None, error, request_id, uncertain, attempt)
                elapsed += after
            case _:
                return Called(None, error, request_id, uncertain, attempt)


_BEFORE_THE_EFFECT = (RateLimitError, AuthenticationError, PermissionDeniedError, UnknownRouteError)


def _proves_nothing_happened(error: PayRecordsError) -> bool:
    """
    Say so of the send that *error* answers, and of no earlier one.

    Only for what came in place of the effect, in the API's own words: a proxy may refuse an answer as well.
    """
    if error.disposition is Disposition.REJECT:
        return True
    if isinstance(error, ApiError):
        return isinstance(error, _BEFORE_THE_EFFECT) and error.type is not None
    if isinstance(error, UntrustedServerError):
        return error.status is None
    return isinstance(error, NotSentError)


@dataclass(frozen=True, slots=True)
class Reported:
    """
    What came of a payment that went through the ledger.

    Attributes:
        decision: What the ledger said before anything was sent.
        called: What came of the call, or None if none was made.
        entry: The payment's entry as it now stands.
    """

    decision: Decision
    called: Called | None
    entry: Entry


def report(
    content: Command | Draft,
    request: ApiRequest,
    scope: Scope,
    intent: Intent,
    policy: RetryPolicy,
    jitter: Iterator[float],
) -> Flow[Reported]:
    """
    Claim, send, settle. Nothing is sent unless the claim was granted and is durable.

    A replay that is answered with a stored refusal is made once more, under the key that follows.
    """
    reported = yield from _report_once(content, request, scope, intent, policy, jitter)
    if intent.replay and reported.called and is_spent(reported.entry, reported.decision.entry.idempotency_key):
        reported = yield from _report_once(content, request, scope, intent, policy, jitter)
    return reported


def _report_once(
    content: Command | Draft,
    request: ApiRequest,
    scope: Scope,
    intent: Intent,
    policy: RetryPolicy,
    jitter: Iterator[float],
) -> Flow[Reported]:
    decision: Decision = yield Claim(scope, intent)
    if decision.action not in SENDING:
        return Reported(decision, None, decision.entry)
    key = decision.entry.idempotency_key
    sent = request._replace(idempotency_key=key)
    called = yield from call(content, sent, policy, jitter, decision.entry.lease_until)
    entry: Entry = yield Settle(scope, settlement_of(content, intent._replace(idempotency_key=key), called))
    return Reported(decision, called, entry)


def settlement_of(content: Command | Draft, intent: Intent, called: Called) -> Settlement:
    """Say what a call's outcome means for the ledger."""
    error = called.error
    if error is None:
        return Settlement(
            key=intent.key,
            idempotency_key=intent.idempotency_key,
            event=Event.ACCEPTED,
            payment_record=_record_id(content, called.answer),
            payment_attempt_record=getattr(called.answer, "latest_payment_attempt_record", None),
            request_id=called.request_id,
        )
    return Settlement(
        key=intent.key,
        idempotency_key=intent.idempotency_key,
        event=_event(error, called.uncertain),
        error_code=error_code(error),
        error_param=getattr(error, "param", None),
        error_status=getattr(error, "status", None),
        request_id=called.request_id,
    )


def error_code(error: PayRecordsError) -> str:
    """Return a short code for *error*: the API's own where there is one."""
    if isinstance(error, ServerError) and error.replayed:
        return STORED_FAILURE
    own = getattr(error, "code", None) or getattr(error, "type", None)
    return own or _CODES.get(type(error).__name__, type(error).__name__)


_CODES = {
    "NotSentError": "not_sent",
    "LeaseEndedError": "lease_ended",
    "OutcomeUnknownError": "outcome_unknown",
    "UntrustedServerError": "untrusted_server",
    "ServerError": "server_error",
    "ConflictError": "conflict",
    "StoppedError": "stopped",
}


def _event(error: PayRecordsError, uncertain: bool) -> Event:
    if isinstance(error, ServerError) and error.replayed:
        return Event.STUCK
    if isinstance(error, IdempotencyError):
        return Event.KEY_CLASH
    if error.disposition is Disposition.REJECT:
        return _refusal(error, uncertain)
    return Event.LOST if uncertain or error.disposition is Disposition.UNKNOWN else Event.NOT_SENT


def _refusal(error: PayRecordsError, uncertain: bool) -> Event:
    """
    Say what a refusal proves.

    One that blames a parameter is the endpoint's own: had an earlier send taken effect, the API would replay that. One
    that blames none may have come before the API looked for the key, and an earlier send whose answer was lost is open.
    """
    if getattr(error, "replayed", False):
        return Event.REFUSED_BEFORE
    return Event.LOST if uncertain and getattr(error, "param", None) is None else Event.REFUSED


def _answer(content: Command | Draft, outcome: ApiResponse | TransportError, model: type[BaseModel] | None) -> Any:
    if isinstance(outcome, TransportError):
        raise outcome
    answer = None if model is None else accepted(outcome, model)
    return read_answer(command_of(content), outcome, model) if answer is None else answer


def _request_id(outcome: ApiResponse | TransportError) -> str | None:
    return outcome.headers.get("request-id") if isinstance(outcome, ApiResponse) else None


def _record_id(content: Command | Draft, answer: Any) -> str:
    if content.endpoint != AttachPayment.endpoint:
        return str(answer.id)
    command: Any = command_of(content)
    return command.payment_record or command.payment_intent or ""


def raise_for(called: Called) -> Any:
    """Return the answer, or raise why there is none."""
    if called.error is not None:
        raise called.error
    return called.answer
