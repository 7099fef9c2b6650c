"""What people ask every ledger: runs, how they went, and entries page by page."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from dataclasses import replace

import pytest

from airflow_provider_payrecords.core.entry import Entry, Scope, Worker
from airflow_provider_payrecords.core.errors import UsageError
from airflow_provider_payrecords.core.lifecycle import Event, State
from airflow_provider_payrecords.ledger.store import BrowsableStore, Run, RunProgress, RunReason, Selection
from tests.ledger.samples import ANNA, BERT, NOW, OTHER_SCOPES, SCOPE, intent, later, outcome

EVERYTHING = Selection()
WITH_NUL = urlsafe_b64encode(json.dumps(["rejected", "a", "b", "c", "d", "e\0f"]).encode()).decode()
CARL = Worker("host:3:carl", "run-carl", lease_seconds=120)


def a_run(run_id: str, seconds: float = 0, scope: Scope = SCOPE) -> Run:
    return Run(run_id, scope, "extract.csv", started_at=later(seconds=seconds), started_by={"command": "it"})


def progress(run_id: str = "r1", seconds: float = 0, **values: int) -> RunProgress:
    money = {"eur": {"confirmed": 4950}}
    return RunProgress(run_id, later(seconds=seconds), {"confirmed": 1}, money, values.get("requests", 1), 2, 19.5, 7)


def reason(code: str | None, rows: int, run_id: str = "r1", param: str | None = None) -> RunReason:
    return RunReason(run_id, "rejected", code, param, rows, tuple(range(1, rows + 1)))


def replaced(ledger: BrowsableStore, key: str = "k1") -> list[Entry]:
    """Return what the entry of *key* was before, oldest first."""
    return ledger.history(SCOPE, key)[::-1]


def test_a_run_is_found_by_its_id_with_where_it_was_started(ledger: BrowsableStore) -> None:
    ledger.start_run(a_run("r1"))
    ledger.finish_run("r1", later(seconds=9), {"rows": 1})
    assert ledger.run("r1") == replace(a_run("r1"), finished_at=later(seconds=9), summary={"rows": 1})
    assert ledger.run("r2") is None


def test_runs_follow_each_other_page_by_page(ledger: BrowsableStore) -> None:
    for number in range(5):
        ledger.start_run(a_run(f"r{number}", seconds=number // 2))
    first = ledger.runs(limit=2)
    second = ledger.runs(limit=2, before=first[-1].run_id)
    third = ledger.runs(limit=2, before=second[-1].run_id)
    assert [run.run_id for run in (*first, *second, *third)] == ["r4", "r3", "r2", "r1", "r0"]
    assert ledger.runs(before="r0") == ledger.runs(before="nobody knows it") == []


def test_runs_of_one_account_and_mode_come_alone(ledger: BrowsableStore) -> None:
    for number, scope in enumerate((SCOPE, *OTHER_SCOPES)):
        ledger.start_run(a_run(f"r{number}", number, scope))
    assert [run.run_id for run in ledger.runs(account="acct_1", mode="test")] == ["r4", "r3", "r0"]
    assert [run.run_id for run in ledger.runs(mode="live")] == ["r2"]
    assert [run.run_id for run in ledger.runs(account="acct_1", before="r3", limit=1)] == ["r2"]


def test_progress_comes_oldest_first_and_goes_on_after_a_moment(ledger: BrowsableStore) -> None:
    told = [progress(seconds=seconds) for seconds in (1, 2, 3)]
    for one in (told[1], told[0], told[2], progress("r2")):
        ledger.save_progress(one, [])
    assert ledger.progress("r1") == told
    assert ledger.progress("r1", after=told[0].at) == told[1:]
    assert ledger.progress("r1", limit=2) == told[:2]
    assert ledger.last_progress("r1") == told[2]
    assert (ledger.progress("r3"), ledger.last_progress("r3")) == ([], None)


def test_the_same_moment_told_again_is_replaced(ledger: BrowsableStore) -> None:
    ledger.save_progress(progress(requests=1), [])
    ledger.save_progress(progress(requests=5), [])
    assert ledger.progress("r1") == [progress(requests=5)]


def test_a_rate_and_a_number_of_rows_that_nobody_knows_come_back_as_they_were(ledger: BrowsableStore) -> None:
    told = replace(progress(), rate=0.1, total_rows=None, counts={}, money={})
    ledger.save_progress(told, [])
    assert ledger.progress("r1") == [told]


def test_reasons_grow_and_the_most_frequent_comes_first(ledger: BrowsableStore) -> None:
    ledger.save_progress(progress(), [reason("a", 1), reason("b", 2, param="amount_requested.value")])
    ledger.save_progress(progress(seconds=1), [reason("a", 3), reason(None, 1), reason("a", 9, "r2")])
    ledger.save_progress(progress(seconds=2), [])
    assert ledger.reasons("r1") == [reason("a", 3), reason("b", 2, param="amount_requested.value"), reason(None, 1)]
    assert ledger.reasons("r3") == []


def test_a_payment_that_goes_straight_through_has_no_history(ledger: BrowsableStore) -> None:
    ledger.claim(SCOPE, [intent("k1"), intent("k2")], ANNA, NOW)
    ledger.settle(SCOPE, [outcome(Event.ACCEPTED, "k1"), outcome(Event.REFUSED, "k2")], later(seconds=1))
    ledger.claim(SCOPE, [intent("k1"), intent("k2")], BERT, later(seconds=2))
    assert replaced(ledger, "k1") == replaced(ledger, "k2") == []


def test_what_an_entry_was_before_is_kept_in_full(ledger: BrowsableStore) -> None:
    ledger.claim(SCOPE, [intent()], ANNA, NOW)
    refusal = outcome(Event.REFUSED, error_code="parameter_missing", error_status=400, request_id="req_1")
    [rejected] = ledger.settle(SCOPE, [refusal], later(seconds=1))
    ledger.claim(SCOPE, [intent(content="b")], BERT, later(seconds=2))
    [confirmed] = ledger.settle(SCOPE, [outcome(Event.ACCEPTED, content="b")], later(seconds=3))
    [changed] = ledger.claim(SCOPE, [intent(content="c")], CARL, later(seconds=4))
    assert replaced(ledger) == [rejected, confirmed]
    assert ledger.history(SCOPE, "k1", limit=1) == [confirmed]
    assert changed.entry.state is State.REVIEW
    assert ledger.history(OTHER_SCOPES[0], "k1") == []


def test_every_way_out_of_the_ordinary_leaves_what_was_before(ledger: BrowsableStore) -> None:
    keys = {"unknown": Event.LOST, "released": Event.NOT_SENT, "stuck": Event.STUCK}
    ledger.claim(SCOPE, [intent(key) for key in keys], ANNA, NOW)
    lost = [outcome(event, key, error_code="stored_server_error") for key, event in keys.items()]
    settled = ledger.settle(SCOPE, lost, later(seconds=1))
    ledger.claim(SCOPE, [intent("unknown"), intent("released")], BERT, later(seconds=2))
    [planned] = ledger.settle(SCOPE, [outcome(Event.ABSENT, "stuck", run_id="review-1")], later(seconds=2))
    ledger.claim(SCOPE, [intent("stuck")], BERT, later(seconds=3))
    assert [replaced(ledger, key) for key in ("unknown", "released")] == [[one] for one in settled[:2]]
    assert replaced(ledger, "stuck") == [settled[2], planned]


@pytest.mark.parametrize("is_dead", [True, False], ids=["found dead", "lease over"])
def test_a_claim_that_was_not_settled_is_kept_with_its_owner(ledger: BrowsableStore, is_dead: bool) -> None:
    [claimed] = ledger.claim(SCOPE, [intent()], ANNA, NOW)
    if is_dead:
        ledger.lapse(SCOPE, [ANNA.owner], later(seconds=1))
    ledger.claim(SCOPE, [intent()], BERT, later(seconds=130))
    assert replaced(ledger)[0] == claimed.entry
    assert [one.state for one in replaced(ledger)] == [State.CLAIMED, State.UNKNOWN][: 1 + is_dead]


def test_a_batch_that_fails_leaves_no_history(ledger: BrowsableStore) -> None:
    ledger.claim(SCOPE, [intent()], ANNA, NOW)
    ledger.settle(SCOPE, [outcome(Event.LOST)], NOW)
    with pytest.raises(Exception, match="not in the ledger"):
        ledger.settle(SCOPE, [outcome(Event.ACCEPTED), outcome(Event.ACCEPTED, "none")], NOW)
    assert replaced(ledger) == []


def test_a_key_is_found_in_every_scope_before_those_that_begin_with_it(ledger: BrowsableStore) -> None:
    for scope in (SCOPE, *OTHER_SCOPES):
        ledger.claim(scope, [intent("k10"), intent("k1"), intent("k2"), intent("K1")], ANNA, NOW)
    found = ledger.find("k1")
    assert [entry.key for entry in found] == ["k1"] * 5 + ["k10"] * 5
    assert {entry.scope for entry in found} == {SCOPE, *OTHER_SCOPES}
    assert [entry.key for entry in ledger.find("k1", limit=7)] == ["k1"] * 5 + ["k10"] * 2
    assert [entry.key for entry in ledger.find("k1", limit=2)] == ["k1"] * 2
    assert ledger.find("none") == []


@pytest.mark.parametrize("key", ["50%", "a_b", "é☕", "a'b", "\U0010ffff"])
def test_any_text_is_looked_for_as_it_is(ledger: BrowsableStore, key: str) -> None:
    ledger.claim(SCOPE, [intent(f"{key}1"), intent("50x1"), intent("aXb1")], ANNA, NOW)
    assert [entry.key for entry in ledger.find(key)] == [f"{key}1"]


def test_text_that_no_ledger_can_hold_is_not_found(ledger: BrowsableStore) -> None:
    ledger.claim(SCOPE, [intent("a")], ANNA, NOW)
    assert ledger.find("a\0b") == []
    assert ledger.run("a\0b") is None
    assert ledger.runs(before="a\0b") == []


def fill(ledger: BrowsableStore) -> None:
    """Put entries of each state into two scopes, those of *k1* changed last by BERT's run."""
    events = {"r": Event.REFUSED, "p": Event.NOT_SENT, "u": Event.LOST, "v": Event.KEY_CLASH, "c": Event.ACCEPTED}
    for scope in (SCOPE, OTHER_SCOPES[0]):
        for worker in (ANNA, BERT):
            names = {f"{letter}-{worker.run_id}": event for letter, event in events.items()}
            ledger.claim(scope, [intent(name) for name in (*names, f"i-{worker.run_id}")], worker, NOW)
            codes = [outcome(event, name, error_code=f"code_{event.value}") for name, event in names.items()]
            ledger.settle(scope, codes, NOW)


