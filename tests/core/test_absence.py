"""``core/absence.py``: when a person may say "absent", and that a person who is right never doubles a payment."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from airflow_provider_payrecords.core.absence import Objection, objection_to_absent, quiet_from, settle_absent
from airflow_provider_payrecords.core.entry import (
    SENDING,
    STORED_FAILURE,
    Action,
    Entry,
    Intent,
    Settlement,
    Worker,
    consider,
    settle,
)
from airflow_provider_payrecords.core.lifecycle import LONGEST_SEND, REPLAY_WINDOW, Event, State
from tests.core.test_entry import LEASE, NOW, SCOPE, SECOND, claimed, decide, expired_review, outcome, settled

HOUR = timedelta(hours=1)
LATER = NOW + REPLAY_WINDOW + LONGEST_SEND


def stuck() -> Entry:
    return settled(Event.STUCK, error_code=STORED_FAILURE, error_status=500)


def absent(entry: Entry, now: datetime = LATER) -> Entry:
    return settle_absent(entry, Settlement("k1", entry.idempotency_key, Event.ABSENT, run_id="review-1"), now)


@pytest.mark.parametrize(
    ("entry", "objection"),
    [
        (settled(Event.NOT_SENT), Objection.NOTHING_OPEN),
        (settled(Event.REFUSED), Objection.NOTHING_OPEN),
        (settled(Event.ACCEPTED), Objection.RECORD_KNOWN),
        (decide(settled(Event.ACCEPTED), "b").entry, Objection.RECORD_KNOWN),
        (decide(settled(Event.ACCEPTED, payment_record=None), "b").entry, Objection.RECORD_KNOWN),
        (settle(settled(Event.ACCEPTED), outcome(Event.ACCEPTED, payment_record="pr_2"), NOW), Objection.RECORD_KNOWN),
        (claimed(), Objection.CLAIMED),
        (settled(Event.LOST), Objection.SAME_KEY),
        (decide(settled(Event.LOST), "b").entry, Objection.ON_ITS_WAY),
        (settled(Event.KEY_CLASH), Objection.ON_ITS_WAY),
        (stuck(), None),
    ],
)
def test_a_person_s_word_is_taken_only_where_nothing_else_can_be_known(
    entry: Entry, objection: Objection | None
) -> None:
    now = NOW + 2 * SECOND
    assert objection_to_absent(entry, now) is objection
    assert (absent(entry, now) is entry) == (objection is not None)


def test_a_claim_that_is_over_may_be_absent_once_its_key_is_too_old_and_nothing_is_on_its_way() -> None:
    entry = claimed()
    assert objection_to_absent(entry, NOW + LEASE) is Objection.SAME_KEY
    assert objection_to_absent(entry, NOW + REPLAY_WINDOW) is None
    sent = absent(entry, NOW + REPLAY_WINDOW)
    assert (sent.state, sent.owner, sent.lease_until) == (State.PLANNED, None, None)


def test_a_request_that_left_is_given_an_hour_after_the_last_word_of_it() -> None:
    changed = decide(settled(Event.LOST), "b").entry
    assert quiet_from(changed) == changed.updated_at + HOUR
    assert objection_to_absent(changed, NOW + HOUR) is None
    assert quiet_from(changed._replace(claimed_at=None)) == changed.updated_at + HOUR


def test_nothing_leaves_after_the_replay_window_however_late_the_ledger_heard_of_it() -> None:
    late = decide(settled(Event.LOST), now=NOW + timedelta(days=9)).entry
    assert quiet_from(late) == LATER


def test_what_is_absent_is_planned_and_forgets_its_error() -> None:
    entry = absent(stuck(), NOW + 2 * SECOND)
    assert (entry.state, entry.may_exist, entry.run_id) == (State.PLANNED, False, "review-1")
    assert (entry.error_code, entry.error_status, entry.updated_at) == (None, None, NOW + 2 * SECOND)


@pytest.mark.parametrize("entry", [stuck(), settled(Event.KEY_CLASH)])
def test_a_key_that_is_of_no_more_use_is_followed_by_the_next(entry: Entry) -> None:
    decision = decide(absent(entry), now=LATER)
    assert (decision.action, decision.entry.idempotency_key) == (Action.SEND, "payrecords-a.2")


@pytest.mark.parametrize(
    "entry", [expired_review(), settled(Event.LOST), settled(Event.LOST)._replace(claimed_at=None)]
)
def test_a_key_that_the_api_may_still_know_is_sent_again(entry: Entry) -> None:
    decision = decide(absent(entry), now=LATER)
    assert (decision.action, decision.entry.idempotency_key) == (Action.SEND, "payrecords-a")


def test_other_content_goes_under_its_own_key() -> None:
    changed = absent(decide(settled(Event.LOST), "b").entry)
    assert decide(changed, "b", now=LATER).entry.idempotency_key == "payrecords-b"
    assert decide(absent(stuck()), "b", now=LATER).entry.idempotency_key == "payrecords-b"


def test_a_word_about_another_key_than_the_present_one_is_ignored() -> None:
    entry = stuck()
    assert settle_absent(entry, Settlement("k1", "payrecords-x", Event.ABSENT), LATER) is entry


def test_the_run_of_the_claim_stays_where_no_other_is_named() -> None:
    assert settle_absent(stuck(), Settlement("k1", "payrecords-a", Event.ABSENT), LATER).run_id == "run-anna"


class OnePersonAndOneRow(RuleBasedStateMachine):
    """
    One row, two workers, an API that stores refusals and failures, and a person who is always right.

    Requests fly for up to an hour before they run. Content "a" and "e" are accepted, "b" refused; "c" fails with effect
    and "d" without,
    until the API is mended. What ran is stored for 24 hours under its key. The person replays refused rows, and
    says "absent" whenever the API holds no record and there is no objection.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.content = "a"
        self.mended = False
        self.entry: Entry | None = None
        self.kept: dict[str, tuple[datetime, str, str | None]] = {}
        self.flying: list[tuple[datetime, str, str]] = []
        self.records: list[str] = []

    @rule(name=st.sampled_from(["anna", "bert"]), replay=st.booleans())
    def a_worker_sends(self, name: str, replay: bool) -> None:
        worker = Worker(f"host:1:{name}", f"run-{name}", lease_seconds=120)
        intent = Intent("k1", f"fp-{self.content}", f"payrecords-{self.content}", replay=replay)
        decision = consider(self.entry, intent, SCOPE, worker, self.now)
        self.entry = decision.entry
        if decision.action in SENDING:
            self.flying.append((self.now, decision.entry.idempotency_key, worker.owner))

    @precondition(lambda self: self.flying)
    @rule(number=st.integers(0, 3), lost=st.booleans())
    def a_request_runs(self, number: int, lost: bool) -> None:
        _, key, owner = self.flying.pop(number % len(self.flying))
        event, record = self.api_does(key)
        answer = Settlement("k1", key, Event.LOST if lost else event, payment_record=record, owner=owner)
        if answer.event is Event.LOST:
            answer = answer._replace(payment_record=None)
        error = STORED_FAILURE if answer.event is Event.STUCK else None
        assert self.entry is not None
        self.entry = settle(self.entry, answer._replace(error_code=error), self.now)

    def api_does(self, key: str) -> tuple[Event, str | None]:
        done_at, said, record = self.kept.get(key, (self.now, "", None))
        if said and self.now - done_at < timedelta(hours=24):
            again = {"accepted": Event.ACCEPTED, "refused": Event.REFUSED_BEFORE, "failed": Event.STUCK}
            return again[said], record if said == "accepted" else None
        content = key.removeprefix("payrecords-")[0]
        said = "accepted" if self.mended or content in "ae" else "refused" if content == "b" else "failed"
        record = None
        if said == "accepted" or (said == "failed" and content == "c"):
            record = f"pr_{len(self.records)}"
            self.records.append(record)
        self.kept[key] = (self.now, said, record)
        first = {"accepted": Event.ACCEPTED, "refused": Event.REFUSED, "failed": Event.LOST}
        return first[said], record if said == "accepted" else None

    @precondition(lambda self: self.entry is not None and not self.records)
    @rule()
    def a_person_says_absent(self) -> None:
        assert self.entry is not None
        said = Settlement("k1", self.entry.idempotency_key, Event.ABSENT)
        self.entry = settle_absent(self.entry, said, self.now)

    @rule(hours=st.sampled_from([0.1, 0.1, 1, 12, 24]))
    def time_passes(self, hours: float) -> None:
        then = self.now + timedelta(hours=hours)
        for left_at, _, _ in list(self.flying):
            if then - left_at >= LONGEST_SEND:
                self.now = max(self.now, left_at + LONGEST_SEND - SECOND)
                self.a_request_runs(0, lost=True)
        self.now = then

    @rule()
    def the_api_is_mended(self) -> None:
        self.mended = True

    @rule(content=st.sampled_from("aebcd"))
    def the_row_is_read(self, content: str) -> None:
        self.content = content

    @invariant()
    def the_api_holds_the_payment_once(self) -> None:
        assert len(self.records) <= 1

    @invariant()
    def what_the_ledger_says_is_true(self) -> None:
        if self.entry is None:
            return
        assert self.entry.payment_record in (None, *self.records)
        if self.entry.state is State.CONFIRMED:
            assert self.records


TestOnePersonAndOneRow = OnePersonAndOneRow.TestCase
TestOnePersonAndOneRow.settings = settings(max_examples=600, stateful_step_count=20, deadline=None)
