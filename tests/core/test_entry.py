"""The rules of ``core/entry.py``: what may be sent, what an outcome proves; no order of events doubles money."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from airflow_provider_payrecords.core.entry import (
    CONTENT_CHANGED,
    KEY_EXPIRED,
    SENDING,
    Action,
    Decision,
    Entry,
    Intent,
    Scope,
    Settlement,
    Worker,
    consider,
    lapse,
    settle,
)
from airflow_provider_payrecords.core.errors import IllegalTransitionError
from airflow_provider_payrecords.core.lifecycle import REPLAY_WINDOW, Event, State

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=timezone.utc)
SCOPE = Scope("acct_1", "test", "report_payment", "adyen-eu")
ANNA = Worker("host:1:anna", "run-anna", lease_seconds=120)
BERT = Worker("host:2:bert", "run-bert", lease_seconds=120)
SECOND = timedelta(seconds=1)
LEASE = timedelta(seconds=120)


def intent(content: str = "a") -> Intent:
    return Intent("k1", f"fp-{content}", f"payrecords-{content}", {"a": 4950, "b": 100}[content], "eur")


def decide(entry: Entry | None, content: str = "a", worker: Worker = BERT, now: datetime = NOW) -> Decision:
    return consider(entry, intent(content), SCOPE, worker, now)


def outcome(event: Event, content: str = "a", **details: Any) -> Settlement:
    if event in (Event.ACCEPTED, Event.FOUND):
        details = {"payment_record": "pr_1", "payment_attempt_record": "par_1", **details}
    return Settlement("k1", f"payrecords-{content}", event, **details)


def claimed(content: str = "a") -> Entry:
    return decide(None, content, ANNA).entry


def settled(event: Event, **details: Any) -> Entry:
    return settle(claimed(), outcome(event, **details), NOW + SECOND)


def expired_review() -> Entry:
    return decide(settled(Event.LOST), now=NOW + REPLAY_WINDOW).entry


# May this row be sent?


def test_a_new_row_is_claimed_before_it_is_sent() -> None:
    decision = decide(None, worker=ANNA)
    assert decision == Decision(Action.SEND, decision.entry, changed=True)
    assert decision.entry == Entry(
        scope=SCOPE,
        key="k1",
        state=State.CLAIMED,
        fingerprint="fp-a",
        idempotency_key="payrecords-a",
        created_at=NOW,
        updated_at=NOW,
        claimed_at=NOW,
        lease_until=NOW + LEASE,
        owner=ANNA.owner,
        amount_minor=4950,
        currency="eur",
        run_id="run-anna",
    )


@pytest.mark.parametrize("content", ["a", "b"])
def test_a_row_another_worker_is_sending_is_held_whatever_its_content(content: str) -> None:
    entry = claimed()
    assert decide(entry, content, now=NOW + LEASE - SECOND) == Decision(Action.HELD, entry, changed=False)


def test_a_lapsed_claim_is_sent_again_with_the_same_key_and_the_first_claim_time() -> None:
    decision = decide(claimed(), now=NOW + LEASE)
    assert decision.action is Action.RESEND
    assert decision.entry.idempotency_key == "payrecords-a"
    assert (decision.entry.claimed_at, decision.entry.owner) == (NOW, BERT.owner)
    assert decision.entry.may_exist


def test_a_worker_that_meets_its_own_claim_sends_with_the_same_key() -> None:
    assert decide(claimed(), worker=ANNA, now=NOW + SECOND).action is Action.RESEND


def test_a_lapsed_claim_whose_row_changed_goes_to_review() -> None:
    decision = decide(claimed(), "b", now=NOW + LEASE)
    assert (decision.action, decision.changed) == (Action.REVIEW, True)
    assert (decision.entry.state, decision.entry.error_code) == (State.REVIEW, CONTENT_CHANGED)
    assert (decision.entry.idempotency_key, decision.entry.amount_minor) == ("payrecords-a", 4950)


def test_a_lost_answer_is_resent_with_the_same_key_until_the_replay_window_ends() -> None:
    lost = settled(Event.LOST)
    assert decide(lost, now=NOW + REPLAY_WINDOW - SECOND).action is Action.RESEND
    decision = decide(lost, now=NOW + REPLAY_WINDOW)
    assert decision.action is Action.REVIEW
    assert (decision.entry.state, decision.entry.error_code) == (State.REVIEW, KEY_EXPIRED)


def test_resending_does_not_prolong_the_replay_window() -> None:
    entry = settled(Event.LOST)
    for hours in (10, 20):
        entry = settle(decide(entry, now=NOW + timedelta(hours=hours)).entry, outcome(Event.LOST), NOW)
    assert decide(entry, now=NOW + REPLAY_WINDOW).action is Action.REVIEW


def test_an_unknown_entry_without_claim_time_goes_to_review() -> None:
    assert decide(settled(Event.LOST)._replace(claimed_at=None)).action is Action.REVIEW


@pytest.mark.parametrize("changed", [{"fingerprint": "fp-b"}, {"idempotency_key": "payrecords-b"}])
def test_an_unknown_outcome_is_never_sent_under_another_key(changed: dict[str, str]) -> None:
    decision = consider(settled(Event.LOST), intent()._replace(**changed), SCOPE, BERT, NOW + SECOND)
    assert (decision.action, decision.entry.error_code) == (Action.REVIEW, CONTENT_CHANGED)
    assert decision.entry.idempotency_key == "payrecords-a"


def test_a_payment_that_did_not_leave_is_sent_anew_also_with_other_content() -> None:
    decision = decide(settled(Event.NOT_SENT), "b", now=NOW + SECOND)
    assert decision.action is Action.SEND
    assert (decision.entry.fingerprint, decision.entry.idempotency_key) == ("fp-b", "payrecords-b")
    assert (decision.entry.amount_minor, decision.entry.claimed_at) == (100, NOW + SECOND)


def test_a_confirmed_payment_is_done() -> None:
    entry = settled(Event.ACCEPTED)
    assert decide(entry, now=NOW + timedelta(days=400)) == Decision(Action.DONE, entry, changed=False)


def test_a_confirmed_payment_whose_row_changed_goes_to_review_and_keeps_its_record() -> None:
    decision = decide(settled(Event.ACCEPTED), "b")
    assert (decision.action, decision.changed) == (Action.REVIEW, True)
    assert (decision.entry.state, decision.entry.error_code) == (State.REVIEW, CONTENT_CHANGED)
    assert (decision.entry.payment_record, decision.entry.fingerprint) == ("pr_1", "fp-a")


def test_a_changed_row_with_its_old_content_again_is_done_again() -> None:
    reviewed = decide(settled(Event.ACCEPTED), "b").entry
    decision = decide(reviewed, now=NOW + SECOND)
    assert (decision.action, decision.changed) == (Action.DONE, True)
    assert decision.entry == reviewed._replace(
        state=State.CONFIRMED, error_code=None, run_id="run-bert", updated_at=NOW + SECOND
    )


@pytest.mark.parametrize("content", ["a", "b"])
def test_an_entry_under_review_is_not_sent(content: str) -> None:
    entry = expired_review()
    assert decide(entry, content) == Decision(Action.REVIEW, entry, changed=False)


def test_a_rejected_row_is_not_sent_again_as_it_is() -> None:
    entry = settled(Event.REFUSED, error_code="amount_too_small")
    assert decide(entry) == Decision(Action.REJECTED, entry, changed=False)


def test_a_rejected_row_is_sent_again_under_the_same_key_when_somebody_asks_for_a_replay() -> None:
    decision = consider(settled(Event.REFUSED), intent()._replace(replay=True), SCOPE, BERT, NOW + SECOND)
    assert decision.action is Action.SEND
    assert (decision.entry.idempotency_key, decision.entry.state) == ("payrecords-a", State.CLAIMED)


@pytest.mark.parametrize(
    ("event", "action"),
    [(Event.ACCEPTED, Action.DONE), (Event.KEY_CLASH, Action.REVIEW), (Event.LOST, Action.RESEND)],
)
def test_a_replay_changes_nothing_but_rejected_rows(event: Event, action: Action) -> None:
    assert consider(settled(event), intent()._replace(replay=True), SCOPE, BERT, NOW + SECOND).action is action


def test_a_rejected_row_that_was_corrected_is_sent_under_a_new_key() -> None:
    decision = decide(settled(Event.REFUSED), "b", now=NOW + SECOND)
    assert decision.action is Action.SEND
    assert (decision.entry.idempotency_key, decision.entry.claimed_at) == ("payrecords-b", NOW + SECOND)


# An outcome is known


def test_an_accepted_payment_is_confirmed_and_released() -> None:
    entry = settled(Event.ACCEPTED, request_id="req_1")
    assert (entry.state, entry.payment_record, entry.payment_attempt_record) == (State.CONFIRMED, "pr_1", "par_1")
    assert (entry.owner, entry.lease_until, entry.may_exist, entry.request_id) == (None, None, False, "req_1")
    assert (entry.created_at, entry.updated_at) == (NOW, NOW + SECOND)


def test_an_accepted_payment_forgets_its_earlier_errors() -> None:
    lost = settled(Event.LOST, error_code="api_error", error_param="p", error_status=500)
    entry = settle(lost, outcome(Event.ACCEPTED), NOW)
    assert (entry.error_code, entry.error_param, entry.error_status) == (None, None, None)


def test_a_refused_payment_is_rejected_with_the_reason() -> None:
    entry = settled(Event.REFUSED, error_code="parameter_missing", error_param="a[b]", error_status=400)
    assert (entry.state, entry.payment_record) == (State.REJECTED, None)
    assert (entry.error_code, entry.error_param, entry.error_status) == ("parameter_missing", "a[b]", 400)


def test_only_a_confirmed_entry_has_a_record() -> None:
    assert settled(Event.LOST, payment_record="pr_9", payment_attempt_record="par_9").payment_record is None


def test_a_payment_that_did_not_leave_is_planned_again() -> None:
    entry = settled(Event.NOT_SENT)
    assert (entry.state, entry.may_exist, entry.owner) == (State.PLANNED, False, None)


def test_not_sent_proves_nothing_after_an_earlier_send() -> None:
    again = decide(settled(Event.LOST), now=NOW + SECOND).entry
    entry = settle(again, outcome(Event.NOT_SENT), NOW)
    assert (entry.state, entry.may_exist) == (State.UNKNOWN, True)


def test_a_key_clash_is_for_a_person() -> None:
    assert settled(Event.KEY_CLASH, error_status=400).state is State.REVIEW


def test_a_failure_the_api_repeats_for_ever_is_for_a_person() -> None:
    assert settled(Event.STUCK, error_status=500).state is State.REVIEW


def test_a_claimed_payment_that_is_found_is_confirmed() -> None:
    assert settled(Event.FOUND).state is State.CONFIRMED


@pytest.mark.parametrize("event", [Event.ABSENT, Event.CHOSEN, Event.CLAIM, Event.ROW_CHANGED])
def test_an_event_that_is_no_outcome_is_an_error(event: Event) -> None:
    with pytest.raises(IllegalTransitionError):
        settle(claimed(), outcome(event), NOW)


@pytest.mark.parametrize(
    ("event", "state"),
    [(Event.ACCEPTED, State.CONFIRMED), (Event.REFUSED, State.REJECTED), (Event.FOUND, State.CONFIRMED)],
)
def test_a_late_verdict_settles_an_unknown_entry(event: Event, state: State) -> None:
    assert settle(lapse(claimed(), NOW), outcome(event), NOW).state is state


@pytest.mark.parametrize("event", [Event.NOT_SENT, Event.LOST, Event.KEY_CLASH, Event.ABSENT])
def test_a_late_word_that_proves_nothing_leaves_an_unknown_entry(event: Event) -> None:
    entry = lapse(claimed(), NOW)
    assert settle(entry, outcome(event), NOW) is entry


@pytest.mark.parametrize("event", [Event.ACCEPTED, Event.FOUND])
def test_a_record_found_late_confirms_an_entry_under_review(event: Event) -> None:
    entry = settle(expired_review(), outcome(event), NOW)
    assert (entry.state, entry.payment_record, entry.error_code) == (State.CONFIRMED, "pr_1", None)


@pytest.mark.parametrize("event", [Event.REFUSED, Event.REFUSED_BEFORE, Event.NOT_SENT, Event.LOST, Event.STUCK])
def test_no_other_outcome_moves_an_entry_out_of_review(event: Event) -> None:
    entry = expired_review()
    assert settle(entry, outcome(event), NOW) is entry


@pytest.mark.parametrize("event", Event)
def test_a_confirmed_entry_stays_confirmed_whatever_is_said_later(event: Event) -> None:
    entry = settled(Event.ACCEPTED)
    late = settle(entry, outcome(event)._replace(payment_record="pr_1"), NOW)
    assert (late.state, late.payment_record) == (State.CONFIRMED, "pr_1")


@pytest.mark.parametrize("event", Event)
def test_a_confirmed_entry_under_review_keeps_its_record(event: Event) -> None:
    entry = decide(settled(Event.ACCEPTED), "b").entry
    assert settle(entry, outcome(event)._replace(payment_record="pr_1"), NOW).payment_record == "pr_1"


def test_an_error_for_another_idempotency_key_is_ignored() -> None:
    entry = claimed()
    assert settle(entry, outcome(Event.REFUSED, "b"), NOW) is entry


def test_a_lapsed_claim_has_no_owner_and_may_exist() -> None:
    entry = lapse(claimed(), NOW + SECOND)
    assert entry == claimed()._replace(
        state=State.UNKNOWN, owner=None, lease_until=None, may_exist=True, updated_at=NOW + SECOND
    )


def test_only_a_claim_can_lapse() -> None:
    with pytest.raises(IllegalTransitionError):
        lapse(settled(Event.LOST), NOW)


# Any order of events


class OneRow(RuleBasedStateMachine):
    """
    One row, three workers, and an API that answers late, never, or twice.

    A request leaves only under a running lease; its answer may be settled hours later. The API refuses content "b",
    keeps what it did under an idempotency key for 24 hours, and then would do it again.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.content = "a"
        self.entry: Entry | None = None
        self.kept: dict[str, tuple[datetime, Settlement]] = {}
        self.answers: list[Settlement] = []
        self.records: list[str] = []

    @initialize(content=st.sampled_from("ab"))
    def the_row_is_read(self, content: str) -> None:
        self.content = content

    @rule(name=st.sampled_from(["anna", "bert", "carl"]), leaves=st.booleans())
    def a_worker_tries(self, name: str, leaves: bool) -> None:
        worker = Worker(f"host:1:{name}", f"run-{name}", lease_seconds=120)
        before, decision = self.entry, consider(self.entry, intent(self.content), SCOPE, worker, self.now)
        assert decision.changed or decision.entry == before
        self.entry = decision.entry
        if decision.action not in SENDING:
            return
        key = decision.entry.idempotency_key
        if before is not None and (before.state is State.CLAIMED or before.may_exist):
            assert key == before.idempotency_key
        self.answers.append(self.api_does(key) if leaves else Settlement("k1", key, Event.NOT_SENT))

    def api_does(self, key: str) -> Settlement:
        done_at, answer = self.kept.get(key, (self.now, None))
        if answer is None or self.now - done_at >= timedelta(hours=24):
            if self.content == "a":
                self.records.append(f"pr_{len(self.records)}")
                answer = Settlement("k1", key, Event.ACCEPTED, payment_record=self.records[-1])
            else:
                answer = Settlement("k1", key, Event.REFUSED, error_code="no", error_status=400)
            self.kept[key] = (self.now, answer)
        return answer

    @precondition(lambda self: self.answers)
    @rule(number=st.integers(0, 5), lost=st.booleans())
    def an_answer_is_settled(self, number: int, lost: bool) -> None:
        answer = self.answers.pop(number % len(self.answers))
        if lost:
            answer = Settlement("k1", answer.idempotency_key, Event.LOST)
        assert self.entry is not None
        was, self.entry = self.entry, settle(self.entry, answer, self.now)
        assert was.payment_record in (None, self.entry.payment_record)
        if self.entry.state is State.CONFIRMED and was.state is not State.CONFIRMED:
            assert answer.event is Event.ACCEPTED

    @precondition(lambda self: self.entry is not None and self.entry.state is State.CLAIMED)
    @rule()
    def the_worker_is_found_dead(self) -> None:
        assert self.entry is not None
        self.entry = lapse(self.entry, self.now)

    @rule(hours=st.sampled_from([0.1, 12, 22, 25]))
    def time_passes(self, hours: float) -> None:
        self.now += timedelta(hours=hours)

    # A change of content ends most lives in review, so it comes late and seldom.
    @precondition(lambda self: self.kept)
    @rule(content=st.sampled_from("ab"))
    def the_row_is_read_again(self, content: str) -> None:
        self.content = content

    @invariant()
    def the_api_holds_the_payment_once(self) -> None:
        assert len(self.records) <= 1

    @invariant()
    def what_the_ledger_says_is_true(self) -> None:
        if self.entry is None:
            return
        assert self.entry.payment_record in (None, *self.records)
        assert not (self.records and self.entry.state in (State.PLANNED, State.REJECTED))
        assert (self.entry.state is State.CLAIMED) == (None not in (self.entry.owner, self.entry.lease_until))


TestOneRow = OneRow.TestCase
TestOneRow.settings = settings(max_examples=400, stateful_step_count=20, deadline=None)