def pages(ledger: BrowsableStore, selection: Selection, limit: int) -> list[list[Entry]]:
    found = [ledger.page(selection, limit)]
    while found[-1].after is not None:
        found.append(ledger.page(selection, limit, found[-1].after))
    return [page.entries for page in found]


@pytest.mark.parametrize("limit", [1, 3, 4, 15, 16, 100])
def test_pages_hold_every_notable_entry_once_by_state_scope_and_key(ledger: BrowsableStore, limit: int) -> None:
    fill(ledger)
    found = pages(ledger, EVERYTHING, limit)
    assert [len(page) for page in found[:-1]] == [limit] * (len(found) - 1)
    assert len(found) == -(-16 // limit)
    entries = [entry for page in found for entry in page]
    states = ["planned"] * 4 + ["rejected"] * 4 + ["review"] * 4 + ["unknown"] * 4
    assert [entry.state.value for entry in entries] == states
    accounts = [entry.scope.account for entry in entries[:4]]
    assert accounts == ["acct_1", "acct_1", "acct_2", "acct_2"]
    assert {(one.scope, one.key) for one in entries} == {
        (one.scope, one.key) for one in ledger.entries(EVERYTHING) if one.key[0] in "rpuv"
    }


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(states=frozenset({State.UNKNOWN, State.REVIEW}), account="acct_2"), ["v-run-anna", "v-run-bert"]),
        (Selection(run_id="run-bert", account="acct_1"), ["p-run-bert", "r-run-bert"]),
        (Selection(error_code="code_refused", run_id="run-anna"), ["r-run-anna", "r-run-anna"]),
        (Selection(source="none"), []),
        (Selection(states=frozenset()), []),
    ],
)
def test_a_selection_narrows_pages(ledger: BrowsableStore, selection: Selection, expected: list[str]) -> None:
    fill(ledger)
    assert [entry.key for entry in ledger.page(selection, 2).entries] == expected


