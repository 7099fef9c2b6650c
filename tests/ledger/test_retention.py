"""What is pruned, and what never is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

import pytest

from airflow_provider_payrecords.core.entry import Action, Scope
from airflow_provider_payrecords.core.errors import UsageError
from airflow_provider_payrecords.core.lifecycle import Event, State
from airflow_provider_payrecords.ledger.retention import MIN_AGE, ForgetfulStore, prunable, prune, prune_runs
from airflow_provider_payrecords.ledger.store import BrowsableStore, Run, RunProgress, RunReason, Selection
from tests.ledger.samples import ANNA, BERT, NOW, OTHER_SCOPES, SCOPE, intent, later, outcome

EVERYTHING = Selection()
LATER = NOW + timedelta(days=400)


class ForgettingBrowser(ForgetfulStore, BrowsableStore, Protocol):
    """What every ledger is."""


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


def test_the_history_of_a_payment_goes_with_it_and_no_other(ledger: ForgettingBrowser) -> None:
    ledger.claim(SCOPE, [intent(key) for key in ("gone", "kept")], ANNA, NOW)
    ledger.settle(SCOPE, [outcome(Event.LOST, key) for key in ("gone", "kept")], NOW)
    ledger.claim(SCOPE, [intent(key) for key in ("gone", "kept")], BERT, later(seconds=1))
    ledger.settle(SCOPE, [outcome(Event.ACCEPTED, "gone"), outcome(Event.LOST, "kept")], later(seconds=1))
    assert removed(ledger, later(seconds=2)) == 1
    assert ledger.history(SCOPE, "gone") == []
    assert len(ledger.history(SCOPE, "kept")) == 1


def a_finished_run(ledger: ForgettingBrowser, run_id: str, started_at: datetime = NOW, scope: Scope = SCOPE) -> None:
    ledger.start_run(Run(run_id, scope, "extract.csv", started_at))
    told = RunProgress(run_id, started_at, {"confirmed": 1}, {}, 1, 0, 20.0)
    ledger.save_progress(told, [RunReason(run_id, "rejected", "code", None, 1, (1,))])
    ledger.finish_run(run_id, started_at, {"rows": 1})


def runs_removed(ledger: ForgettingBrowser, selection: Selection = EVERYTHING) -> int:
    return sum(prune_runs(ledger, prunable(selection, later(seconds=1), LATER)))


def test_old_runs_go_with_all_that_is_kept_of_them(ledger: ForgettingBrowser) -> None:
    for number in range(120):
        a_finished_run(ledger, f"old-{number}")
    a_finished_run(ledger, "young", later(seconds=1))
    assert runs_removed(ledger) == 120
    assert [run.run_id for run in ledger.runs()] == ["young"]
    assert ledger.progress("old-1") == ledger.reasons("old-1") == []
    assert len(ledger.progress("young")) == len(ledger.reasons("young")) == 1


def test_a_run_that_an_open_payment_names_stays(ledger: ForgettingBrowser) -> None:
    a_finished_run(ledger, ANNA.run_id)
    a_finished_run(ledger, BERT.run_id)
    ledger.claim(SCOPE, [intent("open")], ANNA, NOW)
    ledger.claim(SCOPE, [intent("done")], BERT, NOW)
    ledger.settle(SCOPE, [outcome(Event.LOST, "open"), outcome(Event.ACCEPTED, "done")], NOW)
    a_finished_run(ledger, "young", later(seconds=1))
    assert runs_removed(ledger) == 1
    assert [run.run_id for run in ledger.runs()] == ["young", ANNA.run_id]


def test_the_latest_run_of_each_scope_stays_so_that_its_account_is_known(ledger: ForgettingBrowser) -> None:
    for scope in (SCOPE, OTHER_SCOPES[0]):
        for number in range(3):
            a_finished_run(ledger, f"{scope.account}-{number}", scope=scope)
    assert runs_removed(ledger) == 4
    assert {run.run_id for run in ledger.runs()} == {"acct_1-2", "acct_2-2"}
    assert ledger.accounts(SCOPE) == {"acct_1", "acct_2"}


def test_a_run_that_ended_later_stays(ledger: ForgettingBrowser) -> None:
    a_finished_run(ledger, "long")
    ledger.finish_run("long", later(seconds=1), {"rows": 1})
    a_finished_run(ledger, "killed")
    ledger.start_run(Run("killed", SCOPE, "extract.csv", NOW))
    a_finished_run(ledger, "young", later(seconds=1))
    assert runs_removed(ledger) == 1
    assert {run.run_id for run in ledger.runs()} == {"long", "young"}


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(account="acct_2"), 1),
        (Selection(run_id="run-0"), 1),
        (Selection(source="adyen-eu"), 4),
        (Selection(key="k1"), 0),
        (Selection(error_code="card"), 0),
        (Selection(states=frozenset({State.CONFIRMED})), 0),
    ],
)
def test_only_runs_of_the_selection_go(ledger: ForgettingBrowser, selection: Selection, expected: int) -> None:
    for number, scope in enumerate((SCOPE, *OTHER_SCOPES)):
        a_finished_run(ledger, f"run-{number}", scope=scope)
        a_finished_run(ledger, f"young-{number}", later(seconds=1), scope)
    assert runs_removed(ledger, selection) == expected
