"""Answers that come late, twice, or from a worker that lost its lease: none of them doubles or hides a payment."""

from __future__ import annotations

from dataclasses import replace

from airflow_provider_payrecords.core.entry import SECOND_RECORD, SENDING, Action, settle
from airflow_provider_payrecords.core.lifecycle import REPLAY_WINDOW, Event, State
from tests.core.test_entry import ANNA, LEASE, NOW, SECOND, claimed, decide, outcome, settled


def test_an_accepted_answer_is_not_dropped_because_a_late_worker_was_refused_first() -> None:
    resent = decide(claimed(), now=NOW + LEASE).entry  # Bert resends what Anna may have sent
    refused = settle(resent, outcome(Event.REFUSED, error_param="amount"), NOW + LEASE + SECOND)  # Anna's late 4xx
    accepted = settle(refused, outcome(Event.ACCEPTED), NOW + LEASE + 2 * SECOND)  # Bert's 200, same key
    assert accepted.state is State.CONFIRMED, accepted.state
    assert accepted.payment_record == "pr_1"


def test_so_no_second_payment_is_sent_under_a_new_key() -> None:
    resent = decide(claimed(), now=NOW + LEASE).entry
    refused = settle(resent, outcome(Event.REFUSED, error_param="amount"), NOW)
    entry = settle(refused, outcome(Event.ACCEPTED), NOW)
    assert decide(entry, "b").action not in SENDING


def test_a_worker_that_lost_its_lease_cannot_release_the_claim_of_the_one_that_is_sending() -> None:
    resent = decide(claimed(), now=NOW + LEASE).entry  # key a, Bert, until NOW + 2 * LEASE
    late = settle(resent, outcome(Event.REFUSED, owner=ANNA.owner), NOW + LEASE + SECOND)
    corrected = decide(late, "b", worker=replace(ANNA, owner="host:3:carl"), now=NOW + LEASE + 2 * SECOND)
    assert corrected.action is Action.HELD, (corrected.action, corrected.entry.idempotency_key)


def test_a_second_record_is_never_dropped_silently() -> None:
    confirmed = settled(Event.ACCEPTED)
    entry = settle(confirmed, outcome(Event.ACCEPTED, payment_record="pr_2"), NOW)
    assert entry.state is State.REVIEW


def test_a_record_under_an_earlier_key_is_never_dropped_silently() -> None:
    second = decide(settled(Event.REFUSED), "b").entry  # key b is being sent
    entry = settle(second, outcome(Event.ACCEPTED, "a"), NOW)  # key a made a record after all
    assert entry is not second
    assert entry.state is State.REVIEW


def test_a_confirmed_entry_without_record_id_is_not_mistaken_for_an_unconfirmed_one() -> None:
    confirmed = settled(Event.ACCEPTED, payment_record=None)  # attach_payment answers an invoice
    reviewed = decide(confirmed, "b").entry
    assert decide(reviewed).action is Action.DONE


def test_a_second_refund_of_one_record_is_never_dropped_silently() -> None:
    refused = settled(Event.REFUSED)
    confirmed = settle(decide(refused, "b").entry, outcome(Event.ACCEPTED, "b"), NOW)
    entry = settle(confirmed, outcome(Event.ACCEPTED, "a"), NOW)  # key a took effect after all, on the same record
    assert (entry.state, entry.error_code) == (State.REVIEW, SECOND_RECORD)


def test_a_refusal_that_blames_no_parameter_proves_nothing_of_an_earlier_send() -> None:
    resent = decide(settled(Event.LOST)).entry
    assert settle(resent, outcome(Event.REFUSED), NOW).state is State.UNKNOWN
    assert settle(resent, outcome(Event.REFUSED, error_param="amount_requested"), NOW).state is State.REJECTED


def test_no_claim_outlives_the_replay_window_of_its_first_send() -> None:
    patient = replace(ANNA, lease_seconds=86_400)
    assert decide(None, worker=patient).entry.lease_until == NOW + REPLAY_WINDOW
    later = NOW + REPLAY_WINDOW - SECOND
    resent = decide(settled(Event.LOST), worker=patient, now=later)
    assert (resent.action, resent.entry.lease_until) == (Action.RESEND, NOW + REPLAY_WINDOW)