def test_an_entry_that_leaves_its_state_between_two_pages_moves_no_other(ledger: BrowsableStore) -> None:
    fill(ledger)
    rejected = Selection(states=frozenset({State.REJECTED}))
    whole = ledger.page(rejected).entries
    first = ledger.page(rejected, 2)
    ledger.claim(SCOPE, [intent("r-run-anna")._replace(replay=True)], CARL, later(seconds=1))
    assert ledger.page(rejected, 2, first.after).entries == whole[2:]


def test_what_is_not_kept_in_order_is_not_paged(ledger: BrowsableStore) -> None:
    with pytest.raises(UsageError, match=r"^Entries that are claimed, confirmed are not listed"):
        ledger.page(Selection(states=frozenset({State.CONFIRMED, State.CLAIMED, State.REVIEW})))


@pytest.mark.parametrize(
    "after",
    [
        "",
        "x",
        "bm9uc2Vuc2U=",
        "W10=",
        "WzEsMiwzLDQsNSw2XQ==",
        "é",
        pytest.param("W1tb" * 50_000, id="deep"),
        pytest.param(WITH_NUL, id="NUL"),
    ],
)
def test_a_cursor_that_no_page_gave_is_refused(ledger: BrowsableStore, after: str) -> None:
    with pytest.raises(UsageError, match="Begin with the first page"):
        ledger.page(EVERYTHING, after=after)
