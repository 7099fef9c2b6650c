"""The API of one payment: found, with its history, and its record as the API has it now."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from airflow_provider_payrecords.core.commands import ReportPayment, build
from airflow_provider_payrecords.core.lifecycle import State
from airflow_provider_payrecords.hooks.payrecords import PaymentRecordsHook
from airflow_provider_payrecords.plugins import payments_api
from airflow_provider_payrecords.sandbox import Fault, FaultKind, RunningSandbox
from tests.bulk.world import payment
from tests.plugins.conftest import API_KEY
from tests.plugins.past import (
    CANARIES,
    CONNECTION,
    FIRST,
    SOME,
    entry,
    ledger,
    named,
    report,
    report_some,
    review_one,
)
from tests.plugins.test_runs_api import ask

PRIVATE = {"customer_details.email": "jenny.rosen@example.com", "customer_details.name": "Jenny Rosen"}


def find(client: httpx.Client, text: str) -> list[str]:
    """Return the keys that a search gives."""
    return [one["key"] for one in ask(client, "search", text=text)["entries"]]


def test_a_payment_is_found_by_its_key_and_by_how_that_begins(admin: httpx.Client) -> None:
    report_some()
    assert find(admin, "W0003") == ["W0003"]
    assert find(admin, " W000 ") == ["W0001", "W0002", "W0003"]
    assert find(admin, "w0003") == []


def test_a_search_that_finds_many_says_that_there_are_more(
    admin: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    report_some()
    monkeypatch.setattr(payments_api, "MAX_FOUND", 2)
    found = ask(admin, "search", text="W")
    assert ([one["key"] for one in found["entries"]], found["more"]) == (["W0001", "W0002"], True)


def test_a_payment_is_found_by_the_id_of_its_record_and_of_its_attempt(admin: httpx.Client) -> None:
    report_some()
    known = entry("W0003")
    assert known.payment_record is not None
    assert known.payment_attempt_record is not None
    assert find(admin, known.payment_record) == ["W0003"]
    assert find(admin, known.payment_attempt_record) == ["W0003"]


def test_a_record_of_somebody_else_and_one_that_does_not_exist_are_said(admin: httpx.Client) -> None:
    report_some()
    foreign = {
        "amount_requested": {"value": 800, "currency": "eur"},
        "initiated_at": 1_793_610_008,
        "payment_method_details": {"type": "custom", "custom": {"display_name": "Bank wire"}},
    }
    with PaymentRecordsHook(CONNECTION).client() as client:
        record = client.send(build(ReportPayment, foreign))
    problem = ask(admin, "search", text=record.id)["problem"]
    assert problem["title"] == "This record names no payment"
    for text in ("pr_nothing", "par_nothing"):
        found = ask(admin, "search", text=text)
        assert (found["entries"], found["problem"]["title"]) == ([], "The API has no such record")


def test_an_api_that_does_not_answer_leaves_what_the_ledger_finds(
    admin: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    report([payment(1, **{"processor_details.custom.payment_reference": "pr_as_a_key"})])
    connection = {"conn_type": "payrecords", "host": "http://127.0.0.1:9", "password": API_KEY}
    monkeypatch.setenv("AIRFLOW_CONN_PAYRECORDS_DEFAULT", json.dumps(connection))
    found = ask(admin, "search", text="pr_as_a_key")
    assert [one["key"] for one in found["entries"]] == ["pr_as_a_key"]
    assert found["problem"]["title"] == "The API cannot be reached"
    assert "what the ledger knows is shown" in found["problem"]["next_step"]


def test_nothing_is_not_searched_for(admin: httpx.Client) -> None:
    assert ask(admin, "search", 422, text="  ")["title"] == "Nothing to search for"
    assert ask(admin, "search", 422, text="x" * 501)["title"] == "This request cannot be read"


def test_a_payment_has_its_entry_its_run_and_what_may_be_decided(admin: httpx.Client) -> None:
    summary = report_some()
    shown = ask(admin, "payment", **named(entry("W0002")))
    assert shown["entry"]["state"] == "rejected"
    assert shown["run"]["run_id"] == summary.run_id
    assert shown["may"]["replay"] is True
    assert shown["may"]["not_absent_because"]
    assert shown["connections"] == [CONNECTION]
    confirmed = ask(admin, "payment", **named(entry("W0001")))
    assert (confirmed["may"]["replay"], confirmed["entry"]["next_step"], confirmed["history"]) == (False, None, [])


def test_a_payment_that_was_refused_and_corrected_has_its_history(admin: httpx.Client) -> None:
    report_some()
    refused = entry("W0002")
    report([*SOME[:1], payment(2)])
    shown = ask(admin, "payment", **named(entry("W0002")))
    assert shown["entry"]["state"] == "confirmed"
    before = shown["history"][-1]
    assert (before["state"], before["idempotency_key"]) == ("rejected", refused.idempotency_key)


def test_a_payment_in_review_may_be_found_or_said_to_be_absent(admin: httpx.Client, sandbox: RunningSandbox) -> None:
    known = review_one(sandbox, FaultKind.DROP_BEFORE)
    assert known.state is State.REVIEW
    may = ask(admin, "payment", **named(known))["may"]
    assert may == {"replay": False, "not_found_because": None, "not_absent_because": None}


def test_a_payment_that_does_not_exist_is_said(admin: httpx.Client) -> None:
    report_some()
    place = {**named(entry("W0001")), "key": "W9999"}
    for path in ("payment", "payment/live"):
        problem = ask(admin, path, 404, **place)
        assert problem["title"] == "There is no such payment"
        assert "W9999" in problem["detail"]


def test_the_record_is_fetched_with_its_attempts_and_a_link(admin: httpx.Client, sandbox: RunningSandbox) -> None:
    report_some()
    known = entry("W0003")
    live = ask(admin, "payment/live", **named(known))
    record = live["record"]
    assert (record["id"], record["state"]) == (known.payment_record, "pending")
    assert record["amounts"] == {"requested": {"amount_minor": 300, "currency": "eur"}}
    assert record["metadata"]["payrecords_key"] == "W0003"
    assert record["reference"] == "W0003"
    assert record["url"] == f"{sandbox.url}/records/{known.payment_record}"
    assert [one["id"] for one in live["attempts"]] == [known.payment_attempt_record]
    assert (live["differs"], live["attempts_problem"]) == ([], None)


def test_a_customer_s_data_is_not_shown(admin: httpx.Client) -> None:
    report([payment(1, **PRIVATE)])
    answer = admin.get("api/payment/live", params=named(entry("W0001")))
    assert answer.status_code == 200
    assert "enny" not in answer.text


def test_a_record_of_other_money_is_said(admin: httpx.Client) -> None:
    report_some()
    known = entry("W0001")
    with ledger() as store, store._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE entries SET amount_minor = 999 WHERE key = 'W0001'")
    assert ask(admin, "payment/live", **named(known))["differs"] == ["Amount or currency differ from what was sent."]


def test_a_list_of_attempts_that_is_not_given_leaves_the_record(admin: httpx.Client, sandbox: RunningSandbox) -> None:
    report_some()
    sandbox.faults.add(Fault(kind=FaultKind.ERROR_BEFORE, endpoint="list_payment_attempt_records"))
    live = ask(admin, "payment/live", **named(entry("W0001")))
    assert live["record"]["id"] == entry("W0001").payment_record
    assert live["attempts_problem"]["title"] == "The API failed"


@pytest.mark.parametrize(
    ("fault", "status", "title"),
    [
        (Fault(kind=FaultKind.ERROR_BEFORE, endpoint="retrieve_payment_record"), 502, "The API failed"),
        (Fault(kind=FaultKind.DROP_BEFORE, endpoint="retrieve_payment_record"), 504, "No answer was read"),
        (Fault(kind=FaultKind.RATE_LIMIT, endpoint="retrieve_payment_record"), 502, "Too many requests"),
    ],
    ids=lambda value: str(value),
)
def test_trouble_of_the_api_is_said_and_nothing_else_is_lost(
    admin: httpx.Client, sandbox: RunningSandbox, fault: Fault, status: int, title: str
) -> None:
    report_some()
    sandbox.faults.add(fault)
    problem = ask(admin, "payment/live", status, **named(entry("W0001")))
    assert problem["title"] == title
    assert "what the ledger knows is shown" in problem["next_step"]
    assert ask(admin, "payment/live", **named(entry("W0001")))["record"]


def test_a_payment_without_a_record_has_none_to_fetch(admin: httpx.Client) -> None:
    report_some()
    assert ask(admin, "payment/live", 409, **named(entry("W0002")))["title"] == "No record is known"


def test_a_connection_of_another_account_names_the_one_that_fits(admin: httpx.Client) -> None:
    report_some()
    problem = ask(admin, "payment/live", 409, **named(entry("W0001"), "payrecords_live"))
    assert problem["title"] == "This connection is of another account"
    assert CONNECTION in problem["next_step"]


@pytest.mark.parametrize("canary", CANARIES)
def test_a_key_from_outside_comes_back_as_it_is(admin: httpx.Client, canary: str) -> None:
    report([payment(1, **{"processor_details.custom.payment_reference": canary})], source=canary)
    assert find(admin, canary) == [canary]
    answer = admin.get("api/payment", params=named(entry(canary)))
    assert answer.json()["entry"]["source"] == canary
    assert answer.headers["content-type"] == "application/json"


def test_no_answer_shows_the_api_key(admin: httpx.Client, sandbox: RunningSandbox) -> None:
    report_some()
    known = entry("W0001")
    paths: list[tuple[str, dict[str, Any]]] = [
        ("runs", FIRST),
        ("open", FIRST),
        ("search", {**FIRST, "text": known.payment_record}),
        ("payment", named(known)),
        ("payment/live", named(known)),
        ("payment/live", named(known, "payrecords_live")),
    ]
    for path, parameters in paths:
        assert API_KEY not in admin.get(f"api/{path}", params=parameters).text
