"""What every ledger does: one suite for all stores."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from airflow_provider_payrecords.core.entry import Action, Scope
from airflow_provider_payrecords.core.errors import IllegalTransitionError, LedgerError
from airflow_provider_payrecords.core.lifecycle import Event, State
from airflow_provider_payrecords.ledger.store import Confirmed, Count, LedgerStore, Run, Selection
from tests.ledger.samples import ANNA, BERT, NOW, OTHER_SCOPES, SCOPE, intent, later, outcome

EVERYTHING = Selection()


def test_a_new_row_is_claimed_and_stored_in_full(ledger: LedgerStore) -> None:
    [decision] = ledger.claim(SCOPE, [intent()], ANNA, NOW)
    assert decision.action is Action.SEND
    entry = ledger.look_up(SCOPE, ["k1"])["k1"]
    assert entry == decision.entry
    assert (entry.state, entry.owner, entry.run_id) == (State.CLAIMED, ANNA.owner, ANNA.run_id)
    assert (entry.claimed_at, entry.lease_until) == (NOW, later(seconds=120))
    assert (entry.amount_minor, entry.currency) == (4950, "eur")


def test_decisions_come_in_the_order_of_the_intents(ledger: LedgerStore) -> None:
    keys = [f"k{number:03}" for number in range(250)]
    ledger.claim(SCOPE, [intent(key) for key in keys[::2]], ANNA, NOW)
    decisions = ledger.claim(SCOPE, [intent(key) for key in reversed(keys)], BERT, NOW)
    assert [decision.entry.key for decision in decisions] == keys[::-1]
    assert [decision.action for decision in decisions] == [Action.SEND, Action.HELD] * 125


def test_more_keys_than_one_statement_takes_are_found(ledger: LedgerStore) -> None:
    keys = [f"k{number:04}" for number in range(1_201)]
    ledger.claim(SCOPE, [intent(key) for key in keys], ANNA, NOW)
    assert list(ledger.look_up(SCOPE, keys)) == keys


def test_a_key_that_comes_twice_in_one_call_meets_its_own_claim(ledger: LedgerStore) -> None:
    decisions = ledger.claim(SCOPE, [intent(), intent(), intent(content="b")], ANNA, NOW)
    assert [decision.action for decision in decisions] == [Action.SEND, Action.RESEND, Action.REVIEW]
    assert ledger.look_up(SCOPE, ["k1"])["k1"] == decisions[-1].entry


def test_a_held_row_keeps_the_first_claim(ledger: LedgerStore) -> None:
    [first] = ledger.claim(SCOPE, [intent()], ANNA, NOW)
    [second] = ledger.claim(SCOPE, [intent()], BERT, later(seconds=119))
    assert second.action is Action.HELD
    assert ledger.look_up(SCOPE, ["k1"])["k1"] == first.entry


@pytest.mark.parametrize("other", OTHER_SCOPES)
def test_the_same_key_in_another_scope_is_another_payment(ledger: LedgerStore, other: Scope) -> None:
    ledger.claim(SCOPE, [intent()], ANNA, NOW)
    ledger.settle(SCOPE, [outcome(Event.ACCEPTED)], NOW)
    assert ledger.look_up(other, ["k1"]) == {}
    assert ledger.owners(other) == set()
    assert ledger.claim(other, [intent()], BERT, NOW)[0].action is Action.SEND


def test_a_settled_payment_is_done_for_the_next_run(ledger: LedgerStore) -> None:
    ledger.claim(SCOPE, [intent()], ANNA, NOW)
    [entry] = ledger.settle(SCOPE, [outcome(Event.ACCEPTED, request_id="req_1")], later(seconds=1))
    assert (entry.state, entry.payment_record, entry.request_id) == (State.CONFIRMED, "pr_k1_a", "req_1")
    assert ledger.look_up(SCOPE, ["k1"])["k1"] == entry
    [decision] = ledger.claim(SCOPE, [intent()], BERT, later(hours=48))
    assert (decision.action, decision.entry) == (Action.DONE, entry)


def test_what_the_api_refused_is_kept_without_the_content(ledger: LedgerStore) -> None:
    ledger.claim(SCOPE, [intent()], ANNA, NOW)
    refusal = outcome(
        Event.REFUSED,
        error_code="parameter_missing",
        error_param="amount_requested[value]",
        error_status=400,
        request_id="req_2",
    )
    [entry] = ledger.settle(SCOPE, [refusal], NOW)
    assert entry.state is State.REJECTED
    assert (entry.error_code, entry.error_param, entry.error_status, entry.request_id) == (
        "parameter_missing",
        "amount_requested[value]",
        400,
        "req_2",
    )
    assert ledger.look_up(SCOPE, ["k1"])["k1"] == entry


def test_outcomes_are_applied_in_order_and_each_entry_is_returned_as_it_then_stood(ledger: LedgerStore) -> None:
    ledger.claim(SCOPE, [intent("k1"), intent("k2")], ANNA, NOW)
    settlements = [outcome(Event.LOST, "k1"), outcome(Event.REFUSED, "k2"), outcome(Event.ACCEPTED, "k1")]
    entries = ledger.settle(SCOPE, settlements, NOW)
    assert [entry.state for entry in entries] == [State.UNKNOWN, State.REJECTED, State.CONFIRMED]
    assert ledger.look_up(SCOPE, ["k1"])["k1"] == entries[2]


def test_an_outcome_for_another_idempotency_key_changes_nothing(ledger: LedgerStore) -> None:
    [claimed] = ledger.claim(SCOPE, [intent()], ANNA, NOW)
    assert ledger.settle(SCOPE, [outcome(Event.REFUSED, content="b")], NOW) == [claimed.entry]
    assert ledger.look_up(SCOPE, ["k1"])["k1"] == claimed.entry


def test_an_outcome_without_entry_is_an_error_and_nothing_of_the_batch_is_saved(ledger: LedgerStore) -> None:
    [claimed] = ledger.claim(SCOPE, [intent()], ANNA, NOW)
    with pytest.raises(LedgerError, match="^2 sent payments are not in the ledger"):
        ledger.settle(SCOPE, [outcome(Event.ACCEPTED), outcome(Event.ACCEPTED, "x"), outcome(Event.LOST, "y")], NOW)
    assert ledger.look_up(SCOPE, ["k1"]) == {"k1": claimed.entry}


def test_an_event_the_table_does_not_have_saves_nothing_of_the_batch(ledger: LedgerStore) -> None:
    ledger.claim(SCOPE, [intent("k1"), intent("k2")], ANNA, NOW)
    with pytest.raises(IllegalTransitionError):
        ledger.settle(SCOPE, [outcome(Event.ACCEPTED, "k1"), outcome(Event.CLAIM, "k2")], NOW)
    assert ledger.look_up(SCOPE, ["k1"])["k1"].state is State.CLAIMED


def test_a_person_s_word_is_kept_with_the_key_that_follows(ledger: LedgerStore) -> None:
    ledger.claim(SCOPE, [intent("k1")], ANNA, NOW)
    (stuck,) = ledger.settle(SCOPE, [outcome(Event.STUCK, "k1", error_code="stored_server_error")], NOW)
    (absent,) = ledger.settle(SCOPE, [outcome(Event.ABSENT, "k1", run_id="review-1")], NOW)
    assert ledger.look_up(SCOPE, ["k1"]) == {"k1": absent}
    assert (absent.state, absent.run_id) == (State.PLANNED, "review-1")
    assert absent.idempotency_key == f"{stuck.idempotency_key}.2"


def test_looking_up_returns_what_is_known_and_changes_nothing(ledger: LedgerStore) -> None:
    ledger.claim(SCOPE, [intent("k1"), intent("k2")], ANNA, NOW)
    before = list(ledger.entries(EVERYTHING))
    assert list(ledger.look_up(SCOPE, ["k2", "none", "k1"])) == ["k2", "k1"]
    assert ledger.look_up(SCOPE, []) == {}
    assert list(ledger.entries(EVERYTHING)) == before


def test_confirmed_gives_what_a_result_says_of_confirmed_entries_only(ledger: LedgerStore) -> None:
    keys = [f"k{number:04}" for number in range(1_201)]
    ledger.claim(SCOPE, [intent(key) for key in keys], ANNA, NOW)
    ledger.settle(SCOPE, [outcome(Event.ACCEPTED, key=key, request_id="req_1") for key in keys[:-2]], NOW)
    ledger.settle(SCOPE, [outcome(Event.REFUSED, key=keys[-2])], NOW)
    found = ledger.confirmed(SCOPE, [*keys, "other"])
    assert sorted(one.key for one in found) == keys[:-2]
    entry = ledger.look_up(SCOPE, keys[:1])[keys[0]]
    assert [one for one in found if one.key == keys[0]] == [
        Confirmed(entry.key, entry.fingerprint, entry.idempotency_key, entry.payment_record, "req_1")
    ]
    assert ledger.confirmed(OTHER_SCOPES[0], keys) == ledger.confirmed(SCOPE, []) == []


def test_empty_batches_do_nothing(ledger: LedgerStore) -> None:
    assert ledger.claim(SCOPE, [], ANNA, NOW) == []
    assert ledger.settle(SCOPE, [], NOW) == []
    assert ledger.lapse(SCOPE, [], NOW) == 0
    assert list(ledger.entries(EVERYTHING)) == []


def test_accounts_are_those_that_had_runs_of_the_same_mode_endpoint_and_source(ledger: LedgerStore) -> None:
    assert ledger.accounts(SCOPE) == set()
    for number, scope in enumerate((SCOPE, replace(SCOPE, account="renamed"), *OTHER_SCOPES)):
        ledger.start_run(replace(a_run(f"r{number}", number), scope=scope))
    alike = {one.account for one in OTHER_SCOPES if replace(one, account=SCOPE.account) == SCOPE}
    assert ledger.accounts(SCOPE) == {SCOPE.account, "renamed", *alike}


def test_owners_are_those_who_hold_claims_now(ledger: LedgerStore) -> None:
    ledger.claim(SCOPE, [intent("k1"), intent("k2")], ANNA, NOW)
    ledger.claim(SCOPE, [intent("k3")], BERT, NOW)
    assert ledger.owners(SCOPE) == {ANNA.owner, BERT.owner}
    ledger.settle(SCOPE, [outcome(Event.ACCEPTED, "k3")], NOW)
    assert ledger.owners(SCOPE) == {ANNA.owner}


def test_the_claims_of_dead_workers_lapse_and_no_others(ledger: LedgerStore) -> None:
    ledger.claim(SCOPE, [intent("k1"), intent("k2")], ANNA, NOW)
    ledger.claim(SCOPE, [intent("k3")], BERT, NOW)
    ledger.claim(OTHER_SCOPES[0], [intent("k1")], ANNA, NOW)
    ledger.settle(SCOPE, [outcome(Event.ACCEPTED, "k2")], NOW)
    assert ledger.lapse(SCOPE, {ANNA.owner, "host:9:gone"}, later(seconds=5)) == 1
    states = {entry.key: entry.state for entry in ledger.look_up(SCOPE, ["k1", "k2", "k3"]).values()}
    assert states == {"k1": State.UNKNOWN, "k2": State.CONFIRMED, "k3": State.CLAIMED}
    assert ledger.owners(OTHER_SCOPES[0]) == {ANNA.owner}


def test_a_lapsed_claim_is_sent_again_with_the_same_key(ledger: LedgerStore) -> None:
    [first] = ledger.claim(SCOPE, [intent()], ANNA, NOW)
    ledger.lapse(SCOPE, [ANNA.owner], later(seconds=5))
    [again] = ledger.claim(SCOPE, [intent()], BERT, later(seconds=6))
    assert again.action is Action.RESEND
    assert again.entry.idempotency_key == first.entry.idempotency_key
    assert again.entry.claimed_at == NOW


def test_instants_come_back_exact_and_in_utc(ledger: LedgerStore) -> None:
    amsterdam = timezone(timedelta(hours=2))
    instant = datetime(2026, 3, 1, 11, 30, 0, 123_457, tzinfo=amsterdam)
    ledger.claim(SCOPE, [intent()], replace(ANNA, lease_seconds=0.5), instant)
    entry = ledger.look_up(SCOPE, ["k1"])["k1"]
    assert entry.claimed_at == instant
    assert entry.lease_until == instant + timedelta(seconds=0.5)


@pytest.mark.parametrize("key", ["naïve café ☕", "a'b\"c;--", "%s %(x)s ? :key", " ", "x" * 1_000, "a\nb"])
def test_any_text_is_a_key(ledger: LedgerStore, key: str) -> None:
    ledger.claim(SCOPE, [intent(key)], ANNA, NOW)
    assert list(ledger.look_up(SCOPE, [key])) == [key]
    assert ledger.settle(SCOPE, [outcome(Event.ACCEPTED, key)], NOW)[0].state is State.CONFIRMED


def test_amounts_may_be_large_or_missing(ledger: LedgerStore) -> None:
    ledger.claim(
        SCOPE, [intent("big", amount_minor=2**53), intent("none", amount_minor=None, currency=None)], ANNA, NOW
    )
    assert [entry.amount_minor for entry in ledger.entries(EVERYTHING)] == [2**53, None]


def test_entries_come_ordered_by_scope_and_key(ledger: LedgerStore) -> None:
    for scope in (*OTHER_SCOPES, SCOPE):
        ledger.claim(scope, [intent(key) for key in ("b", "Z", "a", "é", "10", "9")], ANNA, NOW)
    found = [(entry.scope, entry.key) for entry in ledger.entries(EVERYTHING)]
    ordered = [OTHER_SCOPES[1], SCOPE, OTHER_SCOPES[3], OTHER_SCOPES[2], OTHER_SCOPES[0]]
    assert found == [(scope, key) for scope in ordered for key in ("10", "9", "Z", "a", "b", "é")]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(account="acct_2"), ["two"]),
        (Selection(mode="live"), ["live"]),
        (Selection(endpoint="report_refund"), ["refund"]),
        (Selection(source="adyen-us"), ["us"]),
        (Selection(states=frozenset({State.CONFIRMED})), ["done"]),
        (Selection(states=frozenset({State.CONFIRMED, State.REJECTED})), ["done", "refused"]),
        (Selection(states=frozenset()), []),
        (Selection(run_id=BERT.run_id, account="acct_1", mode="test"), ["bert"]),
        (Selection(account="acct_1", source="none"), []),
    ],
)
def test_a_selection_narrows_entries_and_counts(ledger: LedgerStore, selection: Selection, expected: list[str]) -> None:
    for scope, key in zip(OTHER_SCOPES, ("two", "live", "refund", "us"), strict=True):
        ledger.claim(scope, [intent(key)], ANNA, NOW)
    ledger.claim(SCOPE, [intent("done"), intent("refused"), intent("claimed")], ANNA, NOW)
    ledger.settle(SCOPE, [outcome(Event.ACCEPTED, "done"), outcome(Event.REFUSED, "refused")], NOW)
    ledger.claim(SCOPE, [intent("bert")], BERT, NOW)
    assert [entry.key for entry in ledger.entries(selection)] == expected
    assert sum(count.entries for count in ledger.counts(selection)) == len(expected)


def test_counts_add_up_money_by_state_and_currency(ledger: LedgerStore) -> None:
    intents = [intent("k1"), intent("k2", amount_minor=50), intent("k3", currency="usd"), intent("k4", currency=None)]
    ledger.claim(SCOPE, [*intents, intent("k5", amount_minor=None, currency=None)], ANNA, NOW)
    ledger.settle(SCOPE, [outcome(Event.ACCEPTED, "k1")], NOW)
    assert ledger.counts(EVERYTHING) == [
        Count(SCOPE, State.CLAIMED, None, entries=2, amount_minor=4950),
        Count(SCOPE, State.CLAIMED, "eur", entries=1, amount_minor=50),
        Count(SCOPE, State.CLAIMED, "usd", entries=1, amount_minor=4950),
        Count(SCOPE, State.CONFIRMED, "eur", entries=1, amount_minor=4950),
    ]


def test_an_entry_that_changes_while_entries_are_read_comes_once(ledger: LedgerStore) -> None:
    ledger.claim(SCOPE, [intent(f"k{number:04}") for number in range(1_500)], ANNA, NOW)
    seen = []
    for entry in ledger.entries(EVERYTHING):
        seen.append(entry.key)
        if len(seen) in (1, 1_200):
            ledger.settle(SCOPE, [outcome(Event.ACCEPTED, "k0000"), outcome(Event.ACCEPTED, "k1499")], NOW)
    assert seen == [f"k{number:04}" for number in range(1_500)]


def a_run(run_id: str, seconds: float) -> Run:
    return Run(run_id, SCOPE, "extract.csv", started_at=later(seconds=seconds))


def test_runs_come_newest_first_and_limited(ledger: LedgerStore) -> None:
    for run_id, seconds in (("r2", 2.0), ("r1", 1.0), ("r3", 2.000_001)):
        ledger.start_run(a_run(run_id, seconds))
    assert [run.run_id for run in ledger.runs()] == ["r3", "r2", "r1"]
    assert [run.run_id for run in ledger.runs(limit=2)] == ["r3", "r2"]


def test_a_run_is_unfinished_until_its_summary_is_saved(ledger: LedgerStore) -> None:
    ledger.start_run(a_run("r1", 0))
    assert ledger.runs() == [a_run("r1", 0)]
    summary = {"rows": 2, "counts": {"confirmed": 2}, "first_rejects": [], "stop_reason": None, "extract": "é"}
    ledger.finish_run("r1", later(seconds=9), summary)
    assert ledger.runs() == [replace(a_run("r1", 0), finished_at=later(seconds=9), summary=summary)]


def test_a_run_that_starts_again_replaces_itself(ledger: LedgerStore) -> None:
    ledger.start_run(a_run("r1", 0))
    ledger.start_run(a_run("r1", 5))
    assert ledger.runs() == [a_run("r1", 5)]


def test_finishing_a_run_that_never_began_is_an_error(ledger: LedgerStore) -> None:
    with pytest.raises(LedgerError, match="Run r9 is not in the ledger"):
        ledger.finish_run("r9", NOW, {})


def test_closing_twice_does_nothing(ledger: LedgerStore) -> None:
    ledger.close()
    ledger.close()
