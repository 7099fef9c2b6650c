"""The table of ``core/lifecycle.py``: what it allows, and what no path through it can do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_payrecords.core.errors import IllegalTransitionError
from airflow_provider_payrecords.core.lifecycle import TRANSITIONS, Event, State, step

PAIRS = [(state, event) for state in State for event in Event]
PROOF_OF_A_RECORD = {Event.ACCEPTED, Event.FOUND, Event.CHOSEN, Event.ROW_RESTORED}


@pytest.mark.parametrize(("state", "event"), TRANSITIONS)
def test_a_pair_of_the_table_steps_to_its_state(state: State, event: Event) -> None:
    assert step(state, event) is TRANSITIONS[state, event]


@pytest.mark.parametrize(("state", "event"), [pair for pair in PAIRS if pair not in TRANSITIONS])
def test_a_pair_that_is_not_in_the_table_is_an_error_that_names_both(state: State, event: Event) -> None:
    with pytest.raises(IllegalTransitionError) as caught:
        step(state, event)
    assert (caught.value.state, caught.value.event) == (state.value, event.value)
    assert repr(state.value) in str(caught.value)
    assert repr(event.value) in str(caught.value)


def test_every_state_but_the_first_can_be_reached() -> None:
    reached = {State.PLANNED}
    for _ in State:
        reached |= {after for (before, _), after in TRANSITIONS.items() if before in reached}
    assert reached == set(State)


def test_no_state_is_a_dead_end() -> None:
    assert {before for before, _ in TRANSITIONS} == set(State)


def test_only_proof_of_a_record_confirms() -> None:
    confirming = {event for (_, event), after in TRANSITIONS.items() if after is State.CONFIRMED}
    assert confirming == PROOF_OF_A_RECORD


def test_a_confirmed_payment_leaves_that_state_only_for_review() -> None:
    assert {after for (before, _), after in TRANSITIONS.items() if before is State.CONFIRMED} <= {
        State.CONFIRMED,
        State.REVIEW,
    }


def test_an_unknown_outcome_is_never_forgotten_without_a_verdict_or_a_person() -> None:
    forgetting = {
        (before, event)
        for (before, event), after in TRANSITIONS.items()
        if before in (State.UNKNOWN, State.REVIEW) and after is State.PLANNED
    }
    assert forgetting <= {(State.REVIEW, Event.ABSENT)}


def test_only_a_claim_allows_sending() -> None:
    assert {event for (_, event), after in TRANSITIONS.items() if after is State.CLAIMED} == {Event.CLAIM}


@given(st.lists(st.sampled_from(Event)))
def test_no_event_sequence_escapes_the_table(events: list[Event]) -> None:
    state = State.PLANNED
    for event in events:
        if (state, event) in TRANSITIONS:
            state = step(state, event)
        else:
            with pytest.raises(IllegalTransitionError):
                step(state, event)
        assert isinstance(state, State)


@given(st.lists(st.sampled_from(Event), max_size=60))
def test_no_event_sequence_confirms_without_proof(events: list[Event]) -> None:
    state, proven = State.PLANNED, False
    for event in (event for event in events if event is not Event.ROW_RESTORED or proven):
        if (state, event) in TRANSITIONS:
            state = step(state, event)
            proven |= event in (Event.ACCEPTED, Event.FOUND, Event.CHOSEN)
        assert proven or state is not State.CONFIRMED
