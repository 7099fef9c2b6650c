"""What is pruned, and what never is."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from airflow_provider_payrecords.core.entry import Action
from airflow_provider_payrecords.core.errors import UsageError
from airflow_provider_payrecords.core.lifecycle import Event, State
from airflow_provider_payrecords.ledger.retention import MIN_AGE, ForgetfulStore, prunable, prune
from airflow_provider_payrecords.ledger.store import Selection
from tests.ledger.samples import ANNA, BERT, NOW, OTHER_SCOPES, SCOPE, intent, later, outcome

EVERYTHING = Selection()
LATER = NOW + timedelta(days=400)
OPEN = {"claimed", "planned", "unknown", "review"}


def fill(ledger: ForgetfulStore, now: datetime = NOW, prefix: str = "") -> None:
    """Put an entry of each state into *ledger*, its key the state."""
    events = {
        "confirmed": Event.ACCEPTED,
        "rejected": Event.REFUSED,
        "planned": Event.NOT_SENT,
        "unknown": Event.LOST,
        "review": Event.KEY_CLASH,
    }
    ledger.claim(SCOPE, [intent(prefix + state.value) for state in State], ANNA, now)
    ledger.settle(SCOPE, [outcome(event, prefix + key) for key, event in events.items()], now)


def keys(ledger: ForgetfulStore) -> set[str]:
    return {entry.key for entry in ledger.entries(EVERYTHING)}


def removed(ledger: ForgetfulStore, before: datetime, selection: Selection = EVERYTHING) -> int:
    return sum(prune(ledger, prunable(selection, before, LATER)))


def test_settled_payments_go_and_open_ones_stay_however_old(ledger: ForgetfulStore) -> None:
    fill(ledger)
    assert removed(ledger, later(seconds=1)) == 2
    assert keys(ledger) == OPEN


def test_what_changed_at_that_instant_or_later_stays(ledger: ForgetfulStore) -> None:
    fill(ledger)
    fill(ledger, later(seconds=1), "young-")
    assert removed(ledger, NOW) == 0
    assert removed(ledger, later(seconds=1)) == 2
    assert {"young-confirmed", "young-rejected"} < keys(ledger)


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(states=frozenset(State)), 2),
        (Selection(states=frozenset({State.REJECTED, State.REVIEW})), 1),
        (Selection(states=frozenset({State.UNKNOWN})), 0),
        (Selection(source="other"), 0),
        (Selection(account=SCOPE.account, run_id=ANNA.run_id), 2),
    ],
)
def test_a_selection_narrows_what_goes_and_never_widens_it(
    ledger: ForgetfulStore, selection: Selection, expected: int
) -> None:
    fill(ledger)
    assert removed(ledger, later(seconds=1), selection) == expected
    assert keys(ledger) >= OPEN


def test_the_same_key_in_another_scope_stays(ledger: ForgetfulStore) -> None:
    for scope in (SCOPE, *OTHER_SCOPES):
        ledger.claim(scope, [intent()], ANNA, NOW)
        ledger.settle(scope, [outcome(Event.ACCEPTED)], NOW)
    assert removed(ledger, later(seconds=1), Selection(account="acct_2")) == 1
    assert [entry.scope.account for entry in ledger.entries(EVERYTHING)] == ["acct_1"] * 4


def test_more_than_a_batch_goes(ledger: ForgetfulStore) -> None:
    names = [f"k{number:04}" for number in range(2_100)]
    ledger.claim(SCOPE, [intent(name) for name in names], ANNA, NOW)
    ledger.settle(SCOPE, [outcome(Event.ACCEPTED, name) for name in names[:-1]], NOW)
    assert list(prune(ledger, prunable(EVERYTHING, later(seconds=1), LATER))) == [1_000, 1_000, 99]
    assert keys(ledger) == {names[-1]}


def test_an_entry_that_changed_since_it_was_read_stays(ledger: ForgetfulStore) -> None:
    fill(ledger)
    read = list(ledger.entries(Selection(states=frozenset({State.REJECTED}))))
    ledger.claim(SCOPE, [intent("rejected", "b")], BERT, later(seconds=5))
    assert ledger.forget(read) == 0
    assert "rejected" in keys(ledger)


def test_an_open_entry_is_not_forgotten_even_when_asked_for(ledger: ForgetfulStore) -> None:
    fill(ledger)
    assert ledger.forget(list(ledger.entries(EVERYTHING))) == 2
    assert ledger.forget([]) == 0
    assert keys(ledger) == OPEN


def test_a_forgotten_payment_is_new_again(ledger: ForgetfulStore) -> None:
    fill(ledger)
    removed(ledger, later(seconds=1))
    [decision] = ledger.claim(SCOPE, [intent("confirmed")], ANNA, LATER)
    assert decision.action is Action.SEND


def test_a_young_date_is_refused_unless_somebody_insists() -> None:
    young = LATER - MIN_AGE + timedelta(seconds=1)
    with pytest.raises(UsageError, match="reported a second time"):
        prunable(EVERYTHING, young, LATER)
    assert prunable(EVERYTHING, young, LATER, force=True).updated_before == young
    assert prunable(EVERYTHING, LATER - MIN_AGE, LATER).updated_before == LATER - MIN_AGE


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(UsageError, match="has no zone"):
        prunable(EVERYTHING, datetime(2020, 1, 1), LATER, force=True)  # noqa: DTZ001 - that is the point
