"""The page that composes and tests a request: what it is told, what it sends, and what it says when that fails."""

from __future__ import annotations

import json
import sqlite3
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from airflow_provider_payrecords.core.commands import COMMANDS
from airflow_provider_payrecords.core.form import decode_form
from airflow_provider_payrecords.ledger.urls import open_ledger
from airflow_provider_payrecords.sandbox import Fault, FaultKind, RunningSandbox, SandboxConfig, start_sandbox
from tests.plugins.conftest import API_KEY, LIVE_KEY
from tests.plugins.payments import PAYMENT, draft

LIVE = {"connection": "payrecords_live"}
XSS = "<script>alert(1)</script><img src=x onerror=alert(1)>'\"{{ 7*7 }}"


def post(client: httpx.Client, path: str, body: dict[str, Any], status: int = 200) -> Any:
    answer = client.post(f"api/{path}", json=body)
    assert answer.status_code == status, answer.text
    assert API_KEY not in answer.text
    assert LIVE_KEY not in answer.text
    return answer.json()


def test_every_call_is_listed_and_has_its_form(admin: httpx.Client) -> None:
    listed = admin.get("api/endpoints").json()
    assert [one["name"] for one in listed] == list(COMMANDS)
    for one in listed:
        form = admin.get(f"api/endpoints/{one['name']}").json()
        assert (form["method"], form["path"]) == (one["method"], one["path"])
        assert form["groups"][0]["fields"]


def test_an_unknown_call_is_a_problem_that_names_those_there_are(admin: httpx.Client) -> None:
    answer = admin.get("api/endpoints/report_nothing")
    assert answer.status_code == 404
    assert "report_refund" in answer.json()["detail"]
    post(admin, "compose", draft(endpoint="report_nothing"), 404)


def test_connections_show_mode_and_host_and_never_a_key(admin: httpx.Client, sandbox: RunningSandbox) -> None:
    answer = admin.get("api/connections")
    assert API_KEY not in answer.text
    assert LIVE_KEY not in answer.text
    found = {one["id"]: one for one in answer.json()}
    assert found["payrecords_default"]["mode"] == "test"
    assert found["payrecords_live"]["mode"] == "live"
    assert found["payrecords_default"]["host"] == sandbox.url


