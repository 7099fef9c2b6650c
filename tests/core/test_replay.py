"""``core/replay.py``: what becomes of a refused payment that somebody wants sent again."""

from __future__ import annotations

import pytest

from airflow_provider_payrecords.core.entry import Action, Entry, Settlement, settle
from airflow_provider_payrecords.core.lifecycle import Event, State
from airflow_provider_payrecords.core.replay import REPLAY_ASKED, is_asked_for, settle_replay
from tests.core.test_entry import LEASE, NOW, SECOND, claimed, decide, expired_review, outcome, settled

LATER = NOW + 2 * SECOND


def refused() -> Entry:
    return settled(Event.REFUSED, error_code="resource_missing", error_param="customer", error_status=404)


def asked(entry: Entry, key: str | None = None) -> Entry:
    word = Settlement("k1", key or entry.idempotency_key, Event.REPLAY, run_id="replay-1")
    return settle_replay(entry, word, LATER)


def test_a_reject_that_is_asked_for_is_planned_under_the_key_it_has() -> None:
    before = refused()
    after = asked(before)
    no_error = {"error_code": REPLAY_ASKED, "error_param": None, "error_status": None}
    assert after == before._replace(state=State.PLANNED, run_id="replay-1", updated_at=LATER, **no_error)
    assert is_asked_for(after)
    assert not is_asked_for(before)


def test_a_word_without_a_run_keeps_the_run_of_the_entry() -> None:
    entry = refused()
    assert settle_replay(entry, Settlement("k1", entry.idempotency_key, Event.REPLAY), LATER).run_id == "run-anna"


@pytest.mark.parametrize(
    "entry",
    [claimed(), settled(Event.NOT_SENT), settled(Event.LOST), settled(Event.ACCEPTED), expired_review()],
    ids=lambda entry: entry.state.value,
)
def test_what_is_no_reject_stays_as_it_is(entry: Entry) -> None:
    assert asked(entry) is entry


def test_asking_twice_changes_nothing_more() -> None:
    once = asked(refused())
    assert asked(once) is once


def test_a_reject_that_was_refused_under_another_key_meanwhile_stays_as_it_is() -> None:
    entry = settled(Event.REFUSED_BEFORE)
    assert asked(entry, key="payrecords-a") is entry


def test_the_next_run_sends_it_and_knows_until_the_outcome_that_it_was_asked_for() -> None:
    decision = decide(asked(refused()), now=LATER)
    assert (decision.action, decision.entry.idempotency_key) == (Action.SEND, "payrecords-a")
    assert is_asked_for(decision.entry)
    assert decide(decision.entry, now=LATER + LEASE).action is Action.RESEND
    for event in (Event.ACCEPTED, Event.REFUSED, Event.LOST):
        assert not is_asked_for(settle(decision.entry, outcome(event), LATER))
