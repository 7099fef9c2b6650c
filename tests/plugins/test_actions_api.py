"""What people decide on the page of runs: once, checked, by those who may, and nothing is sent by it."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import httpx
import pytest

from airflow_provider_payrecords.core.entry import Entry
from airflow_provider_payrecords.core.lifecycle import State
from airflow_provider_payrecords.core.replay import REPLAY_ASKED
from airflow_provider_payrecords.ledger.store import Selection
from airflow_provider_payrecords.sandbox import FaultKind, RunningSandbox
from tests.bulk.world import CANCELED, OLD_VERSION, payment
from tests.plugins.past import SOME, entry, ledger, named, report, report_some, review_one, stuck_one


def decide(client: httpx.Client, path: str, body: dict[str, Any], status: int = 200) -> Any:
    """Return the JSON of a POST to our API, answered with *status*."""
    answer = client.post(f"api/{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def of_reason(one: Entry, **more: Any) -> dict[str, Any]:
    """Return what asks for the rejects of the scope of *one*."""
    body = named(one)
    del body["key"]
    return {**body, **more}


def said(one: Entry, **word: Any) -> dict[str, Any]:
    """Return what says a word on *one*, as a page shows it."""
    return {**named(one), "updated_at": one.updated_at.isoformat(), **word}


def at_once(*calls: Any) -> list[int]:
    """Make *calls* at the same time, and return their statuses."""
    gate, statuses = threading.Barrier(len(calls)), []

    def run(call: Any) -> None:
        gate.wait()
        statuses.append(call().status_code)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


def records_of(sandbox: RunningSandbox) -> Counter[str]:
    """Return how many records the sandbox has by key."""
    return Counter(record["metadata"]["payrecords_key"] for record in sandbox.records)


def test_a_reject_that_is_asked_for_is_sent_by_the_next_run_and_not_by_the_page(
    admin: httpx.Client, sandbox: RunningSandbox
) -> None:
    report_some()
    asked = decide(admin, "replay", named(entry("W0002")))
    assert (asked["asked"], asked["keys"], asked["left"]) == (1, ["W0002"], False)
    assert (entry("W0002").state, entry("W0002").error_code) == (State.PLANNED, REPLAY_ASKED)
    assert records_of(sandbox) == {"W0001": 1, "W0003": 1}
    assert report(SOME).new == 1
    assert records_of(sandbox) == {"W0001": 1, "W0002": 1, "W0003": 1}


def test_rejects_are_asked_for_by_reason_and_run(admin: httpx.Client) -> None:
    summary = report_some()
    refused = entry("W0002")
    assert decide(admin, "replay", of_reason(refused, code="another", of_run=summary.run_id))["asked"] == 0
    assert decide(admin, "replay", of_reason(refused, code=refused.error_code, of_run="run-x"))["asked"] == 0
    body = of_reason(refused, code=refused.error_code, of_run=summary.run_id)
    assert decide(admin, "replay", body)["keys"] == ["W0002"]
    assert decide(admin, "replay", body)["asked"] == 0


def test_a_double_click_and_two_persons_ask_once(people: dict[str, httpx.Client], sandbox: RunningSandbox) -> None:
    report_some()
    body = named(entry("W0002"))
    calls = [lambda one=one: people[one].post("api/replay", json=body) for one in ("admin", "op", "admin", "op")]
    assert at_once(*calls) == [200] * 4
    with ledger() as store:
        kept = [run for run in store.runs(50) if run.run_id.startswith("replay-") and run.summary]
    assert sum(run.summary["rows"] for run in kept if run.summary) == 1
    assert report(SOME).new == 1
    assert records_of(sandbox)["W0002"] == 1


def test_a_record_that_a_person_found_confirms_the_payment(admin: httpx.Client, sandbox: RunningSandbox) -> None:
    known = review_one(sandbox, FaultKind.DROP_AFTER)
    (record,) = (one["id"] for one in sandbox.records)
    answer = decide(admin, "resolve", said(known, found=f" {record} "))
    assert (answer["entry"]["state"], answer["entry"]["payment_record"]) == ("confirmed", record)
    assert report([payment(9)]).new == 0
    assert records_of(sandbox) == {"W0009": 1}


def test_absent_is_taken_at_a_person_s_word_and_says_what_nobody_checked(
    admin: httpx.Client, sandbox: RunningSandbox
) -> None:
    known = review_one(sandbox, FaultKind.DROP_BEFORE)
    answer = decide(admin, "resolve", said(known, absent=True))
    assert answer["entry"]["state"] == "planned"
    assert answer["unchecked"] == ["that no record without our metadata is this payment"]
    assert report([payment(9)]).new == 1
    assert records_of(sandbox) == {"W0009": 1}


def test_absent_where_the_api_has_the_record_confirms_it(admin: httpx.Client, sandbox: RunningSandbox) -> None:
    known = stuck_one(sandbox)
    assert decide(admin, "resolve", said(known, absent=True))["entry"]["state"] == "confirmed"
    assert records_of(sandbox) == {"W0009": 1}


def test_two_persons_who_resolve_one_payment_at_once_leave_one_record(
    people: dict[str, httpx.Client], sandbox: RunningSandbox
) -> None:
    known = review_one(sandbox, FaultKind.DROP_AFTER)
    (record,) = (one["id"] for one in sandbox.records)
    words = ({"found": record}, {"absent": True})
    calls = [
        lambda person=person, word=word: people[person].post("api/resolve", json=said(known, **word))
        for person, word in zip(("admin", "op"), words, strict=True)
    ]
    statuses = at_once(*calls)
    assert 200 in statuses
    assert set(statuses) <= {200, 409}
    report([payment(9)])
    assert (entry("W0009").state, entry("W0009").payment_record) == (State.CONFIRMED, record)
    assert records_of(sandbox) == {"W0009": 1}


def test_a_double_click_resolves_once(admin: httpx.Client, sandbox: RunningSandbox) -> None:
    known = review_one(sandbox, FaultKind.DROP_BEFORE)
    statuses = at_once(*[lambda: admin.post("api/resolve", json=said(known, absent=True))] * 3)
    assert statuses.count(200) == 1
    assert set(statuses) == {200, 409}
    with ledger() as store:
        runs = [run for run in store.runs(50) if run.run_id.startswith("review-")]
    assert sum((run.summary or {}).get("rows", 0) for run in runs) == 1


def test_a_word_on_what_changed_meanwhile_is_not_kept(admin: httpx.Client, sandbox: RunningSandbox) -> None:
    known = review_one(sandbox, FaultKind.DROP_BEFORE)
    decide(admin, "resolve", said(known, absent=True))
    before = entry("W0009")
    problem = decide(admin, "resolve", said(known, absent=True), 409)
    assert problem["title"] == "The payment changed while you looked at it"
    assert "planned now" in problem["detail"]
    assert entry("W0009") == before


def test_a_record_of_another_payment_is_refused(admin: httpx.Client, sandbox: RunningSandbox) -> None:
    report_some()
    known = review_one(sandbox, FaultKind.DROP_BEFORE)
    for wrong in (entry("W0001").payment_record, "pr_nothing", "", "not an id", "pr_" + "x" * 300):
        problem = decide(admin, "resolve", said(known, found=wrong), 422)
        assert problem["title"] in ("This is not the record of this payment", "This request cannot be read")
    assert entry("W0009") == known


def test_what_is_not_open_cannot_be_decided(admin: httpx.Client) -> None:
    report_some()
    for key, word in (("W0001", {"absent": True}), ("W0002", {"absent": True}), ("W0001", {"found": "pr_1"})):
        problem = decide(admin, "resolve", said(entry(key), **word), 409)
        assert problem["title"] == "This cannot be decided now"
        assert problem["next_step"]


@pytest.mark.parametrize("word", [{}, {"found": "pr_1", "absent": True}, {"absent": "perhaps"}])
def test_a_word_says_found_or_absent(admin: httpx.Client, word: dict[str, Any]) -> None:
    report_some()
    assert decide(admin, "resolve", said(entry("W0002"), **word), 422)["title"] == "This request cannot be read"


@pytest.mark.parametrize("path", ["replay", "resolve"])
def test_a_viewer_decides_nothing(people: dict[str, httpx.Client], path: str) -> None:
    report_some()
    before = entry("W0002")
    body = said(before, absent=True) if path == "resolve" else named(before)
    assert decide(people["viewer"], path, body, 403)["title"] == "You may not do this"
    assert entry("W0002") == before


@pytest.mark.parametrize("path", ["replay", "resolve"])
def test_a_connection_of_another_account_decides_nothing(admin: httpx.Client, path: str) -> None:
    report_some()
    before = entry("W0002")
    place = named(before, "payrecords_live")
    body = {**place, "updated_at": before.updated_at.isoformat(), "absent": True} if path == "resolve" else place
    assert decide(admin, path, body, 409)["title"] == "This connection is of another account"
    assert entry("W0002") == before


def test_who_decided_is_in_airflow_s_audit_log(people: dict[str, httpx.Client]) -> None:
    from airflow.models import Log
    from airflow.utils.session import create_session

    report_some()
    decide(people["op"], "replay", named(entry("W0002")))
    with create_session() as session:
        line = session.query(Log).filter(Log.event == "payrecords_replay").order_by(Log.id.desc()).first()
        assert line is not None
        assert (line.owner, '"W0002"' in line.extra) == ("op", True)


def test_more_rejects_than_one_question_takes_are_said(admin: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow_provider_payrecords.bulk import asking
    from airflow_provider_payrecords.plugins import actions_api

    rows = [payment(number, **CANCELED) for number in (1, 2, 3)]
    report(rows, stripe_version=OLD_VERSION)
    monkeypatch.setattr(actions_api, "MAX_ASKED", 2)
    assert asking.MAX_ASKED > 2
    refused = entry("W0002")
    body = of_reason(refused, code=refused.error_code)
    first, second = decide(admin, "replay", body), decide(admin, "replay", body)
    assert [(one["asked"], one["left"]) for one in (first, second)] == [(2, True), (1, False)]
    with ledger() as store:
        assert {one.state for one in store.entries(Selection())} == {State.PLANNED}
