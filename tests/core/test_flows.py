"""The order of things in ``core/flows.py``, by hand-fed answers: no network, no clock, nothing patched."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_payrecords.core.commands import AttachPayment, ReportPaymentAttemptFailed, build
from airflow_provider_payrecords.core.effects import Claim, Effect, Send, Sent, Settle, Sleep
from airflow_provider_payrecords.core.entry import Action, Decision, Entry, Intent, Scope, Settlement
from airflow_provider_payrecords.core.errors import (
    ConflictError,
    InvalidRequestError,
    LeaseEndedError,
    NotSentError,
    OutcomeUnknownError,
    PayRecordsError,
    RateLimitError,
    ServerError,
    StoppedError,
    UntrustedServerError,
)
from airflow_provider_payrecords.core.flows import STORED_FAILURE, Called, call, error_code, raise_for, report
from airflow_provider_payrecords.core.lifecycle import Event, State
from airflow_provider_payrecords.core.retry import RetryPolicy
from airflow_provider_payrecords.core.wire import encode
from tests.core.feeding import NO_JITTER, answered, failed, feed, refused, sends
from tests.core.test_identity import payment

COMMAND = payment()
REQUEST = encode(COMMAND, "payrecords-1")
POLICY = RetryPolicy(max_retries=3)
RECORD = {"id": "pr_1", "object": "payment_record", "latest_payment_attempt_record": "par_1"}
OK = answered(200, RECORD, request_id="req_ok")
LOST = failed(OutcomeUnknownError("lost"))
UNSENT = failed(NotSentError("no connection"))
THROTTLED = refused(429, code="rate_limit")
BROKEN = refused(500, type="api_error")
LATE = failed(LeaseEndedError("the claim is over"))
NO_TLS = failed(UntrustedServerError("certificate"))
STOP = StoppedError("asked to stop")

NOW = datetime(2026, 3, 1, tzinfo=timezone.utc)
SCOPE = Scope("acct_1", "test", "report_payment", "s")
INTENT = Intent("k", "fp", "payrecords-1")
LEASE = NOW + timedelta(seconds=120)
ENTRY = Entry(SCOPE, "k", State.CLAIMED, "fp", "payrecords-1", NOW, NOW, lease_until=LEASE)


def called(*answers: Any, policy: RetryPolicy = POLICY) -> tuple[Called, list[Effect]]:
    return feed(call(COMMAND, REQUEST, policy, NO_JITTER), answers)


def settlement(*answers: Any) -> Settlement:
    story = [Decision(Action.SEND, ENTRY, changed=True), *answers, ENTRY]
    _, effects = feed(report(COMMAND, REQUEST, SCOPE, INTENT, POLICY, NO_JITTER), story)
    last = effects[-1]
    assert isinstance(last, Settle)
    assert last.scope == SCOPE
    return last.settlement


def test_an_answer_ends_the_call() -> None:
    result, effects = called(OK)
    assert effects == [Send(REQUEST)]
    assert (result.answer.id, result.error, result.request_id) == ("pr_1", None, "req_ok")
    assert (result.uncertain, result.sends) == (False, 1)
    assert raise_for(result) is result.answer


@pytest.mark.parametrize("trouble", [LOST, UNSENT, THROTTLED, BROKEN, refused(409), answered(200, b"<html>")])
def test_trouble_that_may_pass_is_waited_out_with_the_very_same_request(trouble: Sent) -> None:
    result, effects = called(trouble, None, trouble, None, OK)
    assert effects == [Send(REQUEST), Sleep(0.5), Send(REQUEST), Sleep(1.0), Send(REQUEST)]
    assert (result.answer.id, result.sends) == ("pr_1", 3)


def test_retries_are_used_up_and_the_last_error_stands() -> None:
    result, effects = called(BROKEN, None, BROKEN, None, LOST, None, THROTTLED)
    assert sends(effects) == result.sends == 4
    assert isinstance(result.error, RateLimitError)
    assert result.uncertain
    with pytest.raises(RateLimitError):
        raise_for(result)


def test_the_time_that_sends_and_waits_take_is_counted() -> None:
    policy = RetryPolicy(max_retries=50, max_total_seconds=10)
    result, effects = called(refused(500, 4.0), None, refused(500, 3.0), None, refused(500, 1.0), policy=policy)
    assert [effect for effect in effects if isinstance(effect, Sleep)] == [Sleep(0.5), Sleep(1.0)]
    assert result.sends == 3


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404])
def test_a_final_error_ends_the_call_at_once(status: int) -> None:
    result, effects = called(refused(status, request_id="req_no"))
    assert (sends(effects), len(effects), result.request_id) == (1, 1, "req_no")


def test_a_replayed_failure_is_not_asked_for_again() -> None:
    result, effects = called(refused(500, idempotent_replayed="true", stripe_should_retry="true"))
    assert (len(effects), type(result.error)) == (1, ServerError)


def test_the_last_request_id_that_was_read_is_kept() -> None:
    result, _ = called(refused(500, request_id="req_1"), None, LOST, STOP)
    assert result.request_id == "req_1"


def test_a_stop_while_waiting_ends_the_call_with_what_is_known() -> None:
    result, effects = called(BROKEN, STOP)
    assert effects == [Send(REQUEST), Sleep(0.5)]
    assert (type(result.error), result.uncertain) == (ServerError, True)


@pytest.mark.parametrize(
    ("story", "event"),
    [
        ([OK], Event.ACCEPTED),
        ([LOST, None, OK], Event.ACCEPTED),
        ([refused(400)], Event.REFUSED),
        ([refused(404, code="resource_missing")], Event.REFUSED),
        ([LOST, None, refused(400, param="amount")], Event.REFUSED),
        ([refused(400, type="idempotency_error")], Event.KEY_CLASH),
        ([LOST, None, refused(400, type="idempotency_error")], Event.KEY_CLASH),
        ([refused(500, idempotent_replayed="true")], Event.STUCK),
        ([LOST, None, refused(500, idempotent_replayed="true")], Event.STUCK),
        ([refused(400, idempotent_replayed="true")], Event.REFUSED_BEFORE),
        ([LOST, None, refused(404, code="resource_missing", idempotent_replayed="true")], Event.REFUSED_BEFORE),
        ([BROKEN, STOP], Event.LOST),
        ([LOST, STOP], Event.LOST),
        ([refused(409, code="idempotency_key_in_use"), STOP], Event.LOST),
        ([answered(200, b"<html>"), STOP], Event.LOST),
        ([answered(404, b"<html>"), STOP], Event.LOST),
        ([answered(307)], Event.LOST),
        ([UNSENT, STOP], Event.NOT_SENT),
        ([THROTTLED, STOP], Event.NOT_SENT),
        ([refused(401)], Event.NOT_SENT),
        ([refused(403)], Event.NOT_SENT),
        ([NO_TLS], Event.NOT_SENT),
        ([LATE], Event.NOT_SENT),
        ([LOST, None, LATE], Event.LOST),
        ([refused(404)], Event.NOT_SENT),
        ([LOST, None, refused(404)], Event.LOST),
        ([UNSENT, None, THROTTLED, None, refused(401)], Event.NOT_SENT),
    ],
)
def test_the_ledger_is_told_what_the_outcome_proves(story: list[Any], event: Event) -> None:
    assert settlement(*story).event is event


@pytest.mark.parametrize("lost", [LOST, BROKEN, refused(409), answered(200, b"{}"), answered(502, b"<html>")])
@pytest.mark.parametrize("after", [UNSENT, THROTTLED, refused(401), refused(403), NO_TLS], ids=range(5))
def test_what_may_have_happened_once_is_not_unsaid_by_what_comes_after(lost: Sent, after: Sent) -> None:
    stopped = [STOP] if isinstance(raised(after), (NotSentError, RateLimitError)) else []
    assert settlement(lost, None, after, *stopped).event is Event.LOST


def raised(sent: Sent) -> PayRecordsError:
    error = called(sent, policy=RetryPolicy(max_retries=0))[0].error
    assert error is not None
    return error


@pytest.mark.parametrize("lost", [LOST, BROKEN, refused(409), answered(200, b"{}"), answered(502, b"<html>")])
def test_a_refusal_that_blames_no_field_says_nothing_of_an_earlier_send_of_the_call(lost: Sent) -> None:
    assert settlement(lost, None, refused(400)).event is Event.LOST
    assert settlement(UNSENT, None, THROTTLED, None, refused(400)).event is Event.REFUSED


@pytest.mark.parametrize("status", [401, 403, 429])
def test_a_refusal_that_is_not_in_the_words_of_the_api_proves_nothing(status: int) -> None:
    stopped = [STOP] if status == 429 else []
    assert settlement(answered(status, b"<html>blocked by a proxy"), *stopped).event is Event.LOST


DENIED = refused(401)
PROOF = [UNSENT, THROTTLED, DENIED, NO_TLS, LATE, refused(404), refused(400)]
EVENTS = [*PROOF, LOST, BROKEN, refused(409), answered(307), OK]


@given(st.lists(st.sampled_from(EVENTS), min_size=4, max_size=4))
def test_not_sent_is_said_only_if_every_send_proves_it(sent: list[Sent]) -> None:
    flow = call(COMMAND, REQUEST, POLICY, NO_JITTER)
    used: list[Sent] = []
    effect = next(flow)
    try:
        while True:
            if isinstance(effect, Send):
                used.append(sent[len(used)])
            effect = flow.send(used[-1] if isinstance(effect, Send) else None)
    except StopIteration as done:
        result: Called = done.value
    sure = all(one in PROOF for one in used)
    if result.error is not None:
        assert result.uncertain is not sure


@pytest.mark.parametrize("action", [Action.DONE, Action.REJECTED, Action.HELD, Action.REVIEW])
def test_nothing_is_sent_without_a_claim(action: Action) -> None:
    decision = Decision(action, ENTRY, changed=False)
    result, effects = feed(report(COMMAND, REQUEST, SCOPE, INTENT, POLICY, NO_JITTER), [decision])
    assert effects == [Claim(SCOPE, INTENT)]
    assert (result.decision, result.called, result.entry) == (decision, None, ENTRY)


@pytest.mark.parametrize("action", [Action.SEND, Action.RESEND])
def test_a_payment_is_claimed_then_sent_then_settled(action: Action) -> None:
    decision = Decision(action, ENTRY, changed=True)
    flow = report(COMMAND, REQUEST, SCOPE, INTENT, POLICY, NO_JITTER)
    result, effects = feed(flow, [decision, BROKEN, None, OK, ENTRY])
    assert [type(effect) for effect in effects] == [Claim, Send, Sleep, Send, Settle]
    assert effects[1] == effects[3] == Send(REQUEST, until=LEASE)
    assert result.called is not None
    assert (result.called.sends, result.entry) == (2, ENTRY)


def test_a_payment_is_sent_and_settled_under_the_key_of_its_claim() -> None:
    under = ENTRY._replace(idempotency_key="payrecords-1.2")
    story = [Decision(Action.SEND, under, changed=True), OK, under]
    _, effects = feed(report(COMMAND, REQUEST, SCOPE, INTENT, POLICY, NO_JITTER), story)
    assert effects[1] == Send(encode(COMMAND, "payrecords-1.2"), LEASE)
    assert isinstance(effects[2], Settle)
    assert effects[2].settlement.idempotency_key == "payrecords-1.2"


SPENT = ENTRY._replace(state=State.REJECTED, idempotency_key="payrecords-1.2")
STORED = refused(400, idempotent_replayed="true")


def test_a_replay_goes_on_once_under_the_next_key_if_its_refusal_was_stored() -> None:
    again = ENTRY._replace(idempotency_key="payrecords-1.2")
    last = SPENT._replace(idempotency_key="payrecords-1.3")
    story = [
        Decision(Action.SEND, ENTRY, changed=True),
        STORED,
        SPENT,
        Decision(Action.SEND, again, changed=True),
        STORED,
        last,
    ]
    flow = report(COMMAND, REQUEST, SCOPE, INTENT._replace(replay=True), POLICY, NO_JITTER)
    result, effects = feed(flow, story)
    sent = [effect.request.idempotency_key for effect in effects if isinstance(effect, Send)]
    assert (sent, result.entry) == (["payrecords-1", "payrecords-1.2"], last)


@pytest.mark.parametrize("replay", [False, True])
def test_a_payment_goes_on_under_no_other_key_unless_it_is_a_replay_of_a_stored_refusal(replay: bool) -> None:
    after = SPENT._replace(idempotency_key="payrecords-1") if replay else SPENT
    story = [Decision(Action.SEND, ENTRY, changed=True), STORED, after]
    result, _ = feed(report(COMMAND, REQUEST, SCOPE, INTENT._replace(replay=replay), POLICY, NO_JITTER), story)
    assert result.entry is after


def test_a_confirmed_payment_is_settled_with_the_ids_of_the_answer() -> None:
    assert settlement(OK) == Settlement("k", "payrecords-1", Event.ACCEPTED, "pr_1", "par_1", request_id="req_ok")


def test_a_refused_payment_is_settled_with_the_reason() -> None:
    body = {"error": {"type": "invalid_request_error", "code": "parameter_missing", "param": "a[b]"}}
    assert settlement(answered(400, body, request_id="req_no")) == Settlement(
        "k",
        "payrecords-1",
        Event.REFUSED,
        error_code="parameter_missing",
        error_param="a[b]",
        error_status=400,
        request_id="req_no",
    )


def test_an_attached_payment_is_settled_with_the_payment_and_not_the_invoice() -> None:
    for values in ({"payment_record": "pr_7"}, {"payment_intent": "pi_7"}):
        command = build(AttachPayment, {"invoice": "in_1", **values})
        story = [Decision(Action.SEND, ENTRY, changed=True), answered(200, {"id": "in_1", "object": "invoice"}), ENTRY]
        _, effects = feed(report(command, encode(command, "k"), SCOPE, INTENT, POLICY, NO_JITTER), story)
        settled = effects[-1]
        assert isinstance(settled, Settle)
        assert settled.settlement.payment_record == next(iter(values.values()))
        assert settled.settlement.payment_attempt_record is None


def test_a_call_on_a_record_is_settled_with_the_record_that_came_back() -> None:
    command = build(ReportPaymentAttemptFailed, {"payment_record": "pr_1", "failed_at": 1})
    story = [Decision(Action.SEND, ENTRY, changed=True), OK, ENTRY]
    _, effects = feed(report(command, encode(command, "k"), SCOPE, INTENT, POLICY, NO_JITTER), story)
    assert isinstance(effects[-1], Settle)
    assert effects[-1].settlement.payment_record == "pr_1"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidRequestError("m", code="parameter_missing", type="invalid_request_error"), "parameter_missing"),
        (InvalidRequestError("m", type="invalid_request_error"), "invalid_request_error"),
        (ServerError("m", replayed=True, type="api_error", code="x"), STORED_FAILURE),
        (ServerError("m"), "server_error"),
        (ConflictError("m"), "conflict"),
        (NotSentError("m"), "not_sent"),
        (LeaseEndedError("m"), "lease_ended"),
        (OutcomeUnknownError("m"), "outcome_unknown"),
        (UntrustedServerError("m"), "untrusted_server"),
        (StoppedError("m"), "stopped"),
        (RateLimitError("m"), "RateLimitError"),
    ],
)
def test_an_error_has_a_short_code(error: PayRecordsError, code: str) -> None:
    assert error_code(error) == code
