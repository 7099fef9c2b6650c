"""``core/entry.py`` where the API gives a stored refusal, and where a person chooses between records."""

from __future__ import annotations

from airflow_provider_payrecords.core.entry import Action, consider, is_spent, settle
from airflow_provider_payrecords.core.lifecycle import Event, State
from tests.core.test_entry import BERT, NOW, SCOPE, SECOND, decide, expired_review, intent, outcome, settled


def test_a_stored_refusal_is_followed_by_the_next_key_when_it_is_replayed() -> None:
    refused = settled(Event.REFUSED_BEFORE, error_code="refused")
    assert (refused.state, refused.idempotency_key) == (State.REJECTED, "payrecords-a.2")
    assert is_spent(refused, "payrecords-a")
    assert not is_spent(settled(Event.REFUSED), "payrecords-a")
    assert decide(refused).action is Action.REJECTED
    again = consider(refused, intent()._replace(replay=True), SCOPE, BERT, NOW + SECOND)
    assert (again.action, again.entry.idempotency_key) == (Action.SEND, "payrecords-a.2")


def test_what_was_sent_under_a_later_key_is_resent_under_that_one() -> None:
    replay = intent()._replace(replay=True)
    sent = consider(settled(Event.REFUSED_BEFORE), replay, SCOPE, BERT, NOW + SECOND).entry
    lost = settle(sent, outcome(Event.LOST)._replace(idempotency_key="payrecords-a.2"), NOW + SECOND)
    decision = decide(lost, now=NOW + 2 * SECOND)
    assert (decision.action, decision.entry.idempotency_key) == (Action.RESEND, "payrecords-a.2")


def test_a_stored_refusal_proves_that_the_lost_send_was_refused_whatever_it_blames() -> None:
    resent = decide(settled(Event.LOST)).entry
    assert settle(resent, outcome(Event.REFUSED), NOW).state is State.UNKNOWN
    assert settle(resent, outcome(Event.REFUSED_BEFORE), NOW).state is State.REJECTED
    assert settle(settled(Event.LOST), outcome(Event.REFUSED_BEFORE), NOW).state is State.REJECTED


def test_a_person_chooses_the_record_that_stands_of_several() -> None:
    doubled = settle(settled(Event.ACCEPTED), outcome(Event.ACCEPTED, payment_record="pr_2"), NOW)
    chosen = settle(doubled, outcome(Event.CHOSEN, payment_record="pr_2", run_id="review-1"), NOW + SECOND)
    assert (chosen.state, chosen.payment_record, chosen.error_code) == (State.CONFIRMED, "pr_2", None)
    assert (chosen.may_exist, chosen.run_id) == (False, "review-1")


def test_nothing_is_to_be_chosen_where_there_is_one_record() -> None:
    for entry in (expired_review(), decide(settled(Event.ACCEPTED), "b").entry, settled(Event.LOST)):
        assert settle(entry, outcome(Event.CHOSEN, payment_record="pr_2"), NOW) is entry