def test_a_connection_that_cannot_be_used_is_listed_with_its_reason(
    admin: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_BROKEN", json.dumps({"conn_type": "payrecords", "host": "api.stripe.com"}))
    monkeypatch.setenv("AIRFLOW_CONN_OTHER", json.dumps({"conn_type": "http", "host": "https://example.com"}))
    found = {one["id"]: one for one in admin.get("api/connections").json()}
    assert "API key is missing" in found["broken"]["problem"]
    assert "other" not in found
    told = post(admin, "compose", draft(connection="broken"))
    assert [one["field"] for one in told["problems"]] == ["connection"]
    assert post(admin, "send", draft(connection="broken"), 409)["title"] == "The connection cannot be used"
    assert post(admin, "send", draft(connection="other"), 404)["title"] == "There is no such connection"


@pytest.mark.parametrize("conn_id", ["", "no_such", "a b/../c", "payrecords_default\n", "x" * 200])
def test_an_id_of_no_connection_is_a_problem_and_no_crash(admin: httpx.Client, conn_id: str) -> None:
    assert post(admin, "send", draft(connection=conn_id), 404)["title"] == "There is no such connection"
    assert [one["field"] for one in post(admin, "compose", draft(connection=conn_id))["problems"]] == ["connection"]


def test_connections_of_the_database_are_listed(admin: httpx.Client, sandbox: RunningSandbox) -> None:
    from airflow.models.connection import Connection as Stored
    from airflow.utils.session import create_session

    with create_session() as session:
        session.add(Stored(conn_id="stored", conn_type="payrecords", host=sandbox.url, password=API_KEY))
    try:
        assert "stored" in {one["id"] for one in admin.get("api/connections").json()}
        assert post(admin, "send", draft(connection="stored"))["status"] == 200
    finally:
        with create_session() as session:
            session.query(Stored).filter(Stored.conn_id == "stored").delete()


def test_what_is_composed_is_what_the_sandbox_gets(admin: httpx.Client, sandbox: RunningSandbox) -> None:
    told = post(admin, "compose", draft())
    assert told["problems"] == []
    assert told["http"].startswith("POST /v1/payment_records/report_payment HTTP/1.1\nHost: 127.0.0.1:")
    assert "Authorization: Bearer sk_test_…" in told["http"]
    assert "$STRIPE_API_KEY" in told["curl"]
    assert len(sandbox.journal) == 0
    answer = post(admin, "send", draft())
    (line,) = sandbox.journal
    assert line.idempotency_key == told["request"]["idempotency_key"]
    assert (answer["status"], answer["payment_record"], answer["replayed"]) == (200, line.payment_record, False)
    assert answer["body"]["amount_guaranteed"] == {"currency": "eur", "value": 4950}
    assert answer["headers"]["request-id"] == answer["request_id"]
    assert answer["record_url"] == f"{sandbox.url}/records/{line.payment_record}"
    form = decode_form(told["request"]["body"])
    assert form["metadata"] == {"order": "7", "payrecords_key": "wire 4711", "payrecords_source": "default"}


def test_sent_again_there_is_no_second_record(admin: httpx.Client, sandbox: RunningSandbox) -> None:
    first, second = post(admin, "send", draft()), post(admin, "send", draft())
    assert second["replayed"] is True
    assert second["payment_record"] == first["payment_record"]
    assert len(sandbox.records) == len(sandbox.journal) == 1


@pytest.mark.parametrize("connection", ["payrecords_default", "payrecords_live"])
def test_two_clicks_at_once_make_one_record(admin: httpx.Client, sandbox: RunningSandbox, connection: str) -> None:
    body = draft(connection=connection, confirmation="49.50 EUR")
    clicks = [threading.Thread(target=admin.post, args=("api/send",), kwargs={"json": body}) for _ in range(4)]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()
    assert len(sandbox.journal) == 1


def test_problems_are_those_of_the_library_by_field(admin: httpx.Client) -> None:
    values = {**PAYMENT, "amount_requested": {"amount": "49.505", "currency": "eur"}, "outcome": "lost"}
    told = post(admin, "compose", draft(values))
    assert told["http"] is told["copy"] is None
    assert {one["field"] for one in told["problems"]} == {"amount_requested", "outcome"}
    refused = post(admin, "send", draft(values), 422)
    assert refused["problems"] == told["problems"]
    assert "Nothing was sent" in refused["next_step"]


def test_a_call_that_nothing_names_asks_for_a_key_and_offers_one(admin: httpx.Client) -> None:
    entries = {"payment_record": "pr_1", "failed_at": {"time": "2026-11-23T10:00", "zone": "UTC"}}
    told = post(admin, "compose", draft(entries, "report_payment_attempt_failed"))
    assert [one["field"] for one in told["problems"]] == ["key"]
    assert told["suggested_key"] == "pr_1:report_payment_attempt_failed"
    named = post(admin, "compose", draft(entries, "report_payment_attempt_failed", key=told["suggested_key"]))
    assert named["problems"] == []


@pytest.mark.parametrize("more", [{"key": "\n"}, {"key": "x" * 600}, {"source": "\x00"}])
def test_a_name_that_cannot_be_one_is_a_problem_of_its_field(admin: httpx.Client, more: dict[str, str]) -> None:
    told = post(admin, "compose", draft(**more))
    assert [one["field"] for one in told["problems"]] == list(more)


@pytest.mark.parametrize("body", [{}, [], draft(surplus=1), {**draft(), "values": []}, "text"], ids=str)
def test_a_request_that_is_no_draft_is_refused_without_repeating_it(admin: httpx.Client, body: Any) -> None:
    assert post(admin, "send", body, 422)["title"] == "This request cannot be read"


def test_a_read_needs_no_key_and_shows_the_answer(admin: httpx.Client) -> None:
    record = post(admin, "send", draft())["payment_record"]
    read = post(admin, "send", draft({"payment_record": record}, "retrieve_payment_record"))
    assert read["body"]["id"] == record
    assert post(admin, "send", draft({"limit": "1"}, "list_payment_records"))["body"]["object"] == "list"


def test_what_the_api_refuses_is_shown_as_it_came_and_explained(admin: httpx.Client) -> None:
    answer = post(admin, "send", draft({"payment_record": "pr_404"}, "retrieve_payment_record"))
    assert answer["status"] == 404
    assert answer["body"]["error"]["code"] == "resource_missing"
    assert answer["problem"]["title"] == "The API refused this"
    assert "pr_404" in answer["problem"]["detail"]
    assert answer["payment_record"] is None


def test_a_failure_of_the_api_says_that_the_same_key_goes_again(admin: httpx.Client, sandbox: RunningSandbox) -> None:
    sandbox.faults.add(Fault(kind=FaultKind.ERROR_BEFORE))
    answer = post(admin, "send", draft())
    assert answer["status"] == 500
    assert "the same idempotency key" in answer["problem"]["next_step"]
    assert post(admin, "send", draft())["status"] == 200
    assert len(sandbox.records) == 1


def test_an_api_that_cannot_be_reached_says_that_nothing_was_sent(
    admin: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = {"conn_type": "payrecords", "host": "http://127.0.0.1:9", "password": API_KEY}
    monkeypatch.setenv("AIRFLOW_CONN_NOWHERE", json.dumps(nowhere))
    refused = post(admin, "send", draft(connection="nowhere"), 502)
    assert refused["title"] == "The API cannot be reached"
    assert "Nothing was sent" in refused["next_step"]


def test_an_answer_that_does_not_come_is_unknown_and_the_next_click_finds_it(
    admin: httpx.Client, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurried = {"conn_type": "payrecords", "host": sandbox.url, "password": API_KEY, "extra": {"timeout": 0.5}}
    monkeypatch.setenv("AIRFLOW_CONN_PAYRECORDS_DEFAULT", json.dumps(hurried))
    sandbox.faults.add(Fault(kind=FaultKind.DROP_AFTER))
    lost = post(admin, "send", draft(), 504)
    assert lost["title"] == "No answer was read"
    assert "It may have taken effect" in lost["next_step"]
    assert post(admin, "send", draft())["replayed"] is True
    assert len(sandbox.records) == 1


def test_a_revoked_key_is_said_without_the_key(admin: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    with start_sandbox(SandboxConfig(revoked_keys=frozenset({API_KEY}))) as closed:
        host = {"conn_type": "payrecords", "host": closed.url, "password": API_KEY}
        monkeypatch.setenv("AIRFLOW_CONN_PAYRECORDS_DEFAULT", json.dumps(host))
        answer = post(admin, "send", draft())
    assert answer["status"] == 401
    assert answer["problem"]["title"] == "The API does not accept the key"


def test_a_live_report_needs_what_it_is_about_typed(admin: httpx.Client, sandbox: RunningSandbox) -> None:
    assert post(admin, "compose", draft(**LIVE))["confirmation"] == "49.50 EUR"
    for typed in (None, "", "49.5 EUR", "49.50 USD"):
        refused = post(admin, "send", draft(**LIVE, confirmation=typed), 422)
        assert [one["field"] for one in refused["problems"]] == ["confirmation"]
    assert len(sandbox.journal) == 0


def test_a_live_report_goes_through_the_ledger_once(
    admin: httpx.Client, sandbox: RunningSandbox, ledger_path: Path
) -> None:
    first = post(admin, "send", draft(**LIVE, confirmation="49.50 EUR"))
    again = post(admin, "send", draft(**LIVE, confirmation="49.50 EUR"))
    assert (first["new"], first["through_ledger"], first["status"]) == (True, True, 200)
    assert (again["new"], again["status"], again["payment_record"]) == (False, None, first["payment_record"])
    assert [line.mode for line in sandbox.journal] == ["live"]
    with sqlite3.connect(ledger_path) as ledger:
        assert ledger.execute("SELECT count(*) FROM entries").fetchone() == (1,)


def test_a_live_read_asks_for_no_confirmation(admin: httpx.Client) -> None:
    body = draft({"limit": "1"}, "list_payment_records", **LIVE)
    assert post(admin, "compose", body)["confirmation"] is None
    assert post(admin, "send", body)["status"] == 200


@pytest.mark.parametrize("person", ["viewer", "op"])
def test_a_live_key_needs_its_own_permission(
    people: dict[str, httpx.Client], sandbox: RunningSandbox, person: str
) -> None:
    for body in (draft(**LIVE, confirmation="49.50 EUR"), draft({"limit": "1"}, "list_payment_records", **LIVE)):
        post(people[person], "send", body, 403)
    assert len(sandbox.journal) == 0


def test_a_ledger_that_cannot_be_opened_is_said_and_nothing_is_sent(
    admin: httpx.Client, sandbox: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "no.db").write_text("this is no database, and longer than a header of one would be " * 40)
    monkeypatch.setenv("AIRFLOW__PAYRECORDS__LEDGER", str(tmp_path / "no.db"))
    refused = post(admin, "send", draft(**LIVE, confirmation="49.50 EUR"), 503)
    assert refused["title"] == "The ledger cannot be used"
    assert "Nothing was sent" in refused["next_step"]
    assert len(sandbox.journal) == 0


@pytest.mark.parametrize("field", ["processor_details.custom.payment_reference", "description", "metadata"])
def test_markup_in_what_was_typed_stays_text_in_json(admin: httpx.Client, field: str) -> None:
    entry: Any = [[XSS[:30].replace("[", ""), XSS]] if field == "metadata" else XSS
    answer = admin.post("api/compose", json=draft({**PAYMENT, field: entry}))
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.json()["problems"] == []


def test_a_ledger_that_fails_after_the_answer_is_not_said_to_have_sent_nothing(
    admin: httpx.Client, sandbox: RunningSandbox, ledger_path: Path
) -> None:
    open_ledger(str(ledger_path)).close()
    with sqlite3.connect(ledger_path) as ledger:
        ledger.execute(
            "CREATE TRIGGER full BEFORE UPDATE ON entries WHEN NEW.state = 'confirmed' "
            "BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        )
    refused = post(admin, "send", draft(**LIVE, confirmation="49.50 EUR"), 503)
    assert "Nothing was sent" not in refused["next_step"]
    assert "the same idempotency key" in refused["next_step"]
    assert len(sandbox.journal) == 1
    with sqlite3.connect(ledger_path) as ledger:
        ledger.execute("DROP TRIGGER full")
    held = post(admin, "send", draft(**LIVE, confirmation="49.50 EUR"), 409)
    assert "its claim ends soon" in held["next_step"]
    assert len(sandbox.journal) == 1


HALF_A_CHARACTER = '"\\ud800"'


@pytest.mark.parametrize("path", ["compose", "send"])
@pytest.mark.parametrize(
    "where", ["connection", "key", "source", "endpoint", "values", "name of a field", "metadata", "confirmation"]
)
def test_half_a_character_anywhere_is_a_problem_and_no_crash(admin: httpx.Client, path: str, where: str) -> None:
    body: dict[str, Any] = draft(**({"confirmation": None} if path == "send" else {}))
    if where in body:
        body[where] = "@"
    if where == "values":
        body["values"] = {**PAYMENT, "description": "@"}
    if where == "name of a field":
        body["values"] = {**PAYMENT, "@": "x"}
    if where == "metadata":
        body["values"] = {**PAYMENT, "metadata": [["@", "@"]]}
    text = json.dumps(body).replace('"@"', HALF_A_CHARACTER)
    answer = admin.post(f"api/{path}", content=text, headers={"Content-Type": "application/json"})
    assert answer.status_code in (200, 404, 422)
    assert answer.json()
